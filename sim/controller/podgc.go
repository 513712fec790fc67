package controller

import (
	"cmp"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"timonier/sim/apiserver"
	"timonier/sim/trace"
)

const (
	podGCController = "pod-garbage-collector"
	podGCPeriod     = 20 * time.Second // between two looks
	podGCQuarantine = 40 * time.Second // from the look that misses a node to the end of its pods
	podGCThreshold  = 12_500           // pods that are over and may stay (--terminated-pod-gc-threshold)
)

// podGC deletes what no kubelet will ever delete: the pods of nodes that are not there any more, or that are
// out of service, and of those that are over all but the latest 12,500 (pkg/controller/podgc).
//
// Its keys: look (the periodic look, while there is something to see), node/NAME (a quarantine is over).
type podGC struct{ Env }

func newPodGC(env Env) Component { return &podGC{env} }

func (c *podGC) Observe(e apiserver.Event) {
	switch o := subject(e).(type) {
	case *corev1.Node:
		if e.Type == watch.Deleted || outOfService(o) {
			c.lookSoon()
		}
	case *corev1.Pod:
		if podTerminal(o) && e.Type == watch.Modified && !podTerminal(e.Old.(*corev1.Pod)) && apiserver.Count[*corev1.Pod](c.Client) > podGCThreshold {
			c.lookSoon()
		}
		if e.Type == watch.Modified {
			old := e.Old.(*corev1.Pod)
			if old.Spec.NodeName == o.Spec.NodeName && (old.DeletionTimestamp == nil) == (o.DeletionTimestamp == nil) {
				return
			}
		}
		if e.Type != watch.Deleted && c.stray(o) {
			c.lookSoon()
		}
	}
}

// stray says whether a pod has no kubelet that would end it.
func (c *podGC) stray(pod *corev1.Pod) bool {
	if pod.Spec.NodeName == "" {
		return pod.DeletionTimestamp != nil
	}
	node, ok := apiserver.Get[*corev1.Node](c.Client, "", pod.Spec.NodeName)
	return !ok || pod.DeletionTimestamp != nil && outOfService(node)
}

func outOfService(node *corev1.Node) bool {
	if nodeReady(node) == corev1.ConditionTrue {
		return false
	}
	for _, t := range node.Spec.Taints {
		if t.Key == corev1.TaintNodeOutOfService {
			return true
		}
	}
	return false
}

func (c *podGC) lookSoon() {
	now := c.Queue.Now()
	c.Queue.Add("look", now.Truncate(podGCPeriod).Add(podGCPeriod).Sub(now))
}

func (c *podGC) Resync() { c.lookSoon() }

func (c *podGC) Sync(key string) error {
	if name, ok := strings.CutPrefix(key, "node/"); ok {
		return c.collect(name)
	}
	failed := c.thin(podGCThreshold)
	for pod := range apiserver.List[*corev1.Pod](c.Client, "") {
		if !c.stray(pod) {
			continue
		}
		if pod.Spec.NodeName != "" {
			if _, ok := apiserver.Get[*corev1.Node](c.Client, "", pod.Spec.NodeName); !ok {
				c.Queue.Add("node/"+pod.Spec.NodeName, podGCQuarantine)
				continue
			}
		}
		if err := c.end(pod, nil); err != nil {
			failed = err
		}
	}
	return failed
}

// thin deletes pods that are over, but for as many as may stay: those first that were evicted, then the oldest.
func (c *podGC) thin(most int) (failed error) {
	if apiserver.Count[*corev1.Pod](c.Client) <= most {
		return nil
	}
	var over []*corev1.Pod
	for pod := range apiserver.List[*corev1.Pod](c.Client, "") {
		if podTerminal(pod) {
			over = append(over, pod)
		}
	}
	evicted := func(p *corev1.Pod) int { return map[bool]int{true: 0, false: 1}[p.Status.Reason == "Evicted"] }
	slices.SortFunc(over, func(a, b *corev1.Pod) int {
		return cmp.Or(evicted(a)-evicted(b), a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Name, b.Name))
	})
	for _, pod := range over[:max(0, len(over)-most)] {
		if err := c.end(pod, nil); err != nil {
			failed = err
		}
	}
	return failed
}

// collect ends the pods of a node that is still missing after its quarantine.
func (c *podGC) collect(node string) error {
	if _, ok := apiserver.Get[*corev1.Node](c.Client, "", node); ok {
		return nil
	}
	var pods []*corev1.Pod
	for pod := range apiserver.PodsOn(c.Client, node) {
		pods = append(pods, pod)
	}
	if len(pods) == 0 {
		return nil
	}
	d := trace.Decision{What: CollectPods, Actual: int64(len(pods)), Count: int64(len(pods))}
	return c.decided(podGCController, trace.Ref{Kind: "Node", Name: node}, d, func() (failed error) {
		for _, pod := range pods {
			err := c.end(pod, &corev1.PodCondition{
				Type: corev1.DisruptionTarget, ObservedGeneration: pod.Generation, Status: corev1.ConditionTrue,
				Reason: "DeletionByPodGC", Message: "PodGC: node no longer exists",
			})
			if err != nil {
				failed = err
			}
		}
		return failed
	})
}

// end makes a pod fail, and deletes it without grace.
func (c *podGC) end(pod *corev1.Pod, why *corev1.PodCondition) error {
	if !podTerminal(pod) {
		failed := pod.DeepCopy()
		failed.Status.Phase = corev1.PodFailed
		failed.Status.ObservedGeneration = pod.Generation
		if why != nil {
			setPodCondition(&failed.Status, *why, c.now())
		}
		if _, err := c.Client.UpdateStatus(failed); err != nil {
			return gone(err)
		}
	}
	return gone(c.Client.Delete(pod, *metav1.NewDeleteOptions(0)))
}
