package apiserver

import (
	"fmt"
	"strings"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metavalidation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/sets"
	utilvalidation "k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func (f *findings) labelName(at *field.Path, key string) {
	f.add(metavalidation.ValidateLabelName(key, at)...)
}

func (f *findings) labels(at *field.Path, labels map[string]string) {
	f.addInOrder(metavalidation.ValidateLabels(labels, at))
}

func (f *findings) labelSelector(at *field.Path, s *metav1.LabelSelector) {
	f.addInOrder(metavalidation.ValidateLabelSelector(s, metavalidation.LabelSelectorValidationOptions{}, at))
}

func (f *findings) affinity(at *field.Path, a *v1.Affinity) {
	if a == nil {
		return
	}
	if n := a.NodeAffinity; n != nil {
		at := at.Child("nodeAffinity")
		if n.RequiredDuringSchedulingIgnoredDuringExecution != nil {
			f.nodeSelector(at.Child("requiredDuringSchedulingIgnoredDuringExecution"), n.RequiredDuringSchedulingIgnoredDuringExecution)
		}
		for i, t := range n.PreferredDuringSchedulingIgnoredDuringExecution {
			at := at.Child("preferredDuringSchedulingIgnoredDuringExecution").Index(i)
			f.weight(at, t.Weight)
			f.nodeSelectorTerm(at.Child("preference"), &t.Preference, false)
		}
	}
	if p := a.PodAffinity; p != nil {
		f.podAffinity(at.Child("podAffinity"), p.RequiredDuringSchedulingIgnoredDuringExecution,
			p.PreferredDuringSchedulingIgnoredDuringExecution)
	}
	if p := a.PodAntiAffinity; p != nil {
		f.podAffinity(at.Child("podAntiAffinity"), p.RequiredDuringSchedulingIgnoredDuringExecution,
			p.PreferredDuringSchedulingIgnoredDuringExecution)
	}
}

func (f *findings) weight(at *field.Path, weight int32) {
	if weight <= 0 || weight > 100 {
		f.invalid(at.Child("weight"), weight, "must be in the range 1-100")
	}
}

func (f *findings) nodeSelector(at *field.Path, s *v1.NodeSelector) {
	at = at.Child("nodeSelectorTerms")
	if len(s.NodeSelectorTerms) == 0 {
		f.required(at, "must have at least one node selector term")
	}
	for i := range s.NodeSelectorTerms {
		f.nodeSelectorTerm(at.Index(i), &s.NodeSelectorTerms[i], true)
	}
}

// nodeSelectorTerm: a preference may name values that no label can have, a requirement may not.
func (f *findings) nodeSelectorTerm(at *field.Path, t *v1.NodeSelectorTerm, required bool) {
	for i := range t.MatchExpressions {
		f.nodeLabelRequirement(at.Child("matchExpressions").Index(i), &t.MatchExpressions[i], required)
	}
	for i := range t.MatchFields {
		f.nodeFieldRequirement(at.Child("matchFields").Index(i), &t.MatchFields[i])
	}
}

