package apiserver

// Resources are the rows of the table of kinds, in its order.
func (c *Client) Resources() []*Resource { return c.server.Resources() }

// All are the objects of a resource in a namespace ("" for all), in the order of
// their keys: for those who work on any kind, as the garbage collector does.
func (c *Client) All(r *Resource, namespace string) []Object { return c.server.caches[r].in(namespace) }

// Stored is an object by its name, as it was last written: without the heartbeats
// that Get shows, and without the copy that they cost.
func Stored[T Object](c *Client, namespace, name string) (T, bool) {
	var none T
	o, ok := cacheOf[T](c).get(namespace, name)
	if !ok {
		return none, false
	}
	return o.(T), true
}
