package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"

	"timonier/bot"
	"timonier/bot/picture"
	"timonier/content"
)

// courseDir is a directory that a course is taken from, in place of the built-in one.
type courseDir string

// read is the course in the directory, or its faults, whose files are named as the person would open
// them. Nothing outside of the directory is read, whatever links lead there.
func (d courseDir) read() (*content.Course, []content.Problem) {
	root, err := os.OpenRoot(string(d))
	if err != nil {
		return nil, []content.Problem{{File: string(d), Text: reason(err).Error()}}
	}
	defer root.Close()
	course, faults := content.Read(root.FS())
	return course, d.named(faults)
}

// named are faults with the directory before the names of their files.
func (d courseDir) named(faults []content.Problem) []content.Problem {
	for i := range faults {
		faults[i].File = filepath.Join(string(d), filepath.FromSlash(faults[i].File))
	}
	return faults
}

// prove runs all that a course promises, a few things at a time.
func prove(ctx context.Context, course *content.Course, atOnce int) []content.Problem {
	var mu sync.Mutex
	var faults []content.Problem
	var working sync.WaitGroup
	turns := make(chan struct{}, max(1, atOnce))
	for _, p := range content.Proofs(course, func(members int) (content.Stage, error) { return bot.NewStage(course, members) }) {
		turns <- struct{}{}
		if ctx.Err() != nil {
			break
		}
		working.Go(func() {
			defer func() { <-turns }()
			found := proved(p)
			mu.Lock()
			defer mu.Unlock()
			faults = append(faults, found...)
		})
	}
	working.Wait()
	faults = append(faults, illDrawn(course)...)
	slices.SortFunc(faults, func(a, b content.Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Text, b.Text))
	})
	return slices.Compact(faults)
}

// illDrawn draws each diagram in all its words, and says where those do not fit or things overlap. A
// theme changes nothing of that.
func illDrawn(course *content.Course) (faults []content.Problem) {
	for _, d := range course.Diagrams {
		for _, lens := range slices.Sorted(maps.Keys(d.Views)) {
			for _, lang := range content.Langs() {
				drawn, ok := picture.Diagram(d, lens, lang, picture.Light)
				if !ok {
					continue // made of characters only
				}
				for _, f := range drawn.Faults() {
					faults = append(faults, content.Problem{File: "diagrams/" + d.Name + ".yaml", Text: fmt.Sprintf("drawn for %s, %s: %s", lens, lang, f)})
				}
			}
		}
	}
	return faults
}

// proved runs a proof. One that panics is a fault of the course as well: it must not end those who are taught another.
func proved(p content.Proof) (faults []content.Problem) {
	defer func() {
		if r := recover(); r != nil {
			faults = []content.Problem{{File: p.Name, Text: fmt.Sprintf("panic: %v", r)}}
		}
	}()
	return p.Run()
}

// mark is what the directory looks like: the names, sizes and times of its files.
func (d courseDir) mark() (uint64, error) {
	h := fnv.New64a()
	err := filepath.WalkDir(string(d), func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil // gone while we looked
		}
		if err == nil && !e.IsDir() {
			fmt.Fprintf(h, "%q %d %d %v\n", path, info.Size(), info.ModTime().UnixNano(), info.Mode())
		}
		return err
	})
	return h.Sum64(), err
}

// lookEvery is how often a course's directory is looked at.
const lookEvery = 3 * time.Second

// courseWatch keeps what a tutor teaches the same as what is in a directory, as long as that has no fault.
type courseWatch struct {
	dir   courseDir
	tutor interface {
		Teach(*content.Course)
		Refuse([]content.Problem)
		Doubt([]content.Problem)
	}
	logger *slog.Logger

	course       *content.Course // what was taught at the start, read and not run yet
	taught, seen uint64          // marks: of what was read last, and of what was there at the last look
}

// run looks at each tick until the context ends. Before, it runs the course of the start, which is
// taught meanwhile, and after, whatever there is to be found.
func (w *courseWatch) run(ctx context.Context, ticks <-chan time.Time) {
	switch faults := w.prove(ctx, w.course); {
	case ctx.Err() != nil:
		return
	case len(faults) > 0:
		w.logger.Warn("the course that is taught has faults", "directory", w.dir, "faults", len(faults), "first", faults[0].String())
		w.tutor.Doubt(faults)
	default:
		w.logger.Info("the course that is taught holds", "directory", w.dir)
	}
	w.course = nil
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks:
			w.look(ctx)
		}
	}
}

// prove leaves half of the processors to those who learn.
func (w *courseWatch) prove(ctx context.Context, course *content.Course) []content.Problem {
	return w.dir.named(prove(ctx, course, runtime.GOMAXPROCS(0)/2))
}

// look reads the course again where its files have changed, and are no longer being changed: two
// looks in a row saw the same.
func (w *courseWatch) look(ctx context.Context) {
	mark, err := w.dir.mark()
	if err != nil { // it is away: said once, by its own mark
		mark = 1
	}
	still := mark == w.seen
	w.seen = mark
	if mark == w.taught || !still {
		return
	}
	w.taught = mark
	course, faults := w.dir.read()
	if len(faults) == 0 {
		faults = w.prove(ctx, course)
	}
	switch {
	case ctx.Err() != nil: // told to end in the middle: nothing is known
	case len(faults) > 0:
		w.logger.Warn("the course has faults: the one before is still taught", "directory", w.dir, "faults", len(faults), "first", faults[0].String())
		w.tutor.Refuse(faults)
	default:
		w.logger.Info("the course has changed, and is taught from now on", "directory", w.dir)
		w.tutor.Teach(course)
	}
}

// follow watches the directory until stop is called, which waits for the end.
func (w *courseWatch) follow(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	ticker := time.NewTicker(lookEvery)
	var watching sync.WaitGroup
	watching.Go(func() { w.run(ctx, ticker.C) })
	return func() {
		cancel()
		ticker.Stop()
		watching.Wait()
	}
}

// openCourse is the course that --content names, nil for none, and its watch. The faults of a course
// that cannot be taught are its error: one a line.
func openCourse(dir string) (*content.Course, *courseWatch, error) {
	if dir == "" {
		return nil, nil, nil
	}
	w := &courseWatch{dir: courseDir(dir)}
	w.taught, _ = w.dir.mark() // before it is read: what changes meanwhile is read again
	w.seen = w.taught
	course, faults := w.dir.read()
	if len(faults) > 0 {
		var all []error
		for _, f := range faults {
			all = append(all, f)
		}
		return nil, nil, errors.Join(all...)
	}
	w.course = course
	return course, w, nil
}