// nodeLabelRequirement does not look whether the value of Gt and Lt is a number: nor does the real server.
func (f *findings) nodeLabelRequirement(at *field.Path, r *v1.NodeSelectorRequirement, required bool) {
	values := at.Child("values")
	switch r.Operator {
	case v1.NodeSelectorOpIn, v1.NodeSelectorOpNotIn:
		if len(r.Values) == 0 {
			f.required(values, "must be specified when `operator` is 'In' or 'NotIn'")
		}
	case v1.NodeSelectorOpExists, v1.NodeSelectorOpDoesNotExist:
		if len(r.Values) > 0 {
			f.forbidden(values, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
		}
	case v1.NodeSelectorOpGt, v1.NodeSelectorOpLt:
		if len(r.Values) != 1 {
			f.required(values, "must be specified single value when `operator` is 'Lt' or 'Gt'")
		}
	default:
		f.invalid(at.Child("operator"), r.Operator, "not a valid selector operator")
	}
	f.labelName(at.Child("key"), r.Key)
	if !required {
		return
	}
	for i, v := range r.Values {
		f.invalidFor(values.Index(i), v, utilvalidation.IsValidLabelValue(v))
	}
}

func (f *findings) nodeFieldRequirement(at *field.Path, r *v1.NodeSelectorRequirement) {
	switch r.Operator {
	case v1.NodeSelectorOpIn, v1.NodeSelectorOpNotIn:
		if len(r.Values) != 1 {
			f.required(at.Child("values"), "must be only one value when `operator` is 'In' or 'NotIn' for node field selector")
		}
	default:
		f.invalid(at.Child("operator"), r.Operator, "not a valid selector operator")
	}
	if r.Key != metav1.ObjectNameField {
		f.invalid(at.Child("key"), r.Key, "not a valid field selector key")
		return
	}
	for i, v := range r.Values {
		f.subdomain(at.Child("values").Index(i), v)
	}
}

func (f *findings) podAffinity(at *field.Path, required []v1.PodAffinityTerm, preferred []v1.WeightedPodAffinityTerm) {
	for i := range required {
		f.podAffinityTerm(at.Child("requiredDuringSchedulingIgnoredDuringExecution").Index(i), &required[i])
	}
	for i := range preferred {
		at := at.Child("preferredDuringSchedulingIgnoredDuringExecution").Index(i)
		f.weight(at, preferred[i].Weight)
		f.podAffinityTerm(at.Child("podAffinityTerm"), &preferred[i].PodAffinityTerm)
	}
}

func (f *findings) podAffinityTerm(at *field.Path, t *v1.PodAffinityTerm) {
	f.labelSelector(at.Child("labelSelector"), t.LabelSelector)
	f.labelSelector(at.Child("namespaceSelector"), t.NamespaceSelector)
	for _, ns := range t.Namespaces {
		f.invalidFor(at.Child("namespace"), ns, validation.ValidateNamespaceName(ns, false))
	}
	f.matchLabelKeys(at, t.MatchLabelKeys, t.MismatchLabelKeys, t.LabelSelector)
	if t.TopologyKey == "" {
		f.required(at.Child("topologyKey"), "can not be empty")
	}
	f.labelName(at.Child("topologyKey"), t.TopologyKey)
}

// matchLabelKeys: by now the selector holds an expression made of each key. A
// key that it held before comes twice.
func (f *findings) matchLabelKeys(at *field.Path, match, mismatch []string, selector *metav1.LabelSelector) {
	for _, list := range []struct {
		name string
		keys []string
	}{{"matchLabelKeys", match}, {"mismatchLabelKeys", mismatch}} {
		at := at.Child(list.name)
		if len(list.keys) > 0 && selector == nil {
			f.forbidden(at, "must not be specified when labelSelector is not set")
			continue
		}
		for i, key := range list.keys {
			f.labelName(at.Index(i), key)
		}
	}
	if selector != nil {
		index, held := map[string]int{}, sets.KeySet(selector.MatchLabels)
		for i, key := range match {
			index[key] = i
		}
		for _, e := range selector.MatchExpressions {
			if i, ok := index[e.Key]; ok && held.Has(e.Key) {
				f.invalid(at.Index(i), e.Key, "exists in both matchLabelKeys and labelSelector")
			}
			held.Insert(e.Key)
		}
	}
	not := sets.New(mismatch...)
	for i, key := range match {
		if not.Has(key) {
			f.invalid(at.Child("matchLabelKeys").Index(i), key, "exists in both matchLabelKeys and mismatchLabelKeys")
		}
	}
}

func (f *findings) topologySpread(list *field.Path, constraints []v1.TopologySpreadConstraint) {
	for i := range constraints {
		c, at := &constraints[i], list.Index(i)
		f.positive(at.Child("maxSkew"), int64(c.MaxSkew))
		if c.TopologyKey == "" {
			f.required(at.Child("topologyKey"), "can not be empty")
		}
		among(f, at.Child("whenUnsatisfiable"), c.WhenUnsatisfiable, v1.DoNotSchedule, v1.ScheduleAnyway)
		for _, other := range constraints[i+1:] {
			if c.TopologyKey == other.TopologyKey && c.WhenUnsatisfiable == other.WhenUnsatisfiable {
				f.duplicate(at.Child("{topologyKey, whenUnsatisfiable}"), fmt.Sprintf("{%v, %v}", c.TopologyKey, c.WhenUnsatisfiable))
				break
			}
		}
		if c.MinDomains != nil {
			f.positive(at.Child("minDomains"), int64(*c.MinDomains))
			if c.WhenUnsatisfiable != v1.DoNotSchedule {
				f.invalid(at.Child("minDomains"), c.MinDomains, fmt.Sprintf(
					"can only use minDomains if whenUnsatisfiable=%s, not %s", v1.DoNotSchedule, c.WhenUnsatisfiable))
			}
		}
		optionalAmong(f, at.Child("nodeAffinityPolicy"), c.NodeAffinityPolicy, v1.NodeInclusionPolicyHonor, v1.NodeInclusionPolicyIgnore)
		optionalAmong(f, at.Child("nodeTaintsPolicy"), c.NodeTaintsPolicy, v1.NodeInclusionPolicyHonor, v1.NodeInclusionPolicyIgnore)
		f.matchLabelKeys(at, c.MatchLabelKeys, nil, c.LabelSelector)
		f.labelSelector(at.Child("labelSelector"), c.LabelSelector)
	}
}

func (f *findings) tolerations(list *field.Path, tolerations []v1.Toleration) {
	for i := range tolerations {
		if !wellKnownTaint(&tolerations[i]) {
			f.toleration(list.Index(i), &tolerations[i])
		}
	}
}

// wellKnownTaint says of a toleration that it is one of the two that every pod is given: nothing is wrong with them.
func wellKnownTaint(t *v1.Toleration) bool {
	return (t.Key == v1.TaintNodeNotReady || t.Key == v1.TaintNodeUnreachable) &&
		t.Operator == v1.TolerationOpExists && t.Value == "" && t.Effect == v1.TaintEffectNoExecute
}

func (f *findings) toleration(at *field.Path, t *v1.Toleration) {
	if t.Key != "" {
		f.labelName(at.Child("key"), t.Key)
	}
	operator := at.Child("operator")
	if t.Key == "" && t.Operator != v1.TolerationOpExists {
		f.invalid(operator, t.Operator, "operator must be Exists when `key` is empty, which means \"match all values and all keys\"")
	}
	if t.TolerationSeconds != nil && t.Effect != v1.TaintEffectNoExecute {
		f.invalid(at.Child("effect"), t.Effect, "effect must be 'NoExecute' when `tolerationSeconds` is set")
	}
	switch t.Operator {
	case v1.TolerationOpEqual, "":
		if messages := utilvalidation.IsValidLabelValue(t.Value); len(messages) > 0 {
			f.invalid(operator, t.Value, strings.Join(messages, ";"))
		}
	case v1.TolerationOpExists:
		if t.Value != "" {
			f.invalid(operator, t.Value, "value must be empty when `operator` is 'Exists'")
		}
	case v1.TolerationOpLt, v1.TolerationOpGt: // an alpha feature, off; the real server lists them nonetheless
		f.add(field.NotSupported(operator, t.Operator, []v1.TolerationOperator{
			v1.TolerationOpEqual, v1.TolerationOpExists, v1.TolerationOpLt, v1.TolerationOpGt}))
	default:
		among(f, operator, t.Operator, v1.TolerationOpEqual, v1.TolerationOpExists)
	}
	if t.Effect != "" {
		among(f, at.Child("effect"), t.Effect, v1.TaintEffectNoSchedule, v1.TaintEffectPreferNoSchedule, v1.TaintEffectNoExecute)
	}
}
