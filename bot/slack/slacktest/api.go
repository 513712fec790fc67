package slacktest

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// method is one of the Web API's. Its arguments that end in * are required; one that is not
// listed is a fault, as Slack ignores it.
type method struct {
	app  bool // asks for the app-level token
	json bool // also takes a JSON body
	args string
	run  func(s *Server, r request) answer
}

// request is a call with its arguments as JSON values.
type request struct {
	method string
	args   map[string]any
}

func (r request) str(name string) string { return str(r.args[name]) }

// flag is an argument that is true, 1 or "true".
func (r request) flag(name string) bool {
	switch v := r.args[name].(type) {
	case bool:
		return v
	case string:
		b, _ := strconv.ParseBool(v)
		return b
	}
	return false
}

// answer is what a method returns: fields besides ok, or an error. A breach is recorded.
type answer struct {
	fields map[string]any
	err    string
	notes  []string // response_metadata.messages
	breach bool
}

func ok(fields map[string]any) answer { return answer{fields: fields} }

// fails is an error that a correct bot may meet; wrong, one that it may not.
func fails(err string) answer { return answer{err: err} }

func wrong(err string, notes ...string) answer { return answer{err: err, notes: notes, breach: true} }

// methods of the Web API.
//
// https://docs.slack.dev/reference/methods
func methods() map[string]method {
	const message = "text blocks attachments link_names parse mrkdwn unfurl_links unfurl_media metadata "
	return map[string]method{
		"auth.test":                    {json: true, run: (*Server).authTest},
		"apps.connections.open":        {app: true, json: true, run: (*Server).openConnection},
		"chat.postMessage":             {json: true, args: message + "channel* thread_ts reply_broadcast username icon_emoji icon_url as_user", run: (*Server).postMessage},
		"chat.postEphemeral":           {json: true, args: message + "channel* user* thread_ts username icon_emoji icon_url as_user", run: (*Server).postEphemeral},
		"chat.update":                  {json: true, args: message + "channel* ts* file_ids reply_broadcast as_user", run: (*Server).updateMessage},
		"chat.delete":                  {json: true, args: "channel* ts* as_user", run: (*Server).removeMessage},
		"views.open":                   {json: true, args: "trigger_id* view*", run: (*Server).openView},
		"views.push":                   {json: true, args: "trigger_id* view*", run: (*Server).pushView},
		"views.update":                 {json: true, args: "view* view_id external_id hash", run: (*Server).updateView},
		"views.publish":                {json: true, args: "user_id* view* hash", run: (*Server).publishView},
		"users.info":                   {args: "user* include_locale", run: (*Server).userInfo},
		"users.list":                   {args: "cursor limit include_locale team_id presence", run: (*Server).userList},
		"conversations.info":           {args: "channel* include_locale include_num_members", run: (*Server).channelInfo},
		"conversations.open":           {json: true, args: "users channel return_im prevent_creation", run: (*Server).openChannel},
		"conversations.members":        {args: "channel* cursor limit", run: (*Server).channelMembers},
		"files.getUploadURLExternal":   {args: "filename* length* alt_txt snippet_type", run: (*Server).uploadURL},
		"files.completeUploadExternal": {json: true, args: "files* channel_id channels initial_comment thread_ts blocks", run: (*Server).completeUpload},
		"files.info":                   {args: "file* count page cursor limit", run: (*Server).fileInfo},
	}
}

// mostBody is the longest request that is read.
const mostBody = 64 << 20

// serve is the one handler.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	if !s.enter() {
		http.Error(w, "closed", http.StatusServiceUnavailable)
		return
	}
	defer s.running.Done()
	path := strings.TrimPrefix(r.URL.Path, "/api")
	first, rest, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	switch first {
	case "link":
		s.serveSocket(w, r)
	case "respond":
		s.serveHook(w, r, rest)
	case "upload":
		s.serveUpload(w, r, rest)
	case "files-pri":
		s.serveDownload(w, r, rest)
	default:
		s.serveMethod(w, r, first)
	}
}

// serveMethod answers a call of the Web API.
func (s *Server) serveMethod(w http.ResponseWriter, r *http.Request, name string) {
	t := s.arrive(r, name)
	if t.before(w) {
		s.called(name, t.name())
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, mostBody))
	if err != nil {
		return
	}
	s.mu.Lock()
	a := s.call(r, name, body)
	s.note(name, a)
	s.mu.Unlock()
	fields := map[string]any{"ok": a.err == ""}
	for k, v := range a.fields {
		fields[k] = v
	}
	if a.err != "" {
		fields["error"] = a.err
	}
	if len(a.notes) > 0 {
		fields["response_metadata"] = map[string]any{"messages": a.notes}
	}
	t.write(w, http.StatusOK, "application/json; charset=utf-8", encode(fields))
}

