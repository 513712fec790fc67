package discordtest

import (
	"context"
	"encoding/json"
	"net/http"
)

// Interact sends an interaction to the bot, over the gateway or to an endpoint, and
// returns at once; what comes of it is in the Exchange. ctx bounds the delivery.
func (s *Server) Interact(ctx context.Context, i Interaction) *Exchange { return &Exchange{server: s} }

// Redeliver sends the interaction once more, the same in every byte but the signature's time.
func (e *Exchange) Redeliver(ctx context.Context) error { return nil }

// DeliverTo sends interactions from now on to an endpoint of the bot by HTTP; the
// empty URL is the gateway again.
func (s *Server) DeliverTo(url string) {}

// Sign gives the headers that Discord would send with a body now. A forged one is a
// changed header or another body.
func (s *Server) Sign(body []byte) http.Header { return nil }

// Probe does what Discord does when an endpoint is saved in the developer portal,
// and now and then later: a PING that must be answered {"type":1}, and PINGs with
// bad signatures that must be answered 401. It fails where the endpoint would be refused.
func (s *Server) Probe(ctx context.Context, url string) error { return nil }

// Plant puts a message of the bot that was sent before the test began, with an
// older version's components for instance, and gives it with its ID. Components and
// content are not checked.
func (s *Server) Plant(m Message) Message { return m }

// Find gives a message of the bot as it stands, by its ID.
func (s *Server) Find(id string) (Message, bool) { return Message{}, false }

// Sent are the messages that the bot posted into a channel by itself, oldest first.
func (s *Server) Sent(channel string) []Message { return nil }

// DeleteMessage is a person deleting a message of the bot, or dismissing an ephemeral one.
func (s *Server) DeleteMessage(id string) {}

// DeleteChannel is a person deleting a channel: the bot gets 10003 from then on.
func (s *Server) DeleteChannel(id string) {}

// Forbid takes the bot's access to a channel away: 50001.
func (s *Server) Forbid(channel string) {}

// Commands are the commands registered for a guild, or global ones for "", by JSON as GET gives them.
func (s *Server) Commands(guild string) []json.RawMessage { return nil }

func mustJSON(v any) []byte             { b, _ := json.Marshal(v); return b }
func pathOf(string) string              { return "" }
func (s *Server) handler() http.Handler { return nil }

type message struct{ Message }
type channels struct{}
type scope struct{}
type bucket struct{}
type spec struct{}

func newChannels() channels          { return channels{} }
func openSpec(string) (*spec, error) { return nil, nil }
