package bot

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"timonier/sim"
	"timonier/sim/apiserver"
	"timonier/sim/trace"
)

// window is what those outside a cluster have seen of it, while it is in memory.
type window struct {
	revision int64     // the last that was kept
	kept     time.Time // when

	session string // kubectl's own ID of the command that wrote last; empty: another program's
	step    uint64 // of the trace: what that command asked

	hand time.Time // when somebody last used the cluster, and not only watched it
}

const (
	// mostUnkept is how long what time alone has changed in a cluster that is looked at from outside goes unwritten: it comes out
	// the same again. It is less than idleAfter, beyond which it would not.
	mostUnkept = 5 * time.Minute
	// receiving and sending are how long a request's body and an answer may take.
	receiving = 30 * time.Second
	sending   = 30 * time.Second
	// largeBody is how long a body may be, in bytes, without being one of few at once: no object is as long.
	largeBody = 512 << 10
)

// Outside answers the requests that come for channels' clusters from outside, with the tokens of their kubeconfigs: the Kubernetes
// REST API. Each takes its turn in its channel as a command does, and is answered once what it changed is kept.
func (t *Tutor) Outside() http.Handler { return http.HandlerFunc(t.serveOutside) }

// visit is one request from outside.
type visit struct {
	tutor *Tutor
	place Place
	hash  string
	body  []byte
	http  *http.Request

	number int // of the kubeconfig, once that is known
}

func (t *Tutor) serveOutside(w http.ResponseWriter, r *http.Request) {
	limits := http.NewResponseController(w)
	limits.SetWriteDeadline(time.Time{}) // and not that of the connection's answer before; what is no connection has none
	if r.ContentLength != 0 {            // net/http waits for the end of what nobody reads, too, before it answers
		limits.SetReadDeadline(time.Now().Add(receiving))
	}
	v := &visit{tutor: t, hash: tokenHash(bearer(r)), http: r}
	var found bool
	var err error
	if v.place, found, err = t.placeOf(r.Context(), v.hash); err != nil {
		v.failed(err).writeUnread(w, r)
		return
	}
	if !found {
		unauthorized().writeUnread(w, r)
		return
	}
	if of, wait := t.limits.visits(v.hash, v.place); wait > 0 {
		t.cfg.Metrics.exceeded("kubectl", of)
		busy(wait).writeUnread(w, r)
		return
	}
	leave, ok := t.outside.enter(v.hash)
	if !ok {
		busy(0).writeUnread(w, r)
		return
	}
	defer leave()
	if r.ContentLength != 0 {
		done, ok, err := v.receive()
		defer done()
		switch {
		case err != nil: // the client is gone, or too slow
			panic(http.ErrAbortHandler) // to return would say that all is well
		case !ok:
			busy(0).writeUnread(w, r)
			return
		}
		limits.SetReadDeadline(time.Time{})
	}
	if apiserver.IsWatch(r) {
		leave() // a watch is counted as such
		v.watch(w)
		return
	}
	var a *answered
	ok, err = v.turn(func(c *call) error {
		a, err = v.serve(c)
		return err
	})
	switch {
	case err != nil:
		v.failed(err).write(w)
	case !ok:
		busy(0).write(w)
	case a == nil: // the cluster's API server is down
		panic(http.ErrAbortHandler)
	default:
		if wants(r) {
			t.cfg.Logger.Info("asked for from outside", "platform", v.place.Platform, "tenant", v.place.Tenant, "channel", v.place.Channel,
				"kubeconfig", v.number, "method", r.Method, "path", r.URL.Path, "status", a.code)
		}
		a.write(w)
	}
}

// receive reads the request's body, whole or as much as is needed to see that it is too long. False: there are too many long ones at
// this moment. What it counted is given back by done.
func (v *visit) receive() (done func(), ok bool, err error) {
	done = func() {}
	if m := v.http.Method; m == http.MethodGet || m == http.MethodHead { // it says nothing, and a watch would keep it for long
		_, err = io.Copy(io.Discard, io.LimitReader(v.http.Body, apiserver.MaxBodyBytes+1))
		return done, true, err
	}
	if v.body, err = io.ReadAll(io.LimitReader(v.http.Body, largeBody)); err != nil || len(v.body) < largeBody {
		return done, true, err
	}
	if done, ok = v.tutor.outside.carry(); !ok {
		return func() {}, false, nil
	}
	rest, err := io.ReadAll(io.LimitReader(v.http.Body, apiserver.MaxBodyBytes+1-largeBody))
	v.body = append(v.body, rest...)
	return done, true, err
}

