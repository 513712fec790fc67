package bot

import (
	"slices"
	"strconv"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"timonier/sim"
	"timonier/sim/apiserver"
)

// run does on a copy what the question asks about, and says what became of it.
func (w *liveWorld) run(p *livePosed) string {
	cl := w.another()
	wait := func(by time.Duration) {
		if err := cl.AdvanceTo(cl.Now().Add(by)); err != nil {
			w.t.Fatal(err)
		}
	}
	_, name, _ := strings.Cut(p.object, "/")
	switch p.sort {
	case "place":
		before := podSet(cl)
		if p.pod != nil {
			w.made(cl, p.pod)
		} else {
			w.scaled(cl, name, p.count)
		}
		wait(2 * time.Second)
		for key, pod := range podSet(cl) { // controllers may make others meanwhile
			if before[key] == nil && (p.pod != nil && pod.Name == p.pod.Name || p.pod == nil && pod.Labels["app"] == name) {
				return pod.Spec.NodeName
			}
		}
		return "no pod"
	case "scale":
		w.scaled(cl, name, p.count)
		for range 6 {
			wait(p.after / 6)
		}
		n := 0
		for _, pod := range podSet(cl) {
			if pod.Labels["app"] == name && pod.Spec.NodeName != "" && pod.DeletionTimestamp == nil {
				n++
			}
		}
		return strconv.Itoa(n)
	case "preempt":
		w.made(cl, p.pod)
		wait(2 * time.Second)
		without := w.another() // where others leave for reasons of their own
		if err := without.AdvanceTo(cl.Now()); err != nil {
			w.t.Fatal(err)
		}
		after := podSet(cl)
		var gone []string
		for key, pod := range podSet(without) {
			if now := after[key]; pod.DeletionTimestamp == nil && pod.Spec.NodeName != "" && (now == nil || now.DeletionTimestamp != nil) {
				gone = append(gone, pod.Namespace+"/"+pod.Name)
			}
		}
		return strings.Join(gone, " ")
	case "rollout":
		return strconv.Itoa(w.worst(cl, name))
	case "evict":
		n := 0
		pods := slices.Collect(apiserver.List[*corev1.Pod](cl.Client(), "default"))
		slices.Reverse(pods)
		for _, pod := range pods {
			if pod.Labels["app"] == name && isReady(pod) && pod.DeletionTimestamp == nil && cl.Client().Evict(pod) == nil {
				n++
			}
		}
		return strconv.Itoa(n)
	case "next":
		return w.nextIn(cl, name, p)
	case "etcd":
		for _, m := range slices.Backward(p.names) {
			if err := cl.Break(sim.EtcdStopped, m); err != nil {
				w.t.Fatal(err)
			}
		}
		wait(p.after + 10*time.Second)
		running := runningPods(cl)
		if _, err := cl.Client().Create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "encore"}}); err == nil {
			return writesGoOn
		}
		wait(5 * time.Second)
		if now := runningPods(cl); now < running {
			return "dead"
		}
		return writesStop
	case "loss":
		if err := cl.Break(sim.NodeSilent, p.object); err != nil {
			w.t.Fatal(err)
		}
		wait(p.after)
		_, app, _ := strings.Cut(p.names[0], "/")
		return lossIn(cl, p.object, app)
	}
	w.t.Fatalf("no run for %s", p.sort)
	return ""
}

func podSet(cl *sim.Cluster) map[string]*corev1.Pod {
	all := map[string]*corev1.Pod{}
	for p := range apiserver.List[*corev1.Pod](cl.Client(), "") {
		all[string(p.UID)] = p
	}
	return all
}

func runningPods(cl *sim.Cluster) (n int) {
	for _, p := range podSet(cl) {
		if p.Status.Phase == corev1.PodRunning {
			n++
		}
	}
	return n
}

func (w *liveWorld) made(cl *sim.Cluster, pod *corev1.Pod) {
	if _, err := cl.Client().Create(pod); err != nil {
		w.t.Fatal(err)
	}
}

