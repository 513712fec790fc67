package apiserver

import (
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"timonier/sim/trace"
)

// request is one request on its way through the stages.
type request struct {
	user        User
	verb        string // create, update, patch, delete, get, list, watch, deletecollection
	resource    *Resource
	subresource string
	namespace   string
	name        string
	object      Object // what is to be created
	dryRun      bool
	// detailed has every stage leave its step in the trace. A person's requests
	// are; those of components leave the write and the refusal only, as thousands
	// of identical steps would drive out the ones worth reading.
	detailed bool
	// track, where set, keeps metadata.managedFields; what mutating admission adds belongs to nobody. live is nil at creation.
	track func(live, o Object) (Object, error)
	// warnings are sent back in Warning headers.
	warnings []string
}

// requestFor is the request of a component about an object.
func (s *Server) requestFor(u User, verb string, o Object) (*request, error) {
	r, ok := s.ResourceOf(o)
	if !ok {
		return nil, apierrors.NewInternalError(fmt.Errorf("%T is not served", o))
	}
	return &request{user: u, verb: verb, resource: r, namespace: o.GetNamespace(), name: o.GetName()}, nil
}

// qualified is the resource as it is written in a rule: pods/binding.
func (r *request) qualified() string {
	name := r.resource.Resource
	if r.subresource != "" {
		name += "/" + r.subresource
	}
	return name
}

func (r *request) ref() trace.Ref {
	return trace.Ref{Kind: r.resource.Kind, Namespace: r.namespace, Name: r.name}
}

// begin is the first two stages: who asks, and may they?
func (s *Server) begin(r *request) error {
	if s.down {
		return ErrDown
	}
	if r.detailed {
		s.note(r, trace.Received, trace.Request{
			Verb: r.verb, Resource: r.resource.GroupResource().String(), Subresource: r.subresource, DryRun: r.dryRun})
	}
	if r.user.Name == "" {
		return s.refuse(r, trace.Authenticated, apierrors.NewUnauthorized("Unauthorized"))
	}
	if r.detailed {
		s.note(r, trace.Authenticated, trace.Identity{User: r.user.Name, Groups: r.user.Groups})
	}
	if yes, _ := s.allows(r.user, r.attributes()); !yes {
		return s.refuse(r, trace.Authorized, forbidden(r))
	}
	s.note(r, trace.Authorized, nil)
	return nil
}

// attributes are what the request wants to do.
func (r *request) attributes() attributes {
	return attributes{verb: r.verb, group: r.resource.Group, resource: r.qualified(), namespace: r.namespace, name: r.name}
}

// forbidden words a refusal as the RBAC authoriser does.
func forbidden(r *request) error {
	return denied(r.resource.GroupResource(), r.name, r.user, r.attributes())
}

// warn adds what is to be said of an object that is accepted.
func (r *request) warn(o, old Object) {
	if r.resource.Warn != nil && r.subresource == "" && r.detailed {
		r.warnings = append(r.warnings, r.resource.Warn(o, old)...)
	}
}

// note leaves a stage's step, and makes it the cause of what follows.
func (s *Server) note(r *request, kind trace.Kind, detail any) {
	if !r.detailed {
		return
	}
	id := s.cfg.Trace.Add(trace.Step{At: s.Now(), Actor: "kube-apiserver", Kind: kind, Object: r.ref(), Detail: detail})
	s.cfg.Trace.Because(id)
}

// refuse leaves the step of a refusal and returns the error.
func (s *Server) refuse(r *request, stage trace.Kind, err error) error {
	status := apierrors.APIStatus(nil)
	detail := trace.Refusal{Stage: stage, Message: err.Error()}
	if as, ok := err.(apierrors.APIStatus); ok {
		status = as
		detail.Reason, detail.Code = string(status.Status().Reason), status.Status().Code
	}
	s.cfg.Trace.Add(trace.Step{At: s.Now(), Actor: "kube-apiserver", Kind: trace.Refused, Object: r.ref(), Detail: detail})
	return err
}

// staged runs one request with the trace's cause put back at its end.
func (s *Server) staged(stages func() (Object, error)) (Object, error) {
	before := s.cfg.Trace.Cause()
	defer s.cfg.Trace.Because(before)
	return stages()
}

