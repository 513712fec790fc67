package bot

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// machine is a gate and processors in a time of their own: turns that work at once share the processors evenly.
type machine struct {
	*gate
	clock *time.Time
	turns []*modelled
}

// modelled is a turn: so much work, looking up after each step of it.
type modelled struct {
	*pass
	left, step, since time.Duration
	came              time.Time
}

func (m *machine) come(p Place, k kind, work, step time.Duration) *modelled {
	t := &modelled{pass: m.lineUp(p, k), left: work, step: step, came: *m.clock}
	m.turns = append(m.turns, t)
	return t
}

// goOn has the time go on, and says whose work is done.
func (m *machine) goOn(by time.Duration) (done []*modelled) {
	atWork := 0
	for _, t := range m.turns {
		if t.works {
			atWork++
		}
	}
	*m.clock = m.clock.Add(by)
	each := by
	if atWork > m.slots {
		each = by * time.Duration(m.slots) / time.Duration(atWork)
	}
	for _, t := range slices.Clone(m.turns) {
		if !t.works {
			continue
		}
		t.left, t.since = t.left-each, t.since+each
		switch {
		case t.left <= 0:
			t.leave()
			done = append(done, t)
			m.turns = slices.DeleteFunc(m.turns, func(o *modelled) bool { return o == t })
		case t.since >= t.step:
			t.since = 0
			m.mu.Lock()
			if m.over(t.pass) { // as pace does, which waits
				m.take(t.pass)
				t.kind = longTurn
				m.queue(t.pass)
			}
			m.mu.Unlock()
		}
	}
	m.looks()
	return done
}

// Whoever asks for something short is answered within twice the time, 99 times in 100, beside another tenant's forty channels that
// never stop working: whether they look up every few milliseconds, now and then, or never.
func TestANoisyNeighbourInATimeOfItsOwn(t *testing.T) {
	t.Parallel()
	const tick, short = 100 * time.Microsecond, time.Millisecond
	for _, processors := range []int{2, 8} {
		for work, step := range map[time.Duration]time.Duration{200 * time.Millisecond: 5 * time.Millisecond, 300 * time.Millisecond: 150 * time.Millisecond, 3 * time.Second: time.Hour} {
			t.Run(fmt.Sprintf("%d processors, %v, a look after %v", processors, work, step), func(t *testing.T) {
				g, now := byHand(processors)
				m := &machine{gate: g, clock: now}
				for n := range 40 {
					m.come(inTenant("noisy", n), quickTurn, work, step)
				}
				m.goOn(tick)
				var waits []time.Duration
				var next time.Time
				asked, served := false, 0
				for began := *now; now.Sub(began) < 10*time.Second; {
					if !asked && !now.Before(next) {
						m.come(inTenant("quiet", 0), quickTurn, short, short)
						asked = true
					}
					for _, d := range m.goOn(tick) {
						if d.of.Tenant == "quiet" {
							waits = append(waits, now.Sub(d.came))
							asked, next = false, now.Add(2*short)
							continue
						}
						served++
						m.come(inTenant("noisy", served%40), longTurn, work, step)
					}
				}
				slices.Sort(waits)
				p50, p99 := waits[len(waits)/2], waits[len(waits)*99/100]
				if p99 > 2*short {
					t.Errorf("of %d answers half came within %v, 99 of 100 within %v: alone all do within %v", len(waits), p50, p99, short)
				}
				if served == 0 {
					t.Error("nothing of the noise was ever done")
				}
			})
		}
	}
}
