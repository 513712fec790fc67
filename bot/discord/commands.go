package discord

import "timonier/bot"

// command is an application command, as it is registered and as Discord lists it.
type command struct {
	ID                       string            `json:"id,omitempty"` // Discord's own
	Type                     int               `json:"type"`
	Name                     string            `json:"name"`
	NameLocalizations        map[string]string `json:"name_localizations"`
	Description              string            `json:"description,omitempty"`
	DescriptionLocalizations map[string]string `json:"description_localizations"`
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

// applicationCommands are the tutor's commands as Discord takes them, in French, and in
// English for those whose Discord speaks it; and one on the menu of messages that applies
// the manifest in one. Those of a server (not global) say nothing of where they exist.
func applicationCommands(infos []bot.CommandInfo, say func(locale, id string, data map[string]any) string, global bool) []command {
	return nil
}

// lineOf is the line that a command's interaction stands for: /kubectl get pods. role
// tells the ID of a role from a person's. A Manifest is the caller's to fetch.
func lineOf(infos []bot.CommandInfo, name string, args []argument, role func(id string) bool) string {
	return ""
}

// change is what there is to do so that Discord has the commands we want.
type change struct {
	Verb    verb
	Command command  // as wanted; of a deletion, as it is. The ID is Discord's, empty of a creation
	Fields  []string // of an update: what differs, in words
}

// verb is what a change does.
type verb string

// The verbs.
const (
	creates verb = "create"
	updates verb = "update"
	deletes verb = "delete"
)

// difference compares the commands we want with those that Discord has, in what we set.
func difference(want, have []command) []change { return nil }

// String is a change as it is printed: + /kubectl.
func (c change) String() string { return "" }
