package slacktest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// Limits of Socket Mode.
//
// https://docs.slack.dev/apis/events-api/using-socket-mode
const (
	mostSockets = 10
	mostAck     = 20 << 10 // bytes: from there on, an answer is dropped without a word
	ackWithin   = 3 * time.Second
	mostRetries = 3
	ticketLasts = 30 * time.Second
	writeWithin = 10 * time.Second
)

// socket is one open connection.
type socket struct {
	conn   *websocket.Conn
	mu     sync.Mutex // of writing
	frozen bool       // of the server's lock
}

// write sends JSON; a frozen socket loses it.
func (k *socket) write(v any, frozen bool) error {
	if frozen {
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.conn.SetWriteDeadline(time.Now().Add(writeWithin)); err != nil {
		return err
	}
	return k.conn.WriteJSON(v)
}

// cut ends the connection without a word.
func (k *socket) cut() { _ = k.conn.NetConn().Close() }

// openConnection gives a URL that opens one socket.
func (s *Server) openConnection(request) answer {
	ticket := fmt.Sprintf("t%dx%d", s.next(), s.now().UnixNano()%1e6)
	s.tickets[ticket] = s.now()
	return ok(map[string]any{"url": fmt.Sprintf("ws://%s/link/?ticket=%s&app_id=%s", s.listener.Addr(), ticket, s.cfg.App)})
}

// serveSocket is the life of one socket.
func (s *Server) serveSocket(w http.ResponseWriter, r *http.Request) {
	ticket := r.URL.Query().Get("ticket")
	s.mu.Lock()
	at, known := s.tickets[ticket]
	delete(s.tickets, ticket)
	if !known || s.now().Sub(at) > ticketLasts {
		s.fault("socket: the URL was used before, or is too old")
	}
	s.attempts = append(s.attempts, time.Now())
	s.ring()
	s.mu.Unlock()
	if !known {
		http.Error(w, "invalid ticket", http.StatusForbidden)
		return
	}
	upgrader := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return // it has answered
	}
	k := &socket{conn: conn}
	if !s.link(k) {
		k.cut()
		return
	}
	defer s.unlink(k)
	if !s.admit(k) {
		_ = k.write(map[string]any{"type": "disconnect", "reason": "too_many_websockets", "debug_info": debugInfo}, false)
		_ = conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""), time.Now().Add(writeWithin))
		return
	}
	defer s.dismiss(k)
	conn.SetPingHandler(func(data string) error {
		if s.isFrozen(k) {
			return nil
		}
		return conn.WriteControl(websocket.PongMessage, []byte(data), time.Now().Add(writeWithin))
	})
	done := make(chan struct{})
	defer close(done)
	s.running.Go(func() { s.ping(k, done) })
	for {
		kind, data, err := conn.ReadMessage()
		if err != nil {
			return
		}
		if !s.isFrozen(k) {
			s.heard(kind, data)
		}
	}
}

var debugInfo = map[string]any{"host": "applink-test", "build_number": 1, "approximate_connection_time": 18060}

// link makes Close cut the socket; false: the server is closed.
func (s *Server) link(k *socket) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.linked[k] = true
	}
	return !s.closed
}

func (s *Server) unlink(k *socket) {
	k.cut()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.linked, k)
}

// admit says hello, unless there are too many sockets.
func (s *Server) admit(k *socket) bool {
	s.mu.Lock()
	refused := s.refusing != 0 || len(s.sockets) >= mostSockets
	if s.refusing > 0 {
		s.refusing--
	}
	if refused || s.closed {
		s.mu.Unlock()
		return false
	}
	k.mu.Lock() // hello is the first word
	s.sockets = append(s.sockets, k)
	n := len(s.sockets)
	if s.told > 0 {
		n = s.told
	}
	s.mu.Unlock()
	err := k.conn.WriteJSON(map[string]any{
		"type": "hello", "num_connections": n, "connection_info": map[string]any{"app_id": s.cfg.App}, "debug_info": debugInfo,
	})
	k.mu.Unlock()
	s.mu.Lock()
	s.ring()
	s.mu.Unlock()
	if err == nil {
		s.retry()
	}
	return true
}

