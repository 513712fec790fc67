package controller

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"

	"timonier/sim/apiserver"
)

const daemonSetController = "daemonset-controller"

// daemonSets keeps a pod of each DaemonSet on each node that is to have one (pkg/controller/daemon). The scheduler
// places them: each is made for one node, and fits no other.
//
// Its keys: NAMESPACE/NAME of a DaemonSet, and /NAME of a node that has changed.
type daemonSets struct {
	owners[*appsv1.DaemonSet]
	orphans  orphans
	backoffs map[string]backoff // of failed pods, by DaemonSet, its generation and the node
}

func newDaemonSets(env Env) Component {
	return &daemonSets{orphans: findOrphans(env.Client), backoffs: map[string]backoff{},
		owners: owners[*appsv1.DaemonSet]{Env: env, kind: "DaemonSet",
			selector: func(d *appsv1.DaemonSet) *metav1.LabelSelector { return d.Spec.Selector }}}
}

func daemonSetKind() schema.GroupVersionKind {
	return appsv1.SchemeGroupVersion.WithKind("DaemonSet")
}

func (c *daemonSets) Observe(e apiserver.Event) {
	switch o := subject(e).(type) {
	case *appsv1.DaemonSet:
		if e.Type == watch.Deleted {
			maps.DeleteFunc(c.backoffs, func(key string, _ backoff) bool { return strings.HasPrefix(key, string(o.UID)+"/") })
		}
		c.Queue.Add(keyOf(o), delayOf(e))
	case *appsv1.ControllerRevision:
		if e.Type != watch.Added || metav1.GetControllerOfNoCopy(o) == nil {
			c.wake(e, batch)
		}
	case *corev1.Pod:
		c.orphans.note(o, e.Type == watch.Deleted)
		// A second more, against clocks that differ.
		c.wakeForPod(e, func(d *appsv1.DaemonSet) time.Duration {
			if d.Spec.MinReadySeconds == 0 {
				return 0
			}
			return time.Duration(d.Spec.MinReadySeconds+1) * time.Second
		})
	case *corev1.Node:
		if e.Type == watch.Added || e.Type == watch.Modified && nodeMoved(e.Old.(*corev1.Node), o) {
			c.soon("/" + o.Name)
		}
	}
}

// nodeMoved says whether a node's change can move who may run on it.
func nodeMoved(old, node *corev1.Node) bool {
	return !equality.Semantic.DeepEqual(old.Labels, node.Labels) || !equality.Semantic.DeepEqual(old.Spec.Taints, node.Spec.Taints)
}

func (c *daemonSets) Resync() {
	c.orphans, c.backoffs = findOrphans(c.Client), map[string]backoff{}
	for d := range apiserver.List[*appsv1.DaemonSet](c.Client, "") {
		c.soon(keyOf(d))
	}
}

// Save and Load keep how long failed pods are to be waited for: no object says.
func (c *daemonSets) Save() any { return c.backoffs }

// Load is the counterpart of Save.
func (c *daemonSets) Load(data json.RawMessage) error {
	c.backoffs = map[string]backoff{}
	return json.Unmarshal(data, &c.backoffs)
}

// daemonSync is one sync of one DaemonSet.
type daemonSync struct {
	*daemonSets
	set   *appsv1.DaemonSet // as stored: shared
	rule  placement
	nodes []*corev1.Node
	hash  string // of the present template: the label of its pods
	now   time.Time
	moved bool // pods have been made or deleted: the next sync looks again
}

func (c *daemonSets) Sync(key string) error {
	namespace, name := splitKey(key)
	if namespace == "" {
		return c.syncNode(name)
	}
	set, ok := apiserver.Get[*appsv1.DaemonSet](c.Client, namespace, name)
	if !ok {
		return nil
	}
	if equality.Semantic.DeepEqual(set.Spec.Selector, &metav1.LabelSelector{}) {
		c.Client.Emit(set, corev1.EventTypeWarning, "SelectingAll",
			"This daemon set is selecting all pods. A non-empty selector is required.")
		return nil
	}
	if set.DeletionTimestamp != nil { // its history may be gone already, and its status with it
		return nil
	}
	s := &daemonSync{daemonSets: c, set: set, rule: placementOf(set), now: c.Queue.Now(),
		nodes: slices.Collect(apiserver.List[*corev1.Node](c.Client, ""))}
	current, old, err := s.history()
	if err != nil {
		return fmt.Errorf("failed to construct revisions of DaemonSet: %w", err)
	}
	s.hash = current.Labels[appsv1.DefaultDaemonSetUniqueLabelKey]
	err = s.bring(old)
	if saveErr := s.saveStatus(); err == nil {
		err = saveErr
	}
	return err
}

