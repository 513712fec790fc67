package bot

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"timonier/bot/quiz"
	"timonier/content"
)

// Besides the shards of a person's deck, cards/ holds cards/await/SESSION: what the person answered in a session whose verdict is
// not out yet. It counts, in their progress and in their deck, when they look at either and it is: before, a number that goes up
// would tell who asks whether the answer was right, and there may be time to change it or to tell others.
const keyAwait = keyCards + "await/"

// awaiting are a person's answers in a session that are not counted yet.
type awaiting struct {
	Tenant  string    `json:"tenant,omitempty"` // of the session, and its channel
	Channel string    `json:"channel"`
	Answers []awaited `json:"answers"`
}

// awaited is one answer.
type awaited struct {
	Question int         `json:"q"`
	Item     string      `json:"i,omitempty"` // empty: it was made for the session alone, and has no card
	At       quiz.Moment `json:"at"`
	Right    bool        `json:"r,omitempty"`
	Credit   float64     `json:"c,omitempty"`
	Hint     bool        `json:"h,omitempty"`
	Slow     bool        `json:"s,omitempty"`
}

// learnFrom counts an answer to a class's question, and feeds it to the person's deck, once the verdict is out. An answer that is
// changed takes the place of the one before.
func (c *call) learnFrom(s *openQuiz, item *content.Item, rec quiz.Record) error {
	a := awaited{Question: rec.Question, At: rec.At, Right: rec.Right, Credit: rec.Credit, Hint: rec.Hint}
	if _, ok := c.item(item.ID); ok {
		a.Item = item.ID
	}
	if m := s.Rules.Mode; m == quiz.Race || m == quiz.Hosted { // the others open long before one looks at the question
		a.Slow = quiz.Slow(item.Kind, time.Duration(rec.Took)*time.Millisecond)
	}
	if s.Disclosed(rec.Question) {
		deck, err := c.deck()
		if err == nil {
			c.learn(deck, a)
		}
		return err
	}
	w := awaiting{Tenant: c.channel.scope.Tenant, Channel: c.channel.scope.Channel}
	kept, err := readShelf(c.ctx, c.tutor.cfg.Store, c.learner.scope, keyAwait+s.ID)
	if err != nil {
		return err
	}
	if err := kept.get(keyAwait+s.ID, &w); err != nil {
		return err
	}
	for i, before := range w.Answers {
		if before.Question == a.Question {
			w.Answers[i] = a
			return c.learner.setJSON(keyAwait+s.ID, w)
		}
	}
	w.Answers = append(w.Answers, a)
	return c.learner.setJSON(keyAwait+s.ID, w)
}

// learn counts an answer, and feeds it to the deck.
func (c *call) learn(deck *quiz.Deck, a awaited) {
	c.learner.progress.Asked++
	if a.Right {
		c.learner.progress.Right++
	}
	if a.Item == "" {
		return
	}
	done := deck.Review(a.Item, quiz.Outcome{Right: a.Right, Credit: a.Credit, Hint: a.Hint, Slow: a.Slow}, a.At.Time())
	c.learner.set(shardRecord(done.Shard), deck.Pack(done.Shard))
}

func shardRecord(shard int) string { return fmt.Sprintf("%s%02d", keyCards, shard) }

// deck is the person's whole deck, with all answers whose verdict is out. It is read once in a call.
func (c *call) deck() (*quiz.Deck, error) {
	if c.cards != nil {
		return c.cards, nil
	}
	records, _, err := c.tutor.cfg.Store.Read(c.ctx, c.learner.scope, keyCards)
	if err != nil {
		return nil, fmt.Errorf("read cards: %w", err)
	}
	deck, waiting := &quiz.Deck{}, []Record(nil)
	for _, rec := range records {
		if strings.HasPrefix(rec.Key, keyAwait) {
			waiting = append(waiting, rec)
		} else if shard, err := strconv.Atoi(rec.Key[len(keyCards):]); err != nil {
			continue // cards/undo, of older versions
		} else if err := deck.Load(shard, rec.Value); err != nil {
			return nil, err
		}
	}
	if err := c.seal(); err != nil {
		return nil, err
	}
	for _, rec := range waiting {
		if err := c.catchUpWith(deck, rec); err != nil {
			return nil, err
		}
	}
	c.cards = deck
	return deck, nil
}

// seal notes which items no review asks meanwhile, as it would tell what is right: what the quiz that runs here asks, and, by
// catchUpWith, what the person has answered elsewhere.
func (c *call) seal() error {
	c.sealed = map[string]bool{}
	s, err := c.openQuiz()
	if s == nil || err != nil {
		return err
	}
	for n, item := range s.Items {
		if !s.Disclosed(n) {
			c.sealed[item] = true
		}
	}
	return nil
}

// catchUpWith learns from those answers of a session whose verdict is out by now.
func (c *call) catchUpWith(deck *quiz.Deck, rec Record) error {
	var w awaiting
	if err := json.Unmarshal(rec.Value, &w); err != nil {
		return fmt.Errorf("decode record %s: %w", rec.Key, err)
	}
	s, err := c.sessionIn(w, strings.TrimPrefix(rec.Key, keyAwait))
	if err != nil {
		return err
	}
	var left []awaited
	for _, a := range w.Answers {
		if s != nil && !s.Disclosed(a.Question) {
			left = append(left, a)
			c.sealed[a.Item] = true
			continue
		}
		c.learn(deck, a)
	}
	switch {
	case len(left) == 0:
		c.learner.set(rec.Key, nil)
	case len(left) < len(w.Answers):
		w.Answers = left
		return c.learner.setJSON(rec.Key, w)
	}
	return nil
}

// sessionIn is a session wherever it was; nil: it is kept no more.
func (c *call) sessionIn(w awaiting, id string) (*quiz.Session, error) {
	if here := c.channel.scope; here.Tenant == w.Tenant && here.Channel == w.Channel {
		s, err := c.session(id)
		if s == nil || err != nil {
			return nil, err
		}
		return &s.Session, nil
	}
	return c.readSession(Scope{Platform: c.request.Platform, Tenant: w.Tenant, Channel: w.Channel}, id)
}

// readSession reads a session of any channel; nil: it is kept no more.
func (c *call) readSession(scope Scope, id string) (*quiz.Session, error) {
	kept, err := readShelf(c.ctx, c.tutor.cfg.Store, scope, keyQuiz+id)
	if err != nil {
		return nil, err
	}
	var s *quiz.Session
	err = kept.get(keyQuiz+id, &s)
	return s, err
}
