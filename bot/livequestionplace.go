package bot

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"timonier/content"
	"timonier/sim"
	"timonier/sim/apiserver"
	"timonier/sim/scheduler"
	"timonier/sim/trace"
)

const (
	placedAfter  = 3 * time.Second // a new pod has been looked at by then
	mostNodes    = 4               // among the options
	placeTries   = 4
	preemptTries = 3
	scaleTries   = 2
	nowhere      = "" // the answer where a pod gets no node
)

func ofDeployments() schema.GroupKind {
	return schema.GroupKind{Group: appsv1.GroupName, Kind: "Deployment"}
}

// place asks on which node a pod will be: one more of a Deployment, or one of given requests.
func (a *asking) place() (*livePosed, error) {
	var tries []func() (*livePosed, error)
	for _, d := range a.deployments() {
		tries = append(tries, func() (*livePosed, error) { return a.placeOneMore(d) })
	}
	for range placeTries {
		tries = append(tries, a.placePod)
	}
	a.dice.Shuffle(len(tries), func(i, j int) { tries[i], tries[j] = tries[j], tries[i] })
	for _, try := range tries[:min(placeTries, len(tries))] {
		if p, err := try(); p != nil || err != nil {
			return p, err
		}
	}
	return nil, nil
}

// placeOneMore asks where the next pod of a Deployment will be.
func (a *asking) placeOneMore(d *appsv1.Deployment) (*livePosed, error) {
	cl, err := a.fork()
	if err != nil {
		return nil, err
	}
	last, before := cl.Trace().Last(), map[string]bool{}
	for _, p := range podsOf(cl, d) {
		before[p.Name] = true
	}
	if oneMore(cl, d, 1) != nil {
		return nil, nil // a quota, say
	}
	if err := a.run(cl, placedAfter); err != nil {
		return nil, err
	}
	fresh := slices.DeleteFunc(podsOf(cl, d), func(p *corev1.Pod) bool { return before[p.Name] })
	if len(fresh) != 1 {
		return nil, nil
	}
	n := wanted(d)
	ask := a.say("live.place.askscale", with{"Name": podName(d), "From": n, "To": n + 1})
	p := a.placed(cl, fresh[0], last, ask)
	if p != nil {
		p.object, p.count = d.Namespace+"/"+d.Name, int(n)+1
	}
	return p, nil
}

// oneMore asks for more replicas of a Deployment.
func oneMore(cl *sim.Cluster, d *appsv1.Deployment, more int32) error {

	return cl.Client().SetScale(ofDeployments(), d.Namespace, d.Name, wanted(d)+more)
}

// placePod asks where a pod of requests will be that are near to what some node has left.
func (a *asking) placePod() (*livePosed, error) {
	cpu, memory := a.nearly()
	if cpu <= 0 {
		return nil, nil
	}
	pod := a.newPod(cpu, memory)
	cl, err := a.fork()
	if err != nil {
		return nil, err
	}
	last := cl.Trace().Last()
	made, err := cl.Client().Create(pod)
	if err != nil {
		return nil, nil // the namespace's limits do not want it
	}
	if err := a.run(cl, placedAfter); err != nil {
		return nil, err
	}
	fresh, ok := apiserver.Get[*corev1.Pod](cl.Client(), pod.Namespace, made.GetName())
	if !ok {
		return nil, nil
	}
	ask := a.say("live.place.askpod", with{"CPU": amount("cpu", cpu), "Memory": amount("memory", memory)})
	p := a.placed(cl, fresh, last, ask)
	if p != nil {
		p.pod = pod
	}
	return p, nil
}

// newPod is a pod of requests, in thousandths of a CPU and in bytes.
func (a *asking) newPod(cpu, memory int64) *corev1.Pod {
	requests := corev1.ResourceList{corev1.ResourceCPU: *resource.NewMilliQuantity(cpu, resource.DecimalSI), corev1.ResourceMemory: *resource.NewQuantity(memory, resource.BinarySI)}
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: a.word, Namespace: metav1.NamespaceDefault},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "nginx", Resources: corev1.ResourceRequirements{Requests: requests}}}},
	}
}

