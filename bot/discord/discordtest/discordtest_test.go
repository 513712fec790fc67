package discordtest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	// discordgo waits by itself to connect again, where it has noticed an end before Close.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/bwmarrin/discordgo.(*Session).reconnect"))
}

// frozen is a clock that only Advance moves.
func frozen() time.Time { return time.Date(2026, 1, 15, 9, 0, 0, 0, time.UTC) }

// rig is a server and a bot's bare hands.
type rig struct {
	*Server
	t      *testing.T
	ctx    context.Context
	client *http.Client
}

func start(t *testing.T, cfg Config) *rig {
	t.Helper()
	if cfg.Now == nil {
		cfg.Now = frozen
	}
	s, err := Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	client := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(func() {
		cancel()
		client.CloseIdleConnections()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return &rig{s, t, ctx, client}
}

// calm asserts that there was no fault.
func (r *rig) calm() {
	r.t.Helper()
	if f := r.Faults(); len(f) > 0 {
		r.t.Errorf("faults: %q", f)
	}
}

// reply is what the API answered.
type reply struct {
	status int
	header http.Header
	body   map[string]any
	raw    string
}

func (a reply) code() int { n, _ := a.body["code"].(float64); return int(n) }

func (r *rig) try(method, path, kind string, body io.Reader, auth string) (reply, error) {
	req, err := http.NewRequestWithContext(r.ctx, method, r.URL()+"/api/v10"+path, body)
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("User-Agent", "DiscordBot (https://example.org, 1)")
	if body != nil {
		req.Header.Set("Content-Type", kind)
	}
	if auth != "" {
		req.Header.Set("Authorization", auth)
	}
	res, err := r.client.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	a := reply{status: res.StatusCode, header: res.Header, raw: string(data)}
	_ = json.Unmarshal(data, &a.body) // lists and nothing stay raw
	return a, err
}

// call sends JSON with the bot's token.
func (r *rig) call(method, path, body string) reply {
	r.t.Helper()
	var in io.Reader
	if body != "" {
		in = strings.NewReader(body)
	}
	a, err := r.try(method, path, "application/json", in, "Bot "+r.Token())
	if err != nil {
		r.t.Fatal(err)
	}
	return a
}

// upload sends a form with files by number.
func (r *rig) upload(method, path, payload string, files ...File) reply {
	r.t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	_ = w.WriteField("payload_json", payload) // a buffer takes everything
	for n, f := range files {
		h := textproto.MIMEHeader{}
		h.Set("Content-Disposition", fmt.Sprintf(`form-data; name="files[%d]"; filename="%s"`, n, f.Name))
		h.Set("Content-Type", f.Type)
		part, _ := w.CreatePart(h)
		_, _ = part.Write(f.Data)
	}
	_ = w.Close()
	a, err := r.try(method, path, w.FormDataContentType(), &b, "Bot "+r.Token())
	if err != nil {
		r.t.Fatal(err)
	}
	return a
}

func callbackPath(e *Exchange) string {
	return "/interactions/" + e.ID + "/" + e.Token + "/callback"
}

func (r *rig) hook(e *Exchange, rest string) string {
	return "/webhooks/" + r.ApplicationID() + "/" + e.Token + rest
}

// answer asserts the status of a callback.
func (r *rig) answer(e *Exchange, body string, status int) reply {
	r.t.Helper()
	a := r.call("POST", callbackPath(e), body)
	if a.status != status {
		r.t.Fatalf("callback: %d %s", a.status, a.raw)
	}
	return a
}

// wire is a gateway connection without a library.
type wire struct {
	r   *rig
	ws  *websocket.Conn
	seq int64
	id  string
}

func (r *rig) dial() *wire {
	r.t.Helper()
	ws, res, err := websocket.DefaultDialer.DialContext(r.ctx, r.socketURL()+"?v=10&encoding=json", nil)
	if err != nil {
		r.t.Fatal(err)
	}
	_ = res.Body.Close()
	r.t.Cleanup(func() { _ = ws.Close() })
	deadline, _ := r.ctx.Deadline()
	_ = ws.SetReadDeadline(deadline)
	w := &wire{r: r, ws: ws}
	if ev := w.read(); ev.Op != 10 {
		r.t.Fatalf("first event %+v", ev)
	}
	return w
}

func (w *wire) send(format string, args ...any) {
	w.r.t.Helper()
	if err := w.ws.WriteMessage(websocket.TextMessage, fmt.Appendf(nil, format, args...)); err != nil {
		w.r.t.Fatal(err)
	}
}

func (w *wire) read() event {
	w.r.t.Helper()
	var ev event
	if err := w.ws.ReadJSON(&ev); err != nil {
		w.r.t.Fatal(err)
	}
	if ev.Op == 0 {
		w.seq = ev.Seq
	}
	if ev.Type == "READY" {
		w.id = textOf(objectOf(ev.Data)["session_id"])
	}
	return ev
}

// closed reads up to the close code.
func (w *wire) closed() int {
	w.r.t.Helper()
	for {
		_, _, err := w.ws.ReadMessage()
		if c, ok := err.(*websocket.CloseError); ok {
			return c.Code
		}
		if err != nil {
			return 0
		}
	}
}

func (w *wire) identify(intents int, shard string) {
	w.r.t.Helper()
	w.send(`{"op":2,"d":{"token":%q,"intents":%d,"shard":%s,"properties":{"os":"linux","browser":"t","device":"t"}}}`, w.r.Token(), intents, shard)
}

func (r *rig) session() *wire {
	r.t.Helper()
	w := r.dial()
	w.identify(0, "[0,1]")
	if ev := w.read(); ev.Type != "READY" {
		r.t.Fatalf("%+v", ev)
	}
	return w
}

// pressed is an exchange that nobody but the rig will answer.
func (r *rig) pressed(i Interaction) *Exchange {
	r.t.Helper()
	if len(r.Sessions()) == 0 {
		r.session()
	}
	return r.Interact(r.ctx, i)
}

const quiet = `"allowed_mentions":{"parse":[]}`

// say is a first response with a text.
func say(text string) string {
	return fmt.Sprintf(`{"type":4,"data":{"content":%q,%s}}`, text, quiet)
}

func TestExchangeTellsFirstResponseAndEveryChange(t *testing.T) {
	r := start(t, Config{})
	e := r.pressed(Slash("kubectl", String("args", "get pods")))
	r.answer(e, `{"type":5,"data":{"flags":64}}`, 204)
	first, err := e.First(r.ctx)
	if err != nil || first.Type != RespondDefer || !first.Message.Ephemeral() || !first.Message.Loading() {
		t.Fatalf("%+v %v", first, err)
	}
	for _, text := range []string{"un", "deux"} {
		if a := r.call("PATCH", r.hook(e, "/messages/@original"), fmt.Sprintf(`{"content":%q,%s}`, text, quiet)); a.status != 200 || a.body["content"] != text {
			t.Fatal(a.raw)
		}
		u, err := e.Next(r.ctx)
		if err != nil || u.Change != Edited || u.Message.Content != text || u.Message.Loading() || !u.Message.Ephemeral() {
			t.Fatalf("%+v %v", u, err)
		}
	}
	if a := r.call("POST", r.hook(e, ""), `{"content":"suite",`+quiet+`}`); a.status != 200 {
		t.Fatal(a.raw)
	}
	u, err := e.Next(r.ctx)
	if err != nil || u.Change != FollowedUp || len(e.FollowUps()) != 1 || e.Message().Content != "deux" || len(e.History()) != 3 {
		t.Fatalf("%+v %v", u, err)
	}
	id := e.FollowUps()[0].ID
	if a := r.call("PATCH", r.hook(e, "/messages/"+id), `{"content":"fin",`+quiet+`}`); a.status != 200 {
		t.Fatal(a.raw)
	}
	if a := r.call("DELETE", r.hook(e, "/messages/@original"), ""); a.status != 204 {
		t.Fatal(a.raw)
	}
	if a := r.call("GET", r.hook(e, "/messages/@original"), ""); a.code() != 0 && a.code() != 10008 {
		t.Fatal(a.raw)
	}
	m, err := e.Until(r.ctx, func(m Message) bool { return m.Deleted })
	if err != nil || m.ID != first.Message.ID {
		t.Fatal(m, err)
	}
	r.calm()
}

func TestNextAndFirstEndWithTheirContext(t *testing.T) {
	r := start(t, Config{})
	e := r.pressed(Slash("x"))
	ctx, cancel := context.WithCancel(r.ctx)
	cancel()
	if _, err := e.First(ctx); err != context.Canceled {
		t.Error(err)
	}
	if _, err := e.Next(ctx); err != context.Canceled {
		t.Error(err)
	}
}

func TestNobodyIsThere(t *testing.T) {
	r := start(t, Config{})
	if _, err := r.Interact(r.ctx, Slash("x")).First(r.ctx); err != ErrNobody {
		t.Error(err)
	}
}

func TestFollowUpAfterADeferralEditsTheLoadingMessage(t *testing.T) {
	r := start(t, Config{})
	e := r.pressed(Slash("x"))
	r.answer(e, `{"type":5}`, 204)
	a := r.call("POST", r.hook(e, ""), `{"content":"secret","flags":64,`+quiet+`}`)
	if a.status != 200 || a.body["id"] != e.Message().ID || e.Message().Ephemeral() || len(e.FollowUps()) != 0 {
		t.Errorf("%s, %+v", a.raw, e.Message())
	}
	b := r.call("POST", r.hook(e, ""), `{"content":"secret","flags":64,`+quiet+`}`)
	if b.body["id"] == a.body["id"] || !e.FollowUps()[0].Ephemeral() {
		t.Error(b.raw)
	}
	r.calm()
}

func TestTokensExpire(t *testing.T) {
	r := start(t, Config{})
	late, quick := r.pressed(Slash("x")), r.pressed(Slash("x"))
	if a := r.call("PATCH", r.hook(quick, "/messages/@original"), `{"content":"early",`+quiet+`}`); a.code() != 10015 {
		t.Error(a.raw)
	}
	r.answer(quick, say("ok"), 204)
	if a := r.call("POST", callbackPath(quick), say("again")); a.status != 400 || a.code() != 40060 {
		t.Error(a.raw)
	}
	r.Advance(3*time.Second + time.Millisecond)
	if a := r.call("POST", callbackPath(late), say("late")); a.status != 404 || a.code() != 10062 {
		t.Error(a.raw)
	}
	r.Advance(15 * time.Minute)
	for _, method := range []string{"PATCH", "POST"} {
		path := r.hook(quick, "/messages/@original")
		if method == "POST" {
			path = r.hook(quick, "")
		}
		if a := r.call(method, path, `{"content":"x",`+quiet+`}`); a.status != 401 || a.code() != 50027 {
			t.Error(a.raw)
		}
	}
	m := quick.Message()
	if a := r.call("PATCH", "/channels/"+m.ChannelID+"/messages/"+m.ID, `{"content":"by the bot's token",`+quiet+`}`); a.status != 200 {
		t.Error(a.raw)
	}
	if u, err := quick.Next(r.ctx); err != nil || u.Route != "PATCH /channels/{channel}/messages/{message}" {
		t.Error(u, err)
	}
	r.calm()
}

func TestChannelsAndTheirMessages(t *testing.T) {
	r := start(t, Config{})
	hidden := r.pressed(Slash("x"))
	r.answer(hidden, `{"type":4,"data":{"content":"x","flags":64,`+quiet+`}}`, 204)
	m := hidden.Message()
	if a := r.call("PATCH", "/channels/"+m.ChannelID+"/messages/"+m.ID, `{"content":"y",`+quiet+`}`); a.code() != 10008 {
		t.Error(a.raw)
	}
	a := r.call("POST", "/users/@me/channels", `{"recipient_id":"42"}`)
	direct := textOf(a.body["id"])
	if a = r.call("POST", "/channels/"+direct+"/messages", `{"content":"bonjour",`+quiet+`}`); a.status != 200 {
		t.Fatal(a.raw)
	}
	sent := r.Sent(direct)
	if len(sent) != 1 || sent[0].Content != "bonjour" {
		t.Fatal(sent)
	}
	path := "/channels/" + direct + "/messages/" + sent[0].ID
	if a := r.call("GET", path, ""); a.body["content"] != "bonjour" {
		t.Error(a.raw)
	}
	r.DeleteMessage(sent[0].ID)
	if a := r.call("PATCH", path, `{"content":"z",`+quiet+`}`); a.status != 404 || a.code() != 10008 {
		t.Error(a.raw)
	}
	r.DeleteChannel(direct)
	if a := r.call("POST", "/channels/"+direct+"/messages", `{"content":"z",`+quiet+`}`); a.status != 404 || a.code() != 10003 {
		t.Error(a.raw)
	}
	r.Forbid("77")
	if a := r.call("POST", "/channels/77/messages", `{"content":"z",`+quiet+`}`); a.status != 403 || a.code() != 50001 {
		t.Error(a.raw)
	}
	r.calm()
}

func TestAuthorization(t *testing.T) {
	r := start(t, Config{})
	for _, auth := range []string{"", r.Token(), "Bot wrong", "Bearer " + r.Token()} {
		if a, err := r.try("GET", "/users/@me", "", nil, auth); err != nil || a.status != 401 {
			t.Errorf("%q: %v %v", auth, a, err)
		}
	}
	if a := r.call("GET", "/users/@me", ""); a.body["id"] != r.ApplicationID() {
		t.Error(a.raw)
	}
	if a := r.call("GET", "/oauth2/applications/@me", ""); a.body["verify_key"] != r.PublicKey() {
		t.Error(a.raw)
	}
	if a, err := r.try("POST", callbackPath(r.pressed(Slash("x"))), "application/json", strings.NewReader(say("x")), ""); err != nil || a.status != 204 {
		t.Error(a, err)
	}
	r.calm()
	if a := r.call("GET", "/guilds/1/emojis", ""); a.status != 404 || len(r.Faults()) != 1 {
		t.Error(a.raw, r.Faults())
	}
}

func TestAttachments(t *testing.T) {
	r := start(t, Config{})
	e := r.pressed(Slash("x"))
	png := File{"a.png", "image/png", []byte("PNG")}
	a := r.upload("POST", callbackPath(e), `{"type":4,"data":{"attachments":[{"id":"0","description":"deux pods"}]}}`, png)
	if a.status != 204 {
		t.Fatal(a.raw)
	}
	got := e.Message().Attachments
	if len(got) != 1 || string(got[0].Data) != "PNG" || got[0].Description != "deux pods" || got[0].Type != "image/png" {
		t.Fatalf("%+v", got)
	}
	res, err := r.client.Get(got[0].URL)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(res.Body)
	if err := errorsOf(err, res.Body.Close()); err != nil || string(data) != "PNG" {
		t.Error(err, string(data))
	}
	keep := fmt.Sprintf(`{"attachments":[{"id":%q},{"id":"0"}]}`, got[0].ID)
	if a := r.upload("PATCH", r.hook(e, "/messages/@original"), keep, File{"b.yaml", "text/yaml", []byte("kind: Pod")}); a.status != 200 || len(e.Message().Attachments) != 2 {
		t.Error(a.raw)
	}
	if a := r.call("PATCH", r.hook(e, "/messages/@original"), `{"content":"sans",`+quiet+`,"attachments":[]}`); a.status != 200 || len(e.Message().Attachments) != 0 {
		t.Error(a.raw)
	}
	r.calm()
	big := File{"big", "text/plain", make([]byte, mostFile+1)}
	if a := r.upload("PATCH", r.hook(e, "/messages/@original"), `{"attachments":[{"id":"0"}]}`, big); a.status != 413 || a.code() != 40005 || len(r.Faults()) != 1 {
		t.Error(a.raw, r.Faults())
	}
}

func errorsOf(errs ...error) error {
	if i := slices.IndexFunc(errs, func(err error) bool { return err != nil }); i >= 0 {
		return errs[i]
	}
	return nil
}

func TestForget(t *testing.T) {
	r := start(t, Config{})
	e := r.pressed(Slash("x"))
	r.answer(e, say("ok"), 204)
	e.Forget()
	if a := r.call("PATCH", r.hook(e, "/messages/@original"), say("x")); a.code() != 50027 {
		t.Error(a.raw)
	}
	if e.Message().Content != "ok" || len(r.exchanges) != 0 || len(r.messages) != 0 {
		t.Error(e.Message(), r.exchanges, r.messages)
	}
}

func TestPeopleCannotDoWhatDiscordWouldNotLetThem(t *testing.T) {
	r := start(t, Config{})
	body := `[{"name":"cours","description":"d","options":[{"type":3,"name":"leçon","description":"d","required":true,"choices":[{"name":"un","value":"1"}]},{"type":3,"name":"mot","description":"d","autocomplete":true}]}]`
	if a := r.call("PUT", "/applications/"+r.ApplicationID()+"/commands", body); a.status != 200 {
		t.Fatal(a.raw)
	}
	menu := r.Plant(Message{Components: []Component{{Type: TypeRow, Components: []Component{
		{Type: TypeButton, CustomID: "v0:go", Style: 1, Label: "Go"}, {Type: TypeButton, CustomID: "off", Style: 1, Label: "Off", Disabled: true}}}}})
	form := Modal{CustomID: "f", Components: []Component{{Type: TypeLabel, Component: &Component{Type: TypeTextInput, CustomID: "yaml"}}}}
	for _, bad := range []Interaction{
		Slash("autre"), Slash("cours"), Slash("cours", String("leçon", "2")), Slash("cours", Int("leçon", 1)), Slash("cours", String("leçon", "1"), Bool("x", true)),
		Complete("cours", Focused("leçon", "u")), Click(menu, "nowhere"), Click(menu, "off"), Choose(menu, "v0:go", "a"), Click(Message{ID: "5"}, "v0:go"),
		Submit(form, nil), Submit(form, map[string]string{"yaml": "x", "other": "y"}),
	} {
		if _, err := r.pressed(bad).First(r.ctx); err == nil {
			t.Errorf("%+v was sent", bad)
		}
	}
	good := r.pressed(Click(menu, "v0:go"))
	r.answer(good, `{"type":7,"data":{"content":"allé","components":[],`+quiet+`}}`, 204)
	if m, _ := r.Find(menu.ID); m.Content != "allé" || good.Message().ID != menu.ID {
		t.Error(m)
	}
	r.answer(r.pressed(Slash("cours", String("leçon", "1"))), say("x"), 204)
	r.calm()
}
