package bot

import (
	"cmp"
	"strings"
	"unicode/utf8"
)

// Manner is how a request will be answered, as far as its line says it: what a
// platform wants to know at once, before any work is done.
type Manner struct {
	Command string  // the command's English name, for figures: kubectl; "none" where the line names none
	Private bool    // for the person alone; the Reply's Private is the same, or true where a command is refused
	Replace bool    // the answer takes the place of the message whose button was pressed
	aside   bool    // Replace holds only in a message for the person alone: what others see stays
	Prompt  *Prompt // a form to show instead of an answer: the line lacks the text that it needs
	Gathers bool    // it is short, changes little, and comes from many at once: neighbours in the queue share a turn and a commit
}

// Manner looks at the line alone: it reads no store, and waits for nobody.
func (t *Tutor) Manner(r Request) Manner {
	m := Manner{Command: "none", Private: !r.Alone}
	first, text, _ := strings.Cut(strings.TrimLeft(tidyNewlines(r.Line), " \t\n"), "\n")
	word, args, _ := strings.Cut(strings.TrimSpace(tidyBlanks(first)), " ")
	if !strings.HasPrefix(word, "/") {
		return m
	}
	cmd, ok := t.command(word[1:])
	if !ok {
		if next.is(word[1:]) || back.is(word[1:]) || resumes.is(word[1:]) {
			cmd, _ = t.command("course")
			args = word[1:]
		} else {
			return m
		}
	}
	m.Command, m.Private = cmd.name.en, false
	if cmd.manner != nil {
		cmd.manner(t.wordsOf(t.spoken.of(r), r.Locale), strings.TrimSpace(args), text, &m)
	}
	m.Replace, m.aside = m.Replace && (!m.aside || r.Aside), false
	m.Private = (m.Private || r.Aside) && !r.Alone // who is alone has no need to hide what was said
	return m
}

// Tokens are what buttons carry on a platform: a line, and the version of how it is written.
const tokenVersion = "1:"

// LongestToken is how long a token may be, in characters: every platform carries it.
const LongestToken = 100

// Token is what a button on a platform carries for a line; false where the line is
// too long for it, and can only be shown to be typed.
func Token(line string) (token string, ok bool) {
	return tokenVersion + line, utf8.RuneCountInString(tokenVersion+line) <= LongestToken
}

// Pressed is the line that a token carries; false where another version of the
// program made it.
func Pressed(token string) (line string, ok bool) { return strings.CutPrefix(token, tokenVersion) }

// Say is one of the tutor's own sentences (of locales) in the language of a locale,
// for what a front end has to say itself.
func (t *Tutor) Say(locale, id string, data map[string]any) string {
	return t.wordsOf(locale).say(id, with(data))
}

// Tongue is the locale in which to speak to whoever makes a request, as far as that is
// known without reading anything: the language that they were last spoken to in, or
// else their platform's.
func (t *Tutor) Tongue(r Request) string { return cmp.Or(t.spoken.of(r), r.Locale) }
