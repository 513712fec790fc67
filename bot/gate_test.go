package bot

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// byHand is a gate of so many processors, whose clock stands.
func byHand(processors int) (*gate, *time.Time) {
	g, now := newGate(processors), time.Date(2026, 9, 14, 13, 0, 0, 0, time.UTC)
	g.now = func() time.Time { return now }
	g.looking = true // no timer of the real clock is wanted: see looks
	return g, &now
}

// looks is what relieve does, in its time.
func (g *gate) looks() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.fill()
}

func inTenant(tenant string, n int) Place {
	return Place{Platform: "test", Tenant: tenant, Channel: fmt.Sprint("c", n)}
}

// begun is whether a turn that waited has had its place.
func (s *pass) begun() bool {
	select {
	case <-s.ready:
		return true
	default:
		return false
	}
}

func (g *gate) lineUp(p Place, k kind) *pass {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := &pass{gate: g, of: p.house(), kind: k}
	g.queue(s)
	return s
}

func (g *gate) empty(t *testing.T) {
	t.Helper()
	if g.busy != 0 || g.long != 0 || len(g.crews) != 0 || len(g.order) != 0 {
		t.Errorf("left over: %d busy, %d long, tenants %v, in line %v", g.busy, g.long, g.crews, g.order)
	}
}

// However many channels of one tenant want to work, one of them at most goes before another tenant's turn.
func TestTenantsTakeTurns(t *testing.T) {
	for _, processors := range []int{1, 2, 8} {
		for k, most := range map[kind]int{quickTurn: processors, longTurn: max(1, processors/2)} {
			g, _ := byHand(processors)
			var noisy []*pass
			for n := range 100 {
				noisy = append(noisy, g.lineUp(inTenant("noisy", n), k))
			}
			working := func() (n int) {
				for _, l := range noisy {
					if l.begun() {
						n++
					}
				}
				return n
			}
			before := working()
			if before != most {
				t.Fatalf("%d processors: %d work", processors, before)
			}
			quiet := g.lineUp(inTenant("quiet", 0), k)
			for !quiet.begun() { // one that works gives up its place
				noisy[slices.IndexFunc(noisy, func(l *pass) bool { return l.works })].leave()
			}
			if after := working() - before; after > 1 {
				t.Errorf("%d processors: %d others went before", processors, after)
			}
			quiet.leave()
			for _, l := range noisy { // all have their turn, in the end
				if !l.begun() {
					t.Fatalf("%d processors: one was forgotten", processors)
				}
				l.leave()
			}
			g.empty(t)
		}
	}
}

// Where there are two tenants each has half of the places, and the other half stands ready.
func TestEachHasItsShare(t *testing.T) {
	g, now := byHand(4)
	var noisy []*pass
	for n := range 6 {
		noisy = append(noisy, g.lineUp(inTenant("noisy", n), quickTurn))
	}
	if !noisy[3].begun() || noisy[4].begun() {
		t.Error("who is alone has all")
	}
	g.lineUp(inTenant("quiet", 0), quickTurn)
	noisy[0].leave()
	if noisy[1].leave(); noisy[4].begun() || g.busy != 3 {
		t.Errorf("it has more than half: %d work", g.busy)
	}
	*now = now.Add(mixedFor)
	if g.looks(); !noisy[4].begun() || !noisy[5].begun() {
		t.Error("it is alone again")
	}
}

// What works on and on gives up its quick place, and then works in slices: each tenant's in turn.
func TestLongTurnsTakeSlices(t *testing.T) {
	g, now := byHand(2)
	ctx := context.Background()
	noisy, err := g.enter(ctx, inTenant("noisy", 0), false)
	if err != nil || !noisy.works {
		t.Fatal(err)
	}
	if noisy.pace(ctx); noisy.kind != quickTurn {
		t.Error("it has hardly begun")
	}
	*now = now.Add(quickFor)
	if noisy.pace(ctx); noisy.kind != quickTurn {
		t.Error("it has done little, if slowly")
	}
	noisy.steps = quickSteps
	if noisy.pace(ctx); noisy.kind != longTurn || !noisy.works || !noisy.hard || g.long != 1 {
		t.Error("it is still among the quick")
	}
	quiet := g.lineUp(inTenant("quiet", 0), longTurn)
	if noisy.pace(ctx); quiet.begun() {
		t.Error("the slice is not over")
	}
	*now = now.Add(sliceFor)
	back := make(chan struct{})
	go func() {
		noisy.pace(ctx)
		close(back)
	}()
	<-quiet.ready
	quiet.leave()
	<-back
	if !noisy.works {
		t.Error("it does not work on")
	}
	*now = now.Add(time.Minute)
	if noisy.pace(ctx); !noisy.works { // nobody waits
		t.Error("it has left for nobody")
	}
	noisy.leave()
	noisy.leave()
	g.empty(t)
	if noisy.pace(ctx); noisy.works {
		t.Error("it works again")
	}
}

