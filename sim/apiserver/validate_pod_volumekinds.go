package apiserver

import (
	"strings"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// volumeKind is one source a volume may have.
type volumeKind struct {
	name     string
	set      func(*v1.VolumeSource) bool
	validate func(f *findings, at *field.Path, v *v1.VolumeSource)
	// misnamed is how the real server calls it when it is one too many, if otherwise.
	misnamed string
}

// volumeKinds are all of them, in the order of the real server. Of the storage
// drivers of old, which no learner meets any more, only the fields they cannot
// do without are checked, not the form of what is in them.
var volumeKinds = []volumeKind{
	{name: "emptyDir", set: func(v *v1.VolumeSource) bool { return v.EmptyDir != nil },
		validate: func(f *findings, at *field.Path, v *v1.VolumeSource) { f.emptyDir(at, v.EmptyDir) }},
	{name: "hostPath", set: func(v *v1.VolumeSource) bool { return v.HostPath != nil },
		validate: func(f *findings, at *field.Path, v *v1.VolumeSource) { f.hostPath(at, v.HostPath) }},
	{name: "gitRepo", set: func(v *v1.VolumeSource) bool { return v.GitRepo != nil },
		validate: func(f *findings, at *field.Path, v *v1.VolumeSource) {
			f.need(at, "repository", v.GitRepo.Repository)
			f.relativePath(at.Child("directory"), v.GitRepo.Directory)
		}},
	{name: "persistentDisk", misnamed: "gcePersistentDisk", set: func(v *v1.VolumeSource) bool { return v.GCEPersistentDisk != nil },
		validate: func(f *findings, at *field.Path, v *v1.VolumeSource) {
			f.need(at, "pdName", v.GCEPersistentDisk.PDName)
			f.partition(at, v.GCEPersistentDisk.Partition)
		}},
	{name: "awsElasticBlockStore", set: func(v *v1.VolumeSource) bool { return v.AWSElasticBlockStore != nil },
		validate: func(f *findings, at *field.Path, v *v1.VolumeSource) {
			f.need(at, "volumeID", v.AWSElasticBlockStore.VolumeID)
			f.partition(at, v.AWSElasticBlockStore.Partition)
		}},
	{name: "secret", set: func(v *v1.VolumeSource) bool { return v.Secret != nil },
		validate: func(f *findings, at *field.Path, v *v1.VolumeSource) { f.secretVolume(at, v.Secret) }},
	{name: "nfs", set: func(v *v1.VolumeSource) bool { return v.NFS != nil },
		validate: func(f *findings, at *field.Path, v *v1.VolumeSource) { f.nfs(at, v.NFS) }},
	{name: "iscsi", set: func(v *v1.VolumeSource) bool { return v.ISCSI != nil },
		validate: func(f *findings, at *field.Path, v *v1.VolumeSource) {
			f.need(at, "targetPortal", v.ISCSI.TargetPortal, "iqn", v.ISCSI.IQN)
		}},
	{name: "glusterfs", set: func(v *v1.VolumeSource) bool { return v.Glusterfs != nil },
		validate: func(f *findings, at *field.Path, v *v1.VolumeSource) {
			f.need(at, "endpoints", v.Glusterfs.EndpointsName, "path", v.Glusterfs.Path)
		}},
	{name: "flocker", set: func(v *v1.VolumeSource) bool { return v.Flocker != nil },
		validate: func(f *findings, at *field.Path, v *v1.VolumeSource) {
			if v.Flocker.DatasetName == "" && v.Flocker.DatasetUUID == "" {
				f.required(at, "one of datasetName and datasetUUID is required")
			}
		}},
	{name: "persistentVolumeClaim", set: func(v *v1.VolumeSource) bool { return v.PersistentVolumeClaim != nil },
		validate: func(f *findings, at *field.Path, v *v1.VolumeSource) {
			f.need(at, "claimName", v.PersistentVolumeClaim.ClaimName)
		}},
	{name: "rbd", set: func(v *v1.VolumeSource) bool { return v.RBD != nil },
		validate: func(f *findings, at *field.Path, v *v1.VolumeSource) {
			f.need(at, "monitors", strings.Join(v.RBD.CephMonitors, " "), "image", v.RBD.RBDImage)
		}},
	{name: "cinder", set: func(v *v1.VolumeSource) bool { return v.Cinder != nil },
		validate: func(f *findings, at *field.Path, v *v1.VolumeSource) {
			f.need(at, "volumeID", v.Cinder.VolumeID)
			f.secretRef(at, v.Cinder.SecretRef)
		}},
	{name: "cephfs", misnamed: "cephFS", set: func(v *v1.VolumeSource) bool { return v.CephFS != nil },
		validate: func(f *findings, at *field.Path, v *v1.VolumeSource) {
			f.need(at, "monitors", strings.Join(v.CephFS.Monitors, " "))
		}},
	{name: "quobyte", set: func(v *v1.VolumeSource) bool { return v.Quobyte != nil },
		validate: func(f *findings, at *field.Path, v *v1.VolumeSource) {
			if v.Quobyte.Registry == "" {
				f.required(at.Child("registry"), "must be a host:port pair or multiple pairs separated by commas")
			}
			f.need(at, "volume", v.Quobyte.Volume)
		}},
	{name: "downwardAPI", misnamed: "downwarAPI", set: func(v *v1.VolumeSource) bool { return v.DownwardAPI != nil },
		validate: func(f *findings, at *field.Path, v *v1.VolumeSource) { f.downwardAPI(at, v.DownwardAPI) }},
	{name: "fc", set: func(v *v1.VolumeSource) bool { return v.FC != nil },
		validate: func(f *findings, at *field.Path, v *v1.VolumeSource) {
			if len(v.FC.TargetWWNs) == 0 && len(v.FC.WWIDs) == 0 {
				f.required(at.Child("targetWWNs"), "must specify either targetWWNs or wwids, but not both")
			}
		}},
	{name: "flexVolume", set: func(v *v1.VolumeSource) bool { return v.FlexVolume != nil },
		validate: func(f *findings, at *field.Path, v *v1.VolumeSource) { f.need(at, "driver", v.FlexVolume.Driver) }},
	{name: "configMap", set: func(v *v1.VolumeSource) bool { return v.ConfigMap != nil },
		validate: func(f *findings, at *field.Path, v *v1.VolumeSource) { f.configMapVolume(at, v.ConfigMap) }},
	{name: "azureFile", set: func(v *v1.VolumeSource) bool { return v.AzureFile != nil },
		validate: func(f *findings, at *field.Path, v *v1.VolumeSource) {
			f.need(at, "secretName", v.AzureFile.SecretName, "shareName", v.AzureFile.ShareName)
		}},
	{name: "vsphereVolume", set: func(v *v1.VolumeSource) bool { return v.VsphereVolume != nil },
		validate: func(f *findings, at *field.Path, v *v1.VolumeSource) {
			f.need(at, "volumePath", v.VsphereVolume.VolumePath)
		}},
	{name: "photonPersistentDisk", set: func(v *v1.VolumeSource) bool { return v.PhotonPersistentDisk != nil },
		validate: func(f *findings, at *field.Path, v *v1.VolumeSource) { f.need(at, "pdID", v.PhotonPersistentDisk.PdID) }},
	{name: "portworxVolume", set: func(v *v1.VolumeSource) bool { return v.PortworxVolume != nil },
		validate: func(f *findings, at *field.Path, v *v1.VolumeSource) {
			f.need(at, "volumeID", v.PortworxVolume.VolumeID)
		}},
	{name: "azureDisk", set: func(v *v1.VolumeSource) bool { return v.AzureDisk != nil },
		validate: func(f *findings, at *field.Path, v *v1.VolumeSource) {
			f.need(at, "diskName", v.AzureDisk.DiskName, "diskURI", v.AzureDisk.DataDiskURI)
		}},
	{name: "storageos", set: func(v *v1.VolumeSource) bool { return v.StorageOS != nil },
		validate: func(f *findings, at *field.Path, v *v1.VolumeSource) {
			f.need(at, "volumeName", v.StorageOS.VolumeName)
			f.secretRef(at, v.StorageOS.SecretRef)
		}},
	{name: "projected", set: func(v *v1.VolumeSource) bool { return v.Projected != nil },
		validate: func(f *findings, at *field.Path, v *v1.VolumeSource) {
			if v.Projected != tokenVolume().Projected { // the server's own is well
				f.projected(at, v.Projected)
			}
		}},
	{name: "scaleIO", set: func(v *v1.VolumeSource) bool { return v.ScaleIO != nil },
		validate: func(f *findings, at *field.Path, v *v1.VolumeSource) {
			f.need(at, "gateway", v.ScaleIO.Gateway, "system", v.ScaleIO.System, "volumeName", v.ScaleIO.VolumeName)
		}},
	{name: "csi", set: func(v *v1.VolumeSource) bool { return v.CSI != nil },
		validate: func(f *findings, at *field.Path, v *v1.VolumeSource) { f.csi(at, v.CSI) }},
	{name: "ephemeral", set: func(v *v1.VolumeSource) bool { return v.Ephemeral != nil },
		validate: func(f *findings, at *field.Path, v *v1.VolumeSource) { f.ephemeralVolume(at, v.Ephemeral) }},
	{name: "image", set: func(v *v1.VolumeSource) bool { return v.Image != nil },
		validate: func(f *findings, at *field.Path, v *v1.VolumeSource) { f.imageVolume(at, v.Image) }},
}

func (f *findings) partition(at *field.Path, n int32) {
	if n < 0 || n > 255 {
		f.invalid(at.Child("partition"), n, validation.InclusiveRangeError(1, 255))
	}
}

func (f *findings) secretRef(at *field.Path, ref *v1.LocalObjectReference) {
	if ref != nil {
		f.need(at.Child("secretRef"), "name", ref.Name)
	}
}

func (f *findings) csi(at *field.Path, c *v1.CSIVolumeSource) {
	const maxName = 63
	if c.Driver == "" {
		f.required(at.Child("driver"), "")
	} else {
		if len(c.Driver) > maxName {
			f.add(field.TooLong(at.Child("driver"), "", maxName))
		}
		f.invalidFor(at.Child("driver"), c.Driver, validation.IsDNS1123Subdomain(strings.ToLower(c.Driver)))
	}
	switch ref := c.NodePublishSecretRef; {
	case ref == nil:
	case ref.Name == "":
		f.required(at.Child("nodePublishSecretRef", "name"), "")
	default:
		f.subdomain(at.Child("name"), ref.Name) // so named by the real server
	}
}

// allowedClaimMeta are the metadata fields that the template of a claim may have.
var allowedClaimMeta = sets.New("Annotations", "Labels")
