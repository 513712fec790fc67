package discord

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"timonier/bot"
)

// client speaks Discord's REST API. It is our own and not discordgo's, whose buckets
// put the edits of every interaction in one queue and are never freed: here an
// interaction's requests wait for nobody else's.
type client struct {
	address address
	app     string
	token   string // the bot's; empty where there is none
	http    *http.Client
	log     *slog.Logger
	metrics *bot.Metrics
	backoff time.Duration // before the second try; it doubles with each

	invalid invalid

	mu     sync.Mutex
	paused map[string]time.Time // by bucket of the bot's own: nothing before then
}

// call is one request. Route is what may be logged of it: the path without what is
// secret or somebody's.
type call struct {
	method string
	path   string
	route  string
	bot    bool // signed with the bot's token; else an interaction's token is in the path
	body   any  // JSON; nil: none
	files  []upload
	out    any // where the answer is decoded; nil: it is not
	tries  int // after failures of the connection or of Discord (5xx); 0: 4
}

// apiError is an answer of Discord that is not a success. It holds no address and no token.
type apiError struct {
	route   string
	status  int
	code    int // Discord's own; 0: none
	message string
}

func (e *apiError) Error() string {
	return fmt.Sprintf("%s: %d (code %d) %s", e.route, e.status, e.code, e.message)
}

// Codes of Discord's errors (topics/opcodes-and-status-codes#json).
const (
	unknownChannel      = 10003
	unknownMessage      = 10008
	unknownWebhook      = 10015
	unknownInteraction  = 10062
	alreadyAcknowledged = 40060
	missingAccess       = 50001
	foreignMessage      = 50005
	noMessagesToPerson  = 50007
	missingPermissions  = 50013
	archivedThread      = 50083
	invalidWebhookToken = 50027
)

// isCode says whether an error is an answer of Discord with one of these codes.
func isCode(err error, codes ...int) bool {
	var e *apiError
	if !errors.As(err, &e) {
		return false
	}
	for _, c := range codes {
		if e.code == c {
			return true
		}
	}
	return false
}

// isStatus says whether an error is an answer of Discord with this HTTP status.
func isStatus(err error, status int) bool {
	var e *apiError
	return errors.As(err, &e) && e.status == status
}

// Errors of a client, besides those of Discord.
var (
	errNoToken = errors.New("there is no bot token for this")
	errNearBan = errors.New("too many answers of Discord were refusals in the last 10 minutes: nothing is sent until there are fewer")
)

// do makes a request, again where the connection or Discord failed, after waits that
// grow; and as often as Discord asks for patience, until ctx ends. No other refusal is
// tried again.
func (c *client) do(ctx context.Context, r call) error {
	if r.bot && c.token == "" {
		return fmt.Errorf("%s: %w", r.route, errNoToken)
	}
	body, kind, err := encode(r)
	if err != nil {
		return fmt.Errorf("%s: encode: %w", r.route, err)
	}
	if r.tries == 0 {
		r.tries = 4
	}
	pause := c.backoff
	for failures := 0; ; {
		if c.invalid.near() {
			return fmt.Errorf("%s: %w", r.route, errNearBan)
		}
		if err := c.patience(ctx, r); err != nil {
			return err
		}
		wait, err := c.try(ctx, r, body, kind)
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return fmt.Errorf("%s: %w", r.route, ctx.Err())
		case wait > 0: // a 429: not a failure
		case !passing(err):
			return err
		default:
			if failures++; failures >= r.tries {
				return err
			}
			wait = pause/2 + rand.N(pause)
			pause = min(2*pause, 30*time.Second)
		}
		if err := sleep(ctx, wait); err != nil {
			return fmt.Errorf("%s: %w", r.route, err)
		}
	}
}

// passing says that the same request may succeed a little later.
func passing(err error) bool {
	var e *apiError
	if errors.As(err, &e) {
		return e.status >= 500
	}
	return !errors.Is(err, errNoToken) && !errors.Is(err, errSpent)
}

// try makes a request once. wait is how long Discord asks us to wait before the next.
func (c *client) try(ctx context.Context, r call, body []byte, kind string) (wait time.Duration, err error) {
	patience := 15 * time.Second
	if len(r.files) > 0 {
		patience = time.Minute
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, r.method, c.address.of(r.path), bytes.NewReader(body))
	if err != nil {
		return 0, fmt.Errorf("%s: %w", r.route, withoutURL(err))
	}
	req.Header.Set("User-Agent", userAgent)
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	if r.bot {
		req.Header.Set("Authorization", "Bot "+c.token)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", r.route, withoutURL(err))
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, mostAnswer))
	if err != nil {
		return 0, fmt.Errorf("%s: read answer: %w", r.route, withoutURL(err))
	}
	c.note(r, resp.Header)
	if resp.StatusCode/100 == 2 {
		if r.out == nil {
			return 0, nil
		}
		if err := json.Unmarshal(data, r.out); err != nil {
			return 0, &apiError{route: r.route, status: resp.StatusCode, message: "the answer is not the JSON it should be"}
		}
		return 0, nil
	}
	return c.refused(r, resp, data)
}

// mostAnswer is as much of an answer as is read, in bytes.
const mostAnswer = 8 << 20

