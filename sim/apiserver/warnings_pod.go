package apiserver

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// podWarner gathers what pkg/api/pod/warnings.go warns of in the spec of a pod, or of a template at a path.
type podWarner struct {
	path        *field.Path // nil: of a pod itself
	spec        *v1.PodSpec
	annotations map[string]string
	all         []string
}

func podWarnings(path *field.Path, spec *v1.PodSpec, annotations map[string]string) []string {
	w := &podWarner{path: path, spec: spec, annotations: annotations}
	w.labels()
	w.oldAnnotations()
	w.volumes()
	w.references()
	w.overhead()
	containers := w.containers()
	for _, c := range containers {
		w.container(c)
	}
	w.ports(containers)
	w.portNames(containers)
	if g := spec.TerminationGracePeriodSeconds; g != nil && *g < 0 {
		w.warn(w.at("terminationGracePeriodSeconds"), "must be >= 0; negative values are invalid and will be treated as 1")
	}
	w.podAffinity()
	return w.all
}

func (w *podWarner) at(first string, more ...string) *field.Path {
	return w.path.Child("spec", append([]string{first}, more...)...)
}

func (w *podWarner) warn(path *field.Path, format string, args ...any) {
	w.all = append(w.all, path.String()+": "+fmt.Sprintf(format, args...))
}

// oldLabels are the node labels that have another name by now (pkg/api/node/util.go).
func oldLabels() map[string]string {
	return map[string]string{
		"beta.kubernetes.io/arch":                       `deprecated since v1.14; use "kubernetes.io/arch" instead`,
		"beta.kubernetes.io/os":                         `deprecated since v1.14; use "kubernetes.io/os" instead`,
		"failure-domain.beta.kubernetes.io/region":      `deprecated since v1.17; use "topology.kubernetes.io/region" instead`,
		"failure-domain.beta.kubernetes.io/zone":        `deprecated since v1.17; use "topology.kubernetes.io/zone" instead`,
		"beta.kubernetes.io/instance-type":              `deprecated since v1.17; use "node.kubernetes.io/instance-type" instead`,
		"app.kubernetes.io/created-by":                  `deprecated since v1.9`,
		"scheduler.alpha.kubernetes.io/preferAvoidPods": `deprecated since v1.22; use Taints and Tolerations instead`,
		"node-role.kubernetes.io/master":                `use "node-role.kubernetes.io/control-plane" instead`,
	}
}

const matchesNoPod = "a null labelSelector results in matching no pod"

// labels warns of old names of node labels, and of selectors that match nothing.
func (w *podWarner) labels() {
	old := oldLabels()
	for _, k := range slices.Sorted(maps.Keys(w.spec.NodeSelector)) {
		if why, ok := old[k]; ok {
			w.warn(w.at("nodeSelector").Key(k), "%s", why)
		}
	}
	term := func(t v1.NodeSelectorTerm, path *field.Path, values bool) {
		for i, e := range t.MatchExpressions {
			at := path.Child("matchExpressions").Index(i)
			if why, ok := old[e.Key]; ok {
				w.warn(at.Child("key"), "%s is %s", e.Key, why)
			}
			for j := 0; values && j < len(e.Values); j++ {
				for _, why := range validation.IsValidLabelValue(e.Values[j]) {
					w.warn(at.Child("values").Index(j), "%s is invalid, %s", e.Values[j], why)
				}
			}
		}
	}
	if a := w.spec.Affinity; a != nil && a.NodeAffinity != nil {
		path := w.at("affinity", "nodeAffinity")
		if r := a.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution; r != nil {
			for i, t := range r.NodeSelectorTerms {
				term(t, path.Child("requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms").Index(i), false)
			}
		}
		for i, p := range a.NodeAffinity.PreferredDuringSchedulingIgnoredDuringExecution {
			term(p.Preference, path.Child("preferredDuringSchedulingIgnoredDuringExecution").Index(i).Child("preference"), true)
		}
	}
	for i, t := range w.spec.TopologySpreadConstraints {
		path := w.at("topologySpreadConstraints").Index(i)
		if why, ok := old[t.TopologyKey]; ok {
			w.warn(path.Child("topologyKey"), "%s is %s", t.TopologyKey, why)
		}
		if t.LabelSelector == nil {
			w.warn(path.Child("labelSelector"), matchesNoPod)
		}
	}
}

