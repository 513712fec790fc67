package apiserver

import (
	"fmt"

	batchv1 "k8s.io/api/batch/v1"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	utilvalidation "k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/utils/ptr"
)

// Validation of Jobs (Kubernetes 1.37 pkg/apis/batch/validation).

const (
	mostIndexes          = 100_000 // parallel or failed, of an Indexed Job
	manyCompletions      = 100_000 // from here on, with backoffLimitPerIndex, the next limit holds
	mostOfManyIndexes    = 10_000
	longestManagedBy     = 63
	longestIndexList     = 64 << 10
	mostPolicyRules      = 20
	mostPolicyExitCodes  = 255
	mostPolicyConditions = 20
)

func validateJob(job *batchv1.Job) field.ErrorList {
	f := findings{}
	f.generatedSelector(job, true)
	f.jobSpec(field.NewPath("spec"), &job.Spec)
	f.jobSelector(field.NewPath("spec"), &job.Spec)
	f.nameAllowsCompletions(job)
	return f.errs
}

// generatedSelector: the labels that the server adds are the Job's own, unless the sender chose the selector.
func (f *findings) generatedSelector(job *batchv1.Job, prefixed bool) {
	if ptr.Deref(job.Spec.ManualSelector, false) || job.Spec.Selector == nil {
		return
	}
	expected := labels.Set{}
	at := field.NewPath("spec", "template", "metadata", "labels")
	for i, l := range jobLabels(job) {
		if i >= 2 && !prefixed {
			break
		}
		expected[l.key] = l.value
		must := fmt.Sprintf("must be '%s'", l.value)
		if value, ok := job.Spec.Template.Labels[l.key]; !ok {
			f.required(at.Key(l.key), must)
		} else if value != l.value {
			f.invalid(at.Key(l.key), job.Spec.Template.Labels, must)
		}
	}
	if s, err := metav1.LabelSelectorAsSelector(job.Spec.Selector); err == nil && !s.Matches(expected) {
		f.invalid(field.NewPath("spec", "selector"), job.Spec.Selector, "`selector` not auto-generated")
	}
}

func (f *findings) jobSelector(at *field.Path, spec *batchv1.JobSpec) {
	if spec.Selector == nil {
		f.required(at.Child("selector"), "")
	} else {
		f.labelSelector(at.Child("selector"), spec.Selector)
	}
	if s, err := metav1.LabelSelectorAsSelector(spec.Selector); err == nil && !s.Matches(labels.Set(spec.Template.Labels)) {
		f.invalid(at.Child("template", "metadata", "labels"), spec.Template.Labels, "`selector` does not match template `labels`")
	}
}

// nameAllowsCompletions: the pods of an Indexed Job have the index in their host names.
func (f *findings) nameAllowsCompletions(job *batchv1.Job) {
	if !indexed(&job.Spec) || ptr.Deref(job.Spec.Completions, 0) <= 0 {
		return
	}
	last := fmt.Sprintf("%s-%d", job.Name, *job.Spec.Completions-1)
	if len(utilvalidation.IsDNS1123Label(last)) > 0 {
		f.invalid(field.NewPath("metadata", "name"), job.Name, "will not able to create pod with invalid DNS label: "+last)
	}
}

func indexed(spec *batchv1.JobSpec) bool {
	return ptr.Deref(spec.CompletionMode, batchv1.NonIndexedCompletion) == batchv1.IndexedCompletion
}

// jobSpec is what holds of a Job and of the template in a CronJob.
func (f *findings) jobSpec(at *field.Path, spec *batchv1.JobSpec) {
	f.jobCounts(at, spec)
	f.completionMode(at, spec)
	if spec.PodFailurePolicy != nil {
		f.podFailurePolicy(at.Child("podFailurePolicy"), spec)
	}
	if spec.SuccessPolicy != nil {
		if !indexed(spec) {
			f.invalid(at.Child("successPolicy"), inServer{spec.SuccessPolicy}, "requires indexed completion mode")
		} else {
			f.successPolicy(at.Child("successPolicy"), spec)
		}
	}
	if p := spec.PodReplacementPolicy; p != nil {
		allowed := []batchv1.PodReplacementPolicy{batchv1.Failed, batchv1.TerminatingOrFailed}
		if spec.PodFailurePolicy != nil {
			allowed = allowed[:1]
		}
		among(f, at.Child("podReplacementPolicy"), *p, allowed...)
	}
	f.template(at.Child("template"), &spec.Template)
	f.jobRestartPolicy(at.Child("template", "spec", "restartPolicy"), spec)
}

