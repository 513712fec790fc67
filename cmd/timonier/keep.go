package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"timonier/bot/store"
)

// keeping is a call of one of the subcommands that look after the data file.
type keeping struct {
	invocation
	say        voice
	data, file string
}

// keepingOf reads the command line: a file first, where one is called for, and --data.
func keepingOf(in invocation, usage string, file bool) (k keeping, code int, ok bool) {
	k = keeping{invocation: in}
	k.args = slices.Clone(in.args)
	if len(k.args) > 0 && !strings.HasPrefix(k.args[0], "-") {
		k.file, k.args = k.args[0], k.args[1:]
	}
	flags := &flag.FlagSet{}
	flags.StringVar(&k.data, "data", "", "")
	if k.say, _, code, ok = k.parse(flags, func(say voice) string { return say.word(usage) }); !ok {
		return k, code, false
	}
	words := flags.Args()
	if k.file == "" && len(words) > 0 {
		k.file, words = words[0], words[1:]
	}
	if !file && k.file != "" {
		words = append(words, k.file)
	}
	switch {
	case len(words) > 0:
		return k, in.refuse(k.say.sentence("program.badword", map[string]any{"Word": words[0]})), false
	case file && k.file == "":
		return k, in.refuse(k.say.word(usage)), false
	}
	if k.data == "" {
		var err error
		if k.data, err = dataFile(in.env); err != nil {
			return k, in.fail(k.say.word("program.nodata")), false
		}
	}
	return k, exitOK, true
}

// refused says why, and what to do.
func (k keeping) refused(path string, err error) int {
	var system *fs.PathError
	if errors.Is(err, fs.ErrNotExist) && errors.As(err, &system) {
		if path := system.Path; path == k.data || path == k.file {
			return k.fail(k.say.sentence("keep.nofile", map[string]any{"Path": path}))
		}
		return k.fail(k.say.sentence("keep.nodir", map[string]any{"Path": filepath.Dir(system.Path)}))
	}
	var e *store.Error
	if errors.As(err, &e) {
		path = e.Path
	}
	for _, r := range []struct {
		is       error
		id, copy string // of the data file, of a copy
	}{
		{store.ErrLocked, "keep.locked", "keep.locked"}, {store.ErrExists, "keep.exists", "keep.exists"},
		{store.ErrDamaged, "keep.damaged", "keep.badcopy"}, {store.ErrNewer, "keep.newer", "keep.newer"},
		{store.ErrForeign, foreign(path), "keep.nocopy"}, {store.ErrFull, "keep.full", "keep.full"}, {store.ErrReadOnly, "keep.readonly", "keep.readonly"},
	} {
		if errors.Is(err, r.is) {
			id := r.id
			if path == k.file {
				id = r.copy
			}
			return k.fail(k.say.sentence(id, map[string]any{"Path": path, "File": filepath.Join(path, dataName)}))
		}
	}
	return k.fail(k.say.sentence("keep.failed", map[string]any{"Path": path, "Error": oneLine(reason(err))}))
}

// dataName is what a data file is called where nobody names it.
const dataName = "timonier.db"

// foreign is what to say of a path that is not a file of this program.
func foreign(path string) (id string) {
	switch info, err := os.Stat(path); {
	case err == nil && info.IsDir():
		return "keep.directory"
	case err == nil && info.Mode().IsRegular() && info.Size() == 0:
		return "keep.empty"
	}
	return "keep.foreign"
}

// counted says how many there are of what a file holds, each with its word.
func counted(say voice, sum store.Summary) map[string]any {
	data := map[string]any{}
	for _, c := range []struct {
		name, id string
		n        int
	}{
		{"Tenants", "keep.tenants", sum.Tenants}, {"Channels", "keep.channels", sum.Channels}, {"People", "keep.people", sum.People},
		{"Records", "keep.records", sum.Records}, {"Replies", "keep.replies", sum.Replies},
	} {
		data[c.name] = say.sentence(c.id, map[string]any{"Count": c.n})
	}
	return data
}

// ofSummary is the sentence with what a file holds, or the one without where that is not counted.
func ofSummary(sum store.Summary, counted, pages string) string {
	if sum.PagesOnly {
		return pages
	}
	return counted
}

// telling says that a file of an earlier version is brought up to date, before it is.
func telling(say voice, to io.Writer) func(store.Migration) error {
	return func(m store.Migration) error {
		id := "keep.migrating"
		if m.Resumed {
			id = "keep.resuming"
		}
		fmt.Fprintln(to, say.sentence(id, map[string]any{"Path": m.Path, "Aside": m.Aside}))
		return nil
	}
}