// nearly are requests that one node just has free, or just has not.
func (a *asking) nearly() (cpu, memory int64) {
	var nodes []*corev1.Node
	for n := range apiserver.List[*corev1.Node](a.cl.Client(), "") {
		nodes = append(nodes, n)
	}
	if len(nodes) == 0 {
		return 0, 0
	}
	n := nodes[a.dice.IntN(len(nodes))]
	free := n.Status.Allocatable.Cpu().MilliValue()
	for p := range apiserver.PodsOn(a.cl.Client(), n.Name) {
		if p.Status.Phase != corev1.PodSucceeded && p.Status.Phase != corev1.PodFailed {
			for _, c := range p.Spec.Containers {
				free -= c.Resources.Requests.Cpu().MilliValue()
			}
		}
	}
	const step = 100
	cpu = free/step*step + []int64{-5 * step, -step, 0, step}[a.dice.IntN(4)]
	return cpu, []int64{64, 128, 256, 512}[a.dice.IntN(4)] << 20
}

// placed is the question of where a pod is that a copy has just been given; nil where that hangs
// on chance, or there is nothing to think about.
func (a *asking) placed(cl *sim.Cluster, pod *corev1.Pod, last uint64, ask content.Text) *livePosed {
	hint := a.say("live.place.hint")
	var decided *trace.Step
	var v *scheduler.Verdict
	for _, s := range since(cl, last) {
		if verdict, ok := s.Detail.(*scheduler.Verdict); ok && s.Object.Name == pod.Name && s.Object.Namespace == pod.Namespace && decided == nil {
			decided, v = &s, verdict
		}
	}
	if v == nil {
		if pod.Spec.NodeName != nowhere || a.schedules() {
			return nil
		}
		return poseLive(ask, a.why(func(c *call) string { return c.say("live.place.asleep") }, nil), hint, nowhere, a.unplaced(a.nodes()))
	}
	if len(v.Best) > 1 || v.Preemption != nil || v.PreFilter != nil || v.Node != pod.Spec.NodeName {
		return nil
	}
	ranked := ranking(v)
	shown := a.options(v, ranked)
	options := make([]liveOption, 0, len(shown)+1)
	plausible := len(ranked)
	for _, n := range shown {
		options = append(options, a.nodeOption(v, n))
		if !n.Feasible() && !plainlyOut(n) {
			plausible++
		}
	}
	if plausible < 2 {
		return nil
	}
	if len(ranked) < len(v.Nodes) || len(options) < 3 {
		o := liveOption{answer: nowhere, text: a.say("live.place.pending")}
		if len(ranked) > 0 {
			o.why = a.say("live.place.fits", with{"Node": ranked[0].Name})
		}
		options = append(options, o)
	}
	return poseLive(ask, a.why(func(c *call) string { return placedWhy(c, v, ranked) }, decided), hint, pod.Spec.NodeName, options)
}

// schedules says that some replica of the scheduler runs.
func (a *asking) schedules() bool { return anotherRuns(a.cl, fault{sim: sim.SchedulerDown}, "") }

func placedWhy(c *call, v *scheduler.Verdict, ranked []scheduler.NodeVerdict) string {
	switch {
	case len(ranked) == 0:
		return c.say("live.place.nowhere", with{"Message": strings.TrimSuffix(v.Message, ".")})
	case len(ranked) == 1:
		return c.say("live.place.only", with{"Node": v.Node, "Total": v.Total})
	}
	return c.say("live.place.why", with{"Node": v.Node, "Points": ranked[0].Total, "Other": ranked[1].Name, "Less": ranked[1].Total, "Fit": len(ranked), "Total": v.Total})
}

