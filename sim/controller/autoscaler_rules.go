package controller

import (
	"math"
	"slices"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"

	"timonier/sim/apiserver"
)

// autoscalerMemory is what an autoscaler remembers of the last minutes.
type autoscalerMemory struct {
	Advice []advice `json:"advice,omitempty"`
	Ups    []change `json:"ups,omitempty"`
	Downs  []change `json:"downs,omitempty"`
}

// advice is a number of replicas that the metrics asked for, before any rule.
type advice struct {
	Replicas int32     `json:"replicas"`
	At       time.Time `json:"at"`
}

// change is a change of the scale, by how many replicas.
type change struct {
	By int32     `json:"by"`
	At time.Time `json:"at"`
}

// advise notes a recommendation, in place of the last that is too old to count.
func (m *autoscalerMemory) advise(n int32, now time.Time, old func(advice) bool) {
	fresh := advice{n, now}
	for i, a := range slices.Backward(m.Advice) {
		if old(a) {
			m.Advice[i] = fresh
			return
		}
	}
	m.Advice = append(m.Advice, fresh)
}

// scaled notes a change, where there are rules that will ask for it.
func (m *autoscalerMemory) scaled(b *autoscalingv2.HorizontalPodAutoscalerBehavior, from, to int32, now time.Time) {
	if b == nil {
		return
	}
	list, rules := &m.Ups, b.ScaleUp
	if to < from {
		list, rules = &m.Downs, b.ScaleDown
	}
	longest := int32(0)
	for _, p := range rules.Policies {
		longest = max(longest, p.PeriodSeconds)
	}
	kept := slices.DeleteFunc(*list, func(r change) bool { return r.At.Before(now.Add(-time.Duration(longest) * time.Second)) })
	*list = append(kept, change{max(to-from, from-to), now})
}

// within is how many replicas a list of changes comes to in the last seconds.
func within(list []change, seconds int32, now time.Time) (n int32) {
	for _, r := range list {
		if r.At.After(now.Add(-time.Duration(seconds) * time.Second)) {
			n += r.By
		}
	}
	return n
}

// normalize brings what the metrics ask for within the bounds, where the autoscaler has no behaviour of its own: up to
// twice as many at a time, or four; down to the highest that was asked for in the last five minutes.
func (s *autoscaleSync) normalize(current, desired int32) int32 {
	m := s.memory[s.UID]
	cutoff := s.now.Add(-downscaleWindow)
	stable := desired
	for _, a := range m.Advice {
		if !a.At.Before(cutoff) {
			stable = max(stable, a.Replicas)
		}
	}
	m.advise(desired, s.now, func(a advice) bool { return a.At.Before(cutoff) })
	if stable != desired {
		s.set(autoscalingv2.AbleToScale, corev1.ConditionTrue, "ScaleDownStabilized", "recent recommendations were higher than current one, applying the highest recent recommendation")
	} else {
		s.set(autoscalingv2.AbleToScale, corev1.ConditionTrue, "ReadyForNewScale", "recommended size matches current size")
	}
	return s.limit(stable, bounded(current, stable, s.least, s.Spec.MaxReplicas))
}

// bound is a number of replicas, and what held it back.
type bound struct {
	replicas        int32
	reason, message string
}

func (s *autoscaleSync) limit(asked int32, b bound) int32 {
	status := corev1.ConditionFalse
	if b.replicas != asked {
		status = corev1.ConditionTrue
	}
	s.set(autoscalingv2.ScalingLimited, status, b.reason, "%s", b.message)
	return b.replicas
}

func freely(n int32) bound {
	return bound{n, "DesiredWithinRange", "the desired count is within the acceptable range"}
}

func tooFew(n int32) bound {
	return bound{n, "TooFewReplicas", "the desired replica count is less than the minimum replica count"}
}

func tooMany(n int32) bound {
	return bound{n, "TooManyReplicas", "the desired replica count is more than the maximum replica count"}
}

func tooFast(n int32) bound {
	return bound{n, "ScaleUpLimit", "the desired replica count is increasing faster than the maximum scale rate"}
}

// bounded is convertDesiredReplicasWithRules.
func bounded(current, desired, least, most int32) bound {
	top := tooMany(most)
	if fast := max(2*current, 4); most > fast {
		top = tooFast(fast)
	}
	switch {
	case desired < least:
		return tooFew(least)
	case desired > top.replicas:
		return top
	}
	return freely(desired)
}

