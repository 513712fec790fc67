package apiserver

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"timonier/sim/etcd"
	"timonier/sim/trace"
)

// world is a server with a clock that a test moves, and the namespaces and accounts that a cluster has.
type world struct {
	*Server
	store  *etcd.Store
	trace  *trace.Recorder
	now    time.Time
	events []Event
}

func newWorld(t testing.TB, limits Limits) *world {
	t.Helper()
	w := &world{store: etcd.New(), trace: &trace.Recorder{}, now: time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)}
	s, err := New(Config{Store: w.store, Trace: w.trace, Now: func() time.Time { return w.now },
		Rand: rand.New(rand.NewPCG(1, 2)), Limits: limits})
	if err != nil {
		t.Fatal(err)
	}
	w.Server = s
	for _, o := range []Object{
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "default"}},
		&corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "default"}},
	} {
		if _, err := w.admin().Create(o); err != nil {
			t.Fatal(err)
		}
	}
	s.Observe(func(e Event) { w.events = append(w.events, e) })
	return w
}

func (w *world) admin() *Client {
	return w.Client(User{Name: "kubernetes-admin", Groups: []string{"system:masters"}, Agent: "kubectl"})
}

func pod(name string) *corev1.Pod {
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "web", Image: "nginx:1.29"}}}}
}

func (w *world) create(t testing.TB, o Object) Object {
	t.Helper()
	made, err := w.admin().Create(o)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func TestCreateTakesAllStages(t *testing.T) {
	w := newWorld(t, Limits{})
	given := pod("")
	given.GenerateName = "web-"
	made := w.create(t, given).(*corev1.Pod)
	if given.Name != "" || given.UID != "" {
		t.Error("the object that was given has been changed")
	}
	if !strings.HasPrefix(made.Name, "web-") || len(made.Name) != len("web-")+5 || len(made.UID) != 36 {
		t.Errorf("name %q, uid %q", made.Name, made.UID)
	}
	if made.Spec.Containers[0].ImagePullPolicy != corev1.PullIfNotPresent || made.Spec.RestartPolicy != corev1.RestartPolicyAlways {
		t.Error("defaults are missing")
	}
	if made.Spec.ServiceAccountName != "default" || len(made.Spec.Volumes) != 1 || made.Spec.Containers[0].VolumeMounts[0].MountPath != tokenPath {
		t.Errorf("service account: %+v", made.Spec.Volumes)
	}
	if len(made.Spec.Tolerations) != 2 || *made.Spec.Tolerations[0].TolerationSeconds != 300 || *made.Spec.Priority != 0 {
		t.Errorf("admission: %+v", made.Spec.Tolerations)
	}
	if made.Status.Phase != corev1.PodPending || made.ResourceVersion != fmt.Sprint(w.Revision()) || !made.CreationTimestamp.Time.Equal(w.now) {
		t.Errorf("phase %q, version %q at %d", made.Status.Phase, made.ResourceVersion, w.Revision())
	}
	kv, ok := w.store.Get("/registry/pods/default/" + made.Name)
	if !ok || kv.ModRev != w.Revision() || !strings.HasPrefix(string(kv.Value), "k8s\x00") {
		t.Errorf("etcd holds %v %q", ok, kv.Value)
	}
	if len(w.events) != 1 || w.events[0].Type != watch.Added || w.events[0].New != Object(made) {
		t.Errorf("watchers saw %v", w.events)
	}
}

func TestRefusals(t *testing.T) {
	w := newWorld(t, Limits{Pods: 1})
	w.create(t, pod("web"))
	stranger := w.Client(User{Name: "system:node:node-1", Groups: []string{"system:nodes"}, Agent: "kubelet/node-1"})
	elsewhere, versioned, account, classed := pod("a"), pod("a"), pod("a"), pod("a")
	elsewhere.Namespace, versioned.ResourceVersion = "nowhere", "7"
	account.Spec.ServiceAccountName, classed.Spec.PriorityClassName = "robot", "gold"
	for _, c := range []struct {
		name string
		do   func() error
		code int32
		want string
	}{
		{"a name that is taken", func() error { _, err := w.admin().Create(pod("web")); return err }, 409, `pods "web" already exists`},
		{"no such namespace", func() error { _, err := w.admin().Create(elsewhere); return err }, 404, `namespaces "nowhere" not found`},
		{"a version at creation", func() error { _, err := w.admin().Create(versioned); return err }, 400, "resourceVersion should not be set on objects to be created"},
		{"no such account", func() error { _, err := w.admin().Create(account); return err }, 403, `pods "a" is forbidden: error looking up service account default/robot: serviceaccount "robot" not found`},
		{"no such priority", func() error { _, err := w.admin().Create(classed); return err }, 403, `pods "a" is forbidden: no PriorityClass with name gold was found`},
		{"too many pods", func() error { _, err := w.admin().Create(pod("b")); return err }, 403, `pods "b" is forbidden: this cluster is limited to 1 pods`},
		{"an identity without the right", func() error {
			_, err := stranger.Create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "mine"}})
			return err
		}, 403, `namespaces "mine" is forbidden: User "system:node:node-1" cannot create resource "namespaces" in API group "" at the cluster scope`},
		{"nobody", func() error { return w.Client(User{}).Delete(pod("web"), metav1.DeleteOptions{}) }, 401, "Unauthorized"},
		{"the default namespace", func() error {
			return w.admin().Delete(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "default"}}, metav1.DeleteOptions{})
		}, 403, `namespaces "default" is forbidden: this namespace may not be deleted`},
		{"what is not there", func() error { return w.admin().Delete(pod("z"), metav1.DeleteOptions{}) }, 404, `pods "z" not found`},
	} {
		t.Run(c.name, func(t *testing.T) {
			rev := w.Revision()
			err := c.do()
			status, ok := err.(apierrors.APIStatus)
			if !ok || status.Status().Code != c.code || err.Error() != c.want {
				t.Errorf("got %v, want %d %s", err, c.code, c.want)
			}
			if w.Revision() != rev {
				t.Error("something was written")
			}
			steps := w.trace.Steps()
			if last := steps[len(steps)-1]; last.Kind != trace.Refused || last.Detail.(trace.Refusal).Message != c.want {
				t.Errorf("the trace ends with %+v", last)
			}
		})
	}
}

