package apiserver

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	openapiv2 "github.com/google/gnostic-models/openapiv2"
	"google.golang.org/protobuf/proto"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/version"
)

// Version is the release of Kubernetes that a server answers as.
const Version = "v1.37.2"

func versionInfo() version.Info {
	return version.Info{
		Major: "1", Minor: "37", EmulationMajor: "1", EmulationMinor: "37", MinCompatibilityMajor: "1", MinCompatibilityMinor: "36",
		GitVersion: Version, GitCommit: "$Format:%H$", GitTreeState: "clean", BuildDate: "1970-01-01T00:00:00Z",
		GoVersion: "go1.26.8", Compiler: "gc", Platform: "linux/amd64",
	}
}

// serveOther answers the paths that are no resources.
func (x *exchange) serveOther() *answer {
	parts := strings.FieldsFunc(x.http.URL.Path, func(c rune) bool { return c == '/' })
	if x.user.Name == "" {
		return x.refusal(apierrors.NewUnauthorized("Unauthorized"))
	}
	if x.http.Method != http.MethodGet && x.http.Method != http.MethodHead {
		return x.noRoute()
	}
	if len(parts) == 0 {
		return jsonAnswer(map[string][]string{"paths": x.server.paths()})
	}
	switch parts[0] {
	case "api", "apis":
		if a, found := x.serveDiscovery(parts); found {
			return a
		}
	case "version":
		return jsonAnswer(versionInfo())
	case "healthz", "livez", "readyz":
		return x.health(parts[0])
	case "openapi":
		if len(parts) == 2 && parts[1] == "v2" {
			return x.openAPIv2()
		}
		if len(parts) == 2 && parts[1] == "v3" {
			return newAnswer(http.StatusOK, "application/json", openAPIIndex())
		}
		if group, ok := strings.CutPrefix(strings.Join(parts, "/"), "openapi/v3/"); ok {
			if doc, etag, found := openAPIDocument(group); found {
				return x.tagged(newAnswer(http.StatusOK, "application/json", doc), etag)
			}
		}
	}
	return x.noRoute()
}

// health says that all is well: a server that is not, does not answer.
func (x *exchange) health(check string) *answer {
	if !x.query.Has("verbose") {
		return newAnswer(http.StatusOK, "text/plain; charset=utf-8", []byte("ok"))
	}
	return newAnswer(http.StatusOK, "text/plain; charset=utf-8", []byte("[+]ping ok\n[+]log ok\n[+]etcd ok\n"+check+" check passed\n"))
}

// openAPIv2 is the document of the old form. It names no kinds: a client that knows
// OpenAPI v3 asks for it only when it has not found a kind there, to learn that there
// is none here either.
func (x *exchange) openAPIv2() *answer {
	doc := &openapiv2.Document{
		Swagger: "2.0", Info: &openapiv2.Info{Title: "Kubernetes", Version: Version}, Paths: &openapiv2.Paths{},
	}
	if strings.Contains(x.http.Header.Get("Accept"), "protobuf") {
		body, err := proto.MarshalOptions{Deterministic: true}.Marshal(doc)
		if err != nil {
			return x.refusal(apierrors.NewInternalError(err))
		}
		return newAnswer(http.StatusOK, "application/com.github.proto-openapi.spec.v2.v1.0+protobuf", body)
	}
	return jsonAnswer(map[string]any{
		"swagger": doc.Swagger, "info": map[string]string{"title": doc.Info.Title, "version": doc.Info.Version}, "paths": map[string]any{},
	})
}

// paths are what the root names.
func (s *Server) paths() []string {
	paths := []string{"/api", "/api/v1", "/apis", "/healthz", "/livez", "/openapi/v2", "/openapi/v3", "/readyz", "/version"}
	for _, gv := range s.groups() {
		if gv.Group != "" {
			paths = append(paths, "/apis/"+gv.Group, "/apis/"+gv.String())
		}
	}
	slices.Sort(paths)
	return slices.Compact(paths)
}

// jsonAnswer is plain data, indented as the real server does.
func jsonAnswer(v any) *answer {
	// Strings and lists of strings always encode.
	body, _ := json.MarshalIndent(v, "", "  ")
	return newAnswer(http.StatusOK, "application/json", body)
}
