package bot

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"

	"timonier/sim/apiserver"
)

// slowly is a connection's other end that notes until when what is written may take, and what is read.
type slowly struct {
	*httptest.ResponseRecorder
	mu       sync.Mutex
	deadline time.Time
	reading  time.Time
	flushed  chan struct{}
}

func (s *slowly) SetReadDeadline(at time.Time) error {
	s.reading = at
	return nil
}

func (s *slowly) SetWriteDeadline(at time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deadline = at
	if at.IsZero() && s.Flushed {
		select {
		case s.flushed <- struct{}{}:
		default:
		}
	}
	return nil
}

func (s *slowly) bounded() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.deadline.IsZero()
}

// unending is a body that never ends, and tells when it is read.
type unending struct{ read func(n int) error }

func (u unending) Read(p []byte) (int, error) {
	clear(p)
	return len(p), u.read(len(p))
}

// ask is a request with a token, of this process.
func (d *doorway) ask(token, method, path string, body io.Reader) *http.Request {
	r := httptest.NewRequestWithContext(d.ctx, method, "https://timonier.example"+path, body)
	r.Header.Set("Authorization", "Bearer "+token)
	return r
}

// A stream of HTTP/2 whose time is up ends, even where nothing waits to be sent: a watch of what is quiet has none. An answer has
// one, and does not go by that of the connection's answer before.
func TestOutsideWatchMayBeQuiet(t *testing.T) {
	d := newDoorway(t)
	_, config := d.enters("ana", "/kubeconfig")
	d.does("ana", "/temps pause")
	w := &slowly{ResponseRecorder: httptest.NewRecorder(), flushed: make(chan struct{}, 1)}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		d.tutor.Outside().ServeHTTP(w, d.ask(config.BearerToken, "GET", "/api/v1/configmaps?watch=1", nil))
	}()
	for !w.isQuiet(d) {
	}
	if w.bounded() {
		t.Error("a watch over which nothing comes has a deadline")
	}
	d.tutor.Close()
	<-ended

	d.begin(Unlimited())
	for _, token := range []string{"wrong", config.BearerToken} {
		w := &slowly{ResponseRecorder: httptest.NewRecorder()}
		w.deadline = time.Now().Add(-time.Minute)
		d.tutor.Outside().ServeHTTP(w, d.ask(token, "GET", "/api/v1/configmaps", nil))
		if w.deadline.Before(time.Now()) {
			t.Errorf("%.5s…: the answer's deadline is %v", token, w.deadline)
		}
	}
}

