package discord

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bwmarrin/discordgo"
	"github.com/gorilla/websocket"
)

// link is one connection to the gateway. discordgo v0.29.0 speaks the protocol: it
// identifies itself, sends the heartbeats, reads the events in order. It does not hold
// the connection itself: it is connected, through a pipe, to a relay in this process,
// which holds it and keeps from discordgo what it does wrong:
//
//   - op 7: it closes and sleeps for a second, of the three an interaction has; during
//     Open it waits for a lock that it holds itself, for ever;
//   - op 9: it identifies itself again on the same connection, at once;
//   - op 1: it writes to a connection that another goroutine may just have set to nil;
//   - op 11 where Open waits for READY: it waits for its own lock there too;
//   - its Open waits for ever for a server that says nothing;
//   - when reading fails, and after five silent heartbeats, it closes with 1000, which
//     ends the session, and says nobody why the other side closed;
//   - it keeps its session for the resumption under the same lock as that second's sleep:
//     each connection has a new discordgo.Session here, and the relay puts RESUME in the
//     place of the IDENTIFY that it sends;
//   - it fills structures with events that nothing here asks for, and ends the program over a null among a READY's
//     guilds, as over an interval of heartbeats that no clock can count;
//   - it connects to version 9.
type link struct {
	shard  *shard
	to     string
	resume resumption

	real  *websocket.Conn // to Discord
	inner *websocket.Conn // to discordgo, through the pipe; set by the handshake
	ours  net.Conn        // our end of the pipe

	writing sync.Mutex    // of real
	acked   *time.Timer   // ends the connection when heartbeats go unacknowledged; down's alone
	silence time.Duration // how long that takes
	begun   atomic.Bool   // READY, RESUMED or what came before it has been seen

	replays bool // what comes was missed by the connection before; under the shard's mu

	once      sync.Once
	ended     chan struct{}
	cause     error // why it ended. Set before ended
	resumable bool  // of an invalid session: Discord says that it may be resumed. Set before ended
}

// resumption is the data of a RESUME; without a Session there is nothing to resume.
type resumption struct {
	Token    string `json:"token"`
	Session  string `json:"session_id"`
	Sequence int64  `json:"seq"`
}

// Codes of the gateway (topics/opcodes-and-status-codes#gateway).
const (
	opDispatch  = 0
	opHeartbeat = 1
	opIdentify  = 2
	opResume    = 6
	opReconnect = 7
	opInvalid   = 9
	opHello     = 10
	opAck       = 11
)

// closeResumable is a code of ours: any but 1000 and 1001 leaves the session resumable.
const closeResumable = 4900

// mostFrame is as long as a message of the gateway may be, in bytes.
const mostFrame = 16 << 20

// dial connects to Discord.
func (s *shard) dial(ctx context.Context, to string, resume resumption) (*link, error) {
	dialer := websocket.Dialer{Proxy: http.ProxyFromEnvironment, NetDialContext: s.bot.cfg.Dial, HandshakeTimeout: s.bot.pace.hello}
	real, resp, err := dialer.DialContext(ctx, to, http.Header{"User-Agent": {userAgent}})
	if err != nil {
		if resp != nil {
			return nil, fmt.Errorf("connect to gateway: status %d: %w", resp.StatusCode, err)
		}
		return nil, fmt.Errorf("connect to gateway: %w", err)
	}
	real.SetReadLimit(mostFrame)
	return &link{shard: s, to: to, resume: resume, real: real, replays: resume.Session != "", ended: make(chan struct{})}, nil
}

// run relays until the connection ends, and says why.
func (l *link) run() error {
	theirs, ours := net.Pipe()
	l.ours = ours
	gone := make(chan struct{})
	session, err := l.session(theirs, gone)
	if err != nil {
		_ = errors.Join(theirs.Close(), ours.Close(), l.real.Close())
		return err
	}
	_ = l.real.SetReadDeadline(time.Now().Add(l.shard.bot.pace.hello))
	work := &l.shard.bot.working
	handshaken := make(chan struct{})
	work.Go(func() { l.up(handshaken) })
	work.Go(func() { l.down(handshaken) })
	// Open returns when READY or RESUMED has come, and fails when the pipe is closed.
	if err := session.Open(); err != nil {
		l.end(fmt.Errorf("begin gateway session: %w", err))
	} else {
		work.Go(func() { <-gone })
	}
	<-l.ended
	_ = theirs.Close()
	return l.cause
}

