package apiserver

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// sysctlName, as sysctl(8) takes it, with dots or slashes.
var sysctlName = regexp.MustCompile(`^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$`)

const sysctlNameMax = 253

// podSecurityContext is of the whole pod, or of a template's.
func (f *findings) podSecurityContext(at *field.Path, spec *v1.PodSpec) {
	sc := spec.SecurityContext
	if sc == nil {
		return
	}
	f.groupID(at, "fsGroup", sc.FSGroup)
	f.userID(at, "runAsUser", sc.RunAsUser)
	f.groupID(at, "runAsGroup", sc.RunAsGroup)
	for i := range sc.SupplementalGroups {
		f.invalidFor(at.Child("supplementalGroups").Index(i), sc.SupplementalGroups[i], validation.IsValidGroupID(sc.SupplementalGroups[i]))
	}
	if len(sc.Sysctls) > 0 {
		f.sysctls(at.Child("sysctls"), spec)
	}
	if sc.FSGroupChangePolicy != nil {
		among(f, at.Child("fsGroupChangePolicy"), *sc.FSGroupChangePolicy, v1.FSGroupChangeAlways, v1.FSGroupChangeOnRootMismatch)
	}
	f.seccomp(at, sc.SeccompProfile)
	f.appArmor(at, sc.AppArmorProfile)
	if sc.SupplementalGroupsPolicy != nil {
		among(f, at.Child("supplementalGroupsPolicy"), *sc.SupplementalGroupsPolicy,
			v1.SupplementalGroupsPolicyMerge, v1.SupplementalGroupsPolicyStrict)
	}
	if sc.SELinuxChangePolicy != nil {
		among(f, at.Child("seLinuxChangePolicy"), *sc.SELinuxChangePolicy,
			v1.SELinuxChangePolicyMountOption, v1.SELinuxChangePolicyRecursive)
	}
}

func (f *findings) userID(parent *field.Path, name string, id *int64) {
	if id != nil {
		f.invalidFor(parent.Child(name), *id, validation.IsValidUserID(*id))
	}
}

func (f *findings) groupID(parent *field.Path, name string, id *int64) {
	if id != nil {
		f.invalidFor(parent.Child(name), *id, validation.IsValidGroupID(*id))
	}
}

func (f *findings) sysctls(list *field.Path, spec *v1.PodSpec) {
	seen := sets.Set[string]{}
	for i, s := range spec.SecurityContext.Sysctls {
		at := list.Index(i).Child("name")
		switch {
		case s.Name == "":
			f.required(at, "")
		case len(s.Name) > sysctlNameMax || !sysctlName.MatchString(s.Name):
			f.invalid(at, s.Name, fmt.Sprintf("must have at most %d characters and match regex %s", sysctlNameMax, sysctlName))
		case seen.Has(s.Name):
			f.duplicate(at, s.Name)
		}
		seen.Insert(s.Name)
		name := strings.ReplaceAll(s.Name, "/", ".")
		switch {
		case spec.HostNetwork && strings.HasPrefix(name, "net."):
			f.invalid(at, s.Name, "may not be specified when 'hostNetwork' is true")
		case spec.HostIPC && isIPCSysctl(name):
			f.invalid(at, s.Name, "may not be specified when 'hostIPC' is true")
		}
	}
}

// isIPCSysctl: namespaced with the processes' shared memory and queues.
func isIPCSysctl(name string) bool {
	return name == "kernel.sem" || strings.HasPrefix(name, "kernel.shm") || strings.HasPrefix(name, "kernel.msg") ||
		strings.HasPrefix(name, "fs.mqueue.")
}

// securityContext of a container.
func (f *findings) securityContext(at *field.Path, sc *v1.SecurityContext, hostUsers bool) {
	if sc == nil {
		return
	}
	f.userID(at, "runAsUser", sc.RunAsUser)
	f.groupID(at, "runAsGroup", sc.RunAsGroup)
	if sc.ProcMount != nil {
		among(f, at.Child("procMount"), *sc.ProcMount, v1.DefaultProcMount, v1.UnmaskedProcMount)
		if hostUsers && *sc.ProcMount == v1.UnmaskedProcMount {
			f.invalid(at.Child("procMount"), sc.ProcMount, "`hostUsers` must be false to use `Unmasked`")
		}
	}
	f.seccomp(at, sc.SeccompProfile)
	if sc.AllowPrivilegeEscalation != nil && !*sc.AllowPrivilegeEscalation {
		if sc.Privileged != nil && *sc.Privileged {
			f.invalid(at, inServer{sc}, "cannot set `allowPrivilegeEscalation` to false and `privileged` to true")
		}
		if sc.Capabilities != nil && slices.Contains(sc.Capabilities.Add, "CAP_SYS_ADMIN") {
			f.invalid(at, inServer{sc}, "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN")
		}
	}
	f.appArmor(at, sc.AppArmorProfile)
}

