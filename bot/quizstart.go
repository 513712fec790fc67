package bot

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"timonier/bot/quiz"
)

// beginQuiz is /quiz course, /quiz animée and /quiz examen, with their options.
func (c *call) beginQuiz(mode quiz.Mode, typed string) (Reply, error) {
	needs := asks
	if mode == quiz.Exam {
		needs = leads
	}
	if !c.may(needs) {
		return c.forbidden(c.typed("quiz", c.modeWord(mode).in(c.words))), nil
	}
	now, err := c.openQuiz()
	if err != nil {
		return Reply{}, err
	}
	if now != nil {
		return c.alreadyRuns(now)
	}
	if mute := c.mute(); mute != nil {
		return *mute, nil
	}
	rules, wrong := c.rulesOf(mode, typed)
	if wrong != nil {
		return *wrong, nil
	}
	s, wrong := c.newQuiz(rules)
	if wrong != nil {
		return *wrong, nil
	}
	s.Host = c.request.Who.ID
	c.channel.quiz.Open = s.ID
	if mode == quiz.Exam { // everybody meets the questions in an order of their own
		for n := range s.Items {
			if err := c.makeLive(s, n); err != nil {
				return Reply{}, err
			}
		}
	}
	if mode == quiz.Hosted {
		c.announce(s.key(), c.lobby(s))
	}
	r := c.lobby(s)
	if s.Advance(c.now) { // it has no lobby
		if err := c.showQuiz(s); err != nil {
			return r, err
		}
	}
	if err := c.keepQuiz(s); err != nil {
		return r, err
	}
	switch mode {
	case quiz.Hosted:
		return c.panel(Reply{}, s)
	case quiz.Race:
		if s.Phase == quiz.Lobby {
			r = r.with(Button{Label: c.say("quiz.startnow"), Line: c.leadLine(s), Style: Primary})
		}
		r = r.with(Button{Label: c.say("quiz.stop"), Line: c.typed("quiz", quizEnd.in(c.words), s.ID)})
	}
	return r, nil
}

// mute says that nothing can be said here unasked, where that is so: no quiz can be played.
func (c *call) mute() *Reply {
	err := c.reach()
	if err == nil {
		return nil
	}
	r := c.mistake("quiz.mute")
	if errors.Is(err, ErrUnreachable) {
		r = c.mistake("quiz.uninvited")
	}
	r = r.with(c.reviewButton())
	return &r
}

// modeWord is the word that begins a mode.
func (c *call) modeWord(mode quiz.Mode) name {
	switch mode {
	case quiz.Race:
		return quizRace
	case quiz.Hosted:
		return quizHosted
	case quiz.Daily:
		return quizDaily
	}
	return quizExam
}

// alreadyRuns says that a channel has one quiz at a time.
func (c *call) alreadyRuns(s *openQuiz) (Reply, error) {
	r := c.mistake("quiz.already", with{"Mode": c.modeName(s.Rules.Mode), "State": c.quizState(s), "End": c.typed("quiz", quizEnd.in(c.words))})
	return c.running(r, s)
}

// newQuiz makes a session of items that fit the rules.
func (c *call) newQuiz(rules quiz.Rules) (*openQuiz, *Reply) {
	seed := c.newSeed()
	items := quiz.Choose(c.items(), quiz.Wish{Modules: rules.Modules, Count: rules.Count, Lang: c.course(), Avoid: c.askedLately()}, seed)
	if len(items) == 0 {
		r := c.mistake("quiz.none")
		if len(rules.Modules) > 0 {
			r = c.mistake("quiz.noneof", with{"Modules": strings.Join(rules.Modules, ", ")})
		}
		return nil, &r
	}
	var ids []string
	for _, i := range items {
		ids = append(ids, i.ID)
	}
	if rules.Live {
		ids = withLive(ids)
	}
	rules.Count = len(ids)
	s := &openQuiz{Session: *quiz.Begin(sessionID(seed), rules, seed, ids, c.now), Lang: c.lang}
	for n, i := range items {
		if quiz.Longer(i.Kind) {
			s.Long = append(s.Long, n)
		}
	}
	return s, nil
}

// askedLately are the items that the channel's last session asked.
func (c *call) askedLately() []string {
	if s, err := c.session(c.channel.quiz.Last); err == nil && s != nil {
		return s.Items
	}
	return nil
}

