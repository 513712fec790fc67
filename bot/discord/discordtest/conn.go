package discordtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/gorilla/websocket"
)

// conn is one gateway connection. Its goroutines are the one that reads, which is
// the HTTP handler's, and write; all else is under the server's mu.
type conn struct {
	server  *Server
	ws      *websocket.Conn
	out     chan frame
	done    chan struct{} // closed by cutOff
	ended   bool
	session *session
	sends   []time.Time // of the last minute
	muted   bool
}

// frame is something to write: an event, or a close.
type frame struct {
	event event
	code  int
	why   string
}

// send puts an event in line; a bot that reads none of them is cut off.
func (c *conn) send(ev event) {
	if c.muted || c.ended {
		return
	}
	select {
	case c.out <- frame{event: ev}:
	default:
		c.cutOff()
	}
}

// end closes the connection with a code, and its session where the code does that
// (topics/opcodes-and-status-codes#gateway-gateway-close-event-codes).
func (c *conn) end(code int, why string) {
	if se := c.session; se != nil && (code == 1000 || code == 1001 || code == 4004 || code == 4007 || code >= 4010) {
		c.server.gateway.end(se)
	}
	c.leave()
	if c.ended {
		return
	}
	c.ended = true
	select {
	case c.out <- frame{code: code, why: why}:
	default:
		c.cutOff()
	}
}

// refuse ends the connection for a breach, which is kept.
func (c *conn) refuse(code int, format string, args ...any) {
	why := fmt.Sprintf(format, args...)
	c.server.fault("gateway: %s (%d)", why, code)
	c.end(code, why)
}

// leave parts the connection from its session.
func (c *conn) leave() {
	if c.session != nil && c.session.conn == c {
		c.session.conn = nil
	}
	c.session = nil
	delete(c.server.gateway.conns, c)
	c.server.gateway.tell()
}

// cutOff ends the connection without a word.
func (c *conn) cutOff() {
	c.ended = true
	select {
	case <-c.done:
	default:
		close(c.done)
		_ = c.ws.NetConn().Close() // the reader and the writer see it
	}
}

// write sends what is in line until the connection ends.
func (c *conn) write() {
	for {
		select {
		case <-c.done:
			return
		case f := <-c.out:
			_ = c.ws.SetWriteDeadline(time.Now().Add(5 * time.Second)) // a broken connection fails in the write
			if f.code != 0 {
				_ = c.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(f.code, f.why), time.Now().Add(time.Second))
				c.server.mu.Lock()
				c.cutOff()
				c.server.mu.Unlock()
				return
			}
			if c.ws.WriteJSON(f.event) != nil {
				c.server.mu.Lock()
				c.cutOff()
				c.server.mu.Unlock()
				return
			}
		}
	}
}

// read takes what the bot sends until the connection ends, by its close code too: 1000
// and 1001 end the session (events/gateway#resuming). Half as long again as the
// heartbeat's interval without one closes with 4009.
func (c *conn) read() {
	s := c.server
	c.ws.SetReadLimit(16 * mostPayload)
	patience := func() { _ = c.ws.SetReadDeadline(time.Now().Add(s.cfg.Heartbeat * 3 / 2)) }
	patience()
	for {
		kind, data, err := c.ws.ReadMessage()
		s.mu.Lock()
		if err != nil {
			c.lost(err)
			s.mu.Unlock()
			return
		}
		if c.take(kind, data) {
			patience()
		}
		s.mu.Unlock()
	}
}

// lost ends what is left of the connection after the bot closed it, or fell silent.
func (c *conn) lost(err error) {
	var closed *websocket.CloseError
	var timeout net.Error
	switch {
	case errors.As(err, &closed) && (closed.Code == websocket.CloseNormalClosure || closed.Code == websocket.CloseGoingAway):
		if c.session != nil {
			c.server.gateway.end(c.session)
		}
	case errors.As(err, &timeout) && timeout.Timeout() && !c.ended:
		c.end(4009, "Session timed out")
		return
	}
	c.leave()
	c.cutOff()
}

// take does what the bot asks, and says whether it was a heartbeat.
func (c *conn) take(kind int, data []byte) bool {
	now := time.Now()
	c.sends = append(slices.DeleteFunc(c.sends, now.Add(-time.Minute).After), now)
	var m struct {
		Op   int             `json:"op"`
		Data json.RawMessage `json:"d"`
	}
	switch {
	case c.ended:
		return false
	case len(c.sends) > mostSends:
		c.refuse(4008, "more than %d sends in a minute", mostSends)
		return false
	case len(data) > mostPayload:
		c.refuse(4002, "an event of %d bytes, %d at most", len(data), mostPayload)
		return false
	case kind != websocket.TextMessage || json.Unmarshal(data, &m) != nil:
		c.refuse(4002, "an event that is not JSON text")
		return false
	}
	switch m.Op {
	case 1:
		c.server.gateway.heartbeats++
		c.server.gateway.tell()
		c.send(event{Op: 11})
		return true
	case 2:
		c.identify(m.Data)
	case 6:
		c.resume(m.Data)
	case 3, 4, 8, 31: // presence, voice, members, soundboard: taken, to no effect
		if c.session == nil {
			c.refuse(4003, "op %d before IDENTIFY", m.Op)
		}
	default:
		c.refuse(4001, "op %d is none a bot sends", m.Op)
	}
	return false
}

