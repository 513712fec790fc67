package apiserver

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apimachinery/pkg/watch"

	"timonier/sim/etcd"
	"timonier/sim/trace"
)

// allocate hands out what the resource has the server hand out.
func (s *Server) allocate(r *request, o, old Object) error {
	if r.resource.Allocate == nil || r.subresource != "" {
		return nil
	}
	if errs := r.resource.Allocate(s, o, old); len(errs) > 0 {
		return apierrors.NewInvalid(r.resource.GroupVersionKind().GroupKind(), o.GetName(), errs)
	}
	return nil
}

// validateNew is the validation of a creation.
func (s *Server) validateNew(r *request, o Object) error {
	path := field.NewPath("metadata")
	errs := r.resource.validateMetadata(o, path)
	if r.resource.Validate != nil {
		errs = append(errs, r.resource.Validate(o)...)
	}
	if len(errs) > 0 {
		return apierrors.NewInvalid(r.resource.GroupVersionKind().GroupKind(), o.GetName(), errs)
	}
	return nil
}

func (r *Resource) validName(name string, prefix bool) []string {
	if r.ValidName != nil {
		return r.ValidName(name, prefix)
	}
	return apivalidation.NameIsDNSSubdomain(name, prefix)
}

// validateChange is the validation of an update, of the status or of the rest.
func (s *Server) validateChange(r *request, old, o Object) error {
	var errs field.ErrorList
	if !sameMetadata(o, old) { // what is there has been validated: most writes are of a status alone
		path := field.NewPath("metadata")
		errs = r.resource.validateMetadata(o, path)
		errs = append(errs, apivalidation.ValidateObjectMetaAccessorUpdate(o, old, path)...)
	}
	switch {
	case r.subresource == "status":
		if r.resource.ValidateStatus != nil {
			errs = append(errs, r.resource.ValidateStatus(o, old)...)
		}
	case r.resource.ValidateUpdate != nil:
		errs = append(errs, r.resource.ValidateUpdate(o, old)...)
	}
	if len(errs) > 0 {
		return apierrors.NewInvalid(r.resource.GroupVersionKind().GroupKind(), o.GetName(), errs)
	}
	return nil
}

// write is the commit of a creation (old nil) or a change, and tells the watchers. A change that changes
// nothing is not written, as in the real server.
func (s *Server) write(r *request, old, o Object) (Object, error) {
	value, err := s.encode(o)
	if err != nil {
		return nil, apierrors.NewInternalError(fmt.Errorf("encode %s: %w", r.name, err))
	}
	if err := s.withinLimits(r, old, value); err != nil {
		return nil, s.refuse(r, trace.Committed, err)
	}
	key := r.resource.key(o.GetNamespace(), o.GetName())
	verb, event, was := "create", watch.Added, int64(0)
	if old != nil {
		verb, event = "update", watch.Modified
		if old.GetDeletionTimestamp() == nil && o.GetDeletionTimestamp() != nil {
			verb = "terminate"
		}
		if present, ok := s.cfg.Store.Get(key); ok {
			if bytes.Equal(present.Value, value) {
				return old, nil
			}
			key, was = present.Key, present.ModRev // one copy of the key
		}
	}
	rev, err := s.put(r, key, value, was)
	if err != nil {
		return nil, s.refuse(r, trace.Committed, err)
	}
	o.SetResourceVersion(strconv.FormatInt(rev, 10))
	s.caches[r.resource].put(r.resource.within(key), o)
	if old == nil {
		s.account(r.resource, r.resource.within(key), o, +1)
	} else if e, ok := o.(*corev1.Event); ok {
		s.events.replace(r.resource.within(key), old.(*corev1.Event), e)
	}
	step := s.committed(r, o, verb, key, rev)
	s.announce(Event{Type: event, Resource: r.resource, Old: old, New: o, Revision: rev, Step: step})
	return o, nil
}

// put writes to etcd if the key is still at the revision seen; 0: if it is not there.
func (s *Server) put(r *request, key string, value []byte, was int64) (int64, error) {
	lease, err := s.lease(r.resource)
	if err != nil {
		return 0, storeError(err)
	}
	got, err := s.cfg.Store.Txn(etcd.Txn{
		If:   []etcd.Cmp{{Key: key, Target: etcd.ModRev, Relation: etcd.Equal, Int: was}},
		Then: []etcd.Op{etcd.OpPut(key, value, lease)},
	})
	switch {
	case err != nil:
		return 0, storeError(err)
	case !got.Succeeded && was == 0:
		return 0, apierrors.NewAlreadyExists(r.resource.GroupResource(), r.name)
	case !got.Succeeded:
		return 0, apierrors.NewConflict(r.resource.GroupResource(), r.name,
			fmt.Errorf("the object has been modified; please apply your changes to the latest version and try again"))
	}
	s.catchUp(got.Rev)
	return got.Rev, nil
}

