package apiserver

import (
	"fmt"
	"path"
	"strings"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	utilvalidation "k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// volumes checks the volumes of a pod and gives the valid ones by name. meta is
// nil in a template: the claims of ephemeral volumes have no names yet there.
func (f *findings) volumes(at *field.Path, volumes []v1.Volume, meta *metav1.ObjectMeta) map[string]*v1.VolumeSource {
	valid, owned := map[string]*v1.VolumeSource{}, sets.Set[string]{}
	for i := range volumes {
		if volumes[i].Ephemeral != nil && meta != nil && meta.Name != "" {
			owned.Insert(meta.Name + "-" + volumes[i].Name)
		}
	}
	for i := range volumes {
		v, at, before := &volumes[i], at.Index(i), len(f.errs)
		f.volumeSource(at, v, meta)
		if v.Name == "" {
			f.required(at.Child("name"), "")
		} else {
			f.label(at.Child("name"), v.Name)
		}
		if valid[v.Name] != nil {
			f.duplicate(at.Child("name"), v.Name)
		}
		if len(f.errs) == before {
			valid[v.Name] = &v.VolumeSource
		}
		if claim := v.PersistentVolumeClaim; claim != nil && owned.Has(claim.ClaimName) {
			f.invalid(at.Child("persistentVolumeClaim", "claimName"), claim.ClaimName,
				"must not reference a PVC that gets created for an ephemeral volume")
		}
	}
	return valid
}

// volumeSource: exactly one of volumeKinds.
func (f *findings) volumeSource(at *field.Path, v *v1.Volume, meta *metav1.ObjectMeta) {
	n := 0
	for i := range volumeKinds {
		k := &volumeKinds[i]
		if !k.set(&v.VolumeSource) {
			continue
		}
		if n++; n == 1 {
			k.validate(f, at.Child(k.name), &v.VolumeSource)
			continue
		}
		name := k.name
		if k.misnamed != "" {
			name = k.misnamed
		}
		f.forbidden(at.Child(name), "may not specify more than 1 volume type")
	}
	if n == 0 {
		f.required(at, "must specify a volume type")
	}
	if n == 1 && v.Ephemeral != nil && meta != nil && meta.Name != "" && v.Name != "" {
		claim := meta.Name + "-" + v.Name
		for _, m := range utilvalidation.IsDNS1123Subdomain(claim) {
			f.invalid(at.Child("name"), v.Name, fmt.Sprintf("PVC name %q: %v", claim, m))
		}
	}
}

func (f *findings) emptyDir(at *field.Path, e *v1.EmptyDirVolumeSource) {
	if e.SizeLimit != nil && e.SizeLimit.Sign() < 0 {
		f.forbidden(at.Child("sizeLimit"), "SizeLimit field must be a valid resource quantity")
	}
}

func (f *findings) downwardAPI(at *field.Path, d *v1.DownwardAPIVolumeSource) {
	f.fileMode(at.Child("defaultMode"), d.DefaultMode)
	for i := range d.Items {
		f.downwardFile(at, &d.Items[i]) // the real server leaves the index out
	}
}

func (f *findings) imageVolume(at *field.Path, i *v1.ImageVolumeSource) {
	f.need(at, "reference", i.Reference)
	f.pullPolicy(at.Child("pullPolicy"), i.PullPolicy)
}

func (f *findings) hostPath(at *field.Path, h *v1.HostPathVolumeSource) {
	if h.Path == "" {
		f.required(at.Child("path"), "")
		return
	}
	f.noBacksteps(at.Child("path"), h.Path)
	optionalAmong(f, at.Child("type"), h.Type, v1.HostPathUnset, v1.HostPathBlockDev, v1.HostPathCharDev,
		v1.HostPathDirectory, v1.HostPathDirectoryOrCreate, v1.HostPathFile, v1.HostPathFileOrCreate, v1.HostPathSocket)
}

func (f *findings) nfs(at *field.Path, n *v1.NFSVolumeSource) {
	f.need(at, "server", n.Server, "path", n.Path)
	if !path.IsAbs(n.Path) {
		f.invalid(at.Child("path"), n.Path, "must be an absolute path")
	}
}

func (f *findings) secretVolume(at *field.Path, s *v1.SecretVolumeSource) {
	f.need(at, "secretName", s.SecretName)
	f.fileMode(at.Child("defaultMode"), s.DefaultMode)
	f.keyToPaths(at.Child("items"), s.Items)
}

func (f *findings) configMapVolume(at *field.Path, c *v1.ConfigMapVolumeSource) {
	f.need(at, "name", c.Name)
	f.fileMode(at.Child("defaultMode"), c.DefaultMode)
	f.keyToPaths(at.Child("items"), c.Items)
}

func (f *findings) keyToPaths(at *field.Path, items []v1.KeyToPath) {
	for i := range items {
		f.keyToPath(at.Index(i), &items[i])
	}
}

func (f *findings) keyToPath(at *field.Path, item *v1.KeyToPath) {
	f.need(at, "key", item.Key, "path", item.Path)
	f.localPath(at.Child("path"), item.Path)
	f.fileMode(at.Child("mode"), item.Mode)
}

func (f *findings) fileMode(at *field.Path, mode *int32) {
	if mode != nil && (*mode < 0 || *mode > 0o777) {
		f.invalid(at, *mode, "must be a number between 0 and 0777 (octal), both inclusive")
	}
}

func (f *findings) downwardFile(at *field.Path, file *v1.DownwardAPIVolumeFile) {
	f.need(at, "path", file.Path)
	f.localPath(at.Child("path"), file.Path)
	switch {
	case file.FieldRef != nil:
		f.fieldRef(at.Child("fieldRef"), file.FieldRef, fileFields)
		if file.ResourceFieldRef != nil {
			f.invalid(at, "resource", "fieldRef and resourceFieldRef can not be specified simultaneously")
		}
	case file.ResourceFieldRef != nil:
		f.resourceFieldRef(at.Child("resourceFieldRef"), file.ResourceFieldRef, true)
	default:
		f.required(at, "one of fieldRef and resourceFieldRef is required")
	}
	f.fileMode(at.Child("mode"), file.Mode)
}

// projected: each source is of one type, and no two write the same file.
func (f *findings) projected(at *field.Path, p *v1.ProjectedVolumeSource) {
	f.fileMode(at.Child("defaultMode"), p.DefaultMode)
	taken := sets.Set[string]{}
	take := func(path, shown string) {
		if path != "" && taken.Has(path) {
			f.invalid(at, shown, "conflicting duplicate paths")
		}
		taken.Insert(path)
	}
	for i := range p.Sources {
		f.projection(at, at.Child("sources").Index(i), &p.Sources[i], take)
	}
}

func (f *findings) projection(volume, at *field.Path, s *v1.VolumeProjection, take func(path, shown string)) {
	n := 0
	keyed := func(kind, name string, items []v1.KeyToPath) {
		n++
		if name == "" {
			f.required(at.Child(kind, "name"), "")
		}
		for j := range items {
			f.keyToPath(at.Child(kind, "items").Index(j), &items[j])
			take(items[j].Path, name)
		}
	}
	if s.Secret != nil {
		keyed("secret", s.Secret.Name, s.Secret.Items)
	}
	if s.ConfigMap != nil {
		keyed("configMap", s.ConfigMap.Name, s.ConfigMap.Items)
	}
	if s.DownwardAPI != nil {
		n++
		for j := range s.DownwardAPI.Items {
			f.downwardFile(at.Child("downwardAPI"), &s.DownwardAPI.Items[j])
			take(s.DownwardAPI.Items[j].Path, s.DownwardAPI.Items[j].Path)
		}
	}
	if s.ServiceAccountToken != nil {
		n++
		f.tokenProjection(volume, at.Child("serviceAccountToken"), s.ServiceAccountToken)
	}
	if b := s.ClusterTrustBundle; b != nil {
		n++
		f.trustBundle(at.Child("clusterTrustBundle"), b)
		take(b.Path, b.Path)
	}
	if s.PodCertificate != nil {
		n++
	}
	if n > 1 {
		f.forbidden(at, "may not specify more than 1 volume type per source")
	}
}

// tokenProjection: the real server finds the token's path at the volume.
func (f *findings) tokenProjection(volume, at *field.Path, t *v1.ServiceAccountTokenProjection) {
	switch exp := t.ExpirationSeconds; {
	case exp == nil:
		f.required(at.Child("expirationSeconds"), "")
	case *exp < 600:
		f.invalid(at.Child("expirationSeconds"), *exp, "may not specify a duration less than 10 minutes")
	case *exp > 1<<32:
		f.invalid(at.Child("expirationSeconds"), *exp, "may not specify a duration larger than 2^32 seconds")
	}
	if t.Path == "" {
		f.required(volume.Child("path"), "")
		return
	}
	f.localPath(volume.Child("path"), t.Path)
}

func (f *findings) trustBundle(at *field.Path, b *v1.ClusterTrustBundleProjection) {
	switch {
	case b.Name != nil && b.SignerName != nil:
		f.invalid(at, b, "only one of name and signerName may be used")
	case b.Name == nil && b.SignerName == nil:
		f.required(at, "either name or signerName must be specified")
	}
	f.need(at, "path", b.Path)
	f.localPath(at.Child("path"), b.Path)
}

// localPath stays below where it is mounted, and clear of the kubelet's own ..data.
func (f *findings) localPath(at *field.Path, p string) {
	f.relativePath(at, p)
	if strings.HasPrefix(p, "..") && !strings.HasPrefix(p, "../") {
		f.invalid(at, p, "must not start with '..'")
	}
}

func (f *findings) relativePath(at *field.Path, p string) {
	if path.IsAbs(p) {
		f.invalid(at, p, "must be a relative path")
	}
	f.noBacksteps(at, p)
}

func (f *findings) noBacksteps(at *field.Path, p string) {
	if hasBacksteps(p) {
		f.invalid(at, p, "must not contain '..'")
	}
}

func hasBacksteps(p string) bool {
	for part := range strings.SplitSeq(p, "/") {
		if part == ".." {
			return true
		}
	}
	return false
}

func (f *findings) ephemeralVolume(at *field.Path, e *v1.EphemeralVolumeSource) {
	at = at.Child("volumeClaimTemplate")
	t := e.VolumeClaimTemplate
	if t == nil {
		f.required(at, "")
		return
	}
	meta := at.Child("metadata")
	f.addInOrder(validation.ValidateAnnotations(t.Annotations, meta.Child("annotations")))
	f.labels(meta.Child("labels"), t.Labels)
	f.onlyFields(meta, t.ObjectMeta, allowedClaimMeta, "cannot be set")
	f.claimSpec(at.Child("spec"), &t.Spec)
}

func (f *findings) claimSpec(at *field.Path, c *v1.PersistentVolumeClaimSpec) {
	modes := at.Child("accessModes")
	if len(c.AccessModes) == 0 {
		f.required(modes, "at least 1 access mode is required")
	}
	f.labelSelector(at.Child("selector"), c.Selector)
	f.accessModes(modes, c.AccessModes)
	storage := at.Child("resources").Key(string(v1.ResourceStorage))
	if q, ok := c.Resources.Requests[v1.ResourceStorage]; !ok {
		f.required(storage, "")
	} else if q.Sign() <= 0 {
		f.invalid(storage, q.String(), "must be greater than zero")
	}
	if name := c.StorageClassName; name != nil && *name != "" {
		f.subdomain(at.Child("storageClassName"), *name)
	}
	optionalAmong(f, at.Child("volumeMode"), c.VolumeMode, v1.PersistentVolumeBlock, v1.PersistentVolumeFilesystem)
	f.dataSources(at, c)
	if name := c.VolumeAttributesClassName; name != nil && *name != "" {
		f.subdomain(at.Child("volumeAttributesClassName"), *name)
	}
}
