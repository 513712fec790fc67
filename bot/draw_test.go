package bot

import (
	"bytes"
	"context"
	"fmt"
	"image/png"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"timonier/bot/picture"
	"timonier/content"
	"timonier/sim"
	"timonier/sim/kubelet"
	"timonier/sim/trace"
)

// painted is a drawing that is a picture and a text.
type painted interface {
	Canvas(picture.Theme) *picture.Canvas
	Text() string
}

// looking is a call in the stage's channel, and its cluster, as a command would have them.
func (s *stage) looking() (*call, *sim.Cluster) {
	ln := s.tutor.lanes[s.request("").Place()]
	c, err := s.tutor.newCall(context.Background(), ln, s.request(""), nil)
	if err != nil {
		s.t.Fatal(err)
	}
	cl, err := c.cluster()
	if err != nil {
		s.t.Fatal(err)
	}
	return c, cl
}

// pod makes a pod that asks for as much CPU.
func (s *stage) pod(name, cpu string) {
	s.ask("/kubectl create -f -\napiVersion: v1\nkind: Pod\nmetadata: {name: " + name + "}\nspec:\n  containers:\n  - name: c\n    image: nginx\n    resources: {requests: {cpu: " + cpu + ", memory: 2Gi}}")
}

// a scene is a state of a cluster, and what is drawn of it.
type scene struct {
	name string
	do   []string
	draw func(*stage, *call, *sim.Cluster) painted
}

func scenes() []scene {
	cluster := func(_ *stage, c *call, cl *sim.Cluster) painted { return c.clusterDrawing(cl) }
	quorum := func(_ *stage, c *call, cl *sim.Cluster) painted { return c.quorumDrawing(cl) }
	loss := func(_ *stage, c *call, cl *sim.Cluster) painted { return c.lossDrawing(cl, lossOf(cl, "")) }
	rollout := func(_ *stage, c *call, cl *sim.Cluster) painted {
		d, _ := findDeployment(cl, "web")
		return c.rolloutDrawing(d, updateOf(cl, d))
	}
	funnel := func(pod string) func(*stage, *call, *sim.Cluster) painted {
		return func(_ *stage, c *call, cl *sim.Cluster) painted {
			v, _ := verdictOn(cl, named(pod))
			return c.funnelDrawing(pod, c.fresh(cl, v))
		}
	}
	request := func(s *stage, c *call, cl *sim.Cluster) painted {
		steps := cl.Trace().Steps()
		i := slices.IndexFunc(steps, func(st trace.Step) bool { return st.ID > c.channel.last.From && st.Kind == trace.Asked })
		if i < 0 {
			s.t.Fatal("nothing was asked")
		}
		steps = descendants(steps[i:], steps[i].ID)
		id, ok := written(steps)
		if !ok {
			s.t.Fatal("nothing was written")
		}
		return c.pathDrawing(cl.Trace().Chain(id), steps, c.channel.last.Line)
	}
	return []scene{
		{"nothing", []string{"/kubectl get nodes"}, cluster},
		{"request", []string{"/kubectl create deployment web --image=nginx:1.28 --replicas=4"}, request},
		{"few pods", []string{"/time forward 1m"}, cluster},
		{"an image that is not there", []string{"/kubectl create deployment broken-and-with-a-long-name --image=busyboxx", "/time forward 1m"}, cluster},
		{"a refused request", []string{"/kubectl create deployment web --image=nginx"}, request},
		{"an update begins", []string{"/kubectl set image deployment/web nginx=nginx:1.29", "/time forward 5s"}, rollout},
		{"an update is over", []string{"/time forward 1m"}, rollout},
		{"a chosen node", []string{"pod big 3500m", "/time forward 10s", "pod other 3500m", "/time forward 10s"}, funnel("other")},
		{"nowhere", []string{"pod huge 7", "/kubectl cordon node-3", "/kubectl taint node node-1 reserved=yes:NoSchedule", "/time forward 10s"}, funnel("huge")},
		{"pending, cordoned", nil, cluster},
		{"three members", nil, quorum},
		{"one stopped", []string{"/fault etcd etcd-2", "/time forward 5s"}, quorum},
		{"no quorum", []string{"/fault etcd etcd-1", "/time forward 5s"}, quorum},
		{"full", []string{"/repair all", "/fault etcd-full", "/time forward 1m"}, quorum},
		{"a loss begins", []string{"/repair all", "/etcdctl compact 1", "/etcdctl defrag --cluster", "/etcdctl alarm disarm", "/fault node node-2", "/time forward 20s"}, loss},
		{"lost", []string{"/time forward 1m"}, loss},
		{"a lost node", nil, cluster},
		{"evicted", []string{"/time forward 7m"}, loss},
		{"back", []string{"/repair all", "/time forward 1m"}, loss},
		{"in an analogy", []string{"/lens formation"}, cluster},
		{"a loss in an analogy", []string{"/lens placement"}, loss},
		{"all nodes lost", []string{"/reset confirm", "/kubectl create deployment web --image=nginx:1.28 --replicas=3", "/time forward 30s",
			"/fault node node-1", "/fault node node-2", "/fault node node-3", "/time forward 10m"}, loss},
		{"an update that is forgotten", []string{"/reset confirm", "/kubectl create deployment web --image=nginx:1.28 --replicas=30", "/time forward 30s",
			"/kubectl set image deployment/web nginx=nginx:1.29", "/time forward 1m"}, rollout},
		{"of one pod", []string{"/reset confirm", "/kubectl create deployment web --image=nginx:1.28", "/time forward 30s", "/kubectl set image deployment/web nginx=nginx:1.29", "/time forward 3s"}, rollout},
		{"one member", []string{"/reset confirm 1"}, quorum},
		{"five members, two stopped", []string{"/reset confirm 5", "/fault etcd etcd-2", "/fault etcd etcd-4", "/time forward 5s"}, quorum},
		{"five members, two cut off", []string{"/repair all", "/fault etcd-cut etcd-2,etcd-4", "/time forward 5s"}, quorum},
	}
}

