package kubelet

import (
	"strings"
	"time"

	dockerref "github.com/distribution/reference"
	"k8s.io/apimachinery/pkg/api/resource"
)

// Flaws are what is wrong with the runs of an image, or of a pod's containers, whatever they would do by themselves.
type Flaws struct {
	Crash bool // a run ends soon after its start, or after the flaw came, with crashCode
	Leak  bool // memory grows by leakRate
	Slow  bool // it takes slowReady more until it answers
}

const (
	crashAfter = 2 * time.Second
	crashCode  = 139 // 128 + SIGSEGV
	killedCode = 137 // 128 + SIGKILL
	slowReady  = 90 * time.Second
)

// leakRate is what a leaking container takes more each second.
func leakRate() resource.Quantity { return resource.MustParse("4Mi") }

// key is the flaws in short; "" for none.
func (f Flaws) key() string {
	var b strings.Builder
	for _, x := range []struct {
		has  bool
		word string
	}{{f.Crash, "crash"}, {f.Leak, "leak"}, {f.Slow, "slow"}} {
		if x.has {
			b.WriteString(" " + x.word)
		}
	}
	return b.String()
}

// and is both.
func (f Flaws) and(g Flaws) Flaws {
	return Flaws{Crash: f.Crash || g.Crash, Leak: f.Leak || g.Leak, Slow: f.Slow || g.Slow}
}

// apply changes a run that the flaws struck at a time, counted from its start. What has answered already is not slow.
func (f Flaws) apply(r *run, struck time.Duration) {
	if f.Slow && struck < r.up.from {
		r.up.from += slowReady
	}
	ends := func(at time.Duration, code int32, reason string) {
		if !r.ends || at < r.after {
			r.ends, r.after, r.code, r.reason = true, at, code, reason
		}
	}
	if f.Leak && r.limit > 0 {
		rate := leakRate()
		room := max(0, r.limit-r.image.Memory.Value())
		lasts := time.Duration(float64(room) / float64(rate.Value()) * float64(time.Second)).Truncate(time.Millisecond)
		ends(struck+lasts, killedCode, "OOMKilled")
	}
	if f.Crash {
		ends(struck+crashAfter, crashCode, "Error")
	}
}

// DefaultRegistry is the one that an image's name means which names none.
const DefaultRegistry = "docker.io"

// Repository is an image's name without tag and digest, as people write it; "" for what is no name.
func Repository(image string) string {
	named, err := dockerref.ParseNormalizedNamed(image)
	if err != nil {
		return ""
	}
	return dockerref.FamiliarName(named)
}

// Registry is the host of the registry that an image is pulled from; "" for what is no name.
func Registry(image string) string {
	named, err := dockerref.ParseNormalizedNamed(image)
	if err != nil {
		return ""
	}
	return dockerref.Domain(named)
}

// SameImage says whether a name means an image: the same, or the same but for the tag where the name has none.
func SameImage(target, image string) bool {
	a, err := dockerref.ParseNormalizedNamed(target)
	if err != nil {
		return false
	}
	b, err := dockerref.ParseNormalizedNamed(image)
	if err != nil {
		return false
	}
	if dockerref.IsNameOnly(a) {
		return a.Name() == b.Name()
	}
	return a.String() == dockerref.TagNameOnly(b).String()
}
