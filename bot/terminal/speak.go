package terminal

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"time"

	tea "charm.land/bubbletea/v2"

	"timonier/bot"
)

// platform is this one's name in requests and in the tutor's agenda.
const platform = "terminal"

// Voice says what the tutor says without being asked: bot.Tutor.
type Voice interface {
	Speak(ctx context.Context, platform string, s bot.Speaker) error
	SpeakNow(ctx context.Context, platform string, s bot.Speaker) (next time.Time, err error)
}

// speaker prints. What has been printed stays: what is said in its stead is printed below, unless
// it is the same.
type speaker func(ctx context.Context, r bot.Reply) error

func (s speaker) Speak(ctx context.Context, _ bot.To, shown json.RawMessage, r bot.Reply) (json.RawMessage, error) {
	data, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("read announcement: %w", err)
	}
	sum := sha256.Sum256(data)
	way, err := json.Marshal(hex.EncodeToString(sum[:8]))
	if err != nil || string(way) == string(shown) {
		return way, err
	}
	return way, s(ctx, r)
}

// saidMsg is something that nobody asked for; shown is closed when it is on its way to the screen.
type saidMsg struct {
	bot.Reply
	shown chan struct{}
}

// speak has what the tutor says unasked shown between the lines, from the greeting until ctx
// ends.
func (m *chat) speak(ctx context.Context, ended <-chan struct{}) error {
	select {
	case <-m.greeted:
	case <-ctx.Done():
		return nil
	}
	return m.session.Voice.Speak(ctx, platform, speaker(func(ctx context.Context, r bot.Reply) error {
		said := saidMsg{r, make(chan struct{})}
		m.send(said)
		select {
		case <-said.shown:
			return nil
		case <-ended: // it is said the next time
			return context.Canceled
		case <-ctx.Done():
			return ctx.Err()
		}
	}))
}

// said shows it.
func (m *chat) said(msg saidMsg) tea.Cmd {
	if m.leaving {
		return nil
	}
	close(msg.shown)
	if offers(msg.Reply) {
		m.offered = msg.Reply
	}
	return m.show(m.printer().reply(msg.Reply) + "\n")
}

// speakNow prints what is due to be said where lines are read one by one.
func (s *Session) speakNow(ctx context.Context, out io.Writer, p printer, said func(bot.Reply)) error {
	if s.Voice == nil {
		return nil
	}
	_, err := s.Voice.SpeakNow(ctx, platform, speaker(func(_ context.Context, r bot.Reply) error {
		if said != nil {
			said(r)
		}
		_, err := fmt.Fprintf(out, "%s\n\n", p.reply(r))
		return err
	}))
	return err
}
