package sim

//lint:file-ignore SA1019 Endpoints are deprecated, and a real API server still has its own

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"timonier/sim/apiserver"
	"timonier/sim/kubelet"
)

// serverAddress and serverPort are apiserver.Address: where the cluster's API server would be reached from its nodes.
const serverAddress, serverPort = "192.168.1.10", 6443

// bootstrap writes what every cluster has before anyone asks for anything, as the real API server and kubeadm do.
func (c *Cluster) bootstrap() error {
	objects := standing()
	for _, spec := range c.cfg.Nodes {
		objects = append(objects, kubelet.NodeObject(spec, c.Now()))
	}
	client := c.server.Client(serverUser())
	for _, o := range objects {
		if _, err := client.Give(o); err != nil {
			return fmt.Errorf("create %T %s: %w", o, o.GetName(), err)
		}
	}
	return c.bootstrapLeases()
}

// standing is what is there from the start but for the nodes.
func standing() []apiserver.Object {
	var objects []apiserver.Object
	for _, name := range []string{"default", "kube-node-lease", "kube-public", "kube-system"} {
		objects = append(objects, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}})
	}
	objects = append(objects,
		systemPriority("system-cluster-critical", 2000000000, "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary."),
		systemPriority("system-node-critical", 2000001000, "Used for system critical pods that must not be moved from their current node."),
		serverService(),
		serverSlice(), serverEndpoints(), standardClass(),
	)
	for _, r := range apiserver.DefaultClusterRoles() {
		objects = append(objects, r)
	}
	return objects
}

// upgrade gives a cluster that an older program made what newer ones have from the start and it lacks, as a newer real
// API server does when it first runs. What there is no room for stays away: the cluster is worth more.
func (c *Cluster) upgrade() {
	if c.server.Down() || c.store.Reachable() != nil {
		return
	}
	before := *c.source
	defer func() { *c.source = before }()
	c.source.Seed(uint64(c.store.Rev()), 0x75706772616465)
	client := c.server.Client(serverUser())
	for _, o := range standing() {
		_, _ = client.Give(o) // refused where it is there, or for want of room
	}
	for _, program := range programs() {
		if _, there := c.lease(program); !there && c.running(program) {
			_, _ = c.client(program).Create(leaseOf(program, c.holderHost(program), 0, c.Now()))
		}
	}
}

// bootstrapLeases has the first replica of each program be the active one. It draws from a generator of its own, so
// that what is drawn later does not depend on how many programs there are.
func (c *Cluster) bootstrapLeases() error {
	before := *c.source
	defer func() { *c.source = before }()
	c.source.Seed(c.cfg.Seed, 0x6c65617365)
	for _, program := range programs() {
		if _, err := c.client(program).Create(leaseOf(program, hosts()[0], 0, c.Now())); err != nil {
			return fmt.Errorf("create lease %s: %w", program, err)
		}
	}
	return nil
}

// serverUser is the API server itself.
func serverUser() apiserver.User {
	return apiserver.User{Name: "system:apiserver", Groups: []string{"system:masters"}, Agent: "kube-apiserver"}
}

// serverService is by what name the API server is found from within.
func serverService() *corev1.Service {
	return &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "kubernetes", Labels: map[string]string{"component": "apiserver", "provider": "kubernetes"}},
		Spec: corev1.ServiceSpec{ClusterIP: "10.96.0.1", Ports: []corev1.ServicePort{
			{Name: "https", Port: 443, Protocol: corev1.ProtocolTCP, TargetPort: intstr.FromInt32(serverPort)}}},
	}
}

func systemPriority(name string, value int32, why string) *schedulingv1.PriorityClass {
	return &schedulingv1.PriorityClass{ObjectMeta: metav1.ObjectMeta{Name: name}, Value: value, Description: why}
}

// standardClass is the class of claims that name none. It waits for the pod, as the default classes of the clouds
// and of kind do: that is what a learner meets first, a claim that is Pending for no fault of its own, and it shows
// the scheduler and the binder at work together. A class of the same provisioner that binds at once is made in a line.
func standardClass() *storagev1.StorageClass {
	wait := storagev1.VolumeBindingWaitForFirstConsumer
	return &storagev1.StorageClass{
		ObjectMeta:        metav1.ObjectMeta{Name: "standard", Annotations: map[string]string{"storageclass.kubernetes.io/is-default-class": "true"}},
		Provisioner:       apiserver.Provisioner,
		VolumeBindingMode: &wait,
	}
}

// serverSlice is where the Service kubernetes leads: the API server maintains it itself.
func serverSlice() *discoveryv1.EndpointSlice {
	name, port, protocol, ready := "https", int32(serverPort), corev1.ProtocolTCP, true
	return &discoveryv1.EndpointSlice{
		ObjectMeta:  metav1.ObjectMeta{Namespace: "default", Name: "kubernetes", Labels: map[string]string{discoveryv1.LabelServiceName: "kubernetes"}},
		AddressType: discoveryv1.AddressTypeIPv4,
		Endpoints:   []discoveryv1.Endpoint{{Addresses: []string{serverAddress}, Conditions: discoveryv1.EndpointConditions{Ready: &ready}}},
		Ports:       []discoveryv1.EndpointPort{{Name: &name, Port: &port, Protocol: &protocol}},
	}
}

// serverEndpoints is the same in the older form.
func serverEndpoints() *corev1.Endpoints {
	return &corev1.Endpoints{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "kubernetes", Labels: map[string]string{discoveryv1.LabelSkipMirror: "true"}},
		Subsets: []corev1.EndpointSubset{{
			Addresses: []corev1.EndpointAddress{{IP: serverAddress}},
			Ports:     []corev1.EndpointPort{{Name: "https", Port: serverPort, Protocol: corev1.ProtocolTCP}},
		}},
	}
}
