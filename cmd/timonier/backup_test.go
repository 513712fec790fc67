package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"timonier/bot/discord/discordtest"
	"timonier/bot/store"
)

// Copies of one second have names of their own, and the first of them are the oldest.
func TestBackupsOfOneSecond(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		made := 0
		b := backups{dir: dir, keep: 3, logger: slog.New(slog.DiscardHandler), copy: func(_ context.Context, path string) error {
			if _, err := os.Lstat(path); err == nil {
				return &store.Error{Path: path, Kind: store.ErrExists}
			}
			made++
			return os.WriteFile(path, []byte(fmt.Sprint(made)), 0o600)
		}}
		holds := func() (all []string) {
			names, _ := b.names()
			for _, name := range names {
				data, err := os.ReadFile(name)
				if err != nil {
					t.Error(err)
				}
				all = append(all, string(data))
			}
			return all
		}
		for range 2 {
			b.take(t.Context())
		}
		if got := holds(); !slices.Equal(got, []string{"1", "2"}) {
			t.Errorf("got %q", got)
		}
		b.keep = 11
		for range 10 {
			b.take(t.Context()) // more than nine: numbers are no text
		}
		if got := holds(); !slices.Equal(got, []string{"2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"}) {
			t.Errorf("got %q", got)
		}
		b.keep = 2
		time.Sleep(time.Second) // the bubble's time
		b.take(t.Context())
		if got := holds(); !slices.Equal(got, []string{"12", "13"}) {
			t.Errorf("got %q", got)
		}
	})
}

// classmate is a learner, and when each command of theirs was answered.
type classmate struct {
	learner
	mu   sync.Mutex
	told []time.Time
}

func (c *classmate) note() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.told = append(c.told, time.Now())
}

// before counts the commands that had been answered before a moment.
func (c *classmate) before(moment time.Time) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, _ := slices.BinarySearchFunc(c.told, moment, time.Time.Compare)
	return n
}

// TestBackupWhileServing: the built program copies its file while people type. The copy is whole, and restored it holds
// all that had been answered before; of those that were there, as many stay as it was told.
func TestBackupWhileServing(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program, and waits for a copy to be due")
	}
	s := newStage(t, buildProgram(t))
	var class []*classmate
	for n := range 3 {
		class = append(class, &classmate{learner: learner{stage: s, channel: fmt.Sprintf("70000000000000000%d", n), who: discordtest.Person{ID: fmt.Sprintf("80000000000000000%d", n), Name: fmt.Sprint("p", n)}}})
	}
	learn := func(enough <-chan struct{}) (wait func()) {
		var learning sync.WaitGroup
		for _, c := range class {
			learning.Go(func() {
				if err := c.learn(enough, c.note); err != nil {
					t.Error(err)
				}
			})
		}
		return learning.Wait
	}
	p := s.serve()
	s.connected()
	for _, c := range class { // what is there in any case
		if err := c.ask("create configmap first", "configmap/first created"); err != nil {
			t.Fatal(err)
		}
	}
	if code := p.end(syscall.SIGTERM); code != exitOK {
		t.Errorf("code %d", code)
	}

	b := backups{dir: t.TempDir()}
	soon := time.Now().Add(-time.Minute + 8*time.Second) // the next copy is due a minute after it
	var there []string
	for _, at := range []time.Time{soon.Add(-2 * time.Hour), soon.Add(-time.Hour), soon} {
		there = append(there, b.path(at, 1))
		write(t, b.path(at, 1), "an earlier copy")
	}
	write(t, filepath.Join(b.dir, "timonier-mine.db"), "another file")
	s.options = []string{"--backup-dir", b.dir, "--backup-every", "1m", "--backup-keep", "2"}
	p = s.serve()
	enough := make(chan struct{})
	wait := learn(enough)
	copied := s.copied(b, there)
	close(enough)
	wait()
	if code := p.end(syscall.SIGTERM); code != exitOK { // it has dropped what it drops
		t.Errorf("code %d", code)
	}
	names, moment := b.names()
	if !slices.Equal(names, []string{there[2], copied}) {
		t.Errorf("it kept %q", names)
	}
	if mine, err := os.ReadFile(filepath.Join(b.dir, "timonier-mine.db")); string(mine) != "another file" {
		t.Errorf("%q, %v", mine, err)
	}
	verified(t, copied)

	s.data = filepath.Join(t.TempDir(), "restored.db")
	out, err := exec.CommandContext(s.ctx, s.program, "restore", copied, "--data", s.data).CombinedOutput()
	if err != nil {
		t.Fatalf("%s, %v", out, err)
	}
	s.options = nil
	p = s.serve()
	for _, c := range class {
		n := c.before(moment)
		t.Logf("%s: %d commands, %d of them answered before the copy", c.channel, c.asked, n)
		names, want := []string{"first"}, []string{"configmap/first"}
		for n := max(0, n-20); n < c.before(moment); n++ {
			names, want = append(names, fmt.Sprint("c", n)), append(want, fmt.Sprint("configmap/c", n))
		}
		if err := c.ask("get configmap "+strings.Join(names, " ")+" -o name", strings.Join(want, "\n")); err != nil {
			t.Error(err)
		}
	}
	if code := p.end(syscall.SIGTERM); code != exitOK {
		t.Errorf("code %d", code)
	}
}

// copied waits for a copy that was not there.
func (s *stage) copied(b backups, there []string) (path string) {
	s.t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		names, _ := b.names()
		if n := len(names); n > 0 && !slices.Contains(there, names[n-1]) {
			return names[n-1]
		}
		select {
		case <-tick.C:
		case <-s.ctx.Done():
			s.t.Fatal("no copy was made")
		}
	}
}
