package controller

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/yaml"

	"timonier/sim/agenda"
	"timonier/sim/apiserver"
	"timonier/sim/etcd"
	"timonier/sim/trace"
)

// world is a small cluster: the real API server and controllers, and kubelets that
// only start pods after a second and end them after another.
type world struct {
	*apiserver.Client // kubectl
	t                 testing.TB
	agenda            *agenda.Agenda
	store             *etcd.Store
	random            *rand.Rand
	trace             *trace.Recorder
	server            *apiserver.Server
	components        map[string]Component
	kubelets          *kubelets
	silent            map[string]time.Time // node → its last heartbeat
	start             time.Time
}

func newWorld(t testing.TB, nodes ...string) *world {
	t.Helper()
	start := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	w := &world{t: t, agenda: agenda.New(start), trace: &trace.Recorder{Limit: 5000}, store: etcd.New(),
		random: rand.New(rand.NewPCG(1, 2)), silent: map[string]time.Time{}, start: start}
	w.kubelets = &kubelets{w: w}
	w.boot()
	for _, name := range []string{"default", "kube-system", corev1.NamespaceNodeLease} {
		w.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}})
	}
	for _, name := range nodes {
		w.addNode(name)
	}
	w.run(time.Minute)
	w.start = w.agenda.Now()
	return w
}

// boot starts the API server on what the store holds, and the components on the agenda.
func (w *world) boot() {
	w.agenda.Cause = w.trace.Cause
	server, err := apiserver.New(apiserver.Config{Store: w.store, Trace: w.trace, Now: w.agenda.Now, Rand: w.random, Live: w.live})
	if err != nil {
		w.t.Fatal(err)
	}
	w.server, w.components = server, map[string]Component{"kubelets": w.kubelets}
	w.Client = server.Client(apiserver.User{Name: "kubernetes-admin", Groups: []string{"system:masters"}, Agent: "kubectl"})
	for _, c := range All() {
		env := Env{Queue: w.agenda.Queue(c.Name), Trace: w.trace, Rand: w.random,
			Client: server.Client(apiserver.User{Name: c.User, Groups: []string{"system:serviceaccounts"}, Agent: c.Name})}
		component := c.New(env)
		w.components[c.Name] = component
		server.Observe(func(e apiserver.Event) {
			if c.Resources[0] == "*" || slices.Contains(c.Resources, e.Resource.Resource) {
				component.Observe(e)
			}
		})
	}
	w.kubelets.queue = w.agenda.Queue("kubelets")
	server.Observe(w.kubelets.Observe)
}

// reload is a save and a load: new controllers go on from the store and the agenda.
func (w *world) reload() {
	saved := w.agenda.Save()
	w.agenda = agenda.New(saved.Now)
	w.agenda.Load(saved)
	w.boot()
}

func (w *world) addNode(name string) {
	now := metav1.NewTime(w.agenda.Now())
	var conditions []corev1.NodeCondition
	for t, s := range map[corev1.NodeConditionType]corev1.ConditionStatus{corev1.NodeReady: "True", corev1.NodeMemoryPressure: "False",
		corev1.NodeDiskPressure: "False", corev1.NodePIDPressure: "False"} {
		conditions = append(conditions, corev1.NodeCondition{Type: t, Status: s, Reason: "Kubelet", LastHeartbeatTime: now, LastTransitionTime: now})
	}
	slices.SortFunc(conditions, func(a, b corev1.NodeCondition) int { return strings.Compare(string(a.Type), string(b.Type)) })
	w.create(&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}, Status: corev1.NodeStatus{Conditions: conditions}})
	w.create(&coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: corev1.NamespaceNodeLease, Name: name},
		Spec: coordinationv1.LeaseSpec{RenewTime: &metav1.MicroTime{Time: w.agenda.Now()}}})
}

