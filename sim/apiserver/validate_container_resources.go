package apiserver

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	resourcehelper "k8s.io/component-helpers/resource"
)

// standardResources are the names without a domain that the API knows, in quotas too.
var standardResources = sets.New(
	v1.ResourceCPU, v1.ResourceMemory, v1.ResourceEphemeralStorage, v1.ResourceStorage,
	v1.ResourceRequestsCPU, v1.ResourceRequestsMemory, v1.ResourceRequestsEphemeralStorage, v1.ResourceRequestsStorage,
	v1.ResourceLimitsCPU, v1.ResourceLimitsMemory, v1.ResourceLimitsEphemeralStorage,
	v1.ResourcePods, v1.ResourceQuotas, v1.ResourceServices, v1.ResourceReplicationControllers, v1.ResourceSecrets,
	v1.ResourceConfigMaps, v1.ResourcePersistentVolumeClaims, v1.ResourceServicesNodePorts, v1.ResourceServicesLoadBalancers)

// countedResources come in whole numbers.
var countedResources = sets.New(
	v1.ResourcePods, v1.ResourceQuotas, v1.ResourceServices, v1.ResourceReplicationControllers, v1.ResourceSecrets,
	v1.ResourceConfigMaps, v1.ResourcePersistentVolumeClaims, v1.ResourceServicesNodePorts, v1.ResourceServicesLoadBalancers)

// isNativeResource: of Kubernetes itself, said or implied.
func isNativeResource(name v1.ResourceName) bool {
	return !strings.Contains(string(name), "/") || strings.Contains(string(name), v1.ResourceDefaultNamespacePrefix)
}

// isExtendedResource: of a device maker, as nvidia.com/gpu.
func isExtendedResource(name v1.ResourceName) bool {
	return !isNativeResource(name) && !strings.HasPrefix(string(name), v1.DefaultResourceRequestsPrefix) &&
		len(validation.IsQualifiedName(v1.DefaultResourceRequestsPrefix+string(name))) == 0
}

// overcommits says whether a request may be less than the limit.
func overcommits(name v1.ResourceName) bool { return isNativeResource(name) && !isHugePages(name) }

// resourceName is valid for some object, if not for this one.
func (f *findings) resourceName(at *field.Path, name v1.ResourceName) bool {
	if messages := validation.IsQualifiedName(string(name)); len(messages) > 0 {
		f.invalidFor(at, name, messages)
		return false
	}
	inQuota := isHugePages(name) || strings.HasPrefix(string(name), v1.ResourceRequestsHugePagesPrefix)
	if !strings.Contains(string(name), "/") && !standardResources.Has(name) && !inQuota {
		f.invalid(at, name, "must be a standard resource type or fully qualified")
		return false
	}
	return true
}

func (f *findings) containerResourceName(at *field.Path, name v1.ResourceName) {
	f.resourceName(at, name)
	switch {
	case !strings.Contains(string(name), "/"):
		standard := name == v1.ResourceCPU || name == v1.ResourceMemory || name == v1.ResourceEphemeralStorage
		if !standard && !isHugePages(name) {
			f.invalid(at, name, "must be a standard resource for containers")
		}
	case !isNativeResource(name) && !isExtendedResource(name):
		f.invalid(at, name, "doesn't follow extended resource name standard")
	}
}

func (f *findings) podResourceName(at *field.Path, name v1.ResourceName) {
	if f.resourceName(at, name) && !podLevel(name) {
		f.add(field.NotSupported(at, name, sets.List(resourcehelper.SupportedPodLevelResources())))
	}
}

// resources checks names, quantities, and requests against limits, of a
// container, of a pod or of its overhead: checkName tells them apart.
func (f *findings) resources(parent *field.Path, r *v1.ResourceRequirements, claims sets.Set[string],
	checkName func(*field.Path, v1.ResourceName)) {
	hugePages, computed := false, false
	for _, list := range []struct {
		name  string
		items v1.ResourceList
	}{{"limits", r.Limits}, {"requests", r.Requests}} {
		for _, name := range slices.Sorted(maps.Keys(list.items)) {
			at, q := parent.Child(list.name).Key(string(name)), list.items[name]
			checkName(at, name)
			f.resourceQuantity(at, name, q)
			if list.name == "requests" {
				f.requestWithinLimit(parent, name, q, r.Limits)
			}
			if isHugePages(name) {
				hugePages = true
				f.wholePages(at, name, q)
			}
			computed = computed || name == v1.ResourceCPU || name == v1.ResourceMemory
		}
	}
	if hugePages && !computed {
		f.forbidden(parent, "HugePages require cpu or memory")
	}
	if len(r.Claims) > 0 {
		f.resourceClaims(parent.Child("claims"), r.Claims, claims)
	}
}

