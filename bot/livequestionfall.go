package bot

import (
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"

	"timonier/content"
	"timonier/sim"
	"timonier/sim/apiserver"
	"timonier/sim/trace"
)

// What may fall: the pods of an update, of a drain, of a node; a member of etcd.

// rolledFor is how long an update is watched.
const rolledFor = 10 * time.Minute

// rollout asks how many pods of a Deployment are ready at the worst moment of an update.
func (a *asking) rollout() (*livePosed, error) {
	for _, d := range a.deployments() {
		n := int(wanted(d))
		rolling := d.Spec.Strategy.RollingUpdate
		if n < 2 || d.Spec.Strategy.Type != appsv1.RollingUpdateDeploymentStrategyType || rolling == nil || int(d.Status.ReadyReplicas) != n {
			continue
		}
		down, err := intstr.GetScaledValueFromIntOrPercent(rolling.MaxUnavailable, n, false)
		if err != nil {
			continue
		}
		surge, err := intstr.GetScaledValueFromIntOrPercent(rolling.MaxSurge, n, true)
		if err != nil {
			continue
		}
		if surge == 0 && down == 0 {
			down = 1 // as the controller has it: some pod has to go first
		}
		least, err := a.leastReady(d)
		if err != nil {
			return nil, err
		}
		if least != n-down {
			continue // something else is amiss, of which there would be more to say
		}
		data := with{"Name": podName(d), "Replicas": n, "Unavailable": rolling.MaxUnavailable.String(), "Surge": rolling.MaxSurge.String(), "Least": least, "Down": down}
		traps := map[int]liveOption{0: {why: a.say("live.rollout.all", data)}, n: {why: a.say("live.rollout.none", data)}}
		if up, err := intstr.GetScaledValueFromIntOrPercent(rolling.MaxUnavailable, n, true); err == nil && up != down {
			traps[n-up] = liveOption{why: a.say("live.rollout.up", data)}
		}
		p := poseLiveNumber(a.say("live.rollout.ask", data), a.why(func(c *call) string { return c.say("live.rollout.why", data) }, nil),
			a.say("live.rollout.hint"), a.say("live.pods"), least, traps)
		if p != nil {
			p.object = d.Namespace + "/" + d.Name
			return p, nil
		}
	}
	return nil, nil
}

// mostRolled is of how many pods an update is tried out: each of its moments looks at them all.
const mostRolled = 200

// leastReady is how many pods of a Deployment are ready at the worst moment of an update.
func (a *asking) leastReady(d *appsv1.Deployment) (int, error) {
	if wanted(d) > mostRolled {
		return -1, nil
	}
	cl, err := a.fork()
	if err != nil {
		return 0, err
	}
	restarted := d.DeepCopy()
	if restarted.Spec.Template.Annotations == nil {
		restarted.Spec.Template.Annotations = map[string]string{}
	}
	restarted.Spec.Template.Annotations["kubectl.kubernetes.io/restartedAt"] = cl.Now().Format(time.RFC3339)
	if _, err := cl.Client().Update(restarted); err != nil {
		return -1, nil
	}
	late, least := false, int(wanted(d))
	rev := cl.Server().Revision()
	cl.Until(rolledFor, func() bool {
		if now := cl.Server().Revision(); now == rev {
			return false // nothing was written: nothing has changed
		} else {
			rev = now
		}
		if late = a.c.late(); late {
			return true
		}
		ready := 0
		for _, p := range podsOf(cl, d) {
			if isReady(p) {
				ready++
			}
		}
		least = min(least, ready)
		now, ok := apiserver.Get[*appsv1.Deployment](cl.Client(), d.Namespace, d.Name)
		return ok && now.Status.ObservedGeneration >= now.Generation && now.Status.UpdatedReplicas == wanted(d) && now.Status.Replicas == wanted(d) && now.Status.ReadyReplicas == wanted(d)
	})
	if late {
		return 0, sim.ErrTooMuch
	}
	return least, nil
}

