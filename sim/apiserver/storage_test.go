package apiserver

import (
	"slices"
	"strings"
	"testing"
	"time"

	v1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
)

// refusal is one object that is asked for, and why not: what the answer says after "is invalid: " or "is forbidden: ".
type refusal struct{ kind, given, want string }

func (c refusal) check(t *testing.T, err error) {
	t.Helper()
	got := ""
	if err != nil {
		got = err.Error()
		for _, before := range []string{"is invalid: ", "is forbidden: "} {
			if _, after, ok := strings.Cut(got, before); ok {
				got = after
				break
			}
		}
	}
	got, _, _ = strings.Cut(got, "\n") // what follows is a dump of Go structures
	if got != c.want {
		t.Errorf("%s %s\n got %s\nwant %s\n(%v)", c.kind, c.given, got, c.want, err)
	}
}

func TestStorageKindsRefuse(t *testing.T) {
	for _, c := range []refusal{
		{"PersistentVolumeClaim", "{metadata: {name: c}}",
			"[spec.accessModes: Required value: at least 1 access mode is required, spec.resources[storage]: Required value]"},
		{"PersistentVolumeClaim", "{metadata: {name: c}, spec: {accessModes: [ReadWriteTwice, ReadWriteOncePod, ReadWriteMany], resources: {requests: {storage: 0}}}}",
			`[spec.accessModes: Unsupported value: "ReadWriteTwice": supported values: "ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod", spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes, spec.resources[storage]: Invalid value: "0": must be greater than zero]`},
		{"PersistentVolumeClaim", "{metadata: {name: c}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}, volumeMode: Tape, dataSourceRef: {kind: Pod, name: p}}}",
			`[spec.volumeMode: Unsupported value: "Tape": supported values: "Block", "Filesystem", spec.dataSource: Invalid value: "Pod": must be 'PersistentVolumeClaim' when referencing the default apiGroup, spec.dataSourceRef: Invalid value: "Pod": must be 'PersistentVolumeClaim' when referencing the default apiGroup]`},
		{"PersistentVolumeClaim", "{metadata: {name: c}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}, dataSource: {kind: Pod, name: p}}}", ""},
		{"PersistentVolume", "{metadata: {name: v}}",
			`[spec.accessModes: Required value, spec.capacity: Required value, spec.capacity: Unsupported value: null: supported values: "storage", spec: Required value: must specify a volume type]`},
		{"PersistentVolume", "{metadata: {name: v}, spec: {accessModes: [ReadWriteOnce], capacity: {storage: -1}, persistentVolumeReclaimPolicy: Burn, local: {path: a/../b}}}",
			`[spec.capacity[storage]: Invalid value: -1: must be a valid resource quantity, spec.capacity[storage]: Invalid value: "-1": must be greater than zero, spec.persistentVolumeReclaimPolicy: Unsupported value: "Burn": supported values: "Delete", "Recycle", "Retain", spec.local.path: Invalid value: "a/../b": must not contain '..', spec.nodeAffinity: Required value: Local volume requires node affinity]`},
		{"PersistentVolume", "{metadata: {name: v}, spec: {accessModes: [ReadWriteOnce], capacity: {storage: 1Gi}, hostPath: {path: /}, nfs: {server: a, path: /b}, persistentVolumeReclaimPolicy: Recycle}}",
			"[spec.nfs: Forbidden: may not specify more than 1 volume type, spec.persistentVolumeReclaimPolicy: Forbidden: may not be 'recycle' for a hostPath mount of '/']"},
		{"PersistentVolume", "{metadata: {name: v}, spec: {accessModes: [ReadWriteOnce], capacity: {storage: 1Gi}, csi: {}, nodeAffinity: {}}}",
			"[spec.nodeAffinity.required: Required value: must specify required node constraints, spec.csi.driver: Required value, spec.csi.volumeHandle: Required value]"},
		{"StorageClass", "{metadata: {name: s}}", "provisioner: Required value"},
		{"StorageClass", "{metadata: {name: s}, provisioner: a.b/c, reclaimPolicy: Recycle, volumeBindingMode: Later}",
			`[reclaimPolicy: Unsupported value: "Recycle": supported values: "Delete", "Retain", volumeBindingMode: Unsupported value: "Later": supported values: "Immediate", "WaitForFirstConsumer"]`},
		{"StorageClass", "{metadata: {name: s}, provisioner: a.b/c, allowedTopologies: [{matchLabelExpressions: [{key: z, values: [a]}]}, {matchLabelExpressions: [{key: z, values: [a]}, {key: z}]}]}",
			`[allowedTopologies[1].matchLabelExpressions[1].values: Required value, allowedTopologies[1].matchLabelExpressions[1].key: Duplicate value: "z"]`},
	} {
		_, err := newWorld(t, Limits{}).admin().Create(manifest(t, c.kind, c.given))
		c.check(t, err)
	}
}

