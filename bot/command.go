package bot

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"timonier/sim/apiserver"
)

// command is one row of the table of commands. To add one is to add a row.
type command struct {
	name    name     // in each language, without the slash
	aliases []string // other names, in no language in particular
	help    string   // ID of a line that says what it is for
	usage   string   // ID of how it is typed, with examples
	level   level
	free    func(args string) bool // what of it only looks, and is everyone's; nil: nothing
	looks   func(args string) bool // what of it changes nothing, and is answered where nothing can be kept; nil: nothing, or run says it
	run     func(*call) (Reply, error)
	// complete gives what may stand where the last of the words is, which may be
	// empty. Nil: nothing.
	complete func(c *call, words []string) []string
	// manner says how the command's line is answered. Nil: for all to see, in a new message.
	manner  func(w words, args, text string, m *Manner)
	options []option
	hidden  bool // only buttons carry it: no menu and no help shows it
}

// name is a word in each language.
type name struct{ fr, en string }

// in is the name in the language of the words.
func (n name) in(w words) string {
	if w.lang == "en" {
		return n.en
	}
	return n.fr
}

func (n name) is(word string) bool { return fold(word) == fold(n.fr) || fold(word) == fold(n.en) }

// commands are all, in the order in which help lists them.
func commands() []*command {
	return []*command{
		{name: name{"cours", "course"}, help: "course.help", usage: "course.usage", run: courseCommand, complete: completeCourse, manner: courseManner,
			options: []option{{name: name{"page", "page"}, help: "option.page", complete: true}}},
		{name: name{"analogie", "analogy"}, aliases: []string{"analogies"}, help: "analogy.help", usage: "analogy.usage", run: analogyCommand, complete: completeAnalogy, manner: alone,
			options: []option{{name: name{"numéro", "number"}, help: "option.analogy", complete: true}}},
		{name: name{"glossaire", "glossary"}, help: "glossary.help", usage: "glossary.usage", run: glossaryCommand, complete: completeGlossary, manner: alone,
			options: []option{{name: name{"terme", "term"}, help: "option.term", complete: true}}},
		{name: name{"exercice", "exercise"}, aliases: []string{"exercices", "exercises", "exo"}, help: "exercise.help", usage: "exercise.usage", run: exerciseCommand, complete: completeExercise, manner: exerciseManner,
			options: []option{{name: name{"quoi", "what"}, help: "option.exercise", complete: true}}},
		{name: name{"kubectl", "kubectl"}, aliases: []string{"k"}, help: "kubectl.help", usage: "kubectl.usage", run: kubectlCommand, complete: completeKubectl, manner: kubectlManner,
			options: []option{
				{name: name{"commande", "command"}, help: "option.kubectl", required: true, complete: true},
				{name: name{"fichier", "file"}, help: "option.manifest", kind: Manifest}}},
		{name: name{"kubeconfig", "kubeconfig"}, help: "kubeconfig.help", usage: "kubeconfig.usage", run: kubeconfigCommand, complete: completeKubeconfig, manner: alone,
			options: []option{
				{name: name{"action", "action"}, help: "option.kubeconfig", kind: Pick, choices: []pick{{kubeconfigList, ""}, {kubeconfigDrop, ""}}},
				{name: name{"précision", "detail"}, help: "option.kubeconfigdetail", complete: true}}},
		{name: name{"etcdctl", "etcdctl"}, help: "etcdctl.help", usage: "etcdctl.usage", run: etcdctlCommand, complete: completeEtcdctl,
			options: []option{{name: name{"commande", "command"}, help: "option.etcdctl", required: true, complete: true}}},
		{name: name{"pourquoi", "why"}, help: "why.help", usage: "why.usage", looks: always, run: whyCommand, complete: completeWhy,
			options: []option{
				{name: name{"pod", "pod"}, help: "option.pod", complete: true},
				{name: whether, help: "option.whether", complete: true}}},
		{name: name{"lentille", "lens"}, help: "lens.help", usage: "lens.usage", run: lensCommand, complete: completeLens, manner: alone,
			options: []option{forWhom(), {name: name{"lentille", "lens"}, help: "option.lens", complete: true}}},
		{name: name{"grappe", "cluster"}, help: "cluster.help", usage: "cluster.usage", looks: showsCluster, run: clusterCommand, complete: completeCluster,
			options: []option{
				{name: name{"action", "action"}, help: "option.cluster", kind: Pick, choices: []pick{{clusterSave, ""}, {clusterLoad, ""}, {clusterList, ""}, {clusterForget, ""}}},
				{name: name{"nom", "name"}, help: "option.name", complete: true}}},
		{name: name{"schéma", "diagram"}, aliases: []string{"schémas", "diagrams", "dessin", "draw"}, help: "draw.help", usage: "draw.usage", looks: always, run: diagramCommand, complete: completeDiagram,
			options: []option{
				{name: name{"quoi", "what"}, help: "option.drawing", complete: true},
				{name: name{"nom", "name"}, help: "option.drawn", complete: true}}},
		{name: name{"panne", "fault"}, aliases: []string{"break"}, help: "fault.help", usage: "fault.usage", level: breaks, free: listsFaults, looks: listsFaults, run: faultCommand, complete: completeFault,
			options: []option{
				{name: name{"quoi", "what"}, help: "option.fault", kind: Pick, choices: picks(pick{faultList, "option.list"})},
				{name: name{"cible", "target"}, help: "option.target", complete: true}}},
		{name: name{"répare", "repair"}, aliases: []string{"réparer", "mend"}, help: "repair.help", usage: "repair.usage", level: breaks, run: repairCommand, complete: completeRepair,
			options: []option{
				{name: name{"quoi", "what"}, help: "option.fault", kind: Pick, choices: picks(pick{repairAll, "option.everything"})},
				{name: name{"cible", "target"}, help: "option.target", complete: true}}},
		{name: name{"temps", "time"}, help: "time.help", usage: "time.usage", level: changes, free: showsTime, looks: showsTime, run: timeCommand, complete: completeTime,
			options: []option{
				{name: name{"action", "action"}, help: "option.time", kind: Pick, choices: []pick{{timeShow, ""}, {timeOn, ""}, {timeStep, ""}, {timePause, ""}, {timeResume, ""}, {timeSpeed, ""}}},
				{name: name{"valeur", "value"}, help: "option.span", complete: true}}},
		{name: name{"quiz", "quiz"}, help: "quiz.help", usage: "quiz.usage", run: quizCommand, complete: completeQuiz, manner: quizManner,
			options: []option{
				{name: name{"action", "action"}, help: "option.quiz", kind: Pick, choices: quizPicks()},
				{name: name{"précisions", "details"}, help: "option.quizdetails", complete: true}}},
		{name: bankName, help: "bank.help", usage: "bank.usage", level: leads, run: bankCommand, complete: completeBank, manner: bankManner,
			options: []option{
				{name: name{"action", "action"}, help: "option.bank", kind: Pick, choices: bankPicks()},
				{name: name{"précision", "detail"}, help: "option.bankdetail", complete: true},
				{name: name{"fichier", "file"}, help: "option.bankfile", kind: Manifest}}},
		{name: name{"rapport", "report"}, aliases: []string{"rapports", "reports"}, help: "report.help", usage: "report.usage", level: leads, run: reportCommand, complete: completeReport, manner: alone,
			options: []option{{name: name{"quoi", "what"}, help: "option.report", kind: Pick, choices: []pick{{reportAnswers, ""}, {reportGrades, ""}, {reportLast, ""}}}}},
		{name: name{"histoire", "story"}, aliases: []string{"histoires", "stories"}, help: "story.help", usage: "story.usage", run: storyCommand, complete: completeStory, manner: storyManner,
			options: []option{
				{name: name{"action", "action"}, help: "option.story", complete: true},
				{name: name{"précision", "detail"}, help: "option.storydetail", complete: true}}},
		{name: name{"progrès", "progress"}, aliases: []string{"progression"}, help: "learning.help", usage: "learning.usage", run: progressCommand, manner: alone},
		{name: name{"remise", "reset"}, help: "reset.help", usage: "reset.usage", level: resets, run: resetCommand,
			options: []option{{name: name{"action", "action"}, help: "option.reset", kind: Pick, choices: []pick{{confirmed, ""}}},
				{name: name{"membres", "members"}, help: "option.members", kind: Number}}},
		{name: name{"langue", "language"}, aliases: []string{"lang"}, help: "language.help", usage: "language.usage", run: languageCommand, complete: completeLanguage, manner: alone,
			options: []option{forWhom(), {name: name{"langue", "language"}, help: "option.language", kind: Pick, choices: []pick{{name{"fr", "fr"}, "language.french"}, {name{"en", "en"}, "language.english"}}}}},
		{name: name{"réglages", "settings"}, help: "settings.help", usage: "settings.usage", run: settingsCommand, complete: completeSettings, manner: alone,
			options: []option{
				{name: name{"portée", "scope"}, help: "option.scope", kind: Pick, choices: []pick{{forChannel, ""}, {forTenant, ""}, {forName, ""}, {myData, ""}, {forgetMe, ""}}},
				{name: name{"réglage", "setting"}, help: "option.setting", complete: true},
				{name: name{"valeur", "value"}, help: "option.value", complete: true}}},
		{name: name{"enseignants", "teachers"}, help: "teachers.help", usage: "teachers.usage", run: teachersCommand, manner: alone,
			options: []option{
				{name: name{"action", "action"}, help: "option.teachers", kind: Pick, choices: []pick{{teacherAdd, ""}, {teacherDrop, ""}}},
				{name: name{"qui", "who"}, help: "option.who", kind: Someone}}},
		{name: name{"aide", "help"}, aliases: []string{"?", "h"}, help: "help.help", usage: "help.usage", run: helpCommand, complete: completeHelp, manner: alone,
			options: []option{{name: name{"commande", "command"}, help: "option.command", complete: true}}},
		{name: name{"page", "page"}, help: "page.help", usage: "page.help", run: pageCommand, hidden: true, manner: func(_ words, _, _ string, m *Manner) { m.Replace = true }},
	}
}

