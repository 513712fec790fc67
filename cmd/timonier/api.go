package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"timonier/content"
	"timonier/sim"
	"timonier/sim/apiserver"
	"timonier/sim/controller"
	"timonier/sim/kubelet"
)

// apiOptions are what the flags of api say.
type apiOptions struct {
	listen string
	nodes  int
	speed  float64
	real   bool // the kubelets
}

const (
	mostNodes = 5000
	mostSpeed = 100_000
	// headStart is how long before the wall's time a cluster begins that goes faster: clients compute ages with their
	// own clock, and none is of something in the future.
	headStart = 7 * 24 * time.Hour
	// graceAPI is how long requests may still take once the program is to end.
	graceAPI = 3 * time.Second
)

// apiLimits are Kubernetes' own (kubernetes.io/docs/setup/best-practices/cluster-large) and etcd's of a request.
func apiLimits() apiserver.Limits {
	return apiserver.Limits{Nodes: mostNodes, Pods: 150_000, Objects: 500_000, ObjectBytes: 3 << 19, Bytes: 2 << 30}
}

// api is the subcommand: one cluster, served until the context ends.
func api(ctx context.Context, in invocation) int {
	o, say, code, ok := readAPIOptions(in)
	if !ok {
		return code
	}
	listener, err := net.Listen("tcp", o.listen)
	if err != nil {
		var short *net.OpError // without the address, which the sentence has
		if errors.As(err, &short) {
			err = short.Err
		}
		return in.fail(say.sentence("serve.nolisten", map[string]any{"Address": o.listen, "Error": oneLine(err)}))
	}
	defer listener.Close()
	cluster, err := o.cluster(time.Now())
	if err != nil {
		return in.fail(say.sentence("api.nocluster", map[string]any{"Error": oneLine(err)}))
	}
	id, err := newIdentity(listener.Addr())
	if err != nil {
		return in.fail(say.sentence("program.failed", map[string]any{"Error": oneLine(err)}))
	}
	if err := serveAPI(ctx, listener, newLive(cluster, o.speed), id, limitsOfAPI(), in.stdout); err != nil {
		return in.fail(say.sentence("api.broken", map[string]any{"Error": oneLine(err)}))
	}
	return exitOK
}

// cluster makes the cluster that is to be served.
func (o apiOptions) cluster(now time.Time) (*sim.Cluster, error) {
	cfg := sim.Config{Nodes: make([]kubelet.NodeSpec, o.nodes), Start: now, Hollow: !o.real, Limits: apiLimits(), Images: content.Images()}
	for i := range cfg.Nodes {
		cfg.Nodes[i] = kubelet.NodeSpec{Name: fmt.Sprintf("node-%d", i+1), Index: i + 1}
	}
	if !o.real {
		cfg.NodeMonitor = controller.NodeMonitor{Period: time.Second, Grace: 10 * time.Second}
	}
	if o.speed > 1 {
		cfg.Start = now.Add(-headStart)
	}
	var seed [8]byte
	if _, err := rand.Read(seed[:]); err != nil {
		return nil, err
	}
	for _, b := range seed {
		cfg.Seed = cfg.Seed<<8 | uint64(b)
	}
	return sim.New(cfg)
}

// serveAPI answers until the context ends, and prints the kubeconfig once it does. An error: the cluster has failed.
func serveAPI(ctx context.Context, listener net.Listener, l *live, id *identity, limits siteLimits, out io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	server := &http.Server{
		Handler:           timed(id.require(l.handler()), limits),
		TLSConfig:         id.tls(),
		ReadHeaderTimeout: limits.header,
		IdleTimeout:       limits.idle,
		MaxHeaderBytes:    limits.headerBytes,
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: 100, SendPingTimeout: time.Minute, WriteByteTimeout: limits.answer},
		BaseContext:       func(net.Listener) context.Context { return ctx }, // watches end with it
		ErrorLog:          discardLog(),
	}
	served, ticked := make(chan error, 1), make(chan error, 1)
	go func() { served <- server.ServeTLS(newCrowd(listener, limits.connections, server), "", "") }()
	go func() { ticked <- l.run(ctx) }()
	_, err := io.WriteString(out, id.kubeconfig())
	if err == nil {
		select {
		case <-ctx.Done():
		case err = <-served:
			served <- err
		case err = <-ticked:
			ticked <- err
		}
	}
	cancel()
	polite, done := context.WithTimeout(context.Background(), graceAPI)
	defer done()
	if server.Shutdown(polite) != nil {
		server.Close() // whoever reads so slowly is cut off
	}
	<-served
	if failed := <-ticked; failed != nil {
		return failed
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// limitsOfAPI bound what its clients may ask: more than of a site that platforms alone know, as a watch holds its
// connection for as long as it likes, and a list of a large cluster takes its time.
func limitsOfAPI() siteLimits {
	return siteLimits{header: 10 * time.Second, whole: time.Minute, answer: 2 * time.Minute, idle: 2 * time.Minute, headerBytes: 64 << 10, connections: 512}
}

// timed gives a request's body a time to come in and its answer one to be taken; a watch's has none. The server's
// own times would end watches too.
func timed(next http.Handler, limits siteLimits) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var read, write time.Time
		if !apiserver.IsWatch(r) {
			write = time.Now().Add(limits.whole + limits.answer)
		}
		if r.ContentLength != 0 {
			read = time.Now().Add(limits.whole)
		}
		of := http.NewResponseController(w) // every connection of ours knows deadlines
		_ = of.SetReadDeadline(read)
		_ = of.SetWriteDeadline(write)
		next.ServeHTTP(w, r)
	})
}

// readAPIOptions reads the flags. ok is false where the program is to end with the code.
func readAPIOptions(in invocation) (o apiOptions, say voice, code int, ok bool) {
	flags := &flag.FlagSet{}
	flags.StringVar(&o.listen, "listen", "127.0.0.1:6443", "")
	nodes := flags.String("nodes", "3", "")
	speed := flags.String("speed", "1", "")
	kubelets := flags.String("kubelets", "hollow", "")
	say, _, code, ok = in.parse(flags, func(say voice) string { return say.word("api.usage") })
	if !ok {
		return o, say, code, false
	}
	value := func(option, value, expected string) (apiOptions, voice, int, bool) {
		return o, say, in.refuse(say.sentence("serve.badvalue", map[string]any{"Option": option, "Value": value, "Expected": expected})), false
	}
	if flags.NArg() > 0 {
		return o, say, in.refuse(say.sentence("program.badword", map[string]any{"Word": flags.Arg(0)})), false
	}
	if !isAddress(o.listen) {
		return value("--listen", o.listen, "127.0.0.1:6443")
	}
	var err error
	if o.nodes, err = strconv.Atoi(*nodes); err != nil || o.nodes < 0 || o.nodes > mostNodes {
		return value("--nodes", *nodes, "3")
	}
	if o.speed, err = strconv.ParseFloat(*speed, 64); err != nil || !(o.speed > 0 && o.speed <= mostSpeed) {
		return value("--speed", *speed, "1, 60")
	}
	if *kubelets != "hollow" && *kubelets != "real" {
		return value("--kubelets", *kubelets, "hollow, real")
	}
	o.real = *kubelets == "real"
	return o, say, exitOK, true
}
