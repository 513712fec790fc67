// Package sim is one simulated Kubernetes cluster: the control plane and the
// kubelets, on a virtual clock. It is a value that only moves when told to
// (AdvanceTo): it starts no goroutine, reads no clock, and uses no randomness
// but its own seeded generator, so that the same state and the same input give
// the same bytes. It knows no chat, no language and no file.
package sim

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/watch"

	"timonier/sim/agenda"
	"timonier/sim/apiserver"
	"timonier/sim/controller"
	"timonier/sim/etcd"
	"timonier/sim/kubelet"
	"timonier/sim/scheduler"
	"timonier/sim/trace"
)

// Config is what a cluster is made of. The zero value is three nodes of 4 CPU
// and 8 GiB on 1 January 2026.
type Config struct {
	Nodes  []kubelet.NodeSpec // nil: node-1, node-2, node-3
	Seed   uint64
	Start  time.Time
	Images kubelet.Images
	Hollow bool // the nodes have no container runtime: see kubelet.Env
	// NodeMonitor is how the node controller looks after the nodes; the zero value is the real one's defaults.
	NodeMonitor controller.NodeMonitor
	Limits      apiserver.Limits
	// Members is how many etcds the cluster has: 1, 3 or 5; 0: 3.
	Members int
	// Tasks bounds the work of one AdvanceTo; 0: 2,000,000.
	Tasks int
}

// ErrTooMuch is returned when a cluster had more to do than one call may cost. It
// stands at the moment it reached, and can go on from there.
var ErrTooMuch = errors.New("too much to do at once")

// component is one program of the cluster: it watches, and it works when a task of its queue is due.
type component interface {
	Observe(apiserver.Event)
	Sync(key string) error
	Resync() // after a restart: look at everything again
}

// Cluster is a simulated cluster. It is not safe for concurrent use.
type Cluster struct {
	cfg    Config
	agenda *agenda.Agenda
	trace  *trace.Recorder
	store  *etcd.Store
	server *apiserver.Server
	source *rand.PCG
	rand   *rand.Rand

	scheduler  *scheduler.Scheduler
	kubelets   map[string]*kubelet.Kubelet
	components map[string]*slot
	watchers   map[string][]*slot // by the plural name of the resource, in a fixed order
	faults     []Fault            // in the order in which they came

	compactTo int64 // the revision that the next compaction reaches
	leaseless bool  // scheduler and controller manager have lost their leases, as etcd takes no renewal
	saved     savedMarks
}

// The names under which the cluster's own chores are in the agenda.
const (
	choreComponent = "etcd"
	choreExpire    = "expire"
	choreCompact   = "compact"
	choreTrim      = "trim"
	choreService   = "service"
	// serviceEvery is how soon the API server makes its own Service again: it looks every ten seconds
	// (pkg/controlplane/controller/kubernetesservice), and here rather soon.
	serviceEvery = time.Second
	// compactEvery is how often the real API server has etcd compacted.
	compactEvery = 5 * time.Minute
	// mostHistory is how many revisions a cluster has behind it at the most, of about 1 kB each: a class that
	// keeps its cluster busy for five minutes on end would have tens of thousands. Half of them go at a time.
	mostHistory = 4000
	// mostUsed is how many bytes all versions take before what is history of them goes, however little that is:
	// half of what an API server takes by default.
	mostUsed = 16 << 20
)

// New makes a cluster that has been up for a while: its nodes are Ready, nothing runs, and its trace is empty.
func New(cfg Config) (*Cluster, error) {
	cfg = cfg.withDefaults()
	c := &Cluster{cfg: cfg, store: etcd.New(), agenda: agenda.New(cfg.Start.Add(-settle)), source: rand.NewPCG(cfg.Seed, 0x74696d6f6e696572)}
	if n := cfg.Members; n != 1 && n != 3 && n != 5 {
		return nil, fmt.Errorf("etcd cannot have %d members: 1, 3 or 5", n)
	}
	c.store.Form(cfg.Members, cfg.Seed)
	if err := c.assemble(nil, nil); err != nil {
		return nil, err
	}
	if err := c.bootstrap(); err != nil {
		return nil, fmt.Errorf("bootstrap cluster: %w", err)
	}
	if err := c.AdvanceTo(cfg.Start); err != nil {
		return nil, err
	}
	c.trace.Load(nil, 0)
	// The names of what comes do not hang on how much the bootstrap wrote.
	*c.source = *rand.NewPCG(cfg.Seed, 0x6c6563746f7572)
	// What came before is long compacted, as in any cluster that has been up for a while.
	if c.compactTo = c.store.Rev(); c.compactTo > c.store.CompactRev() {
		if err := c.store.Compact(c.compactTo); err != nil {
			return nil, fmt.Errorf("compact: %w", err)
		}
	}
	return c, nil
}

