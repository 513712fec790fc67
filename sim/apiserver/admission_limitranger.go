package apiserver

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	resourcehelper "k8s.io/component-helpers/resource"
)

// limitRangerKey is the annotation that says which requests and limits a pod was given.
const limitRangerKey = "kubernetes.io/limit-ranger"

// limitRanges are those that a request has to keep to: of a pod at its creation, of a claim also later.
func (s *Server) limitRanges(r *request, o, old Object) (found []*corev1.LimitRange) {
	if o == nil || r.subresource != "" || old != nil && (r.resource.Kind == "Pod" || o.GetDeletionTimestamp() != nil) {
		return nil
	}
	if kind := r.resource.Kind; kind != "Pod" && kind != "PersistentVolumeClaim" {
		return nil
	}
	ranges := s.caches[s.kindNamed("LimitRange")]
	if ranges.all.Len() == 0 {
		return nil
	}
	for _, l := range ranges.in(o.GetNamespace()) {
		found = append(found, l.(*corev1.LimitRange))
	}
	return found
}

// fillLimits gives a new pod's containers the requests and limits that they do not name
// (plugin/pkg/admission/limitranger, PodMutateLimitFunc).
func fillLimits(s *Server, r *request, o, old Object) error {
	for _, l := range s.limitRanges(r, o, old) {
		pod, ok := o.(*corev1.Pod)
		if !ok {
			return nil
		}
		var set []string
		requests, limits := containerDefaults(l)
		for _, list := range []struct {
			containers []corev1.Container
			kind       string
		}{{pod.Spec.Containers, "container"}, {pod.Spec.InitContainers, "init container"}} {
			for i := range list.containers {
				c := &list.containers[i]
				set = fillList(set, &c.Resources.Requests, requests, "request for "+list.kind+" "+c.Name)
				set = fillList(set, &c.Resources.Limits, limits, "limit for "+list.kind+" "+c.Name)
			}
		}
		if len(set) > 0 {
			if pod.Annotations == nil {
				pod.Annotations = map[string]string{}
			}
			pod.Annotations[limitRangerKey] = "LimitRanger plugin set: " + strings.Join(set, "; ")
		}
	}
	return nil
}

// containerDefaults are the requests and limits of a container that names none.
func containerDefaults(l *corev1.LimitRange) (requests, limits corev1.ResourceList) {
	requests, limits = corev1.ResourceList{}, corev1.ResourceList{}
	for _, limit := range l.Spec.Limits {
		if limit.Type == corev1.LimitTypeContainer {
			maps.Copy(requests, limit.DefaultRequest)
			maps.Copy(limits, limit.Default)
		}
	}
	return requests, limits
}

// fillList adds what a list lacks, and a word of it to those set before.
func fillList(set []string, list *corev1.ResourceList, from corev1.ResourceList, what string) []string {
	if *list == nil {
		*list = corev1.ResourceList{}
	}
	var names []string
	for _, name := range slices.Sorted(maps.Keys(from)) {
		if _, there := (*list)[name]; !there {
			(*list)[name] = from[name].DeepCopy()
			names = append(names, string(name))
		}
	}
	if len(names) == 0 {
		return set
	}
	return append(set, strings.Join(names, ", ")+" "+what)
}

// keepLimits refuses a pod or a claim that is outside a limit range (PodValidateLimitFunc,
// PersistentVolumeClaimValidateLimitFunc).
func keepLimits(s *Server, r *request, o, old Object) error {
	for _, l := range s.limitRanges(r, o, old) {
		var wrong outside
		for i := range l.Spec.Limits {
			switch limit := &l.Spec.Limits[i]; o := o.(type) {
			case *corev1.Pod:
				wrong.pod(limit, o)
			case *corev1.PersistentVolumeClaim:
				wrong.claim(limit, o)
			}
		}
		if err := utilerrors.NewAggregate(wrong); err != nil {
			return err
		}
	}
	return nil
}

// outside is what is not within a limit range.
type outside []error

func (x *outside) add(format string, args ...any) { *x = append(*x, fmt.Errorf(format, args...)) }

