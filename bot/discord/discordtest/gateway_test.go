package discordtest

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/bwmarrin/discordgo"
	"github.com/gorilla/websocket"
)

// toServer sends discordgo's requests to the stand-in.
type toServer struct {
	base string
	next *http.Transport
}

func (t toServer) RoundTrip(req *http.Request) (*http.Response, error) {
	base, err := url.Parse(t.base)
	if err != nil {
		return nil, err
	}
	req = req.Clone(req.Context())
	req.URL.Scheme, req.URL.Host = base.Scheme, base.Host
	return t.next.RoundTrip(req)
}

func TestDiscordgoConnectsAndAnswers(t *testing.T) {
	r := start(t, Config{Now: time.Now, Strict: true})
	dg, err := discordgo.New("Bot " + r.Token())
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	dg.Client = &http.Client{Transport: toServer{r.URL(), transport}}
	dg.SyncEvents, dg.Identify.Intents = true, discordgo.IntentsNone
	failed := make(chan error, 1)
	dg.AddHandler(func(dg *discordgo.Session, i *discordgo.InteractionCreate) {
		text := i.ApplicationCommandData().Options[0].StringValue()
		none := &discordgo.MessageAllowedMentions{Parse: []discordgo.AllowedMentionType{}}
		err := dg.InteractionRespond(i.Interaction, &discordgo.InteractionResponse{
			Type: discordgo.InteractionResponseChannelMessageWithSource,
			Data: &discordgo.InteractionResponseData{Content: i.Member.User.ID + ": " + text, AllowedMentions: none}})
		if err == nil {
			more := text + " fini"
			_, err = dg.InteractionResponseEdit(i.Interaction, &discordgo.WebhookEdit{Content: &more, AllowedMentions: none})
		}
		failed <- err
	})
	if err := dg.Open(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = dg.Close() }()
	if err := r.Connected(r.ctx, 1); err != nil || r.Identifies() != 1 || r.Sessions()[0].Intents != 0 {
		t.Fatal(err, r.Sessions())
	}
	e := r.Interact(r.ctx, Slash("kubectl", String("args", "get pods")).By(Person{ID: "12"}).In(Place{Channel: "34", Type: 11, Parent: "5", Owner: "12"}))
	first, err := e.First(r.ctx)
	if err != nil || first.Message.Content != "12: get pods" || first.Message.ChannelID != "34" {
		t.Errorf("%+v %v", first, err)
	}
	if u, err := e.Next(r.ctx); err != nil || u.Message.Content != "get pods fini" {
		t.Error(u, err)
	}
	if err := <-failed; err != nil {
		t.Error(err)
	}
	r.calm()
}

func TestResumeReplaysWhatWasMissed(t *testing.T) {
	r := start(t, Config{})
	w := r.session()
	r.Drop(0)
	if code := w.closed(); code == 1000 {
		t.Error(code)
	}
	if err := r.Connected(r.ctx, 0); err != nil {
		t.Fatal(err)
	}
	a, b := r.Interact(r.ctx, Slash("a")), r.Interact(r.ctx, Slash("b"))
	again := r.dial()
	again.send(`{"op":6,"d":{"token":"Bot %s","session_id":%q,"seq":%d}}`, r.Token(), w.id, w.seq)
	for _, want := range []string{a.ID, b.ID} {
		if ev := again.read(); objectOf(ev.Data)["id"] != want {
			t.Errorf("%+v, want %s", ev, want)
		}
	}
	if ev := again.read(); ev.Type != "RESUMED" || ev.Seq != 4 {
		t.Errorf("%+v", ev)
	}
	if err := r.Resumed(r.ctx, 1); err != nil || r.Resumes() != 1 || r.Identifies() != 1 {
		t.Error(err)
	}
	r.calm()
	third := r.dial()
	third.send(`{"op":6,"d":{"token":%q,"session_id":%q,"seq":99}}`, r.Token(), w.id)
	if code := third.closed(); code != 4007 {
		t.Error(code)
	}
	fourth := r.dial()
	fourth.send(`{"op":6,"d":{"token":%q,"session_id":"gone","seq":1}}`, r.Token())
	if ev := fourth.read(); ev.Op != 9 || ev.Data != false {
		t.Errorf("%+v", ev)
	}
}

