package apiserver

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	utilnet "k8s.io/apimachinery/pkg/util/net"
)

// MaxBodyBytes is the largest body of a request that is read, as the real server's.
const MaxBodyBytes = 3 << 20

// Handler is the Kubernetes REST API for one identity, which the caller has
// authenticated. It takes one request at a time: who serves it to several takes
// turns (Serve does). A watch is answered with what there is, and then ends: a
// caller that goes on uses OpenWatch.
func (s *Server) Handler(u User) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if IsWatch(r) {
			s.watchOnce(u, w, r)
			return
		}
		if s.down {
			hangUp()
		}
		s.answer(u, r).write(w)
	})
}

// answer carries out one request.
func (s *Server) answer(u User, r *http.Request) (a *answer) {
	var err error
	x, began := newExchange(s, u, r), s.Revision()
	defer func() {
		if p := recover(); p != nil { // a bug of ours, or of a library that a strange object met
			if s.Revision() != began {
				panic(p) // something was written that not all have seen: only who owns the cluster can put it back
			}
			a = x.refusal(apierrors.NewInternalError(fmt.Errorf("panic: %v", p)))
		}
	}()
	if x.user, err = s.impersonated(x.user, r.Header); err != nil {
		return x.refusal(err)
	}
	if !x.at.isResource {
		return x.serveOther()
	}
	if x.at.isAutoscalingV1() {
		return x.serveAutoscalingV1()
	}
	if x.at.group == metricsGroup.Group && s.cfg.Metrics != nil {
		return x.serveMetrics()
	}
	if q := reviewAt(x.at); q != nil {
		return x.serveReview(q)
	}
	if x.resource == nil {
		return x.noRoute()
	}
	if d := x.resource.Deprecated; d != "" {
		x.warn(d)
	}
	rep, err := x.atEtcd(x.serveResource)
	if err != nil {
		return x.refusal(err)
	}
	return x.respond(rep)
}

// exchange is one HTTP request on its way.
type exchange struct {
	server   *Server
	user     User
	http     *http.Request
	query    url.Values
	at       apiPath
	resource *Resource
	warnings []string
}

func newExchange(s *Server, u User, r *http.Request) *exchange {
	x := &exchange{server: s, user: u, http: r, query: r.URL.Query(), at: parsePath(r.URL.Path)}
	if x.user.Agent == "" {
		x.user.Agent = agentOf(r.UserAgent())
	}
	if x.at.isResource {
		x.resource = x.find()
	}
	return x
}

// find is the row that the path names; nil: it names none.
func (x *exchange) find() *Resource {
	r, ok := x.server.Resource(schema.GroupVersionResource{Group: x.at.group, Version: x.at.version, Resource: x.at.resource})
	switch {
	case !ok:
		return nil
	case !r.Namespaced:
		// The parser takes /namespaces/a for content of the namespace a.
		if x.at.namespace != "" && r.Resource != "namespaces" {
			return nil
		}
		x.at.namespace = ""
	case x.at.namespace == "" && x.at.name != "":
		return nil
	}
	if sub := x.at.subresource; sub != "" && !slices.Contains(r.Subresources, sub) && !slices.Contains(connecting(r), sub) {
		return nil
	}
	return r
}

// reply is what a handler has to say: an object, a list or text.
type reply struct {
	code   int
	object runtime.Object
	list   *listing
	text   []byte
}

type handler func(*exchange) (reply, error)

// handlers are those of the resources themselves, by verb.
func handlers() map[string]handler {
	return map[string]handler{
		"get":              (*exchange).getObject,
		"list":             (*exchange).listObjects,
		"create":           (*exchange).createObject,
		"update":           (*exchange).updateObject,
		"patch":            (*exchange).patchObject,
		"delete":           (*exchange).deleteObject,
		"deletecollection": (*exchange).deleteCollection,
	}
}

// subhandlers are those of subresources, by subresource and verb.
func subhandlers() map[string]map[string]handler {
	return map[string]map[string]handler{
		"status":   {"get": (*exchange).getObject, "update": (*exchange).updateObject, "patch": (*exchange).patchObject},
		"scale":    {"get": (*exchange).getScale, "update": (*exchange).updateScale, "patch": (*exchange).patchScale},
		"finalize": {"update": (*exchange).updateObject},
		"binding":  {"create": (*exchange).createBinding},
		"eviction": {"create": (*exchange).createEviction},
		"log":      {"get": (*exchange).getLog},

		"exec":        {"get": (*exchange).connect, "create": (*exchange).connect},
		"attach":      {"get": (*exchange).connect, "create": (*exchange).connect},
		"portforward": {"get": (*exchange).connect, "create": (*exchange).connect},
	}
}

