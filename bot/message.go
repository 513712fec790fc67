// Package bot is the tutor, free of any platform: one Request in, Replies out.
// It knows the commands, the course and one simulated cluster a channel; it does
// not know Discord, Slack or a terminal, and it never sees a wire.
package bot

import (
	"context"
	"encoding/json"
	"time"

	"timonier/bot/picture"
	"timonier/sim/trace"
)

// Request is one thing a person did, whatever the platform. A click, a menu
// choice and a form are typed lines too: Line is always what is to be done.
type Request struct {
	ID       string // the platform's own, unique in a Tenant: a redelivered request has the same
	Platform string // terminal, discord, slack
	Tenant   string // server, workspace; empty where there is none, as in a private message on Discord
	Channel  string
	Parent   string // the channel that a thread belongs to, whose settings hold in it too; may be empty
	Who      Person
	Locale   string // BCP 47, as the platform says: fr-CA, en-US; may be empty
	Line     string // what was typed: /kubectl get pods; further lines are standard input
	Teacher  bool   // the platform says that this person leads here
	Direct   bool   // a conversation of one's own: a terminal, a private message, a thread one has opened
	Alone    bool   // nobody else reads it: a terminal, a private message between two
	Aside    bool   // a button in a message for the person alone was pressed: so is the answer
	Live     bool   // what was sent can be changed: work that goes on emits more than one Reply
	Mute     bool   // the platform says that nothing can be said here but in answer
	Pictures string // the theme of the pictures that the platform shows, unless somebody chose another: light, dark; empty: it shows none
	Resumed  bool   // it is one of Interrupted, begun by a process that has ended, or the platform kept it meanwhile: it may be late

	// Asked is when the request came; zero: now.
	Asked time.Time

	// Return is how the front end finds its way back to the person if this process
	// ends before the answer is delivered: JSON, kept with the request until
	// Delivered is called. Nil: nothing is kept, and nothing resumed.
	Return json.RawMessage

	// Fill, where set, is called in the request's turn, before anything is read: it
	// adds to the request what only the platform knows (Teacher, Locale), where that
	// takes a call. It keeps to the context's deadline, and leaves what it cannot find out.
	Fill func(context.Context, *Request) `json:"-"`

	admitted bool // by Admit
}

// Person is who acts; the platform's own identifier, and a name only where one may be shown.
type Person struct {
	ID         string
	Name       string
	Roles      []string // IDs of the groups that the platform has this person in
	Everywhere bool     // the ID is the same person's in every tenant: settings and progress go along
}

// Reply is one answer. Work that goes on emits several: each takes the place of
// the one before, until Final.
type Reply struct {
	Blocks  []Block
	Buttons []Button
	Menu    *Menu `json:",omitempty"`
	Files   []File
	Private bool // for the person alone; also where the Manner was another: a refusal
	Final   bool
	Failed  bool // the command did not do what it was asked: a script stops, a shell's exit code is 1
	Prompt  *Prompt

	// Reference is that of the log's record where the answer is an apology: 7F3K-2.
	Reference string `json:",omitempty"`
	// Follow says what the answer goes on telling, where the request is Live; nil: nothing.
	Follow *Follow `json:",omitempty"`

	// Later, where set, stands for Blocks and Files where the reply is kept, and so where its request is delivered again: they
	// hold what nobody but the person is to have.
	Later []Block `json:"-"`
}

// Follow is what a live answer follows: the pods of a change until they are ready, or the
// presses of a question until it is closed.
type Follow struct {
	Objects []trace.Ref `json:",omitempty"` // that the change wrote
	Blocks  int         // how many of the answer's first blocks stay as they are
}

// Block is one piece of a reply: Title, Text, Code, Table, Quote, Meter, Picture,
// Until or Divider, and nothing else. Every front end renders each.
type Block interface{ block() }

// Title heads a reply or a part of it. Plain text.
type Title struct{ Text string }

// Text is Markdown: paragraphs, lists, bold, italic, code, links; no headings, no tables.
type Text struct{ Markdown string }

// Code is text whose columns and blanks count.
type Code struct {
	Language string // yaml, text; may be empty
	Text     string
}

// Table has as many cells in each row as there are columns. Cells are inline Markdown.
type Table struct {
	Columns []string
	Rows    [][]string
}

// Quote sets words apart: an analogy, and where it breaks. Markdown.
type Quote struct{ Markdown string }

// Meter is how far something has come: Done of Total.
type Meter struct {
	Label       string
	Done, Total int
}

// Picture is an image with the same said in words.
type Picture struct {
	Name string // file name: funnel.png
	PNG  []byte `json:",omitempty"` // made of Drawn, or taken from the course, where the platform shows pictures; nil: there is none
	Alt  string
	Text string // the same as characters, for a terminal; may be empty

	// Drawn is what PNG is made of, or Course the name of the course's picture that it is: kept in
	// place of PNG, the tutor's own.
	Drawn  *picture.Canvas `json:",omitempty"`
	Course string          `json:",omitempty"`
}

// Until is a moment that is waited for. A platform that can counts down by itself: the message
// need not be edited.
type Until struct {
	Label string // plain text, before the moment: it ends
	At    time.Time

	// For a platform that cannot, in the channel's time zone and the reader's language: see When.
	Clock string `json:",omitempty"` // at 9:05
	In    string `json:",omitempty"` // in 20 s, as it was when the reply was made; empty: it is past
}

// Divider separates.
type Divider struct{}

func (Title) block()   {}
func (Text) block()    {}
func (Code) block()    {}
func (Table) block()   {}
func (Quote) block()   {}
func (Meter) block()   {}
func (Picture) block() {}
func (Until) block()   {}
func (Divider) block() {}

// Button offers a next line. It carries what a person could have typed, and no
// more power than that.
type Button struct {
	Label string
	Line  string // /cours suite
	Style Style
}

// Menu is where several things are chosen at once. What is done then is Line, and after it the
// values chosen, with blanks between: what a person could have typed, as with a button.
type Menu struct {
	Label    string // what stands in it before anything is chosen
	Line     string // /quiz réponse 7f-3
	Choices  []MenuChoice
	Min, Max int // how many may be chosen; Min 0: one, Max 0: all of them
}

// MenuChoice is one of a menu's. Value is a word without blanks: a letter.
type MenuChoice struct{ Value, Label string }

// Style is how much a button stands out.
type Style int

// The styles.
const (
	Plain Style = iota
	Primary
	Danger
)

// File is offered for download.
type File struct {
	Name string
	Type string // MIME
	Data []byte
}

// Prompt asks for a longer text: a form on a chat platform; in a terminal the
// lines that follow, up to one that holds only a dot. A Short one asks for a line: in a
// terminal the next that is typed, unless that is a command, or a button of the same reply.
type Prompt struct {
	Title  string
	Label  string
	Line   string // the command that the text is the standard input of
	Button string `json:",omitempty"` // label of the button that opens the form; empty: the platform's own
	Short  bool   `json:",omitempty"` // one line
	Text   string `json:",omitempty"` // what stands in the form at first
}

// Place is where a conversation happens.
type Place struct {
	Platform, Tenant, Channel string
}
