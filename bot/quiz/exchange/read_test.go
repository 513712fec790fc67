package exchange

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"timonier/content"
)

var update = flag.Bool("update", false, "rewrite what is golden")

// told is what became of a file, to be read by people.
func told(r *Report) string {
	var b strings.Builder
	if r.Fault != nil {
		fmt.Fprintf(&b, "fault %s\n", r.Fault)
	}
	for _, p := range r.Refused {
		fmt.Fprintf(&b, "refused %s\n", p)
	}
	for _, t := range r.Taken {
		for _, n := range t.Notes {
			fmt.Fprintf(&b, "note %s\n", n)
		}
		data, _ := json.Marshal(t.Item)
		s := string(data)
		for _, empty := range []string{`,"hint":{}`, `,"why":{}`, `,"unit":{}`, `,"accept":{}`, `,"own":true`, `,"before":[0,0]`, `"before":[0,0],`, `,"pair":[0,0]`, `"pair":[0,0],`, `,"answers":{}`, `"answers":{},`} {
			s = strings.ReplaceAll(s, empty, "")
		}
		fmt.Fprintf(&b, "%d %s\n", t.Line, s)
	}
	return b.String()
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	name = filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil || got != string(want) {
		t.Errorf("%s: %v\n%s", name, err, got)
	}
}

// Files as Moodle exports them, as teachers write GIFT, and as a spreadsheet in Québec saves CSV.
func TestFilesOfOthers(t *testing.T) {
	for file, f := range map[string]Format{"moodle.xml": Moodle, "teacher.gift": GIFT, "excel.csv": CSV} {
		data, err := os.ReadFile(filepath.Join("testdata", file))
		if err != nil {
			t.Fatal(err)
		}
		r, err := Import(bytes.NewReader(data), f, Options{Lang: content.FR})
		if err != nil {
			t.Fatal(err)
		}
		golden(t, file+".golden", told(r))
	}
}

// What is written, as a person reads it.
func TestWritten(t *testing.T) {
	for _, f := range Formats() {
		var out bytes.Buffer
		if _, err := Export(&out, f, samples(), Options{Lang: content.FR}); err != nil {
			t.Fatal(err)
		}
		golden(t, "samples"+f.Extension(), out.String())
	}
}

const oneQuestion = `<question type="truefalse"><questiontext format="html"><text>%s</text></questiontext><answer fraction="100"><text>true</text></answer><answer fraction="0"><text>false</text></answer></question>`

func quizOf(inner string) string { return "<quiz>" + inner + "</quiz>" }

func utf16of(s string, little bool) string {
	var b strings.Builder
	for _, u := range utf16.Encode([]rune("\ufeff" + s)) {
		if little {
			b.WriteString(string([]byte{byte(u), byte(u >> 8)}))
		} else {
			b.WriteString(string([]byte{byte(u >> 8), byte(u)}))
		}
	}
	return b.String()
}

func zipped(s string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write([]byte(s))
	w.Close()
	return b.String()
}

