package bot

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"timonier/bot/picture"
	"timonier/content"
	"timonier/sim/trace"
)

// look is a directory to which the tests write every picture and its words: go test ./bot -run Drawings -look DIR
var look = flag.String("look", "", "write the drawings to this directory")

// altLimit is the fewest characters that a platform leaves for what a picture says in words.
const altLimit = 1000

// drawnScene is a state of a channel, and the line that draws it.
type drawnScene struct {
	name string
	do   []string // pod NAME CPU [PRIORITY]: a pod that asks for as much
	line string
}

const longest = "a-name-of-sixty-three-characters-that-a-pod-may-well-have-00001"

func moreScenes() []drawnScene {
	const fresh = "/reset confirm"
	create := func(name string, replicas int) string {
		return fmt.Sprintf("/kubectl create deployment %s --image=nginx:1.28 --replicas=%d", name, replicas)
	}
	update := "/kubectl set image deployment/web nginx=nginx:1.29"
	return []drawnScene{
		{"cluster-empty", nil, "/diagram cluster"},
		{"request-accepted", []string{create("web", 6)}, "/diagram request"},
		{"cluster-6", []string{"/time forward 1m"}, "/diagram cluster"},
		{"loss-principle", nil, "/diagram loss"},
		{"loss-principle-3", nil, "/diagram loss node-3"},
		{"funnel-fits", nil, "/diagram funnel"},
		{"request-unreadable", []string{"/kubectl create -f -\napiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {containers: 3}"}, "/diagram request"},
		{"request-invalid", []string{"/kubectl create -f -\napiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {containers: [{name: UPPER, image: nginx}]}"}, "/diagram request"},
		{"request-conflict", []string{create("web", 3)}, "/diagram request"},
		{"request-forbidden", []string{"/kubectl create namespace team", "/kubectl create quota q --hard=pods=0 -n team", "/kubectl run one --image=nginx -n team"}, "/diagram request"},
		{"request-nouser", []string{"/kubectl run one --image=nginx --as=jean"}, "/diagram request"},
		{"request-delete", []string{"/kubectl delete pod -l app=web --wait=false"}, "/diagram request"},
		{"request-scale", []string{"/time forward 30s", "/kubectl scale deployment web --replicas=8"}, "/diagram request"},
		{"cluster-long", []string{"pod " + longest + " 100m", "pod huge 7", "/kubectl cordon node-3", create("broken-and-with-a-very-long-name-indeed", 2), "/kubectl create deployment missing --image=busyboxx", "/time forward 1m"}, "/diagram cluster"},
		{"funnel-long", nil, "/diagram funnel " + longest},
		{"funnel-nowhere", []string{"/kubectl taint node node-1 reserved=yes:NoSchedule"}, "/diagram funnel huge"},
		{"cluster-lost", []string{"/fault node node-2", "/time forward 2m"}, "/diagram cluster"},
		{"loss-doubt", nil, "/diagram loss"},
		{"loss-evicted", []string{"/time forward 6m"}, "/diagram loss"},
		{"cluster-evicted", nil, "/diagram cluster"},
		{"loss-back", []string{"/repair all", "/time forward 1m"}, "/diagram loss"},
		{"cluster-formation", []string{"/lens formation"}, "/diagram cluster"},
		{"funnel-formation", nil, "/diagram funnel huge"},
		{"loss-formation", nil, "/diagram loss"},
		{"request-formation", []string{"/kubectl scale deployment web --replicas=9"}, "/diagram request"},
		{"cluster-placement", []string{"/lens placement"}, "/diagram cluster"},
		{"funnel-placement", nil, "/diagram funnel huge"},
		{"request-placement", []string{"/kubectl scale deployment web --replicas=7"}, "/diagram request"},
		{"preempted", []string{"/lens technique", fresh, "/kubectl create priorityclass urgent --value=1000", "pod small-1 3", "pod small-2 3", "pod small-3 3", "/time forward 10s", "pod important 3 urgent"}, "/diagram funnel important"},
		{"preempted-after", []string{"/time forward 1m"}, "/diagram funnel important"},
		{"loss-young", []string{fresh, create("web", 6), "/time forward 1m", "/fault node node-2", "/time forward 20s"}, "/diagram loss"},
		{"loss-early-back", []string{"/time forward 1m", "/repair all", "/time forward 1m"}, "/diagram loss"},
		{"loss-all", []string{fresh, create("web", 6), "/time forward 1m", "/fault node node-1", "/fault node node-2", "/fault node node-3", "/time forward 10m"}, "/diagram loss"},
		{"loss-blind", []string{fresh, create("web", 6), "/time forward 1m", "/fault controllers", "/fault node node-2", "/time forward 10m"}, "/diagram loss"},
		{"quorum-3", []string{fresh}, "/diagram quorum"},
		{"quorum-3-stopped", []string{"/fault etcd etcd-2", "/time forward 5s"}, "/diagram quorum"},
		{"quorum-3-none", []string{"/fault etcd etcd-1", "/time forward 5s"}, "/diagram quorum"},
		{"quorum-full", []string{"/repair all", "/fault etcd-full", "/time forward 1m"}, "/diagram quorum"},
		{"quorum-api", []string{fresh, "/fault api"}, "/diagram quorum"},
		{"quorum-1", []string{fresh + " 1"}, "/diagram quorum"},
		{"quorum-5-cut", []string{fresh + " 5", "/fault etcd-cut etcd-2,etcd-4", "/time forward 5s"}, "/diagram quorum"},
		{"quorum-5-cut-stopped", []string{"/fault etcd etcd-5", "/time forward 10s"}, "/diagram quorum"},
		{"update-1", []string{fresh, create("web", 1), "/time forward 30s", update, "/time forward 3s"}, "/diagram deployment web"},
		{"update-3", []string{fresh, create("web", 3), "/time forward 30s", update, "/time forward 3s"}, "/diagram deployment web"},
		{"update-3-done", []string{"/time forward 1m"}, "/diagram deployment web"},
		{"update-3-undone", []string{"/kubectl rollout undo deployment/web", "/time forward 1m"}, "/diagram deployment web"},
		{"update-3-stuck", []string{"/kubectl set image deployment/web nginx=nginx:0.0-nowhere", "/time forward 3m"}, "/diagram deployment web"},
		{"update-3-stuck-undone", []string{"/kubectl rollout undo deployment/web", "/time forward 1m"}, "/diagram deployment web"},
		{"update-30", []string{fresh, create("web", 30), "/time forward 30s", update, "/time forward 6s"}, "/diagram deployment web"},
		{"update-30-done", []string{"/time forward 2m"}, "/diagram deployment web"},
		{"update-recreate", []string{fresh, create("web", 4), `/kubectl patch deployment web -p '{"spec":{"strategy":{"type":"Recreate","rollingUpdate":null}}}'`, "/time forward 30s", update, "/time forward 1m"}, "/diagram deployment web"},
	}
}