// What comes with a request has a time to come in, whoever sends it and whether it is of use or not; over it, the connection is closed.
func TestOutsideBodiesHaveATime(t *testing.T) {
	d := newDoorway(t)
	_, config := d.enters("ana", "/kubeconfig")
	for _, method := range []string{"GET", "POST", "DELETE"} {
		w, late := &slowly{ResponseRecorder: httptest.NewRecorder()}, 0
		func() {
			defer func() {
				if recover() != http.ErrAbortHandler {
					t.Errorf("%s: half a body is answered: %d", method, w.Code)
				}
			}()
			d.tutor.Outside().ServeHTTP(w, d.ask(config.BearerToken, method, "/api/v1/namespaces/default/configmaps?watch=1", unending{func(int) error {
				if late++; w.reading.IsZero() || late > 3 {
					return fmt.Errorf("late")
				}
				return nil
			}}))
		}()
		if late != 4 {
			t.Errorf("%s: read %d times before it was late", method, late)
		}
	}
	dialled := func(text string) string {
		c, err := tls.Dial("tcp", d.server.Listener.Addr().String(), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		at, _ := d.ctx.Deadline()
		if err := c.SetDeadline(at); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(c, text); err != nil {
			t.Fatal(err)
		}
		said, err := io.ReadAll(c)
		if n, ok := err.(net.Error); ok && n.Timeout() {
			t.Errorf("the connection is kept: %s", text)
		}
		return string(said)
	}
	for _, head := range []string{"GET /api/v1/pods HTTP/1.1\r\nHost: x\r\n", "POST /api/v1/pods HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer timonier-no\r\n"} {
		for _, length := range []string{"Content-Length: 10", "Transfer-Encoding: chunked"} {
			if said := dialled(head + length + "\r\n\r\n"); !strings.HasPrefix(said, "HTTP/1.1 401 ") { // and nothing more comes
				t.Errorf("%s%s: %s", head, length, said)
			}
		}
	}
}

// A body is read as far as it takes to see that it is too long, and few long ones at once.
func TestOutsideBodiesHaveASize(t *testing.T) {
	d := newDoorway(t)
	_, config := d.enters("ana", "/kubeconfig")
	for _, tt := range []struct {
		method   string
		others   int // long ones
		code     int
		mostRead int
	}{
		{"POST", 0, http.StatusRequestEntityTooLarge, apiserver.MaxBodyBytes + 1},
		{"POST", mostLaden - 1, http.StatusRequestEntityTooLarge, apiserver.MaxBodyBytes + 1},
		{"POST", mostLaden, http.StatusTooManyRequests, largeBody},
		{"GET", mostLaden, http.StatusOK, apiserver.MaxBodyBytes + 1},
	} {
		var leave []func()
		for range tt.others {
			done, ok := d.tutor.outside.carry()
			if !ok {
				t.Fatal("none at all")
			}
			leave = append(leave, done)
		}
		read := 0
		r := d.ask(config.BearerToken, tt.method, "/api/v1/namespaces/default/configmaps", unending{func(n int) error { read += n; return nil }})
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		d.tutor.Outside().ServeHTTP(w, r)
		if w.Code != tt.code || read > tt.mostRead {
			t.Errorf("%+v: %d after %d bytes: %s", tt, w.Code, read, w.Body)
		}
		for _, done := range leave {
			done()
		}
		if d.tutor.outside.laden != 0 {
			t.Fatalf("%+v: %d are counted still", tt, d.tutor.outside.laden)
		}
	}
}

// isQuiet says that all that there was has been sent.
func (s *slowly) isQuiet(d *doorway) bool {
	select {
	case <-s.flushed:
		return true
	case <-d.ctx.Done():
		d.t.Fatal("the watch sends nothing")
	}
	return false
}

// Open watches keep a cluster's time going for an hour at most with nobody asking for anything else; those that are opened where
// others have ended are no exception. Then it goes on once somebody does.
func TestOutsideWatchesKeepTheClockForAnHour(t *testing.T) {
	for _, how := range []string{"open all along", "opened anew"} {
		t.Run(how, func(t *testing.T) {
			d := newDoorway(t)
			var past atomic.Int64
			begun := time.Now()
			d.tutor.Close()
			d.tutor = New(Config{Outside: d.outside, Store: d.store, Limits: Limits{Rates: Unlimited()}, Now: func() time.Time { return begun.Add(time.Duration(past.Load())) }})
			ana, _ := d.enters("ana", "/kubeconfig")
			now := func() (at time.Time, revision string) {
				c, err := ana.CoreV1().ConfigMaps("default").Create(d.ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{GenerateName: "m-"}}, metav1.CreateOptions{})
				if err != nil {
					t.Fatal(err)
				}
				return c.CreationTimestamp.Time, c.ResourceVersion
			}
			first, revision := now()
			span := int64(1_000_000)
			open := func() watch.Interface {
				w, err := ana.CoreV1().ConfigMaps("default").Watch(d.ctx, metav1.ListOptions{ResourceVersion: revision, AllowWatchBookmarks: true, TimeoutSeconds: &span})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(w.Stop)
				return w
			}
			w := open()
			for range 18 { // three hours
				past.Add(int64(10 * time.Minute))
				if how == "opened anew" {
					w.Stop()
					w = open()
					continue
				}
				d.tutor.outside.ring(Place{Platform: "test", Tenant: d.tenant, Channel: d.channel})
				e := d.next(w, "a bookmark", func(e watch.Event) bool { return e.Type != watch.Added })
				if e.Type != watch.Bookmark {
					t.Fatalf("no bookmark: %v", e)
				}
			}
			last, _ := now() // and what it gains by being used again
			if went := last.Sub(first); went < watchKeeps || went > watchKeeps+idleAfter+time.Minute {
				t.Errorf("in three hours the cluster's time went on by %v", went)
			}
			past.Add(int64(10 * time.Minute))
			if again, _ := now(); again.Sub(last) < 10*time.Minute-time.Second {
				t.Errorf("asked for something, it went on by %v", again.Sub(last))
			}
		})
	}
}

