package kubelet

import (
	"fmt"
	"slices"
	"strings"
	"time"

	v1 "k8s.io/api/core/v1"
)

// run is what one run of a container will do: known, like fate, when it starts.
// It follows from the image, the container's spec and the node's memory alone, so
// that it can be worked out again at any time. Durations count from its start.
type run struct {
	ends   bool
	after  time.Duration
	code   int32
	reason string // Completed, Error, OOMKilled, StartError
	detail string // the runtime's message of a StartError

	limit   int64 // of memory, in bytes: its own, or the node's
	guessed bool  // that it serves for ever: nothing is known of its program

	up    span // when it answers probes
	any   bool // on every port
	ports []int32
	paths map[string]int32
	files map[string][]span
	image *Image
	vars  map[string]string

	stop  Stop
	lines []Line
}

// planRun works out a run. Node memory bounds a container without a limit, as the
// kernel does.
func planRun(image *Image, c *v1.Container, memory int64) run {
	r := run{image: image, ports: image.Ports, paths: image.Paths, stop: image.Stop, up: span{image.Ready.Duration, -1}, lines: image.Output}
	r.any = image.Ports == nil && image.Exits == nil && len(image.Programs) == 0
	r.vars = map[string]string{"HOSTNAME": "{pod}"}
	for _, e := range c.Env {
		r.vars[e.Name] = e.Value
		if e.ValueFrom != nil {
			r.vars[e.Name] = "{" + strings.ToLower(e.Name) + "}"
		}
	}
	if argv, own := commandLine(image, c); own {
		r.ownProgram(c, len(argv))
	} else {
		r.command(argv)
	}
	if limit := c.Resources.Limits.Memory(); !limit.IsZero() {
		memory = limit.Value()
	}
	r.memory(memory)
	return r
}

// commandLine is what is run, and whether that is the image's own program.
func commandLine(image *Image, c *v1.Container) (argv []string, own bool) {
	switch {
	case len(c.Command) > 0:
		argv = slices.Concat(c.Command, c.Args)
	case len(c.Args) > 0 && !image.Fixed:
		argv = c.Args
	default:
		return nil, true
	}
	name := argv[0][strings.LastIndexByte(argv[0], '/')+1:]
	return argv, image.runs(name) && !(len(argv) > 1 && (name == "sh" || name == "bash"))
}

// ownProgram is a run of what the image is made for.
func (r *run) ownProgram(c *v1.Container, args int) {
	if need := r.image.Needs; need != nil && !slices.ContainsFunc(need.Env, func(name string) bool { return given(c, name) }) {
		r.end(need.After.Duration, need.Code)
		r.lines = need.Output
		return
	}
	// A language's image by itself is a prompt without a terminal, and ends at once; given a program it serves.
	if e := r.image.Exits; e != nil && (args < 2 || e.After.Duration >= time.Second) {
		r.end(e.After.Duration, e.Code)
	} else if e != nil {
		r.any, r.guessed = true, true
	}
	r.guessed = r.guessed || len(r.image.Tags) == 0
	if r.image.Hangs != nil {
		r.up.to = r.image.Hangs.Duration
	}
}

func given(c *v1.Container, name string) bool {
	return len(c.EnvFrom) > 0 || slices.ContainsFunc(c.Env, func(e v1.EnvVar) bool { return e.Name == name && (e.Value != "" || e.ValueFrom != nil) })
}

// command is a run of something else: worked out where it is a shell or its tools.
func (r *run) command(argv []string) {
	name := argv[0][strings.LastIndexByte(argv[0], '/')+1:]
	s := &shell{image: r.image, vars: r.vars, files: map[string][]span{}}
	_, builtin := s.builtin(name)
	known := builtin || slices.Contains(quick, name)
	listed := len(r.image.Tags) > 0
	if (known && !r.image.Shell) || (listed && !known && !strings.Contains(argv[0], "/")) {
		r.cannotStart(argv[0])
		return
	}
	r.ports, r.paths, r.any, r.lines = nil, nil, !listed, nil
	s.command(argv, "", true)
	r.files, r.lines = s.files, s.output
	switch {
	case s.own:
		at := s.at
		r.ports, r.paths = r.image.Ports, r.image.Paths
		r.up.from += at
		if e := r.image.Exits; e != nil && e.After.Duration >= time.Second {
			r.end(at+e.After.Duration, e.Code)
		}
		for _, l := range r.image.Output {
			l.At.Duration += at
			r.lines = append(r.lines, l)
		}
	case s.endless:
		r.up.from, r.guessed = 0, s.guessed
		r.any = r.any || !builtin // sleeping and printing, it listens nowhere; a server of one's own does
	default:
		r.end(s.at, s.status)
	}
	if builtin && !s.own { // as process 1, a shell and sleep have no handler for SIGTERM, and the kernel gives them none
		r.stop = Stop{Ignores: true}
	}
}

// cannotStart is runc's error for a program that is not there.
func (r *run) cannotStart(program string) {
	why := fmt.Sprintf("exec: %q: executable file not found in $PATH", program)
	if strings.Contains(program, "/") {
		why = fmt.Sprintf("exec: %q: stat %s: no such file or directory", program, program)
	}
	r.ends, r.code, r.reason = true, 128, "StartError"
	r.detail = "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: " + why
	r.lines = nil
}

func (r *run) end(after time.Duration, code int32) {
	r.ends, r.after, r.code, r.reason = true, after, code, "Completed"
	if code != 0 {
		r.reason = "Error"
	}
}

// memory ends a run that outgrows its limit.
func (r *run) memory(limit int64) {
	r.limit = limit
	base, grow := r.image.Memory.Value(), r.image.Grow.Value()
	if limit <= 0 || r.reason == "StartError" || (base <= limit && grow == 0) {
		return
	}
	after := 700 * time.Millisecond // too small even to start in
	if base <= limit {
		if float64(limit-base)/float64(grow) > maxRun.Seconds() {
			return
		}
		after = time.Duration(float64(limit-base) / float64(grow) * float64(time.Second)).Truncate(time.Millisecond)
	}
	if !r.ends || after < r.after {
		r.ends, r.after, r.code, r.reason = true, after, 137, "OOMKilled"
	}
}

// listens says whether a port is open at a time of the run.
func (r *run) listens(port int32, at time.Duration) bool {
	return at >= r.up.from && (r.any || slices.Contains(r.ports, port))
}

// turns are the times at which the answers of the run change, in order.
func (r *run) turns() []time.Duration {
	all := []time.Duration{r.up.from}
	if r.up.to >= 0 {
		all = append(all, r.up.to)
	}
	for _, spans := range r.files {
		for _, s := range spans {
			all = append(all, s.from)
			if s.to >= 0 {
				all = append(all, s.to)
			}
		}
	}
	slices.Sort(all)
	return all
}
