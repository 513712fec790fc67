package bot

import (
	"strconv"

	"timonier/bot/quiz"
)

// wakeSession goes on with the quiz that runs in the channel: a time is up.
func (c *call) wakeSession() error {
	if err := c.readBank(); err != nil {
		return err
	}
	s, err := c.openQuiz()
	if err != nil || s == nil {
		return err
	}
	if err := c.goOnQuiz(s); err != nil {
		return err
	}
	return c.keepQuiz(s)
}

// lostSession ends the channel's quiz where nobody can see it any more.
func (c *call) lostSession(person string) error {
	s, err := c.openQuiz()
	if person != "" || err != nil || s == nil {
		return err
	}
	s.Do(quiz.Stop, c.now)
	return c.keepQuiz(s)
}

// goOnQuiz does what is due in a session, and shows it. After a long absence nothing is missed: it
// goes on where it was.
func (c *call) goOnQuiz(s *openQuiz) error {
	for s.Advance(c.now) {
		if err := c.showQuiz(s); err != nil {
			return err
		}
	}
	if half := c.halfway(s); !half.IsZero() && !half.After(c.now) {
		return c.recount(s)
	}
	return nil
}

// recount brings the message of an open question up to date with how many have answered.
func (c *call) recount(s *openQuiz) error {
	s.Edits++
	given, err := c.givenTo(s, s.Question)
	if err != nil || len(given) == s.Told {
		return err
	}
	if _, ok := c.put(s, s.Question, ""); !ok {
		return nil // another course is taught meanwhile
	}
	s.Told = len(given)
	c.announce(s.questionKey(s.Question), c.questionMessage(s))
	return nil
}

// showQuiz announces where a session has come to. A question that the course has no more is
// passed over.
func (c *call) showQuiz(s *openQuiz) error {
	switch s.Phase {
	case quiz.Open:
		s.Told, s.Edits, s.Waits = 0, 0, false
		if s.Rules.Mode == quiz.Exam {
			return nil // everybody asks for it
		}
		if err := c.makeLive(s, s.Question); err != nil {
			return err
		}
		if _, ok := c.put(s, s.Question, ""); ok {
			c.announce(s.questionKey(s.Question), c.questionMessage(s))
			return nil
		}
		s.Do(quiz.Reveal, c.now)
		s.Do(quiz.GoOn, c.now)
		return c.showQuiz(s)
	case quiz.Revealed:
		return c.showRevealed(s)
	case quiz.Over:
		return c.showOver(s)
	}
	return nil
}

// questionMessage is the open question, as all see it.
func (c *call) questionMessage(s *openQuiz) Reply {
	q, _ := c.put(s, s.Question, "")
	r := Reply{Blocks: []Block{Text{"*" + c.heading(s) + "*"}}}
	r = c.pose(r, posed{id: questionID(s.ID, s.Question), q: q, hints: s.Rules.Hints})
	if s.Closes != 0 {
		r.Blocks = append(r.Blocks, c.until(c.say("quiz.until"), s.Closes.Time()))
	}
	if s.Told > 0 {
		r.Blocks = append(r.Blocks, Text{"*" + c.say("quiz.count", with{"Count": s.Told}) + "*"})
	}
	return r
}

// heading says which quiz it is, and which of its questions.
func (c *call) heading(s *openQuiz) string {
	at := with{"Number": s.Question + 1, "Numbers": len(s.Items)}
	if s.Rules.Mode == quiz.Hosted {
		return c.say("quiz.hosted.heading", at)
	}
	return c.say("quiz.race.heading", at)
}

// mostSilent is how many questions in a row nobody may answer before a race waits.
const mostSilent = 2