// bearer is the token that a request has; "": none.
func bearer(r *http.Request) string {
	kind, token, _ := strings.Cut(strings.TrimSpace(r.Header.Get("Authorization")), " ")
	if !strings.EqualFold(kind, "bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// turn runs f in a turn of the visit's channel, as often as somebody else's change makes it necessary, and keeps what it has
// changed. False: too many wait there.
func (v *visit) turn(f func(*call) error) (ok bool, err error) {
	var failed error
	j := job{ctx: v.http.Context(), done: make(chan error, 1), run: func(ctx context.Context, ln *lane) {
		for range tries {
			if failed = v.attempt(ctx, ln, f); failed == nil {
				return
			}
			ln.loaded = nil
			if !overtaken(failed) {
				return
			}
		}
	}}
	if ok, err := v.tutor.enqueue(v.place, j); err != nil || !ok {
		return ok, err
	}
	return true, errors.Join(<-j.done, failed)
}

func (v *visit) attempt(ctx context.Context, ln *lane, f func(*call) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = recovered(p)
		}
	}()
	c, err := v.tutor.newCall(ctx, ln, Request{Platform: v.place.Platform, Tenant: v.place.Tenant, Channel: v.place.Channel}, nil)
	if err != nil {
		return err
	}
	if err := f(c); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return c.keepSeen()
}

// admit makes the call that of whoever the token was given to. Nil: it does not hold any more.
func (c *call) admit(hash string) (*kubeconfig, error) {
	all, err := c.kubeconfigs()
	if err != nil {
		return nil, err
	}
	for _, k := range all {
		if k.Hash == hash {
			r := &c.request
			r.Who = Person{ID: k.Who, Name: k.Name, Roles: k.Roles, Everywhere: k.Everywhere}
			r.Teacher, r.Direct, r.Alone, r.Parent = k.Teacher, k.Direct, k.Alone, k.Parent
			if c.now.Sub(k.Used) >= mostUnkept {
				k.Used = c.now.UTC().Round(0).Truncate(time.Second)
				if err := k.put(c.channel.shelf); err != nil {
					return nil, err
				}
			}
			return k, c.readHouse()
		}
	}
	return nil, nil
}

// visitor is who the cluster sees: the kubeconfig and not the person, of whom nothing is to be in it once they are forgotten. What they
// may do is what they may do at this moment.
func (c *call) visitor(k *kubeconfig) apiserver.User {
	u := apiserver.User{Name: visitorName(k.Number), Groups: []string{apiserver.Onlookers, "system:authenticated"}}
	if c.may(changes) {
		u.Groups[0] = "system:masters"
	}
	return u
}

func visitorName(number int) string { return "kubeconfig:" + strconv.Itoa(number) }

// serve carries out one request that is no watch. Nil: the cluster's API server is down.
func (v *visit) serve(c *call) (*answered, error) {
	k, err := c.admit(v.hash)
	if err != nil {
		return nil, err
	}
	if k == nil {
		return unauthorized(), nil
	}
	cl, err := c.cluster()
	if err != nil || cl.Server().Down() {
		return nil, err
	}
	c.channel.window.hand, v.number = c.now, k.Number
	r := v.request(c.ctx)
	a := &answered{header: http.Header{}, code: http.StatusOK}
	user := c.visitor(k)
	if !wants(r) || !c.may(changes) { // what is refused anyway explains nothing, and costs no commit
		cl.Server().Handler(user).ServeHTTP(a, r)
		return a, nil
	}
	asked := c.askedOutside(cl, k, r)
	before := cl.Trace().Because(asked)
	cl.Server().Handler(user).ServeHTTP(a, r)
	cl.Trace().Because(before)
	if r.URL.Query().Get("dryRun") == "" {
		c.rememberVisit(cl, k, asked)
	}
	c.channel.window.kept = time.Time{} // it is to be kept
	return a, nil
}

// request is the visit's, to be served once.
func (v *visit) request(ctx context.Context) *http.Request {
	r := v.http.Clone(ctx)
	r.Header.Del("Authorization")
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(v.body)), int64(len(v.body))
	return r
}

// wants says that a request would change something: it is no look, and no question about rights.
func wants(r *http.Request) bool {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return false
	}
	return !strings.HasPrefix(r.URL.Path, "/apis/authorization.k8s.io/") && !strings.HasPrefix(r.URL.Path, "/apis/authentication.k8s.io/")
}

// askedOutside is the trace's step of what was asked for from outside: one for all requests of a command of kubectl's, which sends with
// each which command it is of.
func (c *call) askedOutside(cl *sim.Cluster, k *kubeconfig, r *http.Request) uint64 {
	w := &c.channel.window
	session := r.Header.Get("Kubectl-Session")
	if len(session) > 64 {
		session = ""
	}
	if session != "" {
		session = strconv.Itoa(k.Number) + " " + session
	}
	if _, kept := cl.Trace().Step(w.step); session != "" && session == w.session && kept {
		return w.step
	}
	w.session = session
	w.step = cl.Trace().Add(trace.Step{At: cl.Now(), Actor: agentOf(r), Kind: trace.Asked, Detail: trace.Request{Command: commandSent(r)}})
	return w.step
}

// commandSent is what was typed, as far as it is known: kubectl apply. Of other programs, it is what they ask for: PATCH /api/v1/….
func commandSent(r *http.Request) string {
	command := r.Header.Get("Kubectl-Command")
	plain := strings.HasPrefix(command, "kubectl ") && len(command) <= 60 && !strings.ContainsFunc(command, func(r rune) bool {
		return r != ' ' && r != '-' && (r < 'a' || r > 'z')
	})
	if plain {
		return command
	}
	return shorten(r.Method + " " + r.URL.Path)
}

