package bot

import (
	"context"
	"strings"
)

// helpCommand is /aide, or /aide COMMAND.
func helpCommand(c *call) (Reply, error) {
	if c.args != "" {
		return c.helpOn(strings.TrimPrefix(strings.Fields(c.args)[0], "/")), nil
	}
	var lines strings.Builder
	for _, cmd := range c.tutor.commands {
		if cmd.hidden {
			continue
		}
		lines.WriteString("- `" + c.slash(cmd) + "`" + c.say("help.sep") + c.say(cmd.help) + "\n")
	}
	more := c.say("help.more", with{"Help": c.slash(c.help())})
	if !c.request.Live { // a platform has buttons, and hears no other lines
		more += " " + c.say("help.typed")
	}
	course, _ := c.tutor.command("course")
	return c.refusal(Reply{
		Blocks: []Block{Title{c.say("help.title")}, Text{lines.String() + "\n" + more}},
		Buttons: []Button{
			{Label: c.say("button.course"), Line: c.slash(course), Style: Primary},
			{Label: "kubectl get nodes", Line: "/kubectl get nodes"},
		},
	}), nil
}

// helpOn explains one command.
func (c *call) helpOn(word string) Reply {
	cmd, ok := c.tutor.command(word)
	if !ok {
		r := c.unknown(word, "", "")
		if nearest := c.nearest(word); nearest != "" && len(r.Buttons) > 0 {
			r.Buttons[0].Line = c.slash(c.help()) + " " + nearest
		}
		return r
	}
	return Reply{Blocks: []Block{Title{c.slash(cmd)}, Text{c.say(cmd.help) + "\n\n" + c.say(cmd.usage)}}}
}

func completeHelp(c *call, words []string) []string {
	if len(words) > 1 {
		return nil
	}
	var names []string
	for _, cmd := range c.tutor.commands {
		if !cmd.hidden {
			names = append(names, cmd.name.in(c.words))
		}
	}
	return names
}

// Welcome is the first message of a conversation. The Line of the request does not
// count. It never fails: without a store it greets all the same.
func (t *Tutor) Welcome(ctx context.Context, r Request) Reply {
	ln := &lane{place: r.Place()}
	c, err := t.newCall(ctx, ln, r, nil)
	if err != nil {
		t.cfg.Logger.ErrorContext(ctx, "greeting without the store", "error", err)
		c = &call{words: t.wordsOf(r.Locale), tutor: t, request: r, content: t.taught.Load(), channel: &channel{}, learner: &learner{}}
	}
	course, _ := t.command("course")
	reply := Reply{
		Blocks: []Block{Title{c.say("welcome.title")}, Text{c.say("welcome.text", with{"Help": c.slash(c.help()), "Course": c.slash(course)})}},
		Final:  true,
	}
	start := Button{Label: c.say("button.course"), Line: c.slash(course), Style: Primary}
	if l, ok := c.content.Lesson(c.learner.bookmark.Lesson); ok {
		reply.Blocks = append(reply.Blocks, Text{c.say("welcome.back", with{"Lesson": l.ID, "Title": c.in(l.Title)})})
		start = c.resume(l)
	}
	reply = c.offerExercise(reply)
	reply.Buttons = append(reply.Buttons, start, Button{Label: "kubectl get nodes", Line: "/kubectl get nodes"}, Button{Label: c.say("button.help"), Line: c.slash(c.help())})
	return reply
}
