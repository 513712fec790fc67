package discordtest

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/websocket"
)

const (
	guildsPerShard = 2500
	mostPayload    = 4096 // bytes (events/gateway#sending-events)
	mostSends      = 120  // a minute (events/gateway#rate-limiting)
	mostMissed     = 2000 // events kept for a resume
)

// gateway is the sessions and connections; under the server's mu.
type gateway struct {
	sessions   []*session
	conns      map[*conn]bool
	identifies []time.Time // of the last day
	identified int
	resumed    int
	heartbeats int
	refuse     int
	changed    chan struct{} // closed at each change, and replaced
}

func newGateway() gateway {
	return gateway{conns: map[*conn]bool{}, changed: make(chan struct{})}
}

func (g *gateway) tell() {
	close(g.changed)
	g.changed = make(chan struct{})
}

// session outlives its connections until it is ended.
type session struct {
	Session
	seq    int64
	missed []event // the last events sent, for a resume
	conn   *conn   // nil: not connected
}

type event struct {
	Op   int    `json:"op"`
	Data any    `json:"d"`
	Seq  int64  `json:"s,omitempty"`
	Type string `json:"t,omitempty"`
}

// Session is one gateway session, connected or resumable.
type Session struct {
	ID        string
	Shard     [2]int // number, of how many
	Intents   int
	Connected bool
}

// Sessions are the gateway sessions that have not ended, oldest first.
func (s *Server) Sessions() []Session {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Session
	for _, se := range s.gateway.sessions {
		one := se.Session
		one.Connected = se.conn != nil
		all = append(all, one)
	}
	return all
}

// Connected waits until n gateway sessions are ready and connected.
func (s *Server) Connected(ctx context.Context, n int) error {
	return s.gatewayUntil(ctx, func(g *gateway) bool {
		live := 0
		for _, se := range g.sessions {
			live += boolInt(se.conn != nil)
		}
		return live == n
	})
}

// Resumed waits until n RESUMEs have been accepted in all.
func (s *Server) Resumed(ctx context.Context, n int) error {
	return s.gatewayUntil(ctx, func(g *gateway) bool { return g.resumed >= n })
}

// Identified waits until n IDENTIFYs have been accepted in all.
func (s *Server) Identified(ctx context.Context, n int) error {
	return s.gatewayUntil(ctx, func(g *gateway) bool { return g.identified >= n })
}

func (s *Server) gatewayUntil(ctx context.Context, ready func(*gateway) bool) error {
	for {
		s.mu.Lock()
		done, changed := ready(&s.gateway), s.gateway.changed
		s.mu.Unlock()
		if done {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		case <-s.ctx.Done():
			return ErrClosed
		}
	}
}

// Identifies counts the IDENTIFYs accepted so far.
func (s *Server) Identifies() int { s.mu.Lock(); defer s.mu.Unlock(); return s.gateway.identified }

// Resumes counts the RESUMEs accepted so far.
func (s *Server) Resumes() int { s.mu.Lock(); defer s.mu.Unlock(); return s.gateway.resumed }

// Heartbeats counts the heartbeats received so far.
func (s *Server) Heartbeats() int { s.mu.Lock(); defer s.mu.Unlock(); return s.gateway.heartbeats }

// Refuse answers the next n gateway connections with 503.
func (s *Server) Refuse(n int) { s.mu.Lock(); defer s.mu.Unlock(); s.gateway.refuse = n }

// Drop closes every gateway connection with a close code; 0 cuts it without a word.
// Sessions stay resumable unless the code ends them (1000, 1001, 4004, 4007 and from 4010 up).
func (s *Server) Drop(code int) {
	s.eachConn(func(c *conn) {
		if code == 0 {
			c.leave()
			c.cutOff()
			return
		}
		c.end(code, "discordtest was asked to drop the connection")
	})
}

// Reconnect asks every connection to reconnect and resume: op 7.
func (s *Server) Reconnect() { s.eachConn(func(c *conn) { c.send(event{Op: 7}) }) }

// Invalidate tells every connection that its session is invalid: op 9. Where it is
// not resumable the session is over; it may identify again on the same connection.
func (s *Server) Invalidate(resumable bool) {
	s.eachConn(func(c *conn) {
		if se := c.session; se != nil {
			if !resumable {
				s.gateway.end(se)
			}
			se.conn, c.session = nil, nil
		}
		c.send(event{Op: 9, Data: resumable})
	})
}

// Expire ends every session that is not connected, as Discord does after some minutes.
func (s *Server) Expire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, se := range slices.Clone(s.gateway.sessions) {
		if se.conn == nil {
			s.gateway.end(se)
		}
	}
}

