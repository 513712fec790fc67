package sim

import (
	"slices"

	corev1 "k8s.io/api/core/v1"

	"timonier/sim/apiserver"
	"timonier/sim/kubelet"
)

// The faults of registries and images. A registry's target is its host name (docker.io), an image's is its name as in
// a pod (nginx:1.29), or without a tag for all of them.
const (
	// RegistryDown: pulls fail (ErrImagePull, then ImagePullBackOff). An image that is on the node already still runs,
	// unless it is to be pulled always.
	RegistryDown = "registry-down"
	// ImageCrash: containers of the image end with 1 a moment after their start, those that run too (CrashLoopBackOff).
	ImageCrash = "image-crash"
	// ImageLeak: containers of the image leak memory, until the kernel kills them at their limit, or the node's
	// (OOMKilled, 137): the smaller the limit the sooner.
	ImageLeak = "image-leak"
	// ImageSlow: containers of the image take 90 s more until they answer. A liveness probe kills them before, unless
	// a startup probe keeps it waiting.
	ImageSlow = "image-slow"
)

func imageFaults() []faultKind {
	image := func(name string) faultKind {
		return faultKind{name, (*Cluster).imagesInUse, func(c *Cluster, image string, _ bool) error {
			c.tellKubelets()
			return nil
		}}
	}
	return []faultKind{
		{RegistryDown, (*Cluster).registries, func(*Cluster, string, bool) error { return nil }},
		image(ImageCrash), image(ImageLeak), image(ImageSlow),
	}
}

// imagesInUse are the images of all pods, without tags and with.
func (c *Cluster) imagesInUse() []string {
	var names []string
	for pod := range apiserver.List[*corev1.Pod](c.Client(), "") {
		for _, list := range [][]corev1.Container{pod.Spec.InitContainers, pod.Spec.Containers} {
			for i := range list {
				if repository := kubelet.Repository(list[i].Image); repository != "" {
					names = append(names, repository, list[i].Image)
				}
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// registries are those of the images in use, and the one that is meant where none is named.
func (c *Cluster) registries() []string {
	names := []string{kubelet.DefaultRegistry}
	for _, image := range c.imagesInUse() {
		if host := kubelet.Registry(image); host != "" {
			names = append(names, host)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// registryDown says whether a registry answers nobody.
func (c *Cluster) registryDown(host string) bool { return c.broken(RegistryDown, host) }

// imageFaults are what is wrong with an image.
func (c *Cluster) imageFault(image string) (flaws kubelet.Flaws) {
	for _, f := range c.faults {
		switch f.Name {
		case ImageCrash, ImageLeak, ImageSlow:
			if kubelet.SameImage(f.Target, image) {
				flaws.Crash = flaws.Crash || f.Name == ImageCrash
				flaws.Leak = flaws.Leak || f.Name == ImageLeak
				flaws.Slow = flaws.Slow || f.Name == ImageSlow
			}
		}
	}
	return flaws
}

// tellKubelets has all kubelets look at their pods: what their images do has changed.
func (c *Cluster) tellKubelets() {
	for _, name := range c.nodeNames() {
		if k := c.kubelets[name]; k != nil {
			k.Resync()
		}
	}
}
