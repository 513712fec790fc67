package controller

import (
	"fmt"
	"maps"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"

	"timonier/sim/apiserver"
	"timonier/sim/trace"
)

// Each pod of a set has its own claim of each template, which outlives it: the next pod of its number gets the same
// (stateful_pod_control.go, and stateful_set_utils.go for whose the claims are).

func claimName(set *appsv1.StatefulSet, template string, ordinal int) string {
	return fmt.Sprintf("%s-%s-%d", template, set.Name, ordinal)
}

// claimVolumes are the volumes of a set's pod: its claims, then those of the template that have other names.
func claimVolumes(set *appsv1.StatefulSet, ordinal int, volumes []corev1.Volume) (all []corev1.Volume) {
	for _, t := range set.Spec.VolumeClaimTemplates {
		all = append(all, corev1.Volume{Name: t.Name, VolumeSource: corev1.VolumeSource{
			PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: claimName(set, t.Name, ordinal)}}})
	}
	for _, v := range volumes {
		if !slices.ContainsFunc(set.Spec.VolumeClaimTemplates, func(t corev1.PersistentVolumeClaim) bool { return t.Name == v.Name }) {
			all = append(all, v)
		}
	}
	return all
}

// hasClaimVolumes says whether a pod's volumes are the claims of its number.
func hasClaimVolumes(set *appsv1.StatefulSet, pod *corev1.Pod) bool {
	_, ordinal := ordinalOf(pod)
	if ordinal < 0 {
		return false
	}
	for _, t := range set.Spec.VolumeClaimTemplates {
		if !slices.ContainsFunc(pod.Spec.Volumes, func(v corev1.Volume) bool {
			return v.Name == t.Name && v.PersistentVolumeClaim != nil && v.PersistentVolumeClaim.ClaimName == claimName(set, t.Name, ordinal)
		}) {
			return false
		}
	}
	return true
}

// claimsOf are a pod's claims as they are made.
func claimsOf(set *appsv1.StatefulSet, pod *corev1.Pod) []*corev1.PersistentVolumeClaim {
	_, ordinal := ordinalOf(pod)
	var claims []*corev1.PersistentVolumeClaim
	for i := range set.Spec.VolumeClaimTemplates {
		claim := set.Spec.VolumeClaimTemplates[i].DeepCopy()
		claim.Name, claim.Namespace = claimName(set, claim.Name, ordinal), set.Namespace
		if claim.Labels == nil {
			claim.Labels = map[string]string{}
		}
		maps.Copy(claim.Labels, set.Spec.Selector.MatchLabels)
		claims = append(claims, claim)
	}
	return claims
}

// claimed yields what is there of a pod's claims.
func (s *setSync) claimed(set *appsv1.StatefulSet, pod *corev1.Pod) (claims []*corev1.PersistentVolumeClaim) {
	_, ordinal := ordinalOf(pod)
	for _, t := range set.Spec.VolumeClaimTemplates {
		if claim, ok := s.storedClaim(claimName(set, t.Name, ordinal)); ok {
			claims = append(claims, claim)
		}
	}
	return claims
}

func (s *setSync) storedClaim(name string) (*corev1.PersistentVolumeClaim, bool) {
	return apiserver.Get[*corev1.PersistentVolumeClaim](s.Client, s.set.Namespace, name)
}

// createClaims makes those of a pod's claims that are missing. One that is being deleted is waited for.
func (s *setSync) createClaims(pod *corev1.Pod) error {
	var errs []error
	for _, claim := range claimsOf(s.set, pod) {
		stored, ok := s.storedClaim(claim.Name)
		switch {
		case ok && stored.DeletionTimestamp != nil:
			errs = append(errs, fmt.Errorf("pvc %s is being deleted", claim.Name))
		case !ok:
			if err := s.createClaim(pod, claim); err != nil {
				errs = append(errs, fmt.Errorf("failed to create PVC %s: %w", claim.Name, err))
			}
		}
	}
	return utilerrors.NewAggregate(errs)
}

