package apiserver

import (
	"slices"
	"strconv"
	"strings"
	"time"
	"unique"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"timonier/sim/etcd"
)

const (
	// From so many different messages of one reason about one object on, they are combined, the known ones too, unless
	// the last is older than the window (client-go tools/record/events_cache.go: EventAggregate,
	// defaultAggregateMaxEvents, defaultAggregateIntervalInSeconds).
	combineAfter  = 10
	combineWindow = 10 * time.Minute
	combinedText  = "(combined from similar events): "
	// seriesWindow is how long after the last event of a series another one belongs to it.
	seriesWindow    = 6 * time.Minute
	schedulerSource = "default-scheduler"
	// The real server shares a lease between events that are written within a minute.
	leaseGrid = time.Minute
)

// eventIndex finds the event that a new one repeats. It is made of the events there are, and so needs no saving. It keeps
// of an event what that takes, which is a tenth of it: a pod has five or more, for an hour.
type eventIndex struct {
	about map[subject][]told // in the order of their making; an object has few at a time
}

// subject is the object that an event is about.
type subject struct {
	uid                   types.UID
	kind, namespace, name string
}

func subjectOf(e *corev1.Event) subject {
	o := &e.InvolvedObject
	return subject{o.UID, o.Kind, o.Namespace, o.Name}
}

// told is one event about a subject.
type told struct {
	key         string // namespace/name: that of the cache
	line        unique.Handle[line]
	version     string // of the subject
	message     string
	first, last int64 // Unix seconds
	count       int32
}

// line is what events about many objects have in common.
type line struct {
	reason, severity string
	source           corev1.EventSource
}

func toldBy(key string, e *corev1.Event) told {
	return told{key: key, line: unique.Make(line{e.Reason, e.Type, e.Source}), version: e.InvolvedObject.ResourceVersion,
		message: e.Message, first: e.FirstTimestamp.Unix(), last: e.LastTimestamp.Unix(), count: e.Count}
}

// similar says that two events about one subject differ in their message at most.
func (t *told) similar(e *corev1.Event) bool {
	l := t.line.Value()
	return l.reason == e.Reason && l.severity == e.Type && l.source.Component == e.Source.Component
}

func (x *eventIndex) account(key string, o Object, by int) {
	e, ok := o.(*corev1.Event)
	if !ok {
		return
	}
	if x.about == nil {
		x.about = map[subject][]told{}
	}
	about := subjectOf(e)
	if by > 0 {
		x.about[about] = append(x.about[about], toldBy(key, e))
		return
	}
	kept := slices.DeleteFunc(x.about[about], func(t told) bool { return t.key == key })
	if len(kept) == 0 {
		delete(x.about, about)
		return
	}
	x.about[about] = kept
}

func (x *eventIndex) replace(key string, old, e *corev1.Event) {
	all := x.about[subjectOf(old)]
	for i := range all {
		if all[i].key == key {
			all[i] = toldBy(key, e)
		}
	}
}

// Emit records an event about an object, as the recorder of client-go does: one that repeats another raises its
// count, and many different ones of one reason are combined. Events are best effort: one that cannot be written is
// lost, as a real one is.
func (c *Client) Emit(about Object, eventType, reason, note string) {
	s := c.server
	if s.down {
		return
	}
	e := c.newEvent(about, eventType, reason, note)
	if e.Source.Component != schedulerSource && s.toldEnough(e) {
		return
	}
	same, message := s.findEvent(e)
	if same == "" {
		e.Message = message
		s.writeEvent(&request{user: c.user, verb: "create", resource: s.kindNamed("Event"), namespace: e.Namespace, name: e.Name, object: e}, e)
		return
	}
	namespace, name, _ := strings.Cut(same, "/")
	r := &request{user: c.user, verb: "patch", resource: s.kindNamed("Event"), namespace: namespace, name: name}
	_, _ = s.update(r, func(old Object) (Object, error) {
		next := old.(*corev1.Event).DeepCopy()
		next.Count++
		next.LastTimestamp = e.LastTimestamp
		next.Message = message
		return next, nil
	})
}

// toldEnough says whether a component has told so much about an object, of one type, that it holds its tongue:
// client-go allows 25 events, and one more every five minutes (tools/record/events_cache.go,
// EventSourceObjectSpamFilter). What has been told is what events say: each once when it was first told, and the rest
// when it was last.
func (s *Server) toldEnough(e *corev1.Event) bool {
	const burst, refill = 25, 300 // events, seconds
	var told []int64
	for _, other := range s.events.about[subjectOf(e)] {
		if l := other.line.Value(); l.source != e.Source || l.severity != e.Type {
			continue
		}
		told = append(told, other.first)
		for range min(other.count-1, burst) {
			told = append(told, other.last)
		}
	}
	if len(told) < burst {
		return false
	}
	slices.Sort(told)
	full := int64(0) // when the allowance is whole again
	for _, at := range told {
		full = max(full, at) + refill
	}
	return full-s.Now().Unix() > (burst-1)*refill
}