func (s *daemonSync) bring(old []*appsv1.ControllerRevision) error {
	if err := s.manage(); err != nil {
		return err
	}
	if !s.moved && s.set.Spec.UpdateStrategy.Type == appsv1.RollingUpdateDaemonSetStrategyType {
		if err := s.roll(); err != nil {
			return err
		}
	}
	if err := s.truncateHistory(old); err != nil {
		return fmt.Errorf("failed to clean up revisions of DaemonSet: %w", err)
	}
	return nil
}

// syncNode wakes the DaemonSets for which a node's change makes a difference.
func (c *daemonSets) syncNode(name string) error {
	node, ok := apiserver.Get[*corev1.Node](c.Client, "", name)
	if !ok {
		return nil
	}
	for set := range apiserver.List[*appsv1.DaemonSet](c.Client, "") {
		has := false
		for pod := range apiserver.PodsOn(c.Client, name) {
			ref := metav1.GetControllerOfNoCopy(pod)
			has = has || ref != nil && ref.Kind == "DaemonSet" && ref.Name == set.Name && pod.Namespace == set.Namespace
		}
		run, stay := placementOf(set).on(node)
		if run && !has || !stay && has || has && set.Status.NumberMisscheduled > 0 {
			c.soon(keyOf(set))
		}
	}
	return nil
}

// onNodes are the set's pods by the node that each is for, after adopting and releasing. Those that have ended and
// are being deleted are no one's concern any more, but for the history.
func (s *daemonSync) onNodes(endedToo bool) (map[string][]*corev1.Pod, error) {
	selector, err := selectorOf(s.set.Spec.Selector)
	if err != nil {
		return nil, err
	}
	pods, err := s.claimPods(daemonSetController, s.set, *metav1.NewControllerRef(s.set, daemonSetKind()), s.orphans,
		func(pod *corev1.Pod) bool { return selector.Matches(labels.Set(pod.Labels)) })
	if err != nil {
		return nil, err
	}
	on := map[string][]*corev1.Pod{}
	for _, pod := range pods {
		if !endedToo && podTerminal(pod) && pod.DeletionTimestamp != nil {
			continue
		}
		if node, ok := nodeOf(pod); ok {
			on[node] = append(on[node], pod)
		}
	}
	return on, nil
}

// oldestFirst sorts the pods of one node: those that are placed, then the older.
func oldestFirst(a, b *corev1.Pod) int {
	if placed := a.Spec.NodeName != ""; placed != (b.Spec.NodeName != "") {
		if placed {
			return -1
		}
		return 1
	}
	return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Name, b.Name))
}

// backoff is how long a failed pod on a node is left alone (client-go util/flowcontrol.Backoff).
type backoff struct {
	Delay time.Duration `json:"delay"`
	At    time.Time     `json:"at"` // of the latest failure
}

const (
	firstBackoff   = time.Second
	longestBackoff = 15 * time.Minute
)

// wait says whether a pod that has failed is to be left alone still, and how long its delay is. If not, the delay of
// the next time is twice as long.
func (s *daemonSync) wait(node string) (time.Duration, bool) {
	key := fmt.Sprintf("%s/%d/%s", s.set.UID, s.set.Status.ObservedGeneration, node)
	b, known := s.backoffs[key]
	since := s.now.Sub(b.At)
	if known && since < b.Delay {
		return b.Delay, true
	}
	delay := firstBackoff
	if known && since <= 2*longestBackoff {
		delay = min(2*b.Delay, longestBackoff)
	}
	maps.DeleteFunc(s.backoffs, func(_ string, b backoff) bool { return s.now.Sub(b.At) > 2*longestBackoff })
	s.backoffs[key] = backoff{delay, s.now}
	return 0, false
}
