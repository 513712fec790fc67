package bot

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"timonier/bot/quiz"
	"timonier/content"
	"timonier/sim"
	"timonier/sim/apiserver"
	"timonier/sim/kubelet"
)

// liveWorld is a cluster at random, and a call that asks about it.
type liveWorld struct {
	*rand.Rand
	t    testing.TB
	cl   *sim.Cluster
	call *call
	full map[string][]byte
}

func newLiveWorld(t testing.TB, tutor *Tutor, seed uint64) *liveWorld {
	w := &liveWorld{Rand: rand.New(rand.NewPCG(seed, 5)), t: t}
	course := tutor.taught.Load()
	var nodes []kubelet.NodeSpec
	for i := range 2 + w.IntN(5) {
		n := kubelet.NodeSpec{Name: fmt.Sprintf("node-%d", i+1), Index: i + 1, CPU: *resource.NewMilliQuantity(int64(1+w.IntN(8))*500, resource.DecimalSI),
			Memory: *resource.NewQuantity(int64(1+w.IntN(6))<<30, resource.BinarySI), Labels: map[string]string{"disk": []string{"ssd", "hdd"}[w.IntN(2)], corev1.LabelTopologyZone: fmt.Sprint("z", w.IntN(2))}}
		if w.IntN(5) == 0 {
			n.Taints = []corev1.Taint{{Key: "gpu", Value: "yes", Effect: []corev1.TaintEffect{corev1.TaintEffectNoSchedule, corev1.TaintEffectPreferNoSchedule}[w.IntN(2)]}}
		}
		nodes = append(nodes, n)
	}
	cl, err := sim.New(sim.Config{Seed: seed, Nodes: nodes, Members: []int{1, 3, 3, 5}[w.IntN(4)], Images: course.Images})
	if err != nil {
		t.Fatal(err)
	}
	w.cl = cl
	w.populate()
	w.pass(time.Duration(w.IntN(90)) * time.Second)
	for range w.IntN(3) {
		w.breakSomething()
		w.pass(time.Duration(w.IntN(w.IntN(500)+1)) * time.Second)
	}
	records, err := recordsOf(cl)
	if err != nil {
		t.Fatal(err)
	}
	w.full = sim.Untraced(records)
	place := Place{Platform: "test", Channel: "live"}
	w.call = &call{words: tutor.words["fr"], ctx: context.Background(), tutor: tutor, content: course, now: cl.Now(), learner: &learner{shelf: &shelf{}}, used: true,
		channel: &channel{shelf: &shelf{scope: place.Scope()}, simulated: simulated{cluster: cl, fresh: true}}}
	if w.IntN(2) == 0 {
		w.call.channel.settings.Lens = course.Lenses[w.IntN(len(course.Lenses))].ID
	}
	return w
}

func recordsOf(cl *sim.Cluster) (map[string][]byte, error) {
	records := map[string][]byte{}
	changes, err := cl.Changes()
	for _, r := range changes {
		if r.Value != nil {
			records[r.Key] = r.Value
		}
	}
	return records, err
}

func (w *liveWorld) pass(by time.Duration) {
	if err := w.cl.AdvanceTo(w.cl.Now().Add(by)); err != nil {
		w.t.Fatal(err)
	}
}

// create makes an object, where the cluster takes it.
func (w *liveWorld) create(o apiserver.Object) { _, _ = w.cl.Client().Create(o) }

