package slacktest

import (
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"
)

// plug is a client of Socket Mode that does what a test says.
type plug struct {
	t    *testing.T
	conn *websocket.Conn
}

// connect opens a socket and reads what comes first.
func connect(t *testing.T, s *Server) (*plug, fields) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL()+"apps.connections.open", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+s.Config().AppToken)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	w, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.Body.Close() }()
	data, err := io.ReadAll(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	_, url, _ := strings.Cut(string(data), `"url":"`)
	url, _, _ = strings.Cut(url, `"`)
	url = strings.ReplaceAll(url, `\u0026`, "&")
	conn, answer, err := websocket.DefaultDialer.DialContext(t.Context(), url+"&debug_reconnects=true", nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	t.Cleanup(func() { _ = conn.Close() })
	p := &plug{t: t, conn: conn}
	return p, p.read()
}

func (p *plug) read() fields {
	p.t.Helper()
	var m fields
	if err := p.conn.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		p.t.Fatal(err)
	}
	if err := p.conn.ReadJSON(&m); err != nil {
		p.t.Fatal(err)
	}
	return m
}

func (p *plug) write(v any) {
	p.t.Helper()
	if err := p.conn.WriteJSON(v); err != nil {
		p.t.Fatal(err)
	}
}

// gone wants the connection to end.
func (p *plug) gone() {
	p.t.Helper()
	_ = p.conn.SetReadDeadline(time.Now().Add(30 * time.Second))
	if _, _, err := p.conn.ReadMessage(); err == nil || strings.Contains(err.Error(), "timeout") {
		p.t.Fatalf("the connection has not ended: %v", err)
	}
}

// TestLibrary plays a command to slack-go's own client, which acknowledges and posts.
func TestLibrary(t *testing.T) {
	s := open(t, Config{})
	ctx, cancel := context.WithCancel(patient(t))
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	api := slack.New(s.Config().BotToken, slack.OptionAPIURL(s.URL()), slack.OptionAppLevelToken(s.Config().AppToken),
		slack.OptionHTTPClient(&http.Client{Transport: transport}))
	client := socketmode.New(api, socketmode.OptionLog(log.New(io.Discard, "", 0)))
	var bot sync.WaitGroup
	defer bot.Wait()
	defer cancel()
	bot.Go(func() { _ = client.RunContext(ctx) })
	bot.Go(func() {
		for {
			select {
			case e := <-client.Events:
				if cmd, ok := e.Data.(slack.SlashCommand); ok {
					_ = client.Ack(*e.Request)
					_, _, err := api.PostMessageContext(ctx, cmd.ChannelID, slack.MsgOptionText("reçu : "+cmd.Text, false),
						slack.MsgOptionBlocks(slack.NewSectionBlock(slack.NewTextBlockObject("mrkdwn", "*reçu* : "+cmd.Text, false, false), nil, nil)))
					if err != nil && ctx.Err() == nil { // what it did may be seen, and the test be over, before it is told
						t.Error(err)
					}
				}
			case <-ctx.Done():
				return
			}
		}
	})
	x, err := s.Send(ctx, Command{Name: "/kubectl", Text: "get pods", User: "U1", Channel: "C1"})
	if err != nil {
		t.Fatal(err)
	}
	if ack, err := x.Acked(ctx); err != nil || ack.Late || ack.Payload != nil {
		t.Fatal(ack, err)
	}
	c, err := x.Next(ctx)
	if err != nil || c.Kind != Posted || c.Message.Text != "reçu : get pods" || c.Message.Words() != "*reçu* : get pods" {
		t.Fatalf("%+v %v", c, err)
	}
	file, err := api.UploadFileContext(ctx, slack.UploadFileParameters{
		Filename: "a.yaml", FileSize: 3, Content: "a:1", Channel: "C1", Title: "a", InitialComment: "le fichier",
	})
	if err != nil {
		t.Fatal(err)
	}
	if f, ok := s.File(file.ID); !ok || string(f.Data) != "a:1" || f.Channels[0] != "C1" {
		t.Fatalf("%+v", f)
	}
	if c, err := x.Next(ctx); err != nil || len(c.Message.Files) != 1 {
		t.Fatalf("%+v %v", c, err)
	}
	var down strings.Builder
	f, _ := s.File(file.ID)
	if err := api.GetFileContext(ctx, f.URL, &down); err != nil || down.String() != "a:1" {
		t.Fatal(down.String(), err)
	}
	if _, err := api.OpenViewContext(ctx, x.TriggerID, slack.ModalViewRequest{
		Type: slack.VTModal, Title: slack.NewTextBlockObject("plain_text", "YAML", false, false), Submit: slack.NewTextBlockObject("plain_text", "OK", false, false),
		Blocks: slack.Blocks{BlockSet: []slack.Block{slack.NewInputBlock("b", slack.NewTextBlockObject("plain_text", "YAML", false, false), nil,
			slack.NewPlainTextInputBlockElement(nil, "yaml").WithMultiline(true))}},
	}); err != nil {
		t.Fatal(err)
	}
	if c, err := x.Next(ctx); err != nil || c.Kind != Opened || c.View.Words() != "YAML" {
		t.Fatalf("%+v %v", c, err)
	}
	if u, err := api.GetUserInfoContext(ctx, "U1"); err != nil || u.Locale != "fr-FR" {
		t.Fatal(u, err)
	}
	if users, err := api.GetUsersContext(ctx); err != nil || len(users) != 4 {
		t.Fatal(users, err)
	}
	if ch, _, _, err := api.OpenConversationContext(ctx, &slack.OpenConversationParameters{Users: []string{"U2"}}); err != nil || ch.ID != "D2" {
		t.Fatal(ch, err)
	}
	sound(t, s)
	if p := s.Pings(); p != nil {
		t.Error(p)
	}
}

