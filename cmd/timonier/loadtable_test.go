package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// What the subcommand measures is a table and a few sentences; nothing is left of it, and nobody's data are touched.
func TestLoadSubcommand(t *testing.T) {
	dir := t.TempDir()
	data := filepath.Join(dir, "timonier.db")
	if err := os.WriteFile(data, []byte("somebody's own"), 0o600); err != nil {
		t.Fatal(err)
	}
	o := runProgram(t, nil, "load", "--data", data, "--channels", "1,3", "--time", "90ms", "--count", "30", "--lang", "en")
	if o.code != exitOK {
		t.Fatalf("%+v", o)
	}
	lines := strings.Split(o.out, "\n")
	if len(lines) < 9 {
		t.Fatalf("%q", o.out)
	}
	for i, channels := range map[int]string{3: "1", 4: "3"} {
		cells := strings.Fields(strings.NewReplacer(" ms", "ms", " s", "s").Replace(lines[i]))
		if len(cells) != 10 || cells[0] != channels || cells[1] == "0" || cells[4] == "0" || cells[6] == "0" || !strings.HasSuffix(cells[9], "%") {
			t.Errorf("%q", lines[i])
		}
	}
	for _, want := range []string{"when 3 channels send", "A class of 30", "What holds it back"} {
		if !strings.Contains(o.out, want) {
			t.Errorf("%q is not in %q", want, o.out)
		}
	}
	left, err := filepath.Glob(filepath.Join(dir, "*"))
	if text, err := os.ReadFile(data); err != nil || string(text) != "somebody's own" || len(left) != 1 {
		t.Errorf("%v is left, with %q in the file (%v)", left, text, err)
	}
	if err != nil {
		t.Error(err)
	}
}

// A measurement that is called off says so, and leaves nothing.
func TestLoadStopped(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, said bytes.Buffer
	code := run(ctx, []string{"load", "--dir", dir, "--lang", "fr"}, nil, strings.NewReader(""), &out, &said)
	if code != exitFailed || !strings.Contains(said.String(), "interrompue") {
		t.Errorf("%d: %q", code, said.String())
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("%v is left (%v)", left, err)
	}
}

func TestLoadRefused(t *testing.T) {
	for _, tt := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"--channels", "0"}, exitUsage, "--channels"},
		{[]string{"--channels", "1,"}, exitUsage, "--channels"},
		{[]string{"--channels", "1001"}, exitUsage, "--channels"},
		{[]string{"--channels", "1,2,3,4,5,6,7,8,9"}, exitUsage, "--channels"},
		{[]string{"--time", "1h"}, exitUsage, "--time"},
		{[]string{"--time", "-1s"}, exitUsage, "--time"},
		{[]string{"--count", "2"}, exitUsage, "--count"},
		{[]string{"now"}, exitUsage, "now"},
		{[]string{"--dir", filepath.Join(t.TempDir(), "not", "there")}, exitFailed, "--dir"},
	} {
		o := runProgram(t, nil, append([]string{"load"}, tt.args...)...)
		if o.code != tt.code || !strings.Contains(o.errors, tt.want) || strings.Count(o.errors, "\n") != 1 || o.out != "" {
			t.Errorf("%v: %+v", tt.args, o)
		}
	}
}

// The limit is the disk's where the processor would do more, the processor's else; 256 commands a
// transaction are the most.
func TestLoadLimit(t *testing.T) {
	for _, tt := range []struct {
		row          loadRow
		disk, limit  float64
		share, class string
	}{
		{loadRow{channels: 1, syncs: 1000, undisked: 800, rate: 250}, 500, 500, "50%", "What holds it back is the disk"},
		{loadRow{channels: 64, syncs: 1000, undisked: 800, rate: 600}, 32000, 800, "75%", "What holds it back is the processor"},
		{loadRow{channels: 64, syncs: 20, undisked: 800, rate: 200}, 640, 640, "31%", "at least half"},
		{loadRow{channels: 1000, syncs: 2, undisked: 800, rate: 2}, 256, 256, "1%", "more than it does"},
	} {
		say := newVoice("en")
		if tt.row.diskLimit() != tt.disk || tt.row.limit() != tt.limit || percent(say, tt.row.share()) != tt.share {
			t.Errorf("%+v: %v, %v, %v", tt.row, tt.row.diskLimit(), tt.row.limit(), tt.row.share())
		}
		if text := tellLoad(say, []loadRow{tt.row}); !strings.Contains(strings.ToLower(text), strings.ToLower(tt.class)) {
			t.Errorf("%+v: %s", tt.row, text)
		}
	}
	if got := lasting(newVoice("fr"), 2345*time.Microsecond); got != "2,3 ms" {
		t.Error(got)
	}
	for d, want := range map[time.Duration]string{999 * time.Millisecond: "999 ms", 1200 * time.Millisecond: "1,2 s", 10847 * time.Millisecond: "10,8 s"} {
		if got := lasting(newVoice("fr"), d); got != want {
			t.Errorf("%v: %q", d, got)
		}
	}
}
