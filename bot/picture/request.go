package picture

import "strconv"

// Path is what became of one request, stage by stage.
type Path struct {
	Title string
	Note  string
	Line  string // that was typed
	Hops  []Hop
}

// Hop is a stage.
type Hop struct {
	Who    string // kubectl, API server, etcd …
	What   string // authenticated
	Detail string // who it is, which fields …; may be empty
	Mark   string // revision 412; may be empty
	Tone   Tone
}

// Text is the path made of characters.
func (r Path) Text() string {
	var p page
	p.text("", r.Title)
	p.gap()
	p.text("$ ", r.Line)
	who := ""
	for i, h := range r.Hops {
		if h.Who != who {
			p.gap()
			p.line("▼ " + h.Who)
			who = h.Who
		}
		p.line(ends(pad(strconv.Itoa(i+1), 3)+h.Tone.letter()+" "+h.What, h.Mark, columns))
		if h.Detail != "" {
			p.text("     ", h.Detail)
		}
	}
	if r.Note != "" {
		p.gap()
		p.text("", r.Note)
	}
	return p.String()
}
