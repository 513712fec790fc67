package apiserver

import (
	"encoding/json"
	"strings"
	"sync"

	"k8s.io/kube-openapi/pkg/validation/spec"
)

// What the API's types say of themselves only in comments, and so cannot be had
// by reflection: how lists merge, what is required, what is a default. Models go
// by their short names: core.v1.Pod for io.k8s.api.core.v1.Pod.

// mergeText is how lists and maps merge in server-side apply (+listType,
// +listMapKey and +mapType): a test compares it with client-go's own schema.
const mergeText = `
apps.v1.DaemonSetStatus: conditions=map(type)
apps.v1.DeploymentStatus: conditions=map(type)
apps.v1.ReplicaSetStatus: conditions=map(type)
apps.v1.StatefulSetSpec: volumeClaimTemplates=atomic
apps.v1.StatefulSetStatus: conditions=map(type)
autoscaling.v2.HPAScalingRules: policies=atomic
autoscaling.v2.HorizontalPodAutoscalerSpec: metrics=atomic
autoscaling.v2.HorizontalPodAutoscalerStatus: conditions=map(type) currentMetrics=atomic
batch.v1.CronJobStatus: active=atomic
batch.v1.JobSchedulingConfiguration: resourceClaims=map(name)
batch.v1.JobStatus: conditions=atomic
batch.v1.PodFailurePolicy: rules=atomic
batch.v1.PodFailurePolicyOnExitCodesRequirement: values=set
batch.v1.PodFailurePolicyRule: onPodConditions=atomic
batch.v1.SuccessPolicy: rules=atomic
batch.v1.UncountedTerminatedPods: failed=set succeeded=set
core.v1.Capabilities: add=atomic drop=atomic
core.v1.CephFSPersistentVolumeSource: monitors=atomic
core.v1.CephFSVolumeSource: monitors=atomic
core.v1.ConfigMapProjection: items=atomic
core.v1.ConfigMapVolumeSource: items=atomic
core.v1.Container: args=atomic command=atomic env=map(name) envFrom=atomic ports=map(containerPort,protocol) resizePolicy=atomic restartPolicyRules=atomic volumeDevices=map(devicePath) volumeMounts=map(mountPath)
core.v1.ContainerImage: names=atomic
core.v1.ContainerRestartRuleOnExitCodes: values=set
core.v1.ContainerStatus: allocatedResourcesStatus=map(name) volumeMounts=map(mountPath)
core.v1.DownwardAPIProjection: items=atomic
core.v1.DownwardAPIVolumeSource: items=atomic
core.v1.EndpointSubset: addresses=atomic notReadyAddresses=atomic ports=atomic
core.v1.Endpoints: subsets=atomic
core.v1.EphemeralContainer: args=atomic command=atomic env=map(name) envFrom=atomic ports=map(containerPort,protocol) resizePolicy=atomic restartPolicyRules=atomic volumeDevices=map(devicePath) volumeMounts=map(mountPath)
core.v1.EphemeralContainerCommon: args=atomic command=atomic env=map(name) envFrom=atomic ports=map(containerPort,protocol) resizePolicy=atomic restartPolicyRules=atomic volumeDevices=map(devicePath) volumeMounts=map(mountPath)
core.v1.ExecAction: command=atomic
core.v1.FCVolumeSource: targetWWNs=atomic wwids=atomic
core.v1.HTTPGetAction: httpHeaders=atomic
core.v1.HostAlias: hostnames=atomic
core.v1.ISCSIPersistentVolumeSource: portals=atomic
core.v1.ISCSIVolumeSource: portals=atomic
core.v1.LimitRangeSpec: limits=atomic
core.v1.LinuxContainerUser: supplementalGroups=atomic
core.v1.LoadBalancerIngress: ports=atomic
core.v1.LoadBalancerStatus: ingress=atomic
core.v1.NamespaceSpec: finalizers=atomic
core.v1.NamespaceStatus: conditions=map(type)
core.v1.NodeAffinity: preferredDuringSchedulingIgnoredDuringExecution=atomic
core.v1.NodeAllocatableResourceClaimStatus: containers=set mapping=map(name) overhead=map(name)
core.v1.NodePodPreemptionPolicy: disableResizePreemption=set
core.v1.NodeSelector: nodeSelectorTerms=atomic
core.v1.NodeSelectorRequirement: values=atomic
core.v1.NodeSelectorTerm: matchExpressions=atomic matchFields=atomic
core.v1.NodeSpec: podCIDRs=set taints=atomic
core.v1.NodeStatus: addresses=map(type) conditions=map(type) declaredFeatures=atomic images=atomic runtimeHandlers=atomic volumesAttached=atomic volumesInUse=atomic
core.v1.PersistentVolumeClaimSpec: accessModes=atomic
core.v1.PersistentVolumeClaimStatus: accessModes=atomic conditions=map(type)
core.v1.PersistentVolumeSpec: accessModes=atomic mountOptions=atomic
core.v1.PodAffinity: preferredDuringSchedulingIgnoredDuringExecution=atomic requiredDuringSchedulingIgnoredDuringExecution=atomic
core.v1.PodAffinityTerm: matchLabelKeys=atomic mismatchLabelKeys=atomic namespaces=atomic
core.v1.PodAntiAffinity: preferredDuringSchedulingIgnoredDuringExecution=atomic requiredDuringSchedulingIgnoredDuringExecution=atomic
core.v1.PodDNSConfig: nameservers=atomic options=atomic searches=atomic
core.v1.PodExtendedResourceClaimStatus: requestMappings=atomic
core.v1.PodSecurityContext: supplementalGroups=atomic sysctls=atomic
core.v1.PodSpec: containers=map(name) ephemeralContainers=map(name) evictionResponders=map(name) hostAliases=map(ip) imagePullSecrets=map(name) initContainers=map(name) nodeSelector=map-atomic readinessGates=atomic resourceClaims=map(name) schedulingGates=map(name) tolerations=atomic topologySpreadConstraints=map(topologyKey,whenUnsatisfiable) volumes=map(name)
core.v1.PodStatus: conditions=map(type) containerStatuses=atomic ephemeralContainerStatuses=atomic hostIPs=atomic initContainerStatuses=atomic nodeAllocatableResourceClaimStatuses=map(resourceClaimName) podIPs=map(ip) resourceClaimStatuses=map(name) volumeHealth=map(name)
core.v1.PodVolumeHealth: healthConditions=map(status,reason)
core.v1.ProjectedVolumeSource: sources=atomic
core.v1.RBDPersistentVolumeSource: monitors=atomic
core.v1.RBDVolumeSource: monitors=atomic
core.v1.ResourceQuotaSpec: scopes=atomic
core.v1.ResourceRequirements: claims=map(name)
core.v1.ResourceStatus: resources=map(resourceID)
core.v1.ScopeSelector: matchExpressions=atomic
core.v1.ScopedResourceSelectorRequirement: values=atomic
core.v1.SecretProjection: items=atomic
core.v1.SecretVolumeSource: items=atomic
core.v1.ServiceAccount: imagePullSecrets=atomic secrets=map(name)
core.v1.ServiceSpec: clusterIPs=atomic externalIPs=atomic ipFamilies=atomic loadBalancerSourceRanges=atomic ports=map(port,protocol) selector=map-atomic
core.v1.ServiceStatus: conditions=map(type)
core.v1.TopologySelectorLabelRequirement: values=atomic
core.v1.TopologySelectorTerm: matchLabelExpressions=atomic
core.v1.TopologySpreadConstraint: matchLabelKeys=atomic
core.v1.VolumeHealthStatus: healthConditions=map(status,reason)
core.v1.VolumeMount: bindMountOptions=set
discovery.v1.Endpoint: addresses=set
discovery.v1.EndpointHints: forNodes=atomic forZones=atomic
discovery.v1.EndpointSlice: endpoints=atomic ports=atomic
meta.v1.APIResource: categories=atomic shortNames=atomic
meta.v1.APIResourceList: resources=atomic
meta.v1.DeleteOptions: dryRun=atomic
meta.v1.LabelSelector: matchExpressions=atomic
meta.v1.LabelSelectorRequirement: values=atomic
meta.v1.ObjectMeta: finalizers=set managedFields=atomic ownerReferences=map(uid)
meta.v1.StatusDetails: causes=atomic
networking.v1.HTTPIngressRuleValue: paths=atomic
networking.v1.IPBlock: except=atomic
networking.v1.IngressLoadBalancerIngress: ports=atomic
networking.v1.IngressLoadBalancerStatus: ingress=atomic
networking.v1.IngressSpec: rules=atomic tls=atomic
networking.v1.IngressTLS: hosts=atomic
networking.v1.NetworkPolicyEgressRule: ports=atomic to=atomic
networking.v1.NetworkPolicyIngressRule: from=atomic ports=atomic
networking.v1.NetworkPolicySpec: egress=atomic ingress=atomic policyTypes=atomic
node.v1.Scheduling: nodeSelector=map-atomic tolerations=atomic
policy.v1.PodDisruptionBudgetStatus: conditions=map(type)
rbac.v1.AggregationRule: clusterRoleSelectors=atomic
rbac.v1.ClusterRole: rules=atomic
rbac.v1.ClusterRoleBinding: subjects=atomic
rbac.v1.PolicyRule: apiGroups=atomic nonResourceURLs=atomic resourceNames=atomic resources=atomic verbs=atomic
rbac.v1.Role: rules=atomic
rbac.v1.RoleBinding: subjects=atomic
scheduling.v1alpha3.WorkloadPodGroupSchedulingConstraints: topology=atomic
storage.v1.StorageClass: allowedTopologies=atomic mountOptions=atomic
`

