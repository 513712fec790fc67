package slack

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"timonier/bot"
)

func TestFormOfPrompt(t *testing.T) {
	p := bot.Prompt{Title: "Le manifeste, en YAML, de `kubectl apply`", Label: "Collez-le ici\u00a0: <yaml>", Line: "/kubectl apply -f -"}
	v, err := form(p, french(t), json.RawMessage(`{"channel":"C1","thread":"1.2"}`))
	if err != nil {
		t.Fatal(err)
	}
	checkView(t, v)
	golden(t, "form.json", indented(t, v))

	sent := map[string]any{
		"callback_id": v.CallbackID, "private_metadata": v.PrivateMetadata, "state": map[string]any{"values": map[string]any{
			formText: map[string]any{formText: map[string]any{"type": "plain_text_input", "value": "kind: Pod # <x> & y\n"}},
			formFile: map[string]any{formFile: map[string]any{"type": "file_input", "files": []any{map[string]any{"id": "F1", "name": "a.yaml"}}}},
		}},
	}
	read := func() (filled, bool) { return submitted(indented(t, sent)) }
	f, ok := read()
	if got := fmt.Sprintf("%v %q %q %q %s", ok, f.Line, f.Text, f.Files, f.Back); got != `true "/kubectl apply -f -" "kind: Pod # <x> & y\n" ["F1"] {"channel":"C1","thread":"1.2"}` {
		t.Errorf("submitted: %s", got)
	}
	sent["state"] = map[string]any{"values": map[string]any{formText: map[string]any{formText: map[string]any{"value": nil}}}}
	if f, ok := read(); !ok || f.Text != "" || f.Files != nil {
		t.Errorf("nothing filled in: %+v, %v", f, ok)
	}
	sent["callback_id"] = "form:0"
	if _, ok := read(); ok {
		t.Error("another version's form was read")
	}
	sent["callback_id"], sent["private_metadata"] = formCallback, "{"
	if _, ok := read(); ok {
		t.Error("a form without a line was read")
	}
	if _, ok := submitted([]byte("[]")); ok {
		t.Error("what is no view was read")
	}
}

func TestFormOfALine(t *testing.T) {
	for name, p := range map[string]bot.Prompt{
		"form-line": {Title: "Compléter", Label: "Le mot qui manque", Line: "/quiz réponse 7-3", Short: true, Text: "le\nmot"},
		"form-full": {Title: "Une question", Label: "En YAML", Line: "/banque ajoute", Text: "kind: one\nask: <b> & «\u00a0…\u00a0»\n"},
		"form-over": {Title: "Une question", Line: "/banque ajoute", Text: strings.Repeat("long ", 700)},
	} {
		v, err := form(p, french(t), nil)
		if err != nil {
			t.Fatal(err)
		}
		checkView(t, v)
		golden(t, name+".json", indented(t, v))
	}
}

func TestFormCarriesNoMoreThanItCan(t *testing.T) {
	for n, fits := range map[int]bool{2900: true, 3000: false} {
		v, err := form(bot.Prompt{Title: "x", Line: strings.Repeat("é", n)}, french(t), nil)
		if (err == nil) != fits {
			t.Errorf("%d characters: %v", n, err)
		}
		if err == nil {
			checkView(t, v)
		}
	}
}

func TestHome(t *testing.T) {
	say := french(t)
	v := home(bot.Reply{
		Blocks: []bot.Block{
			bot.Title{Text: "Votre progression"}, bot.Meter{Label: "3 leçons sur 10", Done: 3, Total: 10}, bot.Divider{},
			bot.Picture{Name: "points.png", PNG: []byte("png"), Alt: "Douze points"}, bot.Text{Markdown: "À revoir\u00a0: **etcd**."},
		},
		Buttons: []bot.Button{{Label: "Suite", Line: "/cours suite", Style: bot.Primary}},
	}, say)
	checkView(t, v)
	golden(t, "home.json", indented(t, v))

	long := home(bot.Reply{Blocks: overflowing(), Buttons: []bot.Button{{Label: "Suite", Line: "/suite"}}}, say)
	checkView(t, long)
	menu := home(bot.Reply{Menu: &bot.Menu{Line: "/quiz réponse 7-3", Choices: []bot.MenuChoice{{Value: "A", Label: "oui"}}}}, say)
	checkView(t, menu)
	if said := strings.Join(texts(decoded(t, menu)["blocks"]), ""); !strings.Contains(said, "A · oui /quiz réponse 7-3 A") {
		t.Errorf("a menu at home: %q", said)
	}
	n := len(long.Blocks)
	if said := strings.Join(texts(decoded(t, long)["blocks"].([]any)[n-2]), ""); !strings.Contains(said, "Il n'y a pas de place ici") || long.Blocks[n-1].Type != "actions" {
		t.Errorf("a long home ends with %q", said)
	}
}
