package slacktest

import (
	"context"
	"net/http"
	"time"
)

// Start starts a server on a free port of 127.0.0.1.
func Start(cfg Config) (*Server, error) { return start(cfg.orDefault()) }

// Server is the stand-in. It is safe for concurrent use.
type Server struct {
	cfg Config
	server
}

// URL is the base of the Web API with its trailing slash: http://127.0.0.1:PORT/api/.
func (s *Server) URL() string { return s.base() + "/api/" }

// Config is the configuration in force, with its defaults.
func (s *Server) Config() Config { return s.cfg }

// Close ends every connection and waits for all that the server has started.
func (s *Server) Close() error { return s.close() }

// Now is the server's time.
func (s *Server) Now() time.Time { return s.now() }

// Advance moves the server's clock. Trigger IDs and response URLs expire by it, and an envelope
// that has not been acknowledged for 3 s is delivered again.
func (s *Server) Advance(d time.Duration) { s.advance(d) }

// Faults are the breaches so far, in order.
func (s *Server) Faults() []string { return s.faultList() }

// Pings are the texts so far that would have notified people: they hold an unescaped <!channel>, <!here>,
// <!everyone>, <!subteam^…> or <@U…>.
func (s *Server) Pings() []string { return s.pingList() }

// Send delivers an interaction over Socket Mode, by one connection after the other in turn. It waits for
// a connection if there is none.
func (s *Server) Send(ctx context.Context, i Interaction) (*Exchange, error) { return s.send(ctx, i) }

// Post delivers an interaction over HTTP, signed, to the endpoint at url. It returns before
// the answer has come; the exchange's Acked has its status.
func (s *Server) Post(ctx context.Context, url string, i Interaction) (*Exchange, error) {
	return s.post(ctx, url, i)
}

// Encode is the body that Post would send, and its content type, for tests that forge, replay or
// age it.
func (s *Server) Encode(i Interaction) (x *Exchange, body []byte, contentType string, err error) {
	return s.encode(i)
}

// Sign is the headers of a request with this body, signed at this time.
func (s *Server) Sign(body []byte, at time.Time) http.Header { return s.sign(body, at) }

// VerifyURL asks the endpoint for a url_verification challenge, as Slack does when an events URL is entered,
// and returns an error if it does not echo it.
func (s *Server) VerifyURL(ctx context.Context, url string) error { return s.verifyURL(ctx, url) }

// Redeliver delivers an exchange once more, the way it was delivered at first, as Slack does
// when it missed the answer: with retry_attempt and retry_reason (timeout where empty), or X-Slack-Retry-Num and
// X-Slack-Retry-Reason.
func (s *Server) Redeliver(ctx context.Context, x *Exchange, reason string) error {
	return s.redeliver(ctx, x, reason)
}

// Messages are all of a channel's, ephemeral and deleted ones too, oldest first; of every channel where it is empty.
func (s *Server) Messages(channel string) []Message { return s.messagesOf(channel) }

// Home is the person's home tab as it was published last.
func (s *Server) Home(user string) (View, bool) { return s.homeOf(user) }

// Views are the person's open modals, the topmost last.
func (s *Server) Views(user string) []View { return s.viewsOf(user) }

// AddFile puts a file in the workspace, as a person uploads one, and returns its ID.
func (s *Server) AddFile(user, name, mime string, data []byte) string {
	return s.addFile(user, name, mime, data)
}

// File is a file by its ID, whoever uploaded it.
func (s *Server) File(id string) (File, bool) { return s.fileOf(id) }

// Process makes every uploaded file usable in image blocks.
func (s *Server) Process() { s.process() }

// SetUser adds or changes a member; SetChannel, a channel.
func (s *Server) SetUser(u User) { s.setUser(u) }

// SetChannel adds or changes a channel.
func (s *Server) SetChannel(c Channel) { s.setChannel(c) }

// RemoveChannel deletes a channel with its messages.
func (s *Server) RemoveChannel(id string) { s.removeChannel(id) }

// DeleteMessage deletes a message, as a person with the right to does.
func (s *Server) DeleteMessage(channel, ts string) { s.deleteMessage(channel, ts) }
