package apiserver

import (
	"slices"
	"strconv"
	"strings"
	"time"

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

// eventIndex finds the event that a new one repeats. It is made of the events there are, and so needs no saving.
type eventIndex struct {
	about map[types.UID][]*corev1.Event // in the order of their making; an object has few at a time
}

func sameEvent(a, b *corev1.Event) bool { return a.Name == b.Name && a.Namespace == b.Namespace }

// similar says that two events differ in their message at most. That they are about one UID is known.
func similar(a, b *corev1.Event) bool {
	return a.Reason == b.Reason && a.Type == b.Type && a.Source.Component == b.Source.Component &&
		a.InvolvedObject.Kind == b.InvolvedObject.Kind && a.InvolvedObject.Name == b.InvolvedObject.Name
}

func (x *eventIndex) account(o Object, by int) {
	e, ok := o.(*corev1.Event)
	if !ok {
		return
	}
	if x.about == nil {
		x.about = map[types.UID][]*corev1.Event{}
	}
	uid := e.InvolvedObject.UID
	if by > 0 {
		x.about[uid] = append(x.about[uid], e)
		return
	}
	kept := slices.DeleteFunc(x.about[uid], func(other *corev1.Event) bool { return sameEvent(other, e) })
	if len(kept) == 0 {
		delete(x.about, uid)
		return
	}
	x.about[uid] = kept
}

func (x *eventIndex) replace(old, e *corev1.Event) {
	all := x.about[old.InvolvedObject.UID]
	for i := range all {
		if sameEvent(all[i], e) {
			all[i] = e
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
	same, message, found := s.findEvent(e)
	if !found {
		e.Message = message
		s.writeEvent(&request{user: c.user, verb: "create", resource: s.kindNamed("Event"), namespace: e.Namespace, name: e.Name, object: e}, e)
		return
	}
	r := &request{user: c.user, verb: "patch", resource: s.kindNamed("Event"), namespace: same.Namespace, name: same.Name}
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
	for _, other := range s.events.about[e.InvolvedObject.UID] {
		if other.Source != e.Source || other.Type != e.Type {
			continue
		}
		told = append(told, other.FirstTimestamp.Unix())
		for range min(other.Count-1, burst) {
			told = append(told, other.LastTimestamp.Unix())
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

// findEvent is the event that e repeats, if there is one, and the message that is to be written.
func (s *Server) findEvent(e *corev1.Event) (same *corev1.Event, message string, found bool) {
	if e.Source.Component == schedulerSource {
		return s.findSeries(e)
	}
	latest := int64(0)
	messages := 1 // e's own
	var combined, repeated *corev1.Event
	for _, other := range s.events.about[e.InvolvedObject.UID] {
		if !similar(other, e) {
			continue
		}
		latest = max(latest, other.LastTimestamp.Unix())
		switch {
		case strings.HasPrefix(other.Message, combinedText):
			combined = other
			messages++ // the one that it was made for; more do not matter
		case other.Message == e.Message:
			repeated = other
		default:
			messages++
		}
	}
	if s.Now().Sub(time.Unix(latest, 0)) > combineWindow {
		return nil, e.Message, false // the real recorder begins to count anew
	}
	if messages >= combineAfter {
		return combined, combinedText + e.Message, combined != nil
	}
	return repeated, e.Message, repeated != nil
}

// findSeries is findEvent for a recorder of events.k8s.io, which only the scheduler has. There an event repeats
// another about the same version of the object, whatever it says, and the first one's message stays (client-go
// tools/events/event_broadcaster.go: getKey, finishTime).
func (s *Server) findSeries(e *corev1.Event) (same *corev1.Event, message string, found bool) {
	for _, other := range s.events.about[e.InvolvedObject.UID] {
		if similar(other, e) && other.InvolvedObject == e.InvolvedObject && s.Now().Sub(other.LastTimestamp.Time) <= seriesWindow {
			return other, other.Message, true
		}
	}
	return nil, e.Message, false
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
