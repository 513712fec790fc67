package terminal

import (
	"strings"
	"testing"

	"timonier/bot"
)

// No table is wider than the terminal, whatever its width, and no word of it is lost.
func TestTablesFitAnyWidth(t *testing.T) {
	table := bot.Table{Columns: []string{"Dans Kubernetes", "Dans l'analogie"}, Rows: [][]string{
		{"plan de contrôle", "l'administration du département"},
		{"serveur API", "le bureau des ressources humaines"},
		{"planificateur", "l'équipe de planification («\u00a0API et technicien des horaires\u00a0»)"},
		{"etcd", "la base de données des cours, des professeurs, des qualifications et des salles"},
		{"contrôleur", "l'équipe de la dotation"},
		{"kubelet", "l'accueil de chaque local"},
		{"pod", "un professeur affecté à un cours"},
		{"nœud", "un cours\u00a0: un créneau et un local"},
		{"charge de travail", "un programme de cours à pourvoir"},
		{"client", "les étudiants et les professeurs"},
	}}
	for width := 30; width < 120; width++ {
		p := printer{width: width, styles: monochromeStyles()}
		text := fit(p.table(table), width)
		if n := widest(strings.Split(text, "\n")); n > width {
			t.Errorf("%d wide at %d", n, width)
		}
		for _, row := range table.Rows {
			for _, word := range strings.Fields(strings.Join(row, " ")) {
				if !strings.Contains(text, word) {
					t.Errorf("at %d there is no %q", width, word)
				}
			}
		}
	}
}
