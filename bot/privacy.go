package bot

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"timonier/bot/quiz"
)

// What is kept of a person is theirs: they can see all of it, and have all of it deleted for good.
// Their own scope has most. What they answered and foretold is in the channels' scopes; records of
// their own say in which: took/SESSION and voted/CHANNEL.

// The words of /réglages that are about what is kept of a person.
var (
	myData       = name{"mes-données", "my-data"}
	forgetMe     = name{"oublie-moi", "forget-me"}
	forName      = name{"nom", "name"}
	forRetention = name{"rétention", "retention"}
)

// keyVoted is the prefix of where a person foretold something: took, by the channel's hash. keyKnown is
// that of the tenants that have something of the person without a channel: a flag of theirs, or
// their ID among those who teach.
const (
	keyVoted = "voted/"
	keyKnown = keyPerson + "house/"
	// keyAdmitted is that of the channels that have given the person a kubeconfig.
	keyAdmitted = "kubeconfig/"
)

// privacy is /réglages mes-données, oublie-moi and nom; false where the words are about something else.
func (c *call) privacy(words []string) (r Reply, ok bool, err error) {
	switch {
	case myData.is(words[0]) && len(words) == 1:
		r, err = c.ownData()
	case forgetMe.is(words[0]) && len(words) == 1:
		r, err = c.askForget()
	case forgetMe.is(words[0]) && len(words) == 2 && confirmed.is(words[1]):
		r, err = c.forgetPerson()
	case forName.is(words[0]) && len(words) == 2 && wordYes.is(words[1]):
		c.learner.settings.ShowName = true
		r = Reply{Blocks: []Block{Text{c.say("privacy.named")}}}.with(c.nameButton(wordNo))
	case forName.is(words[0]) && len(words) == 2 && wordNo.is(words[1]):
		c.learner.settings.ShowName = false
		err = c.unname()
		r = Reply{Blocks: []Block{Text{c.say("privacy.nameless")}}}.with(c.nameButton(wordYes))
	case forName.is(words[0]) && len(words) == 1:
		r = c.showName()
	default:
		return r, false, nil
	}
	return r, true, err
}

// showName says whether the person's name is shown, and offers the other.
func (c *call) showName() Reply {
	if c.learner.settings.ShowName {
		return Reply{Blocks: []Block{Text{c.say("privacy.isnamed")}}}.with(c.nameButton(wordNo))
	}
	return Reply{Blocks: []Block{Text{c.say("privacy.isnameless")}}}.with(c.nameButton(wordYes))
}

func (c *call) nameButton(answer name) Button {
	label := c.say("privacy.showname")
	if answer == wordNo {
		label = c.say("privacy.hidename")
	}
	return Button{Label: label, Line: c.typed("settings", forName.in(c.words), answer.in(c.words))}
}

// askForget says what is going to be deleted, and asks.
func (c *call) askForget() (Reply, error) {
	r := Reply{Blocks: []Block{Title{c.say("privacy.forgettitle")}, Text{c.say("privacy.forgetask")}}}
	houses, err := c.knownHouses()
	if err != nil {
		return r, err
	}
	for _, h := range houses {
		list, _, err := c.teachersOf(h)
		if err != nil {
			return r, err
		}
		if among(list.IDs, c.request.Who.ID) {
			r.Blocks = append(r.Blocks, Text{c.say("privacy.teacher")})
			break
		}
	}
	return r.with(Button{Label: c.say("privacy.forgetbutton"), Line: c.typed("settings", forgetMe.in(c.words), confirmed.in(c.words)), Style: Danger}).
		with(Button{Label: c.say("privacy.databutton"), Line: c.typed("settings", myData.in(c.words))}), nil
}

// setRetention is /réglages serveur rétention 180.
func (c *call) setRetention(word string) Reply {
	days, err := strconv.Atoi(word)
	if err != nil || days < 1 || days > mostRetention {
		return c.mistake("privacy.badretention", with{"Word": shorten(word), "Most": mostRetention})
	}
	c.house.settings.Retention = days
	return Reply{Blocks: []Block{Text{c.say("privacy.retention", with{"Count": days})}}}
}

// footprint is where a person has left something in a channel.
type footprint struct {
	scope    Scope
	sessions []string
}

