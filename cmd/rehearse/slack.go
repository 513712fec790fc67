package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"timonier/bot/slack/slacktest"
)

// Who does what in the local Slack, and where: a learner in a channel that the bot is in.
const (
	learner = "U1"
	channel = "C1"
)

// inSlack is a person in the local Slack.
type inSlack struct {
	server *slacktest.Server
	last   slacktest.Message
	form   slacktest.View
}

func (p *inSlack) connected(ctx context.Context) error { return p.server.Connected(ctx, 1) }

func (p *inSlack) do(ctx context.Context, line string) (answer, error) {
	word, rest, _ := strings.Cut(line, " ")
	i, err := p.interaction(word, rest)
	if err != nil {
		return nil, err
	}
	x, err := p.server.Send(ctx, i)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (string, error) {
		change, err := x.Next(ctx)
		return p.see(change), err
	}, nil
}

func (p *inSlack) interaction(word, rest string) (slacktest.Interaction, error) {
	switch {
	case strings.HasPrefix(word, "/"):
		return slacktest.Command{Name: word, Text: rest, User: learner, Channel: channel}, nil
	case word == "click":
		buttons := p.last.Buttons()
		n, err := number(rest, len(buttons))
		if err != nil {
			return nil, err
		}
		return slacktest.Action{User: learner, Channel: p.last.Channel, Message: p.last.TS,
			ActionID: buttons[n].ActionID, BlockID: buttons[n].BlockID}, nil
	case word == "submit":
		fields, err := inputs(p.form.Blocks)
		if err != nil {
			return nil, err
		}
		values := map[string]any{}
		for _, field := range fields {
			values[field] = strings.ReplaceAll(rest, `\n`, "\n")
		}
		return slacktest.Submit{User: learner, View: p.form.ID, Values: values}, nil
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

func (p *inSlack) see(c slacktest.Change) string {
	var labels, files []string
	if c.View.ID != "" {
		p.form = c.View
		for _, b := range c.View.Buttons() {
			labels = append(labels, b.Label)
		}
		return shown(string(c.Kind)+" view", c.View.Words(), labels, nil)
	}
	m := c.Message
	if m.TS == "" {
		return ""
	}
	p.last = m
	for _, b := range m.Buttons() {
		labels = append(labels, b.Label)
	}
	for _, f := range m.Files {
		files = append(files, f.Name+" "+f.Alt)
	}
	kind := "for everyone"
	if m.For != "" {
		kind = "for you alone"
	}
	if c.Kind != slacktest.Posted {
		kind += ", " + string(c.Kind)
	}
	return shown(kind, m.Words(), labels, files)
}
