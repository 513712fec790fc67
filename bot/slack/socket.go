package slack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gorilla/websocket"
	slackgo "github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"
)

// Bounds of a socket.
const (
	mostEnvelope = 4 << 20          // bytes
	soundAfter   = 30 * time.Second // a socket that lived so long was sound: the next one is opened at once
	mostBackoff  = time.Minute
)

// sockets keeps one socket open until the context ends. slack-go's client opens the next one by
// itself, without a pause when Slack says that there are too many; so each of ours has
// a client of its own, which may open one, and the pauses are made here. The error is
// Slack's refusal of the token.
func (a *App) sockets(ctx context.Context) error {
	for fails := 0; ctx.Err() == nil; {
		began := a.cfg.Now()
		greeted, err := a.socket(ctx)
		a.connected("socket", false)
		if ctx.Err() != nil {
			return nil
		}
		if c := code(err); slices.Contains(refusals, c) && a.never() {
			return fmt.Errorf("the app token is not accepted (TIMONIER_SLACK_APP_TOKEN): generate one at api.slack.com/apps, under Basic Information, App-Level Tokens: %w", err)
		}
		a.cfg.Metrics.Failed(platform, "connection")
		lived := a.cfg.Now().Sub(began)
		if greeted && lived >= soundAfter {
			fails = 0
			a.log.InfoContext(ctx, "socket ended", "after", lived.Round(time.Second), "why", harmless(err))
			continue
		}
		rest := backoff(fails, mostBackoff)
		var limited *slackgo.RateLimitedError
		if errors.As(err, &limited) {
			rest = max(rest, limited.RetryAfter)
		}
		fails++
		a.log.WarnContext(ctx, "socket ended early", "after", lived.Round(time.Millisecond), "again_in", rest.Round(time.Millisecond), "why", harmless(err))
		if a.wait(ctx, rest) != nil {
			return nil
		}
	}
	return nil
}

// never says that no socket has ever been up.
func (a *App) never() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return !a.greeted
}

// errEnded is why a socket ended of which slack-go does not say more: Slack asked for it, it was
// cut, or it was silent for too long.
var errEnded = errors.New("the socket was closed")

// socket opens one and reads it to its end. greeted says that Slack has said hello.
func (a *App) socket(ctx context.Context) (greeted bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	api := slackgo.New(a.cfg.BotToken, slackgo.OptionAPIURL(a.wire.base.String()),
		slackgo.OptionAppLevelToken(a.cfg.AppToken), slackgo.OptionHTTPClient(&opener{wire: a.wire}))
	client := socketmode.New(api,
		socketmode.OptionDialer(&websocket.Dialer{Proxy: http.ProxyFromEnvironment, NetDialContext: a.cfg.Dial, HandshakeTimeout: callTime, WriteBufferSize: 32 << 10}),
		socketmode.OptionPingInterval(a.cfg.Ping), socketmode.OptionReadLimit(mostEnvelope),
		socketmode.OptionLog(log.New(io.Discard, "", 0)))
	ended := make(chan error, 1)
	go func() { ended <- client.RunContext(ctx) }()
	err = errEnded
	for {
		select {
		case e := <-client.Events:
			switch why := a.hear(ctx, client, e); {
			case why == errHello:
				greeted = true
			case why != nil:
				err = why
				cancel() // before it opens another
			}
		case why := <-ended:
			if code(why) != "" {
				err = why
			}
			return greeted, err
		}
	}
}

// errHello is what hear says of Slack's greeting.
var errHello = errors.New("hello")

// hear takes one event of a socket; the error says why the socket is over.
func (a *App) hear(ctx context.Context, client *socketmode.Client, e socketmode.Event) error {
	switch e.Type {
	case socketmode.EventTypeConnecting:
		if c, ok := e.Data.(*slackgo.ConnectingEvent); ok && (c.ConnectionCount > 0 || c.Attempt > 1) {
			return errEnded
		}
	case socketmode.EventTypeConnectionError:
		if c, ok := e.Data.(*slackgo.ConnectionErrorEvent); ok {
			return c.ErrorObj
		}
	case socketmode.EventTypeHello:
		a.greet(ctx, e.Request)
		return errHello
	case socketmode.EventTypeErrorBadMessage:
		// slack-go knows fewer payloads than Slack sends; what it cannot read may be ours all the same.
		if bad, ok := e.Data.(*socketmode.ErrorBadMessage); ok {
			var r socketmode.Request
			if json.Unmarshal(bad.Message, &r) == nil && r.EnvelopeID != "" {
				a.envelope(ctx, client, &r)
			}
		}
	case socketmode.EventTypeSlashCommand, socketmode.EventTypeInteractive, socketmode.EventTypeEventsAPI:
		a.envelope(ctx, client, e.Request)
	}
	return nil
}

// greet notes that a socket is up, and whether it is the only one.
func (a *App) greet(ctx context.Context, hello *socketmode.Request) {
	a.mu.Lock()
	a.greeted = true
	a.mu.Unlock()
	a.connected("socket", true)
	if n := hello.NumConnections; n > 1 {
		// Slack deals events out to all of them: half-dead ones lose theirs.
		a.log.WarnContext(ctx, "other sockets of the app are open", "connections", n)
		return
	}
	a.log.InfoContext(ctx, "socket open", "connections", hello.NumConnections)
}

// envelope acknowledges an envelope and takes what is in it.
func (a *App) envelope(ctx context.Context, client *socketmode.Client, r *socketmode.Request) {
	at := a.cfg.Now()
	if err := client.AckCtx(ctx, r.EnvelopeID, nil); err != nil {
		return // the socket is over: Slack delivers it again on the next one
	}
	if r.RetryAttempt > 0 {
		a.log.InfoContext(ctx, "envelope delivered again", "attempt", r.RetryAttempt, "reason", r.RetryReason)
	}
	a.take(incoming{kind: r.Type, envelope: r.EnvelopeID, payload: r.Payload, at: at, acked: a.cfg.Now().Sub(at)})
}

// opener lets one socket be opened, on the host that requests may go to.
type opener struct {
	wire *wire
	used bool
}

func (o *opener) Do(r *http.Request) (*http.Response, error) {
	if o.used {
		return nil, errEnded
	}
	o.used = true
	resp, err := o.wire.once(r) // the pauses between sockets are longer than those between tries
	if err != nil {
		return nil, stripped(err)
	}
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	var answer map[string]any
	if json.Unmarshal(data, &answer) == nil {
		if address, ok := answer["url"].(string); ok {
			if u, err := url.Parse(address); !o.wire.bound() && (err != nil || !slacks(u)) {
				return nil, errElsewhere
			}
			answer["url"] = o.wire.here(address)
			if data, err = json.Marshal(answer); err != nil {
				return nil, fmt.Errorf("write answer: %w", err)
			}
		}
	}
	resp.Body, resp.ContentLength = io.NopCloser(strings.NewReader(string(data))), int64(len(data))
	return resp, nil
}