func (w *liveWorld) populate() {
	for i, v := range []int32{1000, 100000}[:w.IntN(3)] {
		w.create(&schedulingv1.PriorityClass{ObjectMeta: metav1.ObjectMeta{Name: []string{"moyenne", "haute"}[i]}, Value: v})
	}
	images := []string{"nginx", "redis", "httpd"}
	for i := range w.IntN(5) {
		app := []string{"web", "db", "cache", "api", "file"}[i]
		n := int32(1 + w.IntN(7))
		d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: app, Namespace: "default"}, Spec: appsv1.DeploymentSpec{
			Replicas: &n, Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": app}},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": app}}, Spec: corev1.PodSpec{
				Containers: []corev1.Container{{Name: "c", Image: images[w.IntN(len(images))], Resources: w.requests()}}}}}}
		if w.IntN(2) == 0 {
			some := []intstr.IntOrString{intstr.FromString("25%"), intstr.FromString("50%"), intstr.FromInt32(1), intstr.FromInt32(2), intstr.FromInt32(0)}
			down, up := some[w.IntN(5)], some[w.IntN(4)]
			d.Spec.Strategy = appsv1.DeploymentStrategy{Type: appsv1.RollingUpdateDeploymentStrategyType, RollingUpdate: &appsv1.RollingUpdateDeployment{MaxUnavailable: &down, MaxSurge: &up}}
		}
		if w.IntN(4) == 0 {
			d.Spec.Template.Spec.NodeSelector = map[string]string{"disk": "ssd"}
		}
		if w.IntN(4) == 0 {
			d.Spec.Template.Spec.Tolerations = []corev1.Toleration{{Key: "gpu", Operator: corev1.TolerationOpExists}}
		}
		if w.IntN(4) == 0 {
			when := []corev1.UnsatisfiableConstraintAction{corev1.DoNotSchedule, corev1.ScheduleAnyway}[w.IntN(2)]
			d.Spec.Template.Spec.TopologySpreadConstraints = []corev1.TopologySpreadConstraint{{MaxSkew: 1, TopologyKey: corev1.LabelHostname, WhenUnsatisfiable: when, LabelSelector: d.Spec.Selector}}
		}
		if w.IntN(4) == 0 {
			d.Spec.Template.Spec.PriorityClassName = []string{"moyenne", "haute"}[w.IntN(2)]
		}
		w.create(d)
		if w.IntN(2) == 0 {
			b := &policyv1.PodDisruptionBudget{ObjectMeta: metav1.ObjectMeta{Name: app, Namespace: "default"}, Spec: policyv1.PodDisruptionBudgetSpec{Selector: d.Spec.Selector}}
			amount := []intstr.IntOrString{intstr.FromInt32(int32(w.IntN(3))), intstr.FromString("50%")}[w.IntN(2)]
			if w.IntN(2) == 0 {
				b.Spec.MinAvailable = &amount
			} else {
				b.Spec.MaxUnavailable = &amount
			}
			w.create(b)
		}
		if w.IntN(2) == 0 {
			w.pass(time.Duration(w.IntN(20)) * time.Second)
		}
	}
}

func (w *liveWorld) requests() corev1.ResourceRequirements {
	if w.IntN(6) == 0 {
		return corev1.ResourceRequirements{}
	}
	return corev1.ResourceRequirements{Requests: corev1.ResourceList{
		corev1.ResourceCPU:    *resource.NewMilliQuantity(int64(1+w.IntN(8))*100, resource.DecimalSI),
		corev1.ResourceMemory: *resource.NewQuantity(int64(1+w.IntN(4))*64<<20, resource.BinarySI)}}
}

func (w *liveWorld) breakSomething() {
	kinds := []string{sim.NodeSilent, sim.NodeOff, sim.KubeletDown, sim.NodeSlow, sim.NodeDiskFull, sim.SchedulerDown, sim.ControllerManagerDown, sim.EtcdStopped, sim.EtcdPartitioned, sim.ImageCrash, sim.APIServerDown}
	kind := kinds[w.IntN(len(kinds)-w.IntN(2))]
	if targets := w.cl.Targets(kind); len(targets) > 0 {
		_ = w.cl.Break(kind, targets[w.IntN(len(targets))])
	}
	for n := range apiserver.List[*corev1.Node](w.cl.Client(), "") {
		if w.IntN(6) == 0 {
			n = n.DeepCopy()
			n.Spec.Unschedulable = !n.Spec.Unschedulable
			_, _ = w.cl.Client().Update(n)
			break
		}
	}
}

