package apiserver

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	operators "k8s.io/apimachinery/pkg/selection"
	resourcehelper "k8s.io/component-helpers/resource"
)

// What objects cost in quotas (Kubernetes 1.37 pkg/quota/v1): the admission plugin charges it, and the controller
// counts it again.

// evaluator knows what the objects of a resource cost.
type evaluator struct {
	of       schema.GroupResource
	tracks   func(name corev1.ResourceName) bool // whether a quota's resource is one of its
	usage    func(o Object, now time.Time) corev1.ResourceList
	inScope  func(r corev1.ScopedResourceSelectorRequirement, o Object) bool
	required func(names []corev1.ResourceName, o Object) error // what an object has to name; may be nil
	changes  func(new, old Object) bool                        // whether an update is charged; nil: none is
}

// aliases are the names that some counts have had since before count/….
func aliases() map[schema.GroupResource]corev1.ResourceName {
	core := func(name string) schema.GroupResource { return schema.GroupResource{Resource: name} }
	return map[schema.GroupResource]corev1.ResourceName{
		core("configmaps"): corev1.ResourceConfigMaps, core("resourcequotas"): corev1.ResourceQuotas,
		core("replicationcontrollers"): corev1.ResourceReplicationControllers, core("secrets"): corev1.ResourceSecrets,
	}
}

// evaluatorOf is the evaluator of a row; nil: quotas do not count it.
func evaluatorOf(r *Resource) *evaluator {
	if !r.Namespaced || r.TTL > 0 {
		return nil
	}
	count := countName(r.GroupResource())
	switch r.GroupResource().String() {
	case "pods":
		return &evaluator{of: r.GroupResource(), tracks: podQuotaName, usage: podUsage, inScope: podInScope, required: podNames,
			changes: func(new, old Object) bool { return hasDeadline(new.(*corev1.Pod)) != hasDeadline(old.(*corev1.Pod)) }}
	case "services":
		return &evaluator{of: r.GroupResource(), tracks: oneOfNames(count, corev1.ResourceServices, corev1.ResourceServicesNodePorts, corev1.ResourceServicesLoadBalancers),
			usage: serviceUsage, inScope: noScope, changes: func(_, _ Object) bool { return true }}
	case "persistentvolumeclaims":
		return &evaluator{of: r.GroupResource(), tracks: claimQuotaName, usage: claimUsage, inScope: claimInScope,
			changes: func(_, _ Object) bool { return true }}
	}
	names := []corev1.ResourceName{count}
	if alias, ok := aliases()[r.GroupResource()]; ok {
		names = append(names, alias)
	}
	return &evaluator{of: r.GroupResource(), inScope: noScope,
		tracks: func(name corev1.ResourceName) bool { return slices.Contains(names, name) },
		usage: func(Object, time.Time) corev1.ResourceList {
			used := corev1.ResourceList{}
			for _, name := range names {
				used[name] = one()
			}
			return used
		}}
}

func oneOfNames(names ...corev1.ResourceName) func(corev1.ResourceName) bool {
	return func(name corev1.ResourceName) bool { return slices.Contains(names, name) }
}

func countName(gr schema.GroupResource) corev1.ResourceName {
	return corev1.ResourceName("count/" + gr.String())
}

func one() resource.Quantity { return *resource.NewQuantity(1, resource.DecimalSI) }

func noScope(corev1.ScopedResourceSelectorRequirement, Object) bool { return false }

func podQuotaName(name corev1.ResourceName) bool {
	return standardPodResources[name] || isHugePages(name) || strings.HasPrefix(string(name), corev1.ResourceRequestsHugePagesPrefix) ||
		strings.HasPrefix(string(name), corev1.DefaultResourceRequestsPrefix) && !isNativeResource(name)
}

var standardPodResources = map[corev1.ResourceName]bool{
	"count/pods": true, corev1.ResourcePods: true, corev1.ResourceCPU: true, corev1.ResourceMemory: true, corev1.ResourceEphemeralStorage: true,
	corev1.ResourceRequestsCPU: true, corev1.ResourceRequestsMemory: true, corev1.ResourceRequestsEphemeralStorage: true,
	corev1.ResourceLimitsCPU: true, corev1.ResourceLimitsMemory: true, corev1.ResourceLimitsEphemeralStorage: true,
}

