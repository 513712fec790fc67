package kubelet

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	v1 "k8s.io/api/core/v1"

	"timonier/sim/trace"
)

const (
	// askRegistry is how long it takes to hear from a registry that it has no such image,
	// or that the node's copy is current.
	askRegistry = 600 * time.Millisecond
	// imagesKept bounds the list in the node's status (nodeStatusMaxImages).
	imagesKept = 50
	// imagesTold is how long after a pull the node's status lists the image (nodeStatusUpdateFrequency).
	imagesTold = 10 * time.Second
)

// begin starts a container: first its image, as imagePullPolicy says (pkg/kubelet/images/image_manager.go).
func (s *sync) begin(u *unit) {
	f, err := s.k.find(u.spec.Image)
	var invalid invalidName
	if errors.As(err, &invalid) {
		s.emit(v1.EventTypeWarning, "InspectFailed", invalid.message)
		s.refused(u, "InvalidImageName", invalid.message)
		return
	}
	present := slices.Contains(s.k.state.Images, f.ref) || s.k.env.Hollow
	switch {
	case present && err == nil && (s.k.env.Hollow || u.spec.ImagePullPolicy != v1.PullAlways):
		s.present(u)
		s.step(trace.Pulled, trace.Container{Name: u.spec.Name, Image: u.spec.Image, Cached: true})
		s.create(u)
	case u.spec.ImagePullPolicy == v1.PullNever:
		message := fmt.Sprintf("Container image %q is not present with pull policy of Never", u.spec.Image)
		s.emit(v1.EventTypeWarning, "ErrImageNeverPull", message)
		s.refused(u, "ErrImageNeverPull", message)
	default:
		s.pull(u, f, err != nil || s.k.unreachable(f) != nil)
	}
}

// present says that there is nothing to pull.
func (s *sync) present(u *unit) {
	s.emit(v1.EventTypeNormal, "Pulled", fmt.Sprintf("Container image %q already present on machine and can be accessed by the pod", u.spec.Image))
}

// unreachable is what the runtime says of a pull from a registry that is down; nil: it is not.
func (k *Kubelet) unreachable(f found) error {
	if k.env.RegistryDown == nil || f.ref == "" {
		return nil
	}
	host, rest, _ := strings.Cut(f.ref, "/")
	if !k.env.RegistryDown(host) {
		return nil
	}
	if host == DefaultRegistry {
		host = "registry-1.docker.io"
	}
	path, version := rest, ""
	if at := strings.IndexByte(rest, '@'); at >= 0 {
		path, version = rest[:at], rest[at+1:]
	} else if at := strings.LastIndexByte(rest, ':'); at >= 0 {
		path, version = rest[:at], rest[at+1:]
	}
	return fmt.Errorf("failed to pull and unpack image %q: failed to resolve reference %q: unexpected status from HEAD request to https://%s/v2/%s/manifests/%s: 503 Service Unavailable",
		f.ref, f.ref, host, path, version)
}

// find is Images.find, remembered: reading a reference costs more than most of a sync.
func (k *Kubelet) find(image string) (found, error) {
	if a, ok := k.answers[image]; ok {
		return a.found, a.err
	}
	if len(k.answers) >= 200 || k.answers == nil {
		k.answers = map[string]answer{}
	}
	f, err := k.env.Images.find(image)
	if err != nil && f.ref != "" && k.env.Hollow { // every image is there
		m := Unlisted()
		f.Image, f.digest, err = &m, f.ref+"@sha256:"+fingerprint("image", f.ref), nil
	}
	k.answers[image] = answer{f, err}
	return f, err
}

// answer is what a registry says of a reference.
type answer struct {
	found
	err error
}

// pull asks for an image. The kubelet pulls one at a time (serializeImagePulls).
func (s *sync) pull(u *unit, f found, fails bool) {
	s.emit(v1.EventTypeNormal, "Pulling", fmt.Sprintf("Pulling image %q", u.spec.Image))
	takes := askRegistry
	if !fails && !s.k.coming(f.ref) {
		takes = f.Pull.Duration
	}
	starts := s.now
	if s.k.state.Line.After(starts) {
		starts = s.k.state.Line
	}
	u.Takes = s.k.jittered(s.k.takes(takes))
	u.Stage, u.Asked, u.Until = pulling, s.now, starts.Add(u.Takes)
	s.k.state.Line = u.Until
	s.step(trace.Pulling, trace.Container{Name: u.spec.Name, Image: u.spec.Image, Took: u.Until.Sub(s.now)})
}

