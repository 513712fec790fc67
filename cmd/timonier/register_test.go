package main

import "testing"

// The manifest adds Slack's path to the address by itself; a name with the word in it is none.
func TestManifestAddress(t *testing.T) {
	for _, url := range []string{"https://h.example.com/slack", "https://h.example.com/slack/", "https://h.example.com/bots/slack/events", "https://h.example.com/%73lack"} {
		refusedInOneLine(t, runProgram(t, nil, "manifest", "slack", "--url", url), "--url", "sans chemin de Slack")
	}
	for _, url := range []string{"https://slack.example.com", "https://h.example.com/", "https://h.example.com/slackers"} {
		if got := runProgram(t, nil, "manifest", "slack", "--url", url); got.code != exitOK {
			t.Errorf("%s is refused: %s", url, got.errors)
		}
	}
}