// noteVoted notes, with the person, that they foretold something here.
func (c *call) noteVoted() error {
	p := c.channel.scope
	return c.learner.setJSON(keyVoted+hashOf(p), took{Tenant: p.Tenant, Channel: p.Channel, At: c.now.UTC().Round(0)})
}

// noteHouse notes, with the person, that the tenant has something of theirs.
func (c *call) noteHouse() error {
	if c.house.shelf == nil {
		return nil
	}
	key := keyKnown + hashOf(c.house.scope)
	if _, noted := c.learner.records[key]; noted {
		return nil
	}
	return c.learner.setJSON(key, took{Tenant: c.house.scope.Tenant})
}

// knownHouses are the tenants that may have something of the person without a channel, this one among them.
func (c *call) knownHouses() ([]Scope, error) {
	var all []Scope
	add := func(tenant string) {
		h := Scope{Platform: c.request.Platform, Tenant: tenant}
		if tenant != "" && !slices.Contains(all, h) {
			all = append(all, h)
		}
	}
	add(c.request.Tenant)
	for _, prefix := range []string{keyTook, keyVoted, keyAdmitted, keyKnown} {
		records, _, err := c.tutor.cfg.Store.Read(c.ctx, c.learner.scope, prefix)
		if err != nil {
			return nil, fmt.Errorf("read footprints: %w", err)
		}
		for _, rec := range records {
			var t took
			if err := json.Unmarshal(rec.Value, &t); err != nil {
				return nil, fmt.Errorf("decode record %s: %w", rec.Key, err)
			}
			add(t.Tenant)
		}
	}
	return all, nil
}

// footprints are the channels in which the person has left something, this one always among them.
func (c *call) footprints() ([]footprint, error) {
	all := []footprint{{scope: c.channel.scope}}
	for _, prefix := range []string{keyTook, keyVoted, keyAdmitted} {
		records, _, err := c.tutor.cfg.Store.Read(c.ctx, c.learner.scope, prefix)
		if err != nil {
			return nil, fmt.Errorf("read footprints: %w", err)
		}
		for _, rec := range records {
			var t took
			if err := json.Unmarshal(rec.Value, &t); err != nil {
				return nil, fmt.Errorf("decode record %s: %w", rec.Key, err)
			}
			scope := Scope{Platform: c.learner.scope.Platform, Tenant: t.Tenant, Channel: t.Channel}
			i := slices.IndexFunc(all, func(t footprint) bool { return t.scope == scope })
			if i < 0 {
				i, all = len(all), append(all, footprint{scope: scope})
			}
			if prefix == keyTook {
				all[i].sessions = append(all[i].sessions, strings.TrimPrefix(rec.Key, keyTook))
			}
		}
	}
	return all, nil
}

// forgetPerson deletes all that is kept of the person. What other channels and servers have goes
// first, the person's own scope last, with the records that say where the rest is: if it is
// interrupted, it can be asked for again.
func (c *call) forgetPerson() (Reply, error) {
	footprints, err := c.footprints()
	if err != nil {
		return Reply{}, err
	}
	houses, err := c.knownHouses()
	if err != nil {
		return Reply{}, err
	}
	for _, t := range footprints {
		if err := c.forgetKubeconfigs(t.scope); err != nil {
			return Reply{}, err
		}
	}
	for _, t := range footprints[1:] {
		if err := c.rewrite(t.scope, func() (Write, error) { return c.withoutPerson(t) }); err != nil {
			return Reply{}, err
		}
	}
	for _, h := range houses {
		if err := c.forgetInHouse(h); err != nil {
			return Reply{}, err
		}
	}
	w, err := c.withoutPerson(footprints[0])
	if err != nil {
		return Reply{}, err
	}
	c.applyHere(w)
	sh := &shelf{scope: c.learner.scope, version: c.learner.version, records: map[string][]byte{}, changed: map[string][]byte{}, drop: []string{""}}
	c.learner = &learner{shelf: sh}
	c.forgotten = true
	delete(c.lane.offered, c.request.Who.ID)
	return Reply{Blocks: []Block{Text{c.say("privacy.forgotten")}}}, nil
}

