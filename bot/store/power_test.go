package store

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"

	"go.etcd.io/bbolt"

	"timonier/bot"
)

// How many commits TestPowerLoss loses the power in, and what its choices come from (0: the time). The README's figures come from
//
//	go test ./bot/store -run TestPowerLoss -v -power.commits 300
var (
	powerCommits = flag.Int("power.commits", 20, "how many commits TestPowerLoss loses the power in")
	powerSeed    = flag.Uint64("power.seed", 0, "what TestPowerLoss's choices come from; 0: from the time")
)

// TestPowerLoss takes away the power in the middle of commits. Of what was written since the disk was last
// told to keep all, any sector may be there, or not, or be neither; the file opens all the same at the last
// commit that was acknowledged, or at the one under way, whole. TestSynced shows that the disk is told
// to keep all between the pages and the first page that names them, and once more before it is acknowledged.
func TestPowerLoss(t *testing.T) {
	commits := *powerCommits
	if testing.Short() {
		commits = min(commits, 8)
	}
	p := newPower(t)
	for range commits {
		p.lose()
	}
	p.s.Close()
	t.Logf("%d images of %d commits, in which %d pages were written: %d opened at the commit before, %d at the new one; after %d all went on; %d of %d first pages without the others were found out",
		p.images, commits, p.pages, p.before, p.after, p.resumed, p.caught, commits)
	if p.before == 0 || p.after == 0 || p.caught != commits || p.grown == 0 && !testing.Short() {
		t.Error("too little was tried")
	}
}

// sector is what a disk writes at once, or less.
const sector = 512

// written is a piece of a file that was written.
type written struct {
	at    int64
	bytes []byte
}

// recorded notes what bbolt writes from now on. It has no seam of its own for it, but a field.
func recorded(t testing.TB, db *bbolt.DB, note func(written)) {
	t.Helper()
	field := reflect.ValueOf(db).Elem().FieldByName("ops").FieldByName("writeAt")
	write, ok := reflect.NewAt(field.Type(), unsafe.Pointer(field.UnsafeAddr())).Interface().(*func([]byte, int64) (int, error))
	if !ok {
		t.Fatal("bbolt writes in another way")
	}
	before := *write
	*write = func(b []byte, at int64) (int, error) {
		n, err := before(b, at)
		note(written{at, bytes.Clone(b[:n])})
		return n, err
	}
}

// power is a store that loses it.
type power struct {
	t           *testing.T
	rng         *rand.Rand
	path, image string
	s           *Store
	size        int64 // of a page
	versions    map[bot.Scope]uint64

	n                       int       // of the commit under way
	writes                  []written // of it
	pagesBefore             []byte    // the file
	stateBefore, stateAfter string

	images, pages, grown           int // what was tried
	before, after, resumed, caught int // what came of it
}

func newPower(t *testing.T) *power {
	seed := cmp.Or(*powerSeed, uint64(time.Now().UnixNano()))
	t.Logf("seed %d", seed)
	dir := t.TempDir()
	p := &power{t: t, rng: rand.New(rand.NewPCG(seed, 0)), path: filepath.Join(dir, "t.db"), image: filepath.Join(dir, "after.db")}
	p.start()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("seed %d", seed)
		}
	})
	return p
}

// start opens the file, and learns what it holds.
func (p *power) start() {
	p.t.Helper()
	p.s = open(p.t, p.path)
	p.s.db.NoSync = true         // the power goes when the test says so
	p.s.db.AllocSize = 256 << 10 // so that the file grows now and then
	p.size = int64(p.s.db.Info().PageSize)
	recorded(p.t, p.s.db, func(w written) { p.writes = append(p.writes, w) })
	p.versions = map[bot.Scope]uint64{}
	for c := range powerChannels {
		scope := powerScope(c)
		_, version, err := p.s.Read(ctx, scope, "")
		if err != nil {
			p.t.Fatal(err)
		}
		p.versions[scope] = version
	}
}

const powerChannels = 12

