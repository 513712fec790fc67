// Command rehearse shows the bot at work without an account anywhere: it plays a Discord and a Slack
// on loopback, prints what to export for "timonier serve", then reads lines of what a made-up
// person does (discord /kubectl get pods, slack click 2) and prints what the bot answers. It is
// for trying things out; it will not reach any network, and keeps nothing.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"time"

	"timonier/bot/discord/discordtest"
	"timonier/bot/slack/slacktest"
)

// How long to wait for an answer to begin, and for it to go on.
const (
	mostWait  = 20 * time.Second
	quietWait = 1500 * time.Millisecond // an answer that goes on changes once a second
)

const usage = `Lines to type, once "timonier serve" runs with the variables above:
  discord /kubectl get pods        a command on Discord (more options as name:value)
  slack /timonier cours            a command in Slack
  discord click 2                  press the second button of the last answer there
  slack submit TEXT                send the form that is open, with TEXT (\n is a line break)
  quit
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Stdin, os.Stdout, quietWait)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// person is somebody at one platform.
type person interface {
	connected(ctx context.Context) error
	do(ctx context.Context, line string) (answer, error)
}

// answer gives what the bot shows, piece by piece; an empty piece is nothing to show yet.
type answer func(ctx context.Context) (string, error)

// run plays both platforms until the input or the context ends. An answer is over when nothing of it
// has come for as long as quiet.
func run(ctx context.Context, in io.Reader, out io.Writer, quiet time.Duration) (err error) {
	discord, err := discordtest.Start(discordtest.Config{})
	if err != nil {
		return fmt.Errorf("start Discord's stand-in: %w", err)
	}
	defer func() { err = errors.Join(err, discord.Close()) }()
	slack, err := slacktest.Start(slacktest.Config{})
	if err != nil {
		return fmt.Errorf("start Slack's stand-in: %w", err)
	}
	defer func() { err = errors.Join(err, slack.Close()) }()

	made := slack.Config()
	for _, v := range [][2]string{
		{"DISCORD_TOKEN", discord.Token()}, {"DISCORD_APP_ID", discord.ApplicationID()}, {"DISCORD_PUBLIC_KEY", discord.PublicKey()},
		{"DISCORD_API_URL", discord.URL()},
		{"SLACK_BOT_TOKEN", made.BotToken}, {"SLACK_APP_TOKEN", made.AppToken}, {"SLACK_SIGNING_SECRET", made.SigningSecret},
		{"SLACK_API_URL", slack.URL()},
	} {
		fmt.Fprintf(out, "export TIMONIER_%s='%s'\n", v[0], v[1])
	}
	fmt.Fprint(out, "\n", usage)
	people := map[string]person{"discord": &onDiscord{server: discord}, "slack": &inSlack{server: slack}}
	lines := read(in)
	for {
		var line string
		var more bool
		select {
		case line, more = <-lines:
		case <-ctx.Done():
		}
		if !more || line == "quit" {
			break
		}
		if err := play(ctx, people, line, out, quiet); err != nil {
			fmt.Fprintln(out, "!", err)
		}
	}
	for _, fault := range append(discord.Faults(), slack.Faults()...) {
		fmt.Fprintln(out, "! broken rule:", fault)
	}
	return nil
}

// read gives the lines as they come. A read that waits cannot be called off: it ends with the program.
func read(in io.Reader) <-chan string {
	lines := make(chan string)
	go func() {
		defer close(lines)
		for s := bufio.NewScanner(in); s.Scan(); {
			lines <- strings.TrimSpace(s.Text())
		}
	}()
	return lines
}

// play does one line and prints what comes of it, until nothing more comes.
func play(ctx context.Context, people map[string]person, line string, out io.Writer, quiet time.Duration) error {
	if line == "" {
		return nil
	}
	where, what, _ := strings.Cut(line, " ")
	p := people[where]
	if p == nil || what == "" {
		return errors.New("begin with discord or slack, then a /command, click N or submit TEXT")
	}
	ctx, cancel := context.WithTimeout(ctx, mostWait)
	defer cancel()
	if err := p.connected(ctx); err != nil {
		return fmt.Errorf("the bot is not connected to %s: %w", where, err)
	}
	next, err := p.do(ctx, what)
	if err != nil {
		return err
	}
	for shown := false; ; {
		wait := ctx
		if shown {
			var done context.CancelFunc
			wait, done = context.WithTimeout(ctx, quiet)
			defer done()
		}
		text, err := next(wait)
		switch {
		case err != nil && shown:
			return nil // quiet
		case err != nil:
			return fmt.Errorf("no answer: %w", err)
		case text != "":
			shown = true
			fmt.Fprintf(out, "--- %s\n%s\n", where, strings.TrimRight(text, "\n"))
		}
	}
}

// number is the N-th of several, counted from 1.
func number(word string, of int) (int, error) {
	n, err := strconv.Atoi(word)
	if err != nil || n < 1 || n > of {
		return 0, fmt.Errorf("there are %d buttons to press", of)
	}
	return n - 1, nil
}

// shown is a message or a form as text: who sees it, the words, the buttons numbered, the files.
func shown(kind, words string, buttons, files []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "(%s)\n%s\n", kind, words)
	for i, label := range buttons {
		fmt.Fprintf(&b, "[%d %s] ", i+1, label)
	}
	for _, name := range files {
		fmt.Fprintf(&b, "\n+ %s", name)
	}
	return b.String()
}
