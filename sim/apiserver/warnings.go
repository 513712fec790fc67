package apiserver

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/utils/ptr"
)

// What an object that is accepted makes the server warn of, as the WarningsOnCreate and WarningsOnUpdate of the real
// one's strategies (pkg/registry/*/*/strategy.go).

// warningsOf are the Warn of rows that have none of their own, by kind.
func warningsOf() map[string]func(new, old Object) []string {
	path := field.NewPath("spec", "template")
	return map[string]func(new, old Object) []string{
		"Pod": func(new, old Object) []string {
			if old != nil {
				return nil // nobody but components writes pods often
			}
			pod := new.(*v1.Pod)
			return append(unlikeLabel(pod.Name, "the Pod's hostname"), podWarnings(nil, &pod.Spec, pod.Annotations)...)
		},
		"Deployment": func(new, old Object) []string {
			return templateWarnings(new, old, path, &new.(*appsv1.Deployment).Spec.Template, true)
		},
		"ReplicaSet": func(new, old Object) []string {
			return templateWarnings(new, old, path, &new.(*appsv1.ReplicaSet).Spec.Template, true)
		},
		"DaemonSet": func(new, old Object) []string {
			return templateWarnings(new, old, path, &new.(*appsv1.DaemonSet).Spec.Template, false)
		},
		"StatefulSet": func(new, old Object) []string {
			set := new.(*appsv1.StatefulSet)
			all := templateWarnings(new, old, path, &set.Spec.Template, false)
			if ptr.Deref(set.Spec.RevisionHistoryLimit, 0) < 0 {
				all = append(all, "spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended")
			}
			return all
		},
		"Job": func(new, old Object) []string {
			return jobWarnings(new, old, field.NewPath("spec"), &new.(*batchv1.Job).Spec)
		},
		"CronJob": func(new, old Object) []string {
			return jobWarnings(new, old, field.NewPath("spec", "jobTemplate", "spec"), &new.(*batchv1.CronJob).Spec.JobTemplate.Spec)
		},
		"Service": func(new, _ Object) []string { return serviceWarnings(new.(*v1.Service)) },
	}
}

// unlikeLabel warns of a name that names more than the object, and is no DNS label.
func unlikeLabel(name, use string) []string {
	msgs := validation.IsDNS1123Label(name)
	if len(msgs) == 0 {
		return nil
	}
	return []string{fmt.Sprintf("metadata.name: this is used in %s, which can result in surprising behavior; a DNS label is recommended: %v", use, msgs)}
}

// templateWarnings are those of a workload: at its creation, and when its spec changes.
func templateWarnings(new, old Object, path *field.Path, template *v1.PodTemplateSpec, named bool) (all []string) {
	if old != nil && old.GetGeneration() == new.GetGeneration() {
		return nil
	}
	if named && old == nil {
		all = unlikeLabel(new.GetName(), "Pod names and hostnames")
	}
	return append(all, podWarnings(path, &template.Spec, template.Annotations)...)
}

// More completions and parallelism than these are too much for an indexed Job (pkg/api/job/warnings.go).
const (
	trackableCompletions = 100_000
	trackableAtOnce      = 10_000
)

func jobWarnings(new, old Object, path *field.Path, spec *batchv1.JobSpec) []string {
	if old != nil && old.GetGeneration() == new.GetGeneration() {
		return nil
	}
	var all []string
	if old == nil {
		all = unlikeLabel(new.GetName(), "Pod names and hostnames")
	}
	if ptr.Deref(spec.CompletionMode, "") == batchv1.IndexedCompletion &&
		ptr.Deref(spec.Completions, 0) > trackableCompletions && ptr.Deref(spec.Parallelism, 0) > trackableAtOnce {
		all = append(all, path.String()+": In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, "+
			"Kubernetes might not be able to track completedIndexes when a big number of indexes fail")
	}
	return append(all, podWarnings(path.Child("template"), &spec.Template.Spec, spec.Template.Annotations)...)
}

// serviceWarnings are those of pkg/api/service/warnings.go, but for oddly written addresses.
func serviceWarnings(s *v1.Service) (all []string) {
	spec := &s.Spec
	warn := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	if _, ok := s.Annotations[v1.DeprecatedAnnotationTopologyAwareHints]; ok {
		warn("annotation %s is deprecated, please use %s instead", v1.DeprecatedAnnotationTopologyAwareHints, v1.AnnotationTopologyMode)
	}
	headless := spec.Type == v1.ServiceTypeClusterIP && spec.ClusterIP == v1.ClusterIPNone
	if headless {
		if spec.LoadBalancerIP != "" {
			warn("spec.loadBalancerIP is ignored for headless services")
		}
		if len(spec.ExternalIPs) > 0 {
			warn("spec.externalIPs is ignored for headless services")
		}
		if spec.SessionAffinity != v1.ServiceAffinityNone {
			warn("spec.SessionAffinity is ignored for headless services")
		}
	}
	external := spec.Type == v1.ServiceTypeExternalName
	switch {
	case len(spec.ExternalIPs) == 0:
	case external:
		warn("spec.externalIPs is ignored when spec.type is %q", v1.ServiceTypeExternalName)
	case !headless:
		warn("spec.externalIPs is deprecated and may no longer be implemented in some clusters")
	}
	if !external && spec.ExternalName != "" {
		warn("spec.externalName is ignored when spec.type is not %q", v1.ServiceTypeExternalName)
	}
	if ptr.Deref(spec.TrafficDistribution, "") == v1.ServiceTrafficDistributionPreferClose {
		warn("spec.trafficDistribution: %q is deprecated; use %q", v1.ServiceTrafficDistributionPreferClose, v1.ServiceTrafficDistributionPreferSameZone)
	}
	return all
}
