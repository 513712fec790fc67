package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Bounds of what may be asked of load.
const (
	mostLoadRows     = 8
	mostLoadChannels = 1000
	mostLoadTime     = 5 * time.Minute // a row, each of its three measurements
	mostLoadCount    = 1_000_000       // commands a row, the same
)

// The class of the sentence at the end, and how often one of its people changes the cluster.
const (
	loadClass = 30
	loadPause = 10 * time.Second
)

// loadFair is what share of the limit is expected where many channels are at work.
const loadFair = .5

// loadOptions are what the flags of load say.
type loadOptions struct {
	dir      string
	channels []int
	time     time.Duration
	count    int
}

// load is the subcommand: what this machine carries, as a table and in words. It works on files of
// its own, in a directory that it makes and deletes.
func load(ctx context.Context, in invocation) int {
	o, say, code, ok := readLoadOptions(in)
	if !ok {
		return code
	}
	dir, err := os.MkdirTemp(o.dir, "timonier-load-*")
	if err != nil {
		return in.fail(say.sentence("load.nodir", map[string]any{"Path": o.dir, "Error": oneLine(reason(err))}))
	}
	rows, err := measureLoad(ctx, in.stdout, say, o, dir)
	if left := os.RemoveAll(dir); left != nil {
		err = errors.Join(err, left)
	}
	switch {
	case ctx.Err() != nil:
		return in.fail(say.word("load.stopped"))
	case err != nil:
		return in.fail(say.sentence("load.failed", map[string]any{"Error": oneLine(err)}))
	}
	fmt.Fprintf(in.stdout, "\n%s\n", tellLoad(say, rows))
	return exitOK
}

// measureLoad measures each row and shows it at once.
func measureLoad(ctx context.Context, out io.Writer, say voice, o loadOptions, dir string) ([]loadRow, error) {
	fmt.Fprintf(out, "%s\n\n", say.sentence("load.begins", map[string]any{"Path": o.dir, "Seconds": int(o.time.Seconds() * 3 * float64(len(o.channels)))}))
	heads := strings.Split(say.word("load.heads"), "|")
	writeCells(out, heads, heads)
	var rows []loadRow
	for _, channels := range o.channels {
		row, err := measureRow(ctx, dir, channels, o.time, o.count)
		if err != nil {
			return rows, err
		}
		rows = append(rows, row)
		writeCells(out, heads, loadCells(say, row))
	}
	return rows, nil
}

func loadCells(say voice, r loadRow) []string {
	return []string{
		strconv.Itoa(r.channels), whole(r.rate), lasting(say, r.p50), lasting(say, r.p99), strconv.FormatUint(r.commits, 10),
		decimal(say, r.together()), whole(r.syncs), whole(r.undisked), whole(r.diskLimit()), percent(say, r.share()),
	}
}

// writeCells writes a line of the table: each cell right-aligned below its head.
func writeCells(out io.Writer, heads, cells []string) {
	line := ""
	for i, cell := range cells {
		line += "  " + strings.Repeat(" ", max(0, max(6, utf8.RuneCountInString(heads[i]))-utf8.RuneCountInString(cell))) + cell
	}
	fmt.Fprintln(out, line[2:])
}

// tellLoad says in words what was found with the most channels of those that were measured, up to 64:
// more are seldom at it in the same second.
func tellLoad(say voice, rows []loadRow) string {
	r := rows[0]
	for _, other := range rows {
		if other.channels > r.channels && other.channels <= 64 {
			r = other
		}
	}
	classes := r.rate / (loadClass / loadPause.Seconds())
	data := map[string]any{
		"Rate": whole(r.rate), "Channels": r.channels, "Fast": lasting(say, r.p50), "Slow": lasting(say, r.p99), "Share": percent(say, r.share()),
		"Class": loadClass, "Pause": int(loadPause.Seconds()), "Need": whole(loadClass / loadPause.Seconds()), "Classes": int(classes),
	}
	parts := []string{say.sentence("load.carries", data), say.sentence(pick(classes >= 1, "load.classes", "load.noclass"), data),
		say.sentence(pick(r.undisked < r.diskLimit(), "load.processor", "load.disk"), data)}
	if r.share() < loadFair {
		parts = append(parts, say.sentence("load.below", data))
	}
	return strings.Join(parts, "\n")
}

func pick(first bool, a, b string) string {
	if first {
		return a
	}
	return b
}

func whole(f float64) string { return strconv.FormatFloat(math.Round(f), 'f', -1, 64) }

func decimal(say voice, f float64) string {
	return strings.Replace(strconv.FormatFloat(f, 'f', 1, 64), ".", say.word("load.point"), 1)
}

func percent(say voice, f float64) string {
	return say.sentence("load.percent", map[string]any{"Number": whole(100 * f)})
}

func lasting(say voice, d time.Duration) string {
	if d >= time.Second {
		return say.sentence("load.seconds", map[string]any{"Number": decimal(say, d.Seconds())})
	}
	ms := float64(d) / float64(time.Millisecond)
	text := whole(ms)
	if ms < 10 {
		text = decimal(say, ms)
	}
	return say.sentence("load.millis", map[string]any{"Number": text})
}

// readLoadOptions reads the flags. ok is false where the program is to end with the code.
func readLoadOptions(in invocation) (o loadOptions, say voice, code int, ok bool) {
	flags := &flag.FlagSet{}
	flags.StringVar(&o.dir, "dir", "", "")
	data := flags.String("data", "", "")
	channels := flags.String("channels", "1,8,64,256", "")
	long, count := flags.String("time", "6s", ""), flags.String("count", "100000", "")
	say, _, code, ok = in.parse(flags, func(say voice) string { return say.word("load.usage") })
	if !ok {
		return o, say, code, false
	}
	value := func(option, value, expected string) (loadOptions, voice, int, bool) {
		return o, say, in.refuse(say.sentence("serve.badvalue", map[string]any{"Option": option, "Value": value, "Expected": expected})), false
	}
	if flags.NArg() > 0 {
		return o, say, in.refuse(say.sentence("program.badword", map[string]any{"Word": flags.Arg(0)})), false
	}
	for word := range strings.SplitSeq(*channels, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(word))
		if err != nil || n < 1 || n > mostLoadChannels || len(o.channels) == mostLoadRows {
			return value("--channels", *channels, "1,8,64,256")
		}
		if !slices.Contains(o.channels, n) {
			o.channels = append(o.channels, n)
		}
	}
	var err error
	if o.time, err = time.ParseDuration(*long); err != nil || o.time <= 0 || o.time > mostLoadTime {
		return value("--time", *long, "6s")
	}
	if o.count, err = strconv.Atoi(*count); err != nil || o.count < loadRounds || o.count > mostLoadCount {
		return value("--count", *count, "100000")
	}
	if o.dir != "" {
		return o, say, exitOK, true
	}
	if *data == "" { // the disk that serves is the one to measure; the file itself is left alone
		if *data, err = dataFile(in.env); err != nil {
			return o, say, in.fail(say.word("program.nodata")), false
		}
	}
	o.dir = existing(filepath.Clean(*data))
	return o, say, exitOK, true
}
