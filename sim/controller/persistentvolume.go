package controller

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"timonier/sim/apiserver"
	"timonier/sim/trace"
)

const persistentVolumeController = "persistentvolume-controller"

// The annotations by which claims, volumes, the scheduler and provisioners know of each other (pkg/controller/volume/
// persistentvolume/util and component-helpers/storage/volume).
const (
	bindCompleted   = "pv.kubernetes.io/bind-completed"
	boundByUs       = "pv.kubernetes.io/bound-by-controller"
	provisionedBy   = "pv.kubernetes.io/provisioned-by"
	askedOf         = "volume.kubernetes.io/storage-provisioner"
	askedOfBefore   = "volume.beta.kubernetes.io/storage-provisioner"
	selectedNode    = "volume.kubernetes.io/selected-node"
	noProvisioner   = "kubernetes.io/no-provisioner"
	provisionerName = apiserver.Provisioner
)

// persistentVolumes is the binder: it gives each claim a volume that suits it, has one made where there is none, and
// sees to volumes whose claims have gone (pkg/controller/volume/persistentvolume). It makes no volumes itself: all
// provisioners are outside. Recycling is not done: no driver left has it.
//
// Its keys: claim/NAMESPACE/NAME, volume/NAME.
type persistentVolumes struct{ Env }

func newPersistentVolumes(env Env) Component { return &persistentVolumes{env} }

func claimKey(namespace, name string) string { return "claim/" + namespace + "/" + name }

func (c *persistentVolumes) Observe(e apiserver.Event) {
	switch o := subject(e).(type) {
	case *corev1.PersistentVolumeClaim:
		c.soon(claimKey(o.Namespace, o.Name))
		if o.Spec.VolumeName != "" {
			c.soon("volume/" + o.Spec.VolumeName)
		}
	case *corev1.PersistentVolume:
		c.soon("volume/" + o.Name)
		if ref := o.Spec.ClaimRef; ref != nil {
			c.soon(claimKey(ref.Namespace, ref.Name))
		} else if o.Status.Phase == corev1.VolumeAvailable {
			c.waitingClaims(apiserver.ClassOfVolume(o))
		}
	case *storagev1.StorageClass:
		c.waitingClaims(o.Name)
	}
}

// waitingClaims looks again at the claims of a class that have no volume.
func (c *persistentVolumes) waitingClaims(class string) {
	for claim := range apiserver.List[*corev1.PersistentVolumeClaim](c.Client, "") {
		if claim.Spec.VolumeName == "" && apiserver.ClassOfClaim(claim) == class {
			c.soon(claimKey(claim.Namespace, claim.Name))
		}
	}
}

func (c *persistentVolumes) Resync() {
	for claim := range apiserver.List[*corev1.PersistentVolumeClaim](c.Client, "") {
		c.soon(claimKey(claim.Namespace, claim.Name))
	}
	for v := range apiserver.List[*corev1.PersistentVolume](c.Client, "") {
		c.soon("volume/" + v.Name)
	}
}

func (c *persistentVolumes) Sync(key string) error {
	what, name, _ := strings.Cut(key, "/")
	if what == "volume" {
		v, ok := apiserver.Get[*corev1.PersistentVolume](c.Client, "", name)
		if !ok {
			return nil
		}
		return gone(c.syncVolume(v))
	}
	namespace, name := splitKey(name)
	claim, ok := apiserver.Get[*corev1.PersistentVolumeClaim](c.Client, namespace, name)
	if !ok {
		return nil
	}
	if _, bound := claim.Annotations[bindCompleted]; bound {
		return gone(c.syncBoundClaim(claim))
	}
	return gone(c.syncUnboundClaim(claim))
}