// another is a copy of the cluster.
func (w *liveWorld) another() *sim.Cluster {
	cl, err := w.call.openCluster(w.full)
	if err != nil {
		w.t.Fatal(err)
	}
	return cl
}

// TestLiveQuestionsAreTrue makes questions of clusters at random, and holds each against a run of
// its own: no line of it is the question's.
func TestLiveQuestionsAreTrue(t *testing.T) {
	wanted := 10_000
	if testing.Short() || raced() {
		wanted = 300
	}
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	tutor := New(Config{Store: newMemory()})
	defer tutor.Close()
	var mu sync.Mutex
	made, silent := map[string]int{}, 0
	const parts = 4
	t.Run("clusters", func(t *testing.T) {
		for part := range uint64(parts) {
			t.Run(fmt.Sprint(part), func(t *testing.T) {
				t.Parallel()
				total := 0
				for seed := part << 32; total < wanted/parts; seed++ {
					for _, p := range newLiveWorld(t, tutor, seed).questions(seed) {
						mu.Lock()
						if p == nil {
							silent++
						} else {
							made[p.sort]++
							total++
						}
						mu.Unlock()
					}
				}
			})
		}
	})
	t.Logf("%v; %d times there was none", made, silent)
	for _, s := range liveSorts() {
		if made[s.name] < wanted/200 {
			t.Errorf("%d of the sort %s: the test tries too little", made[s.name], s.name)
		}
	}
}

// questions are those of a cluster, each checked; nil where there is none of a sort.
func (w *liveWorld) questions(seed uint64) (all []*livePosed) {
	a, err := w.call.asks(w.cl, 0)
	if err != nil {
		w.t.Fatal(err)
	}
	for i := range uint64(24) {
		sorts := liveSorts()
		p, err := a.with(seed<<8 | i).of(sorts[i%uint64(len(sorts))])
		if err != nil {
			w.t.Fatalf("seed %d: %v", seed, err)
		}
		if all = append(all, p); p == nil {
			continue
		}
		if w.check(p); w.t.Failed() {
			w.t.Fatalf("seed %d, question %d, %s: %+v", seed, i, p.sort, p.item)
		}
	}
	return all
}

func raced() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.ContainsFunc(info.Settings, func(s debug.BuildSetting) bool { return s.Key == "-race" && s.Value == "true" })
}

// check holds a question's form against what a chat can show, and its answer against a run.
func (w *liveWorld) check(p *livePosed) {
	i := p.item
	for _, l := range content.Langs() {
		text := func(what string, t content.Text, most int) {
			s := t.In(l)
			if n := utf8.RuneCountInString(s); n > most || strings.TrimSpace(s) == "" && what != "own why" || strings.Contains(s, "<no value>") || strings.HasPrefix(s, "live.") {
				w.t.Errorf("%s in %s: %q", what, l, s)
			}
		}
		text("ask", i.Ask, 400)
		text("why", i.Why, 400)
		text("hint", i.Hint, 200)
		seen := map[string]bool{}
		for _, o := range i.Options {
			text("option", o.Text, 100)
			if !o.Right {
				text("option's why", o.Why, 300)
			}
			if seen[o.Text.In(l)] {
				w.t.Errorf("option %q twice", o.Text.In(l))
			}
			seen[o.Text.In(l)] = true
		}
		for _, trap := range i.Traps {
			text("trap's why", trap.Why, 300)
		}
	}
	got := w.run(p)
	if i.Kind == content.Number {
		if want := strconv.Itoa(int(i.Number)); got != want {
			w.t.Errorf("the run says %q, the question %q", got, want)
		}
		for _, trap := range i.Traps {
			if *trap.Number == i.Number {
				w.t.Error("the right number is a trap")
			}
		}
		return
	}
	right := 0
	for j, o := range i.Options {
		if o.Right {
			right++
		}
		if o.Right != (p.answers[j] == got) {
			w.t.Errorf("the run says %q; option %q (%s) is right: %v", got, o.Text.FR, p.answers[j], o.Right)
		}
	}
	if right != 1 || len(i.Options) < 3 || len(i.Options) > 5 {
		w.t.Errorf("%d of %d options are right", right, len(i.Options))
	}
	q := quiz.Put(i, 7)
	for j, o := range i.Options {
		if v := quiz.Grade(i, quiz.Answer{Picks: []int{j}}); v.Right != o.Right {
			w.t.Errorf("option %d of %+v is graded %v", j, q, v.Right)
		}
	}
}

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

