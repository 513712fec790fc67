package apiserver

import (
	"fmt"
	"iter"
	"reflect"
	"slices"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

// Client is the API for a component of the cluster: typed objects, under the
// component's own identity, through the same stages as a request over HTTP. What
// it reads is the component's informer cache, always current. It does not change
// the objects that it is given. Errors are *errors.StatusError of apimachinery.
type Client struct {
	server *Server
	user   User
}

// Client is the API under an identity.
func (s *Server) Client(u User) *Client { return &Client{s, u} }

// Create stores a new object and returns it as stored.
func (c *Client) Create(o Object) (Object, error) {
	return c.Give(copyOf(o))
}

// Give is Create of an object that is the server's from then on: nobody may change it, or what it points to, any more.
func (c *Client) Give(o Object) (Object, error) {
	r, err := c.server.requestFor(c.user, "create", o)
	if err != nil {
		return nil, err
	}
	r.object = o
	return c.server.create(r)
}

// Update stores spec and metadata. A resourceVersion that is not the present one is a conflict.
func (c *Client) Update(o Object) (Object, error) { return c.update(o, "") }

// UpdateStatus stores the status, and nothing else.
func (c *Client) UpdateStatus(o Object) (Object, error) { return c.update(o, "status") }

// GiveStatus is UpdateStatus of a pod with a status that is the server's from then on: nobody may change what it points to
// any more. Kubelets write many of them, and they are large.
func (c *Client) GiveStatus(pod *corev1.Pod, status *corev1.PodStatus) (Object, error) {
	r, err := c.server.requestFor(c.user, "update", pod)
	if err != nil {
		return nil, err
	}
	r.subresource = "status"
	return c.server.update(r, func(old Object) (Object, error) {
		return podWithStatus(pod, old, status), nil
	})
}

// Finalize stores a namespace's spec.finalizers.
func (c *Client) Finalize(o *corev1.Namespace) (Object, error) { return c.update(o, "finalize") }

func (c *Client) update(o Object, subresource string) (Object, error) {
	r, err := c.server.requestFor(c.user, "update", o)
	if err != nil {
		return nil, err
	}
	r.subresource = subresource
	return c.server.update(r, func(old Object) (Object, error) {
		if subresource == "status" && r.resource.CopyForStatus != nil {
			return r.resource.CopyForStatus(o, old), nil
		}
		return copyOf(o), nil
	})
}

// Delete removes an object, or begins to: graceful and finalized deletions end later.
func (c *Client) Delete(o Object, options metav1.DeleteOptions) error {
	r, err := c.server.requestFor(c.user, "delete", o)
	if err != nil {
		return err
	}
	_, _, err = c.server.delete(r, &options)
	return err
}

// Evict deletes a pod as pods/eviction does: if its disruption budget allows it. Where it does not, the error is a
// TooManyRequests.
func (c *Client) Evict(pod *corev1.Pod) error {
	r, err := c.server.requestFor(c.user, "create", pod)
	if err != nil {
		return err
	}
	r.subresource = "eviction"
	severe, err := c.server.evict(r, &metav1.DeleteOptions{})
	if severe != nil {
		return &apierrors.StatusError{ErrStatus: *severe}
	}
	return err
}

// Bind places a pod on a node.
func (c *Client) Bind(pod *corev1.Pod, node string) error {
	r, err := c.server.requestFor(c.user, "create", pod)
	if err != nil {
		return err
	}
	r.subresource = "binding"
	_, err = c.server.bind(r, &corev1.Binding{
		ObjectMeta: metav1.ObjectMeta{Namespace: pod.Namespace, Name: pod.Name, UID: pod.UID},
		Target:     corev1.ObjectReference{Kind: "Node", Name: node},
	})
	return err
}

// Scale is an object of a kind that can be scaled, with its scale. An error that is NotFound: there is no such
// object; another: its kind has no scale.
func (c *Client) Scale(gk schema.GroupKind, namespace, name string) (Object, *autoscalingv1.Scale, error) {
	r, err := c.scaleRequest("get", gk, namespace, name)
	if err != nil {
		return nil, nil, err
	}
	if !allowed(c.user, r.verb, gk.Group, r.qualified()) {
		return nil, nil, forbidden(r)
	}
	o, ok := c.server.caches[r.resource].get(namespace, name)
	if !ok {
		return nil, nil, notFound(r)
	}
	scale, err := scaleOf(o)
	return o, scale, err
}

// SetScale changes the replicas that an object wants.
func (c *Client) SetScale(gk schema.GroupKind, namespace, name string, replicas int32) error {
	r, err := c.scaleRequest("update", gk, namespace, name)
	if err != nil {
		return err
	}
	_, err = c.server.update(r, func(old Object) (Object, error) {
		r.subresource = "" // allowed as a scale; from here on a change of the object itself
		o := copyOf(old)
		field, err := replicasOf(o)
		if err == nil {
			field.Set(reflect.ValueOf(&replicas))
		}
		return o, err
	})
	return err
}

func (c *Client) scaleRequest(verb string, gk schema.GroupKind, namespace, name string) (*request, error) {
	for _, resource := range c.server.resources {
		if resource.Group != gk.Group || resource.Kind != gk.Kind {
			continue
		}
		if !slices.Contains(resource.Subresources, "scale") {
			return nil, fmt.Errorf("%s does not implement the scale subresource", resource.GroupResource())
		}
		return &request{user: c.user, verb: verb, resource: resource, subresource: "scale", namespace: namespace, name: name}, nil
	}
	return nil, &apimeta.NoKindMatchError{GroupKind: gk}
}

func copyOf(o Object) Object { return o.DeepCopyObject().(Object) }

// Get is an object by its name; namespace "" for what has none. It is the object as stored, without the
// heartbeats that are not written: those are Live's.
func Get[T Object](c *Client, namespace, name string) (T, bool) {
	var none T
	o, ok := cacheOf[T](c).get(namespace, name)
	if !ok {
		return none, false
	}
	return o.(T), true
}

// Live is an object as a request over HTTP sees it: a Lease or a Node with its latest heartbeat, written or not.
func Live[T Object](c *Client, namespace, name string) (T, bool) {
	o, ok := Get[T](c, namespace, name)
	if !ok {
		return o, false
	}
	return c.server.live(o).(T), true
}

// List yields the objects of a namespace ("" for all) in the order of their keys.
func List[T Object](c *Client, namespace string) iter.Seq[T] {
	return typed[T](cacheOf[T](c).in(namespace))
}

// Owned yields the objects whose controller, among their owners, has that UID.
func Owned[T Object](c *Client, owner types.UID) iter.Seq[T] {
	return typed[T](values(cacheOf[T](c).byOwner[owner]))
}

// PodsOn yields the pods placed on a node.
func PodsOn(c *Client, node string) iter.Seq[*corev1.Pod] {
	return typed[*corev1.Pod](values(c.server.pods.byNode[node]))
}

// Serves says that the API has the kind of a type.
func Serves[T Object](c *Client) bool {
	_, ok := c.server.byType[reflect.TypeFor[T]()]
	return ok
}

// Count is how many objects of a type there are.
func Count[T Object](c *Client) int { return cacheOf[T](c).all.Len() }

func cacheOf[T Object](c *Client) *cache {
	return c.server.caches[c.server.byType[reflect.TypeFor[T]()]]
}

// live shows an object with what is current without being written.
func (s *Server) live(o Object) Object {
	if s.cfg.Live == nil {
		return o
	}
	return s.cfg.Live(o)
}

// Lookup is an object by its kind's name.
func (c *Client) Lookup(gk schema.GroupKind, namespace, name string) (Object, bool) {
	for _, resource := range c.server.resources {
		if resource.Group == gk.Group && resource.Kind == gk.Kind {
			return c.server.caches[resource].get(namespace, name)
		}
	}
	return nil, false
}

// Controlled are the objects, pods left out, whose controller has that UID.
func (c *Client) Controlled(owner types.UID) (all []Object) {
	for _, resource := range c.server.resources {
		if cache := c.server.caches[resource]; cache != c.server.pods && resource.TTL == 0 {
			all = append(all, values(cache.byOwner[owner])...)
		}
	}
	return all
}