// remove is the commit of a deletion; last is the state that watchers see.
func (s *Server) remove(r *request, old, last Object) (Object, error) {
	key := r.resource.key(old.GetNamespace(), old.GetName())
	rev, _, err := s.cfg.Store.Delete(key, "")
	if err != nil {
		return nil, s.refuse(r, trace.Committed, storeError(err))
	}
	s.catchUp(rev)
	if last == old {
		last = copyOf(old)
	}
	last.SetResourceVersion(strconv.FormatInt(rev, 10))
	s.caches[r.resource].remove(old)
	s.account(r.resource, r.resource.within(key), old, -1)
	step := s.committed(r, last, "delete", key, rev)
	s.announce(Event{Type: watch.Deleted, Resource: r.resource, Old: old, New: last, Revision: rev, Step: step})
	return last, nil
}

// forget follows a deletion that etcd made by itself, at the end of a lease.
func (s *Server) forget(r *Resource, o Object) {
	s.caches[r].remove(o)
	s.account(r, keyOf(o), o, -1)
	s.announce(Event{Type: watch.Deleted, Resource: r, Old: o, New: o, Revision: s.cfg.Store.Rev()})
}

// committed leaves the step of a write. Events are what a person reads beside the trace, not a part of it.
func (s *Server) committed(r *request, o Object, verb, key string, rev int64) uint64 {
	if r.resource.TTL > 0 {
		return 0
	}
	return s.cfg.Trace.Add(trace.Step{
		At: s.Now(), Actor: r.user.Agent, Kind: trace.Committed, Object: ref(r.resource, o), Revision: rev,
		Detail: trace.Commit{Verb: verb, Key: key, Subresource: r.subresource},
	})
}

// announce is the last stage: the watchers see the change, and what they do next is because of it.
func (s *Server) announce(e Event) {
	before := s.cfg.Trace.Cause()
	if e.Step != 0 {
		s.cfg.Trace.Because(e.Step)
	}
	for _, see := range s.observers {
		see(e)
	}
	s.cfg.Trace.Because(before)
}

// withinLimits bounds what a cluster holds: a channel's cluster is for learning, and shares a machine.
func (s *Server) withinLimits(r *request, old Object, value []byte) error {
	limits := s.cfg.Limits
	if len(value) > limits.ObjectBytes {
		return apierrors.NewRequestEntityTooLargeError(fmt.Sprintf("object is %d bytes, limit is %d", len(value), limits.ObjectBytes))
	}
	const small = 4 << 10 // what a component writes of a status, or of a deletion
	if (old == nil || len(value) > small) && s.cfg.Store.Used()+int64(len(value)) > int64(limits.Bytes) {
		return storeError(etcd.ErrNoSpace) // as etcd says it at its own quota; there is no alarm to take back
	}
	if old != nil {
		return nil
	}
	over := func(have, limit int, what string) error {
		if have < limit {
			return nil
		}
		return apierrors.NewForbidden(r.resource.GroupResource(), r.name, fmt.Errorf("this cluster is limited to %d %s", limit, what))
	}
	n := s.caches[r.resource].all.Len()
	if r.resource.TTL > 0 { // events go by themselves, and a pod has five or so
		return over(n, 5*limits.Objects, r.resource.Resource)
	}
	switch r.resource.Kind {
	case "Node":
		if err := over(n, limits.Nodes, "nodes"); err != nil {
			return err
		}
	case "Pod":
		if err := over(n, limits.Pods, "pods"); err != nil {
			return err
		}
	}
	return over(s.objects, limits.Objects, "objects")
}

// newUID is a random UUID, version 4, from the cluster's own generator.
func (s *Server) newUID() types.UID {
	var b [16]byte
	hi, lo := s.cfg.Rand.Uint64(), s.cfg.Rand.Uint64()
	for i := range 8 {
		b[i], b[8+i] = byte(hi>>(8*i)), byte(lo>>(8*i))
	}
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	text := make([]byte, 0, 36)
	for i, x := range b {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			text = append(text, '-')
		}
		text = hex.AppendEncode(text, []byte{x})
	}
	return types.UID(text)
}
