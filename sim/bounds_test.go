package sim

import (
	"fmt"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"timonier/sim/apiserver"
	"timonier/sim/etcd"
)

// A learner may ask for as many pods as a number holds: the cluster makes what it has room for, at no cost beyond.
func TestMoreThanAnyClusterHolds(t *testing.T) {
	labels := map[string]string{"app": "huge"}
	template := corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "nginx"}}}}
	selector := &metav1.LabelSelector{MatchLabels: labels}
	once := *template.DeepCopy()
	once.Spec.RestartPolicy = corev1.RestartPolicyNever
	const all = 1_500_000_000
	for name, o := range map[string]apiserver.Object{
		"Deployment":           &appsv1.Deployment{Spec: appsv1.DeploymentSpec{Replicas: ptr.To[int32](all), Selector: selector, Template: template}},
		"ReplicaSet":           &appsv1.ReplicaSet{Spec: appsv1.ReplicaSetSpec{Replicas: ptr.To[int32](all), Selector: selector, Template: template}},
		"StatefulSet":          &appsv1.StatefulSet{Spec: appsv1.StatefulSetSpec{Replicas: ptr.To[int32](all), Selector: selector, Template: template, ServiceName: "x"}},
		"parallel StatefulSet": &appsv1.StatefulSet{Spec: appsv1.StatefulSetSpec{Replicas: ptr.To[int32](all), Selector: selector, Template: template, ServiceName: "x", PodManagementPolicy: appsv1.ParallelPodManagement}},
		"Job":                  &batchv1.Job{Spec: batchv1.JobSpec{Parallelism: ptr.To[int32](all), Completions: ptr.To[int32](all), Template: once}},
		"indexed Job":          &batchv1.Job{Spec: batchv1.JobSpec{Parallelism: ptr.To[int32](100000), Completions: ptr.To[int32](all), CompletionMode: ptr.To(batchv1.IndexedCompletion), Template: once}},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCluster(t, Config{Images: images(t), Limits: apiserver.Limits{Pods: 30}})
			o.SetNamespace("default")
			o.SetName("huge")
			create(t, c, o)
			if err := c.AdvanceTo(c.Now().Add(time.Minute)); err != nil {
				t.Fatal(err)
			}
			n := 0
			for range apiserver.List[*corev1.Pod](c.Client(), "default") {
				n++
			}
			if n < 15 || n > 30 {
				t.Errorf("%d pods, in a cluster for 30", n)
			}
		})
	}
}

// Whoever writes to etcd past the API server may write what it would have refused. No component trips over it.
func TestWhatIsWrittenPastTheServerBreaksNoComponent(t *testing.T) {
	for _, r := range newCluster(t, Config{}).Server().Resources() {
		for _, spec := range []string{"", `,"spec":{},"status":{}`, `,"spec":{"replicas":2,"template":{},"containers":[{}],"nodeName":"node-1","schedule":"* * * * *"}`} {
			t.Run(r.Kind+spec, func(t *testing.T) {
				c := newCluster(t, Config{Images: images(t)})
				key, namespace := r.KeyPrefix+"/x", ""
				if r.Namespaced {
					key, namespace = r.KeyPrefix+"/default/x", `,"namespace":"default"`
				}
				value := fmt.Sprintf(`{"apiVersion":%q,"kind":%q,"metadata":{"name":"x"%s,"uid":"u"}%s}`, r.GroupVersion().String(), r.Kind, namespace, spec)
				c.AtEtcd(func(s *etcd.Store) {
					if _, err := s.Put(key, []byte(value), 0); err != nil {
						t.Fatal(err)
					}
				})
				if err := c.AdvanceTo(c.Now().Add(2 * time.Minute)); err != nil {
					t.Fatal(err)
				}
			})
		}
	}
}
