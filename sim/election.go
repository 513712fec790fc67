package sim

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/utils/ptr"

	"timonier/sim/agenda"
	"timonier/sim/apiserver"
	"timonier/sim/trace"
)

// The times of leader election (client-go tools/leaderelection; the defaults of both programs).
const (
	leaseDuration = 15 * time.Second // without a renewal that a standby sees, and it takes over
	renewDeadline = 10 * time.Second // without a renewal that succeeds, and the active replica gives up: it ends
	retryPeriod   = 2 * time.Second  // between two renewals, and about between two looks of a standby
)

// election has the replicas of a program take turns: the one that holds the program's Lease is active, and renews it
// every two seconds; the others watch the Lease, and the first that sees it run out takes it. While the holder is
// well nothing is written: the renewals are implied (see live).
//
// Who is active follows from the Lease and the faults. Its keys: PROGRAM/HOST, a replica that waits for the Lease to
// run out; deleted/PROGRAM/IDENTITY, a Lease that someone deleted under its holder.
type election struct {
	*Cluster
	queue *agenda.Queue
}

const electionName = "leader-election"

// programs are those that have a leader.
func programs() []string { return []string{controllerManagerName, schedulerName} }

func (c *Cluster) addElection() {
	c.add(&slot{name: electionName, make: func() component { return c.election() }}, []string{"leases"})
}

func (c *Cluster) election() election { return election{c, c.agenda.Queue(electionName)} }

// client is a program's own, for its Lease.
func (c *Cluster) client(program string) *apiserver.Client {
	return c.server.Client(apiserver.User{Name: "system:" + program, Groups: []string{"system:authenticated"}, Agent: program})
}

func (c *Cluster) lease(program string) (*coordinationv1.Lease, bool) {
	return apiserver.Get[*coordinationv1.Lease](c.Client(), metav1.NamespaceSystem, program)
}

// holderHost is the host of the replica that holds a program's Lease.
func (c *Cluster) holderHost(program string) string {
	if l, ok := c.lease(program); ok {
		return hostOf(ptr.Deref(l.Spec.HolderIdentity, ""))
	}
	for _, h := range hosts() {
		if c.up(program, h) {
			return h
		}
	}
	return ""
}

// holder is the host of the active replica of the program that a fault is of; "": none is.
func (c *Cluster) holder(fault string) string {
	for _, p := range programs() {
		if programFault(p) == fault && c.running(p) {
			return c.holderHost(p)
		}
	}
	return ""
}

// up says whether a program's replica on a host runs.
func (c *Cluster) up(program, host string) bool { return !c.broken(programFault(program), host) }

// identity is how the n-th holder calls itself: its host, and a UUID that each process makes for itself.
func identity(program, host string, n int32) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s/%s/%d", program, host, n))
	h := hex.EncodeToString(sum[:])
	return fmt.Sprintf("%s_%s-%s-4%s-a%s-%s", host, h[:8], h[8:12], h[13:16], h[17:20], h[20:32])
}

// leaseOf is a Lease that a holder has just taken.
func leaseOf(program, host string, transitions int32, now time.Time) *coordinationv1.Lease {
	at := metav1.NewMicroTime(now.Truncate(time.Microsecond))
	return &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{Namespace: metav1.NamespaceSystem, Name: program},
		Spec: coordinationv1.LeaseSpec{
			HolderIdentity:       ptr.To(identity(program, host, transitions)),
			LeaseDurationSeconds: ptr.To(int32(leaseDuration / time.Second)),
			AcquireTime:          &at, RenewTime: &at, LeaseTransitions: &transitions,
		},
	}
}

// renewed is when the holder last renewed a Lease, written or not.
func (c *Cluster) renewed(l *coordinationv1.Lease) time.Time {
	if l.Spec.RenewTime == nil {
		return l.CreationTimestamp.Time
	}
	at := l.Spec.RenewTime.Time
	if c.running(l.Name) {
		at = at.Add(c.Now().Sub(at).Truncate(retryPeriod))
	}
	return at
}

// keepRenewal writes the last renewal, which is no longer implied once the holder stops, and returns it.
func (c *Cluster) keepRenewal(program string) (time.Time, error) {
	l, ok := c.lease(program)
	if !ok {
		return c.Now(), nil
	}
	at := c.renewed(l)
	next := l.DeepCopy()
	next.Spec.RenewTime = ptr.To(metav1.NewMicroTime(at))
	if _, err := c.client(program).Update(next); err != nil {
		return at, fmt.Errorf("write last renewal of %s: %w", program, err)
	}
	return at, nil
}

