package bot

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"timonier/content"
)

// Every exercise of the course, begun as a learner begins it and solved as its solution
// says, is solved, in both languages: the start that is made at once is the one that is proved.
func TestExercisesAreSolvedByTheirSolutions(t *testing.T) {
	var wg sync.WaitGroup
	turns := make(chan struct{}, runtime.GOMAXPROCS(0))
	for n, e := range content.Default().Exercises {
		if !tried(n) {
			continue
		}
		for _, lang := range content.Langs() {
			wg.Go(func() {
				turns <- struct{}{}
				defer func() { <-turns }()
				solveExercise(t, e, lang)
			})
		}
	}
	wg.Wait()
}

func solveExercise(t *testing.T, e *content.Exercise, lang content.Lang) {
	s := newStage(t, string(lang))
	if r := s.ask("/cours déverrouille tout"); r.Failed {
		t.Errorf("unlock: %s", plainText(r))
	}
	r := s.ask("/exercice " + e.ID)
	if text := plainText(r); r.Failed || !strings.Contains(text, clean(e.Scene.In(lang))) {
		t.Errorf("%s (%s) does not begin:\n%s", e.ID, lang, text)
		return
	}
	for i, step := range e.Steps {
		if now := s.channel().exercise.Step; now != i {
			t.Errorf("%s (%s): at step %d, not %d:\n%s", e.ID, lang, now+1, i+1, plainText(r))
			return
		}
		for _, line := range step.Solution {
			s.now = s.now.Add(thinking)
			if r = s.ask(line.In(lang)); s.channel().exercise.Step > i { // the rest of the solution only waits
				break
			}
		}
	}
	if text := plainText(r); s.channel().exercise.Step != len(e.Steps) || !strings.Contains(text, clean(e.Done.In(lang))) {
		t.Errorf("%s (%s) is not solved:\n%s", e.ID, lang, text)
	}
	if p := s.learned(t); !among(p.Solved, e.ID) || p.Helped != "" {
		t.Errorf("%s (%s): the credit is %+v", e.ID, lang, p)
	}
	for _, b := range r.Buttons {
		if _, ok := Token(b.Line); !ok && !strings.Contains(b.Line, "\n") {
			t.Errorf("%s: no platform carries %q", e.ID, b.Line)
		}
	}
}

// clean is the beginning of a text as a transcript shows it.
func clean(text string) string {
	text = strings.ReplaceAll(strings.TrimSpace(text), "\u00a0", "~")
	return text[:min(len(text), 30)]
}

// learned is the progress of whoever is on the stage, as it is kept.
func (s *stage) learned(t *testing.T) (p progress) {
	data := s.store.scopes[s.request("").person()].records[personProgress]
	if err := json.Unmarshal(data, &p); err != nil {
		t.Fatalf("no progress: %v", err)
	}
	return p
}

// What has been kept of people before there were exercises still counts.
func TestProgressOfEarlierPeople(t *testing.T) {
	s := newStage(t, "fr")
	s.store.scope(s.request("").person()).records[personProgress] = []byte(`{"read":"1.1 1.2 2.1","asked":3,"right":2}`)
	s.store.scope(s.request("").person()).records[personBookmark] = []byte(`{"lesson":"3.2","message":1}`)
	if text := plainText(s.ask("/progrès")); !strings.Contains(text, "3 leçons lues") || !strings.Contains(text, "2 questions réussies sur 3") {
		t.Errorf("the progress:\n%s", text)
	}
	for _, line := range []string{"/cours reprendre", "/cours 3.2", "/cours 2.1"} { // begun or read before anything was locked
		if r := s.ask(line); r.Failed || !strings.Contains(plainText(r), "*") {
			t.Errorf("%s:\n%s", line, plainText(r))
		}
	}
	if r := s.ask("/cours 3.3"); !r.Failed || !strings.Contains(plainText(r), "3.2") {
		t.Errorf("what is not begun:\n%s", plainText(r))
	}
}

