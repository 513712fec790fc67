package discordtest

import (
	"maps"
	"slices"
)

// Kind is a sort of interaction.
type Kind int

// The kinds.
const (
	SlashKind Kind = iota
	MessageCommandKind
	AutocompleteKind
	ButtonKind
	SelectKind
	ModalKind
)

// Interaction is something a person does. Make one with Slash, OnMessage, Complete,
// Click, Choose or Submit, say where and by whom with In and By, and give it to
// Server.Interact. It may be used again: each Interact is a new one for Discord.
type Interaction struct {
	Kind        Kind
	Command     string   // name of the command
	Options     []Option // of a slash command
	Target      Message  // what a message command is used on; what holds the button or menu
	CustomID    string
	Values      []string // chosen in a menu
	Modal       Modal    // the form submitted
	Fields      map[string]string
	Files       map[string][]File // of the form's file uploads, by custom_id
	Where       Place             // zero: the first guild, a fixed channel
	Who         Person            // zero: a fixed learner
	Locale      string            // of the person; empty: fr
	GuildLocale string            // empty: fr
	Endpoint    string            // URL that takes it by HTTP; empty: the server's (DeliverTo)
}

// Place is where an interaction happens.
type Place struct {
	Guild   string // empty, and Direct false: the server's first
	Channel string // empty: a fixed one
	Direct  bool   // a direct conversation with the bot: no guild
	Type    int    // of the channel (resources/channel): 0 text, 11 public and 12 private thread; a direct one is 1
	Parent  string // of a thread
	Owner   string // of a thread
	Foreign bool   // the bot is not in the guild: the person has brought it along (a user install)
}

// Person is who acts.
type Person struct {
	ID          string // empty: a fixed one
	Name        string // empty: a fixed one
	Nick        string
	Permissions uint64 // bitset; zero: that of an ordinary member
	Roles       []string
	Bot         bool
}

// Permissions of teachers (topics/permissions).
const (
	Administrator = 1 << 3
	ManageGuild   = 1 << 5

	ordinary = 1<<10 | 1<<11 | 1<<31 // view, send, use commands
)

// Option is one option of a slash command, given by String, Int, Number, Bool,
// Attach, Focused, Sub or Group.
type Option struct {
	Name    string
	Type    int // interactions/application-commands#application-command-object-application-command-option-type
	Value   any
	Focused bool
	Options []Option
	File    *File
}

// String is a string option.
func String(name, value string) Option { return Option{Name: name, Type: 3, Value: value} }

// Int is an integer option.
func Int(name string, value int64) Option { return Option{Name: name, Type: 4, Value: value} }

// Number is an option with a fraction.
func Number(name string, value float64) Option { return Option{Name: name, Type: 10, Value: value} }

// Bool is a yes or no.
func Bool(name string, value bool) Option { return Option{Name: name, Type: 5, Value: value} }

// Attach is a file given as an option.
func Attach(name string, f File) Option { return Option{Name: name, Type: 11, File: &f} }

// Focused is the string option in which the person is typing.
func Focused(name, typed string) Option {
	return Option{Name: name, Type: 3, Value: typed, Focused: true}
}

// Sub is a subcommand.
func Sub(name string, options ...Option) Option { return Option{Name: name, Type: 1, Options: options} }

// Group is a group, with the one subcommand used.
func Group(name string, sub Option) Option {
	return Option{Name: name, Type: 2, Options: []Option{sub}}
}

// Slash is a slash command. Where any command is registered, this one must be,
// with these options: see Exchange.First.
func Slash(command string, options ...Option) Interaction {
	return Interaction{Kind: SlashKind, Command: command, Options: options}
}

// OnMessage is a message command used on a message, anyone's: its Content and
// Attachments are sent with it.
func OnMessage(command string, target Message) Interaction {
	return Interaction{Kind: MessageCommandKind, Command: command, Target: target}
}

// Complete asks for suggestions; one of the options is Focused.
func Complete(command string, options ...Option) Interaction {
	return Interaction{Kind: AutocompleteKind, Command: command, Options: options}
}

// Click presses the button with this custom_id on a message of the bot (for one
// sent before the test began, see Server.Plant).
func Click(on Message, customID string) Interaction {
	return Interaction{Kind: ButtonKind, Target: on, CustomID: customID}
}

// Choose picks values in a select menu of a message of the bot.
func Choose(on Message, customID string, values ...string) Interaction {
	return Interaction{Kind: SelectKind, Target: on, CustomID: customID, Values: values}
}

// Submit sends a form with texts by custom_id. Files go in the Files field.
func Submit(m Modal, fields map[string]string) Interaction {
	return Interaction{Kind: ModalKind, Modal: m, Fields: maps.Clone(fields)}
}

// In says where.
func (i Interaction) In(p Place) Interaction { i.Where = p; return i }

// By says who.
func (i Interaction) By(p Person) Interaction { i.Who = p; p.Roles = slices.Clone(p.Roles); return i }

// Speaking says in which languages Discord is set: the person's, the guild's.
func (i Interaction) Speaking(locale, guild string) Interaction {
	i.Locale, i.GuildLocale = locale, guild
	return i
}