// syncUnboundClaim looks for a volume, or waits for one (syncUnboundClaim).
func (c *persistentVolumes) syncUnboundClaim(claim *corev1.PersistentVolumeClaim) error {
	if name := claim.Spec.VolumeName; name != "" { // its author chose one
		v, ok := apiserver.Get[*corev1.PersistentVolume](c.Client, "", name)
		if ok && (v.Spec.ClaimRef == nil || refersTo(v, claim)) && c.unsuitable(v, claim) == "" {
			return c.bind(v, claim)
		}
		if ok && v.Spec.ClaimRef == nil {
			c.Client.Emit(claim, corev1.EventTypeWarning, "VolumeMismatch",
				fmt.Sprintf("Cannot bind to requested volume %q: %s", name, c.unsuitable(v, claim)))
		}
		return nil
	}
	className := apiserver.ClassOfClaim(claim)
	class, known := apiserver.Get[*storagev1.StorageClass](c.Client, "", className)
	delayed := known && waitsForConsumer(class) && claim.Annotations[selectedNode] == ""
	if v := c.match(claim, delayed); v != nil {
		return c.bind(v, claim)
	}
	switch {
	case delayed:
		c.sayWaiting(claim)
		return nil
	case className == "":
		c.Client.Emit(claim, corev1.EventTypeNormal, "FailedBinding", "no persistent volumes available for this claim and no storage class is set")
		return nil
	case !known:
		c.Client.Emit(claim, corev1.EventTypeWarning, "ProvisioningFailed", fmt.Sprintf("storageclass.storage.k8s.io %q not found", className))
		return nil
	case class.Provisioner == noProvisioner:
		c.Client.Emit(claim, corev1.EventTypeNormal, "FailedBinding", "no persistent volumes available for this claim and no storage class is set")
		return nil
	}
	return c.askForVolume(claim, class.Provisioner)
}

func waitsForConsumer(class *storagev1.StorageClass) bool {
	return class.VolumeBindingMode != nil && *class.VolumeBindingMode == storagev1.VolumeBindingWaitForFirstConsumer
}

func (c *persistentVolumes) sayWaiting(claim *corev1.PersistentVolumeClaim) {
	for pod := range apiserver.List[*corev1.Pod](c.Client, claim.Namespace) {
		if usesClaim(pod, claim.Name) && pod.Spec.NodeName == "" && !podTerminal(pod) {
			c.Client.Emit(claim, corev1.EventTypeNormal, "WaitForPodScheduled", fmt.Sprintf("waiting for pod %s to be scheduled", pod.Name))
			return
		}
	}
	c.Client.Emit(claim, corev1.EventTypeNormal, "WaitForFirstConsumer", "waiting for first consumer to be created before binding")
}

// askForVolume leaves a claim to the provisioner of its class.
func (c *persistentVolumes) askForVolume(claim *corev1.PersistentVolumeClaim, provisioner string) error {
	say := func() {
		c.Client.Emit(claim, corev1.EventTypeNormal, "ExternalProvisioning", fmt.Sprintf("Waiting for a volume to be created either by the external provisioner '%s' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.", provisioner))
	}
	if claim.Annotations[askedOf] == provisioner {
		say()
		return nil
	}
	return c.decided(persistentVolumeController, refTo("PersistentVolumeClaim", claim), trace.Decision{What: AskForVolume, Note: provisioner}, func() error {
		next := claim.DeepCopy()
		metav1.SetMetaDataAnnotation(&next.ObjectMeta, askedOfBefore, provisioner)
		metav1.SetMetaDataAnnotation(&next.ObjectMeta, askedOf, provisioner)
		if _, err := c.Client.Update(next); err != nil {
			return err
		}
		say()
		return nil
	})
}

// match is the smallest free volume that suits a claim; one that is reserved for it comes first. A claim that waits
// for its pod takes none but such a one (pkg/controller/volume/persistentvolume/index.go, FindMatchingVolume).
func (c *persistentVolumes) match(claim *corev1.PersistentVolumeClaim, delayed bool) *corev1.PersistentVolume {
	var found *corev1.PersistentVolume
	for v := range apiserver.List[*corev1.PersistentVolume](c.Client, "") {
		if v.DeletionTimestamp != nil || c.unsuitable(v, claim) != "" {
			continue
		}
		if v.Spec.ClaimRef != nil {
			if refersTo(v, claim) {
				return v
			}
			continue
		}
		if delayed || v.Status.Phase != corev1.VolumeAvailable || !selectedBy(v, claim) || !c.reaches(v, claim) {
			continue
		}
		if found == nil || cmp.Or(sizeOf(v).Cmp(*sizeOf(found)), cmp.Compare(v.Name, found.Name)) < 0 {
			found = v
		}
	}
	return found
}

// reaches says whether the node that the scheduler chose can use a volume.
func (c *persistentVolumes) reaches(v *corev1.PersistentVolume, claim *corev1.PersistentVolumeClaim) bool {
	name := claim.Annotations[selectedNode]
	if name == "" {
		return true
	}
	node, ok := apiserver.Get[*corev1.Node](c.Client, "", name)
	return ok && apiserver.VolumeReaches(v, node)
}

