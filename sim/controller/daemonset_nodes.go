package controller

import (
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	schedulinghelpers "k8s.io/component-helpers/scheduling/corev1"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"
	"k8s.io/klog/v2"
)

// placement is which nodes are to have a DaemonSet's pod, made ready to be asked of thousands.
type placement struct {
	node        string // the only one; "": any
	affinity    nodeaffinity.RequiredNodeAffinity
	tolerations []corev1.Toleration
}

func placementOf(set *appsv1.DaemonSet) placement {
	spec := &set.Spec.Template.Spec
	return placement{spec.NodeName, nodeaffinity.NewRequiredNodeAffinity(spec.NodeSelector, spec.Affinity), daemonTolerations(spec)}
}

// on says whether a node is to have a pod, and whether one that it has may stay: that need tolerate no taint but
// those that drive pods away (daemon_controller.go, NodeShouldRunDaemonPod).
func (p placement) on(node *corev1.Node) (run, stay bool) {
	if p.node != "" && p.node != node.Name {
		return false, false
	}
	if fits, _ := p.affinity.Match(node); !fits { // an error: it does not
		return false, false
	}
	if p.tolerates(node, corev1.TaintEffectNoExecute, corev1.TaintEffectNoSchedule) {
		return true, true
	}
	return false, p.tolerates(node, corev1.TaintEffectNoExecute)
}

func (p placement) tolerates(node *corev1.Node, effects ...corev1.TaintEffect) bool {
	_, refused := schedulinghelpers.FindMatchingUntoleratedTaint(klog.Background(), node.Spec.Taints, p.tolerations,
		func(t *corev1.Taint) bool { return slices.Contains(effects, t.Effect) }, true)
	return !refused
}

// daemonTolerations are a template's, and those that every pod of a DaemonSet has: it stays on a node in trouble,
// and starts on one that is cordoned or short of something (util/daemonset_util.go, AddOrUpdateDaemonPodTolerations).
func daemonTolerations(spec *corev1.PodSpec) []corev1.Toleration {
	all := slices.Clone(spec.Tolerations)
	tolerate := func(key string, effect corev1.TaintEffect) {
		t := corev1.Toleration{Key: key, Operator: corev1.TolerationOpExists, Effect: effect}
		i := slices.IndexFunc(all, func(have corev1.Toleration) bool { return t.MatchToleration(&have) })
		if i < 0 {
			all = append(all, t)
			return
		}
		all[i] = t // without its seconds: for ever
	}
	tolerate(corev1.TaintNodeNotReady, corev1.TaintEffectNoExecute)
	tolerate(corev1.TaintNodeUnreachable, corev1.TaintEffectNoExecute)
	tolerate(corev1.TaintNodeDiskPressure, corev1.TaintEffectNoSchedule)
	tolerate(corev1.TaintNodeMemoryPressure, corev1.TaintEffectNoSchedule)
	tolerate(corev1.TaintNodePIDPressure, corev1.TaintEffectNoSchedule)
	tolerate(corev1.TaintNodeUnschedulable, corev1.TaintEffectNoSchedule)
	if spec.HostNetwork {
		tolerate(corev1.TaintNodeNetworkUnavailable, corev1.TaintEffectNoSchedule)
	}
	return all
}

// pinned is an affinity that fits one node only, by its name: in the place of what nodes it required.
func pinned(affinity *corev1.Affinity, node string) *corev1.Affinity {
	fresh := affinity.DeepCopy()
	if fresh == nil {
		fresh = &corev1.Affinity{}
	}
	if fresh.NodeAffinity == nil {
		fresh.NodeAffinity = &corev1.NodeAffinity{}
	}
	fresh.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution = &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{
		MatchFields: []corev1.NodeSelectorRequirement{{Key: metav1.ObjectNameField, Operator: corev1.NodeSelectorOpIn, Values: []string{node}}}}}}
	return fresh
}

// nodeOf is the node that a pod is on, or is made for.
func nodeOf(pod *corev1.Pod) (string, bool) {
	if pod.Spec.NodeName != "" {
		return pod.Spec.NodeName, true
	}
	if a := pod.Spec.Affinity; a == nil || a.NodeAffinity == nil || a.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution == nil {
		return "", false
	}
	for _, term := range pod.Spec.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms {
		for _, f := range term.MatchFields {
			if f.Key == metav1.ObjectNameField && f.Operator == corev1.NodeSelectorOpIn {
				return f.Values[0], len(f.Values) == 1
			}
		}
	}
	return "", false
}