// tables of handlers, made once; never changed.
var (
	byVerb        = handlers()
	bySubresource = subhandlers()
)

// verb is what a method asks for at this path, in the words of a rule.
func (x *exchange) verb() string {
	named := x.at.name != ""
	switch x.http.Method {
	case http.MethodPost:
		return "create"
	case http.MethodPut:
		return "update"
	case http.MethodPatch:
		return "patch"
	case http.MethodDelete:
		if named {
			return "delete"
		}
		return "deletecollection"
	case http.MethodGet, http.MethodHead:
		if named {
			return "get"
		}
		return "list"
	}
	return "" // which no table has
}

func (x *exchange) serveResource() (reply, error) {
	verb := x.verb()
	table := byVerb
	if x.at.subresource != "" {
		table = bySubresource[x.at.subresource]
	}
	h, ok := table[verb]
	named := x.at.name != ""
	plain := x.at.subresource == ""
	if !ok || plain && verb == "create" && named || plain && (verb == "update" || verb == "patch") && !named {
		return reply{}, methodNotAllowed()
	}
	return h(x)
}

// methodNotAllowed is what the real server's router says of a method that it has no route for.
func methodNotAllowed() error {
	return apierrors.NewGenericServerResponse(http.StatusMethodNotAllowed, "", schema.GroupResource{}, "", "405: Method Not Allowed", 0, false)
}

// request is the exchange as the stages see it.
func (x *exchange) request(verb string) *request {
	return &request{
		user: x.user, verb: verb, resource: x.resource, subresource: x.at.subresource,
		namespace: x.at.namespace, name: x.at.name,
		// Of reading, nothing is kept: it would drive out the steps worth reading.
		detailed: !slices.Contains(reading, verb),
	}
}

// body is the request's, whole.
func (x *exchange) body() ([]byte, error) {
	if x.http.Body == nil {
		return nil, nil
	}
	data, err := io.ReadAll(io.LimitReader(x.http.Body, MaxBodyBytes+1))
	if err != nil {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("read the body: %v", err))
	}
	if len(data) > MaxBodyBytes {
		return nil, apierrors.NewRequestEntityTooLargeError(fmt.Sprintf("limit is %d", MaxBodyBytes))
	}
	if number := OverlongNumber(data); number != "" {
		return nil, apierrors.NewBadRequest("number out of range: " + number)
	}
	if !strings.HasPrefix(x.http.Header.Get("Content-Type"), string(types.JSONPatchType)) { // whose steps are bounded by themselves
		if err := tooLong(LongestList(data)); err != nil {
			return nil, err
		}
	}
	return data, nil
}

func (x *exchange) warn(text string) { x.warnings = append(x.warnings, text) }

// answer is a whole HTTP response.
type answer struct {
	code   int
	header http.Header
	body   []byte
}

func newAnswer(code int, mediaType string, body []byte) *answer {
	a := &answer{code: code, header: http.Header{}, body: body}
	a.header.Set("Content-Type", mediaType)
	a.header.Set("Cache-Control", "no-cache, private")
	return a
}

func (a *answer) write(w http.ResponseWriter) {
	for k, v := range a.header {
		w.Header()[k] = v
	}
	w.WriteHeader(a.code)
	w.Write(a.body) // who is gone needs no answer
}

// response is the answer as a client would receive it.
func (a *answer) response(r *http.Request) *http.Response {
	return &http.Response{
		Status: fmt.Sprintf("%d %s", a.code, http.StatusText(a.code)), StatusCode: a.code,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: a.header, Body: io.NopCloser(bytes.NewReader(a.body)), ContentLength: int64(len(a.body)), Request: r,
	}
}

// noRoute is the answer to a path that names nothing: where the group is served, the real server's router refuses it
// (server/handler.go, serviceErrorHandler); elsewhere there is no page.
func (x *exchange) noRoute() *answer {
	parts := strings.Split(strings.Trim(x.http.URL.Path, "/"), "/")
	served := parts[0] == "api" || parts[0] == "apis" && len(parts) > 1 &&
		slices.ContainsFunc(x.server.groups(), func(gv schema.GroupVersion) bool { return gv.Group == parts[1] })
	if !served {
		return notFoundPage()
	}
	return x.refusal(apierrors.NewGenericServerResponse(http.StatusNotFound, "", schema.GroupResource{}, "", "404: Page Not Found", 0, false))
}

