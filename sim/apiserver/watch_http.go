package apiserver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/internalversion"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"

	"timonier/sim/etcd"
)

// IsWatch tells whether a request is a watch: one whose answer goes on.
func IsWatch(r *http.Request) bool {
	at := parsePath(r.URL.Path)
	if !at.isResource || r.Method != http.MethodGet {
		return false
	}
	asked, _ := strconv.ParseBool(r.URL.Query().Get("watch"))
	return at.watch || asked && at.name == ""
}

const (
	// bookmarkEvery is how often a quiet watch that takes bookmarks gets one.
	bookmarkEvery = time.Minute
	// watchTimeout ends a watch that names no timeout; the real one takes 30 to 60 minutes, at random.
	watchTimeout = 45 * time.Minute
)

// WatchStream is an open watch. It starts nothing: frames are pulled, and so the
// caller may move the cluster's clock between them.
type WatchStream struct {
	x        *exchange
	sel      *selection
	media    mediaType
	watch    *etcd.Watch
	life     int // the server's, in which it was opened
	queue    []watch.Event
	headless bool             // tables have had their columns
	marks    bool             // the client takes bookmarks
	now      func() time.Time // by which its time is up
	nextMark time.Time
	deadline time.Time
	done     bool
}

// OpenWatch begins a watch. The response is its head, without a body; where the
// stream is nil, it is a whole refusal.
func (s *Server) OpenWatch(u User, r *http.Request) (*WatchStream, *http.Response) {
	return s.OpenWatchBy(u, r, s.Now)
}

// OpenWatchBy is OpenWatch for a client that counts how long the watch may last by another clock than the cluster's.
func (s *Server) OpenWatchBy(u User, r *http.Request, now func() time.Time) (*WatchStream, *http.Response) {
	x := newExchange(s, u, r)
	var err error
	if x.user, err = s.impersonated(x.user, r.Header); err != nil {
		return nil, x.refusal(err).response(r)
	}
	if x.resource == nil {
		return nil, x.noRoute().response(r)
	}
	w, err := x.openWatch(now)
	if err != nil {
		return nil, x.refusal(err).response(r)
	}
	if d := x.resource.Deprecated; d != "" {
		x.warn(d)
	}
	a := newAnswer(http.StatusOK, w.contentType(), nil)
	x.tellWarnings(a)
	head := a.response(r)
	head.ContentLength = -1
	head.Body = http.NoBody
	return w, head
}

func (x *exchange) openWatch(clock func() time.Time) (*WatchStream, error) {
	opts, sel, err := x.listOptions()
	if err != nil {
		return nil, err
	}
	media, ok := negotiate(x.http.Header.Get("Accept"), x.resource)
	if !ok || media.info.StreamSerializer == nil {
		return nil, notAcceptable()
	}
	if err := x.server.begin(x.request("watch")); err != nil {
		return nil, err
	}
	if err := x.server.notAhead(opts.ResourceVersion); err != nil {
		return nil, err
	}
	w := &WatchStream{x: x, sel: sel, media: media, life: x.server.life, marks: opts.AllowWatchBookmarks, now: clock}
	now := clock()
	timeout := watchTimeout
	if opts.TimeoutSeconds != nil && *opts.TimeoutSeconds > 0 {
		timeout = time.Duration(*opts.TimeoutSeconds) * time.Second
	}
	w.deadline, w.nextMark = now.Add(timeout), now.Add(bookmarkEvery)
	return w, w.begin(opts)
}

// begin sets the watch's first revision, and queues the state it is to begin with.
func (w *WatchStream) begin(opts *internalversion.ListOptions) error {
	s, from := w.x.server, int64(0)
	if rev, _ := strconv.ParseInt(opts.ResourceVersion, 10, 64); rev > 0 {
		from = rev + 1
	}
	if opts.SendInitialEvents != nil && *opts.SendInitialEvents {
		from = s.Revision() + 1
		found, err := s.asOf(0, "", "", w.sel)
		if err != nil {
			return apierrors.NewInternalError(err)
		}
		for _, o := range found {
			w.queue = append(w.queue, watch.Event{Type: watch.Added, Object: o})
		}
		if w.marks {
			mark := w.mark(s.Revision())
			mark.SetAnnotations(map[string]string{metav1.InitialEventsAnnotationKey: "true"})
			w.queue = append(w.queue, watch.Event{Type: watch.Bookmark, Object: mark})
		}
	}
	prefix := w.x.resource.KeyPrefix + "/"
	if w.sel.namespace != "" {
		prefix += w.sel.namespace + "/"
	}
	var err error
	w.watch, err = s.cfg.Store.Watch(prefix, etcd.PrefixEnd(prefix), from)
	if err != nil {
		w.fail(tooOld(from-1, s.cfg.Store.CompactRev()))
	}
	return nil
}

