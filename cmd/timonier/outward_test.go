package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"timonier/bot/discord/discordtest"
	"timonier/bot/slack/slacktest"
)

// mayReachOut is where code that is not a test's may open a connection, listen or start a program, and by what. All
// that goes to a platform goes through its front end's one transport and one dialer.
var mayReachOut = map[string][]string{
	"bot/discord/discord.go":  {"net.Dialer", "http.Transport", "http.Client", "http.ProxyFromEnvironment"},
	"bot/discord/link.go":     {"websocket.Dialer", "websocket.Upgrader", "http.Client", "http.ProxyFromEnvironment"}, // the client has nobody to speak to but us
	"bot/discord/client.go":   {"http.Client"},
	"bot/slack/client.go":     {"http.Transport", "http.Client", "http.ProxyFromEnvironment"},
	"bot/slack/socket.go":     {"websocket.Dialer", "http.ProxyFromEnvironment"},
	"cmd/timonier/health.go":  {"http.Transport", "http.Client"}, // of the program's own address
	"cmd/timonier/kubectl.go": {"http.Server"},
	"cmd/timonier/web.go":     {"net.Listen", "http.Server"},
	"cmd/timonier/doctor.go":  {"net.Listen"}, // whether an address is free
	"cmd/timonier/api.go":     {"net.Listen", "http.Server"},
	"cmd/timonier/crowd.go":   {"http.Server"},
}

// waysOut are the names by which a program reaches out, by the package's path; all of a package where there is none.
var waysOut = map[string][]string{
	"net": {"Dial", "DialTimeout", "DialTCP", "DialUDP", "DialIP", "DialUnix", "Dialer", "Listen", "ListenTCP", "ListenUDP", "ListenPacket", "ListenUnix", "ListenConfig",
		"LookupHost", "LookupIP", "LookupAddr", "LookupTXT", "LookupMX", "LookupNS", "LookupSRV", "LookupCNAME", "LookupPort", "Resolver", "DefaultResolver", "ResolveTCPAddr", "ResolveUDPAddr", "ResolveIPAddr"},
	"net/http": {"Get", "Head", "Post", "PostForm", "DefaultClient", "DefaultTransport", "Client", "Transport", "Server", "ListenAndServe", "ListenAndServeTLS", "Serve", "ServeTLS",
		"ProxyFromEnvironment", "ProxyURL", "FileServer", "FileServerFS", "ServeFile", "ServeFileFS", "Dir", "DefaultServeMux", "Handle", "HandleFunc"},
	"github.com/gorilla/websocket": {"Dialer", "DefaultDialer", "Upgrader", "NewClient"},
	"crypto/tls":                   {"Dial", "DialWithDialer", "Dialer", "Listen"},
	"os/exec":                      nil, "net/rpc": nil, "net/smtp": nil, "net/http/pprof": nil, "expvar": nil, "plugin": nil, "net/http/httptest": nil, "net/http/cgi": nil, "net/http/fcgi": nil,
}

