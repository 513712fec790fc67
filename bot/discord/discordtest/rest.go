package discordtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"mime"
	"mime/multipart"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// route is one endpoint. find, check and do run one after the other with the server
// locked; each may be nil but do.
type route struct {
	pattern string
	open    bool // needs no Authorization: its path has a token
	per     func(*call) string
	limit   int // requests in a window of its bucket; per names the bucket
	window  time.Duration
	find    func(*Server, *call) *failure // what the path names
	check   func(*Server, *call)          // the body
	do      func(*Server, *call) (status int, answer any, fail *failure)
}

// call is one request.
type call struct {
	http     *http.Request
	route    *route
	body     map[string]any
	list     []any // where the body is a list
	files    map[int]upload
	tooLarge bool
	report   report
	exchange *Exchange
	message  *message
}

type upload struct {
	Name, Type string
	Data       []byte
}

// failure is an error as Discord answers it.
type failure struct {
	status, code int
	message      string
	errors       map[string]any
}

func fail(status, code int, message string) *failure { return &failure{status, code, message, nil} }

// Failures (topics/opcodes-and-status-codes#json-json-error-codes).
func unauthorised() *failure       { return fail(http.StatusUnauthorized, 0, "401: Unauthorized") }
func unknownChannel() *failure     { return fail(http.StatusNotFound, 10003, "Unknown Channel") }
func unknownMessage() *failure     { return fail(http.StatusNotFound, 10008, "Unknown Message") }
func unknownWebhook() *failure     { return fail(http.StatusNotFound, 10015, "Unknown Webhook") }
func unknownInteraction() *failure { return fail(http.StatusNotFound, 10062, "Unknown interaction") }
func unknownCommand() *failure {
	return fail(http.StatusNotFound, 10063, "Unknown application command")
}
func missingAccess() *failure { return fail(http.StatusForbidden, 50001, "Missing Access") }
func emptyMessage() *failure {
	return fail(http.StatusBadRequest, 50006, "Cannot send an empty message")
}
func invalidToken() *failure { return fail(http.StatusUnauthorized, 50027, "Invalid Webhook Token") }
func answeredAlready() *failure {
	return fail(http.StatusBadRequest, 40060, "Interaction has already been acknowledged.")
}
func entityTooLarge() *failure {
	return fail(http.StatusRequestEntityTooLarge, 40005, "Request entity too large")
}

// itoa is short for what paths and IDs are made of.
func itoa(n int) string { return strconv.Itoa(n) }

func mustJSON(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		return []byte("null") // unreachable: only decoded JSON and plain structs come here
	}
	return data
}

// handler is everything that the server serves.
func (s *Server) handler() http.Handler {
	api := http.NewServeMux()
	for _, r := range routes() {
		api.HandleFunc(r.pattern, func(w http.ResponseWriter, req *http.Request) { s.serve(w, req, &r) })
	}
	api.HandleFunc("/", func(w http.ResponseWriter, req *http.Request) {
		s.mu.Lock()
		s.fault("%s %s: there is no such endpoint here", req.Method, redact(req.URL.Path))
		s.mu.Unlock()
		write(w, http.StatusNotFound, nil, map[string]any{"message": "404: Not Found", "code": 0})
	})
	root := http.NewServeMux()
	root.Handle("/api/v9/", http.StripPrefix("/api/v9", api))
	root.Handle("/api/v10/", http.StripPrefix("/api/v10", api))
	root.HandleFunc("GET /gateway-socket/", s.socket)
	root.HandleFunc("GET /attachments/", s.attachment)
	root.HandleFunc("GET /ephemeral-attachments/", s.attachment)
	return s.waitedFor(root)
}

// waitedFor makes Close wait for every request, of the gateway too.
func (s *Server) waitedFor(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		s.mu.Lock()
		closed := s.ctx.Err() != nil
		if !closed {
			s.working.Add(1)
		}
		s.mu.Unlock()
		if closed {
			panic(http.ErrAbortHandler) // net/http's way to cut a connection
		}
		defer s.working.Done()
		h.ServeHTTP(w, req)
	})
}

var secret = regexp.MustCompile(`(/(?:webhooks|interactions)/[^/]+/)[^/]+`)

func redact(path string) string { return secret.ReplaceAllString(path, "$1…") }

// serve takes one request to an endpoint.
func (s *Server) serve(w http.ResponseWriter, req *http.Request, r *route) {
	s.mu.Lock()
	s.calls[r.pattern]++
	trouble := s.meet(r.pattern, req.URL.Path)
	s.mu.Unlock()
	c := &call{http: req, route: r}
	unread := s.read(c)
	if trouble != nil && s.suffer(w, req, trouble) {
		return
	}
	header := http.Header{}
	status, answer := s.work(c, unread, header)
	if trouble != nil && trouble.Cut {
		cut(w, status, answer)
		return
	}
	write(w, status, header, answer)
}

