package content

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"time"
	"unicode"
	"unicode/utf8"

	"timonier/sim/trace"
)

// Technique is the ID of the plain lens: Kubernetes in its own words.
const Technique = "technique"

// Lens is a way of telling what a control plane did: technical words, or an analogy's.
type Lens struct {
	ID      string
	Title   Text
	About   Text
	Analogy int // its number; 0: none, and nothing breaks

	told map[Lang]*telling
	file string
}

// telling is a lens in one language.
type telling struct {
	lang      Lang
	cast      cast
	templates *template.Template
	sentences map[trace.Kind][]variant // the first that matches is told
}

// variant is a sentence and when it holds.
type variant struct {
	when map[string]string // fact → patterns, separated by |
	name string            // of its template
	line int
}

// cast names what takes part.
type cast struct {
	first, last []string
	named       map[string]string // pods that have a name of their own: a story's
	node        string            // {} stands for the number in a node's name
	objects     map[string]string // by kind, "*" for the others: the name of a template
	actors      map[string]string // by the step's actor up to its "/"
}

// Tell puts a step into one sentence, in Markdown.
func (l *Lens) Tell(lang Lang, s trace.Step) string {
	text, err := l.tell(lang, factsOf(s))
	if err != nil { // the prover ran every sentence: only a step of a kind from the future comes here
		return fmt.Sprintf("%s: %s %s/%s", s.Actor, s.Kind, s.Object.Kind, s.Object.Name)
	}
	return text
}

func (l *Lens) tell(lang Lang, f Facts) (string, error) {
	t, ok := l.told[lang]
	if !ok {
		t = l.told[FR]
	}
	for _, v := range t.sentences[f.Step] {
		if v.holds(f) {
			return t.execute(v.name, f)
		}
	}
	return "", fmt.Errorf("lens %s has no sentence for %s", l.ID, f.Step)
}

func (v variant) holds(f Facts) bool {
	for name, patterns := range v.when {
		value, _ := f.field(name)
		if !slices.ContainsFunc(strings.Split(patterns, "|"), func(p string) bool { return matches(p, value) }) {
			return false
		}
	}
	return true
}

// matches takes a * at an end of a pattern for anything, and ?* for anything but nothing.
func matches(pattern, value string) bool {
	if pattern == "?*" {
		return value != ""
	}
	if start, ok := strings.CutSuffix(pattern, "*"); ok {
		return strings.HasPrefix(value, start)
	}
	if end, ok := strings.CutPrefix(pattern, "*"); ok {
		return strings.HasSuffix(value, end)
	}
	return pattern == value
}

func (t *telling) execute(name string, f Facts) (string, error) {
	var b strings.Builder
	if err := t.templates.ExecuteTemplate(&b, name, f); err != nil {
		return "", fmt.Errorf("tell %s: %w", name, err)
	}
	return capital(strings.TrimSpace(b.String())), nil
}

// Pod is what the lens calls a pod: always the same for the same pod.
func (l *Lens) Pod(lang Lang, name string) string { return l.in(lang).cast.pod(name) }

// Node is what the lens calls a node.
func (l *Lens) Node(lang Lang, name string) string { return l.in(lang).cast.nodeName(name) }

func (l *Lens) in(lang Lang) *telling {
	if t, ok := l.told[lang]; ok {
		return t
	}
	return l.told[FR]
}

// Breaks are the analogy's rows that the steps touch and whose image breaks, in the analogy's order.
func (c *Course) Breaks(l *Lens, steps []trace.Step) []Row {
	a, ok := c.Analogy(l.Analogy)
	if !ok {
		return nil
	}
	touched := map[string]bool{}
	for _, s := range steps {
		if about := concepts[s.Kind]; about != "node" || s.Object.Kind == "Node" { // a fault may be of something else
			touched[about] = true
		}
	}
	var rows []Row
	for _, r := range a.Rows {
		if touched[r.Concept] && r.Breaks.FR != "" {
			rows = append(rows, r)
		}
	}
	return rows
}

