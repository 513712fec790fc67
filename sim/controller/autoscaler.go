package controller

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/utils/ptr"

	"timonier/sim/apiserver"
	"timonier/sim/trace"
)

const (
	autoscalerController = "horizontal-pod-autoscaler"
	// autoscalePeriod is how often an autoscaler looks (--horizontal-pod-autoscaler-sync-period).
	autoscalePeriod = 15 * time.Second
	// downscaleWindow is for how long a higher recommendation holds (--horizontal-pod-autoscaler-downscale-stabilization).
	downscaleWindow = 5 * time.Minute
)

type hpa = autoscalingv2.HorizontalPodAutoscaler

// autoscalers give workloads as many replicas as their load asks for (pkg/controller/podautoscaler). They look every
// 15 seconds, and write only what has changed. What they recommended and did in the last minutes they remember.
type autoscalers struct {
	Env
	memory map[types.UID]*autoscalerMemory
}

func newAutoscalers(env Env) Component {
	return &autoscalers{Env: env, memory: map[types.UID]*autoscalerMemory{}}
}

// Save keeps what no object says.
func (c *autoscalers) Save() any { return c.memory }

// Load puts it back.
func (c *autoscalers) Load(data json.RawMessage) error { return json.Unmarshal(data, &c.memory) }

func (c *autoscalers) Observe(e apiserver.Event) {
	a, ok := subject(e).(*hpa)
	switch {
	case !ok:
	case e.Type == watch.Deleted:
		delete(c.memory, a.UID)
		c.Queue.Cancel(keyOf(a))
	case e.Type == watch.Added || e.Old.GetGeneration() != a.Generation:
		c.soon(keyOf(a))
	default:
		c.Queue.Add(keyOf(a), autoscalePeriod)
	}
}

func (c *autoscalers) Resync() {
	c.memory = map[types.UID]*autoscalerMemory{}
	for a := range apiserver.List[*hpa](c.Client, "") {
		c.soon(keyOf(a))
	}
}

func (c *autoscalers) Sync(key string) error {
	stored, ok := apiserver.Get[*hpa](c.Client, first(splitKey(key)), second(splitKey(key)))
	if !ok {
		return nil
	}
	s := &autoscaleSync{autoscalers: c, hpa: stored.DeepCopy(), was: stored, now: c.Queue.Now()}
	s.do()
	c.Queue.Add(key, autoscalePeriod) // whatever came of it
	return nil
}

// autoscaleSync is one look of one autoscaler.
type autoscaleSync struct {
	*autoscalers
	*hpa     // a copy
	was      *hpa
	now      time.Time
	scale    *autoscalingv1.Scale
	selector labels.Selector
	least    int32
}

func (s *autoscaleSync) emit(eventType, reason, format string, args ...any) {
	s.Client.Emit(s.hpa, eventType, reason, fmt.Sprintf(format, args...))
}

// set keeps a condition, and its moment where the status stays.
func (s *autoscaleSync) set(t autoscalingv2.HorizontalPodAutoscalerConditionType, status corev1.ConditionStatus, reason, format string, args ...any) {
	all := &s.hpa.Status.Conditions
	at := -1
	for i := range *all {
		if (*all)[i].Type == t {
			at = i
		}
	}
	if at < 0 {
		at = len(*all)
		*all = append(*all, autoscalingv2.HorizontalPodAutoscalerCondition{Type: t})
	}
	c := &(*all)[at]
	if c.Status != status {
		c.LastTransitionTime = s.autoscalers.now()
	}
	c.Status, c.Reason, c.Message = status, reason, fmt.Sprintf(format, args...)
}

func (s *autoscaleSync) target() (schema.GroupKind, error) {
	gv, err := schema.ParseGroupVersion(s.Spec.ScaleTargetRef.APIVersion)
	return gv.WithKind(s.Spec.ScaleTargetRef.Kind).GroupKind(), err
}

// find is the target's scale; false: there is none, and the status says so.
func (s *autoscaleSync) find() bool {
	gk, err := s.target()
	if err == nil {
		_, s.scale, err = s.Client.Scale(gk, s.Namespace, s.Spec.ScaleTargetRef.Name)
	}
	if err != nil {
		s.emit(corev1.EventTypeWarning, "FailedGetScale", "%s", err.Error())
		s.set(autoscalingv2.AbleToScale, corev1.ConditionFalse, "FailedGetScale", "the HPA controller was unable to get the target's current scale: %v", err)
		return false
	}
	s.set(autoscalingv2.AbleToScale, corev1.ConditionTrue, "SucceededGetScale", "the HPA controller was able to get the target's current scale")
	return true
}

