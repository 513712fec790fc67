package slack

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	slackgo "github.com/slack-go/slack"

	"timonier/bot"
)

// Bounds of files.
const (
	mostFile     = 1 << 20 // bytes of one that is read
	mostUploads  = 10      // of one answer
	pictureTries = 6       // before a picture that Slack does not process is given as a file
	fileTime     = 20 * time.Second
)

// problem is one of the tutor's sentences about a file.
type problem struct {
	id   string
	data map[string]any
}

// download reads files that a person attached, as text.
func (a *App) download(work context.Context, ids []string) ([]string, *problem) {
	ctx, cancel := context.WithTimeout(work, fileTime)
	defer cancel()
	var texts []string
	for _, id := range ids {
		name, text, err := a.read(ctx, id)
		data := map[string]any{"Name": strings.ReplaceAll(bounded(name), "`", "")}
		switch {
		case errors.Is(err, errLarge):
			return nil, &problem{"slack.filelarge", data}
		case err != nil:
			a.log.WarnContext(ctx, "file not read", "error", harmless(err))
			return nil, &problem{"slack.fileunread", data}
		case !utf8.ValidString(text) || strings.ContainsRune(text, 0):
			return nil, &problem{"slack.filebinary", data}
		}
		texts = append(texts, text)
	}
	return texts, nil
}

// errLarge is a file over mostFile.
var errLarge = errors.New("the file is too large")

func (a *App) read(ctx context.Context, id string) (name, text string, err error) {
	info, _, _, err := a.api.GetFileInfoContext(ctx, id, 1, 1)
	if err != nil {
		return "", "", fmt.Errorf("ask for file: %w", err)
	}
	if info.Size > mostFile {
		return info.Name, "", errLarge
	}
	var content limited
	api, at := a.wire.filing(info.URLPrivate)
	if err := api.GetFileContext(ctx, at, &content); err != nil {
		return info.Name, "", fmt.Errorf("read file: %w", err)
	}
	return info.Name, content.String(), nil
}

// limited takes mostFile bytes.
type limited struct{ bytes.Buffer }

func (l *limited) Write(data []byte) (int, error) {
	if l.Len()+len(data) > mostFile {
		return 0, errLarge
	}
	return l.Buffer.Write(data)
}

// send shows a reply, with its pictures and files where it is final.
func (p *parcel) send(ctx context.Context, r bot.Reply) error {
	if r.Private && p.ts != "" && !p.k.manner.Private && !private(p.where) {
		p.takeBack(ctx)
	}
	if p.routes == nil {
		p.routes = p.routesOf(r)
	}
	if p.k.manner.Replace {
		r.Files = nil // they came with the first page, and stay in the channel
	}
	m, files := render(p.a.dialect.reply(r), p.a.sayer(p.k))
	if len(files) > mostUploads {
		files = files[:mostUploads]
	}
	if err := p.await(ctx); err != nil {
		return err
	}
	if !r.Final {
		p.unsaid = false
		err := p.show(ctx, m, false)
		p.turn.pass()
		if err == nil && !p.unsaid && r.Follow != nil {
			p.followed.Do(func() {
				p.a.vacate(p.k)
				close(p.follows)
			})
		}
		if err != nil && ctx.Err() == nil {
			p.a.log.WarnContext(ctx, "progress not shown", "error", harmless(err))
		}
		return err
	}
	p.final = r
	left, err := p.showPictured(ctx, m, files, r)
	p.turn.pass()
	if err != nil {
		return err
	}
	if err := p.share(ctx, left, r); err != nil && ctx.Err() == nil {
		p.a.log.ErrorContext(ctx, "file not shared", "error", harmless(err))
		p.a.cfg.Metrics.Failed(platform, "delivery")
		p.a.answer(ctx, &ask{request: p.k.request, way: p.k.way}, "slack.filelost", nil)
	}
	return ctx.Err()
}

// takeBack deletes what all see of an answer that turns out to be for the person alone: that work goes on.
func (p *parcel) takeBack(ctx context.Context) {
	err := p.a.wire.call(ctx, "chat.delete", map[string]string{"channel": p.where, "ts": p.ts}, nil)
	if err != nil && !slices.Contains(gone, code(err)) {
		p.a.log.WarnContext(ctx, "what was shown is not deleted", "error", harmless(err))
	}
	p.where, p.ts, p.routes, p.at = "", "", nil, 0
	p.remember()
}

