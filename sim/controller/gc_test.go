package controller

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"timonier/sim/apiserver"
	"timonier/sim/trace"
)

// deletions writes down the order in which objects of the namespace default go.
func (w *world) deletions() *[]string {
	var gone []string
	w.server.Observe(func(e apiserver.Event) {
		if e.Type == watch.Deleted && e.New.GetNamespace() == "default" && e.Resource.Kind != "Event" {
			if n := len(gone); n == 0 || gone[n-1] != e.Resource.Kind {
				gone = append(gone, e.Resource.Kind)
			}
		}
	})
	return &gone
}

func (w *world) remove(o apiserver.Object, policy metav1.DeletionPropagation) {
	w.t.Helper()
	if err := w.Delete(o, metav1.DeleteOptions{PropagationPolicy: &policy}); err != nil {
		w.t.Fatal(err)
	}
}

func runningWeb(t *testing.T) (*world, *appsv1.Deployment) {
	w := newWorld(t, "node-1")
	w.create(deployment("web", "nginx", 3))
	w.run(20 * time.Second)
	d, _ := apiserver.Get[*appsv1.Deployment](w.Client, "default", "web")
	return w, d
}

func (w *world) left() string {
	return fmt.Sprintf("%d deployments, %d replicasets, %d pods", apiserver.Count[*appsv1.Deployment](w.Client),
		apiserver.Count[*appsv1.ReplicaSet](w.Client), apiserver.Count[*corev1.Pod](w.Client))
}

func TestDeletionModes(t *testing.T) {
	for _, c := range []struct {
		policy metav1.DeletionPropagation
		order  string
		left   string
	}{
		{metav1.DeletePropagationBackground, "Deployment ReplicaSet Pod", "0 deployments, 0 replicasets, 0 pods"},
		{metav1.DeletePropagationForeground, "Pod ReplicaSet Deployment", "0 deployments, 0 replicasets, 0 pods"},
		{metav1.DeletePropagationOrphan, "Deployment", "0 deployments, 1 replicasets, 3 pods"},
	} {
		w, d := runningWeb(t)
		order := w.deletions()
		w.remove(d, c.policy)
		w.run(20 * time.Second)
		w.expect(string(c.policy)+" order", strings.Join(*order, " "), c.order)
		w.expect(string(c.policy)+" left", w.left(), c.left)
		if n := w.agenda.Len(); n != 0 {
			t.Errorf("%s: tasks are left: %v", c.policy, w.agenda.Tasks())
		}
	}
}

// What was orphaned is adopted again by a Deployment of the same selector and template.
func TestAdoption(t *testing.T) {
	w, d := runningWeb(t)
	w.remove(d, metav1.DeletePropagationOrphan)
	w.run(20 * time.Second)
	for rs := range apiserver.List[*appsv1.ReplicaSet](w.Client, "default") {
		if len(rs.OwnerReferences) != 0 {
			t.Errorf("owners %v", rs.OwnerReferences)
		}
	}
	w.create(deployment("web", "nginx", 3))
	w.run(20 * time.Second)
	w.expect("left", w.left(), "1 deployments, 1 replicasets, 3 pods")
}

// A pod whose labels no longer match is released and replaced; one that matches and has no owner is adopted.
func TestReleaseAndAdoptPods(t *testing.T) {
	w, _ := runningWeb(t)
	pods := slices.Collect(apiserver.List[*corev1.Pod](w.Client, "default"))
	hash := pods[0].Labels[appsv1.DefaultDeploymentUniqueLabelKey]
	edit(w, pods[0].Name, func(p *corev1.Pod) { p.Labels = map[string]string{"app": "debug"} })
	w.run(20 * time.Second)
	released, _ := apiserver.Get[*corev1.Pod](w.Client, "default", pods[0].Name)
	if len(released.OwnerReferences) != 0 || apiserver.Count[*corev1.Pod](w.Client) != 4 {
		t.Errorf("%d pods, owners %v", apiserver.Count[*corev1.Pod](w.Client), released.OwnerReferences)
	}
	edit(w, pods[0].Name, func(p *corev1.Pod) {
		p.Labels = map[string]string{"app": "web", appsv1.DefaultDeploymentUniqueLabelKey: hash}
	})
	w.run(20 * time.Second)
	if n := apiserver.Count[*corev1.Pod](w.Client); n != 3 {
		t.Errorf("%d pods after the adoption", n)
	}
}

