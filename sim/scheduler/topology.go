package scheduler

import (
	"k8s.io/apimachinery/pkg/labels"
)

// topology numbers the domains of one topology key, so that pods can be counted by
// domain in arrays. Nodes without the key share the domain of the empty value.
type topology struct {
	domain []int32 // by node position
	has    []bool  // by node position: the node has the key
	values []string
}

// maxTopologies is how many numberings are kept.
const maxTopologies = 32

// topology is the numbering of a key, worked out once until nodes change.
func (s *Snapshot) topology(key string) *topology {
	if t := s.topologies[key]; t != nil {
		return t
	}
	if len(s.topologies) >= maxTopologies {
		clear(s.topologies) // pods may name keys without end
	}
	t := &topology{domain: make([]int32, len(s.nodes)), has: make([]bool, len(s.nodes))}
	numbers := map[string]int32{}
	for i, n := range s.nodes {
		value, ok := n.label(key)
		number, known := numbers[value]
		if !known {
			number = int32(len(t.values))
			numbers[value] = number
			t.values = append(t.values, value)
		}
		t.domain[i], t.has[i] = number, ok
	}
	s.topologies[key] = t
	return t
}

// counter knows on every node how many pods of a namespace a selector matches. It
// is kept as pods come and go: spreading a thousand replicas would otherwise
// look at all pods a thousand times.
type counter struct {
	namespace, text string
	selector        labels.Selector
	counts          []int32 // by node position
	used            int
}

// maxCounters is how many counters are kept; the one not used for longest goes first.
const maxCounters = 128

// count gives, by node position, the pods of a namespace that a selector matches,
// as PodTopologySpread counts them: pods on their way out do not count, and an
// empty selector matches none (Kubernetes 1.37
// pkg/scheduler/framework/plugins/podtopologyspread/common.go, countPodsMatchSelector).
func (s *Snapshot) count(namespace string, selector labels.Selector) []int32 {
	s.clock++
	text := selector.String()
	oldest := 0
	for i, c := range s.counters {
		if c.namespace == namespace && c.text == text {
			c.used = s.clock
			return c.counts
		}
		if c.used < s.counters[oldest].used {
			oldest = i
		}
	}
	c := &counter{namespace, text, selector, make([]int32, len(s.nodes)), s.clock}
	for i, n := range s.nodes {
		for _, p := range n.pods {
			if c.matches(p) {
				c.counts[i]++
			}
		}
	}
	if len(s.counters) < maxCounters {
		s.counters = append(s.counters, c)
	} else {
		s.counters[oldest] = c
	}
	return c.counts
}

func (c *counter) matches(p *podInfo) bool {
	return p.pod.Namespace == c.namespace && p.pod.DeletionTimestamp == nil &&
		!c.selector.Empty() && c.selector.Matches(labels.Set(p.pod.Labels))
}

// recount keeps the counters right when a pod comes to a node or leaves it.
func (s *Snapshot) recount(p *podInfo, n *nodeInfo, sign int32) {
	if s.stale || n.pos < 0 {
		return // arranging the nodes drops all counters
	}
	for _, c := range s.counters {
		if c.matches(p) {
			c.counts[n.pos] += sign
		}
	}
}