// atomicText are the structs that are replaced whole (+structType=atomic).
const atomicText = `
autoscaling.v1.CrossVersionObjectReference core.v1.ConfigMapKeySelector core.v1.EndpointAddress
core.v1.EndpointPort core.v1.EvictionResponder core.v1.FileKeySelector core.v1.LocalObjectReference
core.v1.NodeSelector core.v1.NodeSelectorTerm core.v1.ObjectFieldSelector core.v1.ObjectReference
core.v1.ResourceFieldSelector core.v1.ScopeSelector core.v1.SecretKeySelector
core.v1.SecretReference core.v1.TopologySelectorTerm core.v1.TypedLocalObjectReference
discovery.v1.EndpointPort meta.v1.LabelSelector meta.v1.OwnerReference
networking.v1.ServiceBackendPort rbac.v1.RoleRef rbac.v1.Subject
`

// requiredText are the fields that must be there though they have omitempty.
const requiredText = `
apps.v1.DaemonSet: spec
apps.v1.Deployment: spec
apps.v1.ReplicaSet: spec
apps.v1.StatefulSet: spec
autoscaling.v1.HorizontalPodAutoscaler: spec
autoscaling.v2.HorizontalPodAutoscaler: spec
batch.v1.CronJob: spec
core.v1.ContainerRestartRule: action
core.v1.ContainerRestartRuleOnExitCodes: operator
core.v1.ImageVolumeStatus: imageRef
core.v1.PodCertificateProjection: keyType signerName
`

