package bot

import "strings"

// longestEcho is how many characters of a command are said back, and of a name.
const (
	longestEcho = 120
	longestName = 40
)

// echo heads an answer that all see with who asked for what: a platform shows neither
// under a message of ours, and no one else has seen what was typed or which button was
// pressed. Alone, the line is enough. What is for one person, or takes the place of a
// message, needs none.
func echo(r Request, m Manner, reply Reply) Reply {
	line := strings.TrimSpace(tidyBlanks(firstLine(r.Line)))
	if !r.Live || m.Private || m.Replace || !strings.HasPrefix(line, "/") {
		return reply
	}
	said := saidBack(line)
	if strings.Contains(r.Line, "\n") {
		said += " …"
	}
	if name := clipped(tidyBlanks(r.Who.Name), longestName); strings.TrimSpace(name) != "" && !r.Alone {
		said = "**" + literal(strings.TrimSpace(name)) + "** · " + said
	}
	reply.Blocks = append([]Block{Text{said}}, reply.Blocks...)
	if reply.Follow != nil {
		follow := *reply.Follow
		follow.Blocks++
		reply.Follow = &follow
	}
	return reply
}

// saidBack is a command's line as code.
func saidBack(line string) string {
	line = strings.TrimSpace(tidyBlanks(firstLine(line)))
	return "`" + clipped(strings.ReplaceAll(line, "`", "'"), longestEcho) + "`"
}

// clipped is a text of most characters at the most.
func clipped(text string, most int) string {
	if parts := Split(text, most-1); len(parts) > 1 {
		return strings.TrimRight(parts[0], " ") + "…"
	}
	return text
}

// literal is text in which Markdown finds no marks.
func literal(text string) string {
	var b strings.Builder
	for _, r := range text {
		if r < 0x80 && strings.ContainsRune("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}
