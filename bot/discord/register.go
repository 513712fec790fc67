package discord

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
)

// Register gives Discord the tutor's commands, as far as they differ from those that it
// has: in the server of Config.Guild, or everywhere. Each change is written to w, one a
// line, where w is not nil; with dryRun nothing is sent. Where commands of Config.Guild are
// registered everywhere too, one more line says so, and how to remove the doubles, as far
// as that can be found out. Config.Token is required. It returns how many changes there are.
func Register(ctx context.Context, cfg Config, dryRun bool, w io.Writer) (changes int, err error) {
	if cfg.Token == "" {
		return 0, errors.New("discord: commands cannot be registered without a bot token")
	}
	b, err := New(cfg)
	if err != nil {
		return 0, err
	}
	defer b.client.http.CloseIdleConnections()
	return b.register(ctx, dryRun, w)
}

func (b *Bot) register(ctx context.Context, dryRun bool, w io.Writer) (int, error) {
	have, err := b.client.commands(ctx, b.cfg.Guild)
	if err != nil {
		return 0, fmt.Errorf("read commands: %w", err)
	}
	want := applicationCommands(b.commands, b.cfg.Tutor.Say, b.cfg.Guild == "")
	changes := difference(want, have)
	for _, c := range changes {
		if w == nil {
			break
		}
		if _, err := fmt.Fprintln(w, c); err != nil {
			return 0, fmt.Errorf("write difference: %w", err)
		}
	}
	if len(changes) > 0 && !dryRun {
		if err := b.apply(ctx, want, changes); err != nil {
			return 0, fmt.Errorf("register commands: %w", err)
		}
		b.log.Info("commands registered", "changes", len(changes))
	}
	if w != nil && b.cfg.Guild != "" {
		if err := b.tellDoubles(ctx, want, w); err != nil { // a note only: what was asked for is done
			b.log.Warn("tell of commands registered twice", "error", err)
		}
	}
	return len(changes), nil
}

// tellDoubles says how many of a server's commands its menu shows twice, because they are
// registered everywhere as well, where any is. They are not ours to remove: other servers
// may use them.
func (b *Bot) tellDoubles(ctx context.Context, want []command, w io.Writer) error {
	everywhere, err := b.client.commands(ctx, "")
	if err != nil {
		return fmt.Errorf("read commands of everywhere: %w", err)
	}
	count := 0
	for _, c := range everywhere {
		if slices.ContainsFunc(want, func(o command) bool { return keyOf(o) == keyOf(c) }) {
			count++
		}
	}
	if count == 0 {
		return nil
	}
	path, _ := b.client.commandsPath("")
	_, err = fmt.Fprintln(w, b.cfg.Tutor.Say(b.cfg.Locale, "discord.doubles", map[string]any{
		"Count": count, "Command": removeAll + b.address.of(path),
	}))
	return err
}

// removeAll is how a person removes all the commands that are at an address, which follows.
const removeAll = `curl -X PUT -H "Authorization: Bot $TIMONIER_DISCORD_TOKEN" -H "Content-Type: application/json" -d "[]" `

// few is how many changes are made one by one. Each is a request of a bucket that holds
// about five for as many seconds; more are made at once, by giving all the commands.
const few = 3

func (b *Bot) apply(ctx context.Context, want []command, changes []change) error {
	if len(changes) > few {
		return b.client.replace(ctx, b.cfg.Guild, want)
	}
	for _, c := range changes {
		if err := b.client.apply(ctx, b.cfg.Guild, c); err != nil {
			return err
		}
	}
	return nil
}

// keepRegistering tries to register until it succeeds, or is refused, or ctx ends. The
// first attempt is short, so that the log soon says what there is to wait for; the others
// wait as long as Discord asks. The error is final: the token is not accepted.
func (b *Bot) keepRegistering(ctx context.Context) error {
	first, cancel := context.WithTimeout(ctx, b.pace.register)
	_, err := b.register(first, false, nil)
	cancel()
	close(b.registered)
	for {
		switch {
		case err == nil || ctx.Err() != nil:
			return nil
		case isStatus(err, http.StatusUnauthorized):
			return fmt.Errorf("%s: %w", final[4004], err)
		}
		b.log.Error("register commands", "error", err) // those of before still work
		if !passing(err) || sleep(ctx, b.pace.register) != nil {
			return nil
		}
		_, err = b.register(ctx, false, nil)
	}
}
