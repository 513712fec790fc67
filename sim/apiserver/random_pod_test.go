package apiserver

import (
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/yaml"
)

// monday is when the tests are.
var monday = time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)

// richPod has something nearly everywhere, so that a random change has
// something to spoil.
const richPod = `
apiVersion: v1
kind: Pod
metadata: {name: rich, namespace: default, labels: {app: web, tier: front}}
spec:
  serviceAccountName: default
  terminationGracePeriodSeconds: 20
  activeDeadlineSeconds: 100
  nodeSelector: {disk: ssd}
  hostAliases: [{ip: 10.1.2.3, hostnames: [a.example]}]
  imagePullSecrets: [{name: s}]
  readinessGates: [{conditionType: example.com/ready}]
  schedulingGates: [{name: example.com/wait}]
  priorityClassName: high
  dnsConfig: {nameservers: [10.0.0.10], searches: [a.b], options: [{name: ndots, value: "2"}]}
  securityContext: {runAsUser: 1000, fsGroup: 2000, supplementalGroups: [1], sysctls: [{name: net.core.somaxconn, value: "1"}], seccompProfile: {type: RuntimeDefault}}
  tolerations: [{key: a, operator: Exists, effect: NoExecute, tolerationSeconds: 3}, {key: b, value: c}]
  topologySpreadConstraints:
  - {maxSkew: 1, topologyKey: zone, whenUnsatisfiable: DoNotSchedule, labelSelector: {matchLabels: {app: web}}, minDomains: 2, matchLabelKeys: [tier]}
  affinity:
    nodeAffinity:
      requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: a, operator: In, values: [b]}], matchFields: [{key: metadata.name, operator: In, values: [n]}]}]}
      preferredDuringSchedulingIgnoredDuringExecution: [{weight: 5, preference: {matchExpressions: [{key: a, operator: Exists}]}}]
    podAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: zone, labelSelector: {matchLabels: {a: b}}, namespaces: [x]}]}
    podAntiAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 1, podAffinityTerm: {topologyKey: zone, labelSelector: {matchExpressions: [{key: a, operator: NotIn, values: [b]}]}, mismatchLabelKeys: [app]}}]}
  resources: {requests: {cpu: "3", memory: 3Gi}}
  resourceClaims: [{name: gpu, resourceClaimName: g}]
  volumes:
  - {name: cm, configMap: {name: c, items: [{key: k, path: p, mode: 0644}]}}
  - {name: sec, secret: {secretName: s, items: [{key: k, path: q}]}}
  - {name: tmp, emptyDir: {sizeLimit: 1Gi, medium: Memory}}
  - {name: host, hostPath: {path: /var, type: Directory}}
  - {name: claim, persistentVolumeClaim: {claimName: x}}
  - {name: down, downwardAPI: {items: [{path: labels, fieldRef: {fieldPath: metadata.labels}}, {path: cpu, resourceFieldRef: {containerName: web, resource: limits.cpu, divisor: 1m}}]}}
  - {name: all, projected: {sources: [{serviceAccountToken: {path: token}}, {configMap: {name: c, items: [{key: k, path: cm}]}}, {downwardAPI: {items: [{path: ns, fieldRef: {fieldPath: metadata.namespace}}]}}, {secret: {name: s}}]}}
  - {name: own, ephemeral: {volumeClaimTemplate: {spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}}}
  - {name: net, nfs: {server: s, path: /p}}
  - {name: im, image: {reference: "nginx:1"}}
  initContainers:
  - {name: first, image: busybox, command: [sh], env: [{name: A, value: b}], resources: {limits: {cpu: 100m}}}
  - {name: sidecar, image: "envoy:v1", restartPolicy: Always, ports: [{containerPort: 15001, name: proxy}], startupProbe: {tcpSocket: {port: 15001}}}
  containers:
  - name: web
    image: nginx
    ports: [{containerPort: 80, name: http}, {containerPort: 443, hostPort: 8443, protocol: TCP}]
    env:
    - {name: NODE, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}
    - {name: APP, valueFrom: {fieldRef: {fieldPath: "metadata.labels['app']"}}}
    - {name: CM, valueFrom: {configMapKeyRef: {name: c, key: k}}}
    - {name: S, valueFrom: {secretKeyRef: {name: s, key: k, optional: true}}}
    - {name: CPU, valueFrom: {resourceFieldRef: {resource: requests.cpu}}}
    - {name: F, valueFrom: {fileKeyRef: {volumeName: tmp, path: env, key: K}}}
    envFrom: [{configMapRef: {name: c}, prefix: P_}, {secretRef: {name: s}}]
    resources: {requests: {cpu: 100m, memory: 64Mi, hugepages-2Mi: 4Mi, example.com/gpu: "1"}, limits: {cpu: 200m, memory: 128Mi, hugepages-2Mi: 4Mi, example.com/gpu: "1"}, claims: [{name: gpu}]}
    resizePolicy: [{resourceName: cpu, restartPolicy: NotRequired}]
    volumeMounts: [{name: cm, mountPath: /etc/c, subPath: x}, {name: tmp, mountPath: /tmp, readOnly: true, recursiveReadOnly: IfPossible}]
    volumeDevices: [{name: claim, devicePath: /dev/x}]
    livenessProbe: {httpGet: {path: /, port: http, httpHeaders: [{name: X-A, value: b}]}, initialDelaySeconds: 3, terminationGracePeriodSeconds: 5}
    readinessProbe: {exec: {command: ["true"]}, successThreshold: 2}
    startupProbe: {grpc: {port: 9000}}
    lifecycle: {preStop: {sleep: {seconds: 5}}, postStart: {exec: {command: [a]}}}
    securityContext: {allowPrivilegeEscalation: false, capabilities: {add: [NET_ADMIN]}, appArmorProfile: {type: RuntimeDefault}, procMount: Default}
  - name: batch
    image: "job:1.0"
    restartPolicy: OnFailure
    restartPolicyRules: [{action: Restart, exitCodes: {operator: In, values: [42]}}]
    resources: {limits: {memory: 1Gi}}
`