func (s *autoscaleSync) do() {
	if !s.find() {
		s.save()
		return
	}
	current := s.scale.Spec.Replicas
	if s.memory[s.UID] == nil {
		s.memory[s.UID] = &autoscalerMemory{Advice: []advice{{current, s.now}}}
	}
	s.least = ptr.Deref(s.Spec.MinReplicas, 1)
	var statuses []autoscalingv2.MetricStatus
	desired, reason, rescale := int32(0), "", true
	switch {
	case current == 0 && !s.scaledToZero():
		rescale = false
		s.set(autoscalingv2.ScalingActive, corev1.ConditionFalse, "ScalingDisabled", "scaling is disabled since the replica count of the target is zero")
	case current > s.Spec.MaxReplicas:
		desired, reason = s.Spec.MaxReplicas, "Current number of replicas above Spec.MaxReplicas"
	case current != 0 && current < s.least:
		desired, reason = s.least, "Current number of replicas below Spec.MinReplicas"
	default:
		var metric string
		var err error
		desired, metric, statuses, err = s.byMetrics()
		if err != nil && desired < 0 {
			s.conclude(current, s.hpa.Status.DesiredReplicas, statuses, false)
			s.emit(corev1.EventTypeWarning, "FailedComputeMetricsReplicas", "%s", err.Error())
			return
		}
		switch {
		case desired > current:
			reason = metric + " above target"
		case desired < current:
			reason = "All metrics below target"
		}
		if s.Spec.Behavior == nil {
			desired = s.normalize(current, desired)
		} else {
			desired = s.behave(current, desired)
		}
		rescale = desired != current
	}
	if !rescale {
		s.conclude(current, current, statuses, false)
		return
	}
	if err := s.rescale(current, desired, reason); err != nil {
		s.emit(corev1.EventTypeWarning, "FailedRescale", "New size: %d; reason: %s; error: %v", desired, reason, err.Error())
		s.set(autoscalingv2.AbleToScale, corev1.ConditionFalse, "FailedUpdateScale", "the HPA controller was unable to update the target scale: %v", err)
		s.conclude(current, s.hpa.Status.DesiredReplicas, statuses, false)
		return
	}
	s.set(autoscalingv2.AbleToScale, corev1.ConditionTrue, "SucceededRescale", "the HPA controller was able to update the target scale to %d", desired)
	s.emit(corev1.EventTypeNormal, "SuccessfulRescale", "New size: %d; reason: %s", desired, reason)
	s.memory[s.UID].scaled(s.Spec.Behavior, current, desired, s.now)
	if current > 0 && desired == 0 && s.least == 0 {
		s.set(autoscalingv2.ScaledToZero, corev1.ConditionTrue, "ScaledToZero", "the HPA controller scaled the workload to zero")
	} else {
		s.set(autoscalingv2.ScaledToZero, corev1.ConditionFalse, "NotScaledToZero", "the HPA controller did not scale the workload to zero")
	}
	s.conclude(current, desired, statuses, true)
}

