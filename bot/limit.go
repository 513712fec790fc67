package bot

import (
	"cmp"
	"container/list"
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Rate is how many requests may come: Burst at once, and from then on so many a second. The zero
// value is the default; a negative Burst: as many as one likes.
type Rate struct {
	Burst  int
	Second float64
}

func (r Rate) none() bool { return r.Burst < 0 }

// Rates are how often a tutor may be asked something. They are far above what a class does, and
// keep one person, one channel, one tenant from taking all of the machine. What is over them is told
// so, at no cost to speak of, and never queued.
type Rates struct {
	Person  Rate // what one person does, wherever: 60, 5 a second; who clicks fast clicks thrice a second
	Channel Rate // what is done in a channel, but for short answers, of which a class gives one each at once: 600, 30 a second
	Tenant  Rate // the same of a whole server or workspace: 3,000, 150 a second
	Outside Rate // requests from outside with one kubeconfig, of which kubectl makes some for one command: 300, 25 a second
	Door    Rate // the same with all of a channel: 2,000, 150 a second
	Typing  Rate // completions that one person is offered, one with each key pressed: 60, 12 a second
}

// Unlimited is for whoever is alone with their machine: a terminal, and the script that writes to it.
func Unlimited() Rates {
	none := Rate{Burst: -1}
	return Rates{Person: none, Channel: none, Tenant: none, Outside: none, Door: none, Typing: none}
}

func (r Rates) orDefault() Rates {
	return Rates{
		Person:  cmp.Or(r.Person, Rate{60, 5}),
		Channel: cmp.Or(r.Channel, Rate{600, 30}),
		Tenant:  cmp.Or(r.Tenant, Rate{3000, 150}),
		Outside: cmp.Or(r.Outside, Rate{300, 25}),
		Door:    cmp.Or(r.Door, Rate{2000, 150}),
		Typing:  cmp.Or(r.Typing, Rate{60, 12}),
	}
}

// How many are remembered: whoever came least recently is forgotten, and begins anew with a full bucket.
const (
	limitedPeople   = 10_000
	limitedChannels = 4000
	limitedTenants  = 1000
)

// toldOnce is for how long a person who was told to wait is not told again: an answer to each of
// a thousand presses would be worse than the presses.
const toldOnce = 5 * time.Second

// Excess is that a request came too soon after others.
type Excess struct {
	Of    string        // whose rate it is over: person, channel, tenant
	Wait  time.Duration // after which one like it is taken, if no other comes
	Quiet bool          // the person was told a moment ago: nothing need be said where that is possible
	Reply Reply         // what to say
}

// limiter counts what is asked for. It is not the tutor's clock that it goes by but the machine's, since
// it is the machine that it spares.
type limiter struct {
	now func() time.Time

	mu                              sync.Mutex
	person, channel, tenant, typing buckets
	outside, door, kept             buckets
}

func newLimiter(r Rates) *limiter {
	return &limiter{
		now:    time.Now,
		person: newBuckets(r.Person, limitedPeople), channel: newBuckets(r.Channel, limitedChannels),
		outside: newBuckets(r.Outside, limitedPeople), door: newBuckets(r.Door, limitedChannels),
		tenant: newBuckets(r.Tenant, limitedTenants), typing: newBuckets(r.Typing, limitedPeople),
		kept: newBuckets(Rate{dayOfReplies, float64(dayOfReplies) / (24 * 60 * 60)}, limitedTenants),
	}
}

// buckets are those of one kind, the one used last at the back.
type buckets struct {
	rate  Rate
	most  int
	of    map[Scope]*list.Element
	order *list.List
}

type bucket struct {
	of    Scope
	limit *rate.Limiter
	told  time.Time // a person's: when they were told to wait
}

func newBuckets(r Rate, most int) buckets {
	return buckets{rate: r, most: most, of: map[Scope]*list.Element{}, order: list.New()}
}

// get is a scope's bucket. A full memory has the oldest leave, and its bucket serves the newcomer.
func (b *buckets) get(s Scope) *bucket {
	if e := b.of[s]; e != nil {
		b.order.MoveToBack(e)
		return e.Value.(*bucket)
	}
	if b.order.Len() >= b.most {
		delete(b.of, b.order.Remove(b.order.Front()).(*bucket).of)
	}
	k := &bucket{of: s, limit: rate.NewLimiter(rate.Limit(b.rate.Second), b.rate.Burst)}
	b.of[s] = b.order.PushBack(k)
	return k
}

// wait is how long it takes until the bucket gives one more; 0: it does now.
func (k *bucket) wait(now time.Time) time.Duration {
	lacks := 1 - k.limit.TokensAt(now)
	switch {
	case lacks <= 0:
		return 0
	case k.limit.Limit() <= 0:
		return time.Hour
	}
	return time.Duration(math.Ceil(lacks / float64(k.limit.Limit()) * float64(time.Second)))
}

// take takes one out of each bucket that the request counts in, or none, and says which lacks one and how
// long for, and whether the person need not be told of it.
func (l *limiter) take(r *Request, gathers bool) (of string, wait time.Duration, quiet bool) {
	if l.person.rate.none() && l.channel.rate.none() && l.tenant.rate.none() {
		return "", 0, false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	var all [3]*bucket
	names := [3]string{"person", "channel", "tenant"}
	who := l.person.get(r.person())
	if !l.person.rate.none() {
		all[0] = who
	}
	if !gathers {
		if !l.channel.rate.none() {
			all[1] = l.channel.get(r.Place().Scope())
		}
		if r.Tenant != "" && !l.tenant.rate.none() {
			all[2] = l.tenant.get(Scope{Platform: r.Platform, Tenant: r.Tenant})
		}
	}
	for i, k := range all {
		if k == nil {
			continue
		}
		if w := k.wait(now); w > wait {
			of, wait = names[i], w
		}
	}
	if wait > 0 {
		quiet = !who.told.IsZero() && now.Sub(who.told) < toldOnce
		if !quiet {
			who.told = now
		}
		return of, wait, quiet
	}
	for _, k := range all {
		if k != nil {
			k.limit.AllowN(now, 1)
		}
	}
	return "", 0, false
}

// visits is how long a request from outside has to wait; 0: it may go on, and is counted.
func (l *limiter) visits(hash string, p Place) (of string, wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	var all []*bucket
	if !l.outside.rate.none() {
		all = append(all, l.outside.get(Scope{Platform: "kubectl", Person: hash}))
	}
	if !l.door.rate.none() {
		all = append(all, l.door.get(p.Scope()))
	}
	for _, k := range all {
		if w := k.wait(now); w > wait {
			wait, of = w, "channel"
			if k.of.Platform == "kubectl" {
				of = "person"
			}
		}
	}
	if wait > 0 {
		return of, wait
	}
	for _, k := range all {
		k.limit.AllowN(now, 1)
	}
	return "", 0
}

// dayOfReplies is how many bytes of long replies of a tenant are kept whole, at once and in each day: those of a day are kept, and the longest
// there are, as often as may be asked, would fill any disk.
const dayOfReplies = 256 << 20

// keeps says that n bytes of a reply may be kept.
func (l *limiter) keeps(s Scope, n int) bool {
	if l.tenant.rate.none() {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.kept.get(s).limit.AllowN(l.now(), n)
}

// types says that a person may be offered completions.
func (l *limiter) types(r *Request) bool {
	if l.typing.rate.none() {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.typing.get(r.person()).limit.AllowN(l.now(), 1)
}

// Admit counts a request, and gives the excess where it is over a rate: then it is to be told, and
// nothing else done. Nil: it may go on. Accept does the same for what was not admitted before;
// a front end calls it itself to know before it acknowledges anything, or to answer in its own way.
func (t *Tutor) Admit(r *Request) *Excess {
	if r.admitted || r.Resumed { // it was begun by a process that has ended
		return nil
	}
	r.admitted = true
	gathers := len(r.Line) <= longestGathered && t.Manner(*r).Gathers
	of, wait, quiet := t.limits.take(r, gathers)
	if wait == 0 {
		return nil
	}
	t.cfg.Metrics.exceeded(r.Platform, of)
	w := t.wordsOf(t.spoken.of(*r), r.Locale)
	seconds := max(1, int(math.Ceil(wait.Seconds())))
	id := map[string]string{"person": "limit.person", "channel": "limit.channel", "tenant": "limit.tenant"}[of]
	return &Excess{Of: of, Wait: wait, Quiet: quiet, Reply: Reply{
		Blocks:  []Block{Text{w.say(id, with{"Seconds": seconds})}},
		Private: !r.Alone, Final: true, Failed: true,
	}}
}
