package bot

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"timonier/bot/quiz"
	"timonier/content"
)

// The words of /rapport.
var (
	reportAnswers = name{"réponses", "answers"}
	reportGrades  = name{"notes", "grades"}
	reportLast    = name{"dernier", "last"}
)

// How much of a report is shown in the chat: the files have all.
const (
	mostBeliefs = 5
	mostFlawed  = 5
)

// classwork is what a channel's quizzes have left: the sessions, the answers, the names of those
// who agreed to be named.
type classwork struct {
	sessions []*openQuiz // by when they began
	records  []quiz.Record
	names    map[string]string        // by person
	live     map[string]*content.Item // questions made for the sessions, by ID
}

// reportCommand is /rapport: what the answers of the class say; /rapport réponses and /rapport
// notes give them as files, /rapport dernier is about the last quiz alone.
func reportCommand(c *call) (Reply, error) {
	if err := c.readBank(); err != nil {
		return Reply{}, err
	}
	answers, grades, last := false, false, false
	for _, w := range strings.Fields(c.args) {
		switch {
		case reportAnswers.is(w):
			answers = true
		case reportGrades.is(w):
			grades = true
		case reportLast.is(w):
			last = true
		default:
			r := c.mistake("report.unknown", with{"Words": shorten(c.args)})
			r.Blocks = append(r.Blocks, Text{c.say("report.usage")})
			return r, nil
		}
	}
	if err := c.dropOld(); err != nil {
		return Reply{}, err
	}
	work, err := c.classwork(last)
	switch {
	case err != nil:
		return Reply{}, err
	case len(work.records) == 0:
		r := Reply{Blocks: []Block{Text{c.say("report.none")}}}
		return r.with(Button{Label: c.say("quiz.menu"), Line: c.typed("quiz"), Style: Primary}), nil
	case answers:
		return c.file(c.say("report.answersfile", with{"Count": len(work.records)}), c.say("report.answersname"), c.answersTable(work)), nil
	case grades:
		table := c.gradesTable(work)
		return c.file(c.say("report.gradesfile", with{"Count": len(table) - 1}), c.say("report.gradesname"), table), nil
	}
	return c.report(work, last), nil
}

// classwork reads the channel's; of the last session only.
func (c *call) classwork(last bool) (classwork, error) {
	sessions, err := c.allQuizzes()
	if err != nil {
		return classwork{}, err
	}
	w := classwork{sessions: sessions, names: map[string]string{}, live: map[string]*content.Item{}}
	prefix := keyAnswer
	if n := len(sessions); last && n > 0 {
		w.sessions = sessions[n-1:]
		prefix = sessionAnswers(w.sessions[0].ID)
	}
	records, err := c.readAnswered(prefix)
	if err != nil {
		return w, err
	}
	for _, r := range records {
		if r.Given() && w.session(r.Session) != nil {
			w.records = append(w.records, r)
		}
	}
	made, _, err := c.tutor.cfg.Store.Read(c.ctx, c.channel.scope, keyLive)
	if err != nil {
		return w, fmt.Errorf("read live questions: %w", err)
	}
	for _, rec := range made {
		i := &content.Item{}
		if err := json.Unmarshal(rec.Value, i); err != nil {
			return w, fmt.Errorf("decode record %s: %w", rec.Key, err)
		}
		w.live[i.ID] = i
	}
	for _, s := range w.sessions { // the latest name stays
		names, err := c.readNames(s.ID)
		if err != nil {
			return w, err
		}
		for person, name := range names {
			w.names[person] = name
		}
	}
	return w, nil
}

func (w classwork) session(id string) *openQuiz {
	if i := slices.IndexFunc(w.sessions, func(s *openQuiz) bool { return s.ID == id }); i >= 0 {
		return w.sessions[i]
	}
	return nil
}

