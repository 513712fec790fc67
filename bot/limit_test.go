package bot

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"
)

// paced is a stage whose requests are counted, by a clock of its own.
func paced(t *testing.T, r Rates) (*stage, *time.Time) {
	s := newStage(t, "fr")
	s.tutor.cfg.Metrics = NewMetrics()
	s.tutor.limits = newLimiter(r.orDefault())
	now := time.Date(2026, 9, 14, 13, 0, 0, 0, time.UTC)
	s.tutor.limits.now = func() time.Time { return now }
	s.tenant, s.shared = "school", true
	return s, &now
}

// What a class does is never over a rate: 300 presses at once, thirty who each try three things within two
// seconds, a teacher who clicks as fast as anyone can.
func TestHonestClassIsNeverOverARate(t *testing.T) {
	s, now := paced(t, Rates{})
	at := *now
	admit := func(person, line string) {
		t.Helper()
		r := s.request(line)
		r.Who.ID = person
		if over := s.tutor.Admit(&r); over != nil {
			t.Fatalf("after %v: %s, %s: over the rate of its %s", now.Sub(at), person, line, over.Of)
		}
	}
	for n := range 300 {
		*now = at.Add(time.Duration(n) * 2 * time.Second / 300)
		admit(fmt.Sprint("p", n), "/quiz réponse 7f-3 B")
		if n%3 == 0 {
			admit(fmt.Sprint("p", n/10), "/kubectl get pods")
		}
	}
	for range 300 { // a minute of clicks, five a second
		*now = now.Add(200 * time.Millisecond)
		admit("prof", "/cours suite")
	}
	for n := range 300 { // all of a large class look at the same moment
		admit(fmt.Sprint("p", n), "/grappe")
	}
}

// A flood costs nothing: no commit, no read, no queue; and it is told once in a while, not each time.
func TestFloodIsToldOnce(t *testing.T) {
	s, now := paced(t, Rates{Person: Rate{10, 2}})
	lines := []string{"/aide", "/kubectl get pods", "/quiz réponse 7f-3 B", "/kubectl apply -f -\n" + strings.Repeat("a: b\n", 1<<16)}
	for n := range 10 {
		if r := s.send(s.request(lines[0])); r.Failed {
			t.Fatalf("request %d: %s", n, plainText(r))
		}
	}
	commits, lanes := s.store.commits, len(s.tutor.lanes)
	told := 0
	for n := range 1000 {
		*now = now.Add(10 * time.Millisecond) // ten seconds, in which twenty more are taken
		r := s.request(lines[n%len(lines)])
		over := s.tutor.Admit(&r)
		switch {
		case over == nil:
		case over.Of != "person" || over.Wait <= 0 || over.Wait > 500*time.Millisecond:
			t.Fatalf("request %d: %+v", n, over)
		case !over.Quiet:
			told++
			if text := textOf(over.Reply); !strings.Contains(text, "Réessayez dans 1\u00a0s") || !over.Reply.Private || !over.Reply.Failed || !over.Reply.Final {
				t.Errorf("%+v", over.Reply)
			}
		}
	}
	if told != 2 {
		t.Errorf("told %d times in ten seconds", told)
	}
	if s.store.commits != commits || len(s.tutor.lanes) != lanes {
		t.Errorf("%d commits", s.store.commits-commits)
	}
	// Whoever does not ask first is told as well, by the same count.
	*now = now.Add(time.Hour)
	for range 10 {
		s.send(s.request(lines[0]))
	}
	before := s.store.commits
	if r := s.send(s.request(lines[1])); !r.Failed || !strings.Contains(textOf(r), "Un instant\u00a0:") {
		t.Errorf("%+v", r)
	}
	if s.store.commits != before {
		t.Error("it was committed")
	}
	if got := figureOf(t, s.tutor.cfg.Metrics, `timonier_excess_total{limit="person",platform="test"}`); got != "981" {
		t.Errorf("counted %s", got)
	}
}

// After the time that is told, and not before, the next is taken: of a person, a channel, a tenant.
func TestWaitIsAsTold(t *testing.T) {
	for _, x := range []struct {
		of    string
		rates Rates
		text  string
	}{
		{"person", Rates{Person: Rate{1, 0.25}}, "Réessayez dans 4\u00a0s"},
		{"channel", Rates{Channel: Rate{1, 0.5}}, "trop de demandes arrivent ici"},
		{"tenant", Rates{Tenant: Rate{1, 0.1}}, "de tous les salons"},
	} {
		s, now := paced(t, x.rates)
		admit := func(person string) *Excess {
			r := s.request("/aide")
			r.Who.ID = person
			return s.tutor.Admit(&r)
		}
		if over := admit("ana"); over != nil {
			t.Fatalf("%s: the first: %+v", x.of, over)
		}
		who := "ana"
		if x.of != "person" {
			who = "ben"
		}
		over := admit(who)
		if over == nil || over.Of != x.of || !strings.Contains(textOf(over.Reply), x.text) {
			t.Fatalf("%s: %+v", x.of, over)
		}
		*now = now.Add(over.Wait - time.Millisecond)
		if admit(who) == nil {
			t.Errorf("%s: taken too soon", x.of)
		}
		*now = now.Add(time.Millisecond)
		if over := admit(who); over != nil {
			t.Errorf("%s: not taken when told: %+v", x.of, over)
		}
	}
}

