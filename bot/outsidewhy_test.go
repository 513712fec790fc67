package bot

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// commands sends a request from outside as a command of kubectl's does: with the session that all of one command have.
func (s *stage) commands(session, command, method, path, body string) {
	s.t.Helper()
	r := httptest.NewRequest(method, "https://timonier.example"+path, strings.NewReader(body))
	for key, value := range map[string]string{"Authorization": "Bearer " + s.token, "User-Agent": "kubectl/v1.37.2 (linux/amd64) kubernetes/abc",
		"Content-Type": "application/json", "Kubectl-Command": "kubectl " + command, "Kubectl-Session": session} {
		r.Header.Set(key, value)
	}
	w := httptest.NewRecorder()
	s.tutor.Outside().ServeHTTP(w, r)
	if w.Code >= http.StatusBadRequest {
		s.t.Fatalf("kubectl %s: %d %s", command, w.Code, w.Body)
	}
}

// /pourquoi explains the last command that came from outside, with all of its requests, and none before it.
func TestWhyExplainsTheLastCommandFromOutside(t *testing.T) {
	s := newStage(t, "fr")
	s.outside = &Outside{Server: "https://timonier.example:6443"}
	s.tutor.Close()
	s.tutor = s.newTutor()
	s.token = tokenIn(s.send(s.request("/kubeconfig")))
	const maps = "/api/v1/namespaces/default/configmaps"
	named := func(name string) string { return `{"metadata":{"name":"` + name + `"}}` }
	tells := func(when, command, of string, without ...string) {
		t.Helper()
		why := plainText(s.send(s.request("/pourquoi")))
		if !strings.Contains(why, command) || !strings.Contains(why, of) {
			t.Errorf("%s: /pourquoi does not tell %q of %q:\n%s", when, command, of, why)
		}
		for _, w := range without {
			if strings.Contains(why, w) {
				t.Errorf("%s: /pourquoi tells %q:\n%s", when, w, why)
			}
		}
	}
	s.commands("a", "apply", "POST", maps, named("first"))
	s.commands("a", "apply", "POST", maps, named("second"))
	tells("one command of two requests", "kubectl apply", "pour 1 autre")
	s.commands("b", "create", "POST", maps, named("third")) // at the same moment
	tells("another at once", "kubectl create", "third", "first", "second", "kubectl apply")
	s.now = s.now.Add(25 * time.Second)
	s.commands("c", "delete", "DELETE", maps+"/first", "")
	tells("another later", "kubectl delete", "first", "third", "kubectl create")
	s.send(s.request("/kubectl create configmap typed"))
	tells("a line typed", "typed", "typed", "kubectl delete")
	s.commands("c", "delete", "DELETE", maps+"/second", "")
	tells("a command that goes on after it", "kubectl delete", "pour 1 autre", "typed")
}

// The word that confirms may come before the number of members or after it.
func TestResetIsConfirmedInEitherOrder(t *testing.T) {
	for _, line := range []string{"/remise confirme 5", "/remise 5 confirme", "/reset 5 confirm"} {
		s := newStage(t, "fr")
		s.send(s.request("/kubectl create configmap gone"))
		if got := plainText(s.send(s.request(line))); !strings.Contains(got, "5") {
			t.Errorf("%s: %s", line, got)
		}
		if got := plainText(s.send(s.request("/kubectl get configmap gone"))); !strings.Contains(got, "NotFound") {
			t.Errorf("%s: the cluster is the one before: %s", line, got)
		}
	}
}

// Whoever asks for a short time is not told how to ask for a shorter one.
func TestKubeconfigSaysShorterWhereItWouldBe(t *testing.T) {
	s := newStage(t, "fr")
	s.outside = &Outside{Server: "https://timonier.example:6443"}
	s.tutor.Close()
	s.tutor = s.newTutor()
	for line, want := range map[string]bool{"/kubeconfig": true, "/kubeconfig durée=3h": true, "/kubeconfig durée=2h": false, "/kubeconfig durée=5m": false} {
		if got := plainText(s.send(s.request(line))); strings.Contains(got, "pour moins longtemps") != want || !strings.Contains(got, "Il est valable") {
			t.Errorf("%s: %s", line, got)
		}
	}
}
