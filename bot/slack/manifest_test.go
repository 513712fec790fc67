package slack

import (
	"strings"
	"testing"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"timonier/bot/slack/slacktest"
)

func TestManifest(t *testing.T) {
	say := speaker(t)
	for file, o := range map[string]ManifestOptions{
		"manifest.fr.yaml":   {},
		"manifest.en.yaml":   {Locale: "en"},
		"manifest.http.yaml": {URL: "https://timonier.example/"},
	} {
		got, err := Manifest(say, o)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, file, got)
		for _, fault := range slacktest.CheckManifest(got) {
			t.Errorf("%s: %s", file, fault)
		}
		var m map[string]any
		if err := yaml.Unmarshal(got, &m); err != nil {
			t.Fatal(err)
		}
		at := func(path string) any {
			var v any = m
			for _, key := range strings.Split(path, ".") {
				v, _ = v.(map[string]any)[key]
			}
			return v
		}
		// https://docs.slack.dev/reference/app-manifest
		characters := func(name string, v any, least, most int) {
			s, _ := v.(string)
			if n := utf8.RuneCountInString(s); n < least || n > most || strings.Contains(s, "\n") {
				t.Errorf("%s: %s of %d characters: %q", file, name, n, s)
			}
		}
		characters("name", at("display_information.name"), 1, 35)
		characters("description", at("display_information.description"), 1, 140)
		characters("long_description", at("display_information.long_description"), 174, 4000)
		characters("display_name", at("features.bot_user.display_name"), 1, 80)
		for _, v := range at("features.shortcuts").([]any) {
			s := v.(map[string]any)
			characters("shortcut", s["name"], 1, 24)
			characters("shortcut's description", s["description"], 1, 150)
			characters("callback_id", s["callback_id"], 1, 255)
		}
		commands := at("features.slash_commands").([]any)
		for _, v := range commands {
			c := v.(map[string]any)
			characters("command", c["command"], 2, 32)
			characters("command's description", c["description"], 1, 2000)
			characters("usage_hint", c["usage_hint"], 1, 1000)
			if (c["url"] != nil) != (o.URL != "") || c["should_escape"] != true {
				t.Errorf("%s: command %v", file, c)
			}
		}
		if len(commands) != 3 || at("settings.socket_mode_enabled") != (o.URL == "") || at("settings.interactivity.is_enabled") != true {
			t.Errorf("%s: %v", file, at("settings"))
		}
		url, _ := at("settings.event_subscriptions.request_url").(string)
		if want := map[bool]string{true: "", false: "https://timonier.example" + PathEvents}[o.URL == ""]; url != want {
			t.Errorf("%s: events go to %q, want %q", file, url, want)
		}
	}
}

func TestManifestRefusesURL(t *testing.T) {
	for _, url := range []string{"http://timonier.example", "timonier.example", "https://", "https://x.io/?a=b", "https://x.io#y", "https://u:p@x.io", "ftp://x.io", "https://x.io/%zz"} {
		if _, err := Manifest(speaker(t), ManifestOptions{URL: url}); err == nil {
			t.Errorf("%q was taken", url)
		}
	}
}