// settle is how long before its start a cluster is really begun.
const settle = time.Minute

func (cfg Config) withDefaults() Config {
	if cfg.Nodes == nil { // an empty list is a cluster without nodes
		for i := range 3 {
			cfg.Nodes = append(cfg.Nodes, kubelet.NodeSpec{Name: fmt.Sprintf("node-%d", i+1), Index: i + 1})
		}
	}
	if cfg.Start.IsZero() {
		cfg.Start = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	}
	cfg.Start = cfg.Start.UTC().Truncate(time.Millisecond)
	if cfg.Members == 0 {
		cfg.Members = 3
	}
	if cfg.Tasks == 0 {
		cfg.Tasks = 2_000_000
	}
	return cfg
}

// assemble puts the components around the store and the agenda: what they remember and what is due, in a cluster that
// was saved.
func (c *Cluster) assemble(states map[string]json.RawMessage, due *agenda.State) error {
	c.rand = rand.New(c.source)
	c.trace = &trace.Recorder{Codec: stepCodec()}
	c.agenda.Cause = c.trace.Cause
	c.kubelets, c.components, c.watchers = map[string]*kubelet.Kubelet{}, map[string]*slot{}, map[string][]*slot{}
	var metrics apiserver.Metrics
	if !c.cfg.Hollow { // where nothing runs there is nothing to measure, and no metrics server
		metrics = meter{c}
	}
	server, err := apiserver.New(apiserver.Config{
		Store: c.store, Trace: c.trace, Now: c.agenda.Now, Rand: c.rand, Limits: c.cfg.Limits,
		Live: c.live, Logs: c.logs, Wait: c.Until, Metrics: metrics,
	})
	if err != nil {
		return err
	}
	c.server = server
	c.addScheduler()
	c.addControllers()
	c.addAnnotator()
	c.addElection()
	for node := range apiserver.List[*corev1.Node](c.Client(), "") {
		c.addKubelet(node.Name)
	}
	server.Observe(c.observe)
	c.resume(due)
	return c.loadComponents(states)
}

func (c *Cluster) addScheduler() {
	const name = schedulerName
	c.add(&slot{name: name, program: name, make: func() component {
		c.scheduler = scheduler.New(scheduler.Env{
			Client: c.server.Client(apiserver.User{Name: "system:kube-scheduler", Groups: []string{"system:authenticated"}, Agent: name}),
			Queue:  c.agenda.Queue(name), Trace: c.trace, Rand: c.rand,
		})
		c.scheduler.Detail = true // what "why there?" is answered from
		return c.scheduler
	}}, []string{"*"})
}

func (c *Cluster) addControllers() {
	for _, row := range controller.All() {
		program := controllerManagerName
		if row.Apart {
			program = ""
		}
		c.add(&slot{name: row.Name, program: program, apart: row.Apart, make: func() component {
			return row.New(controller.Env{
				Client: c.server.Client(apiserver.User{Name: row.User, Groups: []string{"system:authenticated", "system:serviceaccounts"}, Agent: row.Name}),
				Queue:  c.agenda.Queue(row.Name), Trace: c.trace, Rand: c.rand, Nodes: c.cfg.NodeMonitor,
			})
		}}, row.Resources)
	}
}

func (c *Cluster) add(s *slot, resources []string) {
	s.component = s.make()
	c.components[s.name] = s
	for _, r := range resources {
		c.watchers[r] = append(c.watchers[r], s)
	}
}

