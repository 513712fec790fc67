// Package slack is the tutor in a Slack workspace: slash commands, buttons, forms, a
// message shortcut, mentions, private messages and the app's home, over Socket Mode
// (outgoing web socket) or HTTP (signed requests), or both at once. It turns what Slack
// tells into a bot.Request and a bot.Reply into what Slack shows, within Slack's limits,
// once each, in order.
//
// It acknowledges everything at once and works afterwards; what it knows of a person
// (language, teacher or not) it asks Slack at most once an hour. It will not install
// itself, keep tokens of several workspaces, read a channel's history or react to what is
// not addressed to it. It keeps nothing of its own: what must survive is the tutor's.
package slack

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	slackgo "github.com/slack-go/slack"

	"timonier/bot"
)

// platform is this one's name in requests, figures and logs.
const platform = "slack"

// Config is what an App is made of. Tutor and BotToken are required, and AppToken or
// SigningSecret.
type Config struct {
	Tutor         *bot.Tutor
	BotToken      string // xoxb-…
	AppToken      string // xapp-…: Socket Mode
	SigningSecret string // of what comes over HTTP
	// API is the base of the Web API: https://slack.com/api/ where empty. No request
	// leaves the host of any other: a socket, a response URL, an upload or a download whose
	// host has the base's name is asked as it is, on its own port; any other keeps its
	// path and query, and goes to the base's scheme, host and port. Slack's own requests go to slack.com and the
	// hosts below it, by TLS, and nowhere else.
	API      string
	Teachers []string // IDs of people who lead, beside the workspace's admins and owners
	Most     int      // requests without an answer yet before new ones are told that it is busy: 1,000

	Now     func() time.Time                                                     // the wall clock; nil: time.Now
	After   func(time.Duration) <-chan time.Time                                 // timers; nil: time.After
	Ping    time.Duration                                                        // a socket without a ping for so long is dead: 30 s
	Drain   time.Duration                                                        // how long Run waits for answers under way: 8 s
	Dial    func(ctx context.Context, network, address string) (net.Conn, error) // opens every connection; nil: net.Dialer's
	Logger  *slog.Logger                                                         // nil: silent
	Metrics *bot.Metrics                                                         // nil: none
}

// App is the tutor's connection to Slack. It is safe for concurrent use.
type App struct {
	cfg        Config
	log        *slog.Logger
	api        *slackgo.Client
	wire       *wire
	dialect    dialect
	people     *people
	seen       bot.Recent
	signatures used // of what came over HTTP
	turns      turns
	paces      paces
	said       chan struct{} // bounds the answers that the front end gives by itself

	order sync.Mutex // events are taken one by one, in the order in which they came

	mu       sync.Mutex
	work     context.Context // of what was accepted; nil while nothing is
	ending   <-chan struct{} // closed when Run is to end; set before anything is accepted
	inFlight int
	jobs     sync.WaitGroup
	up       map[string]bool // by connection: socket
	greeted  bool            // a socket has been up
	team     string
	self     string // ID of the bot's user
}

// New makes an App. It does no I/O; the error says which setting is wrong.
func New(cfg Config) (*App, error) {
	switch {
	case cfg.Tutor == nil:
		return nil, errors.New("a tutor is missing")
	case cfg.BotToken == "":
		return nil, errors.New("the bot token is missing")
	case cfg.AppToken == "" && cfg.SigningSecret == "":
		return nil, errors.New("an app token or a signing secret is missing")
	}
	base, err := url.Parse(cmp.Or(cfg.API, slackgo.APIURL))
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, fmt.Errorf("the API's address is no http or https URL") // it may hold a secret: not said
	}
	if !strings.HasSuffix(base.Path, "/") {
		base.Path += "/"
	}
	cfg.Most = cmp.Or(cfg.Most, 1000)
	cfg.Ping = cmp.Or(cfg.Ping, 30*time.Second)
	cfg.Drain = cmp.Or(cfg.Drain, 8*time.Second)
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.After == nil {
		cfg.After = time.After
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	a := &App{cfg: cfg, log: cfg.Logger.With("platform", platform), up: map[string]bool{}, said: make(chan struct{}, 64), dialect: dialectOf(cfg.Tutor.Commands())}
	a.wire = newWire(cfg, base)
	a.api = slackgo.New(cfg.BotToken, slackgo.OptionAPIURL(base.String()), slackgo.OptionHTTPClient(a.wire))
	a.people = &people{api: a.api, now: cfg.Now, teachers: slices.Clone(cfg.Teachers), log: a.log}
	return a, nil
}

