package discord

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"runtime/debug"
	"sync"
	"time"

	"timonier/bot"
)

// way is how to get back to the person, as it is kept until the answer is delivered.
type way struct {
	Token   string  `json:"token"` // the interaction's: secret while it lives
	Channel string  `json:"channel"`
	Person  string  `json:"person"`
	Message string  `json:"message,omitempty"` // that is to be changed, where one is
	Private bool    `json:"private,omitempty"` // the answer is for the person alone
	Alone   bool    `json:"alone,omitempty"`   // nobody else reads the channel: an answer for the person may go there
	Command string  `json:"command"`
	Line    string  `json:"line,omitempty"`  // without the text of the files
	Files   []given `json:"files,omitempty"` // whose text belongs to the line
}

// first is the first response to an interaction that is answered later.
func (w way) first() callback {
	switch {
	case w.Message != "":
		return callback{Type: callbackUpdate}
	case w.Private:
		return callback{callbackDefer, map[string]int{"flags": flagEphemeral}}
	}
	return callback{Type: callbackDefer}
}

// exchange is one interaction in hand, from its arrival to the end of its answer.
type exchange struct {
	plan
	bot     *Bot
	id      string
	token   string
	locale  string
	arrived time.Time
	http    bool // the first response goes in the answer to Discord's own request

	acked   chan struct{} // closed when the first response has gone out, or has not
	unheard bool          // Discord knows no such interaction: nothing of it can be changed. Set before acked
	at      time.Time     // when the first response went out. Set before acked

	live    chan struct{} // closed when a whole answer has been shown that only goes on: made by accept
	follows bool          // live is closed. The delivery's alone
	place   sync.Once     // gives back the place among those in hand

	refused string // a sentence's ID: why nothing was done, where it was not
	final   bot.Reply
	trail   trail
}

// take has an interaction in hand; where there are too many, only to say so.
func (b *Bot) take(e event, p plan, arrived time.Time) *exchange {
	if b.hand.Add(1) > int64(b.cfg.Most) && p.request != nil {
		b.cfg.Metrics.Failed(platform, "busy")
		p = b.only(e, "failure.busy", nil)
	}
	return &exchange{plan: p, bot: b, id: e.ID, token: e.Token, locale: b.tongue(e), arrived: arrived, acked: make(chan struct{})}
}

// release gives back the exchange's place among those in hand, once.
func (x *exchange) release() { x.place.Do(func() { x.bot.hand.Add(-1) }) }

// goesOn notes that a whole answer has been shown, and that what comes is only how things
// have come along: it may be minutes, and nobody waits for it.
func (x *exchange) goesOn() {
	if !x.follows {
		x.follows = true
		close(x.live)
		x.release()
		x.findAgain()
	}
}

// findAgain keeps with the request which message shows its answer, so that the next process
// goes on with it there, when the interaction's token serves no more.
func (x *exchange) findAgain() {
	if x.trail.posted == "" || x.trail.channel != x.way.Channel || x.way.Message != "" {
		return
	}
	x.way.Message = x.trail.posted
	data, err := json.Marshal(x.way)
	if err != nil {
		x.bot.log.Error("keep the way back", "error", err)
		return
	}
	x.request.Return = data
	x.bot.cfg.Tutor.Returns(*x.request, data)
}

// answers says that the first response is followed by the tutor's answer.
func (x *exchange) answers() bool { return x.request != nil && x.complete == "" }

// fromGateway answers an interaction that came over the gateway. It is called from the
// loop that reads, in the order in which they came, and does not block: neither the
// first response nor the tutor is waited for. A replayed one may be minutes old.
func (b *Bot) fromGateway(raw json.RawMessage, replayed bool) {
	arrived := time.Now()
	work, done, ok := b.begin()
	if !ok {
		return // we are leaving: whoever resumes the session gets it
	}
	defer done()
	defer b.recovered("")
	e, readable, err := readEvent(raw)
	if !readable || e.Type == eventPing {
		b.log.Error("interaction cannot be read", "error", err)
		b.cfg.Metrics.Failed(platform, "event")
		return
	}
	if !b.recent.First(e.ID) {
		return
	}
	p := b.planFor(e, err)
	if replayed {
		if p.complete != "" {
			return // nobody waits for suggestions any more
		}
		if p.request != nil {
			p.request.Resumed, p.request.Asked = true, madeAt(e.ID, p.request.Asked)
		}
	}
	x := b.take(e, p, arrived)
	b.working.Go(func() {
		defer b.recovered(x.id)
		if !x.answers() {
			defer x.release()
		}
		if x.complete != "" {
			x.first = x.completions(b.completions(work, x.plan))
		}
		if !x.unsaid {
			x.acknowledged(x.respond(work))
		}
	})
	if x.answers() {
		b.accept(work, x)
	}
}

