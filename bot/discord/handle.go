package discord

import (
	"math"
	"slices"
	"strings"
	"time"

	"timonier/bot"
)

// plan is what to do with an interaction: the first response, and what follows it. It
// is made without waiting for anybody.
type plan struct {
	command  string // for figures
	first    callback
	files    []upload
	request  *bot.Request // what the tutor is to answer; nil: the first response is all there is
	way      way          // the request's way back
	complete string       // a line to complete, whose completions are the first response; "": none
	prefix   string       // what of each completion is not the option's
	unsaid   bool         // the first response need not be given: they were told a moment ago
}

// planFor decides what to do with an interaction. It never panics: what it stumbles over
// is logged, and apologised for.
func (b *Bot) planFor(e event, bad error) (p plan) {
	defer func() {
		if v := recover(); v != nil {
			p = b.only(e, "failure.ours", map[string]any{"Reference": b.stumbled(e.ID, v)})
		}
	}()
	if bad != nil {
		b.log.Warn("interaction refused", "error", bad)
		return b.only(e, "discord.badoption", nil)
	}
	r := bot.Request{
		ID: e.ID, Platform: platform, Tenant: e.GuildID, Channel: e.ChannelID, Parent: e.parent(),
		Who:    bot.Person{ID: e.person().ID, Name: e.name(), Everywhere: true},
		Locale: e.locale(), Direct: e.direct(), Alone: e.alone(), Live: true, Pictures: bot.ThemeDark, Asked: b.cfg.Now(),
		Mute: e.mute(),
	}
	if e.Member != nil {
		r.Who.Roles, r.Teacher = e.Member.Roles, e.Member.leads(b.cfg.TeacherRoles)
	}
	switch e.Type {
	case eventCommand:
		return b.planCommand(e, r)
	case eventPress:
		return b.planPress(e, r)
	case eventForm:
		return b.planForm(e, r)
	case eventComplete:
		return b.planComplete(e, r)
	}
	b.log.Warn("interaction of an unknown type", "type", e.Type)
	return b.only(e, "discord.unknown", nil)
}

// only is a plan of one sentence, for the person alone, after which nothing is done.
func (b *Bot) only(e event, id string, data map[string]any) plan {
	if e.Type == eventComplete {
		return plan{command: "none", first: callback{callbackComplete, choices{Choices: []choice{}}}}
	}
	return b.told(e, bot.Reply{Blocks: []bot.Block{bot.Text{Markdown: b.say(b.tongue(e))(id, data)}}, Private: true, Final: true})
}

// told is a plan of one reply at once, for the person alone.
func (b *Bot) told(e event, r bot.Reply) plan {
	m, files := render(r, b.say(b.tongue(e)))
	m.Flags |= flagEphemeral
	return plan{command: "none", first: callback{callbackMessage, m}, files: files}
}

// over is for what comes too soon after the rest. It is told in the first response itself, so that it costs no more
// than an acknowledgement; and told once: then a press is acknowledged without a word, and a command not at all, of
// which Discord tells the person by itself. A response that has been deferred could not be left out.
func (b *Bot) over(e event, x *bot.Excess) plan {
	p := b.told(e, x.Reply)
	switch {
	case !x.Quiet:
	case e.Type == eventPress:
		p = plan{command: "none", first: callback{Type: callbackUpdate}}
	default:
		p.unsaid = true
	}
	return p
}

// tongue is the locale in which to speak to whoever did something: the language that they
// have chosen, where that is known without asking.
func (b *Bot) tongue(e event) string {
	return b.cfg.Tutor.Tongue(bot.Request{Platform: platform, Tenant: e.GuildID, Who: bot.Person{ID: e.person().ID, Everywhere: true}, Locale: e.locale()})
}

// planCommand is for a command of the menu, or of a message's menu.
func (b *Bot) planCommand(e event, r bot.Request) plan {
	if e.data.Type == commandMessage {
		on, ok := e.data.Resolved.Messages[e.data.TargetID]
		text, files := codeBlocks(on.Content), manifests(on.Attachments)
		if !ok || text == "" && len(files) == 0 {
			return b.only(e, "discord.nomanifest", nil)
		}
		return b.planLine(e, r, "/kubectl apply -f -", text, files)
	}
	info, ok := b.info(e.data.Name)
	if !ok {
		return b.only(e, "discord.unknown", nil)
	}
	files, ok := readArguments(info, e.data)
	if !ok {
		return b.only(e, "discord.badoption", nil)
	}
	return b.planLine(e, r, lineOf(b.commands, e.data.Name, e.data.Options, e.data.role), "", files)
}

// role tells a role's ID from a person's.
func (d eventData) role(id string) bool {
	_, ok := d.Resolved.Roles[id]
	return ok
}

// info finds a command by any of its names.
func (b *Bot) info(name string) (bot.CommandInfo, bool) {
	i := slices.IndexFunc(b.commands, func(c bot.CommandInfo) bool { return named(c.Name, name) })
	if i < 0 {
		return bot.CommandInfo{}, false
	}
	return b.commands[i], true
}

