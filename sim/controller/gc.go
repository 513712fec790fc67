package controller

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"

	"timonier/sim/apiserver"
	"timonier/sim/trace"
)

const garbageCollector = "garbage-collector-controller"

// collector deletes what has owners but none left, and carries out foreground and orphaning deletions
// (pkg/controller/garbagecollector). It keeps the graph of all owner references, which it makes of the objects.
//
// Its keys: delete/UID (should this object go?), orphan/UID (let go of this object's dependents).
type collector struct {
	Env
	nodes      map[types.UID]*gcNode
	dependents map[types.UID]map[types.UID]bool // owner → those that refer to it, whether it is there or not
	kinds      map[string]*apiserver.Resource   // apiVersion and kind → resource
}

// gcNode is one object of the graph, as last seen.
type gcNode struct {
	apiserver.Object
	resource *apiserver.Resource
}

func newGarbageCollector(env Env) Component {
	c := &collector{Env: env, kinds: map[string]*apiserver.Resource{}}
	for _, r := range env.Client.Resources() {
		c.kinds[r.GroupVersion().String()+" "+r.Kind] = r
	}
	c.fill()
	return c
}

// ignored says whether a resource is not in the graph: events.
func ignored(r *apiserver.Resource) bool { return r.TTL > 0 }

func (c *collector) fill() {
	c.nodes, c.dependents = map[types.UID]*gcNode{}, map[types.UID]map[types.UID]bool{}
	for _, r := range c.Client.Resources() {
		if ignored(r) {
			continue
		}
		for _, o := range c.Client.All(r, "") {
			c.put(r, o)
		}
	}
}

// put stores an object's present state in the graph, and returns the references it had before.
func (c *collector) put(r *apiserver.Resource, o apiserver.Object) (before []metav1.OwnerReference) {
	uid := o.GetUID()
	if old, ok := c.nodes[uid]; ok {
		before = old.GetOwnerReferences()
		for _, ref := range before {
			c.unlink(ref.UID, uid)
		}
	}
	c.nodes[uid] = &gcNode{o, r}
	for _, ref := range o.GetOwnerReferences() {
		if c.dependents[ref.UID] == nil {
			c.dependents[ref.UID] = map[types.UID]bool{}
		}
		c.dependents[ref.UID][uid] = true
	}
	return before
}

func (c *collector) unlink(owner, dependent types.UID) {
	if delete(c.dependents[owner], dependent); len(c.dependents[owner]) == 0 {
		delete(c.dependents, owner)
	}
}

// dependentsOf are the objects that refer to an owner, by kind, namespace and name.
func (c *collector) dependentsOf(owner types.UID) []*gcNode {
	var found []*gcNode
	for uid := range c.dependents[owner] {
		found = append(found, c.nodes[uid])
	}
	slices.SortFunc(found, func(a, b *gcNode) int {
		return cmp.Or(cmp.Compare(a.resource.Kind, b.resource.Kind), cmp.Compare(a.GetNamespace(), b.GetNamespace()),
			cmp.Compare(a.GetName(), b.GetName()), cmp.Compare(a.GetUID(), b.GetUID()))
	})
	return found
}

func (c *collector) Observe(e apiserver.Event) {
	if ignored(e.Resource) {
		return
	}
	o := subject(e)
	if e.Type == watch.Deleted {
		c.remove(o)
		return
	}
	before := c.put(e.Resource, o)
	refs := o.GetOwnerReferences()
	for _, ref := range refs {
		if !slices.ContainsFunc(before, func(was metav1.OwnerReference) bool { return was.UID == ref.UID }) && !c.present(c.nodes[o.GetUID()], ref) {
			c.soon("delete/" + string(o.GetUID()))
			break
		}
	}
	for _, was := range before { // an owner that was held back may go now
		i := slices.IndexFunc(refs, func(ref metav1.OwnerReference) bool { return ref.UID == was.UID })
		if blocks(was) && (i < 0 || !blocks(refs[i])) {
			c.soon("delete/" + string(was.UID))
		}
	}
	switch {
	case begins(e.Old, o, metav1.FinalizerOrphanDependents):
		c.soon("orphan/" + string(o.GetUID()))
	case begins(e.Old, o, metav1.FinalizerDeleteDependents):
		for _, dependent := range c.dependentsOf(o.GetUID()) {
			c.soon("delete/" + string(dependent.GetUID()))
		}
		c.soon("delete/" + string(o.GetUID()))
	}
}

