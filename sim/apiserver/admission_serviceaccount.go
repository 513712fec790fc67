package apiserver

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

const (
	tokenPath    = "/var/run/secrets/kubernetes.io/serviceaccount"
	tokenSeconds = 3607 // an hour, and a little that no one else asks for: that is how the real one is recognised
)

// mountServiceAccount gives a pod its account, and its containers the account's token
// (plugin/pkg/admission/serviceaccount).
func mountServiceAccount(s *Server, r *request, o, old Object) error {
	pod, ok := newPod(r, o, old)
	if !ok {
		return nil
	}
	if pod.Spec.ServiceAccountName == "" {
		pod.Spec.ServiceAccountName = "default"
	}
	pod.Spec.DeprecatedServiceAccount = pod.Spec.ServiceAccountName
	account, err := s.serviceAccount(pod.Namespace, pod.Spec.ServiceAccountName)
	if err != nil {
		return fmt.Errorf("error looking up service account %s/%s: %w", pod.Namespace, pod.Spec.ServiceAccountName, err)
	}
	if len(pod.Spec.ImagePullSecrets) == 0 {
		pod.Spec.ImagePullSecrets = account.ImagePullSecrets
	}
	if automount(account, pod) {
		s.mountToken(pod)
	}
	return nil
}

// serviceAccount finds an account. The default one of a new namespace is on its way: the real server waits for it.
func (s *Server) serviceAccount(namespace, name string) (*corev1.ServiceAccount, error) {
	accounts := s.caches[s.kindNamed("ServiceAccount")]
	there := func() bool { _, ok := accounts.get(namespace, name); return ok }
	if !there() && name == "default" && s.cfg.Wait != nil {
		s.cfg.Wait(time.Second, there)
	}
	o, ok := accounts.get(namespace, name)
	if !ok {
		return nil, apierrors.NewNotFound(schema.GroupResource{Resource: "serviceaccount"}, name)
	}
	return o.(*corev1.ServiceAccount), nil
}

func automount(account *corev1.ServiceAccount, pod *corev1.Pod) bool {
	if pod.Spec.AutomountServiceAccountToken != nil {
		return *pod.Spec.AutomountServiceAccountToken
	}
	return account.AutomountServiceAccountToken == nil || *account.AutomountServiceAccountToken
}

func (s *Server) mountToken(pod *corev1.Pod) {
	volume := s.generateName("kube-api-access-")
	mounted := false
	for _, list := range [][]corev1.Container{pod.Spec.InitContainers, pod.Spec.Containers} {
		for i := range list {
			if mountsAt(&list[i], tokenPath) {
				continue
			}
			list[i].VolumeMounts = append(list[i].VolumeMounts, corev1.VolumeMount{Name: volume, ReadOnly: true, MountPath: tokenPath})
			mounted = true
		}
	}
	if mounted {
		pod.Spec.Volumes = append(pod.Spec.Volumes, corev1.Volume{Name: volume, VolumeSource: tokenVolume()})
	}
}

func mountsAt(c *corev1.Container, path string) bool {
	for _, m := range c.VolumeMounts {
		if m.MountPath == path {
			return true
		}
	}
	return false
}

// tokenVolume is the volume of a pod's token. Each pod has its own: the stages that follow write to it.
func tokenVolume() corev1.VolumeSource {
	seconds, mode := int64(tokenSeconds), corev1.ProjectedVolumeSourceDefaultMode
	return corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{
		DefaultMode: &mode,
		Sources: []corev1.VolumeProjection{
			{ServiceAccountToken: &corev1.ServiceAccountTokenProjection{Path: "token", ExpirationSeconds: &seconds}},
			{ConfigMap: &corev1.ConfigMapProjection{
				LocalObjectReference: corev1.LocalObjectReference{Name: "kube-root-ca.crt"},
				Items:                []corev1.KeyToPath{{Key: "ca.crt", Path: "ca.crt"}},
			}},
			{DownwardAPI: &corev1.DownwardAPIProjection{Items: []corev1.DownwardAPIVolumeFile{{
				Path:     "namespace",
				FieldRef: &corev1.ObjectFieldSelector{APIVersion: "v1", FieldPath: "metadata.namespace"},
			}}}},
		},
	}}
}
