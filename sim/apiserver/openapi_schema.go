package apiserver

import (
	"reflect"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/kube-openapi/pkg/validation/spec"
)

const modelPrefix = "#/components/schemas/"

// models makes the component schemas of one document: one for each Go type that
// is asked for, and for what that refers to. The words come from the types' own
// SwaggerDoc methods, as k8s.io/kube-openapi's generator would copy them from
// their comments; what only comments say comes from the tables (openapi_tables.go, openapi_enums.go,
// openapi_words.go).
type models struct {
	group   schema.GroupVersion
	schemas map[string]*spec.Schema
	words   map[string]string // openAPIWords
	tails   map[string]string // openAPITails
}

// The methods by which the API's types describe themselves.
type (
	modelNamer   interface{ OpenAPIModelName() string }
	documented   interface{ SwaggerDoc() map[string]string }
	scalarType   interface{ OpenAPISchemaType() []string }
	scalarFormat interface{ OpenAPISchemaFormat() string }
	oneOfTypes   interface{ OpenAPIV3OneOfTypes() []string }
)

// modelName is the name of a Go type's schema (io.k8s.api.apps.v1.Deployment);
// "" if it has none of its own.
func modelName(t reflect.Type) string {
	if n, ok := reflect.Zero(t).Interface().(modelNamer); ok && t.Kind() == reflect.Struct {
		return n.OpenAPIModelName()
	}
	return ""
}

func refTo(name string) spec.Schema {
	return spec.Schema{SchemaProps: spec.SchemaProps{Ref: spec.MustCreateRef(modelPrefix + name)}}
}

// add makes the schema of a type, if it is not there yet, and returns its name.
func (m *models) add(t reflect.Type) string {
	name := modelName(t)
	if _, done := m.schemas[name]; done {
		return name
	}
	s := &spec.Schema{}
	m.schemas[name] = s // before its fields: types refer to themselves
	s.Description = docsOf(t)[""]
	if d := m.words[shortName(name)]; d != "" {
		s.Description = d
	}
	if atomicModels()[shortName(name)] {
		s.AddExtension("x-kubernetes-map-type", "atomic")
	}
	if !describeScalar(s, t) {
		s.Type = []string{"object"}
		m.addFields(s, name, t)
	}
	if kinds := m.kindsOf(t); kinds != nil {
		s.AddExtension("x-kubernetes-group-version-kind", kinds)
	}
	return name
}

// describeScalar is for structs that are written as one value: times,
// quantities, numbers that may be words, and raw JSON.
func describeScalar(s *spec.Schema, t reflect.Type) bool {
	v := reflect.Zero(t).Interface()
	p, ok := v.(scalarType)
	if !ok {
		raw := t.Name() == "FieldsV1" || t.Name() == "RawExtension"
		if raw {
			s.Type = []string{"object"}
		}
		return raw
	}
	if f, ok := v.(scalarFormat); ok {
		s.Format = f.OpenAPISchemaFormat()
	}
	if a, ok := v.(oneOfTypes); ok {
		for _, one := range a.OpenAPIV3OneOfTypes() {
			s.OneOf = append(s.OneOf, spec.Schema{SchemaProps: spec.SchemaProps{Type: []string{one}}})
		}
		return true
	}
	s.Type = p.OpenAPISchemaType()
	return true
}

func docsOf(t reflect.Type) map[string]string {
	if d, ok := reflect.Zero(t).Interface().(documented); ok {
		return d.SwaggerDoc()
	}
	return nil
}

// addFields describes the fields of a struct, those of what it embeds included.
func (m *models) addFields(s *spec.Schema, name string, t reflect.Type) {
	docs := docsOf(t)
	for i := range t.NumField() {
		f := t.Field(i)
		tag, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case tag == "-" || !f.IsExported():
			continue
		case f.Anonymous && tag == "":
			m.addFields(s, name, f.Type)
			continue
		}
		if s.Properties == nil {
			s.Properties = map[string]spec.Schema{}
		}
		optional := strings.Contains(options, "omitempty") || strings.Contains(options, "omitzero")
		s.Properties[tag] = m.field(name, tag, f, docs[tag], optional)
		if needed(name, tag, optional) {
			s.Required = append(s.Required, tag)
		}
	}
}

