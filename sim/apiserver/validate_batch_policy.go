package apiserver

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// The policies of Jobs: which failures count, and what is success enough
// (Kubernetes 1.37 pkg/apis/batch/validation).

func (f *findings) podFailurePolicy(at *field.Path, spec *batchv1.JobSpec) {
	rules := spec.PodFailurePolicy.Rules
	at = at.Child("rules")
	if len(rules) > mostPolicyRules {
		f.add(field.TooMany(at, len(rules), mostPolicyRules))
	}
	for i := range rules {
		f.podFailureRule(at.Index(i), spec, &rules[i])
	}
}

func (f *findings) podFailureRule(at *field.Path, spec *batchv1.JobSpec, rule *batchv1.PodFailurePolicyRule) {
	actions := []batchv1.PodFailurePolicyAction{batchv1.PodFailurePolicyActionCount, batchv1.PodFailurePolicyActionFailIndex,
		batchv1.PodFailurePolicyActionFailJob, batchv1.PodFailurePolicyActionIgnore}
	switch {
	case rule.Action == "":
		f.required(at.Child("action"), fmt.Sprintf("valid values: %q", actions))
	case rule.Action == batchv1.PodFailurePolicyActionFailIndex:
		if spec.BackoffLimitPerIndex == nil {
			f.invalid(at.Child("action"), rule.Action, "requires the backoffLimitPerIndex to be set")
		}
	default:
		among(f, at.Child("action"), rule.Action, actions...)
	}
	if rule.OnExitCodes != nil {
		f.onExitCodes(at.Child("onExitCodes"), spec, rule.OnExitCodes)
	}
	f.onPodConditions(at.Child("onPodConditions"), rule.OnPodConditions)
	switch both := len(rule.OnPodConditions) > 0; {
	case rule.OnExitCodes != nil && both:
		f.invalid(at, field.OmitValueType{}, "specifying both OnExitCodes and OnPodConditions is not supported")
	case rule.OnExitCodes == nil && !both:
		f.invalid(at, field.OmitValueType{}, "specifying one of OnExitCodes and OnPodConditions is required")
	}
}

func (f *findings) onPodConditions(at *field.Path, patterns []batchv1.PodFailurePolicyOnPodConditionsPattern) {
	if len(patterns) > mostPolicyConditions {
		f.add(field.TooMany(at, len(patterns), mostPolicyConditions))
	}
	known := []v1.ConditionStatus{v1.ConditionFalse, v1.ConditionTrue, v1.ConditionUnknown}
	for i, p := range patterns {
		at := at.Index(i)
		f.qualifiedName(at.Child("type"), string(p.Type))
		if p.Status == "" {
			f.required(at.Child("status"), fmt.Sprintf("valid values: %q", known))
			continue
		}
		among(f, at.Child("status"), p.Status, known...)
	}
}

func (f *findings) onExitCodes(at *field.Path, spec *batchv1.JobSpec, on *batchv1.PodFailurePolicyOnExitCodesRequirement) {
	operators := []batchv1.PodFailurePolicyOnExitCodesOperator{batchv1.PodFailurePolicyOnExitCodesOpIn, batchv1.PodFailurePolicyOnExitCodesOpNotIn}
	if on.Operator == "" {
		f.required(at.Child("operator"), fmt.Sprintf("valid values: %q", operators))
	} else {
		among(f, at.Child("operator"), on.Operator, operators...)
	}
	named := func(c v1.Container) bool { return c.Name == *on.ContainerName }
	if on.ContainerName != nil && !slices.ContainsFunc(spec.Template.Spec.Containers, named) && !slices.ContainsFunc(spec.Template.Spec.InitContainers, named) {
		f.invalid(at.Child("containerName"), *on.ContainerName, "must be one of the container or initContainer names in the pod template")
	}
	at = at.Child("values")
	if len(on.Values) == 0 {
		f.invalid(at, on.Values, "at least one value is required")
	} else if len(on.Values) > mostPolicyExitCodes {
		f.add(field.TooMany(at, len(on.Values), mostPolicyExitCodes))
	}
	for i, code := range on.Values {
		if on.Operator == batchv1.PodFailurePolicyOnExitCodesOpIn && code == 0 {
			f.invalid(at.Index(i), code, "must not be 0 for the In operator")
		}
		if slices.Contains(on.Values[:i], code) {
			f.duplicate(at.Index(i), code)
		}
	}
	if !slices.IsSorted(on.Values) {
		f.invalid(at, on.Values, "must be ordered")
	}
}

