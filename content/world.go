package content

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/util/jsonpath"

	"timonier/sim"
	"timonier/sim/apiserver"
)

// World is what a step's conditions look at.
type World struct {
	Cluster *sim.Cluster
	Since   uint64   // the trace's last step before the exercise began
	Ran     []string // lines that were run while the step was open, each beginning with its command's own name: /kubectl, not /k
}

// Unmet are the conditions that do not hold; none: the step is reached. An error is
// a condition that cannot be asked, which Check finds.
func (s *Step) Unmet(w World) ([]Condition, error) {
	var unmet []Condition
	for _, c := range s.Checks {
		ok, err := c.holds(w)
		if err != nil {
			return nil, fmt.Errorf("ask %s: %w", c.subject(), err)
		}
		if !ok {
			unmet = append(unmet, c)
		}
	}
	return unmet, nil
}

// subject names what a condition is about.
func (c Condition) subject() string {
	for _, s := range []string{c.Object, c.Absent, c.Objects, string(c.Happened)} {
		if s != "" {
			return s
		}
	}
	switch {
	case c.Ran != nil:
		return c.Ran.FR
	case c.Quorum != nil:
		return "quorum"
	}
	return "faults"
}

// told says how things stand of a condition that does not hold, for whoever wrote it.
func (c Condition) told(w World) string {
	text := c.subject()
	if c.Object == "" {
		return text
	}
	kind, name, _ := strings.Cut(c.Object, "/")
	any := c
	any.Fields = nil
	found, err := any.matching(w, kind, name)
	if err != nil {
		return text
	}
	if len(found) == 0 {
		return text + " does not exist"
	}
	for _, path := range sortedKeys(c.Fields) {
		values, err := valuesAt(found[0], path)
		switch {
		case err != nil || fits(c.Fields[path], values):
		case len(values) == 0:
			text += fmt.Sprintf("; there is nothing at %s, not %q", path, c.Fields[path])
		default:
			text += fmt.Sprintf("; %s is %q, not %q", path, strings.Join(values, ", "), c.Fields[path])
		}
	}
	return text
}

func (c Condition) holds(w World) (bool, error) {
	switch {
	case c.Object != "":
		kind, name, _ := strings.Cut(c.Object, "/")
		found, err := c.matching(w, kind, name)
		return len(found) > 0, err
	case c.Absent != "":
		kind, name, _ := strings.Cut(c.Absent, "/")
		found, err := c.matching(w, kind, name)
		return len(found) == 0, err
	case c.Objects != "":
		return c.enough(w)
	case c.Happened != "":
		return c.counts(c.steps(w)), nil
	case c.Ran != nil:
		return c.ran(w.Ran), nil
	case c.Quorum != nil:
		return w.Cluster.Etcd().Quorum == *c.Quorum, nil
	case c.Faults != nil:
		return fits(*c.Faults, []string{strconv.Itoa(len(w.Cluster.Faults()))}), nil
	}
	return false, fmt.Errorf("a check asks for nothing")
}

// counts says whether a number is the one that is asked for.
func (c Condition) counts(n int) bool {
	want := c.Count
	if want == "" {
		want = ">=1"
	}
	return fits(want, []string{strconv.Itoa(n)})
}

func (c Condition) enough(w World) (bool, error) {
	found, err := c.matching(w, c.Objects, "")
	if err != nil || c.Distinct == "" {
		return c.counts(len(found)), err
	}
	different := map[string]bool{}
	for _, o := range found {
		values, err := valuesAt(o, c.Distinct)
		if err != nil {
			return false, err
		}
		for _, v := range values {
			different[v] = true
		}
	}
	return c.counts(len(different)), nil
}

// matching are the objects of a kind, as JSON has them, that the condition's namespace, selector and fields let through;
// only the one of a name, if there is one.
func (c Condition) matching(w World, kind, name string) ([]map[string]any, error) {
	r, ok := kindOf(w.Cluster.Server().Resources(), kind)
	if !ok {
		return nil, fmt.Errorf("no kind %s", kind)
	}
	selector, err := labels.Parse(c.Selector)
	if err != nil {
		return nil, err
	}
	namespace := c.Namespace
	switch {
	case !r.Namespaced || namespace == "*":
		namespace = ""
	case namespace == "":
		namespace = "default"
	}
	var found []map[string]any
	for _, o := range w.Cluster.Client().All(r, namespace) {
		if name != "" && o.GetName() != name || !selector.Matches(labels.Set(o.GetLabels())) {
			continue
		}
		plain, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
		if err != nil {
			return nil, err
		}
		if ok, err := c.fieldsMatch(plain); err != nil {
			return nil, err
		} else if ok {
			found = append(found, plain)
		}
	}
	return found, nil
}

