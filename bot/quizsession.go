package bot

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"

	"timonier/bot/quiz"
	"timonier/content"
)

// openQuiz is a session, and what the chat adds to it.
type openQuiz struct {
	quiz.Session
	Host   string `json:"host,omitempty"`   // who began it
	Lang   string `json:"lang,omitempty"`   // it is told in, to all
	Told   int    `json:"told,omitempty"`   // how many answers the open question's message shows
	Edits  int    `json:"edits,omitempty"`  // how often that was brought up to date
	Silent int    `json:"silent,omitempty"` // questions in a row that nobody answered
	Waits  bool   `json:"waits,omitempty"`  // it has stopped of itself, because of that, until somebody goes on
}

// quizHere is which quizzes a channel has.
type quizHere struct {
	Open  string    `json:"open,omitempty"` // the session that runs; empty: none
	Last  string    `json:"last,omitempty"` // the one that ran last
	Daily dailyPlan `json:"daily,omitzero"`
}

// quizzes are a channel's sessions and answers while they are in memory.
type quizzes struct {
	sessions map[string]*openQuiz
	answers  map[string]map[string]quiz.Record // by the prefix of a question's answers, then by person
	made     map[string]*content.Item          // live questions, by their records' keys
}

// mostAnswers is of how many questions the answers are kept in memory.
const mostAnswers = 4

// session finds a session of the channel by its ID; nil: it has none of the name.
func (c *call) session(id string) (*openQuiz, error) {
	ch := c.channel
	if s, ok := ch.quizzes.sessions[id]; ok {
		return s, nil
	}
	if id == "" || strings.Contains(id, "/") {
		return nil, nil
	}
	records, err := c.readHere(keyQuiz + id)
	if err != nil {
		return nil, fmt.Errorf("read session: %w", err)
	}
	for _, rec := range records {
		if rec.Key != keyQuiz+id {
			continue
		}
		s := &openQuiz{}
		if err := json.Unmarshal(rec.Value, s); err != nil {
			return nil, fmt.Errorf("decode record %s: %w", rec.Key, err)
		}
		c.holdQuiz(s)
		return s, nil
	}
	return nil, nil
}

// holdQuiz keeps a session in memory.
func (c *call) holdQuiz(s *openQuiz) {
	q := &c.channel.quizzes
	if q.sessions == nil || len(q.sessions) > mostAnswers {
		q.sessions = map[string]*openQuiz{}
	}
	q.sessions[s.ID] = s
}

// openQuiz is the session that runs here; nil: none.
func (c *call) openQuiz() (*openQuiz, error) {
	s, err := c.session(c.channel.quiz.Open)
	if err != nil || s == nil || s.Phase == quiz.Over {
		return nil, err
	}
	return s, nil
}

// saveQuiz keeps a session as it is now.
func (c *call) saveQuiz(s *openQuiz) error {
	data, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("encode session: %w", err)
	}
	c.holdQuiz(s)
	c.channel.set(keyQuiz+s.ID, data)
	return nil
}

// answersTo are the answers to a question, by person; those of hints only are among them.
func (c *call) answersTo(s *openQuiz, question int) (map[string]quiz.Record, error) {
	prefix := questionAnswers(s.ID, question)
	q := &c.channel.quizzes
	if answers, ok := q.answers[prefix]; ok {
		return answers, nil
	}
	records, err := c.readAnswered(prefix)
	if err != nil {
		return nil, err
	}
	answers := map[string]quiz.Record{}
	for _, r := range records {
		answers[r.Person] = r
	}
	if q.answers == nil || len(q.answers) >= mostAnswers {
		q.answers = map[string]map[string]quiz.Record{}
	}
	q.answers[prefix] = answers
	return answers, nil
}

// givenTo are those of them that are answers.
func (c *call) givenTo(s *openQuiz, question int) ([]quiz.Record, error) {
	all, err := c.answersTo(s, question)
	if err != nil {
		return nil, err
	}
	var out []quiz.Record
	for _, r := range all {
		if r.Given() {
			out = append(out, r)
		}
	}
	return out, nil
}

// saveAnswer keeps what a person answered.
func (c *call) saveAnswer(s *openQuiz, rec quiz.Record) error {
	rec.Session, rec.Person = s.ID, c.request.Who.ID
	if err := c.channel.setJSON(answerRecord(s.ID, rec.Question, rec.Person), rec); err != nil {
		return err
	}
	if s.Rules.Mode == quiz.Exam {
		if err := c.noteTook(s); err != nil || !rec.Given() {
			return err
		}
		return c.noteExam(s, rec.Question)
	}
	answers, err := c.answersTo(s, rec.Question)
	if err != nil {
		return err
	}
	answers[rec.Person] = rec
	return c.noteTook(s)
}

// noteTook notes, with the person, that they answered here, and their name where they agreed to
// have it shown.
func (c *call) noteTook(s *openQuiz) error {
	p := c.channel.scope
	data, err := json.Marshal(took{Tenant: p.Tenant, Channel: p.Channel, At: s.Began.Time()})
	if err != nil {
		return fmt.Errorf("encode record: %w", err)
	}
	c.learner.set(keyTook+s.ID, data)
	if c.learner.settings.ShowName && c.request.Who.Name != "" {
		c.channel.set(nameRecord(s.ID, c.request.Who.ID), []byte(clipped(tidyBlanks(c.request.Who.Name), longestName)))
	}
	return nil
}

// readBank has the questions ready that there are here. All that asks any begins with it.
func (c *call) readBank() (err error) {
	c.questions, err = c.bank()
	return err
}

// items are those that may be asked.
func (c *call) items() []*content.Item { return c.questions.all() }

// item finds one by its ID, also where it was withdrawn after it had been put.
func (c *call) item(id string) (*content.Item, bool) { return c.questions.ever(id) }

// mayAsk says that an item may still be asked in a review.
func (c *call) mayAsk(id string) bool { _, ok := c.questions.item(id); return ok && !c.sealed[id] }

// put is a question of a session as a person sees it; false where the course has it no more.
func (c *call) put(s *openQuiz, question int, person string) (quiz.Question, bool) {
	if question < 0 || question >= len(s.Items) {
		return quiz.Question{}, false
	}
	item, ok := c.item(s.Items[question])
	if !ok {
		item, ok = c.madeFor(s, question)
	}
	if !ok {
		return quiz.Question{}, false
	}
	return quiz.Put(item, s.SeedOf(question, person)), true
}

// questionID names a question (from 0) of a session in a line: SESSION.3.
func questionID(session string, question int) string {
	return session + "." + strconv.Itoa(question+1)
}

// questionOf is what questionID named. Without a number the question is −1.
func questionOf(id string) (session string, question int) {
	session, number, ok := strings.Cut(id, ".")
	n, err := strconv.Atoi(number)
	if !ok || err != nil || n < 1 {
		return session, -1
	}
	return session, n - 1
}

// newSeed is another number each time.
func (c *call) newSeed() uint64 {
	h := fnv.New64a()
	fmt.Fprintf(h, "%q %q %q %q %q %d", c.request.Platform, c.request.Tenant, c.request.Channel, c.request.Who.ID, c.request.ID, c.now.UnixNano())
	return h.Sum64()
}

// sessionID names a session of a seed: eight letters and digits.
func sessionID(seed uint64) string {
	s := strconv.FormatUint(seed, 36)
	return s[max(0, len(s)-8):]
}
