package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
)

// invocation is one call of a subcommand: what follows its name, and the world around it.
type invocation struct {
	args, env      []string
	stdin          io.Reader
	stdout, stderr io.Writer
}

// subcommand is what the program does when its name is the first word.
type subcommand struct {
	name string
	run  func(context.Context, invocation) (code int)
}

func subcommands() []subcommand {
	return []subcommand{{"serve", serve}, {"register", register}, {"manifest", manifest}, {"schedule", schedule}, {"api", api}, {"check", check}, {"doctor", doctor}, {"health", health}, {"version", version}, {"bank", bank},
		{"load", load}, {"verify", verify}, {"backup", backup}, {"restore", restore}, {"compact", compact}}
}

// subcommandOf finds the subcommand that a command line names, and what is left for it. The
// options that every form of the program has may stand before the name.
func subcommandOf(args []string) (found subcommand, rest []string, ok bool) {
	flags := flag.NewFlagSet("timonier", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.String("lang", "", "")
	flags.String("data", "", "")
	if flags.Parse(args) != nil || flags.NArg() == 0 {
		return subcommand{}, nil, false
	}
	before := args[:len(args)-flags.NArg()]
	for _, c := range subcommands() {
		if c.name == flags.Arg(0) {
			rest = flags.Args()[1:]
			return c, append(rest[:len(rest):len(rest)], before...), true
		}
	}
	return subcommand{}, nil, false
}

// parse reads a subcommand's own flags, to which it adds --lang. ok is false where the program is to
// end with the code: then what there is to say has been said, a mistake in one line.
func (in invocation) parse(flags *flag.FlagSet, usage func(voice) string) (say voice, lang string, code int, ok bool) {
	flags.Init("timonier", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // its own words are English
	asked := flags.String("lang", "", "")
	err := flags.Parse(in.args)
	if lang = ours(*asked); lang == "" {
		lang = langOf(in.env)
	}
	if err != nil || flags.NArg() > 0 { // reading ended there, and the language may follow
		lang = langOfWords(in.args, in.env)
	}
	say = newVoice(lang)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprintln(in.stdout, usage(say))
		return say, lang, exitOK, false
	case err != nil:
		// A value may be a secret, out of place.
		option, _, _ := strings.Cut(in.args[len(in.args)-flags.NArg()-1], "=")
		return say, lang, in.refuse(say.sentence("program.badflag", map[string]any{"Option": option})), false
	case *asked != "" && ours(*asked) == "":
		return say, lang, in.refuse(say.sentence("program.badlang", map[string]any{"Lang": *asked})), false
	}
	return say, lang, exitOK, true
}

// refuse says in one line what is wrong with how the program was called.
func (in invocation) refuse(line string) int {
	fmt.Fprintln(in.stderr, line)
	return exitUsage
}

// fail says in one line why the program cannot go on.
func (in invocation) fail(line string) int {
	fmt.Fprintln(in.stderr, line)
	return exitFailed
}
