package controller

import (
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/watch"

	"timonier/sim/apiserver"
)

const (
	ttlController = "ttl-controller"
	// ttlAnnotation is for how many seconds a kubelet may use a ConfigMap or Secret that it has read.
	ttlAnnotation = "node.alpha.kubernetes.io/ttl"
)

// ttlBoundary is a row of the real controller's table: between so many nodes the TTL is so long. The ranges overlap, so
// that one node more or less does not have all of them written.
type ttlBoundary struct{ least, most, seconds int }

func ttlBoundaries() []ttlBoundary {
	return []ttlBoundary{{0, 100, 0}, {90, 500, 15}, {450, 1000, 30}, {900, 2000, 60}, {1800, int(^uint(0) >> 1), 300}}
}

// nodeTTL tells kubelets how long to keep what they have read, the longer the larger the cluster (pkg/controller/ttl).
// Its keys: the names of nodes.
type nodeTTL struct{ Env }

func newNodeTTL(env Env) Component { return &nodeTTL{env} }

func (c *nodeTTL) Observe(e apiserver.Event) {
	if node, ok := e.New.(*corev1.Node); ok && e.Type != watch.Deleted && node.Annotations[ttlAnnotation] != c.wanted(node) {
		c.soon(node.Name)
	}
}

func (c *nodeTTL) Resync() {
	for node := range apiserver.List[*corev1.Node](c.Client, "") {
		if node.Annotations[ttlAnnotation] != c.wanted(node) {
			c.soon(node.Name)
		}
	}
}

// wanted is the annotation of a node: what it has as long as the size of the cluster is within its range.
func (c *nodeTTL) wanted(node *corev1.Node) string {
	nodes := apiserver.Count[*corev1.Node](c.Client)
	wanted := ""
	for _, b := range ttlBoundaries() {
		if nodes < b.least || nodes > b.most {
			continue
		}
		text := strconv.Itoa(b.seconds)
		if node.Annotations[ttlAnnotation] == text {
			return text
		}
		if wanted == "" {
			wanted = text
		}
	}
	return wanted
}

func (c *nodeTTL) Sync(name string) error {
	node, ok := apiserver.Get[*corev1.Node](c.Client, "", name)
	if !ok {
		return nil
	}
	wanted := c.wanted(node)
	if node.Annotations[ttlAnnotation] == wanted {
		return nil
	}
	next := node.DeepCopy()
	if next.Annotations == nil {
		next.Annotations = map[string]string{}
	}
	next.Annotations[ttlAnnotation] = wanted
	_, err := c.Client.Update(next)
	return gone(err)
}
