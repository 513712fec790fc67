package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// healthWait is how long a program that is well takes to say so, at most.
const healthWait = 5 * time.Second

// health is the subcommand: it asks a serve on this machine how it is, for those who watch over a
// container that has no other program in it.
func health(ctx context.Context, in invocation) int {
	flags := &flag.FlagSet{}
	at := flags.String("at", "127.0.0.1:8080", "")
	ready := flags.Bool("ready", false, "")
	say, _, code, ok := in.parse(flags, func(say voice) string { return say.word("health.usage") })
	switch {
	case !ok:
		return code
	case flags.NArg() > 0:
		return in.refuse(say.sentence("program.badword", map[string]any{"Word": flags.Arg(0)}))
	case !isAddress(*at):
		return in.refuse(say.sentence("serve.badvalue", map[string]any{"Option": "--at", "Value": *at, "Expected": "127.0.0.1:8080"}))
	}
	path := "/healthz"
	if *ready {
		path = "/readyz"
	}
	said, err := askHealth(ctx, *at, path)
	var refused *net.OpError
	if errors.As(err, &refused) && refused.Op == "dial" {
		return in.fail(say.sentence("health.silent", map[string]any{"Address": *at}))
	}
	if err != nil {
		return in.fail(say.sentence("health.ill", map[string]any{"Address": *at, "Error": oneLine(err)}))
	}
	fmt.Fprintln(in.stdout, said)
	return exitOK
}

// askHealth is what the address says of itself; an error where it is not well, or does not answer.
func askHealth(ctx context.Context, address, path string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, healthWait)
	defer cancel()
	if host, port, err := net.SplitHostPort(address); err == nil && (host == "" || host == "0.0.0.0" || host == "::") {
		address = net.JoinHostPort("127.0.0.1", port) // where it listens everywhere, it is asked here
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+path, nil)
	if err != nil {
		return "", err
	}
	client := &http.Client{Transport: &http.Transport{Proxy: nil, DisableKeepAlives: true}}
	resp, err := client.Do(r)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 4<<10))
	if err != nil {
		return "", fmt.Errorf("read %s: %w", path, err)
	}
	said := strings.TrimSpace(string(body))
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s: %s", resp.Status, said)
	}
	return said, nil
}
