package kubectl

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// leadingOut are kubectl's global flags that name another server, another person, or a file. None of them is
// made here, so that cobra would say only that it does not know them.
func leadingOut(flag string) bool {
	return slices.Contains([]string{"as-uid", "as-user-extra", "cache-dir", "certificate-authority", "client-certificate",
		"client-key", "cluster", "context", "insecure-skip-tls-verify", "kubeconfig", "kuberc", "password", "profile", "profile-output",
		"server", "tls-server-name", "token", "username"}, flag)
}

// outOfReach finds what the real kubectl has and this one has not, before cobra stumbles over its flags:
// kubectl exec -it, --kubeconfig=…. Nil: nothing.
func outOfReach(args []string) *Refusal {
	named := false // the command's name has been seen
	for i, a := range args {
		flag, _, _ := strings.Cut(strings.TrimLeft(a, "-"), "=")
		switch {
		case a == "--":
			return nil
		case strings.HasPrefix(a, "--"):
			if leadingOut(flag) {
				return &Refusal{RefusedFlag, "--" + flag}
			}
		case strings.HasPrefix(a, "-"):
		case i > 0 && (args[i-1] == "-n" || args[i-1] == "--namespace" || args[i-1] == "--as" || args[i-1] == "--as-group"):
		case !named:
			if named = true; elsewhere(a) || strings.HasPrefix(a, cobra.ShellCompRequestCmd) {
				return &Refusal{RefusedCommand, a}
			}
		}
	}
	return nil
}

// check refuses a parsed command line: subcommands that start a program, flags that do not exist here, and values
// that would lead out of the process. ownStdin says that standard input is the command's.
func check(cmd *cobra.Command, ownStdin bool) error {
	if cmd.Name() == "edit-last-applied" || cmd.Name() == "reconcile" { // the one opens an editor on a file of the machine
		return &Refusal{RefusedCommand, strings.TrimPrefix(cmd.CommandPath(), "kubectl ")}
	}
	allowed := allowedFlags()
	var refusal *Refusal
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if refusal == nil {
			refusal = checkFlag(cmd, f, allowed, ownStdin)
		}
	})
	if refusal != nil {
		return refusal
	}
	return nil
}

func checkFlag(cmd *cobra.Command, f *pflag.Flag, allowed []string, ownStdin bool) *Refusal {
	if !slices.Contains(allowed, f.Name) || refusedHere(cmd, f.Name) {
		return &Refusal{RefusedFlag, "--" + f.Name}
	}
	switch f.Name {
	case "filename":
		if files, ok := f.Value.(pflag.SliceValue); ok {
			for _, file := range files.GetSlice() {
				// A dash that readsStdin did not see, as pflag takes quotes away, would read the process's own input.
				if file != "-" || !ownStdin {
					return &Refusal{RefusedFile, file}
				}
			}
		}
	case "output", "sort-by":
		return checkFormat(f.Value.String())
	}
	return nil
}

// The most that a JSONPath may hold of what multiplies its results: ['a','a'] gives each twice, and .. everything below.
const (
	mostCommas   = 20
	mostDescents = 3
	mostColumns  = 100 // of custom-columns: each is a JSONPath of its own, and as wide as its widest cell
)

// checkFormat refuses outputs that read files, and those that a few words make endless: a Go template ranges over
// numbers and calls itself, and nothing can stop it from outside.
func checkFormat(format string) *Refusal {
	for _, kind := range []string{"jsonpath-file", "go-template", "template", "custom-columns-file"} {
		if strings.HasPrefix(format, kind) {
			kind, _, _ = strings.Cut(format, "=")
			return &Refusal{RefusedOutput, kind}
		}
	}
	commas, most := strings.Count(format, ","), mostCommas
	if strings.HasPrefix(format, "custom-columns") {
		most = mostColumns - 1 // they part the columns
	}
	if commas > most || strings.Count(format, "..") > mostDescents {
		kind, _, _ := strings.Cut(format, "=")
		return &Refusal{RefusedOutput, kind}
	}
	return nil
}