func TestEnvelope(t *testing.T) {
	s := open(t, Config{})
	ctx := patient(t)
	p, hello := connect(t, s)
	if hello["type"] != "hello" || hello["num_connections"] != 1.0 {
		t.Fatal(hello)
	}
	x, err := s.Send(ctx, Command{Name: "/quiz", User: "U1", Channel: "C1"})
	if err != nil {
		t.Fatal(err)
	}
	e := p.read()
	if e["envelope_id"] != x.EnvelopeID || e["type"] != "slash_commands" || e["accepts_response_payload"] != true || e["retry_attempt"] != nil {
		t.Fatal(e)
	}
	s.Advance(2 * time.Second) // in time yet
	s.Advance(1 * time.Second)
	again := p.read()
	if again["envelope_id"] != x.EnvelopeID || again["retry_attempt"] != 1.0 || again["retry_reason"] != "timeout" {
		t.Fatal(again)
	}
	if dict(again["payload"])["trigger_id"] != dict(e["payload"])["trigger_id"] {
		t.Error("a retry has another payload")
	}
	p.write(fields{"envelope_id": x.EnvelopeID, "payload": fields{"text": "bonjour", "response_type": "in_channel"}})
	if ack, err := x.Acked(ctx); err != nil || ack.Attempt != 1 || ack.Late {
		t.Fatal(ack, err)
	}
	if c, err := x.Next(ctx); err != nil || c.Via != "ack" || c.Message.Text != "bonjour" || c.Message.For != "" {
		t.Fatal(c, err)
	}
	s.Advance(time.Hour) // acknowledged: not again
	if err := s.Redeliver(ctx, x, ""); err != nil {
		t.Fatal(err)
	}
	if e := p.read(); e["retry_attempt"] != 2.0 {
		t.Fatal(e)
	}
	sound(t, s)
	p.write(fields{"envelope_id": "none"})
	p.write(fields{"envelope_id": x.EnvelopeID, "colour": 1})
	y, err := s.Send(ctx, Command{Name: "/quiz", User: "U1", Channel: "C1"})
	if err != nil {
		t.Fatal(err)
	}
	p.read()
	p.write(fields{"envelope_id": y.EnvelopeID, "payload": fields{"text": strings.Repeat("x", mostAck)}})
	s.Advance(4 * time.Second)
	if e := p.read(); e["envelope_id"] != y.EnvelopeID || e["retry_attempt"] != 1.0 {
		t.Fatal("a dropped answer counts as an acknowledgement", e)
	}
	s.mu.Lock()
	s.offset += 4 * time.Second // without Advance: no retry
	s.mu.Unlock()
	p.write(fields{"envelope_id": y.EnvelopeID})
	if ack, err := y.Acked(ctx); err != nil || !ack.Late {
		t.Fatal(ack, err)
	}
	for _, words := range []string{"unknown envelope", "unknown field colour", "is dropped"} {
		faulty(t, s, words)
	}
}

