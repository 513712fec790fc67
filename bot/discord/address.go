package discord

import (
	"fmt"
	"net/url"
	"strings"
)

// defaultAPI is where Discord's REST API is.
const defaultAPI = "https://discord.com/api/v10"

// address is where everything of Discord's is reached: the base of its REST API, and
// what follows from it for the gateway and for files. Where it is not Discord's own, no
// request goes anywhere else.
type address struct {
	base     *url.URL // without a trailing slash
	override bool
}

// newAddress reads a base. One without a path gets /api/v10, one that ends in /api gets /v10.
func newAddress(api string) (address, error) {
	if api == "" {
		api = defaultAPI
	}
	u, err := url.Parse(strings.TrimRight(api, "/"))
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return address{}, fmt.Errorf("the API's address %q is not like %s", api, defaultAPI)
	}
	switch {
	case u.Path == "":
		u.Path = "/api/v10"
	case strings.HasSuffix(u.Path, "/api"):
		u.Path += "/v10"
	}
	ours, err := url.Parse(defaultAPI)
	if err != nil {
		return address{}, fmt.Errorf("read address: %w", err)
	}
	return address{base: u, override: u.Host != ours.Host}, nil
}

// of is the address of a path of the API, as /gateway/bot?x=y.
func (a address) of(path string) string { return a.base.String() + path }

// moved brings a URL that Discord named to the override's host, where there is one: a
// proxy in front of the real Discord repeats Discord's own answers. A URL whose host has
// the override's name stays as it is, whatever its port: a test server may have its
// gateway or its files on another. Any other goes to the override's host and port, with
// its path and query; its scheme is then plain or secure, as the override's is.
func (a address) moved(u *url.URL, plain, secure string) {
	if !a.override || strings.EqualFold(u.Hostname(), a.base.Hostname()) {
		return
	}
	u.Host, u.Scheme = a.base.Host, plain
	if a.base.Scheme == "https" {
		u.Scheme = secure
	}
}

// gateway is where a gateway that Discord named is reached, with the version and the
// encoding that we speak.
func (a address) gateway(named string) (string, error) {
	u, err := url.Parse(named)
	if err != nil || u.Host == "" || u.User != nil {
		return "", fmt.Errorf("the gateway's address %q is none", named)
	}
	a.moved(u, "ws", "wss")
	if u.Scheme != "wss" && (u.Scheme != "ws" || !a.override) {
		return "", fmt.Errorf("the gateway's address %q is not wss://", named)
	}
	if host := "." + strings.ToLower(u.Hostname()); !a.override && !strings.HasSuffix(host, ".discord.gg") {
		return "", fmt.Errorf("the gateway's address %q is not with Discord", named) // it would be given the token
	}
	if u.Path == "" {
		u.Path = "/"
	}
	query := u.Query()
	query.Set("v", "10")
	query.Set("encoding", "json")
	query.Del("compress") // which we do not speak
	u.RawQuery = query.Encode()
	return u.String(), nil
}

// file is where an attachment is downloaded. False where it is none of Discord's.
func (a address) file(named string) (string, bool) {
	u, err := url.Parse(named)
	if err != nil || u.Host == "" || u.User != nil {
		return "", false
	}
	a.moved(u, "http", "https")
	if a.override {
		return u.String(), u.Scheme == "https" || u.Scheme == "http"
	}
	ours := u.Host == "cdn.discordapp.com" || u.Host == "media.discordapp.net"
	return u.String(), ours && u.Scheme == "https"
}
