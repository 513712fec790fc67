package apiserver

import (
	"bytes"
	"reflect"
	"sync"

	rbacv1 "k8s.io/api/rbac/v1"
)

// Objects that are read from the store have their strings, maps and lists each to themselves, while those of a cluster that
// has just come up have them from the template that they were made of. share gives them back what they have in common:
// nobody changes an object of a cache.

// sharing has the objects of one resource share what each has in common with the one before it: pods of one ReplicaSet
// follow each other.
type sharing struct{ before Object }

func (x *sharing) with(o Object) {
	like := x.before
	if role, ok := o.(*rbacv1.ClusterRole); ok {
		if standard := standardRoles()[role.Name]; standard != nil {
			like = standard
		}
	}
	if like != nil {
		share(reflect.ValueOf(o).Elem(), reflect.ValueOf(like).Elem())
	}
	x.before = o
}

// standardRoles are those that every cluster has, by name.
var standardRoles = sync.OnceValue(func() map[string]*rbacv1.ClusterRole {
	roles := map[string]*rbacv1.ClusterRole{}
	for _, r := range DefaultClusterRoles() {
		roles[r.GetName()] = r
	}
	return roles
})

// share makes what is equal in two values of one type the same, and says whether all of it is.
func share(v, like reflect.Value) bool {
	switch v.Kind() {
	case reflect.String:
		if v.String() != like.String() {
			return false
		}
		v.SetString(like.String())
		return true
	case reflect.Pointer:
		if v.IsNil() || like.IsNil() {
			return v.IsNil() && like.IsNil()
		}
		if v.Pointer() == like.Pointer() {
			return true
		}
		if !share(v.Elem(), like.Elem()) {
			return false
		}
		v.Set(like)
		return true
	case reflect.Slice:
		return shareList(v, like)
	case reflect.Map:
		if v.IsNil() != like.IsNil() || v.Len() != like.Len() || !reflect.DeepEqual(v.Interface(), like.Interface()) {
			return false
		}
		v.Set(like)
		return true
	case reflect.Struct:
		return shareFields(v, like)
	}
	return v.CanInterface() && reflect.DeepEqual(v.Interface(), like.Interface())
}

func shareList(v, like reflect.Value) bool {
	if v.IsNil() || like.IsNil() {
		return v.IsNil() && like.IsNil()
	}
	if v.Type().Elem().Kind() == reflect.Uint8 {
		return bytes.Equal(v.Bytes(), like.Bytes())
	}
	all := v.Len() == like.Len()
	for i := range min(v.Len(), like.Len()) {
		if !share(v.Index(i), like.Index(i)) {
			all = false
		}
	}
	if all {
		v.Set(like)
	}
	return all
}

func shareFields(v, like reflect.Value) bool {
	all, t := true, v.Type()
	for i := range t.NumField() {
		if !t.Field(i).IsExported() { // a time, a quantity: as one
			return reflect.DeepEqual(v.Interface(), like.Interface())
		}
	}
	for i := range t.NumField() {
		if !share(v.Field(i), like.Field(i)) {
			all = false
		}
	}
	return all
}
