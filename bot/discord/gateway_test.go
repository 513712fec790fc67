package discord

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"timonier/bot/discord/discordtest"
)

func (c *class) alive(name string) {
	c.t.Helper()
	e := c.Interact(c.ctx, kubectl("create namespace "+name))
	c.answer(e, "namespace/"+name+" created")
}

// What is sent while there is no connection is answered after the resumption.
func TestDroppedConnection(t *testing.T) {
	t.Parallel()
	c := newClass(t, setting{})
	for n, code := range []int{0, 4000, 4008} {
		c.Drop(code)
		e := c.Interact(c.ctx, kubectl("get nodes")) // missed, and replayed
		c.answer(e, "node-1")
		c.must(c.Resumed(c.ctx, n+1))
	}
	if n := c.Identifies(); n != 1 {
		t.Errorf("%d IDENTIFYs, though the session could be resumed", n)
	}
	c.calm()
}

func TestReconnect(t *testing.T) {
	t.Parallel()
	c := newClass(t, setting{})
	began := time.Now()
	c.Reconnect()
	c.must(c.Resumed(c.ctx, 1))
	t.Logf("a resumption took %v of the three seconds there are", time.Since(began))
	c.alive("op7")
	c.Beat() // op 1
	c.alive("op1")
	c.Reconnect()
	c.Reconnect()
	c.must(c.Resumed(c.ctx, 2))
	c.alive("encore")
	if n := c.Identifies(); n != 1 {
		t.Errorf("%d IDENTIFYs", n)
	}
	c.calm()
}

func TestInvalidSession(t *testing.T) {
	t.Parallel()
	c := newClass(t, setting{})
	c.Invalidate(true)
	c.must(c.Resumed(c.ctx, 1))
	c.alive("op9-repris")
	c.Invalidate(false)
	c.must(c.Identified(c.ctx, 2))
	c.ready()
	c.alive("op9-nouveau")
	if r := c.Resumes(); r != 1 {
		t.Errorf("%d RESUMEs", r)
	}
	c.calm()
}

func TestSessionThatTimedOut(t *testing.T) {
	t.Parallel()
	c := newClass(t, setting{})
	c.Drop(4009)
	c.must(c.Identified(c.ctx, 2))
	c.ready()
	c.alive("neuf")
	c.calm()
}

// A connection on which nothing comes any more is noticed after one and a half heartbeats.
func TestZombie(t *testing.T) {
	t.Parallel()
	c := newClass(t, setting{server: discordtest.Config{Heartbeat: 200 * time.Millisecond}})
	c.Mute()
	e := c.Interact(c.ctx, kubectl("get nodes"))
	began := time.Now()
	c.answer(e, "node-1")
	t.Logf("noticed after %v", time.Since(began))
	c.logged(errZombie.Error())
	if c.Resumes() != 1 || c.Identifies() != 1 {
		t.Errorf("%d RESUMEs, %d IDENTIFYs", c.Resumes(), c.Identifies())
	}
	c.calm()
}

func TestGatewayAway(t *testing.T) {
	t.Parallel()
	c := newClass(t, setting{})
	c.Refuse(4)
	c.Drop(0)
	c.must(c.Resumed(c.ctx, 1))
	c.alive("retour")
	c.calm()
}

func TestShards(t *testing.T) {
	t.Parallel()
	c := newClass(t, setting{server: discordtest.Config{Guilds: 3, Shards: 3}, bot: func(cfg *Config) { cfg.Shards = 3 }})
	for n := range 3 {
		e := c.Interact(c.ctx, kubectl("get nodes").In(discordtest.Place{Guild: c.Guild(n), Channel: "70000000000000000" + string(rune('0'+n))}))
		c.answer(e, "node-1")
	}
	for _, s := range c.Sessions() {
		if s.Intents != 0 || s.Shard[1] != 3 {
			t.Errorf("%+v", s)
		}
	}
	if !c.bot.Ready() || c.bot.Status() != "" {
		t.Errorf("not ready: %s", c.bot.Status())
	}
	c.calm()
}

func TestRefusedForGood(t *testing.T) {
	t.Parallel()
	for _, k := range []struct {
		token  string
		guilds int
		want   string
	}{
		{"MTAwMDAwMDAwMDAwMDAwMDAwMQ.faux.jeton", 1, "TIMONIER_DISCORD_TOKEN"},
		{"", 2501, "TIMONIER_DISCORD_SHARDS"},
	} {
		c := newClass(t, setting{asleep: true, server: discordtest.Config{Guilds: k.guilds}})
		cfg := c.cfg
		cfg.Tutor, cfg.Shards = newTutor(c), 1
		if k.token != "" {
			cfg.Token = k.token
		}
		b, err := New(cfg)
		c.must(err)
		if err := b.Run(c.ctx); err == nil || !strings.Contains(err.Error(), k.want) || strings.Contains(err.Error(), cfg.Token) {
			t.Errorf("%v", err)
		}
		c.must(cfg.Tutor.Close())
	}
}

// The codes that are final, by the gateway's own close.
func TestFinalCodes(t *testing.T) {
	for code, want := range final {
		t.Run(strconv.Itoa(code), func(t *testing.T) {
			t.Parallel()
			c := newClass(t, setting{})
			c.Drop(code)
			select {
			case err := <-c.ended:
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Error(err)
				}
				c.ended <- nil
			case <-c.ctx.Done():
				t.Error("Run goes on")
			}
		})
	}
}