func TestRedelivery(t *testing.T) {
	r := start(t, Config{})
	w := r.session()
	e := r.Interact(r.ctx, Slash("a"))
	if err := e.Redeliver(r.ctx); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if ev := w.read(); objectOf(ev.Data)["id"] != e.ID {
			t.Errorf("%+v", ev)
		}
	}
}

func TestOps(t *testing.T) {
	r := start(t, Config{})
	w := r.session()
	r.Reconnect()
	r.Beat()
	for _, op := range []int{7, 1} {
		if ev := w.read(); ev.Op != op {
			t.Errorf("%+v, want op %d", ev, op)
		}
	}
	w.send(`{"op":1,"d":1}`)
	if ev := w.read(); ev.Op != 11 || r.Heartbeats() != 1 {
		t.Errorf("%+v", ev)
	}
	r.Invalidate(false)
	if ev := w.read(); ev.Op != 9 || ev.Data != false || len(r.Sessions()) != 0 {
		t.Errorf("%+v %v", ev, r.Sessions())
	}
	w.identify(0, "[0,1]")
	if ev := w.read(); ev.Type != "READY" || r.Identifies() != 2 {
		t.Errorf("%+v", ev)
	}
	r.Invalidate(true)
	if ev := w.read(); ev.Op != 9 || ev.Data != true || len(r.Sessions()) != 1 {
		t.Errorf("%+v %v", ev, r.Sessions())
	}
	r.calm()
	r.Drop(4000)
	if code := w.closed(); code != 4000 {
		t.Error(code)
	}
}

func TestAZombieAcknowledgesNothing(t *testing.T) {
	r := start(t, Config{})
	w := r.session()
	r.Mute()
	w.send(`{"op":1,"d":1}`)
	if err := r.gatewayUntil(r.ctx, func(g *gateway) bool { return g.heartbeats == 1 }); err != nil {
		t.Fatal(err)
	}
	e := r.Interact(r.ctx, Slash("a"))
	again := r.dial()
	again.send(`{"op":6,"d":{"token":%q,"session_id":%q,"seq":%d}}`, r.Token(), w.id, w.seq)
	if ev := again.read(); objectOf(ev.Data)["id"] != e.ID {
		t.Errorf("%+v", ev)
	}
	if _, _, err := w.ws.ReadMessage(); err == nil {
		t.Error("the zombie got an event, or stayed open after its session was taken over")
	}
}

func TestClosingEndsASession(t *testing.T) {
	for code, left := range map[int]int{1000: 0, 1001: 0, 1012: 1} {
		r := start(t, Config{})
		w := r.session()
		_ = w.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, ""), time.Now().Add(time.Second))
		if err := r.gatewayUntil(r.ctx, func(g *gateway) bool { return len(g.conns) == 0 }); err != nil || len(r.Sessions()) != left {
			t.Errorf("%d: %v %v", code, r.Sessions(), err)
		}
	}
}

