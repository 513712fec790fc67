package apiserver

import (
	"fmt"
	"maps"
	"path"
	"reflect"
	"slices"
	"strings"

	v1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/diff"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// What the API refuses of volumes and storage classes, in the paths and words of Kubernetes 1.37
// pkg/apis/{core,storage}/validation. Claims have validate_storage_claim.go.

func validateVolumeObject(v *v1.PersistentVolume) field.ErrorList {
	var f findings
	at := field.NewPath("spec")
	spec := &v.Spec
	modes := at.Child("accessModes")
	if len(spec.AccessModes) == 0 {
		f.required(modes, "")
	}
	f.accessModes(modes, spec.AccessModes)
	f.volumeCapacity(at.Child("capacity"), spec.Capacity)
	if p := spec.PersistentVolumeReclaimPolicy; p != "" {
		among(&f, at.Child("persistentVolumeReclaimPolicy"), p,
			v1.PersistentVolumeReclaimDelete, v1.PersistentVolumeReclaimRecycle, v1.PersistentVolumeReclaimRetain)
	}
	if n := spec.NodeAffinity; n != nil {
		if n.Required == nil {
			f.required(at.Child("nodeAffinity", "required"), "must specify required node constraints")
		} else {
			f.nodeSelector(at.Child("nodeAffinity", "required"), n.Required)
		}
	}
	f.volumeSources(at, spec)
	if spec.HostPath != nil && path.Clean(spec.HostPath.Path) == "/" && spec.PersistentVolumeReclaimPolicy == v1.PersistentVolumeReclaimRecycle {
		f.forbidden(at.Child("persistentVolumeReclaimPolicy"), "may not be 'recycle' for a hostPath mount of '/'")
	}
	if spec.StorageClassName != "" {
		f.subdomain(at.Child("storageClassName"), spec.StorageClassName)
	}
	optionalAmong(&f, at.Child("volumeMode"), spec.VolumeMode, v1.PersistentVolumeBlock, v1.PersistentVolumeFilesystem)
	if class := spec.VolumeAttributesClassName; class != nil {
		switch at := at.Child("volumeAttributesClassName"); *class {
		case "":
			f.required(at, "an empty string is disallowed")
		default:
			f.subdomain(at, *class)
		}
		if spec.CSI == nil {
			f.required(at.Child("csi"), "has to be specified when using volumeAttributesClassName")
		}
	}
	return f.errs
}

// accessModes are known, and the one for a single pod stands alone.
func (f *findings) accessModes(at *field.Path, modes []v1.PersistentVolumeAccessMode) {
	oncePod, other := false, false
	for _, m := range modes {
		among(f, at, m, v1.ReadOnlyMany, v1.ReadWriteMany, v1.ReadWriteOnce, v1.ReadWriteOncePod)
		oncePod = oncePod || m == v1.ReadWriteOncePod
		other = other || m == v1.ReadOnlyMany || m == v1.ReadWriteMany || m == v1.ReadWriteOnce
	}
	if oncePod && other {
		f.forbidden(at, "may not use ReadWriteOncePod with other access modes")
	}
}

func (f *findings) volumeCapacity(at *field.Path, capacity v1.ResourceList) {
	if len(capacity) == 0 {
		f.required(at, "")
	}
	if _, ok := capacity[v1.ResourceStorage]; !ok || len(capacity) > 1 {
		f.add(field.NotSupported(at, capacity, []v1.ResourceName{v1.ResourceStorage}))
	}
	for _, name := range slices.Sorted(maps.Keys(capacity)) {
		at, q := at.Key(string(name)), capacity[name]
		f.basicQuantity(at, q.Value())
		if q.Sign() <= 0 {
			f.invalid(at, q.String(), "must be greater than zero")
		}
	}
}

func (f *findings) basicQuantity(at *field.Path, value int64) {
	if value < 0 {
		f.invalid(at, value, "must be a valid resource quantity")
	}
}

// volumeDrivers are the sources of a volume, in the order of the real server. Of the storage drivers of old, which
// no learner meets any more, nothing is checked but that there is one source alone.
var volumeDrivers = []string{"hostPath", "gcePersistentDisk", "awsElasticBlockStore", "glusterfs", "flocker", "nfs", "rbd", "quobyte",
	"cephfs", "iscsi", "cinder", "fc", "flexVolume", "azureFile", "vsphereVolume", "photonPersistentDisk", "portworxVolume", "azureDisk",
	"scaleIO", "local", "storageos", "csi"}

// volumeSources wants one source, and no more.
func (f *findings) volumeSources(at *field.Path, spec *v1.PersistentVolumeSpec) {
	n, set := 0, driversOf(&spec.PersistentVolumeSource)
	for _, name := range volumeDrivers {
		switch at := at.Child(name); {
		case !set[name]:
		case n > 0:
			f.forbidden(at, "may not specify more than 1 volume type")
		default:
			n++
			f.volumeDriver(at, name, spec)
		}
	}
	if n == 0 {
		f.required(at, "must specify a volume type")
	}
}

func (f *findings) volumeDriver(at *field.Path, name string, spec *v1.PersistentVolumeSpec) {
	switch name {
	case "hostPath":
		f.hostPath(at, spec.HostPath)
	case "nfs":
		f.nfs(at, spec.NFS)
	case "local":
		if spec.Local.Path == "" {
			f.required(at.Child("path"), "")
		} else {
			f.noBacksteps(at.Child("path"), spec.Local.Path)
		}
		if spec.NodeAffinity == nil {
			f.required(field.NewPath("spec", "nodeAffinity"), "Local volume requires node affinity")
		}
	case "csi":
		f.csiVolume(at, spec.CSI)
	}
}

// driversOf are the JSON names of the sources that are set.
func driversOf(source *v1.PersistentVolumeSource) map[string]bool {
	set, v := map[string]bool{}, reflect.ValueOf(source).Elem()
	for i := range v.NumField() {
		if !v.Field(i).IsNil() {
			name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
			set[name] = true
		}
	}
	return set
}

func (f *findings) csiVolume(at *field.Path, c *v1.CSIPersistentVolumeSource) {
	f.csi(at, &v1.CSIVolumeSource{Driver: c.Driver})
	if c.VolumeHandle == "" {
		f.required(at.Child("volumeHandle"), "")
	}
	for _, ref := range []struct {
		name   string
		secret *v1.SecretReference
	}{
		{"controllerPublishSecretRef", c.ControllerPublishSecretRef}, {"controllerExpandSecretRef", c.ControllerExpandSecretRef},
		{"nodePublishSecretRef", c.NodePublishSecretRef}, {"nodeExpandSecretRef", c.NodeExpandSecretRef},
	} {
		if ref.secret == nil {
			continue
		}
		at := at.Child(ref.name)
		if name := at.Child("name"); ref.secret.Name == "" {
			f.required(name, "")
		} else {
			f.label(name, ref.secret.Name)
		}
		if namespace := at.Child("namespace"); ref.secret.Namespace == "" {
			f.required(namespace, "")
		} else {
			f.label(namespace, ref.secret.Namespace)
		}
	}
}

func validateVolumeObjectUpdate(new, old *v1.PersistentVolume) field.ErrorList {
	f := findings{errs: validateVolumeObject(new)}
	source := new.Spec.PersistentVolumeSource
	if now, was := source.CSI, old.Spec.CSI; now != nil && was != nil && was.ControllerExpandSecretRef == nil && now.ControllerExpandSecretRef != nil {
		same := *now // it may be added
		same.ControllerExpandSecretRef = nil
		source.CSI = &same
	}
	if !equality.Semantic.DeepEqual(source, old.Spec.PersistentVolumeSource) {
		f.forbidden(field.NewPath("spec", "persistentvolumesource"), fmt.Sprintf("spec.persistentvolumesource is immutable after creation\n%v",
			diff.Diff(inServer{old.Spec.PersistentVolumeSource}, inServer{source})))
	}
	f.add(apivalidation.ValidateImmutableField(new.Spec.VolumeMode, old.Spec.VolumeMode, field.NewPath("volumeMode"))...)
	if was := old.Spec.NodeAffinity; was != nil && !equality.Semantic.DeepEqual(new.Spec.NodeAffinity, was) {
		f.add(apivalidation.ValidateImmutableField(new.Spec.NodeAffinity, was, field.NewPath("nodeAffinity"))...)
	}
	if old.Spec.VolumeAttributesClassName != nil && new.Spec.VolumeAttributesClassName == nil {
		f.forbidden(field.NewPath("spec", "volumeAttributesClassName"), "update from non-nil value to nil is forbidden")
	}
	return f.errs
}

func validateVolumeObjectStatus(new, _ *v1.PersistentVolume) field.ErrorList { return needVersion(new) }

// needVersion wants to know what an update of a status was made of.
func needVersion(o metav1.Object) field.ErrorList {
	if o.GetResourceVersion() != "" {
		return nil
	}
	return field.ErrorList{field.Required(field.NewPath("resourceVersion"), "")}
}

const (
	mostParameters    = 512
	mostParameterSize = 256 << 10
)

func validateStorageClass(s *storagev1.StorageClass) field.ErrorList {
	var f findings
	if at := field.NewPath("provisioner"); s.Provisioner == "" {
		f.required(at, s.Provisioner)
	} else {
		f.qualifiedName(at, strings.ToLower(s.Provisioner))
	}
	f.parameters(field.NewPath("parameters"), s.Parameters)
	if p := s.ReclaimPolicy; p != nil && *p != "" {
		among(&f, field.NewPath("reclaimPolicy"), *p, v1.PersistentVolumeReclaimDelete, v1.PersistentVolumeReclaimRetain)
	}
	if at, mode := field.NewPath("volumeBindingMode"), s.VolumeBindingMode; mode == nil {
		f.required(at, "")
	} else {
		among(&f, at, *mode, storagev1.VolumeBindingImmediate, storagev1.VolumeBindingWaitForFirstConsumer)
	}
	f.topologies(field.NewPath("allowedTopologies"), s.AllowedTopologies)
	return f.errs
}

func (f *findings) parameters(at *field.Path, parameters map[string]string) {
	if len(parameters) > mostParameters {
		f.add(field.TooLong(at, "", mostParameters))
		return
	}
	size := 0
	for k, v := range parameters {
		if k == "" {
			f.invalid(at, k, "field can not be empty.")
		}
		size += len(k) + len(v)
	}
	if size > mostParameterSize {
		f.add(field.TooLong(at, "", mostParameterSize))
	}
}

// topologies are where volumes may be made. The real server also compares terms, though what it compares with is
// always empty at first: a term that is empty is a duplicate from the start.
func (f *findings) topologies(list *field.Path, terms []v1.TopologySelectorTerm) {
	var seen []map[string][]string
	for i, t := range terms {
		at := list.Index(i).Child("matchLabelExpressions")
		keys := map[string][]string{}
		for j, r := range t.MatchLabelExpressions {
			at := at.Index(j)
			values := at.Child("values")
			if len(r.Values) == 0 {
				f.required(values, "")
			}
			for k, v := range r.Values {
				if slices.Contains(r.Values[:k], v) {
					f.duplicate(values.Index(k), v)
				}
			}
			f.labelName(at.Child("key"), r.Key)
			if _, twice := keys[r.Key]; twice {
				f.duplicate(at.Child("key"), r.Key)
			}
			keys[r.Key] = slices.Compact(slices.Sorted(slices.Values(r.Values)))
		}
		for range len(terms) {
			if len(keys) == 0 {
				f.duplicate(at, "")
			}
		}
		for _, other := range seen {
			if maps.EqualFunc(keys, other, slices.Equal[[]string]) {
				f.duplicate(at, "")
			}
		}
		seen = append(seen, keys)
	}
}

func validateStorageClassUpdate(new, old *storagev1.StorageClass) field.ErrorList {
	errs := validateStorageClass(new)
	same := func(new, old any, name string) {
		errs = append(errs, apivalidation.ValidateImmutableField(new, old, field.NewPath(name))...)
	}
	same(new.Parameters, old.Parameters, "parameters")
	same(new.Provisioner, old.Provisioner, "provisioner")
	same(new.ReclaimPolicy, old.ReclaimPolicy, "reclaimPolicy")
	same(new.VolumeBindingMode, old.VolumeBindingMode, "volumeBindingMode")
	return errs
}

// claimResourceKey: of Kubernetes' own resources a volume has storage alone.
func (f *findings) claimResourceKey(at *field.Path, name v1.ResourceName) bool {
	if messages := validation.IsQualifiedName(string(name)); len(messages) > 0 {
		f.invalidFor(at, string(name), messages)
		return false
	}
	if isNativeResource(name) && name != v1.ResourceStorage {
		f.add(field.NotSupported(at, string(name), []v1.ResourceName{v1.ResourceStorage}))
		return false
	}
	return true
}
