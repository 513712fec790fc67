package controller

import (
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"timonier/sim/trace"
)

// roll is one step of a rolling update: old pods go while not too many nodes are without one; or, with a surge, new
// ones come beside them first (pkg/controller/daemon/update.go, rollingUpdate). What the plan of a node does by
// itself, it leaves to the next sync.
func (s *daemonSync) roll() error {
	on, err := s.onNodes(false)
	if err != nil {
		return err
	}
	wanted := 0
	for _, node := range s.nodes {
		if run, _ := s.rule.on(node); run {
			wanted++
			if _, ok := on[node.Name]; !ok {
				on[node.Name] = nil
			}
		}
	}
	surge, unavailable := s.limits(wanted)
	if surge > 0 {
		return s.rollWithSurge(on, surge, wanted)
	}
	return s.rollInPlace(on, max(unavailable, 1))
}

// freshAndOld are a node's pods of the present template and of another; ok is false where there are several of one
// kind, which the node's plan has to clear away first.
func (s *daemonSync) freshAndOld(pods []*corev1.Pod) (fresh, old *corev1.Pod, ok bool) {
	for _, pod := range pods {
		place := &old
		switch {
		case pod.DeletionTimestamp != nil:
			continue
		case s.updated(pod):
			place = &fresh
		}
		if *place != nil {
			return nil, nil, false
		}
		*place = pod
	}
	return fresh, old, true
}

// rollInPlace deletes old pods: all that serve nobody, and of the others as many as may be missing.
func (s *daemonSync) rollInPlace(on map[string][]*corev1.Pod, budget int) error {
	missing := 0
	var useless, candidates []*corev1.Pod
	for _, node := range slices.Sorted(maps.Keys(on)) {
		fresh, old, ok := s.freshAndOld(on[node])
		switch {
		case !ok, (fresh == nil) == (old == nil):
			missing++
		case fresh != nil:
			if !s.available(fresh) {
				missing++
			}
		case !s.available(old):
			useless = append(useless, old)
			missing++
		case missing < budget:
			candidates = append(candidates, old)
		}
	}
	return s.renew(append(useless, candidates[:min(len(candidates), max(0, budget-missing))]...))
}

// renew deletes pods of an old template, that new ones take their place.
func (s *daemonSync) renew(pods []*corev1.Pod) error {
	for _, pod := range pods[:min(len(pods), burstDaemons)] {
		if err := s.remove([]*corev1.Pod{pod}, trace.Decision{What: UpdatePod, Note: s.hash}); err != nil {
			return err
		}
	}
	return nil
}

// rollWithSurge makes new pods beside the old ones, on as many nodes at a time as the surge allows, and on all whose
// old pod serves nobody; the old one goes when the new one is available.
func (s *daemonSync) rollWithSurge(on map[string][]*corev1.Pod, surge, wanted int) error {
	var renewed, misplaced []*corev1.Pod
	var useless, candidates []string
	doubled, available := 0, 0
	nodes := map[string]*corev1.Node{}
	for _, node := range s.nodes {
		nodes[node.Name] = node
	}
	for _, name := range slices.Sorted(maps.Keys(on)) {
		fresh, old, ok := s.freshAndOld(on[name])
		if !ok {
			doubled++
			continue
		}
		if old != nil && s.available(old) || old == nil && fresh != nil && s.available(fresh) {
			available++
		}
		run := false
		if node := nodes[name]; node != nil {
			run, _ = s.rule.on(node)
		}
		switch {
		case old == nil: // the node's plan sees to it
		case fresh != nil && s.available(fresh):
			renewed = append(renewed, old)
		case fresh != nil:
			doubled++
		case !s.available(old) && !run:
			renewed = append(renewed, old)
		case !s.available(old):
			useless = append(useless, name)
		case !run:
			misplaced = append(misplaced, old)
		case doubled < surge:
			candidates = append(candidates, name)
		}
	}
	// Where nodes change, a pod on an old one stays until one on a new one is available in its place.
	renewed = append(renewed, misplaced[:min(len(misplaced), max(0, available-wanted))]...)
	if err := s.create(SurgeOnNodes, append(useless, candidates[:min(len(candidates), max(0, surge-doubled))]...)); err != nil {
		return err
	}
	return s.renew(renewed)
}