// A long turn stands aside for quick ones, until it has waited for long enough: then it has a slice in any case.
func TestLongTurnsStandAside(t *testing.T) {
	g, now := byHand(1)
	ctx := context.Background()
	long := g.lineUp(inTenant("a", 0), longTurn)
	quick := g.lineUp(inTenant("b", 0), quickTurn)
	back := make(chan struct{})
	go func() {
		long.pace(ctx)
		close(back)
	}()
	<-quick.ready
	next := g.lineUp(inTenant("b", 1), quickTurn)
	if quick.leave(); !next.begun() {
		t.Error("another that is quick waits for a long one")
	}
	*now = now.Add(asideFor - time.Millisecond)
	third := g.lineUp(inTenant("c", 1), quickTurn)
	*now = now.Add(time.Millisecond)
	next.leave()
	<-back
	if third.begun() {
		t.Error("it stands aside for ever")
	}
	*now = now.Add(sliceFor - 1)
	if long.pace(ctx); !long.works {
		t.Error("its slice is cut short")
	}
	long.leave()
	if !third.begun() {
		t.Error("one was forgotten")
	}
	third.leave()
	g.empty(t)
}

// Long turns that wait one after the other go before quick ones once in a while, and not all the time: neither of their own
// tenant, where it has one place, nor of another.
func TestQuickOnesAreNotKeptBack(t *testing.T) {
	for _, of := range []string{"a", "b"} {
		g, now := byHand(1)
		var long []*pass
		for n := range 20 {
			long = append(long, g.lineUp(inTenant("a", n), longTurn))
		}
		for n := range asideFor / sliceFor { // then the others have all waited for long enough
			*now = now.Add(sliceFor)
			long[n].leave()
		}
		quick := make([]*pass, 4)
		for n := range quick {
			quick[n] = g.lineUp(inTenant(of, 100+n), quickTurn)
		}
		slices := 0 // of long ones, until all quick ones have been served
		for left := len(quick); left > 0 && slices <= len(long); {
			for _, s := range append(append([]*pass{}, quick...), long...) {
				if !s.works {
					continue
				}
				if s.kind == longTurn {
					*now = now.Add(sliceFor)
					slices++
				} else {
					*now = now.Add(time.Millisecond)
					left--
				}
				s.leave()
				break
			}
		}
		if slices > 2 {
			t.Errorf("%d slices went before quick ones of tenant %s", slices, of)
		}
		for range long { // and the long ones are served
			for _, s := range long {
				s.leave()
			}
		}
		g.empty(t)
	}
}

// Turns that never look up keep their own tenant from more of them than it may have, and nobody else: their places
// are given to others.
func TestTurnsThatNeverLookUp(t *testing.T) {
	g, now := byHand(2)
	var stuck []*pass
	for n, tenant := range []string{"a", "a"} {
		if stuck = append(stuck, g.lineUp(inTenant(tenant, n), quickTurn)); !stuck[n].begun() {
			t.Fatal("there is a place for each")
		}
	}
	third, quiet := g.lineUp(inTenant("a", 2), quickTurn), g.lineUp(inTenant("quiet", 0), quickTurn)
	if g.looks(); third.begun() || quiet.begun() { // as it is called while they wait
		t.Error("they have hardly begun")
	}
	*now = now.Add(stuckFor)
	if g.looks(); !quiet.begun() {
		t.Error("another has no place")
	}
	if third.begun() {
		t.Error("their tenant has a third")
	}
	quiet.leave()
	if stuck[0].leave(); third.begun() {
		t.Error("the other of their tenant is forgotten")
	}
	*now = now.Add(stayFor)
	if g.looks(); !third.begun() {
		t.Error("their tenant has no place again")
	}
	third.leave()
	stuck[1].leave()
	g.empty(t)
}

// Who stops waiting leaves the line.
func TestWaitingEnds(t *testing.T) {
	g, _ := byHand(1)
	first := g.lineUp(inTenant("a", 0), longTurn)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := g.enter(ctx, inTenant("a", 1), true); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	first.leave()
	g.empty(t)
}

