package discord

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"timonier/bot"
)

var _ bot.Speaker = (*Bot)(nil)

// Mute says why the bot can only answer; empty: it can say what no interaction asked for.
func (b *Bot) Mute() string {
	if b.cfg.Token == "" {
		return "there is no bot token"
	}
	return ""
}

// posted is the way back to what the bot said in a channel.
type posted struct {
	Channel string `json:"channel"`
	Message string `json:"message"`
}

// Speak posts a reply in a channel, or in the private messages with a person, or edits what it
// has posted there. It needs the bot's token, and may be called before Run and while it ends.
func (b *Bot) Speak(ctx context.Context, to bot.To, shown json.RawMessage, r bot.Reply) (json.RawMessage, error) {
	var before posted
	if shown != nil {
		if err := json.Unmarshal(shown, &before); err != nil || !snowflake.MatchString(before.Channel) || !snowflake.MatchString(before.Message) {
			before = posted{}
		}
	}
	m, files := b.spoken(to, r)
	way, err := b.put(ctx, to, before, m, files)
	if refused(err) {
		b.log.Error("discord refuses what was rendered", "error", err)
		m, files = artless(r, b.say(to.Locale))
		way, err = b.put(ctx, to, before, m, files)
	}
	switch {
	case err == nil:
		return json.Marshal(way)
	case refused(err):
		return nil, fmt.Errorf("%w: %w", bot.ErrRefused, err)
	case lost(err):
		return nil, fmt.Errorf("%w: %w", bot.ErrUnreachable, err)
	}
	return nil, err
}

// spoken renders what is said; what the renderer stumbles over is said plainly.
func (b *Bot) spoken(to bot.To, r bot.Reply) (m message, files []upload) {
	defer func() {
		if v := recover(); v != nil {
			b.stumbled(to.Once, v)
			m, files = artless(r, b.say(to.Locale))
		}
	}()
	return render(r, b.say(to.Locale))
}

// put edits what was posted before, or posts anew where there is nothing or it is gone.
func (b *Bot) put(ctx context.Context, to bot.To, before posted, m message, files []upload) (posted, error) {
	if before.Message != "" {
		_, err := b.client.edit(ctx, before.Channel, before.Message, m, files)
		if err == nil {
			return before, nil
		}
		if !isCode(err, unknownMessage, foreignMessage, archivedThread) {
			return posted{}, err
		}
		b.log.Info("what was said is gone, and is said anew", "because", err)
	}
	channel := to.Channel
	if to.Person != "" {
		if !snowflake.MatchString(to.Person) {
			return posted{}, errNobody
		}
		var err error
		if channel, err = b.client.direct(ctx, to.Person); err != nil {
			return posted{}, err
		}
	}
	if !snowflake.MatchString(channel) {
		return posted{}, errNobody
	}
	at, err := b.client.post(ctx, channel, to.Once, m, files)
	return posted{channel, at.ID}, err
}

// errNobody is a channel or a person that is none of Discord's.
var errNobody = errors.New("there is no such channel or person on Discord")

// refused says that Discord takes no such message, from whomever.
func refused(err error) bool {
	return isStatus(err, http.StatusBadRequest) || isStatus(err, http.StatusRequestEntityTooLarge)
}

// lost says that an error will not pass: the channel is gone, the bot may not write there, the
// person takes no message of it. A refusal without Discord's own code may be a proxy's, and pass.
func lost(err error) bool {
	var e *apiError
	if errors.As(err, &e) {
		return e.code != 0 && (e.status == http.StatusForbidden || e.status == http.StatusNotFound)
	}
	return errors.Is(err, errNobody) || errors.Is(err, errNoToken)
}

// Permissions that the bot needs to say something by itself (topics/permissions).
const (
	viewChannel   = 1 << 10
	sendMessages  = 1 << 11
	sendInThreads = 1 << 38
)

// mute says that the bot can say nothing here but in answer: it is not in the server, or may not
// write in the channel, or the conversation is between other people. Where Discord does not tell,
// it is taken to be able to.
func (e event) mute() bool {
	if e.GuildID == "" {
		return e.Context != nil && *e.Context != contextBot
	}
	if _, installed := e.Owners["0"]; len(e.Owners) > 0 && !installed {
		return true // somebody brought it along for themselves
	}
	bits, err := strconv.ParseUint(e.AppPermissions, 10, 64)
	if err != nil || bits&administrator != 0 {
		return false
	}
	needed := uint64(viewChannel | sendMessages)
	if e.Channel != nil && e.Channel.thread() {
		needed = viewChannel | sendInThreads
	}
	return bits&needed != needed
}
