package main

import (
	"crypto/ecdsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// madeCertificate writes a certificate for a host into two files, signed by an authority that no machine knows.
func madeCertificate(t *testing.T, dir, host string, mode os.FileMode) (cert, key string) {
	t.Helper()
	a, err := makeAuthority(filepath.Join(dir, "ca-"+host))
	if err != nil {
		t.Fatal(err)
	}
	made, err := a.certify("https://" + host)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(made.PrivateKey.(*ecdsa.PrivateKey))
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, host+".pem"), filepath.Join(dir, host+".key")
	for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: made.Certificate[0]}, key: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), mode); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

func TestDoctorsDoor(t *testing.T) {
	dir := t.TempDir()
	data := filepath.Join(dir, "t.db")
	cert, key := madeCertificate(t, dir, "class.example", 0o600)
	_, open := madeCertificate(t, dir, "open.example", 0o644)
	ours := filepath.Join(dir, "ours.db")
	if _, err := makeAuthority(ownAuthority(ours)); err != nil {
		t.Fatal(err)
	}
	broken := filepath.Join(dir, "broken.db")
	if err := os.WriteFile(ownAuthority(broken), []byte("no key"), 0o600); err != nil {
		t.Fatal(err)
	}
	set := func(url, cert, key string) (env []string) {
		env = []string{discordApp + "=12", discordKey + "=" + strings.Repeat("0", 64)}
		for name, value := range map[string]string{kubectlURL: url, kubectlCert: cert, kubectlKey: key} {
			if value != "" {
				env = append(env, name+"="+value)
			}
		}
		return env
	}
	const class, free = "https://class.example:6443", "127.0.0.1:0"
	another := freeAddress(t)
	for _, tt := range []struct {
		name    string
		env     []string
		address string
		data    string
		code    int
		want    string // one of the lines begins so
	}{
		{"set, and not served", set(class, "", ""), "", data, 0, "~ TIMONIER_KUBECTL_URL is set, but nothing is served to kubectl"},
		{"no address", nil, "here", data, 1, "✗ --kubectl can't be “here”"},
		{"the front ends'", nil, "127.0.0.1:8099", data, 1, "✗ --kubectl and --listen have the same address"},
		{"is it free", nil, another, data, 0, "✓ The address " + another + " is free."},
		{"a URL", set(class, "", ""), free, data, 0, "✓ kubectl will reach the clusters at https://class.example:6443: "},
		{"every interface", nil, ":0", data, 0, "~ The kubeconfig files will name https://127.0.0.1:0, which other machines cannot"},
		{"an authority to come", nil, free, data, 0, "✓ For kubectl, Timonier will sign its own certificate; the authority that signs it will be kept in " + data + ".kubectl.pem"},
		{"an authority", nil, free, ours, 0, "✓ For kubectl, Timonier signs its own certificate, by the authority in " + ours + ".kubectl.pem, good until 20"},
		{"a broken authority", nil, free, broken, 1, "✗ The certificate for kubectl cannot be read, or made, in " + broken + ".kubectl.pem (tls: "},
		{"unknown to this machine", set(class, cert, key), free, data, 0, "~ This machine does not know the authority that signed " + cert},
		{"of another name", set("https://other.example", cert, key), free, data, 1, "✗ The certificate " + cert + " is for localhost, class.example, 127.0.0.1, ::1, and not for other.example: "},
		{"no key", set(class, cert, filepath.Join(dir, "none")), free, data, 1, "✗ The certificate for kubectl cannot be read, or made, in " + filepath.Join(dir, "none") + " (no such"},
		{"another's key", set(class, cert, open), free, data, 1, "✗ The certificate for kubectl cannot be read, or made, in " + cert + " (tls: private key does not match"},
		{"an open key", set(class, cert, open), free, data, 1, "✗ Everyone on this machine can read " + open},
	} {
		t.Run(tt.name, func(t *testing.T) {
			listen := free
			if tt.address == "127.0.0.1:8099" {
				listen = "127.0.0.1:8099"
			}
			args := []string{"doctor", "--lang", "en", "--data", tt.data, "--listen", listen}
			if tt.address != "" {
				args = append(args, "--kubectl", tt.address)
			}
			env := append([]string{"TIMONIER_DISCORD_APP_ID=12", "TIMONIER_DISCORD_TOKEN=abc"}, tt.env...)
			got := program(t, env, "", args...)
			if got.code != tt.code || !strings.Contains("\n"+got.out, "\n"+tt.want) {
				t.Errorf("no line %q in %+v", tt.want, got)
			}
		})
	}
	if _, err := os.Stat(ownAuthority(data)); err == nil {
		t.Error("it has made an authority")
	}
}