func TestStorageKindsRefuseChanges(t *testing.T) {
	const claim = "{metadata: {name: c}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 2Gi}}"
	for _, c := range []struct{ kind, before, after, want string }{
		{"PersistentVolumeClaim", claim + "}}", claim + ", volumeName: v}}", ""},
		{"PersistentVolumeClaim", claim + ", volumeName: v}}", claim + ", volumeName: w}}",
			"spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"},
		{"PersistentVolumeClaim", claim + "}}", "{metadata: {name: c}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 3Gi}}}}",
			"spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"},
		{"PersistentVolumeClaim", claim + "}}", claim + ", storageClassName: fast}}", ""},
		{"PersistentVolumeClaim", claim + ", storageClassName: slow}}", claim + ", storageClassName: fast}}",
			"spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"},
		{"PersistentVolume", "{metadata: {name: v}, spec: {accessModes: [ReadWriteOnce], capacity: {storage: 1Gi}, hostPath: {path: /a}}}",
			"{metadata: {name: v}, spec: {accessModes: [ReadWriteOnce], capacity: {storage: 2Gi}, hostPath: {path: /b}}}",
			"spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after creation"},
		{"StorageClass", "{metadata: {name: s}, provisioner: a}", "{metadata: {name: s}, provisioner: b}", `provisioner: Invalid value: "b": field is immutable`},
	} {
		w := newWorld(t, Limits{})
		w.create(t, manifest(t, c.kind, c.before))
		_, err := w.admin().Update(manifest(t, c.kind, c.after))
		refusal{c.kind, c.after, c.want}.check(t, err)
	}
}

// A bound claim may grow, and not shrink below what it has.
func TestBoundClaimsGrow(t *testing.T) {
	w := newWorld(t, Limits{})
	sized := func(size string) *v1.PersistentVolumeClaim {
		return manifest(t, "PersistentVolumeClaim", "{metadata: {name: c}, spec: {accessModes: [ReadWriteOnce], volumeName: v, resources: {requests: {storage: "+size+"}}}}").(*v1.PersistentVolumeClaim)
	}
	bound := w.create(t, sized("2Gi")).DeepCopyObject().(*v1.PersistentVolumeClaim)
	bound.Status = v1.PersistentVolumeClaimStatus{Phase: v1.ClaimBound, Capacity: bound.Spec.Resources.Requests}
	if _, err := w.admin().UpdateStatus(bound); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ size, want string }{
		{"3Gi", ""}, {"2500Mi", ""}, {"2Gi", "spec.resources.requests.storage: Forbidden: field can not be less than status.capacity"},
	} {
		_, err := w.admin().Update(sized(c.size))
		refusal{"PersistentVolumeClaim", c.size, c.want}.check(t, err)
	}
}