// privileged intents are not granted to this bot: members, presences, message content.
const privileged = 1<<1 | 1<<8 | 1<<15

// identify begins a session (events/gateway-events#identify).
func (c *conn) identify(data json.RawMessage) {
	var d struct {
		Token      string            `json:"token"`
		Intents    *int              `json:"intents"`
		Properties map[string]string `json:"properties"`
		Shard      *[2]int           `json:"shard"`
	}
	s, g := c.server, &c.server.gateway
	now := s.now()
	g.forgetDay(now)
	err := json.Unmarshal(data, &d)
	shard := [2]int{0, 1}
	if d.Shard != nil {
		shard = *d.Shard
	}
	switch {
	case c.session != nil:
		c.refuse(4005, "IDENTIFY twice")
	case err != nil || d.Intents == nil || len(d.Properties) == 0:
		c.refuse(4002, "IDENTIFY without token, intents or properties")
	case d.Token != s.cfg.Token && d.Token != "Bot "+s.cfg.Token: // discordgo sends the prefix
		c.end(4004, "Authentication failed.")
	case len(g.identifies) >= s.cfg.IdentifyQuota:
		c.refuse(4004, "more than %d IDENTIFYs in a day: Discord resets the token", s.cfg.IdentifyQuota)
	case shard[1] < 1 || shard[0] < 0 || shard[0] >= shard[1]:
		c.refuse(4010, "shard %v", shard)
	case s.cfg.Guilds > guildsPerShard*shard[1]:
		c.refuse(4011, "%d guilds on %d shards", s.cfg.Guilds, shard[1])
	case *d.Intents < 0 || *d.Intents >= 1<<26:
		c.refuse(4013, "intents %d", *d.Intents)
	case *d.Intents&privileged != 0:
		c.refuse(4014, "intents %d are privileged", *d.Intents&privileged)
	case s.cfg.IdentifyEvery > 0 && len(g.identifies) > 0 && now.Sub(g.identifies[len(g.identifies)-1]) < s.cfg.IdentifyEvery:
		c.send(event{Op: 9, Data: false})
	default:
		g.identifies = append(g.identifies, now)
		g.identified++
		c.ready(&session{Session: Session{ID: newSessionID(), Shard: shard, Intents: *d.Intents}})
	}
}

// ready tells of a new session and, with the intent for it, of the shard's guilds.
func (c *conn) ready(se *session) {
	s := c.server
	c.session, se.conn = se, c
	s.gateway.sessions = append(s.gateway.sessions, se)
	guilds := []any{}
	for n := range s.cfg.Guilds {
		if shardOf(guildID(n), se.Shard[1]) == se.Shard[0] {
			guilds = append(guilds, map[string]any{"id": guildID(n), "unavailable": true})
		}
	}
	se.push("READY", map[string]any{"v": 10, "user": s.bot(), "guilds": guilds, "session_id": se.ID, "shard": se.Shard,
		"resume_gateway_url": s.socketURL(), "application": map[string]any{"id": s.cfg.ApplicationID, "flags": 0}})
	if se.Intents&1 != 0 {
		for _, g := range guilds {
			se.push("GUILD_CREATE", map[string]any{"id": objectOf(g)["id"], "name": "classe", "owner_id": defaultPerson, "member_count": 2, "large": false,
				"unavailable": false, "preferred_locale": "fr", "channels": []any{}, "threads": []any{}, "members": []any{}, "roles": []any{}, "emojis": []any{}})
		}
	}
	s.gateway.tell()
}

// resume takes a session up again and replays what it missed (events/gateway#resuming).
func (c *conn) resume(data json.RawMessage) {
	var d struct {
		Token   string `json:"token"`
		Session string `json:"session_id"`
		Seq     int64  `json:"seq"`
	}
	g := &c.server.gateway
	err := json.Unmarshal(data, &d)
	at := slices.IndexFunc(g.sessions, func(se *session) bool { return se.ID == d.Session })
	switch {
	case c.session != nil:
		c.refuse(4005, "RESUME of a connection that has a session")
		return
	case err != nil:
		c.refuse(4002, "RESUME that cannot be read")
		return
	case d.Token != c.server.cfg.Token && d.Token != "Bot "+c.server.cfg.Token:
		c.end(4004, "Authentication failed.")
		return
	case at < 0:
		c.send(event{Op: 9, Data: false})
		return
	}
	se := g.sessions[at]
	if d.Seq > se.seq || len(se.missed) > 0 && d.Seq < se.missed[0].Seq-1 {
		g.end(se)
		c.refuse(4007, "RESUME at %d of a session at %d", d.Seq, se.seq)
		return
	}
	if old := se.conn; old != nil { // taken over from a connection that is still open
		old.leave()
		old.cutOff()
	}
	c.session, se.conn = se, c
	for _, ev := range se.missed {
		if ev.Seq > d.Seq {
			c.send(ev)
		}
	}
	g.resumed++
	se.push("RESUMED", map[string]any{})
	g.tell()
}
