package bot

import (
	"bytes"
	"compress/flate"
	"fmt"
	"hash/fnv"
	"io"
	"strconv"
	"strings"
	"sync"
)

// A text that is too long for one message of a chat is kept for a while with its channel,
// so that buttons can turn its pages, after a restart too.

// long names the texts that a channel keeps, the oldest first; blanks between.
type long struct {
	IDs string `json:"ids,omitempty"`
}

// keptLong is how many texts a channel keeps.
const keptLong = 8

const keyLong = "long/" // the records of the texts: a line with the command, then the text, packed

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
	c.channel.set(keyLong+id, packText(firstLine(c.request.Line)+"\n"+text))
	r = c.page(r, id, pages, 1)
	r.Files = append(r.Files, wholeText(text))
	return r
}

// packedText begins a text that is packed; one of before begins with a command.
const packedText = 0

// textPackers are spared: one takes 1.2 MB.
var textPackers = sync.Pool{New: func() any {
	w, _ := flate.NewWriter(nil, flate.BestSpeed) // a valid level: no error
	return w
}}

// packText is a text as it is kept: a tenth, as the lines of a listing are much alike.
func packText(text string) []byte {
	w := textPackers.Get().(*flate.Writer)
	defer textPackers.Put(w)
	out := bytes.NewBuffer([]byte{packedText})
	w.Reset(out)
	_, _ = io.WriteString(w, text) // into memory
	_ = w.Close()
	return bytes.Clone(out.Bytes())
}

func unpackText(kept []byte) (string, error) {
	if len(kept) == 0 || kept[0] != packedText {
		return string(kept), nil
	}
	text, err := io.ReadAll(flate.NewReader(bytes.NewReader(kept[1:])))
	if err != nil {
		return "", fmt.Errorf("unpack page: %w", err)
	}
	return string(text), nil
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
		whole, badErr := unpackText(rec.Value)
		if badErr != nil {
			return Reply{}, badErr
		}
		line, text, _ := strings.Cut(whole, "\n")
		pages := pagesOf(text, c.tutor.cfg.Limits.Output)
		if rec.Key == keyLong+words[0] && err == nil && n >= 1 && n <= len(pages) {
			r := c.page(Reply{Blocks: []Block{Text{saidBack(line)}}}, words[0], pages, n)
			r.Files = []File{wholeText(text)}
			return r, nil
		}
	}
	return c.mistake("page.gone"), nil
}
