package slacktest

import (
	"fmt"
	"io"
	"mime"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// File is one that is kept by the server.
type File struct {
	ID, Name, Title, Type, Alt string // Type is MIME
	User                       string
	URL                        string // url_private: asks for the bearer token
	Data                       []byte
	Channels                   []string // it was shared to
	Processed                  bool     // an image block may show it
}

// file is a File that is kept.
type file struct {
	File
	length   int // announced
	uploaded bool
	done     bool // the upload is completed
	asks     int  // that are refused yet; negative: all of them
	shares   map[string][]any
}

// notProcessed marks the one problem of an image that passes by itself.
const notProcessed = "invalid slack file: not processed"

// AddFile puts a file in the workspace, as a person uploads one, and returns its ID.
func (s *Server) AddFile(user, name, mime string, data []byte) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.newFile(user, name)
	f.Type, f.Data, f.uploaded, f.done, f.Processed = mime, data, true, true, true
	return f.ID
}

func (s *Server) newFile(user, name string) *file {
	id := fmt.Sprintf("F%d", s.next())
	f := &file{File: File{ID: id, Name: name, Title: name, User: user}, shares: map[string][]any{}}
	f.URL = s.base() + "/files-pri/" + s.cfg.Team + "-" + id + "/" + path.Base(name)
	f.Type = mime.TypeByExtension(path.Ext(name))
	s.files[id] = f
	return f
}

// File is a file by its ID, whoever uploaded it.
func (s *Server) File(id string) (File, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f := s.files[id]; f != nil {
		return f.File, true
	}
	return File{}, false
}

// Process makes every uploaded file usable in image blocks.
func (s *Server) Process() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.files {
		f.Processed = f.done
	}
}

// picture says what is wrong with the slack_file of an image block, and counts the ask. The
// lock is held.
//
// https://docs.slack.dev/reference/block-kit/composition-objects/slack-file-object
func (s *Server) picture(id, url string) string {
	if (id == "") == (url == "") {
		return "must have one of id and url"
	}
	f := s.files[id]
	for _, other := range s.files {
		if url != "" && other.URL == url {
			f = other
		}
	}
	kind := ""
	if f != nil {
		kind = strings.ToLower(strings.TrimPrefix(path.Ext(f.Name), "."))
	}
	switch {
	case f == nil || !f.done:
		return "invalid slack file"
	case !slices.Contains([]string{"png", "jpg", "jpeg", "gif"}, kind):
		return "invalid slack file: not an image"
	case f.Processed:
		return ""
	case f.asks == 0:
		f.Processed = true
		return ""
	}
	f.asks--
	return notProcessed
}

// wireFiles are files as the bot receives them. The lock is held.
func (s *Server) wireFiles(ids []string) []any {
	all := []any{}
	for _, id := range ids {
		if f := s.files[id]; f != nil {
			all = append(all, f.wire())
		}
	}
	return all
}

func (f *file) wire() map[string]any {
	kind := strings.TrimPrefix(path.Ext(f.Name), ".")
	w := map[string]any{
		"id": f.ID, "name": f.Name, "title": f.Title, "filetype": kind, "user": f.User, "size": len(f.Data), "mode": "hosted",
		"url_private": f.URL, "url_private_download": f.URL, "is_external": false, "channels": f.Channels,
		"shares": map[string]any{"public": f.shares},
	}
	if f.Processed {
		w["mimetype"] = f.Type
	}
	return w
}

// filesOf are the files with the IDs, or the first ID that is none.
func (s *Server) filesOf(ids []any) (files []File, missing string) {
	for _, id := range ids {
		f := s.files[str(id)]
		if f == nil || !f.done {
			return nil, str(id)
		}
		files = append(files, f.File)
	}
	return files, ""
}

func (s *Server) fileInfo(r request) answer {
	f := s.files[r.str("file")]
	if f == nil {
		return fails("file_not_found")
	}
	return ok(map[string]any{"file": f.wire()})
}

// uploadURL is the first of three steps.
//
// https://docs.slack.dev/messaging/working-with-files#uploading_files
func (s *Server) uploadURL(r request) answer {
	n, err := strconv.Atoi(r.str("length"))
	if err != nil || n <= 0 {
		return wrong("invalid_arguments", "[ERROR] length must be a positive integer")
	}
	if alt := r.str("alt_txt"); utf8.RuneCountInString(alt) > 1000 {
		return wrong("alt_txt_too_large")
	}
	f := s.newFile(s.cfg.Bot, r.str("filename"))
	f.length, f.Alt, f.asks = n, r.str("alt_txt"), s.cfg.Asks
	secret := fmt.Sprintf("up%dx%d", s.next(), n)
	s.uploads[secret] = f
	return ok(map[string]any{"upload_url": s.base() + "/upload/v1/" + secret, "file_id": f.ID})
}