func (w *podWarner) oldAnnotations() {
	for _, row := range [][2]string{
		{"scheduler.alpha.kubernetes.io/critical-pod", `non-functional in v1.16+; use the "priorityClassName" field instead`},
		{"security.alpha.kubernetes.io/sysctls", `non-functional in v1.11+; use the "sysctls" field instead`},
		{"security.alpha.kubernetes.io/unsafe-sysctls", `non-functional in v1.11+; use the "sysctls" field instead`},
	} {
		if _, there := w.annotations[row[0]]; there {
			w.warn(w.path.Child("metadata", "annotations").Key(row[0]), "%s", row[1])
		}
	}
}

// volumes warns of kinds of volumes that are gone.
func (w *podWarner) volumes() {
	for i := range w.spec.Volumes {
		v, path := &w.spec.Volumes[i], w.at("volumes").Index(i)
		for _, row := range []struct {
			there      bool
			field, why string
		}{
			{v.PhotonPersistentDisk != nil, "photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"},
			{v.GitRepo != nil, "gitRepo", "deprecated in v1.11, and disabled by default in v1.33+"},
			{v.ScaleIO != nil, "scaleIO", "deprecated in v1.16, non-functional in v1.22+"},
			{v.Flocker != nil, "flocker", "deprecated in v1.22, non-functional in v1.25+"},
			{v.StorageOS != nil, "storageOS", "deprecated in v1.22, non-functional in v1.25+"},
			{v.Quobyte != nil, "quobyte", "deprecated in v1.22, non-functional in v1.25+"},
			{v.Glusterfs != nil, "glusterfs", "deprecated in v1.25, non-functional in v1.26+"},
			{v.CephFS != nil, "cephfs", "deprecated in v1.28, non-functional in v1.31+"},
			{v.RBD != nil, "rbd", "deprecated in v1.28, non-functional in v1.31+"},
		} {
			if row.there {
				w.warn(path.Child(row.field), "%s", row.why)
			}
		}
	}
}

// references warns of what is named twice, or not at all.
func (w *podWarner) references() {
	seen := map[string]bool{}
	for i, a := range w.spec.HostAliases {
		if seen[a.IP] {
			w.warn(w.at("hostAliases").Index(i).Child("ip"), "duplicate ip %q", a.IP)
		}
		seen[a.IP] = true
	}
	seen = map[string]bool{}
	for i, s := range w.spec.ImagePullSecrets {
		if seen[s.Name] {
			w.warn(w.at("imagePullSecrets").Index(i).Child("name"), "duplicate name %q", s.Name)
		}
		seen[s.Name] = true
	}
	for i, s := range w.spec.ImagePullSecrets {
		if s.Name == "" {
			w.warn(w.at("imagePullSecrets").Index(i).Child("name"), "invalid empty name %q", s.Name)
		}
	}
}

func (w *podWarner) overhead() {
	w.fractions(w.spec.Overhead, w.at("overhead"), v1.ResourceMemory)
	w.fractions(w.spec.Overhead, w.at("overhead"), v1.ResourceEphemeralStorage)
}

// fractions warns of a part of a byte.
func (w *podWarner) fractions(list v1.ResourceList, path *field.Path, name v1.ResourceName) {
	if q, ok := list[name]; ok && q.MilliValue()%1000 != 0 {
		w.warn(path.Key(string(name)), "fractional byte value %q is invalid, must be an integer", q.String())
	}
}

// placed is a container with its place.
type placed struct {
	*v1.Container
	path *field.Path
}

// containers are all of the pod's: init containers first, as the real visitor goes.
func (w *podWarner) containers() (all []placed) {
	for i := range w.spec.InitContainers {
		all = append(all, placed{&w.spec.InitContainers[i], w.at("initContainers").Index(i)})
	}
	for i := range w.spec.Containers {
		all = append(all, placed{&w.spec.Containers[i], w.at("containers").Index(i)})
	}
	return all
}

