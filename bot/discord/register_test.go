package discord

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"timonier/bot"
	"timonier/bot/discord/discordtest"
)

func newTutor(c *class) *bot.Tutor { return bot.New(bot.Config{Store: newMemory(), Now: c.cfg.Now}) }

func TestRegister(t *testing.T) {
	t.Parallel()
	for _, guild := range []string{"", "1234567"} {
		c := newClass(t, setting{asleep: true})
		cfg := c.cfg
		cfg.Tutor, cfg.Guild = newTutor(c), guild
		var out bytes.Buffer
		c.must(registered(c.ctx, cfg, true, &out))
		if n := len(c.Commands(guild)); n != 0 || !strings.Contains(out.String(), "/kubectl") {
			t.Errorf("dry run: %d commands registered, said %q", n, out.String())
		}
		c.must(registered(c.ctx, cfg, false, nil))
		want := len(cfg.Tutor.Commands()) + 1
		if n := len(c.Commands(guild)); n != want {
			t.Errorf("%d commands registered, want %d", n, want)
		}
		put := c.Calls("PUT /applications/{app}/commands") + c.Calls("PUT /applications/{app}/guilds/{guild}/commands")
		out.Reset()
		c.must(registered(c.ctx, cfg, false, &out))
		again := c.Calls("PUT /applications/{app}/commands") + c.Calls("PUT /applications/{app}/guilds/{guild}/commands")
		if out.Len() > 0 || put != 1 || again != put {
			t.Errorf("registered %d times, said %q where nothing differs", again, out.String())
		}
		c.must(cfg.Tutor.Close())
		c.calm()
	}
}

func TestRegisterOneChange(t *testing.T) {
	t.Parallel()
	c := newClass(t, setting{asleep: true})
	cfg := c.cfg
	cfg.Tutor = newTutor(c)
	defer cfg.Tutor.Close()
	b, err := New(cfg)
	c.must(err)
	defer b.client.http.CloseIdleConnections()
	_, err = b.register(c.ctx, false, nil)
	c.must(err)
	b.commands[0].Help = map[string]string{"fr": "autre chose", "en": "something else"}
	b.commands = b.commands[:len(b.commands)-1]
	var out bytes.Buffer
	_, err = b.register(c.ctx, false, &out)
	c.must(err)
	if got := strings.Count(out.String(), "\n"); got != 2 || c.Calls("PUT /applications/{app}/commands") != 1 {
		t.Errorf("%q", out.String())
	}
	if n := len(c.Commands("")); n != len(b.commands)+1 || !strings.Contains(string(c.Commands("")[0])+string(c.Commands("")[1]), "autre chose") {
		t.Errorf("%d commands: %s", n, c.Commands("")[0])
	}
	c.calm()
}

func TestRegisterNeedsAToken(t *testing.T) {
	if err := registered(t.Context(), Config{}, true, nil); err == nil {
		t.Error("registered without a token")
	}
}

// Discord may ask for half an hour's patience before the commands are registered: the
// gateway does not wait for it, and neither does the end.
func TestGatewayDoesNotWaitForRegistration(t *testing.T) {
	t.Parallel()
	const list = "GET /applications/{app}/commands"
	c := newClass(t, setting{before: func(c *class) {
		c.hurry = func(p *pace) { p.register = 500 * time.Millisecond }
		c.Inject(discordtest.Trouble{Match: list, Status: http.StatusTooManyRequests, RetryAfter: 30 * time.Minute})
	}})
	c.alive("sans-attendre")
	c.logged("register commands")
	if n := c.Calls(list); n != 1 {
		t.Errorf("%d requests, though the first was told to wait", n)
	}
	began := time.Now()
	if err := c.stop(); err != nil || time.Since(began) > time.Minute {
		t.Errorf("ended after %v: %v", time.Since(began), err)
	}
	c.calm()
}