// Solved alone is more than solved with help, whichever comes first; either opens what comes next.
func TestCredit(t *testing.T) {
	for _, c := range []struct {
		helped       []bool
		solved, with string
	}{{[]bool{true}, "", "a"}, {[]bool{false}, "a", ""}, {[]bool{true, false}, "a", ""}, {[]bool{false, true}, "a", ""}, {[]bool{true, true}, "", "a"}} {
		var p progress
		for _, h := range c.helped {
			p.hasSolved("a", h)
		}
		if p.Solved != c.solved || p.Helped != c.with || !p.solved("a") || p.solved("b") {
			t.Errorf("%v: %+v", c.helped, p)
		}
	}
}

// A request that is delivered again begins nothing again, and gives no second credit or hint.
func TestExerciseOfARedeliveredRequest(t *testing.T) {
	s := newStage(t, "fr")
	s.must("/kubectl create deployment mine --image=nginx", "/cours déverrouille tout")
	for i, line := range []string{"/exercice 2.1-ecart", "/exercice indice", "/kubectl scale deployment boutique --replicas=4",
		"/kubectl rollout status deployment boutique", "/exercice solution", "/kubectl delete pods -l app=boutique", "/temps avance 1m", "/exercice fin"} {
		r := s.request(line)
		s.now = s.now.Add(time.Second)
		first := plainText(s.send(r))
		kept := bytes.Clone(s.store.scopes[Scope{Platform: "test", Channel: "general"}].records[channelExercise])
		commits := s.store.commits
		if again := plainText(s.send(r)); again != first {
			t.Errorf("%s again:\n%s\nfirst:\n%s", line, again, first)
		}
		if now := s.store.scopes[Scope{Platform: "test", Channel: "general"}].records[channelExercise]; !bytes.Equal(now, kept) || s.store.commits != commits {
			t.Errorf("%d, %s: it had a second effect:\n%s\n%s", i, line, now, kept)
		}
	}
	if p := s.learned(t); p.Helped != "2.1-ecart" || p.Solved != "" {
		t.Errorf("the credit is %+v", p)
	}
	if text := plainText(s.ask("/kubectl get deployments")); !strings.Contains(text, "mine") {
		t.Errorf("the cluster from before is not back:\n%s", text)
	}
}

// The cluster that is put aside comes back as it was, after a restart too, and its record is gone then.
func TestClusterPutAsideComesBackAsItWas(t *testing.T) {
	s := newStage(t, "fr")
	s.must("/cours déverrouille tout", "/kubectl create deployment mine --image=nginx --replicas=5", "/panne noeud node-2", "/temps avance 7m", "/temps pause", "/grappe sauve avant")
	before := bytes.Clone(s.packed(0))
	s.must("/exercice 2.1-ecart", "/kubectl scale deployment boutique --replicas=4")
	s.tutor.Close()
	s.tutor = s.newTutor()
	s.must("/temps avance 1m", "/exercice 2.2-absent", "/exercice recommence", "/exercice fin")
	s.must("/grappe sauve après")
	if !bytes.Equal(s.packed(1), before) {
		t.Error("it is another than the one that was put aside")
	}
	if !s.channel().clock.Paused {
		t.Error("its clock goes on, though it had been stopped")
	}
	records := s.store.scopes[Scope{Platform: "test", Channel: "general"}].records
	if _, ok := records[keyAside]; ok || string(records[channelExercise]) != "{}" {
		t.Errorf("left behind: %s", records[channelExercise])
	}
}

// A start that cannot be kept changes nothing: the cluster is the one it was, and no exercise is open.
func TestExerciseThatCannotBeKept(t *testing.T) {
	s := newStage(t, "fr")
	s.must("/cours déverrouille tout", "/kubectl create deployment mine --image=nginx")
	s.store.fail = errors.New("disk full")
	if r := s.ask("/exercice 2.1-ecart"); r.Reference == "" {
		t.Errorf("no apology:\n%s", plainText(r))
	}
	s.store.fail = nil
	if text := plainText(s.ask("/kubectl get deployments")); !strings.Contains(text, "mine") || strings.Contains(text, "boutique") {
		t.Errorf("the cluster:\n%s", text)
	}
	if id := s.channel().exercise.ID; id != "" {
		t.Errorf("%s is open", id)
	}
}

