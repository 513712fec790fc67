package sim

import (
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"timonier/sim/apiserver"
)

// A channel's cluster takes no more than its share of the machine, however large the objects are: etcd says that
// there is no room, nothing is half done, and what is deleted makes room.
func TestObjectsHaveRoomForSoManyBytes(t *testing.T) {
	c := newCluster(t, Config{})
	client := c.Client()
	text := strings.Repeat("x", 200<<10)
	made := func(n int) error {
		_, err := client.Create(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: fmt.Sprint("c", n)}, Data: map[string]string{"a": text}})
		return err
	}
	n := 0
	var err error
	for ; n < 1000 && err == nil; n++ {
		err = made(n)
	}
	if err == nil || !strings.Contains(err.Error(), "etcdserver: mvcc: database space exceeded") {
		t.Fatalf("after %d objects: %v", n, err)
	}
	if used := c.store.Used(); n < 100 || used > 32<<20 {
		t.Errorf("%d objects, %d bytes", n, used)
	}
	for i := range 40 {
		if err := client.Delete(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: fmt.Sprint("c", i)}}, metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.AdvanceTo(c.Now().Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	if err := made(0); err != nil {
		t.Errorf("after a deletion: %v", err)
	}
	// Changes are history as well, and go in time.
	for i := range 500 {
		cm, ok := apiserver.Get[*corev1.ConfigMap](client, "default", "c100")
		if !ok {
			t.Fatal("it is gone")
		}
		cm = cm.DeepCopy()
		cm.Data["a"] = text[:100<<10] + fmt.Sprint(i)
		if _, err := client.Update(cm); err != nil && !strings.Contains(err.Error(), "space exceeded") {
			t.Fatal(err)
		}
		if err := c.AdvanceTo(c.Now().Add(time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	if used := c.store.Used(); used > 32<<20 {
		t.Errorf("%d bytes", used)
	}
}