func (x *outside) pod(limit *corev1.LimitRangeItem, pod *corev1.Pod) {
	switch limit.Type {
	case corev1.LimitTypeContainer:
		for _, list := range [][]corev1.Container{pod.Spec.Containers, pod.Spec.InitContainers} {
			for i := range list {
				x.limits(limit, list[i].Resources.Requests, list[i].Resources.Limits)
			}
		}
	case corev1.LimitTypePod:
		bare := &corev1.Pod{Spec: pod.Spec}
		bare.Spec.Overhead = nil // is not what the pod's author asked for
		x.limits(limit, resourcehelper.PodRequests(bare, resourcehelper.PodResourcesOptions{}), resourcehelper.PodLimits(bare, resourcehelper.PodResourcesOptions{}))
	}
}

func (x *outside) claim(limit *corev1.LimitRangeItem, claim *corev1.PersistentVolumeClaim) {
	if limit.Type != corev1.LimitTypePersistentVolumeClaim {
		return
	}
	requests := claim.Spec.Resources.Requests
	for _, k := range slices.Sorted(maps.Keys(limit.Min)) {
		x.min(limit, k, requests, nil)
	}
	for _, k := range slices.Sorted(maps.Keys(limit.Max)) {
		most, request := limit.Max[k], requests[k]
		if _, named := requests[k]; !named {
			x.add("maximum %s usage per %s is %s.  No request is specified", k, limit.Type, most.String())
		} else if over(request, most) {
			x.add("maximum %s usage per %s is %s, but request is %s", k, limit.Type, most.String(), request.String())
		}
	}
}

func (x *outside) limits(limit *corev1.LimitRangeItem, requests, limits corev1.ResourceList) {
	for _, k := range slices.Sorted(maps.Keys(limit.Min)) {
		x.min(limit, k, requests, limits)
	}
	for _, k := range slices.Sorted(maps.Keys(limit.Max)) {
		x.max(limit, k, requests, limits)
	}
	for _, k := range slices.Sorted(maps.Keys(limit.MaxLimitRequestRatio)) {
		x.ratio(limit, k, requests, limits)
	}
}

func (x *outside) min(limit *corev1.LimitRangeItem, k corev1.ResourceName, requests, limits corev1.ResourceList) {
	least := limit.Min[k]
	request, requested := requests[k]
	most, limited := limits[k]
	switch {
	case !requested:
		x.add("minimum %s usage per %s is %s.  No request is specified", k, limit.Type, least.String())
	case over(least, request):
		x.add("minimum %s usage per %s is %s, but request is %s", k, limit.Type, least.String(), request.String())
	case limited && over(least, most):
		x.add("minimum %s usage per %s is %s, but limit is %s", k, limit.Type, least.String(), most.String())
	}
}

func (x *outside) max(limit *corev1.LimitRangeItem, k corev1.ResourceName, requests, limits corev1.ResourceList) {
	greatest := limit.Max[k]
	request, requested := requests[k]
	most, limited := limits[k]
	switch {
	case !limited:
		x.add("maximum %s usage per %s is %s.  No limit is specified", k, limit.Type, greatest.String())
	case over(most, greatest):
		x.add("maximum %s usage per %s is %s, but limit is %s", k, limit.Type, greatest.String(), most.String())
	case requested && over(request, greatest):
		x.add("maximum %s usage per %s is %s, but request is %s", k, limit.Type, greatest.String(), request.String())
	}
}

func (x *outside) ratio(limit *corev1.LimitRangeItem, k corev1.ResourceName, requests, limits corev1.ResourceList) {
	allowed, request, most := limit.MaxLimitRequestRatio[k], requests[k], limits[k]
	says := func(why string) {
		x.add("%s max limit to request ratio per %s is %s, but %s", k, limit.Type, allowed.String(), why)
	}
	low, high := inOneUnit(request, most)
	switch {
	case low == 0:
		says("no request is specified or request is 0")
	case high == 0:
		says("no limit is specified or limit is 0")
	default:
		ratio := float64(high) / float64(low)
		scaled, bound := ratio, float64(allowed.Value())
		if allowed.Value() <= resource.MaxMilliValue {
			scaled, bound = ratio*1000, float64(allowed.MilliValue())
		}
		if scaled > bound {
			says(fmt.Sprintf("provided ratio is %f", ratio))
		}
	}
}

// over says whether a is more than b, to the thousandth where such numbers can be had.
func over(a, b resource.Quantity) bool {
	x, y := inOneUnit(a, b)
	return x > y
}

func inOneUnit(a, b resource.Quantity) (int64, int64) {
	if a.Value() <= resource.MaxMilliValue && b.Value() <= resource.MaxMilliValue {
		return a.MilliValue(), b.MilliValue()
	}
	return a.Value(), b.Value()
}