// evict asks how many pods a disruption budget lets go at once.
func (a *asking) evict() (*livePosed, error) {
	var budgets []*policyv1.PodDisruptionBudget
	for b := range apiserver.List[*policyv1.PodDisruptionBudget](a.cl.Client(), "") {
		if b.DeletionTimestamp == nil && b.Status.ObservedGeneration >= b.Generation && len(b.Status.DisruptedPods) == 0 {
			budgets = append(budgets, b)
		}
	}
	a.dice.Shuffle(len(budgets), func(i, j int) { budgets[i], budgets[j] = budgets[j], budgets[i] })
	for _, b := range budgets {
		cl, err := a.fork()
		if err != nil {
			return nil, err
		}
		guarded := guardedBy(cl, b)
		if len(guarded) < 2 {
			continue
		}
		gone := 0
		for _, p := range guarded {
			if cl.Client().Evict(p) != nil {
				break
			}
			gone++
		}
		n := len(guarded)
		if gone != min(n, int(b.Status.DisruptionsAllowed)) || gone != max(0, int(b.Status.CurrentHealthy-b.Status.DesiredHealthy)) {
			continue // somebody else guards one of them too, or one was on its way
		}
		data := with{"Name": podName(b), "Rule": ruleOf(b), "Pods": n, "Healthy": b.Status.CurrentHealthy, "Desired": b.Status.DesiredHealthy, "Allowed": gone}
		traps := map[int]liveOption{n: {why: a.say("live.evict.all", data)}, 0: {why: a.say("live.evict.none", data)}, 1: {why: a.say("live.evict.single", data)}}
		p := poseLiveNumber(a.say("live.evict.ask", data), a.why(func(c *call) string { return c.say("live.evict.why", data) }, nil), a.say("live.evict.hint"), a.say("live.pods"), gone, traps)
		if p != nil {
			p.object = b.Namespace + "/" + b.Name
			return p, nil
		}
	}
	return nil, nil
}

// ruleOf is what a budget asks for, as its manifest says it.
func ruleOf(b *policyv1.PodDisruptionBudget) string {
	if b.Spec.MaxUnavailable != nil {
		return "maxUnavailable: " + b.Spec.MaxUnavailable.String()
	}
	if b.Spec.MinAvailable != nil {
		return "minAvailable: " + b.Spec.MinAvailable.String()
	}
	return "minAvailable: 1"
}

// guardedBy are the ready pods that a budget is for.
func guardedBy(cl *sim.Cluster, b *policyv1.PodDisruptionBudget) (pods []*corev1.Pod) {
	selector, err := metav1.LabelSelectorAsSelector(b.Spec.Selector)
	if err != nil || selector.Empty() {
		return nil
	}
	for p := range apiserver.List[*corev1.Pod](cl.Client(), b.Namespace) {
		if selector.Matches(labels.Set(p.Labels)) && p.DeletionTimestamp == nil && isReady(p) {
			pods = append(pods, p)
		}
	}
	return pods
}

// Answers of members.
const (
	writesGoOn = "on"
	writesStop = "stop"
)

// electedAfter is how long after a member has stopped somebody tries to write.
const electedAfter = 20 * time.Second

