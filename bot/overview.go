package bot

import (
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"timonier/content"
	"timonier/sim"
	"timonier/sim/apiserver"
)

// overview is /grappe: nodes and pods as they are now.
func (c *call) overview() (Reply, error) {
	cl, err := c.cluster()
	if err != nil {
		return Reply{}, err
	}
	r := Reply{Blocks: []Block{Title{c.say("cluster.title")}, Text{c.clockText(cl)}, c.nodeTable(cl)}}
	if pods := slices.Collect(apiserver.List[*corev1.Pod](cl.Client(), "")); len(pods) > 0 {
		r.Blocks = append(r.Blocks, c.podTable(cl, pods)...)
	} else {
		r.Blocks = append(r.Blocks, Text{c.say("cluster.empty")})
		r = r.with(Button{Label: "kubectl create deployment …", Line: "/kubectl create deployment web --image=nginx --replicas=3"})
	}
	if broken := cl.Faults(); len(broken) > 0 {
		r = c.withBroken(r, cl, broken)
		switch {
		case cl.Server().Down():
			r.Blocks = append(r.Blocks, Text{c.say("cluster.stale")})
		case !cl.Etcd().Quorum:
			r.Blocks = append(r.Blocks, Text{c.say("cluster.noquorum")})
		}
	}
	r = r.with(c.drawButton(c.say("draw.button"), findName("cluster").in(c.words)))
	return r.with(Button{Label: c.say("time.on", with{"Span": c.span(time.Minute)}), Line: c.forward(time.Minute)}), nil
}

// nodeTable says what each node has promised of what it has.
func (c *call) nodeTable(cl *sim.Cluster) Table {
	t := Table{Columns: []string{c.say("cluster.node"), c.say("cluster.state"), "CPU", c.say("cluster.memory"), "Pods"}}
	for n := range apiserver.List[*corev1.Node](cl.Client(), "") {
		cpu, memory, count := promised(cl, n)
		a := n.Status.Allocatable
		t.Rows = append(t.Rows, []string{
			"`" + n.Name + "`" + c.alias(c.lens().Node(c.course(), n.Name)), c.cell(cl, n, "Status"),
			amount("cpu", cpu.MilliValue()) + " / " + amount("cpu", a.Cpu().MilliValue()),
			amount("memory", memory.Value()) + " / " + amount("memory", a.Memory().Value()),
			fmt.Sprintf("%d / %d", count, a.Pods().Value()),
		})
	}
	return t
}

// alias is what the learner's lens calls something, after its name.
func (c *call) alias(said string) string {
	if c.lens().ID == content.Technique {
		return ""
	}
	return " · " + said
}

// podTable shows the pods, those that are not well first where they do not all fit.
func (c *call) podTable(cl *sim.Cluster, pods []*corev1.Pod) []Block {
	const most = 20
	t := Table{Columns: []string{"Pod", c.say("cluster.state"), c.say("cluster.ready"), c.say("cluster.node"), c.say("cluster.age")}}
	rest := len(pods) - most
	if rest > 0 {
		slices.SortStableFunc(pods, func(a, b *corev1.Pod) int { return unwell(b) - unwell(a) })
		pods = pods[:most]
	}
	for _, p := range pods {
		name := p.Name
		if p.Namespace != corev1.NamespaceDefault {
			name = p.Namespace + "/" + name
		}
		node := "–"
		if p.Spec.NodeName != "" {
			node = "`" + p.Spec.NodeName + "`"
		}
		t.Rows = append(t.Rows, []string{"`" + name + "`" + c.alias(c.lens().Pod(c.course(), p.Name)),
			c.cell(cl, p, "Status"), c.cell(cl, p, "Ready"), node, c.cell(cl, p, "Age")})
	}
	if rest > 0 {
		return []Block{t, Text{c.say("cluster.more", with{"Count": rest})}}
	}
	return []Block{t}
}

// unwell is 1 for a pod that does not do what it is for.
func unwell(p *corev1.Pod) int {
	if p.DeletionTimestamp == nil && isReady(p) {
		return 0
	}
	return 1
}

func isReady(p *corev1.Pod) bool {
	return slices.ContainsFunc(p.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}

// cell is what kubectl get would print in a column.
func (c *call) cell(cl *sim.Cluster, o apiserver.Object, column string) string {
	r, ok := cl.Server().ResourceOf(o)
	if !ok {
		return ""
	}
	cells := r.Cells(o, cl.Now())
	for i, col := range r.Columns {
		if strings.EqualFold(col.Name, column) && i < len(cells) {
			return fmt.Sprint(cells[i])
		}
	}
	return ""
}

// amount writes a quantity as Kubernetes does: cpu in millicores or whole CPUs,
// bytes in Mi and Gi, anything else as it is.
func amount(name string, n int64) string {
	switch {
	case name == "cpu" && n%1000 == 0:
		return fmt.Sprint(n / 1000)
	case name == "cpu":
		return fmt.Sprintf("%dm", n)
	case name != "memory" && name != "ephemeral-storage" && !strings.HasPrefix(name, "hugepages-"):
		return fmt.Sprint(n)
	case n%(1<<30) == 0 && n != 0:
		return fmt.Sprintf("%dGi", n>>30)
	case n == 0:
		return "0"
	case n < 1<<20 && n > -1<<20:
		return fmt.Sprintf("%dKi", n>>10)
	}
	return fmt.Sprintf("%dMi", n>>20)
}
