package apiserver

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// chargeQuota refuses what would go beyond a quota of its namespace, and adds it to the usage of those that count it:
// the next request finds it there, whether or not the object exists by then (the real server's
// plugin/pkg/admission/resourcequota). What does not come to exist after all, the controller takes off again.
func chargeQuota(s *Server, r *request, o, old Object) error {
	if o == nil || r.subresource != "" || !r.resource.Namespaced {
		return nil
	}
	all := s.caches[s.kindNamed("ResourceQuota")]
	if all.all.Len() == 0 {
		return nil
	}
	e := evaluatorOf(r.resource)
	if e == nil || old != nil && (e.changes == nil || !e.changes(o, old)) {
		return nil
	}
	type charge struct {
		quota *corev1.ResourceQuota
		used  corev1.ResourceList
	}
	var charges []charge
	for _, x := range all.in(o.GetNamespace()) {
		q := x.(*corev1.ResourceQuota)
		names := e.trackedIn(q.Status.Hard)
		if len(names) == 0 || !e.counts(q, o) {
			continue
		}
		if e.required != nil {
			if err := e.required(names, o); err != nil {
				return fmt.Errorf("failed quota: %s: %w", q.Name, err)
			}
		}
		if len(masked(q.Status.Used, names)) < len(names) {
			return fmt.Errorf("status unknown for quota: %s, resources: %s", q.Name, joined(names))
		}
		more := s.quotaDelta(e, q, o, old)
		if len(more) == 0 {
			continue
		}
		used, err := charged(q, masked(more, slices.Collect(maps.Keys(q.Status.Hard))))
		if err != nil {
			return err
		}
		if used != nil {
			charges = append(charges, charge{q, used})
		}
	}
	if r.dryRun {
		return nil
	}
	for _, c := range charges {
		next := c.quota.DeepCopy()
		next.Status.Used = c.used
		own := &request{user: User{Name: "system:apiserver", Agent: "kube-apiserver"}, verb: "update", subresource: "status",
			resource: s.kindNamed("ResourceQuota"), namespace: next.Namespace, name: next.Name}
		if _, err := s.write(own, c.quota, next); err != nil {
			return err
		}
	}
	return nil
}

// quotaDelta is what a request adds to a quota's usage: for an update, what is more than before.
func (s *Server) quotaDelta(e *evaluator, q *corev1.ResourceQuota, o, old Object) corev1.ResourceList {
	more := e.usage(o, s.Now())
	before := corev1.ResourceList{}
	if old != nil && e.counts(q, old) {
		before = e.usage(old, s.Now())
	}
	for name, now := range more {
		if was, ok := before[name]; ok {
			now = now.DeepCopy()
			now.Sub(was)
			more[name] = now
		}
		if now.Sign() <= 0 {
			delete(more, name)
		}
	}
	return more
}

// charged is a quota's usage with more of it, or why that would be too much.
func charged(q *corev1.ResourceQuota, more corev1.ResourceList) (corev1.ResourceList, error) {
	used := q.Status.Used.DeepCopy()
	addUsage(used, more)
	var beyond []corev1.ResourceName
	for _, name := range slices.Sorted(maps.Keys(more)) {
		if sum, hard := used[name], q.Status.Hard[name]; sum.Cmp(hard) > 0 {
			beyond = append(beyond, name)
		}
	}
	if len(beyond) == 0 {
		return used, nil
	}
	return nil, fmt.Errorf("exceeded quota: %s, requested: %s, used: %s, limited: %s", q.Name,
		listed(more, beyond), listed(q.Status.Used, beyond), listed(q.Status.Hard, beyond))
}

// listed is name=quantity,….
func listed(list corev1.ResourceList, names []corev1.ResourceName) string {
	var parts []string
	for _, name := range names {
		q := list[name]
		parts = append(parts, fmt.Sprintf("%s=%s", name, q.String()))
	}
	return strings.Join(parts, ",")
}

func joined(names []corev1.ResourceName) string {
	var parts []string
	for _, name := range slices.SortedFunc(slices.Values(names), cmp.Compare[corev1.ResourceName]) {
		parts = append(parts, string(name))
	}
	return strings.Join(parts, ",")
}
