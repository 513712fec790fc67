package apiserver

import (
	"crypto/sha512"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/kube-openapi/pkg/handler3"
	"k8s.io/kube-openapi/pkg/spec3"
	"k8s.io/kube-openapi/pkg/validation/spec"
)

// The OpenAPI v3 documents describe what the table of kinds serves: kubectl
// explains fields from them, and looks in them for what the server can do. They
// are the same for every cluster, and are made once in a process, when the
// first one asks.
var (
	openAPIPublished = sync.OnceValue(publishOpenAPI)
	openAPIListing   = sync.OnceValue(listOpenAPI)
)

// openAPIFile is one document as it goes over the wire.
type openAPIFile struct {
	body []byte
	etag string
}

// openAPIIndex is the answer to GET /openapi/v3: where each document is, with a
// hash of its content so that clients may keep it for ever.
func openAPIIndex() []byte { return openAPIListing() }

// openAPIDocument is the answer to GET /openapi/v3/{groupVersionPath}, of which
// the path is as the index has it: "api/v1", "apis/apps/v1". The ETag is without
// its quotes. ok is false where there is no such group version.
func openAPIDocument(groupVersionPath string) (doc []byte, etag string, ok bool) {
	f, ok := openAPIPublished()[groupVersionPath]
	return f.body, f.etag, ok
}

// hashOf is what tells one content from another in a URL or an ETag.
func hashOf(b []byte) string { return fmt.Sprintf("%X", sha512.Sum512(b)) }

func listOpenAPI() []byte {
	index := handler3.OpenAPIV3Discovery{Paths: map[string]handler3.OpenAPIV3DiscoveryGroupVersion{}}
	for path, f := range openAPIPublished() {
		index.Paths[path] = handler3.OpenAPIV3DiscoveryGroupVersion{
			ServerRelativeURL: fmt.Sprintf("/openapi/v3/%s?hash=%s", path, f.etag),
		}
	}
	return mustJSON(index)
}

func publishOpenAPI() map[string]openAPIFile {
	groups := map[schema.GroupVersion][]Resource{}
	for _, r := range kinds() {
		groups[r.GroupVersion()] = append(groups[r.GroupVersion()], r)
	}
	groups[autoscalingV1] = []Resource{autoscalerV1Resource()}
	files := map[string]openAPIFile{}
	for group, rows := range groups {
		body := mustJSON(describeGroup(group, rows))
		files[strings.TrimPrefix(groupPath(group), "/")] = openAPIFile{body, hashOf(body)}
	}
	return files
}

// mustJSON: the documents are made of plain data of our own, which always marshals.
func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	return b
}

// groupPath is where a group version is served: /api/v1, /apis/apps/v1.
func groupPath(g schema.GroupVersion) string {
	if g.Group == "" {
		return "/api/" + g.Version
	}
	return "/apis/" + g.Group + "/" + g.Version
}

// describeGroup makes the document of one group version.
func describeGroup(group schema.GroupVersion, rows []Resource) *spec3.OpenAPI {
	m := &models{group: group, schemas: map[string]*spec.Schema{}, words: openAPIWords(), tails: openAPITails()}
	d := &paths{group: group, models: m, all: map[string]*spec3.Path{}}
	for i := range rows {
		d.addResource(&rows[i])
	}
	for _, o := range []any{metav1.APIResourceList{}, metav1.Status{}, metav1.WatchEvent{}} {
		m.add(reflect.TypeOf(o))
	}
	for _, s := range m.schemas {
		slices.Sort(s.Required)
	}
	return &spec3.OpenAPI{
		Version:    "3.0.0",
		Info:       &spec.Info{InfoProps: spec.InfoProps{Title: "Kubernetes", Version: "v1.37.2"}},
		Paths:      &spec3.Paths{Paths: d.all},
		Components: &spec3.Components{Schemas: m.schemas},
	}
}
