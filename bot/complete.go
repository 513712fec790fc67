package bot

import (
	"context"
	"strings"
	"unicode/utf8"
)

// completions is how many are given at most: what Discord shows.
const completions = 25

// Complete returns whole lines that line could become by completing the word
// under the cursor (a count of bytes from the start), best first, 25 at most. The
// request says who and where; its Line does not count. Nothing is changed.
func (t *Tutor) Complete(ctx context.Context, r Request, line string, cursor int) []string {
	cursor = min(max(cursor, 0), len(line))
	if strings.ContainsRune(line, '\n') || !utf8.ValidString(line) || !utf8.ValidString(line[:cursor]) {
		return nil
	}
	if !t.limits.types(&r) {
		t.cfg.Metrics.exceeded(r.Platform, "typing")
		return nil
	}
	var out []string
	j := job{ctx: ctx, done: make(chan error, 1)}
	j.run = func(ctx context.Context, ln *lane) {
		out = t.complete(ctx, ln, r, line[:cursor], line[cursor:])
	}
	if ok, err := t.enqueue(r.Place(), j); err != nil || !ok {
		return nil
	}
	if err := <-j.done; err != nil {
		return nil
	}
	return out
}

// complete has the turn in its channel. It is silent about failures: whoever types
// will send the line, and be told then.
func (t *Tutor) complete(ctx context.Context, ln *lane, r Request, before, after string) (out []string) {
	defer func() {
		if p := recover(); p != nil {
			t.cfg.Logger.ErrorContext(ctx, "completion failed", "error", p)
			out, ln.loaded = nil, nil
		}
	}()
	c, err := t.newCall(ctx, ln, r, nil)
	if err != nil {
		t.cfg.Logger.ErrorContext(ctx, "completion failed", "error", err)
		return nil
	}
	start := strings.LastIndexByte(before, ' ') + 1
	for _, word := range c.candidates(strings.TrimLeft(before, " ")) {
		if fits(word, before[start:]) && len(out) < completions {
			out = append(out, before[:start]+word+after)
		}
	}
	return out
}

// fits says that a word may be what was begun, accents and capitals aside.
func fits(word, begun string) bool { return strings.HasPrefix(fold(word), fold(begun)) }

// candidates are the words that may stand last in the line.
func (c *call) candidates(line string) []string {
	name, rest, more := strings.Cut(line, " ")
	if !more {
		if line != "" && !strings.HasPrefix(line, "/") {
			return nil
		}
		return c.commandNames(line)
	}
	cmd, ok := c.tutor.command(strings.TrimPrefix(name, "/"))
	if !ok || cmd.complete == nil {
		return nil
	}
	words := strings.Fields(rest)
	if rest == "" || strings.HasSuffix(rest, " ") {
		words = append(words, "")
	}
	return cmd.complete(c, words)
}

// commandNames are the commands' names in the learner's language; in the other,
// where nothing in the first begins so.
func (c *call) commandNames(begun string) []string {
	var names, others []string
	for _, cmd := range c.tutor.commands {
		if cmd.hidden {
			continue
		}
		names = append(names, c.slash(cmd))
		for _, n := range []string{cmd.name.fr, cmd.name.en} {
			if n != cmd.name.in(c.words) {
				others = append(others, "/"+n)
			}
		}
	}
	for _, n := range names {
		if fits(n, begun) {
			return names
		}
	}
	return others
}
