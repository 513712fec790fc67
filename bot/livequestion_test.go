package bot

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"timonier/bot/quiz"
	"timonier/content"
)

// TestLiveQuestionsAreTrue makes questions of clusters at random, and holds each against a run of
// its own: no line of it is the question's.
func TestLiveQuestionsAreTrue(t *testing.T) {
	wanted := 10_000
	if testing.Short() || raced() {
		wanted = 300
	}
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	tutor := New(Config{Store: newMemory(), Limits: Limits{Rates: Unlimited()}})
	defer tutor.Close()
	var mu sync.Mutex
	made, silent := map[string]int{}, 0
	const parts = 4
	t.Run("clusters", func(t *testing.T) {
		for part := range uint64(parts) {
			t.Run(fmt.Sprint(part), func(t *testing.T) {
				t.Parallel()
				total := 0
				for seed := part << 32; total < wanted/parts; seed++ {
					for _, p := range newLiveWorld(t, tutor, seed).questions(seed) {
						mu.Lock()
						if p == nil {
							silent++
						} else {
							made[p.sort]++
							total++
						}
						mu.Unlock()
					}
				}
			})
		}
	})
	t.Logf("%v; %d times there was none", made, silent)
	for _, s := range liveSorts() {
		if made[s.name] < wanted/200 {
			t.Errorf("%d of the sort %s: the test tries too little", made[s.name], s.name)
		}
	}
}

// questions are those of a cluster, each checked; nil where there is none of a sort.
func (w *liveWorld) questions(seed uint64) (all []*livePosed) {
	a, err := w.call.asks(w.cl, 0)
	if err != nil {
		w.t.Fatal(err)
	}
	for i := range uint64(24) {
		sorts := liveSorts()
		p, err := a.with(seed<<8 | i).of(sorts[i%uint64(len(sorts))])
		if err != nil {
			w.t.Fatalf("seed %d: %v", seed, err)
		}
		if all = append(all, p); p == nil {
			continue
		}
		if w.check(p); w.t.Failed() {
			w.t.Fatalf("seed %d, question %d, %s: %+v", seed, i, p.sort, p.item)
		}
	}
	return all
}

func raced() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.ContainsFunc(info.Settings, func(s debug.BuildSetting) bool { return s.Key == "-race" && s.Value == "true" })
}

// check holds a question's form against what a chat can show, and its answer against a run.
func (w *liveWorld) check(p *livePosed) {
	i := p.item
	for _, l := range content.Langs() {
		text := func(what string, t content.Text, most int) {
			s := t.In(l)
			if n := utf8.RuneCountInString(s); n > most || strings.TrimSpace(s) == "" && what != "own why" || strings.Contains(s, "<no value>") || strings.HasPrefix(s, "live.") {
				w.t.Errorf("%s in %s: %q", what, l, s)
			}
		}
		text("ask", i.Ask, 400)
		text("why", i.Why, 400)
		text("hint", i.Hint, 200)
		seen := map[string]bool{}
		for _, o := range i.Options {
			text("option", o.Text, 100)
			if !o.Right {
				text("option's why", o.Why, 300)
			}
			if seen[o.Text.In(l)] {
				w.t.Errorf("option %q twice", o.Text.In(l))
			}
			seen[o.Text.In(l)] = true
		}
		for _, trap := range i.Traps {
			text("trap's why", trap.Why, 300)
		}
	}
	got := w.run(p)
	if i.Kind == content.Number {
		if want := strconv.Itoa(int(i.Number)); got != want {
			w.t.Errorf("the run says %q, the question %q", got, want)
		}
		for _, trap := range i.Traps {
			if *trap.Number == i.Number {
				w.t.Error("the right number is a trap")
			}
		}
		return
	}
	right := 0
	for j, o := range i.Options {
		if o.Right {
			right++
		}
		if o.Right != (p.answers[j] == got) {
			w.t.Errorf("the run says %q; option %q (%s) is right: %v", got, o.Text.FR, p.answers[j], o.Right)
		}
	}
	if right != 1 || len(i.Options) < 3 || len(i.Options) > 5 {
		w.t.Errorf("%d of %d options are right", right, len(i.Options))
	}
	q := quiz.Put(i, 7)
	for j, o := range i.Options {
		if v := quiz.Grade(i, quiz.Answer{Picks: []int{j}}); v.Right != o.Right {
			w.t.Errorf("option %d of %+v is graded %v", j, q, v.Right)
		}
	}
}

