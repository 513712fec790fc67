package bot

// simulated is the channel's cluster.
type simulated struct{}

func (c *call) clusterChanges() ([]Record, error) { return nil, nil }

func (c *call) clusterSaved() {}

func kubectlVerbs() []string {
	return []string{"get", "describe", "create", "apply", "delete", "scale"}
}
