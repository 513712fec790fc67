package controller

import (
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"timonier/sim/apiserver"
	"timonier/sim/trace"
)

const (
	// diskTime is how long the simulated disks take to be made, and to be deleted.
	diskTime = time.Second
	// heldByProvisioner keeps a volume until its disk has been deleted.
	heldByProvisioner = "external-provisioner.volume.kubernetes.io/finalizer"
)

// provisioner is the simulated CSI driver's external-provisioner (kubernetes-csi/external-provisioner and
// sig-storage-lib-external-provisioner): it makes a volume for a claim that the binder has left to it, and deletes it
// when it is released. It is no part of the controller manager, but a program of its own.
//
// Its keys: claim/NAMESPACE/NAME (begin), make/NAMESPACE/NAME, delete/NAME.
type provisioner struct{ Env }

func newProvisioner(env Env) Component { return &provisioner{env} }

func (c *provisioner) Observe(e apiserver.Event) {
	switch o := e.New.(type) {
	case *corev1.PersistentVolumeClaim:
		old, _ := e.Old.(*corev1.PersistentVolumeClaim)
		if _, ok := c.wanted(o); ok && (old == nil || old.Annotations[askedOf] != o.Annotations[askedOf] || old.Annotations[selectedNode] != o.Annotations[selectedNode]) {
			c.soon(claimKey(o.Namespace, o.Name))
		}
	case *corev1.PersistentVolume:
		if c.unwanted(o) {
			c.Queue.Add("delete/"+o.Name, diskTime)
		}
	}
}

func (c *provisioner) Resync() {
	for claim := range apiserver.List[*corev1.PersistentVolumeClaim](c.Client, "") {
		if _, ok := c.wanted(claim); ok {
			c.soon(claimKey(claim.Namespace, claim.Name))
		}
	}
	for v := range apiserver.List[*corev1.PersistentVolume](c.Client, "") {
		if c.unwanted(v) {
			c.Queue.Add("delete/"+v.Name, diskTime)
		}
	}
}

// wanted says whether a claim is to get a volume of ours, and of which class.
func (c *provisioner) wanted(claim *corev1.PersistentVolumeClaim) (*storagev1.StorageClass, bool) {
	if claim.Spec.VolumeName != "" || claim.Annotations[askedOf] != provisionerName || claim.DeletionTimestamp != nil {
		return nil, false
	}
	class, ok := apiserver.Get[*storagev1.StorageClass](c.Client, "", apiserver.ClassOfClaim(claim))
	if !ok || class.Provisioner != provisionerName || waitsForConsumer(class) && claim.Annotations[selectedNode] == "" {
		return nil, false
	}
	return class, true
}

// unwanted says whether a volume of ours is to be deleted.
func (c *provisioner) unwanted(v *corev1.PersistentVolume) bool {
	released := v.Status.Phase == corev1.VolumeReleased || v.DeletionTimestamp != nil && v.Status.Phase != corev1.VolumeBound
	return released && v.Annotations[provisionedBy] == provisionerName && v.Spec.PersistentVolumeReclaimPolicy == corev1.PersistentVolumeReclaimDelete
}

func (c *provisioner) Sync(key string) error {
	what, name, _ := strings.Cut(key, "/")
	if what == "delete" {
		v, ok := apiserver.Get[*corev1.PersistentVolume](c.Client, "", name)
		if !ok || !c.unwanted(v) {
			return nil
		}
		return gone(c.delete(v))
	}
	namespace, name := splitKey(name)
	claim, ok := apiserver.Get[*corev1.PersistentVolumeClaim](c.Client, namespace, name)
	if !ok {
		return nil
	}
	class, ok := c.wanted(claim)
	switch {
	case !ok:
		return nil
	case what == "claim":
		c.Client.Emit(claim, corev1.EventTypeNormal, "Provisioning",
			fmt.Sprintf("External provisioner is provisioning volume for claim %q", keyOf(claim)))
		c.Queue.Add("make/"+keyOf(claim), diskTime)
		return nil
	}
	return c.make(claim, class)
}

