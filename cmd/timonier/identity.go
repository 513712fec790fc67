package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"strings"
	"time"
)

// identity is how a server and its administrator know each other: a certificate, since client-go sends no token
// without one, and the token. Both live as long as the program.
type identity struct {
	address     string // host:port, as clients reach it
	certificate tls.Certificate
	authority   []byte // PEM
	token       string
}

// identityLife is how long the certificate holds.
const identityLife = 10 * 365 * 24 * time.Hour

func newIdentity(at net.Addr) (*identity, error) {
	host, port, err := net.SplitHostPort(at.String())
	if err != nil {
		return nil, fmt.Errorf("read address: %w", err)
	}
	ip := net.ParseIP(host)
	if ip == nil || ip.IsUnspecified() {
		ip = net.IPv4(127, 0, 0, 1)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make key: %w", err)
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: "timonier"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(identityLife),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true, IsCA: true,
		IPAddresses: []net.IP{ip, net.IPv4(127, 0, 0, 1), net.IPv6loopback}, DNSNames: []string{"localhost"},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("make certificate: %w", err)
	}
	return &identity{
		address:     net.JoinHostPort(ip.String(), port),
		certificate: tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key},
		authority:   pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		token:       rand.Text(),
	}, nil
}

func (id *identity) tls() *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{id.certificate}, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}
}

// kubeconfig is what kubectl and client-go need to reach the server as its administrator.
func (id *identity) kubeconfig() string {
	return fmt.Sprintf(`apiVersion: v1
kind: Config
current-context: timonier
clusters:
- name: timonier
  cluster:
    server: https://%s
    certificate-authority-data: %s
users:
- name: kubernetes-admin
  user:
    token: %s
contexts:
- name: timonier
  context:
    cluster: timonier
    user: kubernetes-admin
`, id.address, base64.StdEncoding.EncodeToString(id.authority), id.token)
}

// unauthorized is the real server's answer to whom it does not know.
const unauthorized = `{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"Unauthorized","reason":"Unauthorized","code":401}` + "\n"

// require lets pass who has the token.
func (id *identity) require(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		kind, token, _ := strings.Cut(strings.TrimSpace(r.Header.Get("Authorization")), " ")
		if !strings.EqualFold(kind, "bearer") || subtle.ConstantTimeCompare([]byte(strings.TrimSpace(token)), []byte(id.token)) != 1 {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Cache-Control", "no-cache, private")
			w.Header().Set("Connection", "close") // what else comes over it is not worth waiting for
			w.WriteHeader(http.StatusUnauthorized)
			io.WriteString(w, unauthorized) // who is gone needs no answer
			return
		}
		next.ServeHTTP(w, r)
	})
}

// discardLog is where a server's complaints of its clients go: a handshake broken off is none of ours.
func discardLog() *log.Logger { return log.New(io.Discard, "", 0) }
