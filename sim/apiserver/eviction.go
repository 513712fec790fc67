package apiserver

import (
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"timonier/sim/trace"
)

// mostDisrupted is how many evictions may be under way that the disruption controller has not seen (MaxDisruptedPodSize).
const mostDisrupted = 2000

// Budgets are the PodDisruptionBudgets that select a pod.
func Budgets(c *Client, pod *corev1.Pod) []*policyv1.PodDisruptionBudget {
	return c.server.budgets(pod)
}

func (s *Server) budgets(pod *corev1.Pod) (all []*policyv1.PodDisruptionBudget) {
	for b := range typed[*policyv1.PodDisruptionBudget](s.caches[s.kindNamed("PodDisruptionBudget")].in(pod.Namespace)) {
		if selector, err := metav1.LabelSelectorAsSelector(b.Spec.Selector); err == nil && selector.Matches(labels.Set(pod.Labels)) {
			all = append(all, b)
		}
	}
	return all
}

// SetDisruptionAllowed sets the condition of a budget that says whether any pod may go
// (component-helpers' apps/poddisruptionbudget, but for its clock).
func SetDisruptionAllowed(b *policyv1.PodDisruptionBudget, now metav1.Time) {
	c := metav1.Condition{Type: policyv1.DisruptionAllowedCondition, Status: metav1.ConditionFalse, Reason: policyv1.InsufficientPodsReason,
		ObservedGeneration: b.Status.ObservedGeneration, LastTransitionTime: now}
	if b.Status.DisruptionsAllowed > 0 {
		c.Status, c.Reason = metav1.ConditionTrue, policyv1.SufficientPodsReason
	}
	apimeta.SetStatusCondition(&b.Status.Conditions, c)
}

// evict is pods/eviction: a deletion that asks the pod's budget first
// (Kubernetes 1.37 pkg/registry/core/pod/storage/eviction.go). severe is an answer that is no error of HTTP.
func (s *Server) evict(r *request, options *metav1.DeleteOptions) (severe *metav1.Status, _ error) {
	_, err := s.staged(func() (Object, error) {
		if err := s.begin(r); err != nil {
			return nil, err
		}
		old, ok := s.caches[r.resource].get(r.namespace, r.name)
		if !ok {
			return nil, s.refuse(r, trace.Received, notFound(r))
		}
		pod := old.(*corev1.Pod)
		if !unguarded(pod) {
			var err error
			if severe, err = s.askBudget(r, pod); severe != nil || err != nil {
				return nil, err
			}
		}
		if !r.dryRun {
			if err := s.checkDelete(r, pod, options); err != nil {
				return nil, err
			}
			if err := s.markEvicted(r, pod); err != nil {
				return nil, err
			}
			if p := options.Preconditions; p != nil && p.ResourceVersion != nil { // the mark is our own
				options = options.DeepCopy()
				options.Preconditions.ResourceVersion = nil
			}
		}
		o, _, err := s.erase(r, options)
		return o, err
	})
	return severe, err
}

// unguarded are pods that no budget counts: those that are over, have not begun, or are going already.
func unguarded(pod *corev1.Pod) bool {
	switch pod.Status.Phase {
	case corev1.PodSucceeded, corev1.PodFailed, corev1.PodPending:
		return true
	}
	return pod.DeletionTimestamp != nil
}

// askBudget has the pod's budget allow its eviction, and takes it off what the budget allows.
func (s *Server) askBudget(r *request, pod *corev1.Pod) (*metav1.Status, error) {
	all := s.budgets(pod)
	switch {
	case len(all) == 0:
		return nil, nil
	case len(all) > 1:
		return &metav1.Status{TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: metav1.StatusFailure, Code: 500,
			Message: "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."}, nil
	}
	b := all[0]
	if !podIsReady(pod) {
		policy := b.Spec.UnhealthyPodEvictionPolicy
		always := policy != nil && *policy == policyv1.AlwaysAllow
		if always || b.Status.CurrentHealthy >= b.Status.DesiredHealthy && b.Status.DesiredHealthy > 0 {
			return nil, nil // it is not among those that the budget counts
		}
	}
	if err := budgetForbids(b); err != nil {
		return nil, s.refuse(r, trace.Admitted, err)
	}
	if r.dryRun {
		return nil, nil
	}
	now := metav1.NewTime(s.Now().Truncate(time.Second))
	spent := b.DeepCopy()
	if spent.Status.DisruptionsAllowed--; spent.Status.DisruptionsAllowed == 0 {
		SetDisruptionAllowed(spent, now)
	}
	if spent.Status.DisruptedPods == nil {
		spent.Status.DisruptedPods = map[string]metav1.Time{}
	}
	spent.Status.DisruptedPods[pod.Name] = now
	return nil, s.ownChange("status", b, spent)
}

