package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"timonier/bot"
	"timonier/bot/store"
)

// checkup is an examination of what the program is about to run with: its settings, its file,
// its clock. It changes nothing, and asks nobody outside this machine.
type checkup struct {
	voice
	env          []string
	config, data string   // paths; config may be empty
	addresses    []string // that serve is to listen on; empty ones are not
	asked        bool     // they were named
	kubectl      string   // where serve is to be reached by kubectl; may be empty
	got          values   // nil: they cannot be read
	content      string   // the directory of the course; may be empty
	backups      string   // where serve is to keep copies; may be empty
	atWork       bool     // another Timonier has the file
	platforms    bool     // there is one to serve
	now          time.Time
	found        []finding
}

// finding is one line of what was found. What is bad keeps the program from serving; what is a
// doubt does not.
type finding struct {
	verdict verdict
	text    string
}

type verdict string

const (
	well  verdict = "✓"
	doubt verdict = "~"
	ill   verdict = "✗"
)

// doctor is the subcommand: what is wrong, and what to do about it, a line each.
func doctor(ctx context.Context, in invocation) int {
	o, faults, say, code, ok := parseServeOptions(in, func(say voice) string { return say.word("doctor.usage") })
	if !ok {
		return code
	}
	c := checkup{voice: say, env: in.env, now: time.Now(), config: configPath(o.config, in.env), data: o.data, asked: o.asked, kubectl: o.kubectl, backups: o.backups.dir, content: o.content}
	c.addresses = []string{o.listen, o.admin, o.kubectl}
	for _, f := range faults {
		c.found = append(c.found, finding{ill, f.text})
		switch f.option { // what is wrong with it is said
		case "--listen":
			c.addresses[0] = ""
		case "--admin":
			c.addresses[1] = ""
		case "--kubectl":
			c.addresses[2], c.kubectl = "", ""
		case "--backup-dir":
			c.backups = ""
		}
	}
	for _, look := range []func(context.Context){c.program, c.settings, c.course, c.file, c.room, c.copies, c.listening, c.door, c.clock} {
		look(ctx)
	}
	return c.report(in)
}

func (c *checkup) note(v verdict, id string, data map[string]any) {
	c.found = append(c.found, finding{v, c.sentence(id, data)})
}

func (c *checkup) report(in invocation) int {
	bad := 0
	for _, f := range c.found {
		fmt.Fprintln(in.stdout, f.verdict, f.text)
		if f.verdict == ill {
			bad++
		}
	}
	if bad > 0 {
		return in.fail(c.sentence("doctor.ill", map[string]any{"Number": bad}))
	}
	fmt.Fprintln(in.stdout, c.word("doctor.well"))
	return exitOK
}

func (c *checkup) program(context.Context) {
	c.note(well, "doctor.program", map[string]any{"Version": thisBuild().String(), "Go": runtime.Version(), "System": runtime.GOOS + "/" + runtime.GOARCH})
}

// settings reads them as serve does, and makes the front ends that they are for.
func (c *checkup) settings(context.Context) {
	got, bad, errs := readAllValues(c.voice, c.env, c.config)
	c.got = got
	c.openFiles()
	given := maps.Clone(got)
	for _, name := range bad { // it is there, and what is wrong with it is said
		given[name] = "?"
	}
	switch {
	case len(given) == 0 && len(errs) == 0:
		c.note(ill, "doctor.noplatform", nil)
	case len(given) > 0:
		errs = append(errs, given.missing(c.voice)...)
	}
	for _, err := range errs {
		c.found = append(c.found, finding{ill, err.Error()})
	}
	if len(errs) > 0 || len(got) == 0 {
		return
	}
	c.platforms = true
	trial := shared{tutor: bot.New(bot.Config{}), logger: slog.New(slog.DiscardHandler), metrics: bot.NewMetrics()}
	if err := new(service).connect(platforms(), got, trial); err != nil {
		c.found = append(c.found, finding{ill, newRedactor(got.secrets()).text(tellSetting(c.voice, err))})
		return
	}
	for _, way := range []struct{ by, id string }{
		{discordToken, "doctor.discordtoken"}, {discordKey, "doctor.discordkey"},
		{slackApp, "doctor.slackapp"}, {slackSigning, "doctor.slacksigning"},
	} {
		if got.has(way.by) {
			c.note(well, way.id, nil)
		}
	}
	if got.has(discordKey) && !got.has(discordToken) {
		c.note(doubt, "doctor.mute", map[string]any{"Name": discordToken})
	}
}

// course reads the one that serve is to teach.
func (c *checkup) course(context.Context) {
	if c.content == "" {
		return
	}
	if _, _, err := openCourse(c.content); err != nil {
		c.note(ill, "check.refused", map[string]any{"Path": c.content})
		return
	}
	c.note(well, "doctor.course", map[string]any{"Path": c.content})
}

// openFiles tells of files with secrets that everyone on the machine can read.
func (c *checkup) openFiles() {
	paths := []string{c.config}
	for _, v := range variables() {
		if v.secret {
			paths = append(paths, lookup(c.env, v.name+"_FILE"))
		}
	}
	for _, path := range paths {
		if path != "" && openToOthers(path) {
			c.note(ill, "doctor.open", map[string]any{"Path": path})
		}
	}
}