func (c *collector) remove(o apiserver.Object) {
	for _, ref := range o.GetOwnerReferences() {
		c.unlink(ref.UID, o.GetUID())
		if owner, ok := c.nodes[ref.UID]; ok && deletesDependents(owner) {
			c.soon("delete/" + string(ref.UID))
		}
	}
	delete(c.nodes, o.GetUID())
	for _, dependent := range c.dependentsOf(o.GetUID()) {
		c.soon("delete/" + string(dependent.GetUID()))
	}
}

func blocks(ref metav1.OwnerReference) bool {
	return ref.BlockOwnerDeletion != nil && *ref.BlockOwnerDeletion
}

// begins says whether a deletion that a finalizer holds begins with this change.
func begins(old, o apiserver.Object, finalizer string) bool {
	held := func(o apiserver.Object) bool {
		return o.GetDeletionTimestamp() != nil && slices.Contains(o.GetFinalizers(), finalizer)
	}
	return held(o) && (old == nil || !held(old))
}

// deletesDependents says whether an object waits for its dependents to be deleted.
func deletesDependents(o metav1.Object) bool {
	return o.GetDeletionTimestamp() != nil && slices.Contains(o.GetFinalizers(), metav1.FinalizerDeleteDependents)
}

func (c *collector) Resync() {
	c.fill()
	for _, r := range c.Client.Resources() {
		if ignored(r) {
			continue
		}
		for _, o := range c.Client.All(r, "") {
			if o.GetDeletionTimestamp() != nil && slices.Contains(o.GetFinalizers(), metav1.FinalizerOrphanDependents) {
				c.soon("orphan/" + string(o.GetUID()))
			} else if len(o.GetOwnerReferences()) > 0 || deletesDependents(o) {
				c.soon("delete/" + string(o.GetUID()))
			}
		}
	}
}

func (c *collector) Sync(key string) error {
	what, uid, _ := strings.Cut(key, "/")
	n, ok := c.nodes[types.UID(uid)]
	switch {
	case !ok:
		return nil
	case what == "orphan":
		return c.orphan(n)
	case deletesDependents(n):
		return c.waitForDependents(n)
	case n.GetDeletionTimestamp() == nil && len(n.GetOwnerReferences()) > 0:
		return c.attemptToDelete(n)
	}
	return nil
}

// present says whether the owner that a reference names is there. A reference to a kind that is not served, or
// from a cluster-wide object to one of a namespace, is not judged: it counts as present.
func (c *collector) present(n *gcNode, ref metav1.OwnerReference) bool {
	r, served := c.kinds[ref.APIVersion+" "+ref.Kind]
	if !served || r.Namespaced && !n.resource.Namespaced {
		return true
	}
	owner, ok := c.nodes[ref.UID]
	return ok && owner.resource == r && owner.GetName() == ref.Name && (!r.Namespaced || owner.GetNamespace() == n.GetNamespace())
}

// attemptToDelete deletes an object that has no owner left (attemptToDeleteItem).
func (c *collector) attemptToDelete(n *gcNode) error {
	var dangling, waiting []types.UID
	refs := n.GetOwnerReferences()
	for _, ref := range refs {
		owner, known := c.nodes[ref.UID]
		switch {
		case !c.present(n, ref):
			dangling = append(dangling, ref.UID)
			c.reportWrongNamespace(n, owner, ref)
		case known && deletesDependents(owner):
			waiting = append(waiting, ref.UID)
		}
	}
	gone := append(dangling, waiting...)
	switch {
	case len(gone) == 0:
		return nil
	case len(gone) < len(refs):
		return c.decided(garbageCollector, n.ref(), trace.Decision{What: RemoveOwners, Desired: int64(len(refs) - len(gone)), Actual: int64(len(refs)), Count: int64(len(gone))},
			func() error { return c.dropOwners(n, gone...) })
	case len(waiting) > 0 && len(c.dependents[n.GetUID()]) > 0:
		if err := c.breakCycle(n); err != nil {
			return err
		}
		return c.delete(n, metav1.DeletePropagationForeground)
	case slices.Contains(n.GetFinalizers(), metav1.FinalizerOrphanDependents):
		return c.delete(n, metav1.DeletePropagationOrphan)
	case slices.Contains(n.GetFinalizers(), metav1.FinalizerDeleteDependents):
		return c.delete(n, metav1.DeletePropagationForeground)
	}
	return c.delete(n, metav1.DeletePropagationBackground)
}