func notFound(r *request) error {
	return apierrors.NewNotFound(r.resource.GroupResource(), r.name)
}

// create takes r.object, which it owns, through all stages.
func (s *Server) create(r *request) (Object, error) {
	return s.staged(func() (Object, error) {
		if err := s.begin(r); err != nil {
			return nil, err
		}
		o := r.object
		o.GetObjectKind().SetGroupVersionKind(r.resource.GroupVersionKind())
		if err := s.prepareMetadata(r, o); err != nil {
			return nil, s.refuse(r, trace.Decoded, err)
		}
		s.fillDefaults(r, o)
		if r.track != nil {
			tracked, err := r.track(nil, o)
			if err != nil {
				return nil, s.refuse(r, trace.Decoded, err)
			}
			o = tracked
		}
		if err := s.mutate(r, o, nil); err != nil {
			return nil, err
		}
		if r.resource.PrepareForCreate != nil {
			r.resource.PrepareForCreate(o)
		}
		if err := s.allocate(r, o, nil); err != nil {
			return nil, s.refuse(r, trace.Validated, err)
		}
		if err := s.validateNew(r, o); err != nil {
			return nil, s.refuse(r, trace.Validated, err)
		}
		r.warn(o, nil)
		s.note(r, trace.Validated, nil)
		if err := s.admit(r, o, nil); err != nil {
			return nil, err
		}
		if s.caches[r.resource].has(o.GetNamespace(), o.GetName()) {
			return nil, s.refuse(r, trace.Committed, alreadyExists(r, o))
		}
		if r.dryRun {
			return o, nil
		}
		return s.write(r, nil, o)
	})
}

func alreadyExists(r *request, o Object) error {
	if o.GetGenerateName() != "" && r.name == "" {
		return apierrors.NewGenerateNameConflict(r.resource.GroupResource(), o.GetName(), 1)
	}
	return apierrors.NewAlreadyExists(r.resource.GroupResource(), o.GetName())
}

// prepareMetadata fills in what the server alone decides (registry/rest: FillObjectMetaSystemFields, names.go).
func (s *Server) prepareMetadata(r *request, o Object) error {
	if o.GetResourceVersion() != "" {
		return apierrors.NewBadRequest("resourceVersion should not be set on objects to be created")
	}
	switch namespace := o.GetNamespace(); {
	case !r.resource.Namespaced:
		o.SetNamespace("")
	case namespace == "":
		o.SetNamespace(r.namespace)
	case namespace != r.namespace:
		return apierrors.NewBadRequest("the namespace of the provided object does not match the namespace sent on the request")
	}
	if o.GetName() == "" && o.GetGenerateName() != "" {
		o.SetName(s.generateName(o.GetGenerateName()))
	}
	o.SetCreationTimestamp(metav1.NewTime(s.Now().Truncate(1e9))) // seconds, as the wire has them
	o.SetUID(s.newUID())
	o.SetDeletionTimestamp(nil)
	o.SetDeletionGracePeriodSeconds(nil)
	o.SetSelfLink("")
	return nil
}

// fillDefaults is the decoding stage's second half, and says in the trace what it filled in.
func (s *Server) fillDefaults(r *request, o Object) {
	if r.resource.Default == nil {
		s.note(r, trace.Decoded, trace.Defaults{})
		return
	}
	if !r.detailed {
		r.resource.Default(o)
		return
	}
	before := copyOf(o)
	r.resource.Default(o)
	s.note(r, trace.Decoded, trace.Defaults{Fields: changedFields(before, o)})
}

// update takes what transform makes of the present object through all stages. A PUT's transform returns the
// new object; a patch's changes a copy. What transform returns is owned by update.
func (s *Server) update(r *request, transform func(old Object) (Object, error)) (Object, error) {
	return s.staged(func() (Object, error) {
		if err := s.begin(r); err != nil {
			return nil, err
		}
		old, ok := s.caches[r.resource].get(r.namespace, r.name)
		if !ok {
			return nil, s.refuse(r, trace.Received, notFound(r))
		}
		o, err := transform(old)
		if err != nil {
			return nil, s.refuse(r, trace.Decoded, err)
		}
		return s.change(r, old, o)
	})
}

