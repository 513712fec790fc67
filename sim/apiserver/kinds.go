package apiserver

import (
	"time"

	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// kinds is the whole table: one row for each kind the API serves, in the order
// of discovery (core first, then the groups by name). Each call makes it anew,
// so that no two servers share a row.
func kinds() []Resource {
	return []Resource{
		configMapResource(),
		endpointsResource(),
		eventResource(),
		namespaceResource(),
		nodeResource(),
		podResource(),
		secretResource(),
		serviceAccountResource(),
		serviceResource(),
		deploymentResource(),
		replicaSetResource(),
		leaseResource(),
		endpointSliceResource(),
		priorityClassResource(),
	}
}

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
