package apiserver

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
)

// inServer shows a value as the real server does in its messages: it holds
// objects in types of its own, alike those of the API but without JSON tags, so
// that its messages name fields as Go does and leave none out. Types of
// apimachinery, such as selectors, quantities and times, look as in manifests.
type inServer struct{ value any }

// MarshalJSON implements json.Marshaler.
func (s inServer) MarshalJSON() ([]byte, error) {
	var out bytes.Buffer
	if err := writeInServer(&out, reflect.ValueOf(s.value)); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func writeInServer(out *bytes.Buffer, v reflect.Value) error {
	switch {
	case !v.IsValid(), nilable(v.Kind()) && v.IsNil():
		out.WriteString("null")
		return nil
	case v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface:
		return writeInServer(out, v.Elem())
	case v.Kind() == reflect.Struct && ofAPI(v.Type()):
		out.WriteByte('{')
		if _, err := writeFields(out, v, 0); err != nil {
			return err
		}
		out.WriteByte('}')
		return nil
	case v.Kind() == reflect.Map:
		return writeMap(out, v)
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() != reflect.Uint8:
		out.WriteByte('[')
		for i := range v.Len() {
			if i > 0 {
				out.WriteByte(',')
			}
			if err := writeInServer(out, v.Index(i)); err != nil {
				return err
			}
		}
		out.WriteByte(']')
		return nil
	}
	b, err := json.Marshal(v.Interface())
	out.Write(b)
	return err
}

// ofAPI: of k8s.io/api, whose types have twins in the server.
func ofAPI(t reflect.Type) bool { return strings.HasPrefix(t.PkgPath(), "k8s.io/api/") }

func nilable(k reflect.Kind) bool {
	return k == reflect.Pointer || k == reflect.Interface || k == reflect.Map || k == reflect.Slice
}

// writeFields writes the fields of a struct, those of embedded structs among
// them; n is how many have been written before.
func writeFields(out *bytes.Buffer, v reflect.Value, n int) (int, error) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if f.Anonymous && !ofAPI(f.Type) {
			b, err := json.Marshal(v.Field(i).Interface()) // metadata, which keeps its tags
			if err != nil {
				return n, err
			}
			if b = b[1 : len(b)-1]; len(b) > 0 {
				if n > 0 {
					out.WriteByte(',')
				}
				n++
				out.Write(b)
			}
			continue
		}
		if f.Anonymous {
			var err error
			if n, err = writeFields(out, v.Field(i), n); err != nil {
				return n, err
			}
			continue
		}
		if n > 0 {
			out.WriteByte(',')
		}
		n++
		out.WriteString(`"` + f.Name + `":`)
		if err := writeInServer(out, v.Field(i)); err != nil {
			return n, err
		}
	}
	return n, nil
}

func writeMap(out *bytes.Buffer, v reflect.Value) error {
	keys := v.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
	out.WriteByte('{')
	for i, k := range keys {
		if i > 0 {
			out.WriteByte(',')
		}
		name, err := json.Marshal(k.String())
		if err != nil {
			return err
		}
		out.Write(name)
		out.WriteByte(':')
		if err := writeInServer(out, v.MapIndex(k)); err != nil {
			return err
		}
	}
	out.WriteByte('}')
	return nil
}
