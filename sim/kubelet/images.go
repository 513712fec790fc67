package kubelet

import (
	"bytes"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	dockerref "github.com/distribution/reference"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// Image is one repository of the simulated registries, as data: what pulling it
// costs, and how its containers behave unless their command says otherwise.
type Image struct {
	Repository string   `json:"repository"` // nginx, bitnami/redis, registry.k8s.io/pause
	Tags       []string `json:"tags"`       // that exist; * and ? and [a-z] as in file names

	Size  resource.Quantity `json:"size"`  // what is pulled, compressed
	Pull  metav1.Duration   `json:"pull"`  // on a good line, once the registry answers
	Start metav1.Duration   `json:"start"` // from "Pulled" to a running process
	Ready metav1.Duration   `json:"ready"` // from a running process to one that answers

	Ports    []int32          `json:"ports,omitempty"`    // where it listens; nil: no probe gets an answer
	Paths    map[string]int32 `json:"paths,omitempty"`    // HTTP status by path; others: 404. nil: always 200
	Programs []string         `json:"programs,omitempty"` // names its own program goes by
	Fixed    bool             `json:"fixed,omitempty"`    // args go to its program instead of replacing it
	Shell    bool             `json:"shell,omitempty"`    // it has a shell and the usual tools

	Memory resource.Quantity `json:"memory,omitzero"` // used once started
	Grow   resource.Quantity `json:"grow,omitzero"`   // leaked per second

	Exits  *Exit            `json:"exits,omitempty"` // nil: runs for ever
	Hangs  *metav1.Duration `json:"hangs,omitempty"` // from then on it answers no probe
	Needs  *Need            `json:"needs,omitempty"`
	Stop   Stop             `json:"stop,omitzero"`
	Output []Line           `json:"logs,omitempty"`
}

// Exit is how a process ends by itself.
type Exit struct {
	After metav1.Duration `json:"after"`
	Code  int32           `json:"code"`
}

// Need is an environment that a program refuses to start without.
type Need struct {
	Env    []string        `json:"env"` // one of them
	After  metav1.Duration `json:"after"`
	Code   int32           `json:"code"`
	Output []Line          `json:"logs,omitempty"`
}

// Stop is what a process does with SIGTERM.
type Stop struct {
	After   metav1.Duration `json:"after,omitzero"`
	Code    int32           `json:"code,omitempty"`
	Ignores bool            `json:"ignores,omitempty"` // it waits for SIGKILL
}

// Line is a line of log, once or again and again. In Text, {pod}, {node}, {ip} and
// {namespace} stand for what they name, and {time LAYOUT} for the time, in the
// layout of Go's package time.
type Line struct {
	At    metav1.Duration `json:"at,omitzero"`
	Every metav1.Duration `json:"every,omitzero"` // 0: once
	Text  string          `json:"text"`
}

// Images is all that the registries hold. Of what it does not list, an image of
// docker.io/library or docker.io/timonier does not exist, and any other does, and
// behaves as Unlisted. The zero value lists nothing.
type Images struct {
	listed map[string]*Image
}

// Unlisted is how an image behaves that no list has: a server that starts within
// a second and answers on any port.
func Unlisted() Image {
	return Image{
		Size:   resource.MustParse("48Mi"),
		Pull:   metav1.Duration{Duration: 3200 * time.Millisecond},
		Start:  metav1.Duration{Duration: 450 * time.Millisecond},
		Ready:  metav1.Duration{Duration: 400 * time.Millisecond},
		Shell:  true,
		Memory: resource.MustParse("24Mi"),
		Stop:   Stop{After: metav1.Duration{Duration: 300 * time.Millisecond}},
	}
}

// ParseImages reads a list of images, in YAML: a mapping with one key, images.
// It refuses unknown keys, and says all that is wrong at once.
func ParseImages(data []byte) (Images, error) {
	var file struct {
		Images []Image `json:"images"`
	}
	if err := yaml.UnmarshalStrict(bytes.TrimSpace(data), &file); err != nil {
		return Images{}, fmt.Errorf("parse images: %w", err)
	}
	s := Images{listed: make(map[string]*Image, len(file.Images))}
	var wrong []error
	for i := range file.Images {
		m := &file.Images[i]
		named, err := dockerref.ParseNormalizedNamed(m.Repository)
		switch {
		case err != nil:
			wrong = append(wrong, fmt.Errorf("image %d: repository %q: %w", i+1, m.Repository, err))
			continue
		case !dockerref.IsNameOnly(named):
			wrong = append(wrong, fmt.Errorf("image %d: repository %q has a tag or digest", i+1, m.Repository))
		case s.listed[named.Name()] != nil:
			wrong = append(wrong, fmt.Errorf("image %d: repository %q is there twice", i+1, m.Repository))
		}
		for _, err := range m.check() {
			wrong = append(wrong, fmt.Errorf("image %q: %w", m.Repository, err))
		}
		s.listed[named.Name()] = m
	}
	if err := errors.Join(wrong...); err != nil {
		return Images{}, fmt.Errorf("parse images: %w", err)
	}
	return s, nil
}

// check says what is wrong with the figures of an image.
func (m *Image) check() []error {
	var wrong []error
	refuse := func(format string, args ...any) { wrong = append(wrong, fmt.Errorf(format, args...)) }
	if len(m.Tags) == 0 {
		refuse("tags: none; write \"*\" where all exist")
	}
	for _, t := range m.Tags {
		if _, err := path.Match(t, ""); err != nil {
			refuse("tags: %q: %w", t, err)
		}
	}
	if m.Size.Sign() <= 0 {
		refuse("size: missing or not positive")
	}
	for _, d := range []struct {
		field string
		value metav1.Duration
		least time.Duration
	}{{"pull", m.Pull, time.Millisecond}, {"start", m.Start, time.Millisecond}, {"ready", m.Ready, 0}, {"stop.after", m.Stop.After, 0}} {
		if d.value.Duration < d.least {
			refuse("%s: %v is missing or too short", d.field, d.value.Duration)
		}
	}
	if m.Grow.Sign() < 0 || m.Memory.Sign() < 0 {
		refuse("memory, grow: negative")
	}
	if m.Exits != nil && m.Exits.After.Duration < 0 {
		refuse("exits.after: negative")
	}
	if m.Needs != nil && (len(m.Needs.Env) == 0 || m.Needs.Code == 0) {
		refuse("needs: wants env and a code other than 0")
	}
	for i, l := range m.Output {
		if l.Text == "" || l.At.Duration < 0 || (l.Every.Duration != 0 && l.Every.Duration < 100*time.Millisecond) {
			refuse("logs: line %d: wants a text, and a time of at least 100ms in every", i+1)
		}
	}
	return wrong
}

// found is an image by the reference that named it.
type found struct {
	*Image
	ref    string // in full: docker.io/library/nginx:1.29
	digest string // docker.io/library/nginx@sha256:…
}

// invalidName is kubelet's error for what is not a reference at all.
type invalidName struct{ message string }

func (e invalidName) Error() string { return e.message }

// name reads a reference as the container runtime does, with the tag latest where it has none.
func name(image string) (dockerref.Named, error) {
	named, err := dockerref.ParseNormalizedNamed(image)
	if err != nil {
		// Kubernetes 1.37 pkg/util/parsers and pkg/kubelet/images: two wrappings.
		return nil, invalidName{fmt.Sprintf("Failed to apply default image tag %q: couldn't parse image name %q: %v", image, image, err)}
	}
	return dockerref.TagNameOnly(named), nil
}

// find is what a pull of the reference gets, or the runtime's error (with the reference
// in full, where it is one at all), word for word
// as containerd 2 and the CRI client give it: the code of an unknown error is left
// out, another is not.
func (s Images) find(image string) (found, error) {
	named, err := name(image)
	if err != nil {
		return found{}, err
	}
	repo, ref := named.Name(), named.String()
	f := found{Image: s.listed[repo], ref: ref, digest: repo + "@sha256:" + fingerprint("image", ref)}
	host, rest, _ := strings.Cut(repo, "/")
	failed := fmt.Sprintf("failed to pull and unpack image %q: failed to resolve reference %q", ref, ref)
	if d, ok := named.(dockerref.Digested); ok {
		f.digest = repo + "@" + d.Digest().String()
	}
	switch {
	case f.Image != nil:
		if t, ok := named.(dockerref.Tagged); ok && !f.hasTag(t.Tag()) {
			return found{ref: ref}, fmt.Errorf("rpc error: code = NotFound desc = %s: %s: not found", failed, ref)
		}
	case host == "docker.io" && (strings.HasPrefix(rest, "library/") || strings.HasPrefix(rest, "timonier/")):
		return found{ref: ref}, fmt.Errorf("%s: pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed", failed)
	case nowhere(host):
		return found{ref: ref}, fmt.Errorf("%s: failed to do request: Head \"https://%s/v2/%s/manifests/latest\": dial tcp: lookup %s: no such host", failed, host, rest, host)
	default:
		m := Unlisted()
		f.Image = &m
	}
	return f, nil
}

func (m *Image) hasTag(tag string) bool {
	return slices.ContainsFunc(m.Tags, func(pattern string) bool {
		ok, _ := path.Match(pattern, tag)
		return ok
	})
}

// nowhere says of a host that it can have no address: RFC 2606 keeps these names free.
func nowhere(host string) bool {
	for _, tld := range []string{".invalid", ".test", ".example"} {
		if strings.HasSuffix(host, tld) {
			return true
		}
	}
	return false
}
