package kubectl

import (
	"strings"
	"testing"
	"time"

	"timonier/sim"
)

func TestLook(t *testing.T) {
	c, err := sim.New(sim.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if r := Run(t.Context(), c, strings.Fields("create deployment web --image=nginx --replicas=2"), ""); r.Code != 0 {
		t.Fatal(r.Stderr)
	}
	pod := `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"nginx"}]}}`
	for line, denied := range map[string]bool{
		"get pods":                false,
		"-n kube-system get pods": false,
		"--namespace=default get deployments -o yaml":             false,
		"describe deployment web":                                 false,
		"explain pod.spec":                                        false,
		"rollout -n default status deployment/web":                false,
		"rollout history deployment/web":                          false,
		"wait --for=condition=Available deploy/web --timeout=60m": false,
		"get pods -w":                 false,
		"label deployment web --list": false,
		"create deployment x --image=nginx --dry-run=client -o yaml": false,
		"create deployment x --image=nginx --dry-run=server":         false,
		"apply -f - --dry-run=server":                                false,

		"create deployment x --image=nginx":                                 true,
		"create deployment x --image=nginx --dry-run=client --dry-run=none": true,
		"--image get create deployment x --image=nginx":                     false,
		"apply -f -":                                true,
		"apply -f - --server-side":                  true,
		"delete deployment web":                     true,
		"delete deployment web --now":               true,
		"scale deployment web --replicas=5":         true,
		"set image deployment/web nginx=nginx:1.27": true,
		"rollout restart deployment/web":            true,
		"label deployment web a=b":                  true,
		"annotate deployment web a=b":               true,
		"patch deployment web -p {}":                true,
		"cordon node-1":                             true,
		"drain node-1":                              true,
		"taint node node-1 a=b:NoSchedule":          true,
		"run p --image=nginx":                       true,
		"expose deployment web --port=80":           true,
		"autoscale deployment web --max=3":          true,
		"port-forward web 80":                       false, // does not exist here
	} {
		rev, now := c.Server().Revision(), c.Now()
		r := Look(t.Context(), c, strings.Fields(line), pod)
		if r.Denied != denied || r.Wrote {
			t.Errorf("%s: denied %v, wrote %v: %s%s", line, r.Denied, r.Wrote, r.Stdout, r.Stderr)
		}
		if c.Server().Revision() != rev || c.Now().Sub(now) > time.Second {
			t.Errorf("%s: the cluster went from revision %d to %d, and on by %v", line, rev, c.Server().Revision(), c.Now().Sub(now))
		}
	}
}

// What a command wrote is known by its name, whatever has been forgotten of how it was done.
func TestObjectsWritten(t *testing.T) {
	c, err := sim.New(sim.Config{})
	if err != nil {
		t.Fatal(err)
	}
	const list = `{"apiVersion":"v1","kind":"List","items":[
		{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"m","namespace":"default"}},
		{"apiVersion":"v1","kind":"Pod","metadata":{"generateName":"p-"},"spec":{"containers":[{"name":"c","image":"nginx"}]}}]}`
	for _, step := range []struct{ line, stdin, want string }{
		{"create deployment web --image=nginx --replicas=400", "", "Deployment default/web"},
		{"scale deployment web --replicas=401", "", "Deployment default/web"},
		{"set image deployment/web nginx=nginx:1.27", "", "Deployment default/web"},
		{"create namespace a", "", "Namespace /a"},
		{"create -f -", list, "ConfigMap default/m, Pod default/p-…"},
		{"cordon node-1", "", "Node /node-1"},
		{"get pods", "", ""},
		{"create deployment x --image=nginx --dry-run=server", "", ""},
		{"delete configmap m", "", "ConfigMap default/m"},
	} {
		var got []string
		for _, o := range Run(t.Context(), c, strings.Fields(step.line), step.stdin).Objects {
			if strings.HasPrefix(o.Name, "p-") && len(o.Name) == len("p-xxxxx") {
				o.Name = "p-…"
			}
			got = append(got, o.Kind+" "+o.Namespace+"/"+o.Name)
		}
		if text := strings.Join(got, ", "); text != step.want {
			t.Errorf("%s: %q, want %q", step.line, text, step.want)
		}
	}
}
