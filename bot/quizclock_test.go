package bot

import (
	"strings"
	"testing"
	"time"
)

// The question of the day comes at its hour of the channel's clock, also on the days on which that
// is put forward or back.
func TestDailyThroughTheChangesOfTheHour(t *testing.T) {
	toronto, ok := zoneNamed("america/toronto")
	if !ok {
		t.Fatal("no zone")
	}
	for _, c := range []struct {
		from, hour string
		want       []string // in UTC
	}{
		{"2026-10-31T12:00:00Z", "09:00", []string{"2026-10-31T13:00:00Z", "2026-11-01T14:00:00Z", "2026-11-02T14:00:00Z"}},
		{"2027-03-13T13:00:00Z", "09:00", []string{"2027-03-13T14:00:00Z", "2027-03-14T13:00:00Z", "2027-03-15T13:00:00Z"}},
		{"2027-03-13T00:00:00Z", "02:30", []string{"2027-03-13T07:30:00Z", "2027-03-14T06:30:00Z", "2027-03-15T06:30:00Z"}}, // 02:30 is skipped that night: it is asked at 01:30
	} {
		at, err := time.Parse(time.RFC3339, c.from)
		if err != nil {
			t.Fatal(err)
		}
		var p dailyPlan
		p.Hour, p.Minute, _ = clockTime(c.hour)
		for i, want := range c.want {
			if at = p.next(at, toronto); at.UTC().Format(time.RFC3339) != want {
				t.Errorf("from %s, the %d. time at %s: %s, want %s", c.from, i+1, c.hour, at.UTC().Format(time.RFC3339), want)
			}
		}
	}
}

// Woken through a night on which the clock is put back, a channel has one question a day, at nine.
func TestDailyIsAskedOnceADay(t *testing.T) {
	s := newStage(t, "fr")
	s.course = smallCourse(t)
	s.tutor.Teach(s.course)
	s.now = time.Date(2026, 10, 30, 15, 0, 0, 0, time.UTC)
	s.listen()
	s.ask("/quiz jour 09:00")
	var asked []string
	for range 4 * 24 * 4 { // every quarter of an hour for four days
		s.now = s.now.Add(15 * time.Minute)
		if text, _ := s.listen(); strings.Contains(text, "# Question du jour") {
			asked = append(asked, s.now.UTC().Format("02 15:04"))
		}
	}
	if got := strings.Join(asked, ", "); got != "31 13:00, 01 14:00, 02 14:00, 03 14:00" {
		t.Errorf("asked at %s", got)
	}
}

func TestClockTimes(t *testing.T) {
	for text, want := range map[string][2]int{"09:00": {9, 0}, "9:05": {9, 5}, "9h": {9, 0}, "9 h 30": {9, 30}, "21H05": {21, 5}, "0:00": {0, 0}, "23:59": {23, 59}} {
		if h, m, ok := clockTime(text); !ok || h != want[0] || m != want[1] {
			t.Errorf("%q is %d:%d, %v", text, h, m, ok)
		}
	}
	for _, text := range []string{"24:00", "9", "9:5", "-1:00", "09:60", "midi", "9:00:00", "+9:00", "09:+5", ""} {
		if h, m, ok := clockTime(text); ok {
			t.Errorf("%q is read as %d:%d", text, h, m)
		}
	}
}

func TestSpansAsTyped(t *testing.T) {
	for n, want := range map[int]string{5: "5s", 60: "1m", 90: "1m30s", 600: "10m", 3600: "1h", 5400: "1h30m", 604800: "168h"} {
		if got := spanTyped(n); got != want {
			t.Errorf("%d s is %s, want %s", n, got, want)
		}
		if got, ok := seconds(want); !ok || got != n {
			t.Errorf("%s is read as %d s", want, got)
		}
	}
	for _, text := range []string{"-1", "-5s", "vite", "1e9", "99999999", "NaN"} {
		if n, ok := seconds(text); ok {
			t.Errorf("%s is read as %d s", text, n)
		}
	}
}

// Where nothing but the question of the day is asked, its answers are deleted after their time too.
func TestDailyAnswersAreDeletedAfterTheirTime(t *testing.T) {
	s := quizStage(t)
	s.ask("/quiz jour 09:00")
	sessions := func() int {
		records, _, err := s.store.Read(t.Context(), Scope{Platform: "test", Channel: "general"}, keyQuiz)
		if err != nil {
			t.Fatal(err)
		}
		return len(records)
	}
	s.now = s.now.Add(24 * time.Hour)
	s.listen()
	if sessions() != 1 {
		t.Fatalf("%d sessions", sessions())
	}
	s.now = s.now.Add(24 * time.Hour)
	s.listen()
	s.now = s.now.Add((usualRetention + 2) * 24 * time.Hour)
	s.listen()
	if n := sessions(); n != 2 { // the one that closed now, and the one of the day
		t.Errorf("%d sessions a year later", n)
	}
}
