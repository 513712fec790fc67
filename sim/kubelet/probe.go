package kubelet

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
)

const (
	// firstProbe is when a container without an initial delay is first probed: a sync
	// after its start, the status makes the prober look at once (pkg/kubelet/prober).
	firstProbe = 500 * time.Millisecond
	// failuresTold bounds the Unhealthy events of one row of failures that changes nothing more.
	failuresTold = 10
)

// probing is a probe whose answers still change. Between two that agree with what is
// known already, nothing is due: the next look is when the run's answers turn.
type probing struct {
	Next   time.Time `json:"next,omitzero"` // zero: never again
	Fails  int32     `json:"fails,omitempty"`
	Passes int32     `json:"passes,omitempty"`
}

// watch begins to probe a container that has just started.
func (s *sync) watch(u *unit) {
	u.status.Started, u.status.Ready = ptr.To(false), false
	u.Startup, u.Liveness, u.Readiness = nil, nil, nil
	if p := u.spec.StartupProbe; p != nil && s.probed(u) {
		u.Startup = &probing{Next: s.first(u, p, s.now)}
		return
	}
	s.up(u)
}

// probed says of a container whether the kubelet probes it: not of an init container that ends.
func (s *sync) probed(u *unit) bool { return !u.init || u.sidecar }

// up is a container that counts as started: now the other probes begin.
func (s *sync) up(u *unit) {
	u.Startup = nil
	u.status.Started, s.dirty = ptr.To(true), true
	if !s.probed(u) {
		return
	}
	if p := u.spec.LivenessProbe; p != nil {
		u.Liveness = &probing{Next: s.first(u, p, s.now)}
	}
	if p := u.spec.ReadinessProbe; p != nil {
		u.Readiness = &probing{Next: s.first(u, p, s.now)}
	} else {
		u.status.Ready = true
	}
}

// first is when a probe is first made, the initial delay counting from the start of the container.
func (s *sync) first(u *unit, p *v1.Probe, now time.Time) time.Time {
	t := u.Start.Add(time.Duration(p.InitialDelaySeconds) * time.Second)
	if least := now.Add(firstProbe); t.Before(least) {
		return least
	}
	return t
}

// probe makes the probes that are due. It says whether the container's stage or status changed.
func (s *sync) probe(u *unit) bool {
	if p := u.Startup; p != nil && s.at(p.Next) {
		passed, failed := s.try(u, p, u.spec.StartupProbe, "Startup", false)
		switch {
		case failed:
			s.condemn(u, u.spec.StartupProbe, "startup")
			return true
		case passed:
			s.up(u)
			return true
		}
	}
	if p := u.Liveness; p != nil && s.at(p.Next) {
		if _, failed := s.try(u, p, u.spec.LivenessProbe, "Liveness", true); failed {
			s.condemn(u, u.spec.LivenessProbe, "liveness")
			return true
		}
	}
	changed := false
	if p := u.Readiness; p != nil && s.at(p.Next) {
		passed, failed := s.try(u, p, u.spec.ReadinessProbe, "Readiness", u.status.Ready)
		if passed != failed && passed != u.status.Ready {
			u.status.Ready, s.dirty, changed = passed, true, true
		}
	}
	for _, p := range []**probing{&u.Startup, &u.Liveness, &u.Readiness} {
		if *p != nil && (*p).Next.IsZero() {
			*p = nil // it will say the same for ever
		} else if *p != nil {
			s.at((*p).Next)
		}
	}
	return changed
}

// try makes a probe, and says whether it has passed or failed as often in a row as it
// takes. good is what is known so far.
func (s *sync) try(u *unit, p *probing, spec *v1.Probe, kind string, good bool) (passed, failed bool) {
	at := s.now.Sub(u.Start)
	ok, output := s.plan(u).answer(spec, u.spec, s.status.PodIP, at)
	told := true
	if ok {
		p.Passes, p.Fails = p.Passes+1, 0
	} else {
		p.Fails, p.Passes = p.Fails+1, 0
		s.emit(v1.EventTypeWarning, "Unhealthy", fmt.Sprintf("%s probe failed: %s", kind, output))
		told = p.Fails >= failuresTold
	}
	passed = ok && p.Passes >= max(1, spec.SuccessThreshold)
	failed = !ok && p.Fails >= max(1, spec.FailureThreshold)
	period := time.Duration(max(1, spec.PeriodSeconds)) * time.Second
	p.Next = s.now.Add(period)
	if told {
		s.skip(u, p, spec, ok, period)
	}
	return passed, failed
}

// skip goes past the probes that will say what this one said, and change nothing.
func (s *sync) skip(u *unit, p *probing, spec *v1.Probe, ok bool, period time.Duration) {
	count, left := &p.Fails, max(1, spec.FailureThreshold)
	if ok {
		count, left = &p.Passes, max(1, spec.SuccessThreshold)
	}
	turn := s.nextTurn(u, period)
	if left -= *count; left <= 0 {
		p.Next = turn
		return
	}
	next := s.now.Add(time.Duration(left) * period)
	if !turn.IsZero() && turn.Before(next) {
		next = turn
	}
	p.Next = next
	*count += int32(next.Sub(s.now)/period) - 1
}

