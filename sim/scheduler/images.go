package scheduler

import (
	"strings"

	v1 "k8s.io/api/core/v1"
)

// ImageLocality (Kubernetes 1.37 pkg/scheduler/framework/plugins/imagelocality):
// nodes that have the pod's images already. An image counts for less where few nodes
// have it, so that pods do not gather on the one that pulled it first.

const (
	megabyte         = 1024 * 1024
	imagesLeast      = 23 * megabyte
	imagesMostOfEach = 1000 * megabyte
)

// imagesOf are the images a pod needs: of its containers and of image volumes.
func imagesOf(pod *v1.Pod, to []string) []string {
	for i := range pod.Spec.InitContainers {
		to = append(to, normalImage(pod.Spec.InitContainers[i].Image))
	}
	for i := range pod.Spec.Containers {
		to = append(to, normalImage(pod.Spec.Containers[i].Image))
	}
	for i := range pod.Spec.Volumes {
		if v := pod.Spec.Volumes[i].Image; v != nil {
			to = append(to, normalImage(v.Reference))
		}
	}
	return to
}

// normalImage adds the tag that is meant where there is none.
func normalImage(name string) string {
	if strings.LastIndexByte(name, ':') <= strings.LastIndexByte(name, '/') {
		return name + ":latest"
	}
	return name
}

// preScoreImages notes the images that are on some node at all. It never skips.
func preScoreImages(c *cycle) bool {
	c.images = imagesOf(c.pod.pod, c.images[:0])
	c.imageCount = int64(len(c.images))
	there := c.images[:0]
	for _, name := range c.images {
		if c.s.images[name] > 0 {
			there = append(there, name)
		}
	}
	c.images = there
	return true
}

// scoreImages is ⌊100·(sum − 23 MB)/(1000 MB·images − 23 MB)⌋, the sum clamped to these bounds.
func scoreImages(c *cycle, n *nodeInfo) int64 {
	if len(c.images) == 0 || len(n.images) == 0 {
		return 0
	}
	var sum int64
	for _, name := range c.images {
		if size, ok := n.images[name]; ok {
			sum += c.spreadSize(name, size)
		}
	}
	most := imagesMostOfEach * c.imageCount
	return maxScore * (max(imagesLeast, min(most, sum)) - imagesLeast) / (most - imagesLeast)
}

// spreadSize is ⌊size · nodes that have the image / all nodes⌋.
func (c *cycle) spreadSize(name string, size int64) int64 {
	return int64(float64(size) * (float64(c.s.images[name]) / float64(len(c.s.nodes))))
}

func figuresImages(c *cycle, i int, _ []int64, f []Figure) []Figure {
	n := c.feasible[i]
	var sum int64
	for _, name := range c.images {
		if size, ok := n.images[name]; ok {
			scaled := c.spreadSize(name, size)
			sum += scaled
			f = append(f, Figure{Name: "size", Of: name, Value: size}, Figure{Name: "nodes", Of: name, Value: c.s.images[name]},
				Figure{Name: "all-nodes", Of: name, Value: int64(len(c.s.nodes))}, Figure{Name: "result", Of: name, Value: scaled})
		}
	}
	return append(f, Figure{Name: "sum", Value: sum}, Figure{Name: "min", Value: imagesLeast},
		Figure{Name: "max", Value: imagesMostOfEach * c.imageCount}, Figure{Name: "images", Value: c.imageCount})
}
