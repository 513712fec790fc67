package apiserver

import (
	"slices"
	"strings"
	"time"

	v1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const unset = "<unset>"

func claimColumns() []metav1.TableColumnDefinition {
	spec, status := v1.PersistentVolumeClaimSpec{}.SwaggerDoc(), v1.PersistentVolumeClaimStatus{}.SwaggerDoc()
	return []metav1.TableColumnDefinition{
		nameColumn(),
		column("Status", "string", status["phase"]),
		column("Volume", "string", spec["volumeName"]),
		column("Capacity", "string", status["capacity"]),
		column("Access Modes", "string", status["accessModes"]),
		column("StorageClass", "string", "StorageClass of the pvc"),
		column("VolumeAttributesClass", "string", "VolumeAttributesClass of the pvc"),
		ageColumn(),
		wide(column("VolumeMode", "string", spec["volumeMode"])),
	}
}

func claimCells(c *v1.PersistentVolumeClaim, now time.Time) []any {
	capacity, modes := "", ""
	if c.Spec.VolumeName != "" {
		q := c.Status.Capacity[v1.ResourceStorage]
		capacity, modes = q.String(), shortModes(c.Status.AccessModes)
	}
	return []any{
		c.Name, phaseOr(c, string(c.Status.Phase)), c.Spec.VolumeName, capacity, modes, ClassOfClaim(c),
		orUnset(c.Spec.VolumeAttributesClassName), age(c.CreationTimestamp, now), orUnset(c.Spec.VolumeMode),
	}
}

// phaseOr is a phase as it is shown: Terminating once it is being deleted.
func phaseOr(o metav1.Object, phase string) string {
	if o.GetDeletionTimestamp() != nil {
		return "Terminating"
	}
	return phase
}

func orUnset[T ~string](s *T) string {
	if s == nil {
		return unset
	}
	return string(*s)
}

// ClassOfClaim is the name of a claim's StorageClass: that of its annotation of old, or else of its spec.
func ClassOfClaim(c *v1.PersistentVolumeClaim) string {
	if class, ok := c.Annotations[v1.BetaStorageClassAnnotation]; ok {
		return class
	}
	if c.Spec.StorageClassName != nil {
		return *c.Spec.StorageClassName
	}
	return ""
}

// ClassOfVolume is the name of a volume's StorageClass, likewise.
func ClassOfVolume(v *v1.PersistentVolume) string {
	if class, ok := v.Annotations[v1.BetaStorageClassAnnotation]; ok {
		return class
	}
	return v.Spec.StorageClassName
}

// shortModes are access modes as RWO,RWX.
func shortModes(modes []v1.PersistentVolumeAccessMode) string {
	var short []string
	for _, m := range []struct {
		mode  v1.PersistentVolumeAccessMode
		short string
	}{{v1.ReadWriteOnce, "RWO"}, {v1.ReadOnlyMany, "ROX"}, {v1.ReadWriteMany, "RWX"}, {v1.ReadWriteOncePod, "RWOP"}} {
		if slices.Contains(modes, m.mode) {
			short = append(short, m.short)
		}
	}
	return strings.Join(short, ",")
}

func volumeColumns() []metav1.TableColumnDefinition {
	spec, status := v1.PersistentVolumeSpec{}.SwaggerDoc(), v1.PersistentVolumeStatus{}.SwaggerDoc()
	return []metav1.TableColumnDefinition{
		nameColumn(),
		column("Capacity", "string", spec["capacity"]),
		column("Access Modes", "string", spec["accessModes"]),
		column("Reclaim Policy", "string", spec["persistentVolumeReclaimPolicy"]),
		column("Status", "string", status["phase"]),
		column("Claim", "string", spec["claimRef"]),
		column("StorageClass", "string", "StorageClass of the pv"),
		column("VolumeAttributesClass", "string", "VolumeAttributesClass of the pv"),
		column("Reason", "string", status["reason"]),
		ageColumn(),
		wide(column("VolumeMode", "string", spec["volumeMode"])),
	}
}

func volumeCells(v *v1.PersistentVolume, now time.Time) []any {
	claim := ""
	if ref := v.Spec.ClaimRef; ref != nil {
		claim = ref.Namespace + "/" + ref.Name
	}
	q := v.Spec.Capacity[v1.ResourceStorage]
	return []any{
		v.Name, q.String(), shortModes(v.Spec.AccessModes), string(v.Spec.PersistentVolumeReclaimPolicy),
		phaseOr(v, string(v.Status.Phase)), claim, ClassOfVolume(v), orUnset(v.Spec.VolumeAttributesClassName),
		v.Status.Reason, age(v.CreationTimestamp, now), orUnset(v.Spec.VolumeMode),
	}
}

func storageClassColumns() []metav1.TableColumnDefinition {
	doc := storagev1.StorageClass{}.SwaggerDoc()
	return []metav1.TableColumnDefinition{
		nameColumn(),
		column("Provisioner", "string", doc["provisioner"]),
		column("ReclaimPolicy", "string", doc["reclaimPolicy"]),
		column("VolumeBindingMode", "string", doc["volumeBindingMode"]),
		column("AllowVolumeExpansion", "string", doc["allowVolumeExpansion"]),
		ageColumn(),
	}
}

func storageClassCells(s *storagev1.StorageClass, now time.Time) []any {
	policy, mode := v1.PersistentVolumeReclaimDelete, storagev1.VolumeBindingImmediate
	if s.ReclaimPolicy != nil {
		policy = *s.ReclaimPolicy
	}
	if s.VolumeBindingMode != nil {
		mode = *s.VolumeBindingMode
	}
	expands := s.AllowVolumeExpansion != nil && *s.AllowVolumeExpansion
	return []any{s.Name, s.Provisioner, string(policy), string(mode), expands, age(s.CreationTimestamp, now)}
}

// markDefaultStorageClass says in a list which class claims get that name none.
func markDefaultStorageClass(all []Object, rows []metav1.TableRow) {
	def := defaultStorageClassOf(all)
	for i, o := range all {
		if def != nil && o.GetName() == def.Name {
			rows[i].Cells[0] = def.Name + " (default)"
		}
	}
}
