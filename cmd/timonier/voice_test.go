package main

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"

	"timonier/bot"
)

// speakingFront is a front end through which things can be said, unless it says why not.
type speakingFront struct {
	fakeFront
	mute string
}

func (f *speakingFront) Mute() string { return f.mute }

func (f *speakingFront) Speak(context.Context, bot.To, json.RawMessage, bot.Reply) (json.RawMessage, error) {
	return nil, nil
}

// Each front end that can say something does, from its start to its end; of one that cannot, it is said once.
func TestServiceSpeaks(t *testing.T) {
	s := newService(t,
		&front{frontEnd: &speakingFront{}, name: "talks"},
		&front{frontEnd: &speakingFront{mute: "there is no token"}, name: "mute"},
		&front{frontEnd: &fakeFront{}, name: "answers"})
	var log bytes.Buffer
	s.logger = slog.New(slog.NewTextHandler(&log, nil))
	var mu sync.Mutex
	var happened []string
	happens := func(what string) {
		mu.Lock()
		defer mu.Unlock()
		happened = append(happened, what)
	}
	ctx, stop := context.WithCancel(t.Context())
	s.speak = func(ctx context.Context, platform string, _ bot.Speaker) error {
		happens(platform + " speaks")
		stop()
		<-ctx.Done()
		happens(platform + " is quiet")
		return nil
	}
	s.last = append(s.last, closer(func() error { happens("the tutor is closed"); return nil }))
	open(t, s, "")
	if err := s.run(ctx); err != nil {
		t.Fatal(err)
	}
	if want := []string{"talks speaks", "talks is quiet", "the tutor is closed"}; !slices.Equal(happened, want) {
		t.Errorf("%q, want %q", happened, want)
	}
	if n := strings.Count(log.String(), "there is no token"); n != 1 {
		t.Errorf("it is said %d times why one is mute:\n%s", n, &log)
	}
}
