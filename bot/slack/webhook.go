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
	"time"
)

// Bounds of what comes over HTTP.
//
// Source: https://docs.slack.dev/authentication/verifying-requests-from-slack
const (
	mostBody = 1 << 20
	mostAge  = 5 * time.Minute
)

// Handler takes slash commands, interactions and events over HTTP, on any path: it tells them
// apart by what is in them. It answers at once: 200 and nothing, 401 to what Slack has not
// signed within the last five minutes, 413 to what is over 1 MiB, 503 while the App does
// not run.
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
	if !a.signed(r.Header, body, at) {
		a.cfg.Metrics.Failed(platform, "signature")
		http.Error(w, "bad signature", http.StatusUnauthorized)
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
	if n := r.Header.Get("X-Slack-Retry-Num"); n != "" {
		a.log.InfoContext(r.Context(), "event delivered again", "attempt", bounded(n), "reason", bounded(r.Header.Get("X-Slack-Retry-Reason")))
	}
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(http.StatusOK)
	_ = http.NewResponseController(w).Flush() // before any work
	in.at, in.acked = at, a.cfg.Now().Sub(at)
	a.take(in)
}

// signed says that Slack signed the body, lately. slack-go's verifier does the same by the
// machine's clock alone.
func (a *App) signed(h http.Header, body []byte, now time.Time) bool {
	stamp := h.Get("X-Slack-Request-Timestamp")
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || a.cfg.SigningSecret == "" || now.Sub(time.Unix(seconds, 0)).Abs() > mostAge {
		return false
	}
	given, found := strings.CutPrefix(h.Get("X-Slack-Signature"), "v0=")
	signature, err := hex.DecodeString(given)
	if !found || err != nil {
		return false
	}
	mac := hmac.New(sha256.New, []byte(a.cfg.SigningSecret))
	mac.Write([]byte("v0:" + stamp + ":"))
	mac.Write(body)
	return hmac.Equal(signature, mac.Sum(nil))
}

// read tells what a body is.
func read(contentType string, body []byte) (in incoming, challenge string, ok bool) {
	kind, _, _ := mime.ParseMediaType(contentType)
	if kind == "application/json" {
		var n notice
		if json.Unmarshal(body, &n) != nil {
			return in, "", false
		}
		if n.Type == "url_verification" {
			return in, n.Challenge, n.Challenge != ""
		}
		return incoming{kind: "events_api", payload: body}, "", n.Type == "event_callback"
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