// change is update from the decoded object on.
func (s *Server) change(r *request, old, o Object) (Object, error) {
	o.GetObjectKind().SetGroupVersionKind(r.resource.GroupVersionKind())
	if err := checkPreconditions(r, old, o); err != nil {
		return nil, s.refuse(r, trace.Decoded, err)
	}
	s.fillDefaults(r, o)
	if r.track != nil {
		tracked, err := r.track(old, o)
		if err != nil {
			return nil, s.refuse(r, trace.Decoded, err)
		}
		o = tracked
	}
	if err := s.mutate(r, o, old); err != nil {
		return nil, err
	}
	if err := s.prepareUpdate(r, old, o); err != nil {
		return nil, s.refuse(r, trace.Validated, err)
	}
	if err := s.validateChange(r, old, o); err != nil {
		return nil, s.refuse(r, trace.Validated, err)
	}
	r.warn(o, old)
	s.note(r, trace.Validated, nil)
	if err := s.admit(r, o, old); err != nil {
		return nil, err
	}
	if r.dryRun {
		return o, nil
	}
	if o.GetDeletionTimestamp() != nil && s.finished(r.resource, o) {
		return s.remove(r, old, o) // the last finalizer has gone
	}
	return s.write(r, old, o)
}

// checkPreconditions compares versions and UIDs (registry/generic/registry/store.go, Update).
func checkPreconditions(r *request, old, o Object) error {
	conflict := func(why string) error {
		return apierrors.NewConflict(r.resource.GroupResource(), r.name, fmt.Errorf("%s", why))
	}
	switch o.GetName() {
	case "":
		o.SetName(r.name)
	case r.name:
	default:
		return apierrors.NewBadRequest(fmt.Sprintf("the name of the object (%s) does not match the name on the URL (%s)", o.GetName(), r.name))
	}
	if r.resource.Namespaced && o.GetNamespace() == "" {
		o.SetNamespace(r.namespace)
	}
	if o.GetNamespace() != old.GetNamespace() && r.resource.Namespaced {
		return apierrors.NewBadRequest("the namespace of the provided object does not match the namespace sent on the request")
	}
	// A patch has no preconditions: what it changes of these is refused as immutable.
	if uid := o.GetUID(); uid != "" && uid != old.GetUID() && r.verb != "patch" {
		return conflict(fmt.Sprintf("Precondition failed: UID in precondition: %v, UID in object meta: %v", uid, old.GetUID()))
	}
	if version := o.GetResourceVersion(); version != "" && version != "0" && version != old.GetResourceVersion() {
		return conflict("the object has been modified; please apply your changes to the latest version and try again")
	}
	return nil
}

// prepareUpdate keeps what an update may not touch (registry/rest/update.go, BeforeUpdate).
func (s *Server) prepareUpdate(r *request, old, o Object) error {
	o.SetGeneration(old.GetGeneration())
	switch {
	case r.subresource == "status" && r.resource.PrepareForStatusUpdate != nil:
		r.resource.PrepareForStatusUpdate(o, old)
	case r.subresource == "" && r.resource.PrepareForUpdate != nil:
		r.resource.PrepareForUpdate(o, old)
	}
	if o.GetResourceVersion() == "" && r.resource.Unconditional || o.GetResourceVersion() == "0" {
		o.SetResourceVersion(old.GetResourceVersion())
	}
	if o.GetUID() == "" {
		o.SetUID(old.GetUID())
	}
	o.SetCreationTimestamp(old.GetCreationTimestamp())
	if t := old.GetDeletionTimestamp(); t != nil {
		o.SetDeletionTimestamp(t)
		if o.GetDeletionGracePeriodSeconds() == nil {
			o.SetDeletionGracePeriodSeconds(old.GetDeletionGracePeriodSeconds())
		}
	}
	return s.allocate(r, o, old)
}

func (s *Server) generateName(base string) string {
	// registry/names: 5 random letters, and no name longer than 63.
	const letters, n = "bcdfghjklmnpqrstvwxz2456789", 5
	if len(base) > 63-n {
		base = base[:63-n]
	}
	var b strings.Builder
	b.WriteString(base)
	for range n {
		b.WriteByte(letters[s.cfg.Rand.IntN(len(letters))])
	}
	return b.String()
}