func selectedBy(v *corev1.PersistentVolume, claim *corev1.PersistentVolumeClaim) bool {
	if claim.Spec.Selector == nil {
		return true
	}
	selector, err := metav1.LabelSelectorAsSelector(claim.Spec.Selector)
	return err == nil && selector.Matches(labels.Set(v.Labels))
}

// unsuitable is why a volume cannot be a claim's; "": it can (checkVolumeSatisfyClaim).
func (c *persistentVolumes) unsuitable(v *corev1.PersistentVolume, claim *corev1.PersistentVolumeClaim) string {
	wanted := claim.Spec.Resources.Requests[corev1.ResourceStorage]
	switch {
	case sizeOf(v).Cmp(wanted) < 0:
		return "requested PV is too small"
	case apiserver.ClassOfVolume(v) != apiserver.ClassOfClaim(claim):
		return "storageClassName does not match"
	case modeOf(v.Spec.VolumeMode) != modeOf(claim.Spec.VolumeMode):
		return "incompatible volumeMode"
	}
	for _, m := range claim.Spec.AccessModes {
		if !slices.Contains(v.Spec.AccessModes, m) {
			return "incompatible accessMode"
		}
	}
	return ""
}

func modeOf(m *corev1.PersistentVolumeMode) corev1.PersistentVolumeMode {
	if m == nil {
		return corev1.PersistentVolumeFilesystem
	}
	return *m
}

// refersTo says whether a volume is, or is to be, a claim's.
func refersTo(v *corev1.PersistentVolume, claim *corev1.PersistentVolumeClaim) bool {
	ref := v.Spec.ClaimRef
	return ref != nil && ref.Namespace == claim.Namespace && ref.Name == claim.Name && (ref.UID == "" || ref.UID == claim.UID)
}

// bind ties a volume and a claim to each other: first the volume, then the claim.
func (c *persistentVolumes) bind(v *corev1.PersistentVolume, claim *corev1.PersistentVolumeClaim) error {
	d := trace.Decision{What: BindVolume, Target: refTo("PersistentVolume", v)}
	return c.decided(persistentVolumeController, refTo("PersistentVolumeClaim", claim), d, func() error {
		if err := c.bindVolume(v, claim); err != nil {
			return err
		}
		return c.bindClaim(v, claim)
	})
}

func (c *persistentVolumes) bindVolume(v *corev1.PersistentVolume, claim *corev1.PersistentVolumeClaim) error {
	next := v.DeepCopy()
	if next.Spec.ClaimRef == nil {
		metav1.SetMetaDataAnnotation(&next.ObjectMeta, boundByUs, "yes")
	}
	next.Spec.ClaimRef = &corev1.ObjectReference{Kind: "PersistentVolumeClaim", APIVersion: "v1", Namespace: claim.Namespace, Name: claim.Name,
		UID: claim.UID, ResourceVersion: claim.ResourceVersion}
	if ref := v.Spec.ClaimRef; ref != nil && ref.UID == claim.UID {
		next.Spec.ClaimRef = ref
	}
	if !equality.Semantic.DeepEqual(next.Spec, v.Spec) {
		stored, err := c.Client.Update(next)
		if err != nil {
			return err
		}
		v = stored.(*corev1.PersistentVolume)
	}
	return c.setPhase(v, corev1.VolumeBound)
}

func (c *persistentVolumes) bindClaim(v *corev1.PersistentVolume, claim *corev1.PersistentVolumeClaim) error {
	next := claim.DeepCopy()
	if next.Spec.VolumeName == "" {
		next.Spec.VolumeName = v.Name
		metav1.SetMetaDataAnnotation(&next.ObjectMeta, boundByUs, "yes")
	}
	metav1.SetMetaDataAnnotation(&next.ObjectMeta, bindCompleted, "yes")
	if !equality.Semantic.DeepEqual(next.Spec, claim.Spec) || !equality.Semantic.DeepEqual(next.Annotations, claim.Annotations) {
		stored, err := c.Client.Update(next)
		if err != nil {
			return err
		}
		next = stored.(*corev1.PersistentVolumeClaim).DeepCopy()
	}
	status := next.Status.DeepCopy()
	status.Phase, status.AccessModes = corev1.ClaimBound, v.Spec.AccessModes
	status.Capacity = corev1.ResourceList{corev1.ResourceStorage: *sizeOf(v)}
	if equality.Semantic.DeepEqual(*status, next.Status) {
		return nil
	}
	next.Status = *status
	_, err := c.Client.UpdateStatus(next)
	return err
}

