package picture

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func seconds(d time.Duration) string { return fmt.Sprintf("%d\u00a0s", int(d/time.Second)) }

func shop() Timeline {
	const s = time.Second
	return Timeline{
		Title: "La boutique, six minutes", Length: 360 * s, Say: seconds,
		Lanes: []Lane{
			{Label: "une réplique", Value: "16,7\u00a0%", Spans: []Span{{0, 60 * s, Good, ""}, {60 * s, 360 * s, Bad, ""}}},
			{Label: "trois répliques", Value: "99,9\u00a0%", Spans: []Span{{0, 60 * s, Good, ""}, {60 * s, 60*s + s/2, Bad, ""}, {60*s + s/2, 360 * s, Good, ""}}},
		},
		Marks: []Mark{{60 * s, "Jean tombe malade"}, {62 * s, "on l'appelle"}, {350 * s, "une remplaçante arrive, qui ne connaît pas encore la boutique"}},
		Keys:  []Key{{Good, "ouverte"}, {Bad, "fermée"}},
		Note:  "Temps simulé.",
	}
}

func TestTimelineAsText(t *testing.T) {
	const want = `La boutique, six minutes

       1 2                                3
une réplique                          16,7~%
███████░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░
trois répliques                       99,9~%
███████░████████████████████████████████████
0             120~s          240~s     360~s

█~ouverte ░~fermée
1  60~s · Jean tombe malade
2  62~s · on l'appelle
3  350~s · une remplaçante arrive, qui ne
   connaît pas encore la boutique

Temps simulé.`
	if got := strings.ReplaceAll(shop().Text(), "\u00a0", "~"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestShareIsOfTheWholeTime(t *testing.T) {
	l := shop().Lanes[0]
	if got := l.Share(360*time.Second, Good); got < 0.1666 || got > 0.1667 {
		t.Errorf("share %v", got)
	}
	if got := l.Share(0, Good); got != 0 {
		t.Errorf("of no time: %v", got)
	}
}

// However long or crowded, no line is wider than a phone's.
func TestTimelinesKeepToTheWidth(t *testing.T) {
	for _, length := range []time.Duration{0, time.Second, time.Minute, 26 * time.Hour, 400 * 24 * time.Hour} {
		for _, marks := range []int{0, 1, 12, 30} {
			line := Timeline{Title: strings.Repeat("titre ", 20), Length: length, Say: seconds, Lanes: []Lane{{Label: strings.Repeat("é", 60), Value: "100\u00a0%"}}}
			for i := range marks {
				line.Marks = append(line.Marks, Mark{length, fmt.Sprint("mark ", i)})
			}
			for l := range strings.Lines(line.Text()) {
				if n := utf8.RuneCountInString(strings.TrimRight(l, "\n")); n > columns {
					t.Errorf("%v, %d marks: %d columns: %q", length, marks, n, l)
				}
			}
			if n := len(ticks(length, 4)); n > 5 {
				t.Errorf("%v: %d ticks", length, n)
			}
		}
	}
}