func (s *setSync) createClaim(pod *corev1.Pod, claim *corev1.PersistentVolumeClaim) error {
	return s.decide(trace.Decision{What: CreateClaim, Count: 1, Target: refTo("PersistentVolumeClaim", claim), Note: pod.Name}, func() error {
		_, err := s.Client.Create(claim)
		if err == nil {
			s.Client.Emit(s.set, corev1.EventTypeNormal, "SuccessfulCreate",
				fmt.Sprintf("Create Claim %s Pod %s in StatefulSet %s success", claim.Name, pod.Name, s.set.Name))
		} else {
			s.Client.Emit(s.set, corev1.EventTypeWarning, "FailedCreate",
				fmt.Sprintf("Create Claim %s for Pod %s in StatefulSet %s failed error: %s", claim.Name, pod.Name, s.set.Name, err))
		}
		return err
	})
}

// makeClaims is for a pod that is pending: maybe because someone has deleted its claims.
func (s *setSync) makeClaims(pod *corev1.Pod) error {
	if err := s.createClaims(pod); err != nil {
		return err
	}
	err := s.followPolicy(s.set, pod)
	if err != nil {
		s.tell("update", pod, err)
	}
	return err
}

// claimsOfCondemned gives the claims of pods that are too many the owners that the policy wants, before they go.
func (s *setSync) claimsOfCondemned() (bool, error) {
	return s.each(s.condemned, func(pod *corev1.Pod) (bool, error) {
		if s.claimsFollowPolicy(s.updateSet, pod) {
			return false, nil
		}
		err := s.followPolicy(s.updateSet, pod)
		return err != nil, err
	})
}

// claimIsStale says whether a claim that a new pod would get still belongs to the one before it, and is to go with
// that one.
func (s *setSync) claimIsStale(pod *corev1.Pod) bool {
	if policyOf(s.set).WhenScaled != appsv1.DeletePersistentVolumeClaimRetentionPolicyType {
		return false
	}
	return slices.ContainsFunc(s.claimed(s.set, pod), func(c *corev1.PersistentVolumeClaim) bool {
		return staleOwner(c, pod, podKind())
	})
}

func podKind() schema.GroupVersionKind { return corev1.SchemeGroupVersion.WithKind("Pod") }

func policyOf(set *appsv1.StatefulSet) appsv1.StatefulSetPersistentVolumeClaimRetentionPolicy {
	if p := set.Spec.PersistentVolumeClaimRetentionPolicy; p != nil {
		return *p
	}
	return appsv1.StatefulSetPersistentVolumeClaimRetentionPolicy{
		WhenDeleted: appsv1.RetainPersistentVolumeClaimRetentionPolicyType,
		WhenScaled:  appsv1.RetainPersistentVolumeClaimRetentionPolicyType,
	}
}

// wantedOwners are which of the two, the set and the pod, a pod's claims go with: with the set when it is deleted,
// with the pod once that is too many.
func wantedOwners(set *appsv1.StatefulSet, pod *corev1.Pod) (ofSet, ofPod bool) {
	_, ordinal := ordinalOf(pod)
	tooMany := !wantsOrdinal(set, ordinal)
	policy := policyOf(set)
	ofPod = policy.WhenScaled == appsv1.DeletePersistentVolumeClaimRetentionPolicyType && tooMany
	ofSet = policy.WhenDeleted == appsv1.DeletePersistentVolumeClaimRetentionPolicyType && !ofPod
	return ofSet, ofPod
}

// claimsFollowPolicy says whether a pod's claims have the owners that the policy wants. Those that others manage are
// left alone.
func (s *setSync) claimsFollowPolicy(set *appsv1.StatefulSet, pod *corev1.Pod) bool {
	return !slices.ContainsFunc(s.claimed(set, pod), func(c *corev1.PersistentVolumeClaim) bool { return !ownersAgree(c, set, pod) })
}

