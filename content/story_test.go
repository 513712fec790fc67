package content

import (
	"io/fs"
	"strings"
	"testing"
	"time"
)

// TestStoriesAreProved lives every story in each of its runs.
func TestStoriesAreProved(t *testing.T) {
	if len(Default().Stories) < 2 {
		t.Fatal("the built-in course has two stories")
	}
	for _, s := range Default().Stories {
		for _, p := range proveStory(s) {
			t.Error(p)
		}
	}
}

// TestAStoryIsTheSameEachTime compares two performances, step by step.
func TestAStoryIsTheSameEachTime(t *testing.T) {
	s, _ := Default().Story(1)
	var told [2]string
	for i := range told {
		p, err := s.Perform("one")
		if err != nil {
			t.Fatal(err)
		}
		for p.Played() < len(s.Beats) {
			e, err := p.Next()
			if err != nil {
				t.Fatal(err)
			}
			w := p.Words()
			for _, step := range e.Steps {
				text, _ := w.Tell(FR, step)
				told[i] += step.At.String() + string(step.Kind) + step.Object.Name + text + "\n"
			}
		}
	}
	if told[0] != told[1] || told[0] == "" {
		t.Errorf("the story was another the second time:\n%s\n%s", told[0], told[1])
	}
}

// TestUptimeIsExact compares what was measured of the first story with the moments of its trace.
func TestUptimeIsExact(t *testing.T) {
	s, _ := Default().Story(1)
	o, err := s.Compare()
	if err != nil {
		t.Fatal(err)
	}
	one, three := o.Runs[0], o.Runs[1]
	began, ended := one.Episodes[0].Began, one.Episodes[len(one.Episodes)-1].Ended
	var sum, longest time.Duration
	intervals := one.Uptime.Intervals(began, ended)
	for i, span := range intervals {
		if i > 0 && (intervals[i-1].Up == span.Up || !intervals[i-1].To.Equal(span.From)) {
			t.Errorf("interval %d does not follow the one before: %v", i, intervals)
		}
		if d := span.To.Sub(span.From); !span.Up {
			sum += d
			longest = max(longest, d)
		}
	}
	f := one.Figures()
	opened, _ := one.Uptime.Opened()
	if share := 1 - float64(sum)/float64(ended.Sub(opened)); f.Closed != sum || f.Longest != longest || f.Share != share {
		t.Errorf("figures %+v, summed up %v, longest %v, share %g", f, sum, longest, share)
	}
	if f.Outages != 4 || f.Share > 0.5 {
		t.Errorf("one replica: %+v", f)
	}
	if f := three.Figures(); f.Outages != 0 || f.Closed != 0 || f.Share != 1 {
		t.Errorf("three replicas: %+v", f)
	}
	if three.Episodes[6].Right == one.Episodes[6].Right {
		t.Error("the preemption is to end otherwise with three replicas")
	}
}

// TestTheProverFindsInStories spoils a story in one place at a time.
func TestTheProverFindsInStories(t *testing.T) {
	const file = "stories/1-jean.yaml"
	data, err := fs.ReadFile(Files(), file)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, old, new, problem string }{
		{"another number", "number: 1", "number: 2", "belongs in a file 2-jean.yaml"},
		{"no such lesson", `lesson: "8.1"`, `lesson: "8.9"`, `there is no lesson "8.9"`},
		{"a misspelt key", "service: boutique", "servis: boutique", "the key servis is not known here"},
		{"an act that is none", "- break: node-silent node-1", "- input: node-silent node-1", "an act is one of"},
		{"no such fault", "- break: node-silent node-1", "- break: node-sleepy node-1", `there is no fault "node-sleepy node-1"`},
		{"an option without a check", `      outages: "0"`, ``, "an option says by what it is known"},
		{"a check of no kind", "checks: [{object: deployment/boutique, fields: {status.readyReplicas: \">=1\"}}]", "checks: [{object: zzz/boutique}]", "zzz"},
		{"no such run", "counter:\n  run: three", "counter:\n  run: four", `not the first: "four"`},
		{"a sentence that cannot be told", "{{pod .Name}} s'installe.", "{{pod .Zzz}} s'installe.", "can't evaluate field Zzz"},
		{"a fact that does not exist", `- when: {exit: "1"}`, `- when: {exits: "1"}`, "exits is not a fact"},
		{"an option untranslated", `, en: "Not once."`, ``, "a text is missing in English (en)"},
		{"typography", "Jean tombe malade. Le", "Jean tombe malade ! Le", "no space before ; ! ?"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			text := strings.Replace(string(data), tt.old, tt.new, 1)
			if text == string(data) {
				t.Fatalf("%s no longer holds %q", file, tt.old)
			}
			var found []string
			for _, p := range Check(course(t, map[string]*string{file: &text})) {
				found = append(found, p.String())
			}
			if !strings.Contains(strings.Join(found, "\n"), tt.problem) {
				t.Errorf("%q is not among:\n%s", tt.problem, strings.Join(found, "\n"))
			}
		})
	}
}

// TestTheProverLivesStories spoils what only living the story can show.
func TestTheProverLivesStories(t *testing.T) {
	const file = "stories/1-jean.yaml"
	data, _ := fs.ReadFile(Files(), file)
	for _, tt := range []struct{ name, old, new, problem string }{
		{"no option holds", `app=boutique, count: "1"}`, `app=boutique, count: "7"}`, "beat 2, run one: no option holds"},
		{"two options hold", `closed: "0"`, `closed: ">0"`, "beat 2, run one: the options that hold are B, C"},
		{"kubectl fails", "drain node-1", "drain node-9", "beat 3, run one"},
		{"a figure of nothing", "since `fault` `node-lost`", "since `fault` `evicted`", "no step fault with a step evicted after it"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			text := strings.Replace(string(data), tt.old, tt.new, 1)
			c, err := Load(course(t, map[string]*string{file: &text}))
			if err != nil {
				t.Fatal(err)
			}
			var found []string
			s, _ := c.Story(1)
			for _, p := range proveStory(s) {
				found = append(found, p.String())
			}
			if !strings.Contains(strings.Join(found, "\n"), tt.problem) {
				t.Errorf("%q is not among:\n%s", tt.problem, strings.Join(found, "\n"))
			}
		})
	}
}
