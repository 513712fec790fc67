package bot

import (
	"context"
	"errors"
	"slices"
	"strings"
)

// Where nothing can be written, or the disk is at work on what others have done and takes its time, who only looks is answered all the
// same, and nothing of it is kept. What such a command has
// changed is what time has made of the cluster, which comes out the same when it is computed again, and what
// nobody misses: the channel is read again from the store with the next command, so that what is in memory is never
// ahead of the file.

// losable are the prefixes of a channel's records that a command which looks may lose.
func losable() []string {
	return []string{
		keyCluster,           // it has gone on, by itself
		channelClock,         // until when it has
		channelLast,          // a look that failed, for /pourquoi
		channelLong, keyLong, // the pages of a long answer: its file has all of it
	}
}

// goesUnkept says whether an error is that nothing can be written, or not now, and what was to be is not missed. One that says that it
// was not done in time may be wrong: where the disk has it after all, it has what was told.
func (g *batch) goesUnkept(err error) bool {
	return (errors.Is(err, ErrFull) || errors.Is(err, ErrReadOnly) || errors.Is(err, context.DeadlineExceeded)) && g.onlyLooks()
}

// onlyLooks says that what is to be written is that of one command which looks.
func (g *batch) onlyLooks() bool {
	if len(g.calls) != 1 || !g.calls[0].looked {
		return false
	}
	for _, w := range g.out.Writes {
		if w.Scope != g.calls[0].channel.scope || len(w.Drop) > 0 {
			return false
		}
		for _, r := range w.Changes {
			if !slices.ContainsFunc(losable(), func(p string) bool { return strings.HasPrefix(r.Key, p) }) {
				return false
			}
		}
	}
	return true
}

// unkept makes a reply that of a command of which nothing is kept. Its person is told so once, until
// something can be kept in the channel again.
func (t *Tutor) unkept(ln *lane, a *served, g *batch, err error) {
	ln.loaded = nil
	a.reply.Follow = nil // there is nothing that would go on
	if who := a.request.Who.ID; !ln.warned[who] {
		if ln.warned == nil || len(ln.warned) >= mostWarned {
			ln.warned = map[string]bool{}
		}
		ln.warned[who] = true
		t.cfg.Logger.WarnContext(a.ctx, "answered, and nothing of it kept", "platform", a.request.Platform, "tenant", a.request.Tenant, "channel", a.request.Channel, "error", err)
		a.reply.Blocks = append(slices.Clip(a.reply.Blocks), Text{g.calls[0].say("failure.unkept")})
	}
	g.replies[0] = a.reply
}

// mostWarned bounds the people of a channel who are known to have been told.
const mostWarned = 500

// always is of a command all of which only looks.
func always(string) bool { return true }

func showsCluster(args string) bool { return args == "" || clusterShow.is(args) }
