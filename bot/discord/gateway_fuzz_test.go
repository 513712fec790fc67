package discord

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"timonier/bot"
)

// FuzzFrames: whatever frames a gateway sends, the connection ends with a reason and nothing panics; what is kept of a
// session is what a READY said.
func FuzzFrames(f *testing.F) {
	const hello, ready = `{"op":10,"d":{"heartbeat_interval":41250}}`, `{"op":0,"s":1,"t":"READY","d":{"session_id":"a","resume_gateway_url":"wss://gateway.discord.gg"}}`
	for _, s := range [][3]string{
		{hello, ready, `{"op":0,"s":2,"t":"RESUMED"}`},
		{hello, `{"op":0,"s":1,"t":"READY","d":{"session_id":"a","guilds":[null]}}`, ``},
		{hello, ready, `{"op":0,"s":2,"t":"GUILD_CREATE","d":{"channels":[null]}}`},
		{`{"op":10,"d":{"heartbeat_interval":9300000000000}}`, ready, ``},
		{`{"op":10,"d":{"heartbeat_interval":-1}}`, ready, `null`},
		{hello, `{"op":9,"d":true}`, ``}, {hello, `{"op":7}`, ``}, {hello, `{"op":11}`, `{"op":1}`},
		{hello, `{"op":0,"s":1,"t":"READY","d":7}`, `{"op":0,"s":-9,"t":"RESUMED"}`}, {hello, ready, `[]`},
	} {
		f.Add(s[0], s[1], s[2])
	}
	var mu sync.Mutex
	var frames []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var up websocket.Upgrader
		c, err := up.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer c.Close()
		mu.Lock()
		mine := frames
		mu.Unlock()
		for _, frame := range mine {
			_ = c.WriteMessage(websocket.TextMessage, []byte(frame))
		}
		_ = c.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(4000, ""), time.Now().Add(time.Second))
		for {
			if _, _, err := c.ReadMessage(); err != nil {
				return
			}
		}
	}))
	f.Cleanup(server.Close)
	tutor := bot.New(bot.Config{Store: newMemory()})
	f.Cleanup(func() { tutor.Close() })
	b, err := New(Config{Tutor: tutor, AppID: "1", Token: "x"})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, first, second, third string) {
		if strings.Contains(strings.ToUpper(first+second+third), "INTER") || strings.Contains(first+second+third, `\u`) {
			return // FuzzInteraction has these; their answers would be sent to Discord
		}
		mu.Lock()
		frames = []string{first, second, third}
		mu.Unlock()
		s := &shard{bot: b, count: 1}
		l, err := s.dial(context.Background(), "ws"+strings.TrimPrefix(server.URL, "http"), resumption{})
		if err != nil {
			t.Fatal(err)
		}
		s.current = l
		if err := l.run(); err == nil {
			t.Error("it ended for no reason")
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.session != "" && !strings.Contains(strings.ToUpper(first+second+third), "READY") {
			t.Errorf("session %q", s.session)
		}
	})
}
