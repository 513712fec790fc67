package bot

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// What is to be said unasked is kept in the scope that says it, a channel's or a person's: in
// outbox/all/KEY what is for all in the channel, in outbox/to/PERSON/KEY what is for one person
// alone. Once said it leaves; under shown/ in its place is kept how to find the message again,
// so that what is said under the same key later is said in its stead.
const (
	keyOutbox = "outbox/"
	keyShown  = "shown/"
)

// Bounds of a scope's outbox, and of the messages that it can still change.
const (
	mostUnsaid        = 100
	mostUnsaidPrivate = 2000
	mostShown         = 100
	mostShownPrivate  = 2000
	mostStale         = 24 * time.Hour // what could not be said for so long is said no more
)

// utterance is one thing to be said: a record of the outbox.
type utterance struct {
	Order    uint64          `json:"order"` // its place among those of the scope
	Once     uint64          `json:"once"`  // no other of the scope has it
	Person   string          `json:"person,omitempty"`
	Key      string          `json:"key"`
	Locale   string          `json:"locale,omitempty"`
	Pictures string          `json:"pictures,omitempty"`
	Last     bool            `json:"last,omitempty"` // nothing else will be said under the key
	At       time.Time       `json:"at"`
	Reply    json.RawMessage `json:"reply"`
}

// shownAt is where what was said under a key is shown.
type shownAt struct {
	Once uint64          `json:"once"` // of what was said last
	Way  json.RawMessage `json:"way"`
}

func (u *utterance) record() string { return keyOutbox + lineOf(u.Person) + url.PathEscape(u.Key) }

// shownRecord is where the way back to what was said under a key is kept.
func (u *utterance) shownRecord() string { return keyShown + lineOf(u.Person) + url.PathEscape(u.Key) }

// lineOf is the part of a record's key that says for whom it is.
func lineOf(person string) string {
	if person == "" {
		return "all/"
	}
	return "to/" + url.PathEscape(person) + "/"
}

// voice is the small record of a scope that speaks unasked: when it wants to be woken, and what it
// knows of its place from whoever made it speak last.
type voice struct {
	Session  time.Time `json:"session,omitzero"`  // alarms: see wakers
	Daily    time.Time `json:"daily,omitzero"`    //
	Reminder time.Time `json:"reminder,omitzero"` // a person's

	Count    uint64 `json:"count,omitempty"` // of the utterances there have been
	Parent   string `json:"parent,omitempty"`
	Locale   string `json:"locale,omitempty"`
	Pictures string `json:"pictures,omitempty"`
	Direct   bool   `json:"direct,omitempty"`
	Alone    bool   `json:"alone,omitempty"`
}

// outbox is what a scope has to say, while it is in memory. What a command says is put with the
// scope's records when it commits.
type outbox struct {
	says   []utterance           // by the command that runs
	unsaid map[string]*utterance // by record; nil: not read yet
	shown  map[string]uint64     // by record: what was said last; nil: not read yet
	fresh  [2]bool               // what the commit adds: for all, for one
}

// announce has r said in the channel when the command is committed: as a new message, or in the
// stead of what was said under the same key before. Of what has not been said yet under a key,
// only the newest is. It is said once, also after a restart, in the order of the first
// announcements of the keys. Keys are any text. In a person's own wake it is said to the person.
func (c *call) announce(key string, r Reply) { c.utter("", key, r, false) }

// announceTo has r said to one person alone, by private message.
func (c *call) announceTo(person, key string, r Reply) { c.utter(person, key, r, false) }

// announceLast is announce (person empty) or announceTo for what is said last under its key: the
// message will not be changed any more.
func (c *call) announceLast(person, key string, r Reply) { c.utter(person, key, r, true) }

// settle says that nothing more will be said here under keys that begin with prefix: what was
// said stays as it is, and what is still to be said is.
func (c *call) settle(prefix string) {
	o := &c.channel.outbox
	if c.woken {
		o, _ = c.own()
	}
	o.says = append(o.says, utterance{Key: prefix})
}

