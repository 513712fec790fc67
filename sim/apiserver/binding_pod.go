package apiserver

import (
	"fmt"
	"maps"
	"time"

	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// applyBinding gives a pod its node (Kubernetes 1.37
// pkg/registry/core/pod/storage.BindingREST): once, and neither while it is
// gated nor after its deletion began; else a Conflict. The generation stays: to
// bind is not to change what was asked for.
func applyBinding(pod *v1.Pod, b *v1.Binding, now time.Time) error {
	if err := validateBinding(b).ToAggregate(); err != nil {
		return err
	}
	if err := bindingPreconditions(pod, b); err != nil {
		return apierrors.NewConflict(schema.GroupResource{Resource: "pods"}, pod.Name, err)
	}
	if err := bindable(pod); err != nil {
		return apierrors.NewConflict(schema.GroupResource{Resource: "pods/binding"}, pod.Name, err)
	}
	pod.Spec.NodeName = b.Target.Name
	pod.Status.NominatedNodeName = ""
	pod.Annotations = withAll(pod.Annotations, b.Annotations)
	pod.Labels = withAll(pod.Labels, b.Labels)
	for _, a := range legacyInitAnnotations {
		delete(pod.Annotations, a)
	}
	setPodScheduled(&pod.Status, metav1.NewTime(now).Rfc3339Copy())
	return nil
}

func bindable(pod *v1.Pod) error {
	switch {
	case pod.DeletionTimestamp != nil:
		return fmt.Errorf("pod %s is being deleted, cannot be assigned to a host", pod.Name)
	case pod.Spec.NodeName != "":
		return fmt.Errorf("pod %v is already assigned to node %q", pod.Name, pod.Spec.NodeName)
	case len(pod.Spec.SchedulingGates) > 0:
		return fmt.Errorf("pod %v has non-empty .spec.schedulingGates", pod.Name)
	}
	return nil
}

// bindingPreconditions: a Binding that names a UID or a version means that very pod.
func bindingPreconditions(pod *v1.Pod, b *v1.Binding) error {
	what, want, got := "UID", string(b.UID), string(pod.UID)
	if want == "" || want == got {
		what, want, got = "ResourceVersion", b.ResourceVersion, pod.ResourceVersion
	}
	if want == "" || want == got {
		return nil
	}
	return fmt.Errorf("StorageError: invalid object, Code: 4, Key: /registry/pods/%s/%s, ResourceVersion: 0, "+
		"AdditionalErrorMsg: Precondition failed: %s in precondition: %s, %s in object meta: %s",
		pod.Namespace, pod.Name, what, want, what, got)
}

func validateBinding(b *v1.Binding) field.ErrorList {
	var errs field.ErrorList
	at := field.NewPath("target")
	if b.Target.Kind != "" && b.Target.Kind != "Node" {
		errs = append(errs, field.NotSupported(at.Child("kind"), b.Target.Kind, []string{"Node", "<empty>"}))
	}
	if b.Target.Name == "" {
		return append(errs, field.Required(at.Child("name"), ""))
	}
	if b.Target.Kind == "" || b.Target.Kind == "Node" {
		for _, msg := range validation.NameIsDNSSubdomain(b.Target.Name, false) {
			errs = append(errs, field.Invalid(at.Child("name"), b.Target.Name, msg))
		}
	}
	return errs
}

// setPodScheduled replaces the PodScheduled condition, a refusal of the
// scheduler's perhaps, by a true one.
func setPodScheduled(s *v1.PodStatus, now metav1.Time) {
	scheduled := v1.PodCondition{Type: v1.PodScheduled, Status: v1.ConditionTrue, LastTransitionTime: now}
	for i, c := range s.Conditions {
		if c.Type != v1.PodScheduled {
			continue
		}
		if c.Status == v1.ConditionTrue {
			scheduled.LastTransitionTime = c.LastTransitionTime
		}
		s.Conditions[i] = scheduled
		return
	}
	s.Conditions = append(s.Conditions, scheduled)
}

// withAll adds all of from to a map, and makes the map if there is something to add.
func withAll(to, from map[string]string) map[string]string {
	if to == nil && len(from) > 0 {
		to = map[string]string{}
	}
	maps.Copy(to, from)
	return to
}