func powerScope(n int) bot.Scope {
	s := bot.Scope{Platform: "slack", Tenant: fmt.Sprint("school-", n%3), Channel: fmt.Sprint(n)}
	if n%4 == 3 {
		s.Channel, s.Person = "", fmt.Sprint("U", n)
	}
	return s
}

// commit writes a few scopes and a reply.
func (p *power) commit() {
	p.t.Helper()
	p.n++
	var c bot.Commit
	for _, n := range p.rng.Perm(powerChannels)[:1+p.rng.IntN(4)] {
		w := bot.Write{Scope: powerScope(n), Base: p.versions[powerScope(n)], Changes: records("last", fmt.Sprint(p.n))}
		p.versions[w.Scope]++
		for range p.rng.IntN(6) {
			r := bot.Record{Key: fmt.Sprint("k/", p.rng.IntN(20))}
			if p.rng.IntN(4) > 0 {
				r.Value = bytes.Repeat([]byte{byte(p.n)}, p.rng.IntN([]int{50, 2000, 30000}[p.rng.IntN(3)]))
			}
			if !slices.ContainsFunc(w.Changes, func(o bot.Record) bool { return o.Key == r.Key }) {
				w.Changes = append(w.Changes, r)
			}
		}
		if p.rng.IntN(5) == 0 {
			w.Drop = []string{"k/1"}
		}
		c.Writes = append(c.Writes, w)
	}
	c.Answers = []bot.Answer{{Scope: c.Writes[0].Scope, Request: fmt.Sprintf("r%d-%d", p.n, p.rng.Uint64()), At: start.Add(time.Duration(p.n) * time.Hour), Reply: []byte("ok")}}
	if err := p.s.Commit(ctx, c); err != nil {
		p.t.Fatal(err)
	}
}

// lose writes a commit, and looks at what is left of it where the power goes meanwhile; it goes on
// after that, or after one of those losses.
func (p *power) lose() {
	p.t.Helper()
	p.pagesBefore, p.stateBefore = p.read(), stateOf(p.t, p.s)
	p.writes = nil
	p.commit()
	whole := p.read()
	p.stateAfter = stateOf(p.t, p.s)
	if len(whole) > len(p.pagesBefore) {
		p.grown++
	}
	data, first := p.writes[:len(p.writes)-1], p.writes[len(p.writes)-1]
	for _, w := range data {
		if w.at < 2*p.size {
			p.t.Fatalf("a first page was written before the others: %d", w.at)
		}
		p.pages += len(w.bytes) / int(p.size)
	}
	if first.at >= 2*p.size || p.stateBefore == p.stateAfter {
		p.t.Fatalf("the last write is at %d", first.at)
	}
	long := append(bytes.Clone(p.pagesBefore), make([]byte, len(whole)-len(p.pagesBefore))...) // its length is kept before its pages
	var left [][]byte
	for range 4 {
		left = append(left, p.look(p.some(long, data), false))
	}
	all := bytes.Clone(long)
	for _, w := range data {
		copy(all[w.at:], w.bytes)
	}
	left = append(left, p.look(all, false))
	old := all[first.at : first.at+p.size]
	look := func(torn []byte) []byte {
		image := bytes.Clone(all)
		copy(image[first.at:], torn)
		return p.look(image, bytes.Equal(torn[headerSize:headerSize+metaSize], first.bytes[headerSize:headerSize+metaSize]))
	}
	for _, torn := range p.torn(first.bytes, old) {
		left = append(left, look(torn))
	}
	// What counts of a first page is in one sector, which a disk writes or does not. Even if one did not, it
	// would be found out; of two such losses in a row, the second could make up what the first one left of
	// a commit whose pages are others by now: bbolt relies on the sector, and nothing goes on from here.
	for range 3 {
		cut := p.rng.IntN(headerSize + metaSize)
		look(mixed(old, first.bytes, 0, cut))
		look(mixed(old, first.bytes, cut, len(old)))
	}
	named := bytes.Clone(long)
	copy(named[first.at:], first.bytes)
	if p.found(named) {
		p.caught++
	}
	if p.rng.IntN(2) == 0 {
		p.goOn(left[p.rng.IntN(len(left))])
	}
}