// concepts says which term of the glossary a kind of step is about.
var concepts = map[trace.Kind]string{
	trace.Asked: "client", trace.Received: "client", trace.Authenticated: "api-server", trace.Authorized: "api-server",
	trace.Decoded: "api-server", trace.Mutated: "api-server", trace.Validated: "api-server",
	trace.Admitted: "api-server", trace.Committed: "etcd", trace.Refused: "api-server",
	trace.Noticed: "watch", trace.Scheduled: "scheduler", trace.Unplaced: "scheduler", trace.Preempted: "scheduler",
	trace.Decided: "controller", trace.Pulling: "kubelet", trace.Pulled: "kubelet", trace.Started: "pod",
	trace.Ready: "pod", trace.Unready: "pod", trace.Exited: "pod", trace.Restarts: "pod", trace.Killing: "pod",
	trace.NodeLost: "node", trace.NodeBack: "node", trace.Elected: "lease",
	trace.Pressed: "kubelet", trace.Relieved: "kubelet", trace.Evicted: "pod", trace.Rebooted: "kubelet", trace.Fault: "node", trace.Healed: "node",
	trace.LeaderElected: "etcd", trace.LeaderLost: "etcd", trace.QuorumLost: "etcd", trace.QuorumBack: "etcd", trace.CaughtUp: "etcd",
	trace.Compacted: "etcd", trace.NoSpace: "etcd", trace.Disarmed: "etcd",
}

// pod draws a name by the pod's own, so that it never changes and nothing need be remembered. An initial makes
// it rare enough that a pod and the one that replaces it are not taken for the same person.
func (c cast) pod(name string) string {
	if own, ok := c.named[name]; ok {
		return own
	}
	if len(c.first) == 0 {
		return code(name)
	}
	h := fnv.New32a()
	h.Write([]byte(name))
	n := int(h.Sum32() >> 1)
	drawn := c.first[n%len(c.first)]
	if len(c.last) > 0 {
		const initials = "ABCDEFGHIJKLMNOPRSTV"
		rest := n / len(c.first) / len(c.last)
		drawn += " " + initials[rest%len(initials):][:1] + ".\u00a0" + c.last[n/len(c.first)%len(c.last)]
	}
	return drawn
}

func (c cast) nodeName(name string) string {
	if c.node == "" {
		return code(name)
	}
	digits := strings.TrimLeftFunc(name, func(r rune) bool { return !unicode.IsDigit(r) })
	if digits == "" {
		digits = name
	}
	return strings.ReplaceAll(c.node, "{}", digits)
}

// functions are what a sentence may call. README.md lists them.
func (t *telling) functions() template.FuncMap {
	return template.FuncMap{
		"pod":      func(name string) string { return t.cast.pod(name) },
		"node":     func(name string) string { return t.cast.nodeName(name) },
		"nodes":    func(names []string) string { return t.list(names, t.cast.nodeName) },
		"pods":     func(names []string) string { return t.list(names, t.cast.pod) },
		"actor":    t.actor,
		"object":   func(f Facts) (string, error) { return t.object(f.Kind, f) },
		"target":   t.target,
		"plural":   t.plural,
		"duration": Span,
		"list":     func(names []string) string { return t.list(names, code) },
		"some":     t.some,
		"of":       t.of,
		"ordinal":  t.ordinal,
	}
}

func (t *telling) actor(name string) string {
	id, where, _ := strings.Cut(name, "/") // kubelet/node-1
	if said, ok := t.cast.actors[id]; ok {
		return strings.ReplaceAll(said, "{}", t.cast.nodeName(where))
	}
	return strings.ReplaceAll(t.cast.actors["*"], "{}", id)
}

