package scheduler

import (
	"maps"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	v1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	resourcehelper "k8s.io/component-helpers/resource"
)

// Snapshot is what the scheduler knows of a cluster: nodes with their pods, and the
// other objects that have a say. It is fed object by object, and each costs no
// more than itself; nothing is ever added up over the whole cluster for one pod.
//
// What comes out of it depends on the objects in it alone, not on the order in which they came.
type Snapshot struct {
	nodes  []*nodeInfo // that exist, in the order in which they are looked at: see arrange
	byName map[string]*nodeInfo
	stale  bool // nodes must be arranged anew

	placed    map[types.UID]placement
	nominated map[string][]*podInfo // by node: pods for which room was made there

	namespaces  map[string]labels.Set
	services    map[string]map[string]*v1.Service // by namespace and name
	controllers map[controllerKey]labels.Selector // of pods, that spread by default
	budgets     map[string]*policyv1.PodDisruptionBudget
	storage     storage

	images       map[string]int64 // on how many nodes
	affinityPods int              // placed, with terms about other pods
	antiPods     int              // placed, with required anti-affinity

	topologies map[string]*topology
	counters   []*counter
	clock      int // of the counters' use
}

// clone is a copy on which pods may be placed and unplaced and nodes replaced. The other objects are shared.
func (s *Snapshot) clone() *Snapshot {
	c := *s
	c.stale, c.nodes, c.counters, c.topologies = true, nil, nil, map[string]*topology{}
	c.byName = make(map[string]*nodeInfo, len(s.byName))
	for name, n := range s.byName {
		m := n.clone()
		m.pos = -1
		c.byName[name] = m
	}
	c.placed = make(map[types.UID]placement, len(s.placed))
	for uid, at := range s.placed {
		c.placed[uid] = placement{at.info, c.byName[at.node.name]}
	}
	c.images = maps.Clone(s.images)
	return &c
}

type placement struct {
	info *podInfo
	node *nodeInfo
}

type controllerKey struct{ kind, namespace, name string }

// NewSnapshot is a snapshot of a cluster with these objects: Nodes, Pods that are
// placed, Namespaces, Services, ReplicaSets, StatefulSets, ReplicationControllers
// and PodDisruptionBudgets. Objects of other kinds have no say and are ignored.
func NewSnapshot(objects ...runtime.Object) *Snapshot {
	s := &Snapshot{
		byName: map[string]*nodeInfo{}, placed: map[types.UID]placement{}, nominated: map[string][]*podInfo{},
		namespaces: map[string]labels.Set{}, services: map[string]map[string]*v1.Service{},
		controllers: map[controllerKey]labels.Selector{}, budgets: map[string]*policyv1.PodDisruptionBudget{},
		images: map[string]int64{}, topologies: map[string]*topology{}, storage: newStorage(),
	}
	for _, o := range objects {
		s.Put(o)
	}
	return s
}

// Put adds an object, or replaces it. Of pods only those that are placed and not finished are kept.
func (s *Snapshot) Put(o runtime.Object) {
	switch o := o.(type) {
	case *v1.Node:
		s.putNode(o)
	case *v1.Pod:
		s.putPod(o)
	case *v1.Namespace:
		s.namespaces[o.Name] = o.Labels
	case *v1.Service:
		if s.services[o.Namespace] == nil {
			s.services[o.Namespace] = map[string]*v1.Service{}
		}
		s.services[o.Namespace][o.Name] = o
	case *appsv1.ReplicaSet:
		s.controllers[controllerKey{"ReplicaSet", o.Namespace, o.Name}] = selectorOf(o.Spec.Selector)
	case *appsv1.StatefulSet:
		s.controllers[controllerKey{"StatefulSet", o.Namespace, o.Name}] = selectorOf(o.Spec.Selector)
	case *v1.ReplicationController:
		s.controllers[controllerKey{"ReplicationController", o.Namespace, o.Name}] = labels.SelectorFromSet(o.Spec.Selector)
	case *policyv1.PodDisruptionBudget:
		s.budgets[o.Namespace+"/"+o.Name] = o
	default:
		s.storage.put(o)
	}
}

func (s *Snapshot) putPod(pod *v1.Pod) {
	stays := pod.Spec.NodeName != "" && !finished(pod)
	if at, ok := s.placed[pod.UID]; ok {
		if stays && at.node.name == pod.Spec.NodeName && alike(at.info.pod, pod) {
			at.info.pod = pod
			return
		}
		s.unplace(pod.UID)
	}
	if stays {
		s.place(newPodInfo(pod), pod.Spec.NodeName)
	}
}

// alike says that a pod has changed in nothing that the scheduler reckons with.
func alike(a, b *v1.Pod) bool {
	return a.Generation == b.Generation && a.Generation > 0 && (a.DeletionTimestamp == nil) == (b.DeletionTimestamp == nil) &&
		plainStatus(a) && plainStatus(b) && !resourcehelper.IsPodResizeInfeasible(a) && !resourcehelper.IsPodResizeInfeasible(b) &&
		maps.Equal(a.Labels, b.Labels)
}