func TestGatewayRefuses(t *testing.T) {
	properties := `"properties":{"os":"l"}`
	many := strings.Repeat("x", mostPayload)
	for name, c := range map[string]struct {
		cfg   Config
		sends []string
		code  int
	}{
		"token":             {Config{}, []string{`{"op":2,"d":{"token":"no","intents":0,` + properties + `}}`}, 4004},
		"no intents":        {Config{}, []string{`{"op":2,"d":{"token":"T",` + properties + `}}`}, 4002},
		"privileged":        {Config{}, []string{`{"op":2,"d":{"token":"T","intents":32768,` + properties + `}}`}, 4014},
		"unknown intents":   {Config{}, []string{`{"op":2,"d":{"token":"T","intents":67108864,` + properties + `}}`}, 4013},
		"shard":             {Config{}, []string{`{"op":2,"d":{"token":"T","intents":0,"shard":[2,2],` + properties + `}}`}, 4010},
		"too few shards":    {Config{Guilds: 2501}, []string{`{"op":2,"d":{"token":"T","intents":0,` + properties + `}}`}, 4011},
		"quota":             {Config{IdentifyQuota: -1}, []string{`{"op":2,"d":{"token":"T","intents":0,` + properties + `}}`}, 4004},
		"twice":             {Config{}, []string{`{"op":2,"d":{"token":"T","intents":0,` + properties + `}}`, `{"op":2,"d":{"token":"T","intents":0,` + properties + `}}`}, 4005},
		"before identify":   {Config{}, []string{`{"op":3,"d":{}}`}, 4003},
		"opcode":            {Config{}, []string{`{"op":5,"d":{}}`}, 4001},
		"not JSON":          {Config{}, []string{`hello`}, 4002},
		"large":             {Config{}, []string{`{"op":1,"d":"` + many + `"}`}, 4002},
		"120 sends":         {Config{}, repeated(`{"op":1,"d":null}`, mostSends+1), 4008},
		"silence":           {Config{Heartbeat: 20 * time.Millisecond}, nil, 4009},
		"resume of a token": {Config{}, []string{`{"op":6,"d":{"token":"no","session_id":"x","seq":1}}`}, 4004},
	} {
		t.Run(name, func(t *testing.T) {
			c.cfg.Token = "T"
			r := start(t, c.cfg)
			w := r.dial()
			for _, text := range c.sends {
				w.send("%s", text)
			}
			if code := w.closed(); code != c.code {
				t.Errorf("closed with %d, want %d", code, c.code)
			}
			if told := len(r.Faults()) > 0; told == (name == "token" || name == "silence" || name == "resume of a token") {
				t.Error(r.Faults())
			}
		})
	}
}

func repeated(s string, n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = s
	}
	return all
}

func TestIdentifyTooSoon(t *testing.T) {
	r := start(t, Config{IdentifyEvery: 5 * time.Second})
	r.session()
	w := r.dial()
	w.identify(0, "[0,1]")
	if ev := w.read(); ev.Op != 9 {
		t.Errorf("%+v", ev)
	}
	r.Advance(5 * time.Second)
	w.identify(0, "[0,1]")
	if ev := w.read(); ev.Type != "READY" {
		t.Errorf("%+v", ev)
	}
}

func TestShards(t *testing.T) {
	r := start(t, Config{Guilds: 4, Shards: 2})
	if a := r.call("GET", "/gateway/bot", ""); !strings.Contains(a.raw, `"shards":2`) || !strings.Contains(a.raw, `"remaining":1000`) {
		t.Error(a.raw)
	}
	var shards [2]*wire
	for n := range shards {
		shards[n] = r.dial()
		shards[n].identify(1, []string{"[0,2]", "[1,2]"}[n])
		for _, want := range []string{"READY", "GUILD_CREATE", "GUILD_CREATE"} {
			if ev := shards[n].read(); ev.Type != want {
				t.Fatalf("shard %d: %+v", n, ev)
			}
		}
	}
	if err := r.Identified(r.ctx, 2); err != nil {
		t.Fatal(err)
	}
	for n := range 4 {
		e := r.Interact(r.ctx, Slash("a").In(Place{Guild: r.Guild(n)}))
		if ev := shards[n%2].read(); objectOf(ev.Data)["id"] != e.ID {
			t.Errorf("guild %d: %+v", n, ev)
		}
	}
	e := r.Interact(r.ctx, Slash("a").In(Place{Direct: true}))
	ev := shards[0].read()
	data := objectOf(ev.Data)
	if data["id"] != e.ID || data["member"] != nil || data["guild_id"] != nil || data["context"] != 1.0 || objectOf(data["user"])["id"] != defaultPerson {
		t.Errorf("%+v", ev)
	}
}

func TestRefusedConnection(t *testing.T) {
	r := start(t, Config{})
	r.Refuse(1)
	ws, res, err := websocket.DefaultDialer.DialContext(r.ctx, r.socketURL()+"?v=10&encoding=json", nil)
	if err == nil {
		_ = ws.Close()
		t.Fatal("not refused")
	}
	if res.StatusCode != http.StatusServiceUnavailable {
		t.Error(res.Status)
	}
	r.session()
}