// serveUpload takes the bytes: as they are, or as a form's file.
func (s *Server) serveUpload(w http.ResponseWriter, r *http.Request, rest string) {
	t := s.arrive(r, "upload")
	if t.before(w) {
		s.called("upload", t.name())
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, mostBody)
	data, err := uploaded(r)
	s.mu.Lock()
	f := s.uploads[strings.TrimPrefix(rest, "v1/")]
	var a answer
	switch {
	case err != nil:
		a = wrong("invalid_upload", err.Error())
	case f == nil:
		a = wrong("unknown_upload_url")
	case r.Method != http.MethodPost:
		a = wrong("method_not_allowed")
	case len(data) != f.length:
		a = wrong("length_mismatch", fmt.Sprintf("%d bytes announced, %d sent", f.length, len(data)))
	default:
		f.Data, f.uploaded = data, true
	}
	s.note("upload", a)
	s.mu.Unlock()
	if a.err != "" {
		t.write(w, http.StatusBadRequest, "text/plain", []byte(a.err))
		return
	}
	t.write(w, http.StatusOK, "text/plain", fmt.Appendf(nil, "OK - %d", len(data)))
}

// uploaded are the bytes of a request.
func uploaded(r *http.Request) ([]byte, error) {
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind != "multipart/form-data" {
		return io.ReadAll(r.Body)
	}
	if err := r.ParseMultipartForm(mostBody); err != nil {
		return nil, err
	}
	defer func() { _ = r.MultipartForm.RemoveAll() }()
	for _, name := range []string{"file", "filename"} {
		if part, _, err := r.FormFile(name); err == nil {
			defer func() { _ = part.Close() }()
			return io.ReadAll(part)
		}
	}
	return nil, http.ErrMissingFile
}

// completeUpload is the last step: with a channel it posts a message.
func (s *Server) completeUpload(r request) answer {
	var done []*file
	for i, v := range array(r.args["files"]) {
		f := s.files[str(dict(v)["id"])]
		switch {
		case f == nil || f.User != s.cfg.Bot || f.done:
			return wrong("file_not_found")
		case !f.uploaded:
			return wrong("file_update_failed", fmt.Sprintf("file %d was not uploaded", i))
		}
		if title := str(dict(v)["title"]); title != "" {
			f.Title = title
		}
		done = append(done, f)
	}
	if len(done) == 0 {
		return wrong("invalid_arguments", "[ERROR] files must be an array of one at least")
	}
	places := strings.FieldsFunc(r.str("channels"), func(c rune) bool { return c == ',' })
	if id := r.str("channel_id"); id != "" {
		places = append(places, id)
	}
	t := content{text: r.str("initial_comment")}
	if r.args["blocks"] != nil {
		var a answer
		if t, a = s.content(r.method, map[string]any{"blocks": r.args["blocks"], "text": " "}, mostText); a.err != "" {
			return a
		}
	}
	s.pings = append(s.pings, pingsIn(t.text)...)
	var channels []*Channel
	for _, id := range places {
		c, a := s.writable(id)
		if c == nil {
			return a
		}
		if a := s.thread(c.ID, r.str("thread_ts")); a.err != "" {
			return a
		}
		channels = append(channels, c)
	}
	var files []File
	var ids []string
	for _, f := range done {
		f.done, f.Processed = true, s.cfg.Asks == 0
		for _, c := range channels {
			f.Channels = append(f.Channels, c.ID)
		}
		files, ids = append(files, f.File), append(ids, f.ID)
	}
	for _, c := range channels {
		m := &message{Message: Message{Channel: c.ID, User: s.cfg.Bot, Thread: r.str("thread_ts"), Files: files}}
		m.put(t)
		s.add(m)
		for _, f := range done {
			f.shares[c.ID] = append(f.shares[c.ID], map[string]any{"ts": m.TS})
		}
		s.tell(nil, r.method, Posted, m, nil)
	}
	return ok(map[string]any{"files": s.wireFiles(ids)})
}

// serveDownload gives a file to who shows the bot's token; others see a page that asks them to sign
// in, with status 200, as on Slack.
func (s *Server) serveDownload(w http.ResponseWriter, r *http.Request, rest string) {
	t := s.arrive(r, "download")
	if t.before(w) {
		s.called("download", t.name())
		return
	}
	place, _, _ := strings.Cut(rest, "/")
	_, id, _ := strings.Cut(place, "-")
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	s.mu.Lock()
	f := s.files[id]
	var a answer
	switch {
	case token != s.cfg.BotToken:
		a = wrong("not_authed")
	case f == nil || !f.done:
		a = fails("file_not_found")
	}
	s.note("download", a)
	s.mu.Unlock()
	switch a.err {
	case "":
		t.write(w, http.StatusOK, f.Type, f.Data)
	case "not_authed":
		t.write(w, http.StatusOK, "text/html; charset=utf-8", []byte("<!DOCTYPE html><title>Sign in</title>"))
	default:
		t.write(w, http.StatusNotFound, "text/plain", []byte("not found"))
	}
}