// rig/transcripts/ctrl-owner-references.txt: an object whose owner does not exist goes at once.
func TestDanglingOwner(t *testing.T) {
	w := newWorld(t)
	owner := metav1.OwnerReference{APIVersion: "v1", Kind: "ConfigMap", Name: "gone", UID: "00000000-0000-0000-0000-000000000001"}
	w.create(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "orphan", OwnerReferences: []metav1.OwnerReference{owner}}})
	unknown := owner
	unknown.Kind, unknown.APIVersion = "Elsewhere", "example.com/v1"
	w.create(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "foreign", OwnerReferences: []metav1.OwnerReference{unknown}}})
	w.run(time.Second)
	if _, ok := apiserver.Get[*corev1.ConfigMap](w.Client, "default", "orphan"); ok {
		t.Error("the orphan is there")
	}
	if _, ok := apiserver.Get[*corev1.ConfigMap](w.Client, "default", "foreign"); !ok {
		t.Error("an object whose owner's kind is not known has been deleted")
	}
}

// Of two owners one goes: the dependent stays, and forgets it.
func TestOneOfTwoOwners(t *testing.T) {
	w := newWorld(t)
	var refs []metav1.OwnerReference
	for _, name := range []string{"a", "b"} {
		o := w.create(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name}})
		refs = append(refs, metav1.OwnerReference{APIVersion: "v1", Kind: "ConfigMap", Name: name, UID: o.GetUID()})
	}
	w.create(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "child", OwnerReferences: refs}})
	w.run(time.Second)
	a, _ := apiserver.Get[*corev1.ConfigMap](w.Client, "default", "a")
	w.remove(a, metav1.DeletePropagationBackground)
	w.run(time.Second)
	child, ok := apiserver.Get[*corev1.ConfigMap](w.Client, "default", "child")
	if !ok || len(child.OwnerReferences) != 1 || child.OwnerReferences[0].Name != "b" {
		t.Errorf("child %v", child)
	}
}

// A dependent that does not block lets its owner go first, even in the foreground.
func TestForegroundWaitsOnlyForThoseThatBlock(t *testing.T) {
	w := newWorld(t)
	owner := w.create(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "owner"}})
	child := func(name string, blocks bool, finalizers ...string) {
		w.create(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name, Finalizers: finalizers,
			OwnerReferences: []metav1.OwnerReference{{APIVersion: "v1", Kind: "ConfigMap", Name: "owner", UID: owner.GetUID(), BlockOwnerDeletion: &blocks}}}})
	}
	child("blocking", true, "example.com/hold")
	child("free", false, "example.com/hold")
	w.run(time.Second)
	w.remove(owner, metav1.DeletePropagationForeground)
	w.run(time.Minute)
	if _, ok := apiserver.Get[*corev1.ConfigMap](w.Client, "default", "owner"); !ok {
		t.Fatal("the owner went before the one that blocks it")
	}
	edit(w, "blocking", func(c *corev1.ConfigMap) { c.Finalizers = nil })
	w.run(time.Minute)
	if _, ok := apiserver.Get[*corev1.ConfigMap](w.Client, "default", "owner"); ok {
		t.Error("the owner waits for one that does not block it")
	}
}

func TestNamespaceDeletion(t *testing.T) {
	w := newWorld(t, "node-1")
	w.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "team"}})
	w.run(time.Second)
	for _, o := range []apiserver.Object{&corev1.ServiceAccount{}, &corev1.ConfigMap{}} {
		switch o.(type) {
		case *corev1.ServiceAccount:
			if _, ok := apiserver.Get[*corev1.ServiceAccount](w.Client, "team", "default"); !ok {
				t.Error("no default account")
			}
		default:
			if _, ok := apiserver.Get[*corev1.ConfigMap](w.Client, "team", rootCAName); !ok {
				t.Error("no kube-root-ca.crt")
			}
		}
	}
	d := deployment("web", "nginx", 2)
	d.Namespace = "team"
	w.create(d)
	w.run(20 * time.Second)
	w.start = w.agenda.Now()
	var log []string
	w.server.Observe(func(e apiserver.Event) {
		o := subject(e)
		if n, ok := o.(*corev1.Namespace); ok {
			line := fmt.Sprintf("%s %s %s", w.at(w.agenda.Now()), e.Type, n.Status.Phase)
			if e.Type == watch.Modified {
				line += fmt.Sprintf(" conditions %d finalizers %d", len(n.Status.Conditions), len(n.Spec.Finalizers))
			}
			log = append(log, line)
		} else if e.Type == watch.Deleted && o.GetNamespace() == "team" && e.Resource.Kind == "Pod" {
			log = append(log, w.at(w.agenda.Now())+" pod gone")
		}
	})
	n, _ := apiserver.Get[*corev1.Namespace](w.Client, "", "team")
	w.remove(n, metav1.DeletePropagationBackground)
	w.run(time.Minute)
	if _, ok := apiserver.Get[*corev1.Namespace](w.Client, "", "team"); ok {
		t.Error("the namespace is there")
	}
	for _, r := range w.server.Resources() {
		if rest := w.All(r, "team"); len(rest) > 0 {
			t.Errorf("%d %s are left: %s", len(rest), r.Resource, rest[0].GetName())
		}
	}
	w.expect("log", strings.Join(log, "\n"), `0s MODIFIED Terminating conditions 0 finalizers 1
5s MODIFIED Terminating conditions 5 finalizers 1
6s pod gone
6s pod gone
10s DELETED Terminating`)
}