func (s *Server) dismiss(k *socket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sockets = slices.DeleteFunc(s.sockets, func(o *socket) bool { return o == k })
	s.ring()
}

func (s *Server) isFrozen(k *socket) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return k.frozen
}

// ping sends a ping now and then: the first at once.
func (s *Server) ping(k *socket, done <-chan struct{}) {
	ticker := time.NewTicker(s.cfg.Ping)
	defer ticker.Stop()
	for {
		if !s.isFrozen(k) {
			_ = k.conn.WriteControl(websocket.PingMessage, []byte("Ping from applink-test"), time.Now().Add(writeWithin))
		}
		select {
		case <-ticker.C:
		case <-done:
			return
		}
	}
}

// heard takes an acknowledgement.
func (s *Server) heard(kind int, data []byte) {
	var ack map[string]json.RawMessage
	var id string
	s.mu.Lock()
	defer s.mu.Unlock()
	if kind != websocket.TextMessage || json.Unmarshal(data, &ack) != nil || json.Unmarshal(ack["envelope_id"], &id) != nil {
		s.fault("socket: a message that is no acknowledgement")
		return
	}
	for name := range ack {
		if name != "envelope_id" && name != "payload" {
			s.fault("socket: unknown field %s in an acknowledgement", name)
		}
	}
	x, known := s.known[id]
	switch {
	case !known:
		s.fault("socket: acknowledgement of an unknown envelope")
		return
	case x == nil: // it has ended
		return
	case len(data) >= mostAck:
		s.fault("socket: an acknowledgement of %d bytes is dropped", len(data))
		return
	}
	payload := []byte(ack["payload"])
	if string(payload) == "null" {
		payload = nil
	}
	if x.envelope.kind == "events_api" && len(payload) > 0 {
		s.fault("socket: an event takes no payload")
		payload = nil
	}
	s.acknowledge(x, Ack{Status: http.StatusOK, Payload: payload, Attempt: x.attempt}, false)
}

// acknowledge keeps an acknowledgement; the first does what it brings along. The lock is held.
func (s *Server) acknowledge(x *Exchange, a Ack, bare bool) {
	a.At, a.Latency = s.now(), time.Since(x.first)
	a.Late = a.At.Sub(x.sent) > ackWithin
	x.acks = append(x.acks, a)
	delete(s.pending, x.EnvelopeID)
	if len(x.acks) == 1 && !a.Late && a.Status/100 == 2 {
		s.acknowledged(x, a.Payload, bare)
	}
	x.ring()
}

// Send delivers an interaction over Socket Mode, by one connection after the other in turn.
// It waits for a connection if there is none.
func (s *Server) Send(ctx context.Context, i Interaction) (*Exchange, error) {
	if err := s.Connected(ctx, 1); err != nil {
		return nil, err
	}
	x, err := s.prepare(i)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.pending[x.EnvelopeID] = x
	s.mu.Unlock()
	return x, s.deliver(ctx, x, "")
}

// deliver sends an envelope by the next socket; reason is that of a retry.
func (s *Server) deliver(ctx context.Context, x *Exchange, reason string) error {
	for {
		if err := s.Connected(ctx, 1); err != nil {
			return err
		}
		s.mu.Lock()
		if len(s.sockets) == 0 {
			s.mu.Unlock()
			continue
		}
		k := s.sockets[s.turn%len(s.sockets)]
		s.turn++
		frozen := k.frozen
		wire := s.dispatch(x, reason)
		s.mu.Unlock()
		if err := k.write(wire, frozen); err == nil {
			return nil
		}
		k.cut()
		s.dismiss(k)
	}
}

