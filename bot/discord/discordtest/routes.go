package discordtest

import (
	"net/http"
	"time"
)

// routes are the endpoints. Their buckets are those seen on Discord, which does not
// document them: 5 requests in 5 s for a channel, 5 in 2 s for all that goes through
// one webhook token; callbacks have none (interactions/receiving-and-responding#endpoints).
func routes() []route {
	whole := func(c *call) string { return c.route.pattern }
	channel := func(c *call) string { return c.route.pattern + c.http.PathValue("channel") }
	token := func(c *call) string { return "webhook " + c.http.PathValue("token") }
	guild := func(c *call) string { return c.route.pattern + c.http.PathValue("guild") }
	all := []route{
		{pattern: "GET /gateway", open: true, do: (*Server).getGateway},
		{pattern: "GET /gateway/bot", per: whole, limit: 2, window: 5 * time.Second, do: (*Server).getGatewayBot},
		{pattern: "GET /users/@me", do: (*Server).getMe},
		{pattern: "GET /oauth2/applications/@me", do: (*Server).getApplication},
		{pattern: "POST /users/@me/channels", check: checkDirect, do: (*Server).openDirect},

		{pattern: "POST /interactions/{id}/{token}/callback", open: true,
			find: (*Server).findInteraction, check: checkCallback, do: (*Server).callback},

		{pattern: "POST /webhooks/{app}/{token}", open: true, per: token, limit: 5, window: 2 * time.Second,
			find: (*Server).findWebhook, check: checkFollowUp, do: (*Server).followUp},
		{pattern: "GET /webhooks/{app}/{token}/messages/@original", open: true, per: token, limit: 5, window: 2 * time.Second,
			find: (*Server).findOriginal, do: (*Server).getMessage},
		{pattern: "PATCH /webhooks/{app}/{token}/messages/@original", open: true, per: token, limit: 5, window: 2 * time.Second,
			find: (*Server).findOriginal, check: checkEdit(byWebhookEdit), do: (*Server).editMessage},
		{pattern: "DELETE /webhooks/{app}/{token}/messages/@original", open: true, per: token, limit: 5, window: 2 * time.Second,
			find: (*Server).findOriginal, do: (*Server).deleteMessage},
		{pattern: "GET /webhooks/{app}/{token}/messages/{message}", open: true, per: token, limit: 5, window: 2 * time.Second,
			find: (*Server).findFollowUp, do: (*Server).getMessage},
		{pattern: "PATCH /webhooks/{app}/{token}/messages/{message}", open: true, per: token, limit: 5, window: 2 * time.Second,
			find: (*Server).findFollowUp, check: checkEdit(byWebhookEdit), do: (*Server).editMessage},
		{pattern: "DELETE /webhooks/{app}/{token}/messages/{message}", open: true, per: token, limit: 5, window: 2 * time.Second,
			find: (*Server).findFollowUp, do: (*Server).deleteMessage},

		{pattern: "POST /channels/{channel}/messages", per: channel, limit: 5, window: 5 * time.Second,
			find: (*Server).findChannel, check: checkPost, do: (*Server).post},
		{pattern: "GET /channels/{channel}/messages/{message}", per: channel, limit: 5, window: 5 * time.Second,
			find: (*Server).findInChannel, do: (*Server).getMessage},
		{pattern: "PATCH /channels/{channel}/messages/{message}", per: channel, limit: 5, window: 5 * time.Second,
			find: (*Server).findInChannel, check: checkEdit(byChannelEdit), do: (*Server).editMessage},
		{pattern: "DELETE /channels/{channel}/messages/{message}", per: channel, limit: 5, window: 5 * time.Second,
			find: (*Server).findInChannel, do: (*Server).deleteMessage},
	}
	for _, base := range []string{"/applications/{app}/commands", "/applications/{app}/guilds/{guild}/commands"} {
		all = append(all, []route{
			{pattern: "GET " + base, find: (*Server).findScope, do: (*Server).listCommands},
			{pattern: "PUT " + base, per: guild, limit: 5, window: 20 * time.Second,
				find: (*Server).findScope, check: checkCommands, do: (*Server).replaceCommands},
			{pattern: "POST " + base, per: guild, limit: 5, window: 20 * time.Second,
				find: (*Server).findScope, check: checkCommand, do: (*Server).createCommand},
			{pattern: "GET " + base + "/{command}", find: (*Server).findCommand, do: (*Server).getCommand},
			{pattern: "PATCH " + base + "/{command}", per: guild, limit: 5, window: 20 * time.Second,
				find: (*Server).findCommand, check: checkCommandChange, do: (*Server).changeCommand},
			{pattern: "DELETE " + base + "/{command}", per: guild, limit: 5, window: 20 * time.Second,
				find: (*Server).findCommand, do: (*Server).deleteCommand},
		}...)
	}
	return all
}

