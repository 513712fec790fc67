package kubelet

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"timonier/sim/apiserver"
)

// logKept is how many lines of a container are kept: a real node rotates the file at 10 MiB.
const logKept = 2000

// stampLayout is how --timestamps writes a moment (pkg/kubelet/types, RFC3339NanoFixed).
const stampLayout = "2006-01-02T15:04:05.000000000Z07:00"

// Logs is the output of a container of one of the node's pods, from its start to now
// or to its end; its errors are the kubelet's. A kubelet that is silent answers nobody.
func (k *Kubelet) Logs(pod *v1.Pod, o apiserver.LogOptions) (string, error) {
	if k.Silent() {
		address := k.env.Node
		if pod.Status.HostIP != "" {
			address = pod.Status.HostIP
		}
		why := "connect: connection refused" // its machine is there, and says that nobody listens
		if k.state.Silent || k.state.Off {
			why = "i/o timeout"
		}
		//lint:ignore ST1005 the real server's words
		return "", apierrors.NewInternalError(fmt.Errorf("Get \"https://%s:10250/containerLogs/%s/%s/%s\": dial tcp %s:10250: %s",
			address, pod.Namespace, pod.Name, o.Container, address, why))
	}
	spec := containerNamed(pod, o.Container)
	if spec == nil {
		return "", apierrors.NewBadRequest(fmt.Sprintf("container %s is not valid for pod %s", o.Container, pod.Name))
	}
	from, to, err := k.stretch(pod, o)
	if err != nil {
		return "", err
	}
	init := slices.ContainsFunc(pod.Spec.InitContainers, func(c v1.Container) bool { return c.Name == spec.Name })
	return write(k.lines(pod, k.runOf(pod, spec, init, to.Sub(from)), from, to), o, k.env.Queue.Now()), nil
}

func containerNamed(pod *v1.Pod, name string) *v1.Container {
	for _, list := range [][]v1.Container{pod.Spec.Containers, pod.Spec.InitContainers} {
		for i := range list {
			if list[i].Name == name {
				return &list[i]
			}
		}
	}
	return nil
}

// stretch is the run that is asked for, from its start to its end or to now
// (pkg/kubelet/kubelet_pods.go, validateContainerLogStatus).
func (k *Kubelet) stretch(pod *v1.Pod, o apiserver.LogOptions) (from, to time.Time, err error) {
	refuse := func(format string, args ...any) error { return apierrors.NewBadRequest(fmt.Sprintf(format, args...)) }
	all := slices.Concat(pod.Status.ContainerStatuses, pod.Status.InitContainerStatuses)
	i := slices.IndexFunc(all, func(s v1.ContainerStatus) bool { return s.Name == o.Container })
	if i < 0 {
		return from, to, refuse("container %q in pod %q is not available", o.Container, pod.Name)
	}
	ended := func(t *v1.ContainerStateTerminated) (time.Time, time.Time, error) {
		return t.StartedAt.Time, t.FinishedAt.Time, nil
	}
	state, last := all[i].State, all[i].LastTerminationState.Terminated
	switch {
	case o.Previous && last == nil:
		return from, to, refuse("previous terminated container %q in pod %q not found", o.Container, pod.Name)
	case o.Previous:
		return ended(last)
	case state.Running != nil:
		return state.Running.StartedAt.Time, k.env.Queue.Now(), nil
	case state.Terminated != nil:
		return ended(state.Terminated)
	case last != nil:
		return ended(last)
	}
	reason := "ContainerCreating"
	if state.Waiting != nil {
		reason = state.Waiting.Reason
	}
	switch reason {
	case "ErrImagePull":
		reason = "image can't be pulled"
	case "ImagePullBackOff":
		reason = "trying and failing to pull image"
	}
	return from, to, refuse("container %q in pod %q is waiting to start: %s", o.Container, pod.Name, reason)
}

// logLine is a line that was written.
type logLine struct {
	at   time.Time
	text string
}

// lines are what a run has written, oldest first: the latest of them where there are many.
func (k *Kubelet) lines(pod *v1.Pod, plan *run, from, to time.Time) []logLine {
	var all []logLine
	replace := strings.NewReplacer("{pod}", pod.Name, "{namespace}", pod.Namespace, "{node}", k.env.Node, "{ip}", pod.Status.PodIP)
	// A status has whole seconds: what is written within the last one is counted in.
	length := to.Sub(from) + time.Second
	if plan.ends {
		length = min(length, plan.after+time.Second)
	}
	for _, l := range plan.lines {
		first, n := time.Duration(0), 1
		if l.At.Duration > length {
			continue
		}
		if every := l.Every.Duration; every > 0 {
			n = int((length-l.At.Duration)/every) + 1
			first = time.Duration(max(0, n-logKept)) * every
			n = min(n, logKept)
		}
		for i := range n {
			at := from.Add(l.At.Duration + first + time.Duration(i)*l.Every.Duration)
			if at.After(k.env.Queue.Now()) {
				break
			}
			all = append(all, logLine{at, times(replace.Replace(l.Text), at)})
		}
	}
	slices.SortStableFunc(all, func(a, b logLine) int { return cmp.Compare(a.at.UnixNano(), b.at.UnixNano()) })
	return all[max(0, len(all)-logKept):]
}

// times puts a moment in place of each {time LAYOUT}.
func times(text string, at time.Time) string {
	for {
		before, rest, ok := strings.Cut(text, "{time ")
		if !ok {
			return text
		}
		layout, after, ok := strings.Cut(rest, "}")
		if !ok {
			return text
		}
		text = before + at.UTC().Format(layout) + after
	}
}

// write makes one text of the lines that are asked for.
func write(all []logLine, o apiserver.LogOptions, now time.Time) string {
	if o.Since != nil {
		oldest := now.Add(-*o.Since)
		all = slices.DeleteFunc(all, func(l logLine) bool { return l.at.Before(oldest) })
	}
	if o.Tail != nil && *o.Tail >= 0 && int64(len(all)) > *o.Tail {
		all = all[int64(len(all))-*o.Tail:]
	}
	var b strings.Builder
	for _, l := range all {
		if o.Timestamps {
			b.WriteString(l.at.UTC().Format(stampLayout) + " ")
		}
		b.WriteString(l.text + "\n")
	}
	text := b.String()
	if o.LimitBytes != nil && int64(len(text)) > *o.LimitBytes {
		text = text[:*o.LimitBytes]
	}
	return text
}
