package bot

import (
	"errors"
	"slices"
	"strings"

	"timonier/bot/quiz"
)

// answerQuiz is /quiz réponse QID ANSWER; where the answer was typed into a form, it is what
// follows the line.
func (c *call) answerQuiz(rest string) (Reply, error) {
	id, typed, _ := strings.Cut(rest, " ")
	if strings.TrimSpace(c.stdin) != "" {
		typed = strings.TrimSpace(typed + " " + c.stdin)
	}
	if isReview(id) {
		return c.answerReview(id, typed)
	}
	s, question, gone, err := c.putAs(id)
	if err != nil || s == nil {
		return gone, err
	}
	return c.take(s, question, strings.TrimSpace(typed))
}

// putAs is the session and the question (from 0) that an ID names, brought to the present; nil: it
// is gone, and the reply says so.
func (c *call) putAs(id string) (s *openQuiz, question int, gone Reply, err error) {
	session, question := questionOf(id)
	if s, err = c.session(session); err != nil {
		return nil, 0, Reply{}, err
	}
	if s == nil || question < 0 {
		gone, err = c.quizGone(session)
		return nil, 0, gone, err
	}
	if err := c.catchUp(s); err != nil {
		return nil, 0, Reply{}, err
	}
	return s, question, Reply{}, nil
}

// catchUp does first what is due in a session, if nobody has yet: the time of a question that is
// up is up, whoever looks.
func (c *call) catchUp(s *openQuiz) error {
	if at := s.Next(); at.IsZero() || at.After(c.now) || s.Rules.Mode == quiz.Daily {
		return nil
	}
	if err := c.goOnQuiz(s); err != nil {
		return err
	}
	return c.keepQuiz(s)
}

// take takes a person's answer to a question of a session, and says privately that it has.
func (c *call) take(s *openQuiz, question int, typed string) (Reply, error) {
	q, ok := c.put(s, question, c.request.Who.ID)
	if !ok {
		return c.mistake("quiz.lost"), nil
	}
	before, err := c.answerBefore(s, question)
	if err != nil {
		return Reply{}, err
	}
	if _, why := s.Take(question, q.Item, quiz.Answer{}, before, c.now); slices.Contains([]quiz.Refusal{quiz.NotYet, quiz.Closed, quiz.Gone, quiz.EndedAll}, why) {
		return c.refuse(s, q, before, why) // whatever it is, and whether it is one or not
	}
	p := posed{id: questionID(s.ID, question), q: q, hint: before.Hint}
	a, wrong := c.readAnswer(p, typed)
	if wrong != nil {
		return *wrong, nil
	}
	rec, refusal := s.Take(question, q.Item, a, before, c.now)
	if refusal != "" {
		return c.refuse(s, q, before, refusal)
	}
	if err := c.saveAnswer(s, rec); err != nil {
		return Reply{}, err
	}
	if err := c.learnFrom(s, q.Item, rec); err != nil {
		return Reply{}, err
	}
	return c.receipt(s, q, rec)
}

// readAnswer reads what was typed. Where it is not an answer yet, the reply says what is missing.
func (c *call) readAnswer(p posed, typed string) (quiz.Answer, *Reply) {
	if typed == anew {
		r := c.pose(Reply{}, p)
		return quiz.Answer{}, &r
	}
	a, err := p.q.Read(typed, c.course())
	var unread *quiz.Unread
	if errors.As(err, &unread) {
		r := c.pose(c.unread(unread, p.q.Item), p) // it may stand where the question stood
		return a, &r
	}
	if p.q.Missing(a) > 0 {
		p.given = a
		r := c.pose(Reply{}, p)
		return a, &r
	}
	return a, nil
}

// receipt says what has become of an answer: no more than that it is noted, where the verdict
// would tell others.
func (c *call) receipt(s *openQuiz, q quiz.Question, rec quiz.Record) (Reply, error) {
	if s.Rules.Mode.Feedback() == quiz.AtOnce {
		r := Reply{Blocks: []Block{Text{bold(c.any(q.Item.Ask))}}}
		return c.judge(r, q, rec.Answer, quiz.Grade(q.Item, rec.Answer)).with(c.reviewButton()), nil
	}
	text := c.say("quiz.noted", with{"Answer": c.spelled(q, rec.Answer)})
	switch {
	case rec.Changes > 0:
		text += " " + c.say("quiz.changed")
	case s.Rules.Change:
		text += " " + c.say("quiz.maychange")
	}
	if rec.Late {
		text += " " + c.say("quiz.late")
	}
	r := Reply{Blocks: []Block{Text{text}}}
	if s.Rules.Mode == quiz.Exam {
		return c.examAfter(r, s, rec.Question)
	}
	if c.request.Alone && s.Rules.Mode == quiz.Race && s.Phase == quiz.Open && !s.Rules.Change {
		return c.aloneReveal(r, s)
	}
	return r, nil
}

// aloneReveal goes on at once with a race that one person plays alone: there is nobody to wait for.
func (c *call) aloneReveal(r Reply, s *openQuiz) (Reply, error) {
	s.Do(quiz.Reveal, c.now)
	if err := c.showQuiz(s); err != nil {
		return r, err
	}
	next := Button{Label: c.say("quiz.next"), Line: c.leadLine(s), Style: Primary}
	if s.Last() {
		next.Label = c.say("quiz.panel.board")
	}
	return r.with(next), c.keepQuiz(s)
}

// refuse says why an answer is not taken, and what became of the one before.
func (c *call) refuse(s *openQuiz, q quiz.Question, before quiz.Record, why quiz.Refusal) (Reply, error) {
	kept := with{"Answer": c.spelled(q, before.Answer)}
	told := func(text string) (Reply, error) { return Reply{Blocks: []Block{Text{text}}}, nil }
	switch why {
	case quiz.Same:
		return told(c.say("quiz.same", kept))
	case quiz.Already:
		return told(c.say("quiz.answered", kept))
	case quiz.OneChange:
		return told(c.say("quiz.onechange", kept))
	case quiz.NotYet:
		return c.mistake("quiz.notyet"), nil
	case quiz.NoHints:
		return c.mistake("quiz.nohints"), nil
	case quiz.NoHint:
		return c.mistake("quiz.nohint"), nil
	case quiz.TooLate:
		return c.mistake("quiz.hintlate"), nil
	case quiz.EndedAll:
		return c.mistake("quiz.over").with(c.resultsButton(s)), nil
	case quiz.Gone:
		return c.mistake("quiz.past", with{"Number": s.Question + 1}), nil
	}
	return c.mistake("quiz.closed"), nil
}

// hintQuiz is /quiz indice QID.
func (c *call) hintQuiz(rest string) (Reply, error) {
	id, _, _ := strings.Cut(rest, " ")
	if isReview(id) || id == "" {
		return c.hintReview(id)
	}
	s, question, gone, err := c.putAs(id)
	if err != nil || s == nil {
		return gone, err
	}
	q, ok := c.put(s, question, c.request.Who.ID)
	if !ok {
		return c.mistake("quiz.lost"), nil
	}
	before, err := c.answerBefore(s, question)
	if err != nil {
		return Reply{}, err
	}
	rec, refusal := s.Hint(question, q.Item, before, c.now)
	if refusal != "" {
		return c.refuse(s, q, before, refusal)
	}
	if !before.Hint {
		if err := c.saveAnswer(s, rec); err != nil {
			return Reply{}, err
		}
	}
	return Reply{Blocks: []Block{Quote{c.say("quiz.hint", with{"Hint": c.any(q.Item.Hint)})}, Text{"*" + c.say("quiz.hintcost") + "*"}}}, nil
}
