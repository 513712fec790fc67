package controller

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"timonier/sim/trace"
)

// burstDaemons is how many pods are created, and how many deleted, in one go at most (BurstReplicas).
const burstDaemons = 250

// templateGenerationLabel was how pods were told apart before there was a hash (extensions.DaemonSetTemplateGenerationKey).
const templateGenerationLabel = "pod-template-generation"

// manage gives the nodes that are to have a pod one, takes it from the others, and clears away what has ended.
func (s *daemonSync) manage() error {
	on, err := s.onNodes(false)
	if err != nil {
		return err
	}
	var lacking []string
	var surplus, ended []*corev1.Pod
	known := map[string]bool{}
	for _, node := range s.nodes {
		known[node.Name] = true
		plan := s.plan(node, on[node.Name])
		if plan.create {
			lacking = append(lacking, node.Name)
		}
		surplus, ended = append(surplus, plan.surplus...), append(ended, plan.ended...)
	}
	// A pod for a node that is gone is never placed, and so nobody else clears it away.
	for _, node := range slices.Sorted(maps.Keys(on)) {
		for _, pod := range on[node] {
			if !known[node] && pod.Spec.NodeName == "" {
				surplus = append(surplus, pod)
			}
		}
	}
	if err := s.create(CreateOnNodes, lacking); err != nil {
		return err
	}
	for _, pod := range ended {
		if err := s.remove([]*corev1.Pod{pod}, trace.Decision{What: ReplacePod, Target: refTo("Pod", pod), Note: string(pod.Status.Phase)}); err != nil {
			return err
		}
	}
	return s.remove(surplus, trace.Decision{What: DeleteOnNodes})
}

// nodePlan is what is to be done on one node.
type nodePlan struct {
	create         bool
	surplus, ended []*corev1.Pod
}

// plan compares a node's pods with what it is to have (podsShouldBeOnNode).
func (s *daemonSync) plan(node *corev1.Node, pods []*corev1.Pod) (p nodePlan) {
	run, stay := s.rule.on(node)
	alive := slices.DeleteFunc(slices.Clone(pods), func(pod *corev1.Pod) bool { return pod.DeletionTimestamp != nil })
	switch {
	case run && len(pods) == 0: // not while one is ending: then the place is not free yet
		p.create = true
		return p
	case !stay:
		p.surplus = alive
		return p
	}
	var running []*corev1.Pod
	for _, pod := range alive {
		switch pod.Status.Phase {
		case corev1.PodFailed:
			if s.clear(pod, node) {
				p.ended = append(p.ended, pod)
			}
		case corev1.PodSucceeded:
			s.Client.Emit(s.set, corev1.EventTypeNormal, "SucceededDaemonPod",
				fmt.Sprintf("Found succeeded daemon pod %s/%s on node %s, will try to delete it", pod.Namespace, pod.Name, node.Name))
			p.ended = append(p.ended, pod)
		default:
			running = append(running, pod)
		}
	}
	slices.SortFunc(running, oldestFirst)
	switch surges := s.surges(); {
	case !surges && len(running) > 1:
		p.surplus = running[1:]
	case surges && len(running) > 1:
		p.surplus = s.beyondSurge(running)
	case surges && len(running) == 0:
		p.create = run
	}
	return p
}

// clear says whether a failed pod is to go now: each time it is left alone for twice as long, for its node's kubelet
// may refuse the next one too.
func (s *daemonSync) clear(pod *corev1.Pod, node *corev1.Node) bool {
	if delay, left := s.wait(node.Name); left {
		s.Queue.Add(keyOf(s.set), delay)
		return false
	}
	s.Client.Emit(s.set, corev1.EventTypeWarning, "FailedDaemonPod",
		fmt.Sprintf("Found failed daemon pod %s/%s on node %s, will try to kill it", pod.Namespace, pod.Name, node.Name))
	return true
}

// beyondSurge are those of a node's pods that are too many while an update may have two on it: the old one until the
// new one is available, and the new one. running is sorted from the oldest.
func (s *daemonSync) beyondSurge(running []*corev1.Pod) (surplus []*corev1.Pod) {
	var fresh, old *corev1.Pod
	for _, pod := range running {
		switch isFresh := pod.Labels[appsv1.ControllerRevisionHashLabelKey] == s.hash; {
		case isFresh && fresh == nil:
			fresh = pod
		case !isFresh && old == nil:
			old = pod
		default:
			surplus = append(surplus, pod)
		}
	}
	if fresh != nil && old != nil && (!podReady(old) || s.available(fresh)) {
		surplus = append(surplus, old)
	}
	return surplus
}