// work does what the request asks, unless something is wrong with it.
func (s *Server) work(c *call, unread *failure, header http.Header) (int, any) {
	if s.spec != nil && unread == nil && (c.body != nil || c.list != nil) {
		s.holdToSpec(c)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	status, answer, failed := s.pass(c, unread, header)
	if failed == nil {
		return status, answer
	}
	if failed.status == http.StatusTooManyRequests {
		s.limited++
		return failed.status, failed.errors
	}
	body := map[string]any{"message": failed.message, "code": failed.code}
	if failed.errors != nil {
		body["errors"] = failed.errors
	}
	return failed.status, body
}

// pass takes the request through every gate. Called with mu held.
func (s *Server) pass(c *call, unread *failure, header http.Header) (int, any, *failure) {
	if !c.route.open && c.http.Header.Get("Authorization") != "Bot "+s.cfg.Token {
		return 0, nil, unauthorised()
	}
	if agent := c.http.UserAgent(); !strings.HasPrefix(agent, "DiscordBot (") { // reference#user-agent
		s.fault("%s: User-Agent is not DiscordBot (url, version)", c.route.pattern)
	}
	if f := s.spend(c, header); f != nil {
		return 0, nil, f
	}
	if unread != nil {
		s.fault("%s: %s", c.route.pattern, unread.message)
		return 0, nil, unread
	}
	if c.route.find != nil {
		if f := c.route.find(s, c); f != nil {
			return 0, nil, f
		}
	}
	if c.route.check != nil {
		c.route.check(s, c)
	}
	if f := s.judge(c); f != nil {
		return 0, nil, f
	}
	return c.route.do(s, c)
}

// judge keeps what the report found, and refuses the request if it must be.
func (s *Server) judge(c *call) *failure {
	if c.tooLarge {
		s.fault("%s: a file is over 10 MiB, or the request over 25", c.route.pattern)
		return entityTooLarge()
	}
	for _, line := range c.report.lines() {
		s.fault("%s: %s", c.route.pattern, line)
	}
	if s.cfg.Strict {
		for _, line := range c.report.house {
			path, text, _ := strings.Cut(line, ": ")
			c.report.add(strings.Split(path, "."), "DISCORDTEST_STRICT", "%s", text)
		}
	}
	if len(c.report.breaches) == 0 {
		return nil
	}
	return &failure{http.StatusBadRequest, 50035, "Invalid Form Body", c.report.tree()}
}

func (s *Server) holdToSpec(c *call) {
	body := any(c.body)
	if c.list != nil {
		body = c.list
	}
	breaches, err := s.spec.check(c.route.pattern, body)
	if err != nil {
		breaches = []breach{{nil, "OPENAPI", err.Error()}}
	}
	c.report.breaches = append(c.report.breaches, breaches...)
}

// read takes the body in: JSON, or a form with payload_json and files[n].
func (s *Server) read(c *call) *failure {
	if c.http.Method == http.MethodGet || c.http.Method == http.MethodDelete {
		return nil
	}
	kind, params, _ := mime.ParseMediaType(c.http.Header.Get("Content-Type"))
	switch kind {
	case "application/json":
		data, err := io.ReadAll(http.MaxBytesReader(nil, c.http.Body, mostRequest))
		if err != nil {
			return entityTooLarge()
		}
		return c.json(data)
	case "multipart/form-data":
		return c.form(multipart.NewReader(c.http.Body, params["boundary"]))
	}
	return fail(http.StatusBadRequest, 50035, "Expected \"Content-Type\" header to be one of {'application/json', 'multipart/form-data'}.")
}

var filePart = regexp.MustCompile(`^files\[(0|[1-9]\d*)\]$`)

func (c *call) form(parts *multipart.Reader) *failure {
	total := 0
	c.files = map[int]upload{}
	var payload []byte
	for {
		p, err := parts.NextPart()
		if err == io.EOF {
			break
		}
		if err != nil {
			return fail(http.StatusBadRequest, 50035, "The form cannot be read")
		}
		data, err := io.ReadAll(io.LimitReader(p, 4*mostRequest))
		if err != nil {
			return fail(http.StatusBadRequest, 50035, "The form cannot be read")
		}
		total += len(data)
		number := filePart.FindStringSubmatch(p.FormName())
		switch {
		case p.FormName() == "payload_json":
			payload = data
		case number == nil:
			c.report.houseRule([]string{p.FormName()}, "a part is payload_json or files[n]")
		case len(data) > mostFile:
			c.tooLarge = true
		default:
			n, _ := strconv.Atoi(number[1])
			if p.FileName() == "" {
				c.report.add([]string{p.FormName()}, codeRequired, "A file has a name")
			}
			c.files[n] = upload{p.FileName(), p.Header.Get("Content-Type"), data}
		}
	}
	c.tooLarge = c.tooLarge || total > mostRequest
	if payload == nil {
		payload = []byte("{}")
	}
	return c.json(payload)
}

func (c *call) json(data []byte) *failure {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil || d.More() {
		return fail(http.StatusBadRequest, 50109, "The request body contains invalid JSON.")
	}
	switch v := v.(type) {
	case map[string]any:
		c.body = v
	case []any:
		c.list = v
	default:
		return fail(http.StatusBadRequest, 50035, "Only dictionaries may be used in a dictionary type.")
	}
	return nil
}

// suffer does what a trouble asks before the work, and says whether that was all.
func (s *Server) suffer(w http.ResponseWriter, req *http.Request, t *Trouble) bool {
	if t.Arrived != nil {
		select {
		case t.Arrived <- struct{}{}:
		default:
		}
	}
	if t.Hold != nil {
		select {
		case <-t.Hold:
		case <-req.Context().Done():
		case <-s.ctx.Done():
		}
	}
	switch {
	case t.Lose:
		panic(http.ErrAbortHandler) // net/http's way to cut a connection
	case t.Status == http.StatusTooManyRequests:
		wait := t.RetryAfter
		if wait == 0 {
			wait = time.Second
		}
		header := http.Header{}
		s.mu.Lock()
		s.limited++
		body := limited(header, wait, t.Global)
		s.mu.Unlock()
		write(w, t.Status, header, body)
	case t.Status != 0:
		write(w, t.Status, nil, map[string]any{"message": fmt.Sprintf("%d: %s", t.Status, http.StatusText(t.Status)), "code": t.Code})
	default:
		return false
	}
	return true
}

// cut sends half of an answer and breaks off.
func cut(w http.ResponseWriter, status int, answer any) {
	data := mustJSON(answer)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", itoa(len(data)+100))
	if status == http.StatusNoContent {
		status = http.StatusOK
	}
	w.WriteHeader(status)
	_, _ = w.Write(data[:len(data)/2])
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler) // net/http's way to cut a connection
}

