package kubelet

import (
	"os"
	"strings"
	"testing"
)

// listed is the catalogue that the program ships.
func listed(t testing.TB) Images {
	t.Helper()
	data, err := os.ReadFile("../../content/images.yaml")
	if err != nil {
		t.Fatal(err)
	}
	images, err := ParseImages(data)
	if err != nil {
		t.Fatal(err)
	}
	return images
}

func TestCatalogue(t *testing.T) {
	images := listed(t)
	if n := len(images.listed); n < 25 {
		t.Errorf("%d images", n)
	}
	for _, ref := range []string{"nginx", "nginx:1.14.2", "nginx:1.16.1", "nginx:1.29.3-alpine", "redis:7", "postgres:16-alpine", "busybox:1.28", "registry.k8s.io/pause:3.10.1",
		"python:3.12-slim", "node:22-alpine", "golang:1.26", "perl:5.34.0", "timonier/crash", "httpd:2.4", "mysql:8.4", "alpine:3.22",
		"nginx@sha256:" + strings.Repeat("ab", 32), "ghcr.io/someone/app:v1", "someone/app"} {
		if _, err := images.find(ref); err != nil {
			t.Errorf("%s: %v", ref, err)
		}
	}
}

func TestPullErrors(t *testing.T) {
	images := listed(t)
	for ref, want := range map[string]string{
		"ngnix":       `failed to pull and unpack image "docker.io/library/ngnix:latest": failed to resolve reference "docker.io/library/ngnix:latest": pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed`,
		"nginx:9.9.9": `rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/nginx:9.9.9": failed to resolve reference "docker.io/library/nginx:9.9.9": docker.io/library/nginx:9.9.9: not found`,
		"NGINX":       `Failed to apply default image tag "NGINX": couldn't parse image name "NGINX": invalid reference format: repository name (library/NGINX) must be lowercase`,
		"a.test/x:1":  `failed to pull and unpack image "a.test/x:1": failed to resolve reference "a.test/x:1": failed to do request: Head "https://a.test/v2/x/manifests/latest": dial tcp: lookup a.test: no such host`,
	} {
		if _, err := images.find(ref); err == nil || err.Error() != want {
			t.Errorf("%s:\n got %v\nwant %s", ref, err, want)
		}
	}
}

func TestParseImagesRefuses(t *testing.T) {
	const good = "tags: [latest]\n  size: 1Mi\n  pull: 1s\n  start: 1s\n"
	for name, c := range map[string]struct{ yaml, want string }{
		"an unknown key":   {"images:\n- repository: a\n  " + good + "  colour: red\n", `unknown field "colour"`},
		"no tags":          {"images:\n- repository: a\n  size: 1Mi\n  pull: 1s\n  start: 1s\n", `image "a": tags: none`},
		"twice":            {"images:\n- repository: a\n  " + good + "- repository: docker.io/library/a\n  " + good, `there twice`},
		"a bad pattern":    {"images:\n- repository: a\n  tags: ['[']\n  size: 1Mi\n  pull: 1s\n  start: 1s\n", `tags: "["`},
		"a bad repository": {"images:\n- repository: A\n  " + good, `repository "A"`},
		"no size":          {"images:\n- repository: a\n  tags: [x]\n  pull: 1s\n  start: 1s\n", `size: missing`},
		"no pull":          {"images:\n- repository: a\n  tags: [x]\n  size: 1Mi\n  start: 1s\n", `pull: 0s`},
		"not YAML":         {"images: [", `parse images`},
	} {
		if _, err := ParseImages([]byte(c.yaml)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
