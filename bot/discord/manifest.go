package discord

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"
)

// mostManifest is how long the text of a manifest may be, in bytes; with what separates
// several, it stays below what the tutor reads.
const mostManifest = 1 << 20

// betweenManifests separates texts that come from several blocks or files, as YAML does.
const betweenManifests = "\n---\n"

// codeBlocks is the text in a message's blocks of code; or the whole of a message that is
// a manifest without such a block. Empty where there is none.
func codeBlocks(content string) string {
	const fence = "```"
	var blocks []string
	rest := content
	for {
		_, after, ok := strings.Cut(rest, fence)
		if !ok {
			break
		}
		inside, after, ok := strings.Cut(after, fence)
		if !ok {
			break
		}
		rest = after
		// ```yaml⏎ names a language; a first line with a blank or a colon is text already.
		if word, text, ok := strings.Cut(inside, "\n"); ok && !strings.ContainsAny(strings.TrimSpace(word), " :{-") {
			inside = text
		}
		if inside = strings.Trim(inside, "\n"); strings.TrimSpace(inside) != "" {
			blocks = append(blocks, inside)
		}
	}
	if len(blocks) == 0 && strings.Contains(content, "apiVersion") && strings.Contains(content, "kind") {
		return strings.TrimSpace(content)
	}
	return strings.Join(blocks, betweenManifests)
}

// manifests are those files that may be text to apply.
func manifests(all []given) []given {
	var out []given
	for _, g := range all {
		name := strings.ToLower(g.Filename)
		for _, ending := range []string{".yaml", ".yml", ".json", ".txt"} {
			if strings.HasSuffix(name, ending) {
				out = append(out, g)
				break
			}
		}
	}
	return out
}

// What may be wrong with a file, each with the ID of a sentence.
var (
	errFileLong    = errors.New("discord.filelong")
	errFileBinary  = errors.New("discord.filebinary")
	errFileMissing = errors.New("discord.filemissing")
)

// fetch downloads files and gives their text, in order. The error is or wraps one of those above.
func (c *client) fetch(ctx context.Context, files []given) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	var texts []string
	left := mostManifest
	for _, f := range files {
		if f.Size > int64(left) {
			return "", errFileLong
		}
		data, err := c.download(ctx, f.URL, left)
		if err != nil {
			return "", err
		}
		left -= len(data) + len(betweenManifests)
		text := strings.TrimPrefix(string(data), "\ufeff")
		if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
			return "", errFileBinary
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, betweenManifests), nil
}

// download reads a file that Discord keeps for somebody. No token goes with it.
func (c *client) download(ctx context.Context, named string, most int) ([]byte, error) {
	u, ok := c.address.file(named)
	if !ok {
		return nil, fmt.Errorf("%w: it is not with Discord", errFileMissing)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errFileMissing, withoutURL(err))
	}
	req.Header.Set("User-Agent", userAgent)
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errFileMissing, withoutURL(err))
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%w: status %d", errFileMissing, resp.StatusCode)
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, int64(most)+1))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errFileMissing, withoutURL(err))
	}
	if len(data) > most {
		return nil, errFileLong
	}
	return data, nil
}

// fileSentence is the ID of the sentence for an error of fetch.
func fileSentence(err error) string {
	for _, known := range []error{errFileLong, errFileBinary} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	return errFileMissing.Error()
}
