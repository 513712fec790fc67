package exchange

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"timonier/content"
)

// fuzz: nothing panics; what is taken holds, and is the same after it was written and read again.
func fuzz(f *testing.F, format Format, seeds ...string) {
	for _, s := range seeds {
		f.Add(s)
	}
	var out bytes.Buffer
	if _, err := Export(&out, format, samples(), Options{Lang: content.FR}); err != nil {
		f.Fatal(err)
	}
	f.Add(out.String())
	f.Fuzz(func(t *testing.T, text string) { holds(t, format, text) })
}

// holds: whatever the text, what is taken of it holds, and comes back after it was written.
func holds(t *testing.T, format Format, text string) {
	t.Helper()
	o := Options{Lang: content.FR, Bytes: 1 << 18, Items: 100}
	r, err := Import(strings.NewReader(text), format, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range r.Items() {
		if faults := content.Default().ItemFaults(i); len(faults) > 0 {
			t.Fatalf("%s was taken: %s", i.ID, faults[0].Error())
		}
	}
	var again bytes.Buffer
	problems, err := Export(&again, format, r.Items(), o)
	if err != nil {
		t.Fatal(err)
	}
	if len(problems) > 0 {
		return
	}
	r2, err := Import(&again, format, o)
	if err != nil || len(r.Taken) > 0 && !reflect.DeepEqual(r2.Items(), r.Items()) {
		t.Fatalf("not the same again:\n%s\n%s", told(r), told(r2))
	}
}

// TestSpoiltFiles spoils files at random places, as many times as it takes to meet each branch.
func TestSpoiltFiles(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	marks := []string{"<", ">", "&", "]]>", "{", "}", "~", "=", "#", "\\", "->", "\"", ";", "\n", "\n\n", "%", "`", "*", "_", "[", "]", "<b>", "</b>", "<p>", "<br>", "&lt;li&gt;", "&amp;amp;", "1. ", "- ", "____", "\u00a0", "é", "\xff", "'", "|", "=>"}
	for f, name := range map[Format]string{Moodle: "moodle.xml", GIFT: "teacher.gift", CSV: "excel.csv"} {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		written, err := os.ReadFile(filepath.Join("testdata", "samples"+f.Extension()))
		if err != nil {
			t.Fatal(err)
		}
		for n := range spoilt {
			text := string([][]byte{data, written}[n%2])
			for range 1 + r.IntN(6) {
				at, cut := r.IntN(len(text)+1), r.IntN(8)
				text = text[:at] + marks[r.IntN(len(marks))] + text[min(len(text), at+cut*r.IntN(2)):]
			}
			holds(t, f, text)
			if t.Failed() {
				t.Fatalf("spoilt %d of %s:\n%s", n, f, text)
			}
		}
	}
}

func seed(f *testing.F, name string) string {
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		f.Fatal(err)
	}
	return string(data)
}

func FuzzMoodle(f *testing.F) { fuzz(f, Moodle, seed(f, "moodle.xml")) }
func FuzzGIFT(f *testing.F)   { fuzz(f, GIFT, seed(f, "teacher.gift")) }
func FuzzCSV(f *testing.F)    { fuzz(f, CSV, seed(f, "excel.csv")) }

// spoilt is how many times each file is spoilt.
const spoilt = 300

// many are so many questions, made of the samples.
func many(n int) []*content.Item {
	list := samples()
	out := make([]*content.Item, n)
	for k := range out {
		i := *list[k%len(list)]
		i.ID = slugOf(i.ID + "-" + decimal(float64(k)))
		out[k] = &i
	}
	return out
}

func BenchmarkImport10000(b *testing.B) {
	for _, f := range Formats() {
		var out bytes.Buffer
		if _, err := Export(&out, f, many(10_000), Options{Lang: content.FR}); err != nil {
			b.Fatal(err)
		}
		b.Run(string(f), func(b *testing.B) {
			b.SetBytes(int64(out.Len()))
			for b.Loop() {
				r, err := Import(bytes.NewReader(out.Bytes()), f, Options{Lang: content.FR})
				if err != nil || len(r.Taken) != 10_000 {
					b.Fatal(err, len(r.Taken), r.Refused[0])
				}
			}
		})
	}
}
