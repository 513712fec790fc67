package sim

import (
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"timonier/sim/apiserver"
	"timonier/sim/kubelet"
)

func claim(name, class string) *corev1.PersistentVolumeClaim {
	c := &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name}, Spec: corev1.PersistentVolumeClaimSpec{
		AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
		Resources:   corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")}},
	}}
	if class != "" {
		c.Spec.StorageClassName = &class
	}
	return c
}

func withClaim(pod *corev1.Pod, name string) *corev1.Pod {
	pod.Spec.Volumes = append(pod.Spec.Volumes, corev1.Volume{Name: "data", VolumeSource: corev1.VolumeSource{
		PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: name}}})
	return pod
}

func barePod(name string) *corev1.Pod {
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "nginx:1.29"}}}}
}

// said is the reasons and messages of the events about an object, in the order in which they were first said.
func said(c *Cluster, name string) (all []string) {
	for e := range apiserver.List[*corev1.Event](c.Client(), "default") {
		if e.InvolvedObject.Name == name {
			all = append(all, e.Reason+": "+e.Message)
		}
	}
	return all
}

func phaseOf(c *Cluster, name string) corev1.PersistentVolumeClaimPhase {
	got, _ := apiserver.Get[*corev1.PersistentVolumeClaim](c.Client(), "default", name)
	if got == nil {
		return ""
	}
	return got.Status.Phase
}

func podPhase(c *Cluster, name string) corev1.PodPhase {
	pod, _ := apiserver.Get[*corev1.Pod](c.Client(), "default", name)
	if pod == nil {
		return ""
	}
	return pod.Status.Phase
}

// A claim of the default class waits for its pod; the volume is made where the pod goes, and goes with the claim.
func TestClaimOfTheDefaultClass(t *testing.T) {
	c := newCluster(t, Config{Images: images(t), Nodes: []kubelet.NodeSpec{
		{Name: "node-1", Index: 1, Labels: map[string]string{corev1.LabelTopologyZone: "a"}}}})
	create(t, c, claim("data", ""))
	advance(t, c, time.Minute)
	if got := phaseOf(c, "data"); got != corev1.ClaimPending {
		t.Fatalf("before there is a pod the claim is %s", got)
	}
	create(t, c, withClaim(barePod("web"), "data"))
	if !c.Until(time.Minute, func() bool { return podPhase(c, "web") == corev1.PodRunning }) {
		t.Fatalf("the pod does not run: %v, %v", said(c, "web"), said(c, "data"))
	}
	got, _ := apiserver.Get[*corev1.PersistentVolumeClaim](c.Client(), "default", "data")
	volume := "pvc-" + string(got.UID)
	v, ok := apiserver.Get[*corev1.PersistentVolume](c.Client(), "", volume)
	if !ok || got.Status.Phase != corev1.ClaimBound || got.Spec.VolumeName != volume || v.Status.Phase != corev1.VolumeBound || v.Spec.ClaimRef.UID != got.UID ||
		v.Spec.NodeAffinity.Required.NodeSelectorTerms[0].MatchExpressions[0].Values[0] != "a" {
		t.Fatalf("claim %+v, volume %+v", got, v)
	}
	want := []string{
		"WaitForFirstConsumer: waiting for first consumer to be created before binding",
		"ExternalProvisioning: Waiting for a volume to be created either by the external provisioner 'disk.csi.timonier' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.",
		`Provisioning: External provisioner is provisioning volume for claim "default/data"`,
		"ProvisioningSucceeded: Successfully provisioned volume " + volume,
	}
	if events := said(c, "data"); fmt.Sprint(events) != fmt.Sprint(want) {
		t.Errorf("events\n%s\nwant\n%s", strings.Join(events, "\n"), strings.Join(want, "\n"))
	}

	remove := func(o apiserver.Object) {
		t.Helper()
		if err := c.Client().Delete(o, metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	remove(got)
	advance(t, c, time.Minute)
	if _, ok := apiserver.Get[*corev1.PersistentVolumeClaim](c.Client(), "default", "data"); !ok {
		t.Fatal("a claim went that a pod uses")
	}
	remove(barePod("web"))
	advance(t, c, 2*time.Minute)
	if n := apiserver.Count[*corev1.PersistentVolumeClaim](c.Client()); n != 0 {
		t.Errorf("%d claims are left", n)
	}
	if n := apiserver.Count[*corev1.PersistentVolume](c.Client()); n != 0 {
		t.Errorf("%d volumes are left", n)
	}
}

func TestPodsWaitForTheirClaims(t *testing.T) {
	for _, given := range []struct {
		name  string
		make  []apiserver.Object
		runs  bool
		event string
	}{
		{"no such claim", nil, false, `0/3 nodes are available: persistentvolumeclaim "data" not found.`},
		{"a class that binds at once", []apiserver.Object{
			&storagev1.StorageClass{ObjectMeta: metav1.ObjectMeta{Name: "now"}, Provisioner: apiserver.Provisioner}, claim("data", "now")}, true, ""},
		{"a class that nobody serves", []apiserver.Object{
			&storagev1.StorageClass{ObjectMeta: metav1.ObjectMeta{Name: "far"}, Provisioner: "example.com/far"}, claim("data", "far")}, false,
			"0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims."},
		{"no such class", []apiserver.Object{claim("data", "none")}, false, "0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims."},
		{"a volume made by hand", []apiserver.Object{claim("data", "hand"), &corev1.PersistentVolume{ObjectMeta: metav1.ObjectMeta{Name: "v"}, Spec: corev1.PersistentVolumeSpec{
			AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce}, StorageClassName: "hand",
			Capacity:               corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("5Gi")},
			PersistentVolumeSource: corev1.PersistentVolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/data"}}}}}, true, ""},
	} {
		t.Run(given.name, func(t *testing.T) {
			c := newCluster(t, Config{Images: images(t)})
			for _, o := range given.make {
				create(t, c, o)
			}
			create(t, c, withClaim(barePod("web"), "data"))
			runs := c.Until(time.Minute, func() bool { return podPhase(c, "web") == corev1.PodRunning })
			if runs != given.runs {
				t.Fatalf("runs: %v; %v", runs, said(c, "web"))
			}
			if given.event != "" && !strings.Contains(strings.Join(said(c, "web"), "\n"), given.event) {
				t.Errorf("events %q lack %q", said(c, "web"), given.event)
			}
		})
	}
}

// Pods come and go one by one: a quota's usage is never more than it allows, and in the end it is what there is.
func TestQuotaNeverExceededAndTrueInTheEnd(t *testing.T) {
	for seed := range uint64(4) {
		c := newCluster(t, Config{Images: images(t), Seed: seed})
		create(t, c, &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "q"},
			Spec: corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{corev1.ResourcePods: resource.MustParse("3"), "count/configmaps": resource.MustParse("3")}}})
		advance(t, c, time.Second)
		quota := func() *corev1.ResourceQuota {
			q, _ := apiserver.Get[*corev1.ResourceQuota](c.Client(), "default", "q")
			return q
		}
		draw := newDraw(seed)
		for range 60 {
			name := fmt.Sprintf("p%d", draw(6))
			switch draw(5) {
			case 0, 1:
				_, _ = c.Client().Create(barePod(name))
			case 2:
				_, _ = c.Client().Create(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name}})
			case 3:
				_ = c.Client().Delete(barePod(name), metav1.DeleteOptions{})
			case 4:
				_ = c.Client().Delete(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name}}, metav1.DeleteOptions{})
			}
			advance(t, c, time.Duration(draw(3000))*time.Millisecond)
			for name, hard := range quota().Status.Hard {
				if used := quota().Status.Used[name]; used.Cmp(hard) > 0 {
					t.Fatalf("seed %d: %s of %s %s are used", seed, used.String(), hard.String(), name)
				}
			}
			if pods := apiserver.Count[*corev1.Pod](c.Client()); pods > 3 {
				t.Fatalf("seed %d: %d pods", seed, pods)
			}
		}
		advance(t, c, 10*time.Minute)
		if q := quota(); !equality.Semantic.DeepEqual(q.Status.Used, apiserver.QuotaUsage(c.Client(), q)) {
			t.Errorf("seed %d: the status says %v, there is %v", seed, q.Status.Used, apiserver.QuotaUsage(c.Client(), q))
		}
	}
}