func sizeOf(v *corev1.PersistentVolume) *resource.Quantity {
	q := v.Spec.Capacity[corev1.ResourceStorage]
	return &q
}

// syncBoundClaim sees to it that a claim keeps its volume, or says that it has lost it (syncBoundClaim).
func (c *persistentVolumes) syncBoundClaim(claim *corev1.PersistentVolumeClaim) error {
	if claim.Spec.VolumeName == "" {
		return c.lost(claim, "ClaimLost", "Bound claim has lost reference to PersistentVolume. Data on the volume is lost!")
	}
	v, ok := apiserver.Get[*corev1.PersistentVolume](c.Client, "", claim.Spec.VolumeName)
	switch {
	case !ok:
		return c.lost(claim, "ClaimLost", "Bound claim has lost its PersistentVolume. Data on the volume is lost!")
	case v.Spec.ClaimRef == nil || v.Spec.ClaimRef.UID == claim.UID:
		if v.Spec.ClaimRef != nil && v.Status.Phase == corev1.VolumeBound && claim.Status.Phase == corev1.ClaimBound {
			return c.bindClaim(v, claim)
		}
		return c.bind(v, claim)
	}
	return c.lost(claim, "ClaimMisbound", "Two claims are bound to the same volume, this one is bound incorrectly")
}

func (c *persistentVolumes) lost(claim *corev1.PersistentVolumeClaim, reason, message string) error {
	if claim.Status.Phase == corev1.ClaimLost {
		return nil
	}
	next := claim.DeepCopy()
	next.Status = corev1.PersistentVolumeClaimStatus{Phase: corev1.ClaimLost}
	if _, err := c.Client.UpdateStatus(next); err != nil {
		return err
	}
	c.Client.Emit(claim, corev1.EventTypeWarning, reason, message)
	return nil
}

// syncVolume keeps a volume's phase, and lets it go when its claim has gone (syncVolume).
func (c *persistentVolumes) syncVolume(v *corev1.PersistentVolume) error {
	ref := v.Spec.ClaimRef
	if ref == nil || ref.UID == "" {
		return c.setPhase(v, corev1.VolumeAvailable)
	}
	claim, ok := apiserver.Get[*corev1.PersistentVolumeClaim](c.Client, ref.Namespace, ref.Name)
	switch {
	case !ok || claim.UID != ref.UID:
		if v.Status.Phase == corev1.VolumeReleased || v.Status.Phase == corev1.VolumeFailed {
			return nil // what comes next is the provisioner's, or a person's
		}
		d := trace.Decision{What: ReleaseVolume, Note: string(v.Spec.PersistentVolumeReclaimPolicy)}
		return c.decided(persistentVolumeController, refTo("PersistentVolume", v), d, func() error { return c.setPhase(v, corev1.VolumeReleased) })
	case claim.Spec.VolumeName == "":
		return nil // the claim's own turn comes
	case claim.Spec.VolumeName == v.Name:
		return c.setPhase(v, corev1.VolumeBound)
	case v.Annotations[provisionedBy] != "" && v.Spec.PersistentVolumeReclaimPolicy == corev1.PersistentVolumeReclaimDelete:
		return c.setPhase(v, corev1.VolumeReleased) // made for a claim that took another
	}
	next := v.DeepCopy()
	next.Spec.ClaimRef = nil
	if _, ours := v.Annotations[boundByUs]; !ours { // a person reserved it: only the claim's identity is forgotten
		next.Spec.ClaimRef = ref.DeepCopy()
		next.Spec.ClaimRef.UID = ""
	}
	delete(next.Annotations, boundByUs)
	_, err := c.Client.Update(next)
	return err
}

func (c *persistentVolumes) setPhase(v *corev1.PersistentVolume, phase corev1.PersistentVolumePhase) error {
	if v.Status.Phase == phase {
		return nil
	}
	next := v.DeepCopy()
	now := c.now()
	next.Status.Phase, next.Status.LastPhaseTransitionTime = phase, &now
	_, err := c.Client.UpdateStatus(next)
	return err
}

// usesClaim says whether a pod mounts a claim: by its name, or one of its own that is named after it.
func usesClaim(pod *corev1.Pod, claim string) bool {
	return slices.ContainsFunc(pod.Spec.Volumes, func(v corev1.Volume) bool {
		return v.PersistentVolumeClaim != nil && v.PersistentVolumeClaim.ClaimName == claim || v.Ephemeral != nil && pod.Name+"-"+v.Name == claim
	})
}