func (f *findings) successPolicy(at *field.Path, spec *batchv1.JobSpec) {
	at, rules := at.Child("rules"), spec.SuccessPolicy.Rules
	if len(rules) == 0 {
		f.required(at, "at least one rules must be specified when the successPolicy is specified")
	}
	if len(rules) > mostPolicyRules {
		f.add(field.TooMany(at, len(rules), mostPolicyRules))
	}
	if spec.Completions == nil { // found already
		return
	}
	for i := range rules {
		f.successRule(at.Index(i), *spec.Completions, &rules[i])
	}
}

func (f *findings) successRule(at *field.Path, completions int32, rule *batchv1.SuccessPolicyRule) {
	if rule.SucceededCount == nil && rule.SucceededIndexes == nil {
		f.required(at, "at least one of succeededCount or succeededIndexes must be specified")
	}
	var listed int32
	if s := rule.SucceededIndexes; s != nil {
		at := at.Child("succeededIndexes")
		if len(*s) > longestIndexList {
			f.add(field.TooLong(at, "", longestIndexList))
		}
		var err error
		if listed, err = countIndexes(*s, completions); err != nil {
			f.invalid(at, *s, "error parsing succeededIndexes: "+err.Error())
		}
	}
	if n := rule.SucceededCount; n != nil {
		at := at.Child("succeededCount")
		f.nonNegative(at, int64(*n))
		if *n > completions {
			f.invalid(at, *n, fmt.Sprintf("must be less than or equal to %d (the number of specified completions)", completions))
		}
		if rule.SucceededIndexes != nil && *n > listed {
			f.invalid(at, *n, fmt.Sprintf("must be less than or equal to %d (the number of indexes in the specified succeededIndexes field)", listed))
		}
	}
}

// countIndexes is how many indexes a list such as 1,3-5 holds, all below the completions and in order.
func countIndexes(list string, completions int32) (total int32, err error) {
	if list == "" {
		return 0, nil
	}
	last := -1
	for part := range strings.SplitSeq(list, ",") {
		from, to, err := indexInterval(part, completions)
		if err != nil {
			return 0, err
		}
		if last >= from {
			return 0, fmt.Errorf("non-increasing order, previous: %d, current: %d", last, from)
		}
		total += int32(to - from + 1)
		last = to
	}
	return total, nil
}

func indexInterval(part string, completions int32) (from, to int, err error) {
	ends := strings.Split(part, "-")
	if len(ends) > 2 {
		return 0, 0, fmt.Errorf("the fragment %q violates the requirement that an index interval can have at most two parts separated by '-'", part)
	}
	number := func(s string) (int, error) {
		n, err := strconv.Atoi(s)
		if err != nil {
			return 0, fmt.Errorf("cannot convert string to integer for index: %q", s)
		}
		if n >= int(completions) {
			return 0, fmt.Errorf("too large index: %q", s)
		}
		return n, nil
	}
	if from, err = number(ends[0]); err != nil || len(ends) == 1 {
		return from, from, err
	}
	if to, err = number(ends[1]); err != nil {
		return 0, 0, err
	}
	if from >= to {
		return 0, 0, fmt.Errorf("non-increasing order, previous: %d, current: %d", from, to)
	}
	return from, to, nil
}

// overlap says of two lists of indexes which one they share, if they do.
func overlap(completed, failed string, completions int32) error {
	has := map[int]bool{}
	each := func(list string, visit func(int)) {
		for part := range strings.SplitSeq(list, ",") {
			if from, to, err := indexInterval(part, completions); list != "" && err == nil {
				for i := from; i <= to; i++ {
					visit(i)
				}
			}
		}
	}
	var shared error
	each(completed, func(i int) { has[i] = true })
	each(failed, func(i int) {
		if has[i] && shared == nil {
			shared = errors.New("failedIndexes and completedIndexes overlap at index: " + strconv.Itoa(i))
		}
	})
	return shared
}
