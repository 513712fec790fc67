package discord

import (
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// mostBody is as long as the body of an interaction may be, in bytes.
const mostBody = 1 << 20

// mostSkew is how far a request's time may be from ours, either way: what is older is a
// replay, what is newer is somebody's clock.
const mostSkew = 5 * time.Minute

// Handler takes interactions by HTTP: it is what the developer portal calls the
// Interactions Endpoint URL. It answers 401 to whatever Discord has not signed, or
// signed for another time or for a request that came already, and
// waits for neither the tutor nor Discord, but a second at most for suggestions.
// While Run does not run it answers 503, to a PING too.
func (b *Bot) Handler() http.Handler { return http.HandlerFunc(b.serve) }

func (b *Bot) serve(w http.ResponseWriter, r *http.Request) {
	arrived := time.Now()
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "POST only", http.StatusMethodNotAllowed)
		return
	}
	if b.key == nil {
		http.Error(w, "interactions do not come by HTTP here", http.StatusNotFound)
		return
	}
	signature, stamp := r.Header.Get("X-Signature-Ed25519"), r.Header.Get("X-Signature-Timestamp")
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, mostBody))
	var long *http.MaxBytesError
	switch {
	case errors.As(err, &long):
		http.Error(w, "too long", http.StatusRequestEntityTooLarge)
		return
	case err != nil:
		http.Error(w, "cannot be read", http.StatusBadRequest)
		return
	case !b.signed(signature, stamp, body):
		b.unsigned(w)
		return
	}
	b.fromHTTP(w, signature, body, arrived)
}

// unsigned answers what Discord has not signed, or not for now.
func (b *Bot) unsigned(w http.ResponseWriter) {
	b.cfg.Metrics.Failed(platform, "signature")
	http.Error(w, "invalid request signature", http.StatusUnauthorized)
}

// signed says that Discord has signed a body, now or a moment ago.
func (b *Bot) signed(signature, stamp string, body []byte) bool {
	sig, err := hex.DecodeString(signature)
	if err != nil || len(sig) != ed25519.SignatureSize {
		return false
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || !ed25519.Verify(b.key, append([]byte(stamp), body...), sig) {
		return false
	}
	skew := b.cfg.Now().Sub(time.Unix(seconds, 0))
	return skew.Abs() <= mostSkew
}

// signatures remembers those that were accepted, for as long as their times are good:
// one that comes again is a replay, since Discord signs anew what it delivers again. It
// is bounded: above 166 a second or so, what is older than the last 100,000 is forgotten,
// and the interaction's ID still keeps it from having a second effect. The zero value is
// ready; it is safe for concurrent use.
type signatures struct {
	mu       sync.Mutex
	since    time.Time // when now was begun
	now, old map[signature]struct{}
}

// signature is enough of one to tell it from all others: half of its R, in bytes.
type signature [16]byte

// mostSignatures is after how many the older half is forgotten.
const mostSignatures = 100_000

// first says that a signature in hexadecimal, a good one, comes for the first time, and
// remembers it.
func (s *signatures) first(hexadecimal string, at time.Time) bool {
	var key signature
	if _, err := hex.Decode(key[:], []byte(hexadecimal[:2*len(key)])); err != nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.now[key]; ok {
		return false
	}
	if _, ok := s.old[key]; ok {
		return false
	}
	// A time may be ahead by mostSkew when it comes first, and behind by as much at the last.
	if s.now == nil || at.Sub(s.since) > 2*mostSkew || len(s.now) >= mostSignatures {
		s.now, s.old, s.since = map[signature]struct{}{}, s.now, at
	}
	s.now[key] = struct{}{}
	return true
}

// fromHTTP answers an interaction that Discord signed. One that came before gets the same
// kind of first response, and nothing else happens; but under the very signature it came
// with before it is somebody else's replay. A PING has no effect to be had twice.
func (b *Bot) fromHTTP(w http.ResponseWriter, signature string, body []byte, arrived time.Time) {
	work, done, ok := b.begin()
	if !ok {
		http.Error(w, "not running", http.StatusServiceUnavailable)
		return
	}
	defer done()
	e, readable, err := readEvent(body)
	if e.Type != eventPing && !b.signatures.first(signature, b.cfg.Now()) {
		b.unsigned(w)
		return
	}
	if !readable {
		b.log.Error("interaction cannot be read", "error", err)
		b.cfg.Metrics.Failed(platform, "event")
		http.Error(w, "not an interaction", http.StatusBadRequest)
		return
	}
	if e.Type == eventPing {
		b.write(w, callback{Type: callbackPong})
		return
	}
	p := b.planFor(e, err)
	if !b.recent.First(e.ID) {
		if p.complete != "" {
			p = b.only(e, "", nil)
		}
		b.write(w, p.first)
		return
	}
	x := b.take(e, p, arrived)
	x.http = true
	if !x.answers() {
		defer x.release()
	}
	if x.complete != "" {
		x.first = x.completions(b.completions(work, x.plan))
	}
	if x.answers() {
		b.accept(work, x) // before the answer: its order is that of the arrivals
	}
	x.acknowledged(b.write(w, x.first))
}

// write answers with a callback, and sends it on its way.
func (b *Bot) write(w http.ResponseWriter, c callback) error {
	data, err := json.Marshal(c)
	if err != nil {
		http.Error(w, "no answer", http.StatusInternalServerError)
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	if _, err := w.Write(data); err != nil {
		return err
	}
	if err := http.NewResponseController(w).Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	return nil
}
