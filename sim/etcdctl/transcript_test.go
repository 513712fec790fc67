package etcdctl

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"timonier/sim"
	"timonier/sim/apiserver"
)

var update = flag.Bool("update", false, "write the transcripts anew")

// A transcript is steps of a command, a line of dashes, and what was answered: standard output, then standard error
// with "! " before each line, then the exit code if it is not 0. Besides etcdctl there are: break and mend, with a
// fault and a target; pass, with a time; members, with how many there are to be; configmap, with a name to create; event, with what it says; fill, with how many large objects to create.
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no transcripts", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			was, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := play(t, string(was))
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got != string(was) {
				t.Errorf("got\n%s", got)
			}
		})
	}
}

// play goes through a transcript's commands and gives it back with the answers of now.
func play(t *testing.T, transcript string) string {
	p := &player{t: t, members: 3}
	var b strings.Builder
	lines := strings.Split(transcript, "\n")
	for i, line := range lines {
		command, ok := strings.CutPrefix(line, "$ ")
		switch {
		case ok:
			fmt.Fprintf(&b, "%s\n----\n%s", line, p.normal(p.do(p.absolute(command))))
			if slices.ContainsFunc(lines[i+1:], func(l string) bool { return strings.HasPrefix(l, "$ ") }) {
				b.WriteString("\n")
			}
		case strings.HasPrefix(line, "#"):
			b.WriteString(line + "\n")
		}
	}
	return b.String()
}

// player is a session.
type player struct {
	t       *testing.T
	members int
	c       *sim.Cluster
	kept    memory
	base    int64 // the revision with which it began
	index   int64 // … and the raft index
}

// What a cluster holds before anybody has done anything is not this test's business: revisions and indexes are told
// from there on, with a plus; what was before, sizes, hashes and UIDs are not told.
var (
	relative = regexp.MustCompile(`--rev [+](\d+)|(compact) [+](\d+)`)
	number   = regexp.MustCompile(`("(?:revision|create_revision|mod_revision|compact_revision|hash_revision|Revision|CreateRevision|ModRevision|PrevCreateRevision|PrevModRevision|HashRevision)" ?: ?)(\d+)`)
	indexes  = regexp.MustCompile(`("(?:raftIndex|raftAppliedIndex|RaftIndex|RaftAppliedIndex)" ?: ?)(\d+)`)
	sizes    = regexp.MustCompile(`("(?:dbSize|dbSizeInUse|DBSize|DBSizeInUse|hash|Hash|totalKey|totalSize|Keys|Size)" ?: ?)\d+`)
	human10  = regexp.MustCompile(`\d+(\.\d)? kB`)
	percent  = regexp.MustCompile(`\d+%`)
	uid      = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	inRow    = regexp.MustCompile(`(, (?:true|false), false, \d+, )(\d+), (\d+)(, )`)
	inTable  = regexp.MustCompile(`(│ (?:true|false) │ false │ \d+ │ )(\d+) │ (\d+)( │)`)
	hashRow  = regexp.MustCompile(`(?m)^(etcd-\d:2379, |│ etcd-\d:2379 │ )(\d+)(, | │ )(\d+)`)
	keptRow  = regexp.MustCompile(`(?m)^(│ )?[0-9a-f]{6,8}(, | │ )(\d+)(, | │ )\d+(, | │ )`)
	compacts = regexp.MustCompile(`(compacted revision )(\d+)`)
)

func (p *player) absolute(command string) string {
	p.cluster()
	return relative.ReplaceAllStringFunc(command, func(s string) string {
		word, n, _ := strings.Cut(s, "+")
		k, _ := strconv.ParseInt(n, 10, 64)
		return word + strconv.FormatInt(p.base+k, 10)
	})
}

func (p *player) normal(out string) string {
	if strings.Contains(out, "│") { // a table's widths hang on its numbers
		out = regexp.MustCompile(` +│`).ReplaceAllString(regexp.MustCompile(`│ +`).ReplaceAllString(regexp.MustCompile(`─+`).ReplaceAllString(out, "─"), "│ "), " │")
	}
	since := func(base int64) func(string) string {
		return func(digits string) string {
			n, _ := strconv.ParseInt(digits, 10, 64)
			if n <= base {
				return "<old>"
			}
			return fmt.Sprintf("+%d", n-base)
		}
	}
	rev, index := since(p.base), since(p.index)
	replace := func(re *regexp.Regexp, with func(m []string) string) {
		out = re.ReplaceAllStringFunc(out, func(s string) string { return with(re.FindStringSubmatch(s)) })
	}
	replace(number, func(m []string) string { return m[1] + rev(m[2]) })
	replace(indexes, func(m []string) string { return m[1] + index(m[2]) })
	replace(inRow, func(m []string) string { return m[1] + index(m[2]) + ", " + index(m[3]) + m[4] })
	replace(inTable, func(m []string) string { return m[1] + index(m[2]) + " │ " + index(m[3]) + m[4] })
	replace(hashRow, func(m []string) string { return m[1] + "<hash>" + m[3] + rev(m[4]) })
	replace(keptRow, func(m []string) string { return m[1] + "<hash>" + m[2] + rev(m[3]) + m[4] + "<keys>" + m[5] })
	replace(compacts, func(m []string) string { return m[1] + rev(m[2]) })
	out = sizes.ReplaceAllString(out, "${1}<n>")
	out = human10.ReplaceAllString(out, "<size>")
	out = percent.ReplaceAllString(out, "<n>%")
	return uid.ReplaceAllString(out, "<uid>")
}

