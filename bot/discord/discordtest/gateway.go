package discordtest

import "context"

const guildsPerShard = 2500

type gateway struct{}

func newGateway() gateway        { return gateway{} }
func (g *gateway) cut(s *Server) {}

// Connected waits until n gateway sessions are ready and connected.
func (s *Server) Connected(ctx context.Context, n int) error { return nil }

// Identifies counts the IDENTIFYs accepted so far.
func (s *Server) Identifies() int { return 0 }

// Resumes counts the RESUMEs accepted so far.
func (s *Server) Resumes() int { return 0 }

// Session is one gateway session, connected or resumable.
type Session struct {
	ID        string
	Shard     [2]int // number, of how many
	Intents   int
	Connected bool
}

// Sessions are the gateway sessions that have not ended, oldest first.
func (s *Server) Sessions() []Session { return nil }

// Drop closes every gateway connection with a close code; 0 cuts it without a word.
// Sessions stay resumable unless the code ends them (1000, 1001, 4004, 4007 and above but 4008).
func (s *Server) Drop(code int) {}

// Reconnect asks every connection to reconnect and resume: op 7.
func (s *Server) Reconnect() {}

// Invalidate tells every connection that its session is invalid: op 9. Where it is
// not resumable the session is over.
func (s *Server) Invalidate(resumable bool) {}

// Beat asks every connection for a heartbeat at once: op 1.
func (s *Server) Beat() {}

// Mute makes every present connection a zombie: it stays open, but nothing is
// acknowledged or delivered on it any more; what is missed is replayed by a resume.
func (s *Server) Mute() {}

// Heartbeats counts the heartbeats received.
func (s *Server) Heartbeats() int { return 0 }

// Refuse answers the next n gateway connections with 503.
func (s *Server) Refuse(n int) {}
