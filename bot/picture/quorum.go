package picture

import (
	"cmp"
	"slices"
)

// Quorum is etcd's members as they are now, who hears whom, and what still works.
type Quorum struct {
	Title   string
	Note    string // may be empty
	Members []Member
	Count   string // 2 alive, 2 needed
	Alive   int    // members on the side that hears most
	Needed  int    // for a majority
	Holds   bool   // there is a quorum
	Verdict string // quorum, or none
	Works   []Works
}

// Member is a member of etcd.
type Member struct {
	Name   string
	Role   string // leader, follower, stopped …
	Detail string // its revision, or how far it is behind
	Tone   Tone
	Leads  bool // a majority follows it
	Side   int  // members of a side hear each other; of those that do not run, -1
}

// Works says whether something still works.
type Works struct {
	Tone Tone
	Text string
}

// hear says that two members hear each other.
func (q Quorum) hear(a, b int) bool {
	return q.Members[a].Side >= 0 && q.Members[a].Side == q.Members[b].Side
}

// bySide are the members, those that hear each other together, those that do not run last; in order if all hear all.
func (q Quorum) bySide() []Member {
	last := 0
	for _, m := range q.Members {
		last = max(last, m.Side)
	}
	if last == 0 {
		return q.Members
	}
	rank := func(m Member) int {
		if m.Side < 0 {
			return last + 1
		}
		return m.Side
	}
	return slices.SortedStableFunc(slices.Values(q.Members), func(a, b Member) int { return cmp.Compare(rank(a), rank(b)) })
}

// Text is the quorum made of characters.
func (q Quorum) Text() string {
	var p page
	p.text("", q.Title)
	p.gap()
	wide := 0
	for _, m := range q.Members {
		wide = max(wide, width(m.Name))
	}
	side := -1
	for _, m := range q.bySide() {
		if m.Side >= 0 && side >= 0 && m.Side != side {
			p.line("  ╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌")
		}
		side = max(side, m.Side)
		sign := m.Tone.letter()
		if m.Leads {
			sign = "★"
		}
		p.line(ends(sign+" "+pad(m.Name, wide)+"  "+m.Role, m.Detail, columns))
	}
	p.gap()
	p.line(gauge(part(int64(q.Alive), int64(max(1, len(q.Members)))), 2*len(q.Members)) + " " + q.Count)
	tone := Bad
	if q.Holds {
		tone = Good
	}
	p.text(tone.letter()+" ", q.Verdict)
	p.gap()
	for _, w := range q.Works {
		p.text(w.Tone.letter()+" ", w.Text)
	}
	if q.Note != "" {
		p.gap()
		p.text("", q.Note)
	}
	return p.String()
}