// members asks what becomes of what is written if more members of etcd stop.
func (a *asking) members() (*livePosed, error) {
	e := a.cl.Etcd()
	var up []string
	for _, m := range e.Members {
		if m.Partitioned {
			return nil, nil
		}
		if m.Role != "stopped" {
			up = append(up, m.Name)
		}
	}
	if len(e.Members) < 3 || len(up) < 2 {
		return nil, nil // with one member there is nothing to think about
	}
	a.dice.Shuffle(len(up), func(i, j int) { up[i], up[j] = up[j], up[i] })
	stopped := slices.Sorted(slices.Values(up[:1+a.dice.IntN(len(up)-1)]))
	cl, err := a.fork()
	if err != nil {
		return nil, err
	}
	last := cl.Trace().Last()
	for _, m := range stopped {
		if err := cl.Break(sim.EtcdStopped, m); err != nil {
			return nil, nil
		}
	}
	if err := a.run(cl, electedAfter); err != nil {
		return nil, err
	}
	right := writesStop
	if writes(cl, a.word) {
		right = writesGoOn
	}
	left := len(up) - len(stopped)
	if (right == writesGoOn) != (left >= e.Needed) {
		return nil, nil
	}
	var told *trace.Step
	for _, s := range since(cl, last) {
		if s.Kind == trace.QuorumLost || s.Kind == trace.LeaderElected {
			told = &s
		}
	}
	data := with{"Members": len(e.Members), "Up": len(up), "Left": left, "Needed": e.Needed}
	ask := a.in(func(c *call) string {
		return c.say("live.etcd.ask", with{"Members": len(e.Members), "Up": len(up), "Names": c.list(codes(stopped))})
	})
	why, other := "live.etcd.whystop", a.say("live.etcd.noton", data)
	if right == writesGoOn {
		why, other = "live.etcd.whyon", a.say("live.etcd.notstop", data)
	}
	enough := "quorum-is-half"
	if left == 1 {
		enough = "last-member-serves"
	}
	p := poseLive(ask, a.why(func(c *call) string { return c.say(why, data) }, told), a.say("live.etcd.hint"), right, []liveOption{
		{answer: writesGoOn, text: a.say("live.etcd.on"), why: other, is: a.is(enough)},
		{answer: writesStop, text: a.say("live.etcd.stop"), why: other, is: a.is("silent-member-means-no-majority")},
		{answer: "dead", text: a.say("live.etcd.dead"), why: a.say("live.etcd.notdead", data), is: a.is("no-control-plane-no-apps")},
		{answer: "lost", text: a.say("live.etcd.lost"), why: a.say("live.etcd.notlost", data), is: a.is("answer-before-majority")},
	})
	if p != nil {
		p.names, p.after = stopped, electedAfter
	}
	return p, nil
}

// writes says that a cluster takes what is written.
func writes(cl *sim.Cluster, name string) bool {
	_, err := cl.Client().Create(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: metav1.NamespaceDefault}})
	return err == nil
}

// Answers of loss.
const (
	lossUnseen   = "unseen"
	lossSeen     = "seen"
	lossReplaced = "replaced"
	lossRemoved  = "removed"
)

// loss asks what is to be seen of a node that is lost, some time later.
func (a *asking) loss() (*livePosed, error) {
	type on struct {
		node string
		d    *appsv1.Deployment
		pods int
	}
	var all []on
	for _, d := range a.deployments() {
		count := map[string]int{}
		for _, p := range podsOf(a.cl, d) {
			if forEver, wait := bears(p); !forEver && wait == usualToleration && p.Spec.NodeName != "" {
				count[p.Spec.NodeName]++
			}
		}
		for _, n := range a.nodes() {
			if count[n] > 0 && nodeIsReady(a.cl, n) {
				all = append(all, on{n, d, count[n]})
			}
		}
	}
	a.dice.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for _, x := range all[:min(2, len(all))] {
		after := []time.Duration{20 * time.Second, 2 * time.Minute, 4 * time.Minute, 7 * time.Minute}[a.dice.IntN(4)]
		p, err := a.lossOf(x.node, x.d, x.pods, after)
		if p != nil || err != nil {
			return p, err
		}
	}
	return nil, nil
}