// To begin an exercise costs few writes, whatever the clusters hold: what any store takes at once.
func TestBeginningWritesLittle(t *testing.T) {
	store := &largest{memory: newMemory()}
	tutor := New(Config{Store: store, Limits: Limits{Rates: Unlimited()}})
	for _, line := range []string{"/cours déverrouille tout", "/kubectl create deployment mine --image=nginx --replicas=100", "/temps avance 10m"} {
		answerTo(t, tutor, Request{Platform: "test", Channel: "general", Who: Person{ID: "ana"}, Direct: true, Line: line})
	}
	store.writes, store.bytes = 0, 0
	for _, e := range content.Default().Exercises {
		answerTo(t, tutor, Request{Platform: "test", Channel: "general", Who: Person{ID: "ana"}, Direct: true, Line: "/exercice " + e.ID})
	}
	answerTo(t, tutor, Request{Platform: "test", Channel: "general", Who: Person{ID: "ana"}, Direct: true, Line: "/exercice fin"})
	if store.writes > 128 || store.bytes > 1536<<10 {
		t.Errorf("%d writes, %d bytes", store.writes, store.bytes)
	}
	t.Logf("%d writes, %d bytes at the most", store.writes, store.bytes)
}

// A live answer says that the step is reached as soon as it is, once, and who asked has the credit.
func TestLiveAnswerReachesAStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemory()
		tutor := class(t, store)
		teacher := func(id, line string) Request {
			r := asked(id, "prof", line)
			r.Teacher = true
			return r
		}
		var g gathered
		ask := func(r Request) string {
			g = gathered{}
			if err := tutor.Handle(context.Background(), r, g.emit); err != nil {
				t.Fatal(err)
			}
			return plainText(g.last())
		}
		ask(teacher("1", "/exercice 2.1-ecart"))
		text := ask(asked("2", "ana", "/kubectl scale deployment boutique --replicas=4"))
		if len(g.all) < 2 || !g.last().Final || strings.Count(text, "Étape 1 sur 2~: c'est fait") != 1 || !strings.Contains(text, "Étape 2 sur 2.") {
			t.Errorf("%d replies, the last:\n%s", len(g.all), text)
		}
		if first := plainText(g.all[0]); strings.Contains(first, "c'est fait") || !strings.Contains(first, "/exercice vérifie") {
			t.Errorf("the first reply:\n%s", first)
		}
		ask(asked("3", "luc", "/kubectl delete pods -l app=boutique"))
		if text = ask(asked("4", "luc", "/temps avance 1m")); !strings.Contains(text, "Exercice réussi") {
			t.Errorf("the last step:\n%s", text)
		}
		ask(asked("5", "mia", "/exercice vérifie"))
		for who, want := range map[string]string{"luc": "2.1-ecart", "mia": "2.1-ecart", "ana": "", "prof": ""} {
			var p progress
			if data := store.scopes[asked("", who, "").person()].records[personProgress]; data != nil {
				if err := json.Unmarshal(data, &p); err != nil {
					t.Fatal(err)
				}
			}
			if p.Solved != want {
				t.Errorf("%s has solved %q", who, p.Solved)
			}
		}
		tutor.Close()
	})
}

// The lines that an open step remembers are bounded, the newest kept.
func TestLinesRememberedAreFew(t *testing.T) {
	var x exercise
	for i := range 5000 {
		x.hasRun(fmt.Sprintf("/kubectl get pods -l a=%d %s", i, strings.Repeat("é", i%300)))
	}
	if n := len(x.Ran); n > mostRan || n < mostRan/2 || !strings.Contains(x.Ran, "a=4999") || strings.Contains(x.Ran, "a=1000 ") {
		t.Errorf("%d bytes: %.80s", n, x.Ran)
	}
	for line := range strings.SplitSeq(x.Ran, "\n") {
		if !strings.HasPrefix(line, "/kubectl") || len(line) > mostRanLine {
			t.Errorf("%q", line)
		}
	}
}

// What is kept of someone who has done all there is stays small.
func TestProgressIsSmall(t *testing.T) {
	var p progress
	for l := range content.Default().Lessons() {
		p.hasRead(l.ID)
		for _, e := range content.Default().ExercisesOf(l.ID) {
			p.hasSolved(e.ID, e.Form == content.Alone)
		}
	}
	data, err := json.Marshal(p)
	if err != nil || len(data) > 2<<10 {
		t.Errorf("%d bytes, %v: %s", len(data), err, data)
	}
}
