package apiserver

import (
	"reflect"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// kinds is the whole table: one row for each kind the API serves, in the order
// of discovery (core first, then the groups by name).
func kinds() []Resource {
	return []Resource{
		configMapResource(),
		endpointsResource(),
		eventResource(),
		limitRangeResource(),
		namespaceResource(),
		nodeResource(),
		persistentVolumeClaimResource(),
		persistentVolumeResource(),
		podResource(),
		resourceQuotaResource(),
		secretResource(),
		serviceAccountResource(),
		serviceResource(),
		controllerRevisionResource(),
		daemonSetResource(),
		deploymentResource(),
		replicaSetResource(),
		statefulSetResource(),
		horizontalPodAutoscalerResource(),
		jobResource(),
		cronJobResource(),
		leaseResource(),
		endpointSliceResource(),
		ingressClassResource(),
		ingressResource(),
		networkPolicyResource(),
		runtimeClassResource(),
		podDisruptionBudgetResource(),
		clusterRoleBindingResource(),
		clusterRoleResource(),
		roleBindingResource(),
		roleResource(),
		priorityClassResource(),
		storageClassResource(),
	}
}

// kindTable is the table with the ways to find a row. Servers share it: nobody changes it.
type kindTable struct {
	resources []*Resource
	byKind    map[schema.GroupVersionKind]*Resource
	byName    map[schema.GroupVersionResource]*Resource
	byType    map[reflect.Type]*Resource
	named     map[string]*Resource // by the kind alone
}

// served is the table, made once.
var served = sync.OnceValue(func() *kindTable {
	t := &kindTable{
		byKind: map[schema.GroupVersionKind]*Resource{},
		byName: map[schema.GroupVersionResource]*Resource{},
		byType: map[reflect.Type]*Resource{},
		named:  map[string]*Resource{},
	}
	warnings := warningsOf()
	for _, r := range kinds() {
		if r.Warn == nil {
			r.Warn = warnings[r.Kind]
		}
		t.resources = append(t.resources, &r)
		t.byKind[r.GroupVersionKind()] = &r
		t.byName[r.GroupVersionResource] = &r
		t.byType[reflect.TypeOf(r.New())] = &r
		t.named[r.Kind] = &r
	}
	return t
})

// kindNamed is a row by its kind; the kinds that the stages themselves need are always there.
func (t *kindTable) kindNamed(kind string) *Resource { return t.named[kind] }

// The adapters below let a rule be written on its own type and stand in a row,
// which speaks of Object only. A row never gets an object of another kind.

// act adapts a rule that changes an object.
func act[T Object](f func(T)) func(Object) {
	return func(o Object) { f(o.(T)) }
}

// actFrom adapts a rule that changes an object, given what it replaces.
func actFrom[T Object](f func(new, old T)) func(new, old Object) {
	return func(new, old Object) { f(new.(T), old.(T)) }
}

// check adapts the validation of an object.
func check[T Object](f func(T) field.ErrorList) func(Object) field.ErrorList {
	return func(o Object) field.ErrorList { return f(o.(T)) }
}

// checkFrom adapts the validation of an object, given what it replaces.
func checkFrom[T Object](f func(new, old T) field.ErrorList) func(new, old Object) field.ErrorList {
	return func(new, old Object) field.ErrorList { return f(new.(T), old.(T)) }
}

// cells adapts the table row of an object.
func cells[T Object](f func(o T, now time.Time) []any) func(Object, time.Time) []any {
	return func(o Object, now time.Time) []any { return f(o.(T), now) }
}

// selectable adapts the fields a selector may name.
func selectable[T Object](f func(T) fields.Set) func(Object) fields.Set {
	return func(o Object) fields.Set { return f(o.(T)) }
}
