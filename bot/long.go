package bot

import (
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
)

// A text that is too long for one message of a chat is kept for a while with its channel,
// so that buttons can turn its pages, after a restart too.

// long names the texts that a channel keeps, the oldest first; blanks between.
type long struct {
	IDs string `json:"ids,omitempty"`
}

// keptLong is how many texts a channel keeps.
const keptLong = 8

const keyLong = "long/" // the records of the texts: a line with the command, then the text

// code adds a text as it is. One that is too long is shown page by page, and offered as a file.
func (c *call) code(r Reply, text string) Reply {
	pages := pagesOf(text, c.tutor.cfg.Limits.Output)
	if len(pages) == 1 {
		r.Blocks = append(r.Blocks, Code{Text: text})
		return r
	}
	h := fnv.New64a()
	fmt.Fprintf(h, "%q %q %d %d", c.request.ID, text, c.now.UnixNano(), len(r.Blocks))
	id := strconv.FormatUint(h.Sum64(), 36)
	ids := append(strings.Fields(c.channel.long.IDs), id)
	for len(ids) > keptLong {
		c.channel.set(keyLong+ids[0], nil)
		ids = ids[1:]
	}
	c.channel.long.IDs = strings.Join(ids, " ")
	c.channel.set(keyLong+id, []byte(firstLine(c.request.Line)+"\n"+text))
	r = c.page(r, id, pages, 1)
	r.Files = append(r.Files, wholeText(text))
	return r
}

// wholeText is the file that is offered with each page.
func wholeText(text string) File {
	return File{Name: "kubectl-output.txt", Type: "text/plain; charset=utf-8", Data: []byte(text + "\n")}
}

// pagesOf cuts a text into pages of most characters at the most, between lines where that is possible.
func pagesOf(text string, most int) []string {
	pages := Split(text, most)
	for i := range pages {
		if i < len(pages)-1 {
			pages[i] = strings.TrimSuffix(pages[i], "\n")
		}
	}
	return pages
}

// page adds a page, and the buttons that turn it.
func (c *call) page(r Reply, id string, pages []string, n int) Reply {
	r.Blocks = append(r.Blocks, Code{Text: pages[n-1]}, Text{"*" + c.say("course.page", with{"Page": n, "Pages": len(pages)}) + "*"})
	if n > 1 {
		r = r.with(Button{Label: c.say("button.back"), Line: c.typed("page", id, strconv.Itoa(n-1))})
	}
	if n < len(pages) {
		r = r.with(Button{Label: c.say("button.next"), Line: c.typed("page", id, strconv.Itoa(n+1)), Style: Primary})
	}
	return r
}

// pageCommand is /page ID 2, which only buttons say.
func pageCommand(c *call) (Reply, error) {
	words := strings.Fields(c.args)
	if len(words) != 2 {
		return c.mistake("page.gone"), nil
	}
	n, err := strconv.Atoi(words[1])
	records, _, readErr := c.tutor.cfg.Store.Read(c.ctx, c.channel.scope, keyLong+words[0])
	if readErr != nil {
		return Reply{}, fmt.Errorf("read page: %w", readErr)
	}
	for _, rec := range records {
		line, text, _ := strings.Cut(string(rec.Value), "\n")
		pages := pagesOf(text, c.tutor.cfg.Limits.Output)
		if rec.Key == keyLong+words[0] && err == nil && n >= 1 && n <= len(pages) {
			r := c.page(Reply{Blocks: []Block{Text{saidBack(line)}}}, words[0], pages, n)
			r.Files = []File{wholeText(text)}
			return r, nil
		}
	}
	return c.mistake("page.gone"), nil
}
