package bot

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	authv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// doorway is a class whose clusters are reached from outside, by the machine's own time.
type doorway struct {
	*stage
	server  *httptest.Server
	ctx     context.Context
	channel string
}

func newDoorway(t *testing.T) *doorway {
	s := newStage(t, "fr")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	d := &doorway{stage: s, ctx: ctx, channel: "general"}
	d.shared, d.tenant = true, "school"
	d.server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { d.tutor.Outside().ServeHTTP(w, r) }))
	d.server.EnableHTTP2 = true
	d.server.StartTLS()
	d.outside = &Outside{Server: d.server.URL}
	d.begin(Unlimited())
	t.Cleanup(func() {
		d.tutor.Close() // which ends the watches
		cancel()
		d.server.Close()
	})
	return d
}

// begin has a new tutor in place of the one before, on the same store.
func (d *doorway) begin(r Rates) {
	d.tutor.Close()
	d.tutor = New(Config{Outside: d.outside, Store: d.store, Limits: Limits{Rates: r}})
}

// does has a person type a line; the teacher is "prof".
func (d *doorway) does(person, line string) Reply {
	d.t.Helper()
	d.person, d.leads = person, person == "prof"
	r := d.request(line)
	r.Channel = d.channel
	return d.send(r)
}

// enters gives a person a kubeconfig, and the client that it makes.
func (d *doorway) enters(person, line string) (*kubernetes.Clientset, *rest.Config) {
	d.t.Helper()
	r := d.does(person, line)
	if len(r.Files) != 1 || !r.Private {
		d.t.Fatalf("no file in private: %s", plainText(r))
	}
	config, err := clientcmd.RESTConfigFromKubeConfig(r.Files[0].Data)
	if err != nil {
		d.t.Fatal(err)
	}
	config.QPS, config.TLSClientConfig, config.WarningHandler = -1, rest.TLSClientConfig{Insecure: true}, rest.NoWarnings{}
	return kubernetes.NewForConfigOrDie(config), config
}

// ask is a bare request: its status, and all of the answer but the date.
func (d *doorway) get(token string) (int, string) {
	d.t.Helper()
	req, err := http.NewRequestWithContext(d.ctx, http.MethodGet, d.server.URL+"/api/v1/pods", nil)
	if err != nil {
		d.t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		d.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	resp.Header.Del("Date")
	return resp.StatusCode, fmt.Sprint(resp.Header, string(body))
}

func configMap(name string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name}}
}

// What a token may do is what its person may do in the chat, at the moment of each request.
func TestOutsideFollowsRights(t *testing.T) {
	d := newDoorway(t)
	ana, anas := d.enters("ana", "/kubeconfig")
	prof, _ := d.enters("prof", "/kubeconfig")
	maps := func(c *kubernetes.Clientset) error {
		_, err := c.CoreV1().ConfigMaps("default").Create(d.ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{GenerateName: "m-"}}, metav1.CreateOptions{})
		return err
	}
	may := func(c *kubernetes.Clientset) bool {
		ask := &authv1.SelfSubjectAccessReview{Spec: authv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &authv1.ResourceAttributes{Verb: "delete", Resource: "pods", Namespace: "default"}}}
		got, err := c.AuthorizationV1().SelfSubjectAccessReviews().Create(d.ctx, ask, metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return got.Status.Allowed
	}
	if err := maps(ana); err != nil || !may(ana) {
		t.Errorf("where all may: %v", err)
	}
	d.does("ana", "/kubectl create clusterrolebinding planted --clusterrole=cluster-admin --user=kubeconfig:1 --group=system:authenticated") // for later
	d.does("prof", "/réglages salon changer enseignants")
	err := maps(ana)
	if want := `configmaps is forbidden: User "kubeconfig:1" cannot create resource "configmaps" in API group "" in the namespace "default"`; !apierrors.IsForbidden(err) || err.Error() != want {
		t.Errorf("where who teaches may: %v", err)
	}
	if may(ana) {
		t.Error("kubectl auth can-i says yes")
	}
	as := rest.CopyConfig(anas)
	as.Impersonate.UserName, as.Impersonate.Groups = "root", []string{"system:masters"}
	if err := maps(kubernetes.NewForConfigOrDie(as)); !apierrors.IsForbidden(err) {
		t.Errorf("as somebody else: %v", err)
	}
	if all, err := ana.CoreV1().Nodes().List(d.ctx, metav1.ListOptions{}); err != nil || len(all.Items) != 3 {
		t.Errorf("to look: %v", err)
	}
	if err := maps(prof); err != nil || !may(prof) {
		t.Errorf("who teaches: %v", err)
	}
	d.does("prof", "/réglages salon changer tous")
	if err := maps(ana); err != nil {
		t.Errorf("where all may again: %v", err)
	}
}

