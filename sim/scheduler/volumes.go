package scheduler

import (
	"fmt"
	"slices"
	"time"

	v1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"timonier/sim/apiserver"
)

// VolumeBinding (Kubernetes 1.37 pkg/scheduler/framework/plugins/volumebinding): a pod goes where its volumes can be
// used, and a claim that waits for its pod is told the node. The real scheduler keeps the pod assumed on its node
// while the volumes are made, in the background, and says so by nominating the node (NominatedNodeNameForExpectation);
// here the pod goes back into the queue until they are there, and the nomination keeps its place and brings it to the
// same node, as long as that still fits. How much a driver has left is not reckoned with.

const selectedNode = "volume.kubernetes.io/selected-node"

// storage is what the scheduler knows of claims, volumes and their classes.
type storage struct {
	claims  map[string]*v1.PersistentVolumeClaim // by namespace/name
	volumes map[string]*v1.PersistentVolume
	classes map[string]*storagev1.StorageClass
}

func newStorage() storage {
	return storage{map[string]*v1.PersistentVolumeClaim{}, map[string]*v1.PersistentVolume{}, map[string]*storagev1.StorageClass{}}
}

func (s *storage) put(o runtime.Object) {
	switch o := o.(type) {
	case *v1.PersistentVolumeClaim:
		s.claims[o.Namespace+"/"+o.Name] = o
	case *v1.PersistentVolume:
		s.volumes[o.Name] = o
	case *storagev1.StorageClass:
		s.classes[o.Name] = o
	}
}

func (s *storage) remove(o runtime.Object) {
	switch o := o.(type) {
	case *v1.PersistentVolumeClaim:
		delete(s.claims, o.Namespace+"/"+o.Name)
	case *v1.PersistentVolume:
		delete(s.volumes, o.Name)
	case *storagev1.StorageClass:
		delete(s.classes, o.Name)
	}
}

// ofStorage says whether a change is one that volumeEvents are about.
func ofStorage(o runtime.Object) bool {
	switch o.(type) {
	case *v1.PersistentVolumeClaim, *v1.PersistentVolume, *storagev1.StorageClass:
		return true
	}
	return false
}

func volumeEvents() []interest {
	return []interest{{events: storageChanged | nodeAdded | nodeLabels}}
}

// claimOf is the name of the claim behind a volume of a pod; owned: it is the pod's own, and made for it.
func claimOf(pod *v1.Pod, v *v1.Volume) (name string, owned bool) {
	switch {
	case v.PersistentVolumeClaim != nil:
		return v.PersistentVolumeClaim.ClaimName, false
	case v.Ephemeral != nil:
		return pod.Name + "-" + v.Name, true
	}
	return "", false
}

// claimsOf are the claims of a pod that are there, and why it cannot be placed because of one.
func (s *storage) claimsOf(pod *v1.Pod) (found []*v1.PersistentVolumeClaim, why string) {
	for i := range pod.Spec.Volumes {
		name, owned := claimOf(pod, &pod.Spec.Volumes[i])
		if name == "" {
			continue
		}
		claim := s.claims[pod.Namespace+"/"+name]
		switch {
		case claim == nil && owned:
			return nil, fmt.Sprintf("waiting for ephemeral volume controller to create the persistentvolumeclaim %q", name)
		case claim == nil:
			return nil, fmt.Sprintf("persistentvolumeclaim %q not found", name)
		case claim.Status.Phase == v1.ClaimLost:
			return nil, fmt.Sprintf("persistentvolumeclaim %q bound to non-existent persistentvolume %q", name, claim.Spec.VolumeName)
		case claim.DeletionTimestamp != nil:
			return nil, fmt.Sprintf("persistentvolumeclaim %q is being deleted", name)
		}
		found = append(found, claim)
	}
	return found, ""
}

func isBound(claim *v1.PersistentVolumeClaim) bool {
	_, bound := claim.Annotations["pv.kubernetes.io/bind-completed"]
	return claim.Spec.VolumeName != "" && bound
}

// waitingClassOf is the class of a claim that waits for its pod; nil: it is of another kind.
func (s *storage) waitingClassOf(claim *v1.PersistentVolumeClaim) *storagev1.StorageClass {
	class := s.classes[apiserver.ClassOfClaim(claim)]
	if class == nil || class.VolumeBindingMode == nil || *class.VolumeBindingMode != storagev1.VolumeBindingWaitForFirstConsumer {
		return nil
	}
	return class
}

