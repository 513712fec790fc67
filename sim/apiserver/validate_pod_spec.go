package apiserver

import (
	"fmt"
	"math"
	"strings"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// podSpec checks the spec of a pod, or of a template: then meta is nil. It has
// been defaulted.
func (f *findings) podSpec(at *field.Path, spec *v1.PodSpec, meta *metav1.ObjectMeta) {
	if spec.TerminationGracePeriodSeconds == nil {
		f.required(at.Child("terminationGracePeriodSeconds"), "")
	}
	cc := &containerContext{spec: spec, claims: sets.Set[string]{}}
	cc.volumes = f.volumes(at.Child("volumes"), spec.Volumes, meta)
	if len(spec.ResourceClaims) > 0 { // no path is made for what is not there: most pods have little of what follows
		f.podClaims(at.Child("resourceClaims"), spec.ResourceClaims, cc.claims)
	}
	f.containers(at, cc)
	if spec.Resources != nil {
		f.podLevelResources(at.Child("resources"), spec, cc.claims)
	}
	if spec.HostNetwork {
		f.hostNetworkPorts(at.Child("containers"), spec)
	}
	if spec.RestartPolicy != v1.RestartPolicyAlways {
		requiredAmong(f, at.Child("restartPolicy"), spec.RestartPolicy,
			v1.RestartPolicyAlways, v1.RestartPolicyOnFailure, v1.RestartPolicyNever)
	}
	if spec.DNSPolicy != v1.DNSClusterFirst {
		requiredAmong(f, at.Child("dnsPolicy"), spec.DNSPolicy,
			v1.DNSClusterFirstWithHostNet, v1.DNSClusterFirst, v1.DNSDefault, v1.DNSNone)
	}
	if len(spec.NodeSelector) > 0 {
		f.labels(at.Child("nodeSelector"), spec.NodeSelector)
	}
	f.podSecurityContext(at.Child("securityContext"), spec)
	if share := spec.ShareProcessNamespace; share != nil && *share && spec.HostPID {
		f.invalid(at.Child("shareProcessNamespace"), *share, "ShareProcessNamespace and HostPID cannot both be enabled")
	}
	if spec.Affinity != nil {
		f.affinity(at.Child("affinity"), spec.Affinity)
	}
	f.dnsConfig(at, spec)
	for i, g := range spec.ReadinessGates {
		f.qualifiedName(at.Child("readinessGates").Index(i).Child("conditionType"), string(g.ConditionType))
	}
	if len(spec.SchedulingGates) > 0 {
		f.schedulingGates(at.Child("schedulingGates"), spec.SchedulingGates)
	}
	if len(spec.TopologySpreadConstraints) > 0 {
		f.topologySpread(at.Child("topologySpreadConstraints"), spec.TopologySpreadConstraints)
	}
	f.userNamespace(at, spec)
	f.hostnameOverride(at, spec)
	f.podNames(at, spec)
	f.tolerations(at.Child("tolerations"), spec.Tolerations)
	for i, a := range spec.HostAliases {
		at := at.Child("hostAliases").Index(i)
		f.add(validation.IsValidIPForLegacyField(at.Child("ip"), a.IP, true, nil)...)
		for j, name := range a.Hostnames {
			f.subdomain(at.Child("hostnames").Index(j), name)
		}
	}
	f.classesAndOverhead(at, spec)
	f.podOS(at, spec)
	f.fileKeyRefVolumes(at, spec)
}

// podClaims checks spec.resourceClaims and gathers their names.
func (f *findings) podClaims(list *field.Path, claims []v1.PodResourceClaim, names sets.Set[string]) {
	for i := range claims {
		c, at := &claims[i], list.Index(i)
		switch {
		case c.Name == "":
			f.required(at.Child("name"), "")
		case names.Has(c.Name):
			f.duplicate(at.Child("name"), c.Name)
		default:
			f.label(at.Child("name"), c.Name)
			names.Insert(c.Name)
		}
		switch {
		case c.ResourceClaimName != nil && c.ResourceClaimTemplateName != nil:
			f.invalid(at, inServer{c}, "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified")
		case c.ResourceClaimName == nil && c.ResourceClaimTemplateName == nil:
			f.invalid(at, inServer{c}, "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`")
		}
		if c.ResourceClaimName != nil {
			f.subdomain(at.Child("resourceClaimName"), *c.ResourceClaimName)
		}
		if c.ResourceClaimTemplateName != nil {
			f.subdomain(at.Child("resourceClaimTemplateName"), *c.ResourceClaimTemplateName)
		}
	}
}

// hostNetworkPorts: on the node's network a port is the node's. A template may leave it to the pod's defaults.
func (f *findings) hostNetworkPorts(at *field.Path, spec *v1.PodSpec) {
	if !spec.HostNetwork {
		return
	}
	for i, c := range spec.Containers {
		for j, p := range c.Ports {
			if p.HostPort != p.ContainerPort && (f.aPod || p.HostPort != 0) {
				f.invalid(at.Index(i).Child("ports").Index(j).Child("hostPort"), p.HostPort,
					"must match `containerPort` when `hostNetwork` is true")
			}
		}
	}
}

// Limits of the C library's resolver.
const (
	maxNameservers     = 3
	maxSearchPaths     = 32
	maxSearchListChars = 2048
)

func (f *findings) dnsConfig(parent *field.Path, spec *v1.PodSpec) {
	c := spec.DNSConfig
	if c == nil && spec.DNSPolicy != v1.DNSNone {
		return
	}
	at := parent.Child("dnsConfig")
	if spec.DNSPolicy == v1.DNSNone {
		if c == nil {
			f.required(at, fmt.Sprintf("must provide `dnsConfig` when `dnsPolicy` is %s", v1.DNSNone))
			return
		}
		if len(c.Nameservers) == 0 {
			f.required(at.Child("nameservers"), fmt.Sprintf("must provide at least one DNS nameserver when `dnsPolicy` is %s", v1.DNSNone))
			return
		}
	}
	if len(c.Nameservers) > maxNameservers {
		f.invalid(at.Child("nameservers"), c.Nameservers, fmt.Sprintf("must not have more than %v nameservers", maxNameservers))
	}
	for i, ns := range c.Nameservers {
		f.add(validation.IsValidIPForLegacyField(at.Child("nameservers").Index(i), ns, true, nil)...)
	}
	searches := at.Child("searches")
	if len(c.Searches) > maxSearchPaths {
		f.invalid(searches, c.Searches, fmt.Sprintf("must not have more than %v search paths", maxSearchPaths))
	}
	if len(strings.Join(c.Searches, " ")) > maxSearchListChars {
		f.invalid(searches, c.Searches,
			fmt.Sprintf("must not have more than %v characters (including spaces) in the search list", maxSearchListChars))
	}
	for i, s := range c.Searches {
		if s == "." {
			continue
		}
		s = strings.TrimSuffix(s, ".")
		f.invalidFor(searches.Index(i), s, validation.IsDNS1123SubdomainWithUnderscore(s))
	}
	for i, o := range c.Options {
		if o.Name == "" {
			f.required(at.Child("options").Index(i), "must not be empty")
		}
	}
}

func (f *findings) schedulingGates(list *field.Path, gates []v1.PodSchedulingGate) {
	seen := sets.Set[string]{}
	for i, g := range gates {
		f.qualifiedName(list.Index(i), g.Name)
		if seen.Has(g.Name) {
			f.duplicate(list.Index(i), g.Name)
		}
		seen.Insert(g.Name)
	}
}

// userNamespace: with users of its own, a pod shares little else with its node.
func (f *findings) userNamespace(at *field.Path, spec *v1.PodSpec) {
	if spec.HostUsers == nil || *spec.HostUsers {
		return
	}
	const refused = "when `hostUsers` is false"
	if spec.HostNetwork {
		f.forbidden(at.Child("hostNetwork"), refused)
	}
	if spec.HostPID {
		f.forbidden(at.Child("HostPID"), refused)
	}
	if spec.HostIPC {
		f.forbidden(at.Child("HostIPC"), refused)
	}
	eachContainer(spec, at, func(c *v1.Container, at *field.Path) {
		if len(c.VolumeDevices) > 0 {
			f.forbidden(at.Child("volumeDevices"), refused)
		}
	})
}

func (f *findings) hostnameOverride(parent *field.Path, spec *v1.PodSpec) {
	name := spec.HostnameOverride
	if name == nil {
		return
	}
	at := parent.Child("hostnameOverride")
	if spec.SetHostnameAsFQDN != nil && *spec.SetHostnameAsFQDN {
		f.forbidden(at, "may not be specified when setHostnameAsFQDN is true")
	}
	if spec.HostNetwork {
		f.forbidden(at, "may not be specified when hostNetwork is true")
	}
	if len(*name) > 64 {
		f.add(field.TooLong(at, "", 64))
	}
	f.subdomain(at, *name)
}

// podNames are the names of other things, which need not exist, and the deadline among them.
func (f *findings) podNames(at *field.Path, spec *v1.PodSpec) {
	if spec.ServiceAccountName != "" {
		f.subdomain(at.Child("serviceAccountName"), spec.ServiceAccountName)
	}
	if spec.DeprecatedServiceAccount != spec.ServiceAccountName {
		f.invalid(at.Child("deprecatedServiceAccount"), spec.DeprecatedServiceAccount,
			fmt.Sprintf("must be the same as serviceAccountName: %q", spec.ServiceAccountName))
	}
	if spec.NodeName != "" {
		f.subdomain(at.Child("nodeName"), spec.NodeName)
	}
	if d := spec.ActiveDeadlineSeconds; d != nil && (*d < 1 || *d > math.MaxInt32) {
		f.invalid(at.Child("activeDeadlineSeconds"), *d, validation.InclusiveRangeError(1, math.MaxInt32))
	}
	if spec.Hostname != "" {
		f.label(at.Child("hostname"), spec.Hostname)
	}
	if spec.Subdomain != "" {
		f.label(at.Child("subdomain"), spec.Subdomain)
	}
}

func (f *findings) classesAndOverhead(at *field.Path, spec *v1.PodSpec) {
	if spec.PriorityClassName != "" {
		f.subdomain(at.Child("priorityClassName"), spec.PriorityClassName)
	}
	if spec.RuntimeClassName != nil {
		f.subdomain(at.Child("runtimeClassName"), *spec.RuntimeClassName)
	}
	if spec.PreemptionPolicy != nil {
		requiredAmong(f, at.Child("preemptionPolicy"), *spec.PreemptionPolicy, v1.PreemptLowerPriority, v1.PreemptNever)
	}
	if spec.Overhead != nil {
		f.resources(at.Child("overhead"), &v1.ResourceRequirements{Limits: spec.Overhead}, nil, f.containerResourceName)
	}
}

// podOS: what a pod for Linux or for Windows may not have. Without spec.os the kubelet finds out.
func (f *findings) podOS(at *field.Path, spec *v1.PodSpec) {
	switch {
	case spec.OS == nil:
	case spec.OS.Name == "":
		f.required(at.Child("os", "name"), "")
	case spec.OS.Name == v1.Linux:
		f.notForLinux(at, spec)
	case spec.OS.Name == v1.Windows:
		f.notForWindows(at, spec)
	default:
		among(f, at.Child("os"), spec.OS.Name, v1.Linux, v1.Windows)
	}
}

func (f *findings) notForLinux(at *field.Path, spec *v1.PodSpec) {
	const refused = "windows options cannot be set for a linux pod"
	if sc := spec.SecurityContext; sc != nil && sc.WindowsOptions != nil {
		f.forbidden(at.Child("securityContext", "windowsOptions"), refused)
	}
	eachContainer(spec, at, func(c *v1.Container, at *field.Path) {
		if sc := c.SecurityContext; sc != nil && sc.WindowsOptions != nil {
			f.forbidden(at.Child("securityContext", "windowsOptions"), refused)
		}
	})
}

// notForWindows finds the settings that only Linux has.
func (f *findings) notForWindows(at *field.Path, spec *v1.PodSpec) {
	if sc := spec.SecurityContext; sc != nil {
		f.forbidSet(at.Child("securityContext"), []setField{
			{"appArmorProfile", sc.AppArmorProfile != nil}, {"seLinuxOptions", sc.SELinuxOptions != nil},
			{"seccompProfile", sc.SeccompProfile != nil}, {"fsGroup", sc.FSGroup != nil},
			{"fsGroupChangePolicy", sc.FSGroupChangePolicy != nil}, {"sysctls", len(sc.Sysctls) > 0},
			{"runAsUser", sc.RunAsUser != nil}, {"runAsGroup", sc.RunAsGroup != nil},
			{"supplementalGroups", sc.SupplementalGroups != nil},
			{"supplementalGroupsPolicy", sc.SupplementalGroupsPolicy != nil},
			{"seLinuxChangePolicy", sc.SELinuxChangePolicy != nil},
		})
	}
	f.forbidSet(at, []setField{
		{"hostUsers", spec.HostUsers != nil}, {"hostPID", spec.HostPID}, {"hostIPC", spec.HostIPC},
		{"shareProcessNamespace", spec.ShareProcessNamespace != nil},
	})
	eachContainer(spec, at, func(c *v1.Container, at *field.Path) {
		sc := c.SecurityContext
		if sc == nil {
			return
		}
		f.forbidSet(at.Child("securityContext"), []setField{
			{"appArmorProfile", sc.AppArmorProfile != nil}, {"seLinuxOptions", sc.SELinuxOptions != nil},
			{"seccompProfile", sc.SeccompProfile != nil}, {"capabilities", sc.Capabilities != nil},
			{"readOnlyRootFilesystem", sc.ReadOnlyRootFilesystem != nil}, {"privileged", sc.Privileged != nil},
			{"allowPrivilegeEscalation", sc.AllowPrivilegeEscalation != nil}, {"procMount", sc.ProcMount != nil},
			{"runAsUser", sc.RunAsUser != nil}, {"runAsGroup", sc.RunAsGroup != nil},
		})
	})
}

// setField is a field that may not be set, and whether it is.
type setField struct {
	name string
	set  bool
}

func (f *findings) forbidSet(at *field.Path, fields []setField) {
	for _, s := range fields {
		if s.set {
			f.forbidden(at.Child(s.name), "cannot be set for a windows pod")
		}
	}
}
