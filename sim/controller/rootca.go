package controller

import (
	"maps"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"timonier/sim/apiserver"
	"timonier/sim/trace"
)

const (
	rootCAController  = "root-ca-cert-publisher"
	rootCAName        = "kube-root-ca.crt"
	rootCADescription = "kubernetes.io/description"
)

// rootCA publishes the certificate of the cluster's authority in each namespace
// (pkg/controller/certificates/rootcacertpublisher). The certificate is of no authority: nothing here is signed.
type rootCA struct{ Env }

func newRootCA(env Env) Component { return &rootCA{env} }

func (c *rootCA) Observe(e apiserver.Event) {
	switch o := subject(e).(type) {
	case *corev1.Namespace:
		if e.Type == watch.Added || e.Type == watch.Modified && o.Status.Phase == corev1.NamespaceActive {
			c.soon(o.Name)
		}
	case *corev1.ConfigMap:
		if o.Name == rootCAName && e.Type != watch.Added {
			c.soon(o.Namespace)
		}
	}
}

func (c *rootCA) Resync() { eachNamespace(c.Env) }

func (c *rootCA) Sync(key string) error {
	n, ok := apiserver.Get[*corev1.Namespace](c.Client, "", key)
	if !ok {
		return nil
	}
	data := map[string]string{"ca.crt": certificate}
	old, exists := apiserver.Get[*corev1.ConfigMap](c.Client, key, rootCAName)
	if exists && maps.Equal(old.Data, data) && old.Annotations[rootCADescription] != "" {
		return nil
	}
	fresh := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: key, Name: rootCAName}}
	if exists {
		fresh = old.DeepCopy()
	}
	if fresh.Annotations == nil {
		fresh.Annotations = map[string]string{}
	}
	fresh.Annotations[rootCADescription] = "Contains a CA bundle that can be used to verify the kube-apiserver when using internal " +
		"endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters."
	fresh.Data = data
	return c.decided(rootCAController, refTo("Namespace", n), trace.Decision{
		What: PublishRootCA, Desired: 1, Count: 1, Target: refTo("ConfigMap", fresh),
	}, func() (err error) {
		if exists {
			_, err = c.Client.Update(fresh)
		} else {
			_, err = c.Client.Create(fresh)
		}
		return unlessEnding(err)
	})
}

// certificate stands for the one of the cluster's authority. It is PEM, and of the simulator only.
const certificate = `-----BEGIN CERTIFICATE-----
VGltb25pZXI6IGEgc2ltdWxhdGVkIGNvbnRyb2wgcGxhbmUuIFRoaXMgaXMgbm90
IGEgY2VydGlmaWNhdGU6IG5vdGhpbmcgaGVyZSBpcyBzaWduZWQu
-----END CERTIFICATE-----
`
