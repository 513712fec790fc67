package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"timonier/bot"
	"timonier/bot/store"
)

// loadLines are what each channel does, again and again: each changes its cluster, and the last leaves
// it as the first found it.
func loadLines() []string {
	return []string{
		"/kubectl create deployment web --image=nginx --replicas=3",
		"/kubectl create configmap note --from-literal=a=1",
		"/kubectl scale deployment web --replicas=4",
		"/kubectl label configmap note week=2",
		"/kubectl delete configmap note",
		"/kubectl delete deployment web",
	}
}

// stress is a tutor of its own with so many channels, each of which sends a command, waits for the
// answer and sends the next.
type stress struct {
	tutor   *bot.Tutor
	sent    []int // by channel
	answers []time.Duration
	took    time.Duration // in which they were answered
}

// newStress makes the channels' clusters, so that what is measured later is only what changes them.
func newStress(ctx context.Context, to bot.Store, channels int) (*stress, error) {
	s := &stress{sent: make([]int, channels), tutor: bot.New(bot.Config{
		Store: to, Limits: bot.Limits{Output: pageOutput, Queue: laneQueue, Memory: 4 << 30, Rates: bot.Unlimited()},
	})}
	failed := make([]error, channels)
	var working sync.WaitGroup
	for c := range channels {
		working.Go(func() { failed[c] = s.ask(ctx, c, "/kubectl create namespace load") })
	}
	working.Wait()
	if err := errors.Join(failed...); err != nil {
		return nil, errors.Join(err, s.tutor.Close())
	}
	return s, nil
}

// ask sends one line, and waits for the answer.
func (s *stress) ask(ctx context.Context, channel int, line string) (err error) {
	s.sent[channel]++
	r := bot.Request{
		ID: fmt.Sprintf("%d-%d", channel, s.sent[channel]), Platform: "load", Tenant: fmt.Sprint("server-", channel/8), Channel: fmt.Sprint("channel-", channel),
		Who: bot.Person{ID: fmt.Sprint("person-", channel)}, Line: line,
	}
	return errors.Join(s.tutor.Handle(ctx, r, func(r bot.Reply) {
		if r.Failed {
			err = fmt.Errorf("%s: %v", line, r.Blocks)
		}
	}), err)
}

// drive has all channels at work for so long, and until so many commands have been sent at most. Each sends
// one at least.
func (s *stress) drive(ctx context.Context, long time.Duration, most int) error {
	lines := loadLines()
	began := time.Now()
	var left atomic.Int64
	left.Store(int64(most))
	var mu sync.Mutex
	var failed error
	var working sync.WaitGroup
	for c := range s.sent {
		working.Go(func() {
			var answers []time.Duration
			var err error
			for err == nil && (len(answers) == 0 || time.Since(began) < long) && left.Add(-1) >= 0 {
				asked := time.Now()
				if err = s.ask(ctx, c, lines[(s.sent[c]-1)%len(lines)]); err == nil {
					answers = append(answers, time.Since(asked))
				}
			}
			mu.Lock()
			defer mu.Unlock()
			s.answers, failed = append(s.answers, answers...), errors.Join(failed, err)
		})
	}
	working.Wait()
	s.took += time.Since(began)
	return failed
}

// rate is how many commands were answered in a second.
func (s *stress) rate() float64 { return float64(len(s.answers)) / max(s.took.Seconds(), 1e-9) }

// quantile is the time within which such a share of the answers came.
func (s *stress) quantile(q float64) time.Duration {
	if len(s.answers) == 0 {
		return 0
	}
	slices.Sort(s.answers)
	return s.answers[min(len(s.answers)-1, int(q*float64(len(s.answers))))]
}

// syncsACommit is how often the disk is waited for in a transaction of bbolt (tx.go, Commit): once
// for its pages (write), once for the meta page that makes them count (writeMeta).
const syncsACommit = 2

