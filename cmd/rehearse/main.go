// Command rehearse shows the bot at work without an account anywhere: it plays a Discord and a Slack
// on loopback, prints what to export for "timonier serve", then reads lines of what made-up
// people do (discord /kubectl get pods, slack click 2) and prints what the bot answers. It is
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
	"sync"
	"time"

	"timonier/bot/discord/discordtest"
	"timonier/bot/slack/slacktest"
)

// How long an answer may take to begin, and how long nothing must come after the last line before
// the program ends (an answer that goes on changes once a second).
const (
	mostWait  = 20 * time.Second
	quietWait = 1500 * time.Millisecond
)

const usage = `
# Paste the lines above into a second terminal (they are others at each start), and start the bot there:
#   timonier serve --data /tmp/rehearsal.db        (a file of its own, so that yours stays as it is)
# Then type lines here:
#   discord /kubectl get pods     a command; words fill its options in order, or write name:value
#   slack /timonier cours 3       Slack has /timonier, /kubectl and /quiz
#   discord click 2               press the second button of the last message there that has buttons
#   slack submit TEXT             send the form that is open, with TEXT (\n is a line break)
#   as teacher, as NAME           who acts from here on: the teacher, or a student (ana at first)
#   locale en-US, locale fr       the language of that person's Discord and Slack
#   dm, channel                   where: alone with the bot, or in the class's channel
#                                 (what the bot says there by itself, as a quiz's questions, is shown as it comes)
#   quit
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

// platform is one where people act.
type platform interface {
	connected(ctx context.Context) error
	do(ctx context.Context, s scene, line string) (answer, error)
	posted() []message // in the class's channel, of the bot, as they stand
}

// everySoon is how often it is looked for what the bot says unasked.
const everySoon = 300 * time.Millisecond

// watch shows what the bot says in the class's channel without being asked: a quiz's questions, the
// day's, what becomes of them. What has just come may be an answer, which is shown as such: it waits
// for the next look.
func (r *rehearsal) watch(ctx context.Context) {
	before := map[string]string{}
	for {
		select {
		case <-time.After(everySoon):
		case <-ctx.Done():
			return
		}
		for _, p := range []platform{r.platforms["discord"], r.platforms["slack"]} {
			for _, m := range p.posted() {
				key, text := m.key(), m.text()
				if before[key] == text {
					r.screen.unasked(m)
				}
				before[key] = text
			}
		}
	}
}

// answer gives what the bot shows, message by message; one without an ID is nothing to show.
type answer func(ctx context.Context) (message, error)

// rehearsal is the stage: its platforms, who acts, and what has been shown.
type rehearsal struct {
	platforms map[string]platform
	scene     scene
	screen    *screen
	follow    sync.WaitGroup // of the answers, which may go on while other lines are typed
}

// run plays both platforms until the input or the context ends; after the input's end it waits until
// nothing has come for as long as quiet.
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
	fmt.Fprint(out, usage)
	s := newScreen(out)
	if s.dir, err = os.MkdirTemp("", "rehearse-"); err != nil {
		return fmt.Errorf("make directory for files: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(s.dir)) }()
	r := &rehearsal{scene: newScene(), screen: s, platforms: map[string]platform{
		"discord": &onDiscord{server: discord, screen: s},
		"slack":   &inSlack{server: slack, screen: s},
	}}
	ctx, cancel := context.WithCancel(ctx)
	defer r.follow.Wait()
	defer cancel()
	r.follow.Go(func() { r.watch(ctx) })
	for lines := read(in); ; {
		var line string
		var more bool
		select {
		case line, more = <-lines:
		case <-ctx.Done():
		}
		if !more && ctx.Err() == nil {
			s.settle(ctx, quiet)
		}
		if !more || line == "quit" {
			break
		}
		if err := r.play(ctx, line); err != nil && ctx.Err() == nil {
			s.say("! " + err.Error())
		}
	}
	for _, fault := range append(discord.Faults(), slack.Faults()...) {
		s.say("! broken rule: " + fault)
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

// play does one line and waits until the answer begins; the rest of it is shown as it comes.
func (r *rehearsal) play(ctx context.Context, line string) error {
	if line == "" || strings.HasPrefix(line, "#") {
		return nil
	}
	where, what, _ := strings.Cut(line, " ")
	now, err := r.scene.change(where, strings.TrimSpace(what))
	if err != nil {
		return err
	}
	if now != "" {
		r.screen.say("now " + now)
		return nil
	}
	p := r.platforms[where]
	if p == nil || what == "" {
		return errors.New("begin with discord or slack, then a /command, click N or submit TEXT; or with as, locale, dm, channel, quit")
	}
	soon, cancel := context.WithTimeout(ctx, mostWait)
	defer cancel()
	if err := p.connected(soon); err != nil {
		return fmt.Errorf("the bot is not connected to %s: %w", where, err)
	}
	r.screen.forget()
	next, err := p.do(ctx, r.scene, strings.TrimSpace(what))
	if err != nil {
		return err
	}
	failed := make(chan error, 1)
	r.follow.Go(func() {
		for {
			m, err := next(ctx)
			if err != nil {
				failed <- err
				return
			}
			r.screen.show(m)
		}
	})
	select {
	case <-r.screen.answered:
		return nil
	case err = <-failed:
	case <-soon.Done():
		err = soon.Err()
	}
	return fmt.Errorf("no answer: %w", err)
}

// number is the N-th of several, counted from 1.
func number(word string, of int) (int, error) {
	n, err := strconv.Atoi(word)
	if err != nil || n < 1 || n > of {
		return 0, fmt.Errorf("buttons to press: %d", of)
	}
	return n - 1, nil
}
