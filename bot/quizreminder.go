package bot

import (
	"strings"
	"time"
	"unicode"

	"timonier/bot/quiz"
)

// usualZone is the time zone of whoever has chosen none: the course's.
const usualZone = "America/Toronto"

// The words of /réglages that are about time.
var (
	forZone     = name{"fuseau", "zone"}
	forReminder = name{"rappel", "reminder"}
)

// zone is the time zone that holds here.
func (c *call) zone() *time.Location {
	for _, s := range []string{c.channel.settings.Zone, c.parent.Zone, c.house.settings.Zone, usualZone} {
		if loc, ok := zoneNamed(s); ok {
			return loc
		}
	}
	return time.UTC // a system that knows no zones
}

// zoneNamed is a time zone by its name in the IANA's database; capitals do not count.
func zoneNamed(s string) (*time.Location, bool) {
	if s == "" || len(s) > 60 || strings.EqualFold(s, "local") {
		return nil, false
	}
	parts := strings.FieldsFunc(s, func(r rune) bool { return r == '/' })
	for i, p := range parts {
		parts[i] = capitals(p)
	}
	for _, s := range []string{s, strings.Join(parts, "/"), strings.ToUpper(s)} {
		if loc, err := time.LoadLocation(s); err == nil {
			return loc, true
		}
	}
	return nil, false
}

// capitals writes america as America, new_york as New_York.
func capitals(s string) string {
	up := true
	return strings.Map(func(r rune) rune {
		if up {
			up = false
			return unicode.ToUpper(r)
		}
		up = r == '_' || r == '-'
		return unicode.ToLower(r)
	}, s)
}

// setZone is /réglages salon fuseau ZONE. The question of the day keeps its hour.
func (c *call) setZone(s *Settings, word string) Reply {
	loc, ok := zoneNamed(word)
	if !ok {
		return c.mistake("settings.nozone", with{"Word": shorten(word)})
	}
	s.Zone = loc.String()
	if plan := c.channel.quiz.Daily; plan.On {
		c.wakeDailyAt(plan.next(c.now, c.zone()))
	}
	return Reply{Blocks: []Block{Text{c.say("settings.zoneset", with{"Zone": loc.String(), "Time": c.hour(c.now.In(loc))})}}}
}

// reminder is when a person is reminded of what is due.
type reminder struct {
	On     bool      `json:"on,omitempty"`
	Hour   int       `json:"hour,omitempty"`
	Minute int       `json:"minute,omitempty"`
	Zone   string    `json:"zone,omitempty"`
	Since  time.Time `json:"since,omitzero"` // of the first reminder after which nothing was answered
}

// mostUnheard is how long a person is reminded who answers nothing.
const mostUnheard = 14 * 24 * time.Hour

func (r reminder) next(after time.Time) time.Time {
	loc, ok := zoneNamed(r.Zone)
	if !ok {
		loc = time.UTC
	}
	return quiz.NextDaily(after, r.Hour, r.Minute, loc)
}

// setReminder is /réglages rappel 08:00, or non.
func (c *call) setReminder(word string) Reply {
	rem := &c.learner.reminder
	if wordNo.is(word) || quizEnd.is(word) {
		*rem = reminder{}
		c.remindAt(time.Time{})
		return Reply{Blocks: []Block{Text{c.say("reminder.off")}}}
	}
	hour, minute, ok := clockTime(word)
	if !ok {
		return c.mistake("reminder.unclear", with{"Word": shorten(word)})
	}
	if !c.tutor.Speaks(c.request.Platform) {
		return c.mistake("quiz.mute")
	}
	*rem = reminder{On: true, Hour: hour, Minute: minute, Zone: c.zone().String()}
	next := rem.next(c.now)
	c.remindAt(next)
	r := Reply{Blocks: []Block{Text{c.say("reminder.set", with{"Time": c.hour(next), "Zone": rem.Zone})}}}
	return r.with(c.noReminder())
}

func (c *call) noReminder() Button {
	return Button{Label: c.say("reminder.stop"), Line: c.typed("settings", forReminder.in(c.words), wordNo.in(c.words))}
}

// wakeReminder reminds a person, if anything is due. Whoever has answered nothing for two weeks
// is left in peace.
func (c *call) wakeReminder() error {
	rem := &c.learner.reminder
	if !rem.On {
		return nil
	}
	if err := c.readBank(); err != nil {
		return err
	}
	deck, err := c.deck()
	if err != nil {
		return err
	}
	due := deck.Outlook(c.now, c.mayAsk).Due
	if due > 0 && !rem.Since.IsZero() && c.now.Sub(rem.Since) >= mostUnheard {
		c.announceTo(c.request.Who.ID, "reminder", Reply{Blocks: []Block{Text{c.say("reminder.rests")}}}.with(c.reviewButton()))
		*rem = reminder{}
		return nil
	}
	c.remindAt(rem.next(c.now))
	if due == 0 {
		return nil
	}
	if rem.Since.IsZero() {
		rem.Since = c.now.UTC().Round(0)
	}
	r := Reply{Blocks: []Block{Text{c.say("quiz.review.due", with{"Count": due})}}}.with(c.reviewButton()).with(c.noReminder())
	c.announceLast(c.request.Who.ID, "reminder", r)
	return nil
}

// lostReminder reminds a person no more who cannot be reached.
func (c *call) lostReminder(person string) error {
	if c.request.Who.ID != "" && person == c.request.Who.ID {
		c.learner.reminder = reminder{}
		c.remindAt(time.Time{})
	}
	return nil
}
