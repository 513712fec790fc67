package apiserver

import (
	"fmt"
	"net/http"
	"reflect"
	"slices"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	"sigs.k8s.io/yaml"
)

// scaleKind is how the scale subresource of every kind shows.
func scaleKind() schema.GroupVersionKind { return autoscalingv1.SchemeGroupVersion.WithKind("Scale") }

// scaleOf shows an object as an autoscaling/v1 Scale. What has a scale has
// spec.replicas *int32, spec.selector and status.replicas: the stages know no kind.
func scaleOf(o Object) (*autoscalingv1.Scale, error) {
	replicas, err := replicasOf(o)
	if err != nil {
		return nil, err
	}
	scale := &autoscalingv1.Scale{ObjectMeta: metav1.ObjectMeta{
		Name: o.GetName(), Namespace: o.GetNamespace(), UID: o.GetUID(),
		ResourceVersion: o.GetResourceVersion(), CreationTimestamp: o.GetCreationTimestamp(),
	}}
	scale.GetObjectKind().SetGroupVersionKind(scaleKind())
	if p, _ := replicas.Interface().(*int32); p != nil {
		scale.Spec.Replicas = *p
	}
	status := reflect.ValueOf(o).Elem().FieldByName("Status").FieldByName("Replicas")
	if status.IsValid() {
		scale.Status.Replicas = int32(status.Int())
	}
	selector := reflect.ValueOf(o).Elem().FieldByName("Spec").FieldByName("Selector")
	if s, ok := selector.Interface().(*metav1.LabelSelector); ok && s != nil {
		parsed, err := metav1.LabelSelectorAsSelector(s)
		if err != nil {
			return nil, apierrors.NewInternalError(err)
		}
		scale.Status.Selector = parsed.String()
	}
	return scale, nil
}

// replicasOf is an object's spec.replicas, which may be set.
func replicasOf(o Object) (reflect.Value, error) {
	spec := reflect.ValueOf(o).Elem().FieldByName("Spec")
	if spec.IsValid() {
		if f := spec.FieldByName("Replicas"); f.IsValid() && f.Type() == reflect.TypeFor[*int32]() {
			return f, nil
		}
	}
	return reflect.Value{}, apierrors.NewInternalError(fmt.Errorf("%T has no scale", o))
}

// getScale is GET of a scale.
func (x *exchange) getScale() (reply, error) {
	o, err := x.read()
	if err != nil {
		return reply{}, err
	}
	scale, err := scaleOf(o)
	return reply{code: http.StatusOK, object: scale}, err
}

// updateScale is PUT of a scale.
func (x *exchange) updateScale() (reply, error) {
	body, w, err := x.readPut()
	if err != nil {
		return reply{}, err
	}
	scale := &autoscalingv1.Scale{}
	if err := x.decode(body, scaleKind(), scale, w.validation); err != nil {
		return reply{}, err
	}
	return x.rescale("update", w, func(old *autoscalingv1.Scale) (*autoscalingv1.Scale, error) {
		return x.trackScale(old, scale, w)
	})
}

// patchScale is PATCH of a scale.
func (x *exchange) patchScale() (reply, error) {
	p, err := x.readPatch()
	if err != nil {
		return reply{}, err
	}
	return x.rescale("patch", p.writing, func(old *autoscalingv1.Scale) (*autoscalingv1.Scale, error) {
		if p.kind == types.ApplyYAMLPatchType {
			return x.applyScale(p, old)
		}
		scale := &autoscalingv1.Scale{}
		if err := x.patched(p, old, scale); err != nil {
			return nil, err
		}
		return x.trackScale(old, scale, p.writing)
	})
}