// showRevealed shows the answers in the question's stead. Where nobody has answered two questions
// in a row, it stops there until somebody goes on.
func (c *call) showRevealed(s *openQuiz) error {
	given, err := c.givenTo(s, s.Question)
	if err != nil {
		return err
	}
	s.Silent++
	if len(given) > 0 {
		s.Silent = 0
	}
	if s.Rules.Mode == quiz.Race && s.Silent >= mostSilent && !s.Last() {
		s.Silent, s.Turns, s.Waits = 0, 0, true
	}
	r := c.revealMessage(s, given)
	if s.Waits {
		r.Blocks = append(r.Blocks, Text{c.say("quiz.waits")})
		r = r.with(Button{Label: c.say("quiz.resume"), Line: c.leadLine(s), Style: Primary}).
			with(Button{Label: c.say("quiz.stop"), Line: c.typed("quiz", quizEnd.in(c.words), s.ID)})
	}
	c.announce(s.questionKey(s.Question), r)
	return nil
}

// revealMessage is a question with what was answered to it; where another course is taught by now,
// that the question is gone.
func (c *call) revealMessage(s *openQuiz, given []quiz.Record) Reply {
	q, ok := c.put(s, s.Question, "")
	if !ok {
		return Reply{Blocks: []Block{Text{"*" + c.heading(s) + "*"}, Text{c.say("quiz.lost")}}}
	}
	r := Reply{Blocks: []Block{Text{"*" + c.heading(s) + "*"}, Text{bold(c.any(q.Item.Ask))}}}
	var answers []quiz.Answer
	for _, rec := range given {
		answers = append(answers, rec.Answer)
	}
	if len(given) == 0 {
		r.Blocks = append(r.Blocks, Text{c.say("quiz.nobody")})
	}
	r = c.reveal(r, q, answers)
	if s.Turns != 0 {
		label := c.say("quiz.nextin")
		if s.Last() {
			label = c.say("quiz.boardin")
		}
		r.Blocks = append(r.Blocks, c.until(label, s.Turns.Time()))
	}
	return r
}

// leadLine is the line that makes a session go on: it names the question that it leads to, so that
// one pressed twice, or late, does nothing to another.
func (c *call) leadLine(s *openQuiz) string {
	n := 1
	if s.Phase != quiz.Lobby {
		n = s.Question + 2
	}
	return c.typed("quiz", quizNext.in(c.words), s.ID+"."+strconv.Itoa(n))
}

// mayLead says that the person may pace a session: who began it, or teaches. A race that waits may
// be taken on by whoever may begin one.
func (c *call) mayLead(s *openQuiz) bool {
	if s.Rules.Mode == quiz.Exam {
		return c.may(leads)
	}
	return c.may(asks) && (s.Host == c.request.Who.ID || c.may(leads) || s.Waits)
}

// nextQuestion is /quiz suivante: of an exam the person's own next question, else the class's.
func (c *call) nextQuestion(rest string) (Reply, error) {
	id, n := questionOf(rest)
	s, err := c.openQuiz()
	if err != nil {
		return Reply{}, err
	}
	if p := &c.learner.review; s == nil && id == "" && p.Number > 0 { // it is one's own that goes on
		return c.again(c.nextReview(p).Line)
	}
	if s == nil || id != "" && id != s.ID {
		return c.quizGone(id)
	}
	if s.Rules.Mode == quiz.Exam {
		return c.examPage(s)
	}
	if !c.mayLead(s) {
		return c.denied("quiz.notyours"), nil
	}
	if err := c.goOnQuiz(s); err != nil {
		return Reply{}, err
	}
	if at := s.Question + 1; n >= 0 && !(s.Phase == quiz.Lobby && n == 0 || s.Phase == quiz.Revealed && n == at) {
		if err := c.keepQuiz(s); err != nil {
			return Reply{}, err
		}
		r := c.mistake("quiz.moved")
		return c.panel(r, s)
	}
	return c.lead(s, quiz.GoOn)
}

// revealNow is /quiz révèle.
func (c *call) revealNow(rest string) (Reply, error) {
	id, n := questionOf(rest)
	s, err := c.openQuiz()
	switch {
	case err != nil:
		return Reply{}, err
	case s == nil || id != "" && id != s.ID:
		return c.quizGone(id)
	case s.Rules.Mode == quiz.Exam:
		return c.mistake("quiz.exam.noreveal", with{"End": c.typed("quiz", quizEnd.in(c.words))}), nil
	case !c.mayLead(s):
		return c.denied("quiz.notyours"), nil
	case n >= 0 && n != s.Question || s.Phase != quiz.Open && s.Phase != quiz.Late:
		r := c.mistake("quiz.moved")
		return c.panel(r, s)
	}
	return c.lead(s, quiz.Reveal)
}