// nextTurn is the first probe after the answers turn again; zero: they never do.
func (s *sync) nextTurn(u *unit, period time.Duration) time.Time {
	for _, t := range s.plan(u).turns() {
		if turn := u.Start.Add(t); turn.After(s.now) {
			periods := (turn.Sub(s.now) + period - 1) / period
			return s.now.Add(periods * period)
		}
	}
	return time.Time{}
}

// condemn kills a container for its probe. The restart policy decides what comes after.
func (s *sync) condemn(u *unit, p *v1.Probe, kind string) {
	message := fmt.Sprintf("Container %s failed %s probe", u.spec.Name, kind)
	policy := s.pod.Spec.RestartPolicy
	if u.spec.RestartPolicy != nil {
		policy = v1.RestartPolicy(*u.spec.RestartPolicy)
	}
	if policy != v1.RestartPolicyNever {
		message += ", will be restarted"
	}
	grace := s.grace()
	if p.TerminationGracePeriodSeconds != nil {
		grace = time.Duration(*p.TerminationGracePeriodSeconds) * time.Second
	}
	u.Startup, u.Liveness, u.Readiness = nil, nil, nil
	s.kill(u, message, grace)
}

// answer is what a probe gets at a time of the run: whether it passed, and otherwise
// what the prober reports (pkg/probe).
func (r *run) answer(p *v1.Probe, c *v1.Container, ip string, at time.Duration) (bool, string) {
	switch {
	case p.HTTPGet != nil:
		return r.answerHTTP(p.HTTPGet, c, ip, at)
	case p.TCPSocket != nil:
		port, ok := number(p.TCPSocket.Port, c)
		if !ok {
			return false, fmt.Sprintf("couldn't find port: %s", p.TCPSocket.Port.String())
		}
		address := net.JoinHostPort(orElse(p.TCPSocket.Host, ip), strconv.Itoa(int(port)))
		if !r.listens(port, at) {
			return false, fmt.Sprintf("dial tcp %s: connect: connection refused", address)
		}
		return true, "" // a program that hangs still accepts connections
	case p.GRPC != nil:
		address := net.JoinHostPort(ip, strconv.Itoa(int(p.GRPC.Port)))
		if !r.listens(p.GRPC.Port, at) || !r.up.has(at) {
			return false, fmt.Sprintf("timeout: failed to connect service %q within %v: context deadline exceeded", address, time.Duration(max(1, p.TimeoutSeconds))*time.Second)
		}
		return true, ""
	case p.Exec != nil && len(p.Exec.Command) > 0:
		return r.answerExec(p.Exec.Command, at)
	}
	return true, ""
}

func (r *run) answerHTTP(h *v1.HTTPGetAction, c *v1.Container, ip string, at time.Duration) (bool, string) {
	port, ok := number(h.Port, c)
	if !ok {
		return false, fmt.Sprintf("couldn't find port: %s", h.Port.String())
	}
	address, path := net.JoinHostPort(orElse(h.Host, ip), strconv.Itoa(int(port))), orElse(h.Path, "/")
	scheme := "http"
	if h.Scheme == v1.URISchemeHTTPS {
		scheme = "https"
	}
	if !r.listens(port, at) {
		return false, fmt.Sprintf("Get \"%s://%s%s\": dial tcp %s: connect: connection refused", scheme, address, path, address)
	}
	if !r.up.has(at) {
		return false, fmt.Sprintf("Get \"%s://%s%s\": context deadline exceeded (Client.Timeout exceeded while awaiting headers)", scheme, address, path)
	}
	code := int32(200)
	if r.paths != nil {
		if code, ok = r.paths[path]; !ok {
			code = 404
		}
	}
	if code < 200 || code >= 400 {
		return false, fmt.Sprintf("HTTP probe failed with statuscode: %d", code)
	}
	return true, ""
}

// answerExec works out a command inside the container: by its files where the script of the run
// makes any, and otherwise by whether the program answers.
func (r *run) answerExec(argv []string, at time.Duration) (bool, string) {
	files := r.files
	if files == nil {
		files = map[string][]span{}
	}
	probe := &shell{image: r.image, vars: map[string]string{}, files: files, at: at, readOnly: true}
	probe.command(argv, "", true)
	if _, builtin := probe.builtin(argv[0]); !builtin && !r.up.has(at) {
		return false, ""
	}
	out := ""
	for _, l := range probe.output {
		out += l.Text + "\n"
	}
	return probe.status == 0, out
}

// number is a probe's port, by number or by the name that the container gives it.
func number(p intstr.IntOrString, c *v1.Container) (int32, bool) {
	if p.Type == intstr.Int {
		return p.IntVal, true
	}
	if i := slices.IndexFunc(c.Ports, func(x v1.ContainerPort) bool { return x.Name == p.StrVal }); i >= 0 {
		return c.Ports[i].ContainerPort, true
	}
	n, err := strconv.ParseInt(p.StrVal, 10, 32)
	return int32(n), err == nil
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
