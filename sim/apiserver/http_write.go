package apiserver

import (
	"fmt"
	"net/http"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metav1validation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"timonier/sim/trace"
)

// writing is what creations, updates and patches have in common.
type writing struct {
	manager    string // of fields
	validation string // Strict, Warn, Ignore
	dryRun     bool
}

func (x *exchange) writing(manager, fieldValidation string, dryRun []string) writing {
	if manager == "" {
		manager = agentOf(x.http.UserAgent())
	}
	return writing{manager, directive(fieldValidation), len(dryRun) > 0}
}

// invalidOptions refuses options that are wrong in themselves.
func invalidOptions(kind string, errs field.ErrorList) error {
	if len(errs) == 0 {
		return nil
	}
	return apierrors.NewInvalid(schema.GroupKind{Group: metav1.GroupName, Kind: kind}, "", errs)
}

// createObject is POST.
func (x *exchange) createObject() (reply, error) {
	body, err := x.body()
	if err != nil {
		return reply{}, err
	}
	var opts metav1.CreateOptions
	if err := options(x.query, &opts); err != nil {
		return reply{}, err
	}
	if err := invalidOptions("CreateOptions", metav1validation.ValidateCreateOptions(&opts)); err != nil {
		return reply{}, err
	}
	w := x.writing(opts.FieldManager, opts.FieldValidation, opts.DryRun)
	o := x.resource.New()
	if err := x.decode(body, x.resource.GroupVersionKind(), o, w.validation); err != nil {
		return reply{}, x.undecoded("create", err)
	}
	stored, err := x.create(o, w)
	if err != nil {
		return reply{}, err
	}
	return reply{code: http.StatusCreated, object: stored}, nil
}

// undecoded ends a request whose object cannot be read: it came through the first stages, and no further.
func (x *exchange) undecoded(verb string, err error) error {
	r := x.request(verb)
	_, err = x.server.staged(func() (Object, error) {
		if refused := x.server.begin(r); refused != nil {
			return nil, refused
		}
		return nil, x.server.refuse(r, trace.Decoded, err)
	})
	return err
}

// create sends a new object through the stages.
func (x *exchange) create(o Object, w writing) (Object, error) {
	r := x.request("create")
	if r.name == "" {
		r.name = o.GetName()
	}
	r.object, r.dryRun, r.track = o, w.dryRun, x.tracker(w)
	x.dropDoubleOwners(o)
	defer func() { x.warnings = append(x.warnings, r.warnings...) }()
	return x.server.create(r)
}

// readPut reads the body and the options of a PUT.
func (x *exchange) readPut() (body []byte, w writing, err error) {
	if body, err = x.body(); err != nil {
		return nil, w, err
	}
	var opts metav1.UpdateOptions
	if err := options(x.query, &opts); err != nil {
		return nil, w, err
	}
	if err := invalidOptions("UpdateOptions", metav1validation.ValidateUpdateOptions(&opts)); err != nil {
		return nil, w, err
	}
	return body, x.writing(opts.FieldManager, opts.FieldValidation, opts.DryRun), nil
}

// updateObject is PUT of an object, of its status, or of a namespace's finalizers.
func (x *exchange) updateObject() (reply, error) {
	body, w, err := x.readPut()
	if err != nil {
		return reply{}, err
	}
	o := x.resource.New()
	if err := x.decode(body, x.resource.GroupVersionKind(), o, w.validation); err != nil {
		return reply{}, x.undecoded("update", err)
	}
	if o.GetName() == "" {
		return reply{}, apierrors.NewBadRequest(fmt.Sprintf(
			"the name of the object (%s based on URL) was undeterminable: name must be provided", x.at.name))
	}
	x.dropDoubleOwners(o)
	if x.resource.CreateOnUpdate && x.at.subresource == "" {
		if _, there := x.server.caches[x.resource].get(x.at.namespace, x.at.name); !there && o.GetName() == x.at.name {
			stored, err := x.create(o, w)
			return reply{code: http.StatusCreated, object: stored}, err
		}
	}
	stored, err := x.update("update", w, x.tracker(w), func(Object) (Object, error) { return o, nil })
	if err != nil {
		return reply{}, err
	}
	return reply{code: http.StatusOK, object: stored}, nil
}

// update sends what transform makes of the present object through the stages.
func (x *exchange) update(verb string, w writing, track func(live, o Object) (Object, error), transform func(Object) (Object, error)) (Object, error) {
	r := x.request(verb)
	r.dryRun, r.track = w.dryRun, track
	defer func() { x.warnings = append(x.warnings, r.warnings...) }()
	return x.server.update(r, transform)
}

// dropDoubleOwners keeps one of each owner reference, and says so.
func (x *exchange) dropDoubleOwners(o Object) {
	var kept []metav1.OwnerReference
	var double []string
	known := map[string]bool{}
	for _, ref := range o.GetOwnerReferences() {
		if all := ref.String(); !known[all] {
			known[all] = true
			kept = append(kept, ref)
			continue
		}
		double = append(double, string(ref.UID))
	}
	if len(double) == 0 {
		return
	}
	o.SetOwnerReferences(kept)
	x.warn(".metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and may " +
		"reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: " + strings.Join(double, ", "))
}

// returnsDeleted are the resources whose deletion is answered with the object, not with a Status
// (ReturnDeletedObject in the real server's registries).
func returnsDeleted(r *Resource) bool {
	switch r.GroupResource().String() {
	case "pods", "namespaces", "services", "serviceaccounts", "resourcequotas", "persistentvolumes",
		"persistentvolumeclaims", "podtemplates", "storageclasses.storage.k8s.io", "csinodes.storage.k8s.io":
		return true
	}
	return false
}

