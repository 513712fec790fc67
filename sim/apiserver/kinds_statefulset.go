package apiserver

import (
	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/runtime"
)

// statefulSetResource is the row of StatefulSets. Its strategy is that of
// Kubernetes 1.37 pkg/registry/apps/statefulset/strategy.go.
func statefulSetResource() Resource {
	return Resource{
		GroupVersionResource: appsv1.SchemeGroupVersion.WithResource("statefulsets"),
		Kind:                 "StatefulSet",
		Singular:             "statefulset",
		ShortNames:           []string{"sts"},
		Categories:           []string{"all"},
		Namespaced:           true,
		KeyPrefix:            "/registry/statefulsets",
		New:                  func() Object { return &appsv1.StatefulSet{} },
		NewList:              func() runtime.Object { return &appsv1.StatefulSetList{} },
		Subresources:         []string{"status", "scale"},

		Default: act(defaultStatefulSet),
		PrepareForCreate: act(func(s *appsv1.StatefulSet) {
			s.Status, s.Generation = appsv1.StatefulSetStatus{}, 1
			dropAlphaPodFields(&s.Spec.Template.Spec, s.Spec.Template.Annotations)
		}),
		PrepareForUpdate: actFrom(func(s, old *appsv1.StatefulSet) {
			s.Status = old.Status
			dropAlphaPodFields(&s.Spec.Template.Spec, s.Spec.Template.Annotations)
			if !equality.Semantic.DeepEqual(s.Spec, old.Spec) {
				s.Generation = old.Generation + 1
			}
		}),
		PrepareForStatusUpdate: actFrom(func(s, old *appsv1.StatefulSet) { s.Spec = old.Spec }),

		Validate:       check(validateStatefulSet),
		ValidateUpdate: checkFrom(validateStatefulSetUpdate),
		ValidateStatus: checkFrom(validateStatefulSetStatus),
		// Its pods are named after it, and their names are host names.
		ValidName: validation.NameIsDNSLabel,

		Columns:       statefulSetColumns(),
		Cells:         cells(statefulSetCells),
		Unconditional: true,
	}
}

// controllerRevisionResource is the row of ControllerRevisions, the states to which StatefulSets and DaemonSets
// can be taken back (Kubernetes 1.37 pkg/registry/apps/controllerrevision/strategy.go).
func controllerRevisionResource() Resource {
	return Resource{
		GroupVersionResource: appsv1.SchemeGroupVersion.WithResource("controllerrevisions"),
		Kind:                 "ControllerRevision",
		Singular:             "controllerrevision",
		Namespaced:           true,
		KeyPrefix:            "/registry/controllerrevisions",
		New:                  func() Object { return &appsv1.ControllerRevision{} },
		NewList:              func() runtime.Object { return &appsv1.ControllerRevisionList{} },

		Default:        func(Object) {},
		Validate:       check(validateControllerRevision),
		ValidateUpdate: checkFrom(validateControllerRevisionUpdate),

		Columns:       controllerRevisionColumns(),
		Cells:         cells(controllerRevisionCells),
		Unconditional: true,
	}
}
