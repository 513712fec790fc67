package kubectl

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// stdinTaken is held while os.Stdin is a command's own.
var stdinTaken sync.Mutex

// ReadsInput says whether a command may read the process's standard input, of which there is one: no other that does runs
// meanwhile. Where the system names what is open, none does.
func ReadsInput(args []string) bool { return readsStdin(args) && !namesOpen() }

// readsStdin says whether a command may read its standard input: an argument is or ends with a dash, as in -f -.
func readsStdin(args []string) bool {
	return slices.ContainsFunc(args, func(a string) bool { return strings.HasSuffix(a, "-") })
}

// input is what -f - reads. kubectl's streams hold it too, but what reads manifests looks at os.Stdin itself (cli-runtime,
// pkg/resource/visitor.go, FileVisitor): without more it would wait for the terminal. So -f is given the name of a pipe
// that holds the text, by which each command reads its own; what it prints says STDIN all the same.
type input struct {
	path string // of the pipe; "": os.Stdin is the pipe
}

// namesOpen says that the system has a name for whatever the process has open, by which it can be opened again.
var namesOpen = sync.OnceValue(func() bool {
	reader, writer, err := os.Pipe()
	if err != nil {
		return false
	}
	defer reader.Close()
	writer.Close()
	again, err := os.Open(nameOf(reader))
	if err != nil {
		return false
	}
	defer again.Close()
	_, err = again.Read(make([]byte, 1))
	return err == io.EOF
})

// nameOf is the name of what is open, written as nobody writes it: it is told from all else that a command prints.
func nameOf(f *os.File) string { return fmt.Sprintf("/dev//fd/./%d", f.Fd()) }

// withStdin does something while text is there to be read.
func withStdin(text string, do func(input)) error {
	reader, writer, err := os.Pipe()
	if err != nil {
		return err
	}
	written := make(chan struct{})
	go func() { // a pipe holds less than a manifest may have
		defer close(written)
		_, _ = io.WriteString(writer, text) // fails if the command read less, which is its right
		_ = writer.Close()
	}()
	defer func() {
		_ = reader.Close()
		<-written
	}()
	if namesOpen() {
		do(input{nameOf(reader)})
		return nil
	}
	stdinTaken.Lock()
	defer stdinTaken.Unlock()
	was := os.Stdin
	os.Stdin = reader
	defer func() { os.Stdin = was }()
	do(input{})
	return nil
}

// give has a command whose flags have been checked read the text where it reads its standard input.
func (in input) give(cmd *cobra.Command) {
	if in.path == "" {
		return
	}
	f := cmd.Flags().Lookup("filename")
	if f == nil {
		return
	}
	if files, ok := f.Value.(pflag.SliceValue); ok && slices.Equal(files.GetSlice(), []string{"-"}) { // two are refused by kubectl itself
		// One file alone, unlike standard input, is taken for one object (resource.Builder, visitByPaths). A list of texts takes any.
		_ = files.Replace([]string{in.path, os.DevNull})
	}
}

// told is what a command printed, as if it had read its standard input.
func (in input) told(printed string) string {
	if in.path == "" {
		return printed
	}
	return strings.ReplaceAll(printed, in.path, "STDIN")
}
