package slack

import (
	"bytes"
	"fmt"
	"net/url"
	"strings"

	"go.yaml.in/yaml/v3"
)

// shortcutManifest is the callback ID of the message shortcut that applies a message's manifest.
const shortcutManifest = "manifest"

// Where Slack sends what people do, below the URL given to Manifest.
const (
	PathCommands     = "/slack/commands"
	PathInteractions = "/slack/interactions"
	PathEvents       = "/slack/events"
)

// scopes are what the bot may do: answer commands; write messages; read the manifests that
// people attach; send pictures and long replies; know a person's language, and who leads; read what is
// written to it; know whether it may write in a channel before it begins something there.
var scopes = []string{"commands", "chat:write", "files:read", "files:write", "users:read", "im:history", "app_mentions:read", "channels:read", "groups:read"}

// events are what the bot is told of: a visit to its home tab, and what is written to it.
var events = []string{"app_home_opened", "app_mention", "message.im"}

// ManifestOptions are what a manifest depends on; every field may be left zero.
type ManifestOptions struct {
	Locale string // of descriptions: fr where empty
	URL    string // https://timonier.example: Slack sends everything there; empty: Socket Mode
}

// The manifest in Slack's order. Source: https://docs.slack.dev/reference/app-manifest
type (
	manifest struct {
		Display  display  `yaml:"display_information"`
		Features features `yaml:"features"`
		OAuth    oauth    `yaml:"oauth_config"`
		Settings settings `yaml:"settings"`
	}
	display struct {
		Name       string `yaml:"name"`
		About      string `yaml:"description"`
		Long       string `yaml:"long_description"`
		Background string `yaml:"background_color"`
	}
	features struct {
		Home      appHome        `yaml:"app_home"`
		Bot       botUser        `yaml:"bot_user"`
		Shortcuts []shortcut     `yaml:"shortcuts"`
		Commands  []slashCommand `yaml:"slash_commands"`
	}
	appHome struct {
		Home     bool `yaml:"home_tab_enabled"`
		Messages bool `yaml:"messages_tab_enabled"`
		ReadOnly bool `yaml:"messages_tab_read_only_enabled"`
	}
	botUser struct {
		Name   string `yaml:"display_name"`
		Online bool   `yaml:"always_online"`
	}
	shortcut struct {
		Name     string `yaml:"name"`
		Type     string `yaml:"type"`
		Callback string `yaml:"callback_id"`
		About    string `yaml:"description"`
	}
	slashCommand struct {
		Command string `yaml:"command"`
		URL     string `yaml:"url,omitempty"`
		About   string `yaml:"description"`
		Hint    string `yaml:"usage_hint"`
		Escape  bool   `yaml:"should_escape"` // mentions come with their IDs
	}
	oauth struct {
		Scopes struct {
			Bot []string `yaml:"bot"`
		} `yaml:"scopes"`
	}
	settings struct {
		Events struct {
			URL string   `yaml:"request_url,omitempty"`
			Bot []string `yaml:"bot_events"`
		} `yaml:"event_subscriptions"`
		Interactivity struct {
			Enabled bool   `yaml:"is_enabled"`
			URL     string `yaml:"request_url,omitempty"`
		} `yaml:"interactivity"`
		Org      bool `yaml:"org_deploy_enabled"`
		Socket   bool `yaml:"socket_mode_enabled"`
		Rotation bool `yaml:"token_rotation_enabled"`
	}
)

// Manifest is the app's manifest, YAML ready to paste where its first lines say, in both
// languages. say gives the tutor's sentences (bot.Tutor.Say). The error says what is wrong with the URL.
func Manifest(say func(locale, id string, data map[string]any) string, o ManifestOptions) ([]byte, error) {
	if err := checkBase(o.URL); err != nil {
		return nil, err
	}
	at := func(path string) string {
		if o.URL == "" {
			return ""
		}
		return strings.TrimSuffix(o.URL, "/") + path
	}
	its := func(id string) string { return say(o.Locale, id, nil) }

	m := manifest{Display: display{its("slack.manifest.name"), its("slack.manifest.about"), oneLine(its("slack.manifest.long")), "#1d3557"}}
	m.Features = features{
		Home:      appHome{Home: true, Messages: true},
		Bot:       botUser{its("slack.manifest.name"), true},
		Shortcuts: []shortcut{{its("slack.manifest.shortcut"), "message", shortcutManifest, its("slack.manifest.shortcutabout")}},
	}
	for _, c := range [][3]string{
		{"/timonier", "slack.manifest.timonierabout", "slack.manifest.timonierhint"},
		{"/kubectl", "slack.manifest.kubectlabout", "slack.manifest.kubectlhint"},
		{"/quiz", "slack.manifest.quizabout", "slack.manifest.quizhint"},
	} {
		m.Features.Commands = append(m.Features.Commands, slashCommand{c[0], at(PathCommands), its(c[1]), its(c[2]), true})
	}
	m.OAuth.Scopes.Bot = scopes
	m.Settings.Events.URL, m.Settings.Events.Bot = at(PathEvents), events
	m.Settings.Interactivity.Enabled, m.Settings.Interactivity.URL = true, at(PathInteractions)
	m.Settings.Socket = o.URL == ""

	var out bytes.Buffer
	for _, locale := range []string{"fr", "en"} {
		for line := range strings.SplitSeq(strings.TrimSpace(say(locale, "slack.manifest.paste", nil)), "\n") {
			out.WriteString(strings.TrimSpace("# "+line) + "\n")
		}
	}
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	if err := enc.Encode(m); err != nil {
		return nil, fmt.Errorf("encode manifest: %w", err)
	}
	return out.Bytes(), nil
}

// checkBase refuses what Slack would not send to.
func checkBase(base string) error {
	if base == "" {
		return nil
	}
	if u, err := url.Parse(base); err != nil || u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return fmt.Errorf("read URL %q: want https:// and a host, with a path at the most", base)
	}
	return nil
}
