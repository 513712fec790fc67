package content

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"timonier/sim"
	"timonier/sim/kubectl"
)

// reading is how long a learner thinks between two commands.
const reading = 10 * time.Second

// TestLessonsKeepTheirPromises runs every kubectl command of every lesson, in order,
// on a fresh cluster a lesson, and compares the answers with what the lesson expects,
// up to the first of the tutor's own commands that acts on the cluster: those, and
// what comes of them, are the tutor's to test (TestTheCourseKeepsItsPromises).
func TestLessonsKeepTheirPromises(t *testing.T) {
	for l := range Default().Lessons() {
		if !l.Written() {
			continue
		}
		t.Run(l.ID, func(t *testing.T) {
			c, err := sim.New(sim.Config{Seed: 1, Images: Images()})
			if err != nil {
				t.Fatal(err)
			}
			alone := true
			for _, m := range l.Messages(FR) {
				for _, try := range m.Tries {
					answer, ok := answerTo(t, c, try.Line)
					alone = alone && (ok || !acts(try.Line))
					for _, want := range try.Expect {
						if ok && alone && !strings.Contains(answer, want) {
							t.Errorf("message %q: %s does not answer %q but:\n%s", m.Title, try.Line, want, answer)
						}
					}
				}
			}
			for _, s := range c.Trace().Steps() {
				for _, lens := range Default().Lenses {
					for _, lang := range Langs() {
						if _, err := lens.tell(lang, factsOf(s)); err != nil {
							t.Error(err)
						}
					}
				}
			}
		})
	}
}

// acts says that a line of the tutor's own changes the cluster.
func acts(line string) bool {
	return slices.Contains([]string{"/panne", "/répare", "/temps", "/etcdctl", "/grappe", "/remise"}, strings.Fields(line)[0])
}

// answerTo runs a line if it is kubectl's.
func answerTo(t *testing.T, c *sim.Cluster, text string) (answer string, ok bool) {
	line, stdin, _ := strings.Cut(text, "\n")
	args, ok := strings.CutPrefix(line, "/kubectl ")
	if !ok {
		return "", false
	}
	r := kubectl.Run(context.Background(), c, words(args), stdin)
	if r.Refused != nil {
		t.Errorf("%s: %v", line, r.Refused)
	}
	if r.GaveUp {
		t.Errorf("%s: gave up", line)
	}
	if err := c.AdvanceTo(c.Now().Add(reading)); err != nil {
		t.Fatal(err)
	}
	t.Logf("$ %s\n%s%s", text, r.Stdout, r.Stderr)
	return r.Stdout + r.Stderr, true
}

// words splits a line as a shell does, as far as lessons go: blanks, and single quotes around them.
func words(line string) []string {
	var out []string
	for i, part := range strings.Split(line, "'") {
		if i%2 == 1 {
			out[len(out)-1] += part
			continue
		}
		fields := strings.Fields(part)
		if strings.HasSuffix(part, " ") || part == "" {
			fields = append(fields, "") // what is quoted next is a word of its own
		}
		out = append(out, fields...)
	}
	if n := len(out); n > 0 && out[n-1] == "" {
		out = out[:n-1]
	}
	return out
}

func TestWords(t *testing.T) {
	for _, tt := range []struct{ line, want string }{
		{"get pods -o wide", `["get" "pods" "-o" "wide"]`},
		{`patch d web -p '{"a": 1}'`, `["patch" "d" "web" "-p" "{\"a\": 1}"]`},
		{`run x --overrides='{"a": 1}' -o yaml`, `["run" "x" "--overrides={\"a\": 1}" "-o" "yaml"]`},
	} {
		if got := fmt.Sprintf("%q", words(tt.line)); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.line, got, tt.want)
		}
	}
}
