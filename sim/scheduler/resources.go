package scheduler

import (
	"maps"
	"slices"
	"strings"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	resourcehelper "k8s.io/component-helpers/resource"
)

// What a container without requests counts for in scores, so that not all such
// pods end up on one node (Kubernetes 1.37 pkg/scheduler/util/pod_resources.go).
const (
	defaultMilliCPU = 100
	defaultMemory   = 200 * 1024 * 1024
)

// resources are amounts in the units the scheduler reckons in: millicores, bytes, pieces.
type resources struct {
	milliCPU, memory, storage int64 // storage is ephemeral
	pods                      int64
	scalars                   map[v1.ResourceName]int64 // extended resources, huge pages …; nil: none
}

// newResources reads amounts; fractions are rounded up, as the real scheduler does.
func newResources(list v1.ResourceList) resources {
	var r resources
	for name, q := range list {
		switch name {
		case v1.ResourceCPU:
			r.milliCPU = q.MilliValue()
		case v1.ResourceMemory:
			r.memory = q.Value()
		case v1.ResourcePods:
			r.pods = q.Value()
		case v1.ResourceEphemeralStorage:
			r.storage = q.Value()
		default:
			if isScalar(name) {
				if r.scalars == nil {
					r.scalars = map[v1.ResourceName]int64{}
				}
				r.scalars[name] = q.Value()
			}
		}
	}
	return r
}

// isScalar says that a resource is counted by name: extended, huge pages, attachable volumes
// (Kubernetes 1.37 pkg/scheduler/util/utils.go, IsScalarResourceName).
func isScalar(name v1.ResourceName) bool {
	s := string(name)
	return strings.Contains(s, v1.ResourceDefaultNamespacePrefix) ||
		strings.Contains(s, "/") && !strings.HasPrefix(s, v1.DefaultResourceRequestsPrefix) ||
		strings.HasPrefix(s, v1.ResourceHugePagesPrefix) ||
		strings.HasPrefix(s, v1.ResourceAttachableVolumesPrefix)
}

// add adds sign times o. Pods are not summed: they are counted.
func (r *resources) add(o *resources, sign int64) {
	r.milliCPU += sign * o.milliCPU
	r.memory += sign * o.memory
	r.storage += sign * o.storage
	if len(o.scalars) > 0 && r.scalars == nil {
		r.scalars = map[v1.ResourceName]int64{}
	}
	for name, n := range o.scalars {
		r.scalars[name] += sign * n
	}
}

func (r resources) clone() resources {
	r.scalars = maps.Clone(r.scalars)
	return r
}

// scalarNames are the names of the counted resources, sorted.
func (r *resources) scalarNames() []v1.ResourceName {
	if len(r.scalars) == 0 {
		return nil
	}
	return slices.Sorted(maps.Keys(r.scalars))
}

// demand is what a pod asks for, as the different plugins see it.
type demand struct {
	taken   resources // what it takes up on its node
	nonzero amounts   // the same, with the default for containers without requests

	// Of a pod that comes: filters look at fit, LeastAllocated scores with score. The latter
	// overlooks requests of the pod as a whole (spec.resources), as 1.37 does: NewFit does not
	// pass the feature on to its scorer.
	fit   resources
	score amounts
}

// amounts are the two resources that scores look at, in millicores and bytes.
type amounts struct{ milliCPU, memory int64 }

// demandOf adds up what a pod asks for.
//
// Kubernetes 1.37: taken and nonzero as PodInfo.CalculateResource (pkg/scheduler/framework/types.go), fit as
// computePodResourceRequest, score as calculatePodResourceRequest (pkg/scheduler/framework/plugins/noderesources).
func demandOf(pod *v1.Pod) demand {
	if d, ok := plainDemand(pod); ok {
		return d
	}
	status := resourcehelper.PodResourcesOptions{UseStatusResources: true, InPlacePodLevelResourcesVerticalScalingEnabled: true}
	list := resourcehelper.PodRequests(pod, status)
	d := demand{taken: newResources(list)}

	defaults := v1.ResourceList{
		v1.ResourceCPU:    *resource.NewMilliQuantity(defaultMilliCPU, resource.DecimalSI),
		v1.ResourceMemory: *resource.NewQuantity(defaultMemory, resource.DecimalSI),
	}
	missing := defaults
	if resourcehelper.IsPodLevelRequestsSet(pod) {
		missing = v1.ResourceList{} // containers need no default for what the pod itself asks for
		for name, q := range defaults {
			if _, set := list[name]; !set {
				missing[name] = q
			}
		}
	}
	status.NonMissingContainerRequests = missing
	d.nonzero = amountsOf(resourcehelper.PodRequests(pod, status))

	d.score = amountsOf(resourcehelper.PodRequests(pod, resourcehelper.PodResourcesOptions{
		SkipPodLevelResources: true, NonMissingContainerRequests: defaults}))
	d.fit = newResources(resourcehelper.PodRequests(pod, resourcehelper.PodResourcesOptions{}))
	return d
}

func amountsOf(list v1.ResourceList) amounts {
	cpu, memory := list[v1.ResourceCPU], list[v1.ResourceMemory]
	return amounts{cpu.MilliValue(), memory.Value()}
}

// plainDemand is demandOf for the pods most clusters are made of: containers that
// ask for whole millicores and bytes, and nothing else that has a say. It reports
// false for all others. It exists for its speed alone.
func plainDemand(pod *v1.Pod) (demand, bool) {
	spec := &pod.Spec
	if len(spec.InitContainers) > 0 || spec.Resources != nil || len(spec.Overhead) > 0 ||
		!plainStatus(pod) || resourcehelper.IsPodResizeInfeasible(pod) {
		return demand{}, false
	}
	var d demand
	for i := range spec.Containers {
		cpu, memory := int64(defaultMilliCPU), int64(defaultMemory)
		for name, q := range spec.Containers[i].Resources.Requests {
			switch name {
			case v1.ResourceCPU:
				cpu = q.MilliValue()
				if q.ScaledValue(resource.Nano) != cpu*1_000_000 {
					return demand{}, false // it is the sum that is rounded, not each
				}
				d.taken.milliCPU += cpu
			case v1.ResourceMemory:
				n, whole := q.AsInt64()
				if !whole {
					return demand{}, false
				}
				memory = n
				d.taken.memory += n
			default:
				return demand{}, false
			}
		}
		d.nonzero.milliCPU += cpu
		d.nonzero.memory += memory
	}
	d.fit, d.score = d.taken, d.nonzero
	return d, true
}
