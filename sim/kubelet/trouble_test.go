package kubelet

import (
	"fmt"
	"strings"
	"testing"
	"time"

	v1 "k8s.io/api/core/v1"

	"timonier/sim/apiserver"
)

func (w *world) trouble(t Trouble, on bool) {
	w.t.Helper()
	if err := w.kubelets["kubelet/node-1"].Trouble(t, on); err != nil {
		w.t.Fatal(err)
	}
	w.reload()
}

// What a trouble of a node does to a pod that serves, one that crashes after 30 s of running, and one that never
// restarts, while it lasts (from 1m to 3m) and after. The pods' lines are of restart counts, state and last exit code.
func TestTroublesOfANode(t *testing.T) {
	for trouble, want := range map[Trouble][2]string{ // after 3m, as the API knows it, and after 4m
		"":   {"web 0 running, work 3 waiting 4, once 0 running", "web 0 running, work 4 waiting 4, once 0 running"},
		Slow: {"web 0 running, work 3 waiting 4, once 0 running", "web 0 running, work 4 running 4, once 0 running"},
		Cut:  {"web 0 running, work 1 running 4, once 0 running", "web 0 running, work 4 waiting 4, once 0 running"},
		Down: {"web 0 running, work 1 running 4, once 0 running", "web 0 running, work 3 running 4, once 0 running"},
		Off:  {"web 0 running, work 1 running 4, once 0 running", "web 1 running 255, work 3 running 4, once 0 terminated 255"},
	} {
		t.Run(string(trouble), func(t *testing.T) {
			w := newWorld(t, 1)
			w.pod("web", "{containers: [{name: c, image: nginx}]}")
			w.pod("work", "{containers: [{name: c, image: busybox, command: [sh, -c, sleep 30; exit 4]}]}")
			w.pod("once", "{restartPolicy: Never, containers: [{name: c, image: nginx}]}")
			w.to(time.Minute)
			if trouble != "" {
				w.trouble(trouble, true)
			}
			look := func() string {
				var all []string
				for _, name := range []string{"web", "work", "once"} {
					c := w.get(name).Status.ContainerStatuses[0]
					line := fmt.Sprintf("%s %d", name, c.RestartCount)
					switch {
					case c.State.Running != nil:
						line += " running"
					case c.State.Waiting != nil:
						line += " waiting"
					default:
						line += fmt.Sprintf(" terminated %d", c.State.Terminated.ExitCode)
					}
					if last := c.LastTerminationState.Terminated; last != nil {
						line += fmt.Sprintf(" %d", last.ExitCode)
					}
					all = append(all, line)
				}
				return strings.Join(all, ", ")
			}
			w.to(3 * time.Minute)
			if got := look(); got != want[0] {
				t.Errorf("after 3m: %s\nwant      %s", got, want[0])
			}
			if trouble != "" {
				w.trouble(trouble, false)
			}
			w.to(4 * time.Minute)
			if got := look(); got != want[1] {
				t.Errorf("after 4m: %s\nwant      %s", got, want[1])
			}
		})
	}
}

// A machine that had no power comes up: its pods get new sandboxes, init containers run again, and the node says that
// it has been rebooted.
func TestARebootedNode(t *testing.T) {
	w := newWorld(t, 1)
	w.pod("web", "{initContainers: [{name: i, image: busybox, command: [sleep, '2']}], containers: [{name: c, image: nginx}]}")
	w.to(time.Minute)
	before := w.get("web").Status
	w.trouble(Off, true)
	w.to(2 * time.Minute)
	w.diary = nil
	w.trouble(Off, false)
	w.to(2*time.Minute + 30*time.Second)
	w.expect(`
		2m0s node-1 * Rebooted: Node node-1 has been rebooted, boot id: ` + bootID("node-1", 1) + `
		2m0s web * SandboxChanged: Pod sandbox changed, it will be killed and re-created
		2m0s web 0/1 Unknown restarts=0 Ready=False
		2m0.5s web * Pulling: Pulling image "busybox"
		2m1.1s web * Pulled: Successfully pulled image "busybox" in 600ms (600ms including waiting). Image size: 2097152 bytes
		2m1.4s web * Created: Container created
		2m1.4s web * Started: Container started
		2m1.4s web 0/1 Unknown restarts=0 Ready=False
		2m3.4s web * Pulling: Pulling image "nginx"
		2m3.4s web 0/1 Unknown restarts=0 Ready=False
		2m4s web * Pulled: Successfully pulled image "nginx" in 600ms (600ms including waiting). Image size: 75497472 bytes
		2m4.3s web * Created: Container created
		2m4.3s web * Started: Container started
		2m4.3s web 1/1 Running restarts=1 Ready=True`)
	after := w.get("web").Status
	if after.PodIP == before.PodIP || after.PodIP == "" {
		t.Errorf("address %s, before %s", after.PodIP, before.PodIP)
	}
	if last := after.ContainerStatuses[0].LastTerminationState.Terminated; last == nil || last.Reason != "Unknown" || last.ExitCode != 255 ||
		!last.FinishedAt.Time.Equal(w.start.Add(time.Minute)) {
		t.Errorf("ended %+v", last)
	}
}

