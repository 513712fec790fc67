package discord

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// A gateway session outlives its connection by some minutes, and may be taken up by another
// process: Discord then sends what came in between (events/gateway#resuming). So a shard's
// session is noted with each event, and the next process begins with it. What its session ID is
// worth it is worth with the bot's token alone, which is never kept.

// sessionNote is a shard's session as it is kept for the next process.
type sessionNote struct {
	Session  string    `json:"session"`
	ResumeAt string    `json:"resumeAt"`
	Sequence int64     `json:"sequence"`      // of the last event that was taken
	Shards   int       `json:"shards"`        // that there were
	Of       string    `json:"of"`            // whose token it is of
	Left     time.Time `json:"left,omitzero"` // when a process left it in good order; zero: it was at work
}

// sessionLife is how long after it was left a session is still asked for. Discord does not say how
// long it keeps one; asking for one that is gone costs five seconds at the most.
const sessionLife = 10 * time.Minute

// tokenMark tells tokens apart without telling them.
func tokenMark(token string) string {
	sum := sha256.Sum256([]byte("timonier gateway session\x00" + token))
	return hex.EncodeToString(sum[:8])
}

// takeUp has shards go on with the sessions that a process before this one left.
func (b *Bot) takeUp(ctx context.Context, shards []*shard) error {
	notes, err := b.cfg.Tutor.Noted(ctx, platform)
	if err != nil {
		return fmt.Errorf("read gateway sessions: %w", err)
	}
	for _, s := range shards {
		var n sessionNote
		data, ok := notes[s.noteKey()]
		if !ok {
			continue
		}
		if err := json.Unmarshal(data, &n); err != nil {
			b.log.Error("gateway session cannot be read", "shard", s.number, "error", shapeOf(err))
			continue
		}
		gone := !n.Left.IsZero() && b.cfg.Now().Sub(n.Left) > sessionLife
		if n.Session == "" || n.Shards != s.count || n.Of != tokenMark(b.cfg.Token) || gone {
			continue
		}
		s.session, s.resumeAt, s.sequence = n.Session, n.ResumeAt, n.Sequence
		b.log.Info("gateway session of the process before is asked for", "shard", s.number)
	}
	return nil
}

func (s *shard) noteKey() string { return "gateway-" + strconv.Itoa(s.number) }

// note keeps the session for the next process; with left set, this one is leaving it. It has the turn of s.mu.
func (s *shard) note(left time.Time) {
	if s.session == "" {
		s.bot.cfg.Tutor.Note(platform, s.noteKey(), nil)
		return
	}
	data, err := json.Marshal(sessionNote{
		Session: s.session, ResumeAt: s.resumeAt, Sequence: s.sequence, Shards: s.count, Of: tokenMark(s.bot.cfg.Token), Left: left,
	})
	if err != nil {
		s.bot.log.Error("keep gateway session", "shard", s.number, "error", err)
		return
	}
	s.bot.cfg.Tutor.Note(platform, s.noteKey(), data)
}

// leave keeps the session as it was left.
func (s *shard) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.note(s.bot.cfg.Now())
}

// discordEpoch is the first moment that an ID of Discord can tell, in milliseconds (reference#snowflakes).
const discordEpoch = 1420070400000

// madeAt is when Discord made an ID, and not later than now.
func madeAt(id string, now time.Time) time.Time {
	n, err := strconv.ParseUint(id, 10, 64)
	at := time.UnixMilli(int64(n>>22) + discordEpoch)
	if err != nil || at.After(now) {
		return now
	}
	return at
}
