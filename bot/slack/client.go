package slack

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	slackgo "github.com/slack-go/slack"
)

// Bounds of one call to Slack.
const (
	tries      = 5                // of one request
	mostRest   = 2 * time.Minute  // the longest Retry-After that is waited for
	mostAnswer = 4 << 20          // bytes of an answer
	callTime   = 10 * time.Second // of one try
)

// wire is the way to Slack: it stays on one host where it is told to, waits as long as
// Slack asks for, and tries again what may pass.
type wire struct {
	cfg    Config
	base   *url.URL
	client *http.Client
	close  func() // of the connections that nothing uses
}

func newWire(cfg Config, base *url.URL) *wire {
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, DialContext: cfg.Dial, ForceAttemptHTTP2: true, TLSHandshakeTimeout: callTime,
		MaxIdleConnsPerHost: 64, IdleConnTimeout: time.Minute} // all goes to one host or two
	w := &wire{cfg: cfg, base: base}
	w.client = &http.Client{Timeout: callTime, Transport: &homebound{w, transport}}
	w.close = transport.CloseIdleConnections
	return w
}

// bound says that requests may go to one host alone: the API is not Slack's own.
func (w *wire) bound() bool { return w.base.String() != slackgo.APIURL }

// homebound is the only way out. Requests go to Slack's own hosts and to no others; where the API is not Slack's
// own, to its host, whatever their URLs say. Redirects come this way too.
type homebound struct {
	wire *wire
	next http.RoundTripper
}

// errElsewhere is an address that Slack, or somebody in it, gave, and that is none of Slack's.
var errElsewhere = errors.New("the address is not with Slack")

// slacks says that an address is one of Slack's own: of its API, its files, its response URLs or its sockets.
func slacks(u *url.URL) bool {
	host := strings.ToLower(u.Hostname())
	return (u.Scheme == "https" || u.Scheme == "wss") && (u.Port() == "" || u.Port() == "443") && u.User == nil &&
		strings.HasSuffix("."+host, ".slack.com")
}

func (h *homebound) RoundTrip(r *http.Request) (*http.Response, error) {
	if !h.wire.bound() && !slacks(r.URL) {
		if r.Body != nil {
			_ = r.Body.Close()
		}
		return nil, errElsewhere
	}
	if u, moved := h.wire.home(r.URL); h.wire.bound() && moved {
		r = r.Clone(r.Context())
		r.URL, r.Host = u, ""
	}
	return h.next.RoundTrip(r)
}

// home is a URL as it is asked where requests are bound to one host: as it is where it names that
// host, on whatever port, as a server may have its sockets or its files on another one;
// else moved to the base's scheme, host and port, with its path and query.
func (w *wire) home(u *url.URL) (at *url.URL, moved bool) {
	socket := u.Scheme == "ws" || u.Scheme == "wss"
	if strings.EqualFold(u.Hostname(), w.base.Hostname()) && (socket || u.Scheme == "http" || u.Scheme == "https") {
		return u, false
	}
	to := *u
	to.Scheme, to.Host, to.User = w.base.Scheme, w.base.Host, nil
	if socket {
		to.Scheme = strings.Replace(w.base.Scheme, "http", "ws", 1)
	}
	return &to, true
}

// here is an address that Slack gave, on the host that requests may go to.
func (w *wire) here(address string) string {
	u, err := url.Parse(address)
	if !w.bound() || err != nil || u.Host == "" {
		return address
	}
	u, _ = w.home(u)
	return u.String()
}

// filing is slack-go's client for a file's address on the host that requests may go to. It sends
// its token to Slack and to its API's host and port, no others: here they are the address's.
func (w *wire) filing(address string) (api *slackgo.Client, at string) {
	base, at := w.base.String(), w.here(address)
	if u, err := url.Parse(at); w.bound() && err == nil {
		base = (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: w.base.Path}).String()
	}
	return slackgo.New(w.cfg.BotToken, slackgo.OptionAPIURL(base), slackgo.OptionHTTPClient(w)), at
}

// Do sends a request, again where Slack was too busy or could not be reached, as long as its body
// can be sent again. A request that may have taken effect is sent again too: an answer
// shown twice is better than none.
func (w *wire) Do(r *http.Request) (*http.Response, error) {
	ctx := r.Context()
	for try := 0; ; try++ {
		if try > 0 && r.GetBody != nil {
			body, err := r.GetBody()
			if err != nil {
				return nil, fmt.Errorf("read body again: %w", err)
			}
			r.Body = body
		}
		resp, err := w.once(r)
		rest, again := w.again(ctx, try, resp, err)
		if last := try == tries-1 || r.Body != nil && r.GetBody == nil; !again || last {
			return resp, stripped(err)
		}
		if err := pause(ctx, w.cfg.After, rest); err != nil {
			return nil, err
		}
	}
}

// once sends a request and reads the answer, at most mostAnswer bytes of it: a connection that
// breaks amid it is as good as none.
func (w *wire) once(r *http.Request) (*http.Response, error) {
	resp, err := w.client.Do(r)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, mostAnswer))
	_ = resp.Body.Close()
	if err != nil {
		return nil, fmt.Errorf("read answer: %w", err)
	}
	resp.Body = io.NopCloser(bytes.NewReader(data))
	return resp, nil
}

