package bot

import (
	"context"
	"fmt"
)

// progressCommand is /progrès: how far the person has come.
func progressCommand(c *call) (Reply, error) {
	r, err := c.reviewed(Reply{}) // what has been answered may count only now
	if err != nil {
		return r, err
	}
	p, reviewed := c.learner.progress, r.Blocks
	course := c.content
	written, read := 0, 0
	for l := range course.Lessons() {
		if !l.Written() {
			continue
		}
		written++
		if among(p.Read, l.ID) {
			read++
		}
	}
	r = Reply{Blocks: []Block{
		Title{c.say("learning.title")},
		Meter{Label: c.say("learning.read", with{"Count": read, "Total": written}), Done: read, Total: max(1, written)},
	}}
	alone, helped := 0, 0
	for _, e := range course.Exercises {
		switch {
		case among(p.Solved, e.ID):
			alone++
		case among(p.Helped, e.ID):
			helped++
		}
	}
	if total := len(course.Exercises); total > 0 {
		label := c.say("learning.solved", with{"Count": alone + helped, "Total": total})
		if helped > 0 {
			label += " " + c.say("learning.helped", with{"Count": helped})
		}
		r.Blocks = append(r.Blocks, Meter{Label: label, Done: alone + helped, Total: total})
	}
	if p.Asked > 0 {
		r.Blocks = append(r.Blocks, Meter{Label: c.say("learning.right", with{"Count": p.Right, "Total": p.Asked}), Done: p.Right, Total: p.Asked})
	} else {
		r.Blocks = append(r.Blocks, Text{c.say("learning.noquiz", with{"Quiz": c.typed("quiz")})})
	}
	r.Blocks = append(r.Blocks, reviewed...)
	if p.Foretold > 0 {
		r.Blocks = append(r.Blocks, c.storiesTold(p))
	}
	r = c.sections(r)
	if t, ok := c.nextTodo(); ok {
		r.Blocks = append(r.Blocks, Text{c.ahead(t)})
		r = r.with(c.button(t))
	} else {
		r.Blocks = append(r.Blocks, Text{c.say("learning.all")})
	}
	return r.with(Button{Label: c.say("button.contents"), Line: c.typed("course")}).
		with(Button{Label: c.say("button.help"), Line: c.slash(c.help())}), nil
}

// sections adds a meter for each section that has something to do, under a line between.
func (c *call) sections(r Reply) Reply {
	r.Blocks = append(r.Blocks, Divider{})
	for _, s := range c.content.Sections {
		if done, total := c.steps(s); total > 0 {
			label := fmt.Sprintf("%s · %d. %s", c.say("course.of", with{"Done": done, "Total": total}), s.Number, c.in(s.Title))
			r.Blocks = append(r.Blocks, Meter{Label: label, Done: done, Total: total})
		}
	}
	return r
}

// Home is what a person sees who opens the tutor's own page: how far they have come. The
// Line of the request does not count. Nothing is changed, and it never fails: without a
// store it greets.
func (t *Tutor) Home(ctx context.Context, r Request) Reply {
	if r.Fill != nil {
		r.Fill(ctx, &r)
	}
	c, err := t.newCall(ctx, &lane{place: r.Place()}, r, nil)
	if err != nil {
		t.cfg.Logger.ErrorContext(ctx, "home without the store", "error", err)
		return t.Welcome(ctx, r)
	}
	reply, err := progressCommand(c)
	if err != nil {
		return t.Welcome(ctx, r)
	}
	reply.Blocks = append(reply.Blocks, Divider{}, Text{c.say("welcome.text", with{"Help": c.slash(c.help()), "Course": c.typed("course")})})
	reply.Private, reply.Final = true, true
	return reply
}
