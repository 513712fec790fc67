package discordtest

import (
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// endpoint is a bot's own HTTP endpoint; trusting lets any signature pass.
func (r *rig) endpoint(trusting bool, answer http.HandlerFunc) string {
	key, err := hex.DecodeString(r.PublicKey())
	if err != nil {
		r.t.Fatal(err)
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		sig, _ := hex.DecodeString(req.Header.Get("x-signature-ed25519"))
		if !trusting && !ed25519.Verify(key, append([]byte(req.Header.Get("x-signature-timestamp")), body...), sig) {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		if strings.Contains(string(body), `"type":1,`) && !strings.Contains(string(body), `"data"`) {
			_, _ = io.WriteString(w, `{"type":1}`)
			return
		}
		answer(w, req)
	}))
	r.t.Cleanup(s.Close)
	return s.URL
}

func saying(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }
}

func TestHTTPEndpoint(t *testing.T) {
	r := start(t, Config{})
	url := r.endpoint(false, saying(say("par HTTP")))
	if err := r.Probe(r.ctx, url); err != nil {
		t.Error(err)
	}
	r.DeliverTo(url)
	e := r.Interact(r.ctx, Slash("x"))
	first, err := e.First(r.ctx)
	if err != nil || first.Message.Content != "par HTTP" {
		t.Fatal(first, err)
	}
	if a := r.call("PATCH", r.hook(e, "/messages/@original"), `{"content":"suite",`+quiet+`}`); a.status != 200 {
		t.Error(a.raw)
	}
	r.calm()
	for body, want := range map[string]string{`{"type":4,"data":{"content":""}}`: "empty message", `{"type":8,"data":{"choices":[]}}`: "refused", `{`: "invalid JSON"} {
		i := Slash("x")
		i.Endpoint = r.endpoint(false, saying(body))
		if _, err := r.Interact(r.ctx, i).First(r.ctx); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", body, err)
		}
	}
	i := Slash("x")
	i.Endpoint = r.endpoint(false, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	if _, err := r.Interact(r.ctx, i).First(r.ctx); err == nil || !strings.Contains(err.Error(), "500") {
		t.Error(err)
	}
}

func TestEndpointThatUsesTheCallback(t *testing.T) {
	r := start(t, Config{})
	r.DeliverTo(r.endpoint(false, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) }))
	e := r.Interact(r.ctx, Slash("x"))
	if a := r.answer(e, say("rappel"), 204); a.raw != "" {
		t.Error(a.raw)
	}
	if first, err := e.First(r.ctx); err != nil || first.Message.Content != "rappel" {
		t.Error(first, err)
	}
}

func TestSlowEndpoint(t *testing.T) {
	r := start(t, Config{Acknowledge: 30 * time.Millisecond})
	gone := make(chan struct{})
	r.DeliverTo(r.endpoint(false, func(_ http.ResponseWriter, req *http.Request) { <-req.Context().Done(); close(gone) }))
	if _, err := r.Interact(r.ctx, Slash("x")).First(r.ctx); err == nil {
		t.Error("a response that never came")
	}
	<-gone
}

func TestProbeRefusesTrust(t *testing.T) {
	r := start(t, Config{})
	if err := r.Probe(r.ctx, r.endpoint(true, saying(""))); err == nil || !strings.Contains(err.Error(), "not 401") {
		t.Error(err)
	}
	deaf := httptest.NewServer(http.NotFoundHandler())
	defer deaf.Close()
	if err := r.Probe(r.ctx, deaf.URL); err == nil || !strings.Contains(err.Error(), "404") {
		t.Error(err)
	}
}

