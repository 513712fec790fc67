package discord

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"timonier/bot/discord/discordtest"
)

// serveHTTP gives the address of the class's endpoint.
func serveHTTP(t *testing.T, c *class) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { c.bot.Handler().ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	return server.URL
}

// post sends a body with headers, and gives the status and what was answered.
func post(t *testing.T, url string, header http.Header, body []byte) (int, string) {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = header
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(data)
}

func TestInteractionsByHTTP(t *testing.T) {
	t.Parallel()
	c := newClass(t, setting{bot: func(cfg *Config) { cfg.Token = "" }})
	url := serveHTTP(t, c)
	c.must(c.Probe(c.ctx, url))
	c.DeliverTo(url)
	e := c.Interact(c.ctx, kubectl("create namespace web"))
	if r := c.first(e); r.Type != discordtest.RespondDefer {
		t.Errorf("%+v", r)
	}
	c.answer(e, "namespace/web created")

	asked := c.Interact(c.ctx, kubectl("apply"))
	if r := c.first(asked); r.Type != discordtest.RespondModal {
		t.Errorf("%+v", r)
	}
	form, _ := asked.Modal()
	c.answer(c.Interact(c.ctx, discordtest.Submit(form, map[string]string{fieldText: "apiVersion: v1\nkind: Namespace\nmetadata: {name: f}"})), "namespace/f created")

	typing := c.Interact(c.ctx, discordtest.Complete("kubectl", discordtest.Focused("commande", "ge")))
	if c.first(typing); len(typing.Choices()) == 0 {
		t.Error("no suggestions")
	}
	c.calm()
}

// Over the gateway and by HTTP at once: the same interaction is answered once.
func TestBothWays(t *testing.T) {
	t.Parallel()
	c := newClass(t, setting{})
	url := serveHTTP(t, c)
	e := c.Interact(c.ctx, kubectl("create namespace deux"))
	c.answer(e, "namespace/deux created")
	body := e.Payload()
	for n := range 2 { // delivered again, each time with a signature of its own
		if status, said := post(t, url, c.SignAt(body, c.Now().Add(time.Duration(n)*time.Second)), body); status != http.StatusOK || !strings.Contains(said, `"type":5`) {
			t.Errorf("%d %s", status, said)
		}
	}
	m := c.answer(c.Interact(c.ctx, kubectl("get namespaces")), "deux")
	if strings.Count(m.Text(), "deux") != 1 || strings.Contains(e.Message().Text(), "AlreadyExists") {
		t.Error("a second effect")
	}
	c.calm()
}

func TestSignatures(t *testing.T) {
	t.Parallel()
	c := newClass(t, setting{bot: func(cfg *Config) { cfg.Token = "" }})
	url := serveHTTP(t, c)
	ping := []byte(`{"id":"1","type":1,"token":"x"}`)
	good := func() http.Header { return c.Sign(ping) }
	with := func(key, value string) http.Header {
		h := good()
		if h.Set(key, value); value == "" {
			h.Del(key)
		}
		return h
	}
	stamp := func(d time.Duration) string { return strconv.FormatInt(c.Now().Add(d).Unix(), 10) }
	old, early := good(), good()
	c.Advance(6 * time.Minute)
	for _, k := range []struct {
		name   string
		header http.Header
		body   []byte
		want   int
	}{
		{"good", good(), ping, 200},
		{"stale", old, ping, 401},
		{"stale with a new time", func() http.Header { h := early; h.Set("X-Signature-Timestamp", stamp(0)); return h }(), ping, 401},
		{"another body", good(), []byte(`{"id":"2","type":1,"token":"x"}`), 401},
		{"no signature", with("X-Signature-Ed25519", ""), ping, 401},
		{"no time", with("X-Signature-Timestamp", ""), ping, 401},
		{"not hexadecimal", with("X-Signature-Ed25519", strings.Repeat("z", 128)), ping, 401},
		{"short", with("X-Signature-Ed25519", "00"), ping, 401},
		{"zero", with("X-Signature-Ed25519", strings.Repeat("0", 128)), ping, 401},
		{"another time", with("X-Signature-Timestamp", stamp(time.Second)), ping, 401},
		{"a time that is none", with("X-Signature-Timestamp", "hier"), ping, 401},
		{"2 MiB", good(), make([]byte, 2<<20), 413},
	} {
		if status, said := post(t, url, k.header, k.body); status != k.want || k.want == 200 && said != `{"type":1}` {
			t.Errorf("%s: %d %s", k.name, status, said)
		}
	}
	ahead := good()
	c.Advance(-6 * time.Minute)
	if status, _ := post(t, url, ahead, ping); status != 401 {
		t.Errorf("from the future: %d", status)
	}
	req := httptest.NewRequest(http.MethodGet, "/", nil)
	w := httptest.NewRecorder()
	if c.bot.Handler().ServeHTTP(w, req); w.Code != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d", w.Code)
	}
	c.calm()
}

