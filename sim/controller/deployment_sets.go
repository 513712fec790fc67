package controller

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"timonier/sim/apiserver"
	"timonier/sim/trace"
)

const (
	revisionAnnotation        = "deployment.kubernetes.io/revision"
	revisionHistoryAnnotation = "deployment.kubernetes.io/revision-history"
	desiredReplicasAnnotation = "deployment.kubernetes.io/desired-replicas"
	maxReplicasAnnotation     = "deployment.kubernetes.io/max-replicas"

	maxRevisionHistory = 2000 // characters of the annotation
	maxInt32           = math.MaxInt32
)

// ownAnnotation says whether a ReplicaSet has an annotation for itself, and not from its Deployment.
func ownAnnotation(key string) bool {
	switch key {
	case corev1.LastAppliedConfigAnnotation, revisionAnnotation, revisionHistoryAnnotation,
		desiredReplicasAnnotation, maxReplicasAnnotation, appsv1.DeprecatedRollbackTo:
		return true
	}
	return false
}

// split finds the ReplicaSet of the Deployment's present template (nil: none), and the old ones. It brings
// the revision and the annotations of the present one up to date, and with create it makes the missing one
// (pkg/controller/deployment/sync.go, getAllReplicaSetsAndSyncRevision).
func (r *rollout) split(create bool) (fresh *appsv1.ReplicaSet, old []*appsv1.ReplicaSet, err error) {
	if !r.compared {
		r.compared = true
		for _, rs := range r.sets {
			if sameTemplate(&rs.Spec.Template, &r.d.Spec.Template) {
				r.present = rs.UID
				break
			}
		}
	}
	for _, rs := range r.sets {
		if r.present != "" && rs.UID == r.present {
			fresh = rs
			continue
		}
		old = append(old, rs)
	}
	revision := int64(0)
	for _, rs := range old {
		revision = max(revision, revisionOf(rs))
	}
	switch {
	case fresh != nil:
		fresh, err = r.refresh(fresh, revision+1)
	case create:
		fresh, err = r.create(old, revision+1)
	}
	return fresh, old, err
}

// sameTemplate compares templates but for the pod-template-hash.
func sameTemplate(a, b *corev1.PodTemplateSpec) bool {
	x, y := *a, *b
	x.Labels, y.Labels = withoutHash(a.Labels), withoutHash(b.Labels)
	return equality.Semantic.DeepEqual(x.ObjectMeta, y.ObjectMeta) && equality.Semantic.DeepEqual(x.Spec, y.Spec)
}

func withoutHash(labels map[string]string) map[string]string {
	if _, ok := labels[appsv1.DefaultDeploymentUniqueLabelKey]; !ok {
		return labels
	}
	labels = maps.Clone(labels)
	delete(labels, appsv1.DefaultDeploymentUniqueLabelKey)
	return labels
}

// refresh brings the present ReplicaSet's annotations, and then the Deployment's revision, up to date.
func (r *rollout) refresh(rs *appsv1.ReplicaSet, revision int64) (*appsv1.ReplicaSet, error) {
	changed := &appsv1.ReplicaSet{}
	*changed = *rs // what the two share stays as it is, and Update copies
	changed.Annotations = maps.Clone(rs.Annotations)
	if annotateSet(r.d, changed, revision) || changed.Spec.MinReadySeconds != r.d.Spec.MinReadySeconds {
		changed.Spec.MinReadySeconds = r.d.Spec.MinReadySeconds
		stored, err := r.Client.Update(changed)
		if err != nil {
			return nil, err
		}
		return r.replace(stored.(*appsv1.ReplicaSet)), nil
	}
	needed := setRevision(r.d, rs.Annotations[revisionAnnotation])
	if hasDeadline(r.d) && condition(&r.d.Status, appsv1.DeploymentProgressing) == nil {
		r.setCondition(&r.d.Status, appsv1.DeploymentProgressing, corev1.ConditionTrue, "FoundNewReplicaSet",
			fmt.Sprintf("Found new replica set %q", rs.Name))
		needed = true
	}
	if needed {
		return rs, r.saveStatus()
	}
	return rs, nil
}

