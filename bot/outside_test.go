package bot

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"regexp"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// tokenIn is the token of the kubeconfig that a reply offers; "": none.
func tokenIn(r Reply) string {
	for _, f := range r.Files {
		if m := regexp.MustCompile(`token: (\S+)`).FindSubmatch(f.Data); m != nil {
			return string(m[1])
		}
	}
	return ""
}

// visit is what a request from outside, with the token, is answered: its status, and what a Status says.
func (s *stage) visit(method, path, body string) string {
	r := httptest.NewRequest(method, "https://timonier.example"+path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+s.token)
	r.Header.Set("User-Agent", "kubectl/v1.37.2 (linux/amd64) kubernetes/abc")
	r.Header.Set("Content-Type", "application/json")
	if method != "GET" {
		verb := map[string]string{"POST": "create", "DELETE": "delete", "PATCH": "patch"}[method]
		r.Header.Set("Kubectl-Command", "kubectl "+verb)
	}
	w := httptest.NewRecorder()
	s.tutor.Outside().ServeHTTP(w, r)
	var status metav1.Status
	if json.Unmarshal(w.Body.Bytes(), &status) == nil && status.Kind == "Status" {
		return fmt.Sprint(w.Code, " ", status.Reason, " ", status.Message)
	}
	return fmt.Sprint(w.Code)
}
