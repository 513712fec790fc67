package bot

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	"timonier/bot/picture"
	"timonier/content"
	"timonier/sim/apiserver"
	"timonier/sim/trace"
)

func (c *call) storyTitle(s *content.Story) string {
	return c.say("story.name", with{"Number": s.Number, "Title": c.in(s.Title)})
}

// asked is a page before its blow: what is told, and the question.
func (c *call) asked(s *content.Story, page int) (Reply, error) {
	b := s.Pages()[page]
	var options strings.Builder
	for i, o := range b.Options {
		fmt.Fprintf(&options, "- **%s** · %s\n", letter(i), c.in(o.Text))
	}
	r := Reply{Blocks: []Block{
		Title{c.storyTitle(s)},
		Text{"**" + strconv.Itoa(page+1) + ". " + c.in(b.Title) + "**\n\n" + c.links(c.in(b.Told))},
		Text{"**" + c.in(b.Question) + "**\n\n" + options.String()},
		Text{"*" + c.say("story.moment", with{"Page": page + 1, "Pages": len(s.Pages())}) + "*"},
	}}
	for i := range b.Options {
		r = r.with(Button{Label: letter(i), Line: c.typed("story", storyPredict.in(c.words), pageName(s, page), letter(i))})
	}
	return r.with(c.onward(s)), nil
}

// answered is a page after its blow: who had foreseen it, why it came so, and what was measured.
func (c *call) answered(s *content.Story, page int) (Reply, error) {
	b := s.Pages()[page]
	r := Reply{Blocks: []Block{Title{c.storyTitle(s)}, Text{"**" + strconv.Itoa(page+1) + ". " + c.in(b.Title) + "**"}}}
	var err error
	if page == len(s.Beats) {
		err = c.counterPage(&r, s)
	} else {
		err = c.beatPage(&r, s, page)
	}
	if err != nil {
		return Reply{}, err
	}
	if page+1 == len(s.Pages()) {
		return c.storyEnd(r, s)
	}
	r.Blocks = append(r.Blocks, Text{"*" + c.say("story.moment", with{"Page": page + 1, "Pages": len(s.Pages())}) + "*"})
	return r.with(c.onward(s)).
		with(Button{Label: c.say("story.technically"), Line: c.typed("story", storyTechnic.in(c.words))}).
		with(Button{Label: c.say("story.cluster"), Line: c.typed("story", storyShow.in(c.words))}), nil
}

// beatPage tells what came of a beat.
func (c *call) beatPage(r *Reply, s *content.Story, page int) error {
	p, err := c.performance(s, page+1)
	if err != nil {
		return err
	}
	e := p.Episodes[page]
	if err := c.prediction(r, s, page, e.Right); err != nil {
		return err
	}
	words := p.Words()
	var lines []string
	last := ""
	for _, step := range e.Steps {
		if text, ok := words.Tell(c.course(), step); ok && text != last {
			lines = append(lines, "**"+c.after(step.At.Sub(e.Began))+"**"+c.say("help.sep")+text)
			last = text
		}
	}
	after, err := p.After(c.course(), page)
	if err != nil {
		return err
	}
	r.Blocks = append(r.Blocks, Quote{c.bullets(lines)}, Text{c.links(after)})
	return nil
}

// bullets lists lines; where there are many, the first and the last.
func (c *call) bullets(lines []string) string {
	const most, tail = 12, 5
	var b strings.Builder
	for i, line := range lines {
		switch left := len(lines) - most; {
		case left > 0 && i == most-tail:
			b.WriteString("- " + c.say("tell.more", with{"Count": left}) + "\n")
		case left > 0 && i > most-tail && i < len(lines)-tail:
		default:
			b.WriteString("- " + line + "\n")
		}
	}
	return b.String()
}

// prediction says which option held and why, and what there is to say about those that were chosen instead.
func (c *call) prediction(r *Reply, s *content.Story, page, right int) error {
	chosen, err := c.predictions(s, page)
	if err != nil {
		return err
	}
	b := s.Pages()[page]
	if right < 0 { // the prover rules it out
		return fmt.Errorf("story %d, page %d: no option holds", s.Number, page+1)
	}
	counts := make([]int, len(b.Options))
	for _, i := range chosen {
		if i >= 0 && i < len(counts) {
			counts[i]++
		}
	}
	mine, voted := chosen[c.request.Who.ID]
	switch {
	case len(chosen) > 1 || len(chosen) == 1 && !c.request.Direct:
		for i := range b.Options {
			mark := ""
			if i == right {
				mark = " ✓"
			}
			r.Blocks = append(r.Blocks, Meter{Label: c.say("quiz.bar", with{"Letter": letter(i) + mark, "Number": counts[i]}), Done: counts[i], Total: len(chosen)})
		}
	case voted && mine == right:
		r.Blocks = append(r.Blocks, Text{c.say("story.foreseen")})
	case voted:
		r.Blocks = append(r.Blocks, Text{c.say("story.otherwise")})
	}
	for i, o := range b.Options {
		if i != right && counts[i] > 0 {
			r.Blocks = append(r.Blocks, Text{"✗ **" + letter(i) + "** · " + c.in(o.Text) + "\n\n" + c.links(c.in(o.Why))})
		}
	}
	o := b.Options[right]
	r.Blocks = append(r.Blocks, Text{"✓ **" + letter(right) + "** · " + c.in(o.Text) + "\n\n" + c.links(c.in(o.Why))})
	return nil
}