func tooOld(asked, oldest int64) error {
	return apierrors.NewResourceExpired(fmt.Sprintf("too old resource version: %d (%d)", asked, oldest))
}

// fail ends the stream with an error, which a watch sends as an event.
func (w *WatchStream) fail(err error) {
	w.queue = append(w.queue, watch.Event{Type: watch.Error, Object: statusOf(err)})
	w.watch = nil
}

// Expire ends the stream as one whose history is gone, once what waits is dropped: the client has to list anew.
func (w *WatchStream) Expire(why string) {
	w.queue = nil
	w.fail(apierrors.NewResourceExpired("too old resource version: " + why))
}

// mark is the object of a bookmark: nothing but a kind and a revision.
func (w *WatchStream) mark(rev int64) Object {
	o := w.x.resource.New()
	o.GetObjectKind().SetGroupVersionKind(w.x.resource.GroupVersionKind())
	o.SetResourceVersion(strconv.FormatInt(rev, 10))
	return o
}

// contentType is that of the stream.
func (w *WatchStream) contentType() string {
	if w.media.info.MediaType == runtime.ContentTypeJSON {
		return runtime.ContentTypeJSON
	}
	return w.media.info.MediaType + ";stream=watch"
}

// Done says that the watch is over: its time is up, or it has failed, and every frame has been taken.
func (w *WatchStream) Done() bool { return w.done }

// Next is the next event, encoded and framed; nil: there is none yet, or no more (Done).
func (w *WatchStream) Next() []byte {
	if w.life != w.x.server.life {
		w.done = true
		return nil
	}
	w.fill()
	for len(w.queue) > 0 {
		e := w.queue[0]
		w.queue = w.queue[1:]
		frame, err := w.frame(e)
		if err == nil {
			return frame
		}
		w.queue = nil
		w.fail(apierrors.NewInternalError(fmt.Errorf("encode a watch event: %w", err)))
		if e.Type == watch.Error {
			w.queue = nil // not even that
		}
	}
	w.done = w.watch == nil || !w.now().Before(w.deadline)
	return nil
}

// fill takes from etcd what has happened since, if nothing waits.
func (w *WatchStream) fill() {
	if len(w.queue) > 0 || w.watch == nil || w.done {
		return
	}
	const batch = 64
	for len(w.queue) == 0 {
		events, err := w.watch.Next(batch)
		if err != nil {
			w.fail(tooOld(w.watch.Rev(), w.x.server.cfg.Store.CompactRev()))
			return
		}
		if len(events) == 0 {
			break
		}
		for _, e := range events {
			if err := w.take(e); err != nil {
				w.fail(apierrors.NewInternalError(err))
				return
			}
		}
	}
	now := w.now()
	if len(w.queue) > 0 || !w.marks || now.Before(w.nextMark) {
		return
	}
	w.nextMark = now.Add(bookmarkEvery)
	w.queue = append(w.queue, watch.Event{Type: watch.Bookmark, Object: w.mark(w.watch.Rev())})
}

// take queues one change, as seen through the selectors: what begins to match is added, what ceases to is deleted.
func (w *WatchStream) take(e etcd.Event) error {
	var before, after Object
	if e.Prev != nil {
		o, err := w.decode(*e.Prev)
		if err != nil {
			return err
		}
		if w.sel.matches(o) {
			before = o
		}
	}
	if e.Type == etcd.Put {
		o, err := w.decode(e.KV)
		if err != nil {
			return err
		}
		if o = w.x.server.live(o); w.sel.matches(o) {
			after = o
		}
	}
	switch {
	case after != nil && before == nil:
		w.queue = append(w.queue, watch.Event{Type: watch.Added, Object: after})
	case after != nil:
		w.queue = append(w.queue, watch.Event{Type: watch.Modified, Object: after})
	case before != nil:
		before = copyOf(before)
		before.SetResourceVersion(strconv.FormatInt(e.KV.ModRev, 10))
		w.queue = append(w.queue, watch.Event{Type: watch.Deleted, Object: before})
	}
	return nil
}