// podUsage: a pod that has ended, or should long have, counts as an object alone.
func podUsage(o Object, now time.Time) corev1.ResourceList {
	pod := o.(*corev1.Pod)
	used := corev1.ResourceList{"count/pods": one()}
	if !countsPod(pod, now) {
		return used
	}
	opts := resourcehelper.PodResourcesOptions{UseStatusResources: true}
	addUsage(used, computeUsage(resourcehelper.PodRequests(pod, opts), resourcehelper.PodLimits(pod, opts)))
	return used
}

func countsPod(pod *corev1.Pod, now time.Time) bool {
	if pod.Status.Phase == corev1.PodFailed || pod.Status.Phase == corev1.PodSucceeded {
		return false
	}
	if t, grace := pod.DeletionTimestamp, pod.DeletionGracePeriodSeconds; t != nil && grace != nil {
		return !now.After(t.Add(time.Duration(*grace) * time.Second))
	}
	return true
}

// computeUsage is what requests and limits cost, under each name that a quota may give it.
func computeUsage(requests, limits corev1.ResourceList) corev1.ResourceList {
	used := corev1.ResourceList{corev1.ResourcePods: one()}
	for name, q := range requests {
		asked := corev1.DefaultResourceRequestsPrefix + name
		switch {
		case name == corev1.ResourceCPU, name == corev1.ResourceMemory, name == corev1.ResourceEphemeralStorage, isHugePages(name):
			used[name], used[asked] = q, q
		case isExtendedResource(name):
			used[asked] = q
		}
	}
	for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory, corev1.ResourceEphemeralStorage} {
		if q, ok := limits[name]; ok {
			used["limits."+name] = q
		}
	}
	return used
}

// podNames wants every container to name the resources that a quota limits: what is not named cannot be counted.
func podNames(names []corev1.ResourceName, o Object) error {
	pod := o.(*corev1.Pod)
	if resourcehelper.IsPodLevelResourcesSet(pod) {
		return nil
	}
	computed := []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory, corev1.ResourceRequestsCPU, corev1.ResourceRequestsMemory,
		corev1.ResourceLimitsCPU, corev1.ResourceLimitsMemory}
	var lacking []string
	for _, name := range slices.Sorted(slices.Values(names)) {
		if !slices.Contains(computed, name) {
			continue
		}
		var without []string
		for c := range allContainers(&pod.Spec) {
			if _, named := computeUsage(c.Resources.Requests, c.Resources.Limits)[name]; !named {
				without = append(without, c.Name)
			}
		}
		if len(without) > 0 {
			slices.Sort(without)
			lacking = append(lacking, fmt.Sprintf("%s for: %s", name, strings.Join(slices.Compact(without), ",")))
		}
	}
	if len(lacking) == 0 {
		return nil
	}
	return fmt.Errorf("must specify %s", strings.Join(lacking, "; "))
}

func hasDeadline(pod *corev1.Pod) bool {
	return pod.Spec.ActiveDeadlineSeconds != nil && *pod.Spec.ActiveDeadlineSeconds >= 0
}

func podInScope(r corev1.ScopedResourceSelectorRequirement, o Object) bool {
	pod := o.(*corev1.Pod)
	switch r.ScopeName {
	case corev1.ResourceQuotaScopeTerminating:
		return hasDeadline(pod)
	case corev1.ResourceQuotaScopeNotTerminating:
		return !hasDeadline(pod)
	case corev1.ResourceQuotaScopeBestEffort:
		return qosOf(pod) == corev1.PodQOSBestEffort
	case corev1.ResourceQuotaScopeNotBestEffort:
		return qosOf(pod) != corev1.PodQOSBestEffort
	case corev1.ResourceQuotaScopePriorityClass:
		return selects(r, pod.Spec.PriorityClassName)
	case corev1.ResourceQuotaScopeCrossNamespacePodAffinity:
		return looksElsewhere(pod.Spec.Affinity)
	}
	return false
}