func podFrom(t testing.TB, manifest string) *v1.Pod {
	t.Helper()
	pod := &v1.Pod{}
	if err := yaml.UnmarshalStrict([]byte(manifest), pod); err != nil {
		t.Fatal(err)
	}
	return pod
}

// odd are the values that a mutator puts in: good, bad and ugly.
var odd = struct {
	strings    []string
	ints       []int64
	quantities []string
}{
	[]string{"", "a", "web", "BAD_Name", "a b", " a", "..", "../x", "/abs", "..x", "x.y/z", "-dash-", "Always", "Never", "In", "Exists",
		"Gt", "NoSchedule", "http", "too-long-name-of-a-port", "1.2.3.4", "010.1.2.3", "::1", "metadata.name", "metadata.labels['a b']",
		"spec.host", "status.phase", "nothing.here", "limits.memory", "requests.hugepages-2Mi", "latest", "kernel.shmall", "Localhost",
		"hugepages-2Mi", "gpu", "requests.nvidia.com/gpu", "example.com/gpu", "cpu", "memory", "pods", "tier", "app", "é"},
	[]int64{-1, 0, 1, 2, 5, 80, 99, 101, 777, 65535, 65536, 1 << 31, -5},
	[]string{"0", "1", "-1", "500m", "1.5", "1Gi", "3Mi", "2Mi", "100m"},
}

// mutate changes one thing somewhere below v.
func mutate(rng *rand.Rand, v reflect.Value) {
	switch x := v.Addr().Interface().(type) {
	case *resource.Quantity:
		*x = resource.MustParse(odd.quantities[rng.IntN(len(odd.quantities))])
		return
	case *metav1.Time, *metav1.TypeMeta, *metav1.FieldsV1:
		return
	case *intstr.IntOrString:
		*x = intstr.FromInt32(int32(odd.ints[rng.IntN(len(odd.ints))]))
		if rng.IntN(2) == 0 {
			*x = intstr.FromString(odd.strings[rng.IntN(len(odd.strings))])
		}
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(odd.strings[rng.IntN(len(odd.strings))])
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Int32, reflect.Int64, reflect.Int:
		n := odd.ints[rng.IntN(len(odd.ints))]
		if v.OverflowInt(n) {
			n = -1
		}
		v.SetInt(n)
	case reflect.Pointer:
		switch {
		case v.IsNil():
			v.Set(reflect.New(v.Type().Elem()))
			if rng.IntN(2) == 0 {
				mutate(rng, v.Elem())
			}
		case rng.IntN(5) == 0:
			v.SetZero()
		default:
			mutate(rng, v.Elem())
		}
	case reflect.Slice:
		mutateSlice(rng, v)
	case reflect.Map:
		mutateMap(rng, v)
	case reflect.Struct:
		mutateStruct(rng, v)
	}
}

// mutateStruct prefers what is there.
func mutateStruct(rng *rand.Rand, v reflect.Value) {
	for range 3 {
		f := v.Field(rng.IntN(v.NumField()))
		if f.CanSet() && (!f.IsZero() || rng.IntN(4) == 0) {
			mutate(rng, f)
			return
		}
	}
}

