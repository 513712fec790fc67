package apiserver

import (
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
)

// A row that forgets a part would only be noticed by the one request that needs it.
func TestEveryRowIsComplete(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range kinds() {
		name := r.GroupResource().String()
		if seen[name] {
			t.Errorf("%s is twice in the table", name)
		}
		seen[name] = true
		if r.Kind == "" || r.Singular == "" || r.New == nil || r.NewList == nil || r.Default == nil || r.Cells == nil {
			t.Errorf("%s lacks a part", name)
			continue
		}
		if !strings.HasPrefix(r.KeyPrefix, "/registry/") || strings.HasSuffix(r.KeyPrefix, "/") {
			t.Errorf("%s is kept under %q", name, r.KeyPrefix)
		}
		if !meta.IsListType(r.NewList()) {
			t.Errorf("%s: %T is no list", name, r.NewList())
		}
		hasStatus := false
		for _, s := range r.Subresources {
			hasStatus = hasStatus || s == "status"
		}
		if hasStatus != (r.PrepareForStatusUpdate != nil) {
			t.Errorf("%s: status subresource %v, but PrepareForStatusUpdate %v", name, hasStatus, r.PrepareForStatusUpdate != nil)
		}
		// An empty object must pass through every rule that a creation passes.
		o := r.New()
		r.Default(o)
		if r.PrepareForCreate != nil {
			r.PrepareForCreate(o)
		}
		if r.Validate != nil {
			r.Validate(o)
		}
		if got := len(r.Cells(o, time.Unix(0, 0))); got != len(r.Columns) {
			t.Errorf("%s has %d columns and %d cells", name, len(r.Columns), got)
		}
		for _, c := range r.Columns {
			if c.Description == "" {
				t.Errorf("%s: column %s has no description", name, c.Name)
			}
		}
	}
}