// optionalText are the fields that may be missing though they have no omitempty.
const optionalText = `
apps.v1.ControllerRevision: revision
apps.v1.DaemonSetCondition: status type
apps.v1.DeploymentCondition: status type
apps.v1.ReplicaSetCondition: status type
apps.v1.StatefulSetCondition: status type
apps.v1.StatefulSetOrdinals: start
apps.v1.StatefulSetSpec: serviceName
apps.v1.StatefulSetStatus: availableReplicas
autoscaling.v2.HorizontalPodAutoscalerStatus: currentMetrics
batch.v1.PodFailurePolicyOnPodConditionsPattern: status
core.v1.AzureFilePersistentVolumeSource: secretNamespace
core.v1.ContainerImage: names
core.v1.Event: reportingComponent reportingInstance
core.v1.GRPCAction: service
core.v1.NodeRuntimeHandler: name
core.v1.ProjectedVolumeSource: sources
core.v1.TypedLocalObjectReference: apiGroup
core.v1.TypedObjectReference: apiGroup
discovery.v1.EndpointSlice: endpoints ports
networking.v1.IngressClassParametersReference: scope
networking.v1.NetworkPolicySpec: podSelector
policy.v1.PodDisruptionBudgetStatus: currentHealthy desiredHealthy disruptionsAllowed expectedPods
rbac.v1.ClusterRole: rules
rbac.v1.Role: rules
rbac.v1.RoleRef: apiGroup
scheduling.v1.PriorityClass: value
`