func (s *stage) act(line string) Reply {
	words := strings.Fields(line)
	if words[0] != "pod" {
		return s.ask(line)
	}
	class := ""
	if len(words) > 3 {
		class = "\n  priorityClassName: " + words[3]
	}
	return s.ask("/kubectl create -f -\napiVersion: v1\nkind: Pod\nmetadata: {name: " + words[1] + "}\nspec:" + class + "\n  containers:\n  - name: c\n    image: nginx\n    resources: {requests: {cpu: " + words[2] + ", memory: 1Gi}}")
}

// TestAskedDrawingsCanBeRead: in every state that a lesson leads to, in both languages and in the words of each lens, what
// /schéma shows has no fault as a picture, keeps to the width as a text, and says itself in words that platforms carry.
func TestAskedDrawingsCanBeRead(t *testing.T) {
	for n, lang := range []string{"fr", "en"} {
		if !tried(n) {
			continue
		}
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, lang)
			for _, sc := range moreScenes() {
				for _, line := range sc.do {
					s.act(line)
				}
				r := s.request(sc.line)
				r.Pictures = ThemeLight
				if lang == "en" {
					r.Pictures = ThemeDark
				}
				reply := s.send(r)
				p, ok := reply.Blocks[0].(Picture)
				if !ok {
					t.Errorf("%s: no picture: %s", sc.name, plainText(reply))
					continue
				}
				legible(t, sc.name+"."+lang, p)
				for _, b := range reply.Buttons {
					if n := utf8.RuneCountInString(b.Label); n > 75 || len(b.Line) > buttonLine {
						t.Errorf("%s: the button %q has %d characters, its line %q %d bytes", sc.name, b.Label, n, b.Line, len(b.Line))
					}
				}
				if len(reply.Buttons) > 5 {
					t.Errorf("%s: %d buttons", sc.name, len(reply.Buttons))
				}
				if *look != "" {
					write(t, sc.name+"."+lang+".txt", []byte(plainText(reply)+"\n\nALT: "+p.Alt+"\n"))
				}
			}
		})
	}
}

// legible says what is wrong with a picture, its text and its words.
func legible(t *testing.T, name string, p Picture) {
	t.Helper()
	if *look != "" {
		write(t, name+".png", p.PNG)
	}
	if p.Drawn == nil || len(p.PNG) == 0 {
		t.Errorf("%s: not drawn", name)
		return
	}
	for _, f := range p.Drawn.Faults() {
		t.Errorf("%s: %s", name, f)
	}
	if p.Drawn.W != picture.PhoneWidth || p.Drawn.H < 80 || p.Drawn.H > 1600 {
		t.Errorf("%s: %v by %v points", name, p.Drawn.W, p.Drawn.H)
	}
	for line := range strings.Lines(p.Text) {
		if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > content.DiagramWidth {
			t.Errorf("%s: %d columns: %s", name, n, line)
		}
	}
	if n := utf8.RuneCountInString(p.Alt); n < 40 || n > altLimit {
		t.Errorf("%s: %d characters say what it shows: %s", name, n, p.Alt)
	}
}

