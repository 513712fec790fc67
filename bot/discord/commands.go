package discord

import (
	"slices"
	"strconv"
	"strings"

	"timonier/bot"
)

// command is an application command, as it is registered and as Discord lists it.
type command struct {
	ID                       string            `json:"id,omitempty"` // Discord's own
	Type                     int               `json:"type"`
	Name                     string            `json:"name"`
	NameLocalizations        map[string]string `json:"name_localizations"` // null takes away those there were
	Description              string            `json:"description,omitempty"`
	DescriptionLocalizations map[string]string `json:"description_localizations,omitzero"`
	Options                  []option          `json:"options,omitzero"`
	Contexts                 []int             `json:"contexts,omitempty"`          // of global commands only
	IntegrationTypes         []int             `json:"integration_types,omitempty"` // of global commands only
}

// The types of commands.
const (
	commandSlash   = 1
	commandMessage = 3 // on a message's menu
)

// option is one of a command's.
type option struct {
	Type                     int               `json:"type"`
	Name                     string            `json:"name"`
	NameLocalizations        map[string]string `json:"name_localizations,omitempty"`
	Description              string            `json:"description"`
	DescriptionLocalizations map[string]string `json:"description_localizations,omitempty"`
	Required                 bool              `json:"required,omitempty"`
	Autocomplete             bool              `json:"autocomplete,omitempty"`
	Choices                  []choice          `json:"choices,omitempty"`
}

// The types of options that are used.
const (
	optionString      = 3
	optionInteger     = 4
	optionMentionable = 9
	optionAttachment  = 11
)

// choice is one of an option's values.
type choice struct {
	Name              string            `json:"name"`
	NameLocalizations map[string]string `json:"name_localizations,omitempty"`
	Value             string            `json:"value"`
}

// argument is an option as an interaction brings it.
type argument struct {
	Name    string `json:"name"`
	Type    int    `json:"type"`
	Value   any    `json:"value"` // string, float64 or bool, as JSON has it
	Focused bool   `json:"focused"`
}

// The language of names and descriptions that have no other, and Discord's locales of the other.
const (
	mainLanguage  = "fr"
	otherLanguage = "en"
)

func otherLocales() []string { return []string{"en-US", "en-GB"} }

// Everywhere: in servers, in the bot's private messages, and in others; installed by a
// server or by a person.
func everyContext() []int      { return []int{0, 1, 2} }
func everyInstallation() []int { return []int{0, 1} }

// applicationCommands are the tutor's commands as Discord takes them, in French, and in
// English for those whose Discord speaks it; and one on the menu of messages that applies
// the manifest in one. Those of a server (not global) say nothing of where they exist.
func applicationCommands(infos []bot.CommandInfo, say func(locale, id string, data map[string]any) string, global bool) []command {
	var all []command
	for _, info := range infos {
		c := command{Type: commandSlash, Options: []option{}}
		c.Name, c.NameLocalizations = localized(info.Name, mostName)
		c.Description, c.DescriptionLocalizations = localized(plain(info.Help), mostDescription)
		for _, o := range info.Options {
			c.Options = append(c.Options, optionOf(o))
		}
		slices.SortStableFunc(c.Options, func(a, b option) int { // Discord wants the required ones first
			switch {
			case a.Required == b.Required:
				return 0
			case a.Required:
				return -1
			}
			return 1
		})
		c.Options = c.Options[:min(len(c.Options), mostOptions)]
		all = append(all, c)
	}
	apply := command{Type: commandMessage}
	apply.Name, apply.NameLocalizations = localized(map[string]string{
		mainLanguage: say(mainLanguage, "discord.apply", nil), otherLanguage: say(otherLanguage, "discord.apply", nil),
	}, mostName)
	all = append(all, apply)
	if global {
		for i := range all {
			all[i].Contexts, all[i].IntegrationTypes = everyContext(), everyInstallation()
		}
	}
	return all
}

func optionOf(info bot.OptionInfo) option {
	o := option{Type: optionString, Required: info.Required}
	o.Name, o.NameLocalizations = localized(info.Name, mostName)
	o.Description, o.DescriptionLocalizations = localized(plain(info.Help), mostDescription)
	switch info.Kind {
	case bot.Words:
		o.Autocomplete = info.Complete
	case bot.Pick:
		if o.Autocomplete = len(info.Choices) > mostChoices; o.Autocomplete {
			break
		}
		for _, c := range info.Choices {
			pick := choice{Value: c.Value}
			pick.Name, pick.NameLocalizations = localized(plain(c.Name), mostChoice)
			o.Choices = append(o.Choices, pick)
		}
	case bot.Number:
		o.Type = optionInteger
	case bot.Someone:
		o.Type = optionMentionable
	case bot.Manifest:
		o.Type = optionAttachment
	}
	return o
}

// localized is a text in the main language, and in the other for its locales where it differs.
func localized(text map[string]string, most int) (string, map[string]string) {
	first, other := shortened(text[mainLanguage], most), shortened(text[otherLanguage], most)
	if other == "" || other == first {
		return first, nil
	}
	all := map[string]string{}
	for _, locale := range otherLocales() {
		all[locale] = other
	}
	return first, all
}

// plain are texts without their Markdown, which no menu shows.
func plain(text map[string]string) map[string]string {
	out := map[string]string{}
	for lang, s := range text {
		out[lang] = bot.PlainText(bot.Inline(s))
	}
	return out
}

// lineOf is the line that a command's interaction stands for: /kubectl get pods. role
// tells the ID of a role from a person's. A Manifest is the caller's to fetch; an option
// that the command does not have is none.
func lineOf(infos []bot.CommandInfo, name string, args []argument, role func(id string) bool) string {
	line := "/" + name
	i := slices.IndexFunc(infos, func(info bot.CommandInfo) bool { return named(info.Name, name) })
	if i < 0 {
		return line
	}
	for _, o := range infos[i].Options {
		at := slices.IndexFunc(args, func(a argument) bool { return named(o.Name, a.Name) })
		if at < 0 || o.Kind == bot.Manifest {
			continue
		}
		if value := typed(o.Kind, args[at].Value, role); value != "" {
			line += " " + value
		}
	}
	return line
}

func named(names map[string]string, name string) bool {
	for _, n := range names {
		if n == name {
			return true
		}
	}
	return false
}

// typed is an option's value as a person would have typed it, on one line.
func typed(kind bot.OptionKind, value any, role func(id string) bool) string {
	text := ""
	switch v := value.(type) {
	case string:
		text = strings.TrimSpace(strings.NewReplacer("\r", " ", "\n", " ").Replace(v))
	case float64:
		text = strconv.FormatFloat(v, 'f', -1, 64)
	case bool:
		text = strconv.FormatBool(v)
	}
	if kind != bot.Someone || text == "" {
		return text
	}
	if role != nil && role(text) {
		return "<@&" + text + ">"
	}
	return "<@" + text + ">"
}
