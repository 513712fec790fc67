package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// certificates are what a server shows who it is with: one that files hold, read again when they change; or one made at the start,
// signed by an authority of one's own that is kept, so that whoever has the authority's certificate knows the server after a
// restart too, and under another name.
type certificates struct {
	cert, key string // paths; empty: one's own

	mu     sync.Mutex
	now    *tls.Certificate
	looked time.Time
	since  [2]time.Time // when the files were written
}

// certificateError is a certificate that cannot be had.
type certificateError struct {
	path string
	err  error
}

func (e *certificateError) Error() string { return "certificate of " + e.path + ": " + e.err.Error() }
func (e *certificateError) Unwrap() error { return e.err }

// lookAtFiles is how often it is looked whether the files are others.
const lookAtFiles = time.Minute

// get is the certificate of now. Files that are no pair, as while they are being replaced, leave the one that there was.
func (c *certificates) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cert == "" || c.now != nil && time.Since(c.looked) < lookAtFiles {
		return c.now, nil
	}
	c.looked = time.Now()
	var since [2]time.Time
	for i, path := range []string{c.cert, c.key} {
		if info, err := os.Stat(path); err == nil {
			since[i] = info.ModTime()
		}
	}
	if c.now != nil && since == c.since {
		return c.now, nil
	}
	pair, err := tls.LoadX509KeyPair(c.cert, c.key)
	switch {
	case err == nil:
		c.now, c.since = &pair, since
	case c.now == nil:
		return nil, &certificateError{c.cert, reason(err)}
	}
	return c.now, nil
}

// own makes a certificate for the host of a URL, and gives the authority that signs it, in PEM. The authority is read from a file,
// or made and kept there.
func (c *certificates) own(path, server string) (authority []byte, err error) {
	ca, err := readAuthority(path)
	if errors.Is(err, fs.ErrNotExist) {
		ca, err = makeAuthority(path)
	}
	if err == nil {
		c.now, err = ca.certify(server)
	}
	if err != nil {
		return nil, &certificateError{path, reason(err)}
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.cert.Raw}), nil
}

// authority signs.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func readAuthority(path string) (*authority, error) {
	data, err := readSmall(path)
	if err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(data, data)
	if err != nil {
		return nil, err
	}
	key, ok := pair.PrivateKey.(*ecdsa.PrivateKey)
	if !ok || !pair.Leaf.IsCA {
		return nil, errors.New("it is no authority that timonier has made")
	}
	return &authority{pair.Leaf, key}, nil
}

// makeAuthority makes one, and keeps it in a file that is there whole or not at all, and that only its owner may read.
func makeAuthority(path string) (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := certificateTemplate("timonier")
	template.IsCA, template.KeyUsage = true, x509.KeyUsageCertSign|x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = nil
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	var both bytes.Buffer
	err = errors.Join(pem.Encode(&both, &pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.Encode(&both, &pem.Block{Type: "PRIVATE KEY", Bytes: secret}))
	if err == nil {
		err = keepWhole(path, both.Bytes())
	}
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	return &authority{cert, key}, err
}

// keepWhole writes a file that is there whole or not at all. What CreateTemp makes is its owner's alone.
func keepWhole(path string, data []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".timonier-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // where it was not given its name
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// certify makes a certificate for the host of a URL, and for this machine's own names.
func (a *authority) certify(server string) (*tls.Certificate, error) {
	u, err := url.Parse(server)
	if err != nil {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := certificateTemplate(u.Hostname())
	template.NotAfter = a.cert.NotAfter
	template.IPAddresses, template.DNSNames = []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}, []string{"localhost"}
	if ip := net.ParseIP(u.Hostname()); ip != nil {
		template.IPAddresses = append(template.IPAddresses, ip)
	} else {
		template.DNSNames = append(template.DNSNames, u.Hostname())
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	return &tls.Certificate{Certificate: [][]byte{der, a.cert.Raw}, PrivateKey: key}, nil
}

func certificateTemplate(name string) *x509.Certificate {
	now := time.Now()
	return &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(identityLife),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}
}
