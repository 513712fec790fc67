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

// A secret so short that words have it in them by chance is hidden where it stands alone.
func TestShortSecrets(t *testing.T) {
	r := newRedactor([]string{"a", "abc", "-é-", "x.y", "1234567", "12345678", ""})
	for text, want := range map[string]string{
		"a":                         redacted,
		"a channel began":           redacted + " channel began",
		"abc a, abcd (abc)":         redacted + " " + redacted + ", abcd (" + redacted + ")",
		"Bearer abc":                "Bearer " + redacted,
		"token=abc&a=b":             "token=" + redacted + "&" + redacted + "=b",
		"aaa a_a éa aé":             "aaa a_a éa aé",
		"a a":                       redacted + " " + redacted,
		"1-é-2 -é- é":               "1-é-2 " + redacted + " é",
		"x.y x.yz xy":               redacted + " x.yz xy",
		"1234567 01234567":          redacted + " 01234567",
		"12345678 0123456789":       redacted + " 0" + redacted + "9",
		"the application of a node": "the application of " + redacted + " node",
		"":                          "",
	} {
		if got := r.text(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	var b bytes.Buffer
	logger := slog.New(newRedactor([]string{"a"}).handler(slog.NewTextHandler(&b, nil)))
	logger.Info("serving at last", "channel", "a", "data", "/data/a.db", "error", errors.New("bad a"))
	if got := b.String(); !strings.Contains(got, `msg="serving at last" channel=[redacted] data=/data/[redacted].db error="bad [redacted]"`) {
		t.Error(got)
	}
}
