package sim

// The programs of the control plane that can stop, by the names of their leases.
const (
	schedulerName         = "kube-scheduler"
	controllerManagerName = "kube-controller-manager"
)

// slot is a component's place in the cluster. What is in it can stop, as when its program dies, and be started
// anew: then it knows only what the API server has.
type slot struct {
	component
	name    string           // of its tasks in the agenda
	program string           // whose part it is, and stops with; "": a program of its own
	apart   bool             // it runs in the cluster, with no replica, and reaches the API server as all do
	make    func() component // nil: it does not stop this way
	stopped bool             // it sees no change, and its tasks are dropped
}

// stop ends a program: all that its components had planned is forgotten.
func (c *Cluster) stop(program string) {
	for _, s := range c.programSlots(program) {
		s.stopped = true
		c.agenda.Drop(s.name)
	}
}

// start begins a program anew: its components look at everything.
func (c *Cluster) start(program string) {
	for _, s := range c.programSlots(program) {
		c.agenda.Drop(s.name)
		s.component, s.stopped = s.make(), false
		s.Resync()
	}
}

// running says whether a program does its work.
func (c *Cluster) running(program string) bool {
	for _, s := range c.programSlots(program) {
		return !s.stopped
	}
	return false
}
