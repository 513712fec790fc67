package slacktest

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// Sign is the headers of a request with this body, signed at this time.
//
// https://docs.slack.dev/authentication/verifying-requests-from-slack
func (s *Server) Sign(body []byte, at time.Time) http.Header {
	stamp := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(s.cfg.SigningSecret))
	_, _ = fmt.Fprintf(mac, "v0:%s:%s", stamp, body)
	h := http.Header{}
	h.Set("X-Slack-Request-Timestamp", stamp)
	h.Set("X-Slack-Signature", "v0="+hex.EncodeToString(mac.Sum(nil)))
	return h
}

// Encode is the body that Post would send, and its content type, for tests that forge,
// replay or age it. Acked of the exchange does not return: the answer is the test's.
func (s *Server) Encode(i Interaction) (x *Exchange, body []byte, contentType string, err error) {
	if x, err = s.prepare(i); err != nil {
		return nil, nil, "", err
	}
	body, contentType = x.envelope.form()
	return x, body, contentType, nil
}

// form is the body of an envelope over HTTP: a command's fields, an interaction's payload,
// an event's JSON.
func (e envelope) form() (body []byte, contentType string) {
	const form = "application/x-www-form-urlencoded"
	switch e.kind {
	case "slash_commands":
		values := url.Values{}
		for _, name := range slices.Sorted(maps.Keys(e.payload)) {
			values.Set(name, fmt.Sprint(e.payload[name]))
		}
		return []byte(values.Encode()), form
	case "interactive":
		return []byte(url.Values{"payload": {string(encode(e.payload))}}.Encode()), form
	}
	return encode(e.payload), "application/json"
}

// Post delivers an interaction over HTTP, signed, to the endpoint at url. It returns before
// the answer has come; the exchange's Acked has its status.
func (s *Server) Post(_ context.Context, url string, i Interaction) (*Exchange, error) {
	x, err := s.prepare(i)
	if err != nil {
		return nil, err
	}
	x.endpoint = url
	s.launch(x, "")
	return x, nil
}

// launch posts an exchange, and takes the answer when it comes.
func (s *Server) launch(x *Exchange, reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	s.dispatch(x, reason)
	attempt := x.attempt
	body, kind := x.envelope.form()
	header := s.Sign(body, s.now())
	if reason != "" {
		header.Set("X-Slack-Retry-Num", strconv.Itoa(attempt))
		header.Set("X-Slack-Retry-Reason", map[string]string{"timeout": "http_timeout"}[reason])
		if reason != "timeout" {
			header.Set("X-Slack-Retry-Reason", reason)
		}
	}
	s.running.Go(func() {
		status, answer, bare, err := s.deliverHTTP(s.ctx, x.endpoint, body, kind, header)
		s.mu.Lock()
		defer s.mu.Unlock()
		if err != nil {
			x.failed = err
			x.ring()
			return
		}
		if x.envelope.kind == "events_api" {
			answer = nil // an event's answer is its status
		}
		s.acknowledge(x, Ack{Status: status, Payload: answer, Attempt: attempt}, bare)
	})
}

// deliverHTTP posts a body and reads the answer; bare says that it is not JSON.
func (s *Server) deliverHTTP(ctx context.Context, to string, body []byte, kind string, header http.Header) (status int, answer []byte, bare bool, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return 0, nil, false, fmt.Errorf("make request: %w", err)
	}
	r.Header = header.Clone()
	r.Header.Set("Content-Type", kind)
	r.Header.Set("User-Agent", "Slackbot 1.0 (+https://api.slack.com/robots)")
	w, err := s.client.Do(r)
	if err != nil {
		return 0, nil, false, fmt.Errorf("post: %w", err)
	}
	defer func() { _ = w.Body.Close() }()
	answer, err = io.ReadAll(io.LimitReader(w.Body, mostBody))
	if err != nil {
		return 0, nil, false, fmt.Errorf("read answer: %w", err)
	}
	got, _, _ := mime.ParseMediaType(w.Header.Get("Content-Type"))
	return w.StatusCode, answer, got != "application/json", nil
}

// VerifyURL asks the endpoint for a url_verification challenge, as Slack does when an events
// URL is entered, and returns an error if it does not echo it.
//
// https://docs.slack.dev/reference/events/url_verification
func (s *Server) VerifyURL(ctx context.Context, url string) error {
	s.mu.Lock()
	challenge := fmt.Sprintf("challenge-%d", s.next())
	s.mu.Unlock()
	body := encode(map[string]any{"token": "verification", "challenge": challenge, "type": "url_verification"})
	status, answer, bare, err := s.deliverHTTP(ctx, url, body, "application/json", s.Sign(body, s.Now()))
	if err != nil {
		return err
	}
	got := string(answer)
	if !bare {
		var fields struct{ Challenge string }
		if err := json.Unmarshal(answer, &fields); err != nil {
			return fmt.Errorf("decode challenge: %w", err)
		}
		got = fields.Challenge
	}
	if status != http.StatusOK || got != challenge {
		return errors.New("the endpoint does not echo the challenge")
	}
	return nil
}
