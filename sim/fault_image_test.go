package sim

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/intstr"

	"timonier/sim/apiserver"
	"timonier/sim/trace"
)

// story lets time pass, and says when a pod's container changed: its state, its restarts, whether it is ready.
func story(t *testing.T, c *Cluster, name string, until time.Duration) []string {
	t.Helper()
	var lines []string
	began, last := c.Now(), ""
	for c.Now().Before(began.Add(until)) {
		p, _ := podNamed(c, name)
		line := "not yet"
		if all := p.Status.ContainerStatuses; len(all) > 0 {
			s := all[0]
			switch {
			case s.State.Running != nil:
				line = "running"
			case s.State.Terminated != nil:
				line = fmt.Sprintf("%s %d", s.State.Terminated.Reason, s.State.Terminated.ExitCode)
			case s.State.Waiting != nil:
				line = s.State.Waiting.Reason
			}
			line = fmt.Sprintf("%s restarts=%d ready=%v", line, s.RestartCount, s.Ready)
		}
		if line != last && last != "" {
			lines = append(lines, fmt.Sprintf("%v %s", c.Now().Sub(began).Truncate(time.Second), line))
		}
		last = line
		next, ok := c.Next()
		if !ok || next.After(began.Add(until)) {
			next = began.Add(until)
		}
		if err := c.AdvanceTo(next); err != nil {
			t.Fatal(err)
		}
	}
	return lines
}

func probe(failures int32) *corev1.Probe {
	return &corev1.Probe{PeriodSeconds: 10, FailureThreshold: failures,
		ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Port: intstr.FromInt32(80)}}}
}

// What becomes of a pod whose image or registry is broken: one that runs before the fault, or is made after it.
func TestBrokenImages(t *testing.T) {
	for name, x := range map[string]struct {
		fault, target string
		after         bool // the pod is made after the fault
		change        func(*corev1.Container)
		want          string
	}{
		"a crash": {ImageCrash, "nginx:1.29", false, nil, `
			2s Error 139 restarts=0 ready=false
			2s running restarts=1 ready=true
			4s Error 139 restarts=1 ready=false
			5s CrashLoopBackOff restarts=1 ready=false
			14s running restarts=2 ready=true
			16s Error 139 restarts=2 ready=false
			17s CrashLoopBackOff restarts=2 ready=false
			37s running restarts=3 ready=true
			39s Error 139 restarts=3 ready=false
			40s CrashLoopBackOff restarts=3 ready=false
			1m19s running restarts=4 ready=true
			1m21s Error 139 restarts=4 ready=false
			1m22s CrashLoopBackOff restarts=4 ready=false`},
		"another image's crash": {ImageCrash, "redis", false, nil, ``},
		"another tag's crash":   {ImageCrash, "nginx:1.28", false, nil, ``},
		"a leak with a limit": {ImageLeak, "nginx", false, func(c *corev1.Container) {
			c.Resources.Limits = corev1.ResourceList{"memory": resource.MustParse("256Mi")}
		}, `
			1m2s OOMKilled 137 restarts=0 ready=false
			1m2s running restarts=1 ready=true`},
		"a leak with a smaller one": {ImageLeak, "nginx", false, func(c *corev1.Container) {
			c.Resources.Limits = corev1.ResourceList{"memory": resource.MustParse("128Mi")}
		}, `
			30s OOMKilled 137 restarts=0 ready=false
			30s running restarts=1 ready=true
			1m0s OOMKilled 137 restarts=1 ready=false
			1m1s CrashLoopBackOff restarts=1 ready=false
			1m10s running restarts=2 ready=true`},
		"a leak up to the node's own memory": {ImageLeak, "nginx", false, nil, ``},
		"a slow start": {ImageSlow, "nginx", true, func(c *corev1.Container) { c.ReadinessProbe = probe(3) }, `
			0s running restarts=0 ready=false
			1m31s running restarts=0 ready=true`},
		"one that runs is not slow any more": {ImageSlow, "nginx", false, func(c *corev1.Container) { c.ReadinessProbe = probe(3) }, ``},
		"a slow start with a liveness probe": {ImageSlow, "nginx", true, func(c *corev1.Container) { c.LivenessProbe = probe(3) }, `
			0s running restarts=0 ready=true
			21s Completed 0 restarts=0 ready=false
			21s running restarts=1 ready=true
			42s Completed 0 restarts=1 ready=false
			43s CrashLoopBackOff restarts=1 ready=false
			52s running restarts=2 ready=true
			1m13s Completed 0 restarts=2 ready=false
			1m14s CrashLoopBackOff restarts=2 ready=false
			1m33s running restarts=3 ready=true`},
		"and with a startup probe": {ImageSlow, "nginx", true, func(c *corev1.Container) { c.StartupProbe, c.LivenessProbe = probe(30), probe(3) }, `
			0s running restarts=0 ready=false
			1m31s running restarts=0 ready=true`},
		"no registry, but the image is there": {RegistryDown, "docker.io", true, nil, `
			0s running restarts=0 ready=true`},
		"no registry, and it is to be pulled always": {RegistryDown, "docker.io", true, func(c *corev1.Container) { c.ImagePullPolicy = corev1.PullAlways }, `
			1s ErrImagePull restarts=0 ready=false
			2s ImagePullBackOff restarts=0 ready=false
			11s ErrImagePull restarts=0 ready=false
			12s ImagePullBackOff restarts=0 ready=false
			32s ErrImagePull restarts=0 ready=false
			33s ImagePullBackOff restarts=0 ready=false
			1m12s ErrImagePull restarts=0 ready=false
			1m13s ImagePullBackOff restarts=0 ready=false`},
		"no registry, and another image": {RegistryDown, "docker.io", true, func(c *corev1.Container) { c.Image = "redis:7" }, `
			1s ErrImagePull restarts=0 ready=false
			2s ImagePullBackOff restarts=0 ready=false
			11s ErrImagePull restarts=0 ready=false
			12s ImagePullBackOff restarts=0 ready=false
			32s ErrImagePull restarts=0 ready=false
			33s ImagePullBackOff restarts=0 ready=false
			1m12s ErrImagePull restarts=0 ready=false
			1m13s ImagePullBackOff restarts=0 ready=false`},
		"another registry": {RegistryDown, "docker.io", true, func(c *corev1.Container) { c.Image = "ghcr.io/a/b:1" }, `
			4s running restarts=0 ready=true`},
	} {
		t.Run(name, func(t *testing.T) {
			c, d := newCluster(t, Config{}), disk{}
			for i, image := range []string{"nginx:1.29", "nginx:1.28", "redis:7"} { // so that node-1 has them, and they may be broken
				create(t, c, bare(fmt.Sprintf("user-%d", i), "node-"+fmt.Sprint(min(i+1, 2)), image))
			}
			pod := bare("p", "node-1", "nginx:1.29")
			if x.change != nil {
				x.change(&pod.Spec.Containers[0])
			}
			if !x.after {
				create(t, c, pod)
			}
			pass(t, c, time.Minute)
			fail(t, c, x.fault, x.target)
			if x.after {
				create(t, c, pod)
			}
			d.save(t, c)
			c = d.load(t)
			var got []string
			for _, l := range story(t, c, "p", 100*time.Second) {
				if !strings.Contains(l, "not yet") && !strings.Contains(l, "ContainerCreating") {
					got = append(got, l)
				}
			}
			if text := strings.Join(got, "\n"); text != strings.TrimSpace(strings.ReplaceAll(x.want, "\t", "")) {
				t.Errorf("got\n%s\nwant%s", text, x.want)
			}
		})
	}
}

