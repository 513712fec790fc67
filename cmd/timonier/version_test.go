package main

import (
	"regexp"
	"runtime/debug"
	"strings"
	"testing"
	"time"
)

func TestBuild(t *testing.T) {
	const commit = "5a54bd5c0ffee00000000000000000000000000a"
	vcs := func(modified string) []debug.BuildSetting {
		return []debug.BuildSetting{{Key: "-trimpath", Value: "true"}, {Key: "vcs.revision", Value: commit},
			{Key: "vcs.time", Value: "2026-11-27T03:00:00Z"}, {Key: "vcs.modified", Value: modified}}
	}
	for _, tt := range []struct {
		version  string
		settings []debug.BuildSetting
		want     string
	}{
		{"", nil, "(devel)"},
		{"v1.2.0", nil, "v1.2.0"},
		{"(devel)", vcs("false"), "(devel) 5a54bd5c0ffe"},
		{"v1.2.0", vcs("true"), "v1.2.0 5a54bd5c0ffe dirty"},
		{"v0.0.0-20261127030000-5a54bd5c0ffe+dirty", vcs("true"), "v0.0.0-20261127030000-5a54bd5c0ffe+dirty"},
	} {
		b := buildOf(&debug.BuildInfo{Main: debug.Module{Version: tt.version}, Settings: tt.settings})
		if b.String() != tt.want {
			t.Errorf("%s: %q, want %q", tt.version, b, tt.want)
		}
		if known := tt.settings != nil; known != b.at.Equal(time.Date(2026, 11, 27, 3, 0, 0, 0, time.UTC)) || known != (b.revision == commit) {
			t.Errorf("%s: %+v", tt.version, b)
		}
	}
}

// TestVersion: one line, by the subcommand and by the flag.
func TestVersion(t *testing.T) {
	line := regexp.MustCompile(`^timonier \S.*, go1\.\S+ \w+/\w+(, 2\S+Z)?\n$`)
	for _, args := range [][]string{{"version"}, {"--version"}, {"--lang", "en", "version"}} {
		if got := program(t, nil, "", args...); got.code != 0 || !line.MatchString(got.out) {
			t.Errorf("%v: %+v", args, got)
		}
	}
	if got := program(t, nil, "", "version", "--lang", "en", "--help"); got.code != 0 || !strings.HasPrefix(got.out, "Usage: timonier version") {
		t.Errorf("%+v", got)
	}
	if got := program(t, nil, "", "version", "two"); got.code != exitUsage || !strings.Contains(got.errors, "two") {
		t.Errorf("%+v", got)
	}
}