func write(w http.ResponseWriter, status int, header http.Header, answer any) {
	maps.Copy(w.Header(), header)
	if status == http.StatusNoContent {
		w.WriteHeader(status)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(mustJSON(answer)) // the client is gone: its loss
}

// bucket is a window of requests (topics/rate-limits).
type bucket struct {
	opened time.Time
	used   int
}

// spend takes one request out of its bucket, and of the bot's 50 a second. Called with mu held.
func (s *Server) spend(c *call, header http.Header) *failure {
	if s.cfg.Unlimited {
		return nil
	}
	now := s.now()
	if !c.route.open {
		if wait := s.take("global", 50, time.Second, now); wait > 0 {
			return &failure{status: http.StatusTooManyRequests, errors: limited(header, wait, true)}
		}
	}
	if c.route.per == nil {
		return nil
	}
	name := c.route.per(c)
	wait := s.take(name, c.route.limit, c.route.window, now)
	b := s.buckets[name]
	rest := b.opened.Add(c.route.window).Sub(now)
	header.Set("X-RateLimit-Limit", itoa(c.route.limit))
	header.Set("X-RateLimit-Remaining", itoa(c.route.limit-b.used))
	header.Set("X-RateLimit-Reset", strconv.FormatFloat(float64(now.Add(rest).UnixMilli())/1000, 'f', 3, 64))
	header.Set("X-RateLimit-Reset-After", seconds(rest))
	header.Set("X-RateLimit-Bucket", bucketName(c.route))
	if wait > 0 {
		return &failure{status: http.StatusTooManyRequests, errors: limited(header, wait, false)}
	}
	return nil
}

// take uses one of a bucket's requests, or says how long to wait for one.
func (s *Server) take(name string, limit int, window time.Duration, now time.Time) time.Duration {
	b := s.buckets[name]
	if b == nil || now.Sub(b.opened) >= window {
		b = &bucket{opened: now}
		s.buckets[name] = b
	}
	if b.used >= limit {
		return b.opened.Add(window).Sub(now)
	}
	b.used++
	return 0
}

// bucketName is the same for the routes that share one, as Discord's hash is.
func bucketName(r *route) string {
	name := strings.Fields(r.pattern)[1]
	if strings.HasPrefix(name, "/webhooks/") {
		name = "/webhooks"
	}
	return fmt.Sprintf("%x", name)
}

func seconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', 3, 64) }

func limited(header http.Header, wait time.Duration, global bool) map[string]any {
	header.Set("Retry-After", itoa(int(math.Ceil(wait.Seconds()))))
	header.Set("X-RateLimit-Reset-After", seconds(wait))
	header.Set("X-RateLimit-Remaining", "0")
	header.Set("X-RateLimit-Scope", "user")
	if global {
		header.Set("X-RateLimit-Global", "true")
		header.Set("X-RateLimit-Scope", "global")
	}
	return map[string]any{"message": "You are being rate limited.", "retry_after": json.Number(seconds(wait)), "global": global}
}