// inTime is how long Discord waits for the first response.
const inTime = 3 * time.Second

// respond gives the first response by a request of ours.
func (x *exchange) respond(work context.Context) error {
	ctx, cancel := context.WithDeadline(work, x.arrived.Add(inTime))
	defer cancel()
	return x.bot.client.respond(ctx, x.id, x.token, x.first, x.files)
}

// acknowledged notes what became of the first response. An interaction that Discord does
// not know (any more) is not retried: often another process with the same token has
// answered it, or we were late. What it asked for is done all the same.
func (x *exchange) acknowledged(err error) {
	defer close(x.acked)
	after := time.Since(x.arrived)
	x.at = time.Now()
	switch {
	case err == nil, isCode(err, alreadyAcknowledged): // the answer to the first try was lost
		x.bot.cfg.Metrics.Acknowledged(platform, x.command, after)
		return
	case isCode(err, unknownInteraction, unknownWebhook, invalidWebhookToken):
		x.unheard = true
	}
	x.bot.log.Warn("first response did not arrive", "interaction", x.id, "after", after, "error", err)
	x.bot.cfg.Metrics.Failed(platform, "acknowledgement")
}

// completions asks the tutor, for as long as a person waits for suggestions.
func (b *Bot) completions(work context.Context, p plan) []string {
	ctx, cancel := context.WithTimeout(work, completeIn)
	defer cancel()
	out := make(chan []string, 1)
	b.working.Go(func() { // the channel's turn may come after all patience
		defer b.recovered(p.request.ID)
		out <- b.cfg.Tutor.Complete(ctx, *p.request, p.complete, len(p.complete))
	})
	select {
	case lines := <-out:
		return lines
	case <-ctx.Done():
		return nil
	}
}

// accept gives the request to the tutor, and has its replies delivered. The order of the
// calls is the order in which the requests of a channel are answered.
func (b *Bot) accept(work context.Context, x *exchange) {
	r := x.request
	data, err := json.Marshal(x.way)
	if err != nil {
		b.log.Error("keep the way back", "error", err)
	}
	r.Return = data
	if len(x.way.Files) > 0 {
		r.Fill = x.fetch
	}
	x.trail, x.live = newTrail(x.way), make(chan struct{})
	delivery := bot.NewDelivery(b.pace.edits, x.send)
	done, err := b.cfg.Tutor.Accept(work, *r, func(reply bot.Reply) { delivery.Emit(x.instead(reply)) })
	if err != nil {
		b.log.Warn("request not accepted", "error", err)
		delivery.Emit(bot.Reply{Blocks: b.sentence(r.Locale, "failure.busy", nil), Private: x.way.Private, Final: true, Failed: true})
	}
	b.working.Go(func() {
		defer x.release()
		defer b.recovered(x.id)
		b.deliver(work, x, delivery, done)
	})
}

// deliver sends replies until the final one has arrived, or cannot.
func (b *Bot) deliver(work context.Context, x *exchange, delivery *bot.Delivery, done <-chan error) {
	ctx, cancel := context.WithCancel(work)
	defer cancel()
	if done != nil {
		b.working.Go(func() {
			if b.given(ctx, x.live, done) {
				cancel()
			}
		})
	}
	err := delivery.Run(ctx)
	switch {
	case err == nil:
		b.cfg.Metrics.Delivered(platform, x.command, x.final, time.Since(x.arrived))
	case ctx.Err() != nil:
		return // the next process finds it among the interrupted
	default:
		b.log.Error("answer not delivered", "interaction", x.id, "command", x.command, "error", err)
		b.cfg.Metrics.Failed(platform, "delivery")
	}
	b.cfg.Tutor.Delivered(*x.request)
}

