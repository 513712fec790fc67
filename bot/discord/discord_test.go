package discord

import (
	"bytes"
	"cmp"
	"context"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"timonier/bot"
	"timonier/bot/discord/discordtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// memory is a bot.Store that forgets everything at the end of the test.
type memory struct {
	mu      sync.Mutex
	scopes  map[bot.Scope]map[string][]byte
	version map[bot.Scope]uint64
	answers map[[3]string][]byte
	hold    chan struct{} // where set, a Commit with an answer waits until it is closed
	held    chan struct{} // and says so here
}

func newMemory() *memory {
	return &memory{scopes: map[bot.Scope]map[string][]byte{}, version: map[bot.Scope]uint64{}, answers: map[[3]string][]byte{}}
}

func (m *memory) Read(_ context.Context, s bot.Scope, prefix string) ([]bot.Record, uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []bot.Record
	for key, value := range m.scopes[s] {
		if strings.HasPrefix(key, prefix) {
			out = append(out, bot.Record{Key: key, Value: slices.Clone(value)})
		}
	}
	slices.SortFunc(out, func(a, b bot.Record) int { return strings.Compare(a.Key, b.Key) })
	return out, m.version[s], nil
}

func (m *memory) Commit(ctx context.Context, c bot.Commit) error {
	if len(c.Answers) > 0 && m.hold != nil {
		select {
		case m.held <- struct{}{}:
		default:
		}
		select {
		case <-m.hold:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, a := range c.Answers {
		key := [3]string{a.Scope.Platform, a.Scope.Tenant, a.Request}
		if _, found := m.answers[key]; found {
			return bot.ErrAnswered
		}
		defer func() { m.answers[key] = slices.Clone(a.Reply) }()
	}
	for _, w := range c.Writes {
		if m.version[w.Scope] != w.Base {
			return bot.ErrConflict
		}
	}
	for _, w := range c.Writes {
		m.write(w)
	}
	return nil
}

func (m *memory) write(w bot.Write) {
	m.version[w.Scope]++
	records := m.scopes[w.Scope]
	if records == nil {
		records = map[string][]byte{}
		m.scopes[w.Scope] = records
	}
	for key := range records {
		if slices.ContainsFunc(w.Drop, func(p string) bool { return strings.HasPrefix(key, p) }) {
			delete(records, key)
		}
	}
	for _, r := range w.Changes {
		if r.Value == nil {
			delete(records, r.Key)
		} else {
			records[r.Key] = slices.Clone(r.Value)
		}
	}
}

func (m *memory) Answered(_ context.Context, s bot.Scope, request string) ([]byte, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	data, found := m.answers[[3]string{s.Platform, s.Tenant, request}]
	return data, found, nil
}

// journal keeps what was logged.
type journal struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.buf.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.buf.String()
}

// class is a Discord, a tutor and the bot between them.
type class struct {
	*discordtest.Server
	t     *testing.T
	ctx   context.Context // ends with the test, or when it has lasted too long
	store *memory
	log   *journal
	cfg   Config

	tutor *bot.Tutor
	bot   *Bot
	end   context.CancelFunc
	ended chan error

	secrets []string // the tokens of all interactions
	hurry   func(*pace)
	rates   bot.Rates // of the tutor; none: unlimited, as a test has few people, in a hurry
}

// Interact is the server's, and remembers the token.
func (c *class) Interact(ctx context.Context, i discordtest.Interaction) *discordtest.Exchange {
	e := c.Server.Interact(ctx, i)
	c.secrets = append(c.secrets, e.Token)
	return e
}

// setting is what a test wants to be otherwise.
type setting struct {
	server  discordtest.Config
	bot     func(*Config)
	before  func(*class)
	asleep  bool // the bot is not started
	limited bool // Discord limits rates
}

func newClass(t *testing.T, s setting) *class {
	t.Helper()
	s.server.Unlimited = !s.limited
	s.server.Spec = os.Getenv("TIMONIER_DISCORD_SPEC")
	server, err := discordtest.Start(s.server)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	c := &class{Server: server, t: t, ctx: ctx, store: newMemory(), log: &journal{}}
	c.cfg = Config{
		Token: server.Token(), AppID: server.ApplicationID(), PublicKey: server.PublicKey(), API: server.URL(),
		Logger: slog.New(slog.NewTextHandler(c.log, &slog.HandlerOptions{Level: slog.LevelDebug})), Now: server.Now, Metrics: bot.NewMetrics(),
	}
	if s.bot != nil {
		s.bot(&c.cfg)
	}
	t.Cleanup(func() {
		c.stop()
		cancel()
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		for _, secret := range append(c.secrets, server.Token()) {
			if strings.Contains(c.log.String(), secret) {
				t.Error("a token is in the log")
			}
		}
		if t.Failed() {
			t.Log(c.log.String())
		}
	})
	if s.before != nil {
		s.before(c)
	}
	if !s.asleep {
		c.start()
	}
	return c
}

// start runs a bot, with a tutor of its own on the class's store, until stop.
func (c *class) start() {
	c.t.Helper()
	c.tutor = bot.New(bot.Config{Store: c.store, Now: c.cfg.Now, Logger: c.cfg.Logger, Limits: bot.Limits{Rates: cmp.Or(c.rates, bot.Unlimited())}})
	c.cfg.Tutor = c.tutor
	b, err := New(c.cfg)
	if err != nil {
		c.t.Fatal(err)
	}
	b.pace = pace{identify: 5 * time.Millisecond, invalid: 5 * time.Millisecond, retry: 5 * time.Millisecond,
		hello: 5 * time.Second, drain: 2 * time.Second, edits: 5 * time.Millisecond, register: time.Second}
	if c.hurry != nil {
		c.hurry(&b.pace)
	}
	b.client.backoff = 2 * time.Millisecond
	c.bot = b
	var ctx context.Context
	ctx, c.end = context.WithCancel(context.Background())
	c.ended = make(chan error, 1)
	go func() { c.ended <- b.Run(ctx) }()
	c.ready()
	if c.cfg.Token != "" {
		c.waitUntil(b.registered) // so that what a test disturbs is not the registration
	}
}

// ready waits until the bot says that it is.
func (c *class) ready() {
	c.t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !c.bot.Ready() {
		select {
		case <-tick.C:
		case <-c.ctx.Done():
			c.t.Fatal("never ready: " + c.bot.Status())
		}
	}
}

// stop ends the bot, and gives what Run said.
func (c *class) stop() error {
	if c.end == nil {
		return nil
	}
	c.end()
	err := <-c.ended
	c.end = nil
	c.must(c.tutor.Close())
	return err
}

func (c *class) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

// calm asserts that the bot broke none of Discord's rules.
func (c *class) calm() {
	c.t.Helper()
	for _, f := range c.Faults() {
		c.t.Error("fault:", f)
	}
}

// first is the first response.
func (c *class) first(e *discordtest.Exchange) discordtest.Response {
	c.t.Helper()
	r, err := e.First(c.ctx)
	c.must(err)
	return r
}

// answer waits until the original message holds a text, and gives it.
func (c *class) answer(e *discordtest.Exchange, text string) discordtest.Message {
	c.t.Helper()
	m, err := e.Until(c.ctx, func(m discordtest.Message) bool { return !m.Loading() && strings.Contains(m.Text(), text) })
	if err != nil {
		c.t.Fatalf("no answer with %q: %v; there is %q", text, err, e.Message().Text())
	}
	return m
}

// kubectl is a slash command.
func kubectl(command string) discordtest.Interaction {
	return discordtest.Slash("kubectl", discordtest.String("commande", command))
}
