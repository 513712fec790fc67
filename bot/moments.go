package bot

import (
	"strconv"
	"strings"
	"time"

	"timonier/content"
)

// How moments and durations are said, in one place: everything the tutor says of time goes through here.

// hour is a time of day: 9 h, 9 h 05; 09:00, 09:05. In French a whole hour has no minutes, and minutes have two figures
// (https://vitrinelinguistique.oqlf.gouv.qc.ca/21516/la-typographie/nombres/ecriture-des-heures).
func (w words) hour(t time.Time) string {
	if w.lang != "fr" {
		return t.Format("15:04")
	}
	said := strconv.Itoa(t.Hour()) + "\u00a0h"
	if t.Minute() > 0 {
		said += "\u00a0" + t.Format("04")
	}
	return said
}

// moment is a time of day to the second: 13 h 5 min 4 s, 13:05:04. Where each figure has its unit, none has a zero before it.
func (w words) moment(t time.Time) string {
	switch {
	case w.lang != "fr":
		return t.Format("15:04:05")
	case t.Second() == 0:
		return w.hour(t)
	}
	return strconv.Itoa(t.Hour()) + "\u00a0h\u00a0" + strconv.Itoa(t.Minute()) + "\u00a0min\u00a0" + strconv.Itoa(t.Second()) + "\u00a0s"
}

// span is a duration as one says it: 50 s, 5 min, 1 h 10 min. The course says it so too.
func (w words) span(d time.Duration) string { return content.Span(d) }

// after is when something happened, counted from the start of a story, as one says it aloud: in whole seconds.
func (w words) after(d time.Duration) string {
	if d = d.Round(time.Second); d > 0 {
		return "+" + w.span(d)
	}
	return w.say("tell.atonce")
}

// days is a long duration, in the one unit that matters: 3 jours, 5 h, 10 min.
func (w words) days(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d >= 60*day:
		return w.say("quiz.months", with{"Count": int(d / (30 * day))})
	case d >= day:
		return w.say("quiz.days", with{"Count": int((d + day/2) / day)})
	case d >= 2*time.Hour:
		return w.span(d.Round(time.Hour))
	}
	return w.span(max(time.Minute, d.Round(time.Minute)))
}

// tenths is a span of time that says tenths of a second where it is short: 5.2 s.
func (w words) tenths(d time.Duration) string {
	if d >= 20*time.Second || d%time.Second == 0 {
		return w.span(d)
	}
	return w.decimal(strings.TrimSuffix(strconv.FormatFloat(d.Seconds(), 'f', 1, 64), ".0")) + "\u00a0s"
}

// longSpan is a duration in days where it is whole ones.
func (w words) longSpan(d time.Duration) string {
	const day = 24 * time.Hour
	if d >= day && d%day == 0 {
		return w.say("kubeconfig.days", with{"Count": int(d / day)})
	}
	return w.span(d)
}

// roughly is a duration in its largest unit: what is kept of when one was used is not exact.
func (w words) roughly(d time.Duration) string {
	switch day := 24 * time.Hour; {
	case d >= 2*day:
		return w.longSpan(d.Truncate(day))
	case d >= time.Hour:
		return w.span(d.Truncate(time.Hour))
	default:
		return w.span(max(time.Minute, d.Truncate(time.Minute)))
	}
}

// inDays is when something will be, where the hour does not matter: dans 3 jours.
func (w words) inDays(d time.Duration) string { return w.say("moment.in", with{"Span": w.days(d)}) }

// near is how long before a moment its seconds count: a moment that is further off is said to the minute.
const near = 10 * time.Minute

// away is how far off a moment is that is waited for: dans 20 s, dans 4 min 30 s, dans 12 h 43 min. What is past is nothing.
func (w words) away(d time.Duration) string {
	if d >= near {
		d = d.Round(time.Minute)
	}
	if d = d.Round(time.Second); d <= 0 {
		return ""
	}
	return w.say("moment.in", with{"Span": w.span(d)})
}

// at is when a moment is, seen at another: à 9 h 05, à 9 h 5 min 20 s where it is near, demain à 9 h, le 2026-03-03 à 9 h. Both
// are in the time zone of whoever reads it.
func (w words) at(t, now time.Time) string {
	said := w.hour(t)
	if t.Sub(now) < near {
		said = w.moment(t)
	}
	data := with{"Date": t.Format(time.DateOnly), "Time": said}
	switch data["Date"] {
	case now.Format(time.DateOnly):
		return w.say("moment.at", data)
	case now.AddDate(0, 0, 1).Format(time.DateOnly):
		return w.say("moment.tomorrow", data)
	}
	return w.say("moment.on", data)
}

// until is a moment that is waited for, in the channel's time zone.
func (c *call) until(label string, at time.Time) Until {
	zone := c.zone()
	return Until{Label: label, At: at, Clock: c.at(at.In(zone), c.now.In(zone)), In: c.away(at.Sub(c.now))}
}

// moments is a day and a time of day, in the channel's time zone.
func (c *call) moments(t time.Time) string {
	t = t.In(c.zone())
	return c.say("kubeconfig.moment", with{"Date": t.Format(time.DateOnly), "Time": c.hour(t)})
}

// When is the moment in words, for where nothing counts down: à 9 h 05.
func (u Until) When() string {
	if u.Clock == "" {
		return u.At.UTC().Format("2006-01-02 15:04:05 MST")
	}
	return u.Clock
}