// rescale changes an object by way of its scale (registry/apps/deployment/storage: scaleUpdatedObjectInfo).
func (x *exchange) rescale(verb string, w writing, change func(old *autoscalingv1.Scale) (*autoscalingv1.Scale, error)) (reply, error) {
	r := x.request(verb)
	r.dryRun = w.dryRun
	o, err := x.server.update(r, func(old Object) (Object, error) {
		// Allowed as a scale; from here on it is a change of the object itself, with all that this brings.
		r.subresource = ""
		gv := x.resource.GroupVersion()
		owners := managedfields.NewScaleHandler(old.GetManagedFields(), gv,
			managedfields.ResourcePathMappings{gv.String(): fieldpath.MakePathOrDie("spec", "replicas")})
		before, err := scaleOf(old)
		if err != nil {
			return nil, err
		}
		if before.ManagedFields, err = owners.ToSubresource(); err != nil {
			return nil, apierrors.NewInternalError(err)
		}
		scale, err := change(before)
		if err != nil {
			return nil, err
		}
		if err := validateScale(x, before, scale); err != nil {
			return nil, err
		}
		o := copyOf(old)
		replicas, err := replicasOf(o)
		if err != nil {
			return nil, err
		}
		replicas.Set(reflect.ValueOf(&scale.Spec.Replicas))
		o.SetResourceVersion(scale.ResourceVersion)
		if scale.UID != "" {
			o.SetUID(scale.UID)
		}
		entries, err := owners.ToParent(scale.ManagedFields)
		if err != nil {
			return nil, apierrors.NewInternalError(err)
		}
		if entries, err = joinEntries(entries, x.now()); err != nil {
			return nil, err
		}
		o.SetManagedFields(entries)
		return o, nil
	})
	x.warnings = append(x.warnings, r.warnings...)
	if err != nil {
		return reply{}, err
	}
	scale, err := scaleOf(o)
	return reply{code: http.StatusOK, object: scale}, err
}

// joinEntries joins entries of the same manager: who had set replicas in the object appears as another manager in its
// scale, and so comes back from there beside itself. And it gives those that have no time that of now.
func joinEntries(entries []metav1.ManagedFieldsEntry, now metav1.Time) ([]metav1.ManagedFieldsEntry, error) {
	var joined []metav1.ManagedFieldsEntry
	for _, e := range entries {
		i := slices.IndexFunc(joined, func(j metav1.ManagedFieldsEntry) bool { return sameManager(j, e) })
		if i < 0 {
			joined = append(joined, e)
			continue
		}
		fields, err := unionOf(joined[i].FieldsV1, e.FieldsV1)
		if err != nil {
			return nil, apierrors.NewInternalError(fmt.Errorf("join the fields of %s: %w", e.Manager, err))
		}
		joined[i].FieldsV1 = fields
		if joined[i].Time == nil {
			joined[i].Time = e.Time
		}
	}
	for i := range joined {
		if joined[i].Time == nil {
			joined[i].Time = &now
		}
	}
	slices.SortFunc(joined, compareEntries)
	return joined, nil
}

func unionOf(a, b *metav1.FieldsV1) (*metav1.FieldsV1, error) {
	union := &fieldpath.Set{}
	for _, f := range []*metav1.FieldsV1{a, b} {
		if f == nil {
			continue
		}
		set := &fieldpath.Set{}
		if err := set.FromJSON(f.GetRawReader()); err != nil {
			return nil, err
		}
		union = union.Union(set)
	}
	raw, err := union.ToJSON()
	if err != nil {
		return nil, err
	}
	return metav1.NewFieldsV1(string(raw)), nil
}

func validateScale(x *exchange, old, scale *autoscalingv1.Scale) error {
	var errs field.ErrorList
	if scale.Spec.Replicas < 0 {
		errs = append(errs, field.Invalid(field.NewPath("spec", "replicas"), scale.Spec.Replicas, "must be greater than or equal to 0").WithOrigin("minimum"))
	}
	if scale.Name != old.Name {
		return apierrors.NewBadRequest(fmt.Sprintf("the name of the object (%s) does not match the name on the URL (%s)", scale.Name, x.at.name))
	}
	if len(errs) > 0 {
		return apierrors.NewInvalid(scaleKind().GroupKind(), scale.Name, errs)
	}
	return nil
}

func (x *exchange) scaleTracker() *fieldTracker {
	return &fieldTracker{
		kind: scaleKind(), subresource: "scale", now: x.now,
		// The schema of the apply configurations does not know Scale; its fields are all plain, so guessing is enough.
		types:  managedfields.NewDeducedTypeConverter(),
		create: func() Object { return &autoscalingv1.Scale{} },
	}
}

func (x *exchange) trackScale(old, scale *autoscalingv1.Scale, w writing) (*autoscalingv1.Scale, error) {
	o, err := x.scaleTracker().update(old, scale, w.manager)
	if err != nil {
		return nil, err
	}
	return o.(*autoscalingv1.Scale), nil
}

func (x *exchange) applyScale(p *patch, old *autoscalingv1.Scale) (*autoscalingv1.Scale, error) {
	config := &unstructured.Unstructured{Object: map[string]any{}}
	if err := yaml.Unmarshal(p.body, &config.Object); err != nil {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("error decoding patch: %v", err))
	}
	o, err := x.scaleTracker().apply(old, config, p.manager, p.force)
	if err != nil {
		return nil, err
	}
	return o.(*autoscalingv1.Scale), nil
}