// behave is normalize by the autoscaler's own behaviour: within the highest and the lowest that was asked for in its
// windows, and no faster than its policies.
func (s *autoscaleSync) behave(current, desired int32) int32 {
	up, down := apiserver.ScaleUpRules(s.Spec.Behavior.ScaleUp), apiserver.ScaleDownRules(s.Spec.Behavior.ScaleDown)
	if down.StabilizationWindowSeconds == nil {
		down.StabilizationWindowSeconds = new(int32(downscaleWindow / time.Second))
	}
	stable := s.stabilized(current, desired, *up.StabilizationWindowSeconds, *down.StabilizationWindowSeconds)
	switch {
	case stable == desired:
		s.set(autoscalingv2.AbleToScale, corev1.ConditionTrue, "ReadyForNewScale", "recommended size matches current size")
	case desired >= current:
		s.set(autoscalingv2.AbleToScale, corev1.ConditionTrue, "ScaleUpStabilized", "recent recommendations were lower than current one, applying the lowest recent recommendation")
	default:
		s.set(autoscalingv2.AbleToScale, corev1.ConditionTrue, "ScaleDownStabilized", "recent recommendations were higher than current one, applying the highest recent recommendation")
	}
	m := s.memory[s.UID]
	b := freely(stable)
	switch {
	case stable > current:
		top := tooMany(s.Spec.MaxReplicas)
		if fast := max(current, m.upTo(current, up, s.now)); s.Spec.MaxReplicas > fast {
			top = tooFast(fast)
		}
		if stable > top.replicas {
			b = top
		}
	case stable < current:
		bottom := tooFew(s.least)
		if fast := min(current, m.downTo(current, down, s.now)); s.least < fast {
			bottom = bound{fast, "ScaleDownLimit", "the desired replica count is decreasing faster than the maximum scale rate"}
		}
		if stable < bottom.replicas {
			b = bottom
		}
	}
	return s.limit(stable, b)
}

func (s *autoscaleSync) stabilized(current, desired, upSeconds, downSeconds int32) int32 {
	m := s.memory[s.UID]
	upCut, downCut := s.now.Add(-time.Duration(upSeconds)*time.Second), s.now.Add(-time.Duration(downSeconds)*time.Second)
	lowest, highest := desired, desired
	for _, a := range m.Advice {
		if a.At.After(upCut) {
			lowest = min(lowest, a.Replicas)
		}
		if a.At.After(downCut) {
			highest = max(highest, a.Replicas)
		}
	}
	m.advise(desired, s.now, func(a advice) bool { return a.At.Before(upCut) && a.At.Before(downCut) })
	return min(max(current, lowest), highest)
}

// upTo is how many replicas the policies allow now (calculateScaleUpLimitWithScalingRules).
func (m *autoscalerMemory) upTo(current int32, rules *autoscalingv2.HPAScalingRules, now time.Time) int32 {
	return m.policies(current, rules, now, +1)
}

// downTo is how few replicas the policies allow now.
func (m *autoscalerMemory) downTo(current int32, rules *autoscalingv2.HPAScalingRules, now time.Time) int32 {
	return m.policies(current, rules, now, -1)
}

func (m *autoscalerMemory) policies(current int32, rules *autoscalingv2.HPAScalingRules, now time.Time, sign int32) int32 {
	if *rules.SelectPolicy == autoscalingv2.DisabledPolicySelect {
		return current
	}
	most := (*rules.SelectPolicy == autoscalingv2.MinChangePolicySelect) != (sign > 0) // the highest of the proposals, or the lowest
	var result int32
	for i, p := range rules.Policies {
		began := current - within(m.Ups, p.PeriodSeconds, now) + within(m.Downs, p.PeriodSeconds, now)
		proposed := began + sign*p.Value
		if p.Type == autoscalingv2.PercentScalingPolicy {
			part := float64(began) * (1 + float64(sign)*float64(p.Value)/100)
			if proposed = int32(part); sign > 0 { // rounded up, or one replica would never become two
				proposed = int32(math.Ceil(part))
			}
		}
		switch {
		case i == 0:
			result = proposed
		case most:
			result = max(result, proposed)
		default:
			result = min(result, proposed)
		}
	}
	return result
}