// lead makes a move for the class, and says to whoever leads where it is.
func (c *call) lead(s *openQuiz, m quiz.Move) (Reply, error) {
	if !s.Do(m, c.now) { // it has come to its end meanwhile
		if err := c.keepQuiz(s); err != nil {
			return Reply{}, err
		}
		return c.panel(c.mistake("quiz.moved"), s)
	}
	if err := c.showQuiz(s); err != nil {
		return Reply{}, err
	}
	if err := c.keepQuiz(s); err != nil {
		return Reply{}, err
	}
	return c.panel(Reply{}, s)
}

// endQuiz is /quiz fin: whatever runs ends now.
func (c *call) endQuiz(rest string) (Reply, error) {
	s, err := c.openQuiz()
	if err != nil {
		return Reply{}, err
	}
	if s == nil || rest != "" && rest != s.ID {
		return c.quizGone(rest)
	}
	if !c.mayLead(s) {
		return c.denied("quiz.notyours"), nil
	}
	if s.Phase == quiz.Open || s.Phase == quiz.Late { // what was being asked is shown first
		if s.Rules.Mode != quiz.Exam {
			s.Do(quiz.Reveal, c.now)
			s.Turns = 0
			if err := c.showRevealed(s); err != nil {
				return Reply{}, err
			}
		}
	}
	return c.lead(s, quiz.Stop)
}

// panel is what whoever leads a session sees, alone: where it is, and what they can do.
func (c *call) panel(r Reply, s *openQuiz) (Reply, error) {
	end := Button{Label: c.say("quiz.stop"), Line: c.typed("quiz", quizEnd.in(c.words), s.ID)}
	switch s.Phase {
	case quiz.Lobby:
		r.Blocks = append(r.Blocks, Text{c.say("quiz.panel.lobby")})
		return r.with(Button{Label: c.say("quiz.panel.first"), Line: c.leadLine(s), Style: Primary}).with(end), nil
	case quiz.Over:
		r.Blocks = append(r.Blocks, Text{c.say("quiz.panel.over")})
		return c.withReport(r).with(c.resultsButton(s)), nil
	case quiz.Revealed:
		label := c.say("quiz.panel.next")
		if s.Last() {
			label = c.say("quiz.panel.board")
		}
		r.Blocks = append(r.Blocks, Text{c.say("quiz.panel.revealed", with{"Number": s.Question + 1, "Numbers": len(s.Items)})})
		return r.with(Button{Label: label, Line: c.leadLine(s), Style: Primary}).with(end), nil
	}
	given, err := c.givenTo(s, s.Question)
	if err != nil {
		return r, err
	}
	r.Blocks = append(r.Blocks, Text{c.say("quiz.panel.open", with{"Number": s.Question + 1, "Numbers": len(s.Items)}) + " " +
		c.say("quiz.count", with{"Count": len(given)})})
	return r.with(Button{Label: c.say("quiz.panel.reveal"), Line: c.typed("quiz", quizReveal.in(c.words), questionID(s.ID, s.Question)), Style: Primary}).
		with(Button{Label: c.say("quiz.panel.refresh"), Line: c.typed("quiz")}).with(end), nil
}

// quizGone says kindly that what a line names is not here, or no more.
func (c *call) quizGone(id string) (Reply, error) {
	if id == "" {
		r := c.mistake("quiz.nothing")
		return r.with(Button{Label: c.say("quiz.menu"), Line: c.typed("quiz"), Style: Primary}), nil
	}
	s, err := c.session(id)
	if err != nil {
		return Reply{}, err
	}
	if s == nil {
		r := c.mistake("quiz.elsewhere")
		return r.with(Button{Label: c.say("quiz.startreview"), Line: c.typed("quiz", quizReview.in(c.words))}), nil
	}
	return c.mistake("quiz.over").with(c.resultsButton(s)), nil
}
