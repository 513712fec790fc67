package kubectl

import (
	"regexp"
	"slices"
	"strings"
)

// What two clusters that behave alike say differently is written in one way: names and hashes made at random, times,
// ages, addresses, the width of columns, and the order of lines that is left to chance.

// normaliser knows what stands for the random names of one scenario.
type normaliser struct {
	names []string // longest first: a pod's holds its ReplicaSet's hash
	stand map[string]string
}

func newNormaliser(names map[string]string) normaliser {
	n := normaliser{stand: names}
	for name := range names {
		n.names = append(n.names, name)
	}
	slices.SortFunc(n.names, func(a, b string) int {
		if len(a) != len(b) {
			return len(b) - len(a)
		}
		return strings.Compare(a, b)
	})
	return n
}

// rule says what is written in place of what varies in a line.
type rule struct {
	varies *regexp.Regexp
	place  string
}

var varying = []rule{
	{regexp.MustCompile(`\b\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[-+]\d{2}:\d{2})`), "<time>"},
	{regexp.MustCompile(`\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} [-+]\d{4}`), "<time>"},
	{regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`), "<uid>"},
	{regexp.MustCompile(`(?:127\.0\.0\.1:\d+|192\.168\.1\.10:6443)`), "<server>"},
	{regexp.MustCompile(`\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b`), "<ip>"},
	{regexp.MustCompile(`(resourceVersion"?: )"\d+"`), `${1}"<version>"`},
	{regexp.MustCompile(`\bkube-api-access-[0-9a-z]{5}\b`), "kube-api-access-<rand>"},
	{regexp.MustCompile(`\.[0-9a-f]{16}\b`), ".<rand>"}, // an event's name
	{regexp.MustCompile(`(pods "[^"]*-)[0-9a-z]{5}(" is forbidden)`), "${1}<rand>${2}"},
	{regexp.MustCompile(`(nodePort"?: |NodePort:.*? |:)3[0-2]\d{3}\b`), "${1}<nodeport>"},
	{regexp.MustCompile(`^(\s*HolderIdentity: +)\S+`), "${1}<holder>"},
	{regexp.MustCompile(`^(\s*(?:Age|Duration|AcquireTime|RenewTime):\s+)\S+$`), "${1}<age>"},
}

// clean is one line, or one text without lines, as it is compared.
func (n normaliser) clean(line string) string {
	for _, name := range n.names {
		if strings.Contains(line, name) {
			line = strings.ReplaceAll(line, name, n.stand[name])
		}
	}
	for _, r := range varying {
		line = r.varies.ReplaceAllString(line, r.place)
	}
	return line
}

// lines is an answer as it is recorded.
func (n normaliser) lines(text string) []string {
	if text == "" {
		return nil
	}
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	alignTables(lines)
	for i := range lines {
		lines[i] = n.clean(lines[i])
	}
	return canonical(withoutDumps(lines))
}

// withoutDumps leaves out Go structures after a refusal to change a pod, and repeated lines of a rollout.
func withoutDumps(lines []string) []string {
	kept := lines[:0:0]
	dump := false
	for _, line := range lines {
		switch {
		case strings.HasPrefix(line, "@@ "):
			dump = true
		case line == "" || !strings.ContainsRune(" +-", rune(line[0])):
			dump = false
		}
		again := len(kept) > 0 && kept[len(kept)-1] == line && strings.HasPrefix(line, "Waiting for ")
		if !dump && !again {
			kept = append(kept, line)
		}
	}
	return kept
}

var (
	// byChance are lines whose order among their like is.
	byChance = regexp.MustCompile(`<rand>|<hash\d|^\* |^evicting pod | evicted$`)
	// eventsHead heads a table of events, which come in the order of the seconds they happened in.
	eventsHead = regexp.MustCompile(`^ *(?:NAMESPACE  )?LAST SEEN  |^ *Type  Reason  Age  `)
)

// canonical sorts what has no order of its own.
func canonical(lines []string) []string {
	lines = slices.Clone(lines)
	group := func(from int, in func(string) bool) int {
		to := from
		for to < len(lines) && in(lines[to]) {
			to++
		}
		slices.Sort(lines[from:to])
		return to
	}
	for i := 0; i < len(lines); i++ {
		if to := group(i, byChance.MatchString); to > i {
			i = to - 1
		}
	}
	for i := 0; i < len(lines); i++ {
		if !eventsHead.MatchString(lines[i]) {
			continue
		}
		if i++; i < len(lines) && strings.Trim(lines[i], " -") == "" {
			i++
		}
		i = group(i, func(line string) bool { return line != "" }) - 1
	}
	return lines
}

var (
	upperHead  = regexp.MustCompile(`^[A-Z][A-Z0-9()%/ -]*$`)
	wideGap    = regexp.MustCompile(`\S {2,}\S`)
	underlines = regexp.MustCompile(`^ *-{2,}(?: +-+)+ *$`)
	anAge      = regexp.MustCompile(`^(?:\d+[smhdy])+(?: \(x\d+ over (?:\d+[smhdy])+\))?$`)
	lastTime   = regexp.MustCompile(` \((?:\d+[smhdy])+ ago\)$`)
)

// ageColumns are those of a table that hold ages.
var ageColumns = []string{"AGE", "LAST SEEN", "DURATION", "LAST SCHEDULE", "Age"}

// alignTables puts two blanks between the columns of the tables in an answer, and takes the ages out.
func alignTables(lines []string) {
	for i := 0; i < len(lines); i++ {
		ruled := i+1 < len(lines) && underlines.MatchString(lines[i+1])
		if !ruled && !(upperHead.MatchString(lines[i]) && wideGap.MatchString(lines[i])) {
			continue
		}
		indent := indentOf(lines[i])
		end := i + 1
		for end < len(lines) && strings.TrimSpace(lines[end]) != "" && indentOf(lines[end]) >= indent {
			end++
		}
		alignTable(lines[i:end], indent)
		i = end - 1
	}
}

func indentOf(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }

// alignTable rewrites the lines of one table, the first of which says where the columns begin.
func alignTable(lines []string, indent int) {
	var starts []int
	head := lines[0]
	for i := range head {
		if head[i] != ' ' && (i < 2 && strings.TrimSpace(head[:i]) == "" || i >= 2 && head[i-2:i] == "  ") {
			starts = append(starts, i)
		}
	}
	cells := func(line string) (all []string) {
		for c, from := range starts {
			if from >= len(line) {
				break
			}
			to := len(line)
			if c+1 < len(starts) && starts[c+1] < to {
				to = starts[c+1]
			}
			all = append(all, strings.TrimSpace(line[from:to]))
		}
		return all
	}
	heads := cells(head)
	for row := range lines {
		fields := cells(lines[row])
		for c := range fields {
			if slices.Contains(ageColumns, heads[c]) && anAge.MatchString(fields[c]) {
				fields[c] = "<age>"
			}
			fields[c] = lastTime.ReplaceAllString(fields[c], " (<age> ago)")
		}
		lines[row] = strings.TrimRight(strings.Repeat(" ", indent)+strings.Join(fields, "  "), " ")
	}
}
