package apiserver

import (
	"net/netip"
	"slices"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/validation"
	utilvalidation "k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// The paths of a pod's status, made once: every pod has its status written several times, and hardly ever is one wrong.
var (
	statusPath       = field.NewPath("status")
	conditionsPath   = statusPath.Child("conditions")
	qosPath          = statusPath.Child("qosClass")
	statusesPath     = statusPath.Child("containerStatuses")
	initStatusesPath = statusPath.Child("initContainerStatuses")
	debugPath        = statusPath.Child("ephemeralContainerStatuses")
	podIPsPath       = statusPath.Child("podIPs")
	hostIPsPath      = statusPath.Child("hostIPs")
)

// validatePodStatus checks what kubelets, the scheduler and controllers write of
// a pod (Kubernetes 1.37 pkg/apis/core/validation.ValidatePodStatusUpdate). Devices' claims and health are left out.
func validatePodStatus(o, before Object) field.ErrorList {
	pod, old := o.(*v1.Pod), before.(*v1.Pod)
	s, was := &pod.Status, &old.Status
	f := findings{aPod: true}
	f.annotationUpdates(pod, old)
	at := statusPath
	f.conditions(conditionsPath, s.Conditions)
	if pod.Spec.NodeName != old.Spec.NodeName {
		f.forbidden(at.Child("nodeName"), "may not be changed directly")
	}
	if s.NominatedNodeName != was.NominatedNodeName && s.NominatedNodeName != "" {
		f.subdomain(at.Child("nominatedNodeName"), s.NominatedNodeName)
		if old.Spec.NodeName != "" {
			f.forbidden(at.Child("nominatedNodeName"), "may not be set on pods that are already bound to a node")
		}
	}
	if s.ObservedGeneration < 0 {
		f.invalid(at.Child("observedGeneration"), s.ObservedGeneration, "must be a non-negative integer")
	}
	f.add(validation.ValidateImmutableField(s.QOSClass, was.QOSClass, qosPath)...)

	f.comeBack(statusesPath, s.ContainerStatuses, was.ContainerStatuses, old.Spec.Containers, &old.Spec)
	f.comeBack(initStatusesPath, s.InitContainerStatuses, was.InitContainerStatuses, old.Spec.InitContainers, &old.Spec)
	f.comeBack(debugPath, s.EphemeralContainerStatuses, was.EphemeralContainerStatuses, nil, &old.Spec)

	f.podIPs(podIPsPath, s, was)
	f.hostIPs(hostIPsPath, s, was)
	return f.errs
}

func (f *findings) conditions(list *field.Path, conditions []v1.PodCondition) {
	for i, c := range conditions {
		if c.ObservedGeneration < 0 {
			f.invalid(list.Index(i).Child("observedGeneration"), c.ObservedGeneration, "must be a non-negative integer")
		}
		switch c.Type {
		case v1.PodScheduled, v1.PodReady, v1.PodInitialized, v1.ContainersReady, v1.PodReadyToStartContainers: // well named
		default:
			f.qualifiedName(list.Index(i).Child("Type"), string(c.Type))
		}
	}
}

// comeBack finds containers that ended for good and are said to live again.
// Ephemeral containers, which give no list of containers, always end for good.
func (f *findings) comeBack(at *field.Path, statuses, old []v1.ContainerStatus, containers []v1.Container, spec *v1.PodSpec) {
	if containers != nil && anyRestartsAll(spec) {
		return
	}
	for i := range old {
		ended := old[i].State.Terminated
		if ended == nil {
			continue
		}
		for j := range statuses {
			if statuses[j].Name != old[i].Name {
				continue
			}
			if statuses[j].State.Terminated == nil && !restartsAfter(containers, old[i].Name, spec, ended.ExitCode) {
				f.forbidden(at.Index(i).Child("state"), "may not be transitioned to non-terminated state")
			}
			break
		}
	}
}

// anyRestartsAll: one container's rules may restart the whole pod.
func anyRestartsAll(spec *v1.PodSpec) bool {
	for c := range allContainers(spec) {
		for _, rule := range c.RestartPolicyRules {
			if rule.Action == v1.ContainerRestartRuleActionRestartAllContainers {
				return true
			}
		}
	}
	return false
}

// restartsAfter says whether a container starts again after it ended with an
// exit code: by its rules, else its own policy, else the pod's (Kubernetes 1.37 pkg/api/v1/pod.ContainerShouldRestart).
func restartsAfter(containers []v1.Container, name string, spec *v1.PodSpec, exitCode int32) bool {
	for i := range containers {
		c := &containers[i]
		if c.Name != name {
			continue
		}
		for _, rule := range c.RestartPolicyRules {
			if exitCodeMatches(rule.ExitCodes, exitCode) {
				return rule.Action == v1.ContainerRestartRuleActionRestart
			}
		}
		policy := v1.ContainerRestartPolicy(spec.RestartPolicy)
		if c.RestartPolicy != nil {
			policy = *c.RestartPolicy
		}
		return policy == v1.ContainerRestartPolicyAlways || policy == v1.ContainerRestartPolicyOnFailure && exitCode != 0
	}
	return false
}

func exitCodeMatches(r *v1.ContainerRestartRuleOnExitCodes, code int32) bool {
	if r == nil {
		return false
	}
	in := false
	for _, v := range r.Values {
		in = in || v == code
	}
	return in == (r.Operator == v1.ContainerRestartRuleOnExitCodesOpIn)
}

func (f *findings) podIPs(at *field.Path, s, was *v1.PodStatus) {
	if s.PodIP == was.PodIP && slices.Equal(s.PodIPs, was.PodIPs) {
		return // checked when they were written
	}
	ips, old := make([]string, len(s.PodIPs)), make([]string, len(was.PodIPs))
	for i, ip := range was.PodIPs {
		old[i] = ip.IP
	}
	for i, ip := range s.PodIPs {
		ips[i] = ip.IP
		f.add(utilvalidation.IsValidIPForLegacyField(at.Index(i), ip.IP, true, old)...)
	}
	if len(ips) > 1 && !oneOfEachFamily(ips) {
		f.invalid(at, inServer{s.PodIPs}, "may specify no more than one IP for each IP family")
	}
	switch {
	case (s.PodIP != "") != (len(ips) > 0):
		f.invalid(at, inServer{s.PodIPs}, "podIP and podIPs must either both be set or both be unset")
	case len(ips) > 0 && s.PodIP != ips[0]:
		f.invalid(at.Index(0).Child("ip"), ips[0], "must be equal to `podIP`")
	}
}

func (f *findings) hostIPs(at *field.Path, s, was *v1.PodStatus) {
	if len(s.HostIPs) == 0 || s.HostIP == was.HostIP && slices.Equal(s.HostIPs, was.HostIPs) {
		return
	}
	ips, old := make([]string, len(s.HostIPs)), make([]string, len(was.HostIPs))
	if s.HostIP != s.HostIPs[0].IP {
		f.invalid(at.Index(0).Child("ip"), s.HostIPs[0].IP, "must be equal to `hostIP`")
	}
	for i, ip := range was.HostIPs {
		old[i] = ip.IP
	}
	for i, ip := range s.HostIPs {
		ips[i] = ip.IP
		f.add(utilvalidation.IsValidIPForLegacyField(at.Index(i), ip.IP, true, old)...)
	}
	if len(ips) > 1 && !oneOfEachFamily(ips) {
		f.invalid(at, inServer{s.HostIPs}, "may specify no more than one IP for each IP family")
	}
}

// oneOfEachFamily: exactly one IPv4 and one IPv6 address.
func oneOfEachFamily(ips []string) bool {
	four, six := 0, 0
	for _, s := range ips {
		ip, err := netip.ParseAddr(s)
		switch {
		case err != nil:
		case ip.Is4():
			four++
		default:
			six++
		}
	}
	return len(ips) == 2 && four == 1 && six == 1
}
