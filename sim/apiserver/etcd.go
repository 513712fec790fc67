package apiserver

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"timonier/sim/etcd"
	"timonier/sim/trace"
)

// leaderFailed is what a member says of a request that was on its way to a leader that has died, where another leads
// since: it does not know what became of it (server/etcdserver/server.go, parseProposeCtxErr).
const leaderFailed = "etcdserver: request timed out, possibly due to previous leader failure"

// requestTimeout is the real server's --request-timeout: as long as that it looks for something current to read.
const requestTimeout = time.Minute

// storeError words what etcd refuses as the real server does: most of it goes to the client as it is, with code 500.
func storeError(err error) error {
	switch {
	case errors.Is(err, etcd.ErrTooLarge):
		return apierrors.NewRequestEntityTooLargeError("etcdserver: request is too large")
	case errors.Is(err, etcd.ErrUnavailable):
		return plainError(`rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial tcp: connect: connection refused"`)
	case errors.Is(err, etcd.ErrTimeout), errors.Is(err, etcd.ErrLost), errors.Is(err, etcd.ErrNoSpace):
		return plainError(err.Error())
	}
	return apierrors.NewInternalError(err)
}

func plainError(message string) error {
	return &apierrors.StatusError{ErrStatus: metav1.Status{Status: metav1.StatusFailure, Code: http.StatusInternalServerError, Message: message}}
}

// lost says of an error that the request went to a leader that nobody hears: nobody knows what becomes of it.
func lost(err error) bool {
	var status apierrors.APIStatus
	return errors.As(err, &status) && status.Status().Message == etcd.ErrLost.Error()
}

// atEtcd serves a request once etcd can answer. Time goes by while it cannot: a request over HTTP waits, while the
// components of the cluster, which cannot, are refused at once and try again later.
//
// A member without a leader holds a request back until there is one. A member that has not noticed yet that its leader
// is gone passes the request on, and it is lost; or, if it is itself the leader and cut off, writes it down and waits
// for the others in vain. Both end after etcd's 7 s, and what was written down may happen yet.
func (x *exchange) atEtcd(serve func() (reply, error)) (reply, error) {
	store := x.server.cfg.Store
	began := x.server.Now()
	if err := store.Reachable(); err != nil {
		reads := slices.Contains(reading, x.verb())
		if reads && (x.query.Get("resourceVersion") == "0" || x.at.subresource == "log") {
			return serve() // from the server's own cache, or a kubelet
		}
		if reads || !errors.Is(err, etcd.ErrLost) {
			limit := etcd.RequestTimeout
			if reads {
				limit = requestTimeout
			}
			x.wait(limit, func() bool { return store.Reachable() == nil })
			switch err := store.Reachable(); {
			case err != nil && reads:
				return reply{}, apierrors.NewGenericServerResponse(http.StatusGatewayTimeout, "get", x.resource.GroupResource(), x.at.name, "", 0, true)
			case err != nil:
				return reply{}, storeError(err)
			}
		}
	}
	rep, err := serve()
	if !lost(err) {
		return rep, err
	}
	x.wait(etcd.RequestTimeout-x.server.Now().Sub(began), func() bool { return false })
	if store.Reachable() == nil {
		err = plainError(leaderFailed)
	}
	return rep, err
}

func (x *exchange) wait(limit time.Duration, done func() bool) {
	if x.server.cfg.Wait != nil && limit > 0 {
		x.server.cfg.Wait(limit, done)
	}
}

// Follow takes in what has been written to etcd by others than this server: by etcdctl, or by requests that were given
// up and came true. The real server, which knows of its own writes by its watch alone, makes no difference. What does
// not decode it passes over.
func (s *Server) Follow() {
	if s.seen >= s.cfg.Store.Rev() {
		return
	}
	w, err := s.cfg.Store.Watch("/registry/", etcd.PrefixEnd("/registry/"), s.seen+1)
	if err != nil { // compacted meanwhile: never, as every change is followed before the next
		return
	}
	events, _ := w.Next(0)
	s.seen = s.cfg.Store.Rev()
	for _, e := range events {
		s.followed(e)
	}
}

// catchUp follows what others have written before the server's own write at a revision.
func (s *Server) catchUp(own int64) {
	if s.seen < own-1 {
		s.Follow()
	}
	s.seen = max(s.seen, own)
}

func (s *Server) followed(e etcd.Event) {
	r := s.resourceAt(e.KV.Key)
	if r == nil {
		return
	}
	within := r.within(e.KV.Key)
	namespace, name, _ := strings.Cut(within, "/")
	old, had := s.caches[r].get(namespace, name)
	if e.Type == etcd.Delete {
		if !had {
			return
		}
		last := copyOf(old)
		last.SetResourceVersion(strconv.FormatInt(e.KV.ModRev, 10))
		s.caches[r].remove(old)
		s.account(r, within, old, -1)
		s.announce(Event{Type: watch.Deleted, Resource: r, Old: old, New: last, Revision: e.KV.ModRev, Step: s.foreign(r, last, "delete", e.KV)})
		return
	}
	o, err := s.decode(r, e.KV)
	if err != nil || o.GetNamespace() != namespace || o.GetName() != name {
		return
	}
	s.caches[r].put(within, o)
	change, verb := Event{Type: watch.Added, Resource: r, New: o, Revision: e.KV.ModRev}, "create"
	if had {
		change.Type, change.Old, verb = watch.Modified, old, "update"
		if was, ok := old.(*corev1.Event); ok {
			s.events.replace(within, was, o.(*corev1.Event))
		}
	} else {
		s.account(r, within, o, +1)
	}
	change.Step = s.foreign(r, o, verb, e.KV)
	s.announce(change)
}

// foreign leaves the steps of a write that was not this server's: the write, and that the server sees it by its watch.
func (s *Server) foreign(r *Resource, o Object, verb string, kv etcd.KV) uint64 {
	if r.TTL > 0 {
		return 0
	}
	written := s.cfg.Trace.Add(trace.Step{At: s.Now(), Actor: "etcd", Kind: trace.Committed, Object: ref(r, o), Revision: kv.ModRev,
		Detail: trace.Commit{Verb: verb, Key: kv.Key}})
	return s.cfg.Trace.Add(trace.Step{At: s.Now(), Actor: "kube-apiserver", Kind: trace.Noticed, Object: ref(r, o), Cause: written})
}

// resourceAt is the resource whose object a key is of; nil: of none.
func (s *Server) resourceAt(key string) *Resource {
	for _, r := range s.resources {
		rest, ok := strings.CutPrefix(key, r.KeyPrefix+"/")
		if ok && rest != "" && (strings.Count(rest, "/") == 1) == r.Namespaced && !strings.HasSuffix(rest, "/") && !strings.HasPrefix(rest, "/") {
			return r
		}
	}
	return nil
}
