package bot

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"timonier/bot/quiz"
)

// examPlace is how far one person has come in an exam: the questions (from 0) that they have
// answered, in the order in which they did.
type examPlace struct {
	Done []int `json:"done"`
	At   int   `json:"at,omitempty"` // the question, from 1, that was shown last
}

func examRecord(session, person string) string { return keyExam + session + "/" + person }

// examPlace reads how far the person has come; begun says whether they have opened it.
func (c *call) examPlace(s *openQuiz) (p examPlace, begun bool, err error) {
	key := examRecord(s.ID, c.request.Who.ID)
	if data, ok := c.channel.changed[key]; ok { // written in this turn
		return p, true, json.Unmarshal(data, &p)
	}
	records, err := c.readHere(key)
	if err != nil {
		return p, false, fmt.Errorf("read place in exam: %w", err)
	}
	for _, rec := range records {
		if rec.Key == key {
			return p, true, json.Unmarshal(rec.Value, &p)
		}
	}
	return p, false, nil
}

// examPage is the person's next question of an exam, or, once all are answered, all of them.
func (c *call) examPage(s *openQuiz) (Reply, error) {
	if err := c.catchUp(s); err != nil {
		return Reply{}, err
	}
	if s.Phase != quiz.Open && s.Phase != quiz.Late {
		return c.quizGone(s.ID)
	}
	return c.examAfter(Reply{}, s, -1)
}

// examAfter adds to a reply the person's next question after a question (−1: the first): what was
// passed over comes back at the end.
func (c *call) examAfter(r Reply, s *openQuiz, question int) (Reply, error) {
	place, begun, err := c.examPlace(s)
	if err != nil {
		return r, err
	}
	if !begun {
		if err := c.channel.setJSON(examRecord(s.ID, c.request.Who.ID), examPlace{Done: []int{}}); err != nil {
			return r, err
		}
	}
	order := s.Sequence(c.request.Who.ID)
	from := slices.Index(order, question) + 1
	for i := range order {
		at := (from + i) % len(order)
		if slices.Contains(place.Done, order[at]) {
			continue
		}
		if q, ok := c.put(s, order[at], c.request.Who.ID); ok {
			return c.examQuestion(r, s, q, order[at], at)
		}
	}
	return c.examDone(r, s, place), nil
}

// examPass adds the button that leaves a question for later, where another is left.
func (c *call) examPass(r Reply, s *openQuiz, question int) (Reply, error) {
	place, _, err := c.examPlace(s)
	if err != nil {
		return r, err
	}
	order := s.Sequence(c.request.Who.ID)
	at := slices.Index(order, question)
	for i := 1; i < len(order); i++ {
		if n := order[(at+i)%len(order)]; !slices.Contains(place.Done, n) {
			return r.with(Button{Label: c.say("quiz.exam.pass"), Line: c.typed("quiz", quizShow.in(c.words), questionID(s.ID, n))}), nil
		}
	}
	return r, nil
}

// examQuestion shows a question (n in the session, place in the person's own order).
func (c *call) examQuestion(r Reply, s *openQuiz, q quiz.Question, n, place int) (Reply, error) {
	before, err := c.answerBefore(s, n)
	if err != nil {
		return r, err
	}
	if err := c.noteShown(s, n); err != nil {
		return r, err
	}
	if len(r.Blocks) > 0 {
		r.Blocks = append(r.Blocks, Divider{})
	}
	r.Blocks = append(r.Blocks, Text{"*" + c.say("quiz.exam.heading", with{"Number": place + 1, "Numbers": len(s.Items)}) + "*"})
	r = c.pose(r, posed{id: questionID(s.ID, n), q: q, hint: before.Hint, hints: s.Rules.Hints})
	if before.Given() {
		r.Blocks = append(r.Blocks, Text{c.say("quiz.exam.was", with{"Answer": c.spelled(q, before.Answer)})})
	} else if r, err = c.examPass(r, s, n); err != nil {
		return r, err
	}
	if s.Closes != 0 {
		r.Blocks = append(r.Blocks, c.until(c.say("quiz.exam.until"), s.Closes.Time()))
	}
	return r, nil
}

