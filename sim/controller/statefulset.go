package controller

import (
	"errors"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"timonier/sim/apiserver"
)

const statefulSetController = "statefulset-controller"

// statefulSets gives each pod of a StatefulSet a number, and keeps it in its place (pkg/controller/statefulset).
type statefulSets struct {
	owners[*appsv1.StatefulSet]
	orphans orphans
}

func newStatefulSets(env Env) Component {
	return &statefulSets{orphans: findOrphans(env.Client), owners: owners[*appsv1.StatefulSet]{Env: env, kind: "StatefulSet",
		selector: func(s *appsv1.StatefulSet) *metav1.LabelSelector { return s.Spec.Selector }}}
}

func statefulSetKind() schema.GroupVersionKind {
	return appsv1.SchemeGroupVersion.WithKind("StatefulSet")
}

func (c *statefulSets) Observe(e apiserver.Event) {
	switch o := subject(e).(type) {
	case *appsv1.StatefulSet:
		c.Queue.Add(keyOf(o), delayOf(e))
	case *corev1.Pod:
		c.orphans.note(o, e.New == nil)
		c.wakeForPod(e, func(s *appsv1.StatefulSet) time.Duration { return time.Duration(s.Spec.MinReadySeconds) * time.Second })
	}
}

func (c *statefulSets) Resync() {
	c.orphans = findOrphans(c.Client)
	for s := range apiserver.List[*appsv1.StatefulSet](c.Client, "") {
		c.soon(keyOf(s))
	}
}

// setSync is one sync of one StatefulSet.
type setSync struct {
	*statefulSets
	set             *appsv1.StatefulSet // as stored: shared
	pods            []*corev1.Pod
	revisions       []*appsv1.ControllerRevision // from the oldest
	current, update *appsv1.ControllerRevision   // what the pods had, and what they are to have
	now             time.Time

	// The set with the templates of the two revisions.
	currentSet, updateSet *appsv1.StatefulSet
	// replicas are the pods from the first ordinal to the last: those that are there, and, without a phase, those
	// that are to be made now. condemned are all others, the highest ordinal first.
	replicas, condemned []*corev1.Pod
	status              appsv1.StatefulSetStatus
}

func (c *statefulSets) Sync(key string) error {
	set, ok := apiserver.Get[*appsv1.StatefulSet](c.Client, first(splitKey(key)), second(splitKey(key)))
	if !ok {
		return nil
	}
	selector, err := selectorOf(set.Spec.Selector)
	if err != nil {
		return nil
	}
	s := &setSync{statefulSets: c, set: set, now: c.Queue.Now()}
	if err := s.findRevisions(selector); err != nil {
		return err
	}
	s.pods, err = c.claimPods(statefulSetController, set, *metav1.NewControllerRef(set, statefulSetKind()), c.orphans,
		func(pod *corev1.Pod) bool { return isMember(set, pod) && selector.Matches(labels.Set(pod.Labels)) })
	if err != nil {
		return err
	}
	err = s.bring()
	if truncateErr := s.truncateHistory(); err != nil || truncateErr != nil {
		return errors.Join(err, truncateErr)
	}
	if set.Spec.MinReadySeconds > 0 && s.status.ReadyReplicas != s.status.AvailableReplicas {
		c.Queue.Add(key, nextAvailable(s.pods, set.Spec.MinReadySeconds, s.now))
	}
	return nil
}

// bring brings the set one step nearer to what is wanted, and says in its status how near it is.
func (s *setSync) bring() error {
	collisions := int32(0)
	if n := s.set.Status.CollisionCount; n != nil {
		collisions = *n
	}
	if err := s.chooseRevisions(&collisions); err != nil {
		return err
	}
	s.status = appsv1.StatefulSetStatus{
		ObservedGeneration: s.set.Generation, CurrentRevision: s.current.Name, UpdateRevision: s.update.Name,
		CollisionCount: &collisions, Conditions: slices.Clone(s.set.Status.Conditions),
	}
	err := s.advance()
	if saveErr := s.saveStatus(); err == nil {
		err = saveErr
	}
	return err
}

// advance makes what is missing, ends what is too much, and only then replaces what is old: scaling goes before
// updating.
func (s *setSync) advance() error {
	s.count(s.pods)
	s.arrange()
	if s.set.DeletionTimestamp != nil {
		return nil
	}
	for _, step := range []func() (bool, error){s.fill, s.claimsOfCondemned, s.shrink} {
		done, err := step()
		if done || err != nil {
			s.count(s.replicas, s.condemned)
			return err
		}
	}
	s.count(s.replicas, s.condemned)
	return s.roll()
}

// ordered says whether pods come and go one after the other.
func (s *setSync) ordered() bool {
	return s.set.Spec.PodManagementPolicy != appsv1.ParallelPodManagement
}

// each works on pods one after the other where order matters, up to the first that is to be waited for; else on
// all. It says whether this sync ends there.
func (s *setSync) each(pods []*corev1.Pod, work func(*corev1.Pod) (wait bool, err error)) (bool, error) {
	if s.ordered() {
		for _, pod := range pods {
			if wait, err := work(pod); wait || err != nil {
				return true, err
			}
		}
		return false, nil
	}
	next := 0
	err := slowStart(len(pods), func() error {
		next++
		_, err := work(pods[next-1])
		return err
	})
	return err != nil, err
}