// create makes the ReplicaSet of the present template.
func (r *rollout) create(old []*appsv1.ReplicaSet, revision int64) (*appsv1.ReplicaSet, error) {
	rs := r.newSet(old, revision)
	size := *rs.Spec.Replicas
	var made *appsv1.ReplicaSet
	err := r.decided(deploymentController, refTo("Deployment", r.d), trace.Decision{
		What: CreateReplicaSet, Desired: int64(*r.d.Spec.Replicas), Count: int64(size),
		Target: trace.Ref{Kind: "ReplicaSet", Namespace: rs.Namespace, Name: rs.Name}, Note: strconv.FormatInt(revision, 10),
	}, func() error {
		stored, err := r.Client.Create(rs)
		if err != nil {
			return r.failedCreate(rs, err)
		}
		made = stored.(*appsv1.ReplicaSet)
		if size > 0 {
			r.Client.Emit(r.d, corev1.EventTypeNormal, "ScalingReplicaSet",
				fmt.Sprintf("Scaled up replica set %s from 0 to %d", made.Name, size))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	r.sets = append(r.sets, made)
	r.present = made.UID
	needed := setRevision(r.d, strconv.FormatInt(revision, 10))
	if hasDeadline(r.d) {
		r.setCondition(&r.d.Status, appsv1.DeploymentProgressing, corev1.ConditionTrue, "NewReplicaSetCreated",
			fmt.Sprintf("Created new replica set %q", made.Name))
		needed = true
	}
	if needed {
		err = r.saveStatus()
	}
	return made, err
}

// newSet is the ReplicaSet of the present template, before it is stored.
func (r *rollout) newSet(old []*appsv1.ReplicaSet, revision int64) *appsv1.ReplicaSet {
	template := *r.d.Spec.Template.DeepCopy()
	hash := templateHash(&template, r.d.Status.CollisionCount)
	template.Labels = plusHash(template.Labels, hash)
	selector := r.d.Spec.Selector.DeepCopy()
	selector.MatchLabels = plusHash(selector.MatchLabels, hash)
	rs := &appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{
			Name:            setName(r.d.Name, hash),
			Namespace:       r.d.Namespace,
			Labels:          maps.Clone(template.Labels),
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(r.d, appsv1.SchemeGroupVersion.WithKind("Deployment"))},
		},
		Spec: appsv1.ReplicaSetSpec{
			Replicas: new(int32), MinReadySeconds: r.d.Spec.MinReadySeconds, Selector: selector, Template: template,
		},
	}
	*rs.Spec.Replicas = newReplicas(r.d, with(old, rs), rs)
	annotateSet(r.d, rs, revision)
	setReplicasAnnotations(rs, r.d)
	return rs
}

func plusHash(labels map[string]string, hash string) map[string]string {
	labels = maps.Clone(labels)
	if labels == nil {
		labels = map[string]string{}
	}
	labels[appsv1.DefaultDeploymentUniqueLabelKey] = hash
	return labels
}

func setName(deployment, hash string) string {
	if longest := validation.DNS1123SubdomainMaxLength - 1 - len(hash); len(deployment) > longest {
		deployment = deployment[:longest]
	}
	return deployment + "-" + hash
}

// failedCreate deals with a ReplicaSet that could not be made. One of that name that has another template
// is a collision of hashes: the count of them is raised, and the next try has another hash.
func (r *rollout) failedCreate(rs *appsv1.ReplicaSet, err error) error {
	switch {
	case apierrors.IsAlreadyExists(err):
		if r.d.Status.CollisionCount == nil {
			r.d.Status.CollisionCount = new(int32)
		}
		*r.d.Status.CollisionCount++
		if saveErr := r.saveStatus(); saveErr != nil {
			return saveErr
		}
		return err
	case apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause):
		return err
	}
	message := fmt.Sprintf("Failed to create new replica set %q: %v", rs.Name, err)
	if hasDeadline(r.d) {
		r.setCondition(&r.d.Status, appsv1.DeploymentProgressing, corev1.ConditionFalse, "ReplicaSetCreateError", message)
		_ = r.saveStatus() // there is a bigger problem to report
	}
	r.Client.Emit(r.d, corev1.EventTypeWarning, "ReplicaSetCreateError", message)
	return err
}