// A registry that is back: the kubelet tries again when its wait is over, no sooner.
func TestARegistryThatIsBack(t *testing.T) {
	c := newCluster(t, Config{})
	fail(t, c, RegistryDown, "docker.io")
	create(t, c, bare("p", "node-1", "redis:7"))
	pass(t, c, 45*time.Second) // pulls after 0, 10, 30 s; the next after 70 s
	var why []string
	for e := range apiserver.List[*corev1.Event](c.Client(), "default") {
		if e.InvolvedObject.Name == "p" && e.Reason == "Failed" && strings.HasPrefix(e.Message, "Failed") {
			why = append(why, fmt.Sprintf("%dx %s", e.Count, e.Message))
		}
	}
	const ref = "docker.io/library/redis:7"
	want := fmt.Sprintf("3x Failed to pull image %q: failed to pull and unpack image %q: failed to resolve reference %q: unexpected status from HEAD request to https://registry-1.docker.io/v2/library/redis/manifests/7: 503 Service Unavailable", "redis:7", ref, ref)
	if !slices.Equal(why, []string{want}) {
		t.Errorf("%q\nwant %q", why, want)
	}
	mend(t, c, RegistryDown, "docker.io")
	began := c.Now()
	if !c.Until(5*time.Minute, func() bool { return running(c, "p") }) {
		t.Fatal("it never runs")
	}
	if took := c.Now().Sub(began); took < 20*time.Second || took > 40*time.Second {
		t.Errorf("it ran %v after the registry was back", took)
	}
}

// The same by a pod's annotation; and an OOM is told in the trace.
func TestOutcomesByAnnotation(t *testing.T) {
	for outcome, want := range map[string]string{"crash": "Error 139", "oom": "OOMKilled 137", "fail": "Error 1", "slow": "", "nonsense": "", "": ""} {
		c := newCluster(t, Config{})
		pod := bare("p", "node-1", "nginx:1.29")
		pod.Annotations = map[string]string{"timonier/outcome": outcome}
		pod.Spec.RestartPolicy = corev1.RestartPolicyNever
		pod.Spec.Containers[0].Resources.Limits = corev1.ResourceList{"memory": resource.MustParse("128Mi")}
		create(t, c, pod)
		pass(t, c, 2*time.Minute)
		p, _ := podNamed(c, "p")
		got := ""
		if e := p.Status.ContainerStatuses[0].State.Terminated; e != nil {
			got = fmt.Sprintf("%s %d", e.Reason, e.ExitCode)
		}
		if got != want {
			t.Errorf("%s: %q, want %q", outcome, got, want)
		}
		told := slices.ContainsFunc(c.Trace().Steps(), func(s trace.Step) bool {
			d, ok := s.Detail.(trace.Container)
			return ok && s.Kind == trace.Exited && d.Reason == "OOMKilled"
		})
		if told != (outcome == "oom") {
			t.Errorf("%s: an OOM in the trace: %v", outcome, told)
		}
	}
}
