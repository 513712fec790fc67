package main

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzConfig: whatever a configuration file holds, it is read or refused in one line that holds no value of it.
func FuzzConfig(f *testing.F) {
	for _, s := range []string{
		slackBot + "=" + someBot, "export " + discordToken + "='" + someToken + "' # x", "TIMONIER_X=" + someBot, slackApp + "=\"", "=", "\ufeff" + discordApp + "=1\r\n" + discordApp + "=2", "PATH=/bin", discordToken + "_FILE=/dev/null", "\x00",
	} {
		f.Add(s)
	}
	dir, say := f.TempDir(), newVoice("en")
	f.Fuzz(func(t *testing.T, text string) {
		path := filepath.Join(dir, "t.env")
		if strings.Contains(text, "_FILE") {
			return // it may name any file of the machine
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := readValues(say, nil, path)
		if err == nil {
			for _, known := range variables() {
				if got.has(known.name) && !known.fits(got[known.name]) {
					t.Errorf("%s is taken: %q", known.name, got[known.name])
				}
			}
			return
		}
		if told := err.Error(); strings.ContainsAny(told, "\n\x00\x1b") || strings.Contains(told, someBot) || strings.Contains(told, someToken) {
			t.Errorf("told: %q", told)
		}
	})
}

// FuzzRedacted: a secret is in no line of the log, whatever stands around it and however it got there.
func FuzzRedacted(f *testing.F) {
	f.Add("a", "b", "xoxb-1-2-three")
	f.Add("xoxb-1-2-", "three", "xoxb-1-2-three")
	f.Add("", "", "kkkkkkkkkkk")
	f.Add("é", "\n", "s3cr3t-s3cr3t")
	f.Fuzz(func(t *testing.T, before, after, secret string) {
		if len(secret) < leastLong || !isPlain(secret) || strings.Contains(before+redacted+after, secret) || strings.Contains(redacted, secret) || strings.ContainsAny(secret, `"\<>&=`) {
			return
		}
		var out bytes.Buffer
		log := slog.New(newRedactor([]string{secret, secret + "-and-more"}).handler(slog.NewTextHandler(&out, nil)))
		log.With("with", before+secret).WithGroup("group").Info(before+secret+after, secret, after, "value", []string{before + secret + after}, "error", os.ErrInvalid, "bytes", []byte(secret))
		if strings.Contains(out.String(), secret) {
			t.Errorf("%q is in %q", secret, out.String())
		}
	})
}

// FuzzBearer: nobody is let in by a header that is not the token's.
func FuzzBearer(f *testing.F) {
	id := &identity{token: "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
	for _, s := range []string{"Bearer " + id.token, "bearer  " + id.token + " ", "Basic " + id.token, "Bearer", "Bearer " + id.token[1:], id.token, "Bearer a, Bearer " + id.token, "\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, header string) {
		in := false
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api", nil)
		r.Header["Authorization"] = []string{header}
		w := httptest.NewRecorder()
		id.require(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { in = true })).ServeHTTP(w, r)
		words := strings.Fields(header)
		if known := len(words) == 2 && strings.EqualFold(words[0], "bearer") && words[1] == id.token; in && !known || !in && w.Code != http.StatusUnauthorized {
			t.Errorf("%q: in %v, status %d", header, in, w.Code)
		}
	})
}
