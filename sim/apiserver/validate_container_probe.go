package apiserver

import (
	"fmt"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// lifecycleAndProbes checks what containers that stay have: regular ones and sidecars.
func (f *findings) lifecycleAndProbes(at *field.Path, c *v1.Container, cc *containerContext) {
	grace := cc.spec.TerminationGracePeriodSeconds
	if c.Lifecycle != nil {
		f.lifecycle(at.Child("lifecycle"), c.Lifecycle, grace)
	}
	if c.LivenessProbe != nil {
		f.probe(at.Child("livenessProbe"), c.LivenessProbe, livenessOrStartup)
	}
	if c.ReadinessProbe != nil {
		f.probe(at.Child("readinessProbe"), c.ReadinessProbe, readiness)
	}
	if c.StartupProbe != nil {
		f.probe(at.Child("startupProbe"), c.StartupProbe, livenessOrStartup)
	}
}

func (f *findings) lifecycle(at *field.Path, l *v1.Lifecycle, grace *int64) {
	for _, h := range []struct {
		name    string
		handler *v1.LifecycleHandler
	}{{"postStart", l.PostStart}, {"preStop", l.PreStop}} {
		if h.handler == nil {
			continue
		}
		f.handler(at.Child(h.name), action{
			exec: h.handler.Exec, httpGet: h.handler.HTTPGet, tcpSocket: h.handler.TCPSocket, sleep: h.handler.Sleep,
		}, grace)
	}
}

type probeKind bool

const (
	livenessOrStartup probeKind = false // one success is enough, always
	readiness         probeKind = true  // never kills, so has no grace period
)

func (f *findings) probe(at *field.Path, p *v1.Probe, kind probeKind) {
	f.handler(at, action{exec: p.Exec, httpGet: p.HTTPGet, tcpSocket: p.TCPSocket, grpc: p.GRPC}, nil)
	for _, n := range []struct {
		name  string
		value int32
	}{
		{"initialDelaySeconds", p.InitialDelaySeconds},
		{"timeoutSeconds", p.TimeoutSeconds},
		{"periodSeconds", p.PeriodSeconds},
		{"successThreshold", p.SuccessThreshold},
		{"failureThreshold", p.FailureThreshold},
	} {
		f.nonNegative(at.Child(n.name), int64(n.value))
	}
	grace := p.TerminationGracePeriodSeconds
	if grace != nil && *grace <= 0 {
		f.invalid(at.Child("terminationGracePeriodSeconds"), *grace, "must be greater than 0")
	}
	if kind == readiness && grace != nil {
		f.invalid(at.Child("terminationGracePeriodSeconds"), grace, "must not be set for readinessProbes")
	}
	if kind == livenessOrStartup && p.SuccessThreshold != 1 {
		f.invalid(at.Child("successThreshold"), p.SuccessThreshold, "must be 1")
	}
}

// action is what probes and lifecycle hooks may do; each has a part of it.
type action struct {
	exec      *v1.ExecAction
	httpGet   *v1.HTTPGetAction
	tcpSocket *v1.TCPSocketAction
	grpc      *v1.GRPCAction
	sleep     *v1.SleepAction
}

// handler checks the one thing that a probe or a hook does.
func (f *findings) handler(at *field.Path, h action, grace *int64) {
	n := 0
	only := func(name string, set bool) bool {
		if !set {
			return false
		}
		if n++; n > 1 {
			f.forbidden(at.Child(name), "may not specify more than 1 handler type")
		}
		return n == 1
	}
	if only("exec", h.exec != nil) && len(h.exec.Command) == 0 {
		f.required(at.Child("exec", "command"), "")
	}
	if only("httpGet", h.httpGet != nil) {
		f.httpGet(at.Child("httpGet"), h.httpGet)
	}
	if only("tcpSocket", h.tcpSocket != nil) {
		f.portNumberOrName(at.Child("tcpSocket", "port"), h.tcpSocket.Port)
	}
	if only("grpc", h.grpc != nil) {
		f.portNumberOrName(at.Child("grpc", "port"), intstr.FromInt32(h.grpc.Port))
	}
	if only("sleep", h.sleep != nil) {
		f.sleep(at.Child("sleep"), h.sleep, grace)
	}
	if n == 0 {
		f.required(at, "must specify a handler type")
	}
}

func (f *findings) httpGet(at *field.Path, get *v1.HTTPGetAction) {
	if get.Path == "" {
		f.required(at.Child("path"), "")
	}
	f.portNumberOrName(at.Child("port"), get.Port)
	among(f, at.Child("scheme"), get.Scheme, v1.URISchemeHTTP, v1.URISchemeHTTPS)
	for _, h := range get.HTTPHeaders {
		f.invalidFor(at.Child("httpHeaders"), h.Name, validation.IsHTTPHeaderName(h.Name))
	}
}

// sleep is checked against the pod's grace period, unless that is missing, which is found elsewhere.
func (f *findings) sleep(at *field.Path, s *v1.SleepAction, grace *int64) {
	if grace != nil && (s.Seconds < 0 || s.Seconds > *grace) {
		f.invalid(at, s.Seconds,
			fmt.Sprintf("must be non-negative and less than terminationGracePeriodSeconds (%d)", *grace))
	}
}

func (f *findings) portNumberOrName(at *field.Path, port intstr.IntOrString) {
	if port.Type == intstr.String {
		f.invalidFor(at, port.StrVal, validation.IsValidPortName(port.StrVal))
		return
	}
	f.add(portNumber(at, int64(port.IntVal))...)
}

// portNumber is asked for values that Invalid shows as numbers, whatever their Go type.
func portNumber(at *field.Path, n int64) (errs field.ErrorList) {
	for _, m := range validation.IsValidPortNum(int(n)) {
		errs = append(errs, field.Invalid(at, n, m))
	}
	return errs
}

// restartRules checks a container's own restart policy, and its rules by exit code.
func (f *findings) restartRules(at *field.Path, c *v1.Container, init bool) {
	if c.RestartPolicy == nil {
		if len(c.RestartPolicyRules) == 0 {
			return
		}
		f.required(at.Child("restartPolicy"), "must specify restartPolicy when restart rules are used")
		if init {
			return
		}
	}
	optionalAmong(f, at.Child("restartPolicy"), c.RestartPolicy,
		v1.ContainerRestartPolicyAlways, v1.ContainerRestartPolicyNever, v1.ContainerRestartPolicyOnFailure)
	at = at.Child("restartPolicyRules")
	if n := len(c.RestartPolicyRules); n > 20 {
		f.add(field.TooMany(at, n, 20))
	}
	for i, rule := range c.RestartPolicyRules {
		at := at.Index(i)
		among(f, at.Child("action"), rule.Action,
			v1.ContainerRestartRuleActionRestart, v1.ContainerRestartRuleActionRestartAllContainers)
		if rule.ExitCodes == nil {
			f.required(at.Child("exitCodes"), "must be specified")
			continue
		}
		at = at.Child("exitCodes")
		among(f, at.Child("operator"), rule.ExitCodes.Operator,
			v1.ContainerRestartRuleOnExitCodesOpIn, v1.ContainerRestartRuleOnExitCodesOpNotIn)
		if n := len(rule.ExitCodes.Values); n > 255 {
			f.add(field.TooMany(at.Child("values"), n, 255))
		}
	}
}
