package kubectl

import (
	"io"
	"os"
	"slices"
	"strings"
	"sync"
)

// stdinTaken is held while os.Stdin is a command's own.
var stdinTaken sync.Mutex

// ReadsInput says whether a command may read its standard input, of which the process has one: no other that does runs
// meanwhile.
func ReadsInput(args []string) bool { return readsStdin(args) }

// readsStdin says whether a command may read its standard input: an argument is or ends with a dash, as in -f -.
func readsStdin(args []string) bool {
	return slices.ContainsFunc(args, func(a string) bool { return strings.HasSuffix(a, "-") })
}

// withStdin does something while text is the process's standard input. kubectl's streams hold it too, but what
// reads manifests looks at os.Stdin itself (cli-runtime, pkg/resource/visitor.go, FileVisitor): without this it
// would wait for the terminal.
func withStdin(text string, do func()) error {
	reader, writer, err := os.Pipe()
	if err != nil {
		return err
	}
	stdinTaken.Lock()
	defer stdinTaken.Unlock()
	was := os.Stdin
	os.Stdin = reader
	written := make(chan struct{})
	go func() { // a pipe holds less than a manifest may have
		defer close(written)
		_, _ = io.WriteString(writer, text) // fails if the command read less, which is its right
		_ = writer.Close()
	}()
	defer func() {
		os.Stdin = was
		_ = reader.Close()
		<-written
	}()
	do()
	return nil
}