func TestConnections(t *testing.T) {
	s := open(t, Config{Ping: time.Millisecond})
	ctx := patient(t)
	s.Refuse(1)
	p, first := connect(t, s)
	if first["type"] != "disconnect" || first["reason"] != "too_many_websockets" {
		t.Fatal(first)
	}
	p.gone()
	s.Pretend(7)
	p, hello := connect(t, s)
	if hello["num_connections"] != 7.0 {
		t.Fatal(hello)
	}
	s.Disconnect("warning")
	if m := p.read(); m["type"] != "disconnect" || m["reason"] != "warning" {
		t.Fatal(m)
	}
	s.Disconnect("refresh_requested")
	if m := p.read(); m["reason"] != "refresh_requested" {
		t.Fatal(m)
	}
	p.gone()
	p, _ = connect(t, s)
	s.Drop()
	p.gone()
	s.Pretend(0)
	dead, _ := connect(t, s)
	if err := s.Connected(ctx, 1); err != nil {
		t.Fatal(err)
	}
	s.Freeze()
	x, err := s.Send(ctx, Command{Name: "/quiz", User: "U1", Channel: "C1"}) // lost
	if err != nil {
		t.Fatal(err)
	}
	sane, hello := connect(t, s)
	if hello["num_connections"] != 2.0 {
		t.Fatal(hello)
	}
	dead.write(fields{"envelope_id": x.EnvelopeID}) // lost too
	s.Advance(3 * time.Second)                      // by the sockets in turn
	if e := sane.read(); e["envelope_id"] != x.EnvelopeID || e["retry_attempt"] != 1.0 {
		t.Fatal(e)
	}
	pinged := errors.New("pinged")
	sane.conn.SetPingHandler(func(string) error { return pinged })
	if _, _, err := sane.conn.ReadMessage(); err != pinged {
		t.Error("a sound socket is not pinged:", err)
	}
	if n := len(s.Attempts()); n != 5 {
		t.Errorf("%d attempts of 5", n)
	}
	if err := s.Attempted(ctx, 5); err != nil {
		t.Error(err)
	}
	var many []*plug
	for range mostSockets - 2 {
		p, _ := connect(t, s)
		many = append(many, p)
	}
	if _, first := connect(t, s); first["reason"] != "too_many_websockets" {
		t.Fatal(first)
	}
	if len(x.Acks()) != 0 {
		t.Error("a frozen socket was heard")
	}
	for _, p := range many {
		_ = p.conn.Close()
	}
	sound(t, s)
}

func TestUnanswered(t *testing.T) {
	s := open(t, Config{})
	ctx := patient(t)
	p, _ := connect(t, s)
	x, err := s.Send(ctx, Mention{User: "U1", Channel: "C1", Text: "aide"})
	if err != nil {
		t.Fatal(err)
	}
	if e := p.read(); e["type"] != "events_api" || e["accepts_response_payload"] != false || e["retry_attempt"] != 0.0 {
		t.Fatal(e)
	}
	_ = p.conn.Close()
	if err := s.wait(ctx, func() bool { return len(s.sockets) == 0 }); err != nil {
		t.Fatal(err)
	}
	s.Advance(5 * time.Second)
	p, _ = connect(t, s)
	if e := p.read(); e["envelope_id"] != x.EnvelopeID || e["retry_attempt"] != 1.0 {
		t.Fatal("what was due is not delivered to the next socket:", e)
	}
	p.write(fields{"envelope_id": x.EnvelopeID, "payload": fields{}})
	if _, err := x.Acked(ctx); err != nil {
		t.Fatal(err)
	}
	faulty(t, s, "an event takes no payload")
	x.End()
	if _, err := x.Next(ctx); err != ErrEnded {
		t.Fatal(err)
	}
	p.write(fields{"envelope_id": x.EnvelopeID})
	if err := s.Redeliver(ctx, x, ""); err != ErrEnded {
		t.Fatal(err)
	}
}