// notFoundPage is what the real server says of paths it does not know.
func notFoundPage() *answer {
	a := newAnswer(http.StatusNotFound, "text/plain; charset=utf-8", []byte("404 page not found\n"))
	a.header.Set("X-Content-Type-Options", "nosniff")
	return a
}

// refusal is an error as a metav1.Status.
func (x *exchange) refusal(err error) *answer {
	status := statusOf(err)
	media, ok := negotiate(x.http.Header.Get("Accept"), nil)
	if !ok {
		media = mediaType{info: serializers()[0]}
	}
	a := x.encode(int(status.Code), status, media.info)
	if d := status.Details; d != nil && d.RetryAfterSeconds > 0 && !isAhead(status) {
		a.header.Set("Retry-After", fmt.Sprint(d.RetryAfterSeconds))
	}
	return a
}

// statusOf words an error as ErrorToAPIStatus of the real server does.
func statusOf(err error) *metav1.Status {
	status := metav1.Status{Status: metav1.StatusFailure, Code: http.StatusInternalServerError, Reason: metav1.StatusReasonUnknown, Message: err.Error()}
	if known, ok := err.(apierrors.APIStatus); ok {
		status = known.Status()
		if status.Status == "" {
			status.Status = metav1.StatusFailure
		}
		if status.Code == 0 {
			status.Code = http.StatusInternalServerError
		}
	}
	status.TypeMeta = metav1.TypeMeta{Kind: "Status", APIVersion: corev1.SchemeGroupVersion.String()}
	return &status
}

// encode writes an object as the client wants it.
func (x *exchange) encode(code int, o runtime.Object, info runtime.SerializerInfo) *answer {
	var b bytes.Buffer
	serializer := info.Serializer
	if info.PrettySerializer != nil && x.query.Get("pretty") == "true" {
		serializer = info.PrettySerializer
	}
	if err := serializer.Encode(o, &b); err != nil {
		status := statusOf(apierrors.NewInternalError(fmt.Errorf("encode %T: %w", o, err)))
		b.Reset()
		info = serializers()[0]
		code = int(status.Code)
		if err := info.Serializer.Encode(status, &b); err != nil {
			b.WriteString(status.Message)
		}
	}
	a := newAnswer(code, info.MediaType, b.Bytes())
	x.tellWarnings(a)
	return a
}

// The most runes of warnings that are told in full; where there are more, each is cut, and the last are left out.
const (
	mostWarned = 4 << 10
	cutWarning = 256
)

// tellWarnings puts what there is to warn of into the answer's head, each once, and not more than the real server does
// (pkg/endpoints/filters/warning.go).
func (x *exchange) tellWarnings(a *answer) {
	var texts []string
	once, all := map[string]bool{}, 0
	for _, text := range x.warnings {
		if !once[text] {
			once[text] = true
			texts, all = append(texts, text), all+utf8.RuneCountInString(text)
		}
	}
	told := 0
	for _, text := range texts {
		if all > mostWarned {
			if told >= mostWarned {
				break
			}
			if runes := []rune(text); len(runes) > cutWarning {
				text = string(runes[:cutWarning])
			}
			told += utf8.RuneCountInString(text)
		}
		if h, err := utilnet.NewWarningHeader(299, "-", text); err == nil {
			a.header.Add("Warning", h)
		}
	}
}

// respond gives a reply the form that the client accepts.
func (x *exchange) respond(rep reply) *answer {
	if rep.text != nil {
		return newAnswer(rep.code, "text/plain", rep.text)
	}
	media, ok := negotiate(x.http.Header.Get("Accept"), x.resource)
	if !ok {
		return x.refusal(notAcceptable())
	}
	o, err := x.transform(rep, media)
	if err != nil {
		return x.refusal(err)
	}
	return x.encode(rep.code, o, media.info)
}

// agentOf is the program's name in a User-Agent: what stands before the first slash.
func agentOf(userAgent string) string {
	name, _, _ := strings.Cut(userAgent, "/")
	const longest = 128 // validation.FieldManagerMaxLength
	var b strings.Builder
	for _, c := range name {
		if c < ' ' || c == 0x7f || b.Len()+len(string(c)) > longest {
			continue
		}
		b.WriteRune(c)
	}
	return b.String()
}
