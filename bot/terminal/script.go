package terminal

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"

	"timonier/bot"
)

// longestLine is how long a line of a script may be; the tutor refuses far shorter ones in words.
const longestLine = 16 << 20

// scriptWidth is how wide text is set where nobody looks.
const scriptWidth = 80

// Script reads lines, has each answered, and writes the answers, plain. Blank lines
// and lines that begin with # say nothing. Where the tutor asks for a longer text
// (kubectl apply -f -), it is the lines that follow, up to one that holds only a
// dot, the next command, or the end. Failed is true where a command did not do what it was asked.
func (s *Session) Script(ctx context.Context, in io.Reader, out io.Writer) (failed bool, err error) {
	w := bufio.NewWriter(out)
	defer func() { err = errors.Join(err, w.Flush()) }()
	lines := bufio.NewReaderSize(in, 64<<10)
	p := printer{width: scriptWidth, styles: plainStyles(), words: s.Words}
	for {
		if err := errors.Join(s.speakNow(ctx, w, p, nil), w.Flush()); err != nil {
			return failed, err
		}
		line, more, err := nextCommand(lines)
		if err != nil || !more || quits(line) {
			return failed, err
		}
		reply, err := s.answer(ctx, line)
		if err != nil {
			return failed, err
		}
		if asks(reply) {
			text, err := readText(lines)
			if err != nil {
				return failed, err
			}
			if reply, err = s.answer(ctx, reply.Prompt.Line+"\n"+text); err != nil {
				return failed, err
			}
			reply.Failed = reply.Failed || reply.Prompt != nil // there was no text to take
		}
		failed = failed || reply.Failed
		fmt.Fprintf(w, "%s\n\n", p.reply(reply))
		if err := w.Flush(); err != nil { // whoever reads may be waiting for this answer
			return failed, err
		}
	}
}

// Lines talks with a person at a terminal that takes no commands (TERM=dumb): a greeting,
// then for each line an answer, all of it plain.
func (s *Session) Lines(ctx context.Context, in io.Reader, out io.Writer) error {
	lines := bufio.NewReaderSize(in, 64<<10)
	p := printer{width: scriptWidth, styles: plainStyles(), words: s.Words}
	greeting := s.Tutor.Welcome(ctx, s.request(""))
	fmt.Fprintf(out, "%s\n\n", p.reply(greeting))
	for offered := greeting; ; {
		err := s.speakNow(ctx, out, p, func(r bot.Reply) {
			if offers(r) {
				offered = r
			}
		})
		if err != nil {
			return err
		}
		fmt.Fprint(out, prompt)
		line, more, err := nextCommand(lines)
		if err != nil || !more || quits(line) {
			fmt.Fprintln(out, s.Words("terminal.bye"))
			return err
		}
		does, opens := chosen(line, offered)
		reply := bot.Reply{Prompt: opens}
		if opens == nil {
			if reply, err = s.answer(ctx, does); err != nil {
				return err
			}
			fmt.Fprintf(out, "%s\n\n", p.reply(reply))
		}
		if opens != nil || asks(reply) {
			fmt.Fprintln(out, wrap(s.Words("terminal.text"), scriptWidth))
			text, err := readText(lines)
			if err != nil {
				return err
			}
			if reply, err = s.answer(ctx, reply.Prompt.Line+"\n"+text); err != nil {
				return err
			}
			fmt.Fprintf(out, "\n%s\n\n", p.reply(reply))
		}
		offered = reply
	}
}

// nextCommand is the next line that says something.
func nextCommand(r *bufio.Reader) (line string, more bool, err error) {
	for {
		line, more, err = readLine(r)
		if err != nil || !more {
			return "", false, err
		}
		if text := strings.TrimSpace(line); text != "" && !strings.HasPrefix(text, "#") {
			return line, true, nil
		}
	}
}

// answer is the final reply to a line.
func (s *Session) answer(ctx context.Context, line string) (last bot.Reply, err error) {
	err = s.Tutor.Handle(ctx, s.request(line), func(r bot.Reply) { last = r })
	return last, err
}

// readLine reads a line without its end; more is false at the end of the input.
func readLine(r *bufio.Reader) (line string, more bool, err error) {
	var all []byte
	for {
		part, err := r.ReadSlice('\n')
		if len(all) < longestLine {
			all = append(all, part...)
		}
		switch {
		case err == nil:
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF):
			return string(trimEnd(all)), len(all) > 0, nil
		default:
			return "", false, fmt.Errorf("read input: %w", err)
		}
		return string(trimEnd(all)), true, nil
	}
}

func trimEnd(line []byte) []byte {
	return bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
}

// readText reads the lines of a longer text: up to a dot, the end, or the next command, of which no manifest has the
// like: a slash and a letter.
func readText(r *bufio.Reader) (string, error) {
	var text strings.Builder
	for {
		if next, _ := r.Peek(1); string(next) == "/" {
			if next, _ = r.Peek(2); len(next) == 2 && unicode.IsLetter(rune(next[1])) {
				return text.String(), nil
			}
		}
		line, more, err := readLine(r)
		if err != nil {
			return "", err
		}
		if !more || line == endOfText {
			return text.String(), nil
		}
		text.WriteString(line + "\n")
	}
}
