package kubelet

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"timonier/sim/apiserver"
	"timonier/sim/trace"
)

// sights keeps of a diary what get pods -w shows: moment, ready, status, restarts.
func sights(diary []string) string {
	var out []string
	for _, l := range diary {
		if !strings.Contains(l, " * ") {
			l = strings.NewReplacer(" web ", " ", " Ready=True", " ready", " Ready=False", "", " Ready=-", "", " restarts=", " ").Replace(l)
			out = append(out, l)
		}
	}
	return strings.Join(out[min(1, len(out)):], "\n") // the first is the creation
}

func TestStart(t *testing.T) {
	w := newWorld(t, 1)
	w.pod("web", `{containers: [{name: nginx, image: nginx, readinessProbe: {httpGet: {port: 80}}}]}`)
	w.to(time.Hour)
	w.expect(`
		0s web 0/1 Pending restarts=0 Ready=-
		0s web 0/1 ContainerCreating restarts=0 Ready=False
		500ms web * Pulling: Pulling image "nginx"
		4.7s web * Pulled: Successfully pulled image "nginx" in 4.2s (4.2s including waiting). Image size: 75497472 bytes
		5.1s web * Created: Container created
		5.1s web * Started: Container started
		5.1s web 0/1 Running restarts=0 Ready=False
		5.6s web 1/1 Running restarts=0 Ready=True`)
	if n := w.agenda.Len(); n != 0 {
		t.Errorf("%d tasks due for a pod that stays as it is: %v", n, w.agenda.Tasks())
	}
	if n := len(w.kubelets["kubelet/node-1"].state.Pods); n != 0 {
		t.Errorf("%d lives kept", n)
	}
	p := w.get("web")
	var conditions []string
	for _, c := range p.Status.Conditions {
		conditions = append(conditions, fmt.Sprintf("%s=%s %s", c.Type, c.Status, c.LastTransitionTime.Sub(w.start)))
	}
	if got, want := strings.Join(conditions, ", "), "PodReadyToStartContainers=True 5s, Initialized=True 0s, Ready=True 5s, ContainersReady=True 5s, PodScheduled=True 0s"; got != want {
		t.Errorf("conditions: %s", got)
	}
	st := p.Status.ContainerStatuses[0]
	if st.Image != "docker.io/library/nginx:latest" || !strings.HasPrefix(st.ImageID, "docker.io/library/nginx@sha256:") || !strings.HasPrefix(st.ContainerID, "containerd://") {
		t.Errorf("image %s, %s, container %s", st.Image, st.ImageID, st.ContainerID)
	}
	if p.Status.HostIP != "172.18.0.2" || p.Status.PodIP != "10.244.1.2" || p.Status.ObservedGeneration != p.Generation {
		t.Errorf("host %s, pod %s", p.Status.HostIP, p.Status.PodIP)
	}
	node, _ := apiserver.Get[*v1.Node](w.admin, "", "node-1")
	if len(node.Status.Images) != 1 || node.Status.Images[0].SizeBytes != 72<<20 {
		t.Errorf("the node lists %v", node.Status.Images)
	}
}

