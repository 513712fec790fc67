package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"timonier/bot"
	"timonier/bot/store"
)

// serveOptions are what the flags of serve say.
type serveOptions struct {
	listen, admin string // addresses; admin may be empty
	asked         bool   // listen was named
	kubectl       string // an address; empty: kubectl reaches nothing from outside
	data          string
	format, level string // of the log
	config        string
	content       string // the directory of the course; empty: the built-in one
	backups       backups
	most          int   // of the events being answered, a front end; 0: its default
	memory        int64 // bytes that the channels in memory may take
}

// Limits of the tutor where many people share it on chat platforms.
const (
	pageOutput = 1800 // characters of a page, as a message of Discord has 2,000
	laneQueue  = 512  // a class that presses its answers at once waits its turn
)

// leastMemory is what --memory may be at least, in bytes: with less, a busy class has its channel read again
// with each command.
const leastMemory = 1 << 20

// serve is the subcommand: every front end that is configured, until the context ends.
func serve(ctx context.Context, in invocation) int {
	return serveOn(ctx, in, platforms())
}

func serveOn(ctx context.Context, in invocation, table []platform) int {
	o, say, code, ok := readServeOptions(in)
	if !ok {
		return code
	}
	path := configPath(o.config, in.env)
	got, err := readValues(say, in.env, path)
	if err == nil {
		err = got.complete(say)
	}
	if err != nil {
		return in.refuse(err.Error())
	}
	hide := newRedactor(got.secrets())
	logger := slog.New(hide.handler(logHandler(in.stderr, o)))
	metrics := bot.NewMetrics()
	metrics.Built(thisBuild().String(), thisBuild().revision, runtime.Version())
	// Made once for nothing: a setting that a front end does not take is told before there is a file.
	trial := shared{tutor: bot.New(bot.Config{}), logger: logger, metrics: metrics, most: o.most}
	if err := new(service).connect(table, got, trial); err != nil {
		return in.refuse(hide.text(tellSetting(say, err)))
	}
	logger.Info("starting", "version", thisBuild().String(), "build", system(), "process", os.Getpid())
	if path != "" && openToOthers(path) {
		logger.Warn("everyone on this machine can read the configuration file: chmod 600 it", "path", path)
	}
	course, watch, err := openCourse(o.content)
	if err != nil {
		fmt.Fprintln(in.stderr, err)
		return in.fail(say.sentence("check.refused", map[string]any{"Path": o.content}))
	}
	file, err := store.Open(ctx, o.data, store.Options{Migrating: logging(logger)})
	if err != nil && ctx.Err() != nil { // told to stop before there was anything to end
		logger.Info("stopped")
		return exitOK
	}
	if err != nil {
		return in.fail(refusal(say, o.data, err))
	}
	door, err := openKubectlDoor(o.kubectl, got, o.data, logger)
	if err != nil {
		file.Close() // nothing was written
		return in.fail(tell(say, err))
	}
	tutor := bot.New(bot.Config{
		Outside: door.outside(),
		Store:   file, Content: course, Logger: logger, Metrics: metrics,
		Limits: bot.Limits{Output: pageOutput, Queue: laneQueue, Memory: o.memory},
	})
	s := &service{
		logger: logger, metrics: metrics, grace: grace,
		check: file.Check,
		speak: tutor.Speak,
		door:  door, outside: tutor.Outside(),
		last: []io.Closer{tutor, file},
	}
	err = s.connect(table, got, shared{tutor: tutor, logger: logger, metrics: metrics, most: o.most})
	if err == nil {
		err = s.listen(o.listen, o.admin)
	}
	if err != nil {
		err = errors.Join(err, door.close(ctx), tutor.Close(), file.Close())
	} else {
		logger.Info("serving", "frontends", s.names(), "address", s.public.address(),
			"admin", s.admin.address(), "kubectl", door.address(), "data", o.data)
		stop, stopBackups := func() {}, func() {}
		if o.backups.dir != "" {
			o.backups.copy = func(ctx context.Context, path string) error { _, err := file.Backup(ctx, path); return err }
			o.backups.logger = logger
			stopBackups = o.backups.follow(ctx)
		}
		if watch != nil {
			watch.tutor, watch.logger = tutor, logger
			stop = watch.follow(ctx)
		}
		s.last = []io.Closer{tutor, closing(stopBackups), file}
		err = s.run(ctx)
		stop()
		stopBackups()
	}
	if err != nil {
		return in.fail(hide.text(tell(say, err)))
	}
	logger.Info("stopped")
	return exitOK
}

