package discord

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"

	"timonier/bot"
)

// message is what a reply becomes on the wire: the data of a callback, the edit of a
// message, or a new one in a channel. The caller adds flagEphemeral for the person alone.
type message struct {
	Flags           int          `json:"flags"`
	Components      []component  `json:"components"`
	AllowedMentions mentions     `json:"allowed_mentions"`
	Attachments     []attachment `json:"attachments"` // all there are: in an edit, what is not here goes
}

// Flags of a message.
const (
	flagEphemeral  = 1 << 6
	flagComponents = 1 << 15 // Components v2: neither content nor embeds
)

// mentions are what a message may ping: nothing, ever.
type mentions struct {
	Parse []string `json:"parse"`
}

// attachment says what the file of the request with the same number is: files[0] has the ID "0".
type attachment struct {
	ID          string `json:"id"`
	Filename    string `json:"filename"`
	Description string `json:"description,omitempty"`
}

// upload is a file that goes along with a message, in the order of its attachments.
type upload struct {
	Name, Type, Description string
	Data                    []byte
}

// component is a piece of a message or of a form; Type says which of the fields count.
type component struct {
	Type       int         `json:"type"`
	Content    string      `json:"content,omitempty"`    // of a text
	Components []component `json:"components,omitempty"` // of a row
	Items      []item      `json:"items,omitempty"`      // of a gallery
	File       *media      `json:"file,omitempty"`       // of a file

	CustomID string `json:"custom_id,omitempty"` // of a button, a menu, a text field, a file field
	Style    int    `json:"style,omitempty"`     // of a button, a text field
	Label    string `json:"label,omitempty"`     // of a button, a label

	Description string     `json:"description,omitempty"` // of a label
	Component   *component `json:"component,omitempty"`   // of a label: its field
	Required    *bool      `json:"required,omitempty"`    // of a field; Discord's default is true
	MaxLength   int        `json:"max_length,omitempty"`  // of a text field
	Value       string     `json:"value,omitempty"`       // of a text field: what stands in it at first
	MinValues   *int       `json:"min_values,omitempty"`  // of a file field, a menu
	MaxValues   *int       `json:"max_values,omitempty"`  // of a file field, a menu
	Options     []selected `json:"options,omitempty"`     // of a menu
	Placeholder string     `json:"placeholder,omitempty"` // of a menu
}

// selected is what can be chosen in a menu.
type selected struct {
	Label       string `json:"label"`
	Value       string `json:"value"`
	Description string `json:"description,omitempty"`
}

// The types of components that are used.
const (
	typeRow        = 1
	typeButton     = 2
	typeMenu       = 3
	typeTextField  = 4
	typeText       = 10
	typeGallery    = 12
	typeFile       = 13
	typeSeparator  = 14
	typeLabel      = 18
	typeFileUpload = 19
)

// item is a picture of a gallery.
type item struct {
	Media       media  `json:"media"`
	Description string `json:"description,omitempty"`
}

// media is where a file is: attachment://NAME.
type media struct {
	URL string `json:"url"`
}

// sayer says one of the tutor's sentences, in the language of who reads it.
type sayer func(id string, data map[string]any) string

// render writes a reply for Discord. Nothing of it is lost: what does not fit is in an
// attached file, and the message says so.
func render(r bot.Reply, say sayer) (message, []upload) {
	var files uploads
	rows, typed := controlsOf(r, say)
	parts := partsOf(r.Blocks, &files)
	if len(typed) > 0 {
		parts = append(parts, part{passages: typed})
	}
	offered := files.offer(r.Files)
	notices := files.notices(say)

	body, whole := fill(parts, left(rows, offered, notices))
	if !whole {
		if name := files.add(upload{Name: say("discord.file", nil), Type: "text/markdown; charset=utf-8", Data: markdownOf(r, typed)}); name != "" {
			offered = append(offered, name)
			notices = append(notices, say("discord.cut", map[string]any{"File": name}))
		} else {
			notices = files.notices(say)
		}
		room := left(rows, offered, notices)
		body, _ = fill(cut(parts, room.text), room)
	}
	for _, notice := range notices {
		body = append(body, component{Type: typeText, Content: notice})
	}
	for _, name := range offered {
		body = append(body, component{Type: typeFile, File: &media{attached(name)}})
	}
	if len(body)+len(rows) == 0 {
		body = []component{{Type: typeText, Content: say("discord.nothing", nil)}}
	}
	return message{
		Flags: flagComponents, AllowedMentions: mentions{Parse: []string{}},
		Components: append(body, rows...), Attachments: files.attachments(),
	}, files.all
}