// note records a call, and its breach. The lock is held.
func (s *Server) note(name string, a answer) {
	if a.breach {
		s.fault("%s: %s %s", name, a.err, strings.Join(a.notes, "; "))
	}
	s.calls = append(s.calls, Call{At: s.now(), Method: name, Error: a.err})
	if k := s.cfg.Keep; k > 0 && len(s.calls) > 2*k {
		s.calls = slices.Clone(s.calls[len(s.calls)-k:])
	}
}

// call runs a method. The lock is held.
func (s *Server) call(r *http.Request, name string, body []byte) answer {
	m, known := s.methods[name]
	if !known {
		return wrong("unknown_method")
	}
	args, token, err := arguments(r, body, m.json)
	if err != nil {
		return wrong("invalid_arguments", err.Error())
	}
	if a, bad := s.authenticate(token, m.app); bad {
		return a
	}
	var notes []string
	listed := strings.Fields(m.args)
	for _, name := range listed {
		if field, required := strings.CutSuffix(name, "*"); required && (args[field] == nil || args[field] == "") {
			notes = append(notes, "[ERROR] missing required field: "+field)
		}
	}
	if len(notes) > 0 {
		return wrong("invalid_arguments", notes...)
	}
	for field := range args {
		if !slices.Contains(listed, field) && !slices.Contains(listed, field+"*") {
			s.fault("%s: unknown argument %s", name, field)
		}
	}
	return m.run(s, request{name, args})
}

// authenticate says what is wrong with a token.
func (s *Server) authenticate(token string, app bool) (answer, bool) {
	right, other := s.cfg.BotToken, s.cfg.AppToken
	if app {
		right, other = other, right
	}
	switch token {
	case right:
		return answer{}, false
	case "":
		return wrong("not_authed"), true
	case other:
		return wrong("not_allowed_token_type"), true
	}
	return wrong("invalid_auth"), true
}

// arguments are those of the URL, of a form or of a JSON object, and the token: of the header,
// else of the form. A token in JSON, or in a URL, is none.
func arguments(r *http.Request, body []byte, takesJSON bool) (args map[string]any, token string, err error) {
	args = map[string]any{}
	token, _ = strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case kind == "application/json" && !takesJSON:
		return nil, "", errors.New("[ERROR] the method takes no JSON")
	case kind == "application/json":
		if len(body) > 0 {
			if err := json.Unmarshal(body, &args); err != nil {
				return nil, "", errors.New("[ERROR] invalid JSON")
			}
		}
		unfold(args)
		if args["token"] != nil {
			return nil, "", errors.New("[ERROR] token must not be in JSON")
		}
		return args, token, nil
	case len(body) > 0 && kind != "application/x-www-form-urlencoded":
		return nil, "", errors.New("[ERROR] unsupported content type " + kind)
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, "", errors.New("[ERROR] invalid form")
	}
	for name, values := range r.URL.Query() {
		form[name] = append(form[name], values...)
	}
	for name, values := range form {
		if name == "token" {
			token = values[0]
			continue
		}
		args[name] = values[0]
	}
	unfold(args)
	return args, token, nil
}

// unfold parses the arguments that are JSON, where they come as a string.
func unfold(args map[string]any) {
	for _, name := range []string{"blocks", "attachments", "view", "files", "file_ids", "metadata"} {
		if s := str(args[name]); s != "" {
			var v any
			if json.Unmarshal([]byte(s), &v) == nil {
				args[name] = v
			}
		}
	}
}

func (s *Server) authTest(request) answer {
	return ok(map[string]any{
		"url": s.base() + "/", "team": "Test", "user": "timonier", "team_id": s.cfg.Team,
		"user_id": s.cfg.Bot, "bot_id": "B0BOT", "is_enterprise_install": false,
	})
}

// page is a part of n items, and the cursor of the next; limit is at most 1000.
func (r request) page(n int) (from, to int, next string) {
	limit := 100
	if l, err := strconv.Atoi(r.str("limit")); err == nil && l > 0 {
		limit = min(l, 1000)
	}
	from, _ = strconv.Atoi(r.str("cursor"))
	from = max(0, min(from, n))
	if to = min(from+limit, n); to < n {
		next = strconv.Itoa(to)
	}
	return from, to, next
}

// retryAfter is whole seconds, at least one.
func retryAfter(d time.Duration) string {
	return strconv.Itoa(int(max(1, (d+time.Second-1)/time.Second)))
}