// dispatch counts a delivery, and is what is sent. The lock is held.
func (s *Server) dispatch(x *Exchange, reason string) map[string]any {
	if x.first.IsZero() {
		x.first = time.Now()
	}
	if reason != "" {
		x.attempt++
	}
	x.sent = s.now()
	wire := map[string]any{
		"envelope_id": x.EnvelopeID, "type": x.envelope.kind, "payload": x.envelope.payload,
		"accepts_response_payload": x.envelope.kind != "events_api",
	}
	if x.envelope.kind == "events_api" || reason != "" {
		wire["retry_attempt"], wire["retry_reason"] = x.attempt, reason
	}
	return wire
}

// Redeliver delivers an exchange once more, the way it was delivered at first, as Slack does
// when it missed the answer: with retry_attempt and retry_reason (timeout where empty), or
// X-Slack-Retry-Num and X-Slack-Retry-Reason.
func (s *Server) Redeliver(ctx context.Context, x *Exchange, reason string) error {
	if reason == "" {
		reason = "timeout"
	}
	s.mu.Lock()
	ended := x.ended
	s.mu.Unlock()
	if ended {
		return ErrEnded
	}
	if x.endpoint != "" {
		s.launch(x, reason)
		return nil
	}
	return s.deliver(ctx, x, reason)
}

// retry delivers again what has not been acknowledged in time.
func (s *Server) retry() {
	s.mu.Lock()
	var due []*Exchange
	for _, x := range s.pending {
		if s.now().Sub(x.sent) >= ackWithin && !x.sent.IsZero() && x.attempt < mostRetries && len(s.sockets) > 0 {
			due = append(due, x)
		}
	}
	slices.SortFunc(due, func(a, b *Exchange) int { return a.first.Compare(b.first) })
	s.mu.Unlock()
	ctx, cancel := context.WithCancel(s.ctx)
	cancel() // nobody waits for a socket: the next one brings this about again
	for _, x := range due {
		if err := s.deliver(ctx, x, "timeout"); err != nil {
			return
		}
	}
}

// Connected waits until n sockets, at least, are open.
func (s *Server) Connected(ctx context.Context, n int) error {
	return s.wait(ctx, func() bool { return len(s.sockets) >= n })
}

// Attempts are the times, by the real clock, at which sockets were asked for: those refused
// too.
func (s *Server) Attempts() []time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.attempts)
}

// Attempted waits until n sockets have been asked for.
func (s *Server) Attempted(ctx context.Context, n int) error {
	return s.wait(ctx, func() bool { return len(s.attempts) >= n })
}

// Refuse answers the next n sockets with a disconnect message of reason too_many_websockets;
// all of them if n is negative, none if it is 0.
func (s *Server) Refuse(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refusing = n
}

// Disconnect tells every open socket to go. After a warning the socket stays until the
// client closes it; after refresh_requested, link_disabled or too_many_websockets the server
// closes it.
func (s *Server) Disconnect(reason string) {
	s.mu.Lock()
	sockets := slices.Clone(s.sockets)
	s.mu.Unlock()
	for _, k := range sockets {
		_ = k.write(map[string]any{"type": "disconnect", "reason": reason, "debug_info": debugInfo}, s.isFrozen(k))
		if reason != "warning" {
			_ = k.conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""), time.Now().Add(writeWithin))
			s.dismiss(k)
		}
	}
}

// Drop cuts the open sockets without a word.
func (s *Server) Drop() {
	s.mu.Lock()
	sockets := slices.Clone(s.sockets)
	s.sockets = nil
	s.mu.Unlock()
	for _, k := range sockets {
		k.cut()
	}
}

// Freeze makes the open sockets half-dead: they stay open, and count in num_connections, but
// send no pings, answer none, and lose what is sent in either direction. Sockets opened
// later are sound.
func (s *Server) Freeze() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range s.sockets {
		k.frozen = true
	}
}

// Pretend makes hello say this num_connections; 0: the truth.
func (s *Server) Pretend(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.told = n
}
