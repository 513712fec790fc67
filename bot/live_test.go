package bot

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// class is a tutor on a store, in a bubble of time of its own.
func class(t *testing.T, store *memory) *Tutor {
	return New(Config{Store: store, Limits: Limits{Rates: Unlimited()}, Logger: slog.New(slog.NewTextHandler(t.Output(), nil))})
}

func asked(id, person, line string) Request {
	return Request{ID: id, Platform: "discord", Tenant: "college", Channel: "general", Who: Person{ID: person}, Locale: "fr", Line: line, Live: true}
}

// gathered are the replies to one request, as they come.
type gathered struct {
	mu  sync.Mutex
	all []Reply
	at  []time.Time
}

func (g *gathered) emit(r Reply) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.all, g.at = append(g.all, r), append(g.at, time.Now())
}

// last is the newest of them.
func (g *gathered) last() Reply {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.all[len(g.all)-1]
}

func TestLiveAnswerFollowsPodsUntilTheyAreReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tutor := class(t, newMemory())
		var g gathered
		if err := tutor.Handle(context.Background(), asked("1", "ana", "/kubectl create deployment web --image=nginx --replicas=3"), g.emit); err != nil {
			t.Fatal(err)
		}
		if len(g.all) < 2 {
			t.Fatalf("%d replies, want more than one", len(g.all))
		}
		for i, r := range g.all {
			last := i == len(g.all)-1
			if r.Final != last {
				t.Errorf("reply %d of %d: final %v", i+1, len(g.all), r.Final)
			}
			if !strings.Contains(plainText(r), "deployment.apps/web created") {
				t.Errorf("reply %d does not say what kubectl said:\n%s", i+1, plainText(r))
			}
			if i > 0 && g.at[i].Sub(g.at[i-1]) < often {
				t.Errorf("reply %d came %v after the one before", i+1, g.at[i].Sub(g.at[i-1]))
			}
		}
		if text := plainText(g.all[0]); !strings.Contains(text, "{0/3") {
			t.Errorf("first reply:\n%s", text)
		}
		if text := plainText(g.all[len(g.all)-1]); !strings.Contains(text, "Les 3 pods demandés sont prêts") {
			t.Errorf("last reply:\n%s", text)
		}
		tutor.Close()
	})
}

func TestLiveAnswerEndsWhereNothingWillCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tutor := class(t, newMemory())
		var g gathered
		began := time.Now()
		err := tutor.Handle(context.Background(), asked("1", "ana", "/kubectl create deployment web --image=nowhere.example/missing"), g.emit)
		if took := time.Since(began); err != nil || took < time.Minute || took > 4*time.Minute {
			t.Errorf("ended after %v, %v", took, err)
		}
		if last := g.all[len(g.all)-1]; !last.Final || !strings.Contains(plainText(last), "ImagePullBackOff") {
			t.Errorf("last reply:\n%s", plainText(last))
		}
		tutor.Close()
	})
}

// Close does not wait for pods: the answer stays as it is.
func TestCloseEndsLiveAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tutor := class(t, newMemory())
		var g gathered
		done, err := tutor.Accept(context.Background(), asked("1", "ana", "/kubectl create deployment web --image=nginx"), g.emit)
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		began := time.Now()
		tutor.Close()
		if err := <-done; err != nil || time.Since(began) > 0 {
			t.Errorf("done after %v: %v", time.Since(began), err)
		}
		if last := g.all[len(g.all)-1]; !last.Final {
			t.Error("the last reply is not final")
		}
	})
}

// A process ends before it has delivered what it answered, and before it has answered: the next makes up for both.
func TestInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemory()
		tutor := class(t, store)
		answered := asked("1", "ana", "/kubectl create configmap a --from-literal=k=v")
		answered.Return = json.RawMessage(`{"token":"x"}`)
		delivered := asked("2", "ana", "/kubectl create configmap b --from-literal=k=v")
		delivered.Return = json.RawMessage(`{}`)
		var first gathered
		for _, r := range []Request{answered, delivered} {
			if err := tutor.Handle(context.Background(), r, first.emit); err != nil {
				t.Fatal(err)
			}
		}
		tutor.Returns(answered, json.RawMessage(`{"token":"y"}`))
		tutor.Delivered(delivered)
		tutor.Returns(delivered, json.RawMessage(`{}`)) // it is kept no more
		tutor.Close()

		waiting := asked("3", "ana", "/kubectl create configmap c --from-literal=k=v")
		waiting.Return, waiting.Asked = json.RawMessage(`{}`), time.Now().Add(time.Millisecond)
		tutor = class(t, store)
		tutor.begin(waiting) // and the process is killed here
		tutor.Close()

		tutor = class(t, store)
		left, err := tutor.Interrupted(context.Background(), "discord")
		if err != nil || len(left) != 2 || left[0].ID != "1" || left[1].ID != "3" || string(left[0].Return) != `{"token":"y"}` || !left[0].Resumed {
			t.Fatalf("interrupted: %+v, %v", left, err)
		}
		var again gathered
		for _, r := range left {
			if err := tutor.Handle(context.Background(), r, again.emit); err != nil {
				t.Fatal(err)
			}
			tutor.Delivered(r)
		}
		if got, want := plainText(again.all[0]), plainText(first.all[0]); got != want {
			t.Errorf("the answer that was given:\n%s\nis now:\n%s", want, got)
		}
		if text := plainText(again.all[1]); !strings.Contains(text, "configmap/c created") {
			t.Errorf("what was not done yet:\n%s", text)
		}
		tutor.Close()
		tutor = class(t, store)
		if left, err := tutor.Interrupted(context.Background(), "discord"); err != nil || len(left) != 0 {
			t.Errorf("still interrupted: %v, %v", left, err)
		}
		if left, err := tutor.Interrupted(context.Background(), "slack"); err != nil || len(left) != 0 {
			t.Errorf("on another platform: %v, %v", left, err)
		}
		tutor.Close()
	})
}

func TestInterruptedLongAgoIsNotDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tutor := class(t, newMemory())
		r := asked("1", "ana", "/kubectl create deployment web --image=nginx")
		r.Resumed, r.Asked = true, time.Now().Add(-time.Hour)
		var g gathered
		if err := tutor.Handle(context.Background(), r, g.emit); err != nil {
			t.Fatal(err)
		}
		if text := plainText(g.all[0]); !strings.Contains(text, "rien n'a été changé") || !strings.Contains(text, "→ "+r.Line) {
			t.Errorf("answer:\n%s", text)
		}
		var look gathered
		if err := tutor.Handle(context.Background(), asked("2", "ana", "/kubectl get deployments"), look.emit); err != nil || !strings.Contains(plainText(look.all[0]), "No resources found") {
			t.Errorf("it was done all the same: %s", plainText(look.all[0]))
		}
		tutor.Close()
	})
}

func TestPagesSurviveARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemory()
		tutor := class(t, store)
		var g gathered
		if err := tutor.Handle(context.Background(), asked("1", "ana", "/kubectl get nodes -o yaml"), g.emit); err != nil {
			t.Fatal(err)
		}
		first := g.all[0]
		first.Blocks = first.Blocks[1:] // who asked for what
		tutor.Close()
		tutor = class(t, store)
		shown := first.Blocks[0].(Code).Text
		for n := 2; ; n++ {
			var next Button
			for _, b := range first.Buttons {
				if b.Label == "Suite" {
					next = b
				}
			}
			if next.Line == "" {
				break
			}
			if m := tutor.Manner(Request{Line: next.Line}); !m.Replace {
				t.Error("a page does not take the place of the one before")
			}
			var page gathered
			if err := tutor.Handle(context.Background(), asked(fmt.Sprint("page", n), "bob", next.Line), page.emit); err != nil {
				t.Fatal(err)
			}
			first = page.all[0]
			if text := plainText(first); !strings.HasPrefix(text, "`/kubectl get nodes -o yaml`\n") || len(first.Files) != 1 {
				t.Errorf("page %d:\n%s", n, text)
			}
			first.Blocks = first.Blocks[1:]
			shown += "\n" + first.Blocks[0].(Code).Text
		}
		if want := strings.TrimSuffix(string(g.all[0].Files[0].Data), "\n"); shown != want {
			t.Errorf("the pages make %d characters, the file %d", len(shown), len(want))
		}
		// Pages of old answers go.
		for i := range keptLong + 1 {
			if err := tutor.Handle(context.Background(), asked(fmt.Sprint("more", i), "ana", "/kubectl get nodes -o yaml"), func(Reply) {}); err != nil {
				t.Fatal(err)
			}
		}
		var gone gathered
		if err := tutor.Handle(context.Background(), asked("gone", "ana", g.all[0].Buttons[0].Line), gone.emit); err != nil || !strings.Contains(plainText(gone.all[0]), "n'est plus gardée") {
			t.Errorf("an old page: %s", plainText(gone.all[0]))
		}
		kept := 0
		for key := range store.scope(Scope{Platform: "discord", Tenant: "college", Channel: "general"}).records {
			if strings.HasPrefix(key, keyLong) {
				kept++
			}
		}
		if kept != keptLong {
			t.Errorf("%d texts kept, want %d", kept, keptLong)
		}
		tutor.Close()
	})
}

