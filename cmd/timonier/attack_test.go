package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"timonier/bot"
)

// hasty are limits of a site for a test: what they end, ends soon.
func hasty() siteLimits {
	return siteLimits{header: 200 * time.Millisecond, whole: 300 * time.Millisecond, answer: 300 * time.Millisecond, idle: time.Minute, headerBytes: 4 << 10, connections: 4}
}

// eventually bounds waits of a machine that is busy with other things.
const eventually = 30 * time.Second

// attacked is a site that answers, with the program's own paths and one of the test's.
func attacked(t *testing.T, limits siteLimits, handler http.HandlerFunc) (address string) {
	t.Helper()
	s := &service{logger: slog.New(slog.DiscardHandler), metrics: bot.NewMetrics(), check: func(context.Context) error { return nil }}
	mux := http.NewServeMux()
	s.health(mux)
	if handler != nil {
		mux.Handle("/handler", handler)
	}
	one, err := newSite("127.0.0.1:0", mux, s.logger, limits)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- one.serve() }()
	t.Cleanup(func() {
		if err := one.close(context.Background()); err != nil {
			t.Error(err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return one.address()
}

// visit opens a connection and sends what is given.
func visit(t *testing.T, address, text string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(eventually))
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	return c
}

// toTheEnd is all that still comes of a connection, to its end.
func toTheEnd(t *testing.T, c net.Conn) string {
	t.Helper()
	all, err := io.ReadAll(c)
	if n, ok := err.(net.Error); ok && n.Timeout() {
		t.Error("the connection is kept")
	}
	return string(all) // cut off, it is as good as ended
}

const wellAsked = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"

// TestSlowClients: whoever sends or takes slowly is cut off.
func TestSlowClients(t *testing.T) {
	ended := make(chan error, 1)
	address := attacked(t, hasty(), func(w http.ResponseWriter, r *http.Request) {
		_, err := io.ReadAll(r.Body)
		for err == nil { // more than the buffers of any connection hold
			_, err = w.Write(make([]byte, 1<<20))
		}
		ended <- err
	})
	for name, text := range map[string]string{
		"nothing":    "",
		"a line":     "GET /healthz HTTP/1.1\r\n",
		"a header":   "GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: b\r\n",
		"no newline": "GET /healthz HTTP/1.1\r\nHost: " + strings.Repeat("x", 1000),
	} {
		t.Run(name, func(t *testing.T) { toTheEnd(t, visit(t, address, text)) })
	}
	t.Run("body", func(t *testing.T) {
		toTheEnd(t, visit(t, address, "POST /handler HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc"))
		if err := <-ended; err == nil {
			t.Error("half a body is read as a whole one")
		}
		toTheEnd(t, visit(t, address, "POST /handler HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"))
		<-ended
		toTheEnd(t, visit(t, address, "POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc")) // which nobody reads
	})
	t.Run("reader", func(t *testing.T) {
		visit(t, address, "GET /handler HTTP/1.1\r\nHost: x\r\n\r\n") // and reads nothing
		if err := <-ended; err == nil {
			t.Error("it was all taken")
		}
	})
}

// TestCrowd: connections that are kept for nothing keep nobody out, nor do those that are slow for long.
func TestCrowd(t *testing.T) {
	limits := hasty()
	address := attacked(t, limits, nil)
	answered := func() {
		c := visit(t, address, wellAsked)
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("%v %v", resp, err)
		}
		resp.Body.Close()
	}
	for range 3 * limits.connections {
		answered() // and the connection stays
	}
	for range 2 * limits.connections {
		visit(t, address, "GET /healthz HTTP/1.1\r\n") // and never more
	}
	answered()
}

// TestWhatNoClientSends: what no client of ours sends is refused, and says nothing of what answers.
func TestWhatNoClientSends(t *testing.T) {
	limits := hasty()
	limits.connections = 64
	address := attacked(t, limits, nil)
	for name, k := range map[string]struct {
		text   string
		status string
	}{
		"long header":     {"GET /healthz HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("a", 20<<10) + "\r\n\r\n", "431"},
		"HTTP/2":          {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "400"},
		"upgrade":         {"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n", "200"}, // by HTTP/1
		"no host":         {"GET /healthz HTTP/1.1\r\n\r\n", "400"},
		"two hosts":       {"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400"},
		"two lengths":     {"POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", "400"},
		"both lengths":    {"POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: gzip\r\n\r\n", "501"},
		"options":         {"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", "400"},
		"trace":           {"TRACE /healthz HTTP/1.1\r\nHost: x\r\n\r\n", "405"},
		"connect":         {"CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\r\n", "404"},
		"post":            {"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", "405"},
		"a proxy":         {"GET http://169.254.169.254/latest/meta-data/ HTTP/1.1\r\nHost: x\r\n\r\n", "404"},
		"unknown":         {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "404"},
		"files":           {"GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n", "30"},
		"encoded":         {"GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n", "404"},
		"debug":           {"GET /debug/pprof/ HTTP/1.1\r\nHost: x\r\n\r\n", "404"},
		"below":           {"GET /healthz/ HTTP/1.1\r\nHost: x\r\n\r\n", "404"},
		"somebody's host": {"GET //healthz HTTP/1.1\r\nHost: evil.example\r\n\r\n", "30"},
	} {
		t.Run(name, func(t *testing.T) {
			c := visit(t, address, k.text)
			head, body, _ := strings.Cut(readOne(t, c), "\r\n\r\n")
			if !strings.HasPrefix(head, "HTTP/1.") || !strings.HasPrefix(head[min(9, len(head)):], k.status) {
				t.Errorf("want %s, got\n%s", k.status, head)
			}
			for _, telling := range []string{"Server:", "X-Powered-By", "Go/", "evil.example", "root:"} {
				if strings.Contains(head+body, telling) {
					t.Errorf("it says %q:\n%s\n\n%s", telling, head, body)
				}
			}
			if k.status == "200" || k.status == "404" || k.status == "405" {
				for _, wanted := range []string{"X-Content-Type-Options: nosniff", "Cache-Control: no-store", "Content-Security-Policy: default-src 'none'"} {
					if !strings.Contains(head, wanted) {
						t.Errorf("no %s in\n%s", wanted, head)
					}
				}
			}
		})
	}
}

// readOne is the answer that comes over a connection: its head and what comes with it.
func readOne(t *testing.T, c net.Conn) string {
	t.Helper()
	b := make([]byte, 64<<10)
	n := 0
	for !strings.Contains(string(b[:n]), "\r\n\r\n") {
		m, err := c.Read(b[n:])
		n += m
		if err != nil {
			break
		}
	}
	return string(b[:n])
}

// TestAttackedAPI: the API's server asks for its token before anything else, whoever sends what, and is as impatient.
func TestAttackedAPI(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cluster, err := apiOptions{nodes: 1, speed: 1}.cluster(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	id, err := newIdentity(listener.Addr())
	if err != nil {
		t.Fatal(err)
	}
	limits := hasty()
	limits.header, limits.connections = 3*time.Second, 16 // it holds for the handshake too
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- serveAPI(ctx, listener, newLive(cluster, 1), id, limits, io.Discard) }()
	defer func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	secure := func(text string, protocols ...string) net.Conn {
		c, err := tls.Dial("tcp", id.address, &tls.Config{InsecureSkipVerify: true, NextProtos: protocols})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		_ = c.SetDeadline(time.Now().Add(eventually))
		if _, err := io.WriteString(c, text); err != nil {
			t.Fatal(err)
		}
		return c
	}
	bearer := "Authorization: Bearer " + id.token + "\r\n"
	for name, text := range map[string]string{
		"slow header":           "GET /api HTTP/1.1\r\nHost: x\r\n",
		"unknown, slow body":    "POST /api/v1/namespaces HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc",
		"slow body":             "POST /api/v1/namespaces HTTP/1.1\r\nHost: x\r\n" + bearer + "Content-Type: application/json\r\nContent-Length: 100\r\n\r\nabc",
		"slow body of a delete": "DELETE /api/v1/namespaces/a HTTP/1.1\r\nHost: x\r\n" + bearer + "Content-Length: 100\r\n\r\n{",
	} {
		t.Run(name, func(t *testing.T) {
			if said := toTheEnd(t, secure(text)); strings.HasPrefix(said, "HTTP/1.1 2") {
				t.Error(said)
			}
		})
	}
	t.Run("no TLS", func(t *testing.T) { toTheEnd(t, visit(t, id.address, "GET /api HTTP/1.1\r\nHost: x\r\n\r\n")) })
	t.Run("no handshake", func(t *testing.T) { toTheEnd(t, visit(t, id.address, "\x16\x03\x01")) })
	for _, path := range []string{"/", "/api", "/version", "/openapi/v3", "/healthz", "/metrics", "/apis/../api/v1/secrets", "/api/v1/namespaces/a/pods/b/exec", "/debug/pprof/", "//api", "/%2e%2e/"} {
		for _, header := range []string{"", "Authorization: Basic " + id.token, "Authorization: Bearer", "Authorization: Bearer " + id.token[1:], "Authorization: " + id.token, "X-Remote-User: kubernetes-admin", "Impersonate-User: kubernetes-admin"} {
			if header != "" {
				header += "\r\n"
			}
			said := readOne(t, secure("GET "+path+" HTTP/1.1\r\nHost: x\r\n"+header+"Connection: close\r\n\r\n"))
			if !strings.HasPrefix(said, "HTTP/1.1 401") {
				t.Errorf("%s with %q: %s", path, header, said)
			}
		}
	}
	t.Run("long header", func(t *testing.T) {
		limit := fmt.Sprintf("GET /api HTTP/1.1\r\nHost: x\r\n%sX: %s\r\n\r\n", bearer, strings.Repeat("a", 100<<10))
		if said := readOne(t, secure(limit)); !strings.HasPrefix(said, "HTTP/1.1 431") {
			t.Errorf("%.100s", said)
		}
	})
	t.Run("a watch outlives them", func(t *testing.T) {
		watch := bufio.NewReader(secure("GET /api/v1/namespaces?watch=1 HTTP/1.1\r\nHost: x\r\n" + bearer + "\r\n"))
		until := func(text string) {
			for {
				line, err := watch.ReadString('\n')
				if err != nil {
					t.Fatalf("no %s: %v", text, err)
				}
				if strings.Contains(line, text) {
					return
				}
			}
		}
		until(`"ADDED"`)
		for range 3 { // each ends when its time is over: together they take longer than any
			toTheEnd(t, secure("POST /api/v1/namespaces HTTP/1.1\r\nHost: x\r\n"+bearer+"Content-Length: 100\r\n\r\nabc"))
		}
		const made = `{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"late"}}`
		for said, began := "", time.Now(); !strings.HasPrefix(said, "HTTP/1.1 201") && !strings.HasPrefix(said, "HTTP/1.1 409"); { // on a busy machine, the answer may be late
			if time.Since(began) > eventually {
				t.Fatal(said)
			}
			said = readOne(t, secure(fmt.Sprintf("POST /api/v1/namespaces HTTP/1.1\r\nHost: x\r\n%sContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", bearer, len(made), made)))
		}
		until(`"late"`)
	})
}
