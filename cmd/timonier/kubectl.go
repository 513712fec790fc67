package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"timonier/bot"
)

// kubectlDoor is where kubectl reaches the channels' clusters from outside: an address of its own, over TLS, without which
// client-go sends no token.
type kubectlDoor struct {
	server    string // https://host:port, as clients reach it
	authority []byte // that a kubeconfig names; nil: the certificate is one that machines trust
	http      *http.Server
	listener  net.Listener
	leave     context.CancelFunc // ends the watches
}

// Bounds of the door. What one token may have open at once is the tutor's.
const (
	mostCallers   = 512 // connections
	mostStreams   = 100 // requests at once in a connection of HTTP/2
	mostHeader    = 32 << 10
	graceWatching = time.Second // that requests being answered have left once the program is to end
)

// openKubectlDoor listens, and has the certificate ready; nil where no address is given. Errors: *listenError, *certificateError.
func openKubectlDoor(address string, got values, data string, logger *slog.Logger) (*kubectlDoor, error) {
	if address == "" {
		if got.has(kubectlURL) || got.has(kubectlCert) {
			logger.Warn("nothing is served to kubectl: serve --kubectl ADDRESS does that", "setting", kubectlURL)
		}
		return nil, nil
	}
	listener, err := listenOn(address)
	if err != nil {
		return nil, err
	}
	d := &kubectlDoor{listener: listener}
	var local bool
	if d.server, local = doorURL(address, got, listener.Addr().String()); local {
		logger.Warn("kubeconfigs name this machine's own loopback address: say how others reach it", "setting", kubectlURL, "now", d.server)
	}
	certificates := &certificates{cert: got[kubectlCert], key: got[kubectlKey]}
	if certificates.cert == "" {
		d.authority, err = certificates.own(ownAuthority(data), d.server)
	} else {
		_, err = certificates.get(nil)
	}
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	ctx, leave := context.WithCancel(context.Background())
	d.leave = leave
	d.http = &http.Server{
		TLSConfig:         &tls.Config{GetCertificate: certificates.get, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}},
		ReadHeaderTimeout: 10 * time.Second, // and the handshake; the tutor bounds the rest, as watches last
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    mostHeader,
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: mostStreams, SendPingTimeout: time.Minute, WriteByteTimeout: time.Minute},
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ErrorLog:          discardLog(),

		DisableGeneralOptionsHandler: true,
	}
	return d, nil
}

// outside is what the tutor says of the door; nil where there is none.
func (d *kubectlDoor) outside() *bot.Outside {
	if d == nil {
		return nil
	}
	return &bot.Outside{Server: d.server, Authority: d.authority}
}

func (d *kubectlDoor) address() string {
	if d == nil {
		return ""
	}
	return d.listener.Addr().String()
}

// serve answers until close.
func (d *kubectlDoor) serve(h http.Handler) error {
	d.http.Handler = h
	if err := d.http.ServeTLS(newCrowd(d.listener, mostCallers, d.http), "", ""); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve %s: %w", d.address(), err)
	}
	return nil
}

// close takes no more requests, ends the watches, and lets requests being answered end, within a time.
func (d *kubectlDoor) close(ctx context.Context) error {
	if d == nil {
		return nil
	}
	d.leave()
	polite, cancel := context.WithTimeout(ctx, graceWatching)
	defer cancel()
	defer d.listener.Close() // Shutdown knows it only once it is served
	if d.http.Shutdown(polite) != nil {
		return d.http.Close()
	}
	return nil
}

// reachable is an address that is listened on as a client of the same machine dials it.
func reachable(at string) string {
	host, port, _ := net.SplitHostPort(at)
	if host == "" || net.ParseIP(host).IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

// isSecureBase is an https URL of a host alone.
func isSecureBase(s string) bool {
	u, err := url.Parse(s)
	return err == nil && isBase(s) && u.Scheme == "https" && strings.Trim(u.Path, "/") == ""
}