func preFilterVolumes(c *cycle) (bool, refusal) {
	if len(c.pod.pod.Spec.Volumes) == 0 {
		return false, refusal{}
	}
	claims, why := c.s.storage.claimsOf(c.pod.pod)
	if why != "" {
		return false, refusal{code: Unresolvable, reason: why}
	}
	for _, claim := range claims {
		if !isBound(claim) && c.s.storage.waitingClassOf(claim) == nil {
			return false, refusal{code: Unresolvable, reason: "pod has unbound immediate PersistentVolumeClaims"}
		}
	}
	return len(claims) > 0, refusal{}
}

func filterVolumes(c *cycle, n *nodeInfo) refusal {
	claims, _ := c.s.storage.claimsOf(c.pod.pod)
	for _, claim := range claims {
		if why := c.s.storage.unusable(claim, n.node); why != "" {
			return refusal{code: Unresolvable, reason: why}
		}
	}
	return refusal{}
}

// unusable is why a node cannot have a claim's volume; "": it can.
func (s *storage) unusable(claim *v1.PersistentVolumeClaim, node *v1.Node) string {
	if isBound(claim) {
		switch v := s.volumes[claim.Spec.VolumeName]; {
		case v == nil:
			return "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)"
		case !apiserver.VolumeReaches(v, node):
			return "node(s) didn't match PersistentVolume's node affinity"
		}
		return ""
	}
	const none = "node(s) didn't find available persistent volumes to bind"
	if chosen := claim.Annotations[selectedNode]; chosen != "" {
		if chosen != node.Name {
			return none
		}
		return ""
	}
	class := s.waitingClassOf(claim)
	switch {
	case class == nil:
		return none
	case s.hasFree(claim, node):
		return ""
	case class.Provisioner == "kubernetes.io/no-provisioner" || !allowed(class, node):
		return none
	}
	return ""
}

// hasFree says whether there is a free volume that a claim could have on a node.
func (s *storage) hasFree(claim *v1.PersistentVolumeClaim, node *v1.Node) bool {
	wanted := claim.Spec.Resources.Requests[v1.ResourceStorage]
	for _, v := range s.volumes { // in any order: it is only asked whether there is one
		size := v.Spec.Capacity[v1.ResourceStorage]
		if v.Status.Phase == v1.VolumeAvailable && v.Spec.ClaimRef == nil && apiserver.ClassOfVolume(v) == apiserver.ClassOfClaim(claim) &&
			size.Cmp(wanted) >= 0 && apiserver.VolumeReaches(v, node) {
			return true
		}
	}
	return false
}

// allowed says whether a class's volumes may be made where a node is.
func allowed(class *storagev1.StorageClass, node *v1.Node) bool {
	matches := func(t v1.TopologySelectorTerm) bool {
		for _, r := range t.MatchLabelExpressions {
			found := false
			for _, v := range r.Values {
				found = found || node.Labels[r.Key] == v
			}
			if !found {
				return false
			}
		}
		return true
	}
	for _, t := range class.AllowedTopologies {
		if matches(t) {
			return true
		}
	}
	return len(class.AllowedTopologies) == 0
}

// prepareVolumes tells the claims that wait for the pod which node it goes to, and says whether all its volumes are
// there. If not, the pod waits for them.
func (s *Scheduler) prepareVolumes(e *entry, node string, now time.Time) bool {
	if len(e.pod().Spec.Volumes) == 0 {
		return true
	}
	claims, _ := s.snapshot.storage.claimsOf(e.pod())
	claims = slices.DeleteFunc(claims, isBound)
	if len(claims) == 0 {
		return true
	}
	var volumes pluginSet
	volumes.add(rowVolumes)
	s.waiting.failed(e, volumes, now)
	s.queue.Add(taskFlush, longestUnplaced)
	s.expect(e, node)
	for _, claim := range claims {
		if claim.Annotations[selectedNode] == node {
			continue
		}
		next := claim.DeepCopy()
		metav1.SetMetaDataAnnotation(&next.ObjectMeta, selectedNode, node)
		if _, err := s.api.Update(next); err != nil {
			break // it has changed meanwhile: the pod is tried again when that is seen
		}
	}
	return false
}

// expect nominates the node that a pod is about to be bound to once what it waits for is there
// (Kubernetes 1.37 pkg/scheduler/schedule_one.go, bindingCycle).
func (s *Scheduler) expect(e *entry, node string) {
	s.denominate(e.pod())
	s.nominate(e.info, node)
	if e.pod().Status.NominatedNodeName == node {
		return
	}
	status := e.pod().DeepCopy()
	status.Status.NominatedNodeName = node
	_, _ = s.api.UpdateStatus(status) // gone meanwhile: nothing to promise it
}