// again says whether a request is worth another try, and after how long.
func (w *wire) again(ctx context.Context, try int, resp *http.Response, err error) (time.Duration, bool) {
	switch {
	case ctx.Err() != nil, errors.Is(err, errElsewhere):
		return 0, false
	case err != nil, resp.StatusCode >= 500:
		return backoff(try, 8*time.Second), true
	case resp.StatusCode == http.StatusTooManyRequests:
		w.cfg.Metrics.Limited(platform)
		seconds, err := strconv.Atoi(resp.Header.Get("Retry-After"))
		if err != nil || seconds < 0 {
			seconds = 1
		}
		rest := time.Duration(seconds) * time.Second
		return rest + rand.N(250*time.Millisecond), rest <= mostRest
	}
	return 0, false
}

// backoff is how long to wait after a failure that try others came before: from 0.25 s to
// 0.5 s, twice as much each time, at most most.
func backoff(try int, most time.Duration) time.Duration {
	d := min(most, 500*time.Millisecond<<min(try, 20))
	return d/2 + rand.N(d/2)
}

// call asks a method of the Web API with a body of JSON; answer may be nil.
func (w *wire) call(ctx context.Context, method string, body, answer any) error {
	raw, status, err := w.post(ctx, w.base.JoinPath(method).String(), "Bearer "+w.cfg.BotToken, body)
	if err != nil {
		return fmt.Errorf("call %s: %w", method, err)
	}
	return said(method, raw, status, answer)
}

// respond posts to a response URL. The URL is in no error.
func (w *wire) respond(ctx context.Context, address string, body any) error {
	raw, status, err := w.post(ctx, w.here(address), "", body)
	if err != nil {
		return fmt.Errorf("use response URL: %w", err)
	}
	if text := strings.TrimSpace(string(raw)); status == http.StatusOK && (text == "ok" || text == "") {
		return nil
	}
	return said("response_url", raw, status, nil)
}

func (w *wire) post(ctx context.Context, address, authorization string, body any) (raw []byte, status int, err error) {
	data, err := json.Marshal(body)
	if err != nil {
		return nil, 0, fmt.Errorf("write JSON: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(data))
	if err != nil {
		return nil, 0, errors.New("address of a request is no URL")
	}
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	if authorization != "" {
		req.Header.Set("Authorization", authorization)
	}
	resp, err := w.Do(req)
	if err != nil {
		return nil, 0, err
	}
	raw, err = io.ReadAll(resp.Body)
	return raw, resp.StatusCode, err
}

// said reads Slack's answer: {"ok":false,"error":"…"} is an error, and so is every status but 200.
func said(method string, raw []byte, status int, answer any) error {
	var outcome struct {
		OK    bool   `json:"ok"`
		Error string `json:"error"`
	}
	err := json.Unmarshal(raw, &outcome)
	switch {
	case err == nil && !outcome.OK && outcome.Error != "":
		return fmt.Errorf("%s: %w", method, slackgo.SlackErrorResponse{Err: outcome.Error})
	case status != http.StatusOK:
		if text := strings.TrimSpace(string(raw)); len(text) > 0 && len(text) < 40 && !strings.ContainsAny(text, " <") {
			return fmt.Errorf("%s: %w", method, slackgo.SlackErrorResponse{Err: text}) // a response URL's: used_url
		}
		return fmt.Errorf("%s: %w", method, slackgo.StatusCodeError{Code: status, Status: http.StatusText(status)})
	case err != nil:
		return fmt.Errorf("read answer of %s: %w", method, err)
	case !outcome.OK:
		return fmt.Errorf("%s: %w", method, slackgo.SlackErrorResponse{Err: "unknown_error"})
	}
	if answer == nil {
		return nil
	}
	if err := json.Unmarshal(raw, answer); err != nil {
		return fmt.Errorf("read answer of %s: %w", method, err)
	}
	return nil
}

// code is the word by which Slack refused: channel_not_found. Empty where the error is none of
// Slack's.
func code(err error) string {
	var no slackgo.SlackErrorResponse
	if errors.As(err, &no) {
		return no.Err
	}
	return ""
}

// stripped is an error without the URL that net/http writes into it: response URLs and the
// addresses of files and sockets are secrets.
func stripped(err error) error {
	var of *url.Error
	if errors.As(err, &of) {
		return of.Err
	}
	return err
}

// harmless is what may be logged of an error that a library made.
func harmless(err error) string {
	if c := code(err); c != "" {
		return c
	}
	var status slackgo.StatusCodeError
	var limited *slackgo.RateLimitedError
	var net net.Error
	switch {
	case errors.As(err, &status):
		return "HTTP " + strconv.Itoa(status.Code)
	case errors.As(err, &limited):
		return "rate limited"
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return "out of time"
	case errors.As(err, &net):
		return "no connection"
	}
	text := stripped(err).Error()
	if strings.Contains(text, "://") {
		return "an address that cannot be used"
	}
	return text
}
