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

// gateway is where a gateway that Discord named is reached, with the version and the
// encoding that we speak. Under an override it stays on the override's host: a proxy in
// front of the real Discord repeats Discord's own answer. The port may be another one.
func (a address) gateway(named string) (string, error) {
	u, err := url.Parse(named)
	if err != nil || u.Host == "" {
		return "", fmt.Errorf("the gateway's address %q is none", named)
	}
	if a.override && u.Hostname() != a.base.Hostname() {
		u.Host = a.base.Host
		u.Scheme = map[string]string{"http": "ws", "https": "wss"}[a.base.Scheme]
	}
	if u.Scheme != "wss" && (u.Scheme != "ws" || !a.override) {
		return "", fmt.Errorf("the gateway's address %q is not wss://", named)
	}
	if u.Path == "" {
		u.Path = "/"
	}
	u.RawQuery = "v=10&encoding=json"
	return u.String(), nil
}

// file is where an attachment is downloaded. False where it is none of Discord's.
func (a address) file(named string) (string, bool) {
	u, err := url.Parse(named)
	if err != nil || u.Host == "" || u.User != nil {
		return "", false
	}
	if a.override {
		u.Scheme, u.Host = a.base.Scheme, a.base.Host
		return u.String(), true
	}
	ours := u.Host == "cdn.discordapp.com" || u.Host == "media.discordapp.net"
	return u.String(), ours && u.Scheme == "https"
}
