package kubelet

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// span is a stretch of a run; to < 0: without end.
type span struct{ from, to time.Duration }

func (s span) has(t time.Duration) bool { return t >= s.from && (s.to < 0 || t < s.to) }

// shell works out a script. Times count from the start of the run.
type shell struct {
	image *Image
	vars  map[string]string

	at      time.Duration
	files   map[string][]span
	output  []Line
	status  int32
	over    bool // it has come to its end
	endless bool
	guessed bool // endless, for all that is known of its last program
	own     bool // it became the image's own program

	readOnly bool // a probe: the files are those of the run
	steps    int  // bounds the work
}

// quick are commands that take no time worth counting, and succeed.
var quick = strings.Fields(`: true wget curl nslookup dig host ping nc ls cp mv mkdir rmdir env printenv hostname id
	whoami uname grep sed awk seq expr dd tar gzip chmod chown ln df du ps pwd wc sort uniq head find xargs tee sync
	set export cd read trap ulimit umask local return break continue kubectl git make pip npm apk apt apt-get which id stat
	psql pg_isready mysqladmin redis-cli mysql yes md5sum sha256sum base64 cut tr basename dirname mktemp nproc free uptime`)

// What one script may cost to work out. Past it, it runs for ever.
const (
	maxSteps = 5000
	maxText  = 4096                  // of an expanded word, in bytes
	maxRun   = 1000 * 24 * time.Hour // a run that takes longer is endless
)

// tired counts a step of work, and gives up where there were too many.
func (s *shell) tired() bool {
	if s.steps++; s.steps > maxSteps {
		s.endless, s.over = true, true
	}
	return s.over
}

func (s *shell) run(list []node) {
	for i := 0; i < len(list) && !s.over; i++ {
		n := &list[i]
		if s.tired() {
			return
		}
		if n.join == "|" && i+1 < len(list) { // only the last of a pipe counts, and nothing is printed before it
			continue
		}
		s.node(n, i == len(list)-1)
		for n.join == "&&" && s.status != 0 || n.join == "||" && s.status == 0 {
			if i++; i >= len(list) {
				return
			}
			n = &list[i]
		}
	}
}

func (s *shell) node(n *node, last bool) {
	switch n.kind {
	case "while", "until":
		s.loop(n)
	case "for":
		for _, v := range s.values(n.words) {
			if s.tired() {
				return
			}
			s.vars[n.name] = v
			s.run(n.body)
		}
	case "if":
		if s.run(n.cond); s.status == 0 {
			s.run(n.body)
		} else {
			s.status = 0
			s.run(n.rest)
		}
	default:
		s.command(s.values(n.words), n.output, last && n.join != "&")
	}
}

// loop goes round until its condition ends it. A round that takes time, and
// changes nothing that a condition could see, is worked out once.
func (s *shell) loop(n *node) {
	for !s.over {
		if s.tired() {
			return
		}
		start, printed := s.at, len(s.output)
		s.run(n.cond)
		if (s.status == 0) != (n.kind == "while") {
			s.status = 0
			return
		}
		s.run(n.body)
		if always := len(n.cond) == 1 && len(n.cond[0].words) == 1 && slices.Contains([]string{"true", ":"}, n.cond[0].words[0].text); !always || s.over {
			continue
		}
		if round := s.at - start; round >= 100*time.Millisecond {
			for i := printed; i < len(s.output); i++ {
				s.output[i].Every = metav1.Duration{Duration: round}
			}
		}
		s.endless, s.over = true, true
	}
}

// values expands words.
func (s *shell) values(words []word) []string {
	var out []string
	for _, w := range words {
		if w.raw {
			out = append(out, w.text)
			continue
		}
		if seq, ok := strings.CutPrefix(w.text, "$(seq "); ok {
			bounds := strings.Fields(strings.TrimSuffix(seq, ")"))
			out = append(out, sequence(bounds)...)
			continue
		}
		if b, ok := strings.CutPrefix(w.text, "{"); ok && strings.Contains(b, "..") {
			out = append(out, sequence(strings.Split(strings.TrimSuffix(b, "}"), ".."))...)
			continue
		}
		out = append(out, s.expand(w.text))
	}
	return out
}

