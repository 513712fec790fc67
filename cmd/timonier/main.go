// Command timonier is the tutor: a chat in the terminal where there is one, a
// script runner where lines come from a pipe. It wires the packages together and
// does nothing itself.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

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
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Environ(), os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is the program. It returns its exit code.
func run(ctx context.Context, args, env []string, stdin io.Reader, stdout, stderr io.Writer) int {
	cfg, say, code, ok := parse(args, env, stdout, stderr)
	if !ok {
		return code
	}
	file, err := store.Open(ctx, cfg.data, store.Options{})
	if err != nil {
		fmt.Fprintln(stderr, refusal(say, cfg.data, err))
		return exitFailed
	}
	tutor := bot.New(bot.Config{
		Store: file,
		// A terminal scrolls: nothing has to be cut out of a long answer.
		Limits: bot.Limits{Output: 1 << 20},
	})
	session := &terminal.Session{
		Tutor: tutor, Who: bot.Person{ID: "me"}, Locale: cfg.lang, Words: say.word,
		Run: strconv.FormatInt(time.Now().UnixNano(), 36),
	}
	failed, err := converse(ctx, session, env, stdin, stdout)
	err = errors.Join(err, tutor.Close(), file.Close())
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
	in, isFile := stdin.(*os.File)
	out, outIsFile := stdout.(*os.File)
	if isFile && outIsFile && term.IsTerminal(in.Fd()) && term.IsTerminal(out.Fd()) {
		return false, s.Chat(ctx, in, out, env)
	}
	failed, err = s.Script(ctx, stdin, stdout)
	if ctx.Err() != nil {
		return failed, nil // told to stop
	}
	return failed, err
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
		{store.ErrReadOnly, "program.readonly"},
	} {
		if errors.Is(err, r.is) {
			return say.sentence(r.id, map[string]any{"Path": path, "Error": err})
		}
	}
	return say.sentence("program.nofile", map[string]any{"Path": path, "Error": err})
}