// unname takes the person's name from the scoreboards where it stands.
func (c *call) unname() error {
	footprints, err := c.footprints()
	if err != nil {
		return err
	}
	for _, t := range footprints {
		without := func() (Write, error) {
			_, version, err := c.tutor.cfg.Store.Read(c.ctx, t.scope, keyNames+"\x01")
			w := Write{Scope: t.scope, Base: version}
			for _, s := range t.sessions {
				w.Changes = append(w.Changes, Record{Key: nameRecord(s, c.request.Who.ID)})
			}
			return w, err
		}
		if t.scope == c.channel.scope {
			w, err := without()
			if err != nil {
				return err
			}
			c.applyHere(w)
		} else if err := c.rewrite(t.scope, without); err != nil {
			return err
		}
	}
	return nil
}

// rewriteTries is how often a write to another scope is tried while others write there: a class
// that answers in it does so a few times a second.
const rewriteTries = 50

// rewrite writes to a scope that is not the command's own: what it reads there, it reads again
// where somebody has written in between. The lane that has the scope in memory reads it again too.
func (c *call) rewrite(s Scope, write func() (Write, error)) error {
	var err error
	for range rewriteTries {
		var w Write
		if w, err = write(); err != nil {
			return err
		}
		if len(w.Changes)+len(w.Drop) == 0 {
			return nil
		}
		slices.SortFunc(w.Changes, func(a, b Record) int { return cmp.Compare(a.Key, b.Key) })
		if err = c.tutor.cfg.Store.Commit(c.ctx, Commit{Writes: []Write{w}}); !errors.Is(err, ErrConflict) {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("write to %s: %w", s.Platform, err)
	}
	return nil
}

// applyHere has the command's own commit make a write to its channel.
func (c *call) applyHere(w Write) {
	ch := c.channel
	ch.drop = append(ch.drop, w.Drop...)
	for _, r := range w.Changes {
		ch.set(r.Key, r.Value)
		if r.Value == nil {
			delete(ch.records, r.Key)
		}
	}
	ch.quizzes, ch.foretold, ch.outbox = quizzes{}, foretold{}, outbox{says: ch.outbox.says}
}

// withoutPerson is what deletes all that a channel has of the person.
func (c *call) withoutPerson(t footprint) (Write, error) {
	me := c.request.Who.ID
	_, version, err := c.tutor.cfg.Store.Read(c.ctx, t.scope, keyNames+"\x01")
	if err != nil {
		return Write{}, fmt.Errorf("read version: %w", err)
	}
	w := Write{Scope: t.scope, Base: version} // what is written after this one was read is a conflict
	read := func(prefix string) ([]Record, error) {
		records, _, err := c.tutor.cfg.Store.Read(c.ctx, t.scope, prefix)
		if err != nil {
			return nil, fmt.Errorf("read what a person has left: %w", err)
		}
		return records, nil
	}
	for _, s := range t.sessions {
		answers, err := read(sessionAnswers(s))
		if err != nil {
			return w, err
		}
		for _, rec := range answers {
			if _, _, person, ok := whoseAnswer(rec.Key); ok && person == me {
				w.Changes = append(w.Changes, Record{Key: rec.Key})
			}
		}
		w.Changes = append(w.Changes, Record{Key: nameRecord(s, me)}, Record{Key: examRecord(s, me)})
	}
	sessions, err := read(keyQuiz)
	if err != nil {
		return w, err
	}
	for _, rec := range sessions {
		var s openQuiz
		if err := json.Unmarshal(rec.Value, &s); err != nil {
			return w, fmt.Errorf("decode record %s: %w", rec.Key, err)
		}
		if s.Host != me {
			continue
		}
		s.Host = ""
		data, err := json.Marshal(s)
		if err != nil {
			return w, fmt.Errorf("encode session: %w", err)
		}
		w.Changes = append(w.Changes, Record{rec.Key, data})
	}
	predictions, err := read(keyPredictions)
	if err != nil {
		return w, err
	}
	for _, rec := range predictions {
		if strings.HasSuffix(rec.Key, "/"+me) {
			w.Changes = append(w.Changes, Record{Key: rec.Key})
		}
	}
	kubeconfigs, err := c.ownKubeconfigs(t.scope)
	if err != nil {
		return w, err
	}
	for _, k := range kubeconfigs {
		w.Changes = append(w.Changes, Record{Key: k.key()})
	}
	w.Drop = append(w.Drop, keyOutbox+lineOf(me), keyShown+lineOf(me))
	return w, nil
}

// teachersOf reads who teaches in a tenant, and the version at which it is.
func (c *call) teachersOf(h Scope) (t teachers, version uint64, err error) {
	records, version, err := c.tutor.cfg.Store.Read(c.ctx, h, houseTeachers)
	if err != nil {
		return t, 0, fmt.Errorf("read who teaches: %w", err)
	}
	for _, rec := range records {
		if rec.Key != houseTeachers {
			continue
		}
		if err := json.Unmarshal(rec.Value, &t); err != nil {
			return t, 0, fmt.Errorf("decode record %s: %w", rec.Key, err)
		}
	}
	return t, version, nil
}

// forgetInHouse deletes what a tenant has of the person: their flags, and their ID among those
// who teach.
func (c *call) forgetInHouse(h Scope) error {
	if c.house.shelf == nil || h != c.house.scope {
		return c.rewrite(h, func() (Write, error) {
			list, version, err := c.teachersOf(h)
			w := Write{Scope: h, Base: version}
			if err != nil {
				return w, err
			}
			if among(list.IDs, c.request.Who.ID) {
				data, err := json.Marshal(teachers{removed(list.IDs, c.request.Who.ID)})
				if err != nil {
					return w, fmt.Errorf("encode teachers: %w", err)
				}
				w.Changes = append(w.Changes, Record{houseTeachers, data})
			}
			flags, err := c.flagsIn(h)
			for _, key := range flags {
				w.Changes = append(w.Changes, Record{Key: key})
			}
			return w, err
		})
	}
	c.house.teachers.IDs = removed(c.house.teachers.IDs, c.request.Who.ID)
	flags, err := c.flagsIn(h)
	for _, key := range flags {
		c.house.set(key, nil)
	}
	return err
}

// hashOf is a scope as a part of a key.
func hashOf(s Scope) string { return strings.TrimPrefix(agendaKey(s), keyAgenda(s.Platform)) }

// kept cards and answers, as a person gets them.
type (
	ownCard struct {
		Item       string    `json:"item"`
		First      time.Time `json:"first"`
		Last       time.Time `json:"last"`
		Due        time.Time `json:"due"`
		Wrong      time.Time `json:"lastWrong,omitzero"`
		Reviews    uint64    `json:"reviews"`
		Lapses     uint64    `json:"lapses"`
		Stability  float64   `json:"stabilityDays"`
		Difficulty float64   `json:"difficulty"`
	}
	ownAnswer struct {
		Tenant   string      `json:"server,omitempty"`
		Channel  string      `json:"channel"`
		Session  string      `json:"session"`
		Question int         `json:"question"`
		Name     string      `json:"name,omitempty"` // that the scoreboard shows
		Kept     quiz.Record `json:"kept"`
		Words    string      `json:"answer,omitempty"`
		Pending  bool        `json:"gradedAtTheEnd,omitempty"` // the quiz is not over: what it is worth is not told
		At       time.Time   `json:"at,omitzero"`
	}
	ownPrediction struct {
		Tenant  string `json:"server,omitempty"`
		Channel string `json:"channel"`
		Record  string `json:"record"`
		Value   string `json:"value"`
	}
	ownKubeconfig struct {
		Tenant  string    `json:"server,omitempty"`
		Channel string    `json:"channel"`
		Number  int       `json:"number"`
		Made    time.Time `json:"made"`
		Expires time.Time `json:"expires"`
		Used    time.Time `json:"lastUsed,omitzero"`
	}
	everything struct {
		At          time.Time                  `json:"exported"`
		Platform    string                     `json:"platform"`
		ID          string                     `json:"id"`
		ShowName    bool                       `json:"agreedToShowName"`
		Records     map[string]json.RawMessage `json:"records"`
		Cards       []ownCard                  `json:"cards"`
		Answers     []ownAnswer                `json:"answers"`
		Predictions []ownPrediction            `json:"predictions"`
		Kubeconfigs []ownKubeconfig            `json:"kubeconfigs"`
		Flags       []string                   `json:"flaggedQuestions"`
		Teaches     bool                       `json:"listedAsTeacherHere"`
	}
)
