package apiserver

import (
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// resourceQuotaResource is the row of quotas; its strategy is that of Kubernetes 1.37
// pkg/registry/core/resourcequota/strategy.go.
func resourceQuotaResource() Resource {
	return Resource{
		GroupVersionResource: v1.SchemeGroupVersion.WithResource("resourcequotas"),
		Kind:                 "ResourceQuota",
		Singular:             "resourcequota",
		ShortNames:           []string{"quota"},
		Namespaced:           true,
		KeyPrefix:            "/registry/resourcequotas",
		New:                  func() Object { return &v1.ResourceQuota{} },
		NewList:              func() runtime.Object { return &v1.ResourceQuotaList{} },
		Subresources:         []string{"status"},

		Default: act(func(q *v1.ResourceQuota) {
			roundToMilli(q.Spec.Hard)
			roundToMilli(q.Status.Hard)
			roundToMilli(q.Status.Used)
		}),
		PrepareForCreate:       act(func(q *v1.ResourceQuota) { q.Status = v1.ResourceQuotaStatus{} }),
		PrepareForUpdate:       actFrom(func(new, old *v1.ResourceQuota) { new.Status = old.Status }),
		PrepareForStatusUpdate: actFrom(func(new, old *v1.ResourceQuota) { new.Spec = old.Spec }),
		Validate:               check(validateResourceQuota),
		ValidateUpdate:         checkFrom(validateResourceQuotaUpdate),
		ValidateStatus:         checkFrom(validateResourceQuotaStatus),

		Columns:       resourceQuotaColumns(),
		Cells:         cells(resourceQuotaCells),
		Unconditional: true,
	}
}

func limitRangeResource() Resource {
	return Resource{
		GroupVersionResource: v1.SchemeGroupVersion.WithResource("limitranges"),
		Kind:                 "LimitRange",
		Singular:             "limitrange",
		ShortNames:           []string{"limits"},
		Namespaced:           true,
		KeyPrefix:            "/registry/limitranges",
		New:                  func() Object { return &v1.LimitRange{} },
		NewList:              func() runtime.Object { return &v1.LimitRangeList{} },

		Default: act(func(l *v1.LimitRange) {
			for i := range l.Spec.Limits {
				defaultLimitRangeItem(&l.Spec.Limits[i])
			}
		}),
		Validate:       check(validateLimitRange),
		ValidateUpdate: checkFrom(func(new, _ *v1.LimitRange) field.ErrorList { return validateLimitRange(new) }),

		Columns:       limitRangeColumns(),
		Cells:         cells(limitRangeCells),
		Unconditional: true,
	}
}

// defaultLimitRangeItem: a container's limit is by default the greatest, and its request its limit, or else the least.
func defaultLimitRangeItem(l *v1.LimitRangeItem) {
	for _, list := range []v1.ResourceList{l.Max, l.Min, l.Default, l.DefaultRequest, l.MaxLimitRequestRatio} {
		roundToMilli(list)
	}
	if l.Type != v1.LimitTypeContainer {
		return
	}
	l.Default = withMissing(l.Default, l.Max)
	l.DefaultRequest = withMissing(withMissing(l.DefaultRequest, l.Default), l.Min)
}

// withMissing is a list, which may be nil, with what another has and it has not.
func withMissing(list, from v1.ResourceList) v1.ResourceList {
	if list == nil {
		list = v1.ResourceList{}
	}
	for name, q := range from {
		if _, there := list[name]; !there {
			list[name] = q.DeepCopy()
		}
	}
	return list
}