func (f *findings) seccomp(parent *field.Path, p *v1.SeccompProfile) {
	if p == nil {
		return
	}
	at := parent.Child("seccompProfile")
	if p.Type == "" {
		f.required(at.Child("type"), "type is required when seccompProfile is set")
	} else {
		among(f, at.Child("type"), p.Type, v1.SeccompProfileTypeLocalhost, v1.SeccompProfileTypeRuntimeDefault, v1.SeccompProfileTypeUnconfined)
	}
	at = at.Child("localhostProfile")
	switch {
	case p.Type != v1.SeccompProfileTypeLocalhost && p.LocalhostProfile != nil:
		f.invalid(at, inServer{p}, "can only be set when seccomp type is Localhost")
	case p.Type != v1.SeccompProfileTypeLocalhost:
	case p.LocalhostProfile == nil:
		f.required(at, "must be set when seccomp type is Localhost")
	default:
		f.relativePath(at, *p.LocalhostProfile)
	}
}

func (f *findings) appArmor(parent *field.Path, p *v1.AppArmorProfile) {
	if p == nil {
		return
	}
	at := parent.Child("appArmorProfile")
	local := at.Child("localhostProfile")
	switch p.Type {
	case v1.AppArmorProfileTypeLocalhost:
		if p.LocalhostProfile == nil {
			f.required(local, "must be set when AppArmor type is Localhost")
			return
		}
		const pathMax = 4095
		switch name := *p.LocalhostProfile; {
		case strings.TrimSpace(name) != name:
			f.invalid(local, name, "must not be padded with whitespace")
		case name == "":
			f.required(local, "must be set when AppArmor type is Localhost")
		}
		if len(*p.LocalhostProfile) > pathMax {
			f.add(field.TooLong(local, "", pathMax))
		}
	case v1.AppArmorProfileTypeRuntimeDefault, v1.AppArmorProfileTypeUnconfined:
		if p.LocalhostProfile != nil {
			f.invalid(local, p.LocalhostProfile, "can only be set when AppArmor type is Localhost")
		}
	case "":
		f.required(at.Child("type"), "type is required when appArmorProfile is set")
	default:
		among(f, at.Child("type"), p.Type,
			v1.AppArmorProfileTypeLocalhost, v1.AppArmorProfileTypeRuntimeDefault, v1.AppArmorProfileTypeUnconfined)
	}
}

// annotations are those of a pod that mean something to Kubernetes.
func (f *findings) annotations(at *field.Path, annotations map[string]string, spec *v1.PodSpec) {
	if value, ok := annotations[v1.MirrorPodAnnotationKey]; ok && spec.NodeName == "" {
		f.invalid(at.Key(v1.MirrorPodAnnotationKey), value, "must set spec.nodeName if mirror pod annotation is set")
	}
	if cost, ok := annotations[podDeletionCost]; ok && !isDeletionCost(cost) {
		f.invalid(at.Key(podDeletionCost), cost, "must be a 32bit integer")
	}
	for _, key := range slices.Sorted(maps.Keys(annotations)) {
		container, ok := strings.CutPrefix(key, v1.DeprecatedAppArmorBetaContainerAnnotationKeyPrefix)
		if !ok {
			continue
		}
		found := false
		eachContainer(spec, nil, func(c *v1.Container, _ *field.Path) { found = found || c.Name == container })
		if !found {
			f.invalid(at.Key(key), container, "container not found")
		}
		switch p := annotations[key]; {
		case p == "", p == v1.DeprecatedAppArmorBetaProfileRuntimeDefault, p == v1.DeprecatedAppArmorBetaProfileNameUnconfined:
		case !strings.HasPrefix(p, v1.DeprecatedAppArmorBetaProfileNamePrefix):
			f.invalid(at.Key(key), p, fmt.Sprintf("invalid AppArmor profile name: %q", p))
		}
	}
}

// podDeletionCost ranks the pods that a ReplicaSet gives up first: the cheapest.
const podDeletionCost = "controller.kubernetes.io/pod-deletion-cost"

// isDeletionCost: an integer of 32 bits, without plus sign or leading zeros.
func isDeletionCost(s string) bool {
	n, err := strconv.ParseInt(s, 10, 32)
	return err == nil && (s[0] == '-' || fmt.Sprint(n) == s)
}
