package content

import (
	"sync"
	"time"

	"timonier/sim/kubelet"
)

// Story is a tale that a cluster lives: beat by beat, each with a blow, a question put before it, and an answer that
// is found out on the simulator after it. It happens on a cluster of its own: see Performance.
type Story struct {
	Number int
	ID     string // jean
	Lesson string // the ID of the lesson that it belongs to
	Title  Text
	Intro  Text // Markdown
	// Service is the name of the Service whose availability is measured, in the namespace default.
	Service string
	Runs    []*Run // the first is told; the others live the same beats, to be compared with
	Beats   []*Beat
	// Counter is the beat that ends a story of several runs: what it asks is decided by the whole of its run. Nil: none.
	Counter *Counter
	Done    Text // the last words; a template

	words   *storyWords
	images  kubelet.Images
	outcome func() (Outcome, error)
	file    string
}

// Run is a cluster on which the beats happen.
type Run struct {
	ID      string
	Title   Text
	Nodes   int // node-1, node-2 …
	Members int // of etcd; 0: three
	Start   []Act
}

// Beat is a moment of the story.
type Beat struct {
	Title    Text
	Told     Text // before the blow; Markdown
	Question Text
	Options  []Option
	After    Text // what is said once it is over; a template, with what was measured

	acts, then []Act // the blow; what follows once the question is decided
	actsOf     map[string][]Act
	thenOf     map[string][]Act
	line       int
}

// Counter is the last beat of a story that is lived more than once.
type Counter struct {
	Run string
	*Beat
}

// Option is a possible answer. Exactly one holds after the blow, in every run.
type Option struct {
	Text Text
	Why  Text // what there is to say to whoever chose it

	checks  []Condition
	closed  string // a pattern on the seconds without a ready endpoint during the beat; "": any
	outages string // a pattern on the number of interruptions that began during the beat; "": any
	line    int
}

// Act is one thing done to the cluster: exactly one of its fields is set, but for Input.
type Act struct {
	Kubectl string        `yaml:"kubectl"` // what follows kubectl; {pod N} is the N-th pod that appeared in the story, {pod last} the latest
	Input   string        `yaml:"input"`   // kubectl's standard input
	Break   string        `yaml:"break"`   // node-silent node-1
	Mend    string        `yaml:"mend"`
	Join    string        `yaml:"join"` // a node, whose kubelet registers it
	Advance time.Duration `yaml:"advance"`
}

// ActsOf is the blow in a run.
func (b *Beat) ActsOf(run string) []Act { return of(b.acts, b.actsOf, run) }

// ThenOf is what follows in a run, once the question is decided.
func (b *Beat) ThenOf(run string) []Act { return of(b.then, b.thenOf, run) }

func of(all []Act, some map[string][]Act, run string) []Act {
	if acts, ok := some[run]; ok {
		return acts
	}
	return all
}

// Pages are the beats with the counter-run, where there is one.
func (s *Story) Pages() []*Beat {
	if s.Counter == nil {
		return s.Beats
	}
	return append(append([]*Beat{}, s.Beats...), s.Counter.Beat)
}

// Outcome is the story lived in all its runs. It is lived once, and what was measured is remembered, for all who ask.
func (s *Story) Outcome() (Outcome, error) { return s.outcome() }

// Right is the option of each page that holds.
func (s *Story) Right() ([]int, error) {
	o, err := s.Outcome()
	if err != nil {
		return nil, err
	}
	var right []int
	for _, e := range o.Runs[0].Episodes {
		right = append(right, e.Right)
	}
	if s.Counter != nil {
		right = append(right, o.Right)
	}
	return right, nil
}

func (s *Story) remember() {
	s.outcome = sync.OnceValues(func() (Outcome, error) {
		o, err := s.Compare()
		for _, p := range o.Runs {
			p.forget()
		}
		return o, err
	})
}

// Story finds a story by its number.
func (c *Course) Story(number int) (*Story, bool) {
	return find(c.Stories, func(s *Story) bool { return s.Number == number })
}