// The beliefs that live questions look for are the course's.
func TestLiveQuestionsNameBeliefs(t *testing.T) {
	course := content.Default()
	for _, id := range []string{"kubelet-decides", "created-means-running", "quorum-is-half", "last-member-serves", "silent-member-means-no-majority", "no-control-plane-no-apps",
		"answer-before-majority", "node-loss-is-instant", "pod-is-moved", "controller-places-pods", "scheduler-starts-pods", "scheduler-creates-pods"} {
		if _, ok := course.Misconception(id); !ok {
			t.Errorf("the course has no %s", id)
		}
	}
	for _, s := range liveSorts() {
		if _, ok := course.Lesson(s.lesson); !ok {
			t.Errorf("%s: no lesson %s", s.name, s.lesson)
		}
		if _, ok := course.Objective(s.objective); !ok {
			t.Errorf("%s: no objective %s", s.name, s.objective)
		}
	}
}

// inChannel has a call of the stage's own channel do something.
func (s *stage) inChannel(f func(*call)) {
	s.t.Helper()
	err := s.tutor.asNobody(context.Background(), s.request("").Place().Scope(), false, func(c *call) error {
		f(c)
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// The same cluster and seed make the same question, also after a restart; another seed makes another, and nothing of
// the cluster is changed.
func TestLiveQuestionOfAChannel(t *testing.T) {
	s := newStage(t, "fr")
	s.must("/kubectl create deployment web --image=nginx --replicas=4", "/temps avance 1m", "/temps pause")
	asks := map[string]bool{}
	ask := func(seed uint64) (asked string) {
		s.inChannel(func(c *call) {
			cl, err := c.cluster()
			if err != nil {
				t.Fatal(err)
			}
			rev, step := cl.Server().Revision(), cl.Trace().Last()
			item, ok, err := c.liveQuestion(seed)
			if err != nil || !ok {
				t.Fatalf("seed %d: %v %v", seed, ok, err)
			}
			if cl.Server().Revision() != rev || cl.Trace().Last() != step {
				t.Error("the question has changed the cluster")
			}
			data, err := json.Marshal(item)
			if err != nil {
				t.Fatal(err)
			}
			asked = string(data)
		})
		return asked
	}
	for seed := range uint64(12) {
		first := ask(seed)
		asks[first] = true
		if seed == 5 {
			s.tutor.Close()
			s.tutor = s.newTutor()
		}
		if again := ask(seed); again != first {
			t.Errorf("seed %d:\n%s\nand then\n%s", seed, first, again)
		}
	}
	if len(asks) < 6 {
		t.Errorf("%d different questions of 12", len(asks))
	}
}

// Where the cluster gives no question, it is said what to do about it.
func TestNoLiveQuestion(t *testing.T) {
	s := newStage(t, "fr")
	s.ask("/remise confirme 1")
	s.must("/panne api")
	s.inChannel(func(c *call) {
		if _, ok, err := c.liveQuestion(1); ok || err != nil {
			t.Errorf("without an API server: %v %v", ok, err)
		}
		if got := plainText(c.noLiveQuestion()); !strings.Contains(got, "/répare tout") || !strings.Contains(got, "ne répond pas") {
			t.Error(got)
		}
	})
	s.must("/répare tout")
	s.must("/temps avance 1m")
	s.inChannel(func(c *call) {
		if _, err := c.cluster(); err != nil {
			t.Fatal(err)
		}
		if got := plainText(c.noLiveQuestion()); !strings.Contains(got, "/kubectl create deployment web") {
			t.Error(got)
		}
	})
}
