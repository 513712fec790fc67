package discord

import (
	"bytes"
	"strings"
	"testing"

	"timonier/bot"
)

func newTutor(c *class) *bot.Tutor { return bot.New(bot.Config{Store: newMemory(), Now: c.cfg.Now}) }

func TestRegister(t *testing.T) {
	t.Parallel()
	for _, guild := range []string{"", "1234567"} {
		c := newClass(t, setting{asleep: true})
		cfg := c.cfg
		cfg.Tutor, cfg.Guild = newTutor(c), guild
		var out bytes.Buffer
		c.must(Register(c.ctx, cfg, true, &out))
		if n := len(c.Commands(guild)); n != 0 || !strings.Contains(out.String(), "/kubectl") {
			t.Errorf("dry run: %d commands registered, said %q", n, out.String())
		}
		c.must(Register(c.ctx, cfg, false, nil))
		want := len(cfg.Tutor.Commands()) + 1
		if n := len(c.Commands(guild)); n != want {
			t.Errorf("%d commands registered, want %d", n, want)
		}
		put := c.Calls("PUT /applications/{app}/commands") + c.Calls("PUT /applications/{app}/guilds/{guild}/commands")
		out.Reset()
		c.must(Register(c.ctx, cfg, false, &out))
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
	c.must(b.register(c.ctx, false, nil))
	b.commands[0].Help = map[string]string{"fr": "autre chose", "en": "something else"}
	b.commands = b.commands[:len(b.commands)-1]
	var out bytes.Buffer
	c.must(b.register(c.ctx, false, &out))
	if got := strings.Count(out.String(), "\n"); got != 2 || c.Calls("PUT /applications/{app}/commands") != 1 {
		t.Errorf("%q", out.String())
	}
	if n := len(c.Commands("")); n != len(b.commands)+1 || !strings.Contains(string(c.Commands("")[0])+string(c.Commands("")[1]), "autre chose") {
		t.Errorf("%d commands: %s", n, c.Commands("")[0])
	}
	c.calm()
}

func TestRegisterNeedsAToken(t *testing.T) {
	if err := Register(t.Context(), Config{}, true, nil); err == nil {
		t.Error("registered without a token")
	}
}