func ownersAgree(claim *corev1.PersistentVolumeClaim, set *appsv1.StatefulSet, pod *corev1.Pod) bool {
	if staleOwner(claim, set, statefulSetKind()) || staleOwner(claim, pod, podKind()) {
		return true
	}
	ofSet, ofPod := owns(set, claim), owns(pod, claim)
	if strangeController(claim, set, pod) {
		return !ofSet && !ofPod
	}
	for _, ref := range claim.OwnerReferences {
		if (ref.UID == set.UID || ref.UID == pod.UID) && (ref.Controller == nil || !*ref.Controller) {
			return false
		}
	}
	wantSet, wantPod := wantedOwners(set, pod)
	return ofSet == wantSet && ofPod == wantPod
}

func owns(owner metav1.Object, claim *corev1.PersistentVolumeClaim) bool {
	return slices.ContainsFunc(claim.OwnerReferences, func(r metav1.OwnerReference) bool { return r.UID == owner.GetUID() })
}

func namesOwner(ref metav1.OwnerReference, owner metav1.Object, kind schema.GroupVersionKind) bool {
	return ref.APIVersion == kind.GroupVersion().String() && ref.Kind == kind.Kind && ref.Name == owner.GetName()
}

// staleOwner says whether a claim belongs to one of the same name that is gone.
func staleOwner(claim *corev1.PersistentVolumeClaim, owner metav1.Object, kind schema.GroupVersionKind) bool {
	i := slices.IndexFunc(claim.OwnerReferences, func(r metav1.OwnerReference) bool { return namesOwner(r, owner, kind) })
	return i >= 0 && claim.OwnerReferences[i].UID != owner.GetUID()
}

// strangeController says whether something else controls a claim that a policy is about.
func strangeController(claim *corev1.PersistentVolumeClaim, set *appsv1.StatefulSet, pod *corev1.Pod) bool {
	policy := policyOf(set)
	if policy.WhenScaled == appsv1.RetainPersistentVolumeClaimRetentionPolicyType && policy.WhenDeleted == appsv1.RetainPersistentVolumeClaimRetentionPolicyType {
		return false
	}
	return slices.ContainsFunc(claim.OwnerReferences, func(r metav1.OwnerReference) bool {
		switch {
		case namesOwner(r, set, statefulSetKind()):
			return r.UID != set.UID
		case namesOwner(r, pod, podKind()):
			return r.UID != pod.UID
		}
		return r.Controller != nil && *r.Controller
	})
}

// followPolicy gives a pod's claims the owners that the policy wants.
func (s *setSync) followPolicy(set *appsv1.StatefulSet, pod *corev1.Pod) error {
	for _, claim := range s.claimed(set, pod) {
		strange := strangeController(claim, set, pod)
		if strange {
			s.Client.Emit(s.set, corev1.EventTypeWarning, "ConflictingController", fmt.Sprintf(
				"PersistentVolumeClaim %s has a conflicting OwnerReference that acts as a manging controller, the retention policy is ignored for this claim", claim.Name))
		}
		if ownersAgree(claim, set, pod) {
			continue
		}
		fresh := claim.DeepCopy()
		fresh.OwnerReferences = slices.DeleteFunc(fresh.OwnerReferences, func(r metav1.OwnerReference) bool {
			return namesOwner(r, set, statefulSetKind()) || namesOwner(r, pod, podKind())
		})
		if ofSet, ofPod := wantedOwners(set, pod); !strange && ofPod {
			fresh.OwnerReferences = append(fresh.OwnerReferences, *metav1.NewControllerRef(pod, podKind()))
		} else if !strange && ofSet {
			fresh.OwnerReferences = append(fresh.OwnerReferences, *metav1.NewControllerRef(set, statefulSetKind()))
		}
		err := s.decide(trace.Decision{What: OwnClaim, Count: 1, Target: refTo("PersistentVolumeClaim", claim), Note: pod.Name},
			func() error { _, err := s.Client.Update(fresh); return err })
		if err != nil {
			return fmt.Errorf("could not update claim %s for delete policy ownerRefs: %w", claim.Name, err)
		}
	}
	return nil
}
