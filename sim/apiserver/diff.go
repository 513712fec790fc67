package apiserver

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	"k8s.io/apimachinery/pkg/runtime"
)

// changedFields are the paths at which after differs from before, down to single fields, in order. It is for
// telling, not for deciding: it is not fast.
func changedFields(before, after Object) []string {
	a, errA := runtime.DefaultUnstructuredConverter.ToUnstructured(before)
	b, errB := runtime.DefaultUnstructuredConverter.ToUnstructured(after)
	if errA != nil || errB != nil {
		return nil
	}
	var paths []string
	changed(&paths, "", a, b)
	return paths
}

func changed(paths *[]string, path string, a, b any) {
	if reflect.DeepEqual(a, b) {
		return
	}
	switch b := b.(type) {
	case map[string]any:
		if a, ok := a.(map[string]any); ok {
			keys := slices.Sorted(maps.Keys(b))
			for k := range a {
				if _, ok := b[k]; !ok {
					keys = append(keys, k)
				}
			}
			slices.Sort(keys)
			for _, k := range keys {
				changed(paths, join(path, k), a[k], b[k])
			}
			return
		}
	case []any:
		if a, ok := a.([]any); ok && len(a) <= len(b) {
			for i := range b {
				var was any
				if i < len(a) {
					was = a[i]
				}
				changed(paths, fmt.Sprintf("%s[%d]", path, i), was, b[i])
			}
			return
		}
	}
	*paths = append(*paths, path)
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