// verify is the subcommand: what is wrong with the data file, a line a finding, and what can still be read.
func verify(ctx context.Context, in invocation) int {
	k, code, ok := keepingOf(in, "keep.verify", false)
	if !ok {
		return code
	}
	sum, err := store.Verify(ctx, k.data, store.Options{}, func(f store.Finding) {
		mark := doubt
		if f.Damage() {
			mark = ill
		}
		fmt.Fprintln(in.stdout, mark, tellFinding(k.say, f))
	})
	if err != nil {
		return k.refused(k.data, err)
	}
	data := counted(k.say, sum)
	data["Path"], data["Damages"], data["Damaged"], data["DamagedTenants"] = k.data, sum.Damages, sum.Damaged, sum.DamagedTenants
	if sum.Damages > 0 {
		id := "keep.readable"
		if sum.Tenants == 0 {
			id = "keep.unreadable"
		}
		fmt.Fprintln(in.stdout, k.say.sentence(id, data))
		return in.fail(k.say.sentence("keep.ill", data))
	}
	fmt.Fprintln(in.stdout, k.say.sentence(ofSummary(sum, "keep.whole", "keep.wholepages"), data))
	return exitOK
}

// tellFinding says in the person's language what is wrong, and whose it is.
func tellFinding(say voice, f store.Finding) string {
	id := map[store.Kind]string{
		store.OneMeta: "keep.onemeta", store.LostPages: "keep.lostpages", store.NoMeta: "keep.nometa", store.Short: "keep.short", store.Page: "keep.page",
		store.NoBucket: "keep.nobucket", store.BadSchema: "keep.badschema", store.BadName: "keep.badname", store.BadValue: "keep.badvalue",
		store.BadPiece: "keep.badpiece",
		store.NoAge:    "keep.noage", store.NoReply: "keep.noreply", store.Stranger: "keep.stranger",
		store.OldSchema: "keep.oldschema", store.Unfinished: "keep.unfinished",
	}[f.Kind]
	fault := map[store.Fault]string{
		store.PageBeyond: "keep.fault.beyond", store.PageUnread: "keep.fault.unread", store.PageMisplaced: "keep.fault.misplaced",
		store.PageKind: "keep.fault.kind", store.PageLong: "keep.fault.long", store.PageTwice: "keep.fault.twice", store.PageFree: "keep.fault.free",
		store.PageDeep: "keep.fault.deep", store.PageEmpty: "keep.fault.empty", store.PageContents: "keep.fault.contents",
		store.PageOrder: "keep.fault.order", store.PageBucket: "keep.fault.bucket", store.PageFreeList: "keep.fault.freelist",
	}[f.Fault]
	data := map[string]any{"Page": f.Page, "Number": f.Number, "Detail": f.Detail, "Where": tellWhere(say, f.Where)}
	if f.Kind == store.Page {
		data["Fault"] = say.sentence(fault, nil)
	}
	if f.Kind == store.LostPages { // the one that has plural forms
		data["Count"] = int(f.Number)
	}
	return say.sentence(id, data)
}

func tellWhere(say voice, w store.Where) string {
	id := map[store.Part]string{
		store.Whole: "keep.inwhole", store.Ages: "keep.inages", store.TenantList: "keep.intenants", store.ScopeList: "keep.inscopes",
		store.Replies: "keep.inreplies", store.ScopeRecord: "keep.intenant",
	}[w.Part]
	switch {
	case w.Channel != "":
		id = "keep.inchannel"
	case w.Person != "":
		id = "keep.inperson"
	}
	return say.sentence(id, map[string]any{"Platform": w.Platform, "Tenant": w.Tenant, "Channel": w.Channel, "Person": w.Person})
}

// backup is the subcommand: a copy of a data file that is not in use.
func backup(ctx context.Context, in invocation) int {
	k, code, ok := keepingOf(in, "keep.backup", true)
	if !ok {
		return code
	}
	sum, err := store.Backup(ctx, k.data, k.file)
	if err != nil {
		return k.refused(k.data, err)
	}
	data := counted(k.say, sum)
	data["Path"], data["Size"] = k.file, kibi(sum.Bytes)
	fmt.Fprintln(in.stdout, k.say.sentence(ofSummary(sum, "keep.backedup", "keep.backeduppages"), data))
	return exitOK
}