// session is discordgo's side: one session for one connection, whose only server is the
// other end of the pipe, and which has no token for anything else. Once it has been
// opened, its goroutines end, a second late, after the pipe is closed: then gone is closed.
func (l *link) session(pipe net.Conn, gone chan<- struct{}) (*discordgo.Session, error) {
	s, err := discordgo.New("")
	if err != nil {
		return nil, fmt.Errorf("make gateway session: %w", err)
	}
	s.Identify.Token = l.shard.bot.cfg.Token
	s.Identify.Intents = discordgo.IntentsNone // interactions need none
	s.Identify.Compress, s.Compress = false, false
	s.ShardID, s.ShardCount = l.shard.number, l.shard.count
	s.SyncEvents, s.StateEnabled = true, false
	s.ShouldReconnectOnError, s.ShouldReconnectVoiceOnSessionError = false, false
	s.LogLevel = -1 // it logs whole packets, tokens too
	s.Client = &http.Client{Transport: nobody{}}
	s.Dialer = &websocket.Dialer{NetDialContext: func(context.Context, string, string) (net.Conn, error) { return pipe, nil }}
	s.AddHandler(func(_ *discordgo.Session, e *discordgo.Event) {
		l.shard.dispatched(l, strings.TrimPrefix(e.Type, foreign), e.Sequence, e.RawData)
	})
	var once sync.Once
	s.AddHandler(func(*discordgo.Session, *discordgo.Disconnect) { once.Do(func() { close(gone) }) })
	return s, nil
}

// nobody answers discordgo's one question, where the gateway is, and no other.
type nobody struct{}

func (nobody) RoundTrip(r *http.Request) (*http.Response, error) {
	if !strings.HasSuffix(r.URL.Path, "/gateway") {
		return nil, errors.New("discordgo is to speak to the gateway alone")
	}
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{}, Request: r,
		Body: io.NopCloser(strings.NewReader(`{"url":"ws://relay"}`)),
	}, nil
}

// end ends the connection, once, for a reason. It does not wait: a close frame is sent,
// and what still comes is read away for a moment, so that the frame arrives.
func (l *link) end(cause error) {
	l.once.Do(func() {
		l.cause = cause
		close(l.ended)
		_ = l.real.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(closeResumable, ""), time.Now().Add(time.Second))
		l.hurry()
		_ = l.ours.Close()
	})
}

// hurry bounds how long what still comes is read away.
func (l *link) hurry() { _ = l.real.UnderlyingConn().SetReadDeadline(time.Now().Add(time.Second)) }

func (l *link) over() bool {
	select {
	case <-l.ended:
		return true
	default:
		return false
	}
}

// down relays what Discord says.
func (l *link) down(handshaken <-chan struct{}) {
	defer l.real.Close()
	defer func() {
		if l.acked != nil {
			l.acked.Stop()
		}
	}()
	<-handshaken
	for {
		kind, data, err := l.real.ReadMessage()
		if err != nil {
			l.end(fmt.Errorf("read from gateway: %w", err))
			return
		}
		if kind != websocket.TextMessage || l.over() {
			continue
		}
		pass, err := l.heard(data)
		if err == nil && pass != nil {
			err = l.inner.WriteMessage(websocket.TextMessage, pass)
		}
		if err != nil {
			l.end(err)
		}
	}
}

// longestBeat is how far apart heartbeats may be at the most; Discord asks for some 41 seconds.
const longestBeat = time.Hour

// foreign is put before an event's name, so that discordgo hands it on and reads nothing of it.
const foreign = "TIMONIER_"

// disguised is an event of the name that discordgo doesn't know.
func disguised(kind string, sequence int64, data json.RawMessage) ([]byte, error) {
	if data == nil {
		data = json.RawMessage("null")
	}
	out, err := json.Marshal(map[string]any{"op": opDispatch, "s": sequence, "t": foreign + kind, "d": data})
	if err != nil {
		return nil, fmt.Errorf("read from gateway: %w", shapeOf(err))
	}
	return out, nil
}