// TestDrawingsCanBeRead: nothing overlaps, no words are cut, no line of the text is wider than a phone.
func TestDrawingsCanBeRead(t *testing.T) {
	for _, lang := range []string{"fr", "en"} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, lang)
			for _, sc := range scenes() {
				for _, line := range sc.do {
					if words := strings.Fields(line); words[0] == "pod" {
						s.pod(words[1], words[2])
						continue
					}
					s.ask(line)
				}
				c, cl := s.looking()
				readable(t, sc.name, sc.draw(s, c, cl))
			}
		})
	}
}

func readable(t *testing.T, name string, d painted) {
	t.Helper()
	drawn := d.Canvas(picture.Dark)
	for _, f := range drawn.Faults() {
		t.Errorf("%s: %s", name, f)
	}
	if drawn.W != picture.PhoneWidth || drawn.H < 80 || drawn.H > 1600 {
		t.Errorf("%s: %v by %v points", name, drawn.W, drawn.H)
	}
	for line := range strings.Lines(d.Text()) {
		if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > content.DiagramWidth {
			t.Errorf("%s: %d columns: %s", name, n, line)
		}
	}
}

// large is a stage whose channel has a cluster of so many nodes, and pods on them.
func large(t testing.TB, nodes, pods int) (*call, *sim.Cluster) {
	tutor := New(Config{Store: newMemory(), Now: func() time.Time { return time.Date(2026, 9, 14, 13, 0, 0, 0, time.UTC) }})
	t.Cleanup(func() { tutor.Close() })
	r := Request{ID: "1", Platform: "test", Channel: "general", Who: Person{ID: "ana"}, Locale: "fr", Direct: true}
	ln := &lane{place: r.Place()}
	c, err := tutor.newCall(context.Background(), ln, r, nil)
	if err != nil {
		t.Fatal(err)
	}
	cfg := sim.Config{Images: c.content.Images}
	for i := range nodes {
		cfg.Nodes = append(cfg.Nodes, kubelet.NodeSpec{Name: fmt.Sprintf("node-%d", i+1), Index: i + 1})
	}
	cl, err := sim.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	c.channel.cluster = cl
	if pods > 0 {
		c.args = fmt.Sprintf("create deployment web --image=nginx --replicas=%d", pods)
		if _, err := kubectlCommand(c); err != nil {
			t.Fatal(err)
		}
		if err := cl.Break(sim.NodeSilent, "node-2"); err != nil {
			t.Fatal(err)
		}
		if err := cl.AdvanceTo(cl.Now().Add(2 * time.Minute)); err != nil {
			t.Fatal(err)
		}
	}
	return c, cl
}

func TestLargeClustersCanBeRead(t *testing.T) {
	sizes := [][2]int{{1, 0}, {10, 100}, {10, 1000}}
	if !testing.Short() {
		sizes = append(sizes, [2]int{40, 1500})
	}
	for _, size := range sizes {
		c, cl := large(t, size[0], size[1])
		d := c.clusterDrawing(cl)
		readable(t, fmt.Sprint(size), d)
		pods := len(d.Apart)
		for _, n := range d.Nodes {
			pods += len(n.Pods)
		}
		if len(d.Nodes) != size[0] || pods != size[1] {
			t.Errorf("%d nodes and %d pods of %v are drawn", len(d.Nodes), pods, size)
		}
	}
}