// refused reads an answer that is no success.
func (c *client) refused(r call, resp *http.Response, data []byte) (wait time.Duration, err error) {
	var said struct {
		Code       int             `json:"code"`
		Message    string          `json:"message"`
		RetryAfter float64         `json:"retry_after"` // seconds
		Global     bool            `json:"global"`
		Errors     json.RawMessage `json:"errors"` // which fields, and why; not what was in them
	}
	_ = json.Unmarshal(data, &said) // a proxy's answer is no JSON: the status says enough
	refusal := &apiError{route: r.route, status: resp.StatusCode, code: said.Code, message: brief(said.Message + " " + string(said.Errors))}
	switch resp.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden:
		c.invalid.count()
	case http.StatusTooManyRequests:
		c.metrics.Limited(platform)
		if resp.Header.Get("X-RateLimit-Scope") != "shared" {
			c.invalid.count()
		}
		seconds := said.RetryAfter
		if s, err := strconv.ParseFloat(resp.Header.Get("Retry-After"), 64); err == nil {
			seconds = max(seconds, s)
		}
		wait = min(max(time.Duration(seconds*float64(time.Second)), 10*time.Millisecond), time.Hour)
		global := said.Global || resp.Header.Get("X-RateLimit-Global") == "true"
		c.pause(r, global, wait)
		c.log.Warn("discord asks for patience", "route", r.route, "wait", wait, "global", global)
		return wait + rand.N(wait/10+time.Millisecond), refusal
	}
	return 0, refusal
}

// everything is the bucket of a global limit.
const everything = ""

// bucket is what the requests share whose rates Discord counts together, as far as
// they are the bot's own. An interaction's token is a bucket of its own, and its
// requests come one by one: they need none.
func (r call) bucket() string { return r.method + " " + r.path }

// pause keeps the bot's requests of a bucket, or all, from being sent for a while. An
// interaction's are exempt from the global limit.
func (c *client) pause(r call, global bool, wait time.Duration) {
	if !r.bot {
		return
	}
	bucket := r.bucket()
	if global {
		bucket = everything
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for key, until := range c.paused { // few: only those just limited
		if time.Now().After(until) {
			delete(c.paused, key)
		}
	}
	c.paused[bucket] = time.Now().Add(wait)
}

// note reads that a bucket has been used up: the next request waits, rather than be refused.
func (c *client) note(r call, h http.Header) {
	if h.Get("X-RateLimit-Remaining") != "0" {
		return
	}
	if s, err := strconv.ParseFloat(h.Get("X-RateLimit-Reset-After"), 64); err == nil && s > 0 {
		c.pause(r, false, min(time.Duration(s*float64(time.Second)), time.Hour))
	}
}

// patience waits until the request's bucket may be used.
func (c *client) patience(ctx context.Context, r call) error {
	for r.bot {
		c.mu.Lock()
		until := c.paused[r.bucket()]
		if all := c.paused[everything]; all.After(until) {
			until = all
		}
		c.mu.Unlock()
		wait := time.Until(until)
		if wait <= 0 {
			break
		}
		if err := sleep(ctx, wait); err != nil {
			return fmt.Errorf("%s: %w", r.route, err)
		}
	}
	return nil
}

// encode makes the body of a request: JSON, or a form of JSON and files.
func encode(r call) (body []byte, kind string, err error) {
	if r.body == nil {
		return nil, "", nil
	}
	data, err := json.Marshal(r.body)
	if err != nil || len(r.files) == 0 {
		return data, "application/json", err
	}
	var buf bytes.Buffer
	w := multipart.NewWriter(&buf)
	part := func(disposition, kind string, data []byte) {
		out, e := w.CreatePart(textproto.MIMEHeader{"Content-Disposition": {disposition}, "Content-Type": {kind}})
		if err = errors.Join(err, e); e == nil {
			_, e = out.Write(data)
			err = errors.Join(err, e)
		}
	}
	part(`form-data; name="payload_json"`, "application/json", data)
	quoted := strings.NewReplacer("\\", "_", `"`, "_", "\r", "_", "\n", "_")
	for i, f := range r.files {
		kind := f.Type
		if kind == "" {
			kind = "application/octet-stream"
		}
		part(fmt.Sprintf(`form-data; name="files[%d]"; filename="%s"`, i, quoted.Replace(f.Name)), kind, f.Data)
	}
	err = errors.Join(err, w.Close())
	return buf.Bytes(), w.FormDataContentType(), err
}

// withoutURL is an error of net/http without the address, which holds a token.
func withoutURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// brief is a message of another program's, short enough for a log.
func brief(s string) string {
	if utf8.RuneCountInString(s) > 200 {
		return string([]rune(s)[:200]) + "…"
	}
	return s
}

// sleep waits, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// invalid counts the answers for which Discord bans an address: 401, 403 and 429, at
// 10,000 in 10 minutes (topics/rate-limits#invalid-request-limit-aka-cloudflare-bans).
type invalid struct {
	mu      sync.Mutex
	minutes [10]int
	of      [10]int64 // which minute since 1970 each counts
}

const mostInvalid = 9_000 // with some room: another process may share the address

func (i *invalid) count() {
	i.mu.Lock()
	defer i.mu.Unlock()
	minute := time.Now().Unix() / 60
	n := minute % int64(len(i.of))
	if i.of[n] != minute {
		i.of[n], i.minutes[n] = minute, 0
	}
	i.minutes[n]++
}

func (i *invalid) near() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	minute, sum := time.Now().Unix()/60, 0
	for n, of := range i.of {
		if minute-of < int64(len(i.of)) {
			sum += i.minutes[n]
		}
	}
	return sum >= mostInvalid
}
