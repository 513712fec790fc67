package sim

// follow brings a program in line with the faults of its replicas.
func (c *Cluster) follow(program string) {
	up := c.replicaUp(program)
	switch {
	case up && !c.server.Down() && !c.running(program):
		c.start(program)
	case (!up || c.server.Down()) && c.running(program):
		c.stop(program)
	}
}

// replicaUp says whether any replica of a program runs.
func (c *Cluster) replicaUp(program string) bool {
	for _, h := range hosts() {
		if !c.broken(programFault(program), h) {
			return true
		}
	}
	return false
}

// holder is the host of the active replica of the program that a fault is of; "": there is none.
func (c *Cluster) holder(fault string) string {
	for _, h := range hosts() {
		if !c.broken(fault, h) {
			return h
		}
	}
	return ""
}

// setServerDown stops the API server, or starts it again.
func (c *Cluster) setServerDown(down bool) error {
	c.server.SetDown(down)
	for _, program := range []string{controllerManagerName, schedulerName} {
		c.follow(program)
	}
	if !down {
		for _, node := range c.nodeNames() {
			c.kubelets[node].Resync()
		}
	}
	return nil
}

// resume has what was down when the cluster was saved be down again.
func (c *Cluster) resume() {
	c.server.SetDown(c.broken(APIServerDown, apiServerName))
	for _, program := range []string{controllerManagerName, schedulerName} {
		for _, s := range c.programSlots(program) {
			s.stopped = c.server.Down() || !c.replicaUp(program)
		}
	}
}
