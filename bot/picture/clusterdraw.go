package picture

import (
	"fmt"
	"strings"
)

// How a cluster is laid out.
const (
	cardPad    = 8
	cardGap    = 8
	podRow     = 16.0
	mostPods   = 400 // squares at most, of one node or apart: beyond, each stands for several
	twoColumns = 12  // nodes at most
	namedNodes = 4   // nodes at most whose pods are drawn by name
)

// Canvas is the cluster drawn.
func (c Cluster) Canvas(t Theme) *Canvas {
	s := begin(t, c.Title, c.Note)
	nodes, left := c.shown()
	named := c.named() && len(nodes) <= namedNodes
	across := 1
	switch {
	case named || len(nodes) == 1:
	case len(nodes) <= twoColumns:
		across = 2
	default:
		across = 3
	}
	wide := (inner - float64(across-1)*cardGap) / float64(across)
	for i := 0; i < len(nodes); i += across {
		row := nodes[i:min(i+across, len(nodes))]
		tall := 0.0
		for _, n := range row {
			tall = max(tall, c.cardHeight(n, wide, named, across))
		}
		for j, n := range row {
			c.card(s.Canvas, Rect{margin + float64(j)*(wide+cardGap), s.y, wide, tall}, n, named, across)
		}
		s.y += tall + cardGap
	}
	if left > 0 {
		s.say(c.Words.More(left), Words{Size: 12, Muted: true}, margin, inner)
		s.y += 4
	}
	if len(c.Apart) > 0 {
		tall := cardPad + 16 + podsHeight(c.Apart, inner-2*cardPad, c.named()) + cardPad
		r := Rect{margin, s.y, inner, tall}
		s.Box(r, Shape{Tone: Plain, Dashed: true})
		s.Sign(Clock, Point{r.X + cardPad + 6, r.Y + cardPad + 7}, 10, Waiting)
		s.Text(Rect{r.X + cardPad + 18, r.Y + cardPad, inner - 2*cardPad - 18, 15}, c.Words.Apart, Words{Size: 12, Bold: true, Align: Left})
		c.pods(s.Canvas, r.X+cardPad, r.Y+cardPad+18, inner-2*cardPad, c.Apart, c.named())
		s.y += tall
	}
	return s.end("")
}

// metersAbreast says that a card is wide enough for its two meters side by side.
func metersAbreast(wide float64) bool { return wide > 300 }

// headHeight is that of a card above its pods.
func headHeight(n Node, wide float64, across int) float64 {
	h := 18.0
	if !badgeFits(n, wide) {
		h += 20
	}
	switch {
	case across == 3:
	case metersAbreast(wide):
		h += 30
	default:
		h += 58
	}
	return h + 4
}

// badgeFits says that a node's state has room beside its name.
func badgeFits(n Node, wide float64) bool {
	return Measure(n.Name, 13, true)+8+BadgeWidth(n.State, nodeSign(n.Tone)) <= wide-2*cardPad
}

func (c Cluster) cardHeight(n Node, wide float64, named bool, across int) float64 {
	pods := podsHeight(n.Pods, wide-2*cardPad, named)
	if len(n.Pods) == 0 {
		pods = 15
	}
	return cardPad + headHeight(n, wide, across) + pods + cardPad
}

func (c Cluster) card(v *Canvas, r Rect, n Node, named bool, across int) {
	tone := Plain
	if n.Tone != Good {
		tone = n.Tone
	}
	v.Box(r, Shape{Tone: tone})
	in := r.Inset(cardPad, cardPad)
	sign := nodeSign(n.Tone)
	state := n.State
	if room := in.W; BadgeWidth(state, sign) > room {
		state = Shorten(state, small, true, room-32)
	}
	name := Rect{in.X, in.Y, in.W, 18}
	if badgeFits(n, r.W) {
		name.W -= BadgeWidth(state, sign) + 8
		v.Badge(Point{in.Right() - BadgeWidth(state, sign), in.Y}, state, sign, n.Tone)
	} else {
		v.Badge(Point{in.X, in.Y + 19}, state, sign, n.Tone)
	}
	v.Text(name, Shorten(n.Name, 13, true, name.W), Words{Bold: true, Tone: tone, Align: Left, Single: true})
	y := in.Y + headHeight(n, r.W, across)
	switch {
	case across == 3:
	case metersAbreast(r.W):
		half := (in.W - 12) / 2
		meter(v, Rect{in.X, y - 32, half, 26}, c.Words.CPU, n.CPU, tone)
		meter(v, Rect{in.X + half + 12, y - 32, half, 26}, c.Words.Memory, n.Memory, tone)
	default:
		meter(v, Rect{in.X, y - 60, in.W, 26}, c.Words.CPU, n.CPU, tone)
		meter(v, Rect{in.X, y - 31, in.W, 26}, c.Words.Memory, n.Memory, tone)
	}
	if len(n.Pods) == 0 {
		v.Text(Rect{in.X, y, in.W, 15}, c.Words.Empty, Words{Size: small, Muted: true, Align: Left})
		return
	}
	c.pods(v, in.X, y, in.W, n.Pods, named)
}