// What is found depends on the day.
func TestDoctorsCertificateInTime(t *testing.T) {
	dir := t.TempDir()
	cert, key := madeCertificate(t, dir, "class.example", 0o600)
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		now  time.Time
		want verdict
		says string
	}{
		{pair.Leaf.NotAfter.Add(time.Second), ill, "has been over since " + pair.Leaf.NotAfter.Format(time.DateOnly)},
		{pair.Leaf.NotAfter.Add(-soonOver + time.Hour), doubt, "Replace it before then"},
		{pair.Leaf.NotBefore.Add(-time.Second), ill, "Check the clock"},
		{pair.Leaf.NotBefore.Add(time.Hour), doubt, "does not know the authority"},
	} {
		c := checkup{voice: newVoice("en"), now: tt.now, got: values{kubectlCert: cert, kubectlKey: key}}
		c.certificate("https://class.example")
		if len(c.found) == 0 || c.found[0].verdict != tt.want || !strings.Contains(c.found[0].text, tt.says) {
			t.Errorf("at %v: %+v", tt.now, c.found)
		}
	}
}

// The door shows the certificate that files hold, names no authority then, and has the next one within a minute of its being there;
// what is no pair leaves the one that there was.
func TestDoorsCertificateOfFiles(t *testing.T) {
	dir := t.TempDir()
	cert, key := madeCertificate(t, dir, "class.example", 0o600)
	got := values{kubectlURL: "https://class.example:6443/", kubectlCert: cert, kubectlKey: key}
	d, err := openKubectlDoor("127.0.0.1:0", got, filepath.Join(dir, "t.db"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = d.serve(nil) }()
	t.Cleanup(func() { _ = d.close(t.Context()) })
	if out := d.outside(); out.Server != "https://class.example:6443" || out.Authority != nil {
		t.Errorf("kubeconfigs name %s, and an authority: %s", out.Server, out.Authority)
	}
	if _, err := os.Stat(ownAuthority(filepath.Join(dir, "t.db"))); err == nil {
		t.Error("an authority was made for nothing")
	}
	shown := func() string {
		conn, err := (&tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}}).DialContext(t.Context(), "tcp", d.address())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		return conn.(*tls.Conn).ConnectionState().PeerCertificates[0].Subject.CommonName
	}
	if name := shown(); name != "class.example" {
		t.Errorf("it shows one of %s", name)
	}
	if old, err := tls.Dial("tcp", d.address(), &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS11}); err == nil {
		old.Close()
		t.Error("it speaks TLS 1.1")
	}
	files := &certificates{cert: cert, key: key}
	if _, err := files.get(nil); err != nil {
		t.Fatal(err)
	}
	later := func(text string) string { // once it is looked again, and the file is another
		if err := os.WriteFile(cert, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		files.looked, files.since = time.Time{}, [2]time.Time{}
		now, err := files.get(nil)
		if err != nil {
			t.Fatal(err)
		}
		return now.Leaf.Subject.CommonName
	}
	if name := later("half of a fi"); name != "class.example" {
		t.Errorf("where there is no pair: one of %s", name)
	}
	next, nextKey := madeCertificate(t, dir, "next.example", 0o600)
	files.key = nextKey
	text, err := os.ReadFile(next)
	if err != nil {
		t.Fatal(err)
	}
	if name := later(string(text)); name != "next.example" {
		t.Errorf("where there is another: one of %s", name)
	}
}

// A certificate that cannot be had is a sentence, and nothing is listened on.
func TestDoorWithoutACertificate(t *testing.T) {
	address := freeAddress(t)
	got := values{kubectlCert: "/nowhere/cert.pem", kubectlKey: "/nowhere/key.pem"}
	if d, err := openKubectlDoor(address, got, filepath.Join(t.TempDir(), "t.db"), slog.New(slog.DiscardHandler)); err == nil || d != nil || !strings.Contains(tell(newVoice("en"), err), "/nowhere/cert.pem (no such file") {
		t.Errorf("%v", err)
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatalf("it is listened on: %v", err)
	}
	_ = l.Close()
}

// Tokens are in no log, in whatever form an error or a path carries them.
func TestLogMasksTokens(t *testing.T) {
	token := "timonier-" + strings.Repeat("aB3_-", 9)[:43]
	var out strings.Builder
	log := slog.New(newRedactor(nil).handler(slog.NewTextHandler(&out, nil)))
	log.With("held", "Bearer "+token).Error("no "+token, "path", "/api/v1/pods?token="+token, "error", io.ErrUnexpectedEOF,
		"header", map[string][]string{"Authorization": {"Bearer " + token}}, "body", []byte(`{"token":"`+token+`"}`), slog.Group("g", "file", "user:\n  token: "+token+"\n"))
	if strings.Contains(out.String(), token[len("timonier-"):]) || strings.Count(out.String(), redacted) != 6 {
		t.Errorf("%s", out.String())
	}
	out.Reset()
	if log.Info("timonier-web-1 and timonier-3f2a1b"); strings.Contains(out.String(), redacted) {
		t.Errorf("what is no token is masked: %s", out.String())
	}
}