func TestGate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gate{every: 5 * time.Second, log: slog.New(slog.DiscardHandler)}
		info := gatewayInfo{}
		info.Limit.Concurrency, info.Limit.Remaining = 2, 1
		began := time.Now()
		for _, k := range []struct {
			shard int
			want  time.Duration
		}{{0, 0}, {1, 0}, {2, 5 * time.Second}, {3, 5 * time.Second}, {4, 10 * time.Second}} {
			if err := g.wait(t.Context(), k.shard, info); err != nil || time.Since(began) != k.want {
				t.Errorf("shard %d after %v, want %v: %v", k.shard, time.Since(began), k.want, err)
			}
		}
		info.Limit.Remaining, info.Limit.ResetAfter = 0, 60_000
		began = time.Now()
		if err := g.wait(t.Context(), 0, info); err != nil || time.Since(began) != time.Minute {
			t.Errorf("with none left: after %v: %v", time.Since(began), err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := g.wait(ctx, 0, info); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

func TestAddress(t *testing.T) {
	for _, k := range []struct{ api, path, gateway, to string }{
		{"", "https://discord.com/api/v10/x", "wss://gateway.discord.gg", "wss://gateway.discord.gg/?encoding=json&v=10"},
		{"http://127.0.0.1:9", "http://127.0.0.1:9/api/v10/x", "ws://127.0.0.1:10/ws", "ws://127.0.0.1:10/ws?encoding=json&v=10"},
		{"http://127.0.0.1:9/api/", "http://127.0.0.1:9/api/v10/x", "wss://gateway.discord.gg/?v=9", "ws://127.0.0.1:9/?encoding=json&v=10"},
		{"https://mandataire.test/d", "https://mandataire.test/d/x", "wss://gateway.discord.gg", "wss://mandataire.test/?encoding=json&v=10"},
		{"https://mandataire.test/d", "https://mandataire.test/d/x", "wss://Mandataire.test:8443/ws?a=b", "wss://Mandataire.test:8443/ws?a=b&encoding=json&v=10"},
		{"https://mandataire.test:444/d", "https://mandataire.test:444/d/x", "wss://gateway.discord.gg:443/ws?a=b&compress=zlib-stream", "wss://mandataire.test:444/ws?a=b&encoding=json&v=10"},
	} {
		a, err := newAddress(k.api)
		if err != nil || a.of("/x") != k.path {
			t.Errorf("%q: %v %s", k.api, err, a.of("/x"))
		}
		if to, err := a.gateway(k.gateway); err != nil || to != k.to {
			t.Errorf("%q: %v %s", k.api, err, to)
		}
	}
	for _, bad := range []string{"discord.com", "ftp://x", "http://u:p@x", "http://", "http://x?y", "::"} {
		if _, err := newAddress(bad); err == nil {
			t.Errorf("%q passes", bad)
		}
	}
	own, _ := newAddress("")
	for _, bad := range []string{"ws://gateway.discord.gg", "wss://discord.gg.example.org", "wss://example.org/discord.gg", "wss://notdiscord.gg", "wss://169.254.169.254"} {
		if to, err := own.gateway(bad); err == nil {
			t.Errorf("a gateway at %s passes as %s", bad, to)
		}
	}
	if _, err := own.gateway("wss://gateway-us-east1-b.discord.gg"); err != nil {
		t.Error(err)
	}
	other, _ := newAddress("http://127.0.0.1:9")
	proxy, _ := newAddress("https://mandataire.test/d")
	for _, k := range []struct {
		a        address
		url, got string
		ok       bool
	}{
		{own, "https://cdn.discordapp.com/a/b.yaml?ex=1", "https://cdn.discordapp.com/a/b.yaml?ex=1", true},
		{own, "https://media.discordapp.net/a", "https://media.discordapp.net/a", true},
		{own, "http://cdn.discordapp.com/a", "", false},
		{own, "https://cdn.discordapp.com.evil.test/a", "", false},
		{own, "https://cdn.discordapp.com:8443/a", "", false},
		{own, "https://169.254.169.254/", "", false},
		{other, "https://cdn.discordapp.com/a/b?x=1", "http://127.0.0.1:9/a/b?x=1", true},
		{other, "http://127.0.0.1:10/a/b?x=1", "http://127.0.0.1:10/a/b?x=1", true},
		{other, "http://127.0.0.1/a", "http://127.0.0.1/a", true},
		{other, "http://127.0.0.1.evil.test:9/a", "http://127.0.0.1:9/a", true},
		{other, "ftp://127.0.0.1/a", "", false},
		{proxy, "https://mandataire.test:8443/a?x=1", "https://mandataire.test:8443/a?x=1", true},
		{proxy, "http://cdn.discordapp.com:81/a?x=1", "https://mandataire.test/a?x=1", true},
	} {
		if got, ok := k.a.file(k.url); ok != k.ok || ok && got != k.got {
			t.Errorf("%q: %q %v", k.url, got, ok)
		}
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	c := newClass(t, setting{asleep: true})
	c.cfg.Tutor = newTutor(c)
	defer c.cfg.Tutor.Close()
	if _, err := New(c.cfg); err != nil {
		t.Fatal(err)
	}
	for name, break_ := range map[string]func(*Config){
		"tutor":  func(c *Config) { c.Tutor = nil },
		"app":    func(c *Config) { c.AppID = "x" },
		"ways":   func(c *Config) { c.Token, c.PublicKey = "", "" },
		"token":  func(c *Config) { c.Token = "a b" },
		"key":    func(c *Config) { c.PublicKey = "00" },
		"guild":  func(c *Config) { c.Guild = "../x" },
		"api":    func(c *Config) { c.API = "x" },
		"shards": func(c *Config) { c.Shards = -1 },
	} {
		cfg := c.cfg
		break_(&cfg)
		if _, err := New(cfg); err == nil {
			t.Errorf("a wrong %s passes", name)
		}
	}
}