// Someone who is over their own rate takes nothing of their class's.
func TestRefusedTakesNothing(t *testing.T) {
	s, _ := paced(t, Rates{Person: Rate{2, 1}, Channel: Rate{5, 1}})
	taken := 0
	for _, person := range []string{"ana", "ana", "ana", "ana", "ana", "ben", "eve", "max", "zoé"} {
		r := s.request("/aide")
		r.Who.ID = person
		if s.tutor.Admit(&r) == nil {
			taken++
		}
	}
	if taken != 5 {
		t.Errorf("%d taken, of 5", taken)
	}
}

// What a front end has counted, and what a process before began, is not counted again.
func TestCountedOnce(t *testing.T) {
	s, _ := paced(t, Rates{Person: Rate{1, 0.001}})
	r := s.request("/aide")
	if s.tutor.Admit(&r) != nil || s.send(r).Failed {
		t.Error("counted twice")
	}
	again := s.request("/aide")
	again.Resumed = true
	if s.send(again).Failed {
		t.Error("what was begun is counted")
	}
	s.tutor.limits = newLimiter(Unlimited())
	for range 1000 {
		if r := s.request("/aide"); s.tutor.Admit(&r) != nil {
			t.Fatal("unlimited")
		}
	}
}

func TestCompletionsHaveARate(t *testing.T) {
	s, now := paced(t, Rates{Typing: Rate{3, 1}})
	complete := func() bool {
		return len(s.tutor.Complete(context.Background(), s.request(""), "/kub", 4)) > 0
	}
	given := 0
	for given < 5 && complete() {
		given++
	}
	if given != 3 {
		t.Errorf("%d, not three", given)
	}
	if *now = now.Add(time.Second); !complete() {
		t.Error("not after a second")
	}
	if got := figureOf(t, s.tutor.cfg.Metrics, `timonier_excess_total{limit="typing",platform="test"}`); got != "1" {
		t.Errorf("counted %s", got)
	}
}

// However many come, so many buckets are kept; the one used last stays.
func TestBucketsAreBounded(t *testing.T) {
	l := newLimiter(Rates{Person: Rate{1, 0}, Channel: Rate{1e9, 1}, Tenant: Rate{1e9, 1}}.orDefault())
	at := time.Now()
	l.now = func() time.Time { return at }
	ask := func(n int) time.Duration {
		of := fmt.Sprint(n)
		_, wait, _ := l.take(&Request{Platform: "test", Tenant: of, Channel: of, Who: Person{ID: of}}, false)
		return wait
	}
	for n := range 3 * limitedPeople {
		if ask(n) > 0 {
			t.Fatal("the first of a person")
		}
		if ask(0); n > 0 && ask(0) == 0 {
			t.Fatalf("after %d others, who came all the time was forgotten", n)
		}
	}
	for _, b := range []buckets{l.person, l.channel, l.tenant} {
		if len(b.of) != b.order.Len() || len(b.of) > b.most {
			t.Errorf("%d buckets, %d in order, of %d", len(b.of), b.order.Len(), b.most)
		}
	}
}

func figureOf(t *testing.T, m *Metrics, name string) string {
	t.Helper()
	all, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range all {
		for _, metric := range family.Metric {
			var labels []string
			for _, l := range metric.Label {
				labels = append(labels, fmt.Sprintf("%s=%q", l.GetName(), l.GetValue()))
			}
			if family.GetName()+"{"+strings.Join(labels, ",")+"}" == name {
				return fmt.Sprint(metric.GetCounter().GetValue())
			}
		}
	}
	return "nothing"
}

// BenchmarkRate: what the rates cost a request, with all buckets there are in use.
func BenchmarkRate(b *testing.B) {
	l := newLimiter(Rates{Person: Rate{1e9, 1e9}, Channel: Rate{1e9, 1e9}, Tenant: Rate{1e9, 1e9}}.orDefault())
	all := make([]Request, limitedPeople)
	for n := range all {
		all[n] = Request{Platform: "discord", Tenant: fmt.Sprint("11111111111111111", n%500), Channel: fmt.Sprint("22222222222222222", n%3000),
			Who: Person{ID: fmt.Sprint("33333333333333333", n), Everywhere: true}}
		l.take(&all[n], false)
	}
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		if _, wait, _ := l.take(&all[n%len(all)], false); wait > 0 {
			b.Fatal("over")
		}
		n++
	}
}