// showPictured shows a final message: in words at first, then with its pictures. It returns the
// files that are left to be shared beside it.
func (p *parcel) showPictured(ctx context.Context, m message, files []upload, r bot.Reply) (left []upload, err error) {
	for _, f := range files {
		if !f.Picture {
			left = append(left, f)
		}
	}
	first := len(left) == len(files) || p.k.manner.Replace || !r.Private // what is for all can be changed
	if first {
		if err := p.show(ctx, m, true); err != nil || len(left) == len(files) {
			return left, err
		}
		p.turn.pass()
		if p.ts == "" && !p.k.manner.Replace {
			return files, nil // it went another way
		}
	}
	lost, done, err := p.illustrate(ctx, m, files)
	if done || err != nil {
		return left, err
	}
	if !first {
		if err := p.show(ctx, m, true); err != nil {
			return left, err
		}
	}
	return append(left, lost...), nil
}

// illustrate shows a message with its pictures; false where Slack does not process them: they are
// lost as pictures, and may be shared as files.
func (p *parcel) illustrate(ctx context.Context, m message, files []upload) (lost []upload, done bool, err error) {
	ids := make([]string, len(files))
	for i, f := range files {
		if !f.Picture {
			continue
		}
		if ids[i], err = p.a.upload(ctx, f, "", ""); err != nil {
			p.a.log.WarnContext(ctx, "picture not uploaded", "error", harmless(err))
			p.a.cfg.Metrics.Failed(platform, "delivery")
		} else {
			lost = append(lost, f)
		}
	}
	if with := m.withPictures(ids); with.pictured() {
		for try := range pictureTries {
			if err = p.show(ctx, with, true); err == nil || ctx.Err() != nil {
				return nil, true, err
			}
			if err := p.a.wait(ctx, backoff(try, 2*time.Second)); err != nil {
				return nil, false, err
			}
		}
	}
	return lost, false, nil
}

// share gives files beside the message: in the channel or the thread where the answer is for all, in
// private messages where it is not.
func (p *parcel) share(ctx context.Context, files []upload, r bot.Reply) error {
	for _, f := range files {
		if len(f.Data) == 0 {
			continue
		}
		w := p.k.way
		if !r.Private && w.Channel != "" || private(w.Channel) && w.Own {
			if _, err := p.a.upload(ctx, f, w.Channel, w.Thread); err == nil || code(err) == "" {
				if err != nil {
					return err
				}
				continue
			}
		}
		channel, err := p.privately(ctx, slices.ContainsFunc(r.Files, func(asked bot.File) bool { return asked.Name == f.Name }))
		if err == nil {
			_, err = p.a.upload(ctx, f, channel, "")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// privately is the channel of the person's private messages, which a file has to be shared to by
// its ID. Slack tells it to whoever writes there. What is written says whether the file is the answer,
// theirs, or the rest of it.
func (p *parcel) privately(ctx context.Context, theirs bool) (string, error) {
	if p.direct == "" {
		q := p.a.parcelOf(p.k)
		text := p.a.say(p.k, "slack.filehere", nil)
		if theirs {
			text = p.a.say(p.k, "slack.fileyours", nil)
		}
		m, _ := render(bot.Reply{Blocks: []bot.Block{bot.Text{Markdown: text}}, Final: true}, p.a.sayer(p.k))
		if err := q.write(ctx, m, true); err != nil {
			return "", err
		}
		p.direct = q.where
	}
	return p.direct, nil
}

// upload gives Slack a file; it is shared where a channel is given. The address to upload to is
// asked for here, and not left to slack-go's UploadFile, as it may have to be another.
func (a *App) upload(ctx context.Context, f upload, channel, thread string) (id string, err error) {
	for try := range 3 {
		if id, err = a.uploadOnce(ctx, f, channel, thread); err == nil || code(err) != "" || ctx.Err() != nil {
			return id, err
		}
		if err := a.wait(ctx, backoff(try, 2*time.Second)); err != nil {
			return "", err
		}
	}
	return id, err
}

func (a *App) uploadOnce(ctx context.Context, f upload, channel, thread string) (string, error) {
	place, err := a.api.GetUploadURLExternalContext(ctx, slackgo.GetUploadURLExternalParameters{FileName: f.Name, FileSize: len(f.Data), AltTxt: f.Alt})
	if err != nil {
		return "", fmt.Errorf("ask where to upload: %w", err)
	}
	api, at := a.wire.filing(place.UploadURL)
	err = api.UploadToURL(ctx, slackgo.UploadToURLParameters{UploadURL: at, Filename: f.Name, Reader: bytes.NewReader(f.Data)})
	if err != nil {
		return "", fmt.Errorf("upload file: %w", stripped(err))
	}
	_, err = a.api.CompleteUploadExternalContext(ctx, slackgo.CompleteUploadExternalParameters{
		Files: []slackgo.FileSummary{{ID: place.FileID, Title: f.Name}}, Channel: channel, ThreadTimestamp: thread})
	if err != nil {
		return "", fmt.Errorf("complete upload: %w", err)
	}
	return place.FileID, nil
}
