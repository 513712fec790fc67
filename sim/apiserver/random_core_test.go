package apiserver

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
)

// richKinds have something nearly everywhere, for random changes to spoil.
var richKinds = []struct{ kind, manifest string }{
	{"Service", `{metadata: {name: s}, spec: {type: LoadBalancer, clusterIP: 10.96.4.4, clusterIPs: [10.96.4.4], ipFamilies: [IPv4], ipFamilyPolicy: SingleStack,
		selector: {app: web}, externalIPs: [1.2.3.4], loadBalancerSourceRanges: [10.0.0.0/8], loadBalancerClass: a.b/c, externalTrafficPolicy: Local,
		healthCheckNodePort: 30999, sessionAffinity: ClientIP, sessionAffinityConfig: {clientIP: {timeoutSeconds: 10}}, trafficDistribution: PreferClose,
		ports: [{name: a, port: 80, targetPort: http, nodePort: 30080, appProtocol: http}, {name: b, port: 53, protocol: UDP}]},
		status: {loadBalancer: {ingress: [{ip: 9.9.9.9, ipMode: VIP}, {hostname: a.b}]}}}`},
	{"Endpoints", `{metadata: {name: e}, subsets: [{addresses: [{ip: 1.1.1.1, hostname: a, nodeName: b}], notReadyAddresses: [{ip: 1.1.1.2}], ports: [{name: a, port: 80}]}]}`},
	{"EndpointSlice", `{metadata: {name: e}, addressType: IPv4, ports: [{name: a, port: 80, appProtocol: http}],
		endpoints: [{addresses: [1.1.1.1], hostname: a, nodeName: b, hints: {forZones: [{name: z}], forNodes: [{name: b}]}}]}`},
	{"Node", `{metadata: {name: node-1, labels: {node-role.kubernetes.io/a: ""}}, spec: {podCIDRs: [10.0.0.0/24], providerID: p, taints: [{key: a, value: b, effect: NoSchedule}]},
		status: {capacity: {cpu: 4, pods: 110, example.com/gpu: 1}, conditions: [{type: Ready, status: "True"}], addresses: [{type: InternalIP, address: 1.1.1.1}]}}`},
	{"Namespace", `{metadata: {name: team}, spec: {finalizers: [kubernetes, a.b/c]}}`},
	{"ConfigMap", `{metadata: {name: c}, immutable: true, data: {a: b}, binaryData: {c: eA==}}`},
	{"Secret", `{metadata: {name: s}, type: kubernetes.io/tls, immutable: true, data: {a: eA==}, stringData: {b: c}}`},
	{"ServiceAccount", `{metadata: {name: s}, secrets: [{name: a, namespace: b}], imagePullSecrets: [{name: c}]}`},
	{"Event", `{metadata: {name: e}, involvedObject: {kind: Pod, namespace: default, name: web}, reason: a, message: b, type: Normal, count: 2,
		eventTime: "2026-01-01T11:59:00.000000Z", reportingComponent: a/b, reportingInstance: c, action: d, series: {count: 3}}`},
	{"Lease", `{metadata: {name: l}, spec: {holderIdentity: a, leaseDurationSeconds: 15, leaseTransitions: 1, strategy: OldestEmulationVersion, preferredHolder: b}}`},
	{"PriorityClass", `{metadata: {name: p}, value: 10, globalDefault: true, preemptionPolicy: Never}`},
	{"PersistentVolumeClaim", `{metadata: {name: c}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}, storageClassName: standard, volumeName: v,
		volumeMode: Block, selector: {matchLabels: {a: b}}, dataSource: {kind: PersistentVolumeClaim, name: d}, dataSourceRef: {kind: PersistentVolumeClaim, name: d, namespace: n},
		volumeAttributesClassName: fast}, status: {phase: Bound, capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce], allocatedResources: {storage: 1Gi},
		allocatedResourceStatuses: {storage: NodeResizePending}, currentVolumeAttributesClassName: slow}}`},
	{"PersistentVolume", `{metadata: {name: v}, spec: {capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce], csi: {driver: a.b, volumeHandle: h, nodePublishSecretRef: {name: a, namespace: b}},
		persistentVolumeReclaimPolicy: Retain, storageClassName: standard, volumeMode: Filesystem, claimRef: {namespace: default, name: c, uid: u},
		nodeAffinity: {required: {nodeSelectorTerms: [{matchExpressions: [{key: zone, operator: In, values: [a]}]}]}}, volumeAttributesClassName: fast}, status: {phase: Bound}}`},
	{"ResourceQuota", `{metadata: {name: q}, spec: {hard: {pods: 2, requests.cpu: 1, count/configmaps: 2, limits.memory: 1Gi}, scopes: [NotBestEffort],
		scopeSelector: {matchExpressions: [{scopeName: PriorityClass, operator: In, values: [high]}]}}, status: {hard: {pods: 2}, used: {pods: 1}}}`},
	{"LimitRange", `{metadata: {name: l}, spec: {limits: [{type: Container, default: {cpu: 500m}, defaultRequest: {cpu: 250m}, min: {cpu: 100m}, max: {cpu: 1}, maxLimitRequestRatio: {cpu: 4}},
		{type: PersistentVolumeClaim, max: {storage: 1Gi}}, {type: Pod, max: {cpu: 2}}]}}`},
	{"NetworkPolicy", `{metadata: {name: p}, spec: {podSelector: {matchLabels: {a: b}}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}}, {podSelector: {}}], ports: [{port: 80, endPort: 90}, {port: http}]}],
		egress: [{to: [{namespaceSelector: {}}]}], policyTypes: [Ingress, Egress]}}`},
	{"Ingress", `{metadata: {name: i}, spec: {ingressClassName: x, defaultBackend: {service: {name: s, port: {number: 80}}}, tls: [{hosts: [a.b], secretName: s}],
		rules: [{host: a.b, http: {paths: [{path: /x, pathType: Prefix, backend: {service: {name: s, port: {name: http}}}}]}}]}, status: {loadBalancer: {ingress: [{ip: 1.1.1.1}]}}}`},
	{"IngressClass", `{metadata: {name: c}, spec: {controller: a.b/c, parameters: {kind: K, name: n}}}`},
	{"RuntimeClass", `{metadata: {name: c}, handler: h, overhead: {podFixed: {cpu: 100m}}, scheduling: {nodeSelector: {a: b}, tolerations: [{key: k, operator: Exists}]}}`},
	{"Role", `{metadata: {name: r}, rules: [{verbs: [get], apiGroups: [""], resources: [pods], resourceNames: [a]}]}`},
	{"ClusterRole", `{metadata: {name: r}, rules: [{verbs: [get], nonResourceURLs: [/x]}], aggregationRule: {clusterRoleSelectors: [{matchLabels: {a: b}}]}}`},
	{"RoleBinding", `{metadata: {name: b}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: r}, subjects: [{kind: ServiceAccount, name: a, namespace: n}, {kind: User, name: u}]}`},
	{"ClusterRoleBinding", `{metadata: {name: b}, roleRef: {kind: ClusterRole, name: r}, subjects: [{kind: Group, name: g}]}`},
	{"StorageClass", `{metadata: {name: s, annotations: {storageclass.kubernetes.io/is-default-class: "true"}}, provisioner: a.b/c, parameters: {a: b}, reclaimPolicy: Retain,
		volumeBindingMode: WaitForFirstConsumer, allowVolumeExpansion: true, mountOptions: [ro], allowedTopologies: [{matchLabelExpressions: [{key: zone, values: [a, b]}]}]}`},
}

