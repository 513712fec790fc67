package apiserver

import (
	"fmt"
	"slices"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	netutils "k8s.io/utils/net"
)

// validateClusterIPs checks the four fields that go together: clusterIP,
// clusterIPs, ipFamilies, ipFamilyPolicy (Kubernetes 1.37
// ValidateServiceClusterIPsRelatedFields).
func validateClusterIPs(s, old *v1.Service) field.ErrorList {
	if s.Spec.Type == v1.ServiceTypeExternalName {
		return nil
	}
	path := field.NewPath("spec", "clusterIPs")
	ips := s.Spec.ClusterIPs
	var errs field.ErrorList
	switch {
	case s.Spec.ClusterIP == "" && len(ips) > 0:
		errs = append(errs, field.Invalid(path, ips, "must be empty when `clusterIP` is not specified"))
	case s.Spec.ClusterIP != "" && len(ips) == 0:
		errs = append(errs, field.Required(path, ""))
	case s.Spec.ClusterIP != "" && ips[0] != s.Spec.ClusterIP:
		errs = append(errs, field.Invalid(path, ips, "first value must match `clusterIP`"))
	}
	errs = append(errs, validateFamilies(s)...)

	bad := validateEachClusterIP(s, old, path)
	errs = append(errs, bad...)
	if len(ips) > 2 {
		errs = append(errs, field.Invalid(path, ips, "may only hold up to 2 values"))
	}
	if len(bad) > 0 {
		return errs
	}
	if len(ips) > 1 && sameFamily(ips) {
		errs = append(errs, field.Invalid(path, ips, "may specify no more than one IP for each IP family"))
	}
	return append(errs, validateIPsOfFamilies(s, path)...)
}

func validateFamilies(s *v1.Service) field.ErrorList {
	var errs field.ErrorList
	for i, family := range s.Spec.IPFamilies {
		path := field.NewPath("spec", "ipFamilies").Index(i)
		if family != v1.IPv4Protocol && family != v1.IPv6Protocol {
			errs = append(errs, field.NotSupported(path, family, []v1.IPFamily{v1.IPv4Protocol, v1.IPv6Protocol}))
		}
		if slices.Contains(s.Spec.IPFamilies[:i], family) {
			errs = append(errs, field.Duplicate(path, family))
		}
	}
	known := []v1.IPFamilyPolicy{v1.IPFamilyPolicyPreferDualStack, v1.IPFamilyPolicyRequireDualStack, v1.IPFamilyPolicySingleStack}
	if p := s.Spec.IPFamilyPolicy; p != nil && !slices.Contains(known, *p) {
		errs = append(errs, field.NotSupported(field.NewPath("spec", "ipFamilyPolicy"), *p, known))
	}
	return errs
}

func validateEachClusterIP(s, old *v1.Service, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	var before []string
	if old != nil {
		before = old.Spec.ClusterIPs
	}
	for i, ip := range s.Spec.ClusterIPs {
		if i == 0 && ip == v1.ClusterIPNone {
			if len(s.Spec.ClusterIPs) > 1 {
				errs = append(errs, field.Invalid(path, s.Spec.ClusterIPs, "'None' must be the first and only value"))
			}
			continue
		}
		errs = append(errs, validation.IsValidIPForLegacyField(path.Index(i), ip, true, before)...)
	}
	return errs
}

func validateIPsOfFamilies(s *v1.Service, path *field.Path) field.ErrorList {
	if headless(s) {
		return nil
	}
	var errs field.ErrorList
	for i, ip := range s.Spec.ClusterIPs[:min(len(s.Spec.ClusterIPs), len(s.Spec.IPFamilies))] {
		family := s.Spec.IPFamilies[i]
		if family == v1.IPv4Protocol && netutils.IsIPv6String(ip) || family == v1.IPv6Protocol && !netutils.IsIPv6String(ip) {
			errs = append(errs, field.Invalid(path.Index(i), ip,
				fmt.Sprintf("expected an %s value as indicated by `ipFamilies[%v]`", family, i)))
		}
	}
	return errs
}

const mayNotChange = "may not change once set"

// validateClusterIPChange: the first address of a service stays for its life; a
// second one may come and go.
func validateClusterIPChange(new, old *v1.Service) field.ErrorList {
	if !usesClusterIP(new) || !usesClusterIP(old) || headless(new) && headless(old) {
		return nil
	}
	path := field.NewPath("spec", "clusterIPs")
	is, was := new.Spec.ClusterIPs, old.Spec.ClusterIPs
	var errs field.ErrorList
	if len(is) == len(was) {
		for i := range was {
			if is[i] != was[i] {
				errs = append(errs, field.Invalid(path.Index(i), is, mayNotChange))
			}
		}
		return errs
	}
	if len(is) == 0 {
		return append(errs, field.Invalid(path.Index(0), is, "primary clusterIP can not be unset"))
	}
	if len(was) > 0 && is[0] != was[0] {
		errs = append(errs, field.Invalid(path.Index(0), is, mayNotChange))
	}
	if len(is) < len(was) && !singleStack(new) {
		errs = append(errs, field.Invalid(field.NewPath("spec", "ipFamilyPolicy"), new.Spec.IPFamilyPolicy,
			"must be set to 'SingleStack' when releasing the secondary clusterIP"))
	}
	return errs
}

func validateFamilyChange(new, old *v1.Service) field.ErrorList {
	if !usesClusterIP(new) || !usesClusterIP(old) || headless(new) || headless(old) {
		return nil
	}
	path := field.NewPath("spec", "ipFamilies").Index(0)
	is, was := new.Spec.IPFamilies, old.Spec.IPFamilies
	var errs field.ErrorList
	if len(is) == len(was) {
		for i := range was {
			if is[i] != was[i] {
				errs = append(errs, field.Invalid(path, is, mayNotChange))
			}
		}
		return errs
	}
	if len(is) > 0 && len(was) > 0 && is[0] != was[0] {
		errs = append(errs, field.Invalid(path, new.Spec.ClusterIPs, mayNotChange))
	}
	if len(is) == 1 && len(was) == 2 && !singleStack(new) {
		errs = append(errs, field.Invalid(field.NewPath("spec", "ipFamilyPolicy"), new.Spec.IPFamilyPolicy,
			"must be set to 'SingleStack' when releasing the secondary ipFamily"))
	}
	return errs
}

func singleStack(s *v1.Service) bool {
	return s.Spec.IPFamilyPolicy != nil && *s.Spec.IPFamilyPolicy == v1.IPFamilyPolicySingleStack
}
