package controller

import (
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/watch"

	"timonier/sim/apiserver"
	"timonier/sim/trace"
)

const (
	disruptionController = "disruption-controller"
	// disruptionTimeout is how long an eviction that was allowed counts, though nothing is deleted.
	disruptionTimeout = 2 * time.Minute
	// staleKey begins the keys of pods that were to be disrupted, and were not.
	staleKey = "stale/"
)

// disruption reckons how many pods of each PodDisruptionBudget may be evicted now (pkg/controller/disruption). It
// forbids nothing: the eviction subresource reads its sums.
type disruption struct{ Env }

func newDisruption(env Env) Component { return &disruption{env} }

func (c *disruption) Observe(e apiserver.Event) {
	switch o := subject(e).(type) {
	case *policyv1.PodDisruptionBudget:
		c.soon(keyOf(o))
	case *corev1.Pod:
		if e.Type == watch.Modified && !disruptionChanged(e.Old.(*corev1.Pod), o) {
			return
		}
		c.wake(o)
		if after, stale := c.stale(o); stale && e.Type != watch.Deleted {
			c.Queue.Add(staleKey+keyOf(o), after)
		}
	}
}

// disruptionChanged says whether a pod's change can move what a budget counts.
func disruptionChanged(old, pod *corev1.Pod) bool {
	return replicaChanged(old, pod) || podCondition(&pod.Status, corev1.DisruptionTarget) != nil
}

// wake adds the first budget that selects a pod; a pod should have no more than one.
func (c *disruption) wake(pod *corev1.Pod) {
	all := apiserver.Budgets(c.Client, pod)
	if len(all) == 0 {
		return
	}
	if len(all) > 1 {
		c.Client.Emit(pod, corev1.EventTypeWarning, "MultiplePodDisruptionBudgets",
			fmt.Sprintf("Pod %q/%q matches multiple PodDisruptionBudgets.  Chose %q arbitrarily.", pod.Namespace, pod.Name, all[0].Name))
	}
	c.soon(keyOf(all[0]))
}

func (c *disruption) Resync() {
	for b := range apiserver.List[*policyv1.PodDisruptionBudget](c.Client, "") {
		c.soon(keyOf(b))
	}
	for pod := range apiserver.List[*corev1.Pod](c.Client, "") {
		if after, stale := c.stale(pod); stale {
			c.Queue.Add(staleKey+keyOf(pod), after)
		}
	}
}

func (c *disruption) Sync(key string) error {
	if key, ok := strings.CutPrefix(key, staleKey); ok {
		return c.clear(key)
	}
	b, ok := apiserver.Get[*policyv1.PodDisruptionBudget](c.Client, first(splitKey(key)), second(splitKey(key)))
	if !ok {
		return nil
	}
	if err := c.reckon(key, b); err != nil {
		if apierrors.IsConflict(err) {
			return err
		}
		return c.failSafe(b, err)
	}
	return nil
}

func (c *disruption) reckon(key string, b *policyv1.PodDisruptionBudget) error {
	selector, err := metav1.LabelSelectorAsSelector(b.Spec.Selector)
	if err != nil {
		c.Client.Emit(b, corev1.EventTypeWarning, "NoPods", fmt.Sprintf("Failed to get pods: %v", err))
		return err
	}
	var pods []*corev1.Pod
	for pod := range apiserver.List[*corev1.Pod](c.Client, b.Namespace) {
		if selector.Matches(labels.Set(pod.Labels)) {
			pods = append(pods, pod)
		}
	}
	if len(pods) == 0 {
		c.Client.Emit(b, corev1.EventTypeNormal, "NoPods", "No matching pods found")
	}
	expected, desired, unmanaged, err := c.expected(b, pods)
	if err != nil {
		c.Client.Emit(b, corev1.EventTypeWarning, "CalculateExpectedPodCountFailed", fmt.Sprintf("Failed to calculate the number of expected pods: %v", err))
		return err
	}
	if unmanaged {
		c.Client.Emit(b, corev1.EventTypeWarning, "UnmanagedPods", fmt.Sprintf("Pods selected by this PodDisruptionBudget (selector: %v) were found "+
			"to be unmanaged. As a result, the status of the PDB cannot be calculated correctly, which may result in undefined behavior. "+
			"To account for these pods please set \".spec.minAvailable\" field of the PDB to an integer value.", b.Spec.Selector))
	}
	disrupted, again := c.disrupted(b, pods)
	status := budgetStatus(b, c.healthy(pods, disrupted), desired, expected)
	status.DisruptedPods = disrupted
	if err := c.saveBudget(b, status); err != nil {
		return err
	}
	if again > 0 {
		c.Queue.Add(key, again)
	}
	return nil
}