func write(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(*look, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(*look, name), data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestLargeDrawingsSayThemselves: clusters and decisions of any size.
func TestLargeDrawingsSayThemselves(t *testing.T) {
	for _, size := range [][2]int{{1, 0}, {3, 100}, {10, 100}, {10, 1000}, {50, 100}, {50, 0}} {
		c, cl := large(t, size[0], size[1])
		c.request.Pictures = ThemeDark
		d := c.clusterDrawing(cl)
		pictures := map[string]Picture{fmt.Sprintf("large-%d-%d", size[0], size[1]): c.drawn("cluster", d, c.clusterAlt(d))}
		if v, step := verdictOn(cl, func(trace.Ref) bool { return true }); v != nil {
			f := c.funnelDrawing(step.Object.Name, v)
			pictures[fmt.Sprintf("large-%d-%d-funnel", size[0], size[1])] = c.drawn("funnel", f, c.funnelAlt(f))
		}
		for name, p := range pictures {
			var err error
			if p.PNG, err = p.Drawn.PNG(); err != nil {
				t.Fatal(err)
			}
			legible(t, name, p)
			if *look != "" {
				write(t, name+".txt", []byte(p.Text+"\n\nALT: "+p.Alt+"\n"))
			}
		}
	}
}

// TestAnUndoneUpdateIsDrawnFromItsUndoing: what is drawn is the last update, of a stuck one and of one that ends the old
// pods first too, and no pods are told to have been missing that were there.
func TestAnUndoneUpdateIsDrawnFromItsUndoing(t *testing.T) {
	s := newStage(t, "en")
	draw := func(lines ...string) (picture.Rollout, *rolling) {
		for _, line := range lines {
			s.ask(line)
		}
		c, cl := s.looking()
		d, _ := findDeployment(cl, "web")
		u := updateOf(cl, d)
		return c.rolloutDrawing(d, u), u
	}
	for _, step := range []struct {
		name     string
		do       []string
		old, new int // ready as it begins
		floor    int
		done     bool
	}{
		{"forth", []string{"/kubectl create deployment web --image=nginx:1.28 --replicas=3", "/time forward 1m", "/kubectl set image deployment/web nginx=nginx:1.29", "/time forward 1m"}, 3, 0, 3, true},
		{"back", []string{"/kubectl rollout undo deployment/web", "/time forward 1m"}, 3, 0, 3, true},
		{"stuck", []string{"/kubectl set image deployment/web nginx=nginx:0.0-nowhere", "/time forward 3m"}, 3, 0, 3, false},
		{"unstuck", []string{"/kubectl rollout undo deployment/web", "/time forward 1m"}, 0, 3, 3, true},
		{"fewer, then on", []string{"/kubectl scale deployment web --replicas=2", "/time forward 1m", "/kubectl set image deployment/web nginx=nginx:1.29", "/time forward 1m"}, 2, 0, 2, true},
		{"ended first", []string{`/kubectl patch deployment web -p '{"spec":{"strategy":{"type":"Recreate","rollingUpdate":null}}}'`, "/kubectl set image deployment/web nginx=nginx:1.28", "/time forward 2m"}, 2, 0, 0, true},
	} {
		drawn, u := draw(step.do...)
		if at := drawn.Samples[0]; at.Old != step.old || at.New != step.new || u.least < step.floor || u.done != step.done || u.forgotten {
			t.Errorf("%s: it begins with %+v, %d ready at least, done %v", step.name, at, u.least, u.done)
		}
	}
}

// TestNobodyIsToldOfAChangeByEtcd: between the write and those who act on it stands the API server.
func TestNobodyIsToldOfAChangeByEtcd(t *testing.T) {
	s := newStage(t, "en")
	s.ask("/kubectl create deployment web --image=nginx --replicas=2")
	p := s.ask("/diagram request").Blocks[0].(Picture)
	var who []string
	for line := range strings.Lines(p.Text) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "▼ "); ok {
			who = append(who, name)
		}
	}
	if got := strings.Join(who, ", "); got != "API server, etcd, API server, Those who watch" {
		t.Error(got)
	}
	s.ask("/kubectl run one --image=nginx --as=jean")
	if p := s.ask("/diagram request").Blocks[0].(Picture); !strings.Contains(p.Alt, "refused at authorization (403 Forbidden)") {
		t.Error(p.Alt)
	}
}

// TestStoriesEndInLegiblePictures: both stories, in both languages.
func TestStoriesEndInLegiblePictures(t *testing.T) {
	for _, lang := range []string{"fr", "en"} {
		for _, story := range content.Default().Stories {
			s := newStage(t, lang)
			s.ask(fmt.Sprintf("/story %d", story.Number))
			var last Reply
			for range 2*len(story.Pages()) - 1 {
				r := s.request("/story next")
				r.Pictures = ThemeDark
				last = s.send(r)
			}
			drawn := 0
			for _, b := range last.Blocks {
				if p, ok := b.(Picture); ok {
					drawn++
					legible(t, fmt.Sprintf("story-%d.%s", story.Number, lang), p)
				}
			}
			if drawn == 0 {
				t.Errorf("story %d ends without a picture: %s", story.Number, plainText(last))
			}
		}
	}
}
