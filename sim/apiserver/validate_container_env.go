package apiserver

import (
	"fmt"
	"slices"
	"strings"

	v1 "k8s.io/api/core/v1"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func (f *findings) ports(at *field.Path, ports []v1.ContainerPort) {
	names := sets.Set[string]{}
	for i, p := range ports {
		at := at.Index(i)
		if p.Name != "" {
			f.portName(at.Child("name"), p.Name, names)
		}
		if p.ContainerPort == 0 {
			f.required(at.Child("containerPort"), "")
		} else {
			f.add(portNumber(at.Child("containerPort"), int64(p.ContainerPort))...)
		}
		if p.HostPort != 0 {
			f.add(portNumber(at.Child("hostPort"), int64(p.HostPort))...)
		}
		requiredAmong(f, at.Child("protocol"), p.Protocol, v1.ProtocolSCTP, v1.ProtocolTCP, v1.ProtocolUDP)
	}
}

func (f *findings) portName(at *field.Path, name string, names sets.Set[string]) {
	if messages := validation.IsValidPortName(name); len(messages) > 0 {
		f.invalidFor(at, name, messages)
		return
	}
	if names.Has(name) {
		f.duplicate(at, name)
	}
	names.Insert(name)
}

// hostPorts finds two containers on the same port of the node.
func (f *findings) hostPorts(at *field.Path, containers []v1.Container) {
	taken := sets.Set[string]{}
	for i, c := range containers {
		for j, p := range c.Ports {
			if p.HostPort == 0 {
				continue
			}
			key := fmt.Sprintf("%s/%s/%d", p.Protocol, p.HostIP, p.HostPort)
			if taken.Has(key) {
				f.duplicate(at.Index(i).Child("ports").Index(j).Child("hostPort"), key)
			}
			taken.Insert(key)
		}
	}
}

// Fields that the downward API gives, to environment variables and to files, in
// the order in which the messages list them.
var (
	envFields = []string{"metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName",
		"spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"}
	fileFields     = []string{"metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"}
	resourceFields = []string{"limits.cpu", "limits.ephemeral-storage", "limits.memory",
		"requests.cpu", "requests.ephemeral-storage", "requests.memory"}
	// otherPodFields exist, but neither an environment variable nor a file can have them.
	otherPodFields = []string{"spec.restartPolicy", "spec.schedulerName", "status.phase"}
)

func (f *findings) env(at *field.Path, vars []v1.EnvVar) {
	for i, e := range vars {
		at := at.Index(i)
		if e.Name == "" {
			f.required(at.Child("name"), "")
		} else {
			f.invalidFor(at.Child("name"), e.Name, validation.IsRelaxedEnvVarName(e.Name))
		}
		if e.ValueFrom != nil {
			f.envValueFrom(at.Child("valueFrom"), &e)
		}
	}
}

func (f *findings) envValueFrom(at *field.Path, e *v1.EnvVar) {
	from, n := e.ValueFrom, 0
	if from.FieldRef != nil {
		n++
		f.fieldRef(at.Child("fieldRef"), from.FieldRef, envFields)
	}
	if from.ResourceFieldRef != nil {
		n++
		f.resourceFieldRef(at.Child("resourceFieldRef"), from.ResourceFieldRef, false)
	}
	if r := from.ConfigMapKeyRef; r != nil {
		n++
		f.keyRef(at.Child("configMapKeyRef"), r.Name, r.Key)
	}
	if r := from.SecretKeyRef; r != nil {
		n++
		f.keyRef(at.Child("secretKeyRef"), r.Name, r.Key)
	}
	if from.FileKeyRef != nil {
		n++
		f.fileKeyRef(at.Child("fileKeyRef"), from.FileKeyRef)
	}
	switch {
	case n == 0:
		f.invalid(at, "", "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`")
	case e.Value != "":
		f.invalid(at, "", "may not be specified when `value` is not empty")
	case n > 1:
		f.invalid(at, "", "may not have more than one field specified at a time")
	}
}

// keyRef of a ConfigMap or a Secret.
func (f *findings) keyRef(at *field.Path, name, key string) {
	f.subdomain(at.Child("name"), name)
	if key == "" {
		f.required(at.Child("key"), "")
		return
	}
	f.invalidFor(at.Child("key"), key, validation.IsConfigMapKey(key))
}

func (f *findings) fileKeyRef(at *field.Path, r *v1.FileKeySelector) {
	if r.Key == "" {
		f.required(at.Child("key"), "")
	} else {
		f.invalidFor(at.Child("key"), r.Key, validation.IsRelaxedEnvVarName(r.Key))
	}
	if r.VolumeName == "" {
		f.required(at.Child("volumeName"), "")
	} else {
		f.label(at.Child("volumeName"), r.VolumeName)
	}
	if r.Path == "" {
		f.required(at.Child("path"), "")
	} else {
		f.noBacksteps(at.Child("path"), r.Path)
	}
}

// fileKeyRefVolumes: the file of an environment variable is in an emptyDir of the pod.
func (f *findings) fileKeyRefVolumes(at *field.Path, spec *v1.PodSpec) {
	volumes := map[string]*v1.VolumeSource{}
	for i := range spec.Volumes {
		volumes[spec.Volumes[i].Name] = &spec.Volumes[i].VolumeSource
	}
	eachContainer(spec, at, func(c *v1.Container, at *field.Path) {
		for i, e := range c.Env {
			if e.ValueFrom == nil || e.ValueFrom.FileKeyRef == nil {
				continue
			}
			name := e.ValueFrom.FileKeyRef.VolumeName
			at := at.Child("env").Index(i).Child("valueFrom", "fileKeyRef", "volumeName")
			if source := volumes[name]; source == nil {
				f.add(field.NotFound(at, name))
			} else if source.EmptyDir == nil {
				f.invalid(at, name, "referenced volume must be of type emptyDir")
			}
		}
	})
}

// fieldRef is a field of the pod, one of allowed, or one label or annotation: metadata.labels['key'].
func (f *findings) fieldRef(at *field.Path, r *v1.ObjectFieldSelector, allowed []string) {
	if r.APIVersion == "" {
		f.required(at.Child("apiVersion"), "")
		return
	}
	if r.FieldPath == "" {
		f.required(at.Child("fieldPath"), "")
		return
	}
	path, key, subscripted := splitSubscript(r.FieldPath)
	if path == "spec.host" { // what clients of old still send
		path = "spec.nodeName"
	}
	switch {
	case r.APIVersion != "v1":
		f.invalid(at.Child("fieldPath"), r.FieldPath, "error converting fieldPath: unsupported pod version: "+r.APIVersion)
	case subscripted && path == "metadata.annotations":
		f.qualifiedName(at, strings.ToLower(key))
	case subscripted && path == "metadata.labels":
		f.qualifiedName(at, key)
	case subscripted:
		f.invalid(at.Child("fieldPath"), r.FieldPath,
			"error converting fieldPath: field label does not support subscript: "+r.FieldPath)
	case slices.Contains(allowed, path):
	case slices.Contains(envFields, path) || slices.Contains(fileFields, path) || slices.Contains(otherPodFields, path):
		f.add(field.NotSupported(at.Child("fieldPath"), path, allowed))
	default:
		f.invalid(at.Child("fieldPath"), r.FieldPath, "error converting fieldPath: field label not supported: "+path)
	}
}

// splitSubscript takes metadata.labels['key'] apart.
func splitSubscript(path string) (field, key string, ok bool) {
	inner, closed := strings.CutSuffix(path, "']")
	field, key, opened := strings.Cut(inner, "['")
	if !closed || !opened || field == "" {
		return path, "", false
	}
	return field, key, true
}

func (f *findings) resourceFieldRef(at *field.Path, r *v1.ResourceFieldSelector, inFile bool) {
	kind, name, _ := strings.Cut(r.Resource, ".")
	known := slices.Contains(resourceFields, r.Resource)
	if (kind == "limits" || kind == "requests") && strings.HasPrefix(name, v1.ResourceHugePagesPrefix) {
		known, name = true, "hugepages"
	}
	switch {
	case inFile && r.ContainerName == "":
		f.required(at.Child("containerName"), "")
	case r.Resource == "":
		f.required(at.Child("resource"), "")
	case !known:
		f.add(field.NotSupported(at.Child("resource"), r.Resource, resourceFields))
	}
	if !known || r.Divisor.IsZero() {
		return
	}
	if d := divisors[name]; !slices.Contains(d.values, r.Divisor.String()) {
		f.invalid(at.Child("divisor"), r.Resource,
			fmt.Sprintf("only divisor's values %s are supported with the %s resource", d.listed, d.of))
	}
}

// divisors that a resource may be given in.
var divisors = map[string]struct {
	values     []string
	listed, of string
}{
	"cpu":               {[]string{"1m", "1"}, "1m and 1", "cpu"},
	"memory":            {byteUnits, strings.Join(byteUnits, ", "), "memory"},
	"hugepages":         {byteUnits, strings.Join(byteUnits, ", "), "hugepages"},
	"ephemeral-storage": {byteUnits, strings.Join(byteUnits, ", "), "local ephemeral storage"},
}

var byteUnits = []string{"1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"}

func (f *findings) envFrom(at *field.Path, sources []v1.EnvFromSource) {
	for i, e := range sources {
		idx := at.Index(i)
		if e.Prefix != "" {
			f.invalidFor(idx.Child("prefix"), e.Prefix, validation.IsRelaxedEnvVarName(e.Prefix))
		}
		n := 0
		if e.ConfigMapRef != nil {
			n++
			f.envFromName(idx.Child("configMapRef", "name"), e.ConfigMapRef.Name)
		}
		if e.SecretRef != nil {
			n++
			f.envFromName(idx.Child("secretRef", "name"), e.SecretRef.Name)
		}
		// The real server names the list, not the item.
		switch {
		case n == 0:
			f.invalid(at, "", "must specify one of: `configMapRef` or `secretRef`")
		case n > 1:
			f.invalid(at, "", "may not have more than one field specified at a time")
		}
	}
}

// envFromName takes a name for a prefix, as the real server does: it may end in a dash.
func (f *findings) envFromName(at *field.Path, name string) {
	if name == "" {
		f.required(at, "")
		return
	}
	f.invalidFor(at, name, apivalidation.NameIsDNSSubdomain(name, true))
}
