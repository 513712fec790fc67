package slacktest

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"sigs.k8s.io/yaml"
)

// Limits of an app manifest, in characters or items.
//
// https://docs.slack.dev/reference/app-manifest
const (
	mostName            = 35
	mostDescription     = 140
	leastLong, mostLong = 174, 4000
	mostCommands        = 50
	mostCommand         = 32
	mostCommandText     = 2000
	mostHint            = 1000
	mostBotName         = 80
	mostShortcuts       = 10
	mostShortcutName    = 24
	mostShortcutText    = 150
	mostScopes          = 255
	mostEvents          = 100
)

// knownScopes of a bot token, and knownEvents with the scope each asks for: those that
// such a tutor may have a use for.
//
// https://docs.slack.dev/reference/scopes, https://docs.slack.dev/reference/events
var (
	knownScopes = strings.Fields(`app_mentions:read bookmarks:read bookmarks:write channels:history channels:join
		channels:manage channels:read chat:write chat:write.customize chat:write.public commands dnd:read emoji:read
		files:read files:write groups:history groups:read groups:write im:history im:read im:write
		links:read links:write metadata.message:read mpim:history mpim:read mpim:write pins:read pins:write
		reactions:read reactions:write reminders:read reminders:write team:read usergroups:read usergroups:write
		users.profile:read users:read users:read.email users:write workflow.steps:execute assistant:write
		incoming-webhook remote_files:read remote_files:share remote_files:write`)
	knownEvents = map[string]string{
		"app_home_opened": "", "app_mention": "app_mentions:read", "app_uninstalled": "", "tokens_revoked": "",
		"message.im": "im:history", "message.channels": "channels:history", "message.groups": "groups:history", "message.mpim": "mpim:history",
		"member_joined_channel": "channels:read", "member_left_channel": "channels:read", "channel_deleted": "channels:read",
		"channel_archive": "channels:read", "channel_rename": "channels:read", "file_shared": "files:read", "file_created": "files:read",
		"reaction_added": "reactions:read", "reaction_removed": "reactions:read", "team_join": "users:read", "user_change": "users:read",
		"link_shared": "links:read", "im_created": "im:read",
	}
	knownKeys = map[string]string{
		"":                             "_metadata display_information features oauth_config settings functions outgoing_domains",
		"_metadata":                    "major_version minor_version",
		"display_information":          "name description long_description background_color",
		"features":                     "app_home bot_user shortcuts slash_commands unfurl_domains assistant_view",
		"features/app_home":            "home_tab_enabled messages_tab_enabled messages_tab_read_only_enabled",
		"features/bot_user":            "display_name always_online",
		"features/slash_commands":      "command description usage_hint should_escape url",
		"features/shortcuts":           "name type callback_id description",
		"oauth_config":                 "scopes redirect_urls token_management_enabled pkce_enabled",
		"oauth_config/scopes":          "bot user bot_optional user_optional",
		"settings":                     "allowed_ip_address_ranges event_subscriptions incoming_webhooks interactivity org_deploy_enabled socket_mode_enabled token_rotation_enabled is_hosted function_runtime is_mcp_enabled",
		"settings/event_subscriptions": "request_url bot_events user_events metadata_subscriptions",
		"settings/interactivity":       "is_enabled request_url message_menu_options_url",
	}
	colour  = regexp.MustCompile(`^#([0-9a-fA-F]{3}){1,2}$`)
	command = regexp.MustCompile(`^/[a-z0-9_\-\p{L}]+$`)
)

// proof is the check of one manifest.
type proof struct{ problems []string }

func (p *proof) bad(format string, args ...any) {
	p.problems = append(p.problems, fmt.Sprintf(format, args...))
}

// CheckManifest says what Slack would refuse of an app manifest in YAML; nothing where it is
// sound.
func CheckManifest(text []byte) []string {
	var root map[string]any
	if err := yaml.UnmarshalStrict(text, &root); err != nil {
		return []string{err.Error()}
	}
	p := &proof{}
	p.keys("", root)
	p.display(dict(root["display_information"]))
	settings := dict(root["settings"])
	socket := settings["socket_mode_enabled"] == true
	p.features(dict(root["features"]), socket)
	scopes := p.scopes(dict(dict(root["oauth_config"])["scopes"]))
	p.events(dict(settings["event_subscriptions"]), scopes, socket)
	if inter := dict(settings["interactivity"]); inter["is_enabled"] == true && !socket {
		p.url("/settings/interactivity/request_url", inter["request_url"])
	}
	if features := dict(root["features"]); len(array(features["slash_commands"])) > 0 && !slices.Contains(scopes, "commands") {
		p.bad("/features/slash_commands: needs the scope commands")
	}
	return p.problems
}

