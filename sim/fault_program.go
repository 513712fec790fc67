package sim

import (
	"maps"
	"slices"
)

// The faults of the control plane's programs.
const (
	// APIServerDown: nobody reads or writes. What runs goes on, kubelets restart what crashes; scheduler and controllers
	// give up their leases. Back, everyone looks at everything again and catches up. The target is kube-apiserver.
	APIServerDown = "apiserver-down"
	// SchedulerDown: a replica of the scheduler does not run. Of the two one is active; when that stops, the other
	// takes over once its lease has run out, some 15 s later. With none, new pods stay Pending, without an event.
	// A target is the host of a replica, or Active, or All.
	SchedulerDown = "scheduler-down"
	// ControllerManagerDown: the same of the controller manager. With none, nothing is created, replaced or evicted,
	// no node is noticed to be lost, and endpoints stay as they are; what is Pending is still scheduled.
	ControllerManagerDown = "controller-manager-down"
)

// apiServerName is the target of APIServerDown.
const apiServerName = "kube-apiserver"

// hosts are the machines of the control plane. Each has a replica of the scheduler and of the controller manager;
// there is one API server.
func hosts() []string { return []string{"control-plane-1", "control-plane-2"} }

func programFaults() []faultKind {
	replica := func(name, program string) faultKind {
		return faultKind{name, func(*Cluster) []string { return append([]string{Active, All}, hosts()...) },
			func(c *Cluster, host string, broken bool) error {
				return c.replicaFault(program, host, broken)
			}}
	}
	return []faultKind{
		{APIServerDown, func(*Cluster) []string { return []string{apiServerName} }, func(c *Cluster, _ string, broken bool) error {
			return c.setServerDown(broken)
		}},
		replica(SchedulerDown, schedulerName),
		replica(ControllerManagerDown, controllerManagerName),
	}
}

// programFault is the fault of a program's replicas.
func programFault(program string) string {
	if program == schedulerName {
		return SchedulerDown
	}
	return ControllerManagerDown
}

// programSlots are the places of a program's components, in a fixed order.
func (c *Cluster) programSlots(program string) (slots []*slot) {
	for _, name := range slices.Sorted(maps.Keys(c.components)) {
		if s := c.components[name]; s.program == program {
			slots = append(slots, s)
		}
	}
	return slots
}
