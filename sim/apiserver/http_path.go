package apiserver

import (
	"slices"
	"strings"
)

// apiPath is what a request's path names.
type apiPath struct {
	isResource  bool // else: discovery, health, version …
	group       string
	version     string
	resource    string
	namespace   string
	name        string
	subresource string
	watch       bool // under the old prefix /watch/
}

// parsePath reads a path as the real server does (apiserver's pkg/endpoints/request/requestinfo.go):
//
//	/api/{version}/…  or  /apis/{group}/{version}/…, then
//	[watch/] [namespaces/{namespace}/] {resource} [/{name} [/{subresource}]]
func parsePath(path string) apiPath {
	parts := strings.FieldsFunc(path, func(c rune) bool { return c == '/' })
	var at apiPath
	switch {
	case len(parts) >= 3 && parts[0] == "api":
		at.version, parts = parts[1], parts[2:]
	case len(parts) >= 4 && parts[0] == "apis":
		at.group, at.version, parts = parts[1], parts[2], parts[3:]
	default:
		return at
	}
	at.isResource = true
	if parts[0] == "watch" && len(parts) > 1 {
		at.watch, parts = true, parts[1:]
	}
	if parts[0] == "namespaces" && len(parts) > 1 {
		at.namespace = parts[1]
		// What follows a namespace is its content, unless it is the namespace's own subresource.
		if len(parts) > 2 && !slices.Contains([]string{"status", "finalize"}, parts[2]) {
			parts = parts[2:]
		}
	}
	fields := []*string{&at.resource, &at.name, &at.subresource}
	for i, part := range parts {
		if i == len(fields) { // deeper paths, as those of proxies, name nothing here
			at.resource = ""
			break
		}
		*fields[i] = part
	}
	return at
}
