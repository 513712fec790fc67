package apiserver

import (
	"maps"
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/runtime"
)

// daemonSetResource is the row of DaemonSets. Its strategy is that of
// Kubernetes 1.37 pkg/registry/apps/daemonset/strategy.go.
func daemonSetResource() Resource {
	return Resource{
		GroupVersionResource: appsv1.SchemeGroupVersion.WithResource("daemonsets"),
		Kind:                 "DaemonSet",
		Singular:             "daemonset",
		ShortNames:           []string{"ds"},
		Categories:           []string{"all"},
		Namespaced:           true,
		KeyPrefix:            "/registry/daemonsets",
		New:                  func() Object { return &appsv1.DaemonSet{} },
		NewList:              func() runtime.Object { return &appsv1.DaemonSetList{} },
		Subresources:         []string{"status"},

		Default: act(defaultDaemonSet),
		PrepareForCreate: act(func(d *appsv1.DaemonSet) {
			d.Status, d.Generation = appsv1.DaemonSetStatus{}, 1
			setTemplateGeneration(d, max(1, templateGeneration(d)))
			dropAlphaPodFields(&d.Spec.Template.Spec, d.Spec.Template.Annotations)
		}),
		PrepareForUpdate: actFrom(func(d, old *appsv1.DaemonSet) {
			d.Status = old.Status
			dropAlphaPodFields(&d.Spec.Template.Spec, d.Spec.Template.Annotations)
			generation := templateGeneration(old)
			if !equality.Semantic.DeepEqual(d.Spec.Template, old.Spec.Template) {
				generation++
			}
			setTemplateGeneration(d, generation)
			if !equality.Semantic.DeepEqual(d.Spec, old.Spec) {
				d.Generation = old.Generation + 1
			}
		}),
		PrepareForStatusUpdate: actFrom(func(d, old *appsv1.DaemonSet) {
			d.Spec = old.Spec
			setTemplateGeneration(d, templateGeneration(old))
		}),

		Validate:       check(validateDaemonSet),
		ValidateUpdate: checkFrom(validateDaemonSetUpdate),
		ValidateStatus: checkFrom(validateDaemonSetStatus),

		Columns:       daemonSetColumns(),
		Cells:         cells(daemonSetCells),
		Unconditional: true,
	}
}

// templateGeneration is how often a DaemonSet's template has changed. The real server has it in a field of its
// spec, which v1 shows as an annotation (pkg/apis/apps/v1/conversion.go).
func templateGeneration(d *appsv1.DaemonSet) int64 {
	n, err := strconv.ParseInt(d.Annotations[appsv1.DeprecatedTemplateGeneration], 10, 64)
	if err != nil {
		return 0
	}
	return n
}

func setTemplateGeneration(d *appsv1.DaemonSet, n int64) {
	text := strconv.FormatInt(n, 10)
	if d.Annotations[appsv1.DeprecatedTemplateGeneration] == text {
		return
	}
	if d.Annotations = maps.Clone(d.Annotations); d.Annotations == nil { // shared with what was sent
		d.Annotations = map[string]string{}
	}
	d.Annotations[appsv1.DeprecatedTemplateGeneration] = text
}
