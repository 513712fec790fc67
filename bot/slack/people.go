package slack

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"strings"
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
	team     string // the bot's workspace, or organisation
	new, old map[member]*person
}

// member is a person as a workspace sees them: another one's guest may lead there and not here.
type member struct{ team, id string }

// person is someone, of whom Slack is asked until asked is closed.
type person struct {
	asked  chan struct{}
	until  time.Time // it holds; zero while it is being asked
	before facts     // known until Slack has said more
	now    facts     // once asked is closed
}

// facts are what is known of a person; the zero value: nothing.
type facts struct {
	known   bool
	locale  string
	name    string
	teacher bool
}

// facts are the latest there are.
func (p *person) facts() facts {
	select {
	case <-p.asked:
		return p.now
	default:
		return p.before
	}
}

// fill is a request's Fill.
func (p *people) fill(ctx context.Context, r *bot.Request) {
	ctx, cancel := context.WithTimeout(ctx, askingTime)
	defer cancel()
	m := p.member(r)
	who, first := p.enter(m)
	if first {
		p.ask(ctx, m, who)
	}
	select {
	case <-who.asked:
	case <-ctx.Done():
		if !who.facts().known {
			return
		}
	}
	p.put(who.facts(), r)
}

// signedIn tells whose bot it is.
func (p *people) signedIn(team string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.team = team
}

// member is who asks, in the bot's workspace. Where a whole organisation installed the app, it is
// the request's; else the request's may be a guest's own, in a channel shared with it.
func (p *people) member(r *bot.Request) member {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.team == "" || strings.HasPrefix(p.team, "E") {
		return member{cmp.Or(r.Tenant, p.team), r.Who.ID}
	}
	return member{p.team, r.Who.ID}
}

// known fills in what is known of the person without asking anybody.
func (p *people) known(r *bot.Request) {
	if slices.Contains(p.teachers, r.Who.ID) {
		r.Teacher = true
	}
	m := p.member(r)
	p.mu.Lock()
	who := cmp.Or(p.new[m], p.old[m])
	p.mu.Unlock()
	if who == nil {
		return
	}
	if f := who.facts(); f.known {
		p.put(f, r)
	}
}

func (p *people) put(who facts, r *bot.Request) {
	r.Locale = cmp.Or(who.locale, r.Locale)
	r.Who.Name = cmp.Or(who.name, r.Who.Name)
	r.Teacher = who.teacher || slices.Contains(p.teachers, r.Who.ID)
}

// enter finds a person; first says that the caller is to ask.
func (p *people) enter(m member) (who *person, first bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	who = cmp.Or(p.new[m], p.old[m])
	if who != nil && (who.until.IsZero() || p.now().Before(who.until)) {
		return who, false
	}
	if p.new == nil || len(p.new) >= mostPeople/2 {
		p.new, p.old = map[member]*person{}, p.new
	}
	next := &person{asked: make(chan struct{})}
	if who != nil {
		next.before = who.now
	}
	p.new[m] = next
	return next, true
}

// ask asks Slack. What it cannot find out is tried again a minute later; until then, whatever
// was known of the person holds on. A guest from another
// workspace (Slack Connect) may be an admin: of that one.
//
// Source: https://docs.slack.dev/reference/objects/user-object, https://docs.slack.dev/apis/slack-connect
func (p *people) ask(ctx context.Context, m member, who *person) {
	user, err := p.api.GetUserInfoContext(ctx, m.id, slackgo.GetUserInfoOptionIncludeLocale(true))
	p.mu.Lock()
	defer p.mu.Unlock()
	defer close(who.asked)
	who.until = p.now().Add(unknownFor)
	if err != nil {
		who.now = who.before
		p.log.WarnContext(ctx, "cannot ask who a person is", "error", harmless(err))
		return
	}
	who.until = p.now().Add(knownFor)
	ours := user.TeamID == "" || user.TeamID == m.team
	who.now = facts{
		known: true, locale: user.Locale, name: cmp.Or(user.Profile.DisplayName, user.RealName, user.Name),
		teacher: ours && (user.IsAdmin || user.IsOwner || user.IsPrimaryOwner),
	}
}