func qosOf(pod *corev1.Pod) corev1.PodQOSClass {
	if pod.Status.QOSClass != "" {
		return pod.Status.QOSClass
	}
	return podQOS(&pod.Spec)
}

// selects says whether a requirement chooses an object of this value ("": none).
func selects(r corev1.ScopedResourceSelectorRequirement, value string) bool {
	operator := map[corev1.ScopeSelectorOperator]operators.Operator{
		corev1.ScopeSelectorOpIn: operators.In, corev1.ScopeSelectorOpNotIn: operators.NotIn,
		corev1.ScopeSelectorOpExists: operators.Exists, corev1.ScopeSelectorOpDoesNotExist: operators.DoesNotExist,
	}[r.Operator]
	requirement, err := labels.NewRequirement(string(r.ScopeName), operator, r.Values)
	if err != nil {
		return false
	}
	set := labels.Set{}
	if value != "" {
		set[string(r.ScopeName)] = value
	}
	return requirement.Matches(set)
}

// looksElsewhere says whether an affinity is to pods of other namespaces.
func looksElsewhere(a *corev1.Affinity) bool {
	if a == nil {
		return false
	}
	var terms []corev1.PodAffinityTerm
	add := func(required []corev1.PodAffinityTerm, preferred []corev1.WeightedPodAffinityTerm) {
		terms = append(terms, required...)
		for _, t := range preferred {
			terms = append(terms, t.PodAffinityTerm)
		}
	}
	if p := a.PodAffinity; p != nil {
		add(p.RequiredDuringSchedulingIgnoredDuringExecution, p.PreferredDuringSchedulingIgnoredDuringExecution)
	}
	if p := a.PodAntiAffinity; p != nil {
		add(p.RequiredDuringSchedulingIgnoredDuringExecution, p.PreferredDuringSchedulingIgnoredDuringExecution)
	}
	return slices.ContainsFunc(terms, func(t corev1.PodAffinityTerm) bool { return len(t.Namespaces) > 0 || t.NamespaceSelector != nil })
}

func serviceUsage(o Object, _ time.Time) corev1.ResourceList {
	s := o.(*corev1.Service)
	ports, balancers := 0, int64(0)
	switch s.Spec.Type {
	case corev1.ServiceTypeNodePort:
		ports = len(s.Spec.Ports)
	case corev1.ServiceTypeLoadBalancer:
		balancers, ports = 1, len(s.Spec.Ports)
		if allocate := s.Spec.AllocateLoadBalancerNodePorts; allocate != nil && !*allocate {
			ports = len(nodePorts(s))
		}
	}
	return corev1.ResourceList{
		countName(schema.GroupResource{Resource: "services"}): one(), corev1.ResourceServices: one(),
		corev1.ResourceServicesLoadBalancers: *resource.NewQuantity(balancers, resource.DecimalSI),
		corev1.ResourceServicesNodePorts:     *resource.NewQuantity(int64(ports), resource.DecimalSI),
	}
}

const (
	claimCount         = corev1.ResourceName("count/persistentvolumeclaims")
	storageClassSuffix = ".storageclass.storage.k8s.io/"
)

func claimQuotaName(name corev1.ResourceName) bool {
	own := func(n corev1.ResourceName) bool {
		return n == corev1.ResourcePersistentVolumeClaims || n == corev1.ResourceRequestsStorage
	}
	_, ofClass, found := strings.Cut(string(name), storageClassSuffix)
	return name == claimCount || own(name) || found && own(corev1.ResourceName(ofClass))
}