// TestTheClusterIsDrawnAsKubectlSees it: the same states, pod by pod and node by node.
func TestTheClusterIsDrawnAsKubectlSees(t *testing.T) {
	s := newStage(t, "en")
	for _, line := range []string{"/kubectl create deployment web --image=nginx --replicas=5", "/kubectl create deployment bad --image=busyboxx", "/time forward 1m",
		"/fault image-crash nginx", "/time forward 1m", "/fault node node-2", "/time forward 8m"} {
		s.ask(line)
	}
	s.pod("huge", "7")
	s.ask("/time pause")
	rows := func(line string) map[string][]string {
		out := map[string][]string{}
		for row := range strings.Lines(s.ask(line).Blocks[0].(Code).Text) {
			if f := strings.Fields(row); len(f) > 2 {
				out[f[0]] = f
			}
		}
		return out
	}
	nodes, pods := rows("/kubectl get nodes --no-headers"), rows("/kubectl get pods --no-headers -o custom-columns=N:.metadata.name,NODE:.spec.nodeName,P:.status.phase")
	states := rows("/kubectl get pods --no-headers")
	c, cl := s.looking()
	d := c.clusterDrawing(cl)
	seen := 0
	check := func(node string, drawn []picture.Pod) {
		for _, p := range drawn {
			seen++
			if state, _, _ := strings.Cut(p.State, ","); pods[p.Name][1] != node || states[p.Name][2] != state {
				t.Errorf("pod %s is drawn on %s as %s; kubectl says %v, %v", p.Name, node, p.State, pods[p.Name], states[p.Name])
			}
		}
	}
	for _, n := range d.Nodes {
		if nodes[n.Name][1] != n.State {
			t.Errorf("node %s is drawn as %s; kubectl says %v", n.Name, n.State, nodes[n.Name])
		}
		check(n.Name, n.Pods)
	}
	check("<none>", d.Apart)
	if seen != len(states) || seen < 7 {
		t.Errorf("%d pods are drawn of %d", seen, len(states))
	}
}

// TestUpdatesKeepToTheirBounds: what is drawn of an update never has fewer ready pods, nor more pods in all, than
// the Deployment allows, and ends as kubectl says.
func TestUpdatesKeepToTheirBounds(t *testing.T) {
	for _, replicas := range []int{1, 4, 10} {
		s := newStage(t, "en")
		s.ask(fmt.Sprintf("/kubectl create deployment web --image=nginx:1.28 --replicas=%d", replicas))
		s.ask("/time forward 1m")
		s.ask("/kubectl set image deployment/web nginx=nginx:1.29")
		s.ask("/time pause")
		for range 20 {
			s.ask("/time forward 1s")
			c, cl := s.looking()
			d, _ := findDeployment(cl, "web")
			u := updateOf(cl, d)
			if u == nil || u.forgotten {
				t.Fatalf("no update is seen: %+v", u)
			}
			drawn := c.rolloutDrawing(d, u)
			for i, p := range drawn.Samples {
				if ready := p.Old + p.New; ready < drawn.Least || p.Pods > drawn.Most || ready > p.Pods {
					t.Errorf("%d replicas: at %v %d + %d ready of %d; from %d to %d are allowed", replicas, p.At, p.Old, p.New, p.Pods, drawn.Least, drawn.Most)
				}
				if i > 0 && p.At < drawn.Samples[i-1].At {
					t.Errorf("%d replicas: %v after %v", replicas, p.At, drawn.Samples[i-1].At)
				}
			}
			first, last := drawn.Samples[0], drawn.Samples[len(drawn.Samples)-1]
			if first.Old != replicas || first.New != 0 {
				t.Errorf("%d replicas: it begins with %+v", replicas, first)
			}
			said := s.ask("/kubectl get pods --no-headers").Blocks[0].(Code).Text
			ready, all := 0, 0
			for row := range strings.Lines(said) {
				switch f := strings.Fields(row); {
				case f[2] == "Terminating" || f[2] == "Completed":
				case f[1] == "1/1":
					ready++
					fallthrough
				default:
					all++
				}
			}
			if !u.done && (last.Old+last.New != ready || last.Pods != all) {
				t.Errorf("%d replicas: %+v now; kubectl says:\n%s", replicas, last, said)
			}
		}
		if _, cl := s.looking(); !updateOf(cl, first(findDeployment(cl, "web"))).done {
			t.Errorf("%d replicas: it is not over after 20 s", replicas)
		}
	}
}

