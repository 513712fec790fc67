package bot

import (
	"strings"
	"testing"
	"time"
)

// TestMoments holds what is said of moments and durations against a table, in both languages.
func TestMoments(t *testing.T) {
	all, err := newWords()
	if err != nil {
		t.Fatal(err)
	}
	day := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	on := func(h, m, s int) time.Time {
		return day.Add(time.Duration(h-9)*time.Hour + time.Duration(m)*time.Minute + time.Duration(s)*time.Second)
	}
	hour := func(at time.Time) func(words) string { return func(w words) string { return w.hour(at) } }
	moment := func(at time.Time) func(words) string { return func(w words) string { return w.moment(at) } }
	span := func(d time.Duration) func(words) string { return func(w words) string { return w.span(d) } }
	away := func(d time.Duration) func(words) string { return func(w words) string { return w.away(d) } }
	at := func(at time.Time) func(words) string { return func(w words) string { return w.at(at, day) } }
	inDays := func(d time.Duration) func(words) string { return func(w words) string { return w.inDays(d) } }
	for _, test := range []struct {
		name   string
		say    func(words) string
		fr, en string // with plain blanks
	}{
		{"whole hour", hour(on(9, 0, 0)), "9 h", "09:00"},
		{"hour with seconds", hour(on(9, 0, 59)), "9 h", "09:00"},
		{"minutes below ten", hour(on(17, 5, 0)), "17 h 05", "17:05"},
		{"minutes", hour(on(23, 45, 0)), "23 h 45", "23:45"},
		{"midnight", hour(on(24, 0, 0)), "0 h", "00:00"},
		{"after midnight", hour(on(24, 4, 0)), "0 h 04", "00:04"},

		{"moment", moment(on(13, 25, 40)), "13 h 25 min 40 s", "13:25:40"},
		{"moment below ten", moment(on(13, 5, 2)), "13 h 5 min 2 s", "13:05:02"},
		{"moment after the hour", moment(on(9, 0, 2)), "9 h 0 min 2 s", "09:00:02"},
		{"moment at a minute", moment(on(9, 5, 0)), "9 h 05", "09:05:00"},
		{"moment at an hour", moment(on(9, 0, 0)), "9 h", "09:00:00"},

		{"nothing", span(0), "0 s", "0 s"},
		{"milliseconds", span(48 * time.Millisecond), "48 ms", "48 ms"},
		{"tenths", span(148 * time.Millisecond), "100 ms", "100 ms"},
		{"nearly a second", span(960 * time.Millisecond), "1 s", "1 s"},
		{"less than one", span(time.Microsecond), "1 ms", "1 ms"},
		{"seconds", span(50 * time.Second), "50 s", "50 s"},
		{"rounded up", span(59600 * time.Millisecond), "1 min", "1 min"},
		{"minute and a half", span(90 * time.Second), "1 min 30 s", "1 min 30 s"},
		{"hour and ten", span(70 * time.Minute), "1 h 10 min", "1 h 10 min"},
		{"hour and five seconds", span(time.Hour + 5*time.Second), "1 h 5 s", "1 h 5 s"},

		{"soon", away(20 * time.Second), "dans 20 s", "in 20 s"},
		{"in minutes", away(4*time.Minute + 30*time.Second), "dans 4 min 30 s", "in 4 min 30 s"},
		{"in a quarter", away(15*time.Minute + 20*time.Second), "dans 15 min", "in 15 min"},
		{"in nine hours", away(9 * time.Hour), "dans 9 h", "in 9 h"},
		{"in half a day", away(12*time.Hour + 43*time.Minute + 10*time.Second), "dans 12 h 43 min", "in 12 h 43 min"},
		{"now", away(0), "", ""},
		{"past", away(-time.Hour), "", ""},

		{"near", at(on(9, 0, 20)), "à 9 h 0 min 20 s", "at 09:00:20"},
		{"near, at a minute", at(on(9, 5, 0)), "à 9 h 05", "at 09:05:00"},
		{"today", at(on(21, 43, 20)), "à 21 h 43", "at 21:43"},
		{"at an hour", at(on(18, 0, 0)), "à 18 h", "at 18:00"},
		{"tomorrow", at(on(33, 0, 0)), "demain à 9 h", "tomorrow at 09:00"},
		{"another day", at(on(57, 30, 0)), "le 2026-03-04 à 9 h 30", "on 2026-03-04 at 09:30"},

		{"in days", inDays(60 * time.Hour), "dans 3 jours", "in 3 days"},
		{"in a day", inDays(24 * time.Hour), "dans 1 jour", "in 1 day"},
		{"in hours", inDays(5*time.Hour + 10*time.Minute), "dans 5 h", "in 5 h"},
		{"in no time", inDays(0), "dans 1 min", "in 1 min"},
	} {
		for lang, want := range map[string]string{"fr": test.fr, "en": test.en} {
			said := test.say(all[lang])
			if got := strings.ReplaceAll(said, "\u00a0", " "); got != want {
				t.Errorf("%s, %s: %q, want %q", test.name, lang, got, want)
			}
			for i := range len(said) - 1 { // a figure and its unit stay together
				if said[i] >= '0' && said[i] <= '9' && said[i+1] == ' ' && lang == "fr" && !strings.Contains(said[i+1:], "jour") && !strings.HasPrefix(said[i+1:], " à ") {
					t.Errorf("%s: %q may be broken after a figure", test.name, said)
				}
			}
		}
	}
}

// TestUntil looks at a moment that is waited for, in the time zone of its channel.
func TestUntil(t *testing.T) {
	all, err := newWords()
	if err != nil {
		t.Fatal(err)
	}
	c := &call{words: all["fr"], channel: &channel{settings: Settings{Zone: "America/Vancouver"}}, now: time.Date(2026, 3, 2, 17, 0, 0, 0, time.UTC)}
	got := c.until("Première question", c.now.Add(9*time.Hour))
	if got.Clock != "à 18\u00a0h" || got.In != "dans 9\u00a0h" {
		t.Errorf("until: %+v", got)
	}
	if (Until{At: c.now}).When() != "2026-03-02 17:00:00 UTC" {
		t.Errorf("without a clock: %q", Until{At: c.now}.When())
	}
}