// findEvent is the key of the event that e repeats, "" where there is none, and the message that is to be written.
func (s *Server) findEvent(e *corev1.Event) (same, message string) {
	if e.Source.Component == schedulerSource {
		return s.findSeries(e)
	}
	latest := int64(0)
	messages := 1 // e's own
	combined, repeated := "", ""
	for _, other := range s.events.about[subjectOf(e)] {
		if !other.similar(e) {
			continue
		}
		latest = max(latest, other.last)
		switch {
		case strings.HasPrefix(other.message, combinedText):
			combined = other.key
			messages++ // the one that it was made for; more do not matter
		case other.message == e.Message:
			repeated = other.key
		default:
			messages++
		}
	}
	if s.Now().Sub(time.Unix(latest, 0)) > combineWindow {
		return "", e.Message // the real recorder begins to count anew
	}
	if messages >= combineAfter {
		return combined, combinedText + e.Message
	}
	return repeated, e.Message
}

// findSeries is findEvent for a recorder of events.k8s.io, which only the scheduler has. There an event repeats
// another about the same version of the object, whatever it says, and the first one's message stays (client-go
// tools/events/event_broadcaster.go: getKey, finishTime).
func (s *Server) findSeries(e *corev1.Event) (same, message string) {
	for _, other := range s.events.about[subjectOf(e)] {
		if other.similar(e) && other.version == e.InvolvedObject.ResourceVersion && s.Now().Sub(time.Unix(other.last, 0)) <= seriesWindow {
			return other.key, other.message
		}
	}
	return "", e.Message
}

// writeEvent is the creation of an event that newEvent has made: there is nothing to default in it, and nothing to
// refuse but the right to write it, there. A pod has five of them, so that it matters what one costs.
func (s *Server) writeEvent(r *request, e *corev1.Event) {
	if !allowed(r.user, r.verb, r.resource.Group, r.resource.Resource) || namespaceLifecycle(s, r, e, nil) != nil {
		return
	}
	e.SetGroupVersionKind(r.resource.GroupVersionKind())
	e.CreationTimestamp = metav1.NewTime(s.Now().Truncate(time.Second))
	e.UID = s.newUID()
	_, _ = s.write(r, nil, e)
}

func (c *Client) newEvent(about Object, eventType, reason, note string) *corev1.Event {
	s := c.server
	now := metav1.NewTime(s.Now().Truncate(time.Second))
	regarding := corev1.ObjectReference{Namespace: about.GetNamespace(), Name: about.GetName(), UID: about.GetUID(), ResourceVersion: about.GetResourceVersion()}
	if r, ok := s.ResourceOf(about); ok {
		regarding.Kind, regarding.APIVersion = r.Kind, r.GroupVersion().String()
	}
	namespace := about.GetNamespace()
	if namespace == "" {
		namespace = metav1.NamespaceDefault
	}
	source := c.source()
	e := &corev1.Event{
		ObjectMeta:     metav1.ObjectMeta{Namespace: namespace},
		InvolvedObject: regarding, Reason: reason, Message: note, Type: eventType,
		Source: source, ReportingController: source.Component, ReportingInstance: source.Host,
		FirstTimestamp: now, LastTimestamp: now, Count: 1,
	}
	// The real name is the moment in nanoseconds; simulated moments repeat.
	cache := s.caches[s.kindNamed("Event")]
	for nano := s.Now().UnixNano(); ; nano++ {
		e.Name = about.GetName() + "." + strconv.FormatInt(nano, 16)
		if !cache.has(namespace, e.Name) {
			return e
		}
	}
}

// source is how a component names itself in events; most are their agent's name.
func (c *Client) source() corev1.EventSource {
	component, host, _ := strings.Cut(c.user.Agent, "/")
	switch component {
	case "kube-scheduler":
		component = schedulerSource
	case "disruption-controller":
		component = "controllermanager" // as it calls itself, for no reason that it gives
	}
	return corev1.EventSource{Component: component, Host: host}
}

// lease is the etcd lease that makes an object of a resource go when its time is over: 0 for what stays.
func (s *Server) lease(r *Resource) (int64, error) {
	if r.TTL == 0 {
		return 0, nil
	}
	from := s.Now().Truncate(leaseGrid)
	ends := from.Add(leaseGrid + r.TTL)
	id := ends.Unix() / int64(leaseGrid/time.Second)
	_, err := s.cfg.Store.Grant(id, ends.Sub(s.Now()), s.Now())
	if err != nil && err != etcd.ErrLeaseExists {
		return 0, err
	}
	return id, nil
}

// Expire removes what has outlived its lease, and tells the watchers. NextExpiry says when there is more to do.
func (s *Server) Expire() {
	s.Follow()
	_, deleted := s.cfg.Store.Expire(s.Now())
	for _, kv := range deleted {
		for _, r := range s.resources {
			if r.TTL == 0 || !strings.HasPrefix(kv.Key, r.KeyPrefix+"/") {
				continue
			}
			if o, err := s.decode(r, kv); err == nil {
				s.forget(r, o)
			}
		}
	}
	s.seen = s.cfg.Store.Rev()
}

// NextExpiry is when the next lease ends.
func (s *Server) NextExpiry() (time.Time, bool) { return s.cfg.Store.NextExpiry() }