func first[A, B any](a A, _ B) A { return a }

// TestWhatIsLeftOfAForgottenUpdate: of one that the trace holds only the end of, that is drawn, within the bounds.
func TestWhatIsLeftOfAForgottenUpdate(t *testing.T) {
	s := newStage(t, "en")
	s.ask("/kubectl create deployment web --image=nginx:1.28 --replicas=30")
	s.ask("/time forward 1m")
	s.ask("/kubectl set image deployment/web nginx=nginx:1.29")
	s.ask("/time forward 1m")
	c, cl := s.looking()
	d, _ := findDeployment(cl, "web")
	u := updateOf(cl, d)
	drawn := c.rolloutDrawing(d, u)
	if !u.forgotten || len(drawn.Samples) < 5 || !u.done {
		t.Fatalf("%d samples, forgotten %v, done %v", len(drawn.Samples), u.forgotten, u.done)
	}
	for _, p := range drawn.Samples {
		if p.Old+p.New < drawn.Least || p.Pods > drawn.Most {
			t.Errorf("at %v %d + %d of %d", p.At, p.Old, p.New, p.Pods)
		}
	}
}

// TestAFollowedUpdateKeepsItsDrawing: the button stays while the answer changes, and after.
func TestAFollowedUpdateKeepsItsDrawing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tutor := class(t, newMemory())
		for i, line := range []string{"/kubectl create deployment web --image=nginx:1.28 --replicas=3", "/kubectl set image deployment/web nginx=nginx:1.29"} {
			var g gathered
			if err := tutor.Handle(context.Background(), asked(fmt.Sprint(i), "ana", line), g.emit); err != nil {
				t.Fatal(err)
			}
			if len(g.all) < 2 {
				t.Fatalf("%d replies", len(g.all))
			}
			for j, r := range g.all {
				has := slices.ContainsFunc(r.Buttons, func(b Button) bool { return b.Line == "/schéma déploiement web" })
				if has != (i == 1) {
					t.Errorf("%s: reply %d of %d: the button is there: %v", line, j+1, len(g.all), has)
				}
			}
		}
		tutor.Close()
	})
}

// TestALossIsDrawnAsItWas: the moments of the drawing are those of the trace.
func TestALossIsDrawnAsItWas(t *testing.T) {
	s := newStage(t, "en")
	s.ask("/kubectl create deployment web --image=nginx --replicas=6")
	s.ask("/time forward 1m")
	if _, cl := s.looking(); lossOf(cl, "") != nil {
		t.Fatal("a loss before there is one")
	}
	s.ask("/fault node node-2")
	s.ask("/time forward 7m")
	_, cl := s.looking()
	l := lossOf(cl, "node-2")
	if l == nil || lossOf(cl, "node-1") != nil {
		t.Fatal("the loss is not found, or another's is")
	}
	if got := l.lost.Sub(l.heartbeat); got < 50*time.Second || got > 55*time.Second {
		t.Errorf("declared lost after %v", got)
	}
	if got := l.evicted.Sub(l.lost); got < 300*time.Second || got > 301*time.Second {
		t.Errorf("evicted after %v more", got)
	}
	if l.pods != 2 || !l.replaced.After(l.evicted) || l.replaced.Sub(l.evicted) > 10*time.Second || !l.healthy.IsZero() {
		t.Errorf("%+v", l)
	}
}

