package apiserver

import (
	"fmt"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// row is the cells of an object as `-o wide` prints them, two spaces apart.
func row(t *testing.T, kind, text string, now time.Time) string {
	t.Helper()
	o := manifest(t, kind, text)
	o.SetCreationTimestamp(metav1.NewTime(now.Add(-90 * time.Minute)))
	var shown []string
	for _, c := range rowNamed(t, kind).Cells(o, now) {
		shown = append(shown, fmt.Sprint(c))
	}
	return strings.Join(shown, "  ")
}

func TestCellsOfCoreKinds(t *testing.T) {
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct{ kind, given, want string }{
		{"Namespace", "{metadata: {name: team}, status: {phase: Active}}", "team  Active  90m"},
		{"Node", "{metadata: {name: node-1}}", "node-1  Unknown  <none>  90m    <none>  <none>  <unknown>  <unknown>  <unknown>"},
		{"Node", `{metadata: {name: node-1, labels: {node-role.kubernetes.io/control-plane: "", node-role.kubernetes.io/a: ""}},
			spec: {unschedulable: true},
			status: {conditions: [{type: Ready, status: "True"}], addresses: [{type: InternalIP, address: 10.0.0.1}],
			nodeInfo: {kubeletVersion: v1.37.2, osImage: Debian, kernelVersion: 6.1, architecture: amd64, containerRuntimeVersion: "containerd://2"}}}`,
			"node-1  Ready,SchedulingDisabled  a,control-plane  90m  v1.37.2  10.0.0.1  <none>  Debian  6.1 (amd64)  containerd://2"},
		{"Node", `{metadata: {name: node-1}, status: {conditions: [{type: Ready, status: Unknown}]}}`,
			"node-1  NotReady  <none>  90m    <none>  <none>  <unknown>  <unknown>  <unknown>"},
		{"Service", "{metadata: {name: s}, spec: {type: NodePort, clusterIPs: [10.96.1.1], selector: {b: c, a: b}, ports: [{port: 80, nodePort: 30749, protocol: TCP}, {port: 53, protocol: UDP}]}}",
			"s  NodePort  10.96.1.1  <none>  80:30749/TCP,53/UDP  90m  a=b,b=c"},
		{"Service", "{metadata: {name: s}, spec: {type: LoadBalancer, clusterIPs: [10.96.1.1]}}", "s  LoadBalancer  10.96.1.1  <pending>  <none>  90m  <none>"},
		{"Service", "{metadata: {name: s}, spec: {type: LoadBalancer, externalIPs: [1.2.3.4]}, status: {loadBalancer: {ingress: [{ip: 9.9.9.9}, {hostname: a.b}]}}}",
			"s  LoadBalancer  <none>  9.9.9.9,a.b,1.2.3.4  <none>  90m  <none>"},
		{"Service", "{metadata: {name: s}, spec: {type: ExternalName, externalName: example.com}}", "s  ExternalName  <none>  example.com  <none>  90m  <none>"},
		{"Endpoints", "{metadata: {name: e}}", "e  <none>  90m"},
		{"Endpoints", "{metadata: {name: e}, subsets: [{addresses: [{ip: 1.1.1.1}, {ip: 1.1.1.2}], ports: [{port: 80}, {port: 443}]}]}",
			"e  1.1.1.1:80,1.1.1.2:80,1.1.1.1:443 + 1 more...  90m"},
		{"EndpointSlice", "{metadata: {name: e}, addressType: IPv4, endpoints: []}", "e  IPv4  <unset>  <unset>  90m"},
		{"EndpointSlice", "{metadata: {name: e}, addressType: IPv4, ports: [{port: 80}, {name: x}], endpoints: [{addresses: [a]}, {addresses: [b]}, {addresses: [c]}, {addresses: [d]}]}",
			"e  IPv4  80,x  a,b,c + 1 more...  90m"},
		{"ConfigMap", "{metadata: {name: c}, data: {a: b}, binaryData: {c: eA==}}", "c  2  90m"},
		{"Secret", "{metadata: {name: s}, type: Opaque, data: {a: eA==}}", "s  Opaque  1  90m"},
		{"ServiceAccount", "{metadata: {name: s}}", "s  90m"},
		{"Lease", "{metadata: {name: l}, spec: {holderIdentity: me}}", "l  me  90m"},
		{"PriorityClass", "{metadata: {name: p}, value: 1000, preemptionPolicy: Never}", "p  1000  false  90m  Never"},
		{"Event", `{metadata: {name: e}, type: Normal, reason: Pulled, message: " hi\n", involvedObject: {kind: Pod, name: web, fieldPath: "spec.containers{c}"},
			source: {component: kubelet, host: node-1}, firstTimestamp: "2026-01-01T11:59:00Z", lastTimestamp: "2026-01-01T11:59:30Z", count: 4}`,
			"30s  Normal  Pulled  pod/web  spec.containers{c}  kubelet, node-1  hi  60s  4  e"},
		{"Event", `{metadata: {name: e}, reason: Scheduled, involvedObject: {kind: Pod}, reportingComponent: default-scheduler, eventTime: "2026-01-01T11:59:00.000000Z"}`,
			"60s    Scheduled  pod    default-scheduler    60s  1  e"},
	} {
		if got := row(t, c.kind, c.given, now); got != c.want {
			t.Errorf("%s %s\n got %q\nwant %q", c.kind, c.given, got, c.want)
		}
	}
}

func TestSelectableFieldsOfCoreKinds(t *testing.T) {
	for _, c := range []struct{ kind, given, field, want string }{
		{"Node", "{metadata: {name: node-1}, spec: {unschedulable: true}}", "spec.unschedulable", "true"},
		{"Secret", "{metadata: {name: s}, type: mine}", "type", "mine"},
		{"Namespace", "{metadata: {name: node-1}, status: {phase: Active}}", "status.phase", "Active"},
		{"Service", "{metadata: {name: s}, spec: {type: NodePort}}", "spec.type", "NodePort"},
		{"Event", "{metadata: {name: e}, involvedObject: {kind: Pod}}", "involvedObject.kind", "Pod"},
		{"Event", "{metadata: {name: e}, reportingComponent: default-scheduler}", "source", "default-scheduler"},
	} {
		if got := rowNamed(t, c.kind).Fields(manifest(t, c.kind, c.given))[c.field]; got != c.want {
			t.Errorf("%s %s: %s is %q", c.kind, c.given, c.field, got)
		}
	}
}
