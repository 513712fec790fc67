package discord

import (
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"
)

// mostBody is as long as the body of an interaction may be, in bytes.
const mostBody = 1 << 20

// mostSkew is how far a request's time may be from ours, either way: what is older is a
// replay, what is newer is somebody's clock.
const mostSkew = 5 * time.Minute

// Handler takes interactions by HTTP: it is what the developer portal calls the
// Interactions Endpoint URL. It answers 401 to whatever Discord has not signed, and
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
		b.cfg.Metrics.Failed(platform, "signature")
		http.Error(w, "invalid request signature", http.StatusUnauthorized)
		return
	}
	b.fromHTTP(w, body, arrived)
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

// fromHTTP answers an interaction that Discord signed. One that came before gets the same
// kind of first response, and nothing else happens.
func (b *Bot) fromHTTP(w http.ResponseWriter, body []byte, arrived time.Time) {
	work, done, ok := b.begin()
	if !ok {
		http.Error(w, "not running", http.StatusServiceUnavailable)
		return
	}
	defer done()
	e, readable, err := readEvent(body)
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
