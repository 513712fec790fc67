// Package discord is the tutor's front end on Discord: an interaction that comes over
// the gateway, or by HTTP, becomes a bot.Request, and what the tutor replies becomes
// messages. Everything is acknowledged before any work is done, and every final answer
// reaches the person: as an edit of the first response while the interaction's token
// lives, as a message by the bot's own token after that, as a private message where the
// channel is gone; and by the next process where this one ends before.
//
// It will not read what people write in channels (it asks for no intent), keep anything
// itself, decide who may do what, or know what a command does: that is the tutor's.
//
// Sources: https://discord.com/developers/docs, by page: interactions/receiving-and-responding,
// interactions/overview, events/gateway, topics/rate-limits, topics/opcodes-and-status-codes.
package discord

import (
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"timonier/bot"
)

// platform is what requests and figures call Discord.
const platform = "discord"

// userAgent is in the form that Discord asks for (reference#user-agent).
const userAgent = "DiscordBot (timonier, 1)"

// Config is what a Bot is made of. Tutor and AppID are required, and one of Token and
// PublicKey: with a Token the gateway runs, with a PublicKey interactions come by HTTP.
type Config struct {
	Tutor     *bot.Tutor
	Token     string // the bot's, without "Bot "
	AppID     string // the application's ID
	PublicKey string // the application's: 64 hexadecimal digits
	Guild     string // where commands are registered, at once; empty: everywhere
	Locale    string // of the sentence that Register writes; empty: French

	// API is the base of Discord's REST API; empty: https://discord.com/api/v10. One
	// without a path gets /api/v10, one that ends in /api gets /v10. No request of any kind
	// leaves its host: of what Discord names (the gateway, files), a URL with the host's
	// name keeps its own port, and any other goes to the host and port given here, with its
	// path and query.
	API          string
	Shards       int      // connections to the gateway; 0: as many as Discord recommends
	TeacherRoles []string // IDs of the roles whose members are teachers
	// Most is how many interactions may be in hand at once: above it the answer is "busy".
	// One whose answer has been shown, and is only kept up to date, does not count. 0: 1,000.
	Most int

	Now     func() time.Time                                                     // the wall clock; nil: time.Now
	Dial    func(ctx context.Context, network, address string) (net.Conn, error) // opens every connection; nil: net.Dialer's
	Logger  *slog.Logger                                                         // nil: silent
	Metrics *bot.Metrics                                                         // nil: none
}

// Bot is the tutor on Discord. It is safe for concurrent use.
type Bot struct {
	cfg      Config
	address  address
	key      ed25519.PublicKey // nil: no interactions by HTTP
	client   *client
	log      *slog.Logger
	commands []bot.CommandInfo
	pace     pace

	recent     bot.Recent
	signatures signatures   // of interactions by HTTP
	hand       atomic.Int64 // interactions in hand

	staying context.Context // ends when Run is to end: set before anything is accepted

	mu      sync.Mutex
	work    context.Context // of what is in hand; nil: nothing is accepted
	working sync.WaitGroup
	shards  []*shard

	registered chan struct{} // closed when the first attempt to register the commands has ended
}

// pace is how long to wait, where Discord's rules say so; tests are in more of a hurry.
type pace struct {
	identify time.Duration // between two IDENTIFYs
	invalid  time.Duration // after an invalid session, at the least; five times as long at the most
	retry    time.Duration // before the second attempt to connect; it doubles
	hello    time.Duration // for a connection's handshake, and again for its session's beginning
	drain    time.Duration // for what is in hand when Run's context ends
	edits    time.Duration // between two edits of an answer
	register time.Duration // for the first attempt to register the commands, and before each of the others
}

// New checks the configuration. It does no I/O.
func New(cfg Config) (*Bot, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Most == 0 {
		cfg.Most = 1000
	}
	cfg.Token = strings.TrimPrefix(cfg.Token, "Bot ")
	b := &Bot{cfg: cfg, log: cfg.Logger, registered: make(chan struct{}), pace: pace{
		identify: 5*time.Second + 500*time.Millisecond, invalid: time.Second, retry: time.Second,
		hello: 20 * time.Second, drain: 8 * time.Second, edits: time.Second,
		register: time.Minute,
	}}
	switch {
	case cfg.Tutor == nil:
		return nil, errors.New("discord: there is no tutor")
	case !snowflake.MatchString(cfg.AppID):
		return nil, errors.New("discord: the application's ID is not a number")
	case cfg.Token == "" && cfg.PublicKey == "":
		return nil, errors.New("discord: there is neither a bot token nor a public key")
	case cfg.Token != "" && !secret.MatchString(cfg.Token):
		return nil, errors.New("discord: the bot token has characters that no token has")
	case cfg.Guild != "" && !snowflake.MatchString(cfg.Guild):
		return nil, errors.New("discord: the server's ID is not a number")
	case cfg.Shards < 0:
		return nil, errors.New("discord: the number of shards is negative")
	}
	if cfg.PublicKey != "" {
		key, err := hex.DecodeString(cfg.PublicKey)
		if err != nil || len(key) != ed25519.PublicKeySize {
			return nil, errors.New("discord: the public key is not 64 hexadecimal digits")
		}
		b.key = key
	}
	addr, err := newAddress(cfg.API)
	if err != nil {
		return nil, fmt.Errorf("discord: %w", err)
	}
	b.address, b.client = addr, newClient(cfg, addr)
	b.commands = cfg.Tutor.Commands()
	return b, nil
}

