package slack

import (
	"testing"

	"timonier/bot"
)

func TestCommandsAsTheyAreTypedHere(t *testing.T) {
	d := dialectOf([]bot.CommandInfo{
		{Name: map[string]string{"fr": "cours", "en": "course"}}, {Name: map[string]string{"fr": "réglages", "en": "settings"}},
		{Name: map[string]string{"fr": "schéma", "en": "diagram"}, Aliases: []string{"dessin"}}, {Name: map[string]string{"fr": "panne", "en": "fault"}},
		{Name: map[string]string{"fr": "kubectl", "en": "kubectl"}}, {Name: map[string]string{"fr": "quiz", "en": "quiz"}},
	})
	for text, want := range map[string]string{
		"Pour ouvrir une section\u00a0: `/cours 3`.": "Pour ouvrir une section\u00a0: `/timonier cours 3`.",
		"`/réglages salon casser`, `/settings`":      "`/timonier réglages salon casser`, `/timonier settings`",
		"`/kubectl get pods`, `/quiz fin`":           "`/kubectl get pods`, `/quiz fin`",
		"`/etc/passwd` et et/ou /cours":              "`/etc/passwd` et et/ou /cours",
		"/cours":                                     "/timonier cours",
		"`/timonier cours`":                          "`/timonier cours`",
		"**ana** · `/schema grappe`, `/Dessin`":      "**ana** · `/timonier schema grappe`, `/timonier Dessin`",
		"**ana** · `/cours 3`":                       "**ana** · `/timonier cours 3`",
		"https://kubernetes.io/cours":                "https://kubernetes.io/cours",
	} {
		if got := d.text(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	for code, want := range map[string]string{
		"/panne etcd ____": "/timonier panne etcd ____",
		"/kubectl scale deployment site\n/panne etcd etcd-1\n": "/kubectl scale deployment site\n/timonier panne etcd etcd-1\n",
		"/registry/pods/default/web":                           "/registry/pods/default/web",
		"what a program wrote:\n/cours":                        "what a program wrote:\n/cours",
	} {
		r := d.reply(bot.Reply{Blocks: []bot.Block{bot.Code{Text: code}}})
		if got := r.Blocks[0].(bot.Code).Text; got != want {
			t.Errorf("%q: %q, want %q", code, got, want)
		}
	}
	long := "/cours " + string(make([]byte, 200))
	r := d.reply(bot.Reply{
		Blocks:  []bot.Block{bot.Title{Text: "/cours"}, bot.Table{Columns: []string{"a"}, Rows: [][]string{{"`/cours`"}}}, bot.Quote{Markdown: "`/cours`"}, bot.Code{Text: "`/cours`"}},
		Buttons: []bot.Button{{Label: "/cours", Line: "/cours suite"}, {Label: "x", Line: long}},
	})
	if r.Blocks[0].(bot.Title).Text != "/timonier cours" || r.Blocks[1].(bot.Table).Rows[0][0] != "`/timonier cours`" ||
		r.Blocks[2].(bot.Quote).Markdown != "`/timonier cours`" || r.Blocks[3].(bot.Code).Text != "`/cours`" {
		t.Errorf("%+v", r.Blocks)
	}
	if r.Buttons[0].Line != "/cours suite" || r.Buttons[0].Label != "/timonier cours" || r.Buttons[1].Line != "/timonier "+long[1:] {
		t.Errorf("%+v", r.Buttons)
	}
}
