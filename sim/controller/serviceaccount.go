package controller

import (
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"timonier/sim/apiserver"
	"timonier/sim/trace"
)

const serviceAccountController = "serviceaccount-controller"

// serviceAccounts gives each namespace its account "default" (pkg/controller/serviceaccount).
type serviceAccounts struct{ Env }

func newServiceAccounts(env Env) Component { return &serviceAccounts{env} }

func (c *serviceAccounts) Observe(e apiserver.Event) {
	switch o := subject(e).(type) {
	case *corev1.Namespace:
		if e.Type != watch.Deleted {
			c.soon(o.Name)
		}
	case *corev1.ServiceAccount:
		if e.Type == watch.Deleted {
			c.soon(o.Namespace)
		}
	}
}

func (c *serviceAccounts) Resync() { eachNamespace(c.Env) }

// eachNamespace adds every namespace to the queue.
func eachNamespace(env Env) {
	for n := range apiserver.List[*corev1.Namespace](env.Client, "") {
		env.soon(n.Name)
	}
}

func (c *serviceAccounts) Sync(key string) error {
	n, ok := apiserver.Get[*corev1.Namespace](c.Client, "", key)
	if !ok || n.Status.Phase != corev1.NamespaceActive {
		return nil
	}
	if _, ok := apiserver.Get[*corev1.ServiceAccount](c.Client, key, "default"); ok {
		return nil
	}
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: key, Name: "default"}}
	return c.decided(serviceAccountController, refTo("Namespace", n), trace.Decision{
		What: CreateServiceAccount, Desired: 1, Count: 1, Target: refTo("ServiceAccount", account),
	}, func() error {
		_, err := c.Client.Create(account)
		return unlessEnding(err)
	})
}

// unlessEnding takes for done what is there already, or cannot be because its namespace ends.
func unlessEnding(err error) error {
	if apierrors.IsAlreadyExists(err) || apierrors.IsNotFound(err) || apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
		return nil
	}
	return err
}
