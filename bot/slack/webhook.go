package slack

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Bounds of what comes over HTTP.
//
// Source: https://docs.slack.dev/authentication/verifying-requests-from-slack
const (
	mostBody = 1 << 20
	mostAge  = 5 * time.Minute
	// A signature is good as long as its time is within mostAge, before and after.
	replayTime = 2 * mostAge
	// Of so many signatures at once it is known that they were used: 160 a second.
	mostReplay = 100_000
)

// Handler takes slash commands, interactions and events over HTTP, on any path: it tells them
// apart by what is in them. It answers at once: 200 and nothing, 401 to what Slack has not
// signed within the last five minutes, or has come with the same signature before, 413 to
// what is over 1 MiB, 503 while the App does not run. What Slack itself delivers again it
// signs anew; within the same second the signature is the same, and where it says that it
// delivers again the answer is 200, and nothing is done.
func (a *App) Handler() http.Handler { return http.HandlerFunc(a.serve) }

func (a *App) serve(w http.ResponseWriter, r *http.Request) {
	at := a.cfg.Now()
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "POST only", http.StatusMethodNotAllowed)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, mostBody))
	if err != nil {
		status := http.StatusBadRequest
		var over *http.MaxBytesError
		if errors.As(err, &over) {
			status = http.StatusRequestEntityTooLarge
		}
		http.Error(w, http.StatusText(status), status)
		return
	}
	refuse := func(why string) {
		a.cfg.Metrics.Failed(platform, "signature")
		http.Error(w, why, http.StatusUnauthorized)
	}
	by, ok := a.signed(r.Header, body, at)
	if !ok {
		refuse("bad signature")
		return
	}
	in, challenge, ok := read(r.Header.Get("Content-Type"), body)
	switch {
	case !ok:
		http.Error(w, "neither a form nor JSON of Slack's", http.StatusBadRequest)
		return
	case challenge != "":
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = io.WriteString(w, challenge)
		return
	case !a.Status()["http"]:
		w.Header().Set("Retry-After", "5")
		http.Error(w, "not running", http.StatusServiceUnavailable)
		return
	}
	again := r.Header.Get("X-Slack-Retry-Num")
	if in.kind != "nothing" && !a.signatures.first(by, at) {
		if again == "" {
			refuse("signature used before")
			return
		}
		in = incoming{kind: "nothing"}
	}
	if again != "" {
		a.log.InfoContext(r.Context(), "event delivered again", "attempt", bounded(again), "reason", bounded(r.Header.Get("X-Slack-Retry-Reason")))
	}
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(http.StatusOK)
	_ = http.NewResponseController(w).Flush() // before any work
	in.at, in.acked = at, a.cfg.Now().Sub(at)
	a.take(in)
}

// signature is what tells one from all others: half of an HMAC-SHA256.
type signature [16]byte

// signed says that Slack signed the body, lately, and by which signature. slack-go's verifier
// does the same by the machine's clock alone.
func (a *App) signed(h http.Header, body []byte, now time.Time) (by signature, ok bool) {
	stamp := h.Get("X-Slack-Request-Timestamp")
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || a.cfg.SigningSecret == "" || now.Sub(time.Unix(seconds, 0)).Abs() > mostAge {
		return by, false
	}
	given, found := strings.CutPrefix(h.Get("X-Slack-Signature"), "v0=")
	sum, err := hex.DecodeString(given)
	if !found || err != nil {
		return by, false
	}
	mac := hmac.New(sha256.New, []byte(a.cfg.SigningSecret))
	mac.Write([]byte("v0:" + stamp + ":"))
	mac.Write(body)
	ours := mac.Sum(nil)
	return signature(ours), hmac.Equal(sum, ours)
}

// used are the signatures that were accepted, for as long as their times are good. The zero
// value knows of none.
type used struct {
	mu       sync.Mutex
	since    time.Time // of now
	now, old map[signature]struct{}
}

// first says that a signature comes for the first time, and remembers it: for replayTime at
// least, unless there are more than mostReplay meanwhile.
func (u *used) first(s signature, at time.Time) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if _, ok := u.now[s]; ok {
		return false
	}
	if _, ok := u.old[s]; ok {
		return false
	}
	if u.now == nil || at.Sub(u.since) > replayTime || len(u.now) >= mostReplay {
		u.now, u.old, u.since = map[signature]struct{}{}, u.now, at
	}
	u.now[s] = struct{}{}
	return true
}

// read tells what a body is.
func read(contentType string, body []byte) (in incoming, challenge string, ok bool) {
	kind, _, _ := mime.ParseMediaType(contentType)
	if kind == "application/json" {
		var n struct{ Type, Challenge string } // the rest may be as it likes: whoever takes it tells
		if json.Unmarshal(body, &n) != nil {
			return in, "", false
		}
		switch n.Type {
		case "url_verification":
			return in, n.Challenge, n.Challenge != ""
		case "event_callback", rateLimited:
			return incoming{kind: "events_api", payload: body}, "", true
		}
		return incoming{kind: "nothing"}, "", n.Type != "" // what is refused Slack counts as a failure
	}
	values, err := url.ParseQuery(string(body))
	if err != nil {
		return in, "", false
	}
	if payload := values.Get("payload"); payload != "" {
		return incoming{kind: "interactive", payload: json.RawMessage(payload)}, "", json.Valid([]byte(payload))
	}
	fields := map[string]string{}
	for name := range values {
		fields[name] = values.Get(name)
	}
	if fields["command"] == "" {
		return incoming{kind: "nothing"}, "", fields["ssl_check"] != "" // Slack looks at the certificate
	}
	payload, err := json.Marshal(fields)
	return incoming{kind: "slash_commands", payload: payload}, "", err == nil
}
