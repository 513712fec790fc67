package apiserver

import (
	"reflect"
	"testing"
	"unsafe"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestShareMakesOneOfWhatIsEqualAlone(t *testing.T) {
	pod := func(name, cpu string, restarts int32, note []byte) *corev1.Pod {
		list := corev1.ResourceList{"cpu": resource.MustParse(cpu)}
		return &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"app": "web"}},
			Spec: corev1.PodSpec{Containers: []corev1.Container{
				{Name: string([]byte("nginx")), Resources: corev1.ResourceRequirements{Limits: list}},
				{Name: name, Command: []string{string(note)}},
			}},
			Status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{Name: "nginx", RestartCount: restarts}}},
		}
	}
	like := pod("web-1", "100m", 0, []byte("a"))
	for _, other := range []*corev1.Pod{
		pod("web-2", "100m", 0, []byte("a")), pod("web-3", "200m", 3, []byte("b")), {}, pod("web-1", "100m", 0, []byte("a")),
	} {
		was := other.DeepCopy()
		if same := share(reflect.ValueOf(other).Elem(), reflect.ValueOf(like).Elem()); same != reflect.DeepEqual(was, like) {
			t.Errorf("%s: equal: %v", was.Name, same)
		}
		if !reflect.DeepEqual(other, was) {
			t.Errorf("sharing changed %v into %v", was, other)
		}
		if other.Labels != nil && reflect.ValueOf(other.Labels).Pointer() != reflect.ValueOf(like.Labels).Pointer() {
			t.Errorf("%s: labels are its own", other.Name)
		}
		if len(other.Spec.Containers) > 0 {
			a, b := other.Spec.Containers[0].Name, like.Spec.Containers[0].Name
			if unsafe.StringData(a) != unsafe.StringData(b) {
				t.Errorf("%s: a container's name is its own", other.Name)
			}
		}
	}
}
