package discord

import (
	"archive/zip"
	"bytes"
	"fmt"
	"path"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"timonier/bot"
)

// mostOffered is how many files a message offers one by one; of more, an archive is made.
const mostOffered = 5

// uploads are the files that go along with a message.
type uploads struct {
	all      []upload
	bytes    int
	pictures int
	extra    []bot.File // pictures for which there is no room
	refused  []string   // names of what is too large for Discord
}

// add adds a file and returns the name that it has for Discord; empty where it is too large.
func (u *uploads) add(f upload) string {
	if len(f.Data) > mostFile || u.bytes+len(f.Data) > mostFiles || len(u.all) == mostAttachments {
		u.refused = append(u.refused, shortened(f.Name, mostFileName))
		return ""
	}
	f.Name = u.unused(fileName(f.Name))
	f.Data = bytes.Clone(f.Data)
	if f.Type == "" || f.Type != clean(f.Type) {
		f.Type = "application/octet-stream"
	}
	u.all = append(u.all, f)
	u.bytes += len(f.Data)
	return f.Name
}

// picture adds a picture to be shown. Empty: it is offered as a file, or too large.
func (u *uploads) picture(f upload) string {
	if u.pictures == mostPictures {
		u.extra = append(u.extra, bot.File{Name: f.Name, Type: f.Type, Data: f.Data})
		return ""
	}
	u.pictures++
	return u.add(f)
}

// offer adds files to be taken away, and returns their names.
func (u *uploads) offer(files []bot.File) (names []string) {
	files = append(u.extra, files...)
	if len(files) > mostOffered {
		files = []bot.File{{Name: "timonier.zip", Type: "application/zip", Data: archive(files)}}
	}
	for _, f := range files {
		if name := u.add(upload{Name: f.Name, Type: f.Type, Data: f.Data}); name != "" {
			names = append(names, name)
		}
	}
	return names
}

// notices say which files are missing.
func (u *uploads) notices(say sayer) []string {
	if len(u.refused) == 0 {
		return nil
	}
	list := strings.Join(u.refused, ", ")
	return []string{say("discord.big", map[string]any{"Files": escape(list, false, "")})}
}

// attachments describe the files to Discord, which knows them by their numbers.
func (u *uploads) attachments() []attachment {
	out := []attachment{}
	for i, f := range u.all {
		out = append(out, attachment{ID: strconv.Itoa(i), Filename: f.Name, Description: f.Description})
	}
	return out
}

// unused is a name that no file has yet.
func (u *uploads) unused(name string) string {
	taken := map[string]bool{}
	for _, f := range u.all {
		taken[strings.ToLower(f.Name)] = true
	}
	return another(name, taken)
}

// another is a name that is not taken: name-2.png where name.png is.
func another(name string, taken map[string]bool) string {
	ext := path.Ext(name)
	for n, candidate := 2, name; ; n++ {
		if !taken[strings.ToLower(candidate)] {
			return candidate
		}
		candidate = fmt.Sprintf("%s-%d%s", strings.TrimSuffix(name, ext), n, ext)
	}
}

// fileName is a name as Discord keeps it: it changes any other, and attachment:// would
// no longer find the file.
func fileName(name string) string {
	name = strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Mn, r):
			return -1
		case r < 0x80 && (unicode.IsLetter(r) || unicode.IsDigit(r) || r == '.' || r == '-' || r == '_'):
			return r
		}
		return '-'
	}, norm.NFD.String(name))
	name = strings.Trim(name, ".-_")
	ext := path.Ext(name)
	if len(ext) > 12 {
		ext = ""
	}
	stem := strings.TrimSuffix(name, ext)
	if stem == "" {
		stem = "timonier"
	}
	return stem[:min(len(stem), mostFileName-len(ext)-4)] + ext // room for a number
}

// archive packs files into one. The same files make the same bytes.
func archive(files []bot.File) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	taken := map[string]bool{}
	for _, f := range files {
		name := another(fileName(f.Name), taken)
		taken[strings.ToLower(name)] = true
		if w, err := z.Create(name); err == nil { // nothing in memory fails
			w.Write(f.Data)
		}
	}
	z.Close()
	return b.Bytes()
}

// markdownOf is a whole reply as a text file.
func markdownOf(r bot.Reply, typed []passage) []byte {
	var parts []string
	for _, b := range r.Blocks {
		switch b := b.(type) {
		case bot.Title:
			parts = append(parts, "# "+strings.ReplaceAll(b.Text, "\n", " "))
		case bot.Text:
			parts = append(parts, strings.TrimRight(b.Markdown, "\n"))
		case bot.Quote:
			parts = append(parts, "> "+strings.ReplaceAll(strings.TrimRight(b.Markdown, "\n"), "\n", "\n> "))
		case bot.Code:
			parts = append(parts, fileFence(b.Language, b.Text))
		case bot.Table:
			parts = append(parts, fileTable(b))
		case bot.Meter:
			parts = append(parts, bar(b)+" "+b.Label)
		case bot.Picture:
			if b.Alt != "" {
				parts = append(parts, b.Alt)
			}
			if b.Text != "" {
				parts = append(parts, fileFence("", b.Text))
			}
		case bot.Until:
			parts = append(parts, strings.TrimSpace(b.Label+" "+b.When()))
		case bot.Divider:
			parts = append(parts, "---")
		}
	}
	for _, p := range typed {
		if p.Kind == bot.Preformatted {
			parts = append(parts, fileFence("", p.Text))
		} else {
			parts = append(parts, bot.PlainText(p.Spans))
		}
	}
	return []byte(strings.Join(parts, "\n\n") + "\n")
}

// fileFence is a block of code between more backquotes than there are in it.
func fileFence(language, text string) string {
	marks := "```"
	for strings.Contains(text, marks) {
		marks += "`"
	}
	return marks + language + "\n" + strings.TrimRight(text, "\n") + "\n" + marks
}

func fileTable(t bot.Table) string {
	rows := make([]string, 0, len(t.Rows)+2)
	row := func(cells []string) {
		line := "|"
		for _, cell := range cells {
			line += " " + strings.NewReplacer("|", `\|`, "\n", " ").Replace(cell) + " |"
		}
		rows = append(rows, line)
	}
	row(t.Columns)
	rows = append(rows, "|"+strings.Repeat(" --- |", len(t.Columns)))
	for _, cells := range t.Rows {
		row(cells)
	}
	return strings.Join(rows, "\n")
}
