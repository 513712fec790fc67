package bot

import (
	"context"
	"maps"
	"net/http"
	"strconv"
	"sync"
	"time"

	"timonier/sim"
	"timonier/sim/apiserver"
)

// outside is who is at the door: requests being answered, and watches that are open. Its zero value is empty.
type outside struct {
	mu      sync.Mutex
	inside  map[string]int // requests being answered, by the hash of their token
	all     int
	laden   int // of them, those with a large body
	rooms   map[Place]*room
	count   map[string]int      // open watches, by the hash of their token
	here    map[Place]int       // the same, by their channel
	watches int                 // and all
	hands   map[Place]time.Time // when somebody last did something in a channel with watches that is no watch
	since   time.Time           // when that was first asked for
	closed  bool
}

// Bounds of what is done at once.
const (
	mostVisits       = 256 // of all, together
	mostVisitsOfOne  = 16  // with one token: kubectl asks for some ten things at once
	mostLaden        = 16  // of all, with a large body
	mostWatchesOfOne = 64  // an informer for each kind, and some
	mostWatchesHere  = 1000
	mostWatches      = 5000 // of all, together
)

// enter counts a request, until leave is called. False: there are too many.
func (o *outside) enter(hash string) (leave func(), ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.all >= mostVisits || o.inside[hash] >= mostVisitsOfOne {
		return nil, false
	}
	if o.inside == nil {
		o.inside = map[string]int{}
	}
	o.all++
	o.inside[hash]++
	return sync.OnceFunc(func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.all--
		if o.inside[hash]--; o.inside[hash] == 0 {
			delete(o.inside, hash)
		}
	}), true
}

// carry counts a request with a large body, until done is called. False: there are too many.
func (o *outside) carry() (done func(), ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.laden >= mostLaden {
		return nil, false
	}
	o.laden++
	return sync.OnceFunc(func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.laden--
	}), true
}

// room is where a channel's open watches are. One turn of the channel's serves them all: when something has changed in it, when its
// cluster has something to do next, and now and then.
type room struct {
	tutor *Tutor
	place Place

	// These are guarded by outside.mu.
	open   map[*openWatch]struct{}
	timer  *time.Timer
	inTurn bool // a turn has been asked for, or is being taken
	again  bool // and something has changed meanwhile
}

// openWatch is one watch. What it has to send is put into it in the channel's turns.
type openWatch struct {
	hash    string
	stream  *apiserver.WatchStream
	cluster *sim.Cluster
	fresh   chan struct{}

	mu     sync.Mutex
	frames [][]byte
	bytes  int
	more   bool // there was no room for all
	over   bool // nothing more comes
}

const (
	// soonest is how often a channel's watches are served because of the time alone; latest is how long they are left alone at most.
	soonest = time.Second
	latest  = time.Minute
	// longestOpen is how long a watch may stay open: clients open the next one. The real server's is the same at the least.
	longestOpen = 30 * time.Minute
	// watchKeeps is how long open watches keep a cluster's time going with nobody asking for anything else: one that is opened where
	// another has ended asks for nothing else either.
	watchKeeps = time.Hour
	// mostFrames and mostWaiting, in bytes, are what is taken for a watch at once, and how much waits to be sent, give or take one
	// frame. The rest is in the cluster's own history; who is so slow that it has left that, is told so.
	mostFrames  = 256
	mostWaiting = 256 << 10
)

// watch answers a request whose answer goes on.
func (v *visit) watch(w http.ResponseWriter) {
	t := v.tutor
	if !t.outside.mayWatch(v.place, v.hash) {
		busy(0).write(w)
		return
	}
	defer t.outside.unwatch(v.place, v.hash)
	ctx, cancel := context.WithTimeout(v.http.Context(), openFor(v.http))
	defer cancel()
	var o *openWatch
	var no *answered
	var head *http.Response
	ok, err := v.turn(func(c *call) (err error) {
		o, head, no, err = v.open(ctx, c)
		return err
	})
	switch {
	case err != nil:
		v.failed(err).write(w)
		return
	case !ok:
		busy(0).write(w)
		return
	case no != nil:
		no.write(w)
		return
	case head == nil:
		panic(http.ErrAbortHandler)
	}
	for key, value := range head.Header {
		w.Header()[key] = value
	}
	limits := http.NewResponseController(w)
	w.WriteHeader(head.StatusCode)
	rm := t.outside.come(t, v.place, o)
	defer rm.leave(o)
	for {
		frames, more, over := o.take()
		limits.SetWriteDeadline(time.Now().Add(sending))
		for _, f := range frames {
			if _, err := w.Write(f); err != nil {
				return
			}
		}
		if limits.Flush() != nil || over {
			return
		}
		limits.SetWriteDeadline(time.Time{}) // HTTP/2 ends a stream whose time is up, even where nothing waits to be sent
		if more {
			rm.ring()
		}
		select {
		case <-o.fresh:
		case <-ctx.Done():
			return
		}
	}
}

