package apiserver

import (
	"maps"
	"strings"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	resourcehelper "k8s.io/component-helpers/resource"
)

// podQOS is the quality of service of a new pod (Kubernetes 1.37
// pkg/apis/core/helper/qos): of its pod-level resources where it has some, else
// the class that all its containers share, else Burstable.
func podQOS(spec *v1.PodSpec) v1.PodQOSClass {
	if resourcehelper.IsPodLevelResourcesSet(&v1.Pod{Spec: *spec}) {
		return requirementsQOS(spec.Resources)
	}
	var class v1.PodQOSClass
	for c := range allContainers(spec) {
		switch of := requirementsQOS(&c.Resources); {
		case class == "":
			class = of
		case of != class:
			return v1.PodQOSBurstable
		}
	}
	orElse(&class, v1.PodQOSBestEffort)
	return class
}

// requirementsQOS: nothing set, BestEffort; cpu and memory both set with request
// equal to limit, Guaranteed; anything else, Burstable.
func requirementsQOS(r *v1.ResourceRequirements) v1.PodQOSClass {
	set, equal := 0, 0
	for _, name := range []v1.ResourceName{v1.ResourceCPU, v1.ResourceMemory} {
		request, limit := r.Requests[name], r.Limits[name]
		if !request.IsZero() || !limit.IsZero() {
			set++
		}
		if request.Equal(limit) {
			equal++
		}
	}
	switch {
	case set == 0:
		return v1.PodQOSBestEffort
	case set == 2 && equal == 2:
		return v1.PodQOSGuaranteed
	}
	return v1.PodQOSBurstable
}

// defaultPodLevelResources completes spec.resources where the sender gave part
// of it (Kubernetes 1.37 pkg/api/pod.DefaultPodLevelResources): limits of huge
// pages from the containers', requests from the containers' else from the limits,
// limits from the containers' where each has one. It runs after admission, which
// may have added containers.
func defaultPodLevelResources(spec *v1.PodSpec) {
	r := spec.Resources
	if r == nil || len(r.Requests) == 0 && len(r.Limits) == 0 {
		return
	}
	r.Requests, r.Limits = maps.Clone(r.Requests), maps.Clone(r.Limits)
	of := &v1.Pod{Spec: v1.PodSpec{Containers: spec.Containers, InitContainers: spec.InitContainers}}
	limits := resourcehelper.AggregateContainerLimits(of, resourcehelper.PodResourcesOptions{})
	requests := resourcehelper.AggregateContainerRequests(of, resourcehelper.PodResourcesOptions{})

	for name, q := range limits {
		_, requested := r.Requests[name]
		if isHugePages(name) && podLevel(name) && !requested {
			addMissing(&r.Limits, name, q)
		}
	}
	for name, q := range requests {
		if podLevel(name) && !isHugePages(name) {
			addMissing(&r.Requests, name, q)
		}
	}
	for name, q := range r.Limits {
		if podLevel(name) {
			addMissing(&r.Requests, name, q)
		}
	}
	for name, request := range r.Requests {
		limit, ok := limits[name]
		if !podLevel(name) || !ok || !everyContainerLimits(spec, name) {
			continue
		}
		if request.Cmp(limit) > 0 {
			limit = request
		}
		addMissing(&r.Limits, name, limit)
	}
}

func podLevel(name v1.ResourceName) bool { return resourcehelper.IsSupportedPodLevelResource(name) }

func isHugePages(name v1.ResourceName) bool {
	return strings.HasPrefix(string(name), v1.ResourceHugePagesPrefix)
}

func addMissing(list *v1.ResourceList, name v1.ResourceName, q resource.Quantity) {
	if _, ok := (*list)[name]; ok {
		return
	}
	if *list == nil {
		*list = v1.ResourceList{}
	}
	(*list)[name] = q.DeepCopy()
}

func everyContainerLimits(spec *v1.PodSpec, name v1.ResourceName) bool {
	for c := range allContainers(spec) {
		if _, ok := c.Resources.Limits[name]; !ok {
			return false
		}
	}
	return len(spec.EphemeralContainers) == 0 // those have no limits
}

