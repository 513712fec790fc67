package picture

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func answered() Bars {
	return Bars{
		Title: "Qui compare l'état souhaité à l'état réel?",
		Rows: []BarRow{
			{Label: "A · etcd, qui garde les deux", Value: "7", Part: 7.0 / 12, Tone: Quiet},
			{Label: "B · le contrôleur, qui surveille le serveur API et corrige ce qui s'écarte", Value: "12", Part: 1, Tone: Good},
			{Label: "C · le planificateur", Value: "0", Part: 0, Tone: Quiet},
		},
		Note: "19 réponses",
	}
}

func TestBarsAsText(t *testing.T) {
	const want = `Qui compare l'état souhaité à l'état réel?

· A · etcd, qui garde les deux             7
  █████████████████████████░░░░░░░░░░░░░░░░░
● B · le contrôleur, qui surveille le     12
  serveur API et corrige ce qui s'écarte
  ██████████████████████████████████████████
· C · le planificateur                     0
  ░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░

19 réponses`
	if got := answered().Text(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestBarsDrawn(t *testing.T) {
	crowded := answered()
	crowded.Rows[0].Label = strings.Repeat("planificateur ", 7)
	crowded.Rows[2].Value = "100\u00a0% · 12 de 12"
	for name, b := range map[string]Bars{"bars": answered(), "bars-crowded": crowded} {
		for _, theme := range []Theme{Light, Dark} {
			c := b.Canvas(theme)
			for _, f := range c.Faults() {
				t.Errorf("%s: %s", name, f)
			}
			shows(t, name+"-"+theme.String(), c)
		}
		for l := range strings.Lines(b.Text()) {
			if n := utf8.RuneCountInString(strings.TrimRight(l, "\n")); n > columns {
				t.Errorf("%s: %d columns: %q", name, n, l)
			}
		}
	}
}