func (f *findings) jobCounts(at *field.Path, spec *batchv1.JobSpec) {
	for _, c := range []struct {
		name string
		n    *int32
	}{{"parallelism", spec.Parallelism}, {"completions", spec.Completions}, {"activeDeadlineSeconds", narrow(spec.ActiveDeadlineSeconds)},
		{"backoffLimit", spec.BackoffLimit}, {"ttlSecondsAfterFinished", spec.TTLSecondsAfterFinished},
		{"backoffLimitPerIndex", spec.BackoffLimitPerIndex}, {"maxFailedIndexes", spec.MaxFailedIndexes}} {
		if c.n != nil {
			value := int64(*c.n)
			if c.name == "activeDeadlineSeconds" {
				value = *spec.ActiveDeadlineSeconds
			}
			f.nonNegative(at.Child(c.name), value)
		}
	}
	if spec.MaxFailedIndexes != nil && spec.BackoffLimitPerIndex == nil {
		f.required(at.Child("backoffLimitPerIndex"), "when maxFailedIndexes is specified")
	}
	if by := spec.ManagedBy; by != nil {
		f.add(utilvalidation.IsDomainPrefixedPath(at.Child("managedBy"), *by)...)
		if len(*by) > longestManagedBy {
			f.add(field.TooLong(at.Child("managedBy"), "", longestManagedBy))
		}
	}
}

func narrow(n *int64) *int32 {
	if n == nil {
		return nil
	}
	return new(int32(*n))
}

func (f *findings) completionMode(at *field.Path, spec *batchv1.JobSpec) {
	optionalAmong(f, at.Child("completionMode"), spec.CompletionMode, batchv1.NonIndexedCompletion, batchv1.IndexedCompletion)
	if indexed(spec) {
		f.indexedSpec(at, spec)
		return
	}
	if spec.CompletionMode != nil && *spec.CompletionMode != batchv1.NonIndexedCompletion {
		return
	}
	const needs = "requires indexed completion mode"
	if n := spec.BackoffLimitPerIndex; n != nil {
		f.invalid(at.Child("backoffLimitPerIndex"), *n, needs)
	}
	if n := spec.MaxFailedIndexes; n != nil {
		f.invalid(at.Child("maxFailedIndexes"), *n, needs)
	}
}

func (f *findings) indexedSpec(at *field.Path, spec *batchv1.JobSpec) {
	mode := batchv1.IndexedCompletion
	completions, parallelism, failed := spec.Completions, spec.Parallelism, spec.MaxFailedIndexes
	if completions == nil {
		f.required(at.Child("completions"), fmt.Sprintf("when completion mode is %s", mode))
	}
	over := func(n *int32, limit int32) bool { return n != nil && *n > limit }
	if over(parallelism, mostIndexes) {
		f.invalid(at.Child("parallelism"), *parallelism, fmt.Sprintf("must be less than or equal to %d when completion mode is %s", mostIndexes, mode))
	}
	if completions != nil && over(failed, *completions) {
		f.invalid(at.Child("maxFailedIndexes"), *failed, "must be less than or equal to completions")
	}
	if over(failed, mostIndexes) {
		f.invalid(at.Child("maxFailedIndexes"), *failed, fmt.Sprintf("must be less than or equal to %d", mostIndexes))
	}
	if !over(completions, manyCompletions) || spec.BackoffLimitPerIndex == nil {
		return
	}
	if failed == nil {
		f.required(at.Child("maxFailedIndexes"), fmt.Sprintf("must be specified when completions is above %d", manyCompletions))
	}
	tooMany := fmt.Sprintf("must be less than or equal to %d when completions are above %d and used with backoff limit per index", mostOfManyIndexes, manyCompletions)
	if over(parallelism, mostOfManyIndexes) {
		f.invalid(at.Child("parallelism"), *parallelism, tooMany)
	}
	if over(failed, mostOfManyIndexes) {
		f.invalid(at.Child("maxFailedIndexes"), *failed, tooMany)
	}
}

