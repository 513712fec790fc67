package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// batch is what one commit writes: the changes of one call, or of several of one channel that
// are answered in one turn, each with the reply that says so. The channel in memory is the same
// for all: a call sees what those before it have changed there, which no Read finds before the
// commit.
type batch struct {
	calls   []*call
	replies []Reply
	out     Commit
	heard   []*heard

	operations, size int // of out, as etcd counts
}

// Bounds of what is gathered. etcd takes 128 operations and 1.5 MiB a transaction; one more call is
// taken while there is room for what such a call and the channel may add.
const (
	mostTogether   = 40
	mostOperations = 128 - 24
	mostSize       = 1 << 20
)

// full says that no further call may be added.
func (g *batch) full() bool {
	return g.operations > mostOperations || g.size > mostSize || g.ofChannel() > mostOperations-g.operations
}

// ofChannel is how many operations the channel's own changes are so far.
func (g *batch) ofChannel() int {
	if len(g.calls) == 0 {
		return 0
	}
	ch := g.calls[0].channel
	return 1 + len(ch.changed) + len(ch.drop)
}

// Errors of what cannot be in one commit.
var (
	// errSameScope is that two calls have changed the same scope, other than their channel's.
	errSameScope = errors.New("two commands of one commit change the same scope")
	// errTaughtAnew is that another course was taught between two calls, with which the channel was
	// read anew: what the first one changed in it would be lost.
	errTaughtAnew = errors.New("another course is taught than to those before")
)

// add adds what a call has changed of its person's and its tenant's. A call that changed nothing
// adds nothing, but its reply is kept where others have something to commit.
func (g *batch) add(c *call, reply Reply) error {
	if len(g.calls) > 0 && g.calls[0].channel != c.channel {
		return errTaughtAnew
	}
	p := c.learner
	if err := g.hear(c, p.shelf, &p.voice, &p.outbox, personVoice); err != nil {
		return err
	}
	err := errors.Join(
		put(p.shelf, personSettings, p.settings), put(p.shelf, personBookmark, p.bookmark), put(p.shelf, personProgress, p.progress), put(p.shelf, personReview, p.review), put(p.shelf, personReminder, p.reminder),
		c.house.put())
	if err != nil {
		return err
	}
	for _, sh := range []*shelf{p.shelf, c.house.shelf} {
		if sh == nil {
			continue
		}
		if w, ok := sh.write(); ok && !g.write(w) {
			return errSameScope
		}
	}
	for _, w := range c.others {
		if !g.write(w) {
			return errSameScope
		}
	}
	g.calls, g.replies = append(g.calls, c), append(g.replies, reply)
	if c.request.ID == "" {
		return nil
	}
	data, err := c.tutor.keepOf(c.request.Place(), reply)
	if err != nil {
		return err
	}
	g.out.Answers = append(g.out.Answers, Answer{Scope: c.channel.scope, Request: c.request.ID, At: c.now, Reply: data})
	g.operations, g.size = g.operations+1, g.size+len(data)
	return nil
}

// write adds a scope's changes; false where it has some already.
func (g *batch) write(w Write) bool {
	if slices.ContainsFunc(g.out.Writes, func(other Write) bool { return other.Scope == w.Scope }) {
		return false
	}
	g.out.Writes = append(g.out.Writes, w)
	g.operations += 1 + len(w.Drop) + len(w.Changes)
	for _, r := range w.Changes {
		g.size += len(r.Key) + len(r.Value)
	}
	return true
}

// hear puts what a scope says unasked with its records.
func (g *batch) hear(c *call, sh *shelf, v *voice, o *outbox, record string) error {
	h, err := c.putVoice(sh, v, o, record)
	if err == nil {
		g.heard = append(g.heard, h)
	}
	return err
}

// commit adds what the calls have changed of their channel, and writes all in one transaction.
// Calls that changed nothing cost none, and their replies are not kept: the request that a later process is given again is answered
// anew, from what there is then. That does no harm, and to keep them makes an answer that needs no disk take four to
// nine times as long, and impossible where there is no room.
func (g *batch) commit(ctx context.Context) error {
	if len(g.calls) == 0 {
		return nil
	}
	c := g.calls[0]
	ch, t := c.channel, c.tutor
	if err := g.hear(c, ch.shelf, &ch.voice, &ch.outbox, channelVoice); err != nil {
		return err
	}
	err := errors.Join(
		put(ch.shelf, channelSettings, ch.settings), put(ch.shelf, channelClock, ch.clock), put(ch.shelf, channelLast, ch.last),
		put(ch.shelf, channelQuiz, ch.quiz), put(ch.shelf, channelLong, ch.long), put(ch.shelf, channelKept, ch.kept), put(ch.shelf, channelExercise, ch.exercise),
		put(ch.shelf, channelStory, ch.story))
	if err != nil {
		return err
	}
	if ch.ahead {
		c.used = true // what a request from outside has seen of the cluster is kept with this
	}
	var cluster []Record
	if i := slices.IndexFunc(g.calls, func(c *call) bool { return c.used }); i >= 0 {
		c = g.calls[i]
		if cluster, err = c.clusterChanges(); err != nil {
			return err
		}
	}
	w, own := ch.write(cluster...)
	if own && !g.write(w) {
		return errSameScope
	}
	if len(g.out.Writes) == 0 {
		return nil
	}
	c.pass.leave() // the disk is waited for
	if g.onlyLooks() {
		var enough context.CancelFunc
		ctx, enough = context.WithTimeout(ctx, t.cfg.Limits.Look)
		defer enough()
	}
	began := time.Now()
	if err := t.cfg.Store.Commit(ctx, g.out); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	t.cfg.Metrics.committed(time.Since(began))
	if own {
		ch.written()
		c.clusterSaved()
		t.outside.ring(ch.scope.ownPlace())
	}
	for _, c := range g.calls {
		t.outside.cut(c.cut)
	}
	for _, h := range g.heard {
		h.tell()
	}
	for _, c := range g.calls {
		if c.forgotten {
			t.lower(c.learner.scope, time.Time{})
		}
	}
	return nil
}

// release lets go of what was held until the commit had been made, or had failed.
func (g *batch) release() {
	for _, h := range g.heard {
		h.release()
	}
}

// commit writes what the command changed, with the reply that says so, in one
// transaction. A command that changed nothing costs none.
func (c *call) commit(reply Reply) error {
	var g batch
	defer g.release()
	if err := g.add(c, reply); err != nil {
		return err
	}
	return g.commit(c.ctx)
}

// readHere reads records of the channel whose keys begin with prefix, as those that share this
// turn have left them: what they have changed is in no store yet.
func (c *call) readHere(prefix string) ([]Record, error) {
	sh := c.channel.shelf
	stored, _, err := c.tutor.cfg.Store.Read(c.ctx, sh.scope, prefix)
	if err != nil {
		return nil, err
	}
	var records []Record
	for _, r := range stored {
		_, changed := sh.changed[r.Key]
		dropped := slices.ContainsFunc(sh.drop, func(p string) bool { return strings.HasPrefix(r.Key, p) })
		if !changed && !dropped {
			records = append(records, r)
		}
	}
	for key, value := range sh.changed {
		if value != nil && strings.HasPrefix(key, prefix) {
			records = append(records, Record{key, slices.Clone(value)})
		}
	}
	slices.SortFunc(records, func(a, b Record) int { return strings.Compare(a.Key, b.Key) })
	return records, nil
}