func (w *podWarner) container(c placed) {
	w.fractions(c.Resources.Limits, c.path.Child("resources", "limits"), v1.ResourceMemory)
	w.fractions(c.Resources.Requests, c.path.Child("resources", "requests"), v1.ResourceMemory)
	w.fractions(c.Resources.Limits, c.path.Child("resources", "limits"), v1.ResourceEphemeralStorage)
	w.fractions(c.Resources.Requests, c.path.Child("resources", "requests"), v1.ResourceEphemeralStorage)
	seen := map[string]bool{}
	for i, e := range c.Env {
		itself := "$(" + e.Name + ")"
		if seen[e.Name] && (e.ValueFrom != nil || e.Value == itself || !strings.Contains(e.Value, itself)) {
			w.warn(c.path.Child("env").Index(i), "hides previous definition of %q, which may be dropped when using apply", e.Name)
		}
		seen[e.Name] = true
	}
}

// ports warns of ports of which one is in another's way.
func (w *podWarner) ports(containers []placed) {
	type block struct {
		path *field.Path
		port v1.ContainerPort
	}
	known := map[string][]block{}
	for _, c := range containers {
		for i, p := range c.Ports {
			path := c.path.Child("ports").Index(i)
			if p.HostIP != "" && p.HostPort == 0 {
				w.warn(path, "hostIP set without hostPort: %+v", internalPort{p.Name, p.HostPort, p.ContainerPort, p.Protocol, p.HostIP})
			}
			key := fmt.Sprintf("%d/%s", p.ContainerPort, p.Protocol)
			for _, other := range known[key] {
				switch o := other.port; {
				case p.HostIP == o.HostIP && p.HostPort == o.HostPort:
					w.warn(path, "duplicate port definition with %s", other.path)
				case p.HostPort == 0 || o.HostPort == 0:
					w.warn(path, "overlapping port definition with %s", other.path)
				case p.HostPort == o.HostPort && (p.HostIP == "") != (o.HostIP == ""):
					w.warn(path, "dangerously ambiguous port definition with %s", other.path)
				}
			}
			known[key] = append(known[key], block{path, p})
		}
	}
}

// internalPort is a port as the real server prints it.
type internalPort struct {
	Name                    string
	HostPort, ContainerPort int32
	Protocol                v1.Protocol
	HostIP                  string
}

func (w *podWarner) portNames(containers []placed) {
	known := map[string]*field.Path{}
	for _, c := range containers {
		for i, p := range c.Ports {
			path := c.path.Child("ports").Index(i)
			if other := known[p.Name]; other != nil {
				w.warn(path, "duplicate port name %q with %s, services and probes that select ports by name will use %s", p.Name, other, other)
			} else if p.Name != "" {
				known[p.Name] = path
			}
		}
	}
}

// podAffinity warns of terms that match nothing.
func (w *podWarner) podAffinity() {
	terms := func(kind string, required []v1.PodAffinityTerm, preferred []v1.WeightedPodAffinityTerm) {
		path := w.at("affinity", kind)
		for i, t := range required {
			if t.LabelSelector == nil {
				w.warn(path.Child("requiredDuringSchedulingIgnoredDuringExecution").Index(i).Child("labelSelector"), matchesNoPod)
			}
		}
		for i, t := range preferred {
			if t.PodAffinityTerm.LabelSelector == nil {
				w.warn(path.Child("preferredDuringSchedulingIgnoredDuringExecution").Index(i).Child("podAffinityTerm", "labelSelector"), matchesNoPod)
			}
		}
	}
	if a := w.spec.Affinity; a != nil {
		if p := a.PodAffinity; p != nil {
			terms("podAffinity", p.RequiredDuringSchedulingIgnoredDuringExecution, p.PreferredDuringSchedulingIgnoredDuringExecution)
		}
		if p := a.PodAntiAffinity; p != nil {
			terms("podAntiAffinity", p.RequiredDuringSchedulingIgnoredDuringExecution, p.PreferredDuringSchedulingIgnoredDuringExecution)
		}
	}
}
