package apiserver

import (
	"fmt"
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	nodev1 "k8s.io/api/node/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metavalidation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func runtimeClassResource() Resource {
	return Resource{
		GroupVersionResource: nodev1.SchemeGroupVersion.WithResource("runtimeclasses"),
		Kind:                 "RuntimeClass",
		Singular:             "runtimeclass",
		KeyPrefix:            "/registry/runtimeclasses",
		New:                  func() Object { return &nodev1.RuntimeClass{} },
		NewList:              func() runtime.Object { return &nodev1.RuntimeClassList{} },

		Default: act(func(c *nodev1.RuntimeClass) {
			if c.Overhead != nil {
				roundToMilli(c.Overhead.PodFixed)
			}
		}),
		Validate: check(validateRuntimeClass),
		ValidateUpdate: checkFrom(func(c, old *nodev1.RuntimeClass) field.ErrorList {
			return apivalidation.ValidateImmutableField(c.Handler, old.Handler, field.NewPath("handler"))
		}),

		Columns: []metav1.TableColumnDefinition{
			nameColumn(), column("Handler", "string", nodev1.RuntimeClass{}.SwaggerDoc()["handler"]), ageColumn(),
		},
		Cells: cells(func(c *nodev1.RuntimeClass, now time.Time) []any {
			return []any{c.Name, c.Handler, age(c.CreationTimestamp, now)}
		}),
		Unconditional: true,
	}
}

// validateRuntimeClass as Kubernetes 1.37 pkg/apis/node/validation.
func validateRuntimeClass(c *nodev1.RuntimeClass) field.ErrorList {
	var f findings
	if at := field.NewPath("handler"); c.Handler == "" {
		f.required(at, "")
	} else {
		f.label(at, c.Handler)
	}
	if c.Overhead != nil {
		at := field.NewPath("overhead", "podFixed")
		for _, name := range slices.Sorted(maps.Keys(c.Overhead.PodFixed)) {
			f.containerResourceName(at.Child("limits").Key(string(name)), name)
			f.resourceQuantity(at.Child("limits").Key(string(name)), name, c.Overhead.PodFixed[name])
		}
	}
	if s := c.Scheduling; s != nil {
		f.addInOrder(metavalidation.ValidateLabels(s.NodeSelector, field.NewPath("scheduling", "nodeSelector")))
		at := field.NewPath("scheduling", "tolerations")
		f.tolerations(at, s.Tolerations)
		for i, t := range s.Tolerations {
			if slices.ContainsFunc(s.Tolerations[:i], func(o corev1.Toleration) bool { return equality.Semantic.DeepEqual(o, t) }) {
				f.duplicate(at.Index(i), inServer{t})
			}
		}
	}
	return f.errs
}

// applyRuntimeClass adds to a new pod what its runtime class costs and where it may run
// (plugin/pkg/admission/runtimeclass).
func applyRuntimeClass(s *Server, r *request, o, old Object) error {
	pod, ok := newPod(r, o, old)
	if !ok {
		return nil
	}
	class, err := s.runtimeClassOf(pod)
	if class == nil || err != nil {
		return err
	}
	if class.Overhead != nil {
		if pod.Spec.Overhead == nil {
			pod.Spec.Overhead = class.Overhead.PodFixed.DeepCopy()
		} else if !equality.Semantic.DeepEqual(pod.Spec.Overhead, class.Overhead.PodFixed) {
			return fmt.Errorf("pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead")
		}
	}
	if class.Scheduling == nil {
		return nil
	}
	for _, key := range slices.Sorted(maps.Keys(class.Scheduling.NodeSelector)) {
		value := class.Scheduling.NodeSelector[key]
		if own, named := pod.Spec.NodeSelector[key]; named && own != value {
			return fmt.Errorf("conflict: runtimeClass.scheduling.nodeSelector[%s] = %s; pod.spec.nodeSelector[%s] = %s", key, value, key, own)
		}
		if pod.Spec.NodeSelector == nil {
			pod.Spec.NodeSelector = map[string]string{}
		}
		pod.Spec.NodeSelector[key] = value
	}
	for _, t := range class.Scheduling.Tolerations {
		if !slices.ContainsFunc(pod.Spec.Tolerations, func(own corev1.Toleration) bool { return equality.Semantic.DeepEqual(own, t) }) {
			pod.Spec.Tolerations = append(pod.Spec.Tolerations, t)
		}
	}
	return nil
}

// checkOverhead refuses an overhead that no runtime class has set.
func checkOverhead(s *Server, r *request, o, old Object) error {
	pod, ok := newPod(r, o, old)
	if !ok {
		return nil
	}
	class, err := s.runtimeClassOf(pod)
	if err != nil {
		return err
	}
	if pod.Spec.Overhead != nil && (class == nil || class.Overhead == nil) {
		return fmt.Errorf("pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead")
	}
	return nil
}

func (s *Server) runtimeClassOf(pod *corev1.Pod) (*nodev1.RuntimeClass, error) {
	if pod.Spec.RuntimeClassName == nil || *pod.Spec.RuntimeClassName == "" {
		return nil, nil
	}
	o, ok := s.caches[s.kindNamed("RuntimeClass")].get("", *pod.Spec.RuntimeClassName)
	if !ok {
		return nil, fmt.Errorf("pod rejected: RuntimeClass %q not found", *pod.Spec.RuntimeClassName)
	}
	return o.(*nodev1.RuntimeClass), nil
}
