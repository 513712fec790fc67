package slack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	slackgo "github.com/slack-go/slack"

	"timonier/bot"
)

var (
	_ bot.Speaker = (*App)(nil)
	_ bot.Prober  = (*App)(nil)
)

// Mute says why the app can only answer: never.
func (a *App) Mute() string { return "" }

// posted is the way back to what the app said.
type posted struct {
	Channel string `json:"c"`
	TS      string `json:"ts"`
}

// lost are the errors of a channel or a person that the app cannot write to, and will not be able
// to until somebody invites it.
//
// Source: https://docs.slack.dev/reference/methods/chat.postMessage#errors
var lost = []string{"channel_not_found", "not_in_channel", "is_archived", "user_not_found", "user_disabled", "users_not_found", "thread_not_found",
	"cannot_dm_bot", "messages_tab_disabled", "restricted_action", "restricted_action_read_only_channel", "restricted_action_thread_only_channel",
	"restricted_action_non_threadable_channel", "restricted_action_thread_locked", "team_access_not_granted", "team_not_found"}

// Speak writes a reply in a channel, a thread or a person's private messages, or changes what it
// wrote there. It may be called before Run and while it ends.
func (a *App) Speak(ctx context.Context, to bot.To, shown json.RawMessage, r bot.Reply) (json.RawMessage, error) {
	p := a.saying(to)
	if to.Channel == "" && to.Person == "" {
		return nil, fmt.Errorf("%w: no channel is named", bot.ErrUnreachable)
	}
	if shown != nil {
		var at posted
		if err := json.Unmarshal(shown, &at); err == nil {
			p.where, p.ts = at.Channel, at.TS
		}
	}
	m, files := render(a.dialect.reply(r), a.sayer(p.k))
	if len(files) > mostUploads {
		files = files[:mostUploads]
	}
	if err := p.show(ctx, m, false); err != nil {
		return nil, unspoken(err)
	}
	// What follows may fail: the words are said, and are not said again.
	if len(files) > 0 {
		a.adorn(ctx, p, m, files, r)
	}
	if p.ts == "" {
		return nil, nil // it cannot be found again
	}
	return json.Marshal(posted{p.where, p.ts})
}

// saying is a parcel that answers nobody: it goes to the channel or the person, and nowhere else.
func (a *App) saying(to bot.To) *parcel {
	channel, thread, _ := strings.Cut(to.Channel, ":")
	k := &ask{
		request: bot.Request{Tenant: to.Tenant, Locale: to.Locale},
		way:     way{User: to.Person, Channel: channel, Thread: thread, Own: private(channel)},
	}
	p := a.parcelOf(k)
	p.routes = []route{p.post}
	if to.Person != "" {
		k.way.Channel, k.way.Thread, k.way.Own = "", "", true
		p.routes = []route{p.write}
	}
	return p
}

// unspoken is why nothing was said, in the tutor's terms.
func unspoken(err error) error {
	said := code(err)
	switch {
	case errors.Is(err, errNoWay), slices.Contains(lost, said):
		return fmt.Errorf("%w: %w", bot.ErrUnreachable, err)
	case said == "", slices.Contains(passing, said), slices.Contains(refusals, said):
		return errors.New(harmless(err)) // a token may be put right
	}
	return fmt.Errorf("%w: %w", bot.ErrRefused, err)
}

// adorn adds the pictures to what is said, and shares the files that go with it.
func (a *App) adorn(ctx context.Context, p *parcel, m message, files []upload, r bot.Reply) {
	var left []upload
	for _, f := range files {
		if !f.Picture {
			left = append(left, f)
		}
	}
	var err error
	if len(left) < len(files) && p.ts != "" {
		var lost []upload
		lost, _, err = p.illustrate(ctx, m, files)
		left = append(left, lost...)
	}
	if err == nil {
		p.direct = p.where // of private messages; nothing is shared there else
		err = p.share(ctx, left, r)
	}
	if err != nil && ctx.Err() == nil {
		a.log.ErrorContext(ctx, "file not shared", "error", harmless(err))
		a.cfg.Metrics.Failed(platform, "delivery")
	}
}

// Probe finds out whether the app may write in a channel. It may not know: it needs the scopes
// channels:read and groups:read.
func (a *App) Probe(ctx context.Context, to bot.To) error {
	channel, _, _ := strings.Cut(to.Channel, ":")
	if channel == "" || private(channel) || to.Person != "" {
		return nil
	}
	info, err := a.api.GetConversationInfoContext(ctx, &slackgo.GetConversationInfoInput{ChannelID: channel})
	switch {
	case slices.Contains(lost, code(err)):
		return fmt.Errorf("%w: %w", bot.ErrUnreachable, err)
	case err != nil:
		a.log.InfoContext(ctx, "cannot find out whether the channel can be written to", "error", harmless(err))
		return nil
	case info.IsArchived || !info.IsMember && !info.IsIM && !info.IsMpIM:
		return fmt.Errorf("%w: the app is no member of the channel", bot.ErrUnreachable)
	}
	return nil
}