// options are the nodes to choose from: where the pod goes, those that come near, those that are refused.
func (a *asking) options(v *scheduler.Verdict, ranked []scheduler.NodeVerdict) []scheduler.NodeVerdict {
	shown := slices.Clone(ranked[:min(len(ranked), mostNodes-1)])
	var refused []scheduler.NodeVerdict
	for _, n := range v.Nodes {
		if !n.Feasible() {
			refused = append(refused, n)
		}
	}
	a.dice.Shuffle(len(refused), func(i, j int) { refused[i], refused[j] = refused[j], refused[i] })
	slices.SortStableFunc(refused, func(x, y scheduler.NodeVerdict) int { return cmp.Compare(index(plainlyOut(x)), index(plainlyOut(y))) })
	for _, n := range append(refused, ranked[len(shown):]...) {
		if len(shown) < mostNodes {
			shown = append(shown, n)
		}
	}
	return shown
}

// plainlyOut says that a node's refusal can be seen at a glance: it is closed, or lost.
func plainlyOut(n scheduler.NodeVerdict) bool {
	return slices.ContainsFunc(n.Taints, func(t scheduler.Taint) bool {
		return t.Key == taintCordoned || t.Key == taintUnreachable || t.Key == taintNotReady
	})
}

// nodeOption is a node among the options, with what the scheduler found against it.
func (a *asking) nodeOption(v *scheduler.Verdict, n scheduler.NodeVerdict) liveOption {
	o := liveOption{answer: n.Name, text: a.say("live.place.node", with{"Node": n.Name})}
	if n.Feasible() {
		o.why = a.say("live.place.less", with{"Node": n.Name, "Less": n.Total, "Best": v.Node, "Points": bestTotal(v)})
		return o
	}
	o.why = a.in(func(c *call) string {
		reasons := c.obstacles(n)
		if len(reasons) == 0 {
			reasons = n.Reasons
		}
		return clipped(c.say("live.place.refused", with{"Node": n.Name, "Reasons": strings.Join(reasons, "; ")}), mostWhyOption)
	})
	return o
}

func bestTotal(v *scheduler.Verdict) int64 {
	for _, n := range v.Nodes {
		if n.Name == v.Node {
			return n.Total
		}
	}
	return 0
}

func (a *asking) nodes() (names []string) { return nodeNames(a.c, a.cl) }

// unplaced are the options where nobody places pods.
func (a *asking) unplaced(nodes []string) (options []liveOption) {
	for _, n := range nodes[:min(len(nodes), mostNodes)] {
		options = append(options, liveOption{answer: n, text: a.say("live.place.node", with{"Node": n}), why: a.say("live.place.nobody"), is: a.is("kubelet-decides")})
	}
	return append(options, liveOption{answer: nowhere, text: a.say("live.place.pending")})
}

// scaledAfter is when the pods of a Deployment that is scaled are counted.
const scaledAfter = time.Minute

// scale asks how many pods of a Deployment will have a node once it wants more than there is room for.
func (a *asking) scale() (*livePosed, error) {
	tries := 0
	for _, d := range a.deployments() {
		if !asksForSome(d.Spec.Template.Spec.Containers) || tries == scaleTries {
			continue
		}
		tries++
		if p, err := a.scaleOf(d); p != nil || err != nil {
			return p, err
		}
	}
	return nil, nil
}

// asksForSome says that containers request something: else there is room for any number of them.
func asksForSome(containers []corev1.Container) bool {
	return slices.ContainsFunc(containers, func(c corev1.Container) bool { return len(c.Resources.Requests) > 0 })
}