// allQuizzes are the channel's sessions, by when they began.
func (c *call) allQuizzes() ([]*openQuiz, error) {
	records, _, err := c.tutor.cfg.Store.Read(c.ctx, c.channel.scope, keyQuiz)
	if err != nil {
		return nil, fmt.Errorf("read sessions: %w", err)
	}
	var out []*openQuiz
	for _, rec := range records {
		if data, ok := c.channel.changed[rec.Key]; ok && data == nil { // deleted in this turn
			continue
		}
		s := &openQuiz{}
		if err := json.Unmarshal(rec.Value, s); err != nil {
			return nil, fmt.Errorf("decode record %s: %w", rec.Key, err)
		}
		out = append(out, s)
	}
	slices.SortStableFunc(out, func(a, b *openQuiz) int { return cmp.Compare(a.Began, b.Began) })
	return out, nil
}

// itemsIn finds a question that was asked: the bank's, or one made for a session.
func (c *call) itemsIn(w classwork) func(id string) (*content.Item, bool) {
	return func(id string) (*content.Item, bool) {
		if i, ok := w.live[id]; ok {
			return i, true
		}
		return c.item(id)
	}
}

// report is the class's, in the chat: figures first, then what it believes, then what is asked badly.
func (c *call) report(w classwork, last bool) Reply {
	rep := quiz.ReportOn(w.records, c.itemsIn(w))
	r := Reply{Blocks: []Block{Title{c.say("report.title")}}}
	quizzes := c.say("report.quizzes", with{"Count": len(w.sessions)})
	if last {
		quizzes = c.say("report.lastquiz", with{"Mode": c.modeName(w.sessions[0].Rules.Mode), "Date": c.dateOf(w.sessions[0].Began.Time())})
	}
	r.Blocks = append(r.Blocks,
		Text{strings.Join([]string{c.say("report.learners", with{"Count": len(rep.Learners)}), c.say("report.answers", with{"Count": rep.Answers}), quizzes}, " · ")},
		Meter{Label: c.say("report.credit", with{"Share": c.percent(rep.Credit)}), Done: int(rep.Credit*100 + 0.5), Total: 100})
	r = c.reportBeliefs(r, rep)
	r = c.reportFlawed(r, rep)
	if len(rep.Objectives) > 0 {
		r.Blocks = append(r.Blocks, c.objectivesTable(rep))
	}
	rest := ""
	if last {
		rest = " " + reportLast.in(c.words)
	}
	r = r.with(Button{Label: c.say("report.getanswers"), Line: c.typed("report", reportAnswers.in(c.words)) + rest}).
		with(Button{Label: c.say("report.getgrades"), Line: c.typed("report", reportGrades.in(c.words)) + rest})
	if !last && len(w.sessions) > 1 {
		r = r.with(Button{Label: c.say("report.onlylast"), Line: c.typed("report", reportLast.in(c.words))})
	}
	return r
}

// reportBeliefs names the misconceptions most spread, with the lessons that put them right.
func (c *call) reportBeliefs(r Reply, rep quiz.Report) Reply {
	var lines, lessons []string
	for _, s := range rep.Misconceptions {
		m, ok := c.content.Misconception(s.Misconception)
		if !ok || s.Learners == 0 || len(lines) == mostBeliefs {
			continue
		}
		line := fmt.Sprintf("%d. **%s** · %s", len(lines)+1, c.in(m.Name), c.say("report.shown", with{"Count": s.Learners}))
		if s.Firm > 0 {
			line += " " + c.say("report.firm", with{"Count": s.Firm})
		}
		lines = append(lines, line)
		if l, ok := c.content.Lesson(m.Lesson); ok && !slices.Contains(lessons, l.ID) {
			lessons = append(lessons, l.ID)
			r = r.with(Button{Label: c.say("report.lesson", with{"Lesson": l.ID}), Line: c.typed("course", l.ID)})
		}
	}
	if len(lines) == 0 {
		r.Blocks = append(r.Blocks, Text{c.say("report.nobelief")})
		return r
	}
	r.Blocks = append(r.Blocks, Text{c.say("report.beliefs") + "\n\n" + strings.Join(lines, "\n")})
	return r
}