// restore is the subcommand: a copy takes the data file's place.
func restore(ctx context.Context, in invocation) int {
	k, code, ok := keepingOf(in, "keep.restore", true)
	if !ok {
		return code
	}
	aside, sum, err := store.Restore(ctx, k.file, k.data, time.Now())
	if err != nil {
		return k.refused(k.data, err)
	}
	data := counted(k.say, sum)
	data["From"], data["Path"] = k.file, k.data
	fmt.Fprintln(in.stdout, k.say.sentence(ofSummary(sum, "keep.restored", "keep.restoredpages"), data))
	fmt.Fprintln(in.stdout, k.say.word("keep.revived"))
	if aside != "" {
		fmt.Fprintln(in.stdout, k.say.sentence("keep.aside", map[string]any{"Path": aside}))
	}
	return exitOK
}

// compact is the subcommand: the data file without the room that it does not use.
func compact(ctx context.Context, in invocation) int {
	k, code, ok := keepingOf(in, "keep.compact", false)
	if !ok {
		return code
	}
	aside, before, after, err := store.Compact(ctx, k.data, store.Options{Migrating: telling(k.say, in.stderr)}, time.Now())
	if err != nil {
		return k.refused(k.data, err)
	}
	fmt.Fprintln(in.stdout, k.say.sentence("keep.compacted", map[string]any{"Path": k.data, "Before": kibi(before), "After": kibi(after), "Gain": kibi(before - after)}))
	fmt.Fprintln(in.stdout, k.say.sentence("keep.aside", map[string]any{"Path": aside}))
	return exitOK
}

func kibi(bytes int64) int64 { return (bytes + 1<<10 - 1) >> 10 }

// backups has a program at work copy its file every so often, and keeps the latest copies.
type backups struct {
	dir    string
	every  time.Duration
	keep   int
	copy   func(ctx context.Context, path string) error
	logger *slog.Logger
}

const backupPrefix, backupSuffix = "timonier-", ".db"

// names are the copies in the directory, the oldest first, and when the last was made. Other files are none of its business.
func (b *backups) names() (names []string, last time.Time) {
	type made struct {
		path   string
		at     time.Time
		number int // of those of one second
	}
	var all []made
	found, _ := filepath.Glob(filepath.Join(b.dir, backupPrefix+"*"+backupSuffix))
	for _, path := range found {
		stamp, number, more := strings.Cut(strings.TrimSuffix(strings.TrimPrefix(filepath.Base(path), backupPrefix), backupSuffix), "-")
		m := made{path: path, number: 1}
		if more {
			m.number, _ = strconv.Atoi(number)
		}
		var err error
		if m.at, err = time.Parse("20060102T150405Z", stamp); err == nil && path == b.path(m.at, m.number) {
			all = append(all, m)
		}
	}
	slices.SortFunc(all, func(x, y made) int { return cmp.Or(x.at.Compare(y.at), cmp.Compare(x.number, y.number)) })
	for _, m := range all {
		names, last = append(names, m.path), m.at
	}
	return names, last
}

// path is the name of a copy: its moment, and a number where there is another of the same second.
func (b *backups) path(at time.Time, number int) string {
	name := store.Numbered(backupPrefix+store.Stamp(at), number)
	return filepath.Join(b.dir, name+backupSuffix)
}

// mostOfOneSecond bounds the copies that have the same moment in their names.
const mostOfOneSecond = 100

// take makes one copy, then drops those that are too many: never before there is a new one.
func (b *backups) take(ctx context.Context) {
	now, path, err := time.Now(), "", error(nil)
	for number := 1; number <= mostOfOneSecond; number++ {
		path = b.path(now, number)
		if err = b.copy(ctx, path); !errors.Is(err, store.ErrExists) {
			break
		}
	}
	if err != nil {
		if ctx.Err() == nil {
			b.logger.Error("the data file could not be backed up", "path", path, "error", err)
		}
		return
	}
	b.logger.Info("the data file is backed up", "path", path)
	names, _ := b.names()
	for _, old := range names[:max(0, len(names)-b.keep)] {
		if err := os.Remove(old); err != nil {
			b.logger.Error("an old backup could not be removed", "path", old, "error", err)
		}
	}
}

// follow makes copies until stop is called, which waits for the one that is being made: the first
// when the last is as old as it may be, which a program that is often started again comes to as well.
func (b *backups) follow(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var working sync.WaitGroup
	working.Go(func() {
		_, last := b.names()
		next := time.NewTimer(max(0, min(b.every, time.Until(last.Add(b.every)))))
		defer next.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-next.C:
				b.take(ctx)
				next.Reset(b.every)
			}
		}
	})
	return func() {
		cancel()
		working.Wait()
	}
}