func (f *findings) jobRestartPolicy(at *field.Path, spec *batchv1.JobSpec) {
	switch policy := spec.Template.Spec.RestartPolicy; {
	case policy == v1.RestartPolicyAlways || policy == "":
		f.required(at, fmt.Sprintf("valid values: %q, %q", v1.RestartPolicyOnFailure, v1.RestartPolicyNever))
	case policy != v1.RestartPolicyOnFailure && policy != v1.RestartPolicyNever:
		among(f, at, policy, v1.RestartPolicyOnFailure, v1.RestartPolicyNever)
	case spec.PodFailurePolicy != nil && policy != v1.RestartPolicyNever:
		f.invalid(at, policy, fmt.Sprintf("only %q is supported when podFailurePolicy is specified", v1.RestartPolicyNever))
	}
}

func validateJobUpdate(job, old *batchv1.Job) field.ErrorList {
	at := field.NewPath("spec")
	spec, was := &job.Spec, &old.Spec
	f := findings{}
	f.jobSpec(at, spec)
	f.jobSelector(at, spec)
	f.completionsUpdate(at, spec, was)
	f.immutable(at.Child("selector"), spec.Selector, was.Selector)
	f.jobTemplateUpdate(at, spec, old)
	for _, same := range []struct {
		name     string
		new, old any
	}{{"completionMode", spec.CompletionMode, was.CompletionMode}, {"podFailurePolicy", spec.PodFailurePolicy, was.PodFailurePolicy},
		{"backoffLimitPerIndex", spec.BackoffLimitPerIndex, was.BackoffLimitPerIndex}, {"managedBy", spec.ManagedBy, was.ManagedBy},
		{"successPolicy", spec.SuccessPolicy, was.SuccessPolicy}} {
		f.immutable(at.Child(same.name), same.new, same.old)
	}
	f.nameAllowsCompletions(job)
	return f.errs
}

// immutable finds a field that an update may not change.
func (f *findings) immutable(at *field.Path, new, old any) {
	if !equality.Semantic.DeepEqual(new, old) {
		f.invalid(at, inServer{new}, validation.FieldImmutableErrorMsg)
	}
}

// completionsUpdate: an Indexed Job may be scaled, with its parallelism; another may not.
func (f *findings) completionsUpdate(at *field.Path, spec, was *batchv1.JobSpec) {
	switch {
	case !indexed(spec):
		f.immutable(at.Child("completions"), spec.Completions, was.Completions)
	case spec.Completions == nil || equality.Semantic.DeepEqual(spec.Completions, was.Completions):
	case *spec.Completions != *spec.Parallelism:
		f.invalid(at.Child("completions"), spec.Completions, "can only be modified in tandem with "+at.Root().Child("parallelism").String())
	}
}

// jobTemplateUpdate: of a suspended Job without pods, where and with how much its pods run may change.
func (f *findings) jobTemplateUpdate(at *field.Path, spec *batchv1.JobSpec, old *batchv1.Job) {
	suspended := ptr.Deref(old.Spec.Suspend, false)
	open := suspended && (old.Status.StartTime == nil || jobIs(old, batchv1.JobSuspended)) && old.Status.Active == 0
	template, was := &spec.Template, &old.Spec.Template
	if !open {
		f.immutable(at.Child("template"), template, was)
		return
	}
	was = was.DeepCopy()
	if a := was.Spec.Affinity; a != nil || template.Spec.Affinity != nil {
		if a == nil {
			was.Spec.Affinity = &v1.Affinity{}
		}
		was.Spec.Affinity.NodeAffinity = nil
		if template.Spec.Affinity != nil {
			was.Spec.Affinity.NodeAffinity = template.Spec.Affinity.NodeAffinity
		} else if *was.Spec.Affinity == (v1.Affinity{}) {
			was.Spec.Affinity = nil
		}
	}
	was.Spec.NodeSelector, was.Spec.Tolerations, was.Spec.SchedulingGates = template.Spec.NodeSelector, template.Spec.Tolerations, template.Spec.SchedulingGates
	for _, list := range []struct{ new, old []v1.Container }{{template.Spec.Containers, was.Spec.Containers}, {template.Spec.InitContainers, was.Spec.InitContainers}} {
		for i := range list.new {
			if len(list.new) == len(list.old) && list.new[i].Name == list.old[i].Name {
				list.old[i].Resources = list.new[i].Resources
			}
		}
	}
	f.immutable(at.Child("template.spec"), template.Spec, was.Spec) // as the real one writes the path
}
