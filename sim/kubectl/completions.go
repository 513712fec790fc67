package kubectl

import (
	"sync"
	_ "unsafe" // for go:linkname

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// cobra keeps the functions that complete flags in a map of the whole program, from which
// nothing ever leaves: a program makes its commands once. Here they are made for each line,
// and the functions of kubectl's hold all of its commands: some 100 kB a line that are never
// freed. Nobody completes by them here, so that those of a line are taken out after it.

//go:linkname flagCompletionFunctions github.com/spf13/cobra.flagCompletionFunctions
var flagCompletionFunctions map[*pflag.Flag]cobra.CompletionFunc

//go:linkname flagCompletionMutex github.com/spf13/cobra.flagCompletionMutex
var flagCompletionMutex *sync.RWMutex

// forgetCompletions lets go of a command, and of those below it.
func forgetCompletions(cmd *cobra.Command) {
	flagCompletionMutex.Lock()
	defer flagCompletionMutex.Unlock()
	forgetIn(cmd)
}

func forgetIn(cmd *cobra.Command) {
	drop := func(f *pflag.Flag) { delete(flagCompletionFunctions, f) }
	cmd.Flags().VisitAll(drop)
	cmd.PersistentFlags().VisitAll(drop)
	for _, c := range cmd.Commands() {
		forgetIn(c)
	}
}
