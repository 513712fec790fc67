package bot

import "context"

// Delivered says that the final answer to a request that had a Return has reached the
// person, or that nobody can be reached any more: it is not resumed.
func (t *Tutor) Delivered(r Request) {}

// Interrupted are a platform's requests that were accepted with a Return, by this
// process or one before, and whose answers were never said to be Delivered, the oldest
// first. A front end calls it once, before it accepts anything, and gives each, with
// Resumed set, to Accept: those that were answered get the same answer again, those that
// were not are answered now, or told that they were not.
func (t *Tutor) Interrupted(ctx context.Context, platform string) ([]Request, error) { return nil, nil }