// Too many watches or requests at once with one kubeconfig are told so, and when to come again; another's go on.
func TestOutsideBoundsWhatIsOpen(t *testing.T) {
	d := newDoorway(t)
	_, config := d.enters("ana", "/kubeconfig")
	_, other := d.enters("bea", "/kubeconfig")
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}}
	t.Cleanup(client.CloseIdleConnections)
	open := func(token string) (code int, after string, end func() error) {
		r, err := http.NewRequestWithContext(d.ctx, "GET", d.server.URL+"/api/v1/configmaps?watch=1", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+token)
		resp, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, resp.Header.Get("Retry-After"), resp.Body.Close
	}
	var last func() error
	for i := range mostWatchesOfOne {
		code, _, end := open(config.BearerToken)
		if code != http.StatusOK {
			t.Fatalf("watch %d: %d", i+1, code)
		}
		last = end
		t.Cleanup(func() { _ = end() })
	}
	code, after, end := open(config.BearerToken)
	if _ = end(); code != http.StatusTooManyRequests || after != "1" {
		t.Errorf("one too many: %d, Retry-After %q", code, after)
	}
	if code, _, end := open(other.BearerToken); code != http.StatusOK || end() != nil {
		t.Errorf("another's: %d", code)
	}
	_ = last()
	for code = 0; code != http.StatusOK && d.ctx.Err() == nil; _ = end() { // until it is seen to have ended
		code, _, end = open(config.BearerToken)
	}
	if code != http.StatusOK {
		t.Errorf("once another has ended: %d", code)
	}

	// Requests that are being received.
	var going sync.WaitGroup
	var slow []*io.PipeWriter
	codes := make(chan int, mostVisitsOfOne)
	for i := range mostVisitsOfOne {
		body, in := io.Pipe()
		slow = append(slow, in)
		going.Go(func() {
			r := d.ask(config.BearerToken, "POST", "/api/v1/namespaces/default/configmaps", body)
			r.Header.Set("Content-Type", "application/json")
			w := httptest.NewRecorder()
			d.tutor.Outside().ServeHTTP(w, r)
			codes <- w.Code
		})
		fmt.Fprintf(in, `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"m%d"}`, i) // which is read, as it is inside
	}
	if code, got := d.get(config.BearerToken); code != http.StatusTooManyRequests || !strings.Contains(got, "Retry-After:[1]") {
		t.Errorf("one request too many: %d %s", code, got)
	}
	if code, _ := d.get(other.BearerToken); code != http.StatusOK {
		t.Errorf("another's: %d", code)
	}
	for _, in := range slow {
		fmt.Fprint(in, "}")
		in.Close()
	}
	going.Wait()
	for range mostVisitsOfOne {
		if code := <-codes; code != http.StatusCreated {
			t.Errorf("those that were inside: %d", code)
		}
	}
	if code, _ := d.get(config.BearerToken); code != http.StatusOK {
		t.Errorf("once they are done: %d", code)
	}
}

