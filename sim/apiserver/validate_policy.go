package apiserver

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// What the API refuses of quotas and limit ranges, in the paths and words of Kubernetes 1.37 pkg/apis/core/validation.
// Where the real server walks a map, and so answers in any order, the order here is that of the keys.

func validateLimitRange(l *v1.LimitRange) field.ErrorList {
	var f findings
	seen := map[v1.LimitType]bool{}
	for i := range l.Spec.Limits {
		limit, at := &l.Spec.Limits[i], field.NewPath("spec", "limits").Index(i)
		f.limitType(at.Child("type"), limit.Type)
		if seen[limit.Type] {
			f.duplicate(at.Child("type"), limit.Type)
		}
		seen[limit.Type] = true
		f.limitRangeItem(at, limit)
	}
	return f.errs
}

func (f *findings) limitType(at *field.Path, t v1.LimitType) {
	if messages := validation.IsQualifiedName(string(t)); len(messages) > 0 {
		f.invalidFor(at, t, messages)
		return
	}
	standard := t == v1.LimitTypePod || t == v1.LimitTypeContainer || t == v1.LimitTypePersistentVolumeClaim
	if !strings.Contains(string(t), "/") && !standard {
		f.invalid(at, t, "must be a standard limit type or fully qualified")
	}
}

func (f *findings) limitRangeItem(at *field.Path, l *v1.LimitRangeItem) {
	checkName := func(at *field.Path, name v1.ResourceName) { f.resourceName(at, name) }
	if l.Type == v1.LimitTypePod || l.Type == v1.LimitTypeContainer {
		checkName = f.containerResourceName
	}
	keys := sets.Set[v1.ResourceName]{}
	take := func(name string, list v1.ResourceList) {
		for _, k := range slices.Sorted(maps.Keys(list)) {
			checkName(at.Child(name).Key(string(k)), k)
			keys.Insert(k)
		}
	}
	def, request := l.Default, l.DefaultRequest
	take("max", l.Max)
	take("min", l.Min)
	if l.Type == v1.LimitTypePod {
		if len(def) > 0 {
			f.forbidden(at.Child("default"), "may not be specified when `type` is 'Pod'")
		}
		if len(request) > 0 {
			f.forbidden(at.Child("defaultRequest"), "may not be specified when `type` is 'Pod'")
		}
		def, request = nil, nil
	} else {
		take("default", def)
		take("defaultRequest", request)
	}
	if l.Type == v1.LimitTypePersistentVolumeClaim {
		_, min := l.Min[v1.ResourceStorage]
		if _, max := l.Max[v1.ResourceStorage]; !min && !max {
			f.required(at.Child("limits"), "either minimum or maximum storage value is required, but neither was provided")
		}
	}
	take("maxLimitRequestRatio", l.MaxLimitRequestRatio)
	for _, k := range sets.List(keys) {
		f.limitsInOrder(at, k, l.Min, l.Max, def, request)
		f.limitRatio(at, k, l)
		d, hasDefault := def[k]
		if r, ok := request[k]; ok && hasDefault && !overcommits(k) && d.Cmp(r) != 0 {
			f.invalid(at.Child("defaultRequest").Key(string(k)), r,
				fmt.Sprintf("default value %s must equal to defaultRequest value %s in %s", d.String(), r.String(), k))
		}
	}
}

// limitsInOrder: min ≤ default request ≤ default limit ≤ max, as far as they are given. The values that the answer
// shows are those of the real server, which are not always those at fault.
func (f *findings) limitsInOrder(at *field.Path, k v1.ResourceName, min, max, def, request v1.ResourceList) {
	for _, c := range []struct {
		low, high         v1.ResourceList
		field             string
		shown             v1.ResourceList
		lowName, highName string
	}{
		{min, max, "min", min, "min value", "max value"},
		{min, request, "defaultRequest", request, "min value", "default request value"},
		{request, max, "defaultRequest", request, "default request value", "max value"},
		{request, def, "defaultRequest", request, "default request value", "default limit value"},
		{min, def, "default", min, "min value", "default value"},
		{def, max, "default", max, "default value", "max value"},
	} {
		low, hasLow := c.low[k]
		high, hasHigh := c.high[k]
		if hasLow && hasHigh && low.Cmp(high) > 0 {
			f.invalid(at.Child(c.field).Key(string(k)), c.shown[k],
				fmt.Sprintf("%s %s is greater than %s %s", c.lowName, low.String(), c.highName, high.String()))
		}
	}
}

