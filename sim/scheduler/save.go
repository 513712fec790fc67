package scheduler

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	v1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/types"

	"timonier/sim/apiserver"
)

// Resync looks at the whole cluster anew, as after a restart: backoffs are
// forgotten, and every pod that waits is tried at once.
func (s *Scheduler) Resync() {
	s.rebuild()
	s.wake(0)
}

// rebuild makes the caches anew from what the API has; all waiting pods are active, in the order of their creation.
func (s *Scheduler) rebuild() {
	s.forget()
	show[*v1.Node](s)
	show[*v1.Namespace](s)
	show[*v1.Service](s)
	show[*v1.ReplicationController](s)
	show[*appsv1.ReplicaSet](s)
	show[*appsv1.StatefulSet](s)
	show[*policyv1.PodDisruptionBudget](s)
	show[*v1.PersistentVolumeClaim](s)
	show[*v1.PersistentVolume](s)
	show[*storagev1.StorageClass](s)
	var pending []*v1.Pod
	for pod := range apiserver.List[*v1.Pod](s.client, "") {
		switch {
		case finished(pod):
		case pod.Spec.NodeName != "":
			s.snapshot.Put(pod)
		case ours(pod):
			pending = append(pending, pod)
		}
	}
	slices.SortStableFunc(pending, func(a, b *v1.Pod) int {
		return a.CreationTimestamp.Time.Compare(b.CreationTimestamp.Time)
	})
	for _, pod := range pending {
		s.enqueue(pod)
	}
}

// show puts the objects of a kind into the snapshot, if the API server has the kind.
func show[T apiserver.Object](s *Scheduler) {
	if !apiserver.Serves[T](s.client) {
		return
	}
	for o := range apiserver.List[T](s.client, "") {
		s.snapshot.Put(o)
	}
}

// saved is what cannot be told from the API's objects.
type saved struct {
	Free    time.Time    `json:"free,omitzero"`
	Start   int          `json:"start,omitempty"`
	Seq     uint64       `json:"seq,omitempty"`
	Waiting []savedEntry `json:"waiting,omitempty"`
}

type savedEntry struct {
	Pod        types.UID `json:"pod"`
	In         string    `json:"in"`
	Seq        uint64    `json:"seq"`
	Since      time.Time `json:"since"`
	Cause      uint64    `json:"cause,omitempty"`
	Attempts   int       `json:"attempts,omitempty"`
	Rejections int       `json:"rejections,omitempty"`
	Errors     int       `json:"errors,omitempty"`
	Rejectors  []string  `json:"rejectors,omitempty"`
	Flushed    time.Time `json:"flushed,omitzero"`
}

// Save is the state of the queue: places, backoffs, who refused.
func (s *Scheduler) Save() any {
	state := saved{Free: s.free, Start: s.cycle.start, Seq: s.waiting.seq}
	for uid, e := range s.waiting.entries {
		k := savedEntry{Pod: uid, In: e.in.String(), Seq: e.seq, Since: e.since, Cause: e.cause, Attempts: e.attempts,
			Rejections: e.rejections, Errors: e.errors, Flushed: e.flushed}
		for row := range s.cycle.profile {
			if e.rejectors.has(row) {
				k.Rejectors = append(k.Rejectors, s.cycle.profile[row].name)
			}
		}
		state.Waiting = append(state.Waiting, k)
	}
	slices.SortFunc(state.Waiting, func(a, b savedEntry) int { return strings.Compare(string(a.Pod), string(b.Pod)) })
	return state
}

// Load goes on from what Save gave. The API must hold the cluster's objects already, and
// the agenda its tasks. Waiting pods that the state does not know are tried at once.
func (s *Scheduler) Load(data json.RawMessage) error {
	var state saved
	if err := json.Unmarshal(data, &state); err != nil {
		return fmt.Errorf("load scheduler: %w", err)
	}
	s.rebuild()
	s.free, s.cycle.start, s.waiting.seq = state.Free, state.Start, max(s.waiting.seq, state.Seq)
	for _, k := range state.Waiting {
		if e := s.waiting.entries[k.Pod]; e != nil {
			s.restore(e, k)
		}
	}
	return nil
}

func (s *Scheduler) restore(e *entry, k savedEntry) {
	s.waiting.take(e) // before what orders the queues changes
	e.seq, e.since, e.cause, e.flushed = k.Seq, k.Since, k.Cause, k.Flushed
	e.attempts, e.rejections, e.errors = k.Attempts, k.Rejections, k.Errors
	e.rejectors = 0
	for row := range s.cycle.profile {
		if slices.Contains(k.Rejectors, s.cycle.profile[row].name) {
			e.rejectors.add(row)
		}
	}
	for _, p := range []place{active, backoff, errored, unplaced} {
		if p.String() == k.In {
			s.waiting.move(e, p)
			return
		}
	}
	s.waiting.activate(e)
}
