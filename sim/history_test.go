package sim

import (
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// A cluster that is kept busy within the five minutes between two compactions keeps a bounded history.
func TestHistoryIsBounded(t *testing.T) {
	c, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2 * mostHistory {
		m := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "m", Namespace: "default"}, Data: map[string]string{"i": fmt.Sprint(i)}}
		if i == 0 {
			_, err = c.Client().Create(m)
		} else {
			_, err = c.Client().Update(m)
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := c.AdvanceTo(c.Now().Add(time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		if n := c.store.Rev() - c.store.CompactRev(); n > mostHistory+1 {
			t.Fatalf("%d revisions are kept", n)
		}
	}
	if c.store.CompactRev() == 0 {
		t.Error("nothing was compacted")
	}
}
