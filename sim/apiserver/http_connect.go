package apiserver

import (
	"fmt"
	"net/http"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// connecting are the subresources by which the real server connects a client with what runs in a container. They are known,
// so that the answer is not that there is no such page, and not served: discovery names none of them.
func connecting(r *Resource) []string {
	if r.Resource == "pods" && r.Group == "" {
		return []string{"exec", "attach", "portforward"}
	}
	return nil
}

// connect is GET (by WebSocket) and POST (by SPDY) of what connecting names: who may, and to which pod and container, is checked as the
// real server does (registry/core/pod/strategy.go, streamLocation); then nobody is there.
func (x *exchange) connect() (reply, error) {
	if err := x.server.begin(x.request(x.verb())); err != nil {
		return reply{}, err
	}
	o, there := x.server.caches[x.resource].get(x.at.namespace, x.at.name)
	if !there {
		return reply{}, apierrors.NewNotFound(x.resource.GroupResource(), x.at.name)
	}
	pod := o.(*corev1.Pod)
	if x.at.subresource != "portforward" {
		if _, err := x.logOptions(pod); err != nil {
			return reply{}, err
		}
	}
	if pod.Spec.NodeName == "" {
		return reply{}, apierrors.NewBadRequest(fmt.Sprintf("pod %s does not have a host assigned", pod.Name))
	}
	what := map[string]string{
		"exec":        "no process runs in them, and no command can",
		"attach":      "no process runs in them to attach to",
		"portforward": "nothing listens on their ports",
	}
	return reply{}, &apierrors.StatusError{ErrStatus: metav1.Status{
		Status: metav1.StatusFailure, Code: http.StatusNotImplemented, Reason: "NotImplemented",
		Message: fmt.Sprintf("the containers of this cluster are simulated: %s; kubectl logs, describe pod and events tell what they do", what[x.at.subresource]),
	}}
}
