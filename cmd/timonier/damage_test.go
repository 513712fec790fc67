package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A channel that meets a damaged page says which it is and what mends it, in the person's language; so does the
// log. Then what it says is done, and it goes on where the copy was made.
func TestDamageIsToldAndMended(t *testing.T) {
	dir := t.TempDir()
	data, copied := filepath.Join(dir, "t.db"), filepath.Join(dir, "copy.db")
	if got := program(t, nil, "/kubectl create deployment web --image=nginx\n", "--data", data, "--lang", "fr"); got.code != 0 {
		t.Fatalf("%+v", got)
	}
	if got := program(t, nil, "", "backup", copied, "--data", data); got.code != 0 {
		t.Fatalf("%+v", got)
	}
	spoil(t, data, "deployments/default/web")
	for _, tt := range []struct{ lang, want string }{
		{"fr", "Mes données sont abîmées dans le salon terminal de terminal/local : je ne peux pas répondre"},
		{"en", "My data is damaged in channel terminal of terminal/local: I cannot answer"},
	} {
		got := program(t, nil, "/kubectl get deployments\n", "--data", data, "--lang", tt.lang)
		if told := strings.Join(strings.Fields(got.out), " "); got.code != exitFailed || !strings.Contains(told, tt.want) || !strings.Contains(told, "timonier restore") {
			t.Errorf("%+v", got)
		}
		checked := program(t, nil, "", "verify", "--data", data, "--lang", tt.lang)
		if where := map[string]string{"fr": "dans le salon terminal de terminal/local", "en": "in channel terminal of terminal/local"}[tt.lang]; checked.code != exitFailed || !strings.Contains(checked.out, where) {
			t.Errorf("%+v", checked)
		}
	}
	log, err := os.ReadFile(filepath.Join(dir, "t.log"))
	if err != nil || !bytes.Contains(log, []byte("channel terminal")) || !bytes.Contains(log, []byte("restore puts a copy in its place")) {
		t.Errorf("%s, %v", log, err)
	}
	if got := program(t, nil, "", "restore", copied, "--data", data); got.code != 0 {
		t.Errorf("%+v", got)
	}
	if got := program(t, nil, "/kubectl get deployments\n", "--data", data); got.code != 0 || !strings.Contains(got.out, "web") {
		t.Errorf("%+v", got)
	}
}

// spoil overwrites the pages of a file that hold a text.
func spoil(t *testing.T, path, text string) {
	t.Helper()
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	page, spoiled := os.Getpagesize(), 0
	for at := 2 * page; at+page <= len(whole); at += page {
		if bytes.Contains(whole[at:at+page], []byte(text)) {
			copy(whole[at:at+page], bytes.Repeat([]byte("torn"), page/4))
			spoiled++
		}
	}
	if spoiled == 0 {
		t.Fatalf("no page holds %q", text)
	}
	if err := os.WriteFile(path, whole, 0o600); err != nil {
		t.Fatal(err)
	}
}
