package slacktest

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"
)

// ErrEnded is what waiting on an exchange that has ended, or on a closed server, returns.
var ErrEnded = errors.New("the exchange has ended")

var errNotYet = errors.New("not there yet")

type (
	envelope struct{}
	exchange struct{}
	server   struct{}
)

func (Command) build(*Server, *Exchange) (envelope, error)         { return envelope{}, errNotYet }
func (Action) build(*Server, *Exchange) (envelope, error)          { return envelope{}, errNotYet }
func (Suggest) build(*Server, *Exchange) (envelope, error)         { return envelope{}, errNotYet }
func (MessageShortcut) build(*Server, *Exchange) (envelope, error) { return envelope{}, errNotYet }
func (Shortcut) build(*Server, *Exchange) (envelope, error)        { return envelope{}, errNotYet }
func (Submit) build(*Server, *Exchange) (envelope, error)          { return envelope{}, errNotYet }
func (CloseView) build(*Server, *Exchange) (envelope, error)       { return envelope{}, errNotYet }
func (HomeOpened) build(*Server, *Exchange) (envelope, error)      { return envelope{}, errNotYet }
func (Mention) build(*Server, *Exchange) (envelope, error)         { return envelope{}, errNotYet }
func (DirectMessage) build(*Server, *Exchange) (envelope, error)   { return envelope{}, errNotYet }
func (Raw) build(*Server, *Exchange) (envelope, error)             { return envelope{}, errNotYet }

func (*exchange) acked(context.Context) (Ack, error)   { return Ack{}, errNotYet }
func (*exchange) next(context.Context) (Change, error) { return Change{}, errNotYet }
func (*exchange) messages() []Message                  { return nil }
func (*exchange) views() []View                        { return nil }
func (*exchange) end()                                 {}

func buttons(json.RawMessage) []Button { return nil }
func words(json.RawMessage) string     { return "" }

func start(cfg Config) (*Server, error)                              { return nil, errNotYet }
func (*server) base() string                                         { return "" }
func (*server) close() error                                         { return nil }
func (*server) now() time.Time                                       { return time.Time{} }
func (*server) advance(time.Duration)                                {}
func (*server) faultList() []string                                  { return nil }
func (*server) pingList() []string                                   { return nil }
func (*server) send(context.Context, Interaction) (*Exchange, error) { return nil, errNotYet }
func (*server) post(context.Context, string, Interaction) (*Exchange, error) {
	return nil, errNotYet
}
func (*server) encode(Interaction) (*Exchange, []byte, string, error) { return nil, nil, "", errNotYet }
func (*server) sign([]byte, time.Time) http.Header                    { return nil }
func (*server) verifyURL(context.Context, string) error               { return errNotYet }
func (*server) redeliver(context.Context, *Exchange, string) error    { return errNotYet }
func (*server) messagesOf(string) []Message                           { return nil }
func (*server) homeOf(string) (View, bool)                            { return View{}, false }
func (*server) viewsOf(string) []View                                 { return nil }
func (*server) addFile(user, name, mime string, data []byte) string   { return "" }
func (*server) fileOf(string) (File, bool)                            { return File{}, false }
func (*server) process()                                              {}
func (*server) setUser(User)                                          {}
func (*server) setChannel(Channel)                                    {}
func (*server) removeChannel(string)                                  {}
func (*server) deleteMessage(channel, ts string)                      {}
func (*server) callsOf(string) []Call                                 { return nil }
func (*server) called(context.Context, string, int) error             { return errNotYet }
func (*server) spoil(string, int, Trouble)                            {}
func (*server) hold(string) func()                                    { return nil }
func (*server) connected(context.Context, int) error                  { return errNotYet }
func (*server) attemptTimes() []time.Time                             { return nil }
func (*server) attempted(context.Context, int) error                  { return errNotYet }
func (*server) refuse(int)                                            {}
func (*server) disconnect(string)                                     {}
func (*server) drop()                                                 {}
func (*server) freeze()                                               {}
func (*server) pretend(int)                                           {}

// CheckManifest says what Slack would refuse of an app manifest in YAML; nothing where it is sound.
func CheckManifest(yaml []byte) []string { return []string{errNotYet.Error()} }