func TestUpdateConflictsAndNoOps(t *testing.T) {
	w := newWorld(t, Limits{})
	made := w.create(t, pod("web")).(*corev1.Pod)
	next := made.DeepCopy()
	next.Labels = map[string]string{"app": "web"}
	updated, err := w.admin().Update(next)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.admin().Update(next); !apierrors.IsConflict(err) ||
		err.Error() != `Operation cannot be fulfilled on pods "web": the object has been modified; please apply your changes to the latest version and try again` {
		t.Errorf("a stale update: %v", err)
	}
	rev := w.Revision()
	same, err := w.admin().Update(updated.DeepCopyObject().(Object))
	if err != nil || w.Revision() != rev || same.GetResourceVersion() != updated.GetResourceVersion() {
		t.Errorf("an update that changes nothing wrote revision %d: %v", w.Revision(), err)
	}
	status := updated.DeepCopyObject().(*corev1.Pod)
	status.Status.Phase = corev1.PodRunning
	status.Spec.Containers[0].Image = "httpd"
	after, err := w.admin().UpdateStatus(status)
	if err != nil {
		t.Fatal(err)
	}
	if p := after.(*corev1.Pod); p.Status.Phase != corev1.PodRunning || p.Spec.Containers[0].Image != "nginx:1.29" {
		t.Errorf("a status update gave %v %v", p.Status.Phase, p.Spec.Containers[0].Image)
	}
}