func (w *WatchStream) decode(kv etcd.KV) (Object, error) {
	o, err := w.x.server.decode(w.x.resource, kv)
	if err != nil {
		return nil, fmt.Errorf("decode %s: %w", kv.Key, err)
	}
	return o, nil
}

// frame encodes an event in two steps, as the real server: the object in the form asked for, then the event around it.
func (w *WatchStream) frame(e watch.Event) (_ []byte, err error) {
	defer func() {
		if p := recover(); p != nil { // as in answer: a bug ends the watch, not the program
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	o := e.Object
	if e.Type != watch.Error {
		rep := reply{object: o}
		if w.media.as.Kind == "Table" {
			o, err = w.x.table(rep, w.headless)
			w.headless = true
		} else {
			o, err = w.x.transform(rep, w.media)
		}
		if err != nil {
			return nil, err
		}
	}
	var inner, outer bytes.Buffer
	if err := w.media.info.Serializer.Encode(o, &inner); err != nil {
		return nil, err
	}
	stream := w.media.info.StreamSerializer
	event := &metav1.WatchEvent{Type: string(e.Type), Object: runtime.RawExtension{Raw: inner.Bytes()}}
	if err := stream.Serializer.Encode(event, stream.Framer.NewFrameWriter(&outer)); err != nil {
		return nil, err
	}
	return outer.Bytes(), nil
}

// watchOnce answers a watch with what there is.
func (s *Server) watchOnce(u User, rw http.ResponseWriter, r *http.Request) {
	if s.down {
		hangUp()
	}
	w, head := s.OpenWatch(u, r)
	writeHead(rw, head)
	for w != nil {
		frame := w.Next()
		if frame == nil {
			return
		}
		if _, err := rw.Write(frame); err != nil {
			return
		}
	}
}

// writeHead writes a response's head, and its body if it is a refusal.
func writeHead(rw http.ResponseWriter, head *http.Response) {
	for k, v := range head.Header {
		rw.Header()[k] = v
	}
	rw.WriteHeader(head.StatusCode)
	io.Copy(rw, head.Body) // who is gone needs no answer
}

// Turns lets requests at a cluster one at a time.
type Turns interface {
	// Do runs f while nobody else uses the cluster.
	Do(f func())
	// Wait returns when something may have changed since the last Do of this
	// goroutine, or with an error when the context ends or the cluster is gone.
	Wait(ctx context.Context) error
	// Now is the time by which clients count how long a watch may last: their own, and not the cluster's.
	Now() time.Time
}

// Serve is Handler over a real network: requests come at any time, each takes its
// turn, and watches stream. The cluster is held neither while a body is read nor
// while an answer is written.
func (s *Server) Serve(u User, turns Turns) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, MaxBodyBytes+1))
		if err != nil {
			hangUp() // the client is gone, speaks no HTTP, or is too slow: to return would say that all is well
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		if IsWatch(r) {
			s.stream(u, turns, rw, r)
			return
		}
		var a *answer
		turns.Do(func() {
			if !s.down {
				a = s.answer(u, r)
			}
		})
		if a == nil {
			hangUp()
		}
		a.write(rw)
	})
}

// stream sends a watch's frames as they come.
func (s *Server) stream(u User, turns Turns, rw http.ResponseWriter, r *http.Request) {
	var w *WatchStream
	var head *http.Response
	turns.Do(func() {
		if !s.down {
			w, head = s.OpenWatchBy(u, r, turns.Now)
		}
	})
	if head == nil {
		hangUp()
	}
	writeHead(rw, head)
	out := http.NewResponseController(rw)
	for w != nil {
		var frames [][]byte
		turns.Do(func() { frames = w.Pull(64) })
		for _, frame := range frames {
			if _, err := rw.Write(frame); err != nil {
				return
			}
		}
		if err := out.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
			return
		}
		if w.Done() || len(frames) == 0 && turns.Wait(r.Context()) != nil {
			return
		}
	}
}

// Pull takes at most n frames.
func (w *WatchStream) Pull(n int) (frames [][]byte) {
	for len(frames) < n {
		frame := w.Next()
		if frame == nil {
			return frames
		}
		frames = append(frames, frame)
	}
	return frames
}