// given waits until all replies have been made, or ctx ends. True says that a delivery
// need not wait for more: there will be no reply, or the answer has been shown and we
// leave: the next process goes on with it.
func (b *Bot) given(ctx context.Context, live <-chan struct{}, done <-chan error) (up bool) {
	var leaving <-chan struct{} // nil: an answer is waited for
	for {
		select {
		case err := <-done:
			return err != nil
		case <-ctx.Done():
			return false
		case <-live:
			live, leaving = nil, b.staying.Done()
		case <-leaving:
			return true
		}
	}
}

// resume takes up what the process before left: the same answers again, or the first.
func (b *Bot) resume(ctx, work context.Context) error {
	left, err := b.cfg.Tutor.Interrupted(ctx, platform)
	if err != nil {
		return err
	}
	for _, r := range left {
		r.Resumed = true
		var w way
		if err := json.Unmarshal(r.Return, &w); err != nil || !secret.MatchString(w.Token) || !snowflake.MatchString(w.Channel) || !snowflake.MatchString(w.Person) {
			b.log.Error("interrupted request without a way back", "interaction", r.ID)
			b.cfg.Tutor.Delivered(r)
			continue
		}
		b.recent.First(r.ID)
		b.hand.Add(1)
		x := &exchange{
			plan: plan{command: w.Command, request: &r, way: w},
			bot:  b, id: r.ID, token: w.Token, locale: r.Locale, arrived: time.Now(), acked: make(chan struct{}),
		}
		if age := b.cfg.Now().Sub(r.Asked); age < inTime { // the process before may have ended before its first response
			x.first, x.arrived = w.first(), x.arrived.Add(-age)
			b.working.Go(func() {
				defer b.recovered(x.id)
				x.acknowledged(x.respond(work))
			})
		} else {
			close(x.acked)
		}
		b.accept(work, x)
	}
	if len(left) > 0 {
		b.log.Info("interrupted requests taken up", "count", len(left))
	}
	return nil
}

// fetch adds to the request the text of the files that belong to it. It has the
// request's turn in its channel, after the first response.
func (x *exchange) fetch(ctx context.Context, r *bot.Request) {
	select {
	case <-x.acked:
	case <-ctx.Done():
	}
	text, err := x.bot.client.fetch(ctx, x.way.Files)
	if err == nil {
		r.Line = x.way.Line + "\n" + text
		return
	}
	x.bot.log.Warn("file not read", "interaction", x.id, "error", err)
	x.refused = fileSentence(err)
	r.Line = harmless
}

// harmless is a line that changes nothing: it asks for a text. It stands for a line
// whose text could not be had, and what is answered to it is not shown.
const harmless = "/kubectl apply -f -"

// instead is what is shown for a reply: itself, but where the request could not be made.
func (x *exchange) instead(r bot.Reply) bot.Reply {
	if x.refused == "" {
		return r
	}
	return bot.Reply{Blocks: x.bot.sentence(x.locale, x.refused, nil), Private: r.Private, Final: r.Final, Failed: true}
}

// sentence is one of the tutor's as a reply's blocks.
func (b *Bot) sentence(locale, id string, data map[string]any) []bot.Block {
	return []bot.Block{bot.Text{Markdown: b.cfg.Tutor.Say(locale, id, data)}}
}

// recovered keeps a panic of ours from taking the process along.
func (b *Bot) recovered(id string) {
	if v := recover(); v != nil {
		b.stumbled(id, v)
	}
}

// stumbled logs a panic of ours, and gives the reference under which it can be found.
func (b *Bot) stumbled(id string, panicked any) (ref string) {
	ref = reference(id, b.cfg.Now())
	b.log.Error("front end failed", "reference", ref, "interaction", id, "panic", fmt.Sprint(panicked), "stack", string(debug.Stack()))
	b.cfg.Metrics.Failed(platform, "event")
	return ref
}

// reference names a failure as the tutor does: 7F3K-2.
func reference(id string, now time.Time) string {
	h := fnv.New32a()
	fmt.Fprintf(h, "%s\x00%s\x00%d", platform, id, now.UnixNano())
	const letters = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
	n := h.Sum32()
	var ref []byte
	for i := range 4 {
		ref = append(ref, letters[n>>(5*i)&31])
	}
	return fmt.Sprintf("%s-%d", ref, n%9+1)
}
