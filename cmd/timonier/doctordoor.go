package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io/fs"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"
)

// soonOver is how long before its end a certificate is told of.
const soonOver = 21 * 24 * time.Hour

// door looks at how kubectl is to reach the clusters: under which URL, and with which certificate.
func (c *checkup) door(context.Context) {
	if c.kubectl == "" {
		for _, name := range []string{kubectlURL, kubectlCert} {
			if c.got.has(name) {
				c.note(doubt, "doctor.nodoor", map[string]any{"Name": name})
			}
		}
		return
	}
	server, local := doorURL(c.kubectl, c.got, c.kubectl)
	if local {
		c.note(doubt, "doctor.doorlocal", map[string]any{"URL": server, "Name": kubectlURL})
	} else {
		c.note(well, "doctor.doorurl", map[string]any{"URL": server})
	}
	if c.got.has(kubectlCert) {
		c.certificate(server)
		return
	}
	path := ownAuthority(c.data)
	a, err := readAuthority(path)
	switch {
	case c.data == "":
	case errors.Is(err, fs.ErrNotExist):
		c.note(well, "doctor.newauthority", map[string]any{"Path": path})
	case err != nil:
		c.found = append(c.found, finding{ill, tell(c.voice, &certificateError{path, reason(err)})})
	default:
		c.closed(path)
		if c.holds(path, a.cert) {
			c.note(well, "doctor.authority", map[string]any{"Path": path, "Until": a.cert.NotAfter.Format(time.DateOnly)})
		}
	}
}

// certificate looks at the one that files hold, as clients of the URL will.
func (c *checkup) certificate(server string) {
	path := c.got[kubectlCert]
	c.closed(c.got[kubectlKey])
	pair, err := tls.LoadX509KeyPair(path, c.got[kubectlKey])
	if err != nil {
		var system *fs.PathError
		if errors.As(err, &system) { // which of both it is
			path = system.Path
		}
		c.found = append(c.found, finding{ill, tell(c.voice, &certificateError{path, reason(err)})})
		return
	}
	holds := c.holds(path, pair.Leaf)
	host := server
	if u, err := url.Parse(server); err == nil {
		host = u.Hostname()
	}
	if pair.Leaf.VerifyHostname(host) != nil {
		names := slices.Clone(pair.Leaf.DNSNames)
		for _, ip := range pair.Leaf.IPAddresses {
			names = append(names, ip.String())
		}
		c.note(ill, "doctor.certname", map[string]any{"Path": path, "Names": strings.Join(names, ", "), "Host": host, "Setting": kubectlURL})
		return
	}
	between := x509.NewCertPool()
	for _, der := range pair.Certificate[1:] {
		if cert, err := x509.ParseCertificate(der); err == nil {
			between.AddCert(cert)
		}
	}
	_, err = pair.Leaf.Verify(x509.VerifyOptions{Intermediates: between, CurrentTime: pair.Leaf.NotAfter.Add(-time.Second)})
	switch {
	case !holds:
	case err != nil:
		c.note(doubt, "doctor.certunknown", map[string]any{"Path": path})
	default:
		c.note(well, "doctor.cert", map[string]any{"Path": path, "Until": pair.Leaf.NotAfter.Format(time.DateOnly)})
	}
}

// holds says that a certificate's time has come and is not over, and notes what there is to know of it.
func (c *checkup) holds(path string, cert *x509.Certificate) bool {
	data := map[string]any{"Path": path, "From": cert.NotBefore.Format(time.DateTime), "Until": cert.NotAfter.Format(time.DateOnly)}
	switch {
	case c.now.After(cert.NotAfter):
		c.note(ill, "doctor.certover", data)
	case c.now.Before(cert.NotBefore):
		c.note(ill, "doctor.certearly", data)
	case cert.NotAfter.Sub(c.now) < soonOver:
		c.note(doubt, "doctor.certsoon", data)
		return true
	default:
		return true
	}
	return false
}

// closed tells of a key that everyone on the machine can read.
func (c *checkup) closed(path string) {
	if openToOthers(path) {
		c.note(ill, "doctor.open", map[string]any{"Path": path})
	}
}

// ownAuthority is where the authority is kept that signs one's own certificates: beside the data.
func ownAuthority(data string) string { return data + ".kubectl.pem" }

// doorURL is under which URL kubeconfigs name the door that is at an address, asked for as another maybe; local: nobody has said how
// other machines reach it, and this is only this machine's own.
func doorURL(asked string, got values, at string) (server string, local bool) {
	if got.has(kubectlURL) {
		return strings.TrimSuffix(got[kubectlURL], "/"), false
	}
	host, _, _ := net.SplitHostPort(asked)
	return "https://" + reachable(at), host == "" || net.ParseIP(host).IsUnspecified()
}