func TestTimelines(t *testing.T) {
	for name, c := range map[string]struct {
		spec  string
		until time.Duration
		want  string
	}{
		"a slow image behind a startup probe": {
			`{containers: [{name: c, image: timonier/slow, startupProbe: {httpGet: {port: 8080}, failureThreshold: 30, periodSeconds: 5}}]}`, time.Hour, `
			0s 0/1 ContainerCreating 0
			9.6s 0/1 Running 0
			55.1s 1/1 Running 0 ready`},
		"a liveness probe that is too impatient": {
			`{containers: [{name: c, image: timonier/slow, livenessProbe: {httpGet: {port: 8080, path: /healthz}}}]}`, 80 * time.Second, `
			0s 0/1 ContainerCreating 0
			9.6s 1/1 Running 0 ready
			32.1s 0/1 Completed 0
			33.3s 1/1 Running 1 ready
			55.8s 0/1 Completed 1
			56.8s 0/1 CrashLoopBackOff 1
			1m7s 1/1 Running 2 ready`},
		"a program that hangs": {
			`{containers: [{name: c, image: timonier/hang, livenessProbe: {httpGet: {port: 8080}}}]}`, 4 * time.Minute, `
			0s 0/1 ContainerCreating 0
			2.1s 1/1 Running 0 ready
			2m52.6s 0/1 Error 0
			2m53.5s 1/1 Running 1 ready`},
		"a program that hangs, and a readiness probe": {
			`{containers: [{name: c, image: timonier/hang, readinessProbe: {httpGet: {port: 8080}, periodSeconds: 5, failureThreshold: 2}}]}`, time.Hour, `
			0s 0/1 ContainerCreating 0
			2.1s 0/1 Running 0
			2.6s 1/1 Running 0 ready
			2m7.6s 0/1 Running 0`},
		"a readiness probe of the wrong port": {
			`{containers: [{name: c, image: nginx, readinessProbe: {tcpSocket: {port: 8080}}}]}`, time.Hour, `
			0s 0/1 ContainerCreating 0
			5.1s 0/1 Running 0`},
		"the liveness example of the documentation": {
			`{containers: [{name: c, image: registry.k8s.io/busybox, args: [/bin/sh, -c, "touch /tmp/healthy; sleep 30; rm -f /tmp/healthy; sleep 600"], livenessProbe: {exec: {command: [cat, /tmp/healthy]}, initialDelaySeconds: 5, periodSeconds: 5}}]}`, 75 * time.Second, `
			0s 0/1 ContainerCreating 0
			1.9s 1/1 Running 0 ready
			1m11.9s 0/1 Error 0
			1m12.7s 1/1 Running 1 ready`},
		"a leak, with a limit": {
			`{containers: [{name: c, image: timonier/leak, resources: {limits: {memory: 64Mi}}}]}`, time.Minute, `
			0s 0/1 ContainerCreating 0
			2.1s 1/1 Running 0 ready
			24.1s 0/1 OOMKilled 0
			25s 1/1 Running 1 ready
			47s 0/1 OOMKilled 1
			48s 0/1 CrashLoopBackOff 1
			57.9s 1/1 Running 2 ready`},
		"a Job's pod": {
			`{restartPolicy: Never, containers: [{name: c, image: timonier/job}]}`, time.Hour, `
			0s 0/1 ContainerCreating 0
			1.9s 1/1 Running 0 ready
			6.9s 0/1 Completed 0`},
		"a Job's pod that fails": {
			`{restartPolicy: Never, containers: [{name: c, image: busybox, command: [sh, -c, "sleep 5; exit 3"]}]}`, time.Hour, `
			0s 0/1 ContainerCreating 0
			1.7s 1/1 Running 0 ready
			6.7s 0/1 Error 0`},
		"a program that is not there": {
			`{restartPolicy: Never, containers: [{name: c, image: busybox, command: [slep, "5"]}]}`, time.Hour, `
			0s 0/1 ContainerCreating 0
			1.7s 0/1 StartError 0`},
		"init containers and a sidecar, in their order": {
			`{containers: [{name: main, image: nginx}], initContainers: [{name: one, image: busybox, command: [sleep, "3"]}, {name: side, image: timonier/web, restartPolicy: Always}]}`, time.Hour, `
			0s 0/2 Init:0/2 0
			1.7s 0/2 Init:0/2 0
			4.7s 0/2 Init:1/2 0
			6.5s 1/2 PodInitializing 0
			11s 2/2 Running 0 ready`},
		"a sidecar that outlives the work": {
			`{restartPolicy: Never, containers: [{name: main, image: timonier/job}], initContainers: [{name: side, image: timonier/web, restartPolicy: Always}]}`, time.Hour, `
			0s 0/2 Init:0/1 0
			2.3s 1/2 PodInitializing 0
			3.7s 2/2 Running 0 ready
			8.7s 1/2 Completed 0
			9.1s 0/2 Completed 0`},
		"an init container that fails": {
			`{containers: [{name: main, image: nginx}], initContainers: [{name: one, image: busybox, imagePullPolicy: IfNotPresent, command: [sh, -c, "exit 1"]}]}`, 6 * time.Second, `
			0s 0/1 Init:0/1 0
			1.7s 0/1 Init:Error 0
			1.9s 0/1 Init:Error 1
			2.9s 0/1 Init:CrashLoopBackOff 1`},
		"more cpu than the node has": {
			`{containers: [{name: c, image: nginx, resources: {requests: {cpu: 5}}}]}`, time.Hour, `
			0s 0/1 OutOfcpu 0`},
		"a node selector that the node does not match": {
			`{nodeSelector: {disk: ssd}, containers: [{name: c, image: nginx}]}`, time.Hour, `
			0s 0/1 NodeAffinity 0`},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 1)
			w.pod("web", c.spec)
			w.to(c.until)
			if got, want := sights(w.diary), strings.TrimSpace(strings.ReplaceAll(c.want, "\t", "")); got != want {
				t.Errorf("got\n%s\nwant\n%s\n\nall:\n%s", got, want, strings.Join(w.diary, "\n"))
			}
			if c.until == time.Hour && w.agenda.Len() > 0 {
				t.Errorf("still due: %v", w.agenda.Tasks())
			}
		})
	}
}