// meter is what is promised of a resource: in words, and as a bar below them.
func meter(v *Canvas, r Rect, label string, share Share, on Tone) {
	w := Words{Size: small, Align: Left, Tone: on, Single: true}
	v.Text(Rect{r.X, r.Y, r.W / 2, 14}, label, w)
	w.Align, w.Bold = Right, true
	v.Text(Rect{r.X + r.W/3, r.Y, r.W * 2 / 3, 14}, share.Text, w)
	tone := Accent
	if share.Part > 0.9 {
		tone = Waiting
	}
	v.Bar(Rect{r.X, r.Y + 16, r.W, 8}, Slice{Share: share.Part, Tone: tone})
}

// square is how large a pod is drawn where there are many, and how far one is from the next.
func square(pods int) (size, step float64) {
	if pods > 40 {
		return 8, 10
	}
	return 10, 13
}

// squares is how many there are in all, and in a row.
func squares(pods []Pod, wide float64) (all, each int) {
	for _, t := range tallies(pods) {
		all += t.squares(len(pods))
	}
	size, step := square(len(pods))
	return all, max(1, int((wide+step-size)/step))
}

// squares is how many stand for the pods of one state.
func (t tally) squares(of int) int {
	if of <= mostPods {
		return t.count
	}
	return max(1, t.count*mostPods/of)
}

// podsHeight is how high the pods of a node are going to be.
func podsHeight(pods []Pod, wide float64, named bool) float64 {
	if named {
		return float64(len(pods)) * podRow
	}
	all, each := squares(pods, wide)
	_, step := square(len(pods))
	return float64((all+each-1)/each)*step + 3 + height(counted(pods), small, false, wide)
}

// counted says how many pods there are of each state.
func counted(pods []Pod) string {
	var said []string
	for _, t := range tallies(pods) {
		said = append(said, fmt.Sprintf("%d\u00a0%s", t.count, t.state))
	}
	return strings.Join(said, ", ")
}

// pods draws pods by name, each with its state; or as squares, and how many there are of each state.
func (c Cluster) pods(v *Canvas, x, y, wide float64, pods []Pod, named bool) {
	if named {
		for _, p := range pods {
			v.Sign(podSign(p.Tone), Point{x + 6, y + podRow/2}, 9, p.Tone)
			state := Measure(p.State, small, true) + 1
			v.Text(Rect{x + wide - state, y, state, podRow}, p.State, Words{Size: small, Bold: true, Tone: p.Tone, Align: Right, Single: true})
			room := wide - state - 18 - 8
			v.Text(Rect{x + 18, y, room, podRow}, Shorten(p.Name, 12, false, room), Words{Size: 12, Align: Left, Single: true})
			y += podRow
		}
		return
	}
	i := 0
	_, each := squares(pods, wide)
	size, step := square(len(pods))
	for _, t := range tallies(pods) {
		for range t.squares(len(pods)) {
			at := Rect{x + float64(i%each)*step, y + float64(i/each)*step, size, size}
			v.Box(at, Shape{Tone: t.tone, Radius: 2, Width: 1})
			if t.tone != Good {
				v.Sign(podSign(t.tone), at.Center(), size-4, t.tone)
			}
			i++
		}
	}
	top := y + float64((i+each-1)/each)*step + 1
	said := counted(pods)
	v.Text(Rect{x, top, wide, height(said, small, false, wide) + 1}, said, Words{Size: small, Align: Left, Valign: Top, Cut: wide < 100})
}

// podSign is a disc for a pod that is well.
func podSign(t Tone) Sign {
	if t == Good {
		return Disc
	}
	return signOf(t)
}

// nodeSign is a lock for a node that takes no new pods.
func nodeSign(t Tone) Sign {
	if t == Waiting {
		return Lock
	}
	return signOf(t)
}
