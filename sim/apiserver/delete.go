package apiserver

import (
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"timonier/sim/trace"
)

// delete begins or ends a deletion (registry/generic/registry/store.go, Delete). It returns the object as
// it now is, and whether it is gone. An object stays, with a deletionTimestamp, as long as it has finalizers
// or a grace period that someone else has to wait out: a placed pod's kubelet.
func (s *Server) delete(r *request, options *metav1.DeleteOptions) (_ Object, gone bool, _ error) {
	o, err := s.staged(func() (Object, error) {
		if err := s.begin(r); err != nil {
			return nil, err
		}
		o, erased, err := s.erase(r, options)
		gone = erased
		return o, err
	})
	return o, gone, err
}

// erase is delete once it is known who asks, and that he may.
func (s *Server) erase(r *request, options *metav1.DeleteOptions) (_ Object, gone bool, _ error) {
	old, ok := s.caches[r.resource].get(r.namespace, r.name)
	if !ok {
		return nil, false, s.refuse(r, trace.Received, notFound(r))
	}
	if err := s.checkDelete(r, old, options); err != nil {
		return nil, false, err
	}
	o := copyOf(old)
	s.markDeleted(r.resource, o, options)
	gone = s.finished(r.resource, o)
	if r.dryRun {
		return o, gone, nil
	}
	var err error
	if gone {
		o, err = s.remove(r, old, old)
	} else {
		o, err = s.write(r, old, o)
	}
	return o, gone, err
}

// checkDelete is preconditions and admission.
func (s *Server) checkDelete(r *request, old Object, options *metav1.DeleteOptions) error {
	if p := options.Preconditions; p != nil {
		why := ""
		switch {
		case p.UID != nil && *p.UID != old.GetUID():
			why = fmt.Sprintf("Precondition failed: UID in precondition: %v, UID in object meta: %v", *p.UID, old.GetUID())
		case p.ResourceVersion != nil && *p.ResourceVersion != old.GetResourceVersion():
			why = fmt.Sprintf("Precondition failed: ResourceVersion in precondition: %v, ResourceVersion in object meta: %v",
				*p.ResourceVersion, old.GetResourceVersion())
		}
		if why != "" {
			return s.refuse(r, trace.Validated, apierrors.NewConflict(r.resource.GroupResource(), r.name, fmt.Errorf("%s", why)))
		}
	}
	return s.admit(r, nil, old)
}

// markDeleted sets on o what a deletion sets: finalizers for its dependents, the grace period, the moment.
func (s *Server) markDeleted(r *Resource, o Object, options *metav1.DeleteOptions) {
	o.SetFinalizers(deletionFinalizers(o, options))
	if r.Terminate != nil {
		r.Terminate(o)
	}
	grace := int64(0)
	if r.Grace != nil {
		grace = max(0, r.Grace(o, options.GracePeriodSeconds))
	}
	now := s.Now().Truncate(time.Second)
	if begun := o.GetDeletionTimestamp(); begun != nil {
		shorten(o, begun.Time, options.GracePeriodSeconds, now)
		return
	}
	if o.GetGeneration() > 0 {
		o.SetGeneration(o.GetGeneration() + 1)
	}
	at := metav1.NewTime(now.Add(time.Duration(grace) * time.Second))
	o.SetDeletionTimestamp(&at)
	o.SetDeletionGracePeriodSeconds(&grace)
}

// shorten applies a second deletion to one that has begun: its grace period can only become shorter
// (registry/rest/delete.go, BeforeDelete).
func shorten(o Object, begun time.Time, asked *int64, now time.Time) {
	had := o.GetDeletionGracePeriodSeconds()
	if had == nil || *had == 0 || asked == nil || *asked >= *had {
		return
	}
	period := max(0, *asked)
	at := begun.Add(time.Duration(period-*had) * time.Second)
	if at.Before(now) {
		at = now
		if period != 0 {
			period = 1
		}
	}
	moment := metav1.NewTime(at)
	o.SetDeletionTimestamp(&moment)
	o.SetDeletionGracePeriodSeconds(&period)
}

// finished says whether nothing keeps a deleted object.
func (s *Server) finished(r *Resource, o Object) bool {
	if len(o.GetFinalizers()) > 0 {
		return false
	}
	if n, ok := o.(*corev1.Namespace); ok && len(n.Spec.Finalizers) > 0 {
		return false
	}
	grace := o.GetDeletionGracePeriodSeconds()
	return grace == nil || *grace == 0
}

// deletionFinalizers are an object's finalizers once a deletion has asked for a propagation policy
// (store.go, deletionFinalizersForGarbageCollection).
func deletionFinalizers(o Object, options *metav1.DeleteOptions) []string {
	orphan, foreground := slices.Contains(o.GetFinalizers(), metav1.FinalizerOrphanDependents),
		slices.Contains(o.GetFinalizers(), metav1.FinalizerDeleteDependents)
	//lint:ignore SA1019 old clients still send it
	asked := options.OrphanDependents
	switch {
	case asked != nil:
		orphan, foreground = *asked, false
	case options.PropagationPolicy != nil:
		orphan = *options.PropagationPolicy == metav1.DeletePropagationOrphan
		foreground = *options.PropagationPolicy == metav1.DeletePropagationForeground
	}
	kept := slices.DeleteFunc(slices.Clone(o.GetFinalizers()), func(f string) bool {
		return f == metav1.FinalizerOrphanDependents || f == metav1.FinalizerDeleteDependents
	})
	if orphan {
		kept = append(kept, metav1.FinalizerOrphanDependents)
	}
	if foreground {
		kept = append(kept, metav1.FinalizerDeleteDependents)
	}
	if len(kept) == 0 {
		return nil
	}
	return kept
}

// bind is pods/binding: the one way a pod gets its node.
func (s *Server) bind(r *request, b *corev1.Binding) (Object, error) {
	return s.staged(func() (Object, error) {
		if err := s.begin(r); err != nil {
			return nil, err
		}
		old, ok := s.caches[r.resource].get(r.namespace, r.name)
		if !ok {
			return nil, s.refuse(r, trace.Received, notFound(r))
		}
		pod := copyPodForStatus(old, old).(*corev1.Pod) // of its spec only a string is set
		if err := applyBinding(pod, b, s.Now()); err != nil {
			return nil, s.refuse(r, trace.Validated, err)
		}
		s.note(r, trace.Validated, nil)
		if r.dryRun {
			return pod, nil
		}
		return s.write(r, old, pod)
	})
}
