// Package kubectl runs the real kubectl (k8s.io/kubectl) in process on a
// simulated cluster. Only the commands and flags of its tables exist: nothing
// that reads or writes files, opens URLs, starts programs, blocks for ever or
// names another server. Where the real one waits, the cluster's clock goes on
// instead: no command sleeps.
package kubectl

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/klog/v2"
	cmdutil "k8s.io/kubectl/pkg/cmd/util"

	"timonier/sim"
	"timonier/sim/apiserver"
	"timonier/sim/trace"
)

// Result is what a command answered.
type Result struct {
	Stdout, Stderr string
	Code           int
	Refused        *Refusal      // the command was not run: it is not for here
	Wrote          bool          // it changed something
	Objects        []trace.Ref   // what it wrote, in order, each once
	Denied         bool          // it would have, and was not allowed to: see Look
	Waited         time.Duration // how far the cluster's clock went while it waited
	GaveUp         bool          // it would have waited longer than a command may here
	Step           uint64        // the trace's step from which all that it did follows
}

// Refusal says what does not exist here, though the real kubectl has it.
type Refusal struct {
	What Refused
	Word string // the command, the flag, the file as it was written
}

// Refused is what kind of thing was refused.
type Refused string

// The kinds of refusals.
const (
	RefusedCommand Refused = "command" // kubectl edit
	RefusedFlag    Refused = "flag"    // --kubeconfig
	RefusedFile    Refused = "file"    // -f web.yaml: only -f -
	RefusedOutput  Refused = "output"  // -o jsonpath-file=…
)

func (r *Refusal) Error() string { return fmt.Sprintf("%s %s does not exist here", r.What, r.Word) }

// The most that one command lets the cluster's clock go on, and may print.
const (
	longestWait = 20 * time.Minute
	mostOutput  = 8 << 20
	// mostArguments is as many as a cluster may have objects: of what is wrong with each, kubectl makes one text, in a time that
	// goes with the square of their number.
	mostArguments = 5000
	// takes is how long a command takes on the cluster's clock, as a real one does: so that what a learner asks
	// next sees what the cluster has done since.
	takes = 100 * time.Millisecond
)

// run is one command being run.
type run struct {
	cluster  *sim.Cluster
	out, err bytes.Buffer
	streams  genericiooptions.IOStreams
	getter   *getter
	factory  cmdutil.Factory
	wire     *wire
	input    input
	text     string // that the command may read
	result   Result
}

// exit is what kubectl's fatal errors become: they end the command, not the program.
type exit struct {
	message string
	code    int
}

// prepare sets, once in the life of the program, what kubectl keeps in globals.
var prepare = sync.OnceFunc(func() {
	cmdutil.BehaviorOnFatal(func(message string, code int) { panic(exit{message, code}) })
	klog.SetLogger(logr.Discard())
})

// Run runs kubectl with the arguments that follow its name. The learner's mistakes are in the Result. A panic
// of kubectl's own is not caught: the cluster may be halfway, and whoever owns it has to put it back.
func Run(ctx context.Context, c *sim.Cluster, args []string, stdin string) Result {
	return start(ctx, c, args, stdin, false, takes)
}

// RunStill is Run on a clock that was stopped: it goes on only while the command itself waits.
func RunStill(ctx context.Context, c *sim.Cluster, args []string, stdin string) Result {
	return start(ctx, c, args, stdin, false, 0)
}

func start(ctx context.Context, c *sim.Cluster, args []string, stdin string, looks bool, took time.Duration) Result {
	prepare()
	r := &run{cluster: c, text: stdin}
	r.streams = genericiooptions.IOStreams{In: strings.NewReader(stdin), Out: &bounded{&r.out}, ErrOut: &bounded{&r.err}}
	r.wire = &wire{ctx: ctx, cluster: c, handler: c.Server().Handler(sim.Admin()), looks: looks}
	r.getter = newGetter(r.wire, r.streams.ErrOut)
	r.factory = cmdutil.NewFactory(r.getter)
	began := c.Now()
	r.result.Step = c.Trace().Add(trace.Step{At: began, Actor: "kubectl", Kind: trace.Asked,
		Detail: trace.Request{Command: "kubectl " + strings.Join(args, " ")}})
	before := c.Trace().Because(r.result.Step)
	defer c.Trace().Because(before)
	if !readsStdin(args) {
		r.execute(args)
	} else if err := withStdin(stdin, func(in input) { r.input = in; r.execute(args) }); err != nil {
		fmt.Fprintf(&r.err, "error: %v\n", err)
		r.result.Code = 1
	}
	r.wire.end()
	r.result.Waited = c.Now().Sub(began)
	if took > 0 {
		if err := c.AdvanceTo(c.Now().Add(took)); err != nil {
			r.result.GaveUp = true
		}
	}
	r.result.Stdout, r.result.Stderr = r.input.told(r.out.String()), r.input.told(r.err.String())
	if r.wire.ages {
		r.result.Stdout = r.wire.unshift(r.result.Stdout)
	}
	r.result.Wrote, r.result.Objects, r.result.Denied = r.wire.wrote, r.wire.objects, r.wire.denied
	return r.result
}

