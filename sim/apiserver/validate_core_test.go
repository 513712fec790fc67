package apiserver

import (
	"fmt"
	"strings"
	"testing"

	v1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// rowNamed finds a row of the table by its kind.
func rowNamed(t *testing.T, kind string) *Resource {
	t.Helper()
	for _, r := range kinds() {
		if r.Kind == kind {
			return &r
		}
	}
	t.Fatalf("no kind %s", kind)
	return nil
}

// manifest decodes YAML (flow style, one line) into an object of a kind.
func manifest(t *testing.T, kind, text string) Object {
	t.Helper()
	o := rowNamed(t, kind).New()
	if err := yaml.UnmarshalStrict([]byte(text), o); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	if rowNamed(t, kind).Namespaced && o.GetNamespace() == "" {
		o.SetNamespace("default")
	}
	return o
}

// What a real 1.37.2 answers, recorded or read in its source.
func TestCoreKindsRefuse(t *testing.T) {
	for _, c := range []struct{ kind, given, want string }{
		{"StatefulSet", "{metadata: {name: s}, spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: i}]}}, volumeClaimTemplates: [{metadata: {name: data}}]}}",
			"[spec.volumeClaimTemplates[0].spec.accessModes: Required value: at least 1 access mode is required, spec.volumeClaimTemplates[0].spec.resources[storage]: Required value]"},
		{"Service", "{metadata: {name: s}, spec: {selector: {app: a}, ports: [{port: 0}]}}",
			"[spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive, spec.ports[0].targetPort: Invalid value: 0: must be between 1 and 65535, inclusive]"},
		{"Service", "{metadata: {name: s}, spec: {selector: {app: a}, ports: [{port: 80}, {port: 443}]}}",
			"[spec.ports[0].name: Required value, spec.ports[1].name: Required value]"},
		{"Service", "{metadata: {name: s}, spec: {type: NodePort, selector: {app: a}, ports: [{port: 80, nodePort: 80}]}}",
			"spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range. The range of valid ports is 30000-32767"},
		{"Service", "{metadata: {name: s}, spec: {type: Magic, ports: [{port: 80}]}}",
			`spec.type: Unsupported value: "Magic": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"`},
		{"Service", "{metadata: {name: s}, spec: {selector: {app: a}}}", "spec.ports: Required value"},
		{"Service", "{metadata: {name: 1web}, spec: {ports: [{port: 80}]}}", ""},
		{"Service", "{metadata: {name: web}, spec: {clusterIP: None}}", ""},
		{"Service", "{metadata: {name: Web}, spec: {ports: [{port: 80}]}}",
			`metadata.name: Invalid value: "Web": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')`},
		{"Service", "{metadata: {name: s}, spec: {ports: [{port: 80, nodePort: 30080}]}}",
			"spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"},
		{"Service", "{metadata: {name: s}, spec: {ports: [{name: a, port: 80}, {name: b, port: 80}]}}",
			`spec.ports[1]: Duplicate value: {"Name":"","Protocol":"TCP","AppProtocol":null,"Port":80,"TargetPort":0,"NodePort":0}`},
		{"Service", "{metadata: {name: s}, spec: {type: ExternalName}}", "spec.externalName: Required value"},
		{"Service", "{metadata: {name: s}, spec: {clusterIP: 10.1.2.3, ports: [{port: 80}]}}",
			`spec.clusterIPs: Invalid value: ["10.1.2.3"]: failed to allocate IP 10.1.2.3: the provided network does not match the current range`},
		{"Service", "{metadata: {name: s}, spec: {clusterIP: 10.96.0.0, ports: [{port: 80}]}}",
			`spec.clusterIPs: Invalid value: ["10.96.0.0"]: failed to allocate IP 10.96.0.0: the provided IP (10.96.0.0) is not in the valid range. The range of valid IPs is 10.96.0.0/16`},
		{"Service", "{metadata: {name: s}, spec: {ipFamilyPolicy: RequireDualStack, ports: [{port: 80}]}}",
			`spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services`},
		{"Service", "{metadata: {name: s}, spec: {type: NodePort, clusterIP: None, ports: [{port: 80}]}}",
			`spec.clusterIPs[0]: Invalid value: "None": may not be set to 'None' for NodePort services`},
		{"Service", "{metadata: {name: s}, spec: {sessionAffinity: Cookie, ports: [{port: 80}]}}",
			`spec.sessionAffinity: Unsupported value: "Cookie": supported values: "ClientIP", "None"`},
		{"Namespace", "{metadata: {name: Team}}",
			`metadata.name: Invalid value: "Team": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')`},
		{"ConfigMap", "{metadata: {name: c}, data: {b/d: x, a: y}}",
			`data[b/d]: Invalid value: "b/d": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')`},
		{"ConfigMap", "{metadata: {name: c}, data: {a: y}, binaryData: {a: eQ==}}",
			`data[a]: Invalid value: "a": duplicate of key present in binaryData`},
		{"Secret", "{metadata: {name: s}, type: kubernetes.io/tls}", "[data[tls.crt]: Required value, data[tls.key]: Required value]"},
		{"Secret", "{metadata: {name: s}, type: kubernetes.io/dockerconfigjson, stringData: {.dockerconfigjson: nope}}",
			`data[.dockerconfigjson]: Invalid value: "<secret contents redacted>": invalid character 'o' in literal null (expecting 'u')`},
		{"Node", "{metadata: {name: node-1}, spec: {taints: [{key: a b, effect: Never}]}}",
			`[metadata.taints[0].key: Invalid value: "a b": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]'), metadata.taints[0].effect: Unsupported value: "Never": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"]`},
		{"Node", "{metadata: {name: node-1}, status: {capacity: {pods: 1500m}}}",
			`[status.capacity.pods: Invalid value: "1500m": must be an integer, status.allocatable.pods: Invalid value: "1500m": must be an integer]`},
		{"PriorityClass", "{metadata: {name: big}, value: 2000000000}",
			"value: Forbidden: maximum allowed value of a user defined priority is 1000000000"},
		{"PriorityClass", "{metadata: {name: system-mine}, value: 1}",
			"metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error: system-mine is not a known system priority class"},
		{"Lease", "{metadata: {name: l}, spec: {leaseDurationSeconds: 0}}",
			"spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0"},
		{"Event", "{metadata: {name: e}, involvedObject: {namespace: other}}",
			`involvedObject.namespace: Invalid value: "other": does not match event.namespace`},
		{"EndpointSlice", "{metadata: {name: e}, endpoints: []}", "addressType: Required value"},
		{"EndpointSlice", "{metadata: {name: e}, addressType: IPv4, endpoints: [{addresses: [127.0.0.1]}, {addresses: []}], ports: [{port: 1}, {port: 2}]}",
			`[ports[1].name: Duplicate value: "", endpoints[0].addresses[0]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128), endpoints[1].addresses: Required value]`},
		{"Endpoints", "{metadata: {name: e}, subsets: [{ports: [{port: 80}]}]}",
			"subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`"},
		{"ServiceAccount", "{metadata: {name: a_b}}",
			`metadata.name: Invalid value: "a_b": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')`},
	} {
		w := newWorld(t, Limits{})
		_, err := w.admin().Create(manifest(t, c.kind, c.given))
		got := ""
		if err != nil {
			_, got, _ = strings.Cut(err.Error(), "is invalid: ")
		}
		if got != c.want {
			t.Errorf("%s %s\n got %s\nwant %s\n(%v)", c.kind, c.given, got, c.want, err)
		}
	}
}

func TestCoreKindsRefuseChanges(t *testing.T) {
	for _, c := range []struct{ kind, before, after, want string }{
		{"Service", "{metadata: {name: s}, spec: {ports: [{port: 80}]}}", "{metadata: {name: s}, spec: {clusterIP: 10.96.3.3, ports: [{port: 80}]}}",
			`spec.clusterIPs[0]: Invalid value: ["10.96.3.3"]: may not change once set`},
		{"Service", "{metadata: {name: s}, spec: {ports: [{port: 80}]}}", "{metadata: {name: s}, spec: {type: ExternalName, externalName: example.com}}", ""},
		{"ConfigMap", "{metadata: {name: c}, immutable: true, data: {a: b}}", "{metadata: {name: c}, data: {a: c}}",
			"[immutable: Forbidden: field is immutable when `immutable` is set, data: Forbidden: field is immutable when `immutable` is set]"},
		{"ConfigMap", "{metadata: {name: c}, immutable: true}", "{metadata: {name: c, labels: {a: b}}, immutable: true}", ""},
		{"Secret", "{metadata: {name: s}}", "{metadata: {name: s}, type: mine}", `type: Invalid value: "mine": field is immutable`},
		{"PriorityClass", "{metadata: {name: p}, value: 1}", "{metadata: {name: p}, value: 2}", "value: Forbidden: may not be changed in an update."},
		{"Node", "{metadata: {name: node-1}, spec: {providerID: a}}", "{metadata: {name: node-1}, spec: {providerID: b}}",
			"spec.providerID: Invalid value: null: field cannot be modified once set"},
		{"EndpointSlice", "{metadata: {name: e}, addressType: IPv4, endpoints: []}", "{metadata: {name: e}, addressType: IPv6, endpoints: []}",
			`addressType: Invalid value: "IPv6": field is immutable`},
	} {
		w := newWorld(t, Limits{})
		w.create(t, manifest(t, c.kind, c.before))
		_, err := w.admin().Update(manifest(t, c.kind, c.after))
		got := ""
		if err != nil {
			_, got, _ = strings.Cut(err.Error(), "is invalid: ")
		}
		if got != c.want {
			t.Errorf("%s %s\n got %s\nwant %s\n(%v)", c.kind, c.after, got, c.want, err)
		}
	}
}

func TestServicesGetAddresses(t *testing.T) {
	w := newWorld(t, Limits{})
	made := func(text string) *v1.Service { return w.create(t, manifest(t, "Service", text)).(*v1.Service) }

	fixed := made("{metadata: {name: kubernetes}, spec: {clusterIP: 10.96.0.1, ports: [{port: 443, targetPort: 6443}]}}")
	if got := fixed.Spec; got.ClusterIPs[0] != "10.96.0.1" || got.IPFamilies[0] != v1.IPv4Protocol || *got.IPFamilyPolicy != v1.IPFamilyPolicySingleStack {
		t.Errorf("a fixed address: %+v", got)
	}
	seen := map[string]bool{"10.96.0.1": true}
	for _, name := range []string{"a", "b", "c"} {
		ip := made("{metadata: {name: " + name + "}, spec: {ports: [{port: 80}]}}").Spec.ClusterIP
		if seen[ip] || !strings.HasPrefix(ip, "10.96.") {
			t.Errorf("%s got %s", name, ip)
		}
		seen[ip] = true
	}
	_, err := w.admin().Create(manifest(t, "Service", "{metadata: {name: d}, spec: {clusterIP: 10.96.0.1, ports: [{port: 80}]}}"))
	if err == nil || !strings.Contains(err.Error(), "failed to allocate IP 10.96.0.1: provided IP is already allocated") {
		t.Errorf("a taken address: %v", err)
	}

	dns := made("{metadata: {name: dns}, spec: {type: NodePort, ports: [{name: u, port: 53, protocol: UDP}, {name: t, port: 53}, {name: m, port: 9153}]}}")
	ports := nodePorts(dns)
	if len(ports) != 3 || ports[0] != ports[1] || ports[0] == ports[2] || ports[0] < firstDrawnPort || ports[0] > lastNodePort {
		t.Errorf("node ports %v", ports)
	}
	_, err = w.admin().Create(manifest(t, "Service",
		fmt.Sprintf("{metadata: {name: e}, spec: {type: NodePort, ports: [{port: 80, nodePort: %d}]}}", ports[2])))
	if err == nil || !strings.Contains(err.Error(), "provided port is already allocated") {
		t.Errorf("a taken node port: %v", err)
	}

	headless := made("{metadata: {name: h}, spec: {clusterIP: None}}").Spec
	if len(headless.IPFamilies) != 2 || *headless.IPFamilyPolicy != v1.IPFamilyPolicyRequireDualStack {
		t.Errorf("headless without selector: %+v", headless)
	}
	headless = made("{metadata: {name: hs}, spec: {clusterIP: None, selector: {app: a}}}").Spec
	if len(headless.IPFamilies) != 1 || *headless.IPFamilyPolicy != v1.IPFamilyPolicySingleStack {
		t.Errorf("headless with selector: %+v", headless)
	}
}

// The same manifest applied again keeps what was allocated, and a change of type
// gives back what it does not need.
func TestServiceTypeChanges(t *testing.T) {
	w := newWorld(t, Limits{})
	first := w.create(t, manifest(t, "Service", "{metadata: {name: s}, spec: {type: NodePort, ports: [{port: 80}]}}")).(*v1.Service)
	put := func(text string) *v1.Service {
		t.Helper()
		o, err := w.admin().Update(manifest(t, "Service", text))
		if err != nil {
			t.Fatal(err)
		}
		return o.(*v1.Service)
	}
	again := put("{metadata: {name: s}, spec: {type: NodePort, ports: [{port: 80}]}}")
	if again.Spec.ClusterIP != first.Spec.ClusterIP || again.Spec.Ports[0].NodePort != first.Spec.Ports[0].NodePort {
		t.Errorf("applied again: %+v", again.Spec)
	}
	balanced := put("{metadata: {name: s}, spec: {type: LoadBalancer, externalTrafficPolicy: Local, ports: [{port: 80}]}}")
	if balanced.Spec.Ports[0].NodePort != first.Spec.Ports[0].NodePort || balanced.Spec.HealthCheckNodePort == 0 || !*balanced.Spec.AllocateLoadBalancerNodePorts {
		t.Errorf("load balancer: %+v", balanced.Spec)
	}
	plain := balanced.DeepCopy()
	plain.Spec.Type = v1.ServiceTypeClusterIP
	o, err := w.admin().Update(plain)
	if err != nil {
		t.Fatal(err)
	}
	got := o.(*v1.Service).Spec
	if got.ClusterIP != first.Spec.ClusterIP || got.Ports[0].NodePort != 0 || got.HealthCheckNodePort != 0 ||
		got.ExternalTrafficPolicy != "" || got.AllocateLoadBalancerNodePorts != nil {
		t.Errorf("back to ClusterIP: %+v", got)
	}
	external := o.(*v1.Service).DeepCopy()
	external.Spec.Type, external.Spec.ExternalName = v1.ServiceTypeExternalName, "example.com"
	if o, err = w.admin().Update(external); err != nil {
		t.Fatal(err)
	}
	if got := o.(*v1.Service).Spec; got.ClusterIP != "" || got.IPFamilies != nil {
		t.Errorf("external name: %+v", got)
	}
}

func TestDefaultsOfCoreKinds(t *testing.T) {
	w := newWorld(t, Limits{})
	secret := w.create(t, manifest(t, "Secret", "{metadata: {name: s}, data: {a: eA==}, stringData: {a: b}}")).(*v1.Secret)
	if string(secret.Data["a"]) != "b" || secret.StringData != nil || secret.Type != v1.SecretTypeOpaque {
		t.Errorf("secret %+v", secret)
	}
	ns := w.create(t, manifest(t, "Namespace", "{metadata: {name: team}}")).(*v1.Namespace)
	if ns.Labels[v1.LabelMetadataName] != "team" || ns.Status.Phase != v1.NamespaceActive || ns.Spec.Finalizers[0] != v1.FinalizerKubernetes {
		t.Errorf("namespace %+v", ns)
	}
	node := w.create(t, manifest(t, "Node", "{metadata: {name: node-1}, status: {capacity: {cpu: 2, memory: 0.0001}}}")).(*v1.Node)
	if q := node.Status.Allocatable[v1.ResourceMemory]; q.String() != "1m" || len(node.Status.Allocatable) != 2 {
		t.Errorf("allocatable %v", node.Status.Allocatable)
	}
}
