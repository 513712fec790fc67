package apiserver

import (
	"maps"
	"slices"
	"strconv"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
)

// podResource is the row of pods. Its strategy is that of Kubernetes 1.37
// pkg/registry/core/pod/strategy.go.
func podResource() Resource {
	return Resource{
		GroupVersionResource: v1.SchemeGroupVersion.WithResource("pods"),
		Kind:                 "Pod",
		Singular:             "pod",
		ShortNames:           []string{"po"},
		Categories:           []string{"all"},
		Namespaced:           true,
		KeyPrefix:            "/registry/pods",

		New:     func() Object { return &v1.Pod{} },
		NewList: func() runtime.Object { return &v1.PodList{} },

		Subresources: []string{"status", "binding", "eviction", "log"},

		Default:                defaultPod,
		PrepareForCreate:       preparePodForCreate,
		PrepareForUpdate:       preparePodForUpdate,
		PrepareForStatusUpdate: preparePodForStatusUpdate,
		CopyForStatus:          copyPodForStatus,

		Validate:       validatePod,
		ValidateUpdate: validatePodUpdate,
		ValidateStatus: validatePodStatus,

		Columns:       podColumns(),
		Cells:         podCells,
		Fields:        podFields,
		Unconditional: true,
		Grace:         podGrace,
	}
}

func preparePodForCreate(o Object) {
	pod := o.(*v1.Pod)
	pod.Generation = 1
	pod.Status = v1.PodStatus{Phase: v1.PodPending}
	dropAlphaPodFields(&pod.Spec, pod.Annotations)
	if len(pod.Spec.SchedulingGates) > 0 {
		pod.Status.Conditions = []v1.PodCondition{{
			Type:               v1.PodScheduled,
			Status:             v1.ConditionFalse,
			LastTransitionTime: pod.CreationTimestamp, // now: the server has stamped it
			Reason:             v1.PodReasonSchedulingGated,
			Message:            "Scheduling is blocked due to non-empty scheduling gates",
		}}
	}
	mergeMatchLabelKeys(pod)
	defaultPodLevelResources(&pod.Spec)
	pod.Status.QOSClass = podQOS(&pod.Spec)
}

func preparePodForUpdate(o, before Object) {
	pod, old := o.(*v1.Pod), before.(*v1.Pod)
	pod.Status = old.Status
	if pod.Spec.Resources == nil {
		pod.Spec.Resources = old.Spec.Resources.DeepCopy()
	}
	dropAlphaPodFields(&pod.Spec, pod.Annotations)
	if !equality.Semantic.DeepEqual(pod.Spec, old.Spec) {
		pod.Generation = old.Generation + 1
	}
}

func preparePodForStatusUpdate(o, before Object) {
	pod, old := o.(*v1.Pod), before.(*v1.Pod)
	pod.Spec = old.Spec // shared from here on: neither is changed once written
	pod.OwnerReferences = old.OwnerReferences
	pod.DeletionTimestamp = old.DeletionTimestamp.DeepCopy()
	orElse(&pod.Status.QOSClass, old.Status.QOSClass)
	orElse(&pod.Status.ObservedGeneration, old.Status.ObservedGeneration)

	shareRequests(pod.Status.ContainerStatuses, pod.Spec.Containers)
	shareRequests(pod.Status.InitContainerStatuses, pod.Spec.InitContainers)

	// A writer that does not know a condition's observedGeneration does not erase it; types may repeat.
	if !slices.ContainsFunc(pod.Status.Conditions, func(c v1.PodCondition) bool { return c.ObservedGeneration == 0 }) {
		return
	}
	was := map[v1.PodConditionType][]int64{}
	for _, c := range old.Status.Conditions {
		was[c.Type] = append(was[c.Type], c.ObservedGeneration)
	}
	for i := range pod.Status.Conditions {
		c := &pod.Status.Conditions[i]
		if left := was[c.Type]; len(left) > 0 {
			was[c.Type] = left[1:]
			orElse(&c.ObservedGeneration, left[0])
		}
	}
}

func copyPodForStatus(sent, before Object) Object {
	pod := sent.(*v1.Pod)
	next := podWithStatus(pod, before, &pod.Status)
	next.ObjectMeta = *pod.ObjectMeta.DeepCopy()
	pod.Status.DeepCopyInto(&next.Status)
	return next
}

// podWithStatus shares what it is made of: what is stored is never changed, and no stage changes what the metadata points to.
func podWithStatus(pod *v1.Pod, before Object, status *v1.PodStatus) *v1.Pod {
	return &v1.Pod{TypeMeta: pod.TypeMeta, ObjectMeta: pod.ObjectMeta, Spec: before.(*v1.Pod).Spec, Status: *status}
}