// heard looks at what Discord says: what discordgo is to hear of it, or why the
// connection is to end.
func (l *link) heard(data []byte) (pass []byte, err error) {
	var m struct {
		Op       int             `json:"op"`
		Sequence int64           `json:"s"`
		Type     string          `json:"t"`
		Data     json.RawMessage `json:"d"`
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, fmt.Errorf("read from gateway: %w", shapeOf(err))
	}
	switch m.Op {
	case opDispatch:
		if m.Type == "" { // nothing reaches discordgo, which waits on where this is the first
			return nil, nil
		}
		if !l.begun.Swap(true) {
			_ = l.real.SetReadDeadline(time.Time{}) // from here on, heartbeats tell
			if l.over() {
				l.hurry()
			}
		}
		return disguised(m.Type, m.Sequence, m.Data)
	case opHello:
		var hello struct {
			Interval int64 `json:"heartbeat_interval"` // milliseconds
		}
		if err := json.Unmarshal(m.Data, &hello); err != nil || hello.Interval <= 0 || hello.Interval > longestBeat.Milliseconds() || l.acked != nil {
			return nil, errors.New("read from gateway: no heartbeat's interval")
		}
		l.silence = time.Duration(hello.Interval) * time.Millisecond * 3 / 2
		l.acked = time.AfterFunc(l.silence, func() { l.end(errZombie) })
		return data, nil
	case opAck:
		if l.acked != nil {
			l.acked.Reset(l.silence)
		}
		if l.begun.Load() {
			return data, nil
		}
		return nil, nil
	case opHeartbeat:
		return nil, l.write(map[string]any{"op": opHeartbeat, "d": l.shard.lastSequence()})
	case opReconnect:
		return nil, errReconnect
	case opInvalid:
		l.resumable = string(m.Data) == "true"
		return nil, errInvalid
	}
	return nil, nil
}

// up relays what discordgo says: heartbeats, and an IDENTIFY, in whose place a session to
// be resumed has its RESUME.
func (l *link) up(handshaken chan<- struct{}) {
	defer func() { _ = l.ours.Close() }()
	inner, err := accept(l.ours)
	l.inner = inner
	close(handshaken)
	for err == nil {
		var data []byte
		if _, data, err = inner.ReadMessage(); err != nil {
			break
		}
		var m struct {
			Op   int             `json:"op"`
			Data json.RawMessage `json:"d"`
		}
		if err = json.Unmarshal(data, &m); err != nil {
			break
		}
		if m.Op == opIdentify && l.resume.Session != "" {
			err = l.write(map[string]any{"op": opResume, "d": l.resume})
		} else {
			err = l.write(map[string]any{"op": m.Op, "d": m.Data})
		}
	}
	l.end(fmt.Errorf("relay to gateway: %w", err))
}

// write sends one message to Discord.
func (l *link) write(v any) error {
	l.writing.Lock()
	defer l.writing.Unlock()
	if err := l.real.SetWriteDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return fmt.Errorf("write to gateway: %w", err)
	}
	if err := l.real.WriteJSON(v); err != nil {
		return fmt.Errorf("write to gateway: %w", err)
	}
	return nil
}

// accept is the server's half of a websocket's handshake on our end of the pipe.
func accept(conn net.Conn) (*websocket.Conn, error) {
	in := bufio.NewReader(conn)
	req, err := http.ReadRequest(in)
	if err != nil {
		return nil, fmt.Errorf("read handshake: %w", err)
	}
	var up websocket.Upgrader
	return up.Upgrade(&pipeWriter{conn: conn, in: in}, req, nil)
}

// pipeWriter is as much of an http.ResponseWriter as an upgrade takes.
type pipeWriter struct {
	conn   net.Conn
	in     *bufio.Reader
	header http.Header
}

func (w *pipeWriter) Header() http.Header {
	if w.header == nil {
		w.header = http.Header{}
	}
	return w.header
}
func (w *pipeWriter) Write(p []byte) (int, error) { return len(p), nil }
func (w *pipeWriter) WriteHeader(int)             {}
func (w *pipeWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return w.conn, bufio.NewReadWriter(w.in, bufio.NewWriter(w.conn)), nil
}
