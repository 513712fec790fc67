package locales

import (
	"strings"
	"testing"
)

func TestCheckFrench(t *testing.T) {
	tests := []struct {
		text string
		want string // the rules broken, joined; "" for none
	}{
		{"Trois pods demandés, trois placés. Il reste\u00a0: 4\u00a0s!", ""},
		{"Vraiment ?", "no space before ; ! ?"},
		{"Vraiment\u00a0!", "no space before ; ! ?"},
		{"Vraiment\u202f; oui", "no space before ; ! ?"},
		{"Référence: 7F3K", "a no-break space before :"},
		{"Référence : 7F3K", "a no-break space before :"},
		{"**Référence** : 7F3K", "a no-break space before :"},
		{"**Référence\u00a0:** 7F3K", ""},
		{"À 12:30, `web: 1`, https://exemple.ca/a?b=c, [page](lesson:3.1)", ""},
		{"```\nkey: value ?\n```\nBon.", ""},
		{"50 % du temps", "a no-break space before %"},
		{"50\u00a0% du temps pour 5\u00a0$", ""},
		{"{{.Percent}}% du temps", "a no-break space before %"},
		{"5 $ et 5$", "a no-break space before $|a no-break space before $"},
		{"« oui »", "a no-break space after «|a no-break space before »"},
		{"«\u00a0oui\u00a0»", ""},
		{`dit "oui`, "guillemets « » instead of other quotation marks"},
		{`{{if eq .Lang "fr"}}oui{{end}}`, ""},
		{"les étudiant·e·s", "no interpunct: reword, or write both forms"},
		{"les étudiant(e)s", "no endings in brackets: reword, or write both forms"},
		{"Etat souhaité. A votre avis. Ca va.", "accented capital|accented capital|accented capital"},
		{"État souhaité. À votre avis. Elle et Ethernet. Plan A du cours.", ""},
		{"Attendez...", "... is one character: …"},
	}
	for _, test := range tests {
		var rules []string
		for _, p := range CheckFrench(test.text) {
			rules = append(rules, p.Rule)
		}
		if got := strings.Join(rules, "|"); got != test.want {
			t.Errorf("%q:\n got %s\nwant %s", test.text, got, test.want)
		}
	}
}

func TestCheckFrenchTitle(t *testing.T) {
	for title, bad := range map[string]int{
		"Rôles et responsabilités":                 0,
		"Rôles et Responsabilités":                 1,
		"Le serveur API et etcd":                   0,
		"Analogie 1\u00a0: la Formation Continue":  2,
		"Une histoire de Jean chez Desjardins":     0,
		"ReplicaSet et `Pod`, à la main":           0,
		"Plan de contrôle : ce qu'il fait":         1,
		"Étape 2\u00a0: le planificateur de 14 h":  0,
		"Les consultants sont éphémères chez Léa!": 0,
	} {
		if got := CheckFrenchTitle(title, "Jean", "Desjardins", "Léa"); len(got) != bad {
			t.Errorf("%q: %d problems, want %d: %v", title, len(got), bad, got)
		}
	}
}
