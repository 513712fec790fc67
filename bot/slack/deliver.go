package slack

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"timonier/bot"
)

// patience is after how long a person who sees nothing yet is told that work goes on.
const patience = 700 * time.Millisecond

// begin gives a request to the tutor, in the order of the calls as far as nothing has to be
// fetched for it first.
func (a *App) begin(in incoming, k *ask) {
	if !a.first(k) {
		return
	}
	k.at = in.at
	k.request = k.full(a)
	if over := a.cfg.Tutor.Admit(&k.request); over != nil {
		if !over.Quiet { // acknowledged it is already, and Slack shows nothing of that
			a.give(k, over.Reply)
		}
		return
	}
	k.manner = a.cfg.Tutor.Manner(k.request)
	a.cfg.Metrics.Acknowledged(platform, k.manner.Command, in.acked)
	work, ok := a.admit()
	switch {
	case work == nil:
		a.log.Warn("request came while ending", "command", k.manner.Command)
		return
	case !ok:
		a.cfg.Metrics.Failed(platform, "busy")
		a.tell(k, "failure.busy", nil)
		return
	}
	if len(k.files) > 0 || k.manner.Prompt != nil && k.trigger != "" {
		go a.prepare(work, k)
		return
	}
	p := a.accept(work, k)
	go func() {
		defer a.leave(k)
		defer a.recovered(k)
		p.deliver(work)
	}()
}

// prepare opens the form that a request needs first, or reads the files that belong to it.
func (a *App) prepare(work context.Context, k *ask) {
	defer a.leave(k)
	defer a.recovered(k)
	if len(k.files) == 0 && a.openForm(work, k) {
		return
	}
	if len(k.files) > 0 {
		texts, problem := a.download(work, k.files)
		if problem != nil {
			a.answer(work, k, problem.id, problem.data)
			return
		}
		k.request.Line = k.join(k.request.Line, texts)
		k.manner = a.cfg.Tutor.Manner(k.request)
	}
	a.accept(work, k).deliver(work)
}

// openForm shows the form for the text that a command lacks; false where that cannot be.
func (a *App) openForm(work context.Context, k *ask) bool {
	ctx, cancel := context.WithTimeout(work, 3*time.Second-a.cfg.Now().Sub(k.at))
	defer cancel()
	back := k.way
	back.Response, back.At, back.Source, back.Hidden, back.Click = "", time.Time{}, "", false, false
	data, err := json.Marshal(back)
	if err != nil {
		return false
	}
	v, err := form(*k.manner.Prompt, a.sayer(k), data)
	if err == nil {
		err = a.wire.call(ctx, "views.open", map[string]any{"trigger_id": k.trigger, "view": v}, nil)
	}
	if err != nil {
		a.log.WarnContext(work, "form not opened", "command", k.manner.Command, "error", harmless(err))
	}
	return err == nil
}

// resume answers what a process before this one could not.
func (a *App) resume(work context.Context) {
	requests, err := a.cfg.Tutor.Interrupted(work, platform)
	if err != nil {
		a.log.ErrorContext(work, "cannot read what was interrupted", "error", err)
		return
	}
	for _, r := range requests {
		k := &ask{request: r, at: a.cfg.Now()}
		if err := json.Unmarshal(r.Return, &k.way); err != nil || k.way.User == "" {
			a.log.WarnContext(work, "interrupted request has no way back", "error", err)
			a.cfg.Tutor.Delivered(r)
			continue
		}
		k.request.Resumed, k.request.Fill = true, a.people.fill
		a.seen.First(r.ID) // it may be delivered again, too
		k.manner = a.cfg.Tutor.Manner(k.request)
		a.mu.Lock()
		a.inFlight++
		a.jobs.Add(1)
		a.mu.Unlock()
		p := a.accept(work, k)
		go func() {
			defer a.leave(k)
			defer a.recovered(k)
			p.deliver(work)
		}()
	}
}

// parcel is the answer to one request on its way to the person.
type parcel struct {
	a        *App
	k        *ask
	delivery *bot.Delivery
	done     <-chan error
	refused  error // why the tutor did not take the request
	turn     turn
	final    bot.Reply
	follows  chan struct{} // closed once an answer is shown that is only kept up to date from then on
	followed sync.Once

	mu    sync.Mutex
	begun bool // the person sees something: the tutor has spoken, or a process before this one has shown it

	routes []route // where the answer may be shown, the best first
	at     int     // the one in use
	where  string  // the channel and the ts of what is shown, where it can be changed by them
	ts     string
	used   int    // of the response URL
	unsaid bool   // the route in use left out what it was given last
	direct string // the person's private messages, where a file was put
}

// parcelOf is for an answer that may be of the front end's own.
func (a *App) parcelOf(k *ask) *parcel {
	return &parcel{a: a, k: k, follows: make(chan struct{})}
}

// accept gives the tutor the request.
func (a *App) accept(work context.Context, k *ask) *parcel {
	p := a.parcelOf(k)
	p.where, p.ts = k.way.Where, k.way.Shown // by a process before this one
	p.begun = p.ts != ""
	data, err := json.Marshal(k.way)
	if err == nil {
		k.request.Return = data
	}
	p.delivery = bot.NewDelivery(0, p.send)
	p.turn = a.turns.take(k.place())
	p.done, p.refused = a.cfg.Tutor.Accept(work, k.request, p.emit)
	return p
}

