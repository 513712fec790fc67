package bot

import (
	"context"
	"sync"
)

// failing is a memory that can be told to fail, and that counts.
type failing struct {
	*memory
	fail    error // what Commit returns, where set
	mu      sync.Mutex
	commits int
}

func (f *failing) Commit(ctx context.Context, c Commit) error {
	if f.fail != nil {
		return f.fail
	}
	err := f.memory.Commit(ctx, c)
	if err == nil {
		f.mu.Lock()
		f.commits++
		f.mu.Unlock()
	}
	return err
}
