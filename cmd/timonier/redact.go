package main

import (
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"timonier/bot"
)

// redactor keeps secrets out of what is written: the second line of defence, as nothing is
// to write them in the first place.
type redactor struct {
	long  *strings.Replacer // looked for anywhere
	short []string          // only where they stand alone, the longest first
}

// redacted stands where a secret was.
const redacted = "[redacted]"

// leastLong is how many characters a secret has that cannot be a part of a word by chance. Real
// ones have more; a shorter one is somebody's mistake, and the log is to stay readable.
const leastLong = 8

func newRedactor(secrets []string) redactor {
	// Of two secrets, one of which begins with the other, the longer is looked for first.
	slices.SortFunc(secrets, func(a, b string) int { return len(b) - len(a) })
	var pairs, short []string
	for _, s := range secrets {
		if utf8.RuneCountInString(s) < leastLong {
			short = append(short, s)
			continue
		}
		pairs = append(pairs, s, redacted)
	}
	return redactor{strings.NewReplacer(pairs...), short}
}

// aToken is a token of a kubeconfig, which no setting has.
var aToken = regexp.MustCompile(bot.TokenPattern)

func (r redactor) text(s string) string {
	s = aToken.ReplaceAllLiteralString(r.long.Replace(s), redacted)
	for _, secret := range r.short {
		s = withoutWord(s, secret)
	}
	return s
}

// withoutWord is a text without a secret where no word goes on before or after it.
func withoutWord(s, secret string) string {
	var b strings.Builder
	done := 0 // of s, which is in b
	for from := 0; secret != ""; {
		i := strings.Index(s[from:], secret)
		if i < 0 {
			break
		}
		begin, end := from+i, from+i+len(secret)
		before, _ := utf8.DecodeLastRuneInString(s[:begin])
		after, size := utf8.DecodeRuneInString(s[end:])
		if begin > 0 && inWord(before) || size > 0 && inWord(after) {
			_, size = utf8.DecodeRuneInString(s[begin:])
			from = begin + size
			continue
		}
		b.WriteString(s[done:begin] + redacted)
		done, from = end, end
	}
	return b.String() + s[done:]
}

func inWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' }

// handler is a slog.Handler that passes records on without secrets, neither in the message
// nor in a value, whether it is the secret or has it somewhere in its text.
func (r redactor) handler(next slog.Handler) slog.Handler { return redacting{r, next} }

type redacting struct {
	redactor
	next slog.Handler
}

func (h redacting) Enabled(ctx context.Context, level slog.Level) bool {
	return h.next.Enabled(ctx, level)
}

func (h redacting) Handle(ctx context.Context, record slog.Record) error {
	clean := slog.NewRecord(record.Time, record.Level, h.text(record.Message), record.PC)
	record.Attrs(func(a slog.Attr) bool {
		clean.AddAttrs(h.attr(a))
		return true
	})
	return h.next.Handle(ctx, clean)
}

func (h redacting) WithAttrs(attrs []slog.Attr) slog.Handler {
	clean := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		clean[i] = h.attr(a)
	}
	return redacting{h.redactor, h.next.WithAttrs(clean)}
}

func (h redacting) WithGroup(name string) slog.Handler {
	return redacting{h.redactor, h.next.WithGroup(name)}
}

func (h redacting) attr(a slog.Attr) slog.Attr {
	a.Key = h.text(a.Key)
	a.Value = a.Value.Resolve()
	switch a.Value.Kind() {
	case slog.KindString:
		a.Value = slog.StringValue(h.text(a.Value.String()))
	case slog.KindGroup:
		inside := slices.Clone(a.Value.Group())
		for i := range inside {
			inside[i] = h.attr(inside[i])
		}
		a.Value = slog.GroupValue(inside...)
	case slog.KindAny:
		format := "%+v"
		if _, isBytes := a.Value.Any().([]byte); isBytes {
			format = "%s"
		}
		// A value without a secret in its text keeps its form, for JSON.
		if text := fmt.Sprintf(format, a.Value.Any()); h.text(text) != text {
			a.Value = slog.StringValue(h.text(text))
		}
	}
	return a
}