func sequence(bounds []string) []string {
	from, to := 1, 0
	var err error
	if len(bounds) > 0 {
		to, err = strconv.Atoi(bounds[len(bounds)-1])
	}
	if len(bounds) > 1 && err == nil {
		from, err = strconv.Atoi(bounds[0])
	}
	if err != nil || from < -1e6 || to > 1e6 || to-from > 1000 {
		return nil
	}
	var out []string
	for i := from; i <= to; i++ {
		out = append(out, strconv.Itoa(i))
	}
	return out
}

// expand puts in variables, and the few commands that examples print the output of.
func (s *shell) expand(text string) string {
	if !strings.ContainsAny(text, "$`") {
		return text
	}
	const date = "{time Mon Jan _2 15:04:05 UTC 2006}"
	text = strings.NewReplacer("$(date)", date, "`date`", date, "$(hostname)", "{pod}", "`hostname`", "{pod}").Replace(text)
	var b strings.Builder
	for i := 0; i < len(text) && b.Len() < maxText; i++ {
		if text[i] != '$' || i+1 == len(text) {
			b.WriteByte(text[i])
			continue
		}
		rest := text[i+1:]
		if rest[0] == '{' {
			if name, _, ok := strings.Cut(rest[1:], "}"); ok {
				b.WriteString(s.vars[name])
				i += len(name) + 2
				continue
			}
		}
		end := 0
		for end < len(rest) && (rest[end] == '_' || rest[end] >= 'A' && rest[end] <= 'Z' || rest[end] >= 'a' && rest[end] <= 'z' || end > 0 && rest[end] >= '0' && rest[end] <= '9') {
			end++
		}
		if end == 0 {
			b.WriteByte('$')
			continue
		}
		b.WriteString(s.vars[rest[:end]])
		i += end
	}
	return b.String()[:min(b.Len(), maxText)]
}

// command works out one command with its arguments.
func (s *shell) command(argv []string, to string, last bool) {
	if s.tired() {
		return
	}
	for len(argv) > 0 && strings.Contains(argv[0], "=") && !strings.HasPrefix(argv[0], "=") {
		name, value, _ := strings.Cut(argv[0], "=")
		s.vars[name] = value
		argv = argv[1:]
	}
	if len(argv) == 0 {
		s.status = 0
		return
	}
	if to != "" && to != "/dev/null" {
		s.touch(to)
	}
	name, args := argv[0], argv[1:]
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		name = name[i+1:]
	}
	if f, ok := s.builtin(name); ok {
		f(args, to)
		return
	}
	switch {
	case s.image.runs(name):
		s.own, s.over = true, true
	case slices.Contains(quick, name):
		s.status = 0
	case last:
		s.endless, s.over, s.guessed = true, true, true
	default:
		s.status = 0
	}
}

// builtin is a command that matters to the outcome.
func (s *shell) builtin(name string) (func(args []string, to string), bool) {
	f, ok := map[string]func([]string, string){
		"sleep": s.sleep, "exit": s.exit, "false": s.fail, "echo": s.echo, "printf": s.echo, "date": s.date, "touch": s.makes, "rm": s.removes,
		"cat": s.cat, "tail": s.tail, "test": s.test, "[": s.test, "exec": s.exec, "sh": s.sh, "bash": s.sh, "ash": s.sh, "dash": s.sh, "time": s.exec, "!": s.not,
	}[name]
	return f, ok
}

func (s *shell) sleep(args []string, _ string) {
	for _, a := range args {
		unit, digits := time.Second, a
		for suffix, u := range map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour} {
			if n, ok := strings.CutSuffix(a, suffix); ok {
				unit, digits = u, n // one suffix at most fits: order does not show
			}
		}
		n, err := strconv.ParseFloat(digits, 64) // inf and infinity are numbers to it, as to sleep
		switch {
		case err != nil && !errors.Is(err, strconv.ErrRange), !(n >= 0):
			s.print(fmt.Sprintf("sleep: invalid number '%s'", a))
			s.status = 1
			return
		case n*float64(unit)+float64(s.at) > float64(maxRun):
			s.endless, s.over = true, true
			return
		}
		s.at += time.Duration(n * float64(unit))
	}
	s.status = 0
}

