package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

type withSecret struct{ Inside string }

// asked gives a secret only when the log asks for the value.
type asked struct{}

func (asked) LogValue() slog.Value { return slog.StringValue(someApp) }

func TestRedaction(t *testing.T) {
	for name, next := range map[string]func(*bytes.Buffer) slog.Handler{
		"text": func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) },
		"json": func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			logger := slog.New(newRedactor([]string{someBot, someApp, someSigning, "xoxb-made-up"}).handler(next(&b)))
			logger.With("always", someBot).WithGroup("group").With(someApp, 1).Info("said "+someSigning,
				"plain", someBot, "within", "Bearer "+someApp+"; "+someBot, "bytes", []byte(someBot),
				"error", fmt.Errorf("send: %w", errors.New(someSigning)), "struct", withSecret{someBot}, "pointer", &withSecret{someBot},
				"map", map[string]string{"token": someBot}, "list", []string{someBot}, "later", asked{},
				slog.Group("inner", "deep", someApp, slog.Group("deeper", "still", someBot)), "kept", "the channel C1", "number", 42, "safe", withSecret{"kept as it is"})
			hush(t, b.String())
			if got := strings.Count(b.String(), redacted); got < 15 {
				t.Errorf("%d times %s:\n%s", got, redacted, b.String())
			}
			for _, kept := range []string{"the channel C1", "42", "kept as it is", "Bearer "} {
				if !strings.Contains(b.String(), kept) {
					t.Errorf("%q is gone:\n%s", kept, b.String())
				}
			}
			if name == "json" && !json.Valid(b.Bytes()) {
				t.Errorf("not JSON: %s", b.String())
			}
		})
	}
	quiet := newRedactor(nil).handler(slog.NewTextHandler(&bytes.Buffer{}, &slog.HandlerOptions{Level: slog.LevelWarn}))
	if quiet.Enabled(context.Background(), slog.LevelInfo) {
		t.Error("the level is lost")
	}
}
