package kubelet

import (
	"hash/fnv"
	"strconv"
	"time"

	v1 "k8s.io/api/core/v1"

	"timonier/sim/apiserver"
)

const (
	// calm is how long a container without a load of its own uses the same.
	calm = 5 * time.Minute
	// assumedRequest is what a container without a request is taken to ask for, in thousandths of a CPU: as the
	// scheduler scores it.
	assumedRequest = 100
)

// Usage is what the containers of a pod use, as seen at a moment: nil where the kubelet is silent or nothing has run
// for as long as one looks. load is what the world asks of the pod, in thousandths of a CPU; a negative one: nothing
// in particular. Containers share a load as they share the requests, and get no more than their limits.
//
// Without a load a container uses between 2 and 8 % of its request, which depends on the pod's UID and the time alone;
// and the memory that its image says, with what it has leaked, and up to 6 % more.
func (k *Kubelet) Usage(pod *v1.Pod, load int64, at time.Time) (all []apiserver.Usage) {
	if k.state.Silent {
		return nil
	}
	var asked int64
	for i := range pod.Spec.Containers {
		asked += requestOf(&pod.Spec.Containers[i])
	}
	for i := range pod.Spec.Containers {
		c := &pod.Spec.Containers[i]
		st := statusOf(pod.Status.ContainerStatuses, c.Name)
		if st.State.Running == nil || st.State.Running.StartedAt.Time.Add(apiserver.MetricsWindow).After(at) {
			continue
		}
		u := apiserver.Usage{Container: c.Name, CPU: load * requestOf(c) / max(1, asked)}
		chance := drawn(string(pod.UID), c.Name, strconv.FormatInt(at.Unix()/int64(calm/time.Second), 10))
		if load < 0 {
			u.CPU = max(1, requestOf(c)*int64(200+chance%601)/10_000)
		}
		if limit := c.Resources.Limits.Cpu(); !limit.IsZero() {
			u.CPU = min(u.CPU, limit.MilliValue())
		}
		u.Memory = k.memoryOf(c, at.Sub(st.State.Running.StartedAt.Time), chance)
		all = append(all, u)
	}
	return all
}

func requestOf(c *v1.Container) int64 {
	if r := c.Resources.Requests.Cpu(); !r.IsZero() {
		return r.MilliValue()
	}
	return assumedRequest
}

func (k *Kubelet) memoryOf(c *v1.Container, ran time.Duration, chance uint32) int64 {
	f, err := k.find(c.Image)
	if err != nil {
		m := Unlisted()
		f.Image = &m
	}
	base := float64(f.Memory.Value()) * (1 + float64(chance%61)/1000)
	used := int64(base + f.Grow.AsApproximateFloat64()*ran.Seconds())
	if limit := c.Resources.Limits.Memory(); !limit.IsZero() {
		used = min(used, limit.Value())
	}
	return used
}

// NodeUsage is what a node uses beside its pods: the system, the runtime and the kubelet itself. False: the kubelet is silent.
func (k *Kubelet) NodeUsage(at time.Time) (apiserver.Usage, bool) {
	chance := drawn(k.env.Node, "", strconv.FormatInt(at.Unix()/int64(calm/time.Second), 10))
	return apiserver.Usage{CPU: int64(60 + chance%41), Memory: int64(420+chance%61) << 20}, !k.state.Silent
}

// drawn is a number that looks random, and is the same whenever it is asked for.
func drawn(parts ...string) uint32 {
	h := fnv.New32a()
	for _, p := range parts {
		h.Write([]byte(p))
		h.Write([]byte{0})
	}
	return h.Sum32()
}