func (c *call) utter(person, key string, r Reply, last bool) {
	o, v := &c.channel.outbox, &c.channel.voice
	if who := c.request.Who.ID; c.woken && who != "" { // a person's own
		o, v, person = &c.learner.outbox, &c.learner.voice, who
	}
	c.placed(v)
	r.Follow, r.Private, r.Final = nil, person != "", true
	data, err := keep(r)
	if err != nil { // a block that JSON does not know: there is none
		c.tutor.cfg.Logger.Error("keep announcement", "key", key, "error", err)
		return
	}
	o.says = append(o.says, utterance{Person: person, Key: key, Locale: c.lang, Pictures: c.request.Pictures, Last: last, At: c.now.UTC(), Reply: data})
}

// placed keeps what the request says of its place, for when there is none.
func (c *call) placed(v *voice) {
	if r := c.request; !c.woken {
		v.Locale, v.Pictures = r.Locale, r.Pictures
		v.Parent, v.Direct, v.Alone = r.Parent, r.Direct, r.Alone
	}
}

// read reads what is unsaid and what is shown, unless that is in memory.
func (o *outbox) read(ctx context.Context, store Store, s Scope) error {
	if o.unsaid != nil {
		return nil
	}
	unsaid, err := readUnsaid(ctx, store, s, keyOutbox)
	if err != nil {
		return err
	}
	records, _, err := store.Read(ctx, s, keyShown)
	if err != nil {
		return fmt.Errorf("read what is shown: %w", err)
	}
	o.unsaid, o.shown = map[string]*utterance{}, map[string]uint64{}
	for _, u := range unsaid {
		o.unsaid[u.record()] = u
	}
	for _, rec := range records {
		var at shownAt
		if err := json.Unmarshal(rec.Value, &at); err != nil {
			return fmt.Errorf("decode record %s: %w", rec.Key, err)
		}
		o.shown[rec.Key] = at.Once
	}
	return nil
}

// readUnsaid are the utterances below a prefix, in their order.
func readUnsaid(ctx context.Context, store Store, s Scope, prefix string) ([]*utterance, error) {
	records, _, err := store.Read(ctx, s, prefix)
	if err != nil {
		return nil, fmt.Errorf("read outbox: %w", err)
	}
	var all []*utterance
	for _, rec := range records {
		u := &utterance{}
		if err := json.Unmarshal(rec.Value, u); err != nil {
			return nil, fmt.Errorf("decode record %s: %w", rec.Key, err)
		}
		all = append(all, u)
	}
	slices.SortFunc(all, func(a, b *utterance) int { return cmp.Compare(a.Order, b.Order) })
	return all, nil
}

