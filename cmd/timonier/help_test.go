package main

import (
	"regexp"
	"strings"
	"testing"
)

// The help names every subcommand, by whichever name it is asked for, in the language that stands anywhere in the line.
func TestHelpNamesEverySubcommand(t *testing.T) {
	for lang, begins := range map[string]string{"fr": "^Usage\u00a0?.?: timonier", "en": "^Usage: timonier"} {
		for _, args := range [][]string{{"--help", "--lang", lang}, {"--lang", lang, "--help"}, {"--lang", lang, "help"}} {
			got := program(t, nil, "", args...)
			if got.code != exitOK || !regexp.MustCompile(begins).MatchString(got.out) {
				t.Errorf("%v: %+v", args, got)
			}
			for _, c := range subcommands() {
				if !regexp.MustCompile(`timonier .*\b` + c.name + `\b`).MatchString(got.out) {
					t.Errorf("%v: no %s", args, c.name)
				}
			}
		}
	}
	for _, lang := range []string{"fr", "en"} { // and so does what is wrong
		want := map[string]string{"fr": "Je ne connais pas", "en": "I don't know"}[lang]
		for _, args := range [][]string{{"--nosuch"}, {"nosuch"}, {"verify", "--nosuch"}, {"health", "nosuch"}, {"backup", "a", "b"}} {
			got := program(t, nil, "", append(args, "--lang", lang)...)
			if got.code != exitUsage || !strings.HasPrefix(got.errors, want) || !strings.Contains(got.errors, "--help") {
				t.Errorf("%v: %+v", args, got)
			}
		}
	}
	if got := program(t, nil, "", "load", "--help", "--lang", "en"); got.code != exitOK || !regexp.MustCompile(`^Usage: timonier load`).MatchString(got.out) {
		t.Errorf("load: %+v", got)
	}
}
