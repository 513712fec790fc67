package bot

import (
	"slices"
	"strings"
	"time"

	"timonier/bot/quiz"
	"timonier/content"
)

// inQuiz is what a line without a slash means where a question is open that is answered by
// letters, and no button on offer says so: an answer to it. The class's comes before one's own.
func (c *call) inQuiz(text string) (string, bool) {
	if c.channel.quiz == (quizHere{}) && c.learner.review.Item == "" || len(text) > 200 {
		return "", false
	}
	if err := c.readBank(); err != nil {
		return "", false // whoever types a command will be told
	}
	for _, p := range c.openQuestions() {
		if p.q.Item.Kind == content.Number || p.q.Item.Kind == content.Fill {
			continue // any word would do
		}
		if _, err := p.q.Read(text, c.course()); err == nil {
			return c.answering(p.id, text), true
		}
	}
	return "", false
}

// noAnswer is what a line that means nothing else is, where a question waits that the person has
// just seen: an answer that cannot be read,
// which says why and asks again, or the word that asks for the hint.
func (c *call) noAnswer(text string) (string, bool) {
	if c.channel.quiz.Open == "" && c.learner.review.Item == "" || c.readBank() != nil {
		return "", false
	}
	for _, p := range c.openQuestions() {
		switch {
		case strings.HasPrefix(p.id, c.channel.quiz.Daily.Session+".") || isReview(p.id) && c.now.Sub(c.learner.review.Asked) > reviewFades:
			continue // it waits all day
		case quizHint.is(text):
			return c.typed("quiz", quizHint.in(c.words), p.id), true
		case p.q.Item.Kind == content.Number || p.q.Item.Kind == content.Fill || len(text) > 80:
			return c.typed("quiz", quizShow.in(c.words), p.id), true
		}
		return c.answering(p.id, text), true
	}
	return "", false
}

// reviewFades is how long a line that means nothing else is taken for an answer to a review.
const reviewFades = 15 * time.Minute

// goingOn is what suite and suivante mean where a button leads to the next question.
func (c *call) goingOn(text string) (string, bool) {
	if !next.is(text) && !quizNext.is(text) {
		return "", false
	}
	for _, b := range c.lane.offered[c.request.Who.ID].buttons {
		if b.Label == c.say("quiz.next") {
			return b.Line, true
		}
	}
	return "", false
}

// openQuestions are those that the person could answer now.
func (c *call) openQuestions() []posed {
	var out []posed
	for _, id := range []string{c.channel.quiz.Open, c.channel.quiz.Daily.Session} {
		s, err := c.session(id)
		if err != nil || s == nil || s.Phase != quiz.Open && s.Phase != quiz.Late {
			continue
		}
		n := s.Question
		if s.Rules.Mode == quiz.Exam {
			n = c.examAt(s)
		}
		if q, ok := c.put(s, n, c.request.Who.ID); ok {
			out = append(out, posed{id: questionID(s.ID, n), q: q})
		}
	}
	p := c.learner.review
	if item, ok := c.onReview(); ok && !p.Done {
		out = append(out, posed{id: reviewID(p.Number), q: quiz.Put(item, p.Seed)})
	}
	return out
}

// examAt is the question of an exam that the person is at; −1: none, or it is not begun.
func (c *call) examAt(s *openQuiz) int {
	place, begun, err := c.examPlace(s)
	if err != nil || !begun {
		return -1
	}
	if place.At > 0 {
		return place.At - 1
	}
	for _, n := range s.Sequence(c.request.Who.ID) {
		if !slices.Contains(place.Done, n) {
			return n
		}
	}
	return -1
}