func (c *provisioner) make(claim *corev1.PersistentVolumeClaim, class *storagev1.StorageClass) error {
	name := "pvc-" + string(claim.UID)
	mode, policy := modeOf(claim.Spec.VolumeMode), corev1.PersistentVolumeReclaimDelete
	if class.ReclaimPolicy != nil {
		policy = *class.ReclaimPolicy
	}
	v := &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: name, Annotations: map[string]string{provisionedBy: provisionerName}},
		Spec: corev1.PersistentVolumeSpec{
			Capacity:                      corev1.ResourceList{corev1.ResourceStorage: claim.Spec.Resources.Requests[corev1.ResourceStorage]},
			AccessModes:                   claim.Spec.AccessModes,
			PersistentVolumeReclaimPolicy: policy,
			PersistentVolumeSource:        corev1.PersistentVolumeSource{CSI: &corev1.CSIPersistentVolumeSource{Driver: provisionerName, VolumeHandle: name}},
			StorageClassName:              class.Name, MountOptions: class.MountOptions, VolumeMode: &mode,
			ClaimRef: &corev1.ObjectReference{Kind: "PersistentVolumeClaim", APIVersion: "v1", Namespace: claim.Namespace, Name: claim.Name,
				UID: claim.UID, ResourceVersion: claim.ResourceVersion},
			NodeAffinity: c.zoneOf(claim),
		},
	}
	if policy == corev1.PersistentVolumeReclaimDelete {
		v.Finalizers = []string{heldByProvisioner}
	}
	target := trace.Ref{Kind: "PersistentVolume", Name: name}
	return c.decided(provisionerName, refTo("PersistentVolumeClaim", claim), trace.Decision{What: ProvisionVolume, Target: target}, func() error {
		if _, err := c.Client.Create(v); err != nil && !apierrors.IsAlreadyExists(err) {
			return err
		}
		c.Client.Emit(claim, corev1.EventTypeNormal, "ProvisioningSucceeded", "Successfully provisioned volume "+name)
		return nil
	})
}

// zoneOf keeps a disk within the zone of the node it was made for: a disk of a cloud is of one zone.
func (c *provisioner) zoneOf(claim *corev1.PersistentVolumeClaim) *corev1.VolumeNodeAffinity {
	node, ok := apiserver.Get[*corev1.Node](c.Client, "", claim.Annotations[selectedNode])
	if !ok || node.Labels[corev1.LabelTopologyZone] == "" {
		return nil
	}
	zone := corev1.NodeSelectorRequirement{Key: corev1.LabelTopologyZone, Operator: corev1.NodeSelectorOpIn, Values: []string{node.Labels[corev1.LabelTopologyZone]}}
	return &corev1.VolumeNodeAffinity{Required: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{
		{MatchExpressions: []corev1.NodeSelectorRequirement{zone}}}}}
}

// delete deletes a volume with its disk.
func (c *provisioner) delete(v *corev1.PersistentVolume) error {
	return c.decided(provisionerName, refTo("PersistentVolume", v), trace.Decision{What: DeleteVolume}, func() error {
		if v.DeletionTimestamp == nil {
			if err := c.Client.Delete(v, metav1.DeleteOptions{}); err != nil {
				return err
			}
		}
		v, ok := apiserver.Get[*corev1.PersistentVolume](c.Client, "", v.Name)
		if !ok {
			return nil
		}
		return c.dropFinalizer(v, heldByProvisioner)
	})
}

// dropFinalizer lets go of an object; one that is not held so stays as it is.
func (e Env) dropFinalizer(o apiserver.Object, finalizer string) error {
	if !slices.Contains(o.GetFinalizers(), finalizer) {
		return nil
	}
	next := o.DeepCopyObject().(apiserver.Object)
	next.SetFinalizers(slices.DeleteFunc(slices.Clone(o.GetFinalizers()), func(f string) bool { return f == finalizer }))
	_, err := e.Client.Update(next)
	return gone(err)
}
