package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"timonier/bot"
)

// counting counts the commits that keep answers.
type counting struct {
	*Store
	commits atomic.Int64
}

func (c *counting) Commit(ctx context.Context, commit bot.Commit) error {
	if len(commit.Answers) > 0 {
		c.commits.Add(1)
	}
	return c.Store.Commit(ctx, commit)
}

// board is a Speaker that keeps the last that was said.
type board struct {
	mu   sync.Mutex
	last bot.Reply
}

func (b *board) Speak(_ context.Context, _ bot.To, _ json.RawMessage, r bot.Reply) (json.RawMessage, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.last = r
	return json.RawMessage(`"m"`), nil
}

// class is a channel in which a quiz is asked, on a store in a file.
type class struct {
	t     testing.TB
	store *counting
	tutor *bot.Tutor
	board *board
	now   time.Time
	asked atomic.Int64
	look  time.Duration // bot.Limits.Look
}

func newClass(t testing.TB) *class {
	s, _ := temp(t)
	c := &class{t: t, store: &counting{Store: s}, board: &board{}, now: start}
	c.begin()
	return c
}

// begin has a new process take over.
func (c *class) begin() {
	c.tutor = bot.New(bot.Config{Store: c.store, Now: func() time.Time { return c.now }, Limits: bot.Limits{Rates: bot.Unlimited(), Look: c.look}})
	if _, err := c.tutor.SpeakNow(ctx, "test", c.board); err != nil { // it can be spoken there
		c.t.Fatal(err)
	}
}

func (c *class) request(channel, person, line string) bot.Request {
	return bot.Request{ID: fmt.Sprint("r", c.asked.Add(1)), Platform: "test", Tenant: "school", Channel: channel,
		Who: bot.Person{ID: person}, Locale: "fr", Line: line, Teacher: person == "prof"}
}

func (c *class) ask(r bot.Request) (last bot.Reply) {
	c.t.Helper()
	if err := c.tutor.Handle(ctx, r, func(r bot.Reply) { last = r }); err != nil {
		c.t.Fatal(err)
	}
	return last
}

// open asks a question that one letter answers in a channel, and gives the line that answers it, up
// to the letter. Someone called probe has answered.
func (c *class) open(channel string) string {
	c.t.Helper()
	for range 20 {
		if r := c.ask(c.request(channel, "prof", "/quiz course nombre=1 temps=60s")); r.Failed {
			c.t.Fatalf("%+v", r)
		}
		for range 3 { // the quiz is announced, then the question
			if _, err := c.tutor.SpeakNow(ctx, "test", c.board); err != nil {
				c.t.Fatal(err)
			}
			for _, b := range c.board.last.Buttons {
				line, ok := strings.CutSuffix(b.Line, " A")
				if !ok || !strings.HasPrefix(line, "/quiz réponse ") {
					continue
				}
				if r := c.ask(c.request(channel, "probe", b.Line)); len(r.Buttons) == 0 { // else it wants more letters
					return line
				}
			}
			c.now = c.now.Add(20 * time.Second)
		}
		c.ask(c.request(channel, "prof", "/quiz fin"))
	}
	c.t.Fatal("no question with buttons")
	return ""
}

// answer has so many people answer at once, and gives how long each waited.
func (c *class) answer(channel, line string, people int) (took []time.Duration) {
	c.t.Helper()
	var mu sync.Mutex
	var all sync.WaitGroup
	answered := make([]int, people)
	for i := range people {
		r := c.request(channel, fmt.Sprint("p", i), line+" "+string(rune('A'+i%2)))
		began := time.Now()
		done, err := c.tutor.Accept(ctx, r, func(r bot.Reply) {
			mu.Lock()
			defer mu.Unlock()
			took = append(took, time.Since(began))
			if answered[i]++; r.Failed {
				c.t.Errorf("person %d: %+v", i, r)
			}
		})
		if err != nil {
			c.t.Fatal(err)
		}
		all.Go(func() {
			if err := <-done; err != nil {
				c.t.Error(err)
			}
		})
	}
	all.Wait()
	for i, n := range answered {
		if n != 1 {
			c.t.Errorf("person %d was answered %d times", i, n)
		}
	}
	slices.Sort(took)
	return took
}

// kept is how many people's answers are in the file.
func (c *class) kept(channel string) int {
	c.t.Helper()
	records, _, err := c.store.Read(ctx, bot.Scope{Platform: "test", Tenant: "school", Channel: channel}, "answers/")
	if err != nil {
		c.t.Fatal(err)
	}
	return len(records)
}

// 300 people answer one question at once: each is counted once, and all are on the disk, also
// where a new process takes over in the middle.
func TestThreeHundredAnswers(t *testing.T) {
	c := newClass(t)
	line := c.open("c")
	before := c.store.commits.Load()
	took := c.answer("c", line, 300)
	if n := c.kept("c"); n != 301 {
		t.Errorf("%d answers are kept", n)
	}
	commits := c.store.commits.Load() - before
	t.Logf("half within %v, 99 of 100 within %v, %d commits", took[len(took)/2], took[len(took)*99/100], commits)
	if commits > 60 {
		t.Errorf("%d commits", commits)
	}
	if err := c.tutor.Close(); err != nil {
		t.Fatal(err)
	}
	c.begin()
	for i := range 3 { // they have answered already, and are told so
		r := c.ask(c.request("c", fmt.Sprint("p", 100*i), line+" A"))
		if len(r.Blocks) == 0 {
			t.Errorf("person %d: %+v", i, r)
		}
	}
	if took := c.answer("c", line, 310)[0]; took <= 0 {
		t.Error(took)
	}
	if n := c.kept("c"); n != 311 {
		t.Errorf("%d answers are kept after a restart", n)
	}
}

// BenchmarkAnswers: 300 answers to one question, as fast as they come.
func BenchmarkAnswers(b *testing.B) {
	c := newClass(b)
	var took []time.Duration
	commits, rounds := int64(0), 0
	for i := 0; b.Loop(); i++ {
		b.StopTimer()
		channel := fmt.Sprint("c", i)
		line := c.open(channel)
		before := c.store.commits.Load()
		b.StartTimer()
		took = append(took, c.answer(channel, line, 300)...)
		commits += c.store.commits.Load() - before
		rounds++
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2])/1e6, "ms-p50")
	b.ReportMetric(float64(took[len(took)*99/100])/1e6, "ms-p99")
	b.ReportMetric(float64(commits)/float64(rounds), "commits")
}
