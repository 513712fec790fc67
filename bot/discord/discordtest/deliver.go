package discordtest

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// interactionTypes are Discord's (interactions/receiving-and-responding#interaction-object-interaction-type).
var interactionTypes = map[Kind]int{SlashKind: 2, MessageCommandKind: 2, ButtonKind: 3, SelectKind: 3, AutocompleteKind: 4, ModalKind: 5}

// Interact sends an interaction to the bot, over the gateway or to an endpoint, and
// returns at once; what comes of it is in the Exchange. ctx bounds the delivery.
func (s *Server) Interact(ctx context.Context, i Interaction) *Exchange {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := &Exchange{ID: s.snowflake(), Token: rand.Text() + rand.Text(), server: s, kind: i.Kind, created: s.now(), sent: time.Now(),
		changed: make(chan struct{}), sentTo: i.Endpoint}
	if e.sentTo == "" {
		e.sentTo = s.endpoint
	}
	if e.err = s.build(e, i); e.err != nil {
		return e
	}
	s.exchanges[e.Token] = e
	e.err = s.send(ctx, e)
	return e
}

// Redeliver sends the interaction once more, as Discord sometimes does: the same
// but for the signature's time. What an endpoint answers to it counts as a second
// response: it is ignored.
func (e *Exchange) Redeliver(ctx context.Context) error {
	e.server.mu.Lock()
	defer e.server.mu.Unlock()
	return e.server.send(ctx, e)
}

// send delivers; called with mu held.
func (s *Server) send(ctx context.Context, e *Exchange) error {
	if s.ctx.Err() != nil {
		return ErrClosed
	}
	if e.sentTo == "" {
		return s.gateway.dispatch(s, "INTERACTION_CREATE", e.place.Guild, e.payload)
	}
	// Signatures count in seconds, and no two deliveries have the same.
	at := s.now()
	if next := e.signed.Add(time.Second); at.Before(next) {
		at = next
	}
	e.signed = at
	s.working.Go(func() { s.deliver(ctx, e, at) })
	return nil
}

// since is how long ago the interaction was sent, in real time.
func (s *Server) since(e *Exchange) time.Duration { return time.Since(e.sent) }

// deliver signs the interaction for a time, posts it to its endpoint and takes the answer.
func (s *Server) deliver(ctx context.Context, e *Exchange, at time.Time) {
	err := s.postTo(ctx, e, at)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil && e.first == nil && e.err == nil {
		e.err = err
		e.tell()
	}
}

func (s *Server) postTo(ctx context.Context, e *Exchange, at time.Time) error {
	ctx, stop := context.WithTimeout(ctx, s.cfg.Acknowledge)
	defer stop()
	defer context.AfterFunc(s.ctx, stop)()
	body := mustJSON(e.payload)
	res, data, err := s.ask(ctx, e.sentTo, body, s.SignAt(body, at))
	if err != nil {
		return err
	}
	if res.StatusCode == http.StatusAccepted {
		return nil // the callback endpoint will be used
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("the endpoint answered %s", res.Status)
	}
	res.Body = io.NopCloser(bytes.NewReader(data))
	c := &call{http: &http.Request{Method: http.MethodPost, Header: res.Header, Body: res.Body},
		route: &route{pattern: "POST /interactions/{id}/{token}/callback"}, exchange: e}
	unread := s.read(c)
	if s.spec != nil && unread == nil {
		s.holdToSpec(c)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case unread != nil:
		s.fault("the endpoint's answer: %s", unread.message)
		return fmt.Errorf("read the endpoint's answer: %s", unread.message)
	case e.first != nil:
		return nil
	case s.now().Sub(e.created) > s.cfg.Acknowledge:
		return fmt.Errorf("the endpoint answered after %s", s.cfg.Acknowledge)
	}
	checkCallback(s, c)
	f := s.judge(c)
	if f == nil {
		f = s.respond(e, c.body, c.files)
	}
	if f != nil {
		return fmt.Errorf("the endpoint's answer is refused: %s %s", f.message, mustJSON(f.errors))
	}
	return nil
}

