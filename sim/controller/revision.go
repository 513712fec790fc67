package controller

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/rand"
	"k8s.io/apimachinery/pkg/util/strategicpatch"

	"timonier/sim/apiserver"
	"timonier/sim/trace"
)

// The templates that StatefulSets and DaemonSets have had are kept in ControllerRevisions, each as the patch that
// brings one back (pkg/controller/history).

// revisionHashLabel is ControllerRevisionHashLabel of pkg/controller/history.
const revisionHashLabel = "controller.kubernetes.io/hash"

// templatePatch is the strategic merge patch that puts a set's template in the place of another.
func templatePatch(template *corev1.PodTemplateSpec) ([]byte, error) {
	written, err := json.Marshal(template)
	if err != nil {
		return nil, err
	}
	var fields map[string]any
	if err := json.Unmarshal(written, &fields); err != nil {
		return nil, err
	}
	fields["$patch"] = "replace"
	return json.Marshal(map[string]any{"spec": map[string]any{"template": fields}})
}

// patched is a set with the patch of a revision applied to its spec.
func patched[T apiserver.Object](set T, patch []byte, fresh T) (T, error) {
	written, err := json.Marshal(set)
	if err != nil {
		return fresh, err
	}
	if written, err = strategicpatch.StrategicMergePatch(written, patch, fresh); err != nil {
		return fresh, err
	}
	return fresh, json.Unmarshal(written, fresh)
}

// dataHash names a revision by what it holds, and by the count of collisions so far.
func dataHash(data []byte, collisions int32) string {
	h := fnv.New32()
	h.Write(data)
	h.Write(strconv.AppendInt(nil, int64(collisions), 10))
	return rand.SafeEncodeString(fmt.Sprint(h.Sum32()))
}

// revisionName is a set's name and a hash; a set's name is cut where both would be too long.
func revisionName(set, hash string) string {
	const longest = 223
	return set[:min(len(set), longest)] + "-" + hash
}

// newRevision is a set's present template as a revision, before it is stored.
func newRevision(set apiserver.Object, kind schema.GroupVersionKind, labels map[string]string, data []byte, number int64, collisions int32) *appsv1.ControllerRevision {
	hash := dataHash(data, collisions)
	all := map[string]string{}
	maps.Copy(all, labels)
	all[revisionHashLabel] = hash
	return &appsv1.ControllerRevision{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: set.GetNamespace(), Name: revisionName(set.GetName(), hash), Labels: all,
			Annotations:     maps.Clone(set.GetAnnotations()),
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(set, kind)},
		},
		Data: runtime.RawExtension{Raw: data}, Revision: number,
	}
}

// revisionOrder is from the oldest; of equal numbers, by age and name.
func revisionOrder(a, b *appsv1.ControllerRevision) int {
	return cmp.Or(cmp.Compare(a.Revision, b.Revision), a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Name, b.Name))
}

// revisions are a kind's dealings with its history: what it decides about which set.
type revisions struct {
	Env
	actor, kind string
	set         apiserver.Object
}

// create stores a revision. While its name is taken by another, it gets the next one, and collisions count.
func (r revisions) create(fresh *appsv1.ControllerRevision, collisions *int32) (made *appsv1.ControllerRevision, err error) {
	for {
		fresh.Name = revisionName(r.set.GetName(), dataHash(fresh.Data.Raw, *collisions))
		stored, err := r.store(fresh)
		if !apierrors.IsAlreadyExists(err) {
			return stored, err
		}
		taken, ok := apiserver.Get[*appsv1.ControllerRevision](r.Client, fresh.Namespace, fresh.Name)
		if !ok {
			return nil, err
		}
		if bytes.Equal(taken.Data.Raw, fresh.Data.Raw) {
			return taken, nil
		}
		*collisions++
	}
}

func (r revisions) store(fresh *appsv1.ControllerRevision) (made *appsv1.ControllerRevision, err error) {
	err = r.decided(r.actor, refTo(r.kind, r.set), trace.Decision{What: CreateRevision, Count: 1,
		Target: trace.Ref{Kind: "ControllerRevision", Namespace: fresh.Namespace, Name: fresh.Name},
		Note:   strconv.FormatInt(fresh.Revision, 10)}, func() error {
		stored, err := r.Client.Create(fresh)
		if err == nil {
			made = stored.(*appsv1.ControllerRevision)
		}
		return err
	})
	return made, err
}

// raise makes an old revision the latest again, which is what a rollback is.
func (r revisions) raise(old *appsv1.ControllerRevision, number int64) (*appsv1.ControllerRevision, error) {
	if old.Revision == number {
		return old, nil
	}
	fresh := old.DeepCopy()
	fresh.Revision = number
	err := r.decided(r.actor, refTo(r.kind, r.set), trace.Decision{What: ReuseRevision, Count: 1,
		Target: refTo("ControllerRevision", old), Note: strconv.FormatInt(number, 10)}, func() error {
		stored, err := r.Client.Update(fresh)
		if err == nil {
			fresh = stored.(*appsv1.ControllerRevision)
		}
		return err
	})
	return fresh, err
}

// drop deletes the oldest of the revisions that are not live, beyond the limit.
func (r revisions) drop(old []*appsv1.ControllerRevision, limit int, live func(*appsv1.ControllerRevision) bool) error {
	history := slices.DeleteFunc(slices.Clone(old), live)
	if limit < 0 || len(history) <= limit {
		return nil
	}
	for _, rev := range history[:len(history)-limit] {
		err := r.decided(r.actor, refTo(r.kind, r.set), trace.Decision{What: DeleteRevision, Desired: int64(limit),
			Actual: int64(len(history)), Count: 1, Target: refTo("ControllerRevision", rev)},
			func() error { return r.Client.Delete(rev, metav1.DeleteOptions{}) })
		if err != nil {
			return err
		}
	}
	return nil
}
