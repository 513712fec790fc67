package kubectl

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/kubectl/pkg/scheme"

	"timonier/sim"
	"timonier/sim/apiserver"
	"timonier/sim/etcd"
	"timonier/sim/trace"
)

// serverURL is what kubectl believes that it talks to; no request leaves the process.
const serverURL = "https://" + apiserver.Address

// wire carries kubectl's requests to the cluster's API server in process. kubectl may send from several
// goroutines; the cluster takes turns.
type wire struct {
	ctx     context.Context
	cluster *sim.Cluster
	handler http.Handler

	mu      sync.Mutex
	ended   bool // the command is over: what is left of it may no longer touch the cluster
	broken  any  // a panic of the cluster's in one of kubectl's goroutines
	looks   bool // nothing may be changed, and nothing waited for: see Look
	denied  bool // something would have been changed
	wrote   bool
	ages    bool          // the command computes ages itself
	bare    bool          // the command prints the cells of tables, and nothing of the objects in their rows
	offset  time.Duration // from the cluster's clock to the machine's; 0: not needed yet
	objects []trace.Ref   // that were written
	deleted []string      // paths of the objects that this command deleted or evicted
}

// RoundTrip answers one request.
func (w *wire) RoundTrip(req *http.Request) (*http.Response, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.ctx.Err(); err != nil {
		return nil, err
	}
	if w.ended {
		return nil, net.ErrClosed
	}
	if w.cluster.Server().Down() {
		return nil, apiserver.ErrDown
	}
	if w.looks && touches(req) {
		w.denied = true
		return denied(req), nil
	}
	if req.URL.Query().Get("watch") != "" {
		return w.watch(req)
	}
	if req.Method == http.MethodGet && w.isDeleted(req.URL) {
		// Who deletes an object and asks for it again waits for it to be gone.
		w.cluster.Until(longestWait, func() bool { return w.ctx.Err() != nil || w.gone(req.URL.Path) })
	}
	if w.bare && strings.Contains(req.Header.Get("Accept"), "as=Table") {
		req = withoutObjects(req)
	}
	if w.ages {
		req = req.Clone(req.Context())
		req.Header.Set("Accept", "application/json") // and not protobuf, in which no moment could be moved
	}
	resp := serve(w.handler, req)
	w.remember(req, resp)
	if w.ages {
		w.shiftBody(resp)
	}
	return resp, nil
}

// end keeps what is left of the command from the cluster, and passes on the panic that its goroutines met.
func (w *wire) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended = true; w.broken != nil {
		panic(w.broken)
	}
}

// withoutObjects asks for tables whose rows carry no object: decoding those is most of what a get would cost.
func withoutObjects(req *http.Request) *http.Request {
	req = req.Clone(req.Context())
	query := req.URL.Query()
	query.Set("includeObject", string(metav1.IncludeNone))
	req.URL.RawQuery = query.Encode()
	return req
}

// serve has a handler answer a request in process.
func serve(h http.Handler, req *http.Request) *http.Response {
	a := &answer{header: http.Header{}, code: http.StatusOK}
	if req.Body == nil {
		req.Body = http.NoBody // as a server's requests always have one
	}
	h.ServeHTTP(a, req)
	return &http.Response{
		StatusCode: a.code, Status: fmt.Sprintf("%d %s", a.code, http.StatusText(a.code)),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: req,
		Header: a.header, Body: body{&a.body}, ContentLength: int64(a.body.Len()),
	}
}

// body is a response's, which may be looked into before it is read.
type body struct{ *bytes.Buffer }

func (body) Close() error { return nil }

// answer is a response that is being written.
type answer struct {
	header http.Header
	code   int
	body   bytes.Buffer
}

func (a *answer) Header() http.Header         { return a.header }
func (a *answer) Write(p []byte) (int, error) { return a.body.Write(p) }
func (a *answer) WriteHeader(code int)        { a.code = code }

