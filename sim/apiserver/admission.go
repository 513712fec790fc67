package apiserver

import (
	"fmt"
	"sync"

	corev1 "k8s.io/api/core/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"timonier/sim/trace"
)

// plugin is one admission plugin. Mutate may change o; Validate only refuses. At a creation old is nil, at a
// deletion o is. An error that is no API status becomes a 403.
type plugin struct {
	name     string
	mutate   func(s *Server, r *request, o, old Object) error
	validate func(s *Server, r *request, o, old Object) error
}

// plugins are the default ones of the real server that have something to do here, in its order
// (pkg/kubeapiserver/options/plugins.go).
func plugins() []plugin {
	return []plugin{
		{name: "NamespaceLifecycle", mutate: namespaceLifecycle, validate: protectedNamespace},
		{name: "LimitRanger", mutate: fillLimits, validate: keepLimits},
		{name: "ServiceAccount", mutate: mountServiceAccount},
		{name: "TaintNodesByCondition", mutate: taintNewNode},
		{name: "Priority", mutate: resolvePriority, validate: oneDefaultPriority},
		{name: "DefaultTolerationSeconds", mutate: defaultTolerations},
		{name: "DefaultStorageClass", mutate: defaultStorageClassName},
		{name: "StorageObjectInUseProtection", mutate: protectStorage},
		{name: "RuntimeClass", mutate: applyRuntimeClass, validate: checkOverhead},
		{name: "ResourceQuota", validate: chargeQuota}, // the last: what it charges has passed all else
	}
}

// admissionPlugins is the table, made once: every request goes through it.
var admissionPlugins = sync.OnceValue(plugins)

// mutate is the stage of mutating admission.
func (s *Server) mutate(r *request, o, old Object) error {
	for _, p := range admissionPlugins() {
		if p.mutate == nil {
			continue
		}
		var before Object
		if r.detailed {
			before = copyOf(o)
		}
		if err := p.mutate(s, r, o, old); err != nil {
			return s.refuse(r, trace.Mutated, admissionError(r, nil, err))
		}
		if r.detailed {
			if fields := changedFields(before, o); len(fields) > 0 {
				s.note(r, trace.Mutated, trace.Admission{Plugin: p.name, Fields: fields})
			}
		}
	}
	return nil
}

// admit is the stage of validating admission.
func (s *Server) admit(r *request, o, old Object) error {
	for _, p := range admissionPlugins() {
		if p.validate == nil {
			continue
		}
		if err := p.validate(s, r, o, old); err != nil {
			return s.refuse(r, trace.Admitted, admissionError(r, o, err))
		}
	}
	s.note(r, trace.Admitted, trace.Admission{})
	return nil
}

// admissionError is a refusal. named is the object once its name has been generated, which in the real server is
// after mutating admission.
func admissionError(r *request, named Object, err error) error {
	if _, ok := err.(apierrors.APIStatus); ok {
		return err
	}
	name := r.name
	switch {
	case name != "":
	case named != nil:
		name = named.GetName()
	case r.object != nil:
		name = r.object.GetGenerateName()
	}
	return apierrors.NewForbidden(r.resource.GroupResource(), name, err)
}

func namespaceLifecycle(s *Server, r *request, o, old Object) error {
	if old != nil || !r.resource.Namespaced {
		return nil
	}
	namespace := o.GetNamespace()
	found, ok := s.caches[s.kindNamed("Namespace")].get("", namespace)
	if !ok {
		return apierrors.NewNotFound(corev1.Resource("namespaces"), namespace)
	}
	if found.(*corev1.Namespace).Status.Phase != corev1.NamespaceTerminating {
		return nil
	}
	err := apierrors.NewForbidden(r.resource.GroupResource(), o.GetName(),
		fmt.Errorf("unable to create new content in namespace %s because it is being terminated", namespace))
	err.ErrStatus.Details.Causes = append(err.ErrStatus.Details.Causes, metav1.StatusCause{
		Type: corev1.NamespaceTerminatingCause, Message: fmt.Sprintf("namespace %s is being terminated", namespace),
		Field: "metadata.namespace",
	})
	return err
}

// protectedNamespace refuses to delete the namespaces that a cluster cannot do without.
func protectedNamespace(_ *Server, r *request, o, _ Object) error {
	if o != nil || r.resource.Kind != "Namespace" {
		return nil
	}
	switch r.name {
	case metav1.NamespaceDefault, metav1.NamespaceSystem, metav1.NamespacePublic:
		return fmt.Errorf("this namespace may not be deleted")
	}
	return nil
}