// Content that a finalizer holds is named in the namespace's conditions.
func TestNamespaceWithAFinalizer(t *testing.T) {
	w := newWorld(t)
	w.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "team"}})
	w.run(time.Second)
	w.create(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "held", Finalizers: []string{"example.com/hold"}}})
	n, _ := apiserver.Get[*corev1.Namespace](w.Client, "", "team")
	w.remove(n, metav1.DeletePropagationBackground)
	w.run(time.Minute)
	n, ok := apiserver.Get[*corev1.Namespace](w.Client, "", "team")
	if !ok {
		t.Fatal("the namespace is gone")
	}
	var lines []string
	for _, c := range n.Status.Conditions {
		lines = append(lines, fmt.Sprintf("%s %s %s %s", c.Type, c.Status, c.Reason, c.Message))
	}
	w.expect("conditions", strings.Join(lines, "\n"), `NamespaceDeletionDiscoveryFailure False ResourcesDiscovered All resources successfully discovered
NamespaceDeletionGroupVersionParsingFailure False ParsedGroupVersions All legacy kube types successfully parsed
NamespaceDeletionContentFailure False ContentDeleted All content successfully deleted, may be waiting on finalization
NamespaceContentRemaining True SomeResourcesRemain Some resources are remaining: configmaps. has 1 resource instances
NamespaceFinalizersRemaining True SomeFinalizersRemain Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances`)
	held, _ := apiserver.Get[*corev1.ConfigMap](w.Client, "team", "held")
	held = held.DeepCopy()
	held.SetFinalizers(nil)
	if _, err := w.Update(held); err != nil {
		t.Fatal(err)
	}
	w.run(time.Minute)
	if _, ok := apiserver.Get[*corev1.Namespace](w.Client, "", "team"); ok {
		t.Error("the namespace is there")
	}
}

// rig/transcripts/ctrl-new-namespace.txt: both come back when they are deleted.
func TestDefaultsOfANamespaceComeBack(t *testing.T) {
	w := newWorld(t)
	account, _ := apiserver.Get[*corev1.ServiceAccount](w.Client, "default", "default")
	ca, _ := apiserver.Get[*corev1.ConfigMap](w.Client, "default", rootCAName)
	w.remove(account, metav1.DeletePropagationBackground)
	w.remove(ca, metav1.DeletePropagationBackground)
	w.run(time.Second)
	again, ok := apiserver.Get[*corev1.ServiceAccount](w.Client, "default", "default")
	if !ok || again.UID == account.UID {
		t.Error("no new account")
	}
	if _, ok := apiserver.Get[*corev1.ConfigMap](w.Client, "default", rootCAName); !ok {
		t.Error("no new certificate")
	}
	edit(w, rootCAName, func(c *corev1.ConfigMap) { c.Data = nil })
	w.run(time.Second)
	if ca, _ = apiserver.Get[*corev1.ConfigMap](w.Client, "default", rootCAName); ca.Data["ca.crt"] == "" {
		t.Error("the certificate is not put back")
	}
}

// Every row of the table is whole, and the trace calls the controllers as the table does.
func TestTable(t *testing.T) {
	w, _ := runningWeb(t)
	names := map[string]bool{}
	for _, c := range All() {
		if c.Name == "" || names[c.Name] || !strings.HasPrefix(c.User, "system:serviceaccount:kube-system:") || len(c.Resources) == 0 {
			t.Errorf("row %+v", c)
		}
		names[c.Name] = true
	}
	for _, s := range w.trace.Steps() {
		if s.Kind != trace.Decided {
			continue
		}
		if d := s.Detail.(trace.Decision); !names[s.Actor] || !slices.Contains(Decisions(), d.What) {
			t.Errorf("%s decided %q", s.Actor, d.What)
		}
	}
}
