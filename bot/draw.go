package bot

import (
	"slices"
	"strings"

	"timonier/bot/picture"
	"timonier/content"
	"timonier/sim"
)

// live is a picture of the channel's own cluster. To add one is to add a row.
type live struct {
	name    name
	aliases []string
	title   string // ID: a button, and a line of the list
	draw    func(c *call, cl *sim.Cluster, arg string) (Reply, error)
	targets func(c *call, cl *sim.Cluster) []string // what may be named after it; nil: nothing
}

func drawings() []live {
	return []live{
		{name: name{"grappe", "cluster"}, title: "draw.cluster", draw: drawCluster},
		{name: name{"entonnoir", "funnel"}, aliases: []string{"planificateur", "scheduler"}, title: "draw.funnel", draw: drawFunnel, targets: podNames},
		{name: name{"quorum", "quorum"}, aliases: []string{"etcd"}, title: "draw.quorum", draw: drawQuorum},
		{name: name{"déploiement", "deployment"}, aliases: []string{"deploy", "rollout"}, title: "draw.rollout", draw: drawRollout, targets: deploymentNames},
		{name: name{"perte", "loss"}, aliases: []string{"nœud", "node"}, title: "draw.loss", draw: drawLoss, targets: nodeNames},
		{name: name{"demande", "request"}, aliases: []string{"requête"}, title: "draw.request", draw: drawRequest},
	}
}

func findDrawing(word string) (live, bool) {
	for _, d := range drawings() {
		if d.name.is(word) || slices.ContainsFunc(d.aliases, func(a string) bool { return fold(a) == fold(word) }) {
			return d, true
		}
	}
	return live{}, false
}

// diagramCommand is /schéma: what there is to draw; /schéma grappe: that, drawn.
func diagramCommand(c *call) (Reply, error) {
	if c.args == "" {
		return c.drawingList("draw.list"), nil
	}
	word, arg, _ := strings.Cut(c.args, " ")
	if d, ok := findDrawing(word); ok {
		cl, err := c.cluster()
		if err != nil {
			return Reply{}, err
		}
		return d.draw(c, cl, strings.TrimSpace(arg))
	}
	if d, ok := c.findDiagram(c.args); ok {
		return Reply{Blocks: []Block{c.figure(d.Name, c.lens().ID)}}.with(Button{Label: c.say("draw.all"), Line: c.typed("diagram")}), nil
	}
	r := c.drawingList("draw.unknown")
	r.Failed = true
	return r, nil
}

// findDiagram finds a diagram of the course by its name, its title, or a word of either.
func (c *call) findDiagram(word string) (*content.Diagram, bool) {
	all := c.content.Diagrams
	wanted := fold(word)
	names := func(d *content.Diagram) []string {
		names := []string{d.Name}
		for _, v := range []content.View{d.In(content.Technique), d.In(c.lens().ID)} {
			names = append(names, v.Title.FR, v.Title.EN)
		}
		return names
	}
	for _, d := range all {
		if slices.ContainsFunc(names(d), func(n string) bool { return fold(n) == wanted }) {
			return d, true
		}
	}
	for _, d := range all {
		if slices.ContainsFunc(names(d), func(n string) bool { return strings.Contains(" "+strings.ReplaceAll(fold(n), "-", " "), " "+wanted) }) {
			return d, true
		}
	}
	return nil, false
}

// drawingList is what there is to draw: of the channel's cluster, and in the course.
func (c *call) drawingList(id string) Reply {
	var b strings.Builder
	r := Reply{}
	for _, d := range drawings() {
		line := c.typed("diagram", d.name.in(c.words))
		b.WriteString("- `" + line + "`" + c.say("help.sep") + c.say(d.title) + "\n")
		r = r.with(Button{Label: c.say(d.title), Line: line})
	}
	var course strings.Builder
	for _, d := range c.content.Diagrams {
		course.WriteString("- `" + c.typed("diagram", d.Name) + "`" + c.say("help.sep") + c.in(d.In(c.lens().ID).Title) + "\n")
	}
	r.Blocks = []Block{Text{c.say(id, with{"Word": shorten(c.args)})}, Text{c.say("draw.live") + "\n" + b.String()}, Text{c.say("draw.course") + "\n" + course.String()}}
	return r
}

func completeDiagram(c *call, words []string) []string {
	if len(words) == 1 {
		var out []string
		for _, d := range drawings() {
			out = append(out, d.name.in(c.words))
		}
		for _, d := range c.content.Diagrams {
			out = append(out, d.Name)
		}
		return out
	}
	d, ok := findDrawing(words[0])
	cl := c.peek()
	if !ok || d.targets == nil || cl == nil || len(words) > 2 {
		return nil
	}
	return d.targets(c, cl)
}

// drawing is what picture draws: as characters, and most as a picture too.
type drawing interface{ Text() string }

// drawn is a drawing as a block; alt says the same in words.
func (c *call) drawn(file string, d drawing, alt string) Picture {
	p := Picture{Name: file + ".png", Alt: alt, Text: d.Text()}
	if painted, ok := d.(interface {
		Canvas(picture.Theme) *picture.Canvas
	}); ok {
		p.Drawn = c.canvas(painted.Canvas)
	}
	return p
}

// drawButton offers a picture.
func (c *call) drawButton(label string, args ...string) Button {
	return Button{Label: label, Line: c.typed("diagram", args...)}
}

// withDrawing offers a picture beside an answer, where its line is short enough for a button.
func (c *call) withDrawing(r Reply, label, picture string, args ...string) Reply {
	b := c.drawButton(label, append([]string{findName(picture).in(c.words)}, args...)...)
	if len(b.Line) > buttonLine {
		return r
	}
	return r.with(b)
}

// bare is Markdown without its marks, as a picture has none.
func bare(markdown string) string { return PlainText(Inline(markdown)) }

// podWord and nodeWord are what the person's lens calls a pod and a node.
func (c *call) podWord(name string) string  { return bare(c.lens().Pod(c.course(), name)) }
func (c *call) nodeWord(name string) string { return bare(c.lens().Node(c.course(), name)) }