// FuzzCoreKinds: whatever an object holds, no rule of its row panics, and none
// says something else when asked twice.
func FuzzCoreKinds(f *testing.F) {
	for seed := range uint64(40) {
		f.Add(seed, uint8(seed%9))
	}
	f.Fuzz(func(t *testing.T, seed uint64, changes uint8) {
		rng := rand.New(rand.NewPCG(seed, 2))
		for _, k := range richKinds {
			o, old := manifest(t, k.kind, k.manifest), manifest(t, k.kind, k.manifest)
			for range changes % 64 {
				spoil(rng, o)
			}
			for range changes % 7 {
				spoil(rng, old)
			}
			tryEveryRule(t, rowNamed(t, k.kind), o, old)
		}
	})
}

// spoil changes one thing of an object, but for its metadata.
func spoil(rng *rand.Rand, o Object) {
	v := reflect.ValueOf(o).Elem()
	if f := v.Field(rng.IntN(v.NumField())); f.Type().Name() != "ObjectMeta" {
		mutate(rng, f)
	}
}

func tryEveryRule(t *testing.T, r *Resource, o, old Object) {
	one := func(f func(Object)) {
		if f != nil {
			f(o)
		}
	}
	two := func(f func(new, old Object)) {
		if f != nil {
			f(o, copyOf(old))
		}
	}
	r.Default(o)
	r.Default(old)
	once := copyOf(o)
	r.Default(o)
	if !equality.Semantic.DeepEqual(once, o) {
		t.Errorf("%s: defaulting twice changes the object\n%v\n%v", r.Kind, once, o)
	}
	if r.Validate != nil {
		first, again := r.Validate(o).ToAggregate(), r.Validate(o).ToAggregate()
		if fmt.Sprint(first) != fmt.Sprint(again) {
			t.Errorf("%s: validation says %v, then %v", r.Kind, first, again)
		}
	}
	if r.ValidateUpdate != nil {
		r.ValidateUpdate(o, old)
	}
	if r.ValidateStatus != nil {
		r.ValidateStatus(o, old)
	}
	if r.Fields != nil {
		r.Fields(o)
	}
	if got := len(r.Cells(o, monday)); got != len(r.Columns) {
		t.Errorf("%s: %d cells for %d columns", r.Kind, got, len(r.Columns))
	}
	if s, ok := o.(*v1.Service); ok {
		tryAllocation(t, s, old.(*v1.Service))
	}
	two(r.PrepareForUpdate)
	two(r.PrepareForStatusUpdate)
	one(r.PrepareForCreate)
}