func (c Condition) fieldsMatch(o map[string]any) (bool, error) {
	for path, pattern := range c.Fields {
		values, err := valuesAt(o, path)
		if err != nil || !fits(pattern, values) {
			return false, err
		}
	}
	return true, nil
}

// steps counts the steps of the trace, since the exercise began, that match.
func (c Condition) steps(w World) int {
	n := 0
	for _, s := range w.Cluster.Trace().From(w.Since + 1) {
		if s.Kind == c.Happened && (variant{when: c.Where}).holds(factsOf(s)) {
			n++
		}
	}
	return n
}

// ran says whether one of the lines is like the condition's, in either language; | separates lines of which one will do.
func (c Condition) ran(lines []string) bool {
	return slices.ContainsFunc(lines, func(line string) bool {
		line, _, _ = strings.Cut(line, "\n")
		line = strings.Join(strings.Fields(line), " ")
		alternatives := strings.Split(c.Ran.FR+"|"+c.Ran.EN, "|")
		return slices.ContainsFunc(alternatives, func(pattern string) bool { return like(pattern, line) })
	})
}

// kindOf finds a kind by any of the words that kubectl takes: deployment, deployments, deploy, deployments.apps.
func kindOf(all []*apiserver.Resource, word string) (*apiserver.Resource, bool) {
	word = strings.ToLower(word)
	word, group, qualified := strings.Cut(word, ".")
	for _, r := range all {
		if qualified && r.Group != group {
			continue
		}
		if word == r.Resource || word == r.Singular || word == strings.ToLower(r.Kind) || slices.Contains(r.ShortNames, word) {
			return r, true
		}
	}
	return nil, false
}

// served are the kinds that every cluster's API has.
var served = sync.OnceValues(func() ([]*apiserver.Resource, error) {
	c, err := sim.New(sim.Config{})
	if err != nil {
		return nil, err
	}
	return c.Server().Resources(), nil
})

// parsePath reads a path: metadata.labels['a.b/c'], or kubectl's JSONPath in braces.
func parsePath(path string) (*jsonpath.JSONPath, error) {
	if !strings.HasPrefix(path, "{") {
		path = "{." + path + "}"
	}
	p := jsonpath.New("path").AllowMissingKeys(true)
	return p, p.Parse(path)
}

// valuesAt are the values at a path of an object that are there and not empty.
func valuesAt(o map[string]any, path string) ([]string, error) {
	p, err := parsePath(path)
	if err != nil {
		return nil, err
	}
	results, err := p.FindResults(o)
	if err != nil {
		return nil, nil // an array that is shorter, a path through a text: nothing is there
	}
	var values []string
	for _, list := range results {
		for _, v := range list {
			text := textOf(v.Interface())
			if text != "" {
				values = append(values, text)
			}
		}
	}
	return values, nil
}

func textOf(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	}
	data, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(data)
}

// fits says whether one of the values matches one of a pattern's alternatives; !=x: none does; "": there is none.
func fits(pattern string, values []string) bool {
	return slices.ContainsFunc(strings.Split(pattern, "|"), func(p string) bool {
		if p == "" {
			return len(values) == 0
		}
		if not, ok := strings.CutPrefix(p, "!="); ok {
			return !slices.ContainsFunc(values, func(v string) bool { return like(not, v) })
		}
		if compare, ok := comparison(p); ok {
			if len(values) == 0 {
				return compare("0") // a status leaves out a count of nothing
			}
			return slices.ContainsFunc(values, compare)
		}
		return slices.ContainsFunc(values, func(v string) bool { return like(p, v) })
	})
}

// like takes a * anywhere in a pattern for anything, and ?* for anything but nothing.
func like(pattern, value string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 || pattern == "?*" {
		return matches(pattern, value)
	}
	rest, ok := strings.CutPrefix(value, parts[0])
	for _, part := range parts[1 : len(parts)-1] {
		if !ok {
			break
		}
		_, rest, ok = strings.Cut(rest, part)
	}
	return ok && strings.HasSuffix(rest, parts[len(parts)-1])
}

// comparison reads >=3, <500m …: numbers and quantities.
func comparison(pattern string) (compare func(value string) bool, ok bool) {
	for _, op := range []struct {
		sign  string
		holds func(order int) bool
	}{
		{">=", func(o int) bool { return o >= 0 }}, {"<=", func(o int) bool { return o <= 0 }},
		{">", func(o int) bool { return o > 0 }}, {"<", func(o int) bool { return o < 0 }},
	} {
		bound, ok := strings.CutPrefix(pattern, op.sign)
		if !ok {
			continue
		}
		limit, err := resource.ParseQuantity(strings.TrimSpace(bound))
		return func(value string) bool {
			q, bad := resource.ParseQuantity(value)
			return err == nil && bad == nil && op.holds(q.Cmp(limit))
		}, err == nil
	}
	return nil, false
}
