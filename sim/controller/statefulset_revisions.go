package controller

import (
	"bytes"
	"errors"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"timonier/sim/apiserver"
)

func (s *setSync) history() revisions {
	return revisions{Env: s.Env, actor: statefulSetController, kind: "StatefulSet", set: s.set}
}

// findRevisions lists the set's history, and adopts what nobody has of it.
func (s *setSync) findRevisions(selector labels.Selector) error {
	claim := claimer{Env: s.Env, actor: statefulSetController, kind: "StatefulSet", owner: s.set, object: "ControllerRevision",
		ref: *metav1.NewControllerRef(s.set, statefulSetKind())}
	for rev := range apiserver.List[*appsv1.ControllerRevision](s.Client, s.set.Namespace) {
		ref := metav1.GetControllerOfNoCopy(rev)
		if !selector.Matches(labels.Set(rev.Labels)) || ref != nil && ref.UID != s.set.UID {
			continue
		}
		if ref == nil {
			if s.set.DeletionTimestamp != nil {
				return errors.New("can't adopt ControllerRevisions of a set that is being deleted")
			}
			if _, err := claim.claim(rev, true); err != nil {
				return err
			}
			rev, _ = apiserver.Get[*appsv1.ControllerRevision](s.Client, rev.Namespace, rev.Name)
		}
		s.revisions = append(s.revisions, rev)
	}
	slices.SortStableFunc(s.revisions, revisionOrder)
	return nil
}

// chooseRevisions finds the revision of the present template, or makes it, and the one that the pods come from.
func (s *setSync) chooseRevisions(collisions *int32) error {
	data, err := templatePatch(&s.set.Spec.Template)
	if err != nil {
		return err
	}
	next, latest := int64(1), (*appsv1.ControllerRevision)(nil)
	if n := len(s.revisions); n > 0 {
		latest = s.revisions[n-1]
		next = latest.Revision + 1
	}
	var equal *appsv1.ControllerRevision
	for _, rev := range s.revisions {
		if bytes.Equal(rev.Data.Raw, data) {
			equal = rev
		}
	}
	switch {
	case equal != nil && equal == latest:
		s.update = latest
	case equal != nil: // back to what has been before
		s.update, err = s.history().raise(equal, next)
	default:
		fresh := newRevision(s.set, statefulSetKind(), s.set.Spec.Template.Labels, data, next, *collisions)
		s.update, err = s.history().create(fresh, collisions)
	}
	if err != nil {
		return err
	}
	s.current = s.update
	for _, rev := range s.revisions {
		if rev.Name == s.set.Status.CurrentRevision {
			s.current = rev
		}
	}
	if s.updateSet, err = s.restored(s.update, data); err != nil {
		return err
	}
	s.currentSet, err = s.restored(s.current, data)
	return err
}

// restored is the set with the template that a revision holds; present is the patch of its own.
func (s *setSync) restored(rev *appsv1.ControllerRevision, present []byte) (*appsv1.StatefulSet, error) {
	if bytes.Equal(rev.Data.Raw, present) {
		return s.set, nil
	}
	old, err := patched(s.set, rev.Data.Raw, &appsv1.StatefulSet{})
	if err != nil {
		return nil, err
	}
	set := *s.set // what a revision changes is the spec alone
	set.Spec = old.Spec
	return &set, nil
}

// truncateHistory deletes revisions that nothing needs any more, beyond the limit. Those that pods come from stay.
func (s *setSync) truncateHistory() error {
	live := map[string]bool{}
	for _, rev := range []*appsv1.ControllerRevision{s.current, s.update} {
		if rev != nil {
			live[rev.Name] = true
		}
	}
	for _, pod := range s.pods {
		live[revisionOfPod(pod)] = true
	}
	return s.history().drop(s.revisions, int(*s.set.Spec.RevisionHistoryLimit),
		func(rev *appsv1.ControllerRevision) bool { return live[rev.Name] })
}

// revisionOfPod is the name of the revision that a pod was made from.
func revisionOfPod(pod *corev1.Pod) string { return pod.Labels[appsv1.StatefulSetRevisionLabel] }