func (a *asking) scaleOf(d *appsv1.Deployment) (*livePosed, error) {
	more := int32(2 + a.dice.IntN(9))
	cl, err := a.fork()
	if err != nil {
		return nil, err
	}
	last := cl.Trace().Last()
	if oneMore(cl, d, more) != nil {
		return nil, nil
	}
	if err := a.run(cl, scaledAfter); err != nil {
		return nil, err
	}
	n, pods := int(wanted(d)), podsOf(cl, d)
	placed := countPlaced(pods)
	var refused *trace.Step
	var message string
	for _, s := range since(cl, last) {
		if v, ok := s.Detail.(*scheduler.Verdict); ok && s.Kind == trace.Unplaced && v.Preemption == nil && v.PreFilter == nil && strings.HasPrefix(s.Object.Name, d.Name+"-") {
			refused, message = &s, strings.TrimSuffix(v.Message, ".")
		}
	}
	to := n + int(more)
	if refused == nil || len(pods) != to || placed >= to || placed == 0 || placed < n {
		return nil, nil
	}
	data := with{"Name": podName(d), "From": n, "To": to, "Placed": placed, "Message": message}
	p := poseLiveNumber(
		a.in(func(c *call) string {
			return c.say("live.scale.ask", with{"Name": podName(d), "From": n, "To": to, "Span": c.span(scaledAfter)})
		}),
		a.why(func(c *call) string { return c.say("live.scale.why", data) }, refused), a.say("live.scale.hint"), a.say("live.pods"), placed,
		map[int]liveOption{to: {why: a.say("live.scale.all", data), is: a.is("created-means-running")}, n: {why: a.say("live.scale.none", data)}, 0: {why: a.say("live.scale.none", data)}})
	if p != nil {
		p.object, p.count, p.after = d.Namespace+"/"+d.Name, to, scaledAfter
	}
	return p, nil
}

func countPlaced(pods []*corev1.Pod) (n int) {
	for _, p := range pods {
		if p.Spec.NodeName != nowhere {
			n++
		}
	}
	return n
}

// preempt asks which pod has to leave for one of a priority.
func (a *asking) preempt() (*livePosed, error) {
	var classes []*schedulingv1.PriorityClass
	for pc := range apiserver.List[*schedulingv1.PriorityClass](a.cl.Client(), "") {
		if pc.Value > 0 && !strings.HasPrefix(pc.Name, "system-") && (pc.PreemptionPolicy == nil || *pc.PreemptionPolicy != corev1.PreemptNever) {
			classes = append(classes, pc)
		}
	}
	for range preemptTries * min(1, len(classes)) {
		if p, err := a.preemptFor(classes[a.dice.IntN(len(classes))]); p != nil || err != nil {
			return p, err
		}
	}
	return nil, nil
}

func (a *asking) preemptFor(class *schedulingv1.PriorityClass) (*livePosed, error) {
	cpu, memory := a.nearly()
	cpu += []int64{100, 300, 600, 1000}[a.dice.IntN(4)]
	if cpu <= 0 {
		return nil, nil
	}
	pod := a.newPod(cpu, memory)
	pod.Spec.PriorityClassName = class.Name
	cl, err := a.fork()
	if err != nil {
		return nil, err
	}
	last := cl.Trace().Last()
	if _, err := cl.Client().Create(pod); err != nil {
		return nil, nil
	}
	if err := a.run(cl, placedAfter); err != nil {
		return nil, err
	}
	var step *trace.Step
	var made *scheduler.Preemption
	for _, s := range since(cl, last) {
		if v, ok := s.Detail.(*scheduler.Verdict); ok && v.Preemption != nil && s.Object.Name == pod.Name && step == nil {
			step, made = &s, v.Preemption
		}
	}
	if made == nil || len(made.Victims) != 1 {
		return nil, nil
	}
	victim := made.Victims[0]
	if tied(a.cl, made) {
		return nil, nil // what is drawn upon then is nobody's to know
	}
	gone := leftIn(a.cl, cl)
	if len(gone) != 1 || gone[0] != victim.String() {
		return nil, nil // its replacement makes somebody leave in turn, or somebody leaves anyway
	}
	options := a.victims(cl, victim, class.Value, made.Node)
	ask := a.say("live.preempt.ask", with{"Class": class.Name, "CPU": amount("cpu", cpu), "Memory": amount("memory", memory)})
	why := a.why(func(c *call) string {
		return c.say("live.preempt.why", with{"Victim": shortPod(victim.String()), "Node": made.Node})
	}, step)
	p := poseLive(ask, why, a.say("live.preempt.hint"), victim.String(), options)
	if p != nil {
		p.pod = pod
	}
	return p, nil
}