// TestTheFunnelGivesEachFilterItsOwnReason: a node that several filters would refuse is told with the first one's.
func TestTheFunnelGivesEachFilterItsOwnReason(t *testing.T) {
	s := newStage(t, "en")
	for _, line := range []string{"/kubectl cordon node-3", "/kubectl taint node node-1 reserved=yes:NoSchedule"} {
		s.ask(line)
	}
	s.pod("huge", "7")
	c, cl := s.looking()
	v, _ := verdictOn(cl, named("huge"))
	var got []string
	for _, sieve := range c.funnelDrawing("huge", v).Sieves {
		for _, r := range sieve.Removed {
			got = append(got, fmt.Sprintf("%s %d: %s, %s", sieve.Label, sieve.Out, r.Who, r.Why))
		}
	}
	want := []string{
		"NodeUnschedulable 2: node-3, closed to new pods (cordoned)",
		"TaintToleration 1: node-1, has the taint reserved=yes:NoSchedule, which the pod does not tolerate",
		"NodeResourcesFit 0: node-2, cpu: 7 needed, 4 free of 4",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestNothingIsForetoldThatWillNotCome: pods that stay are not told to be evicted, nor any where no node is well.
func TestNothingIsForetoldThatWillNotCome(t *testing.T) {
	s := newStage(t, "en")
	s.ask("/kubectl create -f -\napiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: agent}\nspec:\n  selector: {matchLabels: {app: agent}}\n  template:\n    metadata: {labels: {app: agent}}\n    spec: {containers: [{name: c, image: nginx}]}")
	s.ask("/time forward 30s")
	s.ask("/fault node node-2")
	s.ask("/time forward 2m")
	if _, cl := s.looking(); lossOf(cl, "node-2").pods != 0 || lossOf(cl, "node-2").next() != 0 {
		t.Errorf("a DaemonSet's pod is to be evicted: %+v", lossOf(cl, "node-2"))
	}
	s.ask("/kubectl create deployment web --image=nginx --replicas=4")
	s.ask("/time forward 30s")
	s.ask("/fault node node-1")
	s.ask("/fault node node-3")
	s.ask("/time forward 20m")
	c, cl := s.looking()
	l := lossOf(cl, "node-3")
	if l.lost.IsZero() || !l.evicted.IsZero() || l.pods == 0 || l.next() != 0 {
		t.Errorf("%+v", l)
	}
	if text := strings.Join(strings.Fields(c.lossDrawing(cl, l).Text()), " "); !strings.Contains(text, "evicts nobody") || strings.Contains(text, "to come") {
		t.Error(text)
	}
}

// TestDrawingsAreMadeWhereTheyAreSeen: as pictures in the platform's theme, and not where characters are shown.
func TestDrawingsAreMadeWhereTheyAreSeen(t *testing.T) {
	s := newStage(t, "en")
	for _, line := range []string{"/kubectl create deployment web --image=nginx:1.28 --replicas=3", "/time forward 1m", "/kubectl set image deployment/web nginx=nginx:1.29", "/time forward 2s"} {
		s.ask(line)
	}
	for _, line := range []string{"/diagram cluster", "/diagram funnel", "/diagram quorum", "/diagram deployment web", "/diagram loss", "/diagram request", "/diagram control-plane"} {
		for _, shows := range []string{"", ThemeLight, ThemeDark} {
			r := s.request(line)
			r.Pictures = shows
			p, ok := s.send(r).Blocks[0].(Picture)
			if !ok || p.Alt == "" || p.Text == "" || (len(p.PNG) > 0) != (shows != "") {
				t.Errorf("%s, shown %q: %d bytes of PNG, alt %q, text %q", line, shows, len(p.PNG), p.Alt, p.Text)
				continue
			}
			if shows != "" {
				img, err := png.Decode(bytes.NewReader(p.PNG))
				if err != nil || img.Bounds().Dx() != 2*picture.PhoneWidth {
					t.Errorf("%s: %v", line, err)
					continue
				}
				if r, g, b, _ := img.At(1, 1).RGBA(); (r+g+b < 3*0x8000) != (shows == ThemeDark) {
					t.Errorf("%s: the ground of the %s theme is %x %x %x", line, shows, r, g, b)
				}
			}
		}
	}
}

// TestWhoHearsWhom: partitions divide the members.
func TestWhoHearsWhom(t *testing.T) {
	s := newStage(t, "en")
	s.ask("/reset confirm 5")
	for _, step := range []struct {
		line  string
		sides []int
		alive int
		holds bool
	}{
		{"/kubectl get nodes", []int{0, 0, 0, 0, 0}, 5, true},
		{"/fault etcd-cut etcd-2,etcd-4", []int{0, 1, 0, 1, 0}, 3, true},
		{"/fault etcd etcd-3", []int{0, 1, -1, 1, 0}, 2, false},
		{"/fault etcd-cut etcd-1", []int{0, 1, -1, 1, 2}, 2, false},
		{"/repair all", []int{0, 0, 0, 0, 0}, 5, true},
	} {
		s.ask(step.line)
		s.ask("/time forward 10s")
		c, cl := s.looking()
		d := c.quorumDrawing(cl)
		var sides []int
		for _, m := range d.Members {
			sides = append(sides, m.Side)
		}
		if !slices.Equal(sides, step.sides) || d.Alive != step.alive || d.Holds != step.holds || d.Needed != 3 {
			t.Errorf("%s: sides %v, %d of %d, quorum %v", step.line, sides, d.Alive, d.Needed, d.Holds)
		}
	}
}

func BenchmarkDrawnCluster(b *testing.B) {
	for _, size := range [][2]int{{10, 100}, {10, 1000}} {
		b.Run(fmt.Sprintf("%d nodes %d pods", size[0], size[1]), func(b *testing.B) {
			c, cl := large(b, size[0], size[1])
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.clusterDrawing(cl).Canvas(picture.Light).PNG(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
