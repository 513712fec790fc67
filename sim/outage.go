package sim

import "timonier/sim/agenda"

// setServerDown stops the API server, or starts it again.
func (c *Cluster) setServerDown(down bool) error {
	if down {
		if err := c.keepHeartbeats(); err != nil && c.store.Reachable() == nil { // else nobody will know of them
			return err
		}
		c.dropLeases()
		c.server.SetDown(true)
		return nil
	}
	c.server.SetDown(false)
	if c.leaseless = !c.store.Quorate(); !c.leaseless {
		c.lookAgain()
	}
	return nil
}

// dropLeases ends the programs that cannot renew their leases; those that wait for one can neither take it.
func (c *Cluster) dropLeases() {
	for _, program := range programs() {
		c.stop(program)
		for _, host := range hosts() {
			c.election().queue.Cancel(program + "/" + host)
		}
	}
}

// keepHeartbeats writes what heartbeats and renewals there were, which are not implied where they cannot arrive.
func (c *Cluster) keepHeartbeats() error {
	for _, node := range c.nodeNames() {
		if k := c.kubelets[node]; k != nil && !k.Silent() {
			if err := k.KeepHeartbeat(); err != nil {
				return err
			}
		}
	}
	for _, program := range programs() {
		if !c.running(program) {
			continue
		}
		if _, err := c.keepRenewal(program); err != nil {
			return err
		}
	}
	return nil
}

// lookAgain is the end of an outage: those who could not reach the API server list and watch anew. A scheduler or
// controller manager that could not renew its lease has ended, and been started again by its node's kubelet: it waits
// for the lease like the standby, which has seen it run out long ago.
func (c *Cluster) lookAgain() {
	e := c.election()
	for _, program := range programs() {
		l, ok := c.lease(program)
		holder := c.holderHost(program)
		switch {
		case c.up(program, holder) && (!ok || c.Now().Sub(c.renewed(l)) < renewDeadline):
			c.start(program)
			if !ok {
				e.forgotten(program, identity(program, holder, 0))
			}
			continue
		case !ok:
			continue
		}
		for _, host := range hosts() {
			switch {
			case !c.up(program, host):
			case host == holder:
				e.candidate(program, host, c.Now())
			default:
				e.candidate(program, host, c.renewed(l))
			}
		}
	}
	for _, s := range c.programSlots("") {
		if s.apart {
			s.Resync()
		}
	}
	for _, node := range c.nodeNames() {
		switch k := c.kubelets[node]; {
		case k == nil:
		case !k.Silent():
			k.Reconnect()
		default:
			k.PaySoon()
		}
	}
	c.planChores(true)
}

// resume has what was down when the cluster was saved be down again. It needs the agenda.
func (c *Cluster) resume(saved *agenda.State) {
	if saved != nil {
		c.agenda.Load(*saved)
	}
	c.server.SetDown(c.broken(APIServerDown, apiServerName))
	for _, program := range programs() {
		running := c.elected(program)
		for _, s := range c.programSlots(program) {
			s.stopped = !running
		}
	}
}
