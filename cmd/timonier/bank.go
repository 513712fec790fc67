package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"timonier/bot"
	"timonier/bot/quiz/exchange"
	"timonier/bot/store"
	"timonier/content"
)

// bankCall is a call of the subcommand bank.
type bankCall struct {
	invocation
	say     voice
	verb    string // export, import, check
	file    string // - or empty: standard input
	format  exchange.Format
	options exchange.Options

	content, out, to, data, place string
}

// bank is the subcommand: questions go out of the program, and come into it.
func bank(ctx context.Context, in invocation) int {
	b := bankCall{invocation: in}
	b.args = slices.Clone(in.args)
	var words []string // the verb and the file stand before the flags, between them or after
	for len(b.args) > 0 && !strings.HasPrefix(b.args[0], "-") {
		words, b.args = append(words, b.args[0]), b.args[1:]
	}
	flags := &flag.FlagSet{}
	format := flags.String("format", "", "")
	for name, to := range map[string]*string{"content": &b.content, "out": &b.out, "to": &b.to, "data": &b.data, "place": &b.place} {
		flags.StringVar(to, name, "", "")
	}
	separator := flags.String("separator", ",", "")
	say, lang, code, ok := b.parse(flags, func(say voice) string { return say.word("bankfile.usage") })
	if !ok {
		return code
	}
	b.say = say
	if words = append(words, flags.Args()...); len(words) == 0 || !slices.Contains([]string{"export", "import", "check"}, words[0]) {
		return in.refuse(say.sentence("bankfile.verb", map[string]any{"Word": strings.Join(words[:min(1, len(words))], "")}))
	}
	b.verb = words[0]
	if words = words[1:]; len(words) > 0 && b.verb != "export" {
		b.file, words = words[0], words[1:]
	}
	if len(words) > 0 {
		return in.refuse(say.sentence("program.badword", map[string]any{"Word": words[0]}))
	}
	if b.format = exchange.Format(cmp.Or(strings.ToLower(*format), formatOf(cmp.Or(b.file, b.out)))); !b.format.Known() {
		return in.refuse(say.sentence("bankfile.format", map[string]any{"Word": *format}))
	}
	if !slices.Contains([]string{",", ";", "\t"}, *separator) {
		return in.refuse(say.sentence("bankfile.separator", map[string]any{"Word": *separator}))
	}
	b.options = exchange.Options{Lang: content.Lang(lang), Course: content.Default(), Separator: []rune(*separator)[0]}
	if b.content != "" {
		course, faults := courseDir(b.content).read()
		if len(faults) > 0 {
			fmt.Fprintln(in.stderr, faults[0])
			return in.fail(say.sentence("check.refused", map[string]any{"Path": b.content}))
		}
		b.options.Course = course
	}
	if b.verb == "export" {
		return b.export()
	}
	return b.read(ctx)
}

// formatOf is the format that the name of a file promises.
func formatOf(name string) string {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".xml":
		return string(exchange.Moodle)
	case ".gift", ".txt":
		return string(exchange.GIFT)
	case ".csv":
		return string(exchange.CSV)
	}
	return ""
}

func (b *bankCall) export() int {
	var out bytes.Buffer
	problems, err := exchange.Export(&out, b.format, b.options.Course.Bank().Items, b.options)
	if err != nil {
		return b.failed(err)
	}
	if b.out == "" {
		_, err = b.stdout.Write(out.Bytes())
	} else {
		err = os.WriteFile(b.out, out.Bytes(), 0o644)
	}
	if err != nil {
		return b.failed(err)
	}
	code := exitOK
	same := map[exchange.Code]int{}
	for _, p := range problems {
		same[p.Code]++
	}
	told := map[exchange.Code]bool{}
	for _, p := range problems {
		if p.Code == exchange.PredictionIsOne && same[p.Code] > 3 { // a property of the kind: once is enough
			if !told[p.Code] {
				fmt.Fprintln(b.stderr, b.say.sentence("bankfile.predictions", map[string]any{"Number": same[p.Code]}))
			}
			told[p.Code] = true
			continue
		}
		fmt.Fprintln(b.stderr, b.tell(p))
		if p.Code == exchange.NotInLanguage || p.Code == exchange.Arrow {
			code = exitFailed
		}
	}
	return code
}

// failed says why the program cannot go on, in the shortest words that there are for it.
func (b *bankCall) failed(err error) int {
	return b.fail(b.say.sentence("bankfile.failed", map[string]any{"Error": oneLine(reason(err))}))
}

func (b *bankCall) tell(p exchange.Problem) string { return bot.TellProblem(b.say.sentence, p) }