// flawText says why a question needs a look.
func (c *call) flawText(f quiz.Flaw) string {
	switch f {
	case quiz.Misleads:
		return c.say("report.flaw.misleads")
	case quiz.Tempting:
		return c.say("report.flaw.tempting")
	case quiz.TooHard:
		return c.say("report.flaw.hard")
	case quiz.TooEasy:
		return c.say("report.flaw.easy")
	}
	return c.say("report.flaw.flat")
}

// reportFlawed lists the questions that need a look, the gravest first.
func (c *call) reportFlawed(r Reply, rep quiz.Report) Reply {
	order := []quiz.Flaw{quiz.Misleads, quiz.Tempting, quiz.TooHard, quiz.SaysLittle, quiz.TooEasy}
	flawed := slices.DeleteFunc(slices.Clone(rep.Items), func(i quiz.ItemResult) bool { return i.Flaw() == quiz.NoFlaw })
	slices.SortStableFunc(flawed, func(a, b quiz.ItemResult) int {
		return cmp.Or(cmp.Compare(slices.Index(order, a.Flaw()), slices.Index(order, b.Flaw())), cmp.Compare(a.Ease, b.Ease))
	})
	var lines []string
	for _, i := range flawed[:min(len(flawed), mostFlawed)] {
		figures := c.say("report.item", with{"Share": c.percent(i.Ease), "Count": i.Answered})
		if i.Known {
			figures += ", " + c.say("report.discrimination", with{"Number": c.decimal(strconv.FormatFloat(i.Discrimination, 'f', 2, 64))})
		}
		lines = append(lines, fmt.Sprintf("- `%s` · %s\n  %s", i.Item.ID, figures, c.flawText(i.Flaw())))
	}
	if len(lines) > 0 {
		r.Blocks = append(r.Blocks, Text{c.say("report.flawed", with{"Count": len(flawed)}) + "\n\n" + strings.Join(lines, "\n")})
	}
	return r
}

// objectivesTable are the objectives, the least known first.
func (c *call) objectivesTable(rep quiz.Report) Table {
	all := slices.Clone(rep.Objectives)
	slices.SortStableFunc(all, func(a, b quiz.ObjectiveResult) int { return cmp.Compare(a.Ease, b.Ease) })
	t := Table{Columns: []string{c.say("report.objective"), c.say("report.count"), c.say("report.success")}}
	for _, o := range all {
		label := o.Objective
		if known, ok := c.content.Objective(o.Objective); ok {
			label = c.in(known.Name)
		}
		t.Rows = append(t.Rows, []string{label, strconv.Itoa(o.Answered), c.percent(o.Ease)})
	}
	return t
}

// dateOf is a day in the channel's zone: 2026-11-03.
func (c *call) dateOf(t time.Time) string { return t.In(c.zone()).Format(time.DateOnly) }

// dropOld deletes what the channel's quizzes have left that is older than the tenant keeps it.
func (c *call) dropOld() error {
	sessions, err := c.allQuizzes()
	if err != nil {
		return err
	}
	for _, s := range sessions {
		if ended := s.Ended.Time(); s.Phase == quiz.Over && c.now.Sub(ended) > c.retention() {
			c.dropQuiz(s.ID)
		}
	}
	return nil
}

// dropQuiz deletes all that a session has left.
func (c *call) dropQuiz(id string) {
	ch := c.channel
	for _, prefix := range []string{keyAnswer, keyExam, keyNames, keyLive} {
		ch.drop = append(ch.drop, prefix+id+"/")
	}
	ch.set(keyQuiz+id, nil)
	ch.quizzes = quizzes{}
	if ch.quiz.Last == id {
		ch.quiz.Last = ""
	}
}

// usualRetention is how long answers are kept where nothing is chosen, and mostRetention the
// longest that can be, in days.
const (
	usualRetention = 365
	mostRetention  = 3650
)

// retention is how long answers are kept here after a quiz has ended.
func (c *call) retention() time.Duration {
	return time.Duration(cmp.Or(c.house.settings.Retention, usualRetention)) * 24 * time.Hour
}

func completeReport(c *call, words []string) []string {
	if len(words) > 2 {
		return nil
	}
	return []string{reportAnswers.in(c.words), reportGrades.in(c.words), reportLast.in(c.words)}
}
