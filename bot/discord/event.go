package discord

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
)

// event is an interaction as Discord sends it, as far as it is read. discordgo's own
// structs lack labels, file fields and contexts, and refuse a form that has them.
type event struct {
	ID          string          `json:"id"`
	Type        int             `json:"type"`
	Token       string          `json:"token"`
	Data        json.RawMessage `json:"data"`
	GuildID     string          `json:"guild_id"`
	ChannelID   string          `json:"channel_id"`
	Channel     *place          `json:"channel"`
	Member      *member         `json:"member"` // in a server
	User        *user           `json:"user"`   // elsewhere
	Message     *target         `json:"message"`
	Locale      string          `json:"locale"`
	GuildLocale string          `json:"guild_locale"`
	Context     *int            `json:"context"`

	AppPermissions string                     `json:"app_permissions"` // the bot's here, in decimal
	Owners         map[string]json.RawMessage `json:"authorizing_integration_owners"`

	data eventData // Data, read
}

// The types of interactions.
const (
	eventPing     = 1
	eventCommand  = 2
	eventPress    = 3 // of a button, or a choice in a menu
	eventComplete = 4
	eventForm     = 5
)

// place is a channel (resources/channel#channel-object).
type place struct {
	ID       string `json:"id"`
	Type     int    `json:"type"`
	ParentID string `json:"parent_id"`
	OwnerID  string `json:"owner_id"`
}

// The types of channels that matter.
const (
	channelDirect = 1
	channelGroup  = 3 // of private messages
)

func (p place) thread() bool { return p.Type >= 10 && p.Type <= 12 }

type user struct {
	ID         string `json:"id"`
	Username   string `json:"username"`
	GlobalName string `json:"global_name"`
}

type member struct {
	User        user     `json:"user"`
	Nick        string   `json:"nick"`
	Roles       []string `json:"roles"`
	Permissions string   `json:"permissions"` // bitset, in decimal
}

// Permissions that make a teacher (topics/permissions).
const (
	administrator  = 1 << 3
	manageChannels = 1 << 4
	manageGuild    = 1 << 5
)

func (m member) leads(roles []string) bool {
	bits, err := strconv.ParseUint(m.Permissions, 10, 64)
	return err == nil && bits&(administrator|manageChannels|manageGuild) != 0 ||
		slices.ContainsFunc(m.Roles, func(r string) bool { return slices.Contains(roles, r) })
}

// eventData is the data of any type of interaction.
type eventData struct {
	Type     int        `json:"type"` // of a command
	Name     string     `json:"name"`
	Options  []argument `json:"options"`
	TargetID string     `json:"target_id"`
	Resolved struct {
		Attachments map[string]given           `json:"attachments"`
		Messages    map[string]target          `json:"messages"`
		Roles       map[string]json.RawMessage `json:"roles"`
	} `json:"resolved"`

	CustomID      string   `json:"custom_id"`
	ComponentType int      `json:"component_type"`
	Values        []string `json:"values"`     // chosen in a menu
	Components    []field  `json:"components"` // of a form
}

// target is a message that something was done on or with.
type target struct {
	ID          string  `json:"id"`
	Content     string  `json:"content"`
	Attachments []given `json:"attachments"`
	Flags       int     `json:"flags"`
}

// given is a file that somebody gave; also as it is kept until the answer is delivered.
type given struct {
	Filename string `json:"filename"`
	Size     int64  `json:"size"`
	URL      string `json:"url"`
}

// field is a part of a form as it was sent: a label with its field in it, or, in forms
// of older programs, a row.
type field struct {
	Type       int      `json:"type"`
	CustomID   string   `json:"custom_id"`
	Value      string   `json:"value"`
	Values     []string `json:"values"` // IDs of the files
	Component  *field   `json:"component"`
	Components []field  `json:"components"`
}

// find is the field of a form with a custom ID.
func find(all []field, id string) (field, bool) {
	for _, f := range all {
		if f.CustomID == id {
			return f, true
		}
		inner := f.Components
		if f.Component != nil {
			inner = append(slices.Clone(inner), *f.Component)
		}
		if found, ok := find(inner, id); ok {
			return found, true
		}
	}
	return field{}, false
}

// What goes into addresses is held to a form: an ID cannot lead elsewhere.
var (
	snowflake = regexp.MustCompile(`^[0-9]{1,20}$`)
	secret    = regexp.MustCompile(`^[A-Za-z0-9._~=-]{1,1000}$`)
)

// readEvent reads an interaction. The error says nothing of what was in it. Where only
// the data is not as it should be, the event can still be answered: readable is true.
func readEvent(raw []byte) (e event, readable bool, err error) {
	if err := json.Unmarshal(raw, &e); err != nil {
		return e, false, fmt.Errorf("read interaction: %w", shapeOf(err))
	}
	if e.Type == eventPing {
		return e, true, nil
	}
	if e.ChannelID == "" && e.Channel != nil {
		e.ChannelID = e.Channel.ID
	}
	for _, id := range []string{e.ID, e.ChannelID, e.person().ID} {
		if !snowflake.MatchString(id) {
			return e, false, fmt.Errorf("read interaction: an ID is missing or is none")
		}
	}
	if e.GuildID != "" && !snowflake.MatchString(e.GuildID) || !secret.MatchString(e.Token) {
		return e, false, fmt.Errorf("read interaction: an ID or the token is none")
	}
	if err := json.Unmarshal(e.Data, &e.data); err != nil {
		return e, true, fmt.Errorf("read interaction's data: %w", shapeOf(err))
	}
	return e, true, nil
}

// shapeOf is an error of encoding/json without the values that it quotes.
func shapeOf(err error) error {
	if t, ok := err.(*json.UnmarshalTypeError); ok {
		return fmt.Errorf("%s is not a %s", t.Field, t.Type)
	}
	return err
}

// person is who acts, in a server or not; without an ID where nobody is named.
func (e event) person() user {
	if e.Member != nil {
		return e.Member.User
	}
	if e.User != nil {
		return *e.User
	}
	return user{}
}

// name is what the person is called here.
func (e event) name() string {
	if e.Member != nil && e.Member.Nick != "" {
		return e.Member.Nick
	}
	p := e.person()
	if p.GlobalName != "" {
		return p.GlobalName
	}
	return p.Username
}

// private says that only the person, or a few, read here what the bot sends: there is no server.
func (e event) private() bool {
	return e.GuildID == "" || e.Context != nil && *e.Context != 0 ||
		e.Channel != nil && (e.Channel.Type == channelDirect || e.Channel.Type == channelGroup)
}

// The contexts of interactions that matter (receiving-and-responding#interaction-object).
const contextBot = 1 // the private conversation of a person and the bot

// alone says that nobody but the person reads here what the bot sends: it is their private
// conversation with the bot. One of theirs with somebody else is of the same type of
// channel, but of another context. Where Discord says neither, others may read.
func (e event) alone() bool {
	switch {
	case e.GuildID != "" || e.Channel != nil && e.Channel.Type != channelDirect:
		return false
	case e.Context != nil:
		return *e.Context == contextBot
	}
	return e.Channel != nil
}

// direct says that the conversation is the person's own: a private one, or a thread that
// they have opened.
func (e event) direct() bool {
	return e.private() || e.Channel != nil && e.Channel.thread() && e.Channel.OwnerID == e.person().ID
}

// parent is the channel that a thread belongs to.
func (e event) parent() string {
	if e.Channel != nil && e.Channel.thread() {
		return e.Channel.ParentID
	}
	return ""
}

func (e event) locale() string {
	if e.Locale != "" {
		return e.Locale
	}
	return e.GuildLocale
}
