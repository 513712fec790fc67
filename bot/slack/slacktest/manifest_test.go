package slacktest

import (
	"fmt"
	"strings"
	"testing"
)

const manifest = `
_metadata: {major_version: 2}
display_information: {name: Timonier, description: Le plan de contrôle, background_color: "#0000AA"}
features:
  app_home: {home_tab_enabled: true, messages_tab_enabled: true}
  bot_user: {display_name: Timonier, always_online: true}
  slash_commands:
    - {command: /kubectl, description: kubectl, usage_hint: get pods, should_escape: false}
  shortcuts:
    - {name: Appliquer, type: message, callback_id: apply, description: Applique le manifeste}
oauth_config: {scopes: {bot: [commands, "chat:write", "users:read", "files:write", "im:history"]}}
settings:
  event_subscriptions: {bot_events: [app_home_opened, message.im]}
  interactivity: {is_enabled: true}
  socket_mode_enabled: true
`

func TestManifest(t *testing.T) {
	if p := CheckManifest([]byte(manifest)); p != nil {
		t.Fatal(p)
	}
	many := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "    - {command: /c%d, description: d}\n", i)
		}
		return b.String()
	}
	one := "    - {command: /kubectl, description: kubectl, usage_hint: get pods, should_escape: false}\n"
	for _, c := range []struct{ old, new, want string }{
		{"name: Timonier, d", "name: " + é(35) + ", d", ""},
		{"name: Timonier, d", "name: " + é(36) + ", d", "display_information/name"},
		{"Le plan de contrôle", é(140), ""},
		{"Le plan de contrôle", é(141), "display_information/description"},
		{"background_color", "long_description: " + é(174) + ", background_color", ""},
		{"background_color", "long_description: " + é(173) + ", background_color", "long_description"},
		{"background_color", "long_description: " + é(4001) + ", background_color", "long_description"},
		{"#0000AA", "blue", "background_color"},
		{one, many(50), ""},
		{one, many(51), "51 are more than 50"},
		{one, one + one, "is there twice"},
		{"/kubectl", "/" + é(31), ""},
		{"/kubectl", "/" + é(32), "slash_commands/0/command"},
		{"/kubectl", "kubectl", "must be like /kubectl"},
		{"description: kubectl", "description: " + é(2001), "slash_commands/0/description"},
		{"usage_hint: get pods", "usage_hint: " + é(1001), "usage_hint"},
		{"usage_hint", "hint", "unknown key hint"},
		{"\nsettings", "\nsetings", "unknown key setings"},
		{"socket_mode_enabled: true", "socket_mode_enabled: false", "must be an https URL"},
		{"chat:write", "chat:shout", "unknown scope chat:shout"},
		{"app_home_opened", "app_home_entered", "unknown event"},
		{`"im:history"`, `"im:read"`, "needs the scope im:history"},
		{"bot: [commands, ", "bot: [", "needs the scope commands"},
		{"type: message", "type: person", "message or global"},
		{"_metadata: {", "_metadata: [", "yaml"},
	} {
		text := strings.Replace(manifest, c.old, c.new, 1)
		if text == manifest {
			t.Fatalf("%q changes nothing", c.old)
		}
		got := strings.Join(CheckManifest([]byte(text)), "\n")
		if c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%.40q: got %q, want %q", c.new, got, c.want)
		}
	}
}