// readArguments holds a command's options against what they are to be, and gives the
// files among them. False where one is missing, unknown or of another type: Discord sees
// to that, but it may have the commands of another version.
func readArguments(info bot.CommandInfo, data eventData) (files []given, ok bool) {
	for _, a := range data.Options {
		i := slices.IndexFunc(info.Options, func(o bot.OptionInfo) bool { return named(o.Name, a.Name) })
		if i < 0 {
			return nil, false
		}
		switch text, isText := a.Value.(string); info.Options[i].Kind {
		case bot.Number:
			n, isNumber := a.Value.(float64)
			if !isNumber || n != math.Trunc(n) || math.Abs(n) > 1<<53 {
				return nil, false
			}
		case bot.Manifest:
			f, found := data.Resolved.Attachments[text]
			if !found {
				return nil, false
			}
			files = append(files, f)
		case bot.Someone:
			if !snowflake.MatchString(text) {
				return nil, false
			}
		default:
			if !isText {
				return nil, false
			}
		}
	}
	for _, o := range info.Options {
		if o.Required && !slices.ContainsFunc(data.Options, func(a argument) bool { return named(o.Name, a.Name) }) {
			return nil, false
		}
	}
	return files, true
}

// planPress is for a button, or for what was chosen in a menu.
func (b *Bot) planPress(e event, r bot.Request) plan {
	line, ok := bot.Pressed(e.data.CustomID)
	switch {
	case e.data.ComponentType == typeMenu && ok:
		line, ok = bot.Picked(line, e.data.Values)
	case e.data.ComponentType != typeButton: // an older version's, or nobody's
		ok = false
	}
	if !ok || e.Message == nil {
		return b.only(e, "button.stale", nil)
	}
	r.Aside = e.Message.Flags&flagEphemeral != 0
	return b.planLine(e, r, line, "", nil)
}

// planForm is for a form that was sent: a text, or a file in its place.
func (b *Bot) planForm(e event, r bot.Request) plan {
	line, ok := bot.Pressed(e.data.CustomID)
	if !ok {
		return b.only(e, "button.stale", nil)
	}
	text, _ := find(e.data.Components, fieldText)
	if strings.TrimSpace(text.Value) != "" {
		return b.planLine(e, r, line, text.Value, nil)
	}
	var files []given
	if f, ok := find(e.data.Components, fieldFile); ok {
		for _, id := range f.Values {
			if g, ok := e.data.Resolved.Attachments[id]; ok {
				files = append(files, g)
			}
		}
	}
	return b.planLine(e, r, line, "", files)
}

// planLine is for a line to be answered, with a text or with files whose text is still
// to be fetched.
func (b *Bot) planLine(e event, r bot.Request, line, text string, files []given) plan {
	r.Line = line
	if text != "" {
		r.Line += "\n" + text
	}
	if over := b.cfg.Tutor.Admit(&r); over != nil {
		return b.over(e, over)
	}
	looked := r
	if len(files) > 0 {
		looked.Line += "\n…" // there will be a text: no form is to ask for it
	}
	m := b.cfg.Tutor.Manner(looked)
	hidden := e.Message != nil && e.Message.Flags&flagEphemeral != 0
	p := plan{command: m.Command, request: &r, way: way{
		Token: e.Token, Channel: e.ChannelID, Person: e.person().ID, Private: m.Private, Alone: e.alone(),
		Command: m.Command, Line: r.Line, Files: files,
	}}
	switch {
	case m.Prompt != nil && e.Type != eventForm: // a form cannot answer a form
		if f, ok := modal(*m.Prompt, b.say(b.tongue(e))); ok {
			return plan{command: m.Command, first: callback{callbackForm, f}}
		}
	case m.Replace && e.Type == eventPress && (!m.Private || hidden): // what others see is not one person's page
		p.way.Message, p.way.Private = e.Message.ID, hidden
	}
	p.first = p.way.first()
	return p
}

// Limits of an autocompletion.
const (
	longestChoice = 100
	completeIn    = time.Second
)

// choices is the data of the callback that completes.
type choices struct {
	Choices []choice `json:"choices"`
}

// planComplete is for an option that is being typed. What is typed after it does not count.
func (b *Bot) planComplete(e event, r bot.Request) plan {
	i := slices.IndexFunc(e.data.Options, func(a argument) bool { return a.Focused })
	info, ok := b.info(e.data.Name)
	if i < 0 || !ok {
		return b.only(e, "", nil)
	}
	typed, ok := e.data.Options[i].Value.(string)
	if !ok {
		return b.only(e, "", nil)
	}
	var before []argument
	for _, o := range info.Options {
		if named(o.Name, e.data.Options[i].Name) {
			break
		}
		for _, a := range e.data.Options {
			if named(o.Name, a.Name) {
				before = append(before, a)
			}
		}
	}
	prefix := lineOf(b.commands, e.data.Name, before, e.data.role) + " "
	return plan{command: "complete", request: &r, complete: prefix + typed, prefix: prefix}
}

// completions are the completions of a line as choices: of the option alone.
func (p plan) completions(lines []string) callback {
	out := choices{Choices: []choice{}}
	seen := map[string]bool{}
	for _, line := range lines {
		value, ok := strings.CutPrefix(line, p.prefix)
		value = strings.TrimSpace(value)
		if !ok || value == "" || length(value) > longestChoice || seen[value] || len(out.Choices) == mostChoices {
			continue
		}
		seen[value] = true
		out.Choices = append(out.Choices, choice{Name: value, Value: value})
	}
	return callback{callbackComplete, out}
}
