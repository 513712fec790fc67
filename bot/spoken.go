package bot

import "sync"

// spoken remembers the language that people were last spoken to in, for what has to be
// said before anything is read: forms, and that it is busy.
type spoken struct {
	mu    sync.Mutex
	langs map[Scope]string
}

func (s *spoken) of(r Request) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.langs[r.person()]
}

func (s *spoken) remember(r Request, lang string) {
	const people = 10_000
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.langs == nil || len(s.langs) >= people {
		s.langs = map[Scope]string{}
	}
	s.langs[r.person()] = lang
}
