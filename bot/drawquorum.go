package bot

import (
	"slices"
	"strings"

	"timonier/bot/picture"
	"timonier/sim"
)

// drawQuorum is /schéma quorum: etcd's members as they are now.
func drawQuorum(c *call, cl *sim.Cluster, _ string) (Reply, error) {
	d := c.quorumDrawing(cl)
	r := Reply{Blocks: []Block{c.drawn("quorum", d, c.quorumAlt(d))}}
	for _, kind := range []string{sim.EtcdStopped, sim.EtcdPartitioned, sim.EtcdFull} {
		r = c.withMends(r, cl, fault{sim: kind})
	}
	if len(r.Buttons) == 0 {
		r = c.withTargets(r, cl, faultNamed(sim.EtcdStopped))
		r.Buttons = r.Buttons[:min(3, len(r.Buttons))]
	}
	return r.with(Button{Label: "etcdctl endpoint status", Line: "/etcdctl endpoint status --cluster -w table"}), nil
}

func faultNamed(kind string) fault {
	f, _ := findFault(kind)
	return f
}

func (c *call) quorumDrawing(cl *sim.Cluster) picture.Quorum {
	e := cl.Etcd()
	sides := sidesOf(cl, e.Members)
	d := picture.Quorum{Title: c.say("draw.quorum"), Needed: e.Needed, Holds: e.Quorum}
	hear := map[int]int{} // how many a side is
	led := slices.IndexFunc(e.Members, func(m sim.EtcdMember) bool { return m.Name == e.Leader })
	if led >= 0 {
		led = sides[led]
	}
	for i, m := range e.Members {
		if sides[i] >= 0 {
			hear[sides[i]]++
			d.Alive = max(d.Alive, hear[sides[i]])
		}
		d.Members = append(d.Members, c.drawnMember(e, m, sides[i], led))
	}
	d.Count = c.say("draw.alive", with{"Count": d.Alive, "Members": len(e.Members), "Needed": e.Needed})
	d.Verdict = c.say("draw.noquorum", with{"Needed": e.Needed})
	if e.Quorum {
		d.Verdict = c.say("draw.quorate", with{"Count": d.Alive - e.Needed})
		if d.Alive == e.Needed {
			d.Verdict = c.say("draw.justquorate")
		}
	}
	works := func(ok bool, text string) {
		tone := picture.Good
		if !ok {
			tone = picture.Bad
		}
		d.Works = append(d.Works, picture.Works{Tone: tone, Text: text})
	}
	works(e.Quorum && !e.Full && !cl.Server().Down(), c.say("draw.writes"))
	works(e.Quorum && !cl.Server().Down(), c.say("draw.reads"))
	works(true, c.say("draw.runs"))
	switch {
	case cl.Server().Down():
		d.Note = c.say("draw.serverdown")
	case e.Full:
		d.Note = c.say("draw.full")
	case isBroken(cl, sim.EtcdFull, "etcd"):
		d.Note = c.say("draw.nearlyfull")
	}
	return d
}

// drawnMember is a member; led is the side that the leader is on, -1 where there is none.
func (c *call) drawnMember(e sim.Etcd, m sim.EtcdMember, side, led int) picture.Member {
	d := picture.Member{Name: m.Name, Tone: picture.Good, Side: side, Leads: m.Name == e.Leader,
		Detail: c.say("draw.revision", with{"Revision": m.Revision})}
	if m.Behind > 0 {
		d.Detail = c.say("draw.behind", with{"Count": m.Behind})
	}
	switch {
	case m.Role == "stopped":
		d.Role, d.Tone = c.say("draw.stopped"), picture.Bad
	case d.Leads:
		d.Role = c.say("draw.leader")
	case m.Role != "leader" && led >= 0 && side != led:
		d.Role, d.Tone = c.say("draw.cut"), picture.Waiting
	case m.Role == "leader":
		d.Role, d.Tone = c.say("draw.oldleader"), picture.Waiting
	case m.Role == "candidate" || e.Leader == "": // it will look for one before long
		d.Role, d.Tone = c.say("draw.candidate"), picture.Waiting
	default:
		d.Role = c.say("draw.follower")
	}
	return d
}

// sidesOf numbers the members that hear each other; -1 is one that does not run. Two hear each other if
// no partition has one of them inside and the other outside.
func sidesOf(cl *sim.Cluster, members []sim.EtcdMember) []int {
	var cuts [][]string
	for _, f := range cl.Faults() {
		if f.Name == sim.EtcdPartitioned {
			cuts = append(cuts, strings.Split(f.Target, ","))
		}
	}
	known := map[string]int{}
	sides := make([]int, len(members))
	for i, m := range members {
		var b strings.Builder
		for _, cut := range cuts {
			b.WriteByte("-+"[index(slices.Contains(cut, m.Name))])
		}
		if m.Role == "stopped" {
			sides[i] = -1
			continue
		}
		side, ok := known[b.String()]
		if !ok {
			side = len(known)
			known[b.String()] = side
		}
		sides[i] = side
	}
	return sides
}

func index(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// sidesAlt says who hears whom where not all do.
func (c *call) sidesAlt(d picture.Quorum) (said []string) {
	sides := map[int][]string{}
	most := 0
	for _, m := range d.Members {
		sides[m.Side] = append(sides[m.Side], m.Name)
		most = max(most, m.Side)
	}
	for i := 0; most > 0 && i <= most; i++ {
		id := "draw.sidealt"
		if len(sides[i]) == 1 {
			id = "draw.alonealt"
		}
		said = append(said, c.say(id, with{"Members": c.list(sides[i])}))
	}
	return said
}

// quorumAlt says what the drawing shows.
func (c *call) quorumAlt(d picture.Quorum) string {
	text := []string{c.say("draw.quorumalt", with{"Count": len(d.Members), "Needed": d.Needed})}
	for _, m := range d.Members {
		text = append(text, c.say("draw.memberalt", with{"Member": m.Name, "Role": m.Role, "Detail": m.Detail}))
	}
	text = append(text, c.sidesAlt(d)...)
	text = append(text, d.Verdict)
	for _, w := range d.Works {
		id := "draw.worksalt"
		if w.Tone == picture.Bad {
			id = "draw.stopsalt"
		}
		text = append(text, c.say(id, with{"What": w.Text}))
	}
	if d.Note != "" {
		text = append(text, d.Note)
	}
	return strings.Join(text, " ")
}