// legacyInitAnnotations are dropped from every pod and template.
var legacyInitAnnotations = []string{
	"pod.beta.kubernetes.io/init-containers",
	"pod.alpha.kubernetes.io/init-containers",
	"pod.beta.kubernetes.io/init-container-statuses",
	"pod.alpha.kubernetes.io/init-container-statuses",
}

// dropAlphaPodFields erases the fields whose features are off in Kubernetes 1.37
// (pkg/api/pod.DropDisabledPodFields). They are never stored, so no old object
// has them either.
func dropAlphaPodFields(spec *v1.PodSpec, annotations map[string]string) {
	for _, a := range legacyInitAnnotations {
		delete(annotations, a)
	}
	spec.SchedulingGroup = nil    // GenericWorkload
	spec.EvictionResponders = nil // EvictionRequestAPI
	for i := range spec.Volumes {
		dropAlphaVolumeFields(&spec.Volumes[i])
	}
	for c := range allContainers(spec) {
		for i := range c.VolumeMounts {
			c.VolumeMounts[i].BindMountOptions = nil // VolumeBindMountOptions
		}
		for _, p := range []*v1.Probe{c.LivenessProbe, c.ReadinessProbe, c.StartupProbe} {
			if p != nil {
				dropAlphaProbeFields(&p.ProbeHandler)
			}
		}
		if c.Lifecycle != nil {
			dropAlphaLifecycleFields(c)
		}
	}
}

// dropAlphaVolumeFields: the owners of single files, AtomicWriteVolumeUserFields.
func dropAlphaVolumeFields(v *v1.Volume) {
	if v.EmptyDir != nil {
		v.EmptyDir.Mode = nil // EmptyDirVolumeMode
	}
	switch {
	case v.Secret != nil:
		v.Secret.DefaultUser = nil
		dropUsers(v.Secret.Items)
	case v.ConfigMap != nil:
		v.ConfigMap.DefaultUser = nil
		dropUsers(v.ConfigMap.Items)
	case v.DownwardAPI != nil:
		v.DownwardAPI.DefaultUser = nil
		dropDownwardUsers(v.DownwardAPI.Items)
	case v.Projected != nil:
		v.Projected.DefaultUser = nil
		for i := range v.Projected.Sources {
			dropProjectionUsers(&v.Projected.Sources[i])
		}
	}
}

func dropProjectionUsers(p *v1.VolumeProjection) {
	switch {
	case p.Secret != nil:
		dropUsers(p.Secret.Items)
	case p.DownwardAPI != nil:
		dropDownwardUsers(p.DownwardAPI.Items)
	case p.ConfigMap != nil:
		dropUsers(p.ConfigMap.Items)
	case p.ServiceAccountToken != nil:
		p.ServiceAccountToken.User = nil
	case p.ClusterTrustBundle != nil:
		p.ClusterTrustBundle.User = nil
	case p.PodCertificate != nil:
		p.PodCertificate.User = nil
	}
}

func dropUsers(items []v1.KeyToPath) {
	for i := range items {
		items[i].User = nil
	}
}

func dropDownwardUsers(items []v1.DownwardAPIVolumeFile) {
	for i := range items {
		items[i].User = nil
	}
}

func dropAlphaProbeFields(h *v1.ProbeHandler) {
	if h.GRPC != nil {
		h.GRPC.Mode = nil // GRPCContainerProbeTLS
	}
	if h.HTTPGet != nil {
		h.HTTPGet.Protocol = nil // H2CContainerProbe
	}
}

func dropAlphaLifecycleFields(c *v1.Container) {
	for _, h := range []*v1.LifecycleHandler{c.Lifecycle.PostStart, c.Lifecycle.PreStop} {
		if h != nil && h.HTTPGet != nil {
			h.HTTPGet.Protocol = nil
		}
	}
	if c.Lifecycle.StopSignal == nil {
		return
	}
	c.Lifecycle.StopSignal = nil // ContainerStopSignals
	if *c.Lifecycle == (v1.Lifecycle{}) {
		c.Lifecycle = nil
	}
}
