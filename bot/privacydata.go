package bot

import (
	"encoding/json"
	"fmt"
	"strings"

	"timonier/bot/quiz"
)

// ownData is /réglages mes-données: a file of all that is kept of the person.
func (c *call) ownData() (Reply, error) {
	if err := c.readBank(); err != nil {
		return Reply{}, err
	}
	all := everything{At: c.now.UTC(), Platform: c.request.Platform, ID: c.request.Who.ID, ShowName: c.learner.settings.ShowName,
		Records: map[string]json.RawMessage{}, Cards: []ownCard{}, Answers: []ownAnswer{}, Predictions: []ownPrediction{}, Kubeconfigs: []ownKubeconfig{}, Flags: []string{},
		Teaches: among(c.house.teachers.IDs, c.request.Who.ID)}
	if err := c.ownRecords(&all); err != nil {
		return Reply{}, err
	}
	footprints, err := c.footprints()
	if err != nil {
		return Reply{}, err
	}
	for _, t := range footprints {
		if err := c.ownIn(&all, t); err != nil {
			return Reply{}, err
		}
	}
	houses, err := c.knownHouses()
	if err != nil {
		return Reply{}, err
	}
	for _, h := range houses {
		flags, err := c.flagsIn(h)
		if err != nil {
			return Reply{}, err
		}
		for _, key := range flags {
			all.Flags = append(all.Flags, flaggedItem(key))
		}
	}
	data, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return Reply{}, fmt.Errorf("encode what is kept: %w", err)
	}
	text := c.say("privacy.data", with{"Answers": len(all.Answers), "Cards": len(all.Cards)})
	r := Reply{Blocks: []Block{Text{text}}, Files: []File{{Name: c.say("privacy.datafile"), Type: "application/json", Data: append(data, '\n')}}}
	return r.with(Button{Label: c.say("privacy.forgetme"), Line: c.typed("settings", forgetMe.in(c.words))}), nil
}

// ownRecords adds the records of the person's own scope: the cards taken apart, the others as they are.
func (c *call) ownRecords(all *everything) error {
	records, _, err := c.tutor.cfg.Store.Read(c.ctx, c.learner.scope, "")
	if err != nil {
		return fmt.Errorf("read what is kept: %w", err)
	}
	for _, rec := range records {
		switch {
		case strings.HasPrefix(rec.Key, keyCards): // also the answers that wait: they are told of below
		case json.Valid(rec.Value):
			all.Records[rec.Key] = rec.Value
		default:
			text, err := json.Marshal(string(rec.Value))
			if err != nil {
				return fmt.Errorf("encode record: %w", err)
			}
			all.Records[rec.Key] = text
		}
	}
	deck, err := c.deck()
	if err != nil {
		return err
	}
	if c.learner.progress != (progress{}) { // as it is with what has come to count since
		if all.Records[personProgress], err = json.Marshal(c.learner.progress); err != nil {
			return fmt.Errorf("encode progress: %w", err)
		}
	}
	for card := range deck.Cards() {
		m := card.Memory
		all.Cards = append(all.Cards, ownCard{Item: card.Item, First: card.First, Last: m.LastReview, Due: m.Due, Wrong: card.Wrong,
			Reviews: m.Reps, Lapses: m.Lapses, Stability: m.Stability, Difficulty: m.Difficulty})
	}
	return nil
}

// isSecret says that whether answers to a session are right is not told yet: it is not over.
func (c *call) isSecret(scope Scope, session string) (bool, error) {
	s, err := c.readSession(scope, session)
	if s == nil || err != nil {
		return false, err
	}
	return s.Phase != quiz.Over && s.Rules.Mode.Feedback() != quiz.AtOnce, nil
}

// ownIn adds what a channel has of the person.
func (c *call) ownIn(all *everything, t footprint) error {
	me, store := c.request.Who.ID, c.tutor.cfg.Store
	for _, s := range t.sessions {
		secret, err := c.isSecret(t.scope, s)
		if err != nil {
			return err
		}
		answers, _, err := store.Read(c.ctx, t.scope, sessionAnswers(s))
		if err != nil {
			return fmt.Errorf("read answers: %w", err)
		}
		names, _, err := store.Read(c.ctx, t.scope, nameRecord(s, me))
		if err != nil {
			return fmt.Errorf("read names: %w", err)
		}
		for _, rec := range answers {
			_, question, person, ok := whoseAnswer(rec.Key)
			if !ok || person != me {
				continue
			}
			own := ownAnswer{Tenant: t.scope.Tenant, Channel: t.scope.Channel, Session: s, Question: question + 1}
			if err := json.Unmarshal(rec.Value, &own.Kept); err != nil {
				return fmt.Errorf("decode record %s: %w", rec.Key, err)
			}
			own.At = own.Kept.At.Time()
			if secret {
				own.Kept.Right, own.Kept.Credit, own.Kept.Is = false, 0, nil
				own.Pending = true
			}
			if item, ok := c.item(own.Kept.Item); ok && own.Kept.Given() {
				own.Words = c.inWords(item, own.Kept.Answer)
			}
			for _, n := range names {
				if n.Key == nameRecord(s, me) {
					own.Name = string(n.Value)
				}
			}
			all.Answers = append(all.Answers, own)
		}
	}
	kubeconfigs, err := c.ownKubeconfigs(t.scope)
	if err != nil {
		return err
	}
	for _, k := range kubeconfigs {
		all.Kubeconfigs = append(all.Kubeconfigs, ownKubeconfig{t.scope.Tenant, t.scope.Channel, k.Number, k.Made, k.Expires, k.Used})
	}
	predictions, _, err := store.Read(c.ctx, t.scope, keyPredictions)
	if err != nil {
		return fmt.Errorf("read predictions: %w", err)
	}
	for _, rec := range predictions {
		if strings.HasSuffix(rec.Key, "/"+me) {
			all.Predictions = append(all.Predictions, ownPrediction{t.scope.Tenant, t.scope.Channel, rec.Key, string(rec.Value)})
		}
	}
	return nil
}