// written is the object that a request wrote: its path says it, but where it was created
// the answer has its name. A subresource is its object.
func (w *wire) written(path string, resp *http.Response) (trace.Ref, bool) {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	switch {
	case len(parts) > 2 && parts[0] == "api":
		parts = parts[2:]
	case len(parts) > 3 && parts[0] == "apis":
		parts = parts[3:]
	default:
		return trace.Ref{}, false
	}
	var ref trace.Ref
	if len(parts) > 2 && parts[0] == "namespaces" {
		ref.Namespace, parts = parts[1], parts[2:]
	}
	for _, r := range w.cluster.Server().Resources() {
		if r.Resource == parts[0] {
			ref.Kind = r.Kind
		}
	}
	if len(parts) > 1 {
		ref.Name = parts[1]
	} else if body, ok := resp.Body.(interface{ Bytes() []byte }); ok {
		if created, _, err := scheme.Codecs.UniversalDeserializer().Decode(body.Bytes(), nil, nil); err == nil {
			if o, err := meta.Accessor(created); err == nil {
				ref.Name = o.GetName()
			}
		}
	}
	return ref, ref.Kind != "" && ref.Name != ""
}

func (w *wire) remember(req *http.Request, resp *http.Response) {
	if req.Method == http.MethodGet || resp.StatusCode >= 300 || req.URL.Query().Get("dryRun") != "" {
		return
	}
	w.wrote = true
	if ref, ok := w.written(req.URL.Path, resp); ok && !slices.Contains(w.objects, ref) {
		w.objects = append(w.objects, ref)
	}
	const eviction = "/eviction"
	switch path := req.URL.Path; {
	case req.Method == http.MethodDelete:
		w.deleted = append(w.deleted, path)
	case len(path) > len(eviction) && path[len(path)-len(eviction):] == eviction:
		w.deleted = append(w.deleted, path[:len(path)-len(eviction)])
	}
}

func (w *wire) isDeleted(u *url.URL) bool {
	for _, path := range w.deleted {
		if path == u.Path {
			return true
		}
	}
	return false
}

// gone asks whether nothing is at a path, without a trace.
func (w *wire) gone(path string) bool { return !w.cluster.Server().Exists(path) }

// watch answers with what happened until now; reading on lets the cluster's clock go on, up to the next change,
// as long as a watch may last here.
func (w *wire) watch(req *http.Request) (*http.Response, error) {
	stream, head := w.cluster.Server().OpenWatch(sim.Admin(), req)
	if stream != nil {
		until := w.cluster.Now()
		if !w.looks {
			until = until.Add(longestWatch)
		}
		head.Body = &watchBody{wire: w, stream: stream, until: until}
	}
	return head, nil
}

// longestWatch is how long a watch lasts on the cluster's clock: kubectl get -w has no end of its own.
const longestWatch = 2 * time.Minute

type watchBody struct {
	wire   *wire
	stream *apiserver.WatchStream
	until  time.Time
	rest   []byte
	closed bool
}

func (b *watchBody) Read(p []byte) (n int, err error) {
	b.wire.mu.Lock()
	defer b.wire.mu.Unlock()
	defer func() { // client-go reads in a goroutine, in which a panic would end the program
		if x := recover(); x != nil {
			b.wire.broken = x
			n, err = 0, io.EOF
		}
	}()
	for len(b.rest) == 0 {
		if b.closed || b.wire.ended || b.wire.broken != nil || b.wire.ctx.Err() != nil {
			return 0, io.EOF
		}
		if b.rest = b.stream.Next(); len(b.rest) > 0 {
			break
		}
		if b.stream.Done() {
			return 0, io.EOF
		}
		next, more := b.wire.cluster.Next()
		if !more || next.After(b.until) {
			_ = b.wire.cluster.AdvanceTo(b.until)
			return 0, io.EOF
		}
		b.wire.cluster.Step()
	}
	n = copy(p, b.rest)
	b.rest = b.rest[n:]
	return n, nil
}