// Whoever has no token that holds gets the same answer, whatever is wrong with it.
func TestOutsideKnowsNobodyWithoutAToken(t *testing.T) {
	d := newDoorway(t)
	_, revoked := d.enters("ana", "/kubeconfig")
	d.does("ana", "/kubeconfig retire 1")
	_, held := d.enters("ana", "/kubeconfig")
	code, want := d.get("")
	if code != http.StatusUnauthorized || !strings.Contains(want, `"reason":"Unauthorized"`) {
		t.Fatal(code, want)
	}
	for what, token := range map[string]string{"wrong": "wrong", "revoked": revoked.BearerToken, "cut short": held.BearerToken[:40], "its hash": tokenHash(held.BearerToken)} {
		if code, got := d.get(token); code != http.StatusUnauthorized || got != want {
			t.Errorf("%s: %d %s, not %s", what, code, got, want)
		}
	}
	if code, _ := d.get(held.BearerToken); code != http.StatusOK {
		t.Errorf("the right one: %d", code)
	}
	at := time.Now().Add(usualHolding + time.Second)
	d.tutor.Close()
	d.tutor = New(Config{Outside: d.outside, Store: d.store, Now: func() time.Time { return at }})
	if code, got := d.get(held.BearerToken); code != http.StatusUnauthorized || got != want {
		t.Errorf("expired: %d %s", code, got)
	}
	if left := d.kept(tokenHash(held.BearerToken)); len(left) > 0 {
		t.Errorf("what has expired is kept: %s", left)
	}
}

// kept is where a text is in the store: in a key, a value, or a reply that is kept.
func (d *doorway) kept(text string) (out []string) {
	m := d.store.memory
	m.mu.Lock()
	defer m.mu.Unlock()
	for scope, k := range m.scopes {
		for key, value := range k.records {
			if strings.Contains(key, text) || bytes.Contains(value, []byte(text)) {
				out = append(out, fmt.Sprint(scope, " ", key))
			}
		}
	}
	for key, reply := range m.answers {
		if bytes.Contains(reply, []byte(text)) {
			out = append(out, fmt.Sprint(key))
		}
	}
	return out
}

// A token is in no record and in no reply that is kept: a request that is delivered again gets the sentences, and no file.
func TestTokenIsNotKept(t *testing.T) {
	d := newDoorway(t)
	d.person = "ana"
	r := d.request("/kubeconfig")
	token := tokenIn(d.send(r))
	if token == "" || len(d.kept(tokenHash(token))) != 2 {
		t.Errorf("%q: its hash is in %v", token, d.kept(tokenHash(token)))
	}
	for _, part := range []string{token, token[len(tokenMark):], "a3ViZWNvbmZpZw"} {
		if where := d.kept(part); len(where) > 0 {
			t.Errorf("%s is kept in %v", part, where)
		}
	}
	again := d.send(r)
	if len(again.Files) > 0 || !strings.Contains(plainText(again), "/kubeconfig retire 1") || !strings.Contains(plainText(again), "qu'une fois") {
		t.Errorf("delivered again: %s", plainText(again))
	}
}

// next is the next event of a watch that will do.
func (d *doorway) next(w watch.Interface, what string, done func(watch.Event) bool) watch.Event {
	d.t.Helper()
	for {
		select {
		case e, ok := <-w.ResultChan():
			if !ok {
				d.t.Fatalf("the watch ended, and never: %s", what)
			}
			if done(e) {
				return e
			}
		case <-d.ctx.Done():
			d.t.Fatalf("never: %s", what)
		}
	}
}

func isNamed(name string) func(watch.Event) bool {
	return func(e watch.Event) bool {
		o, ok := e.Object.(metav1.Object)
		return ok && o.GetName() == name
	}
}

