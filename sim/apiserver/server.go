package apiserver

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	"k8s.io/client-go/kubernetes/scheme"

	"timonier/sim/etcd"
	"timonier/sim/trace"
)

// WatchLatency is how long a change takes to reach a watcher.
const WatchLatency = time.Millisecond

// Config is what a Server works with. Store, Trace, Now and Rand are needed.
type Config struct {
	Store  *etcd.Store
	Trace  *trace.Recorder
	Now    func() time.Time
	Rand   *rand.Rand // names, UIDs, addresses
	Limits Limits

	// Wait, where set, lets the cluster go on until done holds, at most for the time given.
	Wait func(limit time.Duration, done func() bool) bool
	// Live, where set, shows what is kept current without being written: the
	// heartbeats of healthy nodes. It returns o itself, or a changed copy.
	Live func(o Object) Object
	// Metrics, where set, is what metrics.k8s.io is served from.
	Metrics Metrics
	// Logs, where set, is a container's output, as the node's kubelet has it.
	Logs func(namespace, pod string, o LogOptions) (string, error)
}

// LogOptions is what to read of a container's log.
type LogOptions struct {
	Container  string
	Previous   bool
	Tail       *int64         // lines from the end
	Since      *time.Duration // no older than that
	Timestamps bool
	LimitBytes *int64
}

// Limits bound what one cluster holds. A zero is the default.
type Limits struct {
	Nodes       int // 50
	Pods        int // 2,000
	Objects     int // 5,000; events are not counted among them: five times as many may be there
	ObjectBytes int // 256 KiB as stored
	Bytes       int // 32 MiB in all, with what compaction has yet to take away; small changes are made beyond it, too
}

func (l Limits) withDefaults() Limits {
	set := func(v *int, to int) {
		if *v == 0 {
			*v = to
		}
	}
	set(&l.Nodes, 50)
	set(&l.Pods, 2000)
	set(&l.Objects, 5000)
	set(&l.ObjectBytes, 256<<10)
	set(&l.Bytes, 32<<20)
	return l
}

// Server is one cluster's API server. Use New.
type Server struct {
	cfg Config
	*kindTable
	caches    map[*Resource]*cache
	pods      *cache // of which PodsOn is asked
	codec     *protobuf.Serializer
	observers []func(Event)
	objects   int // all but events
	events    eventIndex
	seen      int64 // the revision up to which the caches are those of the store
	down      bool
	life      int // how many times it went down: watches of an earlier life are over
}

// New is a server on a store, which may hold objects already. It does no I/O; a
// value in the store that does not decode is an error that names its key.
func New(cfg Config) (*Server, error) {
	boundCopies()
	cfg.Limits = cfg.Limits.withDefaults()
	s := &Server{
		cfg:       cfg,
		kindTable: served(),
		codec:     protobuf.NewSerializer(scheme.Scheme, scheme.Scheme),
	}
	s.caches = make(map[*Resource]*cache, len(s.resources))
	for _, r := range s.resources {
		c := newCache()
		s.caches[r] = c
		if r.TTL > 0 { // many, short-lived, and hardly ever read
			c.open = func(key string) Object { return s.opened(r, key) }
		}
		if r.Kind == "Pod" {
			s.pods = c
			c.byNode = map[string]*index{}
		}
		if err := s.fill(r, c); err != nil {
			return nil, err
		}
	}
	s.seen = cfg.Store.Rev()
	return s, nil
}

// fill reads what the store holds of a resource.
func (s *Server) fill(r *Resource, c *cache) error {
	prefix := r.KeyPrefix + "/"
	got, err := s.cfg.Store.Range(prefix, etcd.PrefixEnd(prefix), etcd.RangeOptions{})
	if err != nil {
		return fmt.Errorf("read %s: %w", prefix, err)
	}
	var known sharing
	for _, kv := range got.KVs {
		o, err := s.decode(r, kv)
		if err != nil {
			return fmt.Errorf("decode %s: %w", kv.Key, err)
		}
		if r.TTL == 0 { // of the others the cache keeps the key alone
			known.with(o)
		}
		c.put(r.within(kv.Key), o)
		s.account(r, r.within(kv.Key), o, +1)
	}
	return nil
}

// account counts what is there, and keeps events findable. key is that of the cache.
func (s *Server) account(r *Resource, key string, o Object, by int) {
	if r.TTL == 0 {
		s.objects += by
		return
	}
	s.events.account(key, o, by)
}

// Observe has f called at each change, after it is stored, in the order of revisions.
func (s *Server) Observe(f func(Event)) { s.observers = append(s.observers, f) }

// Resources are the rows of the table of kinds, in its order.
func (s *Server) Resources() []*Resource { return s.resources }

// Resource finds a row by its plural name.
func (s *Server) Resource(gvr schema.GroupVersionResource) (*Resource, bool) {
	r, ok := s.byName[gvr]
	return r, ok
}

// ResourceOf is the row of an object's Go type.
func (s *Server) ResourceOf(o Object) (*Resource, bool) {
	r, ok := s.byType[reflect.TypeOf(o)]
	return r, ok
}

// Revision is that of the store.
func (s *Server) Revision() int64 { return s.cfg.Store.Rev() }

// Now is the cluster's time.
func (s *Server) Now() time.Time { return s.cfg.Now() }

// key is where an object lives in etcd.
func (r *Resource) key(namespace, name string) string {
	if r.Namespaced {
		return r.KeyPrefix + "/" + namespace + "/" + name
	}
	return r.KeyPrefix + "/" + name
}

// within is the part of an object's key in etcd under which its cache has it; it costs no memory of its own.
func (r *Resource) within(key string) string {
	if r.Namespaced {
		return key[len(r.KeyPrefix)+1:]
	}
	return key[len(r.KeyPrefix):]
}

// opened is an object of which the cache has the key alone; nil: the store has just lost it to a lease.
func (s *Server) opened(r *Resource, within string) Object {
	namespace, name, _ := strings.Cut(within, "/")
	kv, ok := s.cfg.Store.Get(r.key(namespace, name))
	if !ok {
		return nil
	}
	o, err := s.decode(r, kv)
	if err != nil { // never: New has decoded all there was, and write has encoded all else
		return nil
	}
	return o
}

func (s *Server) encode(o Object) ([]byte, error) {
	// As the real server: the version is etcd's own, and not written twice.
	version := o.GetResourceVersion()
	o.SetResourceVersion("")
	defer o.SetResourceVersion(version)
	work := runtime.AllocatorPool.Get().(*runtime.Allocator)
	defer runtime.AllocatorPool.Put(work)
	var value exactly
	err := s.codec.EncodeWithAllocator(o, &value, work)
	return value, err
}

// exactly is a writer that takes no more memory than what is written to it at once: values stay for long.
type exactly []byte

func (e *exactly) Write(p []byte) (int, error) {
	*e = append(*e, p...)
	return len(p), nil
}

func (s *Server) decode(r *Resource, kv etcd.KV) (Object, error) {
	o := r.New()
	gvk := r.GroupVersionKind()
	if _, _, err := s.codec.Decode(kv.Value, &gvk, o); err != nil {
		return nil, err
	}
	o.GetObjectKind().SetGroupVersionKind(gvk)
	o.SetResourceVersion(strconv.FormatInt(kv.ModRev, 10))
	return o, nil
}

func ref(r *Resource, o Object) trace.Ref {
	return trace.Ref{Kind: r.Kind, Namespace: o.GetNamespace(), Name: o.GetName(), UID: o.GetUID()}
}
