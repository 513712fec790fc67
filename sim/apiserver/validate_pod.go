package apiserver

import (
	"strings"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// validatePod checks a new pod (Kubernetes 1.37 pkg/apis/core/validation.ValidatePodCreate).
func validatePod(o Object) field.ErrorList {
	pod := o.(*v1.Pod)
	f := findings{aPod: true}
	f.pod(pod)
	spec := field.NewPath("spec")
	if len(pod.Spec.EphemeralContainers) > 0 {
		f.forbidden(spec.Child("ephemeralContainers"), "cannot be set on create")
	}
	if pod.Spec.NodeName != "" && len(pod.Spec.SchedulingGates) > 0 {
		f.forbidden(spec.Child("nodeName"), "cannot be set until all schedulingGates have been cleared")
	}
	f.profilesAgree(spec, &pod.Spec, pod.Annotations)
	return f.errs
}

// pod checks what holds for a pod all its life, and for no template.
func (f *findings) pod(pod *v1.Pod) {
	at := field.NewPath("spec")
	f.annotations(field.NewPath("metadata", "annotations"), pod.Annotations, &pod.Spec)
	f.podSpec(at, &pod.Spec, &pod.ObjectMeta)
	for i, v := range pod.Spec.Volumes {
		if pod.Spec.ServiceAccountName != "" || v.Projected == nil {
			continue
		}
		for j, source := range v.Projected.Sources {
			if source.ServiceAccountToken != nil {
				f.forbidden(at.Child("volumes").Index(i).Child("projected", "sources").Index(j).Child("serviceAccountToken"),
					"must not be specified when serviceAccountName is not set")
			}
		}
	}
	if grace := pod.Spec.TerminationGracePeriodSeconds; grace != nil {
		f.nonNegative(at.Child("terminationGracePeriodSeconds"), *grace)
	}
	for i := range pod.Spec.Containers {
		f.paddedImage(at.Child("containers").Index(i), &pod.Spec.Containers[i])
	}
	for i := range pod.Spec.InitContainers {
		f.paddedImage(at.Child("initContainers").Index(i), &pod.Spec.InitContainers[i])
	}
}

// profilesAgree compares the seccomp and AppArmor profiles of the spec with the
// annotations that said the same before.
func (f *findings) profilesAgree(at *field.Path, spec *v1.PodSpec, annotations map[string]string) {
	if len(annotations) == 0 {
		return
	}
	sc := spec.SecurityContext
	if sc != nil && sc.SeccompProfile != nil {
		f.seccompAgrees(at.Child("securityContext", "seccompProfile"), sc.SeccompProfile, annotations, v1.SeccompPodAnnotationKey)
	}
	eachContainer(spec, at, func(c *v1.Container, at *field.Path) {
		if c.SecurityContext != nil && c.SecurityContext.SeccompProfile != nil {
			f.seccompAgrees(at.Child("securityContext", "seccompProfile"), c.SecurityContext.SeccompProfile,
				annotations, v1.SeccompContainerAnnotationKeyPrefix+c.Name)
		}
	})
	if spec.OS != nil && spec.OS.Name == v1.Windows {
		return
	}
	eachContainer(spec, at, func(c *v1.Container, at *field.Path) {
		var profile *v1.AppArmorProfile
		if sc != nil {
			profile = sc.AppArmorProfile
		}
		if c.SecurityContext != nil && c.SecurityContext.AppArmorProfile != nil {
			profile = c.SecurityContext.AppArmorProfile
		}
		annotation, ok := annotations[v1.DeprecatedAppArmorBetaContainerAnnotationKeyPrefix+c.Name]
		if profile != nil && ok {
			f.appArmorAgrees(at.Child("securityContext", "appArmorProfile"), profile, annotation)
		}
	})
}

func (f *findings) seccompAgrees(at *field.Path, p *v1.SeccompProfile, annotations map[string]string, key string) {
	annotation, ok := annotations[key]
	if !ok {
		return
	}
	agrees := true
	switch p.Type {
	case v1.SeccompProfileTypeUnconfined:
		agrees = annotation == v1.SeccompProfileNameUnconfined
	case v1.SeccompProfileTypeRuntimeDefault:
		agrees = annotation == v1.SeccompProfileRuntimeDefault || annotation == v1.DeprecatedSeccompProfileDockerDefault
	case v1.SeccompProfileTypeLocalhost:
		var file string
		file, agrees = strings.CutPrefix(annotation, v1.SeccompLocalhostProfileNamePrefix)
		if agrees && (p.LocalhostProfile == nil || *p.LocalhostProfile != file) {
			f.forbidden(at.Child("localhostProfile"), "seccomp profile in annotation and field must match")
		}
	}
	if !agrees {
		f.forbidden(at.Child("type"), "seccomp type in annotation and field must match")
	}
}

func (f *findings) appArmorAgrees(at *field.Path, p *v1.AppArmorProfile, annotation string) {
	agrees := true
	switch p.Type {
	case v1.AppArmorProfileTypeUnconfined:
		agrees = annotation == v1.DeprecatedAppArmorBetaProfileNameUnconfined
	case v1.AppArmorProfileTypeRuntimeDefault:
		agrees = annotation == v1.DeprecatedAppArmorBetaProfileRuntimeDefault
	case v1.AppArmorProfileTypeLocalhost:
		var file string
		file, agrees = strings.CutPrefix(annotation, v1.DeprecatedAppArmorBetaProfileNamePrefix)
		if agrees && (p.LocalhostProfile == nil || *p.LocalhostProfile != file) {
			f.forbidden(at.Child("localhostProfile"), "apparmor profile in annotation and field must match")
		}
	}
	if !agrees {
		f.forbidden(at.Child("type"), "apparmor type in annotation and field must match")
	}
}
