package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"timonier/bot"
	"timonier/bot/discord/discordtest"
	"timonier/bot/store"
)

// TestStop tells the built program to stop at the worst moments.
func TestStop(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program, and writes much")
	}
	program := buildProgram(t)
	for name, test := range map[string]func(*testing.T, string){
		"under load":         stoppedUnderLoad,
		"while it starts":    stoppedWhileItStarts,
		"while it connects":  stoppedWhileItConnects,
		"while it backs up":  stoppedWhileItBacksUp,
		"while it compacts":  stoppedWhileItCompacts,
		"waiting for a file": stoppedWaitingForAFile,
	} {
		t.Run(name, func(t *testing.T) { test(t, program) })
	}
}

// learner types one command after the other in a channel of their own, and waits for each answer.
type learner struct {
	stage   *stage
	channel string
	who     discordtest.Person
	asked   int
}

// pace is what a quick learner leaves between an answer and the next command.
const pace = 50 * time.Millisecond

// learn goes on until nobody is to begin anything new.
func (l *learner) learn(enough <-chan struct{}, answered func()) error {
	tick := time.NewTicker(pace)
	defer tick.Stop()
	for {
		select {
		case <-enough:
			return nil
		case <-tick.C:
		}
		if err := l.ask(fmt.Sprintf("create configmap c%d", l.asked), fmt.Sprintf("configmap/c%d created", l.asked)); err != nil {
			return err
		}
		l.asked++
		answered()
	}
}

// ask types a command and waits for its answer: in its own message, or in the channel where that was too late.
func (l *learner) ask(words, want string) error {
	i := kubectl(words)
	i.Where, i.Who = discordtest.Place{Channel: l.channel}, l.who
	e := l.stage.discord.Interact(l.stage.ctx, i)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !strings.Contains(e.Message().Text(), want) {
		if slices.ContainsFunc(l.stage.discord.Sent(l.channel), func(m discordtest.Message) bool { return strings.Contains(m.Text(), want) }) {
			return nil
		}
		select {
		case <-tick.C:
		case <-l.stage.ctx.Done():
			return fmt.Errorf("%s: %s was never answered; there is %q", l.channel, words, e.Message().Text())
		}
	}
	return nil
}

// stoppedUnderLoad: told to stop while eight people work, the program ends well and in time; the next
// one goes on with the session, and each command is done once, those of between included.
func stoppedUnderLoad(t *testing.T, program string) {
	s := newStage(t, program)
	p := s.serve()
	s.connected()
	enough := make(chan struct{})
	var mu sync.Mutex
	done, waiting := 0, map[int]chan struct{}{}
	answered := func() {
		mu.Lock()
		defer mu.Unlock()
		if done++; waiting[done] != nil {
			close(waiting[done])
		}
	}
	after := func(more int) <-chan struct{} { // more answers
		mu.Lock()
		defer mu.Unlock()
		c := make(chan struct{})
		waiting[done+more] = c
		return c
	}
	wait := func(c <-chan struct{}) {
		t.Helper()
		select {
		case <-c:
		case <-s.ctx.Done():
			t.Fatal("too few answers")
		}
	}
	var class []*learner
	var learning sync.WaitGroup
	failed := make(chan error, 8)
	warm := after(24)
	for n := range 8 {
		l := &learner{stage: s, channel: fmt.Sprintf("70000000000000000%d", n), who: discordtest.Person{ID: fmt.Sprintf("80000000000000000%d", n), Name: fmt.Sprint("p", n)}}
		class = append(class, l)
		learning.Go(func() { failed <- l.learn(enough, answered) })
	}
	wait(warm)
	began := time.Now()
	if code := p.end(syscall.SIGTERM); code != exitOK || time.Since(began) > grace+time.Second {
		t.Errorf("told to stop: code %d after %v", code, time.Since(began))
	}
	t.Logf("stopped after %v", time.Since(began).Round(time.Millisecond))
	verified(t, s.data)
	next := after(16)
	p = s.serve() // what was asked in between is what those eight wait for
	wait(next)
	close(enough)
	learning.Wait()
	for range class {
		if err := <-failed; err != nil {
			t.Error(err)
		}
	}
	for _, l := range class {
		var names []string
		for n := range l.asked {
			names = append(names, fmt.Sprintf("configmap/c%d", n))
		}
		slices.Sort(names)
		if err := l.ask("get configmaps -o name", strings.Join(names, "\n")); err != nil {
			t.Error(err)
		}
	}
	if i, r := s.discord.Identifies(), s.discord.Resumes(); i != 1 || r != 1 {
		t.Errorf("%d IDENTIFYs, %d RESUMEs", i, r)
	}
	if strings.Contains(s.written.String(), "level=ERROR") {
		t.Error("errors in the log")
	}
	if code := p.end(syscall.SIGTERM); code != exitOK {
		t.Errorf("code %d", code)
	}
	verified(t, s.data)
}

func verified(t *testing.T, data string) store.Summary {
	t.Helper()
	sum, err := store.Verify(t.Context(), data, store.Options{}, func(f store.Finding) {
		if f.Damage() {
			t.Errorf("%s: %+v", data, f)
		}
	})
	if err != nil {
		t.Errorf("%s: %v", data, err)
	}
	return sum
}

