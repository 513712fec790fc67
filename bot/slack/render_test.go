package slack

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nicksnyder/go-i18n/v2/i18n"

	"timonier/bot"
	"timonier/locales"
)

var update = flag.Bool("update", false, "rewrite what is rendered in testdata")

// speaker says the sentences of locales.
func speaker(t testing.TB) func(locale, id string, data map[string]any) string {
	bundle, err := locales.Bundle()
	if err != nil {
		t.Fatal(err)
	}
	return func(locale, id string, data map[string]any) string {
		if locale == "" {
			locale = "fr"
		}
		text, err := i18n.NewLocalizer(bundle, locale).Localize(&i18n.LocalizeConfig{MessageID: id, TemplateData: data})
		if err != nil {
			t.Errorf("%s: %v", id, err)
		}
		return text
	}
}

func french(t testing.TB) sayer {
	say := speaker(t)
	return func(id string, data map[string]any) string { return say("fr", id, data) }
}

// golden compares with a file, or rewrites it.
func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	path = filepath.Join("testdata", path)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s: got\n%s\nwant\n%s", path, got, want)
	}
}

// indented is JSON to be read.
func indented(t *testing.T, v any) []byte {
	t.Helper()
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// attached is an upload as a golden file shows it.
type attached struct {
	Name, Type, Alt string
	Text            []string
	Picture         bool
}

func TestRender(t *testing.T) {
	say := french(t)
	png := []byte("\x89PNG")
	text := func(markdown string) bot.Reply { return bot.Reply{Blocks: []bot.Block{bot.Text{Markdown: markdown}}} }
	tests := map[string]bot.Reply{
		"title":      {Blocks: []bot.Block{bot.Title{Text: "Où l'analogie casse : etcd & <Raft>"}}},
		"title-long": {Blocks: []bot.Block{bot.Title{Text: strings.Repeat("un titre ", 20) + "&"}}},
		"text":       text("Trois pods demandés, **trois** placés. Il reste :\u00a04\u00a0s.\n\nUn *autre*, ***les deux***, du `code_avec*étoiles*`.\\\nUne ligne."),
		"text-marks": text(`*ceci* a_b_c \*pas gras\* ~non~ un\` + "`" + `accent gra**s**se`),
		"text-lists": text("Avant.\n\n- un\n  - deux\n    1. trois\n    2. quatre\n\n       suite de quatre\n  - cinq\n\n3. six\n4. sept\n   ```yaml\n   kind: Pod\n   ```\n5. huit\n\n0. zéro\n\nAprès."),
		"text-links": text("[page](https://kubernetes.io/docs?a=1&b=2), <https://etcd.io>, [leçon](lesson:3.1), [non](javascript:alert) et [**gras**](http://x.io)"),
		"text-pings": text(`<!channel> <@U1> <#C1|x> @here &lt;!everyone&gt; ` + "`<!here>` et\n\n```\n<!subteam^S1> <!-- html -->\n```"),
		"text-rules": text("# Un titre\n\navant\n\n---\n\naprès\n\n> cité\n> - point\n>\n> ```\n> code\n> ```\n>\n> fin"),
		"code":       {Blocks: []bot.Block{bot.Code{Language: "yaml", Text: "kind: Pod # ```\n\n  name: <web> & \"x\"\n\tonglet\n"}}},
		"code-long":  {Blocks: []bot.Block{bot.Code{Text: strings.Repeat("une ligne de soixante caractères, comme en écrit kubectl, oui\n", 60)}}},
		"table":      {Blocks: []bot.Block{bot.Table{Columns: []string{"Nœud", "Pods"}, Rows: [][]string{{"`node-1`", "3"}, {"node-2", "**12**"}}}}},
		"table-wide": {Blocks: []bot.Block{bot.Table{Columns: []string{"Pièce", "Dans Kubernetes", "Où l'image casse"}, Rows: [][]string{
			{"le registre", "`etcd` garde l'état souhaité", "un registre ne *vote* pas"}, {"la planification", "kube-scheduler", ""}}}}},
		"quote":            {Blocks: []bot.Block{bot.Quote{Markdown: "⚠️ *Où l'analogie casse :* un professeur pose sa candidature; un pod, non.\n\nUn second alinéa."}}},
		"meter":            {Blocks: []bot.Block{bot.Meter{Label: "2 pods prêts sur 3", Done: 2, Total: 3}}},
		"picture":          {Blocks: []bot.Block{bot.Picture{Name: "grappe.png", PNG: png, Alt: "Trois nœuds, deux pods", Text: strings.Repeat("x", 61)}}},
		"picture-drawn":    {Blocks: []bot.Block{bot.Picture{Name: "a.png", Alt: "Un entonnoir", Text: "\\  /\n \\/\n"}}},
		"picture-told":     {Blocks: []bot.Block{bot.Picture{Name: "a.png", Alt: "Un entonnoir *très* large", Text: strings.Repeat("x", 61)}}},
		"picture-long-alt": {Blocks: []bot.Block{bot.Picture{Name: "a.png", PNG: png, Alt: strings.Repeat("mot ", 600) + "fin"}}},
		"divider":          {Blocks: []bot.Block{bot.Text{Markdown: "a"}, bot.Divider{}, bot.Text{Markdown: "b"}}},
		"buttons": {Blocks: []bot.Block{bot.Text{Markdown: "Et si?"}}, Buttons: []bot.Button{
			{Label: "Pourquoi là?", Line: "/pourquoi", Style: bot.Primary}, {Label: "Tout effacer", Line: "/remise confirme", Style: bot.Danger},
			{Label: "La même", Line: "/pourquoi"}, {Label: "", Line: "/aide"},
			{Label: "Trop longue", Line: "/kubectl " + strings.Repeat("x", 100)},
			{Label: strings.Repeat("Une étiquette ", 8), Line: "/cours 3.2"}}},
		"prompt": {Blocks: []bot.Block{bot.Text{Markdown: "`kubectl apply` lit un manifeste."}},
			Prompt: &bot.Prompt{Title: "Le manifeste, en YAML", Label: "Manifeste", Line: "/kubectl apply -f -"}},
		"prompt-short": {Blocks: []bot.Block{bot.Text{Markdown: "Le ____ choisit le nœud."}}, Buttons: []bot.Button{{Label: "Indice", Line: "/quiz indice 7-3"}},
			Prompt: &bot.Prompt{Title: "Compléter", Label: "Le mot qui manque", Line: "/quiz réponse 7-3", Button: "Répondre", Short: true}},
		"until": {Blocks: []bot.Block{bot.Until{Label: "Fin <!here>\u00a0:", At: time.Unix(1789563620, 0), Clock: "à 9\u00a0h 0\u00a0min 20\u00a0s", In: "dans 20\u00a0s"}, bot.Until{At: time.Unix(1789563620, 0)}}},
		"menu": {Blocks: []bot.Block{bot.Text{Markdown: "Lesquelles sont vraies?"}}, Buttons: []bot.Button{{Label: "Indice", Line: "/quiz indice 7-3"}},
			Menu: &bot.Menu{Label: "Vos réponses", Line: "/quiz réponse 7-3", Max: 2, Choices: []bot.MenuChoice{
				{Value: "A", Label: "etcd garde l'état souhaité"}, {Value: "B", Label: strings.Repeat("long ", 18)}, {Value: "C", Label: "<@U1> & vous"}}}},
		"menu-one":   {Menu: &bot.Menu{Line: "/quiz réponse 7-3", Max: 1, Choices: []bot.MenuChoice{{Value: "A", Label: "oui"}, {Value: "B", Label: "B"}}}},
		"menu-typed": {Menu: &bot.Menu{Label: "Vos réponses", Line: "/quiz " + strings.Repeat("x", 100), Choices: []bot.MenuChoice{{Value: "A", Label: "oui"}}}},
		"files":      {Files: []bot.File{{Name: "pods.txt", Type: "text/plain", Data: []byte("a\nb")}}},
		"empty":      {},
		"overflow":   {Blocks: overflowing(), Buttons: []bot.Button{{Label: "Suite", Line: "/suite"}}},
	}
	for name, reply := range tests {
		t.Run(name, func(t *testing.T) {
			m, uploads := render(reply, say)
			check(t, m)
			out := struct {
				Message  message
				Uploads  []attached     `json:",omitempty"`
				Pictures map[string]any `json:",omitempty"`
			}{Message: m}
			var ids []string
			for _, u := range uploads {
				a := attached{u.Name, u.Type, u.Alt, strings.Split(string(u.Data), "\n"), u.Picture}
				if name == "overflow" {
					a.Text = append(a.Text[:12:12], a.Text[len(a.Text)-6:]...)
				}
				out.Uploads = append(out.Uploads, a)
				ids = append(ids, "F"+u.Name)
			}
			if shown := m.withPictures(ids); len(ids) > 0 {
				check(t, shown)
				out.Pictures = map[string]any{"blocks": shown.Blocks}
				if name == "overflow" {
					out.Pictures = nil
				}
			}
			golden(t, filepath.Join("render", name+".json"), indented(t, out))
		})
	}
}

// overflowing is more than a message holds, of every kind.
func overflowing() []bot.Block {
	blocks := []bot.Block{
		bot.Title{Text: "Beaucoup"}, bot.Quote{Markdown: "Une analogie\n\nen deux alinéas"}, bot.Meter{Label: "1 sur 2", Done: 1, Total: 2},
		bot.Table{Columns: []string{"A", "B"}, Rows: [][]string{{"un|deux", "`x`"}}},
	}
	for range 4 {
		blocks = append(blocks, bot.Title{Text: "Un journal"}, bot.Code{Text: strings.Repeat("une ligne avec ``` dedans\n", 150)})
	}
	return append(blocks, bot.Text{Markdown: "La **fin**."})
}

func TestPicturesComeAsTheyAreKnown(t *testing.T) {
	reply := bot.Reply{Blocks: []bot.Block{
		bot.Picture{Name: "a.png", PNG: []byte("a"), Alt: "A"}, bot.Text{Markdown: "entre"}, bot.Picture{Name: "b.png", PNG: []byte("b"), Alt: "B"},
	}, Files: []bot.File{{Name: "c.txt"}}}
	m, uploads := render(reply, french(t))
	if len(uploads) != 3 || !uploads[0].Picture || !uploads[1].Picture || uploads[2].Picture {
		t.Fatalf("uploads %+v", uploads)
	}
	types := func(m message) string {
		var all []string
		for _, b := range m.Blocks {
			all = append(all, b.Type)
		}
		return strings.Join(all, " ")
	}
	for _, test := range []struct {
		ids  []string
		want string
	}{
		{nil, "rich_text rich_text rich_text"},
		{[]string{"", "FB", "FC"}, "rich_text rich_text image"},
		{[]string{"FA", "FB", "FC"}, "image rich_text image"},
	} {
		got := m.withPictures(test.ids)
		if types(got) != test.want {
			t.Errorf("with %q: %s, want %s", test.ids, types(got), test.want)
		}
		check(t, got)
	}
	if again := m.withPictures([]string{"FA"}).withPictures([]string{"FA2", "FB2"}); again.Blocks[0].SlackFile.ID != "FA2" || again.Blocks[2].SlackFile.ID != "FB2" {
		t.Errorf("pictures are not replaced: %+v", again.Blocks)
	}
	if types(m) != "rich_text rich_text rich_text" {
		t.Error("the message itself was changed")
	}
}