// forWhom is whether a setting is the channel's.
func forWhom() option {
	return option{name: name{"pour", "for"}, help: "option.for", kind: Pick, choices: []pick{{forChannel, "option.channel"}}}
}

// alone is the manner of what concerns one person.
func alone(_ words, _, _ string, m *Manner) { m.Private = true }

// command finds a command by any of its names, typed without the slash.
func (t *Tutor) command(word string) (*command, bool) {
	for _, cmd := range t.commands {
		if cmd.name.is(word) || slices.ContainsFunc(cmd.aliases, func(a string) bool { return fold(a) == fold(word) }) {
			return cmd, true
		}
	}
	return nil, false
}

// slash is how the command is typed in this language.
func (c *call) slash(cmd *command) string { return "/" + cmd.name.in(c.words) }

// answer finds out what the line wants and does it.
func (c *call) answer() (Reply, error) {
	line := c.request.Line
	if len(line) > c.tutor.cfg.Limits.Line {
		return c.mistake("line.long", with{"Size": len(line) >> 10, "Limit": c.tutor.cfg.Limits.Line >> 10}), nil
	}
	if !utf8.ValidString(line) || strings.ContainsRune(line, 0) {
		return c.mistake("line.binary"), nil
	}
	if number := apiserver.OverlongNumber([]byte(line)); number != "" {
		return c.mistake("line.number", with{"Number": shorten(number)}), nil
	}
	first, rest, _ := strings.Cut(strings.TrimLeft(tidyNewlines(line), " \t\n"), "\n")
	first = strings.TrimSpace(tidyBlanks(first))
	if !strings.HasPrefix(first, "/") {
		return c.plain(first, rest)
	}
	word, args, _ := strings.Cut(strings.TrimPrefix(first, "/"), " ")
	cmd, ok := c.tutor.command(word)
	if !ok && args == "" && (next.is(word) || back.is(word) || resumes.is(word)) {
		return c.again("/course " + word) // /suite is /cours suite
	}
	if word == "" {
		return c.guide(), nil
	}
	if !ok {
		return c.unknown(word, args, rest), nil
	}
	args = strings.TrimSpace(args)
	if !c.may(cmd.level) && (cmd.free == nil || !cmd.free(args)) {
		return c.forbidden(c.slash(cmd)), nil
	}
	c.looked = cmd.looks != nil && cmd.looks(args)
	c.args, c.stdin, c.ran = args, rest, strings.TrimSpace(c.slash(cmd)+" "+args)
	return cmd.run(c)
}