// Signed, but not what this version knows: each is answered, to the person alone, and
// nothing is done.
func TestOddBodies(t *testing.T) {
	t.Parallel()
	c := newClass(t, setting{bot: func(cfg *Config) { cfg.Token = "" }})
	url := serveHTTP(t, c)
	base := func(kind int, data string) []byte {
		return []byte(`{"id":"9` + strconv.Itoa(kind) + strconv.Itoa(len(data)) + `","application_id":"1","type":` + strconv.Itoa(kind) +
			`,"token":"jeton","version":1,"channel_id":"5","guild_id":"6","locale":"fr","member":{"user":{"id":"7","username":"a"},"roles":[],"permissions":"0"},"data":` + data + `}`)
	}
	for name, k := range map[string]struct {
		body []byte
		want string
	}{
		"unknown command":       {base(2, `{"id":"1","type":1,"name":"inconnue"}`), "Je ne connais pas"},
		"unknown option":        {base(2, `{"id":"1","type":1,"name":"aide","options":[{"name":"x","type":3,"value":"y"}]}`), "autre version"},
		"number for text":       {base(2, `{"id":"1","type":1,"name":"aide","options":[{"name":"commande","type":4,"value":12}]}`), "autre version"},
		"object for text":       {base(2, `{"id":"1","type":1,"name":"aide","options":[{"name":"commande","type":3,"value":{"a":1}}]}`), "autre version"},
		"options that are none": {base(2, `{"id":"1","type":1,"name":"aide","options":"x"}`), "autre version"},
		"missing option":        {base(2, `{"id":"1","type":1,"name":"kubectl","options":[]}`), "autre version"},
		"missing file":          {base(2, `{"id":"1","type":1,"name":"kubectl","options":[{"name":"commande","type":3,"value":"apply"},{"name":"fichier","type":11,"value":"3"}]}`), "autre version"},
		"not a person":          {base(2, `{"id":"1","type":1,"name":"enseignants","options":[{"name":"qui","type":9,"value":"/x"}]}`), "autre version"},
		"unknown component":     {base(3, `{"custom_id":"1:/aide","component_type":99}`), "version précédente"},
		"data that is none":     {base(2, `"x"`), "autre version"},
		"no target":             {base(2, `{"id":"1","type":3,"name":"Appliquer le manifeste","target_id":"4"}`), "rien à appliquer"},
		"old form":              {base(5, `{"custom_id":"0:/x","components":[]}`), "version précédente"},
		"unknown type":          {base(42, `{}`), "Je ne connais pas"},
	} {
		status, said := post(t, url, c.Sign(k.body), k.body)
		var got struct {
			Type int
			Data struct{ Flags int }
		}
		if err := json.Unmarshal([]byte(said), &got); err != nil || status != 200 || got.Type != 4 || got.Data.Flags&flagEphemeral == 0 || !strings.Contains(said, k.want) {
			t.Errorf("%s: %d %v %s", name, status, err, said)
		}
	}
	for name, body := range map[string][]byte{
		"not JSON":     []byte(`{`),
		"no ID":        []byte(`{"type":2,"token":"x"}`),
		"ID elsewhere": []byte(`{"id":"../x","type":2,"token":"x","channel_id":"1","user":{"id":"1"}}`),
		"evil token":   []byte(`{"id":"1","type":2,"token":"../../x?","channel_id":"1","user":{"id":"1"}}`),
		"nobody":       []byte(`{"id":"1","type":2,"token":"x","channel_id":"1"}`),
	} {
		if status, said := post(t, url, c.Sign(body), body); status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", name, status, said)
		}
	}
	c.stop()
	body := []byte(`{"id":"1","type":1}`)
	w := httptest.NewRecorder()
	req := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body))
	req.Header = c.Sign(body)
	if c.bot.Handler().ServeHTTP(w, req); w.Code != http.StatusServiceUnavailable {
		t.Errorf("after Run: %d", w.Code)
	}
}

