package slack

import (
	"cmp"
	"encoding/json"
	"strings"
)

// What Slack sends, as far as it is read here. slack-go's types refuse whole payloads for one
// field that is not as they know it; these ask for what is needed alone.
//
// Source: https://docs.slack.dev/interactivity/implementing-slash-commands,
// …/reference/interaction-payloads, …/reference/events

// typedCommand is what was typed.
type typedCommand struct {
	Team        string `json:"team_id"`
	Enterprise  string `json:"enterprise_id"`
	Channel     string `json:"channel_id"`
	User        string `json:"user_id"`
	UserName    string `json:"user_name"`
	Command     string `json:"command"`
	Text        string `json:"text"`
	ResponseURL string `json:"response_url"`
	Trigger     string `json:"trigger_id"`
}

// interaction is a click, a form that was sent or a shortcut.
type interaction struct {
	Type        string `json:"type"` // block_actions, view_submission, message_action …
	Callback    string `json:"callback_id"`
	ResponseURL string `json:"response_url"`
	Trigger     string `json:"trigger_id"`
	At          string `json:"action_ts"`
	Team        thing  `json:"team"` // null where a whole organisation installed the app
	Enterprise  thing  `json:"enterprise"`
	Channel     thing  `json:"channel"`
	User        struct {
		ID       string `json:"id"`
		Name     string `json:"name"`
		UserName string `json:"username"`
		Team     string `json:"team_id"`
	} `json:"user"`
	Container struct {
		Type      string `json:"type"` // message, view
		TS        string `json:"message_ts"`
		Thread    string `json:"thread_ts"`
		Channel   string `json:"channel_id"`
		Ephemeral bool   `json:"is_ephemeral"`
	} `json:"container"`
	Message post            `json:"message"`
	Actions []action        `json:"actions"`
	State   json.RawMessage `json:"state"` // what the message's menus hold for the person
	View    json.RawMessage `json:"view"`
}

type thing struct {
	ID string `json:"id"`
}

type action struct {
	Type     string `json:"type"`
	ID       string `json:"action_id"`
	Block    string `json:"block_id"`
	Value    string `json:"value"`
	At       string `json:"action_ts"`
	Selected struct {
		Value string `json:"value"`
	} `json:"selected_option"`
}

// shown is a view, as far as it is not a form's content.
type shown struct {
	ID       string `json:"id"`
	Hash     string `json:"hash"`
	Type     string `json:"type"`
	Metadata string `json:"private_metadata"`
}

// post is a message.
type post struct {
	TS     string    `json:"ts"`
	Thread string    `json:"thread_ts"`
	Parent string    `json:"parent_user_id"`
	User   string    `json:"user"`
	Text   string    `json:"text"`
	Files  []fileRef `json:"files"`
}

type fileRef struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// rateLimited is the Type of a notice that Slack delivers no more events in this minute: over
// 30,000 in an hour.
//
// Source: https://docs.slack.dev/apis/events-api/#rate_limiting
const rateLimited = "app_rate_limited"

// notice is an event of the Events API.
type notice struct {
	Type       string `json:"type"` // event_callback, url_verification, app_rate_limited
	Challenge  string `json:"challenge"`
	Team       string `json:"team_id"`
	Enterprise string `json:"enterprise_id"`
	ID         string `json:"event_id"`
	Event      struct {
		post
		Type    string `json:"type"`
		Subtype string `json:"subtype"`
		Bot     string `json:"bot_id"`
		Channel string `json:"channel"`
		Kind    string `json:"channel_type"`
		Tab     string `json:"tab"`
	} `json:"event"`
}

// fence is what a block of code stands between.
const fence = "```"

// unfenced splits a message into what is said outside its blocks of code, and what stands in
// them. A block that is not closed ends with the message.
func unfenced(text string) (outside string, blocks []string) {
	var rest strings.Builder
	for {
		before, after, found := strings.Cut(text, fence)
		rest.WriteString(before)
		if !found {
			return strings.TrimSpace(rest.String()), blocks
		}
		block, tail, _ := strings.Cut(after, fence)
		if block = unlabelled(block); strings.TrimSpace(block) != "" {
			blocks = append(blocks, block)
		}
		rest.WriteString("\n")
		text = tail
	}
}

// unlabelled is a block without the name of its language, which people write out of habit, and
// without the line breaks next to the fences.
func unlabelled(block string) string {
	if first, rest, found := strings.Cut(block, "\n"); found {
		switch strings.ToLower(strings.TrimSpace(first)) {
		case "yaml", "yml", "json":
			block = rest
		}
	}
	return strings.Trim(block, "\r\n")
}

// together is several manifests as one.
func together(manifests []string) string { return strings.Join(manifests, "\n---\n") }

// applied is the line that applies a manifest which no command came with.
func applied(manifest string) string { return "/kubectl apply -f -\n" + manifest }

// commandLine is a slash command as a line of the tutor's: /timonier is what everything can
// be asked by, the others are commands by themselves.
func commandLine(command, text string) string {
	text = strings.TrimSpace(typed(text))
	line, blocks := unfenced(text)
	if len(blocks) > 0 {
		line, _, _ = strings.Cut(line, "\n")
	}
	switch command {
	case "/timonier":
		if line == "" && len(blocks) > 0 {
			return applied(together(blocks))
		}
		if line = cmp.Or(line, "/aide"); !strings.HasPrefix(line, "/") {
			line = "/" + line
		}
	default:
		if line == "" && len(blocks) > 0 && command == "/kubectl" {
			return applied(together(blocks))
		}
		line = strings.TrimSpace(command + " " + line)
	}
	if len(blocks) > 0 {
		line = strings.TrimSpace(line) + "\n" + together(blocks)
	}
	return line
}

// isManifest says by its name that a file may be one, or one of questions.
func isManifest(name string) bool {
	name = strings.ToLower(name)
	for _, end := range []string{".yaml", ".yml", ".json", ".xml", ".csv", ".gift"} {
		if strings.HasSuffix(name, end) {
			return true
		}
	}
	return false
}