// deleteOptions are in the body, or else in the query.
func (x *exchange) deleteOptions() (*metav1.DeleteOptions, error) {
	body, err := x.body()
	if err != nil {
		return nil, err
	}
	opts := &metav1.DeleteOptions{}
	if len(body) == 0 {
		if err := options(x.query, opts); err != nil {
			return nil, err
		}
	} else if err := x.decodeOptions(body, opts); err != nil {
		return nil, err
	}
	return opts, invalidOptions("DeleteOptions", metav1validation.ValidateDeleteOptions(opts))
}

// decodeOptions takes DeleteOptions of any group: clients send that of their own.
func (x *exchange) decodeOptions(body []byte, opts *metav1.DeleteOptions) error {
	format, err := inputFormat(x.http.Header.Get("Content-Type"))
	if err != nil {
		return err
	}
	gvk := corev1.SchemeGroupVersion.WithKind("DeleteOptions")
	o, _, err := format.Serializer.Decode(body, &gvk, opts)
	if err != nil {
		return apierrors.NewBadRequest(err.Error())
	}
	if o != opts {
		return apierrors.NewBadRequest("decoded object cannot be converted to DeleteOptions")
	}
	return nil
}

// deleteObject is DELETE of one object.
func (x *exchange) deleteObject() (reply, error) {
	opts, err := x.deleteOptions()
	if err != nil {
		return reply{}, err
	}
	r := x.request("delete")
	r.dryRun = len(opts.DryRun) > 0
	o, gone, err := x.server.delete(r, opts)
	if err != nil {
		return reply{}, err
	}
	code := http.StatusOK
	//lint:ignore SA1019 old clients still send it
	if !gone && opts.OrphanDependents != nil && !*opts.OrphanDependents {
		code = http.StatusAccepted
	}
	if !gone || returnsDeleted(x.resource) {
		return reply{code: code, object: o}, nil
	}
	return reply{code: code, object: &metav1.Status{
		TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"},
		Status:   metav1.StatusSuccess,
		Details: &metav1.StatusDetails{
			Name: o.GetName(), Group: x.resource.Group, Kind: x.resource.Resource, UID: o.GetUID(),
		},
	}}, nil
}

// deleteCollection is DELETE of all that the selectors match.
func (x *exchange) deleteCollection() (reply, error) {
	listOpts, sel, err := x.listOptions()
	if err != nil {
		return reply{}, err
	}
	opts, err := x.deleteOptions()
	if err != nil {
		return reply{}, err
	}
	if err := x.server.begin(x.request("deletecollection")); err != nil {
		return reply{}, err
	}
	page, err := x.server.page(listOpts, sel)
	if err != nil {
		return reply{}, err
	}
	deleted := &listing{ListMeta: metav1.ListMeta{ResourceVersion: page.ResourceVersion}}
	for _, o := range page.items {
		r := x.request("deletecollection")
		r.namespace, r.name, r.dryRun = o.GetNamespace(), o.GetName(), len(opts.DryRun) > 0
		// Preconditions are of one object, so each gets options of its own.
		last, _, err := x.server.delete(r, opts.DeepCopy())
		if apierrors.IsNotFound(err) {
			continue // it went with another
		}
		if err != nil {
			return reply{}, err
		}
		deleted.items = append(deleted.items, last)
	}
	return reply{code: http.StatusOK, list: deleted}, nil
}

// patchTypes are the bodies that a PATCH may have.
func patchTypes() []types.PatchType {
	return []types.PatchType{types.JSONPatchType, types.MergePatchType, types.StrategicMergePatchType, types.ApplyYAMLPatchType}
}

// patchObject is PATCH of an object or of its status.
func (x *exchange) patchObject() (reply, error) {
	p, err := x.readPatch()
	if err != nil {
		return reply{}, err
	}
	if p.kind == types.ApplyYAMLPatchType {
		return x.applyObject(p)
	}
	stored, err := x.update("patch", p.writing, x.tracker(p.writing), func(old Object) (Object, error) {
		o := x.resource.New()
		if err := x.patched(p, old, o); err != nil {
			return nil, err
		}
		return o, nil
	})
	if err != nil {
		return reply{}, err
	}
	return reply{code: http.StatusOK, object: stored}, nil
}

// applyObject is server-side apply: it may create.
func (x *exchange) applyObject(p *patch) (reply, error) {
	if _, there := x.server.caches[x.resource].get(x.at.namespace, x.at.name); there || x.at.subresource != "" {
		stored, err := x.update("patch", p.writing, nil, func(old Object) (Object, error) { return x.applied(p, old) })
		return reply{code: http.StatusOK, object: stored}, err
	}
	o, err := x.applied(p, nil)
	if err != nil {
		return reply{}, err
	}
	if o.GetUID() != "" {
		return reply{}, apierrors.NewConflict(x.resource.GroupResource(), x.at.name,
			fmt.Errorf("uid mismatch: the provided object specified uid %s, and no existing object was found", o.GetUID()))
	}
	if o.GetName() != x.at.name {
		return reply{}, apierrors.NewBadRequest(fmt.Sprintf("the name of the object (%s) does not match the name on the URL (%s)", o.GetName(), x.at.name))
	}
	r := x.request("patch")
	asked := x.request("create")
	if yes, _ := x.server.allows(x.user, asked.attributes()); !yes {
		return reply{}, forbidden(asked)
	}
	r.object, r.dryRun = o, p.dryRun
	stored, err := x.server.create(r)
	return reply{code: http.StatusCreated, object: stored}, err
}