// coming says whether the image is on the node, or will be when its turn in the line comes.
func (k *Kubelet) coming(ref string) bool {
	if slices.Contains(k.state.Images, ref) {
		return true
	}
	for key, life := range k.state.Pods { // any will do: order does not show
		pod, ok := k.pod(key)
		if !ok || pod.UID != life.UID {
			continue
		}
		for _, list := range [][]v1.Container{pod.Spec.InitContainers, pod.Spec.Containers} {
			for i := range list {
				if c := life.All[list[i].Name]; c == nil || c.Stage != pulling {
					continue
				}
				if f, _ := k.find(list[i].Image); f.ref == ref {
					return true
				}
			}
		}
	}
	return false
}

// pulled is the end of a pull: the image is there, or the registry has refused it.
func (s *sync) pulled(u *unit) {
	f, err := s.k.find(u.spec.Image)
	if down := s.k.unreachable(f); down != nil {
		err = down
	}
	if err != nil {
		s.pullFailed(u, err)
		return
	}
	u.Pulls, u.Error = backoff{}, ""
	total := s.now.Sub(u.Asked).Truncate(time.Millisecond)
	s.emit(v1.EventTypeNormal, "Pulled", fmt.Sprintf("Successfully pulled image %q in %v (%v including waiting). Image size: %v bytes.",
		u.spec.Image, u.Takes, total, f.Size.Value()))
	s.step(trace.Pulled, trace.Container{Name: u.spec.Name, Image: u.spec.Image, Took: total})
	if !slices.Contains(s.k.state.Images, f.ref) {
		s.k.state.Images = append(s.k.state.Images, f.ref)
		s.k.env.Queue.Add(nodeKey, imagesTold)
	}
	s.create(u)
}

func (s *sync) pullFailed(u *unit, err error) {
	s.emit(v1.EventTypeWarning, "Failed", fmt.Sprintf("Failed to pull image %q: %v", u.spec.Image, err))
	s.emit(v1.EventTypeWarning, "Failed", "Error: ErrImagePull")
	s.step(trace.Pulled, trace.Container{Name: u.spec.Name, Image: u.spec.Image, Reason: "ErrImagePull"})
	u.Pulls.next(s.now, s.now)
	u.Error = err.Error()
	s.waits(u, "ErrImagePull", u.Error)
	u.Stage, u.Until = pullFailed, s.now.Add(said)
}

func (s *sync) backOffPull(u *unit) {
	message := fmt.Sprintf("Back-off pulling image %q", u.spec.Image)
	s.emit(v1.EventTypeNormal, "BackOff", message)
	s.emit(v1.EventTypeWarning, "Failed", "Error: ImagePullBackOff")
	s.step(trace.Restarts, trace.Container{Name: u.spec.Name, Image: u.spec.Image, Delay: u.Pulls.Wait, Reason: "ImagePullBackOff"})
	s.waits(u, "ImagePullBackOff", message+": ErrImagePull: "+u.Error)
	u.Stage, u.Until = pullWait, u.Pulls.At.Add(u.Pulls.Wait)
}

// refused is a container that no waiting will start: a new spec might.
func (s *sync) refused(u *unit, reason, message string) {
	s.emit(v1.EventTypeWarning, "Failed", "Error: "+reason)
	s.waits(u, reason, message)
	u.Stage, u.Until = pullWait, time.Time{}
}

// waits says why a container does not run.
func (s *sync) waits(u *unit, reason, message string) {
	st := u.status
	if st.State.Terminated != nil {
		st.LastTerminationState = st.State
	}
	st.State = v1.ContainerState{Waiting: &v1.ContainerStateWaiting{Reason: reason, Message: message}}
	s.dirty = true
}