func (n *gcNode) ref() trace.Ref { return refTo(n.resource.Kind, n) }

func (c *collector) reportWrongNamespace(n, owner *gcNode, ref metav1.OwnerReference) {
	if owner == nil || !owner.resource.Namespaced || owner.GetNamespace() == n.GetNamespace() {
		return
	}
	identity := fmt.Sprintf("[%s/%s, namespace: %s, name: %s, uid: %s]", ref.APIVersion, ref.Kind, n.GetNamespace(), ref.Name, ref.UID)
	c.Client.Emit(n.Object, corev1.EventTypeWarning, "OwnerRefInvalidNamespace",
		fmt.Sprintf("ownerRef %s does not exist in namespace %q", identity, n.GetNamespace()))
}

// breakCycle lets an object not hold back its owners, where one of its dependents waits for its own.
func (c *collector) breakCycle(n *gcNode) error {
	if !slices.ContainsFunc(c.dependentsOf(n.GetUID()), func(d *gcNode) bool { return deletesDependents(d) }) {
		return nil
	}
	return c.change(n, func(o apiserver.Object) {
		refs := slices.Clone(o.GetOwnerReferences())
		for i := range refs {
			no := false
			refs[i].BlockOwnerDeletion = &no
		}
		o.SetOwnerReferences(refs)
	})
}

func (c *collector) delete(n *gcNode, policy metav1.DeletionPropagation) error {
	uid := n.GetUID()
	d := trace.Decision{What: Collect, Count: 1, Note: string(policy)}
	if refs := n.GetOwnerReferences(); len(refs) > 0 {
		d.Target = trace.Ref{Kind: refs[0].Kind, Namespace: n.GetNamespace(), Name: refs[0].Name, UID: refs[0].UID}
	}
	return c.decided(garbageCollector, n.ref(), d, func() error {
		return gone(c.Client.Delete(n.Object, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid}, PropagationPolicy: &policy}))
	})
}

// waitForDependents lets an owner go that no dependent holds back any more (processDeletingDependentsItem).
func (c *collector) waitForDependents(n *gcNode) error {
	held := false
	for _, dependent := range c.dependentsOf(n.GetUID()) {
		if !slices.ContainsFunc(dependent.GetOwnerReferences(), func(ref metav1.OwnerReference) bool { return ref.UID == n.GetUID() && blocks(ref) }) {
			continue
		}
		held = true
		if dependent.GetDeletionTimestamp() == nil {
			c.soon("delete/" + string(dependent.GetUID()))
		}
	}
	if held {
		return nil
	}
	return c.decided(garbageCollector, n.ref(), trace.Decision{What: Finalize, Note: metav1.FinalizerDeleteDependents},
		func() error { return c.dropFinalizer(n, metav1.FinalizerDeleteDependents) })
}

// orphan makes an object's dependents forget it, and lets it go.
func (c *collector) orphan(n *gcNode) error {
	if n.GetDeletionTimestamp() == nil || !slices.Contains(n.GetFinalizers(), metav1.FinalizerOrphanDependents) {
		return nil
	}
	dependents := c.dependentsOf(n.GetUID())
	return c.decided(garbageCollector, n.ref(), trace.Decision{What: Orphan, Count: int64(len(dependents))}, func() error {
		for _, dependent := range dependents {
			if err := c.dropOwners(dependent, n.GetUID()); err != nil {
				return err
			}
		}
		return c.dropFinalizer(n, metav1.FinalizerOrphanDependents)
	})
}

func (c *collector) dropOwners(n *gcNode, owners ...types.UID) error {
	return c.change(n, func(o apiserver.Object) { o.SetOwnerReferences(withoutOwners(o.GetOwnerReferences(), owners...)) })
}

func (c *collector) dropFinalizer(n *gcNode, finalizer string) error {
	return c.change(n, func(o apiserver.Object) {
		o.SetFinalizers(slices.DeleteFunc(slices.Clone(o.GetFinalizers()), func(f string) bool { return f == finalizer }))
	})
}

func (c *collector) change(n *gcNode, change func(apiserver.Object)) error {
	fresh := n.DeepCopyObject().(apiserver.Object)
	change(fresh)
	_, err := c.Client.Update(fresh)
	return gone(err)
}