// execute runs the command line; a fatal error of kubectl ends it.
func (r *run) execute(args []string) {
	defer r.recoverExit()
	if refusal := outOfReach(args); refusal != nil {
		r.result.Refused, r.result.Code = refusal, 1
		return
	}
	if n := mostOfArguments(args); n > mostArguments {
		fmt.Fprintf(&r.err, "error: too many arguments: %d, limit is %d\n", n, mostArguments)
		r.result.Code = 1
		return
	}
	if n := longestList(args, r.text); n > apiserver.MaxItems { // kubectl merges by itself too, and nothing can stop it meanwhile
		fmt.Fprintf(&r.err, "error: a list has %d items, limit is %d\n", n, apiserver.MaxItems)
		r.result.Code = 1
		return
	}
	root := r.root(args)
	defer forgetCompletions(root)
	root.SetArgs(args)
	root.SetIn(r.streams.In)
	root.SetOut(r.streams.Out)
	root.SetErr(r.streams.ErrOut)
	err := root.ExecuteContext(r.wire.ctx)
	var refusal *Refusal
	switch {
	case errors.As(err, &refusal):
		r.result.Refused, r.result.Code = refusal, 1
	case err != nil:
		cmdutil.CheckErr(err) // words it as kubectl does, and panics
	}
}

// longestList is how many items the longest list has in what kubectl is given to read: its text, and JSON and YAML among its arguments.
func longestList(args []string, text string) int {
	longest := apiserver.LongestList([]byte(text))
	for _, a := range args {
		longest = max(longest, apiserver.LongestList([]byte(valueOf(a))))
	}
	return longest
}

// mostOfArguments is how many arguments there are, or how many the longest list of some has that is written with commas, as in
// --verb=get,list; JSON is no such list.
func mostOfArguments(args []string) int {
	most := len(args)
	for _, a := range args {
		if n := strings.Count(a, ",") + 1; n > most && !json.Valid([]byte(valueOf(a))) {
			most = n
		}
	}
	return most
}

// valueOf is what an argument holds: of --patch={…} and -p{…}, that of the flag.
func valueOf(a string) string {
	if strings.HasPrefix(a, "--") {
		_, a, _ = strings.Cut(a, "=")
	} else if len(a) > 2 && a[0] == '-' {
		a = strings.TrimPrefix(a[2:], "=")
	}
	return a
}

func (r *run) recoverExit() {
	switch x := recover().(type) {
	case nil:
	case exit:
		r.result.Code = x.code
		if x.message != "" {
			r.err.WriteString(strings.TrimSuffix(x.message, "\n") + "\n")
		}
	default:
		panic(x)
	}
}

// attempt runs f and returns kubectl's fatal error instead of ending the command.
func (r *run) attempt(f func()) (failed *exit) {
	defer func() {
		switch x := recover().(type) {
		case nil:
		case exit:
			failed = &x
		default:
			panic(x)
		}
	}()
	f()
	return nil
}

// root is kubectl with the commands that the arguments may need.
func (r *run) root(args []string) *cobra.Command {
	root := &cobra.Command{
		Use:                        "kubectl",
		Short:                      "kubectl controls the Kubernetes cluster manager",
		Args:                       cobra.ArbitraryArgs,
		SuggestionsMinimumDistance: 2, // as cobra sets it where it suggests by itself
		SilenceErrors:              true,
		SilenceUsage:               true,
		CompletionOptions:          cobra.CompletionOptions{DisableDefaultCmd: true},
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			if err := check(cmd, readsStdin(args)); err != nil {
				return err
			}
			r.input.give(cmd)
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(cmd, args[0])
			}
			return cmd.Help()
		},
	}
	root.PersistentFlags().StringVarP(&r.getter.namespace, "namespace", "n", "", "If present, the namespace scope for this CLI request")
	root.PersistentFlags().StringVar(&r.getter.as.UserName, "as", "", "Username to impersonate for the operation. User could be a regular user or a service account in a namespace.")
	root.PersistentFlags().StringArrayVar(&r.getter.as.Groups, "as-group", nil, "Group to impersonate for the operation, this flag can be repeated to specify multiple groups.")
	root.PersistentFlags().Bool("warnings-as-errors", false, "Treat warnings received from the server as errors and exit with a non-zero exit code")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		//lint:ignore ST1005 kubectl's own words
		return fmt.Errorf("%w\nSee '%s --help' for usage.", err, cmd.CommandPath())
	})
	only := firstWord(args)
	for _, c := range commands() {
		if only == "" || only == c.name || c.alias == only && only != "" {
			root.AddCommand(r.command(c))
		}
	}
	return root
}

// command makes one of kubectl's commands, with what would wait in real time replaced.
func (r *run) command(c command) *cobra.Command {
	cmd := c.make(r)
	if c.start != nil {
		cmd.PreRun = func(cmd *cobra.Command, _ []string) { c.start(r, cmd) }
	}
	for path, wait := range c.waits {
		target, _, err := cmd.Find(strings.Fields(path))
		if err != nil {
			panic(fmt.Sprintf("kubectl %s has no subcommand %q", c.name, path)) // a row of the table is wrong; tests run each
		}
		inner := target.Run
		target.Run = func(cmd *cobra.Command, args []string) { wait(r, cmd, args, inner) }
	}
	return cmd
}

// firstWord is the command's name if it is one of the table's, so that the others need not be made.
func firstWord(args []string) string {
	for i := 0; i < len(args); i++ {
		switch a := args[i]; {
		case a == "-n" || a == "--namespace" || a == "--as" || a == "--as-group":
			i++
		case strings.HasPrefix(a, "-"):
		default:
			for _, c := range commands() {
				if c.name == a || c.alias == a {
					return a
				}
			}
			return ""
		}
	}
	return ""
}

func unknownCommand(cmd *cobra.Command, word string) error {
	if elsewhere(word) {
		return &Refusal{RefusedCommand, word}
	}
	message := fmt.Sprintf("unknown command %q for %q", word, cmd.CommandPath())
	if near := cmd.SuggestionsFor(word); len(near) > 0 {
		message += "\n\nDid you mean this?\n\t" + strings.Join(near, "\n\t")
	}
	return errors.New(message)
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
