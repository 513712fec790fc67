package apiserver

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/client-go/applyconfigurations"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// typeConverter knows the structure of all built-in types. It takes some 60 ms to
// make and never changes, so all servers of a process share it, from the first
// write over HTTP on.
var typeConverter = sync.OnceValue(func() managedfields.TypeConverter {
	return inOrder{applyconfigurations.NewTypeConverter(scheme.Scheme)}
})

// fieldTracker keeps metadata.managedFields of one kind, for requests to one of its subresources.
type fieldTracker struct {
	kind        schema.GroupVersionKind
	types       managedfields.TypeConverter
	subresource string
	create      func() Object
	setDefaults func(Object)
	now         func() metav1.Time
}

// fieldTracker is the resource's for this request.
func (x *exchange) fieldTracker(r *Resource) *fieldTracker {
	return &fieldTracker{
		kind: r.GroupVersionKind(), types: typeConverter(), subresource: x.at.subresource, create: r.New, setDefaults: r.Default,
		now: x.now,
	}
}

// now is the cluster's time as metadata has it: in whole seconds.
func (x *exchange) now() metav1.Time { return metav1.NewTime(x.server.Now().Truncate(1e9)) }

// tracker is the hook by which the stages have the fields of a writer recorded.
func (x *exchange) tracker(w writing) func(live, o Object) (Object, error) {
	t := x.fieldTracker(x.resource)
	return func(live, o Object) (Object, error) { return t.update(live, o, w.manager) }
}

func (t *fieldTracker) manager() (*managedfields.FieldManager, error) {
	return managedfields.NewDefaultFieldManager(t.types, t, t, t, t.kind, t.kind.GroupVersion(), t.subresource, t.reset())
}

// reset are the fields that a writer cannot own, because the write drops them (GetResetFields of the real strategies).
func (t *fieldTracker) reset() map[fieldpath.APIVersion]fieldpath.Filter {
	set := fieldpath.NewSet(fieldpath.MakePathOrDie("status"))
	if t.subresource == "status" {
		set = fieldpath.NewSet(fieldpath.MakePathOrDie("spec"))
	}
	return map[fieldpath.APIVersion]fieldpath.Filter{
		fieldpath.APIVersion(t.kind.GroupVersion().String()): fieldpath.NewExcludeSetFilter(set),
	}
}

// update records that a manager wrote o over live (nil: there was nothing).
func (t *fieldTracker) update(live, o Object, manager string) (Object, error) {
	m, err := t.manager()
	if err != nil {
		return nil, fmt.Errorf("track the fields of a %s: %w", t.kind.Kind, err)
	}
	before := t.liveOrNew(live)
	o.GetObjectKind().SetGroupVersionKind(t.kind)
	tracked, ok := m.UpdateNoErrors(before, o, manager).(Object)
	if !ok {
		return o, nil
	}
	t.setTimes(before, tracked)
	return tracked, nil
}

// apply merges an applied configuration into live (nil: there is nothing yet).
func (t *fieldTracker) apply(live Object, config *unstructured.Unstructured, manager string, force bool) (Object, error) {
	m, err := t.manager()
	if err != nil {
		return nil, fmt.Errorf("track the fields of a %s: %w", t.kind.Kind, err)
	}
	before := t.liveOrNew(live)
	merged, err := m.Apply(before, config, manager, force)
	if err != nil {
		return nil, err
	}
	o, ok := merged.(Object)
	if !ok || reflect.TypeOf(o) != reflect.TypeOf(before) {
		typed := t.create()
		content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(merged)
		if err != nil {
			return nil, err
		}
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(content, typed); err != nil {
			return nil, err
		}
		o = typed
	}
	t.setTimes(before, o)
	return o, nil
}

// liveOrNew is a copy that a field manager may change.
func (t *fieldTracker) liveOrNew(live Object) Object {
	o := Object(nil)
	if live != nil {
		o = copyOf(live)
	} else {
		o = t.create()
	}
	o.GetObjectKind().SetGroupVersionKind(t.kind)
	return o
}

// setTimes puts the cluster's time where the library has put the machine's, and the entries in their order; and where
// nothing but times has changed, it takes those back, so that a write that changes nothing is none.
func (t *fieldTracker) setTimes(before, after Object) {
	old, entries := before.GetManagedFields(), after.GetManagedFields()
	now := t.now()
	for i, e := range entries {
		j := slices.IndexFunc(old, func(o metav1.ManagedFieldsEntry) bool { return sameManager(o, e) })
		if j < 0 || !e.Time.Equal(old[j].Time) {
			entries[i].Time = &now
		}
	}
	slices.SortFunc(entries, compareEntries)
	after.SetManagedFields(entries)
	if len(old) != len(entries) {
		return
	}
	for _, e := range entries {
		if !slices.ContainsFunc(old, func(o metav1.ManagedFieldsEntry) bool {
			return sameManager(o, e) && reflect.DeepEqual(o.FieldsV1, e.FieldsV1)
		}) {
			return
		}
	}
	after.SetManagedFields(old)
	if !reflect.DeepEqual(before, after) {
		after.SetManagedFields(entries)
	}
}

func sameManager(a, b metav1.ManagedFieldsEntry) bool {
	return a.Manager == b.Manager && a.Operation == b.Operation && a.APIVersion == b.APIVersion && a.Subresource == b.Subresource
}

// compareEntries is the order of managedFields (apimachinery's managedfields, sortEncodedManagedFields).
func compareEntries(a, b metav1.ManagedFieldsEntry) int {
	seconds := func(t *metav1.Time) int64 {
		if t == nil {
			return 0
		}
		return t.Unix()
	}
	return cmp.Or(cmp.Compare(a.Operation, b.Operation), cmp.Compare(seconds(a.Time), seconds(b.Time)),
		cmp.Compare(a.Manager, b.Manager), cmp.Compare(a.APIVersion, b.APIVersion), cmp.Compare(a.Subresource, b.Subresource))
}

// A tracker is what the library asks for conversions, defaults and new objects. There is one version of each kind, so
// that nothing is converted.

// Convert is not used by the library.
func (t *fieldTracker) Convert(in, out, context any) error {
	return fmt.Errorf("convert %T to %T: not supported", in, out)
}

// ConvertToVersion returns the object itself: typed, as tracking works on the kind's own type.
func (t *fieldTracker) ConvertToVersion(in runtime.Object, gv runtime.GroupVersioner) (runtime.Object, error) {
	if kind, ok := gv.KindForGroupVersionKinds([]schema.GroupVersionKind{t.kind}); !ok || kind != t.kind {
		return nil, runtime.NewNotRegisteredErrForTarget("apiserver", reflect.TypeOf(in), gv)
	}
	in.GetObjectKind().SetGroupVersionKind(t.kind)
	return in, nil
}

// ConvertFieldLabel is not used by the library.
func (t *fieldTracker) ConvertFieldLabel(_ schema.GroupVersionKind, label, value string) (string, string, error) {
	return label, value, nil
}

// Default fills in an applied object's defaults.
func (t *fieldTracker) Default(in runtime.Object) {
	if o, ok := in.(Object); ok && t.setDefaults != nil && reflect.TypeOf(o) == reflect.TypeOf(t.create()) {
		t.setDefaults(o)
	}
}

// New is an empty object.
func (t *fieldTracker) New(schema.GroupVersionKind) (runtime.Object, error) {
	o := t.create()
	o.GetObjectKind().SetGroupVersionKind(t.kind)
	return o, nil
}
