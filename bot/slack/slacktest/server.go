package slacktest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Server is the stand-in. It is safe for concurrent use.
type Server struct {
	cfg      Config
	rules    *rules
	methods  map[string]method
	listener net.Listener
	http     *http.Server
	client   *http.Client
	ctx      context.Context
	cancel   context.CancelFunc
	running  sync.WaitGroup

	mu       sync.Mutex
	closed   bool
	offset   time.Duration
	serial   int
	bell     chan struct{} // closed and replaced when something has come that wait may wait for
	faults   []string
	pings    []string
	users    map[string]*User
	order    []string // of users
	channels map[string]*Channel
	messages []*message // oldest first
	lastTS   int64      // microseconds
	files    map[string]*file
	uploads  map[string]*file // by the secret in the upload URL
	views    map[string]*view
	stacks   map[string][]*view // open modals by user
	homes    map[string]*view
	triggers map[string]*trigger
	hooks    map[string]*hook // response URLs by their secret
	aging    []string         // keys of triggers and of hooks, the oldest first
	gone     []string         // envelope IDs of exchanges that have ended, the oldest first
	watching map[string]map[*Exchange]bool
	pending  map[string]*Exchange // unacknowledged, by envelope ID
	known    map[string]*Exchange // by envelope ID, also acknowledged
	sockets  []*socket
	linked   map[*socket]bool     // those that are told to go, too
	tickets  map[string]time.Time // of sockets to be opened
	turn     int
	attempts []time.Time
	refusing int
	told     int // num_connections, if pretended
	troubles map[string]*trouble
	holds    map[string][]chan struct{}
	counts   map[string]int
	calls    []Call
}

// Start starts a server on a free port of 127.0.0.1.
func Start(cfg Config) (*Server, error) {
	cfg = cfg.WithDefaults()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &Server{
		cfg: cfg, rules: newRules(), methods: methods(), listener: listener, ctx: ctx, cancel: cancel,
		bell:  make(chan struct{}),
		users: map[string]*User{}, channels: map[string]*Channel{},
		files: map[string]*file{}, uploads: map[string]*file{},
		views: map[string]*view{}, stacks: map[string][]*view{}, homes: map[string]*view{},
		triggers: map[string]*trigger{}, hooks: map[string]*hook{},
		watching: map[string]map[*Exchange]bool{},
		pending:  map[string]*Exchange{}, known: map[string]*Exchange{},
		linked: map[*socket]bool{}, tickets: map[string]time.Time{}, troubles: map[string]*trouble{},
		holds: map[string][]chan struct{}{}, counts: map[string]int{},
	}
	for _, u := range cfg.Users {
		s.SetUser(u)
	}
	s.SetUser(User{ID: cfg.Bot, Name: "timonier", Bot: true, Locale: "en-US"})
	for _, c := range cfg.Channels {
		s.SetChannel(c)
	}
	s.client = &http.Client{
		Transport:     &http.Transport{MaxIdleConnsPerHost: 64},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	s.http = &http.Server{Handler: http.HandlerFunc(s.serve), ReadHeaderTimeout: time.Minute}
	s.running.Go(func() { _ = s.http.Serve(listener) })
	return s, nil
}

// URL is the base of the Web API with its trailing slash: http://127.0.0.1:PORT/api/.
func (s *Server) URL() string { return s.base() + "/api/" }

func (s *Server) base() string { return "http://" + s.listener.Addr().String() }

// Config is the configuration in force, with its defaults.
func (s *Server) Config() Config { return s.cfg }

// Close ends every connection and waits for all that the server has started.
func (s *Server) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	s.cancel()
	sockets := slices.Collect(maps.Keys(s.linked))
	for _, exchanges := range s.watching {
		for x := range exchanges {
			x.ring()
		}
	}
	s.ring()
	s.mu.Unlock()
	for _, k := range sockets {
		k.cut()
	}
	err := s.http.Close()
	s.running.Wait()
	s.client.CloseIdleConnections()
	if err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("close server: %w", err)
	}
	return nil
}

// enter counts a handler among those that Close waits for; false: the server is closed.
func (s *Server) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.running.Add(1)
	}
	return !s.closed
}

// Now is the server's time.
func (s *Server) Now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now()
}

func (s *Server) now() time.Time { return s.cfg.Now().Add(s.offset) }

// Advance moves the server's clock. Trigger IDs and response URLs expire by it, and an
// envelope that has not been acknowledged for 3 s is delivered again, three times at most;
// if no socket is open, as soon as there is one.
func (s *Server) Advance(d time.Duration) {
	s.mu.Lock()
	s.offset += d
	s.mu.Unlock()
	s.retry()
}

// Faults are the breaches so far, in order.
func (s *Server) Faults() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.faults)
}

// Pings are the texts so far that would have notified people: they hold an unescaped
// <!channel>, <!here>, <!everyone>, <!subteam^…> or <@U…>.
func (s *Server) Pings() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.pings)
}

// fault records a breach. The lock is held.
func (s *Server) fault(format string, args ...any) {
	s.faults = append(s.faults, fmt.Sprintf(format, args...))
}

// ring wakes those in wait. The lock is held.
func (s *Server) ring() {
	close(s.bell)
	s.bell = make(chan struct{})
}

// wait returns when ready does: it is called with the lock held, at first and whenever the
// bell has rung.
func (s *Server) wait(ctx context.Context, ready func() bool) error {
	for {
		s.mu.Lock()
		ok, bell, closed := ready(), s.bell, s.closed
		s.mu.Unlock()
		if ok {
			return nil
		}
		if closed {
			return ErrEnded
		}
		select {
		case <-bell:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// next is a new number, for IDs. The lock is held.
func (s *Server) next() int {
	s.serial++
	return s.serial
}

// stamp is a new ts, later than any before. The lock is held.
func (s *Server) stamp() string {
	s.lastTS = max(s.now().UnixMicro(), s.lastTS+1)
	return fmt.Sprintf("%d.%06d", s.lastTS/1e6, s.lastTS%1e6)
}
