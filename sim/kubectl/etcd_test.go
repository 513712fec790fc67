package kubectl

import (
	"context"
	"strings"
	"testing"
	"time"

	"timonier/sim"
)

// faulted is a cluster with a config map and faults, some time after they came.
func faulted(t *testing.T, members int, after time.Duration, faults ...string) *sim.Cluster {
	t.Helper()
	c, err := sim.New(sim.Config{Members: members})
	if err != nil {
		t.Fatal(err)
	}
	if r := Run(context.Background(), c, strings.Fields("create configmap a --from-literal=x=1"), ""); r.Code != 0 {
		t.Fatal(r.Stderr)
	}
	for _, f := range faults {
		name, target, _ := strings.Cut(f, " ")
		if err := c.Break(name, target); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.AdvanceTo(c.Now().Add(after)); err != nil {
		t.Fatal(err)
	}
	return c
}

// What kubectl says, and how long it waits for it, in each state of etcd's members: row by row. The texts are those of
// a real API server 1.37.2 with three etcds, of which one or two were killed.
func TestWhatKubectlSaysWhenEtcdIsBroken(t *testing.T) {
	const (
		create   = "create configmap b --from-literal=x=1"
		get      = "get configmap a -o name"
		del      = "delete configmap a"
		noQuorum = "the server was unable to return a response in the time allotted, but may still be processing the request"
	)
	for _, row := range []struct {
		name    string
		members int
		after   time.Duration
		faults  []string
		line    string
		want    string // in standard output or error
		code    int
		atLeast time.Duration
		atMost  time.Duration
	}{
		{"a follower stopped", 3, 0, []string{"etcd-stopped etcd-2"}, create, "configmap/b created", 0, 0, time.Second},
		{"two of five stopped", 5, 0, []string{"etcd-stopped etcd-4", "etcd-stopped etcd-5"}, create, "configmap/b created", 0, 0, time.Second},
		{"the leader has just stopped: a write", 3, 0, []string{"etcd-stopped etcd-1"}, create,
			"error: failed to create configmap: etcdserver: request timed out, possibly due to previous leader failure", 1, 7 * time.Second, 8 * time.Second},
		{"the leader has just stopped: a read", 3, 0, []string{"etcd-stopped etcd-1"}, get, "configmap/a", 0, time.Second, 2 * time.Second},
		{"the leader stopped a while ago", 3, 3 * time.Second, []string{"etcd-stopped etcd-1"}, create, "configmap/b created", 0, 0, time.Second},
		{"the leader is cut off", 3, 3 * time.Second, []string{"etcd-partitioned etcd-1"}, create, "configmap/b created", 0, 0, time.Second},
		{"no quorum: a creation", 3, 5 * time.Second, []string{"etcd-stopped etcd-1", "etcd-stopped etcd-2"}, create,
			"error: failed to create configmap: etcdserver: request timed out", 1, 7 * time.Second, 8 * time.Second},
		{"no quorum: a deletion", 3, 5 * time.Second, []string{"etcd-stopped etcd-1", "etcd-stopped etcd-2"}, del,
			"Error from server: etcdserver: request timed out", 1, 7 * time.Second, 8 * time.Second},
		{"no quorum: a read", 3, 5 * time.Second, []string{"etcd-stopped etcd-1", "etcd-stopped etcd-2"}, get,
			"Error from server (Timeout): " + noQuorum + " (get configmaps a)", 1, time.Minute, 61 * time.Second},
		{"no quorum: a list", 3, 5 * time.Second, []string{"etcd-stopped etcd-1", "etcd-stopped etcd-2"}, "get configmaps",
			"Error from server (Timeout): " + noQuorum + " (get configmaps)", 1, time.Minute, 61 * time.Second},
		{"no quorum: what is no object", 3, 5 * time.Second, []string{"etcd-stopped etcd-1", "etcd-stopped etcd-2"}, "api-versions", "apps/v1", 0, 0, time.Second},
		{"all members stopped", 1, time.Second, []string{"etcd-stopped etcd-1"}, create, "connection refused", 1, 7 * time.Second, 8 * time.Second},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := faulted(t, row.members, row.after, row.faults...)
			r := Run(context.Background(), c, strings.Fields(row.line), "")
			if r.Code != row.code || !strings.Contains(r.Stdout+r.Stderr, row.want) {
				t.Errorf("code %d\n%s%s\nwant %q", r.Code, r.Stdout, r.Stderr, row.want)
			}
			if r.Waited < row.atLeast || r.Waited > row.atMost {
				t.Errorf("it waited %v, not %v to %v", r.Waited, row.atLeast, row.atMost)
			}
		})
	}
}

// A quota that is reached refuses what is written, and nothing that is deleted.
func TestWhatKubectlSaysWhenEtcdIsFull(t *testing.T) {
	c := faulted(t, 3, 0, "etcd-full etcd")
	large := strings.Repeat("x", 8000)
	var r Result
	for i := range 50 {
		if r = Run(context.Background(), c, []string{"create", "configmap", "c" + strings.Repeat("c", i), "--from-literal=x=" + large}, ""); r.Code != 0 {
			break
		}
	}
	if want := "error: failed to create configmap: etcdserver: mvcc: database space exceeded\n"; r.Stderr != want {
		t.Fatalf("%q", r.Stderr)
	}
	if r := Run(context.Background(), c, strings.Fields("label configmap a x=y"), ""); !strings.Contains(r.Stderr, "Error from server: etcdserver: mvcc: database space exceeded") {
		t.Errorf("label: %s%s", r.Stdout, r.Stderr)
	}
	if r := Run(context.Background(), c, strings.Fields("delete configmap c"), ""); r.Code != 0 {
		t.Errorf("delete: %s", r.Stderr)
	}
	if e := c.Etcd(); !e.Full || e.Quota > 1<<20 {
		t.Errorf("%+v", e)
	}
}