// annotateSet copies the Deployment's annotations to its present ReplicaSet and raises that one's revision;
// the revisions it has had before are kept in its history.
func annotateSet(d *appsv1.Deployment, rs *appsv1.ReplicaSet, revision int64) bool {
	changed := false
	if rs.Annotations == nil {
		rs.Annotations = map[string]string{}
	}
	for k, v := range d.Annotations {
		if have, ok := rs.Annotations[k]; !ownAnnotation(k) && (!ok || have != v) {
			rs.Annotations[k] = v
			changed = true
		}
	}
	had, ok := rs.Annotations[revisionAnnotation]
	was, err := strconv.ParseInt(had, 10, 64)
	if err != nil && had != "" || was >= revision {
		return changed
	}
	rs.Annotations[revisionAnnotation] = strconv.FormatInt(revision, 10)
	if ok {
		rs.Annotations[revisionHistoryAnnotation] = longerHistory(rs.Annotations[revisionHistoryAnnotation], had)
	}
	return true
}

// longerHistory adds a revision, and drops the oldest where the list becomes too long.
func longerHistory(history, revision string) string {
	if history == "" {
		return revision
	}
	all := strings.Split(history, ",")
	length := len(history) + len(revision) + 1
	for length > maxRevisionHistory && len(all) > 0 {
		length -= len(all[0]) + 1
		all = all[1:]
	}
	return strings.Join(append(all, revision), ",")
}

func setRevision(d *appsv1.Deployment, revision string) bool {
	if d.Annotations[revisionAnnotation] == revision {
		return false
	}
	if d.Annotations == nil {
		d.Annotations = map[string]string{}
	}
	d.Annotations[revisionAnnotation] = revision
	return true
}

// setReplicasAnnotations tells a ReplicaSet how large the Deployment is, and how large it may become.
func setReplicasAnnotations(rs *appsv1.ReplicaSet, d *appsv1.Deployment) bool {
	desired, most := strconv.Itoa(int(*d.Spec.Replicas)), strconv.Itoa(int(*d.Spec.Replicas+maxSurge(d)))
	if rs.Annotations[desiredReplicasAnnotation] == desired && rs.Annotations[maxReplicasAnnotation] == most {
		return false
	}
	if rs.Annotations == nil {
		rs.Annotations = map[string]string{}
	}
	rs.Annotations[desiredReplicasAnnotation], rs.Annotations[maxReplicasAnnotation] = desired, most
	return true
}

func replicasAnnotation(rs *appsv1.ReplicaSet, key string) (int32, bool) {
	v, ok := rs.Annotations[key]
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseUint(v, 10, 31)
	return int32(n), err == nil
}

// revisionOf is a ReplicaSet's revision; 0 where it has none.
func revisionOf(o apiserver.Object) int64 {
	n, err := strconv.ParseInt(o.GetAnnotations()[revisionAnnotation], 10, 64)
	if err != nil {
		return 0
	}
	return n
}

func olderFirst(a, b *appsv1.ReplicaSet) int {
	return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Name, b.Name))
}

func byRevision(a, b *appsv1.ReplicaSet) int {
	return cmp.Or(cmp.Compare(revisionOf(a), revisionOf(b)), olderFirst(a, b))
}

// with is the old ReplicaSets and the present one, where there is one.
func with(old []*appsv1.ReplicaSet, fresh *appsv1.ReplicaSet) []*appsv1.ReplicaSet {
	all := slices.Clone(old)
	if fresh != nil {
		all = append(all, fresh)
	}
	return all
}

// active are the ReplicaSets that are to have pods.
func active(sets []*appsv1.ReplicaSet) (found []*appsv1.ReplicaSet) {
	for _, rs := range sets {
		if *rs.Spec.Replicas > 0 {
			found = append(found, rs)
		}
	}
	return found
}