// agentOf is the program, as the API server names it.
func agentOf(r *http.Request) string {
	name, _, _ := strings.Cut(r.UserAgent(), "/")
	return shorten(name)
}

// rememberVisit has /pourquoi explain what was asked for from outside.
func (c *call) rememberVisit(cl *sim.Cluster, k *kubeconfig, asked uint64) {
	l := &c.channel.last
	if l.Outside != k.Number || l.Asked != asked { // another command
		step, _ := cl.Trace().Step(asked)
		detail, _ := step.Detail.(trace.Request)
		*l = last{Line: detail.Command, From: asked - 1, Outside: k.Number, Asked: asked}
	}
	l.To = cl.Trace().Last()
}

// keepSeen keeps what a turn from outside has changed. What only time has changed can wait: it comes out the same once it is
// computed again.
func (c *call) keepSeen() error {
	ch := c.channel
	w := &ch.window
	revision := int64(0)
	if ch.cluster != nil {
		revision = ch.cluster.Server().Revision()
	}
	if len(ch.changed) == 0 && len(c.others) == 0 && (!c.used || revision == w.revision && c.now.Sub(w.kept) < mostUnkept) {
		ch.ahead = ch.ahead || c.used
		return nil
	}
	if err := c.commit(Reply{}); err != nil {
		return err
	}
	w.revision, w.kept = revision, c.now
	return nil
}

// failed is what is said where we have failed: with a reference to the log, which has no token and no body.
func (v *visit) failed(err error) *answered {
	if errors.Is(err, context.Canceled) && v.http.Context().Err() != nil {
		return unavailable("the request was given up")
	}
	if errors.Is(err, ErrClosed) {
		return unavailable("the server is shutting down")
	}
	ref := reference(Request{Platform: v.place.Platform, Tenant: v.place.Tenant, Channel: v.place.Channel, ID: v.hash}, v.tutor.cfg.Now())
	v.tutor.cfg.Logger.Error("request from outside failed", "reference", ref, "platform", v.place.Platform, "tenant", v.place.Tenant,
		"channel", v.place.Channel, "method", v.http.Method, "path", v.http.URL.Path, "error", err)
	v.tutor.cfg.Metrics.Failed("kubectl", "request")
	return refusal(http.StatusInternalServerError, metav1.StatusReasonInternalError, fmt.Sprintf("Internal error occurred: nothing was changed; reference %s", ref))
}

// answered is a whole response.
type answered struct {
	header http.Header
	code   int
	body   bytes.Buffer
}

func (a *answered) Header() http.Header         { return a.header }
func (a *answered) Write(p []byte) (int, error) { return a.body.Write(p) }
func (a *answered) WriteHeader(code int)        { a.code = code }

func (a *answered) write(w http.ResponseWriter) {
	http.NewResponseController(w).SetWriteDeadline(time.Now().Add(sending))
	for key, value := range a.header {
		w.Header()[key] = value
	}
	w.WriteHeader(a.code)
	w.Write(a.body.Bytes()) // who is gone needs no answer
}

// writeUnread answers a request whose body was not read, and is not going to be: nothing more is to come over its connection.
func (a *answered) writeUnread(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength != 0 {
		w.Header().Set("Connection", "close")
		http.NewResponseController(w).SetReadDeadline(time.Now()) // of what comes in chunks, net/http waits for the end even so
	}
	a.write(w)
}

// refusal is a whole answer that says no, as the API says it.
func refusal(code int, reason metav1.StatusReason, message string) *answered {
	return refusalFor(code, reason, message, 0)
}

func refusalFor(code int, reason metav1.StatusReason, message string, wait time.Duration) *answered {
	s := metav1.Status{TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: metav1.StatusFailure, Message: message, Reason: reason, Code: int32(code)}
	a := &answered{header: http.Header{}, code: code}
	a.header.Set("Content-Type", "application/json")
	a.header.Set("Cache-Control", "no-cache, private")
	if code == http.StatusTooManyRequests || code == http.StatusServiceUnavailable {
		seconds := max(1, int(math.Ceil(wait.Seconds())))
		s.Details = &metav1.StatusDetails{RetryAfterSeconds: int32(seconds)}
		a.header.Set("Retry-After", strconv.Itoa(seconds))
	}
	if err := json.NewEncoder(&a.body).Encode(&s); err != nil {
		a.body.WriteString(message) // a Status of strings and numbers can always be encoded
	}
	return a
}

// unauthorized is the real server's answer to whom it does not know.
func unauthorized() *answered {
	return refusal(http.StatusUnauthorized, metav1.StatusReasonUnauthorized, "Unauthorized")
}

// busy is the real server's answer where its queues are full (apiserver/pkg/server/filters, tooManyRequests): clients try again
// after the time given, a second at the least.
func busy(wait time.Duration) *answered {
	return refusalFor(http.StatusTooManyRequests, metav1.StatusReasonTooManyRequests, "Too many requests, please try again later.", wait)
}

func unavailable(why string) *answered {
	return refusal(http.StatusServiceUnavailable, metav1.StatusReasonServiceUnavailable, why)
}