func podIsReady(pod *corev1.Pod) bool {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

// budgetForbids is why a budget does not let a pod go; nil: it does.
func budgetForbids(b *policyv1.PodDisruptionBudget) error {
	cause := func(err *apierrors.StatusError, format string, args ...any) error {
		err.ErrStatus.Details.Causes = append(err.ErrStatus.Details.Causes,
			metav1.StatusCause{Type: policyv1.DisruptionBudgetCause, Message: fmt.Sprintf(format, args...)})
		return err
	}
	const violates = "Cannot evict pod as it would violate the pod's disruption budget."
	resource, s := policyv1.Resource("poddisruptionbudget"), &b.Status
	switch {
	case s.ObservedGeneration < b.Generation:
		return cause(apierrors.NewTooManyRequests(violates, 10), "The disruption budget %s is still being processed by the server.", b.Name)
	case s.DisruptionsAllowed < 0:
		return cause(apierrors.NewForbidden(resource, b.Name, errors.New("pdb disruptions allowed is negative")),
			"The disruption budget %s does not allow evicting pods currently: pdb disruptions allowed is negative", b.Name)
	case len(s.DisruptedPods) > mostDisrupted:
		return cause(apierrors.NewForbidden(resource, b.Name, errors.New("DisruptedPods map too big - too many evictions not confirmed by PDB controller")),
			"The disruption budget %s does not allow evicting pods currently: too many pending evictions not confirmed by PDB controller", b.Name)
	case s.DisruptionsAllowed > 0:
		return nil
	}
	err := apierrors.NewTooManyRequests(violates, 0)
	c := apimeta.FindStatusCondition(s.Conditions, policyv1.DisruptionAllowedCondition)
	said := c != nil && c.Status == metav1.ConditionFalse && c.Message != ""
	switch {
	case said && c.Reason == policyv1.SyncFailedReason:
		return cause(err, "The disruption budget %s does not allow evicting pods currently because it failed sync: %s", b.Name, c.Message)
	case s.CurrentHealthy <= s.DesiredHealthy:
		return cause(err, "The disruption budget %s needs %d healthy pods and has %d currently", b.Name, s.DesiredHealthy, s.CurrentHealthy)
	case said:
		return cause(err, "The disruption budget %s does not allow evicting pods currently (%s): %s", b.Name, c.Reason, c.Message)
	}
	return cause(err, "The disruption budget %s does not allow evicting pods currently", b.Name)
}

// markEvicted says in the pod's status why it goes.
func (s *Server) markEvicted(_ *request, pod *corev1.Pod) error {
	marked := copyPodForStatus(pod, pod).(*corev1.Pod)
	c := corev1.PodCondition{Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue, Reason: "EvictionByEvictionAPI",
		Message: "Eviction API: evicting", LastTransitionTime: metav1.NewTime(s.Now().Truncate(time.Second))}
	for i := range marked.Status.Conditions {
		if old := &marked.Status.Conditions[i]; old.Type == c.Type {
			if old.Status == c.Status {
				c.LastTransitionTime = old.LastTransitionTime
			}
			*old = c
			return s.ownChange("status", pod, marked)
		}
	}
	marked.Status.Conditions = append(marked.Status.Conditions, c)
	return s.ownChange("status", pod, marked)
}

// ownChange is a change that the server makes itself in the course of another's request.
func (s *Server) ownChange(subresource string, old, o Object) error {
	r, err := s.requestFor(User{Name: "system:apiserver", Groups: []string{"system:masters"}, Agent: "kube-apiserver"}, "update", o)
	if err != nil {
		return err
	}
	r.subresource = subresource
	_, err = s.change(r, old, o)
	return err
}