// tied says that another node would have lost as little: as many pods, as important.
func tied(cl *sim.Cluster, made *scheduler.Preemption) bool {
	type price struct {
		violations, victims int
		highest, sum        int64
	}
	of := func(c scheduler.Candidate) price {
		p := price{violations: c.PDBViolations, victims: len(c.Victims), highest: math.MinInt64}
		for _, v := range c.Victims {
			if pod, ok := apiserver.Get[*corev1.Pod](cl.Client(), v.Namespace, v.Name); ok {
				p.highest, p.sum = max(p.highest, int64(priorityOf(pod))), p.sum+int64(priorityOf(pod))
			}
		}
		return p
	}
	return slices.ContainsFunc(made.Candidates, func(c scheduler.Candidate) bool { return c.Node != made.Node && of(c) == of(made.Candidate) })
}

// leftIn are the pods with a node that a copy has no more, or is deleting, and that the cluster still keeps.
func leftIn(before, after *sim.Cluster) (gone []string) {
	for p := range apiserver.List[*corev1.Pod](before.Client(), "") {
		if p.DeletionTimestamp != nil || p.Spec.NodeName == nowhere {
			continue
		}
		now, ok := apiserver.Get[*corev1.Pod](after.Client(), p.Namespace, p.Name)
		if !ok || now.UID != p.UID || now.DeletionTimestamp != nil {
			gone = append(gone, p.Namespace+"/"+p.Name)
		}
	}
	return gone
}

// victims are the pods to choose from: who leaves, and others that stay.
func (a *asking) victims(after *sim.Cluster, victim scheduler.PodRef, priority int32, node string) []liveOption {
	options := []liveOption{{answer: victim.String(), text: a.say("live.preempt.pod", with{"Pod": shortPod(victim.String())})}}
	var others []*corev1.Pod
	for p := range apiserver.List[*corev1.Pod](a.cl.Client(), "") {
		now, ok := apiserver.Get[*corev1.Pod](after.Client(), p.Namespace, p.Name)
		if p.DeletionTimestamp == nil && p.Spec.NodeName != "" && ok && now.UID == p.UID && now.DeletionTimestamp == nil {
			others = append(others, p)
		}
	}
	a.dice.Shuffle(len(others), func(i, j int) { others[i], others[j] = others[j], others[i] })
	// Those on the same node are the most plausible, then those that could be evicted.
	slices.SortStableFunc(others, func(x, y *corev1.Pod) int {
		return cmp.Or(cmp.Compare(index(x.Spec.NodeName != node), index(y.Spec.NodeName != node)), cmp.Compare(index(priorityOf(x) >= priority), index(priorityOf(y) >= priority)))
	})
	for _, p := range others[:min(3, len(others))] {
		name := p.Namespace + "/" + p.Name
		data := with{"Pod": shortPod(name), "Victim": shortPod(victim.String()), "Node": node, "Priority": priorityOf(p)}
		why := a.say("live.preempt.stays", data)
		if priorityOf(p) >= priority {
			why = a.say("live.preempt.higher", data)
		}
		options = append(options, liveOption{answer: name, text: a.say("live.preempt.pod", with{"Pod": shortPod(name)}), why: why})
	}
	return options
}

func priorityOf(p *corev1.Pod) int32 {
	if p.Spec.Priority == nil {
		return 0
	}
	return *p.Spec.Priority
}

// shortPod is a pod's name as it is typed.
func shortPod(name string) string { return strings.TrimPrefix(name, metav1.NamespaceDefault+"/") }