// defaultText are the defaults that comments state (+default), as JSON.
const defaultText = `
autoscaling.v1.ScaleSpec: replicas=0
core.v1.AzureDiskVolumeSource: cachingMode="ReadWrite" fsType="ext4" kind="Shared" readOnly=false
core.v1.ConfigMapEnvSource: name=""
core.v1.ConfigMapKeySelector: name=""
core.v1.ConfigMapProjection: name=""
core.v1.ConfigMapVolumeSource: name=""
core.v1.ContainerPort: protocol="TCP"
core.v1.FileKeySelector: optional=false
core.v1.GRPCAction: service=""
core.v1.ISCSIPersistentVolumeSource: iscsiInterface="default"
core.v1.ISCSIVolumeSource: iscsiInterface="default"
core.v1.LocalObjectReference: name=""
core.v1.RBDPersistentVolumeSource: keyring="/etc/ceph/keyring" pool="rbd" user="admin"
core.v1.RBDVolumeSource: keyring="/etc/ceph/keyring" pool="rbd" user="admin"
core.v1.ScaleIOPersistentVolumeSource: fsType="xfs" storageMode="ThinProvisioned"
core.v1.ScaleIOVolumeSource: fsType="xfs" storageMode="ThinProvisioned"
core.v1.SecretEnvSource: name=""
core.v1.SecretKeySelector: name=""
core.v1.SecretProjection: name=""
core.v1.ServicePort: protocol="TCP"
`

// shortName is a model's name in the tables.
func shortName(model string) string {
	short := strings.TrimPrefix(model, "io.k8s.api.")
	return strings.TrimPrefix(short, "io.k8s.apimachinery.pkg.apis.")
}

// fieldTable reads "model: field=value …" into values by "model field".
func fieldTable(text string) map[string]string {
	table := map[string]string{}
	for line := range strings.Lines(text) {
		model, fields, _ := strings.Cut(strings.TrimSpace(line), ": ")
		for f := range strings.FieldsSeq(fields) {
			name, value, _ := strings.Cut(f, "=")
			table[model+" "+name] = value
		}
	}
	return table
}

var (
	mergeRules     = sync.OnceValue(func() map[string]string { return fieldTable(mergeText) })
	requiredFields = sync.OnceValue(func() map[string]string { return fieldTable(requiredText) })
	optionalFields = sync.OnceValue(func() map[string]string { return fieldTable(optionalText) })
	statedDefaults = sync.OnceValue(func() map[string]string { return fieldTable(defaultText) })
	atomicModels   = sync.OnceValue(func() map[string]bool {
		atomic := map[string]bool{}
		for model := range strings.FieldsSeq(atomicText) {
			atomic[model] = true
		}
		return atomic
	})
)

// needed says whether a field is required: as long as it has no omitempty, but
// for those whose comments say otherwise.
func needed(model, field string, optional bool) bool {
	key := shortName(model) + " " + field
	if _, ok := requiredFields()[key]; ok {
		return true
	}
	_, ok := optionalFields()[key]
	return !optional && !ok
}

// statedDefault is a default that the comment of a field states.
func statedDefault(model, field string) (value any, ok bool) {
	text, ok := statedDefaults()[shortName(model)+" "+field]
	if !ok {
		return nil, false
	}
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		return nil, false
	}
	return value, true
}

// addMergeRule says how a field merges: atomic, set, map(keys), or map-atomic.
func addMergeRule(s *spec.Schema, model, field string) {
	rule, keys, _ := strings.Cut(strings.TrimSuffix(mergeRules()[shortName(model)+" "+field], ")"), "(")
	switch rule {
	case "":
		return
	case "map-atomic":
		s.AddExtension("x-kubernetes-map-type", "atomic")
		return
	case "map":
		var all []any
		for _, k := range strings.Split(keys, ",") {
			all = append(all, k)
		}
		s.AddExtension("x-kubernetes-list-map-keys", all)
	}
	s.AddExtension("x-kubernetes-list-type", rule)
}