// file opens the data where there are any, and else looks whether they can be made.
func (c *checkup) file(ctx context.Context) {
	if c.data == "" {
		var err error
		if c.data, err = dataFile(c.env); err != nil {
			c.note(ill, "program.nodata", nil)
			return
		}
	}
	info, err := os.Stat(c.data)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		c.newFile()
		return
	case err != nil:
		c.found = append(c.found, finding{ill, refusal(c.voice, c.data, err)})
		return
	}
	file, err := store.Open(ctx, c.data, store.Options{Wait: 200 * time.Millisecond, Migrating: func(store.Migration) error { return store.ErrOlder }})
	if errors.Is(err, store.ErrLocked) {
		c.atWork = true
		c.note(doubt, "doctor.locked", map[string]any{"Path": c.data})
		return
	}
	if errors.Is(err, store.ErrOlder) {
		c.note(well, "doctor.older", map[string]any{"Path": c.data})
		return
	}
	if err == nil {
		err = file.Close()
	}
	if err != nil {
		c.found = append(c.found, finding{ill, refusal(c.voice, c.data, err)})
		return
	}
	if openToOthers(c.data) {
		c.note(ill, "doctor.open", map[string]any{"Path": c.data})
	}
	c.note(well, "doctor.file", map[string]any{"Path": c.data, "Size": (info.Size() + 1<<20 - 1) >> 20})
}

// newFile looks whether the file can be made: by a file of another name beside it, which goes at once.
func (c *checkup) newFile() {
	dir := existing(c.data)
	f, err := os.CreateTemp(dir, "timonier-*")
	if err == nil {
		err = errors.Join(f.Close(), os.Remove(f.Name()))
	}
	if err != nil {
		c.note(ill, "program.nofile", map[string]any{"Path": c.data, "Error": reason(err)})
		return
	}
	c.note(well, "doctor.nofile", map[string]any{"Path": c.data})
}

// existing is the nearest directory above a path that there is.
func existing(path string) string {
	dir := filepath.Dir(path)
	for info, err := os.Stat(dir); (err != nil || !info.IsDir()) && dir != filepath.Dir(dir); info, err = os.Stat(dir) {
		dir = filepath.Dir(dir)
	}
	return dir
}

// leastRoom is how much of a disk has to be free, in bytes: a day of a school, and a copy of its file.
const leastRoom = 200 << 20

func (c *checkup) room(context.Context) {
	if c.data == "" {
		return
	}
	free, known := freeBytes(existing(c.data))
	switch {
	case !known:
	case free < leastRoom:
		c.note(ill, "doctor.full", map[string]any{"Path": filepath.Dir(c.data), "Free": free >> 20, "Least": leastRoom >> 20})
	default:
		c.note(well, "doctor.room", map[string]any{"Free": free >> 20})
	}
}

// copies looks whether serve can keep copies where it is told to, and of when the last one is.
func (c *checkup) copies(context.Context) {
	if c.backups == "" {
		return
	}
	f, err := os.CreateTemp(c.backups, ".doctor-*")
	if err == nil {
		err = errors.Join(f.Close(), os.Remove(f.Name()))
	}
	if err != nil {
		c.note(ill, "doctor.nocopies", map[string]any{"Path": c.backups, "Error": reason(err)})
		return
	}
	if free, known := freeBytes(c.backups); known && free < leastRoom {
		c.note(ill, "doctor.full", map[string]any{"Path": c.backups, "Free": free >> 20, "Least": leastRoom >> 20})
		return
	}
	names, last := (&backups{dir: c.backups}).names()
	if len(names) == 0 {
		c.note(well, "doctor.copies", map[string]any{"Path": c.backups})
		return
	}
	c.note(well, "doctor.lastcopy", map[string]any{"Path": c.backups, "Number": len(names), "Last": last.In(c.now.Location()).Format(time.DateTime)})
}

// listening looks whether the addresses are free, by taking each for a moment.
func (c *checkup) listening(context.Context) {
	for _, address := range c.addresses {
		if address == "" || !c.platforms && !c.asked && address != c.kubectl {
			continue
		}
		listener, err := net.Listen("tcp", address)
		if err == nil {
			err = listener.Close()
		}
		var short *net.OpError // without the address, which the sentence has
		if errors.As(err, &short) {
			err = short.Err
		}
		switch {
		case err == nil:
			c.note(well, "doctor.free", map[string]any{"Address": address})
		case c.atWork:
			c.note(doubt, "doctor.taken", map[string]any{"Address": address, "Error": oneLine(err)})
		default:
			c.note(ill, "serve.nolisten", map[string]any{"Address": address, "Error": oneLine(err)})
		}
	}
}

// clock finds a clock that is before the program itself: Slack refuses what is five minutes off,
// and a question of the day needs its hour.
func (c *checkup) clock(context.Context) {
	if built := thisBuild().at; !built.IsZero() && c.now.Before(built.Add(-24*time.Hour)) {
		c.note(ill, "doctor.clock", map[string]any{"Now": c.now.Format(time.DateTime), "Built": built.Format(time.DateOnly)})
		return
	}
	c.note(well, "doctor.now", map[string]any{"Now": c.now.Format(time.DateTime), "Zone": c.now.Format("MST")})
}
