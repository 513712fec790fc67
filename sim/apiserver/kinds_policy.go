package apiserver

import (
	"time"

	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metavalidation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// podDisruptionBudgetResource is the row of PodDisruptionBudgets. Its strategy is that of
// Kubernetes 1.37 pkg/registry/policy/poddisruptionbudget/strategy.go; nothing is defaulted.
func podDisruptionBudgetResource() Resource {
	return Resource{
		GroupVersionResource: policyv1.SchemeGroupVersion.WithResource("poddisruptionbudgets"),
		Kind:                 "PodDisruptionBudget",
		Singular:             "poddisruptionbudget",
		ShortNames:           []string{"pdb"},
		Namespaced:           true,
		KeyPrefix:            "/registry/poddisruptionbudgets",

		New:     func() Object { return &policyv1.PodDisruptionBudget{} },
		NewList: func() runtime.Object { return &policyv1.PodDisruptionBudgetList{} },

		Subresources: []string{"status"},

		Default: func(Object) {},
		PrepareForCreate: act(func(b *policyv1.PodDisruptionBudget) {
			b.Status = policyv1.PodDisruptionBudgetStatus{}
			b.Generation = 1
		}),
		PrepareForUpdate: actFrom(func(b, old *policyv1.PodDisruptionBudget) {
			b.Status = old.Status
			if !equality.Semantic.DeepEqual(b.Spec, old.Spec) {
				b.Generation = old.Generation + 1
			}
		}),
		PrepareForStatusUpdate: actFrom(func(b, old *policyv1.PodDisruptionBudget) { b.Spec = old.Spec }),

		Validate: check(validateBudget),
		ValidateUpdate: checkFrom(func(b, _ *policyv1.PodDisruptionBudget) field.ErrorList {
			return validateBudget(b)
		}),
		ValidateStatus: checkFrom(func(b, _ *policyv1.PodDisruptionBudget) field.ErrorList {
			at, s, f := field.NewPath("status"), &b.Status, findings{}
			f.add(metavalidation.ValidateConditions(s.Conditions, at.Child("conditions"))...)
			f.counts(at, []count{{"disruptionsAllowed", int64(s.DisruptionsAllowed)}, {"currentHealthy", int64(s.CurrentHealthy)},
				{"desiredHealthy", int64(s.DesiredHealthy)}, {"expectedPods", int64(s.ExpectedPods)}}, nil)
			return f.errs
		}),

		Columns: []metav1.TableColumnDefinition{
			nameColumn(),
			column("Min Available", "string", "The minimum number of pods that must be available."),
			column("Max Unavailable", "string", "The maximum number of pods that may be unavailable."),
			column("Allowed Disruptions", "integer", "Calculated number of pods that may be disrupted at this time."),
			ageColumn(),
		},
		Cells: cells(func(b *policyv1.PodDisruptionBudget, now time.Time) []any {
			shown := func(v *intstr.IntOrString) string {
				if v == nil {
					return "N/A"
				}
				return v.String()
			}
			return []any{b.Name, shown(b.Spec.MinAvailable), shown(b.Spec.MaxUnavailable), int64(b.Status.DisruptionsAllowed), age(b.CreationTimestamp, now)}
		}),
	}
}

// validateBudget is Kubernetes 1.37 pkg/apis/policy/validation.
func validateBudget(b *policyv1.PodDisruptionBudget) field.ErrorList {
	spec, at, f := &b.Spec, field.NewPath("spec"), findings{}
	if spec.MinAvailable != nil && spec.MaxUnavailable != nil {
		f.invalid(at, inServer{spec}, "minAvailable and maxUnavailable cannot be both set")
	}
	for _, v := range []struct {
		name  string
		value *intstr.IntOrString
	}{{"minAvailable", spec.MinAvailable}, {"maxUnavailable", spec.MaxUnavailable}} {
		if v.value == nil {
			continue
		}
		f.countOrPercent(at.Child(v.name), *v.value)
		if percent, ok := percentage(*v.value); ok && percent > 100 {
			f.invalid(at.Child(v.name), *v.value, "must not be greater than 100%")
		}
	}
	f.labelSelector(at.Child("selector"), spec.Selector)
	optionalAmong(&f, at.Child("unhealthyPodEvictionPolicy"), spec.UnhealthyPodEvictionPolicy, policyv1.AlwaysAllow, policyv1.IfHealthyBudget)
	return f.errs
}