func (f *findings) limitRatio(at *field.Path, k v1.ResourceName, l *v1.LimitRangeItem) {
	ratio, ok := l.MaxLimitRequestRatio[k]
	if !ok {
		return
	}
	at = at.Child("maxLimitRequestRatio").Key(string(k))
	if ratio.Cmp(*resource.NewQuantity(1, resource.DecimalSI)) < 0 {
		f.invalid(at, ratio, fmt.Sprintf("ratio %s is less than 1", ratio.String()))
	}
	min, hasMin := l.Min[k]
	max, hasMax := l.Max[k]
	if !hasMin || !hasMax {
		return
	}
	value, low, high := float64(ratio.Value()), min.Value(), max.Value()
	if ratio.Value() < resource.MaxMilliValue && low < resource.MaxMilliValue && high < resource.MaxMilliValue {
		value, low, high = float64(ratio.MilliValue())/1000, min.MilliValue(), max.MilliValue()
	}
	if most := float64(high) / float64(low); value > most {
		f.invalid(at, ratio, fmt.Sprintf("ratio %s is greater than max/min = %f", ratio.String(), most))
	}
}

func validateResourceQuota(q *v1.ResourceQuota) field.ErrorList {
	var f findings
	f.quotaSpec(field.NewPath("spec"), &q.Spec)
	f.quotaStatus(field.NewPath("status"), &q.Status)
	return f.errs
}

func (f *findings) quotaSpec(at *field.Path, s *v1.ResourceQuotaSpec) {
	f.quotaAmounts(at.Child("hard"), s.Hard)
	f.quotaScopes(at.Child("scopes"), s)
	if s.ScopeSelector != nil {
		f.quotaSelector(at.Child("scopeSelector", "matchExpressions"), s)
	}
}

func (f *findings) quotaStatus(at *field.Path, s *v1.ResourceQuotaStatus) {
	f.quotaAmounts(at.Child("hard"), s.Hard)
	f.quotaAmounts(at.Child("used"), s.Used)
}

func (f *findings) quotaAmounts(at *field.Path, list v1.ResourceList) {
	for _, name := range slices.Sorted(maps.Keys(list)) {
		at := at.Key(string(name))
		f.resourceName(at, name)
		if !strings.Contains(string(name), "/") && !standardInQuota(name) {
			f.invalid(at, name, "must be a standard resource for quota")
		}
		f.resourceQuantity(at, name, list[name])
	}
}

// standardInQuota: all the standard resources but storage, which a quota limits as requests.storage.
func standardInQuota(name v1.ResourceName) bool {
	return standardResources.Has(name) && name != v1.ResourceStorage || isHugePages(name) || strings.HasPrefix(string(name), v1.ResourceRequestsHugePagesPrefix)
}

// quotaScope is a part of the objects that a quota may be limited to, with the resources that it can limit of them.
type quotaScope struct {
	resources   sets.Set[v1.ResourceName]
	existsAlone bool // a selector of it takes no other operator
}

var (
	podCounts = sets.New(v1.ResourcePods)
	podLimits = sets.New(v1.ResourcePods, v1.ResourceCPU, v1.ResourceMemory, v1.ResourceLimitsCPU, v1.ResourceLimitsMemory,
		v1.ResourceRequestsCPU, v1.ResourceRequestsMemory)
	quotaScopes = map[v1.ResourceQuotaScope]quotaScope{
		v1.ResourceQuotaScopeTerminating:               {podLimits, true},
		v1.ResourceQuotaScopeNotTerminating:            {podLimits, true},
		v1.ResourceQuotaScopeBestEffort:                {podCounts, true},
		v1.ResourceQuotaScopeNotBestEffort:             {podLimits, true},
		v1.ResourceQuotaScopePriorityClass:             {podLimits, false},
		v1.ResourceQuotaScopeCrossNamespacePodAffinity: {podLimits, true},
		v1.ResourceQuotaScopeVolumeAttributesClass:     {sets.New(v1.ResourcePersistentVolumeClaims, v1.ResourceRequestsStorage), false},
	}
)

