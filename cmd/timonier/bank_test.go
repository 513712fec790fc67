package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"timonier/bot"
	"timonier/bot/store"
	"timonier/content"
)

// giftFile is what a teacher writes: two questions that will do, and two that will not.
const giftFile = `// [tag:lesson:4.1]
::Qui choisit::Qui choisit le nœud d'un pod?{=le planificateur ~etcd#Il garde, sans choisir. ~le kubelet####Lui seul.}

Le serveur API donne des ordres.{FALSE}

Rien de juste{~un ~deux}

Racontez le parcours d'une requête.{}
`

func giftIn(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "questions.gift")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestBankCheck(t *testing.T) {
	file := giftIn(t, giftFile)
	got := program(t, nil, "", "bank", "check", file, "--lang", "fr")
	for _, want := range []string{"Refusée, ligne 6, `rien-de-juste", "aucune réponse n'est juste", "Refusée, ligne 8", "du type `essay`", "Questions prises\u00a0: 2. Refusées\u00a0: 2."} {
		if !strings.Contains(got.out, want) {
			t.Errorf("%q is not in %+v", want, got)
		}
	}
	if got.code != 1 || got.errors != "" {
		t.Errorf("%+v", got)
	}
	if got := program(t, nil, giftFile, "bank", "check", "--format", "gift", "--lang", "en"); got.code != 1 || !strings.Contains(got.out, "Questions taken: 2. Refused: 2.") {
		t.Errorf("from a pipe: %+v", got)
	}
}

func TestBankExport(t *testing.T) {
	for _, format := range []string{"moodle", "gift", "csv"} {
		out := filepath.Join(t.TempDir(), "out")
		if got := program(t, nil, "", "bank", "export", "--format", format, "--lang", "en", "--out", out); got.code != 0 || got.out != "" {
			t.Errorf("%+v", got)
		}
		got := program(t, nil, "", "bank", "check", "--format", format, "--lang", "en", out)
		if items := len(content.Default().Bank().Items); items > 0 && (got.code != 0 || !strings.Contains(got.out, "Refused: 0.")) {
			t.Errorf("%s: %+v", format, got)
		}
	}
}

func TestBankImportIntoACourse(t *testing.T) {
	file, dir := giftIn(t, giftFile), t.TempDir()
	got := program(t, nil, "", "bank", "import", file, "--lang", "fr", "--to", dir)
	lessonFile := filepath.Join(dir, "bank", "04-scheduler", "4.1.yaml")
	found, _ := filepath.Glob(filepath.Join(dir, "bank", "*", "4.1.yaml"))
	if len(found) != 1 {
		t.Fatalf("%s: %+v", lessonFile, got)
	}
	data, err := os.ReadFile(found[0])
	if err != nil || !strings.Contains(string(data), `lesson: "4.1"`) || !strings.Contains(string(data), "le planificateur") {
		t.Errorf("%v %s", err, data)
	}
	if data, err := os.ReadFile(filepath.Join(dir, "bank", "no-lesson.yaml")); err != nil || !strings.Contains(string(data), "kind: truefalse") {
		t.Errorf("%v %s", err, data)
	}
	again := program(t, nil, "", "bank", "import", file, "--lang", "fr", "--to", dir)
	if again.code != 1 || !strings.Contains(again.errors, "existe déjà") {
		t.Errorf("%+v", again)
	}
}

func TestBankImportIntoAStore(t *testing.T) {
	file, data := giftIn(t, giftFile), filepath.Join(t.TempDir(), "t.db")
	got := program(t, nil, "", "bank", "import", file, "--lang", "fr", "--data", data, "--place", "terminal/local")
	if got.code != 1 || !strings.Contains(got.out, "Ajoutées aux questions de terminal/local\u00a0: 2.") {
		t.Fatalf("%+v", got)
	}
	s, err := store.Open(t.Context(), data, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	records, _, err := s.Read(t.Context(), bot.Scope{Platform: "terminal", Tenant: "local"}, "bank/items/")
	if err != nil || len(records) != 1 || !strings.Contains(string(records[0].Value), "qui-choisit") {
		t.Errorf("%v %v", err, records)
	}
	if got := program(t, nil, "", "bank", "import", file, "--lang", "fr", "--data", data, "--place", "terminal/local"); got.code != 1 || !strings.Contains(got.errors, "déjà ouvert") {
		t.Errorf("while it is open: %+v", got)
	}
}

func TestBankBadUsage(t *testing.T) {
	file := giftIn(t, giftFile)
	for _, args := range [][]string{{"bank"}, {"bank", "eat"}, {"bank", "check", "a", "b"}, {"bank", "check", "x.doc"}, {"bank", "export"}, {"bank", "export", "--format", "csv", "--separator", "x"},
		{"bank", "import", file}, {"bank", "import", file, "--to", "a", "--data", "b"}, {"bank", "import", file, "--data", "b", "--place", "x"}, {"bank", "--zzz"}, {"bank", "check", "--lang", "de", file}} {
		if got := program(t, nil, "", args...); got.code != 2 || got.out != "" || strings.Count(got.errors, "\n") != 1 {
			t.Errorf("%v: %+v", args, got)
		}
	}
	if got := program(t, nil, "", "bank", "--help", "--lang", "en"); got.code != 0 || !strings.Contains(got.out, "timonier bank export") {
		t.Errorf("help: %+v", got)
	}
	if got := program(t, nil, "", "bank", "check", "nowhere.csv", "--lang", "en"); got.code != 1 || !strings.Contains(got.errors, "There is no file nowhere.csv") {
		t.Errorf("no file: %+v", got)
	}
}