func (a *asking) lossOf(node string, d *appsv1.Deployment, pods int, after time.Duration) (*livePosed, error) {
	cl, err := a.fork()
	if err != nil {
		return nil, err
	}
	last := cl.Trace().Last()
	if cl.Break(sim.NodeSilent, node) != nil {
		return nil, nil
	}
	if err := a.run(cl, after); err != nil {
		return nil, err
	}
	watched := anotherRuns(a.cl, fault{sim: sim.ControllerManagerDown}, "")
	expected := lossUnseen
	switch {
	case watched && after > usualGrace+usualToleration:
		expected = lossReplaced
	case watched && after > usualGrace:
		expected = lossSeen
	}
	if seen := seenOf(cl, node, d, pods); seen != expected {
		return nil, nil // nobody is evicted where all nodes are lost, say: what is said below would not be so
	}
	var told *trace.Step
	for _, s := range since(cl, last) {
		if decision, ok := s.Detail.(trace.Decision); s.Kind == trace.NodeLost || ok && decision.What == "evict" {
			told = &s
		}
	}
	data := with{"Node": node, "Name": podName(d)}
	ask := a.in(func(c *call) string {
		return c.say("live.loss.ask", with{"Node": node, "Name": podName(d), "Count": pods, "Span": c.span(after)})
	})
	return a.lossPosed(ask, expected, watched, told, data, func(p *livePosed) {
		p.object, p.names, p.count, p.after = node, []string{d.Namespace + "/" + d.Name}, pods, after
	}), nil
}

func (a *asking) lossPosed(ask content.Text, right string, watched bool, told *trace.Step, data with, claim func(*livePosed)) *livePosed {
	why := map[string]string{lossUnseen: "live.loss.whyunseen", lossSeen: "live.loss.whyseen", lossReplaced: "live.loss.whyreplaced"}[right]
	if !watched {
		why = "live.loss.unwatched"
	}
	seen, replaced := a.say("live.loss.notseen", data), a.say("live.loss.notreplaced", data)
	if right == lossReplaced {
		seen = a.say("live.loss.notstill", data)
	}
	if !watched {
		seen, replaced = a.say("live.loss.unwatched", data), a.say("live.loss.unwatched", data)
	}
	p := poseLive(ask, a.why(func(c *call) string { return c.say(why, data) }, told), a.say("live.loss.hint"), right, []liveOption{
		{answer: lossUnseen, text: a.say("live.loss.unseen", data), why: a.say("live.loss.notunseen", data)},
		{answer: lossSeen, text: a.say("live.loss.seen", data), why: seen},
		{answer: lossReplaced, text: a.say("live.loss.replaced", data), why: replaced, is: a.is("node-loss-is-instant")},
		{answer: lossRemoved, text: a.say("live.loss.removed", data), why: a.say("live.loss.notremoved", data), is: a.is("pod-is-moved")},
	})
	if p != nil {
		claim(p)
	}
	return p
}

// seenOf is what is to be seen of a node that fell silent, and of the pods of a Deployment that it had; nothing where that
// is not one thing.
func seenOf(cl *sim.Cluster, node string, d *appsv1.Deployment, pods int) string {
	if _, ok := apiserver.Get[*corev1.Node](cl.Client(), "", node); !ok {
		return lossRemoved
	}
	staying, leaving := 0, 0
	for rs := range apiserver.Owned[*appsv1.ReplicaSet](cl.Client(), d.UID) {
		for p := range apiserver.Owned[*corev1.Pod](cl.Client(), rs.UID) {
			switch {
			case p.Spec.NodeName != node:
			case p.DeletionTimestamp != nil:
				leaving++
			default:
				staying++
			}
		}
	}
	ready := nodeIsReady(cl, node)
	switch {
	case ready && staying == pods && leaving == 0:
		return lossUnseen
	case !ready && staying == pods && leaving == 0:
		return lossSeen
	case !ready && staying == 0 && leaving == pods && len(podsOf(cl, d)) == int(wanted(d)):
		return lossReplaced
	}
	return ""
}

func nodeIsReady(cl *sim.Cluster, name string) bool {
	n, ok := apiserver.Get[*corev1.Node](cl.Client(), "", name)
	return ok && slices.ContainsFunc(n.Status.Conditions, func(is corev1.NodeCondition) bool {
		return is.Type == corev1.NodeReady && is.Status == corev1.ConditionTrue
	})
}
