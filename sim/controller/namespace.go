package controller

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"timonier/sim/apiserver"
	"timonier/sim/trace"
)

const (
	namespaceController = "namespace-controller"

	namespaceGrace    = 5 * time.Second // before anything of a deleted namespace goes
	finalizerEstimate = 15              // seconds to wait for objects that finalizers hold
)

// namespaces empties a namespace that is being deleted, the pods first, and then lets it go
// (pkg/controller/namespace).
type namespaces struct{ Env }

func newNamespaces(env Env) Component { return &namespaces{env} }

func (c *namespaces) Observe(e apiserver.Event) {
	if n, ok := e.New.(*corev1.Namespace); ok && n.DeletionTimestamp != nil {
		c.Queue.Add(n.Name, namespaceGrace)
	}
}

func (c *namespaces) Resync() {
	for n := range apiserver.List[*corev1.Namespace](c.Client, "") {
		if n.DeletionTimestamp != nil {
			c.Queue.Add(n.Name, namespaceGrace)
		}
	}
}

func (c *namespaces) Sync(key string) error {
	n, ok := apiserver.Get[*corev1.Namespace](c.Client, "", key)
	if !ok || n.DeletionTimestamp == nil || len(n.Spec.Finalizers) == 0 {
		return nil
	}
	n = n.DeepCopy()
	if n.Status.Phase != corev1.NamespaceTerminating {
		n.Status.Phase = corev1.NamespaceTerminating
		stored, err := c.Client.UpdateStatus(n)
		if err != nil {
			return gone(err)
		}
		n = stored.(*corev1.Namespace).DeepCopy()
	}
	left := &remaining{finalizers: map[string]int{}}
	err := c.decided(namespaceController, refTo("Namespace", n), trace.Decision{What: EmptyNamespace, Target: refTo("Namespace", n)},
		func() error { return c.empty(n, left) })
	if saveErr := c.saveConditions(n, left, err); saveErr != nil && err == nil {
		err = saveErr
	}
	switch {
	case err != nil:
		return err
	case left.wait > 0:
		c.Queue.Add(key, time.Duration(left.wait/2+1)*time.Second)
		return nil
	}
	return c.finalize(n.Name)
}

// remaining is what is left in a namespace after a try to empty it.
type remaining struct {
	wait       int64 // seconds, an estimate
	resources  []string
	finalizers map[string]int // finalizer → objects that it holds
}

// empty deletes the pods, and once they are gone all the rest.
func (c *namespaces) empty(n *corev1.Namespace, left *remaining) error {
	all := c.Client.Resources()
	if i := slices.IndexFunc(all, func(r *apiserver.Resource) bool { return r.Kind == "Pod" }); i >= 0 {
		pods := &remaining{finalizers: map[string]int{}}
		if err := c.emptyOf(n, all[i], pods); err != nil {
			left.wait = pods.wait
			return fmt.Errorf("failed to delete pods for namespace: %s, err: %w", n.Name, err)
		}
		if len(pods.resources) > 0 { // as the real one, it says nothing of them in the conditions
			left.wait = pods.wait
			return nil
		}
	}
	var failed []error
	for _, r := range all {
		if r.Namespaced && r.Kind != "Pod" {
			if err := c.emptyOf(n, r, left); err != nil {
				failed = append(failed, err)
			}
		}
	}
	return errors.Join(failed...)
}

// emptyOf deletes all objects of one resource (deleteAllContentForGroupVersionResource).
func (c *namespaces) emptyOf(n *corev1.Namespace, r *apiserver.Resource, left *remaining) error {
	wait := c.graceOf(n, r)
	background := metav1.DeletePropagationBackground
	for _, o := range c.Client.All(r, n.Name) {
		if err := c.Client.Delete(o, metav1.DeleteOptions{PropagationPolicy: &background}); err != nil && !apierrors.IsNotFound(err) {
			left.wait = max(left.wait, wait)
			return err
		}
	}
	still := c.Client.All(r, n.Name)
	if len(still) == 0 {
		return nil
	}
	left.resources = append(left.resources, fmt.Sprintf("%s.%s has %d resource instances", r.Resource, r.Group, len(still)))
	held := false
	for _, o := range still {
		for _, f := range o.GetFinalizers() {
			left.finalizers[f]++
			held = true
		}
	}
	if wait == 0 && held {
		wait = finalizerEstimate
	}
	left.wait = max(left.wait, wait)
	if wait == 0 {
		return fmt.Errorf("unexpected items still remain in namespace: %s for gvr: %v", n.Name, r.GroupVersionResource)
	}
	return nil
}