// The same request once more, to the last byte, is not Discord's; the same interaction
// under another signature is, and has no second effect.
func TestReplay(t *testing.T) {
	t.Parallel()
	c := newClass(t, setting{bot: func(cfg *Config) { cfg.Token = "" }})
	url := serveHTTP(t, c)
	e := kubectl("create namespace rejoue")
	e.Endpoint = url
	x := c.Interact(c.ctx, e)
	c.answer(x, "namespace/rejoue created")
	body, at := x.Payload(), c.Now()
	header := c.SignAt(body, at.Add(4*time.Minute)) // a clock ahead of ours: good for 9 minutes
	upper := header.Clone()
	upper.Set("X-Signature-Ed25519", strings.ToUpper(header.Get("X-Signature-Ed25519")))
	for _, k := range []struct {
		name    string
		advance time.Duration
		header  http.Header
		want    int
	}{
		{"delivered again", 0, header, 200},
		{"replayed", 0, header, 401},
		{"in other letters", 0, upper, 401},
		{"later", 5 * time.Minute, header, 401},
		{"at the last", 3*time.Minute + 55*time.Second, header, 401},
		{"signed anew", 0, c.SignAt(body, at.Add(9*time.Minute)), 200},
	} {
		c.Advance(k.advance)
		if status, said := post(t, url, k.header, body); status != k.want || status == 200 && !strings.Contains(said, `"type":5`) {
			t.Errorf("%s: %d %s", k.name, status, said)
		}
	}
	ping := []byte(`{"id":"1","type":1,"token":"x"}`)
	h := c.Sign(ping)
	for range 2 {
		if status, _ := post(t, url, h, ping); status != 200 {
			t.Errorf("PING: %d", status)
		}
	}
	unreadable := []byte(`{"type":2,"token":"x"}`)
	h = c.Sign(unreadable)
	for _, want := range []int{400, 401} {
		if status, _ := post(t, url, h, unreadable); status != want {
			t.Errorf("unreadable: %d, want %d", status, want)
		}
	}
	again := kubectl("get namespaces")
	again.Endpoint = url
	m := c.answer(c.Interact(c.ctx, again), "rejoue")
	if strings.Count(m.Text(), "rejoue") != 1 || strings.Contains(x.Message().Text(), "AlreadyExists") {
		t.Error("a second effect")
	}
	c.calm()
}

// Discord's redelivery, however soon, is no replay.
func TestRedeliveryByHTTP(t *testing.T) {
	t.Parallel()
	c := newClass(t, setting{bot: func(cfg *Config) { cfg.Token = "" }})
	answered := make(chan int, 4)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := httptest.NewRecorder()
		c.bot.Handler().ServeHTTP(rec, r)
		answered <- rec.Code
		w.Header().Set("Content-Type", rec.Header().Get("Content-Type"))
		w.WriteHeader(rec.Code)
		_, _ = w.Write(rec.Body.Bytes())
	}))
	t.Cleanup(server.Close)
	c.DeliverTo(server.URL)
	e := c.Interact(c.ctx, kubectl("create namespace encore"))
	c.must(e.Redeliver(c.ctx))
	c.must(e.Redeliver(c.ctx))
	for range 3 {
		select {
		case status := <-answered:
			if status != http.StatusOK {
				t.Errorf("%d", status)
			}
		case <-c.ctx.Done():
			t.Fatal("not delivered three times")
		}
	}
	c.answer(e, "namespace/encore created")
	c.calm()
}

// Memory is bounded, by time and by number, and what is remembered is so for ten minutes.
func TestSignaturesAreForgotten(t *testing.T) {
	var s signatures
	of := func(n int) string { return fmt.Sprintf("%0128x", n)[96:] + strings.Repeat("0", 96) }
	at := time.Unix(1_700_000_000, 0)
	if !s.first(of(0), at) || s.first(of(0), at.Add(10*time.Minute)) {
		t.Error("not remembered for ten minutes")
	}
	s.first(of(1), at.Add(10*time.Minute))
	s.first(of(2), at.Add(11*time.Minute))
	if s.first(of(1), at.Add(20*time.Minute)) {
		t.Error("not remembered for ten minutes, beyond a generation's end")
	}
	s.first(of(3), at.Add(22*time.Minute))
	s.first(of(4), at.Add(33*time.Minute))
	if len(s.now)+len(s.old) != 2 {
		t.Errorf("%d and %d remembered", len(s.now), len(s.old))
	}
	for n := range 3 * mostSignatures {
		s.first(of(n+10), at.Add(34*time.Minute))
	}
	if all := len(s.now) + len(s.old); all > 2*mostSignatures || all < mostSignatures {
		t.Errorf("%d remembered", all)
	}
}