// key is that of the announcements of a session that are no question's; questionKey of a question's.
func (s *openQuiz) key() string              { return "quiz/" + s.ID + "/" }
func (s *openQuiz) questionKey(n int) string { return fmt.Sprintf("quiz/%s/%d", s.ID, n+1) }

// lobby says what is about to be played, and by which rules.
func (c *call) lobby(s *openQuiz) Reply {
	rules := []string{c.say("quiz.rules.count", with{"Count": len(s.Items)})}
	if t := s.Rules.Time; t > 0 {
		rules = append(rules, c.ruleOfTime(s.Rules.Mode, time.Duration(t)*time.Second))
		if len(s.Long) > 0 && s.Rules.Mode != quiz.Exam {
			rules = append(rules, c.say("quiz.rules.longer"))
		}
	}
	if len(s.Rules.Modules) > 0 {
		rules = append(rules, c.say("quiz.rules.modules", with{"Modules": strings.Join(s.Rules.Modules, ", ")}))
	}
	if s.Rules.Change {
		rules = append(rules, c.say("quiz.rules.change"))
	}
	if s.Rules.Hints {
		rules = append(rules, c.say("quiz.rules.hints"))
	}
	if s.Rules.Live {
		rules = append(rules, c.say("quiz.rules.live"))
	}
	title, how := c.say("quiz.race.title"), c.say("quiz.race.how")
	switch s.Rules.Mode {
	case quiz.Hosted:
		title, how = c.say("quiz.hosted.title"), c.say("quiz.hosted.how")
	case quiz.Exam:
		title, how = c.say("quiz.exam.title"), c.say("quiz.exam.how")
	}
	r := Reply{Blocks: []Block{Title{title}, Text{"- " + strings.Join(rules, "\n- ")}, Text{how}}}
	if s.Rules.Mode == quiz.Exam {
		r = r.with(Button{Label: c.say("quiz.exam.go"), Line: c.typed("quiz", quizNext.in(c.words), s.ID), Style: Primary})
		if at := c.examEnds(s); !at.IsZero() {
			r.Blocks = append(r.Blocks, c.until(c.say("quiz.exam.until"), at))
		}
		return r
	}
	if at := s.Next(); at.After(c.now) {
		r.Blocks = append(r.Blocks, c.until(c.say("quiz.starts"), at))
	}
	return r
}

// ruleOfTime is what a mode's time is for.
func (c *call) ruleOfTime(mode quiz.Mode, t time.Duration) string {
	span := with{"Time": c.span(t)}
	switch mode {
	case quiz.Race:
		return c.say("quiz.rules.fading", span)
	case quiz.Exam:
		return c.say("quiz.rules.whole", span)
	}
	return c.say("quiz.rules.time", span)
}

// examEnds is when an exam's time is up, also before it has been opened.
func (c *call) examEnds(s *openQuiz) time.Time {
	if s.Closes != 0 {
		return s.Closes.Time()
	}
	return s.Next().Add(time.Duration(s.Rules.Time) * time.Second)
}

// keepQuiz keeps a session that has changed, and sets the alarm for what comes next.
func (c *call) keepQuiz(s *openQuiz) error {
	if s.Rules.Mode == quiz.Daily {
		return c.saveQuiz(s)
	}
	if s.Phase == quiz.Over && c.channel.quiz.Open == s.ID {
		c.channel.quiz.Open, c.channel.quiz.Last = "", s.ID
	}
	c.wakeAt(c.nextOf(s))
	return c.saveQuiz(s)
}

// nextOf is when a session is to be looked at again: when it goes on, or halfway through a
// question, to show how many have answered.
func (c *call) nextOf(s *openQuiz) time.Time {
	next := s.Next()
	if half := c.halfway(s); !half.IsZero() && half.After(c.now) && half.Before(next) {
		return half
	}
	return next
}

// halfway is when the message of an open question is brought up to date, once: a message that is
// edited every second annoys a class, and no platform allows it. Zero: not at all.
func (c *call) halfway(s *openQuiz) time.Time {
	if s.Phase != quiz.Open || s.Closes == 0 || s.Rules.Mode != quiz.Race || s.Edits > 0 || s.Rules.Time < 10 {
		return time.Time{}
	}
	return s.Opened.Time().Add(s.Closes.Time().Sub(s.Opened.Time()) / 2)
}