func (t *telling) object(kind string, f Facts) (string, error) {
	name, ok := t.cast.objects[kind]
	if !ok {
		name = t.cast.objects["*"]
	}
	var b strings.Builder
	err := t.templates.ExecuteTemplate(&b, name, f)
	return b.String(), err
}

// target is the object that a decision is about, where it is another than the step's own.
func (t *telling) target(f Facts) (string, error) {
	if f.Target != "" {
		f.Name, f.Kind = f.Target, f.TargetKind
	}
	return t.object(f.Kind, f)
}

// plural is a count with its noun: French takes the plural from two on, English for all but one.
func (t *telling) plural(n any, one, many string) string {
	count, _ := strconv.ParseInt(fmt.Sprint(n), 10, 64)
	noun := many
	if count == 1 || t.lang == FR && count < 2 {
		noun = one
	}
	return strconv.FormatInt(count, 10) + "\u00a0" + noun
}

// ordinal is 1re, 2e in French, 1st, 2nd in English.
func (t *telling) ordinal(n int64) string {
	s := strconv.FormatInt(n, 10)
	if t.lang == FR {
		if n == 1 {
			return s + "re"
		}
		return s + "e"
	}
	switch {
	case n%100/10 == 1:
		return s + "th"
	case n%10 >= 1 && n%10 <= 3:
		return s + []string{"st", "nd", "rd"}[n%10-1]
	}
	return s + "th"
}

// Span is a duration as one says it, in either language: 300 ms, 4 s, 5 min, 1 h 10 min.
func Span(d time.Duration) string {
	unit := func(n time.Duration, u string) string { return strconv.FormatInt(int64(n), 10) + "\u00a0" + u }
	if d >= 100*time.Millisecond && d < time.Second {
		d = d.Round(100 * time.Millisecond)
	}
	if d > 0 && d < time.Second {
		return unit(max(1, d.Round(time.Millisecond)/time.Millisecond), "ms")
	}
	d = d.Round(time.Second)
	var parts []string
	for _, u := range []struct {
		of   time.Duration
		name string
	}{{time.Hour, "h"}, {time.Minute, "min"}, {time.Second, "s"}} {
		if n := d / u.of; n > 0 {
			parts = append(parts, unit(n, u.name))
			d -= n * u.of
		}
	}
	if len(parts) == 0 {
		return unit(0, "s")
	}
	return strings.Join(parts, "\u00a0")
}

// list joins: a, b et c.
func (t *telling) list(names []string, say func(string) string) string {
	and := map[Lang]string{FR: " et ", EN: " and "}[t.lang]
	var b strings.Builder
	for i, n := range names {
		switch {
		case i > 0 && i == len(names)-1:
			b.WriteString(and)
		case i > 0:
			b.WriteString(", ")
		}
		b.WriteString(say(n))
	}
	return b.String()
}

// some is a list cut short: a, b, c and 4 others.
func (t *telling) some(names []string) string {
	const show = 3
	if len(names) <= show+1 {
		return t.list(names, code)
	}
	others := map[Lang]string{FR: "%s et %d\u00a0autres", EN: "%s and %d\u00a0more"}[t.lang]
	said := make([]string, show)
	for i := range said {
		said[i] = code(names[i])
	}
	return fmt.Sprintf(others, strings.Join(said, ", "), len(names)-show)
}

// of is a complement: French contracts (du, des) and elides (d'Amina).
func (t *telling) of(what string) string {
	if t.lang != FR {
		return "of " + what
	}
	for _, c := range []struct{ from, to string }{{"le ", "du "}, {"les ", "des "}} {
		if rest, ok := strings.CutPrefix(what, c.from); ok {
			return c.to + rest
		}
	}
	if r, _ := utf8.DecodeRuneInString(what); strings.ContainsRune("aàâeéèêiîïoôuAÀÂEÉÈÊIÎÏOÔU", r) {
		return "d'" + what
	}
	return "de " + what
}

func code(s string) string { return "`" + s + "`" }

func capital(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[n:]
}
