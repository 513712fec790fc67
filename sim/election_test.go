package sim

import (
	"fmt"
	"strings"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"timonier/sim/apiserver"
	"timonier/sim/trace"
)

func fail(t testing.TB, c *Cluster, fault, target string) {
	t.Helper()
	if err := c.Break(fault, target); err != nil {
		t.Fatal(err)
	}
}

func mend(t testing.TB, c *Cluster, fault, target string) {
	t.Helper()
	if err := c.Mend(fault, target); err != nil {
		t.Fatal(err)
	}
}

func pass(t testing.TB, c *Cluster, d time.Duration) {
	t.Helper()
	if err := c.AdvanceTo(c.Now().Add(d)); err != nil {
		t.Fatal(err)
	}
}

func leaseNow(t testing.TB, c *Cluster, program string) *coordinationv1.Lease {
	t.Helper()
	l, ok := apiserver.Live[*coordinationv1.Lease](c.Client(), metav1.NamespaceSystem, program)
	if !ok {
		t.Fatalf("no lease %s", program)
	}
	return l
}

// Each row is a story of one program's replicas: what happens to them, and who holds the lease after how long. Hosts
// are named by their digits. A wait of a holder is at least 15 s after its last renewal, of which there is one every
// 2 s, and a standby looks every 2 s.
func TestReplicasTakeTurns(t *testing.T) {
	const least, most = leaseDuration - retryPeriod, leaseDuration + retryPeriod
	for _, program := range programs() {
		fault := programFault(program)
		for name, story := range map[string][]struct {
			do            string // "-1": replica 1 stops; "+1": it starts; "-api", "+api"; a duration: time passes
			least, most   time.Duration
			holder, still string // who holds it then; still: nobody takes over within an hour
		}{
			"the active one stops":                     {{do: "-1", least: least, most: most, holder: "2"}},
			"the standby stops":                        {{do: "-2", still: "1"}},
			"and comes back, and the active one stops": {{do: "-2"}, {do: "1m"}, {do: "+2"}, {do: "1m"}, {do: "-1", least: least, most: most, holder: "2"}},
			"one after the other":                      {{do: "-1", least: least, most: most, holder: "2"}, {do: "+1"}, {do: "1m"}, {do: "-2", least: least, most: most, holder: "1"}},
			"both":                                     {{do: "-1"}, {do: "-2"}, {do: "1h"}, {do: "+2", least: leaseDuration, most: most, holder: "2"}},
			"the active one alone starts anew, and waits for its own lease": {{do: "-2"}, {do: "-1"}, {do: "1s"}, {do: "+1", least: leaseDuration, most: most, holder: "1"}},
			"the active one starts anew, but the standby has waited longer": {{do: "-1"}, {do: "5s"}, {do: "+1", least: least - 5*time.Second, most: most - 5*time.Second, holder: "2"}},
			"both stop within the wait":                                     {{do: "-1"}, {do: "8s"}, {do: "-2"}, {do: "1m"}, {do: "+1", least: leaseDuration, most: most, holder: "1"}},
			"a short outage is no reason":                                   {{do: "-api"}, {do: "5s"}, {do: "+api", still: "1"}},
			"a long outage":                                                 {{do: "-api"}, {do: "1m"}, {do: "+api", least: 0, most: retryPeriod, holder: "2"}},
			"a long outage with one replica":                                {{do: "-2"}, {do: "-api"}, {do: "1m"}, {do: "+api", least: leaseDuration, most: most, holder: "1"}},
			"a replica stops in an outage":                                  {{do: "-api"}, {do: "1m"}, {do: "-2"}, {do: "1m"}, {do: "+api", least: leaseDuration, most: most, holder: "1"}},
			"the holder stops in an outage":                                 {{do: "-api"}, {do: "-1"}, {do: "5s"}, {do: "+api", least: least - 5*time.Second, most: most, holder: "2"}},
			"an outage within the wait":                                     {{do: "-1"}, {do: "8s"}, {do: "-api"}, {do: "1s"}, {do: "+api", least: 0, most: most - 9*time.Second, holder: "2"}},
		} {
			t.Run(program+"/"+name, func(t *testing.T) {
				c, d := newCluster(t, Config{}), disk{}
				pass(t, c, 47*time.Second)
				transitions := *leaseNow(t, c, program).Spec.LeaseTransitions
				for i, s := range story {
					host := "control-plane-" + strings.TrimLeft(s.do, "+-")
					switch by, err := time.ParseDuration(s.do); {
					case s.do == "-api":
						fail(t, c, APIServerDown, All)
					case s.do == "+api":
						mend(t, c, APIServerDown, All)
					case s.do[0] == '-':
						fail(t, c, fault, host)
					case s.do[0] == '+':
						mend(t, c, fault, host)
					case err == nil:
						pass(t, c, by)
					}
					d.save(t, c)
					c = d.load(t)
					if s.still != "" {
						pass(t, c, time.Hour)
						if got := c.holderHost(program); got != "control-plane-"+s.still || !c.running(program) || *leaseNow(t, c, program).Spec.LeaseTransitions != transitions {
							t.Errorf("step %d, %s: %s holds the lease, running %v", i, s.do, got, c.running(program))
						}
					}
					if s.holder == "" {
						continue
					}
					began := c.Now()
					if !c.Until(time.Hour, func() bool { return c.running(program) }) {
						t.Fatalf("step %d, %s: nobody takes over", i, s.do)
					}
					transitions++
					l := leaseNow(t, c, program)
					took := c.Now().Sub(began)
					if got := c.holderHost(program); got != "control-plane-"+s.holder || took < s.least || took > s.most || *l.Spec.LeaseTransitions != transitions {
						t.Errorf("step %d, %s: %s took over after %v, %d transitions; want %s after %v to %v, %d", i, s.do, got, took, *l.Spec.LeaseTransitions, s.holder, s.least, s.most, transitions)
					}
					if !l.Spec.AcquireTime.Time.Equal(c.Now().Truncate(time.Microsecond)) {
						t.Errorf("acquired at %v, not %v", l.Spec.AcquireTime, c.Now())
					}
				}
			})
		}
	}
}