// A saved and loaded kubelet goes on as if nothing had been.
func TestSaveAndLoad(t *testing.T) {
	for _, spec := range []string{
		`{containers: [{name: c, image: timonier/crash}]}`,
		`{containers: [{name: c, image: ngnix}]}`,
		`{containers: [{name: c, image: timonier/hang, readinessProbe: {httpGet: {port: 8080}}, livenessProbe: {httpGet: {port: 8080}, failureThreshold: 5}}]}`,
		`{containers: [{name: a, image: timonier/leak}, {name: b, image: nginx}], initContainers: [{name: one, image: busybox, command: [sleep, "3"]}]}`,
		`{volumes: [{name: cfg, configMap: {name: app}}], containers: [{name: c, image: nginx}]}`,
	} {
		run := func(reload bool) []string {
			w := newWorld(t, 1)
			w.pod("web", spec)
			for at := time.Duration(0); at < 10*time.Minute; at += 700 * time.Millisecond {
				if w.to(at); reload {
					w.reload()
				}
			}
			w.delete("web", nil)
			w.to(time.Hour)
			return w.diary
		}
		if straight, reloaded := run(false), run(true); !slices.Equal(straight, reloaded) {
			t.Errorf("%s\nstraight\n%s\n\nreloaded\n%s", spec, strings.Join(straight, "\n"), strings.Join(reloaded, "\n"))
		}
	}
}

func TestCrashLoopForAnHour(t *testing.T) {
	w := newWorld(t, 1)
	w.pod("web", `{containers: [{name: c, image: timonier/crash, imagePullPolicy: IfNotPresent}]}`)
	w.to(time.Hour)
	var runs, ends []time.Duration
	for _, l := range strings.Split(sights(w.diary), "\n") {
		at, what, _ := strings.Cut(l, " ")
		moment, err := time.ParseDuration(at)
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case strings.Contains(what, "Running"):
			runs = append(runs, moment)
		case strings.Contains(what, "Error"):
			ends = append(ends, moment)
		}
	}
	for i, want := range []float64{0, 10, 20, 40, 80, 160, 300, 300, 300, 300} {
		if got := (runs[i+1] - ends[i]).Seconds() - 0.3; got < want-0.15 || got > want+0.15 { // 0.3: the start itself
			t.Errorf("wait %d: %.1f s, want %v", i+1, got, want)
		}
	}
	st := w.get("web").Status.ContainerStatuses[0]
	if st.RestartCount != 16 || st.State.Waiting == nil || st.LastTerminationState.Terminated.ExitCode != 1 {
		t.Errorf("after an hour: %d restarts, %+v", st.RestartCount, st.State)
	}
	if want := fmt.Sprintf("back-off 5m0s restarting failed container=c pod=web_default(%s)", w.get("web").UID); st.State.Waiting.Message != want {
		t.Errorf("message %q", st.State.Waiting.Message)
	}
}