// TestHostileFiles: what is wrong with a whole file, or with a part of it, and what is taken all the same.
func TestHostileFiles(t *testing.T) {
	good := fmt.Sprintf(oneQuestion, "Oui?")
	bomb := `<!DOCTYPE q [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>` + quizOf(fmt.Sprintf(oneQuestion, "&b;"))
	for _, tt := range []struct {
		name   string
		f      Format
		text   string
		fault  Code
		taken  int
		reason Code // of the first that is refused
	}{
		{"nothing", Moodle, "", NotFormat, 0, ""},
		{"nothing in GIFT", GIFT, "\n// rien\n", Empty, 0, ""},
		{"nothing in CSV", CSV, "", Empty, 0, ""},
		{"not XML", Moodle, "Bonjour", NotFormat, 0, ""},
		{"another XML", Moodle, "<html><p>x</p></html>", NotFormat, 0, ""},
		{"a billion laughs", Moodle, bomb, Entities, 0, ""},
		{"an external entity", Moodle, `<!DOCTYPE q [<!ENTITY x SYSTEM "file:///etc/passwd">]>` + quizOf(fmt.Sprintf(oneQuestion, "&x;")), Entities, 0, ""},
		{"an entity nobody declares", Moodle, quizOf(fmt.Sprintf(oneQuestion, "&zzz;") + good), "", 1, Malformed},
		{"an element not closed", Moodle, quizOf(good + `<question type="truefalse"><name></question>` + fmt.Sprintf(oneQuestion, "Non?")), "", 2, Malformed},
		{"cut short", Moodle, "<quiz>" + good + `<question type="truefalse"><questionte`, "", 1, Malformed},
		{"UTF-16, little end first", Moodle, utf16of(quizOf(fmt.Sprintf(oneQuestion, "Été?")), true), "", 1, ""},
		{"UTF-16, big end first", GIFT, utf16of("Été?{T}", false), "", 1, ""},
		{"UTF-16 cut in the middle", GIFT, utf16of("Été?{T}", false) + "x", Encoding, 0, ""},
		{"Windows-1252, declared", Moodle, `<?xml version="1.0" encoding="windows-1252"?>` + quizOf(fmt.Sprintf(oneQuestion, "\xc9t\xe9?")), "", 1, ""},
		{"Windows-1252, undeclared", CSV, "type;question;r\xe9ponse\r\nvrai ou faux;\xc9t\xe9, n\x9cud?;vrai\r\n", "", 1, ""},
		{"Windows-1252, undeclared, in GIFT", GIFT, "\xc9t\xe9?{T}", "", 1, ""},
		{"neither UTF-8 nor Windows-1252", GIFT, "\xc9t\x81?{T}", Encoding, 0, ""},
		{"not UTF-8, in XML", Moodle, quizOf(fmt.Sprintf(oneQuestion, "\xc9t\xe9?")), Encoding, 0, ""},
		{"an encoding that nobody knows", Moodle, `<?xml version="1.0" encoding="EBCDIC"?>` + quizOf(good), Encoding, 0, ""},
		{"binary", GIFT, "a\x00b{T}", Encoding, 0, ""},
		{"a zip", Moodle, "PK\x03\x04....", Archive, 0, ""},
		{"a gzip bomb", CSV, zipped(strings.Repeat("0", 1<<20)), Archive, 0, ""},
		{"too large", GIFT, strings.Repeat("x", 1<<16+1), TooBig, 0, ""},
		{"a text without end", Moodle, quizOf(fmt.Sprintf(oneQuestion, "&lt;b&gt;"+strings.Repeat("x", 20<<10)) + good), "", 1, TooLong},
		{"elements without end", Moodle, quizOf(fmt.Sprintf(oneQuestion, strings.Repeat("&lt;b&gt;", 600))), "", 0, TooLong},
		{"elements too deep", Moodle, quizOf(fmt.Sprintf(oneQuestion, strings.Repeat("&lt;blockquote&gt;", 100)+"x")), "", 0, Malformed},
		{"XML too deep", Moodle, "<quiz>" + strings.Repeat("<a>", 10000), "", 0, Malformed},
		{"a script in Markdown", GIFT, "[markdown]<script>x</script>?{T}", "", 0, Script},
		{"a question too long", GIFT, strings.Repeat("mot ", 300) + "{T}", "", 0, Unfit},
		{"the same ID twice", GIFT, "// [id:a-1]\nUn?{T}\n\n// [id:a-1]\nDeux?{T}", "", 1, Twice},
		{"all are right", GIFT, "Quoi?{~%50%a ~%50%b}", "", 1, ""},
		{"no column", CSV, "a,b\n1,2", NoColumn, 0, ""},
		{"a quotation mark inside", CSV, "kind,question,right\ntruefalse,a\"b,true\ntruefalse,Quoi?,true", "", 1, Malformed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := Import(strings.NewReader(tt.text), tt.f, Options{Lang: content.FR, Bytes: 1 << 16})
			if err != nil {
				t.Fatal(err)
			}
			fault, reason := Code(""), Code("")
			if r.Fault != nil {
				fault = r.Fault.Code
			}
			if len(r.Refused) > 0 {
				reason = r.Refused[0].Code
			}
			if fault != tt.fault || len(r.Taken) != tt.taken || reason != tt.reason {
				t.Errorf("got %s", told(r))
			}
		})
	}
}

// A file of more questions than are read is read so far, and says so.
func TestTooManyQuestions(t *testing.T) {
	for f, text := range map[Format]string{
		GIFT: strings.Repeat("Quoi?{T}\n\n", 20), Moodle: quizOf(strings.Repeat(fmt.Sprintf(oneQuestion, "Quoi?"), 20)),
		CSV: "kind,question,right\n" + strings.Repeat("truefalse,Quoi?,true\n", 20),
	} {
		r, err := Import(strings.NewReader(text), f, Options{Lang: content.FR, Items: 7})
		if err != nil || r.Fault == nil || r.Fault.Code != TooMany || len(r.Taken) != 7 {
			t.Errorf("%s: %v %s", f, err, told(r))
		}
	}
}

// No cell is a formula, and each comes back as it was.
func TestCells(t *testing.T) {
	for _, cell := range []string{"=1+1", "+1", "-1", "@x", "\tx", "'=1", "''=1", "'tis", "x=1", "", "'", "＝1", " =1", "\u00a0' =1", "\n=1"} {
		safe := Harmless(cell)
		if strings.ContainsAny(safe[:min(1, len(safe))], "=+-@\t\r") || harmful(safe) != cell {
			t.Errorf("%q: %q, %q", cell, safe, harmful(safe))
		}
	}
}

func TestHTML(t *testing.T) {
	for _, tt := range []struct{ html, markdown string }{
		{"<p>a</p><p>b</p>", "a\n\nb"},
		{"a &amp; b&nbsp;c", "a & b\u00a0c"},
		{"<p>kube_proxy et a*b</p>", "kube_proxy et a*b"},
		{"<p>*a* et `b`</p>", "\\*a\\* et \\`b\\`"},
		{"<p># titre</p>", "\\# titre"},
		{"<p>1. un</p>", "1\\. un"},
		{"<ol><li>un</li><li>deux<ul><li>x</li></ul></li></ol>", "1. un\n2. deux\n\n   - x"},
		{"<pre>a\n  b</pre>", "```\na\n  b\n```"},
		{"<b>x</b><i> y </i><code>z`</code>", "**x** *y* `` z` ``"},
		{`<a href="https://a.example/b">c</a>`, "[c](https://a.example/b)"},
		{"<div><div>a</div><span>b</span></div>", "a\n\nb"},
		{"kubectl get <pod>", "kubectl get \\<pod\\>"},
		{"<h2>T</h2>x", "**T**\n\nx"},
	} {
		if got, _ := fromHTML(tt.html); got != tt.markdown {
			t.Errorf("%s: %q, want %q", tt.html, got, tt.markdown)
		}
	}
}