// counterPage tells what came of the counter-run, beat by beat.
func (c *call) counterPage(r *Reply, s *content.Story) error {
	o, err := s.Outcome()
	if err != nil {
		return err
	}
	if err := c.prediction(r, s, len(s.Beats), o.Right); err != nil {
		return err
	}
	after, err := o.Last(c.course(), content.AfterCounter)
	if err != nil {
		return err
	}
	r.Blocks = append(r.Blocks, Text{c.links(after)})
	return nil
}

// storyEnd is the last page's end: the figures side by side, the timeline, the last words.
func (c *call) storyEnd(r Reply, s *content.Story) (Reply, error) {
	o, err := s.Outcome()
	if err != nil {
		return Reply{}, err
	}
	done, err := o.Last(c.course(), content.AfterAll)
	if err != nil {
		return Reply{}, err
	}
	r.Blocks = append(r.Blocks, c.figuresTable(s, o), c.availability(s, o), Text{c.links(done)})
	if l, ok := c.content.Lesson(s.Lesson); ok && l.Written() {
		r = r.with(Button{Label: l.ID + " " + c.in(l.Title), Line: c.typed("course", l.ID), Style: Primary})
	}
	for _, other := range c.content.Stories {
		if other.Number == s.Number+1 {
			r = r.with(Button{Label: c.say("story.begin", with{"Number": other.Number}), Line: c.typed("story", strconv.Itoa(other.Number))})
		}
	}
	return r.with(Button{Label: c.say("story.again"), Line: c.typed("story", storyAgain.in(c.words))}), nil
}

// figuresTable has a column for each run: what each beat cost, and the whole.
func (c *call) figuresTable(s *content.Story, o content.Outcome) Table {
	t := Table{Columns: []string{c.say("story.when")}}
	rows := make([][]string, len(s.Beats)+3)
	for i, b := range s.Beats {
		rows[i] = []string{strconv.Itoa(i+1) + ". " + c.in(b.Title)}
	}
	n := len(s.Beats)
	rows[n], rows[n+1], rows[n+2] = []string{c.say("story.availability")}, []string{c.say("story.downtime")}, []string{c.say("story.longest")}
	for _, p := range o.Runs {
		t.Columns = append(t.Columns, c.in(p.Run.Title))
		for i := range s.Beats {
			said := c.say("story.open")
			if closed := p.FiguresAt(i).Closed; closed > 0 {
				said = c.say("story.closed", with{"Span": c.span(closed)})
			}
			rows[i] = append(rows[i], said)
		}
		f := p.Figures()
		rows[n] = append(rows[n], "**"+content.Percent(c.course(), f.Share)+"**")
		rows[n+1] = append(rows[n+1], c.span(f.Closed))
		rows[n+2] = append(rows[n+2], c.span(f.Longest))
	}
	t.Rows = rows
	return t
}

// timeline is when the shop was open, a lane for each run, from its first opening.
func (c *call) timeline(s *content.Story, o content.Outcome) picture.Timeline {
	t := picture.Timeline{Title: c.say("story.timeline"), Note: c.say("story.measure"), Say: c.span,
		Keys: []picture.Key{{Tone: picture.Good, Label: c.say("story.open")}, {Tone: picture.Bad, Label: c.say("story.shut")}}}
	for i, p := range o.Runs {
		opened, _ := p.Uptime.Opened()
		ended := p.Episodes[len(p.Episodes)-1].Ended
		t.Length = max(t.Length, ended.Sub(opened))
		lane := picture.Lane{Label: c.in(p.Run.Title), Value: content.Percent(c.course(), p.Figures().Share)}
		for _, span := range p.Uptime.Intervals(opened, ended) {
			tone := picture.Bad
			if span.Up {
				tone = picture.Good
			}
			lane.Spans = append(lane.Spans, picture.Span{From: span.From.Sub(opened), To: span.To.Sub(opened), Tone: tone})
		}
		t.Lanes = append(t.Lanes, lane)
		for _, e := range p.Episodes {
			if i == 0 {
				t.Marks = append(t.Marks, picture.Mark{At: max(0, e.Began.Sub(opened)), Label: c.in(e.Beat.Title)})
			}
		}
	}
	return t
}