// limitable says whether all of a quota's standard resources can be limited within a scope; once for each that cannot.
func (f *findings) limitable(at *field.Path, scope v1.ResourceQuotaScope, hard v1.ResourceList, value any) {
	of, known := quotaScopes[scope]
	for _, name := range slices.Sorted(maps.Keys(hard)) {
		if known && standardInQuota(name) && !of.resources.Has(name) {
			f.invalid(at, value, "unsupported scope applied to resource")
		}
	}
}

func (f *findings) quotaScopes(at *field.Path, s *v1.ResourceQuotaSpec) {
	given := sets.Set[v1.ResourceQuotaScope]{}
	for _, scope := range s.Scopes {
		if _, known := quotaScopes[scope]; !known {
			f.invalid(at, s.Scopes, "unsupported scope")
		}
		f.limitable(at, scope, s.Hard, s.Scopes)
		given.Insert(scope)
	}
	f.conflictingScopes(at, given, s.Scopes)
}

func (f *findings) conflictingScopes(at *field.Path, given sets.Set[v1.ResourceQuotaScope], shown any) {
	if given.HasAll(v1.ResourceQuotaScopeBestEffort, v1.ResourceQuotaScopeNotBestEffort) {
		f.invalid(at, shown, "conflicting scopes")
	}
	if given.HasAll(v1.ResourceQuotaScopeTerminating, v1.ResourceQuotaScopeNotTerminating) {
		f.invalid(at, shown, "conflicting scopes")
	}
}

func (f *findings) quotaSelector(at *field.Path, s *v1.ResourceQuotaSpec) {
	given := sets.Set[v1.ResourceQuotaScope]{}
	for _, r := range s.ScopeSelector.MatchExpressions {
		of, known := quotaScopes[r.ScopeName]
		if !known {
			f.invalid(at.Child("scopeName"), r.ScopeName, "unsupported scope")
		}
		f.limitable(at, r.ScopeName, s.Hard, inServer{s.ScopeSelector})
		if known && of.existsAlone && r.Operator != v1.ScopeSelectorOpExists {
			f.invalid(at.Child("operator"), r.Operator, "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity")
		}
		switch r.Operator {
		case v1.ScopeSelectorOpIn, v1.ScopeSelectorOpNotIn:
			if len(r.Values) == 0 {
				f.required(at.Child("values"), "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector")
			}
		case v1.ScopeSelectorOpExists, v1.ScopeSelectorOpDoesNotExist:
			if len(r.Values) != 0 {
				f.invalid(at.Child("values"), r.Values, "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector")
			}
		default:
			f.invalid(at.Child("operator"), r.Operator, "not a valid selector operator")
		}
		given.Insert(r.ScopeName)
	}
	f.conflictingScopes(at, given, s.Scopes)
}

func validateResourceQuotaUpdate(new, old *v1.ResourceQuota) field.ErrorList {
	var f findings
	f.quotaSpec(field.NewPath("spec"), &new.Spec)
	if !sets.New(new.Spec.Scopes...).Equal(sets.New(old.Spec.Scopes...)) {
		f.invalid(field.NewPath("spec", "scopes"), new.Spec.Scopes, apivalidation.FieldImmutableErrorMsg)
	}
	return f.errs
}

func validateResourceQuotaStatus(new, _ *v1.ResourceQuota) field.ErrorList {
	f := findings{errs: needVersion(new)}
	f.quotaStatus(field.NewPath("status"), &new.Status)
	return f.errs
}
