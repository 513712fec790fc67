package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"timonier/bot/discord/discordtest"
	"timonier/bot/slack/slacktest"
)

// The tutor's transcripts are played on both platforms, on the built program: what the tutor says in a
// terminal stands in the messages. What depends on the moment or on chance (whatever has a digit in it)
// is left out, as is what is drawn in another way.
func TestTranscriptsOnBothPlatforms(t *testing.T) {
	r := rehearse(t)
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	total := 0
	for i, name := range []string{"help.fr", "course.fr", "kubectl.fr", "why.fr"} {
		for _, platform := range []string{"discord", "slack"} {
			t.Run(name+" on "+platform, func(t *testing.T) {
				checked := 0
				for _, turn := range turnsOf(t, name) {
					var text string
					var err error
					if platform == "discord" {
						text, err = r.sayOnDiscord(ctx, i, turn.typed)
					} else {
						text, err = r.sayInSlack(ctx, i, turn.typed)
					}
					if err != nil {
						t.Fatalf("%s: %v", turn.typed, err)
					}
					said := letters(text)
					for _, line := range turn.answered {
						checked++
						if !strings.Contains(said, letters(line)) {
							t.Errorf("%s: no %q in\n%s", turn.typed, line, text)
						}
					}
				}
				if total += checked; checked == 0 {
					t.Error("nothing is compared")
				}
			})
		}
	}
	if total < 100 {
		t.Errorf("only %d lines are compared", total)
	}
	for _, fault := range append(r.discord.Faults(), append(r.slack.Faults(), r.slack.Pings()...)...) {
		t.Errorf("a rule is broken: %s", fault)
	}
}

// turn is what is typed in a transcript, and the lines that must come back.
type turn struct {
	typed    string
	answered []string
}

// turnsOf are a transcript's, up to the first direction that only a test's own clock can follow.
func turnsOf(t *testing.T, name string) (turns []turn) {
	data, err := os.ReadFile("../../bot/testdata/" + name + ".txt")
	if err != nil {
		t.Fatal(err)
	}
	for part := range strings.SplitSeq(string(data), "\n\n\n") {
		typed, answer, _ := strings.Cut(strings.TrimLeft(part, "\n"), "\n----\n")
		if strings.HasPrefix(typed, "@") {
			break
		}
		switch { // numbers and labels of buttons are typed in a terminal alone
		case (typed == "suite" || typed == "retour") && slices.ContainsFunc(turns, func(t turn) bool { return strings.HasPrefix(t.typed, "/cours ") }):
			typed = "/cours " + typed
		case len(turns) == 0 && !strings.HasPrefix(typed, "/"):
			continue
		case !strings.HasPrefix(typed, "/"):
			return turns // what follows depends on it
		}
		one := turn{typed: typed}
		for line := range strings.Lines(answer) {
			line = strings.TrimSpace(line)
			if strings.ContainsFunc(line, unicode.IsDigit) || strings.ContainsAny(line, "[]{}|│┌└<") || len(letters(line)) < 8 || strings.HasPrefix(line, "(") || onlyInTerminals(line) {
				continue
			}
			one.answered = append(one.answered, line)
		}
		turns = append(turns, one)
	}
	return turns
}

// onlyInTerminals is said there, and otherwise where there are buttons and forms.
func onlyInTerminals(line string) bool {
	return strings.Contains(line, "peut aussi se taper") || strings.Contains(line, "lignes qui suivent") || strings.Contains(line, "lit un manifeste")
}

// letters are what two ways of writing the same have in common; Slack's only command of ours is no part of it.
func letters(s string) string {
	s = strings.ReplaceAll(s, "/timonier ", "/")
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, s)
}

func (r *rehearsal) sayOnDiscord(ctx context.Context, who int, line string) (string, error) {
	first, text, _ := strings.Cut(line, "\n")
	word, rest, _ := strings.Cut(strings.TrimPrefix(first, "/"), " ")
	options, known := map[string]string{"kubectl": "commande", "cours": "page", "pourquoi": "pod", "aide": "commande", "analogie": "numéro"}[word]
	place := discordtest.Place{Direct: true, Channel: fmt.Sprint(800000 + who)}
	if rest != "" && !known || !r.shown(word) {
		return r.typedOnDiscord(ctx, place, who, line)
	}
	var given []discordtest.Option
	if rest != "" {
		given = append(given, discordtest.String(options, rest))
	}
	if text != "" {
		given = append(given, discordtest.Attach("fichier", discordtest.File{Name: "m.yaml", Data: []byte(text)}))
	}
	if word == "kubectl" && rest == "" {
		return r.typedOnDiscord(ctx, place, who, line)
	}
	return r.answerOnDiscord(ctx, discordtest.Slash(word, given...).In(place).By(discordtest.Person{ID: fmt.Sprint(900000 + who)}))
}

// shown says that Discord's menu has the command.
func (r *rehearsal) shown(word string) bool {
	for _, c := range r.discord.Commands("") {
		var command struct{ Name string }
		if json.Unmarshal(c, &command) == nil && command.Name == word {
			return true
		}
	}
	return false
}

// typedOnDiscord does what no menu offers: a button carries the line.
func (r *rehearsal) typedOnDiscord(ctx context.Context, place discordtest.Place, who int, line string) (string, error) {
	message := r.discord.Plant(discordtest.Message{ChannelID: place.Channel, Flags: 1 << 15, Components: []discordtest.Component{
		{Type: 1, Components: []discordtest.Component{{Type: discordtest.TypeButton, Style: 2, Label: "x", CustomID: "1:" + line}}},
	}})
	return r.answerOnDiscord(ctx, discordtest.Click(message, "1:"+line).In(place).By(discordtest.Person{ID: fmt.Sprint(900000 + who)}))
}

func (r *rehearsal) answerOnDiscord(ctx context.Context, i discordtest.Interaction) (string, error) {
	x := r.discord.Interact(ctx, i)
	first, err := x.First(ctx)
	if err != nil {
		return "", err
	}
	if first.Type == discordtest.RespondModal {
		return "", nil
	}
	if first.Type == discordtest.RespondDeferUpdate { // the message that had the button is changed
		u, err := x.Next(ctx)
		return u.Message.Text(), err
	}
	m, err := x.Until(ctx, func(m discordtest.Message) bool { return m.Text() != "" && !m.Loading() })
	return m.Text(), err
}

func (r *rehearsal) sayInSlack(ctx context.Context, who int, line string) (string, error) {
	channel := fmt.Sprintf("D%03d", who)
	r.slack.SetChannel(slacktest.Channel{ID: channel, IM: true, User: loadPerson(who)})
	x, err := r.slack.Send(ctx, slacktest.Command{Name: "/timonier", Text: strings.TrimPrefix(line, "/"), User: loadPerson(who), Channel: channel})
	if err != nil {
		return "", err
	}
	defer x.End()
	c, err := x.Until(ctx, func(c slacktest.Change) bool { return c.Kind != slacktest.Updated })
	return c.Message.Words(), err
}