func (f *findings) requestWithinLimit(at *field.Path, name v1.ResourceName, request resource.Quantity, limits v1.ResourceList) {
	limit, limited := limits[name]
	switch {
	case !limited && !overcommits(name):
		f.required(at.Child("limits"), "Limit must be set for non overcommitable resources")
	case !limited:
	case !overcommits(name) && request.Cmp(limit) != 0:
		f.invalid(at.Child("requests"), request.String(), fmt.Sprintf("must be equal to %s limit of %s", name, limit.String()))
	case request.Cmp(limit) > 0:
		f.invalid(at.Child("requests"), request.String(),
			fmt.Sprintf("must be less than or equal to %s limit of %s", name, limit.String()))
	}
}

func (f *findings) resourceQuantity(at *field.Path, name v1.ResourceName, q resource.Quantity) {
	f.nonNegativeQuantity(at, q)
	if (countedResources.Has(name) || isExtendedResource(name)) && q.MilliValue()%1000 != 0 {
		f.invalid(at, q, "must be an integer")
	}
}

// wholePages: huge pages are asked for by whole pages, whose size is in the name.
func (f *findings) wholePages(at *field.Path, name v1.ResourceName, q resource.Quantity) {
	page, err := resource.ParseQuantity(strings.TrimPrefix(string(name), v1.ResourceHugePagesPrefix))
	whole := err == nil && page.Sign() > 0 && page.MilliValue()%1000 == 0 && page.Value() != 0
	if !whole || q.Value()%page.Value() != 0 {
		f.invalid(at, q.String(), fmt.Sprintf("%s is not positive integer multiple of %s", q.String(), name))
	}
}

// resourceClaims of a container name claims of its pod, each once, whole or by request.
func (f *findings) resourceClaims(at *field.Path, claims []v1.ResourceClaim, ofPod sets.Set[string]) {
	seen := sets.Set[string]{}
	for i, c := range claims {
		at := at.Index(i)
		if c.Name == "" {
			f.required(at, "")
			continue
		}
		key := c.Name
		if c.Request != "" && !seen.Has(key) {
			f.label(at.Child("request"), c.Request)
			key += "/" + c.Request
		}
		inPart := func(k string) bool { return c.Request == "" && strings.HasPrefix(k, c.Name+"/") }
		if seen.Has(key) || slices.ContainsFunc(sets.List(seen), inPart) {
			f.duplicate(at, key)
		}
		seen.Insert(key)
		if !ofPod.Has(c.Name) {
			missing := field.NotFound(at, c.Name)
			missing.Detail = "must be one of the names in pod.spec.resourceClaims"
			if len(ofPod) == 0 {
				missing.Detail += " which is empty"
			} else {
				missing.Detail += ": " + strings.Join(sets.List(ofPod), ", ")
			}
			f.add(missing)
		}
	}
}

// podLevelResources are the resources of a pod as a whole: not less than what
// its containers ask for together, nor than the limit of any of them.
func (f *findings) podLevelResources(at *field.Path, spec *v1.PodSpec, claims sets.Set[string]) {
	r := spec.Resources
	if r == nil {
		return
	}
	if spec.OS != nil && spec.OS.Name == v1.Windows {
		f.forbidden(at, "may not be set for a windows pod")
		return
	}
	if r.Claims != nil {
		f.forbidden(at.Child("claims"), "claims may not be set for Resources at pod-level")
	}
	f.resources(at, r, claims, f.podResourceName)

	pod := &v1.Pod{Spec: *spec}
	requests := resourcehelper.AggregateContainerRequests(pod, resourcehelper.PodResourcesOptions{})
	f.covers(at.Child("requests"), r.Requests, requests, "requests", func(v1.ResourceName) bool { return true })
	limits := resourcehelper.AggregateContainerLimits(pod, resourcehelper.PodResourcesOptions{})
	f.covers(at.Child("limits"), r.Limits, limits, "limits", isHugePages)

	for i, c := range spec.Containers {
		for _, name := range slices.Sorted(maps.Keys(c.Resources.Limits)) {
			limit := c.Resources.Limits[name]
			if ofPod, ok := r.Limits[name]; ok && limit.Cmp(ofPod) > 0 {
				f.invalid(at.Child("containers").Index(i).Key(string(name)).Child("limits"), limit.String(),
					fmt.Sprintf("must be less than or equal to pod limits of %s", ofPod.String()))
			}
		}
	}
}

// covers finds what a pod has less of than its containers together.
func (f *findings) covers(at *field.Path, ofPod, ofContainers v1.ResourceList, what string, applies func(v1.ResourceName) bool) {
	for _, name := range slices.Sorted(maps.Keys(ofContainers)) {
		sum := ofContainers[name]
		if q, ok := ofPod[name]; ok && applies(name) && sum.Cmp(q) > 0 {
			f.invalid(at.Key(string(name)), q.String(),
				fmt.Sprintf("must be greater than or equal to aggregate container %s of %s", what, sum.String()))
		}
	}
}