// newDraw is a small generator of the test's own.
func newDraw(seed uint64) func(n int) int {
	x := seed*2862933555777941757 + 3037000493
	return func(n int) int {
		x = x*6364136223846793005 + 1442695040888963407
		return int(x>>33) % n
	}
}

// Pods go to the nodes that their claims were told of, as they say while their volumes are made.
func TestVolumesAreMadeWhereThePodsGo(t *testing.T) {
	c := newCluster(t, Config{Images: images(t), Nodes: nodes(5)})
	const pods = 10
	name := func(i int) string { return fmt.Sprintf("db-%d", i) }
	for i := range pods {
		create(t, c, claim(name(i), ""))
		create(t, c, withClaim(barePod(name(i)), name(i)))
	}
	nominated := map[string]string{}
	running := func() bool {
		n := 0
		for pod := range apiserver.List[*corev1.Pod](c.Client(), "default") {
			if pod.Status.NominatedNodeName != "" {
				nominated[pod.Name] = pod.Status.NominatedNodeName
			}
			if pod.Status.Phase == corev1.PodRunning {
				n++
			}
		}
		return n == pods
	}
	if !c.Until(5*time.Minute, running) {
		t.Fatal("not all the pods run")
	}
	for i := range pods {
		pod, _ := apiserver.Get[*corev1.Pod](c.Client(), "default", name(i))
		bound, _ := apiserver.Get[*corev1.PersistentVolumeClaim](c.Client(), "default", name(i))
		told := bound.Annotations["volume.kubernetes.io/selected-node"]
		if pod.Spec.NodeName != told || nominated[pod.Name] != told || pod.Status.NominatedNodeName != "" {
			t.Errorf("%s is on %s, its claim was told %q, it said %q before and %q now", pod.Name, pod.Spec.NodeName, told, nominated[pod.Name], pod.Status.NominatedNodeName)
		}
	}
}