// taintNewNode keeps pods from a node until its kubelet has said that it is ready.
func taintNewNode(_ *Server, _ *request, o, old Object) error {
	node, ok := o.(*corev1.Node)
	if !ok || old != nil {
		return nil
	}
	for _, t := range node.Spec.Taints {
		if t.Key == corev1.TaintNodeNotReady && t.Effect == corev1.TaintEffectNoSchedule {
			return nil
		}
	}
	node.Spec.Taints = append(node.Spec.Taints, corev1.Taint{Key: corev1.TaintNodeNotReady, Effect: corev1.TaintEffectNoSchedule})
	return nil
}

// newPod is the pod that is being created, of plugins that look at no other request.
func newPod(r *request, o, old Object) (*corev1.Pod, bool) {
	pod, ok := o.(*corev1.Pod)
	return pod, ok && old == nil && r.subresource == ""
}

// defaultTolerations lets a pod stay 300 s on a node that is not ready or unreachable. Also at updates: who
// removes one gets it back.
func defaultTolerations(_ *Server, r *request, o, _ Object) error {
	pod, ok := o.(*corev1.Pod)
	if !ok || r.subresource != "" {
		return nil
	}
	for _, key := range []string{corev1.TaintNodeNotReady, corev1.TaintNodeUnreachable} {
		if tolerates(pod, key) {
			continue
		}
		seconds := int64(300)
		pod.Spec.Tolerations = append(pod.Spec.Tolerations, corev1.Toleration{
			Key: key, Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoExecute, TolerationSeconds: &seconds,
		})
	}
	return nil
}

func tolerates(pod *corev1.Pod, key string) bool {
	for _, t := range pod.Spec.Tolerations {
		if (t.Key == key || t.Key == "") && (t.Effect == corev1.TaintEffectNoExecute || t.Effect == "") {
			return true
		}
	}
	return false
}

// resolvePriority computes a pod's priority from its class (plugin/pkg/admission/priority).
func resolvePriority(s *Server, r *request, o, old Object) error {
	pod, ok := newPod(r, o, old)
	if !ok {
		return nil
	}
	classes := s.caches[s.kindNamed("PriorityClass")]
	priority, policy := int32(0), corev1.PreemptLowerPriority
	if name := pod.Spec.PriorityClassName; name != "" {
		c, ok := classes.get("", name)
		if !ok {
			return fmt.Errorf("no PriorityClass with name %v was found", name)
		}
		class := c.(*schedulingv1.PriorityClass)
		priority, policy = class.Value, policyOf(class)
	} else if class := defaultClass(classes); class != nil {
		pod.Spec.PriorityClassName = class.Name
		priority, policy = class.Value, policyOf(class)
	}
	if pod.Spec.Priority != nil && *pod.Spec.Priority != priority {
		return fmt.Errorf("the integer value of priority (%d) must not be provided in pod spec; priority admission controller computed %d from the given PriorityClass name",
			*pod.Spec.Priority, priority)
	}
	if pod.Spec.PreemptionPolicy != nil && *pod.Spec.PreemptionPolicy != policy {
		return fmt.Errorf("the string value of PreemptionPolicy (%s) must not be provided in pod spec; priority admission controller computed %s from the given PriorityClass name",
			*pod.Spec.PreemptionPolicy, policy)
	}
	pod.Spec.Priority, pod.Spec.PreemptionPolicy = &priority, &policy
	return nil
}

func policyOf(c *schedulingv1.PriorityClass) corev1.PreemptionPolicy {
	if c.PreemptionPolicy != nil {
		return *c.PreemptionPolicy
	}
	return corev1.PreemptLowerPriority
}

func defaultClass(classes *cache) *schedulingv1.PriorityClass {
	var found *schedulingv1.PriorityClass
	for _, o := range classes.in("") {
		// With several, the least counts.
		if c := o.(*schedulingv1.PriorityClass); c.GlobalDefault && (found == nil || c.Value < found.Value) {
			found = c
		}
	}
	return found
}

func oneDefaultPriority(s *Server, r *request, o, _ Object) error {
	class, ok := o.(*schedulingv1.PriorityClass)
	if !ok || !class.GlobalDefault {
		return nil
	}
	if other := defaultClass(s.caches[r.resource]); other != nil && other.Name != class.Name {
		return fmt.Errorf("PriorityClass %v is already marked as default. Only one default can exist", other.Name)
	}
	return nil
}
