package sim

import "timonier/sim/etcd"

// Store is the cluster's etcd, for those who go past the API server: etcdctl. Whatever writes to it does so by
// Etcdctl, so that the API server sees it.
func (c *Cluster) Store() *etcd.Store { return c.store }