// scaledToZero says whether it was this autoscaler that left the target without replicas.
func (s *autoscaleSync) scaledToZero() bool {
	for _, c := range s.hpa.Status.Conditions {
		if c.Type == autoscalingv2.ScaledToZero {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

func (s *autoscaleSync) rescale(current, desired int32, why string) error {
	gk, err := s.target()
	if err != nil {
		return err
	}
	d := trace.Decision{What: ScaleUp, Desired: int64(desired), Actual: int64(current), Count: int64(desired - current), Note: why,
		Target: trace.Ref{Kind: gk.Kind, Namespace: s.Namespace, Name: s.Spec.ScaleTargetRef.Name, UID: s.scale.UID}}
	if desired < current {
		d.What, d.Count = ScaleDown, int64(current-desired)
	}
	return s.decided(autoscalerController, refTo("HorizontalPodAutoscaler", s.hpa), d, func() error {
		return s.Client.SetScale(gk, s.Namespace, s.Spec.ScaleTargetRef.Name, desired)
	})
}

// conclude writes the status, where it is another.
func (s *autoscaleSync) conclude(current, desired int32, metrics []autoscalingv2.MetricStatus, rescaled bool) {
	status := &s.hpa.Status
	status.CurrentReplicas, status.DesiredReplicas, status.CurrentMetrics = current, desired, metrics
	status.ObservedGeneration = new(s.Generation)
	if rescaled {
		status.LastScaleTime = new(s.autoscalers.now())
	}
	s.save()
}

func (s *autoscaleSync) save() {
	if equality.Semantic.DeepEqual(s.was.Status, s.hpa.Status) {
		return
	}
	fresh := s.was.DeepCopy()
	fresh.Status = s.hpa.Status
	if _, err := s.Client.UpdateStatus(fresh); err != nil {
		s.emit(corev1.EventTypeWarning, "FailedUpdateStatus", "%s", err.Error())
	}
}

// byMetrics is what the metrics ask for: the most that any of them does. −1 with an error: they cannot be told, or
// those that can would have fewer replicas.
func (s *autoscaleSync) byMetrics() (desired int32, metric string, statuses []autoscalingv2.MetricStatus, err error) {
	if err := s.findPods(); err != nil {
		return -1, "", nil, err
	}
	statuses = make([]autoscalingv2.MetricStatus, len(s.Spec.Metrics))
	var bad []failedMetric
	for i := range s.Spec.Metrics {
		p, failed := s.propose(&s.Spec.Metrics[i])
		if failed != nil {
			bad = append(bad, *failed)
			continue
		}
		statuses[i] = p.status
		if desired == 0 || p.replicas > desired {
			desired, metric = p.replicas, p.name
		}
	}
	if len(bad) > 0 {
		err = fmt.Errorf("invalid metrics (%v invalid out of %v), first error is: %w", len(bad), len(s.Spec.Metrics), bad[0].err)
	}
	if len(bad) == len(s.Spec.Metrics) || len(bad) > 0 && desired < s.scale.Spec.Replicas {
		s.set(autoscalingv2.ScalingActive, corev1.ConditionFalse, bad[0].reason, "%s", bad[0].message)
		return -1, "", statuses, err
	}
	s.set(autoscalingv2.ScalingActive, corev1.ConditionTrue, "ValidMetricFound", "the HPA was able to successfully calculate a replica count from %s", metric)
	return desired, metric, statuses, err
}

// findPods finds the selector of the target's pods, which must be nobody else's.
func (s *autoscaleSync) findPods() error {
	refuse := func(event, reason, said, condition string) error {
		s.emit(corev1.EventTypeWarning, event, "%s", said)
		s.set(autoscalingv2.ScalingActive, corev1.ConditionFalse, reason, "%s", condition)
		return errors.New(said)
	}
	text := s.scale.Status.Selector
	if text == "" {
		return refuse("SelectorRequired", "InvalidSelector", "selector is required", "the HPA target's scale is missing a selector")
	}
	selector, err := labels.Parse(text)
	if err != nil {
		said := fmt.Sprintf("couldn't convert selector into a corresponding internal selector object: %v", err)
		return refuse("InvalidSelector", "InvalidSelector", said, said)
	}
	s.selector = selector
	if rivals := s.rivals(); len(rivals) > 1 {
		said := fmt.Sprintf("pods by selector %v are controlled by more than one HPA (e.g. %v)", text, rivals)
		return refuse("AmbiguousSelector", "AmbiguousSelector", said, said)
	}
	return nil
}

// rival is an autoscaler as the real one shows its keys.
type rival struct{ Name, Namespace string }

// rivals are up to two autoscalers whose targets' selectors match the same pods, this one among them.
func (s *autoscaleSync) rivals() (all []rival) {
	for other := range apiserver.List[*hpa](s.Client, s.Namespace) {
		selector := s.selector
		if other.UID != s.UID {
			gv, err := schema.ParseGroupVersion(other.Spec.ScaleTargetRef.APIVersion)
			if err != nil {
				continue
			}
			_, scale, err := s.Client.Scale(gv.WithKind(other.Spec.ScaleTargetRef.Kind).GroupKind(), s.Namespace, other.Spec.ScaleTargetRef.Name)
			if err != nil {
				continue
			}
			if selector, err = labels.Parse(scale.Status.Selector); err != nil || selector.Empty() {
				continue
			}
		}
		for pod := range apiserver.List[*corev1.Pod](s.Client, s.Namespace) {
			if l := labels.Set(pod.Labels); s.selector.Matches(l) && selector.Matches(l) {
				all = append(all, rival{other.Name, other.Namespace})
				break
			}
		}
		if len(all) == 2 {
			return all
		}
	}
	return all
}
