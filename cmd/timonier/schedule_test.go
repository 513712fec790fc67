package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"os"
	"strings"
	"testing"
	"time"
)

// scheduleOf runs the subcommand on a text.
func scheduleOf(t *testing.T, in string, args ...string) outcome {
	t.Helper()
	var out, log bytes.Buffer
	code := run(t.Context(), append([]string{"schedule"}, args...), nil, strings.NewReader(in), &out, &log)
	return outcome{code, out.String(), log.String()}
}

// TestScheduleGolden reads cases as they are kept and writes what the real scheduler has answered.
func TestScheduleGolden(t *testing.T) {
	open := func(name string) io.Reader {
		f, err := os.Open("../../sim/scheduler/testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		z, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		return z
	}
	var out, log bytes.Buffer
	if code := run(t.Context(), []string{"schedule"}, nil, open("cases.jsonl.gz"), &out, &log); code != exitOK || log.Len() > 0 {
		t.Fatalf("code %d, %s", code, log.String())
	}
	got, want := json.NewDecoder(&out), json.NewDecoder(open("answers.jsonl.gz"))
	for n := 0; ; n++ {
		var a, b map[string]any
		if err := want.Decode(&b); err == io.EOF {
			if n != 1500 || got.More() {
				t.Errorf("%d answers, more: %v", n, got.More())
			}
			return
		}
		if err := got.Decode(&a); err != nil {
			t.Fatalf("answer %d: %v", n+1, err)
		}
		for _, scores := range b["scores"].(map[string]any) {
			delete(scores.(map[string]any), "VolumeBinding")
			delete(scores.(map[string]any), "DynamicResources")
		}
		x, _ := json.Marshal(a)
		y, _ := json.Marshal(b)
		if !bytes.Equal(x, y) {
			t.Errorf("%s\nwant %s", x, y)
		}
	}
}

const twoNodes = `{"id":"a","nodes":[{"metadata":{"name":"n1"},"status":{"capacity":{"cpu":"2"}}},` +
	`{"metadata":{"name":"n2"},"spec":{"unschedulable":true},"status":{"capacity":{"cpu":"4"}}}],` +
	`"pod":{"metadata":{"name":"web"},"spec":{"containers":[{"name":"c","resources":{"requests":{"cpu":"1"}}}]}}}` + "\n"

func TestSchedule(t *testing.T) {
	for _, c := range []struct {
		name, in    string
		args        []string
		code        int
		out, errors []string // that are in it; none: nothing is written
	}{
		{"nothing", "", nil, exitOK, nil, nil},
		{"an answer", twoNodes, nil, exitOK, []string{`{"id":"a","outcome":"scheduled","feasible":["n1"]`, `"best":["n1"]`}, nil},
		{"a bad line among good ones", twoNodes + "{\"id\":3}\n" + twoNodes, []string{"--lang", "en"}, exitFailed,
			[]string{`{"id":"a"`, "}\n" + `{"id":"a"`}, []string{"Line 2: json: cannot unmarshal number"}},
		{"in French", "{}\n", []string{"--lang", "fr"}, exitFailed, nil, []string{"Ligne 1\u00a0: ce cas n'a pas de pod à placer"}},
		{"sentences", twoNodes, []string{"--lang", "en", "--explain"}, exitOK,
			[]string{"a · default/web would go to n1.\n", "  n1: the only one that will do", "  n2: refused by NodeUnschedulable (node(s) were unschedulable)\n"}, nil},
		{"a question", twoNodes, []string{"--if", "node=n2"}, exitOK, []string{`"whatIf":{"pod":`, `"changes":[{"kind":"uncordon","node":"n2"}]`}, nil},
		{"a question in sentences", twoNodes, []string{"--lang", "fr", "--explain", "--if", "node=n2 cpu=3"}, exitOK,
			[]string{"Avec ces changements\u00a0:\ndefault/web resterait en attente\u00a0: 0/2 nodes", "Pour n2, voici ce qui suffirait\u00a0: kubectl uncordon n2\n"}, nil},
		{"a question about nothing", twoNodes, []string{"--if", "node=n3"}, exitFailed, nil, []string{`1`, `"n3"`}},
		{"a question that is none", twoNodes, []string{"--if", "colour=red"}, exitFailed, nil, []string{`"colour=red"`}},
		{"a word too many", "", []string{"cases.jsonl"}, exitUsage, nil, []string{"cases.jsonl"}},
		{"an unknown option", "", []string{"--fast"}, exitUsage, nil, []string{"--fast"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := scheduleOf(t, c.in, c.args...)
			if got.code != c.code {
				t.Errorf("code %d, want %d", got.code, c.code)
			}
			for _, check := range []struct {
				text string
				want []string
			}{{got.out, c.out}, {got.errors, c.errors}} {
				for _, want := range check.want {
					if !strings.Contains(check.text, want) {
						t.Errorf("no %q in\n%s", want, check.text)
					}
				}
				if len(check.want) == 0 && check.text != "" {
					t.Errorf("written: %s", check.text)
				}
			}
		})
	}
}

// The case in the help is one that works.
func TestScheduleHelp(t *testing.T) {
	for _, lang := range []string{"fr", "en"} {
		help := scheduleOf(t, "", "--help", "--lang", lang)
		if help.code != exitOK || !strings.Contains(help.out, sampleCase) {
			t.Errorf("%+v", help)
		}
	}
	if got := scheduleOf(t, strings.ReplaceAll("\n"+sampleCase, "\n  ", "\n")); got.code != exitOK || !strings.Contains(got.out, `"best":["node-2"]`) {
		t.Errorf("%+v", got)
	}
}

// Whoever writes a line at a time gets its answer before the next, and whoever waits can be called off.
func TestScheduleStreams(t *testing.T) {
	in, feed := io.Pipe()
	answers, out := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	code := make(chan int, 1)
	go func() { code <- run(ctx, []string{"schedule"}, nil, in, out, io.Discard) }()
	lines := json.NewDecoder(answers)
	for range 3 {
		if _, err := io.WriteString(feed, twoNodes); err != nil {
			t.Fatal(err)
		}
		var a struct{ ID string }
		if err := lines.Decode(&a); err != nil || a.ID != "a" {
			t.Fatalf("%+v, %v", a, err)
		}
	}
	cancel()
	select {
	case got := <-code:
		if got != exitFailed {
			t.Errorf("code %d", got)
		}
	case <-time.After(time.Minute):
		t.Error("it does not end")
	}
	feed.Close()
	out.Close()
}