func TestDeletionWaitsForKubeletAndFinalizers(t *testing.T) {
	w := newWorld(t, Limits{})
	gone := func(name string) bool { _, ok := Get[*corev1.Pod](w.admin(), "default", name); return !ok }
	w.create(t, pod("unplaced"))
	if err := w.admin().Delete(pod("unplaced"), metav1.DeleteOptions{}); err != nil || !gone("unplaced") {
		t.Errorf("a pod without a node should go at once: %v", err)
	}
	placed := w.create(t, pod("placed")).(*corev1.Pod)
	if err := w.admin().Bind(placed, "node-1"); err != nil {
		t.Fatal(err)
	}
	if err := w.admin().Bind(placed, "node-2"); !apierrors.IsConflict(err) {
		t.Errorf("bound twice: %v", err)
	}
	if on := slices.Collect(PodsOn(w.admin(), "node-1")); len(on) != 1 || on[0].Name != "placed" {
		t.Errorf("on node-1: %v", on)
	}
	if err := w.admin().Delete(placed, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	dying, ok := Get[*corev1.Pod](w.admin(), "default", "placed")
	if !ok || *dying.DeletionGracePeriodSeconds != 30 || !dying.DeletionTimestamp.Time.Equal(w.now.Add(30*time.Second)) {
		t.Fatalf("a placed pod should wait for its kubelet: %+v", dying)
	}
	steps := w.trace.Steps()
	if c, ok := steps[len(steps)-1].Detail.(trace.Commit); !ok || c.Verb != "terminate" {
		t.Errorf("the trace calls it %+v", steps[len(steps)-1])
	}
	zero := int64(0)
	if err := w.admin().Delete(placed, metav1.DeleteOptions{GracePeriodSeconds: &zero}); err != nil || !gone("placed") {
		t.Errorf("forced: %v", err)
	}
	kept := pod("kept")
	kept.Finalizers = []string{"example.com/hold"}
	w.create(t, kept)
	if err := w.admin().Delete(kept, metav1.DeleteOptions{}); err != nil || gone("kept") {
		t.Fatalf("a finalizer should keep it: %v", err)
	}
	held, _ := Get[*corev1.Pod](w.admin(), "default", "kept")
	released := held.DeepCopy()
	released.Finalizers = nil
	if _, err := w.admin().Update(released); err != nil || !gone("kept") {
		t.Errorf("the last finalizer should let it go: %v", err)
	}
	if last := w.events[len(w.events)-1]; last.Type != watch.Deleted || last.New.GetName() != "kept" || last.Revision != w.Revision() {
		t.Errorf("the last event is %+v", last)
	}
}

func TestPropagationFinalizers(t *testing.T) {
	w := newWorld(t, Limits{})
	for policy, want := range map[metav1.DeletionPropagation][]string{
		metav1.DeletePropagationForeground: {metav1.FinalizerDeleteDependents},
		metav1.DeletePropagationOrphan:     {metav1.FinalizerOrphanDependents},
		metav1.DeletePropagationBackground: nil,
	} {
		p := w.create(t, pod("web"))
		if err := w.admin().Delete(p, metav1.DeleteOptions{PropagationPolicy: &policy}); err != nil {
			t.Fatal(err)
		}
		left, ok := Get[*corev1.Pod](w.admin(), "default", "web")
		if ok != (want != nil) || ok && !slices.Equal(left.Finalizers, want) {
			t.Errorf("%s: there %v, %v", policy, ok, left)
		}
		if ok {
			free := left.DeepCopy()
			free.Finalizers = nil
			if _, err := w.admin().Update(free); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestEventsRepeatCombineAndExpire(t *testing.T) {
	w := newWorld(t, Limits{})
	p := w.create(t, pod("web"))
	kubelet := w.Client(User{Name: "system:node:node-1", Groups: []string{"system:nodes"}, Agent: "kubelet/node-1"})
	for range 3 {
		w.now = w.now.Add(time.Second)
		kubelet.Emit(p, "Warning", "BackOff", "again")
	}
	events := slices.Collect(List[*corev1.Event](w.admin(), "default"))
	if len(events) != 1 || events[0].Count != 3 || events[0].Source.Host != "node-1" || events[0].InvolvedObject.UID != p.GetUID() ||
		events[0].LastTimestamp.Sub(events[0].FirstTimestamp.Time) != 2*time.Second {
		t.Fatalf("a repeated event: %+v", events)
	}
	for i := range 15 {
		kubelet.Emit(p, "Normal", "Created", fmt.Sprintf("pod %d", i))
	}
	var combined *corev1.Event
	n := 0
	for e := range List[*corev1.Event](w.admin(), "default") {
		if e.Reason == "Created" {
			n++
		}
		if strings.HasPrefix(e.Message, combinedText) {
			combined = e
		}
	}
	if n != 10 || combined == nil || combined.Count != 6 || combined.Message != combinedText+"pod 14" {
		t.Fatalf("%d events, combined %+v", n, combined)
	}
	at, ok := w.NextExpiry()
	if !ok || at.Sub(w.now) < time.Hour || at.Sub(w.now) > time.Hour+time.Minute {
		t.Fatalf("they expire at %v", at)
	}
	w.now = at
	w.Expire()
	if left := Count[*corev1.Event](w.admin()); left != 0 || len(w.Server.events.about) != 0 {
		t.Errorf("%d events outlived their hour", left)
	}
	if last := w.events[len(w.events)-1]; last.Type != watch.Deleted || last.Resource.Kind != "Event" {
		t.Errorf("watchers saw last %+v", last)
	}
}

func TestPriorityComesFromItsClass(t *testing.T) {
	w := newWorld(t, Limits{})
	w.create(t, &schedulingv1.PriorityClass{ObjectMeta: metav1.ObjectMeta{Name: "gold"}, Value: 1000})
	p := pod("rich")
	p.Spec.PriorityClassName = "gold"
	if got := w.create(t, p).(*corev1.Pod); *got.Spec.Priority != 1000 || *got.Spec.PreemptionPolicy != corev1.PreemptLowerPriority {
		t.Errorf("%v %v", *got.Spec.Priority, *got.Spec.PreemptionPolicy)
	}
}

func TestCausesRunThroughWatchers(t *testing.T) {
	w := newWorld(t, Limits{})
	var during uint64
	w.Observe(func(Event) { during = w.trace.Cause() })
	asked := w.trace.Add(trace.Step{Actor: "kubectl", Kind: trace.Asked})
	w.trace.Because(asked)
	w.create(t, pod("web"))
	committed, ok := w.trace.Step(during)
	if !ok || committed.Kind != trace.Committed || committed.Cause != asked || committed.Revision != w.Revision() {
		t.Errorf("watchers ran because of %+v", committed)
	}
	if w.trace.Cause() != asked {
		t.Error("the cause was not put back")
	}
}

func TestServerOnAStoreThatHoldsObjects(t *testing.T) {
	w := newWorld(t, Limits{})
	w.create(t, pod("web"))
	w.admin().Emit(pod("web"), "Normal", "Tested", "hello")
	again, err := New(Config{Store: w.store, Trace: w.trace, Now: func() time.Time { return w.now }, Rand: rand.New(rand.NewPCG(1, 2))})
	if err != nil {
		t.Fatal(err)
	}
	a, _ := Get[*corev1.Pod](w.admin(), "default", "web")
	b, ok := Get[*corev1.Pod](again.Client(User{}), "default", "web")
	if !ok || a.ResourceVersion != b.ResourceVersion || a.String() != b.String() {
		t.Errorf("before %v\nafter %v", a, b)
	}
	if again.objects != w.objects || len(again.events.about) != 1 {
		t.Errorf("%d objects, %d before", again.objects, w.objects)
	}
	if _, err := w.store.Put("/registry/pods/default/torn", []byte("k8s\x00\xff"), 0); err != nil {
		t.Fatal(err)
	}
	if _, err := New(Config{Store: w.store}); err == nil || !strings.Contains(err.Error(), "/registry/pods/default/torn") {
		t.Errorf("a torn value: %v", err)
	}
}

// Labels come out of a map: what is wrong with several must be said in one order.
func TestErrorsAboutMetadataAreInOrder(t *testing.T) {
	w := newWorld(t, Limits{})
	p := pod("web")
	p.Labels = map[string]string{"a b": "x", "c d": "x", "e f": "x", "g h": "x"}
	_, first := w.admin().Create(p)
	for range 20 {
		if _, err := w.admin().Create(p); err == nil || err.Error() != first.Error() {
			t.Fatalf("%v\nthen\n%v", first, err)
		}
	}
}

func TestEventsAreBounded(t *testing.T) {
	w := newWorld(t, Limits{Objects: 10})
	p := w.create(t, pod("web"))
	for i := range 200 {
		teller := w.Client(User{Name: "kubernetes-admin", Groups: []string{"system:masters"}, Agent: fmt.Sprint("teller-", i/20)})
		teller.Emit(p, "Normal", fmt.Sprintf("Reason%d", i), "again")
	}
	if n := Count[*corev1.Event](w.admin()); n != 50 {
		t.Errorf("%d events, want five times the objects allowed", n)
	}
}

// A component tells 25 things about an object, and then one every five minutes.
func TestComponentsTellEnough(t *testing.T) {
	w := newWorld(t, Limits{})
	o, err := w.admin().Create(pod("p"))
	if err != nil {
		t.Fatal(err)
	}
	kubelet := w.Client(User{Name: "system:node:node-1", Groups: []string{"system:nodes"}, Agent: "kubelet/node-1"})
	told := func() (n int32) {
		for e := range List[*corev1.Event](w.admin(), "default") {
			n += e.Count
		}
		return n
	}
	for i := range 40 {
		kubelet.Emit(o, corev1.EventTypeNormal, "Pulled", fmt.Sprint("number ", i%3))
	}
	if n := told(); n != 25 {
		t.Errorf("%d events told", n)
	}
	kubelet.Emit(o, corev1.EventTypeWarning, "Failed", "of another type") // counts for itself
	if n := told(); n != 26 {
		t.Errorf("%d events told", n)
	}
	for range 3 {
		w.now = w.now.Add(5 * time.Minute)
		for range 4 {
			kubelet.Emit(o, corev1.EventTypeNormal, "Pulled", "number 1")
		}
	}
	if n := told(); n != 29 {
		t.Errorf("%d events told after a quarter of an hour", n)
	}
}
