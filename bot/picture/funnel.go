package picture

import "strconv"

// Funnel is one decision of the scheduler: how many nodes went in, which filter took out whom and why,
// how those left scored, and which was chosen.
type Funnel struct {
	Title  string
	Note   string // may be empty
	In     int    // nodes
	InText string // 3 nodes
	Sieves []Sieve
	Scored []Scored // the chosen one first
	Score  string   // above the scores: what they are
	Result string   // node-3 is chosen; no node is left
	Tone   Tone     // of the result
}

// Sieve is a filter, or several that let all pass.
type Sieve struct {
	Label   string // NodeResourcesFit
	Out     int    // nodes that are left
	OutText string // 2 nodes
	Removed []Removed
}

// Removed are nodes that were refused for the same reason.
type Removed struct {
	Who string // node-1, node-2
	Why string // the reason, in a few words
}

// Scored is a node that could take the pod.
type Scored struct {
	Name   string
	Total  int64
	Chosen bool
}

// Text is the funnel made of characters.
func (f Funnel) Text() string {
	var p page
	p.text("", f.Title)
	p.gap()
	p.line(f.level(f.In) + f.InText)
	for _, s := range f.Sieves {
		p.line(f.level(s.Out) + s.Label + " → " + strconv.Itoa(s.Out))
		for _, r := range s.Removed {
			p.text("    "+Bad.letter()+" ", r.Who+" · "+r.Why)
		}
	}
	if len(f.Scored) > 0 {
		p.gap()
		p.line(f.Score)
		best := f.best()
		for _, s := range f.Scored {
			sign := "  "
			if s.Chosen {
				sign = "★ "
			}
			p.line(sign + pad(cutMiddle(s.Name, 20), 20) + " " + gauge(part(s.Total, best), 12) + " " + strconv.FormatInt(s.Total, 10))
		}
	}
	p.gap()
	p.text(f.Tone.letter()+" ", f.Result)
	if f.Note != "" {
		p.gap()
		p.text("", f.Note)
	}
	return p.String()
}

// level is how wide the funnel is where so many nodes are left.
func (f Funnel) level(nodes int) string {
	const most = 12
	n := nodes
	if f.In > most {
		n = (nodes*most + f.In - 1) / f.In
	}
	left := (min(f.In, most) - n) / 2
	return pad(pad("", left)+gauge(1, n), min(f.In, most)) + "  "
}

func (f Funnel) best() int64 {
	best := int64(1)
	for _, s := range f.Scored {
		best = max(best, s.Total)
	}
	return best
}

func part(n, of int64) float64 { return float64(n) / float64(of) }