// shareRequests has statuses that repeat what their containers ask for point to it: maps of quantities are large.
func shareRequests(statuses []v1.ContainerStatus, containers []v1.Container) {
	same := func(a, b resource.Quantity) bool { return a.Format == b.Format && a.Cmp(b) == 0 }
	for i := range statuses {
		st := &statuses[i]
		for j := range containers {
			asked := containers[j].Resources.Requests
			if containers[j].Name != st.Name || len(asked) == 0 {
				continue
			}
			if maps.EqualFunc(st.AllocatedResources, asked, same) {
				st.AllocatedResources = asked
			}
			if st.Resources != nil && maps.EqualFunc(st.Resources.Requests, asked, same) {
				st.Resources.Requests = asked
			}
		}
	}
}

// podGrace is how long, in seconds, a pod has to end: what was asked, else what
// its spec says; 0 for one without a node or that is over.
func podGrace(o Object, asked *int64) int64 {
	pod := o.(*v1.Pod)
	var period int64
	switch {
	case asked != nil:
		period = *asked
	case pod.Spec.TerminationGracePeriodSeconds != nil:
		period = *pod.Spec.TerminationGracePeriodSeconds
	}
	over := pod.Status.Phase == v1.PodFailed || pod.Status.Phase == v1.PodSucceeded
	if pod.Spec.NodeName == "" || over {
		return 0
	}
	if period < 0 {
		return 1
	}
	return period
}

// podFields are the fields of ToSelectableFields, and the alias that the API keeps for old clients.
func podFields(o Object) fields.Set {
	pod := o.(*v1.Pod)
	var ip string
	if len(pod.Status.PodIPs) > 0 {
		ip = pod.Status.PodIPs[0].IP
	}
	return fields.Set{
		"spec.nodeName":            pod.Spec.NodeName,
		"spec.restartPolicy":       string(pod.Spec.RestartPolicy),
		"spec.schedulerName":       pod.Spec.SchedulerName,
		"spec.serviceAccountName":  pod.Spec.ServiceAccountName,
		"spec.hostNetwork":         strconv.FormatBool(pod.Spec.HostNetwork),
		"status.phase":             string(pod.Status.Phase),
		"status.podIP":             ip,
		"status.nominatedNodeName": pod.Status.NominatedNodeName,
	}
}

// mergeMatchLabelKeys turns matchLabelKeys and mismatchLabelKeys into
// expressions of the selector beside them, with the values of the pod's own labels.
func mergeMatchLabelKeys(pod *v1.Pod) {
	for i := range pod.Spec.TopologySpreadConstraints {
		c := &pod.Spec.TopologySpreadConstraints[i]
		addLabelKeys(c.LabelSelector, c.MatchLabelKeys, metav1.LabelSelectorOpIn, pod.Labels)
	}
	a := pod.Spec.Affinity
	if a == nil {
		return
	}
	if a.PodAffinity != nil {
		mergeTermKeys(a.PodAffinity.RequiredDuringSchedulingIgnoredDuringExecution,
			a.PodAffinity.PreferredDuringSchedulingIgnoredDuringExecution, pod.Labels)
	}
	if a.PodAntiAffinity != nil {
		mergeTermKeys(a.PodAntiAffinity.RequiredDuringSchedulingIgnoredDuringExecution,
			a.PodAntiAffinity.PreferredDuringSchedulingIgnoredDuringExecution, pod.Labels)
	}
}

func mergeTermKeys(required []v1.PodAffinityTerm, preferred []v1.WeightedPodAffinityTerm, labels map[string]string) {
	one := func(t *v1.PodAffinityTerm) {
		addLabelKeys(t.LabelSelector, t.MatchLabelKeys, metav1.LabelSelectorOpIn, labels)
		addLabelKeys(t.LabelSelector, t.MismatchLabelKeys, metav1.LabelSelectorOpNotIn, labels)
	}
	for i := range preferred {
		one(&preferred[i].PodAffinityTerm)
	}
	for i := range required {
		one(&required[i])
	}
}

func addLabelKeys(sel *metav1.LabelSelector, keys []string, op metav1.LabelSelectorOperator, labels map[string]string) {
	if sel == nil {
		return // matches nothing, with or without the keys
	}
	for _, key := range keys {
		if value, ok := labels[key]; ok {
			sel.MatchExpressions = append(sel.MatchExpressions,
				metav1.LabelSelectorRequirement{Key: key, Operator: op, Values: []string{value}})
		}
	}
}