func (p *player) cluster() *sim.Cluster {
	if p.c == nil {
		c, err := sim.New(sim.Config{Seed: 1, Members: p.members})
		if err != nil {
			p.t.Fatal(err)
		}
		p.c, p.base, p.index = c, c.Store().Rev(), int64(c.Store().Members()[0].Index)
	}
	return p.c
}

func (p *player) do(line string) string {
	words := quoted(line)
	switch words[0] {
	case "members":
		p.members, _ = strconv.Atoi(words[1])
		p.c = nil
		return ""
	case "break", "mend":
		do := p.cluster().Break
		if words[0] == "mend" {
			do = p.cluster().Mend
		}
		if err := do(words[1], words[2]); err != nil {
			return "! " + err.Error() + "\n"
		}
		return ""
	case "pass":
		d, err := time.ParseDuration(words[1])
		if err != nil {
			p.t.Fatal(err)
		}
		if err := p.cluster().AdvanceTo(p.cluster().Now().Add(d)); err != nil {
			p.t.Fatal(err)
		}
		return ""
	case "configmap":
		o := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: words[1]}, Data: map[string]string{"x": "1"}}
		if _, err := p.cluster().Client().Create(o); err != nil {
			return "! " + err.Error() + "\n"
		}
		return ""
	case "event":
		ns, _ := apiserver.Get[*corev1.Namespace](p.cluster().Client(), "", "default")
		p.cluster().Client().Emit(ns, corev1.EventTypeNormal, "Said", words[1])
		return ""
	case "fill":
		n, _ := strconv.Atoi(words[1])
		for i := range n {
			o := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: fmt.Sprint("fill-", i)}, Data: map[string]string{"x": strings.Repeat("x", 4000)}}
			if _, err := p.cluster().Client().Create(o); err != nil {
				return fmt.Sprintf("! after %d: %v\n", i, err)
			}
		}
		return ""
	case "configmaps":
		var b strings.Builder
		for o := range apiserver.List[*corev1.ConfigMap](p.cluster().Client(), "default") {
			b.WriteString(o.Name + "\n")
		}
		return b.String()
	case "etcdctl":
		return p.etcdctl(words[1:])
	}
	p.t.Fatalf("no such step: %s", line)
	return ""
}

func (p *player) etcdctl(args []string) string {
	p.kept.now = p.cluster()
	r, err := Run(p.cluster(), args, "", &p.kept)
	if err != nil {
		p.t.Fatal(err)
	}
	if r.Restored != "" {
		p.c = p.kept.now
	}
	var b strings.Builder
	b.WriteString(r.Stdout)
	for line := range strings.Lines(r.Stderr) {
		b.WriteString("! " + line)
	}
	if r.Refused != nil {
		fmt.Fprintf(&b, "refused: %v\n", r.Refused)
	}
	if r.Watched {
		b.WriteString("(and so on)\n")
	}
	if r.Waited >= time.Second {
		fmt.Fprintf(&b, "waited %v\n", r.Waited)
	}
	if r.Code != 0 {
		fmt.Fprintf(&b, "exit %d\n", r.Code)
	}
	return b.String()
}

// quoted cuts a line into words, at blanks that are not within double quotes.
func quoted(line string) []string {
	var words []string
	for i, part := range strings.Split(line, `"`) {
		if i%2 == 1 {
			words = append(words, part)
			continue
		}
		words = append(words, strings.Fields(part)...)
	}
	return words
}

// memory keeps snapshots as a cluster saves itself.
type memory struct {
	now     *sim.Cluster
	disk    map[string][]byte // of the present cluster, as it was last saved
	records map[string]map[string][]byte
}

func (m *memory) Save(name string) error {
	if strings.Contains(name, "/") {
		return fmt.Errorf("a name without slashes, please: %w", ErrRefused)
	}
	changes, err := m.now.Changes()
	if err != nil {
		return err
	}
	if m.disk == nil {
		m.disk = map[string][]byte{}
	}
	for _, r := range changes {
		if m.disk[r.Key] = r.Value; r.Value == nil {
			delete(m.disk, r.Key)
		}
	}
	m.now.Saved()
	if m.records == nil {
		m.records = map[string]map[string][]byte{}
	}
	m.records[name] = maps.Clone(m.disk)
	return nil
}

func (m *memory) Open(name string) (*sim.Cluster, error) {
	records, ok := m.records[name]
	if !ok {
		return nil, ErrNoSnapshot
	}
	return sim.Load(func(yield func(string, []byte) bool) {
		for k, v := range records {
			if !yield(k, v) {
				return
			}
		}
	}, sim.Config{})
}

func (m *memory) Restore(name string) error {
	c, err := m.Open(name)
	if err == nil {
		m.now, m.disk = c, maps.Clone(m.records[name])
	}
	return err
}

func (m *memory) List() []string { return nil }
