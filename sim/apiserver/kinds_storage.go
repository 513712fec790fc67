package apiserver

import (
	v1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
)

// Provisioner is who makes the volumes of the default StorageClass: a simulated
// CSI driver. Its disks are on the network, as a cloud's are: a volume belongs to
// the zone of the node it was made for, where nodes have zones, and to no node.
const Provisioner = "disk.csi.timonier"

// persistentVolumeClaimResource is the row of claims; its strategy is that of
// Kubernetes 1.37 pkg/registry/core/persistentvolumeclaim/strategy.go.
func persistentVolumeClaimResource() Resource {
	return Resource{
		GroupVersionResource: v1.SchemeGroupVersion.WithResource("persistentvolumeclaims"),
		Kind:                 "PersistentVolumeClaim",
		Singular:             "persistentvolumeclaim",
		ShortNames:           []string{"pvc"},
		Namespaced:           true,
		KeyPrefix:            "/registry/persistentvolumeclaims",
		New:                  func() Object { return &v1.PersistentVolumeClaim{} },
		NewList:              func() runtime.Object { return &v1.PersistentVolumeClaimList{} },
		Subresources:         []string{"status"},

		Default:                act(defaultClaim),
		PrepareForCreate:       act(prepareClaim),
		PrepareForUpdate:       actFrom(prepareClaimUpdate),
		PrepareForStatusUpdate: actFrom(prepareClaimStatus),
		Validate:               check(validateClaim),
		ValidateUpdate:         checkFrom(validateClaimUpdate),
		ValidateStatus:         checkFrom(validateClaimStatus),

		Columns: claimColumns(),
		Cells:   cells(claimCells),
		Fields: selectable(func(c *v1.PersistentVolumeClaim) fields.Set {
			return fields.Set{"name": c.Name} // a mistake of the real server that has to stay
		}),
		Unconditional: true,
	}
}

func persistentVolumeResource() Resource {
	return Resource{
		GroupVersionResource: v1.SchemeGroupVersion.WithResource("persistentvolumes"),
		Kind:                 "PersistentVolume",
		Singular:             "persistentvolume",
		ShortNames:           []string{"pv"},
		KeyPrefix:            "/registry/persistentvolumes",
		New:                  func() Object { return &v1.PersistentVolume{} },
		NewList:              func() runtime.Object { return &v1.PersistentVolumeList{} },
		Subresources:         []string{"status"},

		Default: act(defaultVolumeObject),
		PrepareForCreate: act(func(v *v1.PersistentVolume) {
			created := v.CreationTimestamp
			v.Status = v1.PersistentVolumeStatus{Phase: v1.VolumePending, LastPhaseTransitionTime: &created}
		}),
		PrepareForUpdate:       actFrom(func(new, old *v1.PersistentVolume) { new.Status = old.Status }),
		PrepareForStatusUpdate: actFrom(prepareVolumeStatus),
		Validate:               check(validateVolumeObject),
		ValidateUpdate:         checkFrom(validateVolumeObjectUpdate),
		ValidateStatus:         checkFrom(validateVolumeObjectStatus),

		Columns: volumeColumns(),
		Cells:   cells(volumeCells),
		Fields: selectable(func(v *v1.PersistentVolume) fields.Set {
			return fields.Set{"name": v.Name}
		}),
		Unconditional: true,
	}
}

func storageClassResource() Resource {
	return Resource{
		GroupVersionResource: storagev1.SchemeGroupVersion.WithResource("storageclasses"),
		Kind:                 "StorageClass",
		Singular:             "storageclass",
		ShortNames:           []string{"sc"},
		KeyPrefix:            "/registry/storageclasses",
		New:                  func() Object { return &storagev1.StorageClass{} },
		NewList:              func() runtime.Object { return &storagev1.StorageClassList{} },

		Default:        act(defaultStorageClass),
		Validate:       check(validateStorageClass),
		ValidateUpdate: checkFrom(validateStorageClassUpdate),

		Columns:       storageClassColumns(),
		Cells:         cells(storageClassCells),
		MarkRows:      markDefaultStorageClass,
		Unconditional: true,
	}
}
