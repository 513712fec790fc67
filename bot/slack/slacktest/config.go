package slacktest

import (
	"cmp"
	"time"
)

// Config is what a Server is made of; every field may be left zero.
type Config struct {
	BotToken      string           // xoxb-…; a default where empty, as for all that follow
	AppToken      string           // xapp-…
	SigningSecret string           // of what is sent over HTTP
	Now           func() time.Time // nil: time.Now; Advance adds to it
	Team          string           // ID of the workspace: T0TEST
	App           string           // ID of the app: A0TEST
	Bot           string           // ID of the bot's user: U0BOT
	Users         []User           // nil: U1 (fr-FR), U2 (en-US) and UADMIN
	Channels      []Channel        // nil: C1 and C2 with the bot in them, C3 without, D1 the IM of U1

	// Asks is how often an image block with an uploaded file is refused before the file
	// is processed; 0: it is processed at once; negative: not before Process is called.
	Asks int
	// Ping is the real time between the pings of a socket; 0: 10 s.
	Ping time.Duration
	// Keep is how many messages, and how many Calls, are remembered; 0: all of them.
	Keep int
}

// User is a member of the workspace, or a guest from another one (Slack Connect).
type User struct {
	ID, Name, Locale, TZ    string
	Admin, Owner, Bot, Gone bool
	DisplayName             string
	Team                    string // their workspace; empty: the server's
}

// Channel is a conversation. An IM names its User; in a channel of which the bot is not a
// Member it may not write. Members, where set, are what conversations.members answers.
type Channel struct {
	ID, Name string
	IM       bool
	User     string // whose IM with the bot it is
	Member   bool   // the bot is in it; an IM always has it
	Archived bool
	Members  []string
}

// WithDefaults is the configuration that Start makes of c: for a test that needs the tokens or
// the people before there is a server.
func (c Config) WithDefaults() Config {
	c.BotToken = cmp.Or(c.BotToken, "xoxb-0-0-slacktest")
	c.AppToken = cmp.Or(c.AppToken, "xapp-1-A0TEST-0-slacktest")
	c.SigningSecret = cmp.Or(c.SigningSecret, "8f742231b10e8888abcd99yyyzzz85a5")
	c.Team = cmp.Or(c.Team, "T0TEST")
	c.App = cmp.Or(c.App, "A0TEST")
	c.Bot = cmp.Or(c.Bot, "U0BOT")
	c.Ping = cmp.Or(c.Ping, 10*time.Second)
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Users == nil {
		c.Users = []User{
			{ID: "U1", Name: "ana", Locale: "fr-FR", TZ: "Europe/Paris"},
			{ID: "U2", Name: "ben", Locale: "en-US", TZ: "America/New_York"},
			{ID: "UADMIN", Name: "prof", Locale: "fr-FR", TZ: "Europe/Paris", Admin: true},
		}
	}
	if c.Channels == nil {
		c.Channels = []Channel{
			{ID: "C1", Name: "classe", Member: true}, {ID: "C2", Name: "labo", Member: true},
			{ID: "C3", Name: "ailleurs"}, {ID: "D1", IM: true, User: "U1"},
		}
	}
	return c
}
