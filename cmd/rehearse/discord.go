package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"timonier/bot/discord/discordtest"
)

// classroom is the class's channel.
const classroom = "2000000000000000001"

// onDiscord is people on the local Discord.
type onDiscord struct {
	server *discordtest.Server
	screen *screen
	forms  sync.Map // by spot: the discordtest.Modal that is open there
}

// connected waits for the bot, and for its commands, which it registers once it is there.
func (p *onDiscord) connected(ctx context.Context) error {
	err := p.server.Connected(ctx, 1)
	for err == nil && len(p.commands()) == 0 {
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			err = fmt.Errorf("no command is registered: %w", ctx.Err())
		}
	}
	return err
}

// commands are those registered everywhere, and in the one server.
func (p *onDiscord) commands() []json.RawMessage {
	return append(p.server.Commands(""), p.server.Commands(p.server.Guild(0))...)
}

func (p *onDiscord) do(ctx context.Context, s scene, line string) (answer, error) {
	word, rest, _ := strings.Cut(line, " ")
	i, err := p.interaction(s, word, strings.TrimSpace(rest))
	if err != nil {
		return nil, err
	}
	who := discordtest.Person{ID: s.who.discord, Name: s.who.name}
	if s.who.teacher {
		const member = 1<<10 | 1<<11 | 1<<31 // sees the channel, writes, uses commands
		who.Permissions = discordtest.ManageGuild | member
	}
	where := discordtest.Place{Channel: classroom}
	if s.alone {
		where = discordtest.Place{Direct: true}
	}
	x := p.server.Interact(ctx, i.By(who).In(where).Speaking(s.locale, "fr"))
	first := true
	return func(ctx context.Context) (message, error) {
		if !first {
			u, err := x.Next(ctx)
			return p.see(s, u.Message), err
		}
		first = false
		r, err := x.First(ctx)
		if err != nil {
			if i.Kind == discordtest.ModalKind { // what could not be sent stays open
				p.forms.Store(s.spot(true), i.Modal)
			}
			return message{}, err
		}
		if form, open := x.Modal(); open {
			return p.open(s, x.ID, form), nil
		}
		if r.Type == discordtest.RespondDeferUpdate { // the message is still what it was
			return message{}, nil
		}
		return p.see(s, r.Message), nil
	}, nil
}

func (p *onDiscord) interaction(s scene, word, rest string) (discordtest.Interaction, error) {
	switch {
	case strings.HasPrefix(word, "/"):
		return p.command(s, word[1:], rest)
	case word == "click":
		m, _ := p.server.Find(p.screen.press("discord", s).id)
		buttons := m.Buttons()
		n, err := number(rest, len(buttons))
		if err != nil {
			return discordtest.Interaction{}, err
		}
		return discordtest.Click(m, buttons[n].CustomID), nil
	case word == "submit":
		open, _ := p.forms.LoadAndDelete(s.spot(true))
		form, is := open.(discordtest.Modal)
		if !is {
			return discordtest.Interaction{}, errors.New("no form is open")
		}
		fields := map[string]string{}
		discordtest.Message{Components: form.Components}.Walk(func(c discordtest.Component) {
			if c.Type == discordtest.TypeTextInput {
				fields[c.CustomID] = strings.ReplaceAll(rest, `\n`, "\n")
			}
		})
		return discordtest.Submit(form, fields), nil
	}
	return discordtest.Interaction{}, errors.New("a /command, click N or submit TEXT")
}

// registered is a command as the bot has registered it.
type registered struct {
	Name    string  `json:"name"`
	Type    int     `json:"type"`
	Options options `json:"options"`
}

// options are a command's, in order.
type options []struct {
	Name              string               `json:"name"`
	NameLocalizations map[string]string    `json:"name_localizations"`
	Type              int                  `json:"type"`
	Required          bool                 `json:"required"`
	Choices           []discordtest.Choice `json:"choices"`
}

// Discord's types of options (interactions/application-commands#application-command-object-application-command-option-type).
const (
	typeString      = 3
	typeInteger     = 4
	typeUser        = 6
	typeMentionable = 9
	typeAttachment  = 11
)

// command is a slash command as Discord would send it, by the commands that the bot has registered.
func (p *onDiscord) command(s scene, name, text string) (discordtest.Interaction, error) {
	var names []string
	for _, data := range p.commands() {
		var c registered
		if err := json.Unmarshal(data, &c); err != nil {
			return discordtest.Interaction{}, fmt.Errorf("read command: %w", err)
		}
		if c.Type > 1 {
			continue
		}
		if names = append(names, "/"+c.Name); c.Name != name {
			continue
		}
		given, err := c.Options.fill(text)
		if err != nil {
			return discordtest.Interaction{}, err
		}
		var out []discordtest.Option
		for i, value := range given {
			o := c.Options[i]
			if value != "" {
				out = append(out, discordtest.Option{Name: o.Name, Type: o.Type, Value: valueOf(s, o.Type, value)})
			}
		}
		return discordtest.Slash(name, out...), nil
	}
	return discordtest.Interaction{}, fmt.Errorf("the bot has no such command; it has %s", strings.Join(names, " "))
}

// looksNamed is the beginning of name:value.
var looksNamed = regexp.MustCompile(`^(\p{L}[\p{L}\p{N}_-]*):`)

