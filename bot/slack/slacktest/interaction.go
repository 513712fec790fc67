package slacktest

// Interaction is what a person does, or what Slack tells of it: Command, Action, Suggest,
// MessageShortcut, Shortcut, Submit, CloseView, HomeOpened, Mention, DirectMessage or Raw.
// Send delivers it over Socket Mode, Post over HTTP. Users, channels, files and views are
// given by their IDs.
type Interaction interface {
	build(s *Server, x *Exchange) (envelope, error) // the lock is held
}

// Command is a slash command. Its Exchange has a trigger ID and a response URL.
type Command struct {
	Name    string // /kubectl
	Text    string // what follows it
	User    string
	Channel string
}

// Action is the use of an element in the blocks of a message, of the home tab or of a view: a
// button is pressed, an option chosen. What it carries is read from the blocks the bot
// sent: an element that is not there cannot be used, and Send returns an error.
type Action struct {
	User     string
	Channel  string // of the message; for an ephemeral one too
	Message  string // ts of the message; empty: in a view
	View     string // ID of the view; with Message empty too: the home tab of User
	ActionID string
	BlockID  string   // needed only where two blocks have the same action ID
	Value    string   // of the chosen option, or what was typed; of a button, its own where empty
	Values   []string // the options chosen where several may be
	// Forged sends what is given as a button's, whether such an element exists or not: an
	// older version's, or a message since deleted.
	Forged bool
}

// Suggest is what is typed into an external select, in a message or a view.
type Suggest struct {
	User, Channel, Message, View string
	ActionID, BlockID            string
	Value                        string // typed so far
}

// MessageShortcut is a shortcut from the menu of a message: that with the TS given, or a
// person's with the text and the files given.
type MessageShortcut struct {
	CallbackID, User, Channel string
	TS                        string
	Author                    string // of a message that is made up; empty: User
	Text                      string
	Files                     []string
}

// Shortcut is a global shortcut: it has a trigger ID, no channel and no response URL.
type Shortcut struct{ CallbackID, User string }

// Submit sends a modal. Values are what its inputs hold, by action ID: a string (text, or
// the value of an option), or a []string (several options, or file IDs). Those not given
// hold their initial value, or nothing. What a client would refuse to send (a required input
// that is empty, a text over max_length) is an error.
type Submit struct {
	User   string
	View   string // ID; empty: the topmost of User's
	Values map[string]any
	// Metadata replaces the view's private_metadata; Forged skips the client's checks.
	Metadata string
	Forged   bool
}

// CloseView dismisses a modal; Cleared, all of the stack. Slack tells the bot only of views
// with notify_on_close.
type CloseView struct {
	User, View string
	Cleared    bool
}

// HomeOpened is a visit to the app's home; Tab is home where empty, else messages.
type HomeOpened struct{ User, Tab string }

// Mention is a message that names the bot. The Text is as a client sends it, with
// <@BOT> put before it unless it is in there.
type Mention struct {
	User, Channel, Text, Thread string
	Files                       []string
}

// DirectMessage is a message in the IM of User with the bot.
type DirectMessage struct {
	User, Text, Thread string
	Files              []string
}

// Raw is anything else: a payload of another type, with fields of wrong types. Type is the
// envelope's: slash_commands, interactive or events_api. Whose it is decides which changes
// its Exchange sees.
type Raw struct {
	Type          string
	Payload       map[string]any
	User, Channel string
}
