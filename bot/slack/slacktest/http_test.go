package slacktest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack"
)

// listen is a bot's endpoint that verifies signatures and answers as told.
func listen(t *testing.T, s *Server, answer func(w http.ResponseWriter, body []byte, r *http.Request)) string {
	t.Helper()
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		v, err := slack.NewSecretsVerifier(r.Header, s.Config().SigningSecret)
		if err == nil {
			_, _ = v.Write(body)
			err = v.Ensure()
		}
		if err != nil {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		answer(w, body, r)
	}))
	t.Cleanup(h.Close)
	return h.URL
}

func TestPost(t *testing.T) {
	s := open(t, Config{Now: time.Now})
	ctx := patient(t)
	type got struct {
		body   string
		header http.Header
	}
	seen := make(chan got, 10)
	to := listen(t, s, func(w http.ResponseWriter, body []byte, r *http.Request) {
		seen <- got{string(body), r.Header}
		switch {
		case strings.Contains(string(body), "url_verification"):
			_, challenge, _ := strings.Cut(string(body), `"challenge":"`)
			challenge, _, _ = strings.Cut(challenge, `"`)
			_, _ = io.WriteString(w, challenge)
		case strings.HasPrefix(string(body), "api_app_id"):
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"text":"salut"}`)
		}
	})
	x, err := s.Post(ctx, to, Command{Name: "/kubectl", Text: "get pods & é", User: "U1", Channel: "C1"})
	if err != nil {
		t.Fatal(err)
	}
	if ack, err := x.Acked(ctx); err != nil || ack.Status != 200 {
		t.Fatal(ack, err)
	}
	if c, err := x.Next(ctx); err != nil || c.Message.For != "U1" || c.Message.Text != "salut" {
		t.Fatal(c, err)
	}
	g := <-seen
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(g.body))
	r.Header = g.header
	cmd, err := slack.SlashCommandParse(r)
	if err != nil || cmd.Command != "/kubectl" || cmd.Text != "get pods & é" || cmd.TriggerID == "" || cmd.ResponseURL != x.ResponseURL {
		t.Fatalf("%+v %v", cmd, err)
	}
	if x, err = s.Post(ctx, to, Shortcut{CallbackID: "aide", User: "U1"}); err != nil {
		t.Fatal(err)
	}
	g = <-seen
	r = httptest.NewRequest(http.MethodPost, "/", strings.NewReader(g.body))
	r.Header = g.header
	call, err := slack.InteractionCallbackParse(r)
	if err != nil || call.CallbackID != "aide" || call.TriggerID != x.TriggerID {
		t.Fatalf("%+v %v", call, err)
	}
	if x, err = s.Post(ctx, to, DirectMessage{User: "U2", Text: "aide"}); err != nil {
		t.Fatal(err)
	}
	if g = <-seen; !strings.Contains(g.body, `"channel_type":"im"`) || g.header.Get("Content-Type") != "application/json" {
		t.Fatal(g)
	}
	if _, err := x.Acked(ctx); err != nil {
		t.Fatal(err)
	}
	if err := s.Redeliver(ctx, x, ""); err != nil {
		t.Fatal(err)
	}
	if again := <-seen; again.body != g.body || again.header.Get("X-Slack-Retry-Num") != "1" || again.header.Get("X-Slack-Retry-Reason") != "http_timeout" {
		t.Fatal(again)
	}
	if err := s.VerifyURL(ctx, to); err != nil {
		t.Fatal(err)
	}
	if err := s.VerifyURL(ctx, s.URL()+"nothing"); err == nil {
		t.Error("an endpoint that echoes nothing is verified")
	}
	if x, err = s.Post(ctx, "http://127.0.0.1:1/", Shortcut{User: "U1"}); err != nil {
		t.Fatal(err)
	}
	if _, err := x.Acked(ctx); err == nil {
		t.Error("a refused connection is an acknowledgement")
	}
}

func TestSign(t *testing.T) {
	s := open(t, Config{Now: time.Now})
	ctx := patient(t)
	to := listen(t, s, func(http.ResponseWriter, []byte, *http.Request) {})
	_, body, kind, err := s.Encode(Command{Name: "/quiz", User: "U1", Channel: "C1"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		age    time.Duration
		forge  bool
		status int
	}{{"fresh", 0, false, 200}, {"old", 4 * time.Minute, false, 200}, {"stale", 6 * time.Minute, false, 401}, {"forged", 0, true, 401}} {
		header := s.Sign(body, time.Now().Add(-c.age))
		sent := body
		if c.forge {
			sent = append([]byte("x=y&"), body...)
		}
		if status, _, _, err := s.deliverHTTP(ctx, to, sent, kind, header); err != nil || status != c.status {
			t.Error(c.name, status, err)
		}
	}
}

func TestOfficialSignature(t *testing.T) {
	// The example of https://docs.slack.dev/authentication/verifying-requests-from-slack
	s := open(t, Config{SigningSecret: "8f742231b10e8888abcd99yyyzzz85a5"})
	body := "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
	got := s.Sign([]byte(body), time.Unix(1531420618, 0)).Get("X-Slack-Signature")
	if want := "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