// attached is how a message points to its own file.
func attached(name string) string { return "attachment://" + name }

func length(s string) int { return utf8.RuneCountInString(s) }

// shortened is a text of most characters at the most, on one line.
func shortened(text string, most int) string {
	text = strings.Join(strings.FieldsFunc(clean(text), func(r rune) bool { return r == '\n' || r == '\t' }), " ")
	if length(text) > most {
		text = strings.TrimRight(beginning(text, most-1), " ") + "…"
	}
	return text
}

// beginning is the first characters of a text, most at the most, cut where bot.Split cuts.
func beginning(text string, most int) string {
	if most <= 0 {
		return ""
	}
	n := 0
	for i := range text {
		if n++; n > most+1 {
			text = text[:i]
			break
		}
	}
	if parts := bot.Split(text, most); len(parts) > 0 {
		return parts[0]
	}
	return ""
}

// part is a piece of a reply: passages of one block, a divider, or pictures.
type part struct {
	passages []passage
	divider  bool
	pictures []item
}

// mostPictures is how many pictures a message shows; more are files.
const mostPictures = 4

// meterCells is as much as fits beside a label on a phone.
const meterCells = 10

// drawingWidth is how wide characters that draw something may be.
const drawingWidth = 60

// partsOf takes a reply's blocks apart. The pictures' files are added to files.
func partsOf(blocks []bot.Block, files *uploads) []part {
	var parts []part
	for _, b := range blocks {
		if table, ok := b.(bot.Table); ok {
			b = table.ForPhone()
		}
		switch b := b.(type) {
		case bot.Title:
			parts = append(parts, prose(bot.Heading, bot.Span{Text: b.Text}))
		case bot.Text:
			parts = append(parts, part{passages: passagesOf(b.Markdown, false)})
		case bot.Quote:
			parts = append(parts, part{passages: passagesOf(b.Markdown, true)})
		case bot.Code:
			parts = append(parts, code(b.Language, b.Text))
		case bot.Meter:
			parts = append(parts, prose(bot.Prose, bot.Span{Text: strings.TrimRight(bar(b)+" "+b.Label, " ")}))
		case bot.Picture:
			parts = append(parts, pictureOf(b, files))
		case bot.Until:
			parts = append(parts, part{passages: []passage{untilOf(b)}})
		case bot.Divider:
			parts = append(parts, part{divider: true})
		}
	}
	return parts
}

func prose(kind bot.PassageKind, spans ...bot.Span) part {
	return part{passages: []passage{{Passage: bot.Passage{Kind: kind, Spans: spans}}}}
}

func code(language, text string) part {
	return part{passages: []passage{{Passage: bot.Passage{Kind: bot.Preformatted, Text: text}, language: language}}}
}

func passagesOf(markdown string, quoted bool) []passage {
	var all []passage
	for _, p := range bot.Markdown(markdown) {
		p.Quoted = p.Quoted || quoted
		all = append(all, passage{Passage: p})
	}
	return all
}

// bar draws how far something has come.
func bar(m bot.Meter) string {
	full := 0
	if m.Total > 0 {
		full = min(meterCells, max(0, m.Done)*meterCells/m.Total)
	}
	return strings.Repeat("▓", full) + strings.Repeat("░", meterCells-full)
}

// pictureOf is a picture, or the same said otherwise: drawn in characters where a phone
// can show them, else in words.
func pictureOf(b bot.Picture, files *uploads) part {
	if len(b.PNG) > 0 {
		alt := shortened(b.Alt, mostAlt)
		if name := files.picture(upload{Name: b.Name, Type: "image/png", Description: alt, Data: b.PNG}); name != "" {
			p := part{pictures: []item{{Media: media{attached(name)}, Description: alt}}}
			if length(b.Alt) > mostAlt {
				p.passages = prose(bot.Prose, bot.Span{Text: b.Alt, Italic: true}).passages
			}
			return p
		}
	} else if drawing := strings.TrimRight(b.Text, "\n"); drawing != "" && (b.Alt == "" || ansi.StringWidth(widest(drawing)) <= drawingWidth) {
		return code("", drawing)
	}
	return prose(bot.Prose, bot.Span{Text: b.Alt, Italic: true})
}

func widest(text string) string {
	return slices.MaxFunc(strings.Split(text, "\n"), func(a, b string) int {
		return cmp.Compare(ansi.StringWidth(a), ansi.StringWidth(b))
	})
}
