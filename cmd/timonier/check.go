package main

import (
	"context"
	"flag"
	"fmt"
	"runtime"

	"timonier/content"
)

// check is the subcommand: a course, read, proved and run; its faults come out, one a line.
func check(ctx context.Context, in invocation) int {
	flags := &flag.FlagSet{}
	// The directory comes first, as in the help; the flags may follow.
	dir := ""
	if len(in.args) > 0 && len(in.args[0]) > 0 && in.args[0][0] != '-' {
		dir, in.args = in.args[0], in.args[1:]
	}
	say, _, code, ok := in.parse(flags, func(say voice) string { return say.word("check.usage") })
	if !ok {
		return code
	}
	words := flags.Args()
	if dir == "" && len(words) > 0 {
		dir, words = words[0], words[1:]
	}
	if len(words) > 0 {
		return in.refuse(say.sentence("program.badword", map[string]any{"Word": words[0]}))
	}
	course, faults := checked(ctx, dir)
	if ctx.Err() != nil {
		return exitFailed
	}
	for _, f := range faults {
		fmt.Fprintln(in.stdout, f)
	}
	if len(faults) > 0 {
		return in.fail(say.sentence("check.faults", map[string]any{"Number": len(faults)}))
	}
	lessons := 0
	for l := range course.Lessons() {
		if l.Written() {
			lessons++
		}
	}
	fmt.Fprintln(in.stdout, say.sentence("check.done", map[string]any{
		"Lessons": lessons, "Exercises": len(course.Exercises), "Questions": len(course.Bank().Items), "Stories": len(course.Stories), "Lenses": len(course.Lenses),
		"Diagrams": len(course.Diagrams), "Terms": len(course.Terms)}))
	return exitOK
}

// checked reads and proves the course in a directory; the built-in one where there is no directory.
func checked(ctx context.Context, dir string) (*content.Course, []content.Problem) {
	d := courseDir(dir)
	read := d.read
	if dir == "" {
		read = func() (*content.Course, []content.Problem) { return content.Read(content.Files()) }
	}
	course, faults := read()
	if len(faults) > 0 {
		return nil, faults
	}
	return course, d.named(prove(ctx, course, runtime.GOMAXPROCS(0)))
}
