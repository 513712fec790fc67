package bot

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// What is answered where nothing can be kept leaves no trace: who has looked meanwhile finds the cluster as who has not,
// then and later, and what is in the store is what was there before.
func TestUnkeptLooksLeaveNothing(t *testing.T) {
	for _, fail := range []error{ErrFull, fmt.Errorf("commit: %w", ErrReadOnly)} {
		a, b := newStage(t, "fr"), newStage(t, "fr")
		both := func(line string) string {
			t.Helper()
			one, other := plainText(a.ask(line)), plainText(b.ask(line))
			other, _, _ = strings.Cut(other, "\n\nJe ne peux rien enregistrer") // who has not looked yet is told
			if one != other {
				t.Errorf("%v: %s:\n%s\nnot\n%s", fail, line, one, other)
			}
			return one
		}
		both("/kubectl create deployment web --image=nginx --replicas=3")
		both("/panne noeud node-2")
		before := a.store.commits
		a.store.fail, b.store.fail = fail, fail
		told := 0
		for range 5 {
			for _, line := range []string{"/kubectl get pods -o wide", "/grappe", "/pourquoi", "/kubectl describe pods", "/schéma grappe", "/temps", "/panne"} {
				a.now = a.now.Add(20 * time.Second)
				r := a.ask(line)
				if r.Failed {
					t.Errorf("%v: %s: %s", fail, line, plainText(r))
				}
				told += strings.Count(plainText(r), "rien enregistrer")
			}
		}
		if told != 1 || a.store.commits != before {
			t.Errorf("%v: told %d times; %d commits", fail, told, a.store.commits-before)
		}
		for _, line := range []string{"/kubectl delete deployment web", "/temps avance 1m", "/temps pause", "/répare tout", "/grappe sauve midi", "/kubectl wait deployment/web --for=jsonpath={.spec.replicas}=9 --timeout=5s", "/kubectl create configmap c", "/langue en", "/etcdctl put a b"} {
			if r := a.ask(line); !r.Failed || !strings.Contains(plainText(r), "rien n'a été changé") {
				t.Errorf("%v: %s: %s", fail, line, plainText(r))
			}
		}
		b.now, b.asked = a.now, a.asked
		if got := both("/kubectl get pods -o wide"); !strings.Contains(got, "web-") {
			t.Error(got)
		}
		a.store.fail, b.store.fail = nil, nil
		both("/kubectl get pods -o wide")
		both("/kubectl scale deployment web --replicas=5")
		a.now, b.now = a.now.Add(time.Minute), b.now.Add(time.Minute)
		if got := both("/kubectl get pods"); strings.Contains(got, "rien enregistrer") {
			t.Error(got)
		}
	}
}