// read is check and import: the file is read, and what became of it is told.
func (b *bankCall) read(ctx context.Context) int {
	if b.verb == "import" && (b.to == "") == (b.data == "") {
		return b.refuse(b.say.word("bankfile.where"))
	}
	platform, tenant, ok := strings.Cut(b.place, "/")
	if b.data != "" && (!ok || platform == "" || tenant == "") {
		return b.refuse(b.say.sentence("bankfile.place", map[string]any{"Word": b.place}))
	}
	source := b.stdin
	if b.file != "" && b.file != "-" {
		f, err := os.Open(b.file)
		if errors.Is(err, fs.ErrNotExist) {
			return b.fail(b.say.sentence("bankfile.nofile", map[string]any{"Path": b.file}))
		}
		if err != nil {
			return b.failed(err)
		}
		defer f.Close()
		source = f
	}
	report, err := b.questions(ctx, source)
	if err != nil {
		return b.failed(err)
	}
	b.report(report)
	if b.verb == "import" && len(report.Taken) > 0 {
		if b.to != "" {
			err = b.writeCourse(report.Items())
		} else {
			err = b.writeStore(ctx, bot.Scope{Platform: platform, Tenant: tenant}, report.Items())
		}
		if err != nil {
			return b.failed(err)
		}
	}
	if report.Fault != nil || len(report.Refused) > 0 {
		return exitFailed
	}
	return exitOK
}

// questions reads the file; who waits for the next line cannot be called off: it ends with the program.
func (b *bankCall) questions(ctx context.Context, source io.Reader) (*exchange.Report, error) {
	type result struct {
		report *exchange.Report
		err    error
	}
	done := make(chan result, 1)
	go func() {
		report, err := exchange.Import(source, b.format, b.options)
		done <- result{report, err}
	}()
	select {
	case r := <-done:
		return r.report, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// report tells what was refused and what was lost, in the order of the file, then how many were taken.
func (b *bankCall) report(r *exchange.Report) {
	for _, p := range r.Refused {
		fmt.Fprintln(b.stdout, b.say.sentence("bankfile.refused", map[string]any{"Text": b.tell(p)}))
	}
	for _, t := range r.Taken {
		for _, n := range t.Notes {
			fmt.Fprintln(b.stdout, b.say.sentence("bankfile.note", map[string]any{"Text": b.tell(n)}))
		}
	}
	if r.Fault != nil {
		fmt.Fprintln(b.stdout, b.say.sentence("bankfile.fault", map[string]any{"Text": b.tell(*r.Fault)}))
	}
	fmt.Fprintln(b.stdout, b.say.sentence("bankfile.summary", map[string]any{"Taken": len(r.Taken), "Refused": len(r.Refused)}))
}

// writeCourse writes a file a lesson, as the course's bank has them; none that is there already is touched.
func (b *bankCall) writeCourse(items []*content.Item) error {
	byFile := map[string][]*content.Item{}
	for _, i := range items {
		name := path.Join("bank", "no-lesson.yaml")
		if i.Lesson != "" {
			name = path.Join("bank", b.lessonDir(i.Lesson), i.Lesson+".yaml")
		}
		byFile[name] = append(byFile[name], i)
	}
	names := make([]string, 0, len(byFile))
	for name := range byFile {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if _, err := os.Lstat(filepath.Join(b.to, name)); !errors.Is(err, fs.ErrNotExist) {
			return errors.New(b.say.sentence("bankfile.exists", map[string]any{"Path": filepath.Join(b.to, name)}))
		}
	}
	for _, name := range names {
		var out bytes.Buffer
		list := byFile[name]
		if err := exchange.YAML(&out, list[0].Lesson, list); err != nil {
			return err
		}
		full := filepath.Join(b.to, name)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(full, out.Bytes(), 0o644); err != nil {
			return err
		}
		fmt.Fprintln(b.stdout, b.say.sentence("bankfile.wrote", map[string]any{"Path": full, "Number": len(list)}))
	}
	return nil
}

// lessonDir is the directory of a lesson's section, as the course's own files have it.
func (b *bankCall) lessonDir(lesson string) string {
	var files fs.FS = content.Files()
	if b.content != "" {
		files = os.DirFS(b.content)
	}
	found, _ := fs.Glob(files, "lessons/*/"+lesson+"-*.fr.md")
	if len(found) == 0 {
		return lesson
	}
	return path.Base(path.Dir(found[0]))
}

// writeStore adds the questions to a tenant's own, in a file that no Timonier has open.
func (b *bankCall) writeStore(ctx context.Context, tenant bot.Scope, items []*content.Item) error {
	file, err := store.Open(ctx, b.data, store.Options{Migrating: telling(b.say, b.stderr)})
	if err != nil {
		return errors.New(refusal(b.say, b.data, err))
	}
	err = errors.Join(bot.ImportQuestions(ctx, file, tenant, items), file.Close())
	if err == nil {
		fmt.Fprintln(b.stdout, b.say.sentence("bankfile.kept", map[string]any{"Number": len(items), "Place": b.place}))
	}
	return err
}
