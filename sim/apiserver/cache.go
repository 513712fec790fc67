package apiserver

import (
	"iter"
	"strings"

	"github.com/tidwall/btree"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// index is objects in the order of their keys.
type index = btree.Map[string, Object]

// cache is the present state of one resource, decoded: what every informer of the
// cluster would hold. Its objects are shared and never changed.
type cache struct {
	all     index
	open    func(key string) Object // set: all has keys alone, and objects are decoded each time they are asked for
	byOwner map[types.UID]*index    // by the controller among the owners
	byNode  map[string]*index       // of pods only
}

func newCache() *cache { return &cache{byOwner: map[types.UID]*index{}} }

func cacheKey(namespace, name string) string { return namespace + "/" + name }

func keyOf(o Object) string { return cacheKey(o.GetNamespace(), o.GetName()) }

func (c *cache) get(namespace, name string) (Object, bool) {
	key := cacheKey(namespace, name)
	o, ok := c.all.Get(key)
	if ok && c.open != nil {
		o = c.open(key)
		ok = o != nil
	}
	return o, ok
}

func (c *cache) has(namespace, name string) bool {
	_, ok := c.all.Get(cacheKey(namespace, name))
	return ok
}

// put takes in an object under its key: see Resource.within.
func (c *cache) put(key string, o Object) {
	if c.open != nil {
		c.all.Set(key, nil)
		return
	}
	if old, ok := c.all.Set(key, o); ok {
		c.unlist(key, old, o)
	}
	if owner := metav1.GetControllerOfNoCopy(o); owner != nil {
		listIn(c.byOwner, owner.UID, key, o)
	}
	if c.byNode != nil {
		listIn(c.byNode, o.(*corev1.Pod).Spec.NodeName, key, o)
	}
}

func (c *cache) remove(o Object) {
	key := keyOf(o)
	if old, ok := c.all.Delete(key); ok && old != nil {
		c.unlist(key, old, nil)
	}
}

// unlist takes old out of the indexes that next, if any, will not stand in.
func (c *cache) unlist(key string, old, next Object) {
	if owner := metav1.GetControllerOfNoCopy(old); owner != nil {
		if n := controllerOf(next); n == nil || n.UID != owner.UID {
			unlistFrom(c.byOwner, owner.UID, key)
		}
	}
	if c.byNode != nil {
		node := old.(*corev1.Pod).Spec.NodeName
		if next == nil || next.(*corev1.Pod).Spec.NodeName != node {
			unlistFrom(c.byNode, node, key)
		}
	}
}

func controllerOf(o Object) *metav1.OwnerReference {
	if o == nil {
		return nil
	}
	return metav1.GetControllerOfNoCopy(o)
}

func listIn[K comparable](by map[K]*index, k K, key string, o Object) {
	x := by[k]
	if x == nil {
		x = &index{}
		by[k] = x
	}
	x.Set(key, o)
}

func unlistFrom[K comparable](by map[K]*index, k K, key string) {
	x := by[k]
	if x == nil {
		return
	}
	if x.Delete(key); x.Len() == 0 {
		delete(by, k)
	}
}

// in yields the objects of a namespace, or of all for "", in the order of keys.
// What is yielded is the state at the call: the caller may write while it reads.
func (c *cache) in(namespace string) []Object {
	if namespace == "" && c.open == nil {
		return c.all.Values()
	}
	var found []Object
	prefix := ""
	if namespace != "" {
		prefix = namespace + "/"
	}
	c.all.Ascend(prefix, func(key string, o Object) bool {
		if !strings.HasPrefix(key, prefix) {
			return false
		}
		if c.open != nil {
			o = c.open(key)
		}
		if o != nil {
			found = append(found, o)
		}
		return true
	})
	return found
}

func typed[T Object](objects []Object) iter.Seq[T] {
	return func(yield func(T) bool) {
		for _, o := range objects {
			if !yield(o.(T)) {
				return
			}
		}
	}
}

func values(x *index) []Object {
	if x == nil {
		return nil
	}
	return x.Values()
}