func (s *daemonSync) available(pod *corev1.Pod) bool {
	return podAvailable(pod, s.set.Spec.MinReadySeconds, s.now)
}

// surges says whether a node may have two pods during an update.
func (s *daemonSync) surges() bool {
	surge, _ := s.limits(1)
	return surge > 0
}

// limits are how many of the nodes may have two pods during an update, and how many none; both rounded up.
func (s *daemonSync) limits(nodes int) (surge, unavailable int) {
	r := s.set.Spec.UpdateStrategy.RollingUpdate
	if s.set.Spec.UpdateStrategy.Type != appsv1.RollingUpdateDaemonSetStrategyType || r == nil {
		return 0, 0
	}
	scaled := func(v *intstr.IntOrString) int {
		if v == nil {
			return 0
		}
		n, err := intstr.GetScaledValueFromIntOrPercent(v, nodes, true)
		if err != nil { // the API lets none in
			return 0
		}
		return n
	}
	return scaled(r.MaxSurge), scaled(r.MaxUnavailable)
}

// create makes a pod for each of the nodes, each pinned to its own.
func (s *daemonSync) create(why string, nodes []string) error {
	nodes = nodes[:min(len(nodes), burstDaemons)]
	if len(nodes) == 0 {
		return nil
	}
	template := *s.set.Spec.Template.DeepCopy()
	template.Spec.Tolerations = daemonTolerations(&template.Spec)
	if template.Labels == nil {
		template.Labels = map[string]string{}
	}
	if generation, ok := templateGeneration(s.set); ok {
		template.Labels[templateGenerationLabel] = generation
	}
	template.Labels[appsv1.DefaultDaemonSetUniqueLabelKey] = s.hash
	affinity := template.Spec.Affinity
	s.moved = true
	d := trace.Decision{What: why, Desired: int64(s.wanted()), Count: int64(len(nodes))}
	if len(nodes) == 1 {
		d.Target = trace.Ref{Kind: "Node", Name: nodes[0]}
	}
	return s.decided(daemonSetController, refTo("DaemonSet", s.set), d, func() error {
		next := 0
		return slowStart(len(nodes), func() error {
			template.Spec.Affinity = pinned(affinity, nodes[next])
			next++
			return s.createFrom(&template, s.set, daemonSetKind())
		})
	})
}

// remove deletes pods; d says why.
func (s *daemonSync) remove(pods []*corev1.Pod, d trace.Decision) error {
	pods = pods[:min(len(pods), burstDaemons)]
	if len(pods) == 0 {
		return nil
	}
	s.moved = true
	d.Desired, d.Count = int64(s.wanted()), int64(len(pods))
	if len(pods) == 1 {
		d.Target = refTo("Pod", pods[0])
	}
	return s.decided(daemonSetController, refTo("DaemonSet", s.set), d, func() error {
		var failed error
		for _, pod := range pods {
			if err := s.deleteFor(pod, s.set); err != nil && failed == nil {
				failed = err
			}
		}
		return failed
	})
}

// wanted is how many nodes are to have a pod.
func (s *daemonSync) wanted() (n int) {
	for _, node := range s.nodes {
		if run, _ := s.rule.on(node); run {
			n++
		}
	}
	return n
}

// templateGeneration is how often a DaemonSet's template has changed, as its annotation has it.
func templateGeneration(set *appsv1.DaemonSet) (string, bool) {
	n, err := strconv.ParseInt(set.Annotations[appsv1.DeprecatedTemplateGeneration], 10, 64)
	return strconv.FormatInt(n, 10), err == nil
}

// updated says whether a pod is of the present template.
func (s *daemonSync) updated(pod *corev1.Pod) bool {
	generation, ok := templateGeneration(s.set)
	return pod.Labels[appsv1.DefaultDaemonSetUniqueLabelKey] == s.hash || ok && pod.Labels[templateGenerationLabel] == generation
}