// While the holder is well its lease is always fresh, and nothing is written.
func TestRenewalsAreImplied(t *testing.T) {
	c := newCluster(t, Config{})
	pass(t, c, time.Minute)
	before := c.Server().Revision()
	for range 50 {
		pass(t, c, 713*time.Millisecond)
		for _, p := range programs() {
			if age := c.Now().Sub(leaseNow(t, c, p).Spec.RenewTime.Time); age < 0 || age >= retryPeriod {
				t.Fatalf("%s was renewed %v ago", p, age)
			}
		}
	}
	if now := c.Server().Revision(); now != before {
		t.Errorf("%d revisions were written", now-before)
	}
}

func TestAnElectionIsTold(t *testing.T) {
	c := newCluster(t, Config{})
	fail(t, c, SchedulerDown, Active)
	if f := c.Faults(); len(f) != 1 || f[0].Target != "control-plane-1" {
		t.Fatalf("the active one is %v", f)
	}
	if age := func() time.Duration {
		pass(t, c, 10*time.Second)
		return c.Now().Sub(leaseNow(t, c, schedulerName).Spec.RenewTime.Time)
	}(); age < 10*time.Second {
		t.Errorf("a dead holder's lease is renewed: %v ago", age)
	}
	pass(t, c, 10*time.Second)
	var told []string
	for e := range apiserver.List[*corev1.Event](c.Client(), metav1.NamespaceSystem) {
		told = append(told, fmt.Sprintf("%s %s/%s %s %s", e.Source.Component, e.InvolvedObject.Kind, e.InvolvedObject.Name, e.Reason, e.Message))
	}
	want := "default-scheduler Lease/kube-scheduler LeaderElection " + *leaseNow(t, c, schedulerName).Spec.HolderIdentity + " became leader"
	if len(told) != 1 || told[0] != want || !strings.Contains(want, "control-plane-2_") {
		t.Errorf("events %q, want %q", told, want)
	}
	for _, s := range c.Trace().Steps() {
		if s.Kind != trace.Elected {
			continue
		}
		chain := c.Trace().Chain(s.ID)
		if e := s.Detail.(trace.Election); e != (trace.Election{Holder: "control-plane-2", Before: "control-plane-1", Transitions: 1}) || chain[0].Kind != trace.Fault {
			t.Errorf("%+v because of %s", e, chain[0].Kind)
		}
		return
	}
	t.Error("no step tells of the election")
}

// kubectl delete lease: the holder writes it anew, and stays.
func TestADeletedLeaseIsWrittenAnew(t *testing.T) {
	c := newCluster(t, Config{})
	l := leaseNow(t, c, controllerManagerName)
	if err := c.Client().Delete(l, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	pass(t, c, 3*time.Second)
	if again := leaseNow(t, c, controllerManagerName); *again.Spec.HolderIdentity != *l.Spec.HolderIdentity || again.UID == l.UID {
		t.Errorf("%v", again)
	}
}
