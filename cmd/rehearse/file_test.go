package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"timonier/bot/slack/slacktest"
)

// A file that is sent is put where the person can use it, and the path is shown.
func TestFileIsSaved(t *testing.T) {
	s := newScreen(io.Discard)
	if got := s.file("F1", "a.yaml", "alt", []byte("x")); got != "a.yaml alt" {
		t.Errorf("without a directory: %q", got)
	}
	s.dir = t.TempDir()
	for _, name := range []string{"a.yaml", "../../a.yaml"} {
		shown := s.file("../F1", name, "", []byte("kind: Config"))
		_, path, found := strings.Cut(shown, " → ")
		data, err := os.ReadFile(path)
		if !found || path != filepath.Join(s.dir, "F1", "a.yaml") || string(data) != "kind: Config" || err != nil {
			t.Errorf("%q: %q %v", shown, data, err)
		}
	}
}

// What is in a person's private messages is not said to be for everyone.
func TestPrivateMessagesAreLabelled(t *testing.T) {
	server, err := slacktest.Start(slacktest.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	p := &inSlack{server: server, screen: newScreen(io.Discard)}
	s := newScene()
	server.SetUser(slacktest.User{ID: s.who.slack, Name: s.who.name})
	server.SetChannel(slacktest.Channel{ID: "D1", IM: true, User: s.who.slack})
	app := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer app.Close()
	if _, err := server.Post(t.Context(), app.URL, slacktest.DirectMessage{User: s.who.slack, Text: "hello"}); err != nil {
		t.Fatal(err)
	}
	all := server.Messages("D1")
	if len(all) == 0 {
		t.Fatal("no message")
	}
	if got := p.see(s, slacktest.Change{Message: all[0]}); got.kind != "in private messages" || got.spot != s.spot(true) && got.spot != "alone ana" {
		t.Errorf("%+v", got)
	}
}