// On a slow node the same pod takes ten times as long, and the lease is renewed every 40 s.
func TestASlowNode(t *testing.T) {
	up := func(slow bool) time.Duration {
		w := newWorld(t, 1)
		w.to(time.Minute)
		if slow {
			w.trouble(Slow, true)
		}
		w.pod("web", "{containers: [{name: c, image: nginx}]}")
		for at := time.Minute; at < 5*time.Minute; at += 100 * time.Millisecond {
			w.to(at)
			if c := condition(w.get("web").Status.Conditions, v1.PodReady); c != nil && c.Status == v1.ConditionTrue {
				return at - time.Minute
			}
		}
		t.Fatal("it never became ready")
		return 0
	}
	if usual, slow := up(false), up(true); slow < 9*usual || slow > 11*usual {
		t.Errorf("ready after %v, on a slow node after %v", usual, slow)
	}
	w := newWorld(t, 1)
	k := w.kubelets["kubelet/node-1"]
	for i, slow := range []bool{false, true, false, true, false} {
		if err := k.Trouble(Slow, slow); err != nil {
			t.Fatal(err)
		}
		last, most := time.Time{}, HeartbeatPeriod
		if slow {
			most = slowHeartbeat
		}
		for range 200 {
			w.to(w.agenda.Now().Sub(w.start) + time.Second)
			beat := k.Heartbeat(w.agenda.Now())
			if beat.Before(last) || w.agenda.Now().Sub(beat) > most {
				t.Fatalf("round %d: a heartbeat at %v, after one at %v, %v ago", i, beat, last, w.agenda.Now().Sub(beat))
			}
			last = beat
		}
	}
}

// What kubectl logs says of each silence.
func TestLogsOfATroubledNode(t *testing.T) {
	for trouble, want := range map[Trouble]string{Cut: "i/o timeout", Off: "i/o timeout", Down: "connect: connection refused", Slow: "", DiskFull: ""} {
		w := newWorld(t, 1)
		p := w.pod("web", "{containers: [{name: c, image: nginx}]}")
		w.to(time.Minute)
		w.trouble(trouble, true)
		_, err := w.kubelets["kubelet/node-1"].Logs(w.get(p.Name), apiserver.LogOptions{Container: "c"})
		if got := fmt.Sprint(err); want == "" && err != nil || !strings.HasSuffix(got, want) && want != "" {
			t.Errorf("%s: %s, want %q", trouble, got, want)
		}
	}
}

// A node that is cut off does not know that its pods were deleted, until it is back.
func TestACutNodeLearnsLate(t *testing.T) {
	w := newWorld(t, 1)
	w.pod("gone", "{containers: [{name: c, image: busybox, command: [sh, -c, sleep 20]}]}")
	w.pod("forced", "{containers: [{name: c, image: busybox, command: [sh, -c, sleep 20]}]}")
	w.to(time.Minute)
	w.trouble(Cut, true)
	w.delete("gone", nil)
	w.delete("forced", new(int64))
	restarts := w.get("gone").Status.ContainerStatuses[0].RestartCount
	w.to(5 * time.Minute)
	if got := w.get("gone").Status.ContainerStatuses[0].RestartCount; got != restarts {
		t.Errorf("%d restarts were told by a node that is cut off, not %d", got, restarts)
	}
	k := w.kubelets["kubelet/node-1"]
	if unsaid := k.state.Pods["default/gone"].Unsaid; unsaid == nil || unsaid.ContainerStatuses[0].RestartCount <= restarts {
		t.Errorf("it did not go on restarting: %+v", unsaid)
	}
	w.trouble(Cut, false)
	w.to(6 * time.Minute)
	if _, ok := apiserver.Get[*v1.Pod](w.admin, "default", "gone"); ok || len(k.state.Pods) > 0 {
		t.Errorf("still there: %v, %v", ok, k.state.Pods)
	}
}