// again answers another line in place of this one, as when a button's label is typed.
func (c *call) again(line string) (Reply, error) {
	c.request.Line = line
	return c.answer()
}

// mistake is the reply to what a learner did wrong: one sentence.
func (c *call) mistake(id string, data ...with) Reply {
	return Reply{Blocks: []Block{Text{c.say(id, data...)}}, Failed: true}
}

// buttonLine is as long as a button's line may be, in bytes: all platforms carry it.
const buttonLine = 100

// unknown suggests the nearest command there is, in either language.
func (c *call) unknown(word, args, rest string) Reply {
	r := Reply{Failed: true}
	nearest := c.nearest(word)
	if nearest == "" {
		help := c.slash(c.help())
		r.Blocks = []Block{Text{c.say("line.unknown", with{"Word": shorten(word), "Help": help})}}
		r.Buttons = []Button{{Label: help, Line: help}}
		return r
	}
	line := strings.TrimRight("/"+nearest+" "+args, " ")
	if rest != "" {
		line += "\n" + rest
	}
	r.Blocks = []Block{Text{c.say("line.nearest", with{"Word": shorten(word), "Nearest": "/" + nearest})}}
	if len(line) <= buttonLine {
		r.Buttons = []Button{{Label: c.say("button.yes"), Line: line, Style: Primary}}
	}
	return r
}

