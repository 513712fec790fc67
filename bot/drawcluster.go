package bot

import (
	"cmp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"timonier/bot/picture"
	"timonier/sim"
	"timonier/sim/apiserver"
)

// drawCluster is /schéma grappe: nodes and pods as they are now.
func drawCluster(c *call, cl *sim.Cluster, _ string) (Reply, error) {
	d := c.clusterDrawing(cl)
	r := Reply{Blocks: []Block{c.drawn("cluster", d, c.clusterAlt(d))}}
	if broken := cl.Faults(); len(broken) > 0 {
		r = c.withBroken(r, cl, broken)
	}
	if apiserver.Count[*corev1.Pod](cl.Client()) == 0 {
		r = r.with(createButton())
	}
	return r.with(Button{Label: c.say("draw.table"), Line: c.typed("cluster")}), nil
}

// createButton offers to make a first Deployment.
func createButton() Button {
	return Button{Label: "kubectl create deployment …", Line: "/kubectl create deployment web --image=nginx --replicas=3", Style: Primary}
}

// clusterDrawing is the cluster as it is to be drawn, with the states that kubectl prints.
func (c *call) clusterDrawing(cl *sim.Cluster) picture.Cluster {
	d := picture.Cluster{Title: c.say("draw.cluster"), Note: c.say("draw.at", with{"Clock": c.moment(cl.Now())}), Words: picture.ClusterWords{
		CPU: "CPU", Memory: c.say("cluster.memory"), Apart: c.say("draw.apart"), Empty: c.say("draw.nopod"),
		More: func(nodes int) string { return c.say("draw.morenodes", with{"Count": nodes}) }}}
	on := map[string]int{}
	for _, n := range slices.SortedStableFunc(apiserver.List[*corev1.Node](cl.Client(), ""), func(a, b *corev1.Node) int { return inOrder(a.Name, b.Name) }) {
		on[n.Name] = len(d.Nodes)
		d.Nodes = append(d.Nodes, c.drawnNode(cl, n))
	}
	for p := range apiserver.List[*corev1.Pod](cl.Client(), "") {
		pod := c.drawnPod(cl, p)
		if i, ok := on[p.Spec.NodeName]; ok {
			d.Nodes[i].Pods = append(d.Nodes[i].Pods, pod)
		} else {
			d.Apart = append(d.Apart, pod)
		}
	}
	return d
}

// inOrder compares names as people count: node-9 before node-10.
func inOrder(a, b string) int {
	before := strings.TrimRight(a, "0123456789")
	if before == strings.TrimRight(b, "0123456789") {
		return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
	}
	return cmp.Compare(a, b)
}

func (c *call) drawnNode(cl *sim.Cluster, n *corev1.Node) picture.Node {
	state := c.cell(cl, n, "Status")
	tone := picture.Good
	switch {
	case strings.Contains(state, "NotReady"):
		tone = picture.Bad
	case state != "Ready":
		tone = picture.Waiting
	}
	cpu, memory, _ := promised(cl, n)
	a := n.Status.Allocatable
	return picture.Node{Name: c.nodeWord(n.Name), State: state, Tone: tone,
		CPU:    share("cpu", cpu.MilliValue(), a.Cpu().MilliValue()),
		Memory: share("memory", memory.Value(), a.Memory().Value())}
}

func share(resource string, used, of int64) picture.Share {
	s := picture.Share{Text: amount(resource, used) + " / " + amount(resource, of)}
	if of > 0 {
		s.Part = float64(used) / float64(of)
	}
	return s
}

// promised is what the pods of a node have asked for, and how many they are.
func promised(cl *sim.Cluster, n *corev1.Node) (cpu, memory resource.Quantity, count int) {
	for p := range apiserver.PodsOn(cl.Client(), n.Name) {
		if p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed {
			continue
		}
		count++
		for _, x := range p.Spec.Containers {
			cpu.Add(*x.Resources.Requests.Cpu())
			memory.Add(*x.Resources.Requests.Memory())
		}
	}
	return cpu, memory, count
}

// drawnPod is a pod with kubectl's word for its state, and what that word does not say: that one that runs is not ready.
func (c *call) drawnPod(cl *sim.Cluster, p *corev1.Pod) picture.Pod {
	state := c.cell(cl, p, "Status")
	d := picture.Pod{Name: c.podWord(p.Name), State: state, Tone: podTone(p, state)}
	if state == "Running" && d.Tone != picture.Good {
		d.State = c.say("draw.unready", with{"State": state})
	}
	return d
}

func podTone(p *corev1.Pod, state string) picture.Tone {
	switch {
	case p.DeletionTimestamp != nil:
		return picture.Waiting
	case state == "Running" && isReady(p):
		return picture.Good
	case state == "Running":
		return picture.Waiting
	case state == "Completed":
		return picture.Quiet
	case state == "Pending" || state == "ContainerCreating" || state == "PodInitializing" || strings.HasPrefix(state, "Init:") && !strings.Contains(state, "rr"):
		return picture.Waiting
	}
	return picture.Bad
}

// clusterAlt says what the drawing shows: node by node where they are few, else in all.
func (c *call) clusterAlt(d picture.Cluster) string {
	const most = 6
	var all []picture.Pod
	for _, n := range d.Nodes {
		all = append(all, n.Pods...)
	}
	text := []string{c.say("draw.clusteralt", with{"Count": len(d.Nodes), "Pods": c.say("draw.pods", with{"Count": len(all) + len(d.Apart)})})}
	if len(d.Nodes) <= most {
		for _, n := range d.Nodes {
			text = append(text, c.say("draw.nodealt", with{"Node": n.Name, "State": n.State, "CPU": n.CPU.Text, "Memory": n.Memory.Text, "Pods": c.podStates(n.Pods)}))
		}
	} else {
		unwell := 0
		for _, n := range d.Nodes {
			if n.Tone != picture.Good {
				unwell++
			}
		}
		text = append(text, c.say("draw.nodesalt", with{"Ready": len(d.Nodes) - unwell, "Total": len(d.Nodes), "Pods": c.podStates(all)}))
	}
	if len(d.Apart) > 0 {
		text = append(text, c.say("draw.apartalt", with{"Pods": c.podStates(d.Apart)}))
	}
	return strings.Join(text, " ")
}

// podStates counts pods by state: 3 Running, 1 Pending.
func (c *call) podStates(pods []picture.Pod) string {
	if len(pods) == 0 {
		return c.say("draw.nopod")
	}
	count := map[string]int{}
	var states []string
	for _, p := range pods {
		if count[p.State]++; count[p.State] == 1 {
			states = append(states, p.State)
		}
	}
	slices.SortStableFunc(states, func(a, b string) int { return count[b] - count[a] })
	var said []string
	for _, s := range states {
		said = append(said, c.say("draw.state", with{"State": s, "Number": count[s]}))
	}
	return c.list(said)
}