// Run connects, finishes what a process before this one was interrupted in, and answers
// until its context ends; it returns when all that was accepted has been answered, or
// cut short after Drain. Answers that are shown and only kept up to date are left at once
// to the process that comes next. The error is Slack's refusal of a token, or nil.
func (a *App) Run(ctx context.Context) error {
	defer a.wire.close()
	if err := a.identify(ctx); err != nil || ctx.Err() != nil {
		return err
	}
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	ctx, end := context.WithCancel(ctx)
	defer end()
	a.ending = ctx.Done()
	a.resume(work)
	a.open(work)
	var err error
	if a.cfg.AppToken != "" {
		err = a.sockets(ctx)
	} else {
		<-ctx.Done()
	}
	end() // a refused token ends it, too
	a.drain(stop)
	return err
}

// Ready says that events are taken: over HTTP where there is a signing secret, and by a
// socket where there is an app token.
func (a *App) Ready() bool {
	for _, up := range a.Status() {
		if !up {
			return false
		}
	}
	return true
}

// Status says of each connection (socket, http) whether it is up.
func (a *App) Status() map[string]bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := map[string]bool{}
	if a.cfg.AppToken != "" {
		s["socket"] = a.up["socket"]
	}
	if a.cfg.SigningSecret != "" {
		s["http"] = a.work != nil
	}
	return s
}

// refusals are the errors of a token or an app that no second try changes.
var refusals = []string{"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired",
	"not_allowed_token_type", "missing_scope", "no_permission", "org_login_required"}

// identify finds out whose token it is. Where Slack cannot be reached it tries on.
func (a *App) identify(ctx context.Context) error {
	for try := 0; ; try++ {
		who, err := a.api.AuthTestContext(ctx)
		switch {
		case err == nil:
			a.team, a.self = who.TeamID, who.UserID
			a.people.signedIn(who.TeamID)
			a.log.InfoContext(ctx, "signed in", "team", who.TeamID, "user", who.UserID)
			return nil
		case ctx.Err() != nil:
			return nil
		case slices.Contains(refusals, code(err)):
			return fmt.Errorf("the bot token is not accepted (TIMONIER_SLACK_BOT_TOKEN): copy it again at api.slack.com/apps, under OAuth & Permissions: %w", err)
		}
		a.log.WarnContext(ctx, "cannot sign in, trying again", "error", harmless(err))
		a.cfg.Metrics.Failed(platform, "connection")
		if a.wait(ctx, backoff(try, 30*time.Second)) != nil {
			return nil
		}
	}
}

// open lets events in.
func (a *App) open(work context.Context) {
	a.mu.Lock()
	a.work = work
	a.mu.Unlock()
	if a.cfg.SigningSecret != "" {
		a.cfg.Metrics.Connection(platform, "http", true)
	}
}

// drain lets no more events in, and waits for the answers under way, cutting short those that
// take too long: they stay the tutor's to resume.
func (a *App) drain(stop func()) {
	a.mu.Lock()
	a.work = nil
	a.mu.Unlock()
	if a.cfg.SigningSecret != "" {
		a.cfg.Metrics.Connection(platform, "http", false)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		a.jobs.Wait()
	}()
	select {
	case <-done:
	case <-a.cfg.After(a.cfg.Drain):
		a.log.Warn("answers cut short")
		stop()
		<-done
	}
}

// admit counts one more job, as long as there are not too many; work is nil when nothing
// is accepted any more. After ok, leave must follow, and vacate may before.
func (a *App) admit() (work context.Context, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.work == nil {
		return nil, false
	}
	if a.inFlight >= a.cfg.Most {
		return a.work, false
	}
	a.inFlight++
	a.jobs.Add(1)
	return a.work, true
}

// vacate gives back a request's place among the Most, once.
func (a *App) vacate(k *ask) {
	k.vacated.Do(func() {
		a.mu.Lock()
		a.inFlight--
		a.mu.Unlock()
	})
}

// leave ends a job.
func (a *App) leave(k *ask) {
	a.vacate(k)
	a.jobs.Done()
}

// connected notes whether a connection is up.
func (a *App) connected(name string, up bool) {
	a.mu.Lock()
	a.up[name] = up
	a.mu.Unlock()
	a.cfg.Metrics.Connection(platform, name, up)
}

// wait lets time pass; the error is the context's, where it ends first.
func (a *App) wait(ctx context.Context, d time.Duration) error { return pause(ctx, a.cfg.After, d) }

func pause(ctx context.Context, after func(time.Duration) <-chan time.Time, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-after(d):
		return nil
	}
}
