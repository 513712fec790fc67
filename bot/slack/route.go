package slack

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"timonier/bot"
)

// Bounds of a response URL, and of what is tried to deliver a final answer.
//
// Source: https://docs.slack.dev/interactivity/handling-user-interaction#message_responses
const (
	mostUses   = 5
	keptUses   = 2 // for the final answer, and for its pictures
	urlTime    = 29 * time.Minute
	mostRounds = 6

	patientRounds = 2 // before another route is tried in place of one that has trouble
)

// route shows a message somewhere, in place of what it has shown there. It may leave out what is
// not final.
type route func(ctx context.Context, m message, final bool) error

// errNoWay is a route that does not exist (any more).
var errNoWay = errors.New("no such way to the person")

// routesOf are the ways to show a reply: the best first.
func (p *parcel) routesOf(r bot.Reply) []route {
	w := p.k.way
	var to []route
	if p.ts != "" {
		to = append(to, p.rewrite)
	}
	refused := r.Private && !p.k.manner.Private // what all see stays
	switch replace := p.k.manner.Replace && w.Source != "" && (!refused || w.Hidden); {
	case replace && w.Hidden:
		to = append(to, p.replace)
	case replace:
		to = append(to, p.update, p.replace)
	}
	switch {
	case w.Channel == "" && w.Response != "":
		to = append(to, p.respondAlone) // all that is known of an event that cannot be read
	case w.Channel == "":
	case r.Private && private(w.Channel):
		// In private messages with the bot all is private, and a message stays. In those of two other
		// people the bot cannot write, and only one of them asked.
		to = append(to, p.post, p.respondAlone)
	case r.Private:
		to = append(to, p.respondAlone, p.whisper)
	default:
		to = append(to, p.post, p.respondAll)
	}
	return append(to, p.write)
}

// show shows a message by the first route that leads anywhere. A final one is tried for minutes
// where Slack cannot be reached: by the best route at first, which another one must not
// take the place of for a moment's trouble.
func (p *parcel) show(ctx context.Context, m message, final bool) error {
	var last error
	for round := 0; ; round++ {
		mayPass := false
		for i := p.at; i < len(p.routes); i++ {
			err := p.try(ctx, i, m, final)
			refused := errors.Is(err, errNoWay) || code(err) != "" && !slices.Contains(passing, code(err))
			switch {
			case err == nil, m.pictured() && slices.Contains(faulty, code(err)):
				p.at = i
				return err
			case ctx.Err() != nil:
				return ctx.Err()
			case !final && !refused:
				return err
			}
			if last == nil || !errors.Is(err, errNoWay) {
				last = err
			}
			if mayPass = mayPass || !refused; !refused && round < patientRounds {
				p.at = i
				break
			}
		}
		if !mayPass || round == mostRounds {
			return last
		}
		if err := p.a.wait(ctx, backoff(round+2, time.Minute)); err != nil {
			return err
		}
	}
}

// try shows a message by one route; one that Slack finds fault with, in plain text.
func (p *parcel) try(ctx context.Context, i int, m message, final bool) error {
	err := p.routes[i](ctx, m, final)
	if err == nil || !slices.Contains(faulty, code(err)) || m.pictured() {
		return err
	}
	p.a.log.ErrorContext(ctx, "message refused, sent as plain text", "error", harmless(err))
	p.a.cfg.Metrics.Failed(platform, "delivery")
	m.Blocks = []block{}
	return p.routes[i](ctx, m, final)
}

// passing are the errors that another try may not meet.
var passing = []string{"ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout", "unknown_error"}

// faulty are the errors of a message that no way takes.
var faulty = []string{"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long", "invalid_arguments", "no_text", "block_mismatch"}

// gone are the errors of a message that cannot be changed any more.
var gone = []string{"message_not_found", "cant_update_message", "edit_window_closed", "channel_not_found", "not_in_channel", "is_archived"}

// pictured says that the message shows files as pictures, which Slack may not have processed.
func (m message) pictured() bool {
	return slices.ContainsFunc(m.Blocks, func(b block) bool { return b.SlackFile != nil })
}

// outgoing is a message with whom it is for.
type outgoing struct {
	Channel string `json:"channel,omitempty"`
	User    string `json:"user,omitempty"`
	TS      string `json:"ts,omitempty"`
	Thread  string `json:"thread_ts,omitempty"`
	message
}

// post writes in the channel or the thread, for all, and changes what it wrote.
func (p *parcel) post(ctx context.Context, m message, _ bool) error {
	return p.put(ctx, outgoing{Channel: p.k.way.Channel, Thread: p.k.way.Thread, message: m})
}

// write writes to the person's private messages.
func (p *parcel) write(ctx context.Context, m message, _ bool) error {
	if p.k.way.User == "" {
		return errNoWay
	}
	return p.put(ctx, outgoing{Channel: p.k.way.User, message: m})
}

func (p *parcel) put(ctx context.Context, o outgoing) error {
	if err := p.rewrite(ctx, o.message, false); !errors.Is(err, errNoWay) {
		return err
	}
	if err := p.a.pace(ctx, o.Channel); err != nil {
		return err
	}
	var posted struct {
		Channel string `json:"channel"`
		TS      string `json:"ts"`
	}
	if err := p.a.wire.call(ctx, "chat.postMessage", o, &posted); err != nil {
		return err
	}
	p.where, p.ts = posted.Channel, posted.TS
	p.remember()
	return nil
}

