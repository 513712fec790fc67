package discord

import (
	"encoding/json"
	"log/slog"
	"strings"
	"testing"

	"timonier/bot"
)

func TestWho(t *testing.T) {
	read := func(raw string) event {
		e, readable, err := readEvent([]byte(raw))
		if !readable || err != nil {
			t.Fatalf("%s: %v", raw, err)
		}
		return e
	}
	const head = `{"id":"1","type":2,"token":"x","channel_id":"5","data":{},`
	for _, k := range []struct {
		raw                    string
		name                   string
		direct, private, alone bool
		parent                 string
	}{
		{head + `"user":{"id":"7","username":"u","global_name":"G"}}`, "G", true, true, false, ""},
		{head + `"context":1,"user":{"id":"7","username":"u"},"channel":{"id":"5","type":1}}`, "u", true, true, true, ""},
		{head + `"context":1,"user":{"id":"7","username":"u"}}`, "u", true, true, true, ""},
		{head + `"user":{"id":"7","username":"u"},"channel":{"id":"5","type":1}}`, "u", true, true, true, ""},
		{head + `"context":2,"user":{"id":"7","username":"u"},"channel":{"id":"5","type":1}}`, "u", true, true, false, ""}, // with somebody else
		{head + `"user":{"id":"7","username":"u"},"channel":{"id":"5","type":3}}`, "u", true, true, false, ""},
		{head + `"guild_id":"6","member":{"user":{"id":"7","username":"u"},"nick":"N"}}`, "N", false, false, false, ""},
		{head + `"guild_id":"6","context":0,"member":{"user":{"id":"7","username":"u","global_name":null},"nick":null},"channel":{"id":"5","type":11,"parent_id":"4","owner_id":"7"}}`, "u", true, false, false, "4"},
		{head + `"guild_id":"6","context":0,"member":{"user":{"id":"7","username":"u"}},"channel":{"id":"5","type":12,"parent_id":"4","owner_id":"8"}}`, "u", false, false, false, "4"},
		{head + `"guild_id":"6","context":0,"member":{"user":{"id":"7","username":"u"}},"channel":{"id":"5","type":0,"parent_id":"9"}}`, "u", false, false, false, ""},
		{head + `"context":2,"user":{"id":"7","username":"u"},"channel":{"id":"5","type":3}}`, "u", true, true, false, ""},
	} {
		e := read(k.raw)
		if e.name() != k.name || e.direct() != k.direct || e.private() != k.private || e.alone() != k.alone || e.parent() != k.parent {
			t.Errorf("%s: %q, direct %v, private %v, alone %v, parent %q", k.raw, e.name(), e.direct(), e.private(), e.alone(), e.parent())
		}
	}
}

// What is for one person stays theirs in a group of private messages, and is said openly
// where they are alone with the bot: the answer to a command, and to a button under what
// all can see or only they can.
func TestAlone(t *testing.T) {
	tutor := bot.New(bot.Config{Store: newMemory()})
	defer tutor.Close()
	b, err := New(Config{Tutor: tutor, AppID: "1", Token: "x"})
	if err != nil {
		t.Fatal(err)
	}
	const (
		alone  = `"context":1,"user":{"id":"7"},"channel":{"id":"5","type":1},`
		group  = `"context":2,"user":{"id":"7"},"channel":{"id":"5","type":3},`
		server = `"context":0,"guild_id":"6","member":{"user":{"id":"7"}},"channel":{"id":"5","type":0},`
		thread = `"context":0,"guild_id":"6","member":{"user":{"id":"7"}},"channel":{"id":"5","type":12,"owner_id":"7"},`

		course = `"type":2,"data":{"name":"cours"}}`
		press  = `"type":3,"data":{"custom_id":"1:/cours suite","component_type":2},"message":{"id":"3"}}`
		hidden = `"type":3,"data":{"custom_id":"1:/cours suite","component_type":2},"message":{"id":"3","flags":64}}`
	)
	for _, k := range []struct {
		where, what    string
		response       int
		alone, private bool
	}{
		{alone, course, callbackDefer, true, false},
		{group, course, callbackDefer, false, true},
		{server, course, callbackDefer, false, true},
		{thread, course, callbackDefer, false, true},
		{alone, press, callbackUpdate, true, false},
		{group, press, callbackDefer, false, true}, // the page that the others see is not turned for one
		{server, press, callbackDefer, false, true},
		{alone, hidden, callbackUpdate, true, true},
		{group, hidden, callbackUpdate, false, true},
	} {
		e, readable, err := readEvent([]byte(`{"id":"1","token":"x","channel_id":"5",` + k.where + k.what))
		if !readable || err != nil {
			t.Fatal(err)
		}
		p := b.planFor(e, nil)
		ephemeral := p.first.Data != nil
		if p.first.Type != k.response || ephemeral != (k.private && k.response == callbackDefer) || p.way.Private != k.private || p.way.Alone != k.alone || p.request.Alone != k.alone {
			t.Errorf("%s%s: %+v, way %+v, alone %v", k.where, k.what, p.first, p.way, p.request.Alone)
		}
	}
}

// Whatever comes, there is a plan for it that Discord can be told, and no panic behind it.
func FuzzInteraction(f *testing.F) {
	for _, data := range []string{`{}`, `{"name":"kubectl","options":[{"name":"commande","value":"apply"}]}`, `{"type":3,"target_id":"1"}`,
		`{"custom_id":"1:/cours suite","component_type":2}`, `{"custom_id":"1:/kubectl apply","components":[{"type":18,"component":{"custom_id":"text","value":"a"}}]}`,
		`{"name":"aide","options":[{"name":"commande","focused":true,"value":"k"}]}`, `null`, `[]`} {
		for _, kind := range []string{"2", "3", "4", "5", "9"} {
			f.Add(kind, data)
		}
	}
	log := &journal{}
	logger := slog.New(slog.NewTextHandler(log, nil))
	tutor := bot.New(bot.Config{Store: newMemory()})
	f.Cleanup(func() { tutor.Close() })
	b, err := New(Config{Tutor: tutor, AppID: "1", Token: "x", Logger: logger})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, kind, data string) {
		e, readable, err := readEvent([]byte(`{"id":"1","type":` + kind + `,"token":"x","channel_id":"5","user":{"id":"7"},"message":{"id":"3"},"data":` + data + `}`))
		if !readable || e.Type == eventPing {
			return
		}
		p := b.planFor(e, err)
		if p.complete == "" && p.first.Type == 0 {
			t.Error("no first response")
		}
		if p.request != nil && p.complete == "" && !json.Valid(mustMarshal(t, p.way)) {
			t.Error("no way back")
		}
		if strings.Contains(log.String(), "front end failed") {
			t.Error(log.String())
		}
	})
}

func mustMarshal(t *testing.T, v any) []byte {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
