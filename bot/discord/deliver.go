package discord

import (
	"context"
	"errors"
	"net/http"
	"time"

	"timonier/bot"
)

// road is a way to show a reply. They are tried in the order of the table in after.
type road int

// The roads.
const (
	byToken   road = iota // change the message, by the interaction's token
	instead               // take back the first response, and again: it was for all, and the answer is for the person alone
	again                 // a new message by that token: the one before has been deleted
	byBot                 // change the message, by the bot's token
	inChannel             // a new message of the bot's in the channel
	inDirect              // a private message to the person
	nowhere
)

// trail is where an answer is shown: the road it has taken, and the message it is in.
type trail struct {
	road    road
	message string // of the interaction: "@original", or a later message's ID
	channel string // where the bot can find the message
	posted  string // its ID there; empty: not known
	tried   bool   // the message has been changed once: it is there
}

func newTrail(w way) trail {
	return trail{message: "@original", channel: w.Channel, posted: w.Message}
}

// An interaction's token serves 15 minutes; the margin is for clocks and for the way.
const tokenServes = 15*time.Minute - 30*time.Second

// errSpent says that the interaction's token is past its life, by our own clock.
var errSpent = errors.New("the interaction's token is past its life")

// stubborn is how often the sending of a final reply is begun anew, where Discord or the
// connection fails for long: some two minutes.
const stubborn = 6

// send shows a reply in place of the one before.
func (x *exchange) send(ctx context.Context, r bot.Reply) error {
	select {
	case <-x.acked:
	case <-ctx.Done():
		return ctx.Err()
	}
	if t := &x.trail; r.Private && !x.way.Private && !x.way.Alone && t.road == byToken && !t.tried {
		if x.way.Private, t.road = true, instead; x.way.Message != "" {
			t.road = again // the message that was to be changed stays as it is
		}
	}
	if x.unheard && x.trail.road <= instead {
		x.trail.road = x.fresh()
	}
	if r.Final {
		x.final = r
	}
	m, files := x.render(r)
	pause := x.bot.client.backoff * 8
	for try := 0; ; try++ {
		err := x.show(ctx, m, files)
		if isStatus(err, http.StatusBadRequest) || isStatus(err, http.StatusRequestEntityTooLarge) {
			x.bot.log.Error("discord refuses what was rendered", "interaction", x.id, "command", x.command, "error", err)
			m, files = x.plain(r)
			err = x.show(ctx, m, files)
		}
		if err == nil && !r.Final && r.Follow != nil {
			x.goesOn()
		}
		if err == nil || !r.Final || !passing(err) || try == stubborn {
			if err != nil && !r.Final && ctx.Err() == nil {
				x.bot.log.Warn("reply not shown", "interaction", x.id, "error", err)
			}
			return err
		}
		if e := sleep(ctx, pause); e != nil {
			return e
		}
		pause *= 2
	}
}

// show takes one road after the other until the reply is shown.
func (x *exchange) show(ctx context.Context, m message, files []upload) error {
	for {
		err := x.travel(ctx, m, files)
		if err == nil || ctx.Err() != nil {
			return err
		}
		next := x.after(err)
		if next == x.trail.road {
			return err
		}
		x.bot.log.Info("answer takes another road", "interaction", x.id, "road", next.String(), "because", err)
		if x.trail.road = next; next == nowhere {
			return err
		}
	}
}

// travel tries the road that the answer has taken.
func (x *exchange) travel(ctx context.Context, m message, files []upload) error {
	c, t := x.bot.client, &x.trail
	var at sent
	var err error
	switch t.road {
	case byToken:
		if x.spent() {
			return errSpent
		}
		at, err = x.change(ctx, m, files)
	case instead:
		if x.spent() {
			return errSpent
		}
		if err = x.takeBack(ctx); err == nil {
			t.road = again
			return x.travel(ctx, m, files)
		}
	case again:
		if x.spent() {
			return errSpent
		}
		if x.way.Private {
			m.Flags |= flagEphemeral
		}
		if at, err = c.followUp(ctx, x.token, m, files); err == nil {
			t.road, t.message = byToken, at.ID
		}
	case byBot:
		at, err = c.edit(ctx, t.channel, t.posted, m, files)
	case inChannel:
		if at, err = c.post(ctx, x.way.Channel, x.id, m, files); err == nil {
			t.road = byBot
		}
	case inDirect:
		var channel string
		if channel, err = c.direct(ctx, x.way.Person); err != nil {
			return err
		}
		if at, err = c.post(ctx, channel, x.id, m, files); err == nil {
			t.road, at.ChannelID = byBot, channel
		}
	default:
		return errNoToken
	}
	if err == nil && at.ID != "" {
		t.posted, t.tried = at.ID, true
		if at.ChannelID != "" {
			t.channel = at.ChannelID
		}
	}
	return err
}