// field describes one field: its type, its words, how it merges.
func (m *models) field(model, name string, f reflect.StructField, doc string, optional bool) spec.Schema {
	s := m.typeOf(f.Type)
	if d := m.words[shortName(model)+" "+name]; d != "" {
		doc = d
	}
	if tail, ok := m.tails[shortName(model)+" "+name]; ok {
		doc = strings.TrimSuffix(doc, " ") + tail
	}
	if values := enums()[enumName(f.Type)]; values != nil {
		s.Enum, doc = enumerate(values, doc)
	}
	zero := zeroDefault(f.Type, optional)
	if d, ok := statedDefault(model, name); ok {
		zero = d
	}
	if s.Ref.String() != "" && (doc != "" || zero != nil) {
		// A reference has no room for words of its own.
		s = spec.Schema{SchemaProps: spec.SchemaProps{AllOf: []spec.Schema{s}}}
	}
	s.Description, s.Default = doc, zero
	if key := f.Tag.Get("patchMergeKey"); key != "" {
		s.AddExtension("x-kubernetes-patch-merge-key", key)
	}
	if strategy := f.Tag.Get("patchStrategy"); strategy != "" {
		s.AddExtension("x-kubernetes-patch-strategy", strategy)
	}
	addMergeRule(&s, model, name)
	return s
}

// zeroDefault is what a field that is always written holds when nobody set it.
func zeroDefault(t reflect.Type, optional bool) any {
	switch {
	case t.Kind() == reflect.Struct && modelName(t) != "":
		if t.Name() == "Time" || t.Name() == "MicroTime" || describeScalar(&spec.Schema{}, t) {
			return nil
		}
		return map[string]any{}
	case optional:
		return nil
	case t.Kind() == reflect.String:
		return ""
	case t.Kind() == reflect.Bool:
		return false
	case slices.Contains([]reflect.Kind{reflect.Int, reflect.Int32, reflect.Int64, reflect.Uint8}, t.Kind()):
		return 0
	}
	return nil
}

// typeOf describes a Go type where it is used.
func (m *models) typeOf(t reflect.Type) spec.Schema {
	switch t.Kind() {
	case reflect.Pointer:
		return m.typeOf(t.Elem())
	case reflect.Struct:
		if modelName(t) != "" {
			return refTo(m.add(t))
		}
		var s spec.Schema
		describeScalar(&s, t)
		return s
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return scalar("string", "byte")
		}
		items := m.typeOf(t.Elem())
		if values := enums()[enumName(t.Elem())]; values != nil {
			items.Enum, _ = enumerate(values, "")
		}
		if zero := zeroDefault(t.Elem(), false); zero != nil && items.Ref.String() == "" {
			items.Default = zero
		}
		return spec.Schema{SchemaProps: spec.SchemaProps{Type: []string{"array"}, Items: &spec.SchemaOrArray{Schema: &items}}}
	case reflect.Map:
		values := m.typeOf(t.Elem())
		if zero := zeroDefault(t.Elem(), false); zero != nil && values.Ref.String() == "" {
			values.Default = zero
		}
		return spec.Schema{SchemaProps: spec.SchemaProps{Type: []string{"object"},
			AdditionalProperties: &spec.SchemaOrBool{Allows: true, Schema: &values}}}
	}
	if s, ok := scalars()[t.Kind()]; ok {
		return s
	}
	return scalar("object", "")
}

func scalar(typ, format string) spec.Schema {
	return spec.Schema{SchemaProps: spec.SchemaProps{Type: []string{typ}, Format: format}}
}

func scalars() map[reflect.Kind]spec.Schema {
	return map[reflect.Kind]spec.Schema{
		reflect.String:  scalar("string", ""),
		reflect.Bool:    scalar("boolean", ""),
		reflect.Int:     scalar("integer", "int32"),
		reflect.Int32:   scalar("integer", "int32"),
		reflect.Int64:   scalar("integer", "int64"),
		reflect.Uint8:   scalar("integer", "byte"),
		reflect.Float64: scalar("number", "double"),
	}
}

// kindsOf are the kinds a type is known by in this document.
func (m *models) kindsOf(t reflect.Type) []any {
	o, ok := reflect.New(t).Interface().(runtime.Object)
	if !ok {
		return nil
	}
	found, _, err := scheme.Scheme.ObjectKinds(o)
	if err != nil {
		return nil
	}
	var kinds []any
	for _, k := range found {
		if k.GroupVersion() == m.group || len(found) == 1 {
			kinds = append(kinds, map[string]any{"group": k.Group, "version": k.Version, "kind": k.Kind})
		}
	}
	return kinds
}
