package apiserver

import (
	"reflect"
	"strings"
	"unicode"
	"unicode/utf8"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// containerContext is what the containers of one pod are checked against.
type containerContext struct {
	spec    *v1.PodSpec
	volumes map[string]*v1.VolumeSource // the valid ones, by name
	claims  sets.Set[string]            // names of spec.resourceClaims
}

func (c *containerContext) hostUsers() bool { return c.spec.HostUsers == nil || *c.spec.HostUsers }

// containers checks the three lists. A name may not come twice in a pod.
func (f *findings) containers(at *field.Path, cc *containerContext) {
	f.regularContainers(at.Child("containers"), cc)
	f.initContainers(at.Child("initContainers"), cc)
	f.ephemeralContainers(at.Child("ephemeralContainers"), cc)
}

func (f *findings) regularContainers(at *field.Path, cc *containerContext) {
	if len(cc.spec.Containers) == 0 {
		f.required(at, "")
		return
	}
	names := sets.Set[string]{}
	for i := range cc.spec.Containers {
		c, at := &cc.spec.Containers[i], at.Index(i)
		f.container(at, c, cc)
		if names.Has(c.Name) {
			f.duplicate(at.Child("name"), c.Name)
		}
		names.Insert(c.Name)
		f.lifecycleAndProbes(at, c, cc)
		f.restartRules(at, c, false)
	}
	f.hostPorts(at, cc.spec.Containers)
}

func (f *findings) initContainers(at *field.Path, cc *containerContext) {
	names := sets.Set[string]{}
	for i := range cc.spec.Containers {
		names.Insert(cc.spec.Containers[i].Name)
	}
	for i := range cc.spec.InitContainers {
		c, at, list := &cc.spec.InitContainers[i], at.Index(i), at
		f.container(at, c, cc)
		f.restartRules(at, c, true)
		if names.Has(c.Name) {
			f.duplicate(at.Child("name"), c.Name)
		} else if c.Name != "" {
			names.Insert(c.Name)
		}
		// They run one by one: ports clash only within one. The real server names the first.
		f.hostPorts(list, cc.spec.InitContainers[i:i+1])
		if isSidecar(c) {
			f.lifecycleAndProbes(at, c, cc)
			continue
		}
		f.onlyForSidecars(at, c)
	}
}

// onlyForSidecars finds what an init container that ends may not have.
func (f *findings) onlyForSidecars(at *field.Path, c *v1.Container) {
	for _, field := range []struct {
		name string
		set  bool
	}{
		{"lifecycle", c.Lifecycle != nil},
		{"livenessProbe", c.LivenessProbe != nil},
		{"readinessProbe", c.ReadinessProbe != nil},
		{"startupProbe", c.StartupProbe != nil},
	} {
		if field.set {
			f.forbidden(at.Child(field.name), "may not be set for init containers without restartPolicy=Always")
		}
	}
	for j, p := range c.ResizePolicy {
		if p.RestartPolicy == v1.RestartContainer {
			f.invalid(at.Child("resizePolicy").Index(j).Child("restartPolicy"), p.RestartPolicy,
				"must not be set to 'RestartContainer' for non-sidecar initContainers")
		}
	}
}

// ephemeralAllowed are the fields an ephemeral container may have.
var ephemeralAllowed = sets.New("Name", "Image", "Command", "Args", "WorkingDir", "EnvFrom", "Env", "VolumeMounts",
	"VolumeDevices", "TerminationMessagePath", "TerminationMessagePolicy", "ImagePullPolicy", "SecurityContext",
	"Stdin", "StdinOnce", "TTY")

func (f *findings) ephemeralContainers(at *field.Path, cc *containerContext) {
	others := sets.Set[string]{}
	for c := range allContainers(cc.spec) {
		others.Insert(c.Name)
	}
	names := others.Clone()
	for i := range cc.spec.EphemeralContainers {
		e, at := &cc.spec.EphemeralContainers[i], at.Index(i)
		c := (*v1.Container)(&e.EphemeralContainerCommon)
		f.container(at, c, cc)
		f.paddedImage(at, c)
		if names.Has(e.Name) {
			f.duplicate(at.Child("name"), e.Name)
		}
		names.Insert(e.Name)
		if e.TargetContainerName != "" && !others.Has(e.TargetContainerName) {
			f.add(field.NotFound(at.Child("targetContainerName"), e.TargetContainerName))
		}
		const refused = "cannot be set for an Ephemeral Container"
		f.onlyFields(at, e.EphemeralContainerCommon, ephemeralAllowed, refused)
		for j, m := range e.VolumeMounts {
			if m.SubPath != "" {
				f.forbidden(at.Child("volumeMounts").Index(j).Child("subPath"), refused)
			}
			if m.SubPathExpr != "" {
				f.forbidden(at.Child("volumeMounts").Index(j).Child("subPathExpr"), refused)
			}
		}
	}
}

// onlyFields finds the fields of a struct that are set and not among the allowed, by their Go names.
func (f *findings) onlyFields(at *field.Path, value any, allowed sets.Set[string], detail string) {
	v := reflect.ValueOf(value)
	for i := range v.NumField() {
		name := v.Type().Field(i).Name
		if allowed.Has(name) || v.Field(i).IsZero() {
			continue
		}
		first, n := utf8.DecodeRuneInString(name)
		f.forbidden(at.Child(string(unicode.ToLower(first))+name[n:]), detail)
	}
}

// container checks what all containers have in common.
func (f *findings) container(at *field.Path, c *v1.Container, cc *containerContext) {
	if c.Name == "" {
		f.required(at.Child("name"), "")
	} else {
		f.label(at.Child("name"), c.Name)
	}
	if c.Image == "" {
		f.required(at.Child("image"), "")
	}
	if c.TerminationMessagePolicy != v1.TerminationMessageReadFile {
		requiredAmong(f, at.Child("terminationMessagePolicy"), c.TerminationMessagePolicy,
			v1.TerminationMessageReadFile, v1.TerminationMessageFallbackToLogsOnError)
	}
	if len(c.Ports) > 0 {
		f.ports(at.Child("ports"), c.Ports)
	}
	if len(c.Env) > 0 {
		f.env(at.Child("env"), c.Env)
	}
	if len(c.EnvFrom) > 0 {
		f.envFrom(at.Child("envFrom"), c.EnvFrom)
	}
	if len(c.VolumeMounts) > 0 {
		f.volumeMounts(at.Child("volumeMounts"), c, cc)
	}
	if len(c.VolumeDevices) > 0 {
		f.volumeDevices(at.Child("volumeDevices"), c, cc)
	}
	f.pullPolicy(at.Child("imagePullPolicy"), c.ImagePullPolicy)
	f.resources(at.Child("resources"), &c.Resources, cc.claims, f.containerResourceName)
	if len(c.ResizePolicy) > 0 {
		f.resizePolicy(at.Child("resizePolicy"), c.ResizePolicy, cc.spec.RestartPolicy)
	}
	if c.SecurityContext != nil {
		f.securityContext(at.Child("securityContext"), c.SecurityContext, cc.hostUsers())
	}
}

func (f *findings) pullPolicy(at *field.Path, p v1.PullPolicy) {
	requiredAmong(f, at, p, v1.PullAlways, v1.PullIfNotPresent, v1.PullNever)
}

// paddedImage: the spaces that a template may have around an image, a pod may not.
func (f *findings) paddedImage(at *field.Path, c *v1.Container) {
	if strings.TrimSpace(c.Image) != c.Image {
		f.invalid(at.Child("image"), c.Image, "must not have leading or trailing whitespace")
	}
}

func (f *findings) resizePolicy(at *field.Path, policies []v1.ContainerResizePolicy, restart v1.RestartPolicy) {
	seen := sets.Set[v1.ResourceName]{}
	for i, p := range policies {
		if seen.Has(p.ResourceName) {
			f.duplicate(at.Index(i), p.ResourceName)
		}
		seen.Insert(p.ResourceName)
		requiredAmong(f, at, p.ResourceName, v1.ResourceCPU, v1.ResourceMemory)
		requiredAmong(f, at, p.RestartPolicy, v1.NotRequired, v1.RestartContainer)
		if restart == v1.RestartPolicyNever && p.RestartPolicy != v1.NotRequired {
			f.invalid(at, p.RestartPolicy, "must be 'NotRequired' when pod `restartPolicy` is 'Never'")
		}
	}
}