func (c *call) help() *command {
	cmd, _ := c.tutor.command("help")
	return cmd
}

// nearest is the name closest to a word, the learner's language first among
// equals; "" where none is close.
func (c *call) nearest(word string) string {
	best, least := "", max(1, min(3, (len([]rune(word))+1)/3))+1
	for _, cmd := range c.tutor.commands {
		if cmd.hidden {
			continue
		}
		for _, n := range append([]string{cmd.name.in(c.words), cmd.name.fr, cmd.name.en}, cmd.aliases...) {
			if d := distance(fold(word), fold(n)); len(n) > 1 && d < least {
				best, least = n, d
			}
		}
	}
	return best
}

// distance is the number of letters to add, leave out, replace or swap with their
// neighbour to make a word of another (optimal string alignment).
func distance(from, to string) int {
	a, b := []rune(from), []rune(to)
	if len(a) > 40 || len(b) > 40 {
		return max(len(a), len(b))
	}
	d := make([][]int, len(a)+1)
	for i := range d {
		d[i] = make([]int, len(b)+1)
		d[i][0] = i
	}
	for j := range d[0] {
		d[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			d[i][j] = min(d[i-1][j]+1, d[i][j-1]+1, d[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d[i][j] = min(d[i][j], d[i-2][j-2]+1)
			}
		}
	}
	return d[len(a)][len(b)]
}

// shorten is what was typed, short enough to be said back, and harmless.
func shorten(s string) string {
	const most = 60
	s = strings.Map(func(r rune) rune {
		if r == '`' || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) { // zero width, changes of direction
			return -1
		}
		return r
	}, s)
	s = strings.ReplaceAll(s, "](", "] (") // no link under another's words
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return s
}
