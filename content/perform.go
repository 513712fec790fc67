package content

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/watch"

	"timonier/sim"
	"timonier/sim/apiserver"
	"timonier/sim/kubectl"
	"timonier/sim/kubelet"
	"timonier/sim/trace"
)

// Performance is a story being lived in one of its runs, on a cluster of its own. The same story gives the same, to the
// byte, however often it is performed: so a place in a story is no more than a number of beats. It is not safe for
// concurrent use.
type Performance struct {
	Story    *Story
	Run      *Run
	Uptime   *Uptime
	Episodes []Episode // of the beats played

	cluster *sim.Cluster
	pods    []string // that appeared since the run's start, in order
}

// Episode is a beat that has been played.
type Episode struct {
	Beat         *Beat
	Began, Ended time.Time
	Right        int // the option that holds; -1: none, or several, which the prover rules out
	Holds        []int
	Steps        []trace.Step // that the beat made, oldest first
}

// performanceSeed makes the names of the pods. Any would do; it is the same for all, so that a story is.
const performanceSeed = 1837

// stepsKept is how many steps a beat may have.
const stepsKept = 5000

// Perform begins a story in a run: its start is done, no beat is played.
func (s *Story) Perform(run string) (*Performance, error) {
	r, ok := find(s.Runs, func(r *Run) bool { return r.ID == run })
	if !ok {
		return nil, fmt.Errorf("perform story %d: no run %s", s.Number, run)
	}
	cfg := sim.Config{Seed: performanceSeed, Images: s.images, Members: r.Members, Nodes: []kubelet.NodeSpec{}}
	for i := range r.Nodes {
		cfg.Nodes = append(cfg.Nodes, kubelet.NodeSpec{Name: "node-" + strconv.Itoa(i+1), Index: i + 1})
	}
	c, err := sim.New(cfg)
	if err != nil {
		return nil, fmt.Errorf("perform story %d: %w", s.Number, err)
	}
	c.Trace().Limit = stepsKept
	p := &Performance{Story: s, Run: r, cluster: c, Uptime: watchUptime(c, s.Service)}
	if err := p.do(r.Start); err != nil {
		return nil, fmt.Errorf("start run %s of story %d: %w", run, s.Number, err)
	}
	c.Server().Observe(p.observe)
	return p, nil
}

// observe remembers the pods in the order in which they appear.
func (p *Performance) observe(e apiserver.Event) {
	if pod, ok := e.New.(*corev1.Pod); ok && e.Type == watch.Added {
		p.pods = append(p.pods, pod.Name)
	}
}

// Cluster is the story's, as it is after the beats played. It is to be looked at only.
func (p *Performance) Cluster() *sim.Cluster { return p.cluster }

// forget lets go of the cluster and its steps, which are most of a performance. What was measured stays.
func (p *Performance) forget() {
	p.cluster = nil
	for i := range p.Episodes {
		p.Episodes[i].Steps = nil
	}
}

// Played is how many beats have been played.
func (p *Performance) Played() int { return len(p.Episodes) }

// beatError is why a beat does not play, with its line in the file.
type beatError struct {
	error
	line int
}

func (e beatError) Unwrap() error { return e.error }

// Next plays the next beat: its blow, then the question is decided, then what follows.
func (p *Performance) Next() (Episode, error) {
	b := p.Story.Beats[p.Played()]
	e := Episode{Beat: b, Began: p.cluster.Now(), Right: -1}
	from := p.cluster.Trace().Last()
	if err := p.do(b.ActsOf(p.Run.ID)); err != nil {
		return e, fmt.Errorf("story %d, beat %d, run %s: %w", p.Story.Number, p.Played()+1, p.Run.ID, beatError{err, b.line})
	}
	var err error
	if e.Holds, err = p.decide(b, e.Began, from); err != nil {
		return e, fmt.Errorf("story %d, beat %d, run %s: %w", p.Story.Number, p.Played()+1, p.Run.ID, beatError{err, b.line})
	}
	if len(e.Holds) == 1 {
		e.Right = e.Holds[0]
	}
	if err := p.do(b.ThenOf(p.Run.ID)); err != nil {
		return e, fmt.Errorf("story %d, beat %d, run %s: %w", p.Story.Number, p.Played()+1, p.Run.ID, beatError{err, b.line})
	}
	e.Ended = p.cluster.Now()
	for _, s := range p.cluster.Trace().Steps() {
		if s.ID > from {
			e.Steps = append(e.Steps, s)
		}
	}
	p.Episodes = append(p.Episodes, e)
	return e, nil
}