func TestBackOffIsForgottenAfterTenMinutes(t *testing.T) {
	w := newWorld(t, 1)
	w.pod("web", `{containers: [{name: c, image: busybox, imagePullPolicy: IfNotPresent, command: [sh, -c, "sleep 601; exit 1"]}]}`)
	w.to(time.Hour)
	if strings.Contains(sights(w.diary), "CrashLoopBackOff") {
		t.Error(sights(w.diary))
	}
	if n := w.get("web").Status.ContainerStatuses[0].RestartCount; n != 5 {
		t.Errorf("%d restarts", n)
	}
}

func TestPullBackOff(t *testing.T) {
	w := newWorld(t, 1)
	w.pod("web", `{containers: [{name: c, image: "nginx:nope"}]}`)
	w.to(2100 * time.Millisecond)
	w.expect(`
		0s web 0/1 Pending restarts=0 Ready=-
		0s web 0/1 ContainerCreating restarts=0 Ready=False
		500ms web * Pulling: Pulling image "nginx:nope"
		1.1s web * Failed: Failed to pull image "nginx:nope": rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/nginx:nope": failed to resolve reference "docker.io/library/nginx:nope": docker.io/library/nginx:nope: not found
		1.1s web * Failed: Error: ErrImagePull
		1.1s web 0/1 ErrImagePull restarts=0 Ready=False`)
	w.to(time.Hour)
	var pulls []time.Duration
	for _, l := range w.diary {
		if at, ok := strings.CutSuffix(l, ` web * Pulling: Pulling image "nginx:nope"`); ok {
			d, _ := time.ParseDuration(at)
			pulls = append(pulls, d.Round(time.Second))
		}
	}
	var waits []string
	for i := 1; i < 8; i++ {
		waits = append(waits, (pulls[i] - pulls[i-1]).Round(time.Second).String())
	}
	if got, want := strings.Join(waits, " "), "21s 40s 1m21s 2m41s 5m0s 5m1s 5m0s"; got != want { // each a second of asking more than the wait
		t.Errorf("waits %s", got)
	}
	if m := w.get("web").Status.ContainerStatuses[0].State.Waiting.Message; !strings.HasPrefix(m, `Back-off pulling image "nginx:nope": ErrImagePull: rpc error`) {
		t.Errorf("message %q", m)
	}
	p := w.get("web").DeepCopy() // kubectl set image
	p.Spec.Containers[0].Image = "nginx:1.29"
	if _, err := w.admin.Update(p); err != nil {
		t.Fatal(err)
	}
	w.to(time.Hour + 6*time.Second)
	if p := w.get("web"); p.Status.Phase != v1.PodRunning || p.Status.ContainerStatuses[0].RestartCount != 0 {
		t.Errorf("with an image that exists: %s, %+v", p.Status.Phase, p.Status.ContainerStatuses)
	}
}

func TestNewImageRestartsTheContainer(t *testing.T) {
	w := newWorld(t, 1)
	w.pod("web", `{containers: [{name: c, image: "nginx:1.28"}]}`)
	w.to(time.Minute)
	p := w.get("web").DeepCopy()
	p.Spec.Containers[0].Image = "nginx:1.29"
	if _, err := w.admin.Update(p); err != nil {
		t.Fatal(err)
	}
	w.diary = nil
	w.to(2 * time.Minute)
	w.expect(`
		1m0s web * Killing: Container c definition changed, will be restarted
		1m0s web 1/1 Running restarts=0 Ready=True
		1m0.1s web * Pulling: Pulling image "nginx:1.29"
		1m0.1s web 0/1 Completed restarts=0 Ready=False
		1m4.3s web * Pulled: Successfully pulled image "nginx:1.29" in 4.2s (4.2s including waiting). Image size: 75497472 bytes
		1m4.7s web * Created: Container created
		1m4.7s web * Started: Container started
		1m4.7s web 1/1 Running restarts=1 Ready=True`)
}

