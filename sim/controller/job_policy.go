package controller

import (
	"fmt"
	"slices"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
)

// judgement is what a Job's podFailurePolicy says of a failed pod.
type judgement struct {
	action  batchv1.PodFailurePolicyAction // of the first rule that matches; "": none does
	counts  bool                           // towards backoffLimit
	message string                         // why the Job fails, where it does
}

// policy is the judgement on a failed pod (pkg/controller/job/pod_failure_policy.go).
func (r *jobRound) policy(pod *corev1.Pod) judgement {
	none := judgement{counts: true}
	if r.job.Spec.PodFailurePolicy == nil {
		return none
	}
	for i, rule := range r.job.Spec.PodFailurePolicy.Rules {
		what := ""
		if on := rule.OnExitCodes; on != nil {
			if s := exitMatches(&pod.Status, on); s != nil {
				what = fmt.Sprintf("Container %s for pod %s/%s failed with exit code %v", s.Name, pod.Namespace, pod.Name, s.State.Terminated.ExitCode)
			}
		} else if c := conditionMatches(&pod.Status, rule.OnPodConditions); c != nil {
			what = fmt.Sprintf("Pod %s/%s has condition %v", pod.Namespace, pod.Name, c.Type)
		}
		if what == "" {
			continue
		}
		j := judgement{action: rule.Action, counts: rule.Action != batchv1.PodFailurePolicyActionIgnore}
		if rule.Action == batchv1.PodFailurePolicyActionFailJob {
			j.message = fmt.Sprintf("%s matching %v rule at index %d", what, rule.Action, i)
		}
		return j
	}
	return none
}

// exitMatches is the first container, of those that failed, whose exit code a rule names.
func exitMatches(s *corev1.PodStatus, on *batchv1.PodFailurePolicyOnExitCodesRequirement) *corev1.ContainerStatus {
	for _, list := range [][]corev1.ContainerStatus{s.ContainerStatuses, s.InitContainerStatuses} {
		for i := range list {
			end := list[i].State.Terminated
			if end == nil || end.ExitCode == 0 || on.ContainerName != nil && *on.ContainerName != list[i].Name {
				continue
			}
			if slices.Contains(on.Values, end.ExitCode) == (on.Operator == batchv1.PodFailurePolicyOnExitCodesOpIn) {
				return &list[i]
			}
		}
	}
	return nil
}

func conditionMatches(s *corev1.PodStatus, patterns []batchv1.PodFailurePolicyOnPodConditionsPattern) *corev1.PodCondition {
	for i, c := range s.Conditions {
		for _, p := range patterns {
			if c.Type == p.Type && c.Status == p.Status {
				return &s.Conditions[i]
			}
		}
	}
	return nil
}

// failedByPolicy is why the Job fails as a whole, if a pod's failure says so.
func (r *jobRound) failedByPolicy() string {
	if r.job.Spec.PodFailurePolicy == nil {
		return ""
	}
	for _, pod := range r.pods {
		if r.podFailed(pod) {
			if why := r.policy(pod).message; why != "" {
				return why
			}
		}
	}
	return ""
}

// successPolicy says which rule of the Job's successPolicy is met, if one is (pkg/controller/job/success_policy.go).
func (r *jobRound) successPolicy() string {
	if r.job.Spec.SuccessPolicy == nil || len(r.done) == 0 {
		return ""
	}
	for i, rule := range r.job.Spec.SuccessPolicy.Rules {
		met := false
		if rule.SucceededIndexes != nil {
			required := parseIndexes(*rule.SucceededIndexes, int(*r.job.Spec.Completions))
			n := required.common(r.done)
			met = len(required) > 0 && (n == required.total() || rule.SucceededCount != nil && n >= int(*rule.SucceededCount))
		} else {
			met = rule.SucceededCount != nil && r.done.total() >= int(*rule.SucceededCount)
		}
		if met {
			return fmt.Sprintf("Matched rules at index %d", i)
		}
	}
	return ""
}

// common is how many indexes are in both.
func (x indexes) common(y indexes) (n int) {
	for i, j := 0, 0; i < len(x) && j < len(y); {
		n += max(0, min(x[i].last, y[j].last)-max(x[i].first, y[j].first)+1)
		if x[i].last < y[j].last {
			i++
		} else {
			j++
		}
	}
	return n
}
