package scheduler

// plugin is one row of the default profile. A part that is nil is not there; a
// preparing part that returns false has nothing to say about this pod, and the
// plugin is left out of that stage (Skip, in the real scheduler's words).
type plugin struct {
	name   string
	weight int64 // of its score; 0: it has none

	// preFilter looks at the whole cluster once. It may refuse the pod at once.
	preFilter func(*cycle) (has bool, refused refusal)
	// filter refuses a node, or not.
	filter func(*cycle, *nodeInfo) refusal
	// obstacles says in figures what stands in the way on a node that filter refuses.
	obstacles func(*cycle, *nodeInfo, *NodeVerdict)
	// update tells the plugin of a pod that comes to a node (1) or leaves it (-1), while things are tried out.
	update func(*cycle, *podInfo, *nodeInfo, int64)

	// preScore prepares for c.feasible.
	preScore func(*cycle) (has bool)
	// score is the raw score of a node.
	score func(*cycle, *nodeInfo) int64
	// normalize brings raw scores to 0..100, by position in c.feasible. Nil: they are already.
	normalize func(c *cycle, raw, to []int64)
	// figures appends the numbers behind the score of c.feasible[i].
	figures func(c *cycle, i int, raw []int64, f []Figure) []Figure

	// events are those that may make a pod it has refused fit.
	events []interest
}

// refusal is a plugin's no. The zero value is a yes.
type refusal struct {
	code   Code
	reason string
	more   []string // further reasons
}

func (r refusal) refused() bool { return r.code != "" }

func (r refusal) reasons() []string { return append([]string{r.reason}, r.more...) }

// pluginSet is a set of plugins, as bits by their row in the profile.
type pluginSet uint32

func (s pluginSet) has(row int) bool { return s&(1<<row) != 0 }

func (s *pluginSet) add(row int) { *s |= 1 << row }

// The rows of the profile, in the order in which the filters are asked; a node is
// refused by the first that says no.
const (
	rowGates = iota
	rowNodeName
	rowUnschedulable
	rowTaints
	rowNodeAffinity
	rowPorts
	rowFit
	rowVolumes
	rowSpread
	rowPodAffinity
	rowBalanced
	rowImages
	rowCount
)

// profile is the default profile (Kubernetes 1.37
// pkg/scheduler/apis/config/v1/default_plugins.go) without what concerns devices,
// limits of volumes and the features that a node declares.
func profile() [rowCount]plugin {
	return [rowCount]plugin{
		rowGates:         {name: "SchedulingGates", events: gateEvents()},
		rowNodeName:      {name: "NodeName", preFilter: preFilterNodeName, filter: filterNodeName, events: nodeNameEvents()},
		rowUnschedulable: {name: "NodeUnschedulable", filter: filterUnschedulable, obstacles: taintsInTheWay, events: unschedulableEvents()},
		rowTaints: {name: "TaintToleration", weight: 3, filter: filterTaints, obstacles: taintsInTheWay,
			score: scoreTaints, normalize: normalizeTaints, figures: figuresTaints, events: taintEvents()},
		rowNodeAffinity: {name: "NodeAffinity", weight: 2, preFilter: preFilterNodeAffinity, filter: filterNodeAffinity,
			obstacles: termsInTheWay, preScore: preScoreNodeAffinity, score: scoreNodeAffinity,
			normalize: normalizeNodeAffinity, figures: figuresNodeAffinity, events: nodeAffinityEvents()},
		rowPorts: {name: "NodePorts", preFilter: preFilterPorts, filter: filterPorts, obstacles: portsInTheWay, events: portEvents()},
		rowFit: {name: "NodeResourcesFit", weight: 1, filter: filterFit, obstacles: shortages,
			score: scoreFit, figures: figuresFit, events: fitEvents()},
		rowVolumes: {name: "VolumeBinding", preFilter: preFilterVolumes, filter: filterVolumes, events: volumeEvents()},
		rowSpread: {name: "PodTopologySpread", weight: 2, preFilter: preFilterSpread, filter: filterSpread, obstacles: spreadInTheWay,
			update: updateSpread, preScore: preScoreSpread, score: scoreSpread, normalize: normalizeSpread,
			figures: figuresSpread, events: spreadEvents()},
		rowPodAffinity: {name: "InterPodAffinity", weight: 2, preFilter: preFilterPodAffinity, filter: filterPodAffinity,
			obstacles: podsInTheWay, update: updatePodAffinity, preScore: preScorePodAffinity, score: scorePodAffinity,
			normalize: normalizePodAffinity, figures: figuresPodAffinity, events: podAffinityEvents()},
		rowBalanced: {name: "NodeResourcesBalancedAllocation", weight: 1, preScore: preScoreBalanced, score: scoreBalanced,
			figures: figuresBalanced},
		rowImages: {name: "ImageLocality", weight: 1, preScore: preScoreImages, score: scoreImages, figures: figuresImages},
	}
}

// maxScore is the highest normalised score.
const maxScore = 100

// Filters are the names of the filters, in the order in which they are asked.
func Filters() (names []string) {
	for _, p := range profile() {
		if p.filter != nil {
			names = append(names, p.name)
		}
	}
	return names
}
