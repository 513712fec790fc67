package bot

import "context"

// failing is a memory that can be told to fail, and that counts.
type failing struct {
	*memory
	fail    error // what Commit returns, where set
	commits int
}

func (f *failing) Commit(ctx context.Context, c Commit) error {
	if f.fail != nil {
		return f.fail
	}
	err := f.memory.Commit(ctx, c)
	if err == nil {
		f.commits++
	}
	return err
}