// Remove takes an object out. It need not be there.
func (s *Snapshot) Remove(o runtime.Object) {
	switch o := o.(type) {
	case *v1.Node:
		s.removeNode(o.Name)
	case *v1.Pod:
		s.unplace(o.UID)
	case *v1.Namespace:
		delete(s.namespaces, o.Name)
	case *v1.Service:
		delete(s.services[o.Namespace], o.Name)
	case *appsv1.ReplicaSet:
		delete(s.controllers, controllerKey{"ReplicaSet", o.Namespace, o.Name})
	case *appsv1.StatefulSet:
		delete(s.controllers, controllerKey{"StatefulSet", o.Namespace, o.Name})
	case *v1.ReplicationController:
		delete(s.controllers, controllerKey{"ReplicationController", o.Namespace, o.Name})
	case *policyv1.PodDisruptionBudget:
		delete(s.budgets, o.Namespace+"/"+o.Name)
	default:
		s.storage.remove(o)
	}
}

// place puts a pod on a node; the node may be unknown so far.
func (s *Snapshot) place(p *podInfo, node string) {
	n := s.byName[node]
	if n == nil {
		n = &nodeInfo{name: node, pos: -1}
		s.byName[node] = n
	}
	n.add(p)
	s.placed[p.pod.UID] = placement{p, n}
	s.tally(p, n, 1)
}

// unplace takes a pod off its node.
func (s *Snapshot) unplace(uid types.UID) {
	at, ok := s.placed[uid]
	if !ok {
		return
	}
	delete(s.placed, uid)
	at.node.remove(at.info)
	s.tally(at.info, at.node, -1)
	if at.node.node == nil && len(at.node.pods) == 0 {
		delete(s.byName, at.node.name)
	}
}

func (s *Snapshot) tally(p *podInfo, n *nodeInfo, sign int) {
	if p.hasAffinity {
		s.affinityPods += sign
	}
	if len(p.antiAffinity) > 0 {
		s.antiPods += sign
	}
	s.recount(p, n, int32(sign))
}

func (s *Snapshot) putNode(node *v1.Node) {
	n := s.byName[node.Name]
	if n == nil {
		n = &nodeInfo{name: node.Name, pos: -1}
		s.byName[node.Name] = n
	}
	if n.node == nil || zoneOf(n.node) != zoneOf(node) {
		s.stale = true
	}
	if n.node != nil && !maps.Equal(n.node.Labels, node.Labels) {
		clear(s.topologies)
	}
	s.countImages(n, -1)
	n.set(node)
	s.countImages(n, 1)
}

func (s *Snapshot) removeNode(name string) {
	n := s.byName[name]
	if n == nil || n.node == nil {
		return
	}
	s.countImages(n, -1)
	n.node, n.images, s.stale = nil, nil, true
	if len(n.pods) == 0 {
		delete(s.byName, name)
	}
}

func (s *Snapshot) countImages(n *nodeInfo, sign int64) {
	for name := range n.images {
		if s.images[name] += sign; s.images[name] == 0 {
			delete(s.images, name)
		}
	}
}

// arrange orders the nodes: one of each zone in turn, by name, as the real
// scheduler does so that the nodes looked at first are spread over the zones
// (Kubernetes 1.37 pkg/scheduler/backend/cache/node_tree.go; there zones and nodes
// are in the order in which they appeared).
func (s *Snapshot) arrange() {
	if !s.stale {
		return
	}
	s.stale = false
	zones := map[string][]*nodeInfo{}
	for _, name := range slices.Sorted(maps.Keys(s.byName)) {
		if n := s.byName[name]; n.node != nil {
			zone := zoneOf(n.node)
			zones[zone] = append(zones[zone], n)
		} else {
			n.pos = -1
		}
	}
	names := slices.Sorted(maps.Keys(zones))
	s.nodes = s.nodes[:0]
	for i, more := 0, true; more; i++ {
		more = false
		for _, zone := range names {
			if list := zones[zone]; i < len(list) {
				list[i].pos = len(s.nodes)
				s.nodes = append(s.nodes, list[i])
				more = true
			}
		}
	}
	clear(s.topologies)
	s.counters = nil
}

func zoneOf(node *v1.Node) string {
	return node.Labels[v1.LabelTopologyRegion] + "\x00" + node.Labels[v1.LabelTopologyZone]
}

// node is a node that exists; nil: it does not.
func (s *Snapshot) node(name string) *nodeInfo {
	if n := s.byName[name]; n != nil && n.node != nil {
		return n
	}
	return nil
}

// controllerOf is the selector of the controller that owns the pod, if it is one that spreads its pods.
func (s *Snapshot) controllerOf(pod *v1.Pod) (labels.Selector, bool) {
	for i := range pod.OwnerReferences {
		o := &pod.OwnerReferences[i]
		if o.Controller == nil || !*o.Controller {
			continue
		}
		group, _, _ := strings.Cut(o.APIVersion, "/")
		if group != "apps" && o.Kind != "ReplicationController" {
			return nil, false
		}
		selector, ok := s.controllers[controllerKey{o.Kind, pod.Namespace, o.Name}]
		return selector, ok
	}
	return nil, false
}
