// Package etcd is a multi-version key-value store with etcd's semantics: one
// revision for the whole store, transactions (compare, then, else), prefix
// ranges at any revision still kept, watches from a revision, leases,
// compaction. It lives in memory; it hands out what changed since it was last
// saved, and loads that back, as etcd keeps it in its own file: revision → key
// and value. It knows nothing of Kubernetes, starts nothing and reads no clock.
package etcd