// graceOf is how many seconds the pods of a namespace may still take to end; 0 once that time is over.
func (c *namespaces) graceOf(n *corev1.Namespace, r *apiserver.Resource) (longest int64) {
	if r.Kind != "Pod" {
		return 0
	}
	for pod := range apiserver.List[*corev1.Pod](c.Client, n.Name) {
		if !podTerminal(pod) && pod.Spec.TerminationGracePeriodSeconds != nil {
			longest = max(longest, *pod.Spec.TerminationGracePeriodSeconds)
		}
	}
	if c.Queue.Now().Sub(n.DeletionTimestamp.Time) >= time.Duration(longest)*time.Second {
		return 0
	}
	return longest
}

// namespaceCondition is a condition of a namespace that is being deleted, and how it reads while all is well.
type namespaceCondition struct {
	kind            corev1.NamespaceConditionType
	reason, message string
}

func namespaceConditions() []namespaceCondition {
	return []namespaceCondition{
		{corev1.NamespaceDeletionDiscoveryFailure, "ResourcesDiscovered", "All resources successfully discovered"},
		{corev1.NamespaceDeletionGVParsingFailure, "ParsedGroupVersions", "All legacy kube types successfully parsed"},
		{corev1.NamespaceDeletionContentFailure, "ContentDeleted", "All content successfully deleted, may be waiting on finalization"},
		{corev1.NamespaceContentRemaining, "ContentRemoved", "All content successfully removed"},
		{corev1.NamespaceFinalizersRemaining, "ContentHasNoFinalizers", "All content-preserving finalizers finished"},
	}
}

// problems are the conditions that are not well.
func (left *remaining) problems(failed error) map[corev1.NamespaceConditionType]namespaceCondition {
	found := map[corev1.NamespaceConditionType]namespaceCondition{}
	if failed != nil {
		found[corev1.NamespaceDeletionContentFailure] = namespaceCondition{reason: "ContentDeletionFailed",
			message: fmt.Sprintf("Failed to delete all resource types, %d remaining: %v", max(1, len(left.resources)), failed)}
	}
	if len(left.resources) > 0 {
		found[corev1.NamespaceContentRemaining] = namespaceCondition{reason: "SomeResourcesRemain",
			message: "Some resources are remaining: " + strings.Join(slices.Sorted(slices.Values(left.resources)), ", ")}
	}
	if len(left.finalizers) > 0 {
		var held []string
		for f, count := range left.finalizers {
			held = append(held, fmt.Sprintf("%s in %d resource instances", f, count))
		}
		slices.Sort(held)
		found[corev1.NamespaceFinalizersRemaining] = namespaceCondition{reason: "SomeFinalizersRemain",
			message: "Some content in the namespace has finalizers remaining: " + strings.Join(held, ", ")}
	}
	return found
}

func (c *namespaces) saveConditions(n *corev1.Namespace, left *remaining, failed error) error {
	problems, changed := left.problems(failed), false
	for _, well := range namespaceConditions() {
		status, want := corev1.ConditionFalse, well
		if p, ok := problems[well.kind]; ok {
			status, want = corev1.ConditionTrue, p
		}
		i := slices.IndexFunc(n.Status.Conditions, func(h corev1.NamespaceCondition) bool { return h.Type == well.kind })
		if i < 0 {
			i = len(n.Status.Conditions)
			n.Status.Conditions = append(n.Status.Conditions, corev1.NamespaceCondition{Type: well.kind})
		}
		has := &n.Status.Conditions[i]
		if has.Status == status && has.Reason == want.reason && has.Message == want.message {
			continue
		}
		if has.Status != status {
			has.LastTransitionTime = c.now()
		}
		has.Status, has.Reason, has.Message, changed = status, want.reason, want.message, true
	}
	if !changed {
		return nil
	}
	_, err := c.Client.UpdateStatus(n)
	return gone(err)
}

// finalize takes the namespace's own finalizer off, which ends it.
func (c *namespaces) finalize(name string) error {
	n, ok := apiserver.Get[*corev1.Namespace](c.Client, "", name)
	if !ok {
		return nil
	}
	n = n.DeepCopy()
	n.Spec.Finalizers = slices.DeleteFunc(n.Spec.Finalizers, func(f corev1.FinalizerName) bool { return f == corev1.FinalizerKubernetes })
	return c.decided(namespaceController, refTo("Namespace", n), trace.Decision{What: Finalize, Target: refTo("Namespace", n), Note: string(corev1.FinalizerKubernetes)}, func() error {
		_, err := c.Client.Finalize(n)
		return gone(err)
	})
}