// The beliefs that live questions look for are the course's.
func TestLiveQuestionsNameBeliefs(t *testing.T) {
	course := content.Default()
	for _, id := range []string{"kubelet-decides", "created-means-running", "quorum-is-half", "last-member-serves", "silent-member-means-no-majority", "no-control-plane-no-apps",
		"answer-before-majority", "node-loss-is-instant", "pod-is-moved", "controller-places-pods", "scheduler-starts-pods", "scheduler-creates-pods"} {
		if _, ok := course.Misconception(id); !ok {
			t.Errorf("the course has no %s", id)
		}
	}
	for _, s := range liveSorts() {
		if _, ok := course.Lesson(s.lesson); !ok {
			t.Errorf("%s: no lesson %s", s.name, s.lesson)
		}
		if _, ok := course.Objective(s.objective); !ok {
			t.Errorf("%s: no objective %s", s.name, s.objective)
		}
	}
}

// inChannel has a call of the stage's own channel do something.
func (s *stage) inChannel(f func(*call)) {
	s.t.Helper()
	err := s.tutor.asNobody(context.Background(), s.request("").Place().Scope(), false, func(c *call) error {
		f(c)
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// The same cluster and seed make the same question, also after a restart; another seed makes another, and nothing of
// the cluster is changed.
func TestLiveQuestionOfAChannel(t *testing.T) {
	s := newStage(t, "fr")
	s.must("/kubectl create deployment web --image=nginx --replicas=4", "/temps avance 1m", "/temps pause")
	asks := map[string]bool{}
	ask := func(seed uint64) (asked string) {
		s.inChannel(func(c *call) {
			cl, err := c.cluster()
			if err != nil {
				t.Fatal(err)
			}
			rev, step := cl.Server().Revision(), cl.Trace().Last()
			item, ok, err := c.liveQuestion(seed)
			if err != nil || !ok {
				t.Fatalf("seed %d: %v %v", seed, ok, err)
			}
			if cl.Server().Revision() != rev || cl.Trace().Last() != step {
				t.Error("the question has changed the cluster")
			}
			data, err := json.Marshal(item)
			if err != nil {
				t.Fatal(err)
			}
			asked = string(data)
		})
		return asked
	}
	for seed := range uint64(12) {
		first := ask(seed)
		asks[first] = true
		if seed == 5 {
			s.tutor.Close()
			s.tutor = s.newTutor()
		}
		if again := ask(seed); again != first {
			t.Errorf("seed %d:\n%s\nand then\n%s", seed, first, again)
		}
	}
	if len(asks) < 6 {
		t.Errorf("%d different questions of 12", len(asks))
	}
}

// Where the cluster gives no question, it is said what to do about it.
func TestNoLiveQuestion(t *testing.T) {
	s := newStage(t, "fr")
	s.ask("/remise confirme 1")
	s.must("/panne api")
	s.inChannel(func(c *call) {
		if _, ok, err := c.liveQuestion(1); ok || err != nil {
			t.Errorf("without an API server: %v %v", ok, err)
		}
		if got := plainText(c.noLiveQuestion()); !strings.Contains(got, "/répare tout") || !strings.Contains(got, "ne répond pas") {
			t.Error(got)
		}
	})
	s.must("/répare tout")
	s.must("/temps avance 1m")
	s.inChannel(func(c *call) {
		if _, err := c.cluster(); err != nil {
			t.Fatal(err)
		}
		if got := plainText(c.noLiveQuestion()); !strings.Contains(got, "/kubectl create deployment web") {
			t.Error(got)
		}
	})
}
