package controller

import (
	"bytes"
	"maps"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"

	"timonier/sim/apiserver"
)

func (s *daemonSync) book() revisions {
	return revisions{Env: s.Env, actor: daemonSetController, kind: "DaemonSet", set: s.set}
}

// history finds the revision of the present template, or makes it, and the old ones (constructHistory). A rollback
// makes an old one the latest.
func (s *daemonSync) history() (current *appsv1.ControllerRevision, old []*appsv1.ControllerRevision, err error) {
	data, err := templatePatch(&s.set.Spec.Template)
	if err != nil {
		return nil, nil, err
	}
	all, err := s.claimRevisions()
	if err != nil {
		return nil, nil, err
	}
	var same []*appsv1.ControllerRevision
	next := int64(1)
	for _, rev := range all {
		if rev, err = s.labelled(rev); err != nil {
			return nil, nil, err
		}
		if bytes.Equal(rev.Data.Raw, data) {
			same = append(same, rev)
			continue
		}
		old = append(old, rev)
		next = max(next, rev.Revision+1)
	}
	if len(same) == 0 {
		current, err = s.snapshot(data, next)
		return current, old, err
	}
	if current, err = s.onlyOne(same); err != nil || current.Revision >= next {
		return current, old, err
	}
	current, err = s.book().raise(current, next)
	return current, old, err
}

// claimRevisions are the set's revisions, after adopting and releasing.
func (s *daemonSync) claimRevisions() ([]*appsv1.ControllerRevision, error) {
	selector, err := selectorOf(s.set.Spec.Selector)
	if err != nil {
		return nil, err
	}
	claim := claimer{Env: s.Env, actor: daemonSetController, kind: "DaemonSet", owner: s.set, object: "ControllerRevision",
		ref: *metav1.NewControllerRef(s.set, daemonSetKind())}
	var mine []*appsv1.ControllerRevision
	for rev := range apiserver.List[*appsv1.ControllerRevision](s.Client, s.set.Namespace) {
		ok, err := claim.claim(rev, selector.Matches(labels.Set(rev.Labels)))
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		if now, found := apiserver.Get[*appsv1.ControllerRevision](s.Client, rev.Namespace, rev.Name); found {
			mine = append(mine, now)
		}
	}
	return mine, nil
}

// labelled gives a revision that has no hash one: its name.
func (s *daemonSync) labelled(rev *appsv1.ControllerRevision) (*appsv1.ControllerRevision, error) {
	if _, ok := rev.Labels[appsv1.DefaultDaemonSetUniqueLabelKey]; ok {
		return rev, nil
	}
	fresh := rev.DeepCopy()
	if fresh.Labels == nil {
		fresh.Labels = map[string]string{}
	}
	fresh.Labels[appsv1.DefaultDaemonSetUniqueLabelKey] = rev.Name
	stored, err := s.Client.Update(fresh)
	if err != nil {
		return nil, err
	}
	return stored.(*appsv1.ControllerRevision), nil
}

// snapshot keeps the present template as a revision. One of that name that holds another is a collision of hashes:
// the count of them is raised, and the next try has another hash.
func (s *daemonSync) snapshot(data []byte, number int64) (*appsv1.ControllerRevision, error) {
	hash := templateHash(&s.set.Spec.Template, s.set.Status.CollisionCount)
	all := map[string]string{}
	maps.Copy(all, s.set.Spec.Template.Labels)
	all[appsv1.DefaultDaemonSetUniqueLabelKey] = hash
	fresh := &appsv1.ControllerRevision{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: s.set.Namespace, Name: s.set.Name + "-" + hash, Labels: all, Annotations: s.set.Annotations,
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(s.set, daemonSetKind())},
		},
		Data: runtime.RawExtension{Raw: data}, Revision: number,
	}
	made, err := s.book().store(fresh)
	if !apierrors.IsAlreadyExists(err) {
		return made, err
	}
	if taken, ok := apiserver.Get[*appsv1.ControllerRevision](s.Client, fresh.Namespace, fresh.Name); ok && bytes.Equal(taken.Data.Raw, data) {
		return taken, nil
	}
	set := *s.set // shallow: only the count is set, and that is new
	collisions := int32(1)
	if n := s.set.Status.CollisionCount; n != nil {
		collisions = *n + 1
	}
	set.Status.CollisionCount = &collisions
	if _, saveErr := s.Client.UpdateStatus(&set); saveErr != nil {
		return nil, saveErr
	}
	return nil, err
}

// onlyOne keeps one of several revisions of the same template, the latest, and has the pods of the others carry its
// hash (dedupCurHistories).
func (s *daemonSync) onlyOne(same []*appsv1.ControllerRevision) (*appsv1.ControllerRevision, error) {
	if len(same) == 1 {
		return same[0], nil
	}
	slices.SortStableFunc(same, revisionOrder)
	keep := same[len(same)-1]
	hash := keep.Labels[appsv1.DefaultDaemonSetUniqueLabelKey]
	for pod := range apiserver.Owned[*corev1.Pod](s.Client, s.set.UID) {
		if pod.Labels[appsv1.DefaultDaemonSetUniqueLabelKey] == hash {
			continue
		}
		fresh := pod.DeepCopy()
		fresh.Labels[appsv1.DefaultDaemonSetUniqueLabelKey] = hash
		if _, err := s.Client.Update(fresh); err != nil {
			return nil, err
		}
	}
	return keep, s.book().drop(same, 0, func(rev *appsv1.ControllerRevision) bool { return rev == keep })
}

// truncateHistory deletes the oldest of the old revisions, as many as are beyond the limit, but none that a pod is of.
func (s *daemonSync) truncateHistory(old []*appsv1.ControllerRevision) error {
	excess := len(old) - int(*s.set.Spec.RevisionHistoryLimit)
	if excess <= 0 {
		return nil
	}
	on, err := s.onNodes(true)
	if err != nil {
		return err
	}
	live := map[string]bool{}
	for _, pods := range on {
		for _, pod := range pods {
			live[pod.Labels[appsv1.DefaultDaemonSetUniqueLabelKey]] = true
		}
	}
	slices.SortStableFunc(old, revisionOrder)
	dead := slices.DeleteFunc(slices.Clone(old), func(rev *appsv1.ControllerRevision) bool {
		return live[rev.Labels[appsv1.DefaultDaemonSetUniqueLabelKey]]
	})
	return s.book().drop(dead, max(0, len(dead)-excess), func(*appsv1.ControllerRevision) bool { return false })
}
