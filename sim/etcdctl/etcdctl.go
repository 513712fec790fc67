// Package etcdctl answers etcdctl's command line for the etcd of one simulated
// cluster, in the words and formats of etcdctl 3.7. It goes past the API server,
// as the real one does: that is its use, and its danger. It reads and writes no
// file (a snapshot is a checkpoint that whoever runs it keeps), follows no watch
// without end, and has none of the commands that join members, lock, elect or
// manage users.
package etcdctl

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"timonier/sim"
	"timonier/sim/trace"
)

// Version is that of etcd and etcdctl.
const Version = "3.7.0"

// Snapshots are the named checkpoints of a cluster, which whoever runs etcdctl
// keeps: a whole cluster each, as /cluster sauve keeps it, of which `snapshot
// status` tells what etcd's part of it is.
type Snapshots interface {
	// Save keeps the cluster as it is now under a name, in place of what was kept under it. An error that wraps
	// ErrRefused is the learner's (a name that cannot be one, too many checkpoints): its text is shown.
	Save(name string) error
	// Restore puts the cluster that was kept under a name in the place of the present one. The *sim.Cluster that Run
	// was given is over then: Run touches it no more, and says so in Result.Restored. ErrNoSnapshot: there is none.
	Restore(name string) error
	// Open reads the cluster that was kept under a name, and leaves the present one alone. ErrNoSnapshot: there is none.
	Open(name string) (*sim.Cluster, error)
	// List are the names, in an order that does not change.
	List() []string
}

// Errors of Snapshots that are the learner's, not ours.
var (
	ErrNoSnapshot = errors.New("no such snapshot")
	ErrRefused    = errors.New("refused")
)

// Result is what a command answered.
type Result struct {
	Stdout, Stderr string
	Code           int           // etcdctl's exit code
	Refused        *Refusal      // the command was not run: it is not for here
	Wrote          bool          // it changed what etcd holds
	Watched        bool          // it was a watch, which has shown what there was; a real one would go on
	Restored       string        // the snapshot that has taken the cluster's place: the cluster given is over
	Waited         time.Duration // how far the cluster's clock went while it waited for an answer
	Step           uint64        // the trace's step from which all that it did follows; 0 once Restored
}

// Refusal says what does not exist here, though the real etcdctl has it.
type Refusal struct {
	What Refused
	Word string // the command, the flag or the key as it was written
}

// Refused is what kind of thing was refused.
type Refused string

// The kinds of refusals.
const (
	RefusedCommand Refused = "command" // etcdctl user add
	RefusedFlag    Refused = "flag"    // --cacert
	RefusedKey     Refused = "key"     // put below /registry/: only the API server knows how to write an object
)

func (r *Refusal) Error() string { return fmt.Sprintf("%s %s does not exist here", r.What, r.Word) }

const (
	// takes is how long a command takes on the cluster's clock, as kubectl's do.
	takes = 100 * time.Millisecond
	// mostOutput bounds what one command may print.
	mostOutput = 8 << 20
)

// Run runs etcdctl with the arguments that follow its name. The learner's mistakes are in the Result; an error is
// one of the Snapshots' that is not the learner's.
func Run(c *sim.Cluster, args []string, stdin string, snapshots Snapshots) (Result, error) {
	began := c.Now()
	r := &run{cluster: c, stdin: stdin, snapshots: snapshots, began: began}
	r.result.Step = c.Trace().Add(trace.Step{At: began, Actor: "etcdctl", Kind: trace.Asked,
		Detail: trace.Request{Command: "etcdctl " + strings.Join(args, " ")}})
	before := c.Trace().Because(r.result.Step)
	r.execute(args)
	if r.result.Restored == "" {
		c.Trace().Because(before)
		r.result.Waited = c.Now().Sub(began)
		if err := c.AdvanceTo(c.Now().Add(takes)); err != nil && !errors.Is(err, sim.ErrTooMuch) {
			return Result{}, err
		}
	} else {
		r.result.Step = 0
	}
	r.result.Stdout, r.result.Stderr = onScreen(r.out.Bytes()), onScreen(r.err.Bytes())
	return r.result, r.broken
}

// run is one command being run.
type run struct {
	cluster   *sim.Cluster
	stdin     string
	snapshots Snapshots
	out, err  bytes.Buffer
	began     time.Time // when, on the cluster's clock
	written   string    // --write-out
	format    format
	endpoints []string
	named     bool // they were named in the command line
	hex       bool
	timeout   time.Duration
	result    Result
	broken    error // ours
}

// execute runs the command line; a failure of it is worded as etcdctl words it.
func (r *run) execute(args []string) {
	if refusal := notHere(args); refusal != nil {
		r.result.Refused, r.result.Code = refusal, exitError
		return
	}
	root := r.root()
	root.SetArgs(args)
	root.SetIn(strings.NewReader(r.stdin))
	root.SetOut(&bounded{&r.out})
	root.SetErr(&bounded{&r.err})
	help := root.HelpFunc()
	root.SetHelpFunc(func(c *cobra.Command, args []string) {
		help(c, args)
		fmt.Fprintln(c.OutOrStdout(), `Use "etcdctl options" for a list of global command-line options (applies to all commands).`)
	})
	err := root.Execute()
	var refusal *Refusal
	var failed *failure
	switch {
	case err == nil:
	case errors.As(err, &refusal):
		r.result.Refused, r.result.Code = refusal, exitError
		r.err.Reset()
	case errors.As(err, &failed):
		r.result.Code = failed.code
		if failed.err != nil {
			fmt.Fprintf(&r.err, "Error: %v\n", failed.err)
		}
	default: // a mistake in the command line, of which cobra has told
		r.result.Code = exitError
	}
}

// The exit codes of etcdctl (pkg/cobrautl/error.go).
const (
	exitError         = 1
	exitBadConnection = 2
	exitBadFeature    = 4
	exitInterrupted   = 5
	exitBadArgs       = 128
)

// failure ends a command with an exit code; without an error, what there was to say has been said.
type failure struct {
	code int
	err  error
}

func (f *failure) Error() string {
	if f.err == nil {
		return "failed"
	}
	return f.err.Error()
}

func (f *failure) Unwrap() error { return f.err }

func fail(code int, format string, args ...any) error {
	return &failure{code, fmt.Errorf(format, args...)}
}

// bounded drops what is printed beyond the bound: a learner's output is read by people.
type bounded struct{ *bytes.Buffer }

func (b *bounded) Write(p []byte) (int, error) {
	if room := mostOutput - b.Len(); room < len(p) {
		b.Buffer.Write(p[:max(0, room)])
		return len(p), nil
	}
	return b.Buffer.Write(p)
}