// addKubelet gives a node its kubelet: whoever makes a Node in this cluster brings a machine with it.
func (c *Cluster) addKubelet(node string) *kubelet.Kubelet {
	name := "kubelet/" + node
	k := kubelet.New(kubelet.Env{
		Node:   node,
		Client: c.server.Client(apiserver.User{Name: "system:node:" + node, Groups: []string{"system:nodes", "system:authenticated"}, Agent: name}),
		Queue:  c.agenda.Queue(name), Trace: c.trace, Rand: c.rand, Images: c.cfg.Images, Hollow: c.cfg.Hollow,
		RegistryDown: c.registryDown, Flaws: c.imageFault,
	})
	c.kubelets[node], c.components[name] = k, &slot{name: name, component: k}
	return k
}

// observe is the watch: every change goes to those who watch its kind, and to the one kubelet that it concerns.
func (c *Cluster) observe(e apiserver.Event) {
	c.chores(e)
	switch o := e.New.(type) {
	case *corev1.Node:
		c.observeNode(e, o)
	case *corev1.Service:
		if e.Type == watch.Deleted && o.Namespace == "default" && o.Name == "kubernetes" {
			c.agenda.Queue(choreComponent).Add(choreService, serviceEvery)
		}
	case *corev1.Pod:
		if k := c.kubelets[o.Spec.NodeName]; k != nil {
			k.Observe(e)
		}
	case *corev1.ConfigMap, *corev1.Secret, *corev1.PersistentVolumeClaim:
		for _, node := range slices.Sorted(maps.Keys(c.kubelets)) { // what a pod waits for may be there now
			c.kubelets[node].Observe(e)
		}
	}
	for _, list := range [2][]*slot{c.watchers[e.Resource.Resource], c.watchers["*"]} {
		for _, x := range list {
			if !x.stopped {
				x.Observe(e)
			}
		}
	}
}

func (c *Cluster) observeNode(e apiserver.Event, node *corev1.Node) {
	switch k := c.kubelets[node.Name]; {
	case e.Type == watch.Deleted:
		name := "kubelet/" + node.Name
		delete(c.kubelets, node.Name)
		delete(c.components, name)
		c.agenda.Drop(name)
		c.forgetNodeFaults(node.Name)
	case k == nil:
		c.addKubelet(node.Name).Resync()
	default:
		k.Observe(e)
	}
}

// chores plans what the store needs by itself: leases that end, and compaction. While nothing is written nothing is planned.
func (c *Cluster) chores(e apiserver.Event) {
	q := c.agenda.Queue(choreComponent)
	c.planChores(e.Resource.TTL > 0)
	if c.store.Rev()-c.store.CompactRev() > mostHistory || c.overfull() {
		q.Add(choreTrim, 0)
	}
}

// overfull says that history takes room that is needed. What is there now may take as much: then nothing is to be
// had by compacting again and again, but for the changes since.
func (c *Cluster) overfull() bool {
	return c.store.Used() > mostUsed && c.store.Rev()-c.store.CompactRev() > 20
}

// planChores plans the next compaction, and where leases were granted the next expiry.
func (c *Cluster) planChores(granted bool) {
	q := c.agenda.Queue(choreComponent)
	if granted {
		if at, ok := c.server.NextExpiry(); ok {
			q.Add(choreExpire, at.Sub(q.Now()))
		}
	}
	q.Add(choreCompact, q.Now().Truncate(compactEvery).Add(compactEvery).Sub(q.Now()))
}

func (c *Cluster) chore(key string) error {
	if c.server.Down() {
		return nil // it is the API server that has etcd compacted, and that tells the watchers; lookAgain plans it
	}
	q := c.agenda.Queue(choreComponent)
	if c.store.Reachable() != nil {
		q.Add(key, time.Minute)
		return nil
	}
	switch key {
	case choreService:
		client := c.server.Client(serverUser())
		if _, there := apiserver.Get[*corev1.Service](client, "default", "kubernetes"); !there {
			_, err := client.Create(serverService())
			return err
		}
	case choreExpire:
		c.server.Expire()
		if at, ok := c.server.NextExpiry(); ok {
			q.Add(choreExpire, at.Sub(q.Now()))
		}
	case choreTrim:
		to := c.store.Rev() - mostHistory/2
		if c.overfull() {
			to = c.store.Rev()
		}
		if to > c.store.CompactRev() {
			return c.store.Compact(to)
		}
	case choreCompact:
		if c.compactTo > c.store.CompactRev() {
			if err := c.store.Compact(c.compactTo); err != nil {
				return err
			}
		}
		if c.compactTo = c.store.Rev(); c.compactTo > c.store.CompactRev() {
			q.Add(choreCompact, compactEvery)
		}
	}
	return nil
}