// examDone says that all is answered, and leads back to each question while it may be changed.
func (c *call) examDone(r Reply, s *openQuiz, place examPlace) Reply {
	r.Blocks = append(r.Blocks, Text{c.say("quiz.exam.done", with{"Count": len(place.Done)})})
	if !s.Rules.Change {
		return r
	}
	r.Blocks = append(r.Blocks, Text{c.say("quiz.exam.mayreturn")})
	const most = 20 // buttons
	for i, n := range s.Sequence(c.request.Who.ID) {
		if i < most {
			r = r.with(Button{Label: strconv.Itoa(i + 1), Line: c.typed("quiz", quizShow.in(c.words), questionID(s.ID, n))})
		}
	}
	return r
}

// showQuestion is /quiz question QID: a question of an exam again; of another quiz, where it is.
func (c *call) showQuestion(rest string) (Reply, error) {
	if isReview(strings.TrimSpace(rest)) {
		return c.review("")
	}
	id, n := questionOf(strings.TrimSpace(rest))
	s, err := c.session(id)
	if err != nil {
		return Reply{}, err
	}
	if s == nil || s.Phase == quiz.Over {
		return c.quizGone(id)
	}
	q, ok := c.put(s, n, c.request.Who.ID)
	switch {
	case !ok:
		return c.quizMenu()
	case s.Rules.Mode != quiz.Exam && (s.Phase != quiz.Open && s.Phase != quiz.Late || n != s.Question):
		return c.quizMenu()
	case s.Rules.Mode != quiz.Exam:
		return c.pose(Reply{}, posed{id: questionID(s.ID, n), q: q, hints: s.Rules.Hints}), nil
	}
	return c.examQuestion(Reply{}, s, q, n, slices.Index(s.Sequence(c.request.Who.ID), n))
}

// answerBefore is what the person has answered to a question of a session: of an exam it is read
// alone, since everybody is at another question.
func (c *call) answerBefore(s *openQuiz, question int) (quiz.Record, error) {
	if s.Rules.Mode != quiz.Exam {
		all, err := c.answersTo(s, question)
		return all[c.request.Who.ID], err
	}
	key := answerRecord(s.ID, question, c.request.Who.ID)
	if data, ok := c.channel.changed[key]; ok { // in this turn
		var rec quiz.Record
		return rec, json.Unmarshal(data, &rec)
	}
	records, err := c.readAnswered(key)
	if err != nil {
		return quiz.Record{}, err
	}
	for _, rec := range records {
		if rec.Person == c.request.Who.ID {
			return rec, nil
		}
	}
	return quiz.Record{}, nil
}

// noteShown notes which question of an exam the person sees: a typed answer is to that one.
func (c *call) noteShown(s *openQuiz, question int) error {
	p, _, err := c.examPlace(s)
	if err != nil || p.At == question+1 {
		return err
	}
	p.At = question + 1
	if p.Done == nil {
		p.Done = []int{}
	}
	return c.channel.setJSON(examRecord(s.ID, c.request.Who.ID), p)
}

// noteExam notes that the person has answered a question of an exam.
func (c *call) noteExam(s *openQuiz, question int) error {
	place, _, err := c.examPlace(s)
	if err != nil {
		return err
	}
	if !slices.Contains(place.Done, question) {
		place.Done = append(place.Done, question)
	}
	return c.channel.setJSON(examRecord(s.ID, c.request.Who.ID), place)
}

// handedIn tells whoever leads an exam how many of those who began it have answered all, and, once
// everybody has, that it may be ended.
func (c *call) handedIn(r Reply, s *openQuiz) (Reply, error) {
	if !c.mayLead(s) || s.Phase != quiz.Open {
		return r, nil
	}
	records, err := c.readHere(examRecord(s.ID, ""))
	if err != nil || len(records) == 0 {
		return r, err
	}
	done := 0
	for _, rec := range records {
		var p examPlace
		if err := json.Unmarshal(rec.Value, &p); err != nil {
			return r, fmt.Errorf("decode record %s: %w", rec.Key, err)
		}
		if len(p.Done) >= len(s.Items) {
			done++
		}
	}
	text := c.say("quiz.exam.handedin", with{"Done": done, "Begun": len(records)})
	if done == len(records) {
		text += " " + c.say("quiz.exam.mayend")
	}
	r.Blocks = append(r.Blocks, Text{text})
	return r, nil
}
