package apiserver

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/version"
)

// Version is the release of Kubernetes that a server answers as.
const Version = "v1.37.2"

func versionInfo() version.Info {
	return version.Info{
		Major: "1", Minor: "37", GitVersion: Version, GitTreeState: "clean",
		Compiler: "gc", Platform: "linux/amd64",
	}
}

// serveOther answers the paths that are no resources.
func (x *exchange) serveOther() *answer {
	parts := strings.FieldsFunc(x.http.URL.Path, func(c rune) bool { return c == '/' })
	if x.user.Name == "" {
		return x.refusal(apierrors.NewUnauthorized("Unauthorized"))
	}
	if x.http.Method != http.MethodGet && x.http.Method != http.MethodHead {
		return notFoundPage()
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
		if len(parts) == 2 && parts[1] == "v3" {
			return newAnswer(http.StatusOK, "application/json", openAPIIndex())
		}
		if group, ok := strings.CutPrefix(strings.Join(parts, "/"), "openapi/v3/"); ok {
			if doc, etag, found := openAPIDocument(group); found {
				return x.tagged(newAnswer(http.StatusOK, "application/json", doc), etag)
			}
		}
	}
	return notFoundPage()
}

// health says that all is well: a server that is not, does not answer.
func (x *exchange) health(check string) *answer {
	if !x.query.Has("verbose") {
		return newAnswer(http.StatusOK, "text/plain; charset=utf-8", []byte("ok"))
	}
	return newAnswer(http.StatusOK, "text/plain; charset=utf-8", []byte("[+]ping ok\n[+]log ok\n[+]etcd ok\n"+check+" check passed\n"))
}

// paths are what the root names.
func (s *Server) paths() []string {
	paths := []string{"/api", "/api/v1", "/apis", "/healthz", "/livez", "/openapi/v3", "/readyz", "/version"}
	for _, gv := range s.groups() {
		if gv.Group != "" {
			paths = append(paths, "/apis/"+gv.Group, "/apis/"+gv.String())
		}
	}
	slices.Sort(paths)
	return paths
}

// jsonAnswer is plain data, indented as the real server does.
func jsonAnswer(v any) *answer {
	// Strings and lists of strings always encode.
	body, _ := json.MarshalIndent(v, "", "  ")
	return newAnswer(http.StatusOK, "application/json", body)
}