// budgetStatus is the arithmetic: as many may go as are healthy beyond those that must be.
func budgetStatus(b *policyv1.PodDisruptionBudget, healthy, desired, expected int32) policyv1.PodDisruptionBudgetStatus {
	allowed := max(0, healthy-desired)
	if expected <= 0 {
		allowed = 0
	}
	return policyv1.PodDisruptionBudgetStatus{CurrentHealthy: healthy, DesiredHealthy: desired, ExpectedPods: expected,
		DisruptionsAllowed: allowed, ObservedGeneration: b.Generation}
}

// expected is how many pods there should be, and how many of them healthy. Percentages, and what may be
// unavailable, are of the scale of the pods' controllers; a number is of the pods there are.
func (c *disruption) expected(b *policyv1.PodDisruptionBudget, pods []*corev1.Pod) (expected, desired int32, unmanaged bool, err error) {
	least, most := b.Spec.MinAvailable, b.Spec.MaxUnavailable
	switch {
	case most != nil:
		if expected, unmanaged, err = c.scale(pods); err != nil {
			return 0, 0, false, err
		}
		n, err := intstr.GetScaledValueFromIntOrPercent(most, int(expected), true)
		return expected, max(0, expected-int32(n)), unmanaged, err
	case least != nil && least.Type == intstr.Int:
		return int32(len(pods)), least.IntVal, false, nil
	case least != nil:
		if expected, unmanaged, err = c.scale(pods); err != nil {
			return 0, 0, false, err
		}
		n, err := intstr.GetScaledValueFromIntOrPercent(least, int(expected), true)
		return expected, int32(n), unmanaged, err
	}
	return 0, 0, false, nil
}

// scale adds up the scales of the pods' controllers: of a Deployment, where a ReplicaSet has one.
func (c *disruption) scale(pods []*corev1.Pod) (sum int32, unmanaged bool, err error) {
	counted := map[types.UID]bool{}
	for _, pod := range pods {
		ref := metav1.GetControllerOfNoCopy(pod)
		if ref == nil {
			unmanaged = true
			continue
		}
		if counted[ref.UID] {
			continue
		}
		counted[ref.UID] = true
		scale, err := c.scaleOf(pod.Namespace, ref)
		if err != nil {
			return 0, false, err
		}
		if scale == nil {
			return 0, false, fmt.Errorf("found no controllers for pod %q", pod.Name)
		}
		if scale.owner != nil {
			above, err := c.scaleOf(pod.Namespace, scale.owner)
			if err != nil {
				return 0, false, err
			}
			if above == nil {
				return 0, false, fmt.Errorf("found no controllers for pod %q", pod.Name)
			}
			if counted[scale.owner.UID] {
				continue
			}
			counted[scale.owner.UID], scale = true, above
		}
		sum += scale.replicas
	}
	return sum, unmanaged, nil
}

// ownScale is the scale of a controller, and who controls it in turn.
type ownScale struct {
	replicas int32
	owner    *metav1.OwnerReference
}

// scaleOf is the scale of what a reference names; nil where it is not there.
func (c *disruption) scaleOf(namespace string, ref *metav1.OwnerReference) (*ownScale, error) {
	gv, err := schema.ParseGroupVersion(ref.APIVersion)
	if err != nil {
		return nil, err
	}
	o, scale, err := c.Client.Scale(gv.WithKind(ref.Kind).GroupKind(), namespace, ref.Name)
	switch {
	case apierrors.IsNotFound(err):
		return nil, nil
	case err != nil:
		return nil, err
	case o.GetUID() != ref.UID:
		return nil, nil
	}
	s := &ownScale{replicas: scale.Spec.Replicas}
	if up := metav1.GetControllerOfNoCopy(o); up != nil && up.Kind == "Deployment" && ref.Kind == "ReplicaSet" {
		s.owner = up
	}
	return s, nil
}