// openFor is how long a watch may stay open: as long as its client wants, which is to be over by then even where nothing happens.
func openFor(r *http.Request) time.Duration {
	seconds, err := strconv.ParseInt(r.URL.Query().Get("timeoutSeconds"), 10, 64)
	if err != nil || seconds <= 0 || seconds > int64(longestOpen/time.Second) {
		return longestOpen
	}
	return time.Duration(seconds) * time.Second
}

// open begins a watch. It has no head where the cluster's API server is down, and no stream where it is refused.
func (v *visit) open(ctx context.Context, c *call) (o *openWatch, head *http.Response, no *answered, err error) {
	k, err := c.admit(v.hash)
	if err != nil {
		return nil, nil, nil, err
	}
	if k == nil {
		return nil, nil, unauthorized(), nil
	}
	if !continues(v.http) {
		c.channel.window.hand = c.now
	}
	cl, err := v.tutor.outside.cluster(v.place, c)
	if err != nil || cl == nil || cl.Server().Down() {
		return nil, nil, nil, err
	}
	stream, head := cl.Server().OpenWatchBy(c.visitor(k), v.request(ctx), v.tutor.cfg.Now)
	if stream == nil {
		no = &answered{header: head.Header, code: head.StatusCode}
		_, err := no.body.ReadFrom(head.Body)
		return nil, nil, no, err
	}
	o = &openWatch{hash: v.hash, stream: stream, cluster: cl, fresh: make(chan struct{}, 1)}
	o.pull(cl)
	return o, head, nil, nil
}

// continues says that a watch goes on where another one of the client's has ended, and nobody has asked for anything.
func continues(r *http.Request) bool {
	q := r.URL.Query()
	initial, _ := strconv.ParseBool(q.Get("sendInitialEvents"))
	from := q.Get("resourceVersion")
	return from != "" && from != "0" && !initial
}

// pull takes what there is to send. It has a turn of the channel's.
func (o *openWatch) pull(cl *sim.Cluster) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.over {
		return
	}
	if o.bytes >= mostWaiting {
		o.more = true
		return
	}
	if o.cluster != cl { // the channel has another one, or has gone back to what it was
		o.stream.Expire("the cluster was replaced, or read anew")
	}
	for n := 0; ; n++ {
		if o.more = n == mostFrames || o.bytes >= mostWaiting; o.more {
			break
		}
		f := o.stream.Next()
		if f == nil {
			break
		}
		o.frames, o.bytes = append(o.frames, f), o.bytes+len(f)
	}
	o.over = o.stream.Done()
	if len(o.frames) > 0 || o.over {
		o.wake()
	}
}

func (o *openWatch) wake() {
	select {
	case o.fresh <- struct{}{}:
	default:
	}
}

func (o *openWatch) take() (frames [][]byte, more, over bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	frames, more, over = o.frames, o.more, o.over
	o.frames, o.bytes, o.more = nil, 0, false
	return frames, more, over
}

// end has nothing more come.
func (o *openWatch) end() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.over = true
	o.wake()
}

// mayWatch counts a watch, until unwatch is called. False: there are too many.
func (o *outside) mayWatch(p Place, hash string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed || o.count[hash] >= mostWatchesOfOne || o.here[p] >= mostWatchesHere || o.watches >= mostWatches {
		return false
	}
	if o.count == nil {
		o.count, o.here = map[string]int{}, map[Place]int{}
	}
	o.count[hash]++
	o.here[p]++
	o.watches++
	return true
}

func (o *outside) unwatch(p Place, hash string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.watches--
	if o.count[hash]--; o.count[hash] == 0 {
		delete(o.count, hash)
	}
	if o.here[p]--; o.here[p] == 0 {
		delete(o.here, p)
	}
}

// come puts a watch into its channel's room.
func (o *outside) come(t *Tutor, p Place, w *openWatch) *room {
	o.mu.Lock()
	defer o.mu.Unlock()
	r := o.rooms[p]
	if r == nil {
		r = &room{tutor: t, place: p, open: map[*openWatch]struct{}{}}
		r.timer = time.AfterFunc(latest, r.ask)
		if o.rooms == nil {
			o.rooms = map[Place]*room{}
		}
		o.rooms[p] = r
	}
	r.open[w] = struct{}{}
	if o.closed {
		w.end()
	}
	r.set(0) // something may have happened since it was begun
	return r
}

// leave takes a watch out of its room, which closes after the last one.
func (r *room) leave(w *openWatch) {
	o := &r.tutor.outside
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(r.open, w)
	if len(r.open) == 0 {
		r.timer.Stop()
		delete(o.rooms, r.place)
		old := r.tutor.cfg.Now().Add(-watchKeeps)
		maps.DeleteFunc(o.hands, func(_ Place, at time.Time) bool { return at.Before(old) })
	}
}

