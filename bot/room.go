package bot

import (
	"fmt"
	"strings"

	"timonier/sim"
	"timonier/sim/kubectl"
)

// mostHeavy is how many kinds are named that take a full cluster's room.
const mostHeavy = 3

// withRoom says what takes the room of a cluster that has no more, where that is what kubectl was told. The alarm
// of a database at its quota is another thing: see unanswered.
func (c *call) withRoom(r Reply, cl *sim.Cluster, result kubectl.Result) Reply {
	if !strings.Contains(result.Stderr, "database space exceeded") || cl.Etcd().Full {
		return r
	}
	var heavy []string
	line := ""
	for _, w := range cl.Server().Weigh() {
		if w.Resource.TTL > 0 { // events go by themselves
			continue
		}
		if len(heavy) == mostHeavy {
			break
		}
		heavy = append(heavy, c.say("kubectl.heavy", with{"Kind": w.Resource.Resource, "Count": w.Count, "Size": c.decimal(fmt.Sprintf("%.1f", float64(w.Bytes)/(1<<20)))}))
		if line == "" && w.Largest != nil {
			line = "/kubectl delete " + w.Resource.Resource + " " + w.Largest.GetName()
			if w.Resource.Namespaced {
				line += " -n " + w.Largest.GetNamespace()
			}
		}
	}
	r.Blocks = append(r.Blocks, Text{c.say("kubectl.noroom", with{"What": strings.Join(heavy, ", "), "Line": line})})
	return r
}
