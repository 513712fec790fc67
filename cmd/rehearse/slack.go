package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"timonier/bot/slack/slacktest"
)

// class is the channel of the class, where the bot is.
const class = "C1"

// slashCommands are those of the app's manifest; Slack knows no other.
var slashCommands = []string{"/timonier", "/kubectl", "/quiz"}

// inSlack is people in the local Slack.
type inSlack struct {
	server *slacktest.Server
	screen *screen
}

func (p *inSlack) connected(ctx context.Context) error { return p.server.Connected(ctx, 1) }

func (p *inSlack) do(ctx context.Context, s scene, line string) (answer, error) {
	p.server.SetUser(slacktest.User{ID: s.who.slack, Name: s.who.name, DisplayName: s.who.name, Locale: locales[s.locale], TZ: "America/Toronto", Admin: s.who.teacher})
	channel := class
	if s.alone {
		channel = "D" + s.who.slack[1:]
		p.server.SetChannel(slacktest.Channel{ID: channel, IM: true, User: s.who.slack})
	}
	word, rest, _ := strings.Cut(line, " ")
	i, err := p.interaction(s, channel, word, strings.TrimSpace(rest))
	if err != nil {
		return nil, err
	}
	x, err := p.server.Send(ctx, i)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (message, error) {
		change, err := x.Next(ctx)
		return p.see(s, change), err
	}, nil
}

func (p *inSlack) interaction(s scene, channel, word, rest string) (slacktest.Interaction, error) {
	user := s.who.slack
	switch {
	case strings.HasPrefix(word, "/"):
		if !slices.Contains(slashCommands, word) {
			return nil, fmt.Errorf("%s is not a valid command. (The app has %s: /timonier %s)", word, strings.Join(slashCommands, ", "), strings.TrimSpace(word[1:]+" "+rest))
		}
		for _, person := range s.known { // as Slack sends what people see as @name
			rest = strings.ReplaceAll(rest, "@"+person.name, "<@"+person.slack+"|"+person.name+">")
		}
		return slacktest.Command{Name: word, Text: rest, User: user, Channel: channel}, nil
	case word == "click":
		m := p.screen.press("slack", s)
		buttons := p.message(m.channel, m.id).Buttons()
		n, err := number(rest, len(buttons))
		if err != nil {
			return nil, err
		}
		return slacktest.Action{User: user, Channel: m.channel, Message: m.id, ActionID: buttons[n].ActionID, BlockID: buttons[n].BlockID}, nil
	case word == "submit":
		open := p.server.Views(user)
		if len(open) == 0 {
			return nil, errors.New("no form is open")
		}
		form := open[len(open)-1]
		fields, err := inputs(form.Blocks)
		if err != nil {
			return nil, err
		}
		values := map[string]any{}
		for _, field := range fields {
			values[field] = strings.ReplaceAll(rest, `\n`, "\n")
		}
		return slacktest.Submit{User: user, View: form.ID, Values: values}, nil
	}
	return nil, errors.New("a /command, click N or submit TEXT")
}

// inputs are the action IDs of a form's texts.
func inputs(blocks json.RawMessage) ([]string, error) {
	var all []struct {
		Element struct {
			Type     string `json:"type"`
			ActionID string `json:"action_id"`
		} `json:"element"`
	}
	if err := json.Unmarshal(blocks, &all); err != nil {
		return nil, fmt.Errorf("read form: %w", err)
	}
	var ids []string
	for _, b := range all {
		if b.Element.Type == "plain_text_input" {
			ids = append(ids, b.Element.ActionID)
		}
	}
	return ids, nil
}

// message is one as it stands now.
func (p *inSlack) message(channel, ts string) slacktest.Message {
	for _, m := range slices.Backward(p.server.Messages(channel)) {
		if m.TS == ts && m.Channel == channel {
			return m
		}
	}
	return slacktest.Message{}
}

// posted is what the bot has said to all in the class's channel: answers too, which are shown already.
func (p *inSlack) posted() []message {
	var all []message
	for _, m := range p.server.Messages(class) {
		if m.For == "" && !m.Deleted {
			all = append(all, p.see(scene{}, slacktest.Change{Message: m}))
		}
	}
	return all
}

// see is what a change shows. A form that closes shows nothing: the answer comes as a message.
func (p *inSlack) see(s scene, c slacktest.Change) message {
	out := message{platform: "slack", kind: "for everyone"}
	if v := c.View; v.ID != "" {
		out.kind, out.words, out.id = "form", v.Words(), v.ID+c.At.String()
		if c.Kind == slacktest.Closed || c.Kind == slacktest.Published {
			return message{}
		}
		for _, text := range v.Errors {
			out.words += "\n! " + text
		}
		return out
	}
	m := p.message(c.Message.Channel, c.Message.TS)
	if m.TS == "" {
		return message{}
	}
	out.channel, out.id, out.words, out.spot = m.Channel, m.TS, m.Words(), s.spot(m.For != "")
	switch {
	case m.For != "":
		out.kind = "for you alone"
	case strings.HasPrefix(m.Channel, "D"):
		out.kind, out.spot = "in private messages", "alone "+s.who.name
	}
	if m.Deleted {
		out.kind, out.words = "deleted", "(deleted)"
		return out
	}
	for _, b := range m.Buttons() {
		out.buttons = append(out.buttons, b.Label)
	}
	for _, label := range slices.Backward(out.buttons) { // that end the words
		out.words = strings.TrimSuffix(strings.TrimSpace(out.words), "\n"+label)
	}
	for _, f := range m.Files {
		out.files = append(out.files, p.screen.file(f.ID, f.Name, f.Alt, f.Data))
	}
	return out
}