// place is where answers are shown in the order of their requests: a channel, or what one person
// sees of it, or the message that is changed.
func (k *ask) place() string {
	switch {
	case k.manner.Replace:
		return k.way.Channel + " " + k.way.Source
	case k.manner.Private && !private(k.way.Channel):
		return k.way.Channel + " " + k.way.User
	}
	return k.way.Channel
}

func (p *parcel) emit(r bot.Reply) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.begun = true
	p.delivery.Emit(r)
}

// deliver shows what the tutor says until it has said all.
func (p *parcel) deliver(work context.Context) {
	defer p.turn.pass()
	a := p.a
	if p.refused != nil {
		a.log.WarnContext(work, "request not accepted", "command", p.k.manner.Command, "error", p.refused)
		a.cfg.Metrics.Failed(platform, "event")
		return
	}
	ctx, cancel := context.WithCancel(work)
	defer cancel()
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		p.watch(ctx, cancel)
	}()
	err := p.delivery.Run(ctx)
	cancel()
	<-watched
	switch {
	case err == nil:
		a.cfg.Metrics.Delivered(platform, p.k.manner.Command, p.final, a.cfg.Now().Sub(p.k.at))
	case errors.Is(err, context.Canceled):
		return // this process ends, or no answer comes: the next one takes it up
	default:
		a.log.ErrorContext(work, "answer not delivered", "command", p.k.manner.Command, "error", harmless(err))
		a.cfg.Metrics.Failed(platform, "delivery")
	}
	a.cfg.Tutor.Delivered(p.k.request)
}

// watch says that work goes on where nothing is said for too long, and ends the delivery of an
// answer that will never come, or that is shown and only followed when the process ends.
func (p *parcel) watch(ctx context.Context, end func()) {
	late := p.a.cfg.After(max(0, patience-p.a.cfg.Now().Sub(p.k.at)))
	follows, ending := p.follows, (<-chan struct{})(nil)
	for {
		select {
		case <-ctx.Done():
			return
		case err := <-p.done:
			if err != nil {
				end()
			}
			return
		case <-follows:
			follows, ending = nil, p.a.ending
		case <-ending:
			end()
			return
		case <-late:
			late = nil
			p.hold()
		}
	}
}

// hold shows that work goes on. A message whose page is turned stays as it is until then.
func (p *parcel) hold() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.begun || p.k.manner.Replace {
		return
	}
	p.delivery.Emit(bot.Reply{Blocks: []bot.Block{bot.Text{Markdown: p.a.say(p.k, "slack.working", nil)}}, Private: p.k.manner.Private})
}

// tell answers with one of the tutor's sentences what was not given to the tutor. So many
// answers at once are of this kind, and no more: whoever presses a hundred times while it is
// busy is not told a hundred times.
func (a *App) tell(k *ask, id string, data map[string]any) { a.give(k, a.sentence(k, id, data)) }

// sentence is one of the tutor's as a reply to the person alone.
func (a *App) sentence(k *ask, id string, data map[string]any) bot.Reply {
	return bot.Reply{Blocks: []bot.Block{bot.Text{Markdown: a.say(k, id, data)}}, Private: true, Final: true, Failed: true}
}

// give is tell for a reply.
func (a *App) give(k *ask, r bot.Reply) {
	select {
	case a.said <- struct{}{}:
	default:
		a.log.Warn("too busy to say so")
		return
	}
	a.mu.Lock()
	work := a.work
	if work != nil {
		a.jobs.Add(1)
	}
	a.mu.Unlock()
	if work == nil {
		<-a.said
		return
	}
	k.request = k.full(a)
	go func() {
		defer a.jobs.Done()
		defer func() { <-a.said }()
		a.hand(work, k, r)
	}()
}

// answer shows one of the tutor's sentences to the person alone.
func (a *App) answer(ctx context.Context, k *ask, id string, data map[string]any) {
	a.hand(ctx, k, a.sentence(k, id, data))
}

// hand shows a reply that did not come by way of the tutor's queue.
func (a *App) hand(ctx context.Context, k *ask, r bot.Reply) {
	p := a.parcelOf(k)
	k.manner.Replace = false
	if err := p.send(ctx, r); err != nil {
		a.log.WarnContext(ctx, "answer not delivered", "error", harmless(err))
		a.cfg.Metrics.Failed(platform, "delivery")
	}
}

// recovered apologises for a panic.
func (a *App) recovered(k *ask) {
	p := recover()
	if p == nil {
		return
	}
	ref := reference(k.request.ID, a.cfg.Now())
	a.log.Error("answering failed", "reference", ref, "command", k.manner.Command, "error", fmt.Sprint(p), "stack", string(debug.Stack()))
	a.cfg.Metrics.Failed(platform, "event")
	a.tell(k, "failure.ours", map[string]any{"Reference": ref})
}

// say is one of the tutor's sentences in the person's language, as far as it is known.
func (a *App) say(k *ask, id string, data map[string]any) string {
	r := k.request
	r.Platform, r.Tenant = platform, cmp.Or(r.Tenant, a.team)
	a.people.known(&r)
	return a.cfg.Tutor.Say(a.cfg.Tutor.Tongue(r), id, data)
}

func (a *App) sayer(k *ask) sayer {
	return func(id string, data map[string]any) string { return a.say(k, id, data) }
}