func TestClaimsGetClassAndFinalizer(t *testing.T) {
	w := newWorld(t, Limits{})
	classOf := func(text string) string {
		c := w.create(t, manifest(t, "PersistentVolumeClaim", text)).(*v1.PersistentVolumeClaim)
		if !slices.Equal(c.Finalizers, []string{ClaimProtection}) || *c.Spec.VolumeMode != v1.PersistentVolumeFilesystem || c.Status.Phase != v1.ClaimPending {
			t.Errorf("%s became %+v", text, c)
		}
		if c.Spec.StorageClassName == nil {
			return "none"
		}
		return *c.Spec.StorageClassName
	}
	claim := func(name, more string) string {
		return "{metadata: {name: " + name + "}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}" + more + "}}"
	}
	if got := classOf(claim("before", "")); got != "none" {
		t.Errorf("without a default class the class is %s", got)
	}
	const marked = "annotations: {storageclass.kubernetes.io/is-default-class: 'true'}}, provisioner: x}"
	w.create(t, manifest(t, "StorageClass", "{metadata: {name: b, "+marked))
	w.create(t, manifest(t, "StorageClass", "{metadata: {name: a, "+marked))
	if got := classOf(claim("same-age", "")); got != "a" {
		t.Errorf("of two of one age %s is the default", got)
	}
	w.now = w.now.Add(time.Minute)
	w.create(t, manifest(t, "StorageClass", "{metadata: {name: z, "+marked))
	if got := classOf(claim("newest", "")); got != "z" {
		t.Errorf("the default class is %s, not the newest", got)
	}
	if got := classOf(claim("wants-none", ", storageClassName: ''")); got != "" {
		t.Errorf("a claim of no class got %s", got)
	}
	v := w.create(t, manifest(t, "PersistentVolume", "{metadata: {name: v}, spec: {accessModes: [ReadWriteOnce], capacity: {storage: 1Gi}, hostPath: {path: /a}}}")).(*v1.PersistentVolume)
	if !slices.Equal(v.Finalizers, []string{VolumeProtection}) || v.Status.Phase != v1.VolumePending || v.Spec.PersistentVolumeReclaimPolicy != v1.PersistentVolumeReclaimRetain {
		t.Errorf("volume %+v", v)
	}
	s := w.create(t, manifest(t, "StorageClass", "{metadata: {name: s}, provisioner: x}")).(*storagev1.StorageClass)
	if *s.ReclaimPolicy != v1.PersistentVolumeReclaimDelete || *s.VolumeBindingMode != storagev1.VolumeBindingImmediate {
		t.Errorf("class %+v", s)
	}
}

func TestCellsOfStorageKinds(t *testing.T) {
	for _, c := range []refusal{
		{"PersistentVolumeClaim", "{metadata: {name: c}, spec: {resources: {requests: {storage: 1Gi}}}, status: {phase: Pending}}", "c  Pending          <unset>  90m  <unset>"},
		{"PersistentVolumeClaim", `{metadata: {name: c, deletionTimestamp: "2026-01-01T11:59:00Z"}, spec: {volumeName: v, storageClassName: standard, volumeMode: Block},
			status: {phase: Bound, capacity: {storage: 1Gi}, accessModes: [ReadWriteMany, ReadWriteOnce]}}`, "c  Terminating  v  1Gi  RWO,RWX  standard  <unset>  90m  Block"},
		{"PersistentVolume", `{metadata: {name: v}, spec: {capacity: {storage: 1Gi}, accessModes: [ReadWriteOncePod], persistentVolumeReclaimPolicy: Delete, storageClassName: standard,
			volumeMode: Filesystem, claimRef: {namespace: a, name: c}}, status: {phase: Released}}`, "v  1Gi  RWOP  Delete  Released  a/c  standard  <unset>    90m  Filesystem"},
		{"StorageClass", "{metadata: {name: s}, provisioner: a.b/c, allowVolumeExpansion: true}", "s  a.b/c  Delete  Immediate  true  90m"},
	} {
		if got := row(t, c.kind, c.given, monday); got != c.want {
			t.Errorf("%s %s\n got %q\nwant %q", c.kind, c.given, got, c.want)
		}
	}
}