// tryAllocation: a service that was given its numbers is given no others for the asking again.
func tryAllocation(t *testing.T, s, old *v1.Service) {
	rng := rand.New(rand.NewPCG(3, 4))
	if errs := allocateService(s, nil, slices.Values([]*v1.Service{old}), rng.IntN); len(errs) > 0 {
		return
	}
	again := s.DeepCopy()
	if errs := allocateService(again, s, slices.Values([]*v1.Service{s}), rng.IntN); len(errs) == 0 && !equality.Semantic.DeepEqual(again, s) {
		t.Errorf("allocated again:\n%v\n%v", again.Spec, s.Spec)
	}
	allocateService(s, old, slices.Values([]*v1.Service{old}), rng.IntN)
}

// A range is used up to the last number, its upper part first.
func TestDrawUsesTheWholeRange(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	used := map[int]bool{}
	for i := range 10 {
		n, ok := draw(1, 4, 10, rng.IntN, func(n int) bool { return used[n] })
		if !ok || used[n] || n < 1 || n > 10 || i < 7 && n < 4 {
			t.Fatalf("draw %d is %d, %v", i, n, ok)
		}
		used[n] = true
	}
	if n, ok := draw(1, 4, 10, rng.IntN, func(n int) bool { return used[n] }); ok {
		t.Errorf("drew %d from an empty range", n)
	}
}

// The columns of `kubectl api-resources` of a real 1.37.2.
func TestKindsAreNamedAsTheRealOnes(t *testing.T) {
	want := []string{
		"configmaps [cm] v1 true ConfigMap",
		"endpoints [ep] v1 true Endpoints",
		"events [ev] v1 true Event",
		"limitranges [limits] v1 true LimitRange",
		"namespaces [ns] v1 false Namespace",
		"nodes [no] v1 false Node",
		"persistentvolumeclaims [pvc] v1 true PersistentVolumeClaim",
		"persistentvolumes [pv] v1 false PersistentVolume",
		"pods [po] v1 true Pod",
		"resourcequotas [quota] v1 true ResourceQuota",
		"secrets [] v1 true Secret",
		"serviceaccounts [sa] v1 true ServiceAccount",
		"services [svc] v1 true Service",
		"controllerrevisions [] apps/v1 true ControllerRevision",
		"daemonsets [ds] apps/v1 true DaemonSet",
		"deployments [deploy] apps/v1 true Deployment",
		"replicasets [rs] apps/v1 true ReplicaSet",
		"statefulsets [sts] apps/v1 true StatefulSet",
		"horizontalpodautoscalers [hpa] autoscaling/v2 true HorizontalPodAutoscaler",
		"jobs [] batch/v1 true Job",
		"cronjobs [cj] batch/v1 true CronJob",
		"leases [] coordination.k8s.io/v1 true Lease",
		"endpointslices [] discovery.k8s.io/v1 true EndpointSlice",
		"ingressclasses [] networking.k8s.io/v1 false IngressClass",
		"ingresses [ing] networking.k8s.io/v1 true Ingress",
		"networkpolicies [netpol] networking.k8s.io/v1 true NetworkPolicy",
		"runtimeclasses [] node.k8s.io/v1 false RuntimeClass",
		"poddisruptionbudgets [pdb] policy/v1 true PodDisruptionBudget",
		"clusterrolebindings [] rbac.authorization.k8s.io/v1 false ClusterRoleBinding",
		"clusterroles [] rbac.authorization.k8s.io/v1 false ClusterRole",
		"rolebindings [] rbac.authorization.k8s.io/v1 true RoleBinding",
		"roles [] rbac.authorization.k8s.io/v1 true Role",
		"priorityclasses [pc] scheduling.k8s.io/v1 false PriorityClass",
		"storageclasses [sc] storage.k8s.io/v1 false StorageClass",
	}
	var got []string
	for _, r := range kinds() {
		got = append(got, fmt.Sprintln(r.Resource, r.ShortNames, r.GroupVersion(), r.Namespaced, r.Kind))
	}
	for i, w := range want {
		if i >= len(got) || got[i] != w+"\n" {
			t.Errorf("row %d is not %s", i, w)
		}
	}
}
