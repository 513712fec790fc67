package bot

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// speakingClass is a tutor with the commands of a speakingStage, in a bubble of time of its own, and
// somebody who speaks until quiet is called.
func speakingClass(t *testing.T, store Store, a *audience) (tutor *Tutor, quiet func()) {
	tutor = New(Config{Store: store, Metrics: NewMetrics(), Limits: Limits{Rates: Unlimited()}})
	(&stage{t: t}).speaks(tutor)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- tutor.Speak(ctx, "test", a) }()
	synctest.Wait()
	return tutor, func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := tutor.Close(); err != nil {
			t.Error(err)
		}
	}
}

func type_(t *testing.T, tutor *Tutor, channel, line string) {
	t.Helper()
	r := Request{Platform: "test", Channel: channel, Who: Person{ID: "ana"}, Locale: "fr", Line: line}
	if err := tutor.Handle(context.Background(), r, func(Reply) {}); err != nil {
		t.Fatal(err)
	}
}

// texts are what was said in a channel, in order.
func (a *audience) texts(channel string) (all []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, h := range a.said {
		if h.To.Channel == channel {
			all = append(all, plainText(h.Reply))
		}
	}
	return all
}

// wantFigure wants a line in the metrics.
func wantFigure(t *testing.T, tutor *Tutor, line string) {
	t.Helper()
	w := httptest.NewRecorder()
	tutor.cfg.Metrics.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if !strings.Contains(w.Body.String(), line) {
		t.Errorf("no %s", line)
	}
}

func TestSpeakWakesInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &audience{}
		tutor, quiet := speakingClass(t, newMemory(), a)
		if !tutor.Speaks("test") || tutor.Speaks("discord") {
			t.Error("it does not know who speaks")
		}
		for i := range 100 {
			type_(t, tutor, fmt.Sprint("c", i), fmt.Sprintf("/réveil %dms", 20_000+i*100))
		}
		began := time.Now()
		for i := range 100 {
			<-time.After(time.Until(began.Add(20*time.Second + time.Duration(i)*100*time.Millisecond)))
			synctest.Wait()
			if got := a.texts(fmt.Sprint("c", i)); len(got) != 1 {
				t.Fatalf("channel %d: %q after %v", i, got, time.Since(began))
			}
		}
		quiet()
		if tutor.Speaks("test") {
			t.Error("it is said to speak when it is quiet")
		}
	})
}

// One channel hangs, another fails: the others are spoken to at once, and each in its order.
func TestSlowPlaceHoldsUpNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		free := make(chan struct{})
		a := &audience{}
		a.hold = func(to To) {
			if to.Channel == "slow" {
				<-free
			}
		}
		a.fail = func(to To) error {
			if to.Channel == "down" {
				return errors.New("down")
			}
			return nil
		}
		tutor, quiet := speakingClass(t, newMemory(), a)
		for i := range 20 {
			for _, channel := range []string{"slow", "down", "a", "b"} {
				type_(t, tutor, channel, fmt.Sprintf("/dis k%d texte %d", i, i))
			}
		}
		type_(t, tutor, "slow", "/temps") // whose turns are not held up, either
		synctest.Wait()
		var want []string
		for i := range 20 {
			want = append(want, fmt.Sprint("texte ", i))
		}
		for _, channel := range []string{"a", "b"} {
			if got := a.texts(channel); !slices.Equal(got, want) {
				t.Errorf("in %s: %q", channel, got)
			}
		}
		if got := a.texts("slow"); len(got) != 0 {
			t.Errorf("in the slow one: %q", got)
		}
		wantFigure(t, tutor, `timonier_announcements_waiting{platform="test"} 2`) // the slow one and the one that fails
		close(free)
		synctest.Wait()
		if got := a.texts("slow"); !slices.Equal(got, want) {
			t.Errorf("in the slow one, in the end: %q", got)
		}
		wantFigure(t, tutor, `timonier_announcements_waiting{platform="test"} 1`)
		wantFigure(t, tutor, `timonier_announcements_total{outcome="said",platform="test"} 60`)
		wantFigure(t, tutor, `timonier_announcements_total{outcome="failed",platform="test"} `)
		quiet()
		wantFigure(t, tutor, `timonier_announcements_waiting{platform="test"} 0`)
	})
}