// rewrite changes the message that shows the answer so far, which a process before this one may
// have written.
func (p *parcel) rewrite(ctx context.Context, m message, _ bool) error {
	if p.ts == "" {
		return errNoWay
	}
	err := p.a.wire.call(ctx, "chat.update", outgoing{Channel: p.where, TS: p.ts, message: m}, nil)
	if slices.Contains(gone, code(err)) {
		p.ts = ""
		return errNoWay
	}
	return err
}

// remember keeps which message shows the answer, so that the next process, should this one end
// before the answer does, changes it instead of writing another.
func (p *parcel) remember() {
	if p.delivery == nil {
		return // the front end's own word
	}
	p.k.way.Where, p.k.way.Shown = p.where, p.ts
	if data, err := json.Marshal(p.k.way); err == nil {
		p.k.request.Return = data
		p.a.cfg.Tutor.Returns(p.k.request, data)
	}
}

// update changes the message whose button was pressed.
func (p *parcel) update(ctx context.Context, m message, _ bool) error {
	return p.a.wire.call(ctx, "chat.update", outgoing{Channel: p.k.way.Channel, TS: p.k.way.Source, message: m}, nil)
}

// whisper writes to the person alone; what it wrote cannot be changed.
func (p *parcel) whisper(ctx context.Context, m message, final bool) error {
	if !final {
		p.unsaid = true
		return nil
	}
	w := p.k.way
	if w.User == "" {
		return errNoWay
	}
	if err := p.a.pace(ctx, w.Channel+" "+w.User); err != nil {
		return err
	}
	return p.a.wire.call(ctx, "chat.postEphemeral", outgoing{Channel: w.Channel, User: w.User, Thread: w.Thread, message: m}, nil)
}

// The three ways of a response URL.
func (p *parcel) replace(ctx context.Context, m message, final bool) error {
	return p.use(ctx, m, final, "", true)
}

func (p *parcel) respondAlone(ctx context.Context, m message, final bool) error {
	return p.use(ctx, m, final, "ephemeral", false)
}

func (p *parcel) respondAll(ctx context.Context, m message, final bool) error {
	return p.use(ctx, m, final, "in_channel", false)
}

// use answers by the response URL. It can replace the message whose button was pressed, and nothing
// else: not what it answered before, nor anything after a command
// (https://github.com/slackapi/bolt-js/issues/2287). So an answer that is a message of its own is
// said once, after a word that work goes on where it takes long.
func (p *parcel) use(ctx context.Context, m message, final bool, kind string, source bool) error {
	w := p.k.way
	if w.Response == "" || p.used >= mostUses || p.a.cfg.Now().Sub(w.At) > urlTime {
		return errNoWay
	}
	if !final && (p.used >= mostUses-keptUses || p.used > 0 && !source) {
		p.unsaid = true
		return nil
	}
	p.used++
	body := struct {
		Kind    string `json:"response_type,omitempty"`
		Replace bool   `json:"replace_original"`
		Thread  string `json:"thread_ts,omitempty"`
		message
	}{Kind: kind, Replace: source, message: m}
	if !source {
		body.Thread = w.Thread
	}
	return p.a.wire.respond(ctx, w.Response, body)
}

// turns keep answers in the order of their requests: each waits until the one before it in its
// place is shown.
type turns struct {
	mu   sync.Mutex
	last map[string]chan struct{}
}

// turn is one answer's. The zero value waits for nobody.
type turn struct {
	of     *turns
	place  string
	before <-chan struct{} // nil: it is the first
	passed chan struct{}
	once   *sync.Once
}

func (t *turns) take(place string) turn {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.last == nil {
		t.last = map[string]chan struct{}{}
	}
	mine := turn{of: t, place: place, passed: make(chan struct{}), once: &sync.Once{}}
	if before, ok := t.last[place]; ok {
		mine.before = before
	}
	t.last[place] = mine.passed
	return mine
}

// pass lets the next one go.
func (t turn) pass() {
	if t.of == nil {
		return
	}
	t.once.Do(func() {
		close(t.passed)
		t.of.mu.Lock()
		defer t.of.mu.Unlock()
		if t.of.last[t.place] == t.passed {
			delete(t.of.last, t.place)
		}
	})
}

// mostHeldUp is how long an answer waits for the one before it.
const mostHeldUp = 10 * time.Second

// await waits for the turn.
func (p *parcel) await(ctx context.Context) error {
	if p.turn.before == nil {
		return ctx.Err()
	}
	select {
	case <-p.turn.before:
	default:
		select {
		case <-p.turn.before:
		case <-ctx.Done():
			return ctx.Err()
		case <-p.a.cfg.After(mostHeldUp):
		}
	}
	return nil
}

// paces keep to Slack's rate of a channel: one message a second, and a few at once.
type paces struct {
	mu sync.Mutex
	of map[string]*rate.Limiter
}

const (
	burst     = 5
	mostPaces = 5_000
)

// pace waits until a message may be posted in a channel.
func (a *App) pace(ctx context.Context, channel string) error {
	now := a.cfg.Now()
	a.paces.mu.Lock()
	l := a.paces.of[channel]
	if l == nil {
		if len(a.paces.of) >= mostPaces {
			// Whoever has been silent for a while has nothing to be remembered.
			for c, other := range a.paces.of {
				if other.TokensAt(now) >= burst {
					delete(a.paces.of, c)
				}
			}
		}
		if a.paces.of == nil || len(a.paces.of) >= mostPaces {
			a.paces.of = map[string]*rate.Limiter{}
		}
		l = rate.NewLimiter(1, burst)
		a.paces.of[channel] = l
	}
	rest := l.ReserveN(now, 1).DelayFrom(now)
	a.paces.mu.Unlock()
	return a.wait(ctx, rest)
}
