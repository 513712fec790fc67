package bot

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"timonier/bot/quiz"
	"timonier/content"
)

// Questions of the channel's own cluster, in a quiz with direct=oui, and one by one by /quiz
// direct. They are made when they are put, not before: by then the cluster may be another.

// liveSlot stands among a session's items where a live question is to be made, until it is. It is
// an ID that no item has: a full stop alone.
const liveSlot = "."

// liveShare is how many of a session's questions there are for each that is live.
const liveShare = 3

// withLive are a session's items with every third a live one.
func withLive(ids []string) []string {
	out := slices.Clone(ids)
	for i := range out {
		if i%liveShare == liveShare-1 || len(out) < liveShare && i == len(out)-1 {
			out[i] = liveSlot
		}
	}
	return out
}

func liveRecord(session string, question int) string {
	return keyLive + session + "/" + strconv.Itoa(question+1)
}

// makeLive makes the question (from 0) of a session that is to be live. Where the cluster gives
// none at the moment, it is one of the bank.
func (c *call) makeLive(s *openQuiz, question int) error {
	if s.Items[question] != liveSlot {
		return nil
	}
	seed := s.SeedOf(question, "")
	item, ok, err := c.liveQuestion(seed)
	if err != nil {
		return fmt.Errorf("make live question: %w", err)
	}
	if !ok {
		wish := quiz.Wish{Modules: s.Rules.Modules, Count: 1, Lang: c.course(), Avoid: append(c.askedLately(), s.Items...)}
		for _, i := range quiz.Choose(c.items(), wish, seed) {
			s.Items[question] = i.ID
		}
		return nil
	}
	s.Items[question] = item.ID
	return c.channel.setJSON(liveRecord(s.ID, question), item)
}

// madeFor is the live question of a session.
func (c *call) madeFor(s *openQuiz, question int) (*content.Item, bool) {
	key, made := liveRecord(s.ID, question), &c.channel.quizzes.made
	if item, ok := (*made)[key]; ok {
		return item, true
	}
	if !strings.HasPrefix(s.Items[question], "live.") {
		return nil, false
	}
	records, err := c.readHere(key)
	if err != nil || len(records) == 0 || records[0].Key != key {
		return nil, false // it is passed over, as one that the course has no more
	}
	item := &content.Item{}
	if json.Unmarshal(records[0].Value, item) != nil {
		return nil, false
	}
	if *made == nil || len(*made) >= mostAnswers {
		*made = map[string]*content.Item{}
	}
	(*made)[key] = item
	return item, true
}

// keyOwnLive is the record of the live question that a person has before them, of /quiz direct: in
// their scope, read where it is answered.
const keyOwnLive = "live"

// liveReview is /quiz direct: a question of the channel's cluster as it is now, for the person alone.
func (c *call) liveReview(string) (Reply, error) {
	seed := c.newSeed()
	item, ok, err := c.liveQuestion(seed)
	if err != nil {
		return Reply{}, fmt.Errorf("make live question: %w", err)
	}
	if !ok {
		return c.noLiveQuestion(), nil
	}
	p := &c.learner.review
	*p = reviewing{Number: p.Number + 1, Item: item.ID, Seed: seed, Asked: c.now.UTC().Round(0), Last: p.Last, Live: true}
	if err := c.learner.setJSON(keyOwnLive, item); err != nil {
		return Reply{}, err
	}
	r := Reply{Blocks: []Block{Text{"*" + c.say("quiz.live.heading") + "*"}}}
	r = c.pose(r, posed{id: reviewID(p.Number), q: quiz.Put(item, seed), hints: true})
	return r.with(Button{Label: c.say("quiz.review.dontknow"), Line: c.answering(reviewID(p.Number), dontKnow)}), nil
}

// onReview is the item of the question that the person has open.
func (c *call) onReview() (*content.Item, bool) {
	p := c.learner.review
	if !p.Live {
		return c.item(p.Item)
	}
	records, _, err := c.tutor.cfg.Store.Read(c.ctx, c.learner.scope, keyOwnLive)
	item := &content.Item{}
	if err != nil || len(records) == 0 || json.Unmarshal(records[0].Value, item) != nil || item.ID != p.Item {
		return nil, false
	}
	return item, true
}
