package slack

import (
	"fmt"
	"strings"

	"timonier/bot"
)

// whole is a reply as Markdown, for a file: all of it.
func whole(r bot.Reply) string {
	var parts []string
	for _, b := range r.Blocks {
		if text := markdownOf(b); text != "" {
			parts = append(parts, text)
		}
	}
	var list []string
	if r.Menu != nil {
		parts = append(parts, strings.TrimLeft(oneLine(r.Menu.Label)+" "+ticked(r.Menu.Line+" …"), " "))
		for _, c := range r.Menu.Choices {
			if line, ok := bot.Picked(r.Menu.Line, []string{c.Value}); ok {
				list = append(list, "- "+nameOf(c)+" "+ticked(line))
			}
		}
	}
	for _, b := range r.Buttons {
		list = append(list, "- "+oneLine(b.Label)+" "+ticked(b.Line))
	}
	if len(list) > 0 {
		parts = append(parts, strings.Join(list, "\n"))
	}
	return strings.ToValidUTF8(strings.Join(parts, "\n\n"), "\ufffd") + "\n"
}

func markdownOf(b bot.Block) string {
	switch b := b.(type) {
	case bot.Title:
		return "# " + oneLine(b.Text)
	case bot.Text:
		return strings.Trim(b.Markdown, "\n")
	case bot.Code:
		return fenced(b.Language, b.Text)
	case bot.Table:
		return tableOf(b)
	case bot.Quote:
		return "> " + strings.ReplaceAll(strings.Trim(b.Markdown, "\n"), "\n", "\n> ")
	case bot.Meter:
		return meter(b)
	case bot.Picture:
		text := "![" + oneLine(b.Alt) + "](" + b.Name + ")"
		if b.Text != "" {
			text += "\n\n" + fenced("text", b.Text)
		}
		return text
	case bot.Until:
		return momentOf(b)
	case bot.Divider:
		return "---"
	}
	return ""
}

// fenced is code between fences that nothing in it closes.
func fenced(language, text string) string {
	fence := "```"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	return fmt.Sprintf("%s%s\n%s\n%s", fence, language, strings.TrimRight(text, "\n"), fence)
}

// ticked is code in a line.
func ticked(text string) string {
	marks := "`"
	for strings.Contains(text, marks) {
		marks += "`"
	}
	if len(marks) > 1 {
		text = " " + text + " "
	}
	return marks + text + marks
}

func tableOf(t bot.Table) string {
	if len(t.Columns) == 0 {
		return ""
	}
	cells := strings.NewReplacer("|", `\|`, "\n", " ")
	row := func(row []string) string {
		out := make([]string, len(row))
		for i, cell := range row {
			out[i] = cells.Replace(cell)
		}
		return "| " + strings.Join(out, " | ") + " |\n"
	}
	var b strings.Builder
	b.WriteString(row(t.Columns) + strings.Repeat("| --- ", len(t.Columns)) + "|\n")
	for _, r := range t.Rows {
		b.WriteString(row(r))
	}
	return strings.TrimRight(b.String(), "\n")
}

// fallback is a reply in plain words, for notifications and screen readers: as much of it as
// there is room for, and never nothing.
func fallback(r bot.Reply) string {
	var lines []string
	room := mostFallback
	for _, b := range r.Blocks {
		if room < 0 {
			break
		}
		for _, line := range wordsOf(b) {
			lines = append(lines, line)
			room -= length(line) + 1
		}
	}
	if r.Menu != nil {
		for _, c := range r.Menu.Choices {
			lines = append(lines, nameOf(c))
		}
	}
	if len(lines) == 0 {
		for _, f := range r.Files {
			lines = append(lines, f.Name)
		}
		for _, b := range r.Buttons {
			lines = append(lines, oneLine(b.Label))
		}
	}
	text := strings.TrimSpace(strings.ToValidUTF8(strings.Join(lines, "\n"), "\ufffd"))
	if text == "" {
		return "…"
	}
	return escape(cut(text, mostFallback))
}

// wordsOf is what a block says.
func wordsOf(b bot.Block) []string {
	switch b := b.(type) {
	case bot.Title:
		return []string{oneLine(b.Text)}
	case bot.Text:
		return plainLines(b.Markdown)
	case bot.Quote:
		return plainLines(b.Markdown)
	case bot.Code:
		return []string{strings.Trim(b.Text, "\n")}
	case bot.Table:
		return wordsOf(b.ForPhone())
	case bot.Meter:
		return []string{meter(b)}
	case bot.Picture:
		if b.Alt == "" {
			return []string{b.Name}
		}
		return []string{b.Alt}
	case bot.Until:
		return []string{momentOf(b)}
	}
	return nil
}

func plainLines(markdown string) []string {
	var lines []string
	for _, p := range bot.Markdown(markdown) {
		text := bot.PlainText(p.Spans)
		if p.Kind == bot.Preformatted {
			text = p.Text
		}
		if p.Mark != "" {
			text = p.Mark + " " + text
		}
		lines = append(lines, text)
	}
	return lines
}
