package content

import (
	"time"

	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"timonier/sim"
	"timonier/sim/apiserver"
)

// Uptime is when a Service had at least one ready endpoint, exactly: it is told of every change as it is written. What
// comes before the first opening does not count.
type Uptime struct {
	service string
	changes []change // alternately up and down, beginning with the first opening
}

type change struct {
	at time.Time
	up bool
}

// Interval is a span of time in which the Service was up, or was not.
type Interval struct {
	From, To time.Time
	Up       bool
}

// watchUptime follows a Service of the namespace default from now on.
func watchUptime(c *sim.Cluster, service string) *Uptime {
	u := &Uptime{service: service}
	c.Server().Observe(func(e apiserver.Event) {
		if u.mine(e.New) || u.mine(e.Old) {
			u.mark(c.Now(), u.ready(c) > 0)
		}
	})
	return u
}

func (u *Uptime) mine(o apiserver.Object) bool {
	s, ok := o.(*discoveryv1.EndpointSlice)
	return ok && s != nil && s.Namespace == metav1.NamespaceDefault && s.Labels[discoveryv1.LabelServiceName] == u.service
}

// ready is how many endpoints get requests.
func (u *Uptime) ready(c *sim.Cluster) int {
	n := 0
	for s := range apiserver.List[*discoveryv1.EndpointSlice](c.Client(), metav1.NamespaceDefault) {
		if !u.mine(s) {
			continue
		}
		for _, e := range s.Endpoints {
			if e.Conditions.Ready == nil || *e.Conditions.Ready {
				n++
			}
		}
	}
	return n
}

func (u *Uptime) mark(at time.Time, up bool) {
	n := len(u.changes)
	switch {
	case n == 0 && !up, n > 0 && u.changes[n-1].up == up:
	case n > 0 && u.changes[n-1].at.Equal(at): // it came and went within a moment
		u.changes = u.changes[:n-1]
	default:
		u.changes = append(u.changes, change{at, up})
	}
}

// Opened is when the Service first had an endpoint; false: never.
func (u *Uptime) Opened() (time.Time, bool) {
	if len(u.changes) == 0 {
		return time.Time{}, false
	}
	return u.changes[0].at, true
}

// Intervals are a span's, from the first opening on.
func (u *Uptime) Intervals(from, to time.Time) []Interval {
	var all []Interval
	for i, c := range u.changes {
		end := to
		if i+1 < len(u.changes) && u.changes[i+1].at.Before(to) {
			end = u.changes[i+1].at
		}
		begin := c.at
		if begin.Before(from) {
			begin = from
		}
		if begin.Before(end) {
			all = append(all, Interval{begin, end, c.up})
		}
	}
	return all
}

// Closed is how long the Service had no endpoint in a span.
func (u *Uptime) Closed(from, to time.Time) (sum time.Duration) {
	for _, i := range u.Intervals(from, to) {
		if !i.Up {
			sum += i.To.Sub(i.From)
		}
	}
	return sum
}

// Longest is the longest time in a span without an endpoint.
func (u *Uptime) Longest(from, to time.Time) (longest time.Duration) {
	for _, i := range u.Intervals(from, to) {
		if !i.Up {
			longest = max(longest, i.To.Sub(i.From))
		}
	}
	return longest
}

// Outages is how often the Service lost its last endpoint in a span.
func (u *Uptime) Outages(from, to time.Time) (n int) {
	for _, c := range u.changes {
		if !c.up && c.at.After(from) && !c.at.After(to) {
			n++
		}
	}
	return n
}

// Share is the part of a span, from the first opening on, in which the Service had an endpoint: 0 to 1.
func (u *Uptime) Share(from, to time.Time) float64 {
	opened, ok := u.Opened()
	if !ok {
		return 0
	}
	if from.Before(opened) {
		from = opened
	}
	if !from.Before(to) {
		return 1
	}
	return 1 - float64(u.Closed(from, to))/float64(to.Sub(from))
}
