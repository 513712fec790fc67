package apiserver

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/managedfields"
	smd "sigs.k8s.io/structured-merge-diff/v6/typed"
	"sigs.k8s.io/structured-merge-diff/v6/value"
)

// inOrder is a converter whose complaints about an object are always the same ones. The library looks at a map's fields
// in Go's order and stops at one that the schema does not have, so that the real server tells now more, now less; a
// simulated one has to answer the same request in the same way.
type inOrder struct{ managedfields.TypeConverter }

func (c inOrder) ObjectToTyped(o runtime.Object, opts ...smd.ValidationOptions) (*smd.TypedValue, error) {
	t, err := c.TypeConverter.ObjectToTyped(o, opts...)
	content, ok := o.(*unstructured.Unstructured)
	if err == nil || !ok {
		return t, err
	}
	empty := &unstructured.Unstructured{}
	empty.SetGroupVersionKind(o.GetObjectKind().GroupVersionKind())
	model, unknown := c.TypeConverter.ObjectToTyped(empty)
	if unknown != nil {
		return nil, err
	}
	return smd.AsTyped(ordered(value.NewValueInterface(content.Object)), model.Schema(), model.TypeRef(), opts...)
}

// ordered has the maps within a value looked at by their keys' order.
func ordered(v value.Value) value.Value {
	if v != nil && (v.IsMap() || v.IsList()) {
		return orderedValue{v}
	}
	return v
}

type orderedValue struct{ value.Value }

func (v orderedValue) AsMap() value.Map                       { return orderedMap{v.Value.AsMap()} }
func (v orderedValue) AsMapUsing(value.Allocator) value.Map   { return v.AsMap() }
func (v orderedValue) AsList() value.List                     { return orderedList{v.Value.AsList()} }
func (v orderedValue) AsListUsing(value.Allocator) value.List { return v.AsList() }
func (v orderedValue) String() string                         { return fmt.Sprintf("%v", v.Value) }
func (v orderedValue) GoString() string                       { return fmt.Sprintf("%#v", v.Value) }

type orderedList struct{ value.List }

func (l orderedList) At(i int) value.Value                         { return ordered(l.List.At(i)) }
func (l orderedList) AtUsing(_ value.Allocator, i int) value.Value { return l.At(i) }

type orderedMap struct{ value.Map }

func (m orderedMap) Iterate(f func(string, value.Value) bool) bool {
	var keys []string
	m.Map.Iterate(func(key string, _ value.Value) bool {
		keys = append(keys, key)
		return true
	})
	slices.Sort(keys)
	for _, key := range keys {
		if v, _ := m.Get(key); !f(key, v) {
			return false
		}
	}
	return true
}

func (m orderedMap) IterateUsing(_ value.Allocator, f func(string, value.Value) bool) bool {
	return m.Iterate(f)
}

func (m orderedMap) Get(key string) (value.Value, bool) {
	v, ok := m.Map.Get(key)
	return ordered(v), ok
}

func (m orderedMap) GetUsing(_ value.Allocator, key string) (value.Value, bool) { return m.Get(key) }
