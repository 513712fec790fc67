package slack

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	slackgo "github.com/slack-go/slack"

	"timonier/bot"
)

// How long what is known of a person holds, how long a failure to find out does, how many
// people are remembered, and how long a question may take.
const (
	knownFor   = time.Hour
	unknownFor = time.Minute
	mostPeople = 10_000
	askingTime = 2 * time.Second
)

// people is what Slack says of the people who ask: at most one users.info a person and hour,
// as the method allows few.
type people struct {
	api      *slackgo.Client
	now      func() time.Time
	teachers []string
	log      *slog.Logger

	mu       sync.Mutex
	new, old map[string]*person
}

// person is what is known of someone, once asked is closed.
type person struct {
	asked   chan struct{}
	until   time.Time // it holds; zero while it is being asked
	locale  string
	name    string
	teacher bool
}

// fill is a request's Fill.
func (p *people) fill(ctx context.Context, r *bot.Request) {
	ctx, cancel := context.WithTimeout(ctx, askingTime)
	defer cancel()
	who, first := p.enter(r.Who.ID)
	if first {
		p.ask(ctx, r.Who.ID, who)
	}
	select {
	case <-who.asked:
	case <-ctx.Done():
		return
	}
	p.put(who, r)
}

// known fills in what is known of the person without asking anybody.
func (p *people) known(r *bot.Request) {
	if slices.Contains(p.teachers, r.Who.ID) {
		r.Teacher = true
	}
	p.mu.Lock()
	who := cmp.Or(p.new[r.Who.ID], p.old[r.Who.ID])
	p.mu.Unlock()
	if who == nil {
		return
	}
	select {
	case <-who.asked:
		p.put(who, r)
	default:
	}
}

func (p *people) put(who *person, r *bot.Request) {
	r.Locale = cmp.Or(who.locale, r.Locale)
	r.Who.Name = cmp.Or(who.name, r.Who.Name)
	r.Teacher = who.teacher || slices.Contains(p.teachers, r.Who.ID)
}

// enter finds a person; first says that the caller is to ask.
func (p *people) enter(id string) (who *person, first bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	who = cmp.Or(p.new[id], p.old[id])
	if who != nil && (who.until.IsZero() || p.now().Before(who.until)) {
		return who, false
	}
	if p.new == nil || len(p.new) >= mostPeople/2 {
		p.new, p.old = map[string]*person{}, p.new
	}
	who = &person{asked: make(chan struct{})}
	p.new[id] = who
	return who, true
}

// ask asks Slack. What it cannot find out is tried again a minute later.
func (p *people) ask(ctx context.Context, id string, who *person) {
	user, err := p.api.GetUserInfoContext(ctx, id, slackgo.GetUserInfoOptionIncludeLocale(true))
	p.mu.Lock()
	defer p.mu.Unlock()
	defer close(who.asked)
	who.until = p.now().Add(unknownFor)
	if err != nil {
		p.log.WarnContext(ctx, "cannot ask who a person is", "error", harmless(err))
		return
	}
	who.until = p.now().Add(knownFor)
	who.locale = user.Locale
	who.name = cmp.Or(user.Profile.DisplayName, user.RealName, user.Name)
	who.teacher = user.IsAdmin || user.IsOwner || user.IsPrimaryOwner
}
