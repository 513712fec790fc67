package slacktest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// SetUser adds or changes a member.
func (s *Server) SetUser(u User) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.users[u.ID] == nil {
		s.order = append(s.order, u.ID)
	}
	s.users[u.ID] = &u
}

// SetChannel adds or changes a channel.
func (s *Server) SetChannel(c Channel) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.channels[c.ID] = &c
}

// RemoveChannel deletes a channel with its messages.
func (s *Server) RemoveChannel(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.channels, id)
	for _, m := range s.messages {
		if m.Channel == id {
			m.Deleted = true
		}
	}
}

// in says whether the bot is in the channel.
func (c *Channel) in() bool { return c.Member || c.IM }

// writable is the channel with the ID, or the IM with the user of the ID, where the bot may
// write. The lock is held.
func (s *Server) writable(id string) (*Channel, answer) {
	if s.users[id] != nil {
		return s.im(id), answer{}
	}
	c := s.channels[id]
	switch {
	case c == nil:
		return nil, fails("channel_not_found")
	case c.Archived:
		return nil, fails("is_archived")
	case !c.in():
		return nil, fails("not_in_channel")
	}
	return c, answer{}
}

// im is the conversation of a user with the bot: a new one if need be. The lock is held.
func (s *Server) im(user string) *Channel {
	for _, c := range s.channels {
		if c.IM && c.User == user {
			return c
		}
	}
	c := &Channel{ID: fmt.Sprintf("D%s", strings.TrimPrefix(user, "U")), IM: true, User: user}
	for s.channels[c.ID] != nil {
		c.ID += "X"
	}
	s.channels[c.ID] = c
	return c
}

// has says whether a user can be in the channel: anyone, unless Members says who.
func (c *Channel) has(user string) bool {
	if c.IM {
		return c.User == user
	}
	return c.Members == nil || slices.Contains(c.Members, user)
}

func (s *Server) wireUser(u *User, locale bool) map[string]any {
	w := map[string]any{
		"id": u.ID, "team_id": cmp.Or(u.Team, s.cfg.Team), "name": u.Name, "real_name": u.Name, "deleted": u.Gone, "tz": u.TZ,
		"is_admin": u.Admin || u.Owner, "is_owner": u.Owner, "is_bot": u.Bot, "is_app_user": false,
		"profile": map[string]any{"display_name": u.DisplayName, "real_name": u.Name},
	}
	if locale {
		w["locale"] = u.Locale
	}
	return w
}

func (s *Server) userInfo(r request) answer {
	u := s.users[r.str("user")]
	if u == nil {
		return fails("user_not_found")
	}
	return ok(map[string]any{"user": s.wireUser(u, r.flag("include_locale"))})
}

func (s *Server) userList(r request) answer {
	from, to, next := r.page(len(s.order))
	members := []any{}
	for _, id := range s.order[from:to] {
		members = append(members, s.wireUser(s.users[id], r.flag("include_locale")))
	}
	return ok(map[string]any{"members": members, "response_metadata": map[string]any{"next_cursor": next}})
}

func wireChannel(c *Channel) map[string]any {
	w := map[string]any{
		"id": c.ID, "is_im": c.IM, "is_channel": !c.IM, "is_private": c.IM, "is_archived": c.Archived, "is_member": c.in(),
	}
	if c.IM {
		w["user"] = c.User
	} else {
		w["name"] = c.Name
	}
	return w
}

func (s *Server) channelInfo(r request) answer {
	c := s.channels[r.str("channel")]
	if c == nil {
		return fails("channel_not_found")
	}
	return ok(map[string]any{"channel": wireChannel(c)})
}

func (s *Server) openChannel(r request) answer {
	user, id := r.str("users"), r.str("channel")
	switch {
	case (user == "") == (id == ""):
		return wrong("users_list_not_supplied")
	case id != "" && s.channels[id] == nil:
		return fails("channel_not_found")
	case id != "":
		return ok(map[string]any{"channel": wireChannel(s.channels[id])})
	case strings.Contains(user, ","):
		return wrong("method_not_supported", "group conversations are not played")
	case s.users[user] == nil:
		return fails("user_not_found")
	}
	c := s.im(user)
	if !r.flag("return_im") {
		return ok(map[string]any{"channel": map[string]any{"id": c.ID}})
	}
	return ok(map[string]any{"channel": wireChannel(c)})
}

func (s *Server) channelMembers(r request) answer {
	c := s.channels[r.str("channel")]
	if c == nil {
		return fails("channel_not_found")
	}
	members := c.Members
	if c.IM {
		members = []string{c.User, s.cfg.Bot}
	} else if members == nil {
		members = s.order
	}
	from, to, next := r.page(len(members))
	return ok(map[string]any{"members": members[from:to], "response_metadata": map[string]any{"next_cursor": next}})
}