// What is all of one channel's, and of all channels, is bounded as well, and given back.
func TestOutsideBoundsAllTogether(t *testing.T) {
	var o outside
	here := Place{Channel: "here"}
	for i := range mostWatchesHere {
		if !o.mayWatch(here, fmt.Sprint(i)) {
			t.Fatal(i)
		}
	}
	if o.mayWatch(here, "more") {
		t.Error("a channel has more")
	}
	for i := range mostWatches - mostWatchesHere {
		if !o.mayWatch(Place{Channel: fmt.Sprint(i)}, "elsewhere"+fmt.Sprint(i)) {
			t.Fatal(i)
		}
	}
	if o.mayWatch(Place{Channel: "last"}, "last") {
		t.Error("all have more")
	}
	o.unwatch(here, "0")
	if !o.mayWatch(here, "more") {
		t.Error("what was given back cannot be had")
	}
	var leave []func()
	for i := range mostVisits {
		l, ok := o.enter(fmt.Sprint(i))
		if !ok {
			t.Fatal(i)
		}
		leave = append(leave, l)
	}
	if _, ok := o.enter("more"); ok {
		t.Error("more requests at once")
	}
	leave[0]()
	leave[0]() // counts once
	if _, ok := o.enter("more"); !ok {
		t.Error("what was left cannot be entered")
	}
	if _, ok := o.enter("more still"); ok {
		t.Error("one was counted twice")
	}
}

// What somebody may not do explains nothing to the others, and has nothing written.
func TestOutsideRefusedLeavesNoTrace(t *testing.T) {
	d := newDoorway(t)
	ana, _ := d.enters("ana", "/kubeconfig")
	d.does("prof", "/réglages salon changer enseignants")
	d.does("prof", "/temps pause")
	d.does("prof", "/kubectl create configmap taught")
	before := func(c *kubernetes.Clientset) error {
		_, err := c.CoreV1().ConfigMaps("default").Create(d.ctx, configMap("refused"), metav1.CreateOptions{})
		return err
	}
	if err := before(ana); !apierrors.IsForbidden(err) { // notes when the kubeconfig was used
		t.Fatal(err)
	}
	commits := d.store.commits
	for range 5 {
		if err := before(ana); !apierrors.IsForbidden(err) {
			t.Fatal(err)
		}
	}
	if got := d.store.commits - commits; got > 0 {
		t.Errorf("5 refusals: %d commits", got)
	}
	if why := plainText(d.does("bea", "/pourquoi")); !strings.Contains(why, "taught") || strings.Contains(why, "extérieur") {
		t.Errorf("/pourquoi explains %s", why)
	}
}

// An informer, which lists and watches and watches on, goes on with the new cluster where a channel's has been replaced.
func TestOutsideInformerGoesOnWithAnotherCluster(t *testing.T) {
	d := newDoorway(t)
	client, _ := d.enters("ana", "/kubeconfig")
	factory := informers.NewSharedInformerFactory(client, 0)
	maps := factory.Core().V1().ConfigMaps().Lister().ConfigMaps("default")
	factory.StartWithContext(d.ctx)
	until := func(name string, there bool) {
		t.Helper()
		for tick := time.NewTicker(20 * time.Millisecond); ; <-tick.C {
			_, err := maps.Get(name)
			if (err == nil) == there {
				return
			}
			if d.ctx.Err() != nil {
				t.Fatalf("%s: never %v", name, there)
			}
		}
	}
	d.does("prof", "/kubectl create configmap before")
	until("before", true)
	d.does("prof", "/remise confirme")
	until("before", false)
	d.does("prof", "/kubectl create configmap after")
	until("after", true)
	until("before", false)
}

// A watch lasts as long as its client asks for, half an hour at most.
func TestOutsideWatchLastsAsAsked(t *testing.T) {
	for query, want := range map[string]time.Duration{
		"": longestOpen, "timeoutSeconds=1": time.Second, "timeoutSeconds=0": longestOpen, "timeoutSeconds=-1": longestOpen, "timeoutSeconds=x": longestOpen,
		"timeoutSeconds=1799": 1799 * time.Second, "timeoutSeconds=1801": longestOpen, "timeoutSeconds=9223372036854775807": longestOpen,
	} {
		if got := openFor(httptest.NewRequest("GET", "/api/v1/pods?watch=1&"+query, nil)); got != want {
			t.Errorf("%s: %v", query, got)
		}
	}
}
