package discord

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
)

// connectShards keeps the gateway's connections up until ctx ends, or until Discord
// refuses one for good.
func (b *Bot) connectShards(ctx context.Context) error {
	info, err := b.gatewayInfo(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	count := b.cfg.Shards
	if count == 0 {
		count = info.Shards
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	gate := &gate{every: b.pace.identify, log: b.log}
	b.mu.Lock()
	for n := range count {
		b.shards = append(b.shards, &shard{bot: b, number: n, count: count, gate: gate})
	}
	all := b.shards
	b.mu.Unlock()
	if err := b.takeUp(ctx, all); err != nil {
		return err
	}

	var running sync.WaitGroup
	for _, s := range all {
		running.Go(func() {
			if err := s.run(ctx); err != nil {
				cancel(err)
			}
		})
	}
	running.Wait()
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return nil
}

// gatewayInfo asks how to connect, until there is an answer. The error is final.
func (b *Bot) gatewayInfo(ctx context.Context) (gatewayInfo, error) {
	pause := b.pace.retry
	for {
		info, err := b.client.gateway(ctx)
		if err == nil {
			return info, nil
		}
		if ctx.Err() != nil {
			return info, ctx.Err()
		}
		if isStatus(err, http.StatusUnauthorized) {
			return info, fmt.Errorf("%s: %w", final[4004], err)
		}
		b.cfg.Metrics.Failed(platform, "connection")
		b.log.Warn("discord does not say where its gateway is", "error", err, "again in", pause)
		if err := sleep(ctx, pause/2+rand.N(pause)); err != nil {
			return info, err
		}
		pause = min(2*pause, time.Minute)
	}
}

// final are the codes with which Discord closes a connection that it will not accept
// again (topics/opcodes-and-status-codes#gateway), and what to do about it.
var final = map[int]string{
	4004: "the bot token is not accepted (TIMONIER_DISCORD_TOKEN): make a new one in the developer portal, under Bot",
	4010: "the number of gateway connections is refused (TIMONIER_DISCORD_SHARDS): set it to auto",
	4011: "the bot is in too many servers for this number of gateway connections (TIMONIER_DISCORD_SHARDS): set it to auto",
	4012: "the gateway's version is refused: TIMONIER_DISCORD_API_URL leads to something too old or too new",
	4013: "the intents are refused, though there are none: TIMONIER_DISCORD_API_URL leads to something that is not Discord",
	4014: "the intents are refused, though there are none: TIMONIER_DISCORD_API_URL leads to something that is not Discord",
}

// endsSession says that Discord closed with a code after which the session cannot be
// resumed: the sequence is none, or the session timed out.
func endsSession(code int) bool { return code == 4007 || code == 4009 }

// steady is how long a connection is up before its end counts as the first in a row.
const steady = 10 * time.Second

// gate lets IDENTIFYs through one by one, as often as Discord allows.
type gate struct {
	every time.Duration
	log   *slog.Logger

	mu   sync.Mutex
	next map[int]time.Time // by the shard's number modulo the concurrency
}

// wait returns when a shard may identify itself.
func (g *gate) wait(ctx context.Context, shard int, info gatewayInfo) error {
	if info.Limit.Remaining <= 0 {
		g.log.Error("no IDENTIFY is left for today: waiting", "for", info.resetAfter())
		if err := sleep(ctx, info.resetAfter()); err != nil {
			return err
		}
	}
	key := shard % info.Limit.Concurrency
	g.mu.Lock()
	if g.next == nil {
		g.next = map[int]time.Time{}
	}
	at := g.next[key]
	if now := time.Now(); at.Before(now) {
		at = now
	}
	g.next[key] = at.Add(g.every)
	g.mu.Unlock()
	return sleep(ctx, time.Until(at))
}

// shard is one of the gateway's sessions, over as many connections as it takes.
type shard struct {
	bot    *Bot
	number int
	count  int
	gate   *gate
	up     atomic.Bool

	mu       sync.Mutex
	current  *link  // whose events count
	session  string // what Discord calls the session; empty: there is none to resume
	resumeAt string // where to resume it
	sequence int64  // of the last event that was handled
}

// Why a connection ended, where it is not an error of the connection itself.
var (
	errReconnect = errors.New("discord asks for another connection")
	errZombie    = errors.New("heartbeats are not acknowledged")
	errInvalid   = errors.New("the session is invalid")
)

// run keeps the session up until ctx ends. An error is final: Discord refuses a setting.
func (s *shard) run(ctx context.Context) error {
	defer s.leave()
	pause := s.bot.pace.retry
	for ctx.Err() == nil {
		began := time.Now()
		wasUp, err := s.connection(ctx)
		s.isUp(false)
		if ctx.Err() != nil {
			return nil
		}
		var closed *websocket.CloseError
		if errors.As(err, &closed) {
			if said, ok := final[closed.Code]; ok {
				return fmt.Errorf("%s: gateway closed with %d", said, closed.Code)
			}
			if endsSession(closed.Code) {
				s.forget()
			}
		}
		if isStatus(err, http.StatusUnauthorized) {
			return err
		}
		if wasUp && time.Since(began) > steady {
			pause = s.bot.pace.retry
		}
		wait := rand.N(pause)
		switch {
		case errors.Is(err, errInvalid):
			wait = s.bot.pace.invalid + rand.N(4*s.bot.pace.invalid)
		case wasUp && pause == s.bot.pace.retry:
			wait = 0 // at once, the first time: an interaction has three seconds
		}
		if errors.Is(err, errReconnect) {
			s.bot.log.Info("gateway asks for another connection", "shard", s.number)
		} else {
			s.bot.cfg.Metrics.Failed(platform, "connection")
			s.bot.log.Warn("gateway connection ended", "shard", s.number, "error", err, "again in", wait)
		}
		if sleep(ctx, wait) != nil {
			return nil
		}
		pause = min(2*pause, time.Minute)
	}
	return nil
}

// forget lets go of the session: the next connection begins another.
func (s *shard) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.session, s.resumeAt, s.sequence = "", "", 0
	s.note(time.Time{})
}

// lastSequence is what a heartbeat carries: null before the first event.
func (s *shard) lastSequence() any {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sequence == 0 {
		return nil
	}
	return s.sequence
}

func (s *shard) isUp(up bool) {
	if s.up.Swap(up) != up || !up {
		s.bot.cfg.Metrics.Connection(platform, fmt.Sprintf("gateway-%d", s.number), up)
	}
}

// connection is one connection from its beginning to its end, and why it ended.
func (s *shard) connection(ctx context.Context) (wasUp bool, err error) {
	s.mu.Lock()
	resume := resumption{Session: s.session, Sequence: s.sequence, Token: s.bot.cfg.Token}
	at := s.resumeAt
	s.mu.Unlock()
	if at == "" {
		info, err := s.bot.gatewayInfo(ctx)
		if err != nil {
			return false, err
		}
		at = info.URL
		if resume.Session == "" {
			if err := s.gate.wait(ctx, s.number, info); err != nil {
				return false, err
			}
		}
	}
	var l *link
	to, err := s.bot.address.gateway(at)
	if err == nil {
		l, err = s.dial(ctx, to, resume)
	}
	s.mu.Lock()
	if err != nil {
		s.resumeAt = "" // ask where the gateway is, before the next time
		s.mu.Unlock()
		return false, err
	}
	s.current = l
	s.mu.Unlock()
	stop := context.AfterFunc(ctx, func() { l.end(context.Cause(ctx)) })
	defer stop()
	err = l.run()
	s.mu.Lock()
	s.current = nil
	s.mu.Unlock()
	if errors.Is(err, errInvalid) && !l.resumable {
		s.forget()
	}
	return l.begun.Load(), err
}

// dispatched handles an event that discordgo read. Only what a connection says while it
// is the current one counts: what comes after is sent again where the session is resumed.
func (s *shard) dispatched(l *link, kind string, sequence int64, data json.RawMessage) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current != l {
		return
	}
	switch kind {
	case "READY":
		var ready struct {
			Session  string `json:"session_id"`
			ResumeAt string `json:"resume_gateway_url"`
		}
		if err := json.Unmarshal(data, &ready); err != nil {
			s.bot.log.Error("READY cannot be read", "shard", s.number, "error", shapeOf(err))
			return
		}
		s.session, s.resumeAt = ready.Session, ready.ResumeAt
		if s.resumeAt == "" {
			s.resumeAt = l.to
		}
		s.isUp(true)
		l.replays = false
		s.bot.log.Info("gateway session begun", "shard", s.number, "of", s.count)
	case "RESUMED":
		s.isUp(true)
		l.replays = false
		s.bot.log.Info("gateway session resumed", "shard", s.number)
	case "INTERACTION_CREATE":
		s.bot.fromGateway(data, l.replays)
	}
	s.sequence = sequence
	s.note(time.Time{})
}
