package main

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"timonier/bot/store"
)

func TestDoctor(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	write := func(name, text string, mode os.FileMode) string {
		if err := os.WriteFile(path(name), []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path(name)
	}
	data := path("timonier.db")
	file, err := store.Open(t.Context(), data, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	held := path("held.db")
	open, err := store.Open(t.Context(), held, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = open.Close() })
	torn := write("torn.db", "not a database", 0o600)
	copies := path("copies")
	if err := os.Mkdir(copies, 0o700); err != nil {
		t.Fatal(err)
	}
	kept := path("kept")
	if err := os.Mkdir(kept, 0o700); err != nil {
		t.Fatal(err)
	}
	write("kept/"+backupPrefix+"20261126T040404Z"+backupSuffix, "", 0o600)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() })
	at := taken.Addr().String()
	key := "TIMONIER_DISCORD_PUBLIC_KEY=" + strings.Repeat("0", 64)
	const app = "TIMONIER_DISCORD_APP_ID=12"
	for _, tt := range []struct {
		name string
		env  []string
		args []string
		code int
		want string // one of the lines begins so
	}{
		{"nothing is set up", []string{}, []string{"--data", data}, 1, "✗ No platform is set up: `timonier serve` will not start"},
		{"all of serve's flags", nil, []string{"--data", data, "--backup-every", "1h", "--backup-keep", "2", "--memory", "64Mi", "--log", "json", "--log-level", "warn", "--most", "5"}, 0, "✓ The data file opens: " + data},
		{"the same readings", nil, []string{"--data", data, "--most", "0", "--memory", "1", "--log", "xml"}, 1, "✗ --log can't be “xml”. For example: text, json.\n✗ --most can't be “0”. For example: 1000.\n✗ --memory can't be “1”"},
		{"all that is wrong", []string{"TIMONIER_SLACK_BOT_TOKEN=abc", "TIMONIER_DISCORD_APP_ID=x"}, []string{"--data", data}, 1, "✗ TIMONIER_SLACK_BOT_TOKEN"},
		{"and the other", []string{"TIMONIER_SLACK_BOT_TOKEN=abc", "TIMONIER_DISCORD_APP_ID=x"}, []string{"--data", data}, 1, "✗ TIMONIER_DISCORD_APP_ID"},
		{"and the rest", []string{"TIMONIER_SLACK_BOT_TOKEN=abc", "TIMONIER_DISCORD_APP_ID=x"}, []string{"--data", data}, 1, "✓ The data file opens: " + data},
		{"one address for two", nil, []string{"--data", data, "--listen", "127.0.0.1:8099", "--kubectl", "127.0.0.1:8099"}, 1, "✗ --kubectl and --listen have the same address"},
		{"a course", nil, []string{"--data", data, "--content", path("none")}, 1, "✗ "},
		{"a good file", nil, []string{"--data", data}, 0, "✓ The data file opens: " + data},
		{"no file yet", nil, []string{"--data", path("new/new.db")}, 0, "✓ There is no data file yet"},
		{"nowhere to make one", nil, []string{"--data", filepath.Join(torn, "x.db")}, 1, "✗ I can't open"},
		{"a file in use", nil, []string{"--data", held}, 0, "~ Another Timonier is at work on " + held},
		{"a foreign file", nil, []string{"--data", torn}, 1, "✗ " + torn + " is not a Timonier file"},
		{"Discord by HTTP only", []string{app, key}, []string{"--data", data, "--listen", "127.0.0.1:0"}, 0, "~ Without TIMONIER_DISCORD_TOKEN"},
		{"Discord's gateway", []string{app, "TIMONIER_DISCORD_TOKEN=abc"}, []string{"--data", data, "--listen", "127.0.0.1:0"}, 0, "✓ Discord over its gateway"},
		{"a token of another shape", []string{"TIMONIER_SLACK_BOT_TOKEN=abc"}, []string{"--data", data}, 1, "✗ TIMONIER_SLACK_BOT_TOKEN"},
		{"half of Slack", []string{"TIMONIER_SLACK_BOT_TOKEN=xoxb-abc"}, []string{"--data", data}, 1, "✗ TIMONIER_SLACK_BOT_TOKEN"},
		{"an open configuration file", nil, []string{"--data", data, "--config", write("open.conf", app+"\n"+key+"\n", 0o644)}, 1, "✗ Everyone on this machine can read"},
		{"an open secret", []string{"TIMONIER_SLACK_BOT_TOKEN_FILE=" + write("secret", "xoxb-abc", 0o644), "TIMONIER_SLACK_SIGNING_SECRET=abc"}, []string{"--data", data}, 1, "✗ Everyone on this machine can read " + path("secret")},
		{"a directory for copies", nil, []string{"--data", data, "--backup-dir", copies}, 0, "✓ Copies can be kept in " + copies},
		{"copies", nil, []string{"--data", data, "--backup-dir", kept}, 0, "✓ Copies in " + kept + ": 1, the latest of 2026-11-2"},
		{"nowhere for copies", nil, []string{"--data", data, "--backup-dir", path("none")}, 1, "✗ The directory " + path("none") + " that --backup-dir names does not exist. Create it"},
		{"an address that is taken", nil, []string{"--data", data, "--listen", at}, 1, "✗ I can't answer at the address " + at},
		{"another that is", []string{app, key}, []string{"--data", data, "--listen", "127.0.0.1:0", "--admin", at}, 1, "✗ I can't answer at the address " + at},
		{"an address taken by a Timonier", nil, []string{"--data", held, "--listen", at}, 0, "~ The address " + at + " is taken"},
		{"a free address", nil, []string{"--data", data, "--listen", "127.0.0.1:0"}, 0, "✓ The address 127.0.0.1:0 is free."},
		{"no address", nil, []string{"--data", data, "--listen", "here"}, 1, "✗ --listen can't be “here”"},
		{"the clock", nil, []string{"--data", data}, 0, "✓ Clock: 2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.env == nil {
				tt.env = []string{app, "TIMONIER_DISCORD_TOKEN=abc"}
			}
			args := append([]string{"doctor", "--lang", "en"}, tt.args...)
			if !slices.Contains(args, "--listen") {
				args = append(args, "--listen", "127.0.0.1:0")
			}
			got := program(t, tt.env, "", args...)
			if got.code != tt.code || !strings.Contains("\n"+got.out, "\n"+tt.want) {
				t.Errorf("no line %q in %+v", tt.want, got)
			}
			if strings.Contains(got.out+got.errors, "abc") {
				t.Errorf("a secret is told: %+v", got)
			}
			if (tt.code == 0) != strings.HasSuffix(got.out, "All is well.\n") {
				t.Errorf("it ends with %q", got.out)
			}
		})
	}
	if _, err := os.Stat(path("new")); err == nil {
		t.Error("it has made a directory")
	}
}

func TestDoctorsClock(t *testing.T) {
	built := thisBuild().at
	if built.IsZero() {
		t.Skip("built without the time of its commit")
	}
	c := checkup{voice: newVoice("en"), now: built.AddDate(0, 0, -2)}
	c.clock(context.Background())
	if c.found[0].verdict != ill {
		t.Errorf("a clock two days before the program: %+v", c.found)
	}
}

func TestDoctorsReport(t *testing.T) {
	var out, errors bytes.Buffer
	c := checkup{voice: newVoice("en"), now: time.Now(), found: []finding{{well, "a"}, {ill, "b"}, {doubt, "c"}}}
	if code := c.report(invocation{stdout: &out, stderr: &errors}); code != exitFailed || out.String() != "✓ a\n✗ b\n~ c\n" || errors.String() != "To be put right: 1.\n" {
		t.Errorf("%d, %q, %q", code, out.String(), errors.String())
	}
}