// live shows the heartbeats of the kubelets that are well as of the latest ten seconds.
func (w *world) live(o apiserver.Object) apiserver.Object {
	if _, silent := w.silent[o.GetName()]; silent {
		return o
	}
	beat := w.agenda.Now().Truncate(10 * time.Second)
	switch o := o.(type) {
	case *coordinationv1.Lease:
		fresh := o.DeepCopy()
		fresh.Spec.RenewTime = &metav1.MicroTime{Time: beat}
		return fresh
	case *corev1.Node:
		fresh := o.DeepCopy()
		for i := range fresh.Status.Conditions {
			fresh.Status.Conditions[i].LastHeartbeatTime = metav1.NewTime(beat)
		}
		return fresh
	}
	return o
}

func (w *world) create(o apiserver.Object) apiserver.Object {
	w.t.Helper()
	made, err := w.Create(o)
	if err != nil {
		w.t.Fatal(err)
	}
	return made
}

// apply creates the objects of a manifest.
func (w *world) apply(manifest string) {
	w.t.Helper()
	for _, doc := range strings.Split(manifest, "\n---\n") {
		var head metav1.TypeMeta
		if err := yaml.Unmarshal([]byte(doc), &head); err != nil {
			w.t.Fatal(err)
		}
		for _, r := range w.server.Resources() {
			if r.GroupVersion().String() == head.APIVersion && r.Kind == head.Kind {
				o := r.New()
				if err := yaml.UnmarshalStrict([]byte(doc), o); err != nil {
					w.t.Fatal(err)
				}
				if r.Namespaced && o.GetNamespace() == "" {
					o.SetNamespace("default")
				}
				w.create(o)
			}
		}
	}
}

// run lets the cluster live for a while.
func (w *world) run(d time.Duration) {
	w.t.Helper()
	until := w.agenda.Now().Add(d)
	for {
		task, ok := w.agenda.Pop(until)
		if !ok {
			return
		}
		w.trace.Because(task.Cause)
		q := w.agenda.Queue(task.Component)
		if err := w.components[task.Component].Sync(task.Key); err != nil {
			q.Retry(task.Key)
		} else {
			q.Forget(task.Key)
		}
		w.trace.Because(0)
	}
}

// silence stops a node's kubelet; revive starts it again.
func (w *world) silence(node string) {
	last := w.agenda.Now().Truncate(10 * time.Second)
	w.silent[node] = last
	w.renew(node, last)
}

func (w *world) revive(name string) {
	delete(w.silent, name)
	w.renew(name, w.agenda.Now())
	node, _ := apiserver.Get[*corev1.Node](w.Client, "", name)
	node = node.DeepCopy()
	for i := range node.Status.Conditions {
		if c := &node.Status.Conditions[i]; c.Type == corev1.NodeReady {
			c.Status, c.Reason, c.LastTransitionTime = corev1.ConditionTrue, "KubeletReady", metav1.NewTime(w.agenda.Now())
		} else {
			c.Status, c.Reason = corev1.ConditionFalse, "Kubelet"
		}
	}
	if _, err := w.UpdateStatus(node); err != nil {
		w.t.Fatal(err)
	}
	for pod := range apiserver.PodsOn(w.Client, name) {
		w.components["kubelets"].Observe(apiserver.Event{Type: watch.Added, New: pod})
	}
}

func (w *world) renew(node string, at time.Time) {
	lease, _ := apiserver.Get[*coordinationv1.Lease](w.Client, corev1.NamespaceNodeLease, node)
	lease = lease.DeepCopy()
	lease.Spec.RenewTime = &metav1.MicroTime{Time: at}
	if _, err := w.Update(lease); err != nil {
		w.t.Fatal(err)
	}
}

// edit changes an object as a person would.
func edit[T apiserver.Object](w *world, name string, change func(T)) {
	w.t.Helper()
	o, ok := apiserver.Get[T](w.Client, "default", name)
	if !ok {
		if o, ok = apiserver.Get[T](w.Client, "", name); !ok {
			w.t.Fatalf("no %T %s", o, name)
		}
	}
	fresh := o.DeepCopyObject().(T)
	change(fresh)
	if _, err := w.Update(fresh); err != nil {
		w.t.Fatal(err)
	}
}

