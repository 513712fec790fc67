package kubectl

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"timonier/sim"
	"timonier/sim/kubelet"
)

var update = flag.Bool("update", false, "rewrite the transcripts with what is answered now")

// A transcript is a session on a fresh cluster of three nodes. Each step is a command, its standard input if it has
// one, a line of dashes, and what it answered:
//
//	$ kubectl get nodes
//	----
//	NAME …
//
// @30s lets the cluster go on; !node-2 and ?node-2 silence a node and bring it back, !apiserver-down all
// breaks something else.
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no transcripts", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := replay(t, string(data))
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got != string(data) {
				t.Errorf("the session differs:\n%s", firstDifference(string(data), got))
			}
		})
	}
}

func replay(t *testing.T, script string) string {
	t.Helper()
	c := cluster(t)
	var out strings.Builder
	for _, block := range strings.Split(strings.TrimSpace(script), "\n\n\n") {
		asked, _, _ := strings.Cut(block+"\n", "\n----\n")
		asked = strings.TrimSuffix(asked, "\n")
		out.WriteString(asked + "\n----\n")
		line, stdin, _ := strings.Cut(asked, "\n")
		switch line[0] {
		case '@':
			d, err := time.ParseDuration(line[1:])
			if err != nil {
				t.Fatal(err)
			}
			if err := c.AdvanceTo(c.Now().Add(d)); err != nil {
				t.Fatal(err)
			}
		case '!', '?':
			do := c.Break
			if line[0] == '?' {
				do = c.Mend
			}
			fault, target, ok := strings.Cut(line[1:], " ")
			if !ok {
				fault, target = sim.NodeSilent, line[1:]
			}
			if err := do(fault, target); err != nil {
				t.Fatal(err)
			}
		default:
			out.WriteString(show(Run(context.Background(), c, words(t, line), stdin)))
		}
		out.WriteString("\n\n")
	}
	return strings.TrimRight(out.String(), "\n") + "\n"
}

func show(r Result) string {
	var b strings.Builder
	b.WriteString(r.Stdout)
	for line := range strings.Lines(r.Stderr) {
		b.WriteString("! " + line)
	}
	if r.Refused != nil {
		fmt.Fprintf(&b, "(refused: %s %s)\n", r.Refused.What, r.Refused.Word)
	}
	if r.Code != 0 {
		fmt.Fprintf(&b, "(exit %d)\n", r.Code)
	}
	if r.Waited > 0 {
		fmt.Fprintf(&b, "(waited %v)\n", r.Waited.Round(100*time.Millisecond))
	}
	if r.GaveUp {
		b.WriteString("(gave up waiting)\n")
	}
	// An empty line within an answer would end nothing, two would end the step.
	return strings.ReplaceAll(strings.TrimRight(b.String(), "\n")+"\n", "\n\n\n", "\n\n.\n")
}

// words cuts a line at blanks, with '…' as quotes.
func words(t *testing.T, line string) []string {
	t.Helper()
	rest, ok := strings.CutPrefix(line, "$ kubectl ")
	if !ok {
		t.Fatalf("not a step: %q", line)
	}
	var out []string
	for i, part := range strings.Split(rest, "'") {
		if i%2 == 1 {
			out[len(out)-1] += part
			continue
		}
		fields := strings.Fields(part)
		if i > 0 && !strings.HasPrefix(part, " ") && len(fields) > 0 {
			out[len(out)-1] += fields[0]
			fields = fields[1:]
		}
		out = append(out, fields...)
		if strings.HasSuffix(part, " ") || part == "" {
			out = append(out, "")
		}
	}
	kept := out[:0]
	for _, w := range out {
		if w != "" {
			kept = append(kept, w)
		}
	}
	return kept
}

func cluster(t testing.TB) *sim.Cluster {
	t.Helper()
	data, err := os.ReadFile("../../content/images.yaml")
	if err != nil {
		t.Fatal(err)
	}
	images, err := kubelet.ParseImages(data)
	if err != nil {
		t.Fatal(err)
	}
	c, err := sim.New(sim.Config{Images: images})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func firstDifference(want, got string) string {
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range a {
		if i >= len(b) || a[i] != b[i] {
			from := max(0, i-5)
			return fmt.Sprintf("line %d\nwant\n%s\ngot\n%s", i+1,
				strings.Join(a[from:min(len(a), i+15)], "\n"), strings.Join(b[from:min(len(b), i+15)], "\n"))
		}
	}
	return "got more at the end"
}