// told runs the program and has it told to stop when it writes a line with the text, or at is closed.
func (s *stage) told(text string, at <-chan struct{}, args ...string) (code int) {
	s.t.Helper()
	cmd := exec.CommandContext(s.ctx, s.program, args...)
	seen := make(chan struct{})
	var once sync.Once
	cmd.Env, cmd.Stdout = s.env(), &s.written
	cmd.Stderr = io.MultiWriter(&s.written, writer(func(p []byte) {
		if text != "" && bytes.Contains(p, []byte(text)) {
			once.Do(func() { close(seen) })
		}
	}))
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	began := time.Now()
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	var err error
	select {
	case err = <-ended: // by itself
	case <-seen:
		began = time.Now()
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended
		err = <-ended
	case <-at:
		began = time.Now()
		_ = cmd.Process.Signal(syscall.SIGTERM)
		err = <-ended
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		s.t.Fatal(err)
	}
	if took := time.Since(began); took > grace+time.Second {
		s.t.Errorf("%v: ended after %v", args, took)
	}
	return cmd.ProcessState.ExitCode()
}

// writer is a function that is written to.
type writer func([]byte)

func (w writer) Write(p []byte) (int, error) { w(p); return len(p), nil }

func stoppedWhileItStarts(t *testing.T, program string) {
	s := newStage(t, program)
	for _, moment := range []string{"msg=starting", "msg=serving"} {
		if code := s.told(moment, nil, "serve", "--listen", "127.0.0.1:0", "--data", s.data); code != exitOK {
			t.Errorf("at %s: code %d", moment, code)
		}
		if _, err := os.Stat(s.data); err == nil {
			verified(t, s.data)
		}
	}
}

// stoppedWhileItConnects: a platform that does not answer keeps nobody.
func stoppedWhileItConnects(t *testing.T, program string) {
	s := newStage(t, program)
	hold, asked := make(chan struct{}), make(chan struct{}, 1)
	defer close(hold)
	s.discord.Inject(discordtest.Trouble{Match: "GET /gateway/bot", Hold: hold, Arrived: asked})
	release := s.slack.Hold("auth.test")
	defer release()
	at := make(chan struct{})
	go func() {
		<-asked
		close(at)
	}()
	if code := s.told("", at, "serve", "--listen", "127.0.0.1:0", "--data", s.data); code != exitOK {
		t.Errorf("code %d", code)
	}
	verified(t, s.data)
}

// large makes a data file that takes a while to copy.
func large(t *testing.T, path string) {
	t.Helper()
	file, err := store.Open(t.Context(), path, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	value := bytes.Repeat([]byte("timonier "), 1<<20/9)
	for n := range 24 {
		if err := file.Commit(t.Context(), bot.Commit{Writes: []bot.Write{{
			Scope:   bot.Scope{Platform: "discord", Tenant: "1", Channel: fmt.Sprint(n)},
			Changes: []bot.Record{{Key: "text", Value: value}},
		}}}); err != nil {
			t.Fatal(err)
		}
	}
}

// stoppedWhileItBacksUp: what has a backup's name is one, and nothing else is left there.
func stoppedWhileItBacksUp(t *testing.T, program string) {
	s := newStage(t, program)
	large(t, s.data)
	dir := t.TempDir()
	if code := s.told("", appears(s.ctx, dir, 1), "serve", "--listen", "127.0.0.1:0", "--data", s.data, "--backup-dir", dir); code != exitOK {
		t.Errorf("code %d", code)
	}
	found, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		if !strings.HasPrefix(f.Name(), backupPrefix) || !strings.HasSuffix(f.Name(), backupSuffix) {
			t.Errorf("%s is left", f.Name())
			continue
		}
		verified(t, filepath.Join(dir, f.Name()))
	}
	t.Logf("%d backups", len(found))
	verified(t, s.data)
}

// appears is closed when there are more than a number of files in a directory.
func appears(ctx context.Context, dir string, most int) <-chan struct{} {
	there := make(chan struct{})
	go func() {
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for {
			if found, _ := os.ReadDir(dir); len(found) >= most {
				close(there)
				return
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
	}()
	return there
}

// stoppedWhileItCompacts: the file is the one of before, or the new one; nothing is lost.
func stoppedWhileItCompacts(t *testing.T, program string) {
	s := newStage(t, program)
	large(t, s.data)
	before := verified(t, s.data)
	code := s.told("", appears(s.ctx, filepath.Dir(s.data), 2), "compact", "--data", s.data)
	if after := verified(t, s.data); after.Records != before.Records || after.Channels != before.Channels {
		t.Errorf("code %d; before: %+v, after: %+v", code, before, after)
	}
	t.Logf("code %d", code)
	if code != exitOK {
		if found, _ := os.ReadDir(filepath.Dir(s.data)); len(found) != 1 {
			t.Errorf("left: %v", found)
		}
	}
}

// stoppedWaitingForAFile: another process has it, and the program is told to stop before that ends.
func stoppedWaitingForAFile(t *testing.T, program string) {
	s := newStage(t, program)
	file, err := store.Open(t.Context(), s.data, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if code := s.told("msg=starting", nil, "serve", "--listen", "127.0.0.1:0", "--data", s.data); code != exitOK && code != exitFailed {
		t.Errorf("code %d", code)
	}
}
