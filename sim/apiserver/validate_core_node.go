package apiserver

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metav1validation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func validateNode(n *v1.Node) field.ErrorList {
	errs := validateTaints(n.Spec.Taints)
	errs = append(errs, validateNodeResources(n)...)
	path := field.NewPath("spec", "podCIDRs")
	for i, cidr := range n.Spec.PodCIDRs {
		errs = append(errs, validation.IsValidCIDRForLegacyField(path.Index(i), cidr, true, nil)...)
	}
	if len(n.Spec.PodCIDRs) > 1 && (len(n.Spec.PodCIDRs) > 2 || sameFamily(n.Spec.PodCIDRs)) {
		errs = append(errs, field.Invalid(path, n.Spec.PodCIDRs, "may specify no more than one CIDR for each IP family"))
	}
	return errs
}

func sameFamily(addresses []string) bool {
	for _, a := range addresses[1:] {
		if strings.Contains(a, ":") != strings.Contains(addresses[0], ":") {
			return false
		}
	}
	return true
}

// validateTaints names metadata.taints where it means spec.taints: so does the
// real server.
func validateTaints(taints []v1.Taint) field.ErrorList {
	var errs field.ErrorList
	type key struct {
		effect v1.TaintEffect
		key    string
	}
	seen := map[key]bool{}
	for i, t := range taints {
		path := field.NewPath("metadata", "taints").Index(i)
		errs = append(errs, metav1validation.ValidateLabelName(t.Key, path.Child("key"))...)
		if msgs := validation.IsValidLabelValue(t.Value); len(msgs) > 0 {
			errs = append(errs, field.Invalid(path.Child("value"), t.Value, strings.Join(msgs, ";")))
		}
		errs = append(errs, oneOf(t.Effect, path.Child("effect"),
			v1.TaintEffectNoSchedule, v1.TaintEffectPreferNoSchedule, v1.TaintEffectNoExecute)...)
		k := key{t.Effect, t.Key}
		if seen[k] {
			twice := field.Duplicate(path, internalTaint{t.Key, t.Value, t.Effect, t.TimeAdded})
			twice.Detail = "taints must be unique by key and effect pair"
			errs = append(errs, twice)
		}
		seen[k] = true
	}
	return errs
}

func validateNodeResources(n *v1.Node) field.ErrorList {
	errs := validateNodeQuantities(n.Status.Capacity, field.NewPath("status", "capacity"))
	return append(errs, validateNodeQuantities(n.Status.Allocatable, field.NewPath("status", "allocatable"))...)
}

func validateNodeQuantities(list v1.ResourceList, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for _, name := range slices.Sorted(maps.Keys(list)) {
		quantity := list[name]
		// The real server joins the resource's name with a dot, as a child.
		at := path.Child(string(name))
		if quantity.Cmp(resource.Quantity{}) < 0 {
			errs = append(errs, field.Invalid(at, quantity.String(), "must be greater than or equal to 0"))
		}
		if wholeResource(name) && quantity.MilliValue()%1000 != 0 {
			errs = append(errs, field.Invalid(at, quantity, "must be an integer"))
		}
	}
	return errs
}

// wholeResource: pods, and what a device plugin adds (nvidia.com/gpu), come in
// whole numbers.
func wholeResource(name v1.ResourceName) bool {
	if name == v1.ResourcePods {
		return true
	}
	domain, _, qualified := strings.Cut(string(name), "/")
	return qualified && !strings.HasSuffix("."+domain, ".kubernetes.io")
}

func validateNodeUpdate(new, old *v1.Node) field.ErrorList {
	return append(validateNode(new), validateNodeChange(new, old)...)
}

// validateNodeChange is what an update and one of the status have in common.
func validateNodeChange(new, old *v1.Node) field.ErrorList {
	errs := validateNodeResources(new)
	seen := map[v1.NodeAddress]bool{}
	for i, a := range new.Status.Addresses {
		if seen[a] {
			errs = append(errs, field.Duplicate(field.NewPath("status", "addresses").Index(i), a))
		}
		seen[a] = true
	}
	spec := field.NewPath("spec")
	if len(old.Spec.PodCIDRs) > 0 && !slices.Equal(old.Spec.PodCIDRs, new.Spec.PodCIDRs) {
		errs = append(errs, field.Forbidden(spec.Child("podCIDRs"),
			`node updates may not change podCIDR except from "" to valid`))
	}
	if old.Spec.ProviderID != "" && old.Spec.ProviderID != new.Spec.ProviderID {
		verb := "modified"
		if new.Spec.ProviderID == "" {
			verb = "cleared"
		}
		errs = append(errs, field.Invalid(spec.Child("providerID"), nil, fmt.Sprintf("field cannot be %s once set", verb)))
	}
	errs = append(errs, validateTaints(new.Spec.Taints)...)
	if new.Spec.DoNotUseExternalID != old.Spec.DoNotUseExternalID {
		errs = append(errs, field.Forbidden(spec.Child("externalID"), "may not be updated"))
	}
	return errs
}

// internalTaint is a taint as errors show it: the internal type of the real server has no names for JSON.
type internalTaint struct {
	Key, Value string
	Effect     v1.TaintEffect
	TimeAdded  *metav1.Time
}
