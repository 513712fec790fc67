package bot

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"timonier/content"
	"timonier/sim"
	"timonier/sim/apiserver"
	"timonier/sim/trace"
)

// A live question is made of the channel's own cluster, as it stands: what will become of it if
// this or that is done? It is answered by doing that on a copy, and explained by what the copy's
// trace says. A question is put only where its answer does not hang on chance, where what is
// said of it is what the copy did, and where more than one of its options is plausible.

// liveSort is one sort of live questions. To add one is to add a row.
type liveSort struct {
	name      string
	lesson    string // that teaches it
	objective string
	ask       func(*asking) (*livePosed, error) // nil: the situation gives no such question
}

func liveSorts() []liveSort {
	return []liveSort{
		{"place", "4.2", "scheduling", (*asking).place},
		{"scale", "4.2", "placement", (*asking).scale},
		{"preempt", "4.2", "scheduling", (*asking).preempt},
		{"rollout", "7.3", "rollouts", (*asking).rollout},
		{"evict", "8.2", "self-healing", (*asking).evict},
		{"next", "2.2", "architecture", (*asking).next},
		{"etcd", "5.2", "high-availability", (*asking).members},
		{"loss", "8.1", "troubleshooting", (*asking).loss},
	}
}

// livePosed is a question, and what it says in figures, so that a run of somebody else's can be
// held against it.
type livePosed struct {
	item *content.Item

	sort    string
	object  string        // what it is about: NAMESPACE/NAME, a node
	pod     *corev1.Pod   // that is made
	names   []string      // members that are stopped
	count   int           // replicas that are asked for; the stage of what happens
	after   time.Duration // when it is looked at
	answers []string      // what each option says, in the word that a run gives
}

// liveQuestion makes a question of the channel's cluster as it is now; the same of the same
// cluster and seed. False: the situation gives none; noLiveQuestion says what to do about it.
func (c *call) liveQuestion(seed uint64) (*content.Item, bool, error) {
	cl, err := c.cluster()
	if err != nil {
		return nil, false, err
	}
	a, err := c.asks(cl, seed)
	if err != nil {
		return nil, false, err
	}
	p, err := a.any()
	if err != nil || p == nil {
		return nil, false, err
	}
	return p.item, true, nil
}

// noLiveQuestion says what has to be done before the cluster gives a question.
func (c *call) noLiveQuestion() Reply {
	cl := c.channel.cluster
	if cl == nil || !answers(cl) {
		line := c.typed("repair", repairAll.in(c.words))
		return c.mistake("live.broken", with{"Line": line}).with(Button{Label: line, Line: line, Style: Primary})
	}
	const line = "/kubectl create deployment web --image=nginx --replicas=3"
	return c.mistake("live.none", with{"Line": line}).with(Button{Label: "kubectl create deployment web", Line: line, Style: Primary})
}

// asking makes questions of a cluster, which it does not change.
type asking struct {
	c       *call
	cl      *sim.Cluster
	records map[string][]byte // all of the cluster, without its trace
	seed    uint64
	dice    *rand.Rand
	word    string // what it calls what it makes: a pod
}

func (c *call) asks(cl *sim.Cluster, seed uint64) (*asking, error) {
	records, err := c.wholeCluster(cl)
	if err != nil {
		return nil, err
	}
	a := &asking{c: c, cl: cl, records: sim.Untraced(records)}
	return a.with(seed), nil
}

// with is the same that asks by another seed.
func (a *asking) with(seed uint64) *asking {
	other := *a
	other.seed, other.word = seed, "essai-"+strconv.FormatUint(seed%(36*36*36), 36)
	other.dice = rand.New(rand.NewPCG(seed, binary.BigEndian.Uint64([]byte("live set"))))
	return &other
}

// any is a question of whichever sort the situation gives.
func (a *asking) any() (*livePosed, error) {
	sorts := liveSorts()
	for _, i := range a.dice.Perm(len(sorts)) {
		if p, err := a.of(sorts[i]); p != nil || err != nil {
			return p, err
		}
	}
	return nil, nil
}

// of is a question of a sort; nil: the situation gives none.
func (a *asking) of(s liveSort) (*livePosed, error) {
	if err := a.c.ctx.Err(); err != nil {
		return nil, err
	}
	if !answers(a.cl) || a.c.late() {
		return nil, nil
	}
	p, err := s.ask(a)
	if errors.Is(err, sim.ErrTooMuch) {
		return nil, nil
	}
	if err != nil || p == nil {
		return nil, err
	}
	p.sort = s.name
	i := p.item
	i.ID = fmt.Sprintf("live.%s.%s", s.name, strconv.FormatUint(a.seed, 36))
	i.Difficulty = 3
	if _, ok := a.c.content.Lesson(s.lesson); ok {
		i.Lesson = s.lesson
	}
	if _, ok := a.c.content.Objective(s.objective); ok {
		i.Objective = s.objective
	}
	return p, nil
}

// answers says that something can be asked of a cluster: its API takes what is written.
func answers(cl *sim.Cluster) bool {
	e := cl.Etcd()
	return !cl.Server().Down() && e.Quorum && !e.Full && e.Leader != ""
}

