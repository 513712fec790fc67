package discord

import (
	"net/url"
	"regexp"
	"strings"
	"testing"

	"timonier/bot"
)

var keptName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)

// FuzzFileName: whatever a file is called, by a learner or by an object, its name is one that Discord keeps, that names
// no directory and that no archive unpacks elsewhere.
func FuzzFileName(f *testing.F) {
	for _, s := range []string{"a.yaml", "../../etc/passwd", "é à.csv", "", "...", strings.Repeat("x", 300) + ".png", "a.\u202egnp.exe", "con\x00.txt", "a/b\\c", "-rf", ".hidden", "a." + strings.Repeat("b", 40)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		got := fileName(name)
		if !keptName.MatchString(got) || len(got) > mostFileName || strings.Contains(got, "..") && !strings.Contains(name, ".") {
			t.Errorf("%q is kept as %q", name, got)
		}
		if again := fileName(got); again != got {
			t.Errorf("%q, and again %q", got, again)
		}
		if data := archive([]bot.File{{Name: name, Data: []byte("a")}, {Name: name, Data: []byte("b")}}); len(data) == 0 {
			t.Error("no archive")
		}
	})
}

// FuzzAddress: whatever address an answer or a person names, only Discord's own hosts are asked; where the API is
// another, only its host.
func FuzzAddress(f *testing.F) {
	for _, s := range []string{"https://cdn.discordapp.com/a?b=c", "wss://gateway.discord.gg", "http://169.254.169.254/", "https://cdn.discordapp.com@evil.example/", "https://cdn.discordapp.com:443/", "//discord.gg", "wss://x.discord.gg\\.evil.example", "wss://discord.gg%2eevil.example", "wss://[::1]/"} {
		f.Add(s)
	}
	own, err := newAddress("")
	if err != nil {
		f.Fatal(err)
	}
	other, err := newAddress("http://127.0.0.1:9")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, named string) {
		host := func(s string) string {
			u, err := url.Parse(s)
			if err != nil {
				t.Fatalf("%q leads to %q: %v", named, s, err)
			}
			return strings.ToLower(u.Hostname())
		}
		if to, ok := own.file(named); ok && host(to) != "cdn.discordapp.com" && host(to) != "media.discordapp.net" {
			t.Errorf("a file of %q is read at %q", named, to)
		}
		if to, err := own.gateway(named); err == nil && !strings.HasSuffix("."+host(to), ".discord.gg") {
			t.Errorf("the gateway %q is at %q", named, to)
		}
		if to, ok := other.file(named); ok && host(to) != "127.0.0.1" {
			t.Errorf("a file of %q is read at %q", named, to)
		}
		if to, err := other.gateway(named); err == nil && host(to) != "127.0.0.1" {
			t.Errorf("the gateway %q is at %q", named, to)
		}
	})
}