// TestWaysOut reads all that is not a test, or a test's platform, for what reaches out elsewhere than it may.
func TestWaysOut(t *testing.T) {
	root := filepath.Join("..", "..")
	stands := []string{"bot/discord/discordtest", "bot/slack/slacktest", "cmd/rehearse"}
	used := map[string]bool{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		name := filepath.ToSlash(strings.TrimPrefix(strings.TrimPrefix(path, root), string(filepath.Separator)))
		switch {
		case err != nil:
			return err
		case d.IsDir() && (slices.Contains(stands, name) || name != "" && d.Name()[0] == '.' || d.Name() == "testdata"):
			return fs.SkipDir
		case !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, way := range outOf(file) {
			if !slices.Contains(mayReachOut[name], way) {
				t.Errorf("%s uses %s", name, way)
			}
			used[name+" "+way] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, ways := range mayReachOut {
		for _, way := range ways {
			if !used[name+" "+way] {
				t.Errorf("%s does not use %s: the table is to say so", name, way)
			}
		}
	}
}

// outOf are the ways out that a file uses.
func outOf(file *ast.File) (ways []string) {
	names := map[string]string{} // a package's path by the name that it has in the file
	for _, i := range file.Imports {
		path := strings.Trim(i.Path.Value, `"`)
		known, isWay := waysOut[path]
		if !isWay {
			continue
		}
		name := path[strings.LastIndexByte(path, '/')+1:]
		if i.Name != nil {
			name = i.Name.Name
		}
		if known == nil || name == "." {
			ways = append(ways, path)
			continue
		}
		names[name] = path
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := s.X.(*ast.Ident); ok && slices.Contains(waysOut[names[x.Name]], s.Sel.Name) {
				path := names[x.Name]
				ways = append(ways, path[strings.LastIndexByte(path, '/')+1:]+"."+s.Sel.Name)
			}
		}
		return true
	})
	return ways
}

// dials are the connections that front ends asked for.
type dials struct {
	mu  sync.Mutex
	all map[string]int
}

func (d *dials) dial(ctx context.Context, network, address string) (net.Conn, error) {
	d.mu.Lock()
	d.all[network+" "+address]++
	d.mu.Unlock()
	return new(net.Dialer).DialContext(ctx, network, address)
}

// nowhere is a transport that nothing may use.
type nowhere struct{ t *testing.T }

func (n nowhere) RoundTrip(r *http.Request) (*http.Response, error) {
	n.t.Errorf("a request to %s by Go's own transport", r.URL.Redacted())
	return nil, errors.New("not this way")
}

// The secrets of the day: whoever sees one of them where it has no business has found a leak.
const (
	pastedSecret  = "canari-colle-7Qx2"
	typedSecret   = "canari-tape-9zk4"
	brokenSecret  = "canari-casse-3Vm8"
	literalSecret = "canari-litteral-5Lp1"
)

// TestADaysTraffic has the whole program serve both platforms, with traffic that has secrets in it and with platforms
// that are in trouble. Every connection is to one of the two; no secret is in the log at its most talkative, in the
// metrics, in what others read, or, of the platforms', in the data file.
func TestADaysTraffic(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes seconds")
	}
	s := newStage(t, "")
	before := http.DefaultTransport
	http.DefaultTransport = nowhere{t}
	resolver := net.DefaultResolver
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(_ context.Context, _, address string) (net.Conn, error) {
		t.Errorf("a name is asked of %s", address)
		return nil, errors.New("not this way")
	}}
	defer func() { http.DefaultTransport, net.DefaultResolver = before, resolver }()

	out := &dials{all: map[string]int{}}
	table := platforms()
	for i := range table {
		makes := table[i].make
		table[i].make = func(got values, with shared) (frontEnd, error) {
			with.dial = out.dial
			return makes(got, with)
		}
	}
	ctx, stop := context.WithCancel(s.ctx)
	defer stop()
	code := make(chan int, 1)
	go func() {
		code <- serveOn(ctx, invocation{[]string{"--listen", "127.0.0.1:0", "--data", s.data, "--log-level", "debug"}, s.env(), nil, &s.written, &s.written}, table)
	}()
	s.connected()
	address := addressInLog.FindStringSubmatch(s.written.String())[1]
	secrets := slices.Concat(s.secrets, s.secretTraffic(address))
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	metrics := body(t, client, "http://"+address+"/metrics")
	stop()
	if got := <-code; got != exitOK {
		t.Errorf("code %d", got)
	}
	secrets = append(secrets, pastedSecret, typedSecret, brokenSecret, literalSecret)
	for _, secret := range secrets {
		for _, form := range []string{secret, base64.StdEncoding.EncodeToString([]byte(secret)), url.QueryEscape(secret)} {
			if strings.Contains(s.written.String(), form) {
				t.Errorf("%q is in the log", form)
			}
			if strings.Contains(metrics, form) {
				t.Errorf("%q is in the metrics", form)
			}
		}
	}
	data, err := os.ReadFile(s.data)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range s.secrets {
		if bytes.Contains(data, []byte(secret)) {
			t.Errorf("%q is in the data file", secret)
		}
	}
	hosts := []string{}
	for _, base := range []string{s.discord.URL(), s.slack.URL()} {
		u, err := url.Parse(base)
		if err != nil {
			t.Fatal(err)
		}
		hosts = append(hosts, "tcp "+u.Host)
	}
	for to, n := range out.all {
		if !slices.Contains(hosts, to) {
			t.Errorf("%d connections to %s", n, to)
		}
	}
	if len(out.all) != len(hosts) {
		t.Errorf("connections to %v, of %v", out.all, hosts)
	}
}