// renews says whether the holder of a lease can renew it.
func (c *Cluster) renews() bool { return !c.server.Down() && !c.leaseless }

// replicaFault stops a replica, or starts it again.
func (c *Cluster) replicaFault(program, host string, broken bool) error {
	e := c.election()
	if !broken { // it sees the Lease for the first time, and waits for it to run out
		if !c.running(program) && c.renews() {
			e.candidate(program, host, c.Now())
		}
		return nil
	}
	e.queue.Cancel(program + "/" + host)
	if !c.running(program) || c.holderHost(program) != host {
		return nil
	}
	last, err := c.keepRenewal(program)
	if err != nil && c.store.Reachable() == nil { // else nobody will know of it
		return err
	}
	c.stop(program)
	for _, other := range hosts() {
		if c.up(program, other) {
			e.candidate(program, other, last)
		}
	}
	return nil
}

// candidate has a replica take the Lease when it has run out since it last saw it change. Replicas look every two
// seconds, each at moments of its own.
func (e election) candidate(program, host string, seen time.Time) {
	wait := max(0, seen.Add(leaseDuration).Sub(e.Now()))
	e.queue.Add(program+"/"+host, wait+time.Duration(e.rand.Int64N(int64(retryPeriod))).Truncate(time.Millisecond))
}

// Observe sees a Lease that is deleted under its holder, who will write a new one when it next renews it.
func (e election) Observe(ev apiserver.Event) {
	if l, ok := ev.New.(*coordinationv1.Lease); ok && ev.Type == watch.Deleted && l.Namespace == metav1.NamespaceSystem {
		for _, p := range programs() {
			if p == l.Name && e.running(p) {
				e.forgotten(p, ptr.Deref(l.Spec.HolderIdentity, ""))
			}
		}
	}
}

// forgotten has the holder of a Lease that is not there write it anew.
func (e election) forgotten(program, holder string) {
	e.queue.Add("deleted/"+program+"/"+holder, retryPeriod)
}

// Resync has nothing to look for: who waits is in the agenda.
func (e election) Resync() {}

func (e election) Sync(key string) error {
	if !e.renews() {
		return nil // lookAgain will plan it
	}
	deleted, again := strings.CutPrefix(key, "deleted/")
	if program, host, _ := strings.Cut(key, "/"); !again && !e.running(program) {
		return e.elect(program, host)
	}
	program, holder, _ := strings.Cut(deleted, "/")
	if !again || !e.running(program) {
		return nil
	}
	l := leaseOf(program, "", 0, e.Now())
	l.Spec.HolderIdentity = &holder
	if _, err := e.client(program).Create(l); !apierrors.IsAlreadyExists(err) {
		return err
	}
	return nil
}

// elect makes a replica the active one: it takes the Lease, and begins its work by looking at everything.
func (e election) elect(program, host string) error {
	client, n, before := e.client(program), int32(0), ""
	old, there := e.lease(program)
	if there {
		n, before = ptr.Deref(old.Spec.LeaseTransitions, 0)+1, ptr.Deref(old.Spec.HolderIdentity, "")
	}
	next := leaseOf(program, host, n, e.Now())
	step := e.trace.Add(trace.Step{At: e.Now(), Actor: program, Kind: trace.Elected,
		Object: trace.Ref{Kind: "Lease", Namespace: next.Namespace, Name: next.Name},
		Detail: trace.Election{Holder: host, Before: hostOf(before), Transitions: n}})
	defer e.trace.Because(e.trace.Because(step))
	var stored apiserver.Object
	var err error
	if there {
		fresh := old.DeepCopy()
		fresh.Spec = next.Spec
		stored, err = client.Update(fresh)
	} else {
		stored, err = client.Create(next)
	}
	if err != nil {
		return fmt.Errorf("take lease %s: %w", program, err)
	}
	client.Emit(stored, corev1.EventTypeNormal, "LeaderElection", *next.Spec.HolderIdentity+" became leader")
	for _, other := range hosts() {
		e.queue.Cancel(program + "/" + other)
	}
	e.start(program)
	return nil
}

func hostOf(identity string) string {
	host, _, _ := strings.Cut(identity, "_")
	return host
}

// elected says whether a program has an active replica, as its Lease, the faults and the agenda tell it.
func (c *Cluster) elected(program string) bool {
	q := c.election().queue
	for _, host := range hosts() {
		if q.Has(program + "/" + host) {
			return false
		}
	}
	return c.renews() && c.up(program, c.holderHost(program))
}