// What fails at first is tried again; what is refused is not, and ends nothing.
func TestRegistersLater(t *testing.T) {
	t.Parallel()
	const list = "GET /applications/{app}/commands"
	for _, k := range []struct {
		status, times, calls int
		said                 string
	}{{503, 4, 5, "commands registered"}, {403, 1, 1, "register commands"}} {
		c := newClass(t, setting{before: func(c *class) {
			c.hurry = func(p *pace) { p.register = 200 * time.Millisecond }
			c.Inject(discordtest.Trouble{Match: list, Status: k.status, Times: k.times})
		}})
		c.logged(k.said)
		c.alive("plus-tard")
		if n := c.Calls(list); n != k.calls || (len(c.Commands("")) > 0) != (k.calls > 1) {
			t.Errorf("%d: %d requests, %d commands", k.status, n, len(c.Commands("")))
		}
		c.calm()
	}
}

// A token that is good for the gateway alone does not serve.
func TestRegistrationEndsWithABadToken(t *testing.T) {
	t.Parallel()
	c := newClass(t, setting{asleep: true})
	cfg := c.cfg
	cfg.Tutor = newTutor(c)
	b, err := New(cfg)
	c.must(err)
	c.Inject(discordtest.Trouble{Match: "GET /applications/{app}/commands", Status: http.StatusUnauthorized})
	if err := b.Run(c.ctx); err == nil || !strings.Contains(err.Error(), "TIMONIER_DISCORD_TOKEN") {
		t.Errorf("%v", err)
	}
	c.must(cfg.Tutor.Close())
}

// Commands of a server that are registered everywhere too are told of, with how to
// remove them, which does remove them; then there is nothing more to say.
func TestRegisterTellsDoubles(t *testing.T) {
	t.Parallel()
	c := newClass(t, setting{asleep: true})
	cfg := c.cfg
	cfg.Tutor = newTutor(c)
	defer cfg.Tutor.Close()
	c.must(registered(c.ctx, cfg, false, nil))
	all := len(c.Commands(""))
	cfg.Guild = "1234567"
	for _, k := range []struct {
		locale, said string
		dry          bool
	}{{"", " de ces commandes sont aussi", true}, {"en-GB", " of these commands are registered everywhere", false}} {
		var out bytes.Buffer
		cfg.Locale = k.locale
		c.must(registered(c.ctx, cfg, k.dry, &out))
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		last := lines[len(lines)-1]
		if !strings.HasPrefix(last, strconv.Itoa(all)+k.said) || !strings.HasSuffix(last, removeAll+c.URL()+"/api/v10/applications/"+cfg.AppID+"/commands") || len(lines) != all+1 {
			t.Errorf("%d lines for %d commands: %s", len(lines), all, last)
		}
		if strings.Contains(last, cfg.Token) {
			t.Error("the token is told")
		}
	}
	if n := len(c.Commands("")); n != all {
		t.Errorf("%d commands everywhere, of %d", n, all)
	}
	b, err := New(cfg)
	c.must(err)
	defer b.client.http.CloseIdleConnections()
	c.must(b.client.replace(c.ctx, "", []command{})) // what the line says
	var out bytes.Buffer
	if c.must(registered(c.ctx, cfg, true, &out)); out.Len() > 0 {
		t.Errorf("%q", out.String())
	}
	c.calm()
}

// Who cannot be told of doubles has the commands registered all the same.
func TestRegisterWithoutTheNote(t *testing.T) {
	t.Parallel()
	c := newClass(t, setting{asleep: true})
	cfg := c.cfg
	cfg.Tutor, cfg.Guild = newTutor(c), "1234567"
	defer cfg.Tutor.Close()
	c.Inject(discordtest.Trouble{Match: "GET /applications/{app}/commands", Status: http.StatusForbidden, Times: 2})
	want := len(cfg.Tutor.Commands()) + 1
	for _, dry := range []bool{true, false} {
		var out bytes.Buffer
		if n, err := Register(c.ctx, cfg, dry, &out); err != nil || n != want || strings.Count(out.String(), "\n") != want {
			t.Errorf("dry %v: %d changes, %v: %q", dry, n, err, out.String())
		}
	}
	if n := len(c.Commands(cfg.Guild)); n != want {
		t.Errorf("%d commands registered, want %d", n, want)
	}
	if n := strings.Count(c.log.String(), "tell of commands registered twice"); n != 2 {
		t.Errorf("logged %d times", n)
	}
	c.calm()
}

// registered is Register where nobody counts.
func registered(ctx context.Context, cfg Config, dryRun bool, w io.Writer) error {
	_, err := Register(ctx, cfg, dryRun, w)
	return err
}