func TestImagesArePulledOneAtATimeAndOnce(t *testing.T) {
	w := newWorld(t, 1)
	for _, name := range []string{"a", "b"} {
		w.pod(name, `{containers: [{name: c, image: "nginx:1.29"}]}`)
	}
	w.to(30 * time.Second)
	w.pod("later", `{containers: [{name: c, image: "nginx:1.29"}]}`)
	w.to(time.Minute)
	var pulls []string
	for _, l := range w.diary {
		if strings.Contains(l, "* Pulled") {
			pulls = append(pulls, l)
		}
	}
	if got, want := strings.Join(pulls, "\n"), `4.7s a * Pulled: Successfully pulled image "nginx:1.29" in 4.2s (4.2s including waiting). Image size: 75497472 bytes
5.3s b * Pulled: Successfully pulled image "nginx:1.29" in 600ms (4.8s including waiting). Image size: 75497472 bytes
30.5s later * Pulled: Container image "nginx:1.29" already present on machine and can be accessed by the pod`; got != want {
		t.Errorf("got\n%s", got)
	}
	if a, b := w.get("a").Status.PodIP, w.get("b").Status.PodIP; a != "10.244.1.2" || b != "10.244.1.3" {
		t.Errorf("addresses %s, %s", a, b)
	}
}

func TestDeletion(t *testing.T) {
	for name, c := range map[string]struct {
		spec  string
		grace *int64
		want  string
	}{
		"nginx goes at once": {`{containers: [{name: c, image: "nginx:1.29"}]}`, nil, `
			1m0s 1/1 Terminating 0 ready
			1m0.1s 0/1 Completed 0
			1m0.1s gone`},
		"sleep waits for SIGKILL": {`{containers: [{name: c, image: busybox, command: [sleep, "3600"]}]}`, nil, `
			1m0s 1/1 Terminating 0 ready
			1m30s 0/1 Error 0
			1m30s gone`},
		"a shorter grace period": {`{terminationGracePeriodSeconds: 5, containers: [{name: c, image: busybox, command: [sleep, "3600"]}]}`, nil, `
			1m0s 1/1 Terminating 0 ready
			1m5s 0/1 Error 0
			1m5s gone`},
		"a preStop hook": {`{containers: [{name: c, image: "nginx:1.29", lifecycle: {preStop: {sleep: {seconds: 10}}}}]}`, nil, `
			1m0s 1/1 Terminating 0 ready
			1m10.1s 0/1 Completed 0
			1m10.1s gone`},
		"by force": {`{containers: [{name: c, image: busybox, command: [sleep, "3600"]}]}`, ptr.To(int64(0)), `
			1m0s gone`},
		"one that never ran": {`{containers: [{name: c, image: ngnix}]}`, nil, `
			1m0s 0/1 Terminating 0
			1m0s gone`},
		"one that is finished": {`{restartPolicy: Never, containers: [{name: c, image: timonier/job}]}`, nil, `
			1m0s gone`},
		"a sidecar stops last": {`{containers: [{name: main, image: "nginx:1.29"}], initContainers: [{name: side, image: timonier/web, restartPolicy: Always}]}`, nil, `
			1m0s 2/2 Terminating 0 ready
			1m0.1s 1/2 Terminating 0
			1m0.5s 0/2 Completed 0
			1m0.5s gone`},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 1)
			w.pod("web", c.spec)
			w.to(time.Minute)
			w.diary = append(w.diary[:0], "0s web made")
			w.delete("web", c.grace)
			w.to(time.Hour)
			if got, want := sights(w.diary), strings.TrimSpace(strings.ReplaceAll(c.want, "\t", "")); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			if k := w.kubelets["kubelet/node-1"]; len(k.state.Pods) != 0 || w.agenda.Len() != 0 {
				t.Errorf("left over: %v, %v", k.state.Pods, w.agenda.Tasks())
			}
		})
	}
}

func TestGracePeriodMadeShorter(t *testing.T) {
	w := newWorld(t, 1)
	w.pod("web", `{terminationGracePeriodSeconds: 600, containers: [{name: c, image: busybox, command: [sleep, "3600"]}]}`)
	w.to(time.Minute)
	w.delete("web", nil)
	w.to(2 * time.Minute)
	w.delete("web", ptr.To(int64(90)))
	w.to(2*time.Minute + 29*time.Second)
	w.get("web")
	w.to(2*time.Minute + 32*time.Second)
	if _, there := apiserver.Get[*v1.Pod](w.admin, "default", "web"); there {
		t.Error("it is still there")
	}
}