// availability is the timeline as a picture.
func (c *call) availability(s *content.Story, o content.Outcome) Block {
	t := c.timeline(s, o)
	var said []string
	for _, p := range o.Runs {
		f := p.Figures()
		said = append(said, c.say("story.alt", with{"Run": c.in(p.Run.Title), "Share": content.Percent(c.course(), f.Share),
			"Closed": c.span(f.Closed), "Longest": c.span(f.Longest)}))
	}
	return c.drawn("story-"+s.ID, t, t.Title+c.say("help.sep")+strings.Join(said, " "))
}

// technical tells what came of the last blow in technical words.
func (c *call) technical(s *content.Story) (Reply, error) {
	p, err := c.current(s)
	if err != nil {
		return Reply{}, err
	}
	n := p.Played() - 1
	if n < 0 {
		return c.mistake("story.nothing", with{"Next": c.typed("story", next.in(c.words))}), nil
	}
	e := p.Episodes[n]
	var steps []trace.Step
	for _, step := range e.Steps {
		if worth(step) && step.Kind != trace.Asked {
			steps = append(steps, step)
		} else if d, ok := step.Detail.(trace.Request); ok && step.Kind == trace.Asked && d.Command != "" {
			steps = append(steps, step)
		}
	}
	lines, said := c.sentences(c.content.Lenses[0], condense(steps, atOnce))
	for i, g := range said {
		if d, ok := g.first.Detail.(trace.Request); ok && g.first.Kind == trace.Asked {
			lines[i] = c.say("story.typed", with{"Command": d.Command})
		}
		lines[i] = "**" + c.after(g.first.At.Sub(e.Began)) + "**" + c.say("help.sep") + lines[i]
	}
	r := Reply{Blocks: []Block{Title{c.storyTitle(s)}, Text{"**" + strconv.Itoa(n+1) + ". " + c.in(e.Beat.Title) + "**"}}}
	const page = 15
	for part := range slices.Chunk(lines, page) {
		r.Blocks = append(r.Blocks, Text{"- " + strings.Join(part, "\n- ") + "\n"})
	}
	return r.with(c.onward(s)).
		with(Button{Label: c.say("story.cluster"), Line: c.typed("story", storyShow.in(c.words))}).
		with(Button{Label: c.say("story.here"), Line: c.typed("story", resumes.in(c.words))}), nil
}

// showStory is the story's cluster as it is now.
func (c *call) showStory(s *content.Story) (Reply, error) {
	p, err := c.current(s)
	if err != nil {
		return Reply{}, err
	}
	cl := p.Cluster()
	r := Reply{Blocks: []Block{Title{c.storyTitle(s)}, Text{c.say("story.clock", with{"Clock": c.moment(cl.Now())})}, c.nodeTable(cl)}}
	if pods := slices.Collect(apiserver.List[*corev1.Pod](cl.Client(), corev1.NamespaceDefault)); len(pods) > 0 {
		r.Blocks = append(r.Blocks, c.podTable(cl, pods)...)
		r.Blocks = append(r.Blocks, Text{c.whoIsWho(p.Words(), pods)})
	}
	ready := 0
	for slice := range apiserver.List[*discoveryv1.EndpointSlice](cl.Client(), corev1.NamespaceDefault) {
		if slice.Labels[discoveryv1.LabelServiceName] != s.Service {
			continue
		}
		for _, e := range slice.Endpoints {
			if e.Conditions.Ready == nil || *e.Conditions.Ready {
				ready++
			}
		}
	}
	r.Blocks = append(r.Blocks, Text{c.say("story.endpoints", with{"Service": s.Service, "Count": ready})})
	return r.with(c.onward(s)).
		with(Button{Label: "kubectl get pods", Line: c.typed("story", storyLook.in(c.words), "get pods -o wide")}).
		with(Button{Label: c.say("story.here"), Line: c.typed("story", resumes.in(c.words))}), nil
}

// whoIsWho says what the story calls each pod.
func (c *call) whoIsWho(words content.Words, pods []*corev1.Pod) string {
	var b strings.Builder
	for _, p := range pods {
		if who, ok := words.Pod(c.course(), p.Name); ok {
			fmt.Fprintf(&b, "- `%s`%s%s\n", p.Name, c.say("help.sep"), who)
		}
	}
	return b.String()
}

// storiesTold says in a line what a person has foretold, for /progrès.
func (c *call) storiesTold(p progress) Block {
	return Meter{Label: c.say("story.progress", with{"Count": p.Foreseen, "Total": p.Foretold}), Done: p.Foreseen, Total: cmp.Or(p.Foretold, 1)}
}
