package store

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"timonier/bot"
)

var (
	ctx   = context.Background()
	start = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	place = bot.Scope{Platform: "terminal", Tenant: "home", Channel: "main"}
)

func open(t testing.TB, path string) *Store {
	t.Helper()
	s, err := Open(ctx, path, Options{Wait: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func temp(t testing.TB) (*Store, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a", "b", "timonier.db")
	s := open(t, path)
	t.Cleanup(func() { s.Close() })
	return s, path
}

func put(t testing.TB, s *Store, scope bot.Scope, base uint64, pairs ...string) {
	t.Helper()
	if err := s.Commit(ctx, bot.Commit{Writes: []bot.Write{{Scope: scope, Base: base, Changes: records(pairs...)}}}); err != nil {
		t.Fatal(err)
	}
}

func records(pairs ...string) []bot.Record {
	var all []bot.Record
	for i := 0; i < len(pairs); i += 2 {
		all = append(all, bot.Record{Key: pairs[i], Value: []byte(pairs[i+1])})
	}
	return all
}

func show(t testing.TB, s *Store, scope bot.Scope, prefix string) string {
	t.Helper()
	all, version, err := s.Read(ctx, scope, prefix)
	if err != nil {
		t.Fatal(err)
	}
	out := fmt.Sprintf("%d:", version)
	for _, r := range all {
		if r.Value == nil {
			t.Errorf("nil value of %q", r.Key)
		}
		out += fmt.Sprintf(" %s=%s", r.Key, r.Value)
	}
	return out
}

func TestRecords(t *testing.T) {
	s, path := temp(t)
	if got := show(t, s, place, ""); got != "0:" {
		t.Errorf("at first: %s", got)
	}
	put(t, s, place, 0, "cluster/0/b", "2", "cluster/0/a", "1", "channel/settings", "", "cluster/00", "x")
	for prefix, want := range map[string]string{
		"":           "1: channel/settings= cluster/0/a=1 cluster/0/b=2 cluster/00=x",
		"cluster/0/": "1: cluster/0/a=1 cluster/0/b=2",
		"nothing":    "1:",
	} {
		if got := show(t, s, place, prefix); got != want {
			t.Errorf("%q: %s", prefix, got)
		}
	}
	err := s.Commit(ctx, bot.Commit{Writes: []bot.Write{{Scope: place, Base: 1, Drop: []string{"cluster/0/"},
		Changes: []bot.Record{{Key: "cluster/0/new", Value: []byte("3")}, {Key: "cluster/00"}, {Key: "never"}}}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again := open(t, path)
	defer again.Close()
	if got := show(t, again, place, ""); got != "2: channel/settings= cluster/0/new=3" {
		t.Errorf("reopened: %s", got)
	}
}

func TestScopesAreApart(t *testing.T) {
	s, _ := temp(t)
	long := strings.Repeat("é", 3000)
	scopes := []bot.Scope{
		{}, {Platform: "a"}, {Tenant: "a"}, {Platform: "a", Tenant: "b"}, {Platform: "ab"}, {Tenant: "ab"},
		{Platform: "a", Tenant: "b", Channel: "c"}, {Platform: "a", Tenant: "b", Person: "c"}, {Platform: "a", Tenant: "bc"},
		{Platform: "a", Tenant: "b", Channel: long}, {Platform: "a", Tenant: "b", Channel: long + "x"}, {Platform: "a", Tenant: long, Person: "\x00\xff"},
	}
	for i, scope := range scopes {
		put(t, s, scope, 0, "k", fmt.Sprint(i))
	}
	for i, scope := range scopes {
		if got, want := show(t, s, scope, ""), fmt.Sprintf("1: k=%d", i); got != want {
			t.Errorf("%d: %s", i, got)
		}
	}
}

func TestConflictWritesNothing(t *testing.T) {
	s, _ := temp(t)
	other := bot.Scope{Platform: "terminal", Tenant: "home", Person: "me"}
	put(t, s, place, 0, "k", "1")
	err := s.Commit(ctx, bot.Commit{
		Writes:  []bot.Write{{Scope: other, Base: 0, Changes: records("k", "2")}, {Scope: place, Base: 0, Changes: records("k", "2")}},
		Answers: []bot.Answer{{Scope: place, Request: "r", At: start, Reply: []byte("x")}},
	})
	if !errors.Is(err, bot.ErrConflict) {
		t.Errorf("error %v", err)
	}
	if got := show(t, s, place, "") + ", " + show(t, s, other, ""); got != "1: k=1, 0:" {
		t.Errorf("left %s", got)
	}
	if _, found, _ := s.Answered(ctx, place, "r"); found {
		t.Error("a reply was kept")
	}
}

func TestAnswers(t *testing.T) {
	s, _ := temp(t)
	answer := func(request string, at time.Time, base uint64) error {
		return s.Commit(ctx, bot.Commit{Writes: []bot.Write{{Scope: place, Base: base, Changes: records("k", request)}},
			Answers: []bot.Answer{{Scope: place, Request: request, At: at, Reply: []byte("to " + request)}}})
	}
	if err := answer("one", start, 0); err != nil {
		t.Fatal(err)
	}
	if err := answer("one", start, 1); !errors.Is(err, bot.ErrAnswered) {
		t.Errorf("again: %v", err)
	}
	if got := show(t, s, place, ""); got != "1: k=one" {
		t.Errorf("second effect: %s", got)
	}
	reply, found, err := s.Answered(ctx, bot.Scope{Platform: "terminal", Tenant: "home", Person: "any"}, "one")
	if err != nil || !found || string(reply) != "to one" {
		t.Errorf("%q %v %v", reply, found, err)
	}
	for _, other := range []bot.Scope{{Platform: "slack", Tenant: "home"}, {Platform: "terminal", Tenant: "work"}} {
		if _, found, _ := s.Answered(ctx, other, "one"); found {
			t.Errorf("of %v too", other)
		}
	}
	if err := answer("", start.Add(KeepReplies), 1); err != nil { // exactly 24 hours: still kept
		t.Fatal(err)
	}
	if _, found, _ := s.Answered(ctx, place, "one"); !found {
		t.Error("forgotten too early")
	}
	if err := answer("three", start.Add(KeepReplies+time.Second), 2); err != nil {
		t.Fatal(err)
	}
	if _, found, _ := s.Answered(ctx, place, "one"); found {
		t.Error("kept for ever")
	}
	if _, found, _ := s.Answered(ctx, place, ""); !found {
		t.Error("the wrong one forgotten")
	}
}

// Many channels commit at once: each sees its own outcome, and they share transactions.
func TestCommitsShareTransactions(t *testing.T) {
	s, path := temp(t)
	before := lastTx(t, path)
	const channels, each = 40, 25
	var wg sync.WaitGroup
	for c := range channels {
		wg.Go(func() {
			scope := bot.Scope{Platform: "slack", Tenant: "school", Channel: fmt.Sprint(c)}
			for i := range each {
				err := s.Commit(ctx, bot.Commit{Writes: []bot.Write{{Scope: scope, Base: uint64(i), Changes: records("n", fmt.Sprint(i))}}})
				if err != nil {
					t.Errorf("channel %d: %v", c, err)
				}
				if err := s.Commit(ctx, bot.Commit{Writes: []bot.Write{{Scope: scope, Base: 1 << 40}}}); !errors.Is(err, bot.ErrConflict) {
					t.Errorf("channel %d: %v", c, err)
				}
			}
		})
	}
	wg.Wait()
	for c := range channels {
		if got, want := show(t, s, bot.Scope{Platform: "slack", Tenant: "school", Channel: fmt.Sprint(c)}, ""), fmt.Sprintf("%d: n=%d", each, each-1); got != want {
			t.Errorf("channel %d: %s", c, got)
		}
	}
	if n := lastTx(t, path) - before; n > channels*each*2/4 {
		t.Errorf("%d transactions for %d commits", n, channels*each*2)
	}
}

func lastTx(t testing.TB, path string) uint64 {
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m, _, _ := newest(f)
	return m.tx
}

func TestOneTooLargeSpoilsNoOther(t *testing.T) {
	s, _ := temp(t)
	jobs := []*job{
		{commit: bot.Commit{Writes: []bot.Write{{Scope: place, Changes: records("k", "1")}}}, done: make(chan struct{})},
		{commit: bot.Commit{Writes: []bot.Write{{Scope: bot.Scope{Tenant: "x"}, Changes: records(strings.Repeat("k", 40_000), "1")}}}, done: make(chan struct{})},
	}
	s.write(jobs)
	if jobs[0].err != nil || jobs[1].err == nil {
		t.Errorf("%v, %v", jobs[0].err, jobs[1].err)
	}
	if got := show(t, s, place, "") + " " + show(t, s, bot.Scope{Tenant: "x"}, ""); got != "1: k=1 0:" {
		t.Error(got)
	}
}

func TestContextEnds(t *testing.T) {
	s, _ := temp(t)
	over, cancel := context.WithCancel(ctx)
	cancel()
	s.turn <- struct{}{} // someone writes
	if err := s.Commit(over, bot.Commit{Writes: []bot.Write{{Scope: place, Changes: records("k", "1")}}}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	<-s.turn
	put(t, s, place, 0, "k", "2")
	if _, _, err := s.Read(over, place, ""); !errors.Is(err, context.Canceled) {
		t.Errorf("read: %v", err)
	}
}

const childEnv = "TIMONIER_STORE_TEST_FILE"

// TestMain is the child of TestKill where that is asked for.
func TestMain(m *testing.M) {
	if path := os.Getenv(childEnv); path != "" {
		s, err := Open(ctx, path, Options{})
		for i := uint64(0); err == nil; i++ {
			err = s.Commit(ctx, bot.Commit{Writes: []bot.Write{{Scope: place, Base: i, Changes: records("n", fmt.Sprint(i+1), fmt.Sprintf("many/%d", i), strings.Repeat("x", 2000))}},
				Answers: []bot.Answer{{Scope: place, Request: fmt.Sprint(i + 1), At: start, Reply: []byte("ok")}}})
			fmt.Println(i + 1)
		}
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// A process that is killed while it writes has lost nothing that it said was written.
func TestKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "timonier.db")
	last := uint64(0)
	for range 3 {
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), childEnv+"="+path)
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for n := 0; n < 30 && lines.Scan(); n++ {
			fmt.Sscan(lines.Text(), &last)
		}
		child.Process.Kill()
		for lines.Scan() { // what it still said
			fmt.Sscan(lines.Text(), &last)
		}
		child.Wait()
		s := open(t, path)
		_, version, err := s.Read(ctx, place, "n")
		if err != nil || version < last || version > last+1 {
			t.Errorf("said %d, holds %d, %v", last, version, err)
		}
		if all, _, _ := s.Read(ctx, place, "many/"); uint64(len(all)) != version {
			t.Errorf("%d records at version %d", len(all), version)
		}
		for i := uint64(1); i <= last; i++ {
			if _, found, err := s.Answered(ctx, place, fmt.Sprint(i)); !found || err != nil {
				t.Errorf("reply %d: %v %v", i, found, err)
			}
		}
		s.Close()
		os.Remove(path)
		last = 0
	}
}

func TestThousandChannelsOpenFast(t *testing.T) {
	path := filled(t, 1000)
	best := time.Hour
	for range 5 {
		began := time.Now()
		s := open(t, path)
		if got := show(t, s, bot.Scope{Platform: "slack", Tenant: "school-3", Channel: "123"}, "cluster/0/019"); !strings.HasPrefix(got, "1: cluster/0/019=") {
			t.Fatal(got)
		}
		best = min(best, time.Since(began))
		s.Close()
	}
	if best > 50*time.Millisecond { // milliseconds; a loaded machine is allowed more
		t.Errorf("%v", best)
	}
}

func BenchmarkOpenThousandChannels(b *testing.B) {
	path := filled(b, 1000)
	for b.Loop() {
		s := open(b, path)
		show(b, s, bot.Scope{Platform: "slack", Tenant: "school-3", Channel: "123"}, "cluster/0/019")
		s.Close()
	}
}

func BenchmarkCommit(b *testing.B) {
	s, _ := temp(b)
	for i := uint64(0); b.Loop(); i++ {
		put(b, s, place, i, "a", "1", "b", "2", "c", "3")
	}
}

// TestNothingIsLeftOfAPersonWithoutRecords: the file does not even have their scope, whose name is theirs.
func TestNothingIsLeftOfAPersonWithoutRecords(t *testing.T) {
	s, path := temp(t)
	person, channel := bot.Scope{Platform: "p", Person: "U4711"}, bot.Scope{Platform: "p", Tenant: "t", Channel: "c"}
	put(t, s, person, 0, "person/settings", "{}", "cards/01", "x")
	put(t, s, channel, 0, "a", "1")
	drop := func(scope bot.Scope, base uint64) {
		t.Helper()
		if err := s.Commit(ctx, bot.Commit{Writes: []bot.Write{{Scope: scope, Base: base, Drop: []string{""}}}}); err != nil {
			t.Fatal(err)
		}
	}
	drop(person, 1)
	drop(channel, 1)
	if got := show(t, s, person, ""); got != "0:" {
		t.Errorf("the person: %s", got)
	}
	if got := show(t, s, channel, ""); got != "2:" { // a channel that is in memory goes on counting
		t.Errorf("the channel: %s", got)
	}
	put(t, s, person, 0, "person/settings", "{}")
	if got := show(t, s, person, ""); got != "1: person/settings={}" {
		t.Errorf("the person is back: %s", got)
	}
	drop(person, 1)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	names := 0
	err = db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket(tenantsBucket).ForEachBucket(func(tenant []byte) error {
			scopes := tx.Bucket(tenantsBucket).Bucket(tenant).Bucket(scopesBucket)
			return scopes.ForEachBucket(func(scope []byte) error {
				names++
				if bytes.Contains(scope, []byte("U4711")) {
					t.Errorf("scope %q is left", scope)
				}
				return nil
			})
		})
	})
	if err != nil || names != 1 {
		t.Errorf("%d scopes are left (%v)", names, err)
	}
}
