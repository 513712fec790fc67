package bot

import (
	"strings"
	"testing"

	"timonier/content"
)

// TestWhatTheGlossaryOffersToTry: where a Deployment web runs, each term's command succeeds in both languages,
// fits in a button, and answers what the term expects.
func TestWhatTheGlossaryOffersToTry(t *testing.T) {
	for _, lang := range content.Langs() {
		for n, term := range content.Default().Terms {
			if !tried(n) {
				continue
			}
			line := term.Try.In(lang)
			if line == "" {
				t.Errorf("%s has nothing to try", term.ID)
				continue
			}
			if len(line) > 100 {
				t.Errorf("%s: %s does not fit in a button", term.ID, line)
			}
			tutor := New(Config{Store: newMemory(), Limits: Limits{Rates: Unlimited()}})
			ask := func(line string) (last Reply) {
				r := in(term.ID, "ana", line)
				r.Locale = string(lang)
				if err := tutor.Handle(t.Context(), r, func(r Reply) { last = r }); err != nil {
					t.Fatal(err)
				}
				return last
			}
			ask("/kubectl create deployment web --image=nginx --replicas=2")
			answer := ask(line)
			if text := plainText(answer); answer.Failed && term.Expect.In(lang) == "" || !strings.Contains(text, term.Expect.In(lang)) {
				t.Errorf("%s: %s does not answer %q, but\n%s", term.ID, line, term.Expect.In(lang), text)
			}
		}
	}
}