// disrupted are the evictions that were allowed and whose pods are still there, without those that are overdue.
func (c *disruption) disrupted(b *policyv1.PodDisruptionBudget, pods []*corev1.Pod) (kept map[string]metav1.Time, again time.Duration) {
	kept = map[string]metav1.Time{}
	for _, pod := range pods {
		at, listed := b.Status.DisruptedPods[pod.Name]
		if !listed || pod.DeletionTimestamp != nil {
			continue
		}
		left := at.Add(disruptionTimeout).Sub(c.Queue.Now())
		if left < 0 {
			// The namespace twice, as the real one says it.
			c.Client.Emit(pod, corev1.EventTypeWarning, "NotDeleted", fmt.Sprintf("Pod was expected by PDB %s/%s to be deleted but it wasn't", b.Namespace, b.Namespace))
			continue
		}
		if left = max(left, time.Millisecond); again == 0 || left < again {
			again = left
		}
		kept[pod.Name] = at
	}
	return kept, again
}

func (c *disruption) healthy(pods []*corev1.Pod, disrupted map[string]metav1.Time) (n int32) {
	for _, pod := range pods {
		at, listed := disrupted[pod.Name]
		if pod.DeletionTimestamp == nil && podReady(pod) && !(listed && at.Add(disruptionTimeout).After(c.Queue.Now())) {
			n++
		}
	}
	return n
}

func (c *disruption) saveBudget(b *policyv1.PodDisruptionBudget, status policyv1.PodDisruptionBudgetStatus) error {
	fresh := b.DeepCopy()
	status.Conditions = fresh.Status.Conditions
	fresh.Status = status
	apiserver.SetDisruptionAllowed(fresh, c.now())
	if equality.Semantic.DeepEqual(fresh.Status, b.Status) {
		return nil
	}
	save := func() error { _, err := c.Client.UpdateStatus(fresh); return err }
	was := b.Status
	if was.CurrentHealthy == status.CurrentHealthy && was.DesiredHealthy == status.DesiredHealthy && was.DisruptionsAllowed == status.DisruptionsAllowed {
		return save()
	}
	d := trace.Decision{What: Budget, Desired: int64(status.DesiredHealthy), Actual: int64(status.CurrentHealthy), Count: int64(status.DisruptionsAllowed)}
	return c.decided(disruptionController, refTo("PodDisruptionBudget", b), d, save)
}

// failSafe allows nothing while nothing can be reckoned.
func (c *disruption) failSafe(b *policyv1.PodDisruptionBudget, why error) error {
	fresh := b.DeepCopy()
	fresh.Status.DisruptionsAllowed = 0
	apimeta.SetStatusCondition(&fresh.Status.Conditions, metav1.Condition{Type: policyv1.DisruptionAllowedCondition, Status: metav1.ConditionFalse,
		Reason: policyv1.SyncFailedReason, Message: why.Error(), ObservedGeneration: b.Status.ObservedGeneration, LastTransitionTime: c.now()})
	if equality.Semantic.DeepEqual(fresh.Status, b.Status) {
		return nil
	}
	_, err := c.Client.UpdateStatus(fresh)
	return err
}

// stale says whether a pod was to be disrupted, and in how long that is over if nothing comes of it.
func (c *disruption) stale(pod *corev1.Pod) (after time.Duration, stale bool) {
	t := podCondition(&pod.Status, corev1.DisruptionTarget)
	if pod.DeletionTimestamp != nil || t == nil || t.Status != corev1.ConditionTrue || t.Reason == corev1.PodReasonTerminationByKubelet || podTerminal(pod) {
		return 0, false
	}
	return max(0, disruptionTimeout-c.Queue.Now().Sub(t.LastTransitionTime.Time)), true
}

func (c *disruption) clear(key string) error {
	pod, ok := apiserver.Get[*corev1.Pod](c.Client, first(splitKey(key)), second(splitKey(key)))
	if !ok {
		return nil
	}
	after, stale := c.stale(pod)
	if !stale {
		return nil
	}
	if after > 0 {
		c.Queue.Add(staleKey+key, after)
		return nil
	}
	fresh := pod.DeepCopy()
	setPodCondition(&fresh.Status, corev1.PodCondition{Type: corev1.DisruptionTarget, Status: corev1.ConditionFalse, ObservedGeneration: pod.Generation}, c.now())
	_, err := c.Client.UpdateStatus(fresh)
	return gone(err)
}
