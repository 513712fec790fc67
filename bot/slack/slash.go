package slack

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"timonier/bot"
)

// Slack knows three commands of the app's; all others are words after /timonier. The tutor
// names its commands as they are elsewhere: what it says is put so that it can be typed here.

// native are the commands that are in the manifest by themselves.
var native = []string{"timonier", "kubectl", "quiz"}

// named finds a command that is named as code, or alone at the beginning of a text.
var named = regexp.MustCompile("(^|`)/(\\pL+)")

// typedLine finds a command at the beginning of a line of code, which is a line to type.
var typedLine = regexp.MustCompile(`(?m)^/(\pL+)`)

// dialect knows the names of the tutor's commands that Slack does not know, folded.
type dialect map[string]bool

func dialectOf(commands []bot.CommandInfo) dialect {
	d := dialect{}
	for _, c := range commands {
		for _, name := range slices.Concat(slices.Collect(maps.Values(c.Name)), c.Aliases) {
			d[bot.Fold(name)] = !slices.Contains(native, name)
		}
	}
	return d
}

// text is Markdown, or a line, in which commands are named as they are typed here.
func (d dialect) text(s string) string {
	if !strings.Contains(s, "/") {
		return s
	}
	return d.replace(named, s)
}

// code is text as it is, unless it is lines to type.
func (d dialect) code(s string) string {
	if !strings.HasPrefix(s, "/") {
		return s
	}
	return d.replace(typedLine, s)
}

func (d dialect) replace(where *regexp.Regexp, s string) string {
	return where.ReplaceAllStringFunc(s, func(match string) string {
		before, name, _ := strings.Cut(match, "/")
		if !d[bot.Fold(name)] {
			return match
		}
		return before + "/timonier " + name
	})
}

// reply is a reply in whose text commands are named as they are typed here. What buttons
// carry stays: it is never typed, but where a button shows its line.
func (d dialect) reply(r bot.Reply) bot.Reply {
	r.Blocks = slices.Clone(r.Blocks)
	for i, b := range r.Blocks {
		switch b := b.(type) {
		case bot.Title:
			r.Blocks[i] = bot.Title{Text: d.text(b.Text)}
		case bot.Text:
			r.Blocks[i] = bot.Text{Markdown: d.text(b.Markdown)}
		case bot.Quote:
			r.Blocks[i] = bot.Quote{Markdown: d.text(b.Markdown)}
		case bot.Code:
			r.Blocks[i] = bot.Code{Language: b.Language, Text: d.code(b.Text)}
		case bot.Table:
			rows := make([][]string, len(b.Rows))
			for j, row := range b.Rows {
				for _, cell := range row {
					rows[j] = append(rows[j], d.text(cell))
				}
			}
			r.Blocks[i] = bot.Table{Columns: b.Columns, Rows: rows}
		}
	}
	r.Buttons = slices.Clone(r.Buttons)
	for i, b := range r.Buttons {
		if _, fits := bot.Token(b.Line); !fits {
			r.Buttons[i].Line = d.text(b.Line) // it is shown, to be typed
		}
		r.Buttons[i].Label = d.text(b.Label)
	}
	return r
}
