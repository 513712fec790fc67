package discordtest

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
)

// Config says what kind of Discord to play. Zero values mean the default in the comment.
type Config struct {
	Token         string             // the bot's, without "Bot ": a fixed one, see Server.Token
	ApplicationID string             // a fixed one, see Server.ApplicationID
	PrivateKey    ed25519.PrivateKey // signs HTTP interactions: one made from a fixed seed
	Now           func() time.Time   // time.Now; Advance is added to it

	Acknowledge time.Duration // a first response later than this finds its token void: 3 s
	TokenLife   time.Duration // an interaction's token serves this long: 15 min
	Heartbeat   time.Duration // of the gateway, in real time: 41.25 s

	Spec   string // path of Discord's OpenAPI 3.1 file; empty: the package's own tables alone
	Strict bool   // refuse with 400 also what Discord lets pass and only Faults tells (unknown fields, allowed_mentions)

	Guilds        int           // how many the bot is in: 1; Guild names them
	Shards        int           // recommended by /gateway/bot: one for every 2,500 guilds
	IdentifyQuota int           // IDENTIFYs a day: 1,000
	IdentifyEvery time.Duration // an IDENTIFY sooner after another is refused by op 9, Discord's is 5 s; zero: no matter
	Unlimited     bool          // no rate limits but those asked for (LimitNext, Inject)
}

// Server is a Discord of one process. It is safe for concurrent use.
type Server struct {
	cfg     Config
	url     string
	http    *http.Server
	client  *http.Client
	spec    *spec
	ctx     context.Context // ends with Close
	cancel  context.CancelFunc
	working sync.WaitGroup // what Close waits for

	mu        sync.Mutex
	advanced  time.Duration
	serial    uint64
	endpoint  string
	faults    []string
	calls     map[string]int
	limited   int
	troubles  []*Trouble
	buckets   map[string]*bucket
	exchanges map[string]*Exchange // by token
	messages  map[string]*message
	files     map[string]Attachment // by path under /attachments/
	channels  channels
	commands  map[string]*scope // by guild; "" is global
	gateway   gateway
}

// Start plays Discord on a free port of 127.0.0.1 until Close. It fails where
// Config.Spec cannot be read or no port is free.
func Start(cfg Config) (*Server, error) {
	cfg.Token = cmp.Or(cfg.Token, "MTAwMDAwMDAwMDAwMDAwMDAwMQ.discordtest.not-a-secret")
	cfg.ApplicationID = cmp.Or(cfg.ApplicationID, "1000000000000000001")
	cfg.Acknowledge = cmp.Or(cfg.Acknowledge, 3*time.Second)
	cfg.TokenLife = cmp.Or(cfg.TokenLife, 15*time.Minute)
	cfg.Heartbeat = cmp.Or(cfg.Heartbeat, 41250*time.Millisecond)
	cfg.Guilds = cmp.Or(cfg.Guilds, 1)
	cfg.Shards = cmp.Or(cfg.Shards, (cfg.Guilds+guildsPerShard-1)/guildsPerShard)
	cfg.IdentifyQuota = cmp.Or(cfg.IdentifyQuota, 1000)
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.PrivateKey == nil {
		seed := sha256.Sum256([]byte("discordtest"))
		cfg.PrivateKey = ed25519.NewKeyFromSeed(seed[:])
	}
	s := &Server{
		cfg: cfg, client: &http.Client{Transport: &http.Transport{}},
		calls: map[string]int{}, buckets: map[string]*bucket{}, exchanges: map[string]*Exchange{},
		messages: map[string]*message{}, files: map[string]Attachment{}, commands: map[string]*scope{},
		channels: newChannels(), gateway: newGateway(),
	}
	if cfg.Spec != "" {
		spec, err := openSpec(cfg.Spec)
		if err != nil {
			return nil, err
		}
		s.spec = spec
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen on loopback: %w", err)
	}
	s.url = "http://" + l.Addr().String()
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.http = &http.Server{Handler: s.handler(), ReadHeaderTimeout: 10 * time.Second}
	s.working.Go(func() { _ = s.http.Serve(l) }) // ends with Close, and says no more than that
	return s, nil
}

// Close cuts every connection and returns when nothing of the server runs any
// more. Exchanges still waited for end with ErrClosed.
func (s *Server) Close() error {
	s.mu.Lock()
	s.cancel() // with the lock: nothing begins to be waited for after it
	s.mu.Unlock()
	s.gateway.cut(s)
	err := s.http.Close()
	s.working.Wait()
	s.client.CloseIdleConnections()
	return err
}

// Errors of an Exchange.
var (
	ErrClosed = errors.New("the server is closed")
	ErrNobody = errors.New("no gateway session is there to take the interaction")
)

// URL is http://127.0.0.1:PORT; the API is under /api/v9 and /api/v10 of it.
func (s *Server) URL() string { return s.url }

// Token is the bot's, without "Bot ".
func (s *Server) Token() string { return s.cfg.Token }

// ApplicationID is the bot's application, and its user too.
func (s *Server) ApplicationID() string { return s.cfg.ApplicationID }

// PublicKey is what the developer portal shows: 64 hexadecimal digits.
func (s *Server) PublicKey() string {
	return hex.EncodeToString(s.cfg.PrivateKey.Public().(ed25519.PublicKey))
}

// Guild is the ID of one of the Config.Guilds, from 0: successive ones fall to successive shards.
func (s *Server) Guild(n int) string { return guildID(n) }

func guildID(n int) string { return strconv.FormatUint(uint64(1_000_000+n)<<22|7, 10) }

// Now is the server's clock.
func (s *Server) Now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now()
}

// Advance moves the server's clock: tokens expire and buckets fill without waiting.
func (s *Server) Advance(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advanced += d
}

// Faults tells every breach of Discord's rules so far, in the order in which they
// came: "PATCH /webhooks/{app}/{token}/messages/@original: content: Must be 2000 or
// fewer in length." It holds no token.
func (s *Server) Faults() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.faults)
}

// Calls counts the requests to a route, written as in Faults: "PUT
// /applications/{app}/commands".
func (s *Server) Calls(route string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[route]
}

// Limited counts the requests answered 429.
func (s *Server) Limited() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.limited
}

// now, snowflake and fault are called with mu held.
func (s *Server) now() time.Time { return s.cfg.Now().Add(s.advanced) }

// snowflake is a new ID: milliseconds since 2015, and a number (reference#snowflakes).
func (s *Server) snowflake() string {
	const epoch = 1420070400000
	s.serial++
	return strconv.FormatUint(uint64(s.now().UnixMilli()-epoch)<<22+s.serial, 10)
}

func (s *Server) fault(format string, args ...any) {
	s.faults = append(s.faults, fmt.Sprintf(format, args...))
}