func setImage(w *world, deployment, image string) {
	edit(w, deployment, func(d *appsv1.Deployment) { d.Spec.Template.Spec.Containers[0].Image = image })
}

func scale(w *world, deployment string, replicas int32) {
	edit(w, deployment, func(d *appsv1.Deployment) { d.Spec.Replicas = &replicas })
}

// events are the messages of one reason, with their counts, in the order of their making.
func (w *world) eventsOf(reason string) (messages []string) {
	var found []*corev1.Event
	for e := range apiserver.List[*corev1.Event](w.Client, "") {
		if e.Reason == reason {
			found = append(found, e)
		}
	}
	slices.SortFunc(found, func(a, b *corev1.Event) int {
		return strings.Compare(a.Name[strings.LastIndex(a.Name, ".")+1:], b.Name[strings.LastIndex(b.Name, ".")+1:])
	})
	for _, e := range found {
		messages = append(messages, e.Message)
	}
	return messages
}

// at is the time since the start, in seconds.
func (w *world) at(t time.Time) string {
	return fmt.Sprintf("%gs", t.Sub(w.start).Truncate(time.Millisecond).Seconds())
}

// kubelets place pods on the first node that takes them, in turn, and run them.
type kubelets struct {
	w     *world
	queue *agenda.Queue
	next  int
	ips   int
	apart time.Duration // between two pods' starts; 0: all at once
	due   int
}

func (k *kubelets) Resync() {}

func (k *kubelets) Observe(e apiserver.Event) {
	pod, ok := e.New.(*corev1.Pod)
	if !ok || e.Type == watch.Deleted {
		return
	}
	switch {
	case pod.Spec.NodeName == "":
		k.queue.Add("bind/"+keyOf(pod), apiserver.WatchLatency)
	case pod.DeletionTimestamp != nil:
		k.queue.Add("end/"+keyOf(pod), time.Second)
	case pod.Status.Phase == corev1.PodPending:
		k.due++
		k.queue.Add("run/"+keyOf(pod), time.Second+time.Duration(k.due)*k.apart)
	}
}

func (k *kubelets) Sync(key string) error {
	what, rest, _ := strings.Cut(key, "/")
	pod, ok := apiserver.Get[*corev1.Pod](k.w.Client, first(splitKey(rest)), second(splitKey(rest)))
	if !ok {
		return nil
	}
	if _, silent := k.w.silent[pod.Spec.NodeName]; silent {
		return nil
	}
	switch what {
	case "bind":
		return k.bind(pod)
	case "end":
		return k.w.Delete(pod, *metav1.NewDeleteOptions(0))
	}
	return k.start(pod)
}

func (k *kubelets) bind(pod *corev1.Pod) error {
	if node, ok := nodeOf(pod); ok {
		return k.w.Bind(pod, node)
	}
	nodes := slices.Collect(apiserver.List[*corev1.Node](k.w.Client, ""))
	for range nodes {
		node := nodes[k.next%len(nodes)]
		k.next++
		if len(node.Spec.Taints) == 0 && pod.Spec.NodeSelector == nil {
			return k.w.Bind(pod, node.Name)
		}
	}
	return nil
}

func (k *kubelets) start(pod *corev1.Pod) error {
	if pod.Status.Phase != corev1.PodPending {
		return nil
	}
	pod, k.ips = pod.DeepCopy(), k.ips+1
	now := metav1.NewTime(k.w.agenda.Now().Truncate(time.Second))
	ready := corev1.ConditionTrue
	if strings.HasPrefix(pod.Spec.Containers[0].Image, "broken") {
		ready = corev1.ConditionFalse
	}
	pod.Status.Phase = corev1.PodRunning
	pod.Status.PodIP = fmt.Sprintf("10.244.%d.%d", k.ips/250, k.ips%250+1)
	pod.Status.PodIPs = []corev1.PodIP{{IP: pod.Status.PodIP}}
	setPodCondition(&pod.Status, corev1.PodCondition{Type: corev1.PodReady, Status: ready}, now)
	_, err := k.w.UpdateStatus(pod)
	return err
}
