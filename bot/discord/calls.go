package discord

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// sent is what we need to know of a message that Discord has taken.
type sent struct {
	ID        string `json:"id"`
	ChannelID string `json:"channel_id"`
}

// callback is a first response to an interaction, in a request's body or an answer's.
type callback struct {
	Type int `json:"type"`
	Data any `json:"data,omitempty"`
}

// Types of callbacks (interactions/receiving-and-responding#interaction-callback-type).
const (
	callbackPong     = 1
	callbackMessage  = 4
	callbackDefer    = 5
	callbackUpdate   = 6 // deferred: the message with the button will be changed
	callbackComplete = 8
	callbackForm     = 9
)

// respond gives the first response to an interaction.
func (c *client) respond(ctx context.Context, id, token string, cb callback, files []upload) error {
	return c.do(ctx, call{method: http.MethodPost, path: "/interactions/" + id + "/" + token + "/callback",
		route: "POST /interactions/{id}/{token}/callback", body: cb, files: files})
}

// editResponse changes a message of an interaction: "@original", or the ID of a follow-up.
func (c *client) editResponse(ctx context.Context, token, id string, m message, files []upload) (sent, error) {
	var out sent
	m.Flags &^= flagEphemeral // was decided by the first response
	err := c.do(ctx, call{method: http.MethodPatch, path: "/webhooks/" + c.app + "/" + token + "/messages/" + id,
		route: "PATCH /webhooks/{app}/{token}/messages/{id}", body: m, files: files, out: &out})
	return out, err
}

// dropResponse deletes the first response to an interaction.
func (c *client) dropResponse(ctx context.Context, token string) error {
	return c.do(ctx, call{method: http.MethodDelete, path: "/webhooks/" + c.app + "/" + token + "/messages/@original",
		route: "DELETE /webhooks/{app}/{token}/messages/@original"})
}

// followUp adds a message to an interaction's.
func (c *client) followUp(ctx context.Context, token string, m message, files []upload) (sent, error) {
	var out sent
	err := c.do(ctx, call{method: http.MethodPost, path: "/webhooks/" + c.app + "/" + token + "?wait=true",
		route: "POST /webhooks/{app}/{token}", body: m, files: files, out: &out})
	return out, err
}

// post sends a new message into a channel. Within some minutes a second one with the
// same nonce (25 characters at most) makes no second message: a lost answer does no harm.
func (c *client) post(ctx context.Context, channel, nonce string, m message, files []upload) (sent, error) {
	var out sent
	m.Flags &^= flagEphemeral
	body := struct {
		message
		Nonce   string `json:"nonce"`
		Enforce bool   `json:"enforce_nonce"`
	}{m, nonce, true}
	err := c.do(ctx, call{method: http.MethodPost, path: "/channels/" + channel + "/messages",
		route: "POST /channels/{id}/messages", bot: true, body: body, files: files, out: &out})
	return out, err
}

// edit changes a message of the bot's in a channel.
func (c *client) edit(ctx context.Context, channel, id string, m message, files []upload) (sent, error) {
	var out sent
	m.Flags &^= flagEphemeral
	err := c.do(ctx, call{method: http.MethodPatch, path: "/channels/" + channel + "/messages/" + id,
		route: "PATCH /channels/{id}/messages/{id}", bot: true, body: m, files: files, out: &out})
	return out, err
}

// direct is the channel of the private messages with a person.
func (c *client) direct(ctx context.Context, person string) (string, error) {
	var out sent
	err := c.do(ctx, call{method: http.MethodPost, path: "/users/@me/channels",
		route: "POST /users/@me/channels", bot: true, body: map[string]string{"recipient_id": person}, out: &out})
	return out.ID, err
}

// gatewayInfo is how to reach the gateway, and how often.
type gatewayInfo struct {
	URL    string `json:"url"`
	Shards int    `json:"shards"`
	Limit  struct {
		Total       int   `json:"total"`
		Remaining   int   `json:"remaining"`
		ResetAfter  int64 `json:"reset_after"` // milliseconds
		Concurrency int   `json:"max_concurrency"`
	} `json:"session_start_limit"`
}

func (c *client) gateway(ctx context.Context) (gatewayInfo, error) {
	var out gatewayInfo
	err := c.do(ctx, call{method: http.MethodGet, path: "/gateway/bot", route: "GET /gateway/bot", bot: true, out: &out})
	if isStatus(err, http.StatusNotFound) { // a proxy or a stand-in that knows only the other
		out.Limit.Remaining = 1
		err = c.do(ctx, call{method: http.MethodGet, path: "/gateway", route: "GET /gateway", out: &out})
	}
	out.Shards, out.Limit.Concurrency = max(out.Shards, 1), max(out.Limit.Concurrency, 1)
	return out, err
}

// resetAfter is when there are IDENTIFYs again.
func (g gatewayInfo) resetAfter() time.Duration {
	return time.Duration(g.Limit.ResetAfter) * time.Millisecond
}

// commandsPath is where a server's commands are, or those of everywhere for "".
func (c *client) commandsPath(guild string) (path, route string) {
	if guild == "" {
		return "/applications/" + c.app + "/commands", "/applications/{app}/commands"
	}
	return "/applications/" + c.app + "/guilds/" + guild + "/commands", "/applications/{app}/guilds/{guild}/commands"
}

func (c *client) commands(ctx context.Context, guild string) ([]command, error) {
	var out []command
	path, route := c.commandsPath(guild)
	err := c.do(ctx, call{method: http.MethodGet, path: path + "?with_localizations=true", route: "GET " + route, bot: true, out: &out})
	return out, err
}

// apply makes one change of the commands.
func (c *client) apply(ctx context.Context, guild string, ch change) error {
	path, route := c.commandsPath(guild)
	id := ch.Command.ID
	ch.Command.ID = ""
	r := call{path: path, bot: true, body: ch.Command}
	switch ch.Verb {
	case creates:
		r.method, r.route = http.MethodPost, "POST "+route
	case updates:
		r.method, r.path, r.route = http.MethodPatch, path+"/"+id, "PATCH "+route+"/{id}"
	case deletes:
		r.method, r.path, r.route, r.body = http.MethodDelete, path+"/"+id, "DELETE "+route+"/{id}", nil
	default:
		return fmt.Errorf("change commands: unknown verb %q", ch.Verb)
	}
	return c.do(ctx, r)
}

// replace makes all the commands what they are to be; those that do not change stay.
func (c *client) replace(ctx context.Context, guild string, all []command) error {
	path, route := c.commandsPath(guild)
	return c.do(ctx, call{method: http.MethodPut, path: path, route: "PUT " + route, bot: true, body: all})
}