func (w *liveWorld) scaled(cl *sim.Cluster, name string, n int) {
	d, _ := apiserver.Get[*appsv1.Deployment](cl.Client(), "default", name)
	d = d.DeepCopy()
	replicas := int32(n)
	d.Spec.Replicas = &replicas
	if _, err := cl.Client().Update(d); err != nil {
		w.t.Fatal(err)
	}
}

// worst is how few pods of a Deployment are ready at some moment of its restart.
func (w *liveWorld) worst(cl *sim.Cluster, name string) int {
	d, _ := apiserver.Get[*appsv1.Deployment](cl.Client(), "default", name)
	d = d.DeepCopy()
	d.Spec.Template.Labels["restarted"] = "yes"
	if _, err := cl.Client().Update(d); err != nil {
		w.t.Fatal(err)
	}
	least := 1 << 20
	for end := cl.Now().Add(10 * time.Minute); cl.Now().Before(end) && cl.Step(); {
		n, fresh := 0, 0
		for pod := range apiserver.List[*corev1.Pod](cl.Client(), "default") {
			if pod.Labels["app"] == name && isReady(pod) && pod.DeletionTimestamp == nil {
				if n++; pod.Labels["restarted"] == "yes" {
					fresh++
				}
			}
		}
		if least = min(least, n); fresh == int(*d.Spec.Replicas) {
			break
		}
	}
	return least
}

// nextIn waits for a stage to be reached, and says who brings about what is to come after it.
func (w *liveWorld) nextIn(cl *sim.Cluster, name string, p *livePosed) string {
	before := podSet(cl)
	sets := func() (n int32) {
		for rs := range apiserver.List[*appsv1.ReplicaSet](cl.Client(), "default") {
			if rs.Labels["app"] == name {
				n += *rs.Spec.Replicas
			}
		}
		return n
	}
	fresh := func() *corev1.Pod {
		for key, pod := range podSet(cl) {
			if before[key] == nil && pod.Labels["app"] == name {
				return pod
			}
		}
		return nil
	}
	was := sets()
	d, _ := apiserver.Get[*appsv1.Deployment](cl.Client(), "default", name)
	w.scaled(cl, name, int(*d.Spec.Replicas)+1)
	came := []func() bool{
		func() bool { return sets() > was },
		func() bool { return fresh() != nil },
		func() bool {
			pod := fresh()
			return pod != nil && (pod.Spec.NodeName != "" || slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool { return c.Type == corev1.PodScheduled }))
		},
		func() bool { pod := fresh(); return pod != nil && pod.Status.StartTime != nil },
	}
	for i, actor := range []string{deploymentController, replicaSetController, schedulerActor, kubeletActor} {
		if !cl.Until(p.after, came[i]) {
			if i != p.count-1 {
				return "the stage is not reached"
			}
			return nobodyActs
		}
		if i == p.count-1 {
			return actor
		}
	}
	return ""
}

// lossIn is what a person sees of a node and of the pods of an app there.
func lossIn(cl *sim.Cluster, node, app string) string {
	n, ok := apiserver.Get[*corev1.Node](cl.Client(), "", node)
	if !ok {
		return lossRemoved
	}
	ready := false
	for _, c := range n.Status.Conditions {
		ready = ready || c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue
	}
	leaving, staying, elsewhere := 0, 0, 0
	for pod := range apiserver.List[*corev1.Pod](cl.Client(), "default") {
		switch {
		case pod.Labels["app"] != app:
		case pod.Spec.NodeName != node:
			elsewhere++
		case pod.DeletionTimestamp != nil:
			leaving++
		default:
			staying++
		}
	}
	switch {
	case ready && leaving == 0:
		return lossUnseen
	case leaving == 0:
		return lossSeen
	case staying == 0 && elsewhere >= leaving:
		return lossReplaced
	}
	return "something in between"
}