func body(t *testing.T, client *http.Client, from string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, from, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(resp.Body); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// secretTraffic is what people and platforms do that has secrets in it: they are those of the exchanges.
func (s *stage) secretTraffic(address string) (secrets []string) {
	s.t.Helper()
	manifest := "apiVersion: v1\nkind: Secret\nmetadata: {name: colle}\nstringData: {mot: " + pastedSecret + "}\n"
	broken := "apiVersion: v1\nkind: Secret\nmetadata: {name: casse}\ndata: {mot: '" + brokenSecret + "'}\nstringData: [" + brokenSecret + "\n"
	endpoint := "http://" + address + "/discord/interactions"
	onDiscord := func(i discordtest.Interaction, want string) {
		s.t.Helper()
		x := s.discord.Interact(s.ctx, i)
		m, err := x.Until(s.ctx, func(m discordtest.Message) bool { return strings.Contains(m.Text(), want) })
		if err != nil {
			s.t.Errorf("no %q on Discord: %v", want, err)
		}
		if strings.Contains(m.Text(), pastedSecret) {
			s.t.Errorf("told to all:\n%s", m.Text())
		}
		secrets = append(secrets, x.Token)
	}
	given := func(text string) discordtest.Interaction {
		return discordtest.Slash("kubectl", discordtest.String("commande", "apply -f -"), discordtest.Attach("fichier", discordtest.File{Name: "s.yaml", Data: []byte(text)}))
	}
	onDiscord(given(manifest), "secret/colle created")
	onDiscord(given(broken), "error")
	onDiscord(kubectl("create secret generic litteral --from-literal=mot="+literalSecret), "secret/litteral created")
	s.discord.Inject(discordtest.Trouble{Match: "PATCH", Status: http.StatusBadGateway})
	onDiscord(kubectl("create configmap "+typedSecret), "created")
	s.discord.DeliverTo(endpoint)
	s.discord.Inject(discordtest.Trouble{Match: "PATCH", Cut: true})
	onDiscord(kubectl("get secrets"), "litteral")
	s.discord.DeliverTo("")

	inSlack := func(post string, c slacktest.Command, want string) {
		s.t.Helper()
		var x *slacktest.Exchange
		var err error
		if c.User, c.Channel = "U1", "C1"; post == "" {
			x, err = s.slack.Send(s.ctx, c)
		} else {
			x, err = s.slack.Post(s.ctx, post, c)
		}
		s.answered(x, err, want)
		secrets = append(secrets, x.ResponseURL, x.TriggerID)
	}
	inSlack("", slacktest.Command{Name: "/kubectl", Text: "apply -f -\n```" + manifest + "```"}, "secret/colle created")
	inSlack("", slacktest.Command{Name: "/kubectl", Text: "apply -f -\n```" + broken + "```"}, "rror")
	s.slack.Spoil("response_url", 2, slacktest.Trouble{Status: http.StatusInternalServerError})
	s.slack.Spoil("chat.postMessage", 1, slacktest.Trouble{Cut: true})
	inSlack("", slacktest.Command{Name: "/timonier", Text: "réglages"}, "")
	inSlack("http://"+address+"/slack/commands", slacktest.Command{Name: "/kubectl", Text: "create secret generic litteral --from-literal=mot=" + literalSecret}, "secret/litteral created")
	return slices.DeleteFunc(secrets, func(s string) bool { return s == "" })
}
