package apiserver

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/util/diff"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// updatablePodFields are all that may change in the spec of a pod, as the message lists them.
const updatablePodFields = "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`," +
	"`spec.tolerations` (only additions to existing tolerations)," +
	"`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"

// validatePodUpdate checks a changed pod against the one before (Kubernetes 1.37
// pkg/apis/core/validation.ValidatePodUpdate). A pod is hardly ever changed: it is replaced.
func validatePodUpdate(o, before Object) field.ErrorList {
	pod, old := o.(*v1.Pod), before.(*v1.Pod)
	f := findings{aPod: true}
	f.pod(pod)
	f.annotationUpdates(pod, old)
	at := field.NewPath("spec")
	if !f.sameContainers(at.Child("containers"), pod.Spec.Containers, old.Spec.Containers) ||
		!f.sameContainers(at.Child("initContainers"), pod.Spec.InitContainers, old.Spec.InitContainers) ||
		!f.deadlineUpdate(at.Child("activeDeadlineSeconds"), pod.Spec.ActiveDeadlineSeconds, old.Spec.ActiveDeadlineSeconds) {
		return f.errs
	}
	f.onlyAddedTolerations(at.Child("tolerations"), pod.Spec.Tolerations, old.Spec.Tolerations)
	f.onlyRemovedGates(at.Child("schedulingGates"), pod.Spec.SchedulingGates, old.Spec.SchedulingGates)
	if equality.Semantic.DeepEqual(pod.Spec, old.Spec) {
		return f.errs
	}
	rest := withoutUpdatable(&pod.Spec, &old.Spec)
	if len(old.Spec.SchedulingGates) > 0 {
		f.gatedUpdate(at, rest, &old.Spec)
	}
	if !equality.Semantic.DeepEqual(*rest, old.Spec) {
		f.forbidden(at, fmt.Sprintf("pod updates may not change fields other than %s\n%v",
			updatablePodFields, diff.Diff(inServer{old.Spec}, inServer{rest})))
	}
	return f.errs
}

func (f *findings) annotationUpdates(pod, old *v1.Pod) {
	at := field.NewPath("metadata", "annotations")
	f.annotationChanges(at, pod, old)
	f.annotations(at, pod.Annotations, &pod.Spec)
}

func (f *findings) annotationChanges(at *field.Path, pod, old *v1.Pod) {
	if maps.Equal(pod.Annotations, old.Annotations) {
		return
	}
	all := maps.Clone(old.Annotations)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, pod.Annotations)
	for _, key := range slices.Sorted(maps.Keys(all)) {
		was, had := old.Annotations[key]
		is, has := pod.Annotations[key]
		appArmor := strings.HasPrefix(key, v1.DeprecatedAppArmorBetaContainerAnnotationKeyPrefix)
		mirror := key == v1.MirrorPodAnnotationKey
		switch {
		case had && has && was == is:
		case had && appArmor:
			f.forbidden(at.Key(key), "may not remove or update AppArmor annotations")
		case had && mirror:
			f.forbidden(at.Key(key), "may not remove or update mirror pod annotation")
		case !had && appArmor:
			f.forbidden(at.Key(key), "may not add AppArmor annotations")
		case !had && mirror:
			f.forbidden(at.Key(key), "may not add mirror pod annotation")
		}
	}
}

// sameContainers says whether there are as many containers as before; else
// nothing more can be compared.
func (f *findings) sameContainers(at *field.Path, containers, old []v1.Container) bool {
	if len(containers) != len(old) {
		f.forbidden(at, "pod updates may not add or remove containers")
		return false
	}
	for i := range containers {
		if containers[i].Image == "" {
			f.required(at.Index(i).Child("image"), "")
		}
		f.paddedImage(at.Index(i), &containers[i])
	}
	return true
}

// deadlineUpdate: a deadline may come, and come nearer.
func (f *findings) deadlineUpdate(at *field.Path, deadline, old *int64) bool {
	switch {
	case deadline == nil && old != nil:
		f.invalid(at, deadline, "must not update from a positive integer to nil value")
	case deadline == nil:
	case *deadline < 0 || *deadline > math.MaxInt32:
		f.invalid(at, *deadline, validation.InclusiveRangeError(0, math.MaxInt32))
		return false
	case old != nil && *old < *deadline:
		f.invalid(at, *deadline, "must be less than or equal to previous value")
		return false
	}
	return true
}

