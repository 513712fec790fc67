package controller

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"timonier/sim/apiserver"
)

// podFrom is a pod of a template, controlled by its owner, without a name. What it has in common with the template
// is shared: the API server copies what it is given.
func podFrom(template *corev1.PodTemplateSpec, owner apiserver.Object, kind schema.GroupVersionKind) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace:       owner.GetNamespace(),
			Labels:          template.Labels,
			Annotations:     template.Annotations,
			Finalizers:      template.Finalizers,
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(owner, kind)},
		},
		Spec: template.Spec,
	}
}

// createFrom makes a pod with a name of the server's making, and says so in an event of the owner's
// (pkg/controller/controller_utils.go, RealPodControl).
func (e Env) createFrom(template *corev1.PodTemplateSpec, owner apiserver.Object, kind schema.GroupVersionKind) error {
	pod := podFrom(template, owner, kind)
	pod.GenerateName = podPrefix(owner.GetName())
	made, err := e.Client.Create(pod)
	switch {
	case err == nil:
		e.Client.Emit(owner, corev1.EventTypeNormal, "SuccessfulCreate", "Created pod: "+made.GetName())
	case apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause):
		return nil // every creation will fail, until the owner goes too
	default:
		e.Client.Emit(owner, corev1.EventTypeWarning, "FailedCreate", fmt.Sprintf("Error creating: %v", err))
	}
	return err
}

// podPrefix is what the names of an owner's pods begin with.
func podPrefix(owner string) string {
	if prefix := owner + "-"; len(validation.NameIsDNSSubdomain(prefix, true)) == 0 {
		return prefix
	}
	return owner
}

// deleteFor deletes a pod, and says so in an event of its owner's. One that is gone is deleted.
func (e Env) deleteFor(pod *corev1.Pod, owner apiserver.Object) error {
	err := e.Client.Delete(pod, metav1.DeleteOptions{})
	switch {
	case err == nil:
		e.Client.Emit(owner, corev1.EventTypeNormal, "SuccessfulDelete", "Deleted pod: "+pod.Name)
	case !apierrors.IsNotFound(err):
		e.Client.Emit(owner, corev1.EventTypeWarning, "FailedDelete", fmt.Sprintf("Error deleting: %v", err))
		return err
	}
	return nil
}