// keys finds unknown ones, as far down as they are known.
func (p *proof) keys(at string, v any) {
	if items, ok := v.([]any); ok {
		for _, item := range items {
			p.keys(at, item)
		}
		return
	}
	known, listed := knownKeys[at]
	m := dict(v)
	if !listed {
		return
	}
	if m == nil && v != nil {
		p.bad("/%s: must be an object", at)
	}
	for name, value := range m {
		if !slices.Contains(strings.Fields(known), name) {
			p.bad("/%s: unknown key %s", at, name)
			continue
		}
		p.keys(strings.TrimPrefix(at+"/"+name, "/"), value)
	}
}

// length checks a text; least of 1 makes it required.
func (p *proof) length(at string, v any, least, most int) {
	if v == nil && least == 0 {
		return
	}
	s, isText := v.(string)
	if n := utf8.RuneCountInString(s); !isText || n < least || n > most {
		p.bad("%s: must be a text of %d to %d characters", at, least, most)
	}
}

func (p *proof) url(at string, v any) {
	if !strings.HasPrefix(str(v), "https://") {
		p.bad("%s: must be an https URL where socket mode is off", at)
	}
}

func (p *proof) display(d map[string]any) {
	p.length("/display_information/name", d["name"], 1, mostName)
	p.length("/display_information/description", d["description"], 0, mostDescription)
	if d["long_description"] != nil {
		p.length("/display_information/long_description", d["long_description"], leastLong, mostLong)
	}
	if c := d["background_color"]; c != nil && !colour.MatchString(str(c)) {
		p.bad("/display_information/background_color: must be like #0000AA")
	}
}

func (p *proof) features(f map[string]any, socket bool) {
	if bot := f["bot_user"]; bot != nil {
		p.length("/features/bot_user/display_name", dict(bot)["display_name"], 1, mostBotName)
	}
	commands := array(f["slash_commands"])
	if len(commands) > mostCommands {
		p.bad("/features/slash_commands: %d are more than %d", len(commands), mostCommands)
	}
	seen := map[string]bool{}
	for i, v := range commands {
		at, c := fmt.Sprintf("/features/slash_commands/%d", i), dict(v)
		name := str(c["command"])
		p.length(at+"/command", c["command"], 2, mostCommand)
		if !command.MatchString(name) || strings.ToLower(name) != name {
			p.bad("%s/command: must be like /kubectl", at)
		}
		if seen[name] {
			p.bad("%s/command: %s is there twice", at, name)
		}
		seen[name] = true
		p.length(at+"/description", c["description"], 1, mostCommandText)
		p.length(at+"/usage_hint", c["usage_hint"], 0, mostHint)
		if !socket {
			p.url(at+"/url", c["url"])
		}
	}
	shortcuts := array(f["shortcuts"])
	if len(shortcuts) > mostShortcuts {
		p.bad("/features/shortcuts: %d are more than %d", len(shortcuts), mostShortcuts)
	}
	for i, v := range shortcuts {
		at, c := fmt.Sprintf("/features/shortcuts/%d", i), dict(v)
		p.length(at+"/name", c["name"], 1, mostShortcutName)
		p.length(at+"/callback_id", c["callback_id"], 1, mostID)
		p.length(at+"/description", c["description"], 1, mostShortcutText)
		if kind := str(c["type"]); kind != "message" && kind != "global" {
			p.bad("%s/type: must be message or global", at)
		}
	}
}

func (p *proof) scopes(m map[string]any) []string {
	var scopes []string
	for _, v := range array(m["bot"]) {
		if !slices.Contains(knownScopes, str(v)) {
			p.bad("/oauth_config/scopes/bot: unknown scope %v", v)
		}
		scopes = append(scopes, str(v))
	}
	if len(scopes) > mostScopes {
		p.bad("/oauth_config/scopes/bot: %d are more than %d", len(scopes), mostScopes)
	}
	return scopes
}

func (p *proof) events(m map[string]any, scopes []string, socket bool) {
	events := array(m["bot_events"])
	if len(events) > mostEvents {
		p.bad("/settings/event_subscriptions/bot_events: %d are more than %d", len(events), mostEvents)
	}
	for _, v := range events {
		scope, known := knownEvents[str(v)]
		switch {
		case !known:
			p.bad("/settings/event_subscriptions/bot_events: unknown event %v", v)
		case scope != "" && !slices.Contains(scopes, scope):
			p.bad("/settings/event_subscriptions/bot_events: %v needs the scope %s", v, scope)
		}
	}
	if len(events) > 0 && !socket {
		p.url("/settings/event_subscriptions/request_url", m["request_url"])
	}
}