// Now is the cluster's own time.
func (c *Cluster) Now() time.Time { return c.agenda.Now() }

// Server is the cluster's API server.
func (c *Cluster) Server() *apiserver.Server { return c.server }

// Admin is whoever types commands: kubernetes-admin, who may do everything.
func Admin() apiserver.User {
	return apiserver.User{Name: "kubernetes-admin", Groups: []string{"system:masters", "system:authenticated"}, Agent: "kubectl"}
}

// Client reads the cluster's objects, and writes as its administrator.
func (c *Cluster) Client() *apiserver.Client { return c.server.Client(Admin()) }

// Trace is what happened, and why.
func (c *Cluster) Trace() *trace.Recorder { return c.trace }

// Explain is the scheduler's verdict on a pod as things stand, without any effect.
func (c *Cluster) Explain(pod *corev1.Pod) *scheduler.Verdict { return c.knowing().Explain(pod) }

// WhatIf says what would have to change for a pod to go to a node, or what would become of it under assumptions, without any
// effect. Errors: those of scheduler.WhatIf.
func (c *Cluster) WhatIf(pod *corev1.Pod, q scheduler.Question) (*scheduler.WhatIf, error) {
	return c.knowing().WhatIf(pod, q)
}

// knowing is a scheduler to ask: the cluster's, or where that is down, and sees nothing of what changes, one that has
// just been started.
func (c *Cluster) knowing() *scheduler.Scheduler {
	if !c.components[schedulerName].stopped {
		return c.scheduler
	}
	fresh := scheduler.New(scheduler.Env{Client: c.Client(), Queue: agenda.New(c.Now()).Queue(schedulerName)})
	fresh.Resync()
	return fresh
}

// AdvanceTo lets the cluster work until a moment, which becomes its time. ErrTooMuch: it got only part of the way.
func (c *Cluster) AdvanceTo(t time.Time) error {
	for range c.cfg.Tasks {
		c.tend()
		task, ok := c.agenda.Pop(t)
		if !ok {
			return nil
		}
		c.run(task)
	}
	return ErrTooMuch
}

// Next is when the cluster has something to do.
func (c *Cluster) Next() (time.Time, bool) { return c.agenda.Next() }

// NextWork is when a component has something to do: Next, but for the store's own chores, of which there is
// nothing to tell.
func (c *Cluster) NextWork() (time.Time, bool) { return c.agenda.NextBut(choreComponent) }

// Step goes on to the next moment at which there is something to do, and does it. False: there is nothing, ever.
func (c *Cluster) Step() bool {
	at, ok := c.agenda.Next()
	if !ok {
		return false
	}
	return c.AdvanceTo(at) == nil
}

// Until goes on until done holds, for the time given at most, and says whether it does.
func (c *Cluster) Until(limit time.Duration, done func() bool) bool {
	end := c.Now().Add(limit)
	for range c.cfg.Tasks {
		c.tend()
		if done() {
			return true
		}
		task, ok := c.agenda.Pop(end)
		if !ok {
			return done()
		}
		c.run(task)
	}
	return false
}

func (c *Cluster) run(t agenda.Task) {
	cause := t.Cause
	if t.Component == choreComponent { // what etcd does by the clock is because of nobody
		cause = 0
	}
	before := c.trace.Because(cause)
	defer c.trace.Because(before)
	q := c.agenda.Queue(t.Component)
	err := error(nil)
	switch x, ok := c.components[t.Component]; {
	case t.Component == choreComponent:
		err = c.chore(t.Key)
	case t.Component == membersComponent:
		c.membersChore(t.Key)
	case ok && !x.stopped:
		err = x.Sync(t.Key)
	}
	c.tellMembers()
	if err != nil {
		q.Retry(t.Key)
	} else {
		q.Forget(t.Key)
	}
}