// decide finds the options that hold now, of a beat that began at a moment.
func (p *Performance) decide(b *Beat, began time.Time, from uint64) (holds []int, err error) {
	now := p.cluster.Now()
	for i, o := range b.Options {
		if !measured(o.closed, p.Uptime.Closed(began, now).Seconds()) || !measured(o.outages, float64(p.Uptime.Outages(began, now))) {
			continue
		}
		unmet, err := (&Step{Checks: o.checks}).Unmet(World{Cluster: p.cluster, Since: from})
		if err != nil {
			return nil, fmt.Errorf("option %d: %w", i+1, err)
		}
		if len(unmet) == 0 {
			holds = append(holds, i)
		}
	}
	return holds, nil
}

// measured says whether a figure is as a pattern wants it; "": any will do.
func measured(pattern string, figure float64) bool {
	return pattern == "" || fits(pattern, []string{strconv.FormatFloat(figure, 'f', -1, 64)})
}

// do does acts one after the other.
func (p *Performance) do(acts []Act) error {
	for _, a := range acts {
		if err := p.act(a); err != nil {
			return err
		}
	}
	return nil
}

func (p *Performance) act(a Act) error {
	c := p.cluster
	switch {
	case a.Kubectl != "":
		r := kubectl.Run(context.Background(), c, strings.Fields(p.named(a.Kubectl)), a.Input)
		if r.Refused != nil {
			return fmt.Errorf("kubectl %s: %w", a.Kubectl, r.Refused)
		}
		if r.Code != 0 || r.GaveUp {
			return fmt.Errorf("kubectl %s: exit code %d: %s", a.Kubectl, r.Code, strings.TrimSpace(r.Stdout+r.Stderr))
		}
	case a.Break != "":
		kind, target, _ := strings.Cut(a.Break, " ")
		return c.Break(kind, target)
	case a.Mend != "":
		kind, target, _ := strings.Cut(a.Mend, " ")
		return c.Mend(kind, target)
	case a.Join != "":
		index, err := strconv.Atoi(strings.TrimPrefix(a.Join, "node-"))
		if err != nil {
			return fmt.Errorf("join %s: a node is named node-N", a.Join)
		}
		if _, err := c.Client().Create(kubelet.NodeObject(kubelet.NodeSpec{Name: a.Join, Index: index}, c.Now())); err != nil {
			return fmt.Errorf("join %s: %w", a.Join, err)
		}
	default:
		return c.AdvanceTo(c.Now().Add(a.Advance))
	}
	return nil
}

// named puts the names of pods in the place of {pod N} and {pod last}.
func (p *Performance) named(line string) string {
	if n := len(p.pods); n > 0 {
		line = strings.ReplaceAll(line, "{pod last}", p.pods[n-1])
	}
	for i, pod := range p.pods {
		line = strings.ReplaceAll(line, "{pod "+strconv.Itoa(i+1)+"}", pod)
	}
	return line
}

// Outcome is a story compared: each run lived to its end.
type Outcome struct {
	Runs  []*Performance // in the story's order
	Right int            // the option of the counter-run's question that holds; -1: none, or several
	Holds []int
}

// Compare lives the story in all its runs.
func (s *Story) Compare() (Outcome, error) {
	o := Outcome{Right: -1}
	for _, r := range s.Runs {
		p, err := s.Perform(r.ID)
		if err != nil {
			return o, err
		}
		for p.Played() < len(s.Beats) {
			if _, err := p.Next(); err != nil {
				return o, err
			}
		}
		o.Runs = append(o.Runs, p)
		if s.Counter != nil && s.Counter.Run == r.ID {
			opened, _ := p.Uptime.Opened()
			if o.Holds, err = p.decide(s.Counter.Beat, opened, 0); err != nil {
				return o, fmt.Errorf("story %d, counter-run: %w", s.Number, err)
			}
			if len(o.Holds) == 1 {
				o.Right = o.Holds[0]
			}
		}
	}
	return o, nil
}
