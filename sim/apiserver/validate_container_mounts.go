package apiserver

import (
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// volumeMounts: each of a volume of the pod, each at its own place. Paths of
// what is inside a mount are the real server's, some without the index.
func (f *findings) volumeMounts(list *field.Path, c *v1.Container, cc *containerContext) {
	deviceNames, devicePaths := sets.Set[string]{}, sets.Set[string]{}
	for _, d := range c.VolumeDevices {
		deviceNames.Insert(d.Name)
		devicePaths.Insert(d.DevicePath)
	}
	places := sets.Set[string]{}
	for i := range c.VolumeMounts {
		m, at := &c.VolumeMounts[i], list.Index(i)
		if m.Name == "" {
			f.required(at.Child("name"), "")
		}
		if cc.volumes[m.Name] == nil {
			f.add(field.NotFound(at.Child("name"), m.Name))
		}
		if m.MountPath == "" {
			f.required(at.Child("mountPath"), "")
		}
		if places.Has(m.MountPath) {
			f.invalid(at.Child("mountPath"), m.MountPath, "must be unique")
		}
		places.Insert(m.MountPath)
		if deviceNames.Has(m.Name) {
			f.invalid(at.Child("name"), m.Name, "must not already exist in volumeDevices")
		}
		if devicePaths.Has(m.MountPath) {
			f.invalid(at.Child("mountPath"), m.MountPath, "must not already exist as a path in volumeDevices")
		}
		f.mountOptions(list, at, m, c)
	}
}

func (f *findings) mountOptions(list, at *field.Path, m *v1.VolumeMount, c *v1.Container) {
	if m.SubPath != "" {
		f.relativePath(list.Child("subPath"), m.SubPath)
	}
	if m.SubPathExpr != "" {
		if m.SubPath != "" {
			f.invalid(at.Child("subPathExpr"), m.SubPathExpr, "subPathExpr and subPath are mutually exclusive")
		}
		f.relativePath(list.Child("subPathExpr"), m.SubPathExpr)
	}
	if m.MountPropagation != nil {
		at := list.Child("mountPropagation")
		among(f, at, *m.MountPropagation, v1.MountPropagationBidirectional, v1.MountPropagationHostToContainer, v1.MountPropagationNone)
		sc := c.SecurityContext
		privileged := sc != nil && sc.Privileged != nil && *sc.Privileged
		if *m.MountPropagation == v1.MountPropagationBidirectional && !privileged {
			f.forbidden(at, "Bidirectional mount propagation is available only to privileged containers")
		}
	}
	if m.RecursiveReadOnly == nil || *m.RecursiveReadOnly == v1.RecursiveReadOnlyDisabled {
		return
	}
	at = list.Child("recursiveReadOnly")
	if *m.RecursiveReadOnly != v1.RecursiveReadOnlyEnabled && *m.RecursiveReadOnly != v1.RecursiveReadOnlyIfPossible {
		among(f, at, *m.RecursiveReadOnly,
			v1.RecursiveReadOnlyDisabled, v1.RecursiveReadOnlyEnabled, v1.RecursiveReadOnlyIfPossible)
		return
	}
	if !m.ReadOnly {
		f.forbidden(at, "may only be specified when readOnly is true")
	}
	if m.MountPropagation != nil && *m.MountPropagation != v1.MountPropagationNone {
		f.forbidden(at, "may only be specified when mountPropagation is None or not specified")
	}
}

// volumeDevices: block devices, of claims only.
func (f *findings) volumeDevices(list *field.Path, c *v1.Container, cc *containerContext) {
	mountNames, mountPaths := sets.Set[string]{}, sets.Set[string]{}
	for _, m := range c.VolumeMounts {
		mountNames.Insert(m.Name)
		mountPaths.Insert(m.MountPath)
	}
	names, paths := sets.Set[string]{}, sets.Set[string]{}
	for i, d := range c.VolumeDevices {
		at, source := list.Index(i), cc.volumes[d.Name]
		if d.Name == "" {
			f.required(at.Child("name"), "")
		}
		if names.Has(d.Name) {
			f.invalid(at.Child("name"), d.Name, "must be unique")
		}
		if source != nil && source.PersistentVolumeClaim == nil && source.Ephemeral == nil {
			f.invalid(at.Child("name"), d.Name, "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode")
		}
		if source == nil {
			f.add(field.NotFound(at.Child("name"), d.Name))
		}
		if d.DevicePath == "" {
			f.required(at.Child("devicePath"), "")
		}
		if paths.Has(d.DevicePath) {
			f.invalid(at.Child("devicePath"), d.DevicePath, "must be unique")
		}
		if hasBacksteps(d.DevicePath) {
			f.invalid(at.Child("devicePath"), d.DevicePath, "can not contain backsteps ('..')")
		} else {
			paths.Insert(d.DevicePath)
		}
		if mountNames.Has(d.Name) {
			f.invalid(at.Child("name"), d.Name, "must not already exist in volumeMounts")
		}
		if mountPaths.Has(d.DevicePath) {
			f.invalid(at.Child("devicePath"), d.DevicePath, "must not already exist as a path in volumeMounts")
		}
		if d.Name != "" {
			names.Insert(d.Name)
		}
	}
}