// ring has a channel's watches served: something has changed in it.
func (o *outside) ring(p Place) {
	o.mu.Lock()
	r := o.rooms[p]
	o.mu.Unlock()
	if r != nil {
		r.ring()
	}
}

func (r *room) ring() {
	o := &r.tutor.outside
	o.mu.Lock()
	defer o.mu.Unlock()
	if r.inTurn {
		r.again = true
		return
	}
	r.set(0)
}

// set has the next turn asked for after a while at the latest. It has the turn of outside.mu.
func (r *room) set(after time.Duration) {
	if len(r.open) > 0 {
		r.timer.Reset(after)
	}
}

// ask asks for a turn in the channel.
func (r *room) ask() {
	o := &r.tutor.outside
	o.mu.Lock()
	if r.inTurn || len(r.open) == 0 {
		o.mu.Unlock()
		return
	}
	r.inTurn, r.again = true, false
	o.mu.Unlock()
	j := job{ctx: context.Background(), done: make(chan error, 1), ours: true, run: func(ctx context.Context, ln *lane) {
		next := r.turn(ctx, ln)
		o.mu.Lock()
		defer o.mu.Unlock()
		if r.inTurn = false; r.again {
			next = 0
		}
		r.set(next)
	}}
	if _, err := r.tutor.enqueue(r.place, j); err != nil { // it is closed
		o.end(func(string) bool { return true })
	}
}

// turn lets the cluster go on to the present, and takes for each watch what there is to send. It says when there is more to come.
func (r *room) turn(ctx context.Context, ln *lane) (next time.Duration) {
	next = latest
	v := &visit{tutor: r.tutor, place: r.place}
	var cl *sim.Cluster
	holds := map[string]bool{}
	for range tries {
		err := v.attempt(ctx, ln, func(c *call) (err error) {
			all, err := c.kubeconfigs()
			if err != nil {
				return err
			}
			for _, k := range all {
				holds[k.Hash] = true
			}
			cl, err = r.tutor.outside.cluster(r.place, c)
			if err == nil && c.used {
				next = c.nextWork(cl)
			}
			return err
		})
		if err == nil {
			break
		}
		ln.loaded, cl = nil, nil
		if !overtaken(err) {
			r.tutor.cfg.Logger.ErrorContext(ctx, "watches not served", "platform", r.place.Platform, "tenant", r.place.Tenant, "channel", r.place.Channel, "error", err)
			r.tutor.cfg.Metrics.Failed("kubectl", "watch")
			return latest
		}
	}
	o := &r.tutor.outside
	o.mu.Lock()
	defer o.mu.Unlock()
	r.again = false // what has changed until now is taken here
	for w := range r.open {
		switch {
		case !holds[w.hash]:
			w.end()
		case cl != nil:
			w.pull(cl)
		}
	}
	return next
}

// cluster is a channel's for its watches: brought to the present, or, where nobody has asked for anything for long, as it is. Its time
// then stands still until somebody does.
func (o *outside) cluster(p Place, c *call) (*sim.Cluster, error) {
	if c.now.Sub(o.lastHand(p, c)) > watchKeeps {
		return c.peek(), nil
	}
	return c.cluster()
}

// lastHand is when somebody last did something in a channel: typed a line that used its cluster, or asked from outside for what is no
// watch that goes on. What was before the first watch since the start is not known, and taken to be as late as that.
func (o *outside) lastHand(p Place, c *call) time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.hands == nil {
		o.hands, o.since = map[Place]time.Time{}, c.now
	}
	at := o.hands[p]
	for _, other := range []time.Time{o.since, c.channel.window.hand} {
		if other.After(at) {
			at = other
		}
	}
	o.hands[p] = at
	return at
}

// nextWork is how long it is, by the wall, until the cluster has something to do.
func (c *call) nextWork(cl *sim.Cluster) time.Duration {
	at, more := cl.NextWork()
	if !more || c.channel.clock.Paused {
		return latest
	}
	wait := float64(at.Sub(cl.Now())) / c.channel.clock.rate()
	return time.Duration(min(max(wait, float64(soonest)), float64(latest)))
}

// cut ends the watches of tokens that hold no more.
func (o *outside) cut(hashes []string) {
	if len(hashes) == 0 {
		return
	}
	gone := map[string]bool{}
	for _, h := range hashes {
		gone[h] = true
	}
	o.end(func(hash string) bool { return gone[hash] })
}

// close ends all watches, and lets no other begin.
func (o *outside) close() {
	o.mu.Lock()
	o.closed = true
	o.mu.Unlock()
	o.end(func(string) bool { return true })
}

func (o *outside) end(whose func(hash string) bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, r := range o.rooms {
		for w := range r.open {
			if whose(w.hash) {
				w.end()
			}
		}
	}
}
