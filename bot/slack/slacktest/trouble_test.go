package slacktest

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// fetch sends a form, or asks where there is none; the token goes in the header.
func fetch(t *testing.T, where, token string, form url.Values) (status int, header http.Header, body string, err error) {
	t.Helper()
	method, text := http.MethodGet, ""
	if form != nil {
		method, text = http.MethodPost, form.Encode()
	}
	r, err := http.NewRequestWithContext(t.Context(), method, where, strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	w, err := client.Do(r)
	if err != nil {
		return 0, nil, "", err
	}
	defer func() { _ = w.Body.Close() }()
	data, err := io.ReadAll(w.Body)
	return w.StatusCode, w.Header, string(data), err
}

func TestTokens(t *testing.T) {
	s := open(t, Config{})
	c := s.Config()
	for _, k := range []struct{ method, token, want string }{
		{"auth.test", c.BotToken, `"ok":true`}, {"auth.test", "", "not_authed"}, {"auth.test", "xoxb-other", "invalid_auth"},
		{"auth.test", c.AppToken, "not_allowed_token_type"}, {"apps.connections.open", c.BotToken, "not_allowed_token_type"},
		{"apps.connections.open", c.AppToken, `"ok":true`},
	} {
		if status, _, body, err := fetch(t, s.URL()+k.method, k.token, url.Values{}); err != nil || status != 200 || !strings.Contains(body, k.want) {
			t.Error(k, status, body, err)
		}
		if k.token != "" { // a form may carry it, and the method may stand at the root
			if _, _, body, err := fetch(t, s.base()+"/"+k.method, "", url.Values{"token": {k.token}}); err != nil || !strings.Contains(body, k.want) {
				t.Error("form", k, body, err)
			}
		}
	}
	if n := len(s.Faults()); n != 7 {
		t.Errorf("%d faults of 7: %q", n, s.Faults())
	}
	if a := call(t, s, "users.info", fields{"user": "U1"}); a["error"] != "invalid_arguments" {
		t.Error("users.info takes JSON:", a)
	}
	if a := call(t, s, "chat.postMessage", fields{"channel": "C1", "text": "x", "token": c.BotToken}); a["error"] != "invalid_arguments" {
		t.Error("a token in JSON is taken:", a)
	}
	if _, _, body, _ := fetch(t, s.URL()+"users.info?user=U1", c.BotToken, nil); strings.Contains(body, "locale") {
		t.Error("a locale nobody asked for:", body)
	}
	if _, _, body, _ := fetch(t, s.URL()+"users.list?limit=2", c.BotToken, nil); !strings.Contains(body, `"next_cursor":"2"`) {
		t.Error(body)
	}
	if _, _, body, _ := fetch(t, s.URL()+"conversations.members?channel=D1", c.BotToken, nil); !strings.Contains(body, `["U1","U0BOT"]`) {
		t.Error(body)
	}
	if _, _, body, _ := fetch(t, s.URL()+"conversations.info?channel=C3", c.BotToken, nil); !strings.Contains(body, `"is_member":false`) {
		t.Error(body)
	}
	if _, _, body, _ := fetch(t, s.URL()+"chat.postMessage", c.BotToken, url.Values{"channel": {"C1"}, "text": {`{"a":1}`}}); !strings.Contains(body, `"ok":true`) {
		t.Error("a text that looks like JSON is none:", body)
	}
}

func TestTrouble(t *testing.T) {
	s := open(t, Config{})
	ctx := patient(t)
	say := func() (int, http.Header, string, error) {
		return fetch(t, s.URL()+"chat.postMessage", s.Config().BotToken, url.Values{"channel": {"C1"}, "text": {"x"}})
	}
	s.Spoil("chat.postMessage", 2, Trouble{RetryAfter: 1500 * time.Millisecond})
	for range 2 {
		if status, header, body, err := say(); err != nil || status != 429 || header.Get("Retry-After") != "2" || !strings.Contains(body, "ratelimited") {
			t.Fatal(status, body, err)
		}
	}
	if status, _, body, _ := say(); status != 200 || !strings.Contains(body, `"ok":true`) {
		t.Fatal(status, body)
	}
	s.Spoil("", 1, Trouble{Status: 503})
	if status, _, _, _ := say(); status != 503 {
		t.Fatal(status)
	}
	s.Spoil("chat.postMessage", 1, Trouble{Error: "internal_error"})
	if status, _, body, _ := say(); status != 200 || !strings.Contains(body, "internal_error") {
		t.Fatal(status, body)
	}
	if n := len(s.Messages("C1")); n != 1 {
		t.Fatal(n)
	}
	s.Spoil("chat.postMessage", 1, Trouble{Cut: true})
	if _, _, _, err := say(); err == nil {
		t.Fatal("the answer came whole")
	}
	if n := len(s.Messages("C1")); n != 2 {
		t.Fatal("a request that was cut took no effect")
	}
	if err := s.Called(ctx, "chat.postMessage", 6); err != nil {
		t.Fatal(err)
	}
	release := s.Hold("chat.postMessage")
	answered := make(chan struct{})
	go func() { defer close(answered); _, _, _, _ = say() }()
	if err := s.Called(ctx, "chat.postMessage", 7); err != nil {
		t.Fatal(err)
	}
	if n := len(s.Messages("C1")); n != 2 {
		t.Fatal("a call that is held took effect")
	}
	release()
	<-answered
	if n := len(s.Messages("C1")); n != 3 {
		t.Fatal(n)
	}
	var errs []string
	for _, c := range s.Calls("chat.postMessage") {
		errs = append(errs, c.Error)
	}
	if got := strings.Join(errs, " "); got != "ratelimited ratelimited  HTTP 503 internal_error  " {
		t.Errorf("%q", got)
	}
	sound(t, s)
}

func TestFiles(t *testing.T) {
	s := open(t, Config{Asks: 2})
	token := s.Config().BotToken
	upload := func(name string) string {
		t.Helper()
		_, _, body, _ := fetch(t, s.URL()+"files.getUploadURLExternal", token, url.Values{"filename": {name}, "length": {"3"}})
		_, to, _ := strings.Cut(body, `"upload_url":"`)
		to, _, _ = strings.Cut(to, `"`)
		_, id, _ := strings.Cut(body, `"file_id":"`)
		id, _, _ = strings.Cut(id, `"`)
		if status, _, _ := post(t, s, to, 1); status != 400 { // one byte
			t.Fatal("another length is taken")
		}
		faulty(t, s, "3 bytes announced, 1 sent")
		if status, _, text := post(t, s, to, 123); status != 200 {
			t.Fatal(text)
		}
		return id
	}
	id := upload("a.png")
	picture := fields{"channel": "C1", "text": "x", "blocks": []any{fields{"type": "image", "alt_text": "a", "slack_file": fields{"id": id}}}}
	says(t, s, "chat.postMessage", picture, "invalid_blocks")
	says(t, s, "files.completeUploadExternal", fields{"files": []any{fields{"id": "F0"}}}, "file_not_found")
	says(t, s, "files.completeUploadExternal", fields{"files": []any{fields{"id": id, "title": "A"}}}, "")
	before := len(s.Faults())
	says(t, s, "chat.postMessage", picture, "invalid_blocks")
	says(t, s, "chat.postMessage", picture, "invalid_blocks")
	says(t, s, "chat.postMessage", picture, "")
	if n := len(s.Faults()); n != before {
		t.Errorf("waiting for a file is a fault: %q", s.Faults()[before:])
	}
	text := upload("a.txt")
	says(t, s, "files.completeUploadExternal", fields{"files": []any{fields{"id": text}}, "channel_id": "C3"}, "not_in_channel")
	says(t, s, "files.completeUploadExternal", fields{"files": []any{fields{"id": text}}, "channel_id": "C1"}, "")
	s.Process()
	picture["blocks"] = []any{fields{"type": "image", "alt_text": "a", "slack_file": fields{"id": text}}}
	says(t, s, "chat.postMessage", picture, "invalid_blocks")
	faulty(t, s, "not an image")
	f, _ := s.File(text)
	if _, _, body, _ := fetch(t, f.URL, token, nil); body != "123" {
		t.Fatal(body)
	}
	if status, _, body, _ := fetch(t, f.URL, "", nil); status != 200 || !strings.Contains(body, "Sign in") {
		t.Fatal(body)
	}
	faulty(t, s, "download: not_authed")
	if _, _, body, _ := fetch(t, s.URL()+"files.info?file="+text, token, nil); !strings.Contains(body, `"C1":[{"ts":`) {
		t.Fatal(body)
	}
}

func TestKeep(t *testing.T) {
	s := open(t, Config{Keep: 3})
	for range 20 {
		says(t, s, "chat.postMessage", fields{"channel": "C1", "text": "x"}, "")
	}
	if n, m := len(s.Messages("")), len(s.Calls("")); n > 6 || m > 6 || n < 3 {
		t.Error(n, m)
	}
	for range 5 {
		x, _ := encoded(t, s, Command{Name: "/quiz", User: "U1", Channel: "C1"})
		x.End()
	}
	s.Advance(2 * hookLasts)
	x, _ := encoded(t, s, Command{Name: "/quiz", User: "U1", Channel: "C1"})
	x.End()
	if len(s.hooks) != 1 || len(s.triggers) != 1 || len(s.watching) != 0 {
		t.Error(len(s.hooks), len(s.triggers), len(s.watching))
	}
}

// TestCloseEndsAll holds what could keep a server from closing.
func TestCloseEndsAll(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	s, err := Start(Config{})
	if err != nil {
		t.Fatal(err)
	}
	ctx := patient(t)
	connect(t, s)
	p, _ := connect(t, s)
	s.Disconnect("refresh_requested") // and p does not read it
	x, _ := encoded(t, s, Command{Name: "/quiz", User: "U1", Channel: "C1"})
	waiting := make(chan error, 2)
	go func() { _, err := x.Next(ctx); waiting <- err }()
	s.Hold("auth.test")
	go func() {
		_, _, _, err := fetch(t, s.URL()+"auth.test", s.Config().BotToken, nil)
		waiting <- err
	}()
	if err := s.Called(ctx, "auth.test", 1); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := <-waiting; err == nil {
			t.Error("somebody was not told that the server has closed")
		}
	}
	if err := s.Connected(ctx, 1); err != ErrEnded {
		t.Error(err)
	}
	if _, err := s.Post(ctx, "http://127.0.0.1:1", Shortcut{User: "U1"}); err == nil {
		t.Error("a closed server posts")
	}
	_ = p.conn.Close()
}