func mutateSlice(rng *rand.Rand, v reflect.Value) {
	if v.Type().Elem().Kind() == reflect.Uint8 {
		return
	}
	n := v.Len()
	switch {
	case n == 0 || rng.IntN(8) == 0:
		v.Set(reflect.Append(v, reflect.Zero(v.Type().Elem())))
		if rng.IntN(2) == 0 {
			mutate(rng, v.Index(n))
		}
	case rng.IntN(8) == 0:
		v.Set(reflect.Append(v, v.Index(rng.IntN(n))))
	case rng.IntN(12) == 0:
		i := rng.IntN(n)
		v.Set(reflect.AppendSlice(v.Slice(0, i), v.Slice(i+1, n)))
	default:
		mutate(rng, v.Index(rng.IntN(n)))
	}
}

func mutateMap(rng *rand.Rand, v reflect.Value) {
	if v.IsNil() {
		v.Set(reflect.MakeMap(v.Type()))
	}
	key := reflect.New(v.Type().Key()).Elem()
	value := reflect.New(v.Type().Elem()).Elem()
	mutate(rng, key)
	if keys := v.MapKeys(); len(keys) > 0 && rng.IntN(2) == 0 {
		key = keys[0]
		for _, k := range keys { // the least, not whichever comes first
			if k.String() < key.String() {
				key = k
			}
		}
	}
	mutate(rng, value)
	v.SetMapIndex(key, value)
}

// randomPod is the rich pod with n random changes.
func randomPod(t testing.TB, rng *rand.Rand, n int) *v1.Pod {
	pod := podFrom(t, richPod)
	for range n {
		mutate(rng, reflect.ValueOf(&pod.Spec).Elem())
	}
	return pod
}

// templated is a Deployment of a pod, and a ReplicaSet.
func templated(pod *v1.Pod) (*appsv1.Deployment, *appsv1.ReplicaSet) {
	meta := metav1.ObjectMeta{Name: "web", Namespace: "default"}
	selector := &metav1.LabelSelector{MatchLabels: map[string]string{"app": "web"}}
	template := v1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: pod.Labels}, Spec: *pod.Spec.DeepCopy()}
	template.Spec.ActiveDeadlineSeconds = nil
	return &appsv1.Deployment{
			TypeMeta: metav1.TypeMeta{APIVersion: "apps/v1", Kind: "Deployment"}, ObjectMeta: meta,
			Spec: appsv1.DeploymentSpec{Selector: selector, Template: template},
		}, &appsv1.ReplicaSet{
			TypeMeta: metav1.TypeMeta{APIVersion: "apps/v1", Kind: "ReplicaSet"}, ObjectMeta: meta,
			Spec: appsv1.ReplicaSetSpec{Selector: selector, Template: *template.DeepCopy()},
		}
}

// FuzzPods: whatever a pod holds, the row neither panics nor, asked twice, says something else.
func FuzzPods(f *testing.F) {
	for seed := range uint64(40) {
		f.Add(seed, uint8(seed%9))
	}
	pods, deployments, replicaSets := podResource(), deploymentResource(), replicaSetResource()
	f.Fuzz(func(t *testing.T, seed uint64, changes uint8) {
		rng := rand.New(rand.NewPCG(seed, 1))
		pod, old := randomPod(t, rng, int(changes%64)), randomPod(t, rng, int(changes%7))
		d, rs := templated(pod)
		oldD, oldRS := templated(old)
		tryRow(t, pods, pod, old)
		tryRow(t, deployments, d, oldD)
		tryRow(t, replicaSets, rs, oldRS)
	})
}

func tryRow(t *testing.T, r Resource, o, old Object) {
	// Not defaulted, as a careless component may send it.
	r.Validate(o)
	r.ValidateUpdate(o, old)
	r.Default(o)
	r.Default(old)
	once := o.DeepCopyObject()
	r.Default(o)
	if !equality.Semantic.DeepEqual(once, o) {
		t.Errorf("%s: defaulting twice changes the object", r.Kind)
	}
	first := r.Validate(o).ToAggregate()
	second := r.Validate(o).ToAggregate()
	if (first == nil) != (second == nil) || first != nil && first.Error() != second.Error() {
		t.Errorf("%s: validation says %v, then %v", r.Kind, first, second)
	}
	r.ValidateUpdate(o, old)
	r.ValidateStatus(o, old)
	if got, want := len(r.Cells(o, monday)), len(r.Columns); got != want {
		t.Errorf("%s: %d cells for %d columns", r.Kind, got, want)
	}
	r.PrepareForUpdate(o, old)
	r.PrepareForStatusUpdate(o, old)
	r.PrepareForCreate(o)
	r.Validate(o)
}