// Channels that are busy when their alarms are due do not keep another's from ringing.
func TestBusyChannelsKeepNoAlarmFromRinging(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &audience{}
		tutor, quiet := speakingClass(t, newMemory(), a)
		const busy = 60
		free := make(chan struct{})
		for i := range busy {
			channel := fmt.Sprint("busy", i)
			type_(t, tutor, channel, "/réveil 19s")
			j := job{ctx: context.Background(), done: make(chan error, 1), ours: true, run: func(context.Context, *lane) { <-free }}
			if _, err := tutor.enqueue(Place{Platform: "test", Channel: channel}, j); err != nil {
				t.Fatal(err)
			}
		}
		type_(t, tutor, "quiet", "/réveil 20s")
		<-time.After(20 * time.Second)
		synctest.Wait()
		if got := a.texts("quiet"); len(got) != 1 {
			t.Errorf("said %q", got)
		}
		close(free)
		synctest.Wait()
		for i := range busy {
			if got := a.texts(fmt.Sprint("busy", i)); len(got) != 1 {
				t.Errorf("busy channel %d: %q", i, got)
			}
		}
		quiet()
	})
}

// Private messages to a class do not hold up the channel, nor one person's the others'.
func TestPrivateMessagesHoldUpNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		free := make(chan struct{})
		a := &audience{}
		a.hold = func(to To) {
			if to.Person == "p0" {
				<-free
			}
		}
		a.fail = func(to To) error {
			if to.Person == "p1" {
				return errors.New("down")
			}
			return nil
		}
		tutor, quiet := speakingClass(t, newMemory(), a)
		for i := range 30 {
			type_(t, tutor, "a", fmt.Sprintf("/confie p%d r résultat", i))
		}
		type_(t, tutor, "a", "/dis q1 question")
		synctest.Wait()
		if got := a.texts("a"); !slices.Equal(got, []string{"question"}) {
			t.Errorf("while a person hangs: %q", got)
		}
		close(free)
		synctest.Wait()
		if got := a.texts("a"); len(got) != 30 {
			t.Errorf("%d said, want one and 29 people's", len(got))
		}
		quiet()
	})
}

// What is being said when the program ends is finished and noted; what hangs is left to the next.
func TestSpeakEndsGracefully(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		free := make(chan struct{})
		a := &audience{hold: func(to To) {
			if to.Channel == "slow" {
				<-free
			}
		}}
		store := newMemory()
		tutor, quiet := speakingClass(t, store, a)
		type_(t, tutor, "slow", "/dis q1 première")
		type_(t, tutor, "slow", "/dis q2 deuxième")
		synctest.Wait()
		time.AfterFunc(2*time.Second, func() { close(free) })
		began := time.Now()
		quiet()
		if took := time.Since(began); took != 2*time.Second {
			t.Errorf("it ended after %v", took)
		}
		if got := a.texts("slow"); !slices.Equal(got, []string{"première"}) {
			t.Errorf("%q", got)
		}
		a.hold = nil
		_, quiet = speakingClass(t, store, a)
		if got := a.texts("slow"); !slices.Equal(got, []string{"première", "deuxième"}) {
			t.Errorf("the next process: %q", got)
		}
		quiet()
	})
}

// A class answers while its quiz speaks: nothing is lost, nothing said twice, and the race detector is content.
func TestManySpeakAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &audience{}
		store := newMemory()
		tutor, quiet := speakingClass(t, store, a)
		var wait sync.WaitGroup
		for ch := range 30 {
			wait.Go(func() {
				channel := fmt.Sprint("c", ch)
				for i := range 20 {
					type_(t, tutor, channel, fmt.Sprintf("/dis k%d texte %d", i, i))
					type_(t, tutor, channel, "/réveil 1s")
					if i%5 == 0 {
						<-time.After(time.Second)
					}
				}
			})
		}
		wait.Wait()
		<-time.After(time.Minute)
		synctest.Wait()
		for ch := range 30 {
			texts := a.texts(fmt.Sprint("c", ch))
			n := 0
			for _, text := range texts {
				if strings.HasPrefix(text, "texte") {
					if text != fmt.Sprint("texte ", n) {
						t.Fatalf("channel %d: %q", ch, texts)
					}
					n++
				}
			}
			if n != 20 || !strings.HasPrefix(texts[len(texts)-1], "alarm") {
				t.Fatalf("channel %d: %q", ch, texts)
			}
		}
		quiet()
		records, _, err := store.Read(context.Background(), agendaScope(), "")
		if err != nil || len(records) != 0 {
			t.Errorf("%d entries are left in the agenda, %v", len(records), err)
		}
	})
}