func (s *shell) exit(args []string, _ string) {
	if len(args) > 0 {
		n, err := strconv.Atoi(args[0])
		if err != nil {
			n = 2
		}
		s.status = int32(n & 255)
	}
	s.over = true
}

func (s *shell) fail([]string, string) { s.status = 1 }

func (s *shell) not(args []string, to string) {
	s.command(args, to, false)
	if s.status == 0 {
		s.status = 1
	} else {
		s.status = 0
	}
}

func (s *shell) echo(args []string, to string) {
	s.status = 0
	for len(args) > 0 && (args[0] == "-n" || args[0] == "-e") {
		args = args[1:]
	}
	if to == "" || to == "/dev/stdout" || to == "/dev/stderr" || to == "/proc/1/fd/1" {
		for l := range strings.SplitSeq(strings.TrimSuffix(strings.ReplaceAll(strings.Join(args, " "), `\n`, "\n"), "\n"), "\n") {
			s.print(l)
		}
	}
}

func (s *shell) date(_ []string, to string) {
	s.echo([]string{"{time Mon Jan _2 15:04:05 UTC 2006}"}, to)
}

func (s *shell) print(text string) {
	if len(s.output) < 1000 {
		s.output = append(s.output, Line{At: metav1.Duration{Duration: s.at}, Text: text})
	}
}

func (s *shell) touch(file string) {
	if s.readOnly {
		return
	}
	if !s.exists(file) || len(s.files[file]) == 0 {
		s.files[file] = append(s.files[file], span{s.at, -1})
	}
}

func (s *shell) makes(args []string, _ string) {
	s.status = 0
	for _, f := range args {
		s.touch(f)
	}
}

func (s *shell) removes(args []string, _ string) {
	s.status = 0
	for _, f := range args {
		if spans := s.files[f]; !s.readOnly && len(spans) > 0 && spans[len(spans)-1].to < 0 {
			spans[len(spans)-1].to = s.at
		}
	}
}

// exists says whether a file is there: one under /tmp if the script made it, any other always.
func (s *shell) exists(file string) bool {
	if spans, ok := s.files[file]; ok {
		return slices.ContainsFunc(spans, func(x span) bool { return x.has(s.at) })
	}
	return !strings.HasPrefix(file, "/tmp/")
}

func (s *shell) cat(args []string, _ string) {
	s.status = 0
	for _, f := range args {
		if !strings.HasPrefix(f, "-") && !s.exists(f) {
			s.print(fmt.Sprintf("cat: can't open '%s': No such file or directory", f))
			s.status = 1
		}
	}
}

func (s *shell) tail(args []string, _ string) {
	if slices.ContainsFunc(args, func(a string) bool { return a == "-f" || a == "-F" }) {
		s.endless, s.over = true, true
	}
	s.status = 0
}

func (s *shell) test(args []string, _ string) {
	s.status = 0
	args = slices.DeleteFunc(slices.Clone(args), func(a string) bool { return a == "]" })
	invert := len(args) > 0 && args[0] == "!"
	if invert {
		args = args[1:]
	}
	ok := len(args) > 0
	switch {
	case len(args) == 2 && slices.Contains([]string{"-f", "-e", "-s", "-r", "-d"}, args[0]):
		ok = s.exists(args[1])
	case len(args) == 2 && args[0] == "-z":
		ok = args[1] == ""
	case len(args) == 3 && (args[1] == "=" || args[1] == "==" || args[1] == "-eq"):
		ok = args[0] == args[2]
	case len(args) == 3 && (args[1] == "!=" || args[1] == "-ne"):
		ok = args[0] != args[2]
	}
	if ok == invert {
		s.status = 1
	}
}

func (s *shell) exec(args []string, to string) {
	s.command(args, to, true)
	s.over = true
}

func (s *shell) sh(args []string, _ string) {
	for i, a := range args {
		if strings.HasPrefix(a, "-") && strings.HasSuffix(a, "c") && i+1 < len(args) {
			list, err := parseScript(args[i+1])
			if err != nil {
				s.endless, s.over, s.guessed = true, true, true
				return
			}
			s.run(list)
			return
		}
	}
	s.status = 0 // a shell without a terminal reads nothing, and leaves
}

// runs says whether a command is the image's own program.
func (m *Image) runs(name string) bool { return slices.Contains(m.Programs, name) }
