package kubelet

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// state is what the node knows and no API object says. A pod that will stay as it
// is has no part in it: its status says all.
type state struct {
	Silent   bool                `json:"silent,omitempty"`   // Cut
	Off      bool                `json:"off,omitempty"`      // Off
	Down     bool                `json:"down,omitempty"`     // Down
	Slow     bool                `json:"slow,omitempty"`     // Slow
	DiskFull bool                `json:"diskFull,omitempty"` // DiskFull
	Beat     time.Time           `json:"beat,omitzero"`      // the last heartbeat before a silence; no later one is before it
	Owed     bool                `json:"owed,omitempty"`     // Beat could not be written yet
	Slowed   time.Time           `json:"slowed,omitzero"`    // the heartbeat after which Slow began
	Died     time.Time           `json:"died,omitzero"`      // when the machine lost its power; zero: dealt with
	Seen     map[string]*v1.Pod  `json:"seen,omitempty"`     // Cut: the node's pods when it was last connected
	Pressed  time.Time           `json:"pressed,omitzero"`   // the last look at a disk that was full; zero: no DiskPressure
	Boots    int                 `json:"boots,omitempty"`    // how often it has started again
	Since    time.Time           `json:"since,omitzero"`     // when the last silence ended
	Cordoned bool                `json:"cordoned,omitempty"`
	Images   []string            `json:"images,omitempty"` // on the node's disk, latest last
	Line     time.Time           `json:"line,omitzero"`    // until when pulls are lined up
	IP       int                 `json:"ip,omitempty"`     // last byte of the last address given
	Pods     map[string]*podLife `json:"pods,omitempty"`   // by namespace/name
}

// podLife is a pod on its way.
type podLife struct {
	UID     types.UID             `json:"uid"`
	Sandbox time.Time             `json:"sandbox,omitzero"` // when its sandbox is ready
	IP      string                `json:"ip,omitempty"`     // that the sandbox will have
	Mounts  retry                 `json:"mounts,omitzero"`
	Ends    *ending               `json:"ends,omitempty"`
	Lost    time.Time             `json:"lost,omitzero"`    // when its containers went with the machine
	Unsaid  *v1.PodStatus         `json:"unsaid,omitempty"` // a status that could not be written
	All     map[string]*container `json:"containers,omitempty"`
}

// ending is why the kubelet itself ends a pod.
type ending struct {
	Reason  string `json:"reason"`
	Message string `json:"message"`
	Grace   int64  `json:"grace,omitempty"` // seconds instead of the pod's own; an eviction's
}

// retry counts the tries of something that lacks an object.
type retry struct {
	Count int       `json:"count,omitempty"`
	Next  time.Time `json:"next,omitzero"` // zero: once something changes
}

// stage is where a container is in its life.
type stage string

const (
	fresh      stage = ""            // not yet its turn
	pulling    stage = "pulling"     // until: pulled, or refused
	pullFailed stage = "pull-failed" // until: said to be backing off
	pullWait   stage = "pull-wait"   // until: pulled again
	lacking    stage = "lacking"     // a ConfigMap or Secret; until: tried again
	creating   stage = "creating"    // until: it runs
	running    stage = "running"     // until: it ends by itself
	stopping   stage = "stopping"    // until: it has ended
	exited     stage = "exited"      // and nothing has been decided yet
	crashed    stage = "crashed"     // until: said to be backing off
	waiting    stage = "waiting"     // until: started again
	done       stage = "done"        // it will not run again
)

// container is one on its way. What its status says is not here.
type container struct {
	Stage  stage         `json:"stage,omitempty"`
	Until  time.Time     `json:"until,omitzero"`   // zero: no end in sight
	Start  time.Time     `json:"start,omitzero"`   // of the present run
	Fate   string        `json:"fate,omitempty"`   // what the annotations made of it
	Struck time.Duration `json:"struck,omitempty"` // when it met that fate, from its start

	Code   int32  `json:"code,omitempty"` // with which it is stopping, or refused to start
	Reason string `json:"reason,omitempty"`

	Asked  time.Time     `json:"asked,omitzero"` // when the pull, or the SIGTERM, was
	Takes  time.Duration `json:"takes,omitempty"`
	Pulls  backoff       `json:"pulls,omitzero"`
	Error  string        `json:"error,omitempty"` // of the last pull
	Starts backoff       `json:"starts,omitzero"`
	Lacks  retry         `json:"lacks,omitzero"`

	Startup   *probing `json:"startup,omitempty"`
	Liveness  *probing `json:"liveness,omitempty"`
	Readiness *probing `json:"readiness,omitempty"`
}

// backoff is client-go's util/flowcontrol for one key.
type backoff struct {
	Wait time.Duration `json:"wait,omitempty"`
	At   time.Time     `json:"at,omitzero"` // last made longer
}

const (
	firstBackoff = 10 * time.Second
	mostBackoff  = 300 * time.Second
	// forgetBackoff is after how much peace a backoff starts anew (pkg/kubelet/kubelet.go: 600 s for
	// restarts; flowcontrol: twice the most for pulls; the same).
	forgetBackoff = 600 * time.Second
)

// wait is how long after an event the next try has to wait; 0: not at all.
func (b *backoff) wait(event time.Time) time.Duration {
	if event.Sub(b.At) > forgetBackoff {
		return 0
	}
	return b.Wait
}

// next makes the wait longer, on the occasion of an event.
func (b *backoff) next(event, now time.Time) {
	if b.Wait == 0 || event.Sub(b.At) > forgetBackoff {
		b.Wait = firstBackoff
	} else {
		b.Wait = min(2*b.Wait, mostBackoff)
	}
	b.At = now
}

// lacks says whether the pod waits for an object to appear.
func (l *podLife) lacks() bool {
	if l.Mounts.Count > 0 {
		return true
	}
	for _, c := range l.All {
		if c.Stage == lacking {
			return true
		}
	}
	return false
}

// Save is what is to be kept; equal states give equal JSON.
func (k *Kubelet) Save() any { return k.state }

// Load puts back what was saved.
func (k *Kubelet) Load(data json.RawMessage) error {
	var s state
	if err := json.Unmarshal(data, &s); err != nil {
		return fmt.Errorf("load kubelet %s: %w", k.env.Node, err)
	}
	if s.Pods == nil {
		s.Pods = map[string]*podLife{}
	}
	for _, l := range s.Pods {
		if l.All == nil {
			l.All = map[string]*container{}
		}
	}
	k.state = s
	return nil
}

// adopt makes up the life of a pod from its status: of one that was settled, or
// that is new.
func adopt(pod *v1.Pod, status *v1.PodStatus) *podLife {
	l := &podLife{UID: pod.UID, IP: status.PodIP, All: map[string]*container{}}
	for _, statuses := range [][]v1.ContainerStatus{status.InitContainerStatuses, status.ContainerStatuses} {
		for _, s := range statuses {
			c := &container{}
			switch {
			case s.State.Running != nil:
				c.Stage, c.Start = running, s.State.Running.StartedAt.Time
			case s.State.Terminated != nil:
				c.Stage = exited
			}
			l.All[s.Name] = c
		}
	}
	return l
}

// settled says whether nothing will happen to the pod by itself.
func (s *sync) settled() bool {
	if s.pod.DeletionTimestamp != nil || s.life.Ends != nil || s.life.Unsaid != nil || !s.wake.IsZero() || s.life.lacks() {
		return false
	}
	return !slices.ContainsFunc(s.units, func(u *unit) bool { return u.Stage != running && u.Stage != done })
}