// Beat asks every connection for a heartbeat at once: op 1.
func (s *Server) Beat() { s.eachConn(func(c *conn) { c.send(event{Op: 1}) }) }

// Mute makes every present connection a zombie: it stays open, but nothing is
// acknowledged or delivered on it any more; what is missed is replayed by a resume.
func (s *Server) Mute() { s.eachConn(func(c *conn) { c.muted = true }) }

func (s *Server) eachConn(do func(*conn)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.gateway.conns {
		do(c)
	}
	s.gateway.tell()
}

// cut ends every connection without a word.
func (g *gateway) cut(s *Server) { s.Drop(0) }

// end forgets a session.
func (g *gateway) end(se *session) {
	g.sessions = slices.DeleteFunc(g.sessions, func(other *session) bool { return other == se })
}

// dispatch sends an event of a guild ("" is a direct conversation) to the sessions of
// its shard, connected or not (events/gateway#sharding). Called with the server's mu held.
func (g *gateway) dispatch(s *Server, name, guild string, data any) error {
	found := false
	for _, se := range g.sessions {
		if shardOf(guild, se.Shard[1]) == se.Shard[0] {
			se.push(name, data)
			found = true
		}
	}
	if !found {
		return ErrNobody
	}
	return nil
}

func shardOf(guild string, count int) int {
	id, err := strconv.ParseUint(guild, 10, 64)
	if err != nil {
		return 0
	}
	return int(id >> 22 % uint64(count))
}

// push gives the session its next event.
func (se *session) push(name string, data any) {
	se.seq++
	ev := event{Op: 0, Data: data, Seq: se.seq, Type: name}
	if se.missed = append(se.missed, ev); len(se.missed) > mostMissed {
		se.missed = slices.Clone(se.missed[len(se.missed)-mostMissed/2:])
	}
	if se.conn != nil {
		se.conn.send(ev)
	}
}

func (s *Server) getGateway(*call) (int, any, *failure) {
	return http.StatusOK, map[string]any{"url": s.socketURL()}, nil
}

func (s *Server) socketURL() string {
	return "ws://" + strings.TrimPrefix(s.url, "http://") + "/gateway-socket/"
}

func (s *Server) getGatewayBot(*call) (int, any, *failure) {
	s.gateway.forgetDay(s.now())
	return http.StatusOK, map[string]any{"url": s.socketURL(), "shards": s.cfg.Shards, "session_start_limit": map[string]any{
		"total": s.cfg.IdentifyQuota, "remaining": max(0, s.cfg.IdentifyQuota-len(s.gateway.identifies)),
		"reset_after": 24 * time.Hour.Milliseconds(), "max_concurrency": 1}}, nil
}

func (g *gateway) forgetDay(now time.Time) {
	g.identifies = slices.DeleteFunc(g.identifies, now.Add(-24*time.Hour).After)
}

// socket takes a gateway connection and reads it until it ends.
func (s *Server) socket(w http.ResponseWriter, req *http.Request) {
	s.mu.Lock()
	refused := s.gateway.refuse > 0
	if refused {
		s.gateway.refuse--
	}
	s.mu.Unlock()
	if refused || s.ctx.Err() != nil {
		http.Error(w, "503: Service Unavailable", http.StatusServiceUnavailable)
		return
	}
	ws, err := (&websocket.Upgrader{}).Upgrade(w, req, nil)
	if err != nil {
		return // Upgrade has answered
	}
	c := &conn{server: s, ws: ws, out: make(chan frame, 2*mostMissed), done: make(chan struct{})}
	s.working.Go(c.write)
	s.mu.Lock()
	s.gateway.conns[c] = true
	if s.ctx.Err() != nil {
		c.cutOff()
	}
	c.hello(req.URL.Query())
	s.mu.Unlock()
	c.read()
}

// hello greets, or refuses the version or encoding asked for (events/gateway#connecting).
func (c *conn) hello(q url.Values) {
	switch {
	case q.Get("v") != "9" && q.Get("v") != "10":
		c.refuse(4012, "gateway version is %q", q.Get("v"))
	case q.Get("encoding") != "json" || q.Has("compress"):
		c.refuse(4002, "only encoding=json without compress is played here")
	default:
		c.send(event{Op: 10, Data: map[string]any{"heartbeat_interval": c.server.cfg.Heartbeat.Milliseconds()}})
	}
}

// newSessionID is not guessable, as Discord's is not.
func newSessionID() string { return strings.ToLower(rand.Text()) }
