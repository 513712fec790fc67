package apiserver

// Resources are the rows of the table of kinds, in its order.
func (c *Client) Resources() []*Resource { return c.server.Resources() }

// All are the objects of a resource in a namespace ("" for all), in the order of
// their keys: for those who work on any kind, as the garbage collector does.
func (c *Client) All(r *Resource, namespace string) []Object { return c.server.caches[r].in(namespace) }
