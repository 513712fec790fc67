package discord

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"timonier/bot"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func french(id string, data map[string]any) string { return speaker.Say("fr-CA", id, data) }

// speaker says sentences and knows commands; it answers nothing.
var speaker = bot.New(bot.Config{})

var png = []byte("\x89PNG\r\n\x1a\n, or nearly")

func replies() map[string]bot.Reply {
	var twenty []bot.Button
	for i := range 27 {
		twenty = append(twenty, bot.Button{Label: fmt.Sprint("Leçon ", i), Line: fmt.Sprint("/cours ", i)})
	}
	var alphabet []bot.MenuChoice // one more than a menu holds
	for i := range 26 {
		alphabet = append(alphabet, bot.MenuChoice{Value: string(rune('A' + i)), Label: fmt.Sprint("le choix ", i)})
	}
	return map[string]bot.Reply{
		"title":   {Blocks: []bot.Block{bot.Title{Text: "Le *plan* de contrôle\u00a0: `etcd`"}}},
		"text":    {Blocks: []bot.Block{bot.Text{Markdown: "Un **pod** est *placé* par `kube-scheduler`.\n\n1. un\n   - deux\n2. trois\n\n[Le guide](https://kubernetes.io/fr/docs/), @everyone <@12>."}}},
		"code":    {Blocks: []bot.Block{bot.Code{Language: "yaml", Text: "a: |\n  ```\n  x\n  ```\n"}}},
		"table":   {Blocks: []bot.Block{bot.Table{Columns: []string{"NOM", "PRÊT"}, Rows: [][]string{{"web-1", "1/1"}, {"**web-2**", "0/1"}}}}},
		"wide":    {Blocks: []bot.Block{bot.Table{Columns: []string{"NOM", "PRÊT", "OÙ"}, Rows: [][]string{{"web-7c5d9f8b6c-k2x9p", "1/1", "un noeud au nom bien trop long"}, {"web_2", "0/1", ""}}}}},
		"quote":   {Blocks: []bot.Block{bot.Quote{Markdown: "Le secrétariat tient le registre.\n\n- il inscrit\n- il garde"}}},
		"meter":   {Blocks: []bot.Block{bot.Meter{Label: "2 pods prêts sur 3", Done: 2, Total: 3}}},
		"picture": {Blocks: []bot.Block{bot.Picture{Name: "la grappe.png", PNG: png, Alt: "Trois nœuds", Text: "[1] [2] [3]"}}},
		"drawing": {Blocks: []bot.Block{bot.Picture{Name: "x.png", Alt: "Trois nœuds", Text: "[node-1] [node-2]\n  pod\n"}}},
		"words":   {Blocks: []bot.Block{bot.Picture{Name: "x.png", Alt: "Trois nœuds", Text: strings.Repeat("[node]", 20)}}},
		"divider": {Blocks: []bot.Block{bot.Text{Markdown: "a"}, bot.Divider{}, bot.Text{Markdown: "b"}}},
		"files":   {Files: []bot.File{{Name: "réponse.yaml", Type: "application/yaml", Data: []byte("a: 1\n")}, {Name: "réponse.yaml", Data: []byte("b: 1\n")}}},
		"empty":   {},
		"buttons": {Blocks: []bot.Block{bot.Text{Markdown: "Choisir\u00a0:"}}, Buttons: []bot.Button{
			{Label: "Suite", Line: "/cours suite", Style: bot.Primary}, {Label: "Retour", Line: "/cours retour"},
			{Label: "Tout effacer", Line: "/remise confirme", Style: bot.Danger}, {Label: "Encore", Line: "/cours suite"},
			{Label: strings.Repeat("très ", 20), Line: "/aide"}, {Label: "Trop long", Line: "/kubectl get " + strings.Repeat("x", 100)},
		}},
		"manybuttons": {Blocks: []bot.Block{bot.Text{Markdown: "Choisir\u00a0:"}}, Buttons: twenty},
		"prompt":      {Blocks: []bot.Block{bot.Text{Markdown: "Il manque le manifeste."}}, Prompt: &bot.Prompt{Title: "kubectl apply", Label: "Le manifeste, en YAML", Line: "/kubectl apply -f -"}},
		"until":       {Blocks: []bot.Block{bot.Until{Label: "Fin <t:1:R> :", At: time.Unix(1789563620, 0)}}},
		"menu": {Blocks: []bot.Block{bot.Text{Markdown: "Lesquelles sont vraies?"}}, Buttons: []bot.Button{{Label: "Indice", Line: "/quiz indice 7-3"}},
			Menu: &bot.Menu{Label: "Choisir les réponses", Line: "/quiz réponse 7-3", Min: 1, Max: 3, Choices: []bot.MenuChoice{
				{Value: "A", Label: "etcd garde l'état souhaité"}, {Value: "B", Label: strings.Repeat("long", 25)}, {Value: "C", Label: strings.Repeat("plus long ", 15)}}}},
		"menutyped": {Menu: &bot.Menu{Label: "Choisir", Line: "/quiz réponse 7-3", Choices: alphabet}},
		"promptshort": {Blocks: []bot.Block{bot.Text{Markdown: "Le ____ choisit le nœud."}}, Buttons: []bot.Button{{Label: "Indice", Line: "/quiz indice 7-3"}},
			Prompt: &bot.Prompt{Title: "Compléter", Label: "Le mot qui manque", Line: "/quiz réponse 7-3", Button: "Répondre", Short: true}},
		"kubectl": {Blocks: []bot.Block{
			bot.Code{Text: "deployment.apps/web created"}, bot.Text{Markdown: "Trois pods demandés, trois placés. Il reste à tirer l'image\u00a0: ≈\u00a04\u00a0s."},
			bot.Meter{Label: "2 pods prêts sur 3", Done: 2, Total: 3},
		}, Buttons: []bot.Button{{Label: "Pourquoi là?", Line: "/pourquoi web"}, {Label: "Voir la grappe", Line: "/grappe"}}},
		"long": {Blocks: []bot.Block{bot.Title{Text: "Long"}, bot.Code{Language: "yaml", Text: strings.Repeat("- une ligne de plus\n", 300)}, bot.Text{Markdown: "La fin."}}},
	}
}

