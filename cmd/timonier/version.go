package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"time"
)

// build is what the program knows of how it was made: Go writes it into every program.
type build struct {
	version  string    // of the module; go makes one of the commit where there is no tag
	revision string    // the commit; empty where it was built without its history
	at       time.Time // of the commit
	changed  bool      // there were changes that no commit has
}

// buildOf reads it from what debug.ReadBuildInfo tells.
func buildOf(info *debug.BuildInfo) build {
	b := build{version: cmp.Or(info.Main.Version, "(devel)")}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.revision = s.Value
		case "vcs.time":
			b.at, _ = time.Parse(time.RFC3339, s.Value) // zero: not known
		case "vcs.modified":
			b.changed = s.Value == "true"
		}
	}
	return b
}

// thisBuild is the program's own.
func thisBuild() build {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{}
	}
	return buildOf(info)
}

// String is one line: the version, and, where that does not say it, the commit and whether it was changed since.
func (b build) String() string {
	parts := []string{b.version}
	if short := b.revision[:min(len(b.revision), 12)]; short != "" && !strings.Contains(b.version, short) {
		parts = append(parts, short)
	}
	if b.changed && !strings.Contains(b.version, "dirty") {
		parts = append(parts, "dirty")
	}
	return strings.Join(parts, " ")
}

// system is what the program runs on, and was made with.
func system() string { return runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH }

// version is the subcommand: which build of the program this is, in one line.
func version(_ context.Context, in invocation) int {
	flags := &flag.FlagSet{}
	flags.String("data", "", "") // as every form of the program has it
	say, _, code, ok := in.parse(flags, func(say voice) string { return say.word("version.usage") })
	switch {
	case !ok:
		return code
	case flags.NArg() > 0:
		return in.refuse(say.sentence("program.badword", map[string]any{"Word": flags.Arg(0)}))
	}
	fmt.Fprintln(in.stdout, versionLine())
	return exitOK
}

func versionLine() string {
	line := fmt.Sprintf("timonier %s, %s", thisBuild(), system())
	if at := thisBuild().at; !at.IsZero() {
		line += ", " + at.UTC().Format(time.RFC3339)
	}
	return line
}