// A watch sees what is done in the chat and from outside, in its channel alone, until its token is taken back.
func TestOutsideWatch(t *testing.T) {
	d := newDoorway(t)
	ana, _ := d.enters("ana", "/kubeconfig")
	bea, _ := d.enters("bea", "/kubeconfig")
	open := func(c *kubernetes.Clientset) watch.Interface {
		w, err := c.CoreV1().ConfigMaps("default").Watch(d.ctx, metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(w.Stop)
		return w
	}
	hers, his := open(ana), open(bea)
	d.channel = "other"
	cid, _ := d.enters("cid", "/kubeconfig")
	elsewhere := open(cid)
	d.channel = "general"
	d.does("bea", "/kubectl create configmap from-chat")
	if _, err := bea.CoreV1().ConfigMaps("default").Create(d.ctx, configMap("from-outside"), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, w := range []watch.Interface{hers, his} {
		d.next(w, "from the chat", isNamed("from-chat"))
		d.next(w, "from outside", isNamed("from-outside"))
	}
	d.does("ana", "/kubeconfig retire miens")
	for range hers.ResultChan() { // until it ends
	}
	if _, err := ana.CoreV1().ConfigMaps("default").List(d.ctx, metav1.ListOptions{}); !apierrors.IsUnauthorized(err) {
		t.Errorf("taken back: %v", err)
	}
	d.does("bea", "/kubectl create configmap more")
	d.next(his, "more", isNamed("more"))

	d.does("prof", "/remise confirme")
	e := d.next(his, "an error", func(e watch.Event) bool { return e.Type == watch.Error })
	if err := apierrors.FromObject(e.Object); !apierrors.IsResourceExpired(err) {
		t.Errorf("the cluster was replaced: %v", err)
	}
	if _, err := bea.CoreV1().ConfigMaps("default").Get(d.ctx, "more", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("in the new cluster: %v", err)
	}
	d.channel = "other"
	d.does("cid", "/kubectl create configmap own")
	e = d.next(elsewhere, "its own", func(e watch.Event) bool { return !isNamed("kube-root-ca.crt")(e) })
	if !isNamed("own")(e) {
		t.Errorf("another channel sees %v", e)
	}
}

// To look costs no commit where nothing has changed; what is written is kept before it is answered, and is there for the next tutor.
func TestOutsideKeepsWhatIsWritten(t *testing.T) {
	d := newDoorway(t)
	ana, config := d.enters("ana", "/kubeconfig")
	d.does("ana", "/temps pause") // nothing changes by itself
	if _, err := ana.CoreV1().Nodes().List(d.ctx, metav1.ListOptions{}); err != nil {
		t.Fatal(err)
	}
	before := d.store.commits
	for range 20 {
		if _, err := ana.CoreV1().Nodes().List(d.ctx, metav1.ListOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	if got := d.store.commits - before; got > 0 {
		t.Errorf("20 looks: %d commits", got)
	}
	if _, err := ana.CoreV1().ConfigMaps("default").Create(d.ctx, configMap("kept"), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	d.begin(Unlimited())
	if _, err := kubernetes.NewForConfigOrDie(config).CoreV1().ConfigMaps("default").Get(d.ctx, "kept", metav1.GetOptions{}); err != nil {
		t.Errorf("after another start: %v", err)
	}
}

// Where too much is asked for, a client is told when to come again, and does.
func TestOutsideHasARate(t *testing.T) {
	d := newDoorway(t)
	_, config := d.enters("ana", "/kubeconfig")
	_, other := d.enters("bea", "/kubeconfig")
	d.begin(Rates{Outside: Rate{3, 0.01}})
	for range 3 {
		if code, _ := d.get(config.BearerToken); code != http.StatusOK {
			t.Fatal(code)
		}
	}
	code, got := d.get(config.BearerToken)
	if code != http.StatusTooManyRequests || !strings.Contains(got, `"retryAfterSeconds":100`) || !strings.Contains(got, "Retry-After:[100]") {
		t.Errorf("%d %s", code, got)
	}
	if code, _ := d.get(other.BearerToken); code != http.StatusOK {
		t.Errorf("another's: %d", code)
	}
}

// Who wants to be forgotten has no kubeconfig any more, in any channel, and no trace of who it was is left.
func TestOutsideForgetsPeople(t *testing.T) {
	d := newDoorway(t)
	const me = "U4711X"
	var tokens []string
	for _, d.channel = range []string{"general", "other"} {
		c, config := d.enters(me, "/kubeconfig")
		if _, err := c.CoreV1().ConfigMaps("default").Create(d.ctx, configMap("mine"), metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		tokens = append(tokens, config.BearerToken)
	}
	data := d.does(me, "/réglages mes-données")
	if len(data.Files) != 1 || bytes.Count(data.Files[0].Data, []byte(`"expires"`)) != 2 || bytes.Contains(data.Files[0].Data, []byte(tokenHash(tokens[0]))) {
		t.Errorf("what is kept: %s", data.Files)
	}
	d.does(me, "/réglages oublie-moi confirme")
	for _, token := range tokens {
		if code, _ := d.get(token); code != http.StatusUnauthorized {
			t.Errorf("a token of who was forgotten: %d", code)
		}
		if where := d.kept(tokenHash(token)); len(where) > 0 {
			t.Errorf("its hash is in %v", where)
		}
	}
	if where := (&classroom{stage: d.stage}).left(me); len(where) > 0 {
		t.Errorf("the ID is in %v", where)
	}
}