// ask posts a body and reads the answer.
func (s *Server) ask(ctx context.Context, url string, body []byte, header http.Header) (*http.Response, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return nil, nil, fmt.Errorf("make request: %w", err)
	}
	req.Header = header
	res, err := s.client.Do(req)
	if err != nil {
		return nil, nil, fmt.Errorf("post interaction: %w", err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(io.LimitReader(res.Body, 2*mostRequest))
	if err != nil {
		return nil, nil, fmt.Errorf("read the endpoint's answer: %w", err)
	}
	return res, data, nil
}

// DeliverTo sends interactions from now on to an endpoint of the bot by HTTP; the
// empty URL is the gateway again.
func (s *Server) DeliverTo(url string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.endpoint = url
}

// Sign gives the headers that Discord would send with a body now, by the server's
// clock. A forged one is a changed header or another body.
func (s *Server) Sign(body []byte) http.Header { return s.SignAt(body, s.Now()) }

// SignAt is Sign at another time.
func (s *Server) SignAt(body []byte, t time.Time) http.Header {
	stamp := strconv.FormatInt(t.Unix(), 10)
	h := http.Header{}
	h.Set("Content-Type", "application/json")
	h.Set("User-Agent", "Discord-Interactions/1.0 (+https://discord.com)")
	h.Set("X-Signature-Timestamp", stamp)
	h.Set("X-Signature-Ed25519", hex.EncodeToString(ed25519.Sign(s.cfg.PrivateKey, append([]byte(stamp), body...))))
	return h
}

// Probe does what Discord does when an endpoint is saved in the developer portal,
// and now and then later: a PING that must be answered {"type":1}, and PINGs with
// signatures that are wrong, for another time, malformed or missing, that must be
// answered 401. It fails where the endpoint would be refused.
func (s *Server) Probe(ctx context.Context, url string) error {
	s.mu.Lock()
	body := mustJSON(map[string]any{"id": s.snowflake(), "application_id": s.cfg.ApplicationID, "type": 1, "token": rand.Text(),
		"version": 1, "user": s.bot(), "entitlements": []any{}, "authorizing_integration_owners": map[string]any{}})
	s.mu.Unlock()
	res, data, err := s.ask(ctx, url, body, s.Sign(body))
	if err != nil {
		return err
	}
	var pong struct {
		Type int `json:"type"`
	}
	if err := json.Unmarshal(data, &pong); res.StatusCode != http.StatusOK || err != nil || pong.Type != RespondPong {
		return fmt.Errorf("PING was answered %s, not 200 and type 1", res.Status)
	}
	if kind := res.Header.Get("Content-Type"); !strings.HasPrefix(kind, "application/json") {
		return fmt.Errorf("PING was answered with Content-Type %q", kind)
	}
	for name, spoil := range map[string]func(http.Header){
		"wrong":              func(h http.Header) { h.Set("X-Signature-Ed25519", strings.Repeat("0a", ed25519.SignatureSize)) },
		"for another time":   func(h http.Header) { h.Set("X-Signature-Timestamp", "1") },
		"malformed":          func(h http.Header) { h.Set("X-Signature-Ed25519", "not hexadecimal") },
		"cut short":          func(h http.Header) { h.Set("X-Signature-Ed25519", h.Get("X-Signature-Ed25519")[:20]) },
		"missing":            func(h http.Header) { h.Del("X-Signature-Ed25519") },
		"without its moment": func(h http.Header) { h.Del("X-Signature-Timestamp") },
	} {
		header := s.Sign(body)
		spoil(header)
		res, _, err := s.ask(ctx, url, body, header)
		if err != nil {
			return err
		}
		if res.StatusCode != http.StatusUnauthorized {
			return fmt.Errorf("a PING whose signature is %s was answered %s, not 401", name, res.Status)
		}
	}
	return nil
}