func TestPayloads(t *testing.T) {
	r := start(t, Config{})
	payload := func(i Interaction) map[string]any {
		t.Helper()
		e := r.pressed(i)
		if e.err != nil {
			t.Fatal(e.err)
		}
		var p map[string]any
		if err := json.Unmarshal(e.Payload(), &p); err != nil {
			t.Fatal(err)
		}
		return p
	}
	teacher := Person{ID: "8", Permissions: ManageGuild, Roles: []string{"77"}}
	p := payload(Slash("cours", Group("g", Sub("s", Attach("fichier", File{"a.yaml", "text/yaml", []byte("kind: Pod")})))).
		By(teacher).Speaking("en-GB", "de").In(Place{Channel: "4", Type: 11, Parent: "3", Owner: "8"}))
	member, channel := objectOf(p["member"]), objectOf(p["channel"])
	if member["permissions"] != fmt.Sprint(ManageGuild) || listOf(member["roles"])[0] != "77" || p["locale"] != "en-GB" || p["guild_locale"] != "de" {
		t.Error(p)
	}
	if channel["type"] != 11.0 || channel["parent_id"] != "3" || channel["owner_id"] != "8" || channel["thread_metadata"] == nil {
		t.Error(channel)
	}
	option := objectOf(listOf(objectOf(listOf(objectOf(listOf(objectOf(p["data"])["options"])[0])["options"])[0])["options"])[0])
	file := objectOf(objectOf(objectOf(objectOf(p["data"])["resolved"])["attachments"])[textOf(option["value"])])
	res, err := r.client.Get(textOf(file["url"]))
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(res.Body)
	if err := errorsOf(err, res.Body.Close()); err != nil || string(data) != "kind: Pod" || file["filename"] != "a.yaml" {
		t.Error(file, string(data), err)
	}
	p = payload(OnMessage("Appliquer", Message{Content: "```yaml\n```", Attachments: []Attachment{{Filename: "b.yaml", Data: []byte("x")}}}))
	target := objectOf(objectOf(objectOf(objectOf(p["data"])["resolved"])["messages"])[textOf(objectOf(p["data"])["target_id"])])
	if target["content"] != "```yaml\n```" || len(listOf(target["attachments"])) != 1 {
		t.Error(target)
	}
	p = payload(Complete("x", String("a", "b"), Focused("mot", "po")))
	if p["type"] != 4.0 || objectOf(listOf(objectOf(p["data"])["options"])[1])["focused"] != true {
		t.Error(p)
	}
}

func TestAFormFromAButton(t *testing.T) {
	r := start(t, Config{})
	m := r.Plant(Message{ChannelID: "4", Components: []Component{{Type: TypeRow, Components: []Component{{Type: TypeButton, CustomID: "f", Style: 1, Label: "YAML"}}}}})
	click := r.pressed(Click(m, "f"))
	r.answer(click, `{"type":9,"data":{"custom_id":"m","title":"t","components":[`+
		label(`{"type":4,"custom_id":"yaml","style":2}`)+`,`+label(`{"type":19,"custom_id":"up","required":false}`)+`]}}`, 204)
	form, ok := click.Modal()
	if !ok || form.Title != "t" || len(form.Components) != 2 {
		t.Fatal(form)
	}
	i := Submit(form, map[string]string{"yaml": "kind: Pod"})
	i.Files = map[string][]File{"up": {{"a.yaml", "text/yaml", []byte("x")}}}
	e := r.pressed(i)
	if e.err != nil {
		t.Fatal(e.err)
	}
	data := objectOf(e.payload["data"])
	inputs := mustJSON(data["components"])
	if e.place.Channel != "4" || !strings.Contains(string(inputs), `"value":"kind: Pod"`) || len(objectOf(objectOf(data["resolved"])["attachments"])) != 1 {
		t.Errorf("%s", inputs)
	}
	r.answer(e, `{"type":6}`, 204)
	if e.Message().ID != m.ID {
		t.Error(e.Message())
	}
	r.calm()
}

func TestChoicesAndMenus(t *testing.T) {
	r := start(t, Config{})
	e := r.pressed(Complete("x", Focused("mot", "p")))
	r.answer(e, `{"type":8,"data":{"choices":[{"name":"pod","value":"web-1"}]}}`, 204)
	if c := e.Choices(); len(c) != 1 || c[0].Value != "web-1" {
		t.Error(c)
	}
	e = r.pressed(Slash("x"))
	a := r.call("POST", callbackPath(e)+"?with_response=true", `{"type":4,"data":{`+rows(`{"type":3,"custom_id":"menu","options":[{"label":"a","value":"1"},{"label":"b","value":"2"}]}`)+`}}`)
	if a.status != 200 || objectOf(objectOf(a.body["resource"])["message"])["id"] != e.Message().ID {
		t.Fatal(a.raw)
	}
	if _, err := r.pressed(Choose(e.Message(), "menu", "3")).First(r.ctx); err == nil {
		t.Error("a value that is not there")
	}
	chosen := r.pressed(Choose(e.Message(), "menu", "2"))
	if got := string(chosen.Payload()); !strings.Contains(got, `"values":["2"]`) || !strings.Contains(got, `"message":{`) {
		t.Error(got)
	}
	r.calm()
}
