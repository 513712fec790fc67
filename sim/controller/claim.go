package controller

import (
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"timonier/sim/apiserver"
	"timonier/sim/trace"
)

// claimer adopts what a controller's selector matches and nobody owns, and releases
// what it owns and no longer matches (pkg/controller/controller_ref_manager.go).
type claimer struct {
	Env
	actor  string
	kind   string // of the controlling object
	owner  metav1.Object
	ref    metav1.OwnerReference
	object string // kind of what is claimed
	// finalizer, where there is one, is set on what is adopted and taken off what is released.
	finalizer string
}

// claim says whether o, which matches or not, is the owner's now.
func (c claimer) claim(o apiserver.Object, matches bool) (bool, error) {
	if ref := metav1.GetControllerOfNoCopy(o); ref != nil {
		switch {
		case ref.UID != c.owner.GetUID():
			return false, nil
		case matches:
			return true, nil
		case c.owner.GetDeletionTimestamp() != nil:
			return false, nil
		}
		return false, gone(c.change(o, Release, func(o apiserver.Object) {
			o.SetOwnerReferences(withoutOwners(o.GetOwnerReferences(), c.owner.GetUID()))
			o.SetFinalizers(slices.DeleteFunc(o.GetFinalizers(), func(f string) bool { return f == c.finalizer }))
		}))
	}
	if !matches || c.owner.GetDeletionTimestamp() != nil || o.GetDeletionTimestamp() != nil {
		return false, nil
	}
	err := c.change(o, Adopt, func(o apiserver.Object) {
		o.SetOwnerReferences(append(o.GetOwnerReferences(), c.ref))
		if c.finalizer != "" && !slices.Contains(o.GetFinalizers(), c.finalizer) {
			o.SetFinalizers(append(o.GetFinalizers(), c.finalizer))
		}
	})
	return err == nil, gone(err)
}

func (c claimer) change(o apiserver.Object, what string, change func(apiserver.Object)) error {
	fresh := o.DeepCopyObject().(apiserver.Object)
	change(fresh)
	return c.decided(c.actor, refTo(c.kind, c.owner), trace.Decision{What: what, Count: 1, Target: refTo(c.object, o)}, func() error {
		_, err := c.Client.Update(fresh)
		return err
	})
}

// withoutOwners are the references but those to the UIDs given.
func withoutOwners(refs []metav1.OwnerReference, uids ...types.UID) []metav1.OwnerReference {
	return slices.DeleteFunc(slices.Clone(refs), func(r metav1.OwnerReference) bool { return slices.Contains(uids, r.UID) })
}

// gone takes "not found" for done.
func gone(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