// change edits the interaction's message.
func (x *exchange) change(ctx context.Context, m message, files []upload) (at sent, err error) {
	err = x.known(ctx, func() error {
		at, err = x.bot.client.editResponse(ctx, x.token, x.trail.message, m, files)
		return err
	})
	return at, err
}

// takeBack deletes the first response, of which nothing has been seen but that an answer comes. A new message sent before
// that would take its place, and be seen by all.
func (x *exchange) takeBack(ctx context.Context) error {
	err := x.known(ctx, func() error { return x.bot.client.dropResponse(ctx, x.token) })
	if isCode(err, unknownMessage) {
		return nil // it is gone
	}
	return err
}

// known does something to the interaction's message. Where the first response goes in our answer to
// Discord's own request, that may overtake it: Discord does not know the interaction
// yet, for a moment.
func (x *exchange) known(ctx context.Context, do func() error) error {
	pause := 50 * time.Millisecond
	for {
		err := do()
		early := x.http && !x.trail.tried && time.Since(x.at) < inTime
		if err == nil || !early || !isCode(err, unknownWebhook, unknownMessage) {
			return err
		}
		if err := sleep(ctx, pause); err != nil {
			return err
		}
		pause *= 2
	}
}

// spent says that the token's life is over, by our own clock.
func (x *exchange) spent() bool { return x.bot.cfg.Now().Sub(x.request.Asked) > tokenServes }

// after is the road to take after one has led nowhere; the same where another would not
// help, or where it may yet lead there.
func (x *exchange) after(err error) road {
	tokenDead := errors.Is(err, errSpent) || isStatus(err, http.StatusUnauthorized) ||
		isCode(err, invalidWebhookToken, unknownWebhook, unknownInteraction)
	messageGone := isCode(err, unknownMessage)
	channelGone := isCode(err, unknownChannel)
	lost := isStatus(err, http.StatusNotFound)
	kept := isCode(err, missingAccess, missingPermissions, archivedThread, foreignMessage) || isStatus(err, http.StatusForbidden)
	switch x.trail.road {
	case byToken:
		switch {
		case messageGone:
			return again
		case channelGone:
			return x.private()
		case tokenDead && x.bot.cfg.Token != "" && x.trail.posted != "" && !x.way.Private:
			return byBot
		case tokenDead, kept, lost:
			return x.fresh()
		}
	case instead, again:
		switch {
		case channelGone:
			return x.private()
		case tokenDead, kept, lost:
			return x.fresh()
		}
	case byBot:
		switch {
		case messageGone && x.trail.channel != x.way.Channel:
			return x.private()
		case messageGone:
			return x.fresh()
		case kept, lost:
			return x.private()
		}
	case inChannel:
		if kept || lost {
			return x.private()
		}
	case inDirect:
		if !passing(err) {
			return nowhere
		}
	}
	return x.trail.road
}

// fresh is the road of a new message by the bot's own token: to the person alone where
// the answer is theirs.
func (x *exchange) fresh() road {
	if x.way.Private && !x.way.Alone {
		return x.private()
	}
	if x.bot.cfg.Token == "" {
		return nowhere
	}
	return inChannel
}

func (x *exchange) private() road {
	if x.bot.cfg.Token == "" {
		return nowhere
	}
	return inDirect
}

func (r road) String() string {
	return [...]string{"token", "new message for one by token", "new message by token", "bot", "new message in channel", "private message", "none"}[r]
}

// render writes a reply for Discord; what the renderer stumbles over is said plainly.
func (x *exchange) render(r bot.Reply) (m message, files []upload) {
	defer func() {
		if v := recover(); v != nil {
			x.bot.stumbled(x.id, v)
			m, files = x.plain(r)
		}
	}()
	return render(r, x.bot.say(x.locale))
}

func (x *exchange) plain(r bot.Reply) (message, []upload) { return artless(r, x.bot.say(x.locale)) }

// artless is a reply without any art: one sentence, and all of the reply in a file.
func artless(r bot.Reply, say sayer) (message, []upload) {
	file := upload{Name: "timonier.md", Type: "text/markdown; charset=utf-8", Data: markdownOf(r, nil)}
	return message{
		Flags: flagComponents, AllowedMentions: mentions{Parse: []string{}},
		Components: []component{
			{Type: typeText, Content: say("discord.plain", nil)},
			{Type: typeFile, File: &media{attached(file.Name)}},
		},
		Attachments: []attachment{{ID: "0", Filename: file.Name}},
	}, []upload{file}
}