// fill gives a command's words to its options: to the one that is named, else to the next in order
// that takes them. The values are those of the options, empty where there is none.
func (all options) fill(text string) ([]string, error) {
	given := make([]string, len(all))
	next := 0
	for text = strings.TrimSpace(text); text != ""; text = strings.TrimSpace(text) {
		at, value, n := all.named(text), "", 0
		switch {
		case at >= 0:
			text = strings.TrimSpace(text[strings.Index(text, ":")+1:])
			value, n = all.take(at, text)
		case looksNamed.MatchString(text):
			return nil, fmt.Errorf("there is no option %q; %s", looksNamed.FindStringSubmatch(text)[1], all)
		default:
			for at = next; at < len(all); at++ {
				if value, n = all.take(at, text); given[at] == "" && n > 0 {
					break
				}
			}
			next = at + 1
		}
		if n == 0 || at == len(all) {
			return nil, fmt.Errorf("nothing takes %q; %s", text, all)
		}
		given[at], text = value, text[n:]
	}
	return given, nil
}

// named is the option whose name, in any language, the text begins with before a colon; or -1.
func (all options) named(text string) int {
	m := looksNamed.FindStringSubmatch(text)
	for i, o := range all {
		if m == nil || o.Type == typeAttachment {
			continue
		}
		if o.Name == m[1] {
			return i
		}
		for _, name := range o.NameLocalizations {
			if name == m[1] {
				return i
			}
		}
	}
	return -1
}

// take is the value that an option has from the text, and how much of the text that is: one of the
// choices; one word; all, up to an option that is named, for a text that is required or the last.
func (all options) take(at int, text string) (string, int) {
	o := all[at]
	for _, c := range o.Choices {
		value := fmt.Sprint(c.Value)
		names := []string{value, c.Name}
		for _, name := range c.NameLocalizations {
			names = append(names, name)
		}
		for _, name := range names {
			if n := len(name); len(text) >= n && strings.EqualFold(text[:n], name) && (len(text) == n || text[n] == ' ') {
				return value, n
			}
		}
	}
	if len(o.Choices) > 0 || o.Type == typeAttachment {
		return "", 0
	}
	word, _, _ := strings.Cut(text, " ")
	n := len(word)
	if o.Type == typeString && (o.Required || all.textsFrom(at) == 1) {
		for n < len(text) && all.named(text[n+1:]) < 0 {
			word, _, _ = strings.Cut(text[n+1:], " ")
			n += 1 + len(word)
		}
	}
	return text[:n], n
}

// textsFrom counts the free texts from one option on.
func (all options) textsFrom(at int) int {
	n := 0
	for _, o := range all[at:] {
		if o.Type == typeString && len(o.Choices) == 0 {
			n++
		}
	}
	return n
}

// String lists the options with their choices.
func (all options) String() string {
	var parts []string
	for _, o := range all {
		part := o.Name
		var values []string
		for _, c := range o.Choices {
			values = append(values, fmt.Sprint(c.Value))
		}
		if len(values) > 0 {
			part += " (" + strings.Join(values, ", ") + ")"
		}
		if o.Type != typeAttachment {
			parts = append(parts, part)
		}
	}
	if len(parts) == 0 {
		return "the command has no options"
	}
	return "the options are " + strings.Join(parts, ", ")
}

// valueOf is a number, or a person's ID, for an option that holds one.
func valueOf(s scene, kind int, text string) any {
	switch kind {
	case typeInteger:
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return n
		}
	case typeUser, typeMentionable:
		if who, known := s.person(strings.TrimPrefix(text, "@")); known {
			return who.discord
		}
	}
	return text
}

// open is a form that the bot opens.
func (p *onDiscord) open(s scene, id string, form discordtest.Modal) message {
	p.forms.Store(s.spot(true), form)
	words := []string{form.Title}
	discordtest.Message{Components: form.Components}.Walk(func(c discordtest.Component) {
		if c.Label != "" {
			words = append(words, c.Label)
		}
	})
	return message{platform: "discord", id: "form " + id, kind: "form", words: strings.Join(words, "\n")}
}

// posted is what the bot has said in the class's channel by itself.
func (p *onDiscord) posted() []message {
	var all []message
	for _, m := range p.server.Sent(classroom) {
		if out := p.see(scene{}, m); out.kind != "deleted" {
			all = append(all, out)
		}
	}
	return all
}

// see is a message as it stands now.
func (p *onDiscord) see(s scene, m discordtest.Message) message {
	if now, there := p.server.Find(m.ID); there {
		m = now
	}
	if m.ID == "" || m.Loading() {
		return message{}
	}
	out := message{platform: "discord", id: m.ID, kind: "for everyone", words: m.Text(), spot: s.spot(m.Ephemeral())}
	if m.Ephemeral() {
		out.kind = "for you alone"
	}
	if m.Deleted {
		out.kind, out.words = "deleted", "(deleted)"
		return out
	}
	for _, b := range m.Buttons() {
		out.buttons = append(out.buttons, b.Label)
	}
	for _, a := range m.Attachments {
		out.files = append(out.files, p.screen.file(a.ID, a.Filename, a.Description, a.Data))
	}
	return out
}