// loadRow is what was measured with so many channels.
type loadRow struct {
	channels          int
	commands          int
	rate              float64 // commands a second, on the file
	p50, p99, longest time.Duration
	commits           uint64
	syncs             float64 // a second, of the disk alone
	undisked          float64 // commands a second, without any disk
}

// together is how many commands a transaction held.
func (r loadRow) together() float64 { return float64(r.commands) / float64(max(r.commits, 1)) }

// diskLimit is how many commands a second the disk would keep if every transaction held one of each
// channel, which has one at most on its way, and no more than the store puts together.
func (r loadRow) diskLimit() float64 {
	return r.syncs / syncsACommit * float64(min(r.channels, store.MostTogether))
}

// limit is what group commit allows: what the disk keeps, or what the processors work out where that is less.
//
//	min(undisked, syncs ÷ 2 × min(channels, store.MostTogether))
//
// It is not to be reached: one channel waits for the disk after it has computed, and never does both;
// and a transaction of many commands writes more pages than the one that syncs are measured with.
func (r loadRow) limit() float64 { return min(r.undisked, r.diskLimit()) }

// share is how much of the limit was reached.
func (r loadRow) share() float64 { return r.rate / max(r.limit(), 1e-9) }

// loadRounds is in how many parts a row is measured, so that what else the machine does meanwhile
// falls on the disk alone, on the tutor without a disk and on the tutor with one alike.
const loadRounds = 3

// measureRow measures a row within a directory, each of the three for so long.
func measureRow(ctx context.Context, dir string, channels int, long time.Duration, most int) (row loadRow, err error) {
	file, err := store.Open(ctx, filepath.Join(dir, fmt.Sprint("load-", channels, ".db")), store.Options{})
	if err != nil {
		return row, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	memory, err := newStress(ctx, bot.NewMemory(), channels)
	if err != nil {
		return row, err
	}
	defer func() { err = errors.Join(err, memory.tutor.Close()) }()
	disk, err := newStress(ctx, file, channels)
	if err != nil {
		return row, err
	}
	defer func() { err = errors.Join(err, disk.tutor.Close()) }()
	row.channels = channels
	for range loadRounds {
		syncs, err := measureSyncs(ctx, dir, long/loadRounds)
		if err != nil {
			return row, err
		}
		row.syncs += syncs / loadRounds
		if err := memory.drive(ctx, long/loadRounds, most/loadRounds); err != nil {
			return row, err
		}
		before := file.Transactions()
		if err := disk.drive(ctx, long/loadRounds, most/loadRounds); err != nil {
			return row, err
		}
		row.commits += file.Transactions() - before
	}
	row.commands, row.rate, row.undisked = len(disk.answers), disk.rate(), memory.rate()
	row.p50, row.p99, row.longest = disk.quantile(.5), disk.quantile(.99), disk.quantile(1)
	return row, nil
}

// measureSyncs is how often a second the disk of a directory keeps one page, written as bbolt writes:
// a page of data, sync, the meta page, sync.
func measureSyncs(ctx context.Context, dir string, long time.Duration) (perSecond float64, err error) {
	const page, pages = 4096, 256
	f, err := os.CreateTemp(dir, "sync-*")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }()
	if _, err = f.Write(make([]byte, page*pages)); err != nil {
		return 0, err
	}
	if err = f.Sync(); err != nil {
		return 0, err
	}
	data := make([]byte, page)
	n, began := 0, time.Now()
	for ; (n < syncsACommit || time.Since(began) < long) && ctx.Err() == nil; n++ {
		at := n / syncsACommit % 2 // bbolt writes its two meta pages by turns
		if n%syncsACommit == 0 {
			at = 2 + n/syncsACommit%(pages-2)
		}
		data[0] = byte(n)
		if _, err = f.WriteAt(data, int64(at)*page); err != nil {
			return 0, err
		}
		if err = syncFile(f); err != nil {
			return 0, err
		}
	}
	return float64(n) / time.Since(began).Seconds(), ctx.Err()
}