// put puts what the command says with the records of its scope.
func (o *outbox) put(ctx context.Context, t *Tutor, sh *shelf, v *voice) error {
	says := o.says
	if o.says, o.fresh = nil, [2]bool{}; len(says) == 0 {
		return nil
	}
	if err := o.read(ctx, t.cfg.Store, sh.scope); err != nil {
		return err
	}
	for _, u := range says {
		var err error
		if u.Reply == nil {
			err = o.settled(sh, u.Key)
		} else {
			err = o.add(t, sh, v, &u)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (o *outbox) add(t *Tutor, sh *shelf, v *voice, u *utterance) error {
	v.Count++
	u.Once, u.Order = v.Count, v.Count
	if before := o.unsaid[u.record()]; before != nil {
		u.Order = before.Order
	}
	o.unsaid[u.record()] = u
	o.fresh[kindOfLine(u.Person)] = true
	most := mostUnsaid
	if u.Person != "" {
		most = mostUnsaidPrivate
	}
	if old := o.oldest(u.Person != "", most); old != nil {
		t.cfg.Logger.Warn("too much is to be said: the oldest is not", "platform", sh.scope.Platform, "key", old.Key)
		t.cfg.Metrics.announced(sh.scope.Platform, "dropped")
		delete(o.unsaid, old.record())
		sh.set(old.record(), nil)
	}
	return sh.setJSON(u.record(), u)
}

// oldest is what leaves a line that is longer than most; nil where none has to.
func (o *outbox) oldest(private bool, most int) *utterance {
	if len(o.unsaid) <= most {
		return nil
	}
	var old *utterance
	n := 0
	for _, u := range o.unsaid {
		if (u.Person != "") == private {
			if n++; old == nil || u.Order < old.Order {
				old = u
			}
		}
	}
	if n <= most {
		return nil
	}
	return old
}

// settled forgets the ways back to what was said under keys with a prefix.
func (o *outbox) settled(sh *shelf, prefix string) error {
	for _, u := range o.unsaid {
		if strings.HasPrefix(u.Key, prefix) && !u.Last {
			last := *u // another may be saying the one that was read
			last.Last = true
			o.unsaid[u.record()] = &last
			if err := sh.setJSON(u.record(), &last); err != nil {
				return err
			}
		}
	}
	for record := range o.shown {
		key, _ := url.PathUnescape(record[strings.LastIndexByte(record, '/')+1:])
		if _, waits := o.unsaid[keyOutbox+strings.TrimPrefix(record, keyShown)]; !waits && strings.HasPrefix(key, prefix) {
			delete(o.shown, record)
			sh.set(record, nil)
		}
	}
	return nil
}

// unsay takes out what will not be said, unless a newer one is there by now.
func (o *outbox) unsay(ctx context.Context, store Store, sh *shelf, u *utterance) error {
	if err := o.read(ctx, store, sh.scope); err != nil {
		return err
	}
	if now := o.unsaid[u.record()]; now != nil && now.Once == u.Once {
		delete(o.unsaid, u.record())
		sh.set(u.record(), nil)
	}
	return nil
}

// said notes that an utterance was said, and where it is shown; way is nil where it cannot be
// found again. A newer one under its key still waits.
func (o *outbox) said(ctx context.Context, store Store, sh *shelf, u *utterance, way json.RawMessage) error {
	if err := o.read(ctx, store, sh.scope); err != nil {
		return err
	}
	last := u.Last
	if now := o.unsaid[u.record()]; now != nil && now.Once == u.Once {
		last = now.Last
		delete(o.unsaid, u.record())
		sh.set(u.record(), nil)
	}
	record := u.shownRecord()
	if way == nil || last {
		if _, ok := o.shown[record]; ok {
			delete(o.shown, record)
			sh.set(record, nil)
		}
		return nil
	}
	o.shown[record] = u.Once
	o.forgetShown(sh, u.Person != "")
	return sh.setJSON(record, shownAt{u.Once, way})
}

// forgetShown lets the way back to the oldest message go where there are too many.
func (o *outbox) forgetShown(sh *shelf, private bool) {
	prefix, most := keyShown+"all/", mostShown
	if private {
		prefix, most = keyShown+"to/", mostShownPrivate
	}
	if len(o.shown) <= most {
		return
	}
	oldest, n := "", 0
	for record, once := range o.shown {
		if strings.HasPrefix(record, prefix) {
			if n++; oldest == "" || once < o.shown[oldest] {
				oldest = record
			}
		}
	}
	if n > most {
		delete(o.shown, oldest)
		sh.set(oldest, nil)
	}
}

// drop forgets all that is to be said to a person, or to all (empty), and all that was.
func (o *outbox) drop(ctx context.Context, store Store, sh *shelf, person string) error {
	if err := o.read(ctx, store, sh.scope); err != nil {
		return err
	}
	for record := range o.unsaid {
		if strings.HasPrefix(record, keyOutbox+lineOf(person)) {
			delete(o.unsaid, record)
			sh.set(record, nil)
		}
	}
	for record := range o.shown {
		if strings.HasPrefix(record, keyShown+lineOf(person)) {
			delete(o.shown, record)
			sh.set(record, nil)
		}
	}
	return nil
}

// kindOfLine is the index of a line in what is kept for each of the two: for all, for one.
func kindOfLine(person string) int {
	if person == "" {
		return 0
	}
	return 1
}
