package slacktest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// open starts a server whose clock stands still, and closes it with the test.
func open(t *testing.T, cfg Config) *Server {
	t.Helper()
	if cfg.Now == nil {
		at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
		cfg.Now = func() time.Time { return at }
	}
	s, err := Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// patient is a context that ends long after any test should have.
func patient(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// post sends JSON and decodes the answer; the token is the bot's unless it is for a response
// URL.
func post(t *testing.T, s *Server, url string, body any) (status int, answer map[string]any, text string) {
	t.Helper()
	data, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	if strings.HasPrefix(url, s.URL()) {
		r.Header.Set("Authorization", "Bearer "+s.Config().BotToken)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	w, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.Body.Close() }()
	raw, err := io.ReadAll(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	_ = json.Unmarshal(raw, &answer) // a response URL answers with a word
	return w.StatusCode, answer, string(raw)
}

// call calls a method.
func call(t *testing.T, s *Server, method string, args any) map[string]any {
	t.Helper()
	_, answer, _ := post(t, s, s.URL()+method, args)
	return answer
}

// says calls a method and wants its error, empty for ok.
func says(t *testing.T, s *Server, method string, args any, want string) map[string]any {
	t.Helper()
	answer := call(t, s, method, args)
	if got := str(answer["error"]); got != want || (answer["ok"] == true) != (want == "") {
		t.Fatalf("%s: got %v, want error %q", method, answer, want)
	}
	return answer
}

type fields = map[string]any

func mrkdwn(text string) fields { return fields{"type": "mrkdwn", "text": text} }

func plainly(text string) fields { return fields{"type": "plain_text", "text": text} }

func section(text string) fields { return fields{"type": "section", "text": mrkdwn(text)} }

// times is a list of n of what each makes.
func times(n int, each func(i int) any) []any {
	all := make([]any, n)
	for i := range all {
		all[i] = each(i)
	}
	return all
}

// é is n characters of two bytes.
func é(n int) string { return strings.Repeat("é", n) }

// sound wants no faults.
func sound(t *testing.T, s *Server) {
	t.Helper()
	for _, f := range s.Faults() {
		t.Error("fault:", f)
	}
}

// faulty wants one fault at least that holds the words.
func faulty(t *testing.T, s *Server, words string) {
	t.Helper()
	if all := strings.Join(s.Faults(), "\n"); !strings.Contains(all, words) {
		t.Errorf("no fault says %q:\n%s", words, all)
	}
}