func TestActiveDeadline(t *testing.T) {
	w := newWorld(t, 1)
	w.pod("web", `{activeDeadlineSeconds: 20, containers: [{name: c, image: "nginx:1.29"}]}`)
	w.to(time.Hour)
	p := w.get("web")
	if p.Status.Phase != v1.PodFailed || p.Status.Reason != "DeadlineExceeded" || p.Status.Message != "Pod was active on the node longer than the specified deadline" {
		t.Errorf("%s %s %s", p.Status.Phase, p.Status.Reason, p.Status.Message)
	}
	if at := p.Status.ContainerStatuses[0].State.Terminated.FinishedAt.Sub(w.start); at != 20*time.Second {
		t.Errorf("after %v", at)
	}
}

func TestMissingObjects(t *testing.T) {
	w := newWorld(t, 1)
	w.pod("vol", `{volumes: [{name: cfg, configMap: {name: app}}], containers: [{name: c, image: "nginx:1.29"}]}`)
	w.pod("env", `{containers: [{name: c, image: "redis:8", env: [{name: A, valueFrom: {secretKeyRef: {name: s, key: k}}}]}]}`)
	w.to(time.Hour)
	if n := w.agenda.Len(); n != 0 {
		t.Errorf("%d tasks due while nothing changes", n)
	}
	if r := w.get("env").Status.ContainerStatuses[0].State.Waiting; r.Reason != "CreateContainerConfigError" || r.Message != `secret "s" not found` {
		t.Errorf("%+v", r)
	}
	if c := condition(w.get("vol").Status.Conditions, v1.PodReadyToStartContainers); c.Status != v1.ConditionFalse {
		t.Errorf("%+v", c)
	}
	if !slices.ContainsFunc(w.diary, func(l string) bool {
		return strings.HasSuffix(l, `vol * FailedMount: MountVolume.SetUp failed for volume "cfg" : configmap "app" not found`)
	}) {
		t.Error("no FailedMount")
	}
	tries := map[string]int{} // each try to make the container looks for its image again
	for _, l := range w.diary {
		for _, reason := range []string{"Pulled", "Failed"} {
			if strings.Contains(l, " env * "+reason+": ") {
				tries[reason]++
			}
		}
	}
	if tries["Pulled"] != tries["Failed"] || tries["Pulled"] < 2 {
		t.Errorf("events of the tries: %v", tries)
	}
	w.create(&v1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "app"}})
	w.create(&v1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "s"}, Data: map[string][]byte{"other": nil}})
	w.to(time.Hour + 10*time.Second)
	if p := w.get("vol"); p.Status.Phase != v1.PodRunning {
		t.Errorf("vol is %s", p.Status.Phase)
	}
	if p := w.get("env"); p.Status.Phase != v1.PodPending {
		t.Errorf("env is %s without its key", p.Status.Phase)
	}
	s, _ := apiserver.Get[*v1.Secret](w.admin, "default", "s")
	s = s.DeepCopy()
	s.Data["k"] = []byte("v")
	if _, err := w.admin.Update(s); err != nil {
		t.Fatal(err)
	}
	w.to(time.Hour + 20*time.Second)
	if p := w.get("env"); p.Status.Phase != v1.PodRunning {
		t.Errorf("env is %s", p.Status.Phase)
	}
}

func TestTraceTellsTheChain(t *testing.T) {
	w := newWorld(t, 1)
	w.pod("web", `{containers: [{name: c, image: "nginx:1.29"}]}`)
	w.to(time.Minute)
	var ready uint64
	for _, s := range w.trace.Steps() {
		if s.Kind == trace.Ready {
			ready = s.ID
		}
	}
	var kinds []string
	for _, s := range w.trace.Chain(ready) {
		if s.Actor == "kubelet/node-1" {
			kinds = append(kinds, string(s.Kind))
		}
	}
	if got := strings.Join(kinds, " "); got != "pulling pulled started ready" {
		t.Errorf("chain: %s", got)
	}
}
