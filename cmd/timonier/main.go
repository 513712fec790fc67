// Command timonier is the tutor: a chat in the terminal where there is one, a
// script runner where lines come from a pipe, and with its subcommand serve a bot on
// Discord and in Slack. It wires the packages together and does nothing itself.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
	_ "time/tzdata" // a machine may know no time zones, and a class has one

	"github.com/charmbracelet/x/term"

	"timonier/bot"
	"timonier/bot/store"
	"timonier/bot/terminal"
)

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1 // a command of a script failed, or the program could not go on
	exitUsage  = 2
)

func main() {
	ctx, cancel := context.WithCancel(context.Background())
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, os.Interrupt, syscall.SIGTERM)
	go func() { // until the program ends
		<-asked
		cancel()
		again := <-asked
		signal.Reset(os.Interrupt, syscall.SIGTERM)
		atOnce(again)
	}()
	os.Exit(run(ctx, os.Args[1:], os.Environ(), os.Stdin, os.Stdout, os.Stderr))
}

// lastWords is how long the program takes to say that it ends at once.
const lastWords = 200 * time.Millisecond

// atOnce ends the program, told twice to stop, as the second signal would have: nobody who asks twice waits.
func atOnce(signal os.Signal) {
	said := make(chan struct{})
	go func() {
		defer close(said)
		fmt.Fprintln(os.Stderr, newVoice(langOfWords(os.Args[1:], os.Environ())).word("program.atonce"))
	}()
	select {
	case <-said:
	case <-time.After(lastWords): // nobody reads it
	}
	if self, err := os.FindProcess(os.Getpid()); err == nil && self.Signal(signal) == nil {
		time.Sleep(lastWords)
	}
	os.Exit(exitFailed)
}

// langOfWords is the language that the words of a command line ask for, of whatever subcommand.
func langOfWords(args, env []string) string {
	for i, word := range args {
		name, value, given := strings.Cut(strings.TrimLeft(word, "-"), "=")
		if name != "lang" || !strings.HasPrefix(word, "-") {
			continue
		}
		if !given && i+1 < len(args) {
			value = args[i+1]
		}
		if lang := ours(value); lang != "" {
			return lang
		}
	}
	return langOf(env)
}

// run is the program. It returns its exit code.
func run(ctx context.Context, args, env []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if c, rest, ok := subcommandOf(args); ok {
		return c.run(ctx, invocation{rest, env, stdin, stdout, stderr})
	}
	cfg, say, code, ok := parse(args, env, stdout, stderr)
	if !ok {
		return code
	}
	course, watch, err := openCourse(cfg.content)
	if err != nil {
		fmt.Fprintln(stderr, err)
		fmt.Fprintln(stderr, say.sentence("check.refused", map[string]any{"Path": cfg.content}))
		return exitFailed
	}
	file, err := store.Open(ctx, cfg.data, store.Options{Migrating: telling(say, stderr)})
	if err != nil {
		fmt.Fprintln(stderr, refusal(say, cfg.data, err))
		return exitFailed
	}
	log := newJournal(cfg.data)
	tutor := bot.New(bot.Config{
		Store:   file,
		Content: course,
		Logger:  log.logger(),
		// A terminal scrolls, and has nowhere to offer a file: nothing is cut out of a long answer.
		Limits: bot.Limits{Output: 1 << 30, Rates: bot.Unlimited()},
	})
	session := &terminal.Session{
		Tutor: tutor, Who: bot.Person{ID: "me"}, Locale: cfg.lang, Words: say.word, Voice: tutor,
		Run: strconv.FormatInt(time.Now().UnixNano(), 36),
	}
	stop := func() {}
	if watch != nil {
		watch.tutor, watch.logger = tutor, log.logger()
		stop = watch.follow(ctx)
	}
	failed, err := converse(ctx, session, env, stdin, stdout)
	stop()
	err = errors.Join(err, tutor.Close(), file.Close(), log.Close())
	if err != nil {
		fmt.Fprintln(stderr, say.sentence("program.failed", map[string]any{"Error": err}))
		return exitFailed
	}
	if failed {
		return exitFailed
	}
	return exitOK
}

// converse chats where a person sits, and runs a script where lines come from elsewhere.
func converse(ctx context.Context, s *terminal.Session, env []string, stdin io.Reader, stdout io.Writer) (failed bool, err error) {
	person := isTerminal(stdin) && isTerminal(stdout)
	if person && lookup(env, "TERM") != "dumb" {
		return false, s.Chat(ctx, stdin, stdout, env)
	}
	type result struct {
		failed bool
		err    error
	}
	done := make(chan result, 1)
	go func() {
		if person {
			done <- result{false, s.Lines(ctx, stdin, stdout)}
			return
		}
		failed, err := s.Script(ctx, stdin, stdout)
		done <- result{failed, err}
	}()
	select {
	case r := <-done:
		if ctx.Err() == nil {
			return r.failed, r.err
		}
	case <-ctx.Done():
		// Told to stop. Whoever waits for the next line cannot be called off: it ends with the
		// program. An answer that was begun is waited for by Close.
	}
	return !person, nil // a script that was cut short did not do what it was asked
}

func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(f.Fd())
}

// refusal says in the person's language why the data file cannot be used, and what to do.
func refusal(say voice, path string, err error) string {
	for _, r := range []struct {
		is error
		id string
	}{
		{store.ErrLocked, "program.locked"},
		{store.ErrNewer, "program.newer"},
		{store.ErrDamaged, "program.damaged"},
		{store.ErrForeign, "program.foreign"},
		{store.ErrFull, "keep.full"},
		{store.ErrReadOnly, "program.readonly"},
	} {
		if errors.Is(err, r.is) {
			if info, err := os.Stat(path); r.is == store.ErrForeign && err == nil && info.IsDir() {
				r.id = "keep.directory"
			}
			return say.sentence(r.id, map[string]any{"Path": path, "File": filepath.Join(path, dataName)})
		}
	}
	var system *fs.PathError // says it shortest
	if errors.As(err, &system) {
		err = system.Err
	}
	return say.sentence("program.nofile", map[string]any{"Path": path, "Error": err})
}