func (f *findings) onlyAddedTolerations(at *field.Path, tolerations, old []v1.Toleration) {
	for _, was := range old {
		kept := slices.ContainsFunc(tolerations, func(t v1.Toleration) bool {
			t.TolerationSeconds = was.TolerationSeconds
			return equality.Semantic.DeepEqual(t, was)
		})
		if !kept {
			f.forbidden(at, "existing toleration can not be modified except its tolerationSeconds")
			return
		}
	}
	f.tolerations(at, tolerations)
}

func (f *findings) onlyRemovedGates(at *field.Path, gates, old []v1.PodSchedulingGate) {
	for i, g := range gates {
		if !slices.Contains(old, g) && !slices.Contains(gates[i+1:], g) {
			f.forbidden(at.Index(i).Child("name"), fmt.Sprintf("only deletion is allowed, but found new scheduling gate '%s'", g.Name))
		}
	}
}

// withoutUpdatable is a spec with the old values of all that may change.
func withoutUpdatable(spec, old *v1.PodSpec) *v1.PodSpec {
	rest := spec.DeepCopy()
	for i := range rest.Containers {
		rest.Containers[i].Image = old.Containers[i].Image
	}
	for i := range rest.InitContainers {
		rest.InitContainers[i].Image = old.InitContainers[i].Image
	}
	rest.ActiveDeadlineSeconds = old.ActiveDeadlineSeconds
	rest.SchedulingGates = old.SchedulingGates
	rest.Tolerations = old.Tolerations
	was, is := old.TerminationGracePeriodSeconds, rest.TerminationGracePeriodSeconds
	if was != nil && *was < 0 && is != nil && *is == 1 {
		rest.TerminationGracePeriodSeconds = was
	}
	return rest
}

// gatedUpdate: what chooses nodes may be narrowed while a pod is gated. It puts the old values back into rest.
func (f *findings) gatedUpdate(at *field.Path, rest, old *v1.PodSpec) {
	for _, key := range slices.Sorted(maps.Keys(old.NodeSelector)) {
		if value, ok := rest.NodeSelector[key]; !ok || value != old.NodeSelector[key] {
			f.invalid(at.Child("nodeSelector"), rest.NodeSelector,
				"only additions to spec.nodeSelector are allowed (no mutations or deletions)")
			break
		}
	}
	rest.NodeSelector = old.NodeSelector

	is, was := nodeAffinityOf(rest), nodeAffinityOf(old)
	if equality.Semantic.DeepEqual(is, was) {
		return
	}
	f.nodeAffinityNarrowed(at.Child("affinity", "nodeAffinity"), is, was)
	switch {
	case rest.Affinity == nil:
		rest.Affinity = &v1.Affinity{NodeAffinity: was}
	case old.Affinity == nil && rest.Affinity.PodAffinity == nil && rest.Affinity.PodAntiAffinity == nil:
		rest.Affinity = nil
	default:
		rest.Affinity.NodeAffinity = was
	}
}

func nodeAffinityOf(spec *v1.PodSpec) *v1.NodeAffinity {
	if spec.Affinity == nil {
		return nil
	}
	return spec.Affinity.NodeAffinity
}

func requiredTerms(a *v1.NodeAffinity) []v1.NodeSelectorTerm {
	if a == nil || a.RequiredDuringSchedulingIgnoredDuringExecution == nil {
		return nil
	}
	return a.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms
}

// nodeAffinityNarrowed: no term more or less, and no expression less in any.
func (f *findings) nodeAffinityNarrowed(at *field.Path, is, was *v1.NodeAffinity) {
	at = at.Child("requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms")
	terms, old := requiredTerms(is), requiredTerms(was)
	if len(old) == 0 {
		return
	}
	if len(old) != len(terms) {
		f.invalid(at, inServer{terms}, "no additions/deletions to non-empty NodeSelectorTerms list are allowed")
		return
	}
	for i := range old {
		wasEmpty := len(old[i].MatchExpressions) == 0 && len(old[i].MatchFields) == 0
		isEmpty := len(terms[i].MatchExpressions) == 0 && len(terms[i].MatchFields) == 0
		if wasEmpty && !isEmpty || !startsWith(terms[i].MatchExpressions, old[i].MatchExpressions) ||
			!startsWith(terms[i].MatchFields, old[i].MatchFields) {
			f.invalid(at.Index(i), inServer{terms[i]}, "only additions are allowed (no mutations or deletions)")
		}
	}
}

func startsWith(all, first []v1.NodeSelectorRequirement) bool {
	return len(all) >= len(first) && (len(first) == 0 || equality.Semantic.DeepEqual(all[:len(first)], first))
}