// newClient makes the client of a configuration. Its connections are kept, so that a
// burst of answers does not begin with as many handshakes.
func newClient(cfg Config, addr address) *client {
	if cfg.Dial == nil {
		cfg.Dial = (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}).DialContext
	}
	transport := &http.Transport{
		Proxy:       http.ProxyFromEnvironment,
		DialContext: cfg.Dial,
		// A burst of a hundred commands opens as many connections once, and keeps them.
		MaxIdleConns: 256, MaxIdleConnsPerHost: 256,
		IdleConnTimeout: 90 * time.Second, TLSHandshakeTimeout: 5 * time.Second,
		ForceAttemptHTTP2: true,
	}
	return &client{
		address: addr, app: cfg.AppID, token: cfg.Token, log: cfg.Logger, metrics: cfg.Metrics,
		backoff: 250 * time.Millisecond, paused: map[string]time.Time{},
		http: &http.Client{
			Transport: transport,
			// A redirection could lead to another host, with the token: it is an answer like others.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// Run answers until ctx ends, and returns when what was in hand is answered, within 8
// seconds or so; what is not is answered by the next process, which also goes on with
// answers that are only kept up to date: they are left at once. It first takes up what the
// process before left. The error says which setting Discord refuses, where it refuses
// one. Run is called once.
func (b *Bot) Run(ctx context.Context) error {
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer b.client.http.CloseIdleConnections()
	defer cancel()
	staying, leave := context.WithCancel(ctx)
	defer leave()
	b.staying = staying
	if err := b.resume(ctx, work); err != nil {
		return fmt.Errorf("discord: %w", err)
	}
	b.mu.Lock()
	b.work = work
	b.mu.Unlock()
	b.listening(true)

	err := b.connect(ctx)

	b.mu.Lock()
	b.work = nil
	b.mu.Unlock()
	b.listening(false)
	leave()
	late := time.AfterFunc(b.pace.drain, cancel)
	defer late.Stop()
	b.working.Wait()
	if err != nil {
		return fmt.Errorf("discord: %w", err)
	}
	return nil
}

// listening notes whether interactions are taken by HTTP, where they are at all.
func (b *Bot) listening(up bool) {
	if b.key != nil {
		b.cfg.Metrics.Connection(platform, "http", up)
	}
}

// connect keeps the gateway's connections up, where there is a token, until ctx ends.
func (b *Bot) connect(ctx context.Context) error {
	if b.cfg.Token == "" {
		<-ctx.Done()
		return nil
	}
	// Beside each other: the commands of before still work while Discord does not let us
	// register, and it may ask for an hour's patience.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var registering sync.WaitGroup
	var refused error
	registering.Go(func() {
		if refused = b.keepRegistering(ctx); refused != nil {
			cancel()
		}
	})
	err := b.connectShards(ctx)
	cancel()
	registering.Wait()
	if err != nil {
		return err
	}
	return refused
}

// begin counts something in hand as long as things are accepted: done ends it.
func (b *Bot) begin() (work context.Context, done func(), ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.work == nil {
		return nil, nil, false
	}
	b.working.Add(1)
	return b.work, b.working.Done, true
}

// Ready says that interactions arrive by every way that is configured.
func (b *Bot) Ready() bool { return b.Status() == "" }

// Status is what is missing for Ready, in a few words; empty where nothing is.
func (b *Bot) Status() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.work == nil {
		return "not running"
	}
	if b.cfg.Token == "" {
		return ""
	}
	up := 0
	for _, s := range b.shards {
		if s.up.Load() {
			up++
		}
	}
	if len(b.shards) == 0 || up < len(b.shards) {
		return fmt.Sprintf("gateway: %d of %d connections up", up, max(1, len(b.shards)))
	}
	return ""
}

// say is the tutor's sentences in a language.
func (b *Bot) say(locale string) sayer {
	return func(id string, data map[string]any) string { return b.cfg.Tutor.Say(locale, id, data) }
}