func TestGolden(t *testing.T) {
	validate := specification(t, "MessageCreateRequest")
	for name, r := range replies() {
		t.Run(name, func(t *testing.T) {
			m, files := render(r, french)
			checkMessage(t, m, files)
			validate(t, m)
			type sent struct{ Name, Type, Description, Text string }
			got := struct {
				Message message
				Files   []sent
			}{Message: m}
			for _, f := range files {
				got.Files = append(got.Files, sent{f.Name, f.Type, f.Description, string(f.Data[:min(len(f.Data), 200)])})
			}
			golden(t, filepath.Join("testdata", "render", name+".json"), got)
		})
	}
}

func golden(t *testing.T, path string, v any) {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b.Bytes(), want) {
		t.Errorf("%s is not\n%s", path, b.Bytes())
	}
}

// specification checks against Discord's own description where TIMONIER_DISCORD_SPEC names it.
func specification(t *testing.T, schema string) func(*testing.T, any) {
	t.Helper()
	path := os.Getenv("TIMONIER_DISCORD_SPEC")
	if path == "" {
		return func(*testing.T, any) {}
	}
	data, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer data.Close()
	doc, err := jsonschema.UnmarshalJSON(data)
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("discord.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("discord.json#/components/schemas/" + schema)
	if err != nil {
		t.Fatal(err)
	}
	return func(t *testing.T, v any) {
		t.Helper()
		data, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		instance, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(instance); err != nil {
			t.Errorf("%v", err)
		}
	}
}

// dice makes replies at random. Each text has a word that is nowhere else.
type dice struct {
	*rand.Rand
	words []string
}

func (d *dice) word() string {
	w := fmt.Sprintf("mot%dq", len(d.words))
	d.words = append(d.words, w)
	return w
}

var odd = []string{
	"*", "**", "_", "`", "``", "```", "~~", "||", "# ", "\n", "\n\n", "\n- ", "\n  - ", "\n1. ", "\n> ", "@everyone", "<@1>", "<#1>", "</a:1>", "<t:1>", "[x](http://y)", "](", "<", ">", "\\",
	"https://x.ca/a_b", "\u202e", "\u200b", "\u200d", "👩‍👩‍👧‍👦", "é", "e\u0301", "«\u00a0oui\u00a0»", "50\u00a0%", "\x00", "\xff", "\t", "مرحبا", "日本", " ", "---", "|",
}

func (d *dice) text(most int) string {
	var b strings.Builder
	for range 1 + d.IntN(most) {
		switch d.IntN(3) {
		case 0:
			b.WriteString(odd[d.IntN(len(odd))])
		case 1:
			b.WriteString(" " + d.word() + " ")
		default:
			b.WriteString("des mots ")
		}
	}
	return b.String()
}

func (d *dice) size() int { return []int{3, 8, 30, 100}[min(3, int(d.ExpFloat64()))] }

func (d *dice) block() bot.Block {
	switch d.IntN(9) {
	case 7:
		return bot.Until{Label: d.text(4), At: time.Unix(d.Int64N(1<<32), 0)}
	case 0:
		return bot.Title{Text: d.text(6)}
	case 1:
		return bot.Code{Language: []string{"", "yaml", "c++", "`"}[d.IntN(4)], Text: d.text(4 * d.size())}
	case 2:
		t := bot.Table{Columns: []string{"NOM"}} // a list's rows begin with the first cell, without its column's name
		for range d.IntN(5) {
			t.Columns = append(t.Columns, d.word())
		}
		for range 1 + d.IntN(d.size()) {
			var row []string
			for range t.Columns {
				row = append(row, d.word()+d.text(4))
			}
			t.Rows = append(t.Rows, row)
		}
		return t
	case 3:
		return bot.Quote{Markdown: d.text(d.size())}
	case 4:
		return bot.Meter{Label: d.text(4), Done: d.IntN(12) - 2, Total: d.IntN(10)}
	case 5:
		p := bot.Picture{Name: d.text(3) + ".png", Alt: "Une image " + d.word() + strings.Repeat(" longue", d.IntN(300))}
		if d.IntN(2) == 0 {
			p.PNG = png
		}
		return p
	case 6:
		return bot.Divider{}
	}
	return bot.Text{Markdown: d.text(d.size())}
}

func (d *dice) reply() bot.Reply {
	var r bot.Reply
	for range d.IntN(d.size()) {
		r.Blocks = append(r.Blocks, d.block())
	}
	for range d.IntN(d.size()) {
		line := "/" + d.word() + " " + d.text(5)
		r.Buttons = append(r.Buttons, bot.Button{Label: d.word() + strings.Repeat(" mot", d.IntN(40)), Line: line, Style: bot.Style(d.IntN(3))})
	}
	if d.IntN(3) == 0 {
		r.Menu = &bot.Menu{Label: d.word() + d.text(3), Line: "/" + d.word(), Min: d.IntN(4) - 1, Max: d.IntN(4)}
		for i := range 1 + d.IntN(28) {
			r.Menu.Choices = append(r.Menu.Choices, bot.MenuChoice{Value: fmt.Sprint("v", i), Label: d.word() + strings.Repeat(" mot", d.IntN(40)) + " " + d.word()})
		}
	}
	for range d.IntN(8) / 2 * d.IntN(4) {
		r.Files = append(r.Files, bot.File{Name: d.text(2), Data: []byte("a")})
	}
	return r
}

// Words are looked for in what can be read, and in what a button does.
func TestRandomRepliesKeepLimitsAndText(t *testing.T) {
	for seed := range uint64(2000) {
		d := &dice{Rand: rand.New(rand.NewPCG(seed, 1))}
		r := d.reply()
		m, files := render(r, french)
		seen := checkMessage(t, m, files)
		for _, f := range files {
			seen += string(f.Data) + f.Name + "\n"
		}
		for _, row := range m.Components {
			for _, b := range row.Components {
				seen += b.CustomID + "\n"
			}
		}
		for _, f := range r.Files { // a file's name is no text
			seen += f.Name + "\n"
		}
		for _, b := range r.Blocks {
			switch b := b.(type) {
			case bot.Picture:
				seen += b.Name + "\n"
			case bot.Text:
				seen += unsaid(b.Markdown)
			case bot.Quote:
				seen += unsaid(b.Markdown)
			}
		}
		found := map[string]bool{}
		for _, w := range diceWord.FindAllString(seen, -1) {
			found[w] = true
		}
		for _, w := range d.words {
			if !found[w] {
				t.Errorf("%s is lost", w)
			}
		}
		for _, p := range partsOf(r.Blocks, &uploads{}) {
			for _, q := range p.passages {
				checkPassage(t, q)
			}
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// unsaid is the text where Markdown itself takes a word for something that is not read,
// such as the name of a language after a fence; else nothing.
func unsaid(markdown string) string {
	said := ""
	for _, p := range bot.Markdown(markdown) {
		said += p.Text
		for _, s := range p.Spans {
			said += s.Text + s.Link
		}
	}
	for _, w := range diceWord.FindAllString(markdown, -1) {
		if !strings.Contains(said, w) {
			return markdown
		}
	}
	return ""
}

func TestManyPicturesAndFiles(t *testing.T) {
	var r bot.Reply
	for i := range 12 {
		r.Blocks = append(r.Blocks, bot.Picture{Name: "p.png", PNG: png, Alt: fmt.Sprint("image ", i)}, bot.Divider{})
		r.Files = append(r.Files, bot.File{Name: "f.txt", Data: []byte{byte(i)}})
		for j := range 3 {
			r.Buttons = append(r.Buttons, bot.Button{Label: "b", Line: fmt.Sprintf("/x %d.%d", i, j)})
		}
	}
	m, files := render(r, french)
	text := checkMessage(t, m, files)
	for i := range 12 {
		if !strings.Contains(text, fmt.Sprint("image ", i)) {
			t.Errorf("image %d is lost", i)
		}
	}
	if len(files) != 5 || files[4].Name != "timonier.zip" {
		t.Errorf("%d files", len(files))
	}
}

func TestTooLargeAFileIsNamed(t *testing.T) {
	m, files := render(bot.Reply{Files: []bot.File{{Name: "gros_1.bin", Data: make([]byte, 10<<20+1)}}}, french)
	if text := checkMessage(t, m, files); !strings.Contains(text, `gros\_1.bin`) || len(files) != 0 {
		t.Errorf("%d files, %q", len(files), text)
	}
}

func TestForm(t *testing.T) {
	validate := specification(t, "ModalInteractionCallbackRequestData")
	long := strings.Repeat("é", 200)
	for name, p := range map[string]bot.Prompt{
		"form":     {Title: "kubectl apply", Label: "Le manifeste, en YAML", Line: "/kubectl apply -f -"},
		"formlong": {Title: long, Label: long, Line: "/kubectl apply -f -"},
		"formbare": {Line: "/kubectl apply -f -"},
		"formfull": {Title: "Une question", Label: "La question, en YAML", Line: "/banque ajoute", Text: "kind: one\nask: «\u00a0…\u00a0»\n"},
		"formline": {Title: "Compléter", Label: "Le mot qui manque", Line: "/quiz réponse 7-3", Short: true, Text: "le\nmot"},
	} {
		f, ok := modal(p, french)
		if !ok {
			t.Fatal("no form")
		}
		validate(t, f)
		golden(t, filepath.Join("testdata", "render", name+".json"), f)
	}
	if _, ok := modal(bot.Prompt{Line: "/" + long}, french); ok {
		t.Error("a form for a line too long for it")
	}
}