// logging tells the log that a file of an earlier version is brought up to date, before it is.
func logging(logger *slog.Logger) func(store.Migration) error {
	return func(m store.Migration) error {
		logger.Info("an earlier version wrote the data file: it is brought up to date", "path", m.Path,
			"from", m.From, "to", m.To, "copy", m.Aside, "resumed", m.Resumed, "changes", m.About)
		return nil
	}
}

// closing is a Closer of what ends without an error.
type closing func()

func (c closing) Close() error { c(); return nil }

// tell says in the person's language, and in one line, why the program ended.
func tell(say voice, err error) string {
	var address *listenError
	var failed *frontError
	var certificate *certificateError
	switch {
	case errors.As(err, &certificate):
		return say.sentence("serve.nocertificate", map[string]any{"Path": certificate.path, "Error": oneLine(certificate.err)})
	case errors.As(err, &address):
		return say.sentence("serve.nolisten", map[string]any{"Address": address.address, "Error": oneLine(address.err)})
	case errors.As(err, &failed):
		text := strings.TrimPrefix(oneLine(failed.err), failed.name+": ") // which many of its errors begin with
		return say.sentence("serve.nofront", map[string]any{"Front": failed.name, "Error": text})
	case errors.Is(err, errLate):
		return say.sentence("serve.late", map[string]any{"Seconds": int(grace / time.Second)})
	}
	return say.sentence("program.failed", map[string]any{"Error": oneLine(err)})
}

// tellSetting says, in one line, that a front end cannot be made of its settings: the table of them
// has let something through.
func tellSetting(say voice, err error) string {
	name, text := "", oneLine(err)
	var failed *frontError
	if errors.As(err, &failed) {
		name, text = failed.name, strings.TrimPrefix(oneLine(failed.err), failed.name+": ")
	}
	return say.sentence("serve.badfront", map[string]any{"Front": name, "Error": text})
}

func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }

func logHandler(w io.Writer, o serveOptions) slog.Handler {
	var level slog.Level
	if level.UnmarshalText([]byte(o.level)) != nil {
		level = slog.LevelInfo // readServeOptions has let no other through
	}
	options := &slog.HandlerOptions{Level: level}
	if o.format == "json" {
		return slog.NewJSONHandler(w, options)
	}
	return slog.NewTextHandler(w, options)
}

func isAddress(s string) bool {
	_, port, err := net.SplitHostPort(s)
	if err != nil {
		return false
	}
	n, err := strconv.Atoi(port)
	return err == nil && n >= 0 && n <= 65535
}

// serveUsage is the help: the flags and paths, then every setting of the table.
func serveUsage(say voice) string {
	var b strings.Builder
	b.WriteString(say.word("serve.usage"))
	explain := func(names, about string) { fmt.Fprintf(&b, "\n\n  %s%s", names, fold(about, "\n      ")) }
	for _, v := range variables() {
		explain(strings.Join(v.names(), ", "), say.word(v.about))
	}
	explain(configVariable, say.word("setting.config"))
	return b.String()
}

// fold breaks a sentence into lines of at most 80 characters, each after a break; never at a no-break space.
func fold(sentence, lineBreak string) string {
	var b strings.Builder
	used := 80
	for word := range strings.SplitSeq(sentence, " ") {
		size := utf8.RuneCountInString(word)
		if used+1+size > 80 {
			b.WriteString(lineBreak)
			used = size
		} else {
			b.WriteString(" ")
			used += 1 + size
		}
		b.WriteString(word)
	}
	return b.String()
}