func TestManners(t *testing.T) {
	tutor := New(Config{Store: newMemory(), Limits: Limits{Rates: Unlimited()}})
	for _, c := range []struct {
		line string
		want Manner
		form bool
	}{
		{"/kubectl get pods", Manner{Command: "kubectl"}, false},
		{"/kubectl apply", Manner{Command: "kubectl"}, true},
		{"/k apply -f -", Manner{Command: "kubectl"}, true},
		{"/kubectl apply\nkind: Pod", Manner{Command: "kubectl"}, false},
		{"/cours 3", Manner{Command: "course", Private: true}, false},
		{"/suite", Manner{Command: "course", Private: true, Replace: true}, false},
		{"/quiz", Manner{Command: "quiz", Private: true}, false},
		{"/quiz course", Manner{Command: "quiz"}, false},
		{"/quiz réponse x.1 A", Manner{Command: "quiz", Private: true, Gathers: true}, false},
		{"/quiz réponse r1 A", Manner{Command: "quiz", Private: true, Replace: true, Gathers: true}, false},
		{"/rien", Manner{Command: "none", Private: true}, false},
		{"bonjour", Manner{Command: "none", Private: true}, false},
	} {
		m := tutor.Manner(Request{Line: c.line})
		form := m.Prompt != nil
		if m.Prompt = nil; m != c.want || form != c.form {
			t.Errorf("%q: %+v, form %v", c.line, m, form)
		}
	}
	if tutor.Manner(Request{Line: "/cours", Direct: true, Alone: true}).Private {
		t.Error("hidden from the only one there")
	}
}

// What the platform alone knows is asked for in the request's turn, and counts.
func TestFill(t *testing.T) {
	tutor := New(Config{Store: newMemory(), Limits: Limits{Rates: Unlimited()}})
	r := asked("1", "prof", "/remise")
	r.Live = false
	r.Fill = func(_ context.Context, r *Request) { r.Teacher, r.Locale = true, "en" }
	var last Reply
	if err := tutor.Handle(context.Background(), r, func(r Reply) { last = r }); err != nil || last.Failed || !strings.Contains(plainText(last), "Are you sure?") {
		t.Errorf("%v: %s", err, plainText(last))
	}
}

func TestDelivery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sent []string
		var at []time.Duration
		began := time.Now()
		d := NewDelivery(0, func(_ context.Context, r Reply) error {
			sent, at = append(sent, r.Blocks[0].(Text).Markdown), append(at, time.Since(began))
			return nil
		})
		say := func(text string, final bool) { d.Emit(Reply{Blocks: []Block{Text{text}}, Final: final}) }
		ended := make(chan error)
		go func() { ended <- d.Run(context.Background()) }()
		say("1", false)
		synctest.Wait()
		say("2", false)
		say("3", false)
		<-time.After(1500 * time.Millisecond)
		say("4", false)
		say("5", true)
		say("6", false) // too late
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(sent, " "); got != "1 3 5" {
			t.Errorf("sent %s at %v", got, at)
		}
		for i := 1; i < len(at); i++ {
			if at[i]-at[i-1] < time.Second {
				t.Errorf("sent at %v", at)
			}
		}
	})
}

func TestRecent(t *testing.T) {
	var r Recent
	for i := range 3 * rememberAtOnce {
		if id := fmt.Sprint(i); !r.First(id) || r.First(id) {
			t.Fatalf("%s is not first once", id)
		}
	}
	if r.First(fmt.Sprint(2*rememberAtOnce + 1)) {
		t.Error("one of the last is forgotten")
	}
	if len(r.now)+len(r.old) > 2*rememberAtOnce {
		t.Errorf("%d remembered", len(r.now)+len(r.old))
	}
}

// A change of more pods than the trace has steps for is followed all the same, and so is one
// whose steps others' have pushed out.
func TestLiveAnswerOutlivesTheTrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tutor := class(t, newMemory())
		var g gathered
		if err := tutor.Handle(context.Background(), asked("1", "ana", "/kubectl create deployment web --image=nginx --replicas=150"), g.emit); err != nil {
			t.Fatal(err)
		}
		if text := plainText(g.all[len(g.all)-1]); len(g.all) < 2 || !strings.Contains(text, "Les 150 pods demandés sont prêts") {
			t.Errorf("%d replies, the last:\n%s", len(g.all), text)
		}
		tutor.Close()
	})
}

// A channel keeps a few answers up to date, not any number: the oldest stay as they are.
func TestFewAnswersGoOnAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tutor := class(t, newMemory())
		var done []<-chan error
		ask := func(line string) {
			d, err := tutor.Accept(context.Background(), asked(fmt.Sprint(len(done)), "ana", line), func(Reply) {})
			if err != nil {
				t.Fatal(err)
			}
			done = append(done, d)
			synctest.Wait()
		}
		for i := range mostFollows + 2 {
			ask(fmt.Sprintf("/kubectl create deployment d%d --image=nowhere.example/missing", i))
		}
		for i, d := range done {
			select {
			case <-d:
				if i > 1 {
					t.Errorf("answer %d has ended", i)
				}
			default:
				if i < 2 {
					t.Errorf("answer %d goes on", i)
				}
			}
		}
		tutor.Close()
	})
}