// some is what there was, and of what was written then some sectors; others are neither.
func (p *power) some(before []byte, writes []written) []byte {
	image := bytes.Clone(before)
	most := p.rng.IntN(4) // in one the half is there, in others nearly all or hardly any
	for _, w := range writes {
		for i := 0; i < len(w.bytes); i += sector {
			at := image[w.at+int64(i):][:sector]
			switch n := p.rng.IntN(4); {
			case n < most:
				copy(at, w.bytes[i:i+sector])
			case n == 3 && most < 2:
				for j := range at {
					at[j] = byte(p.rng.Uint32())
				}
			}
		}
	}
	return image
}

// torn is a first page of which not every sector was written over the one before.
func (p *power) torn(now, before []byte) [][]byte {
	none := bytes.Clone(before)
	for i := range none[:sector] {
		none[i] = byte(p.rng.Uint32())
	}
	return [][]byte{now, mixed(before, now, 0, sector), mixed(before, now, sector, len(now)), none}
}

// mixed is what was written before, with a part of what is written now.
func mixed(before, now []byte, from, to int) []byte {
	b := bytes.Clone(before)
	copy(b[from:to], now[from:to])
	return b
}

// look opens what is left: it must be whole, and all that was acknowledged, with the commit under way
// where after says so. Of a torn first page may be left what means the same as before, or as after.
func (p *power) look(image []byte, after bool) []byte {
	p.t.Helper()
	p.images++
	if err := os.WriteFile(p.image, image, 0o600); err != nil {
		p.t.Fatal(err)
	}
	all, sum := verify(p.t, p.image)
	for _, f := range all {
		if f.Kind != OneMeta {
			p.t.Errorf("commit %d, image %d: %+v", p.n, p.images, f)
		}
	}
	if sum.Damages > 0 {
		return image
	}
	s := open(p.t, p.image)
	defer s.Close()
	switch state := stateOf(p.t, s); {
	case state == p.stateAfter && after:
		p.after++
	case state == p.stateBefore && !after:
		p.before++
	default:
		p.t.Errorf("commit %d, image %d: it is as after it: %t; as before it: %t; it should be as after it: %t",
			p.n, p.images, state == p.stateAfter, state == p.stateBefore, after)
	}
	return image
}

// found says whether it is found out that a first page names others that are not there: were they not
// kept before it, look would fail.
func (p *power) found(image []byte) bool {
	p.t.Helper()
	if err := os.WriteFile(p.image, image, 0o600); err != nil {
		p.t.Fatal(err)
	}
	if _, sum := verify(p.t, p.image); sum.Damages > 0 {
		return true
	}
	s := open(p.t, p.image)
	defer s.Close()
	return stateOf(p.t, s) != p.stateAfter
}

// goOn has the program start on what is left, and write.
func (p *power) goOn(image []byte) {
	p.t.Helper()
	if err := p.s.Close(); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(p.path, image, 0o600); err != nil {
		p.t.Fatal(err)
	}
	p.start()
	p.resumed++
}

func (p *power) read() []byte {
	p.t.Helper()
	b, err := os.ReadFile(p.path)
	if err != nil {
		p.t.Fatal(err)
	}
	return b
}

// stateOf is all that a file holds, in short.
func stateOf(t testing.TB, s *Store) string {
	t.Helper()
	sum := sha256.New()
	var list func(b *bbolt.Bucket, depth int) error
	list = func(b *bbolt.Bucket, depth int) error {
		return b.ForEach(func(k, v []byte) error {
			fmt.Fprintf(sum, "%s%q %q\n", strings.Repeat(" ", depth), k, v)
			if v == nil {
				return list(b.Bucket(k), depth+1)
			}
			return nil
		})
	}
	err := s.view(func(tx *bbolt.Tx) error {
		return tx.ForEach(func(name []byte, b *bbolt.Bucket) error {
			fmt.Fprintf(sum, "%q\n", name)
			return list(b, 1)
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", sum.Sum(nil))
}
