package apiserver

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/yaml"
)

// MaxItems is how many items a list in an object or a patch may have. The real server has no such bound: merging, comparing and
// validating lists takes it the square of their length, and others wait here.
const MaxItems = 4000

// shortest is what a list with more items takes at the least.
const shortest = 2 * MaxItems

// LongestList is how many items the longest list of a text has, which is JSON or YAML of one document or several; 0 where it is neither,
// or too short to have a long one.
func LongestList(text []byte) int {
	if len(text) < shortest {
		return 0
	}
	if json.Valid(text) {
		return longestIn(text, 0)
	}
	longest := 0
	for _, document := range bytes.Split(text, []byte("\n---")) {
		if data, err := yaml.YAMLToJSON(document); err == nil { // who is to decode it says what is wrong
			longest = max(longest, longestIn(data, 0))
		}
	}
	return longest
}

// longestIn is that of valid JSON, in lists that are so deep in others at the least.
func longestIn(data []byte, depth int) (longest int) {
	var open []int // how many commas each list has so far; -1: an object
	quoted := false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[':
			open = append(open, 0)
		case c == '{':
			open = append(open, -1)
		case c == ']', c == '}':
			open = open[:len(open)-1]
		case c == ',' && open[len(open)-1] >= 0:
			open[len(open)-1]++
			if n := open[len(open)-1] + 1; len(open) > depth {
				longest = max(longest, n)
			}
		}
	}
	return longest
}

// longestOf is that of an object that came in protobuf.
func longestOf(v reflect.Value) (longest int) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			return longestOf(v.Elem())
		}
	case reflect.Struct:
		if v.Type().PkgPath() == "time" {
			return 0
		}
		for i := range v.NumField() {
			longest = max(longest, longestOf(v.Field(i)))
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return 0
		}
		longest = v.Len()
		for i := 0; i < v.Len() && longest <= MaxItems; i++ {
			longest = max(longest, longestOf(v.Index(i)))
		}
	}
	return longest
}

// tooLong refuses a list.
func tooLong(items int) error {
	if items <= MaxItems {
		return nil
	}
	return apierrors.NewRequestEntityTooLargeError(fmt.Sprintf("a list has %d items, limit is %d", items, MaxItems))
}