func claimUsage(o Object, _ time.Time) corev1.ResourceList {
	claim := o.(*corev1.PersistentVolumeClaim)
	used := corev1.ResourceList{claimCount: one()}
	add := func(name corev1.ResourceName, q resource.Quantity) {
		used[name] = q
		if class := ClassOfClaim(claim); class != "" {
			used[corev1.ResourceName(class+storageClassSuffix)+name] = q
		}
	}
	add(corev1.ResourcePersistentVolumeClaims, one())
	if q, ok := claim.Spec.Resources.Requests[corev1.ResourceStorage]; ok {
		if allocated, ok := claim.Status.AllocatedResources[corev1.ResourceStorage]; ok && allocated.Cmp(q) > 0 {
			q = allocated
		}
		q = q.DeepCopy()
		q.RoundUp(0)
		add(corev1.ResourceRequestsStorage, q)
	}
	return used
}

func claimInScope(r corev1.ScopedResourceSelectorRequirement, o Object) bool {
	claim := o.(*corev1.PersistentVolumeClaim)
	if r.ScopeName != corev1.ResourceQuotaScopeVolumeAttributesClass {
		return false
	}
	names := []string{}
	for _, p := range []*string{claim.Spec.VolumeAttributesClassName, claim.Status.CurrentVolumeAttributesClassName} {
		if p != nil && *p != "" {
			names = append(names, *p)
		}
	}
	if len(names) == 0 {
		return selects(r, "")
	}
	return slices.ContainsFunc(names, func(name string) bool { return selects(r, name) })
}

// scopesOf are all that a quota is limited to.
func scopesOf(q *corev1.ResourceQuota) (all []corev1.ScopedResourceSelectorRequirement) {
	for _, s := range q.Spec.Scopes {
		all = append(all, corev1.ScopedResourceSelectorRequirement{ScopeName: s, Operator: corev1.ScopeSelectorOpExists})
	}
	if q.Spec.ScopeSelector != nil {
		all = append(all, q.Spec.ScopeSelector.MatchExpressions...)
	}
	return all
}

// counts says whether a quota counts an object.
func (e *evaluator) counts(q *corev1.ResourceQuota, o Object) bool {
	return !slices.ContainsFunc(scopesOf(q), func(r corev1.ScopedResourceSelectorRequirement) bool { return !e.inScope(r, o) })
}

// trackedIn are those of a quota's limits that are of the evaluator's resource, by name.
func (e *evaluator) trackedIn(hard corev1.ResourceList) (names []corev1.ResourceName) {
	for _, name := range slices.Sorted(maps.Keys(hard)) {
		if e.tracks(name) {
			names = append(names, name)
		}
	}
	return names
}

func addUsage(to, more corev1.ResourceList) {
	for name, q := range more {
		sum := to[name].DeepCopy()
		if _, there := to[name]; !there {
			sum = q.DeepCopy()
		} else {
			sum.Add(q)
		}
		to[name] = sum
	}
}

// masked is a list with the names given alone.
func masked(list corev1.ResourceList, names []corev1.ResourceName) corev1.ResourceList {
	kept := corev1.ResourceList{}
	for _, name := range names {
		if q, ok := list[name]; ok {
			kept[name] = q
		}
	}
	return kept
}

// QuotaUsage counts what the objects of a quota's namespace cost of what it limits.
func QuotaUsage(c *Client, q *corev1.ResourceQuota) corev1.ResourceList {
	used := corev1.ResourceList{}
	for _, r := range c.Resources() {
		e := evaluatorOf(r)
		if e == nil {
			continue
		}
		names := e.trackedIn(q.Spec.Hard)
		if len(names) == 0 {
			continue
		}
		sum := corev1.ResourceList{}
		for _, name := range names {
			sum[name] = resource.Quantity{Format: resource.DecimalSI}
		}
		for _, o := range c.All(r, q.Namespace) {
			if e.counts(q, o) {
				addUsage(sum, masked(e.usage(o, c.server.Now()), names))
			}
		}
		addUsage(used, sum)
	}
	return used
}

// QuotaCounts says whether what a quota limits has to do with objects of a resource.
func QuotaCounts(q *corev1.ResourceQuota, r *Resource) bool {
	e := evaluatorOf(r)
	return e != nil && len(e.trackedIn(q.Spec.Hard)) > 0
}
