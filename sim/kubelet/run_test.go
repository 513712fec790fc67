package kubelet

import (
	"fmt"
	"testing"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

func TestPlanRun(t *testing.T) {
	images := listed(t)
	sh := func(script string) []string { return []string{"sh", "-c", script} }
	for _, c := range []struct {
		image         string
		command, args []string
		limit         string
		want          string
	}{
		{image: "nginx", want: "for ever"},
		{image: "nginx", limit: "4Mi", want: "OOMKilled 137 after 700ms"},
		{image: "hello-world", want: "Completed 0 after 10ms"},
		{image: "timonier/crash", want: "Error 1 after 2s"},
		{image: "timonier/leak", limit: "64Mi", want: "OOMKilled 137 after 22s"},
		{image: "timonier/leak", want: "OOMKilled 137 after 34m3s"}, // the node's 4 GiB and a little
		{image: "postgres", want: "Error 1 after 250ms"},
		{image: "busybox", want: "Completed 0 after 20ms"},
		{image: "busybox", command: []string{"sleep", "3600"}, want: "Completed 0 after 1h0m0s, ignores SIGTERM"},
		{image: "busybox", args: []string{"sleep", "infinity"}, want: "for ever, ignores SIGTERM"},
		{image: "busybox", command: []string{"false"}, want: "Error 1 after 0s, ignores SIGTERM"},
		{image: "busybox", command: []string{"slep", "5"}, want: "StartError 128 after 0s, ignores SIGTERM"},
		{image: "busybox", command: sh("sleep 5; exit 1"), want: "Error 1 after 5s, ignores SIGTERM"},
		{image: "busybox", command: sh("exit 3"), want: "Error 3 after 0s, ignores SIGTERM"},
		{image: "busybox", command: []string{"/bin/sh", "-c"}, args: []string{"echo hello && sleep 1.5 && false || exit 7"}, want: "Error 7 after 1.5s, ignores SIGTERM"},
		{image: "busybox", command: sh("while true; do date; sleep 10; done"), want: "for ever, ignores SIGTERM"},
		{image: "busybox", command: sh("for i in 1 2 3; do echo $i; sleep 2; done"), want: "Completed 0 after 6s, ignores SIGTERM"},
		{image: "busybox", command: sh("for i in $(seq 1 5); do sleep 1; done; exit $CODE"), want: "Error 2 after 5s, ignores SIGTERM"},
		{image: "busybox", command: sh("until [ -f /tmp/x ]; do sleep 2; touch /tmp/x; done"), want: "Completed 0 after 2s, ignores SIGTERM"},
		{image: "busybox", command: sh("until nslookup db; do echo waiting; sleep 2; done"), want: "Completed 0 after 0s, ignores SIGTERM"},
		{image: "nginx", command: sh("sleep 3; exec nginx -g 'daemon off;'"), want: "for ever"},
		{image: "nginx", command: []string{"nginx", "-g", "daemon off;"}, want: "for ever"},
		{image: "hello-world", command: sh("exit 1"), want: "StartError 128 after 0s"},
		{image: "perl:5.34.0", command: []string{"perl", "-Mbignum=bpi", "-wle", "print bpi(2000)"}, want: "Completed 0 after 7s"},
		{image: "python", want: "Completed 0 after 60ms"},
		{image: "python", command: []string{"python", "-m", "http.server"}, want: "for ever"},
		{image: "ghcr.io/someone/app", command: []string{"/server", "--port=8080"}, want: "for ever"},
		{image: "busybox", command: sh("if test -f /tmp/no; then exit 4; else exit 5; fi"), want: "Error 5 after 0s, ignores SIGTERM"},
		{image: "busybox", command: sh("case x in x) exit 1;; esac"), want: "for ever, ignores SIGTERM"}, // not understood
	} {
		f, err := images.find(c.image)
		if err != nil {
			t.Fatal(err)
		}
		spec := v1.Container{Name: "c", Image: c.image, Command: c.command, Args: c.args, Env: []v1.EnvVar{{Name: "CODE", Value: "2"}}}
		if c.limit != "" {
			spec.Resources.Limits = v1.ResourceList{v1.ResourceMemory: resource.MustParse(c.limit)}
		}
		r := planRun(f.Image, &spec, 4106<<20)
		got := "for ever"
		if r.ends {
			got = fmt.Sprintf("%s %d after %v", r.reason, r.code, r.after)
		}
		if r.stop.Ignores && !f.Stop.Ignores || r.stop.Ignores && len(c.command)+len(c.args) > 0 {
			got += ", ignores SIGTERM"
		}
		if got != c.want {
			t.Errorf("%s %q %q:\n got %s\nwant %s", c.image, c.command, c.args, got, c.want)
		}
	}
}