func (b *watchBody) Close() error {
	b.wire.mu.Lock()
	defer b.wire.mu.Unlock()
	b.closed = true
	return nil
}

// getter is where kubectl gets its clients from.
type getter struct {
	namespace string
	config    *rest.Config
	down      func() bool // the API server is
	as        rest.ImpersonationConfig
}

func newGetter(w *wire, errs io.Writer) *getter {
	return &getter{down: w.cluster.Server().Down, config: &rest.Config{
		Host: serverURL, Transport: w, QPS: -1, UserAgent: "kubectl/v1.37.2 (linux/amd64) kubernetes",
		WarningHandler: rest.NewWarningWriter(errs, rest.WarningWriterOptions{Deduplicate: true}),
	}}
}

func (g *getter) ToRESTConfig() (*rest.Config, error) {
	c := rest.CopyConfig(g.config)
	c.Impersonate = g.as
	return c, nil
}

func (g *getter) ToDiscoveryClient() (discovery.CachedDiscoveryInterface, error) {
	known, err := known()
	if err == nil && g.down() {
		return g.outage(known.discovery)
	}
	return known.discovery, err
}

func (g *getter) ToRESTMapper() (meta.RESTMapper, error) {
	known, err := known()
	if err != nil {
		return nil, err
	}
	return restmapper.NewShortcutExpander(known.mapper, known.discovery, nil), nil
}

func (g *getter) ToRawKubeConfigLoader() clientcmd.ClientConfig {
	config := clientcmdapi.NewConfig()
	config.Clusters["timonier"] = &clientcmdapi.Cluster{Server: serverURL}
	config.Contexts["timonier"] = &clientcmdapi.Context{Cluster: "timonier"}
	config.CurrentContext = "timonier"
	overrides := &clientcmd.ConfigOverrides{Context: clientcmdapi.Context{Namespace: g.namespace}}
	return clientcmd.NewDefaultClientConfig(*config, overrides)
}

var _ genericclioptions.RESTClientGetter = (*getter)(nil)

// api is what every cluster's API server says of itself. All serve the same kinds, so it is asked once.
type api struct {
	discovery discovery.CachedDiscoveryInterface
	mapper    meta.RESTMapper
}

var known = sync.OnceValues(func() (api, error) {
	server, err := apiserver.New(apiserver.Config{Store: etcd.New(), Trace: &trace.Recorder{},
		Now: func() time.Time { return time.Time{} }, Rand: rand.New(rand.NewPCG(0, 0))})
	if err != nil {
		return api{}, err
	}
	client, err := discovery.NewDiscoveryClientForConfig(&rest.Config{Host: serverURL, QPS: -1,
		Transport: &direct{handler: server.Handler(sim.Admin())}})
	if err != nil {
		return api{}, fmt.Errorf("make discovery client: %w", err)
	}
	cached := orderly{memory.NewMemCacheClient(client)}
	return api{cached, restmapper.NewDeferredDiscoveryRESTMapper(cached)}, nil
})

// orderly is a cached discovery that lists groups in the server's order, as kubectl's own cache on disk does. The
// cache in memory alone lists them in the order of a map.
type orderly struct {
	discovery.CachedDiscoveryInterface
}

func (o orderly) ServerGroupsAndResources() ([]*metav1.APIGroup, []*metav1.APIResourceList, error) {
	return discovery.ServerGroupsAndResources(o)
}

func (o orderly) ServerPreferredResources() ([]*metav1.APIResourceList, error) {
	return discovery.ServerPreferredResources(o)
}

func (o orderly) ServerPreferredNamespacedResources() ([]*metav1.APIResourceList, error) {
	return discovery.ServerPreferredNamespacedResources(o)
}

// direct carries requests to a handler, one at a time.
type direct struct {
	mu      sync.Mutex
	handler http.Handler
}

func (d *direct) RoundTrip(req *http.Request) (*http.Response, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return serve(d.handler, req), nil
}