func (s *Server) getMe(*call) (int, any, *failure) { return http.StatusOK, s.bot(), nil }

// bot is the bot's user.
func (s *Server) bot() map[string]any {
	return map[string]any{"id": s.cfg.ApplicationID, "username": "timonier", "discriminator": "0", "global_name": nil,
		"avatar": nil, "bot": true, "flags": 0, "public_flags": 0}
}

func (s *Server) getApplication(*call) (int, any, *failure) {
	return http.StatusOK, map[string]any{"id": s.cfg.ApplicationID, "name": "timonier", "icon": nil, "description": "",
		"bot_public": true, "bot_require_code_grant": false, "verify_key": s.PublicKey(), "flags": 0, "bot": s.bot(),
		"approximate_guild_count": s.cfg.Guilds}, nil
}

func checkDirect(_ *Server, c *call) {
	c.report.object(nil, c.body, object{"recipient_id": {kind: snowflake, need: true}})
}

func (s *Server) openDirect(c *call) (int, any, *failure) {
	who := textOf(c.body["recipient_id"])
	return http.StatusOK, map[string]any{"id": directChannel(who), "type": 1, "last_message_id": nil, "flags": 0,
		"recipients": []any{map[string]any{"id": who, "username": "learner", "discriminator": "0", "avatar": nil, "global_name": nil}}}, nil
}

// directChannel is where the bot and a person speak alone.
func directChannel(person string) string {
	if len(person) > 18 {
		person = person[len(person)-18:]
	}
	return "9" + person
}

// channels are what is known of channels: every one is there unless it was deleted.
type channels struct {
	deleted, forbidden map[string]bool
	closed             map[string]bool // private messages whose person takes none of the bot's
}

func newChannels() channels {
	return channels{deleted: map[string]bool{}, forbidden: map[string]bool{}, closed: map[string]bool{}}
}

// DeleteChannel is a person deleting a channel: the bot gets 10003 from then on.
func (s *Server) DeleteChannel(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.channels.deleted[id] = true
	for _, m := range s.messages {
		if m.ChannelID == id {
			m.Deleted = true
		}
	}
}

// Forbid takes the bot's access to a channel away: 50001.
func (s *Server) Forbid(channel string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.channels.forbidden[channel] = true
}

// CloseDirect is a person taking no private messages of the bot any more: 50007 to each.
func (s *Server) CloseDirect(person string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.channels.closed[directChannel(person)] = true
}

// open tells why the bot cannot use a channel.
func (c channels) open(id string) *failure {
	switch {
	case c.deleted[id]:
		return unknownChannel()
	case c.forbidden[id]:
		return missingAccess()
	case c.closed[id]:
		return fail(http.StatusForbidden, 50007, "Cannot send messages to this user")
	}
	return nil
}

func (s *Server) findChannel(c *call) *failure { return s.channels.open(c.http.PathValue("channel")) }

// findInChannel finds a message of the bot by its channel: an ephemeral one never is there.
func (s *Server) findInChannel(c *call) *failure {
	if f := s.findChannel(c); f != nil {
		return f
	}
	m := s.messages[c.http.PathValue("message")]
	if m == nil || m.Deleted || m.Ephemeral() || m.ChannelID != c.http.PathValue("channel") {
		return unknownMessage()
	}
	c.message = m
	return nil
}