// fork is a copy of the cluster, to be tried out. A large one takes its time: there is none where that is over.
func (a *asking) fork() (*sim.Cluster, error) {
	if err := a.c.ctx.Err(); err != nil {
		return nil, err
	}
	if a.c.late() {
		return nil, sim.ErrTooMuch
	}
	return a.c.openCluster(a.records)
}

// run lets a copy's time go on, which nobody is shown.
func (a *asking) run(cl *sim.Cluster, by time.Duration) error {
	quiet := *a.c
	quiet.emit = nil
	return quiet.advance(cl, by)
}

// in is what is said in each language.
func (a *asking) in(say func(*call) string) content.Text {
	said := func(lang string) string {
		c := *a.c
		c.words = c.tutor.words[lang]
		return say(&c)
	}
	return content.Text{FR: said("fr"), EN: said("en")}
}

// say is a sentence of locales in each language.
func (a *asking) say(id string, data ...with) content.Text {
	return a.in(func(c *call) string { return c.say(id, data...) })
}

// Bounds of an item's texts, in characters.
const (
	mostWhy       = 400
	mostWhyOption = 300
)

// why is what is said, and after it, where there is room, how the channel's lens tells the step
// that decided.
func (a *asking) why(say func(*call) string, step *trace.Step) content.Text {
	return a.in(func(c *call) string {
		text := say(c)
		if lens := c.lens(); step != nil && lens.ID != content.Technique {
			if told := lens.Tell(c.course(), *step); length(text)+length(told)+2 <= mostWhy {
				text += "\n\n" + told
			}
		}
		return clipped(text, mostWhy)
	})
}

func length(s string) int { return len([]rune(s)) }

// is is a misconception of the course; nothing where the course has none of the ID.
func (a *asking) is(id string) string {
	if _, ok := a.c.content.Misconception(id); ok {
		return id
	}
	return ""
}

// option is one of a question's, and what it says in the word that a run gives.
type liveOption struct {
	answer string
	text   content.Text
	why    content.Text // of a wrong one
	is     string
}

// poseLive is a question with options, of which one is right: that whose answer is the given one.
// Nil where none is, or there are too few to choose from.
func poseLive(ask, why, hint content.Text, right string, options []liveOption) *livePosed {
	p := &livePosed{item: &content.Item{Kind: content.Predict, Ask: ask, Why: why, Hint: hint}}
	found := 0
	for _, o := range options {
		choice := content.Choice{Text: o.text, Why: o.why, Is: o.is}
		if o.answer == right {
			choice = content.Choice{Text: o.text, Right: true}
			found++
		}
		p.item.Options = append(p.item.Options, choice)
		p.answers = append(p.answers, o.answer)
	}
	if found != 1 || len(options) < 3 {
		return nil
	}
	return p
}

// poseLiveNumber is a question whose answer is a number. What it is mistaken for is given by number.
func poseLiveNumber(ask, why, hint, unit content.Text, right int, traps map[int]liveOption) *livePosed {
	item := &content.Item{Kind: content.Number, Ask: ask, Why: why, Hint: hint, Unit: unit, Number: float64(right)}
	for _, n := range sortedKeys(traps) {
		if wrong := float64(n); n != right {
			item.Traps = append(item.Traps, content.Trap{Number: &wrong, Why: traps[n].why, Is: traps[n].is})
		}
	}
	if len(item.Traps) == 0 {
		return nil
	}
	return &livePosed{item: item, answers: []string{strconv.Itoa(right)}}
}

func sortedKeys(m map[int]liveOption) []int {
	var keys []int
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// deployments are those that have come to rest: each has as many pods as it wants, all of its newest
// template.
func (a *asking) deployments() (all []*appsv1.Deployment) {
	for d := range apiserver.List[*appsv1.Deployment](a.cl.Client(), "") {
		s, want := d.Status, wanted(d)
		if d.DeletionTimestamp == nil && !d.Spec.Paused && want > 0 && s.ObservedGeneration >= d.Generation && s.Replicas == want && s.UpdatedReplicas == want {
			all = append(all, d)
		}
	}
	a.dice.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

func wanted(d *appsv1.Deployment) int32 {
	if d.Spec.Replicas == nil {
		return 1
	}
	return *d.Spec.Replicas
}

// podsOf are the pods of a Deployment that are not being deleted, by name.
func podsOf(cl *sim.Cluster, d *appsv1.Deployment) (pods []*corev1.Pod) {
	for rs := range apiserver.Owned[*appsv1.ReplicaSet](cl.Client(), d.UID) {
		for p := range apiserver.Owned[*corev1.Pod](cl.Client(), rs.UID) {
			if p.DeletionTimestamp == nil {
				pods = append(pods, p)
			}
		}
	}
	slices.SortFunc(pods, func(a, b *corev1.Pod) int { return strings.Compare(a.Namespace+"/"+a.Name, b.Namespace+"/"+b.Name) })
	return pods
}

// since are the steps after one.
func since(cl *sim.Cluster, last uint64) []trace.Step { return cl.Trace().From(last + 1) }
