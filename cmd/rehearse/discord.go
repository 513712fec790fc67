package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"timonier/bot/discord/discordtest"
)

// onDiscord is a person on the local Discord.
type onDiscord struct {
	server *discordtest.Server
	last   discordtest.Message
	form   discordtest.Modal
}

func (p *onDiscord) connected(ctx context.Context) error { return p.server.Connected(ctx, 1) }

func (p *onDiscord) do(ctx context.Context, line string) (answer, error) {
	word, rest, _ := strings.Cut(line, " ")
	i, err := p.interaction(word, rest)
	if err != nil {
		return nil, err
	}
	x := p.server.Interact(ctx, i)
	first := true
	return func(ctx context.Context) (string, error) {
		if !first {
			u, err := x.Next(ctx)
			return p.see(u.Message), err
		}
		first = false
		r, err := x.First(ctx)
		if err != nil {
			return "", err
		}
		if form, open := x.Modal(); open {
			p.form = form
			return shown("form", form.Title, nil, nil), nil
		}
		return p.see(r.Message), nil
	}, nil
}

func (p *onDiscord) interaction(word, rest string) (discordtest.Interaction, error) {
	switch {
	case strings.HasPrefix(word, "/"):
		return p.command(word[1:], rest)
	case word == "click":
		buttons := p.last.Buttons()
		n, err := number(rest, len(buttons))
		if err != nil {
			return discordtest.Interaction{}, err
		}
		return discordtest.Click(p.last, buttons[n].CustomID), nil
	case word == "submit":
		fields := map[string]string{}
		discordtest.Message{Components: p.form.Components}.Walk(func(c discordtest.Component) {
			if c.Type == discordtest.TypeTextInput {
				fields[c.CustomID] = strings.ReplaceAll(rest, `\n`, "\n")
			}
		})
		return discordtest.Submit(p.form, fields), nil
	}
	return discordtest.Interaction{}, errors.New("a /command, click N or submit TEXT")
}

// command is a slash command as Discord would send it, by the commands that the bot has registered: what
// is not name:value goes to the first option.
func (p *onDiscord) command(name, rest string) (discordtest.Interaction, error) {
	type option struct {
		Name string `json:"name"`
		Type int    `json:"type"`
	}
	var names []string
	for _, data := range p.server.Commands("") {
		var c struct {
			Name    string   `json:"name"`
			Type    int      `json:"type"`
			Options []option `json:"options"`
		}
		if err := json.Unmarshal(data, &c); err != nil {
			return discordtest.Interaction{}, fmt.Errorf("read command: %w", err)
		}
		if c.Type > 1 {
			continue
		}
		names = append(names, "/"+c.Name)
		if c.Name != name {
			continue
		}
		given := map[string][]string{}
		for word := range strings.FieldsSeq(rest) {
			at, value, named := strings.Cut(word, ":")
			for _, o := range c.Options {
				if named && o.Name == at {
					given[at], word = append(given[at], value), ""
				}
			}
			if word != "" && len(c.Options) > 0 {
				given[c.Options[0].Name] = append(given[c.Options[0].Name], word)
			}
		}
		var options []discordtest.Option
		for _, o := range c.Options {
			if words := given[o.Name]; words != nil {
				options = append(options, discordtest.Option{Name: o.Name, Type: o.Type, Value: valueOf(o.Type, strings.Join(words, " "))})
			}
		}
		return discordtest.Slash(name, options...), nil
	}
	return discordtest.Interaction{}, fmt.Errorf("the bot has no such command; it has %s", strings.Join(names, " "))
}

// valueOf is a number for an option that holds one.
func valueOf(kind int, text string) any {
	const integer = 4
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && kind == integer {
		return n
	}
	return text
}

func (p *onDiscord) see(m discordtest.Message) string {
	if m.ID == "" || m.Loading() {
		return ""
	}
	p.last = m
	kind := "for everyone"
	if m.Ephemeral() {
		kind = "for you alone"
	}
	if m.Deleted {
		kind = "deleted"
	}
	var buttons, files []string
	for _, b := range m.Buttons() {
		buttons = append(buttons, b.Label)
	}
	for _, a := range m.Attachments {
		files = append(files, a.Filename+" "+a.Description)
	}
	return shown(kind, m.Text(), buttons, files)
}
