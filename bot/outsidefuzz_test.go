package bot

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"timonier/sim/apiserver"
)

// FuzzOutside: whatever comes to the kubectl door is answered, by no failure of ours; without the channel's own token, by 401; with it,
// by nothing of another channel's. Watches are not asked for here: they wait for time to go by.
func FuzzOutside(f *testing.F) {
	for _, s := range [][4]string{
		{"Bearer TOKEN", "GET", "/api/v1/pods", ""}, {"bearer  TOKEN ", "GET", "/api/v1/namespaces/default/configmaps?limit=1", ""}, {"Basic TOKEN", "GET", "/", ""},
		{"Bearer", "POST", "/api/v1/namespaces", "{}"}, {"Bearer TOKEN", "POST", "/api/v1/namespaces", `{"metadata":{"name":"a"}}`}, {"Bearer TOKEN, Bearer x", "GET", "/api", ""},
		{"Bearer TOKEN", "PATCH", "/api/v1/namespaces/default/configmaps/kube-root-ca.crt", `[{"op":"copy","from":"/data","path":"/data/x"}]`},
		{"Bearer TOKEN", "DELETE", "/api/v1/namespaces/default/pods?labelSelector=a", ""}, {"Bearer TOKEN", "GET", "/../api//v1/%2e%2e/secrets", ""},
		{"Bearer TOKEN", "GET", "http://other.example/apis/apps/v1/deployments?continue=e30", ""}, {"Bearer TOKEN", "CONNECT", "/api/v1/namespaces/default/pods/a/exec?command=sh", ""},
		{"Bearer TOKEN", "POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", `{"spec":{"nonResourceAttributes":{"path":"/"}}}`},
		{"Bearer TOKEN", "GET", "/api/v1/nodes/node-1/proxy/../../namespaces", ""}, {"Bearer TOKEN", "list", "/api/v1/nodes;a=b", ""}, {"Bearer TOKEN", "PUT", "/api/v1/nodes/node-1/status", "\x00"},
	} {
		f.Add(s[0], s[1], s[2], s[3])
	}
	const secret = "nobody-elses-business"
	x := newFuzzed(f)
	x.tutor.Close()
	x.tutor = New(Config{Store: x.store, Now: func() time.Time { return x.now }, Outside: &Outside{Server: "https://timonier.example"},
		Limits: Limits{Rates: Unlimited()}, Logger: slog.New(slog.NewTextHandler(x.log, nil))})
	f.Cleanup(func() { x.tutor.Close() })
	f.Fuzz(func(t *testing.T, header, method, target, body string) {
		x.begin()
		x.ask(t, 1, "/kubectl create configmap "+secret)
		x.run++ // another channel
		token := tokenIn(x.ask(t, 1, "/kubeconfig"))
		at, err := url.ParseRequestURI(target)
		if err != nil || token == "" {
			return
		}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "https://timonier.example/", strings.NewReader(body))
		r.Method, r.URL, r.RequestURI = method, at, target
		r.Header["Authorization"] = []string{strings.ReplaceAll(header, "TOKEN", token)}
		if apiserver.IsWatch(r) {
			return
		}
		w := httptest.NewRecorder()
		x.tutor.Outside().ServeHTTP(w, r)
		words := strings.Fields(header)
		known := len(words) == 2 && strings.EqualFold(words[0], "bearer") && words[1] == "TOKEN"
		switch {
		case !known && w.Code != http.StatusUnauthorized, header == "Bearer TOKEN" && w.Code == http.StatusUnauthorized:
			t.Errorf("%q: %d", header, w.Code)
		case w.Code == http.StatusInternalServerError, strings.Contains(x.log.String(), "level=ERROR"):
			t.Errorf("%s %s: %d %s %s", method, target, w.Code, w.Body, x.log)
		case strings.Contains(w.Body.String(), secret) && !strings.Contains(target+body, "nobody"):
			t.Errorf("%s %s: another channel's: %s", method, target, w.Body)
		}
	})
}
