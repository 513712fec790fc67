package kubelet

import (
	"fmt"
	"slices"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	"timonier/sim/apiserver"
)

const (
	// The first wait after a failed mount, and the longest (pkg/util/goroutinemap/exponentialbackoff).
	firstMount = 500 * time.Millisecond
	mostMount  = 2*time.Minute + 2*time.Second
	// configRetry is how often a container's environment is tried again (pkg/kubelet, backOffPeriod).
	configRetry = 10 * time.Second
	// triesTold is how many tries are made, and told in events. The real kubelet never stops; here what
	// cannot succeed before something changes is tried again when it does.
	triesTold = 10
	// rootCA is published in each namespace by a controller of its own.
	rootCA = "kube-root-ca.crt"
)

// mounts says whether the pod's volumes can be mounted: the ConfigMaps and Secrets are there.
func (s *sync) mounts() bool {
	if slices.ContainsFunc(s.units, func(u *unit) bool { return u.Stage != fresh }) || s.life.IP != "" {
		return true
	}
	var failed []string
	for i := range s.pod.Spec.Volumes {
		v := &s.pod.Spec.Volumes[i]
		if why := s.unmountable(v); why != "" {
			failed = append(failed, fmt.Sprintf("MountVolume.SetUp failed for volume %q : %s", v.Name, why))
		}
		if why := s.unbound(v); why != "" {
			failed = append(failed, fmt.Sprintf("Unable to attach or mount volumes: unmounted volumes=[%[1]s], unattached volumes=[], failed to process volumes=[%[1]s]: %[2]s", v.Name, why))
		}
	}
	r := &s.life.Mounts
	if len(failed) == 0 {
		*r = retry{}
		return true
	}
	if r.Count > 0 && !s.at(r.Next) {
		return false
	}
	for _, message := range failed {
		s.emit(v1.EventTypeWarning, "FailedMount", message)
	}
	wait := min(firstMount<<min(r.Count, 20), mostMount)
	s.tried(r, wait)
	return false
}

// tried counts a try that failed, and says when the next one is.
func (s *sync) tried(r *retry, wait time.Duration) {
	r.Count++
	r.Next = time.Time{}
	if r.Count < triesTold {
		r.Next = s.now.Add(wait)
		s.at(r.Next)
	}
}

// unmountable is what a volume lacks.
func (s *sync) unmountable(v *v1.Volume) string {
	switch {
	case v.ConfigMap != nil:
		return s.configMap(v.ConfigMap.Name, v.ConfigMap.Items, v.ConfigMap.Optional)
	case v.Secret != nil:
		return s.secret(v.Secret.SecretName, v.Secret.Items, v.Secret.Optional)
	case v.Projected != nil:
		for _, p := range v.Projected.Sources {
			if m := p.ConfigMap; m != nil {
				if why := s.configMap(m.Name, m.Items, m.Optional); why != "" {
					return why
				}
			}
			if m := p.Secret; m != nil {
				if why := s.secret(m.Name, m.Items, m.Optional); why != "" {
					return why
				}
			}
		}
	}
	return ""
}

// unbound is why a volume's claim has no volume to mount (pkg/kubelet/volumemanager/populator).
func (s *sync) unbound(v *v1.Volume) string {
	name := ""
	switch {
	case v.PersistentVolumeClaim != nil:
		name = v.PersistentVolumeClaim.ClaimName
	case v.Ephemeral != nil:
		name = s.pod.Name + "-" + v.Name
	default:
		return ""
	}
	at := s.pod.Namespace + "/" + name
	switch claim, ok := apiserver.Get[*v1.PersistentVolumeClaim](s.k.env.Client, s.pod.Namespace, name); {
	case !ok:
		return fmt.Sprintf("error processing PVC %s: failed to fetch PVC from API server: persistentvolumeclaims %q not found", at, name)
	case claim.DeletionTimestamp != nil:
		return fmt.Sprintf("error processing PVC %s: PVC is being deleted", at)
	case claim.Status.Phase != v1.ClaimBound || claim.Spec.VolumeName == "":
		return fmt.Sprintf("error processing PVC %s: PVC is not bound", at)
	}
	return ""
}

func (s *sync) configMap(name string, items []v1.KeyToPath, optional *bool) string {
	if ptr.Deref(optional, false) || name == rootCA {
		return ""
	}
	m, ok := apiserver.Get[*v1.ConfigMap](s.k.env.Client, s.pod.Namespace, name)
	if !ok {
		return fmt.Sprintf("configmap %q not found", name)
	}
	for _, i := range items {
		_, text := m.Data[i.Key]
		if _, binary := m.BinaryData[i.Key]; !text && !binary {
			return "configmap references non-existent config key: " + i.Key
		}
	}
	return ""
}

func (s *sync) secret(name string, items []v1.KeyToPath, optional *bool) string {
	if ptr.Deref(optional, false) {
		return ""
	}
	m, ok := apiserver.Get[*v1.Secret](s.k.env.Client, s.pod.Namespace, name)
	if !ok {
		return fmt.Sprintf("secret %q not found", name)
	}
	for _, i := range items {
		if _, ok := m.Data[i.Key]; !ok {
			return "references non-existent secret key: " + i.Key
		}
	}
	return ""
}

// found says whether all that a container's environment names is there, and otherwise
// that it is not (pkg/kubelet/kubelet_pods.go, makeEnvironmentVariables).
func (s *sync) found(u *unit) bool {
	why := s.missing(u.spec)
	if why == "" {
		return true
	}
	if u.Stage == lacking && !s.at(u.Lacks.Next) {
		return false
	}
	if u.Stage == lacking && u.spec.ImagePullPolicy != v1.PullAlways {
		s.present(u) // each try looks for the image first
	}
	s.emit(v1.EventTypeWarning, "Failed", "Error: "+why)
	if w := u.status.State.Waiting; w == nil || w.Reason != "CreateContainerConfigError" || w.Message != why {
		s.waits(u, "CreateContainerConfigError", why)
	}
	u.Stage = lacking
	s.tried(&u.Lacks, configRetry)
	return false
}

func (s *sync) missing(c *v1.Container) string {
	for _, e := range c.EnvFrom {
		if r := e.ConfigMapRef; r != nil {
			if why := s.configMap(r.Name, nil, r.Optional); why != "" {
				return why
			}
		}
		if r := e.SecretRef; r != nil {
			if why := s.secret(r.Name, nil, r.Optional); why != "" {
				return why
			}
		}
	}
	for _, e := range c.Env {
		if e.ValueFrom == nil {
			continue
		}
		if r := e.ValueFrom.ConfigMapKeyRef; r != nil && !ptr.Deref(r.Optional, false) {
			m, ok := apiserver.Get[*v1.ConfigMap](s.k.env.Client, s.pod.Namespace, r.Name)
			if !ok {
				return fmt.Sprintf("configmap %q not found", r.Name)
			}
			if _, ok := m.Data[r.Key]; !ok {
				return fmt.Sprintf("couldn't find key %s in ConfigMap %s/%s", r.Key, s.pod.Namespace, r.Name)
			}
		}
		if r := e.ValueFrom.SecretKeyRef; r != nil && !ptr.Deref(r.Optional, false) {
			m, ok := apiserver.Get[*v1.Secret](s.k.env.Client, s.pod.Namespace, r.Name)
			if !ok {
				return fmt.Sprintf("secret %q not found", r.Name)
			}
			if _, ok := m.Data[r.Key]; !ok {
				return fmt.Sprintf("couldn't find key %s in Secret %s/%s", r.Key, s.pod.Namespace, r.Name)
			}
		}
	}
	return ""
}