// Forty channels of a tenant, none of whose turns ever ends: as many work as there are processors, the others
// wait, and another tenant is answered as if there were nobody.
func TestNobodyWaitsForANoisyTenant(t *testing.T) {
	s := newStage(t, "fr")
	s.tutor = New(Config{Store: s.store, Limits: Limits{Processors: 2, Rates: Unlimited()}})
	var mu sync.Mutex
	begun := 0
	full, end := make(chan struct{}), make(chan struct{})
	s.tutor.commands = append(s.tutor.commands, &command{name: name{"lourd", "heavy"}, help: "help.help", usage: "help.usage", run: func(c *call) (Reply, error) {
		mu.Lock()
		if begun++; begun == 2 {
			close(full)
		}
		mu.Unlock()
		<-end
		return Reply{Blocks: []Block{Text{"ok"}}}, nil
	}})
	var noise sync.WaitGroup
	for n := range 40 {
		r := Request{ID: fmt.Sprint("n", n), Platform: "test", Tenant: "noisy", Channel: fmt.Sprint("c", n), Who: Person{ID: "bob"}, Line: "/lourd"}
		done, err := s.tutor.Accept(t.Context(), r, func(Reply) {})
		if err != nil {
			t.Fatal(err)
		}
		noise.Go(func() { <-done })
	}
	<-full
	s.tenant = "quiet"
	for range 20 {
		if r := s.ask("/kubectl get nodes"); r.Failed {
			t.Error(plainText(r))
		}
	}
	mu.Lock()
	if begun != 2 {
		t.Errorf("%d of a tenant work at once", begun)
	}
	mu.Unlock()
	close(end)
	noise.Wait()
	if begun != 40 {
		t.Errorf("%d were answered", begun)
	}
}

var noiseFor = flag.Duration("noise.time", 8*time.Second, "how long BenchmarkNeighbour measures each noise")

// BenchmarkNeighbour: how long someone waits for a short answer, alone and while another tenant has forty
// channels work as hard as they can. The two are measured in turn, in rounds, and the medians of the rounds' p99 told.
func BenchmarkNeighbour(b *testing.B) {
	var many strings.Builder
	for n := range 200 {
		fmt.Fprintf(&many, "---\napiVersion: v1\nkind: Pod\nmetadata: {name: p%d}\nspec: {containers: [{name: c, image: nginx}]}\n", n)
	}
	for _, noise := range []struct {
		name, before string
		lines        []string
	}{
		{"advance", "/kubectl create deployment d --image=crash --replicas=100", []string{"/temps avance 6h"}},
		{"apply", "", []string{"/kubectl apply -f -\n" + many.String(), "/kubectl delete pod --all --force"}},
		{"print", "/kubectl create deployment d --image=nginx --replicas=300", []string{"/kubectl get pods -A -o yaml"}},
		{"draw", "/kubectl create deployment d --image=nginx --replicas=300", []string{"/schéma grappe"}},
	} {
		b.Run(noise.name, func(b *testing.B) { besideNoise(b, noise.before, noise.lines) })
	}
}

func besideNoise(b *testing.B, before string, lines []string) {
	tutor := New(Config{Store: newMemory(), Limits: Limits{Rates: Unlimited()}})
	var ids atomic.Int64
	ask := func(ctx context.Context, tenant, channel, line string) {
		r := Request{ID: fmt.Sprint(ids.Add(1)), Platform: "test", Tenant: tenant, Channel: channel, Who: Person{ID: "p" + channel}, Line: line, Pictures: ThemeLight}
		err := tutor.Handle(ctx, r, func(r Reply) {
			if r.Failed && ctx.Err() == nil {
				b.Errorf("%.60s: %.300s", line, plainText(r))
			}
		})
		if err != nil && ctx.Err() == nil {
			b.Error(err)
		}
	}
	for n := range 40 {
		if before != "" {
			ask(b.Context(), "noisy", fmt.Sprint(n), before)
		}
	}
	ask(b.Context(), "quiet", "0", "/kubectl create deployment web --image=nginx --replicas=3")
	var halves []time.Duration
	round := func() (p99 time.Duration) {
		var all []time.Duration
		for began := time.Now(); time.Since(began) < *noiseFor/10; {
			asked := time.Now()
			ask(b.Context(), "quiet", "0", "/kubectl get pods")
			all = append(all, time.Since(asked))
			time.Sleep(2 * time.Millisecond) // someone reads the answer
		}
		slices.Sort(all)
		halves = append(halves, all[len(all)/2])
		return all[len(all)*99/100]
	}
	var alone, beside []time.Duration
	var done atomic.Int64
	for b.Loop() {
		for range 5 {
			alone = append(alone, round())
			ctx, stop := context.WithCancel(b.Context())
			var noise sync.WaitGroup
			for n := range 40 {
				noise.Go(func() {
					for i := 0; ctx.Err() == nil; i++ {
						ask(ctx, "noisy", fmt.Sprint(n), lines[i%len(lines)])
						done.Add(1)
					}
				})
			}
			time.Sleep(200 * time.Millisecond)
			beside = append(beside, round())
			stop()
			noise.Wait()
		}
	}
	b.Logf("halves of the rounds %v, 99 of 100 alone %v, beside %v; %d of the noise", halves, alone, beside, done.Load())
	slices.Sort(alone)
	slices.Sort(beside)
	b.ReportMetric(float64(alone[len(alone)/2])/1e6, "ms-alone")
	b.ReportMetric(float64(beside[len(beside)/2])/1e6, "ms-beside")
	b.ReportMetric(float64(beside[len(beside)/2])/float64(alone[len(alone)/2]), "times")
}
