package bot

import (
	"strings"

	"timonier/bot/quiz"
)

// A quiz is a session of bot/quiz that is played in a channel, or a review, which is one person's
// own. Its questions are posted as announcements; everybody answers by lines, of which the
// buttons under a question carry the letters; a receipt is for the person alone.

// The words of /quiz.
var (
	quizReview  = name{"révision", "review"}
	quizRace    = name{"course", "race"}
	quizHosted  = name{"animée", "hosted"}
	quizExam    = name{"examen", "exam"}
	quizDaily   = name{"jour", "daily"}
	quizAnswer  = name{"réponse", "answer"}
	quizHint    = name{"indice", "hint"}
	quizShow    = name{"question", "question"}
	quizNext    = name{"suivante", "next"}
	quizReveal  = name{"révèle", "reveal"}
	quizEnd     = name{"fin", "end"}
	quizResults = name{"résultats", "results"}
	quizFlag    = name{"signale", "flag"}
	quizLive    = name{"direct", "live"}
)

// quizVerb is one of the words, and what it does with what follows it.
type quizVerb struct {
	name    name
	aliases []string
	run     func(*call, string) (Reply, error)
	public  bool // the answer is for all to see
}

func quizVerbs() []quizVerb {
	return []quizVerb{
		{quizReview, []string{"reviser", "revise"}, (*call).review, false},
		{quizRace, nil, func(c *call, rest string) (Reply, error) { return c.beginQuiz(quiz.Race, rest) }, true},
		{quizHosted, []string{"anime"}, func(c *call, rest string) (Reply, error) { return c.beginQuiz(quiz.Hosted, rest) }, false},
		{quizExam, nil, func(c *call, rest string) (Reply, error) { return c.beginQuiz(quiz.Exam, rest) }, true},
		{quizDaily, []string{"quotidien"}, (*call).daily, true},
		{quizLive, nil, (*call).liveReview, false},
		{quizNext, nil, (*call).nextQuestion, false},
		{quizReveal, []string{"reveler"}, (*call).revealNow, false},
		{quizEnd, []string{"arrete", "stop"}, (*call).endQuiz, false},
		{quizResults, nil, (*call).results, false},
		{quizAnswer, []string{"reponds", "repond"}, (*call).answerQuiz, false},
		{quizHint, nil, (*call).hintQuiz, false},
		{quizFlag, []string{"signaler"}, (*call).flagItem, false},
		{quizShow, nil, (*call).showQuestion, false},
	}
}

// quizPicks are the verbs that a platform's menu shows: the others are a button's.
func quizPicks() []pick {
	var out []pick
	for _, n := range []name{quizReview, quizLive, quizRace, quizHosted, quizDaily, quizExam, quizNext, quizReveal, quizEnd, quizResults} {
		out = append(out, pick{n, ""})
	}
	return out
}

// quizVerbOf finds the verb that a word names.
func quizVerbOf(word string) (quizVerb, bool) {
	for _, v := range quizVerbs() {
		if v.name.is(word) {
			return v, true
		}
		for _, a := range v.aliases {
			if fold(word) == a {
				return v, true
			}
		}
	}
	return quizVerb{}, false
}

// quizCommand is /quiz: what there is to do; and /quiz VERB …
func quizCommand(c *call) (Reply, error) {
	if err := c.readBank(); err != nil {
		return Reply{}, err
	}
	word, rest, _ := strings.Cut(c.args, " ")
	if word == "" {
		return c.quizMenu()
	}
	if v, ok := quizVerbOf(word); ok {
		return v.run(c, strings.TrimSpace(rest))
	}
	r := c.mistake("quiz.unknown", with{"Words": shorten(c.args)})
	r.Blocks = append(r.Blocks, Text{c.say("quiz.usage")})
	return r.with(Button{Label: c.say("quiz.menu"), Line: c.typed("quiz"), Style: Primary}), nil
}

// quizManner: what is asked of everybody is for all to see, all else is the person's own. Where
// it was for the person alone already, it goes on in the same message. An answer that is not
// there yet is asked for.
func quizManner(w words, args, text string, m *Manner) {
	word, rest, _ := strings.Cut(args, " ")
	v, ok := quizVerbOf(word)
	m.Private = !ok || !v.public
	m.Replace = m.Private
	m.Gathers = v.name == quizAnswer
	id, answer, _ := strings.Cut(strings.TrimSpace(rest), " ")
	if m.Gathers && id != "" && strings.TrimSpace(answer+text) == "" {
		m.Prompt = w.askAnswer("", "/quiz "+args)
	}
	m.aside = !(quizReview.is(word) || quizLive.is(word) || isReview(id))
}

// quizMenu is /quiz alone: what is due, what runs here, and what can be begun.
func (c *call) quizMenu() (Reply, error) {
	r := Reply{Blocks: []Block{Title{c.say("quiz.title")}}}
	r, err := c.dueHere(r)
	if err != nil {
		return r, err
	}
	s, err := c.openQuiz()
	if err != nil {
		return r, err
	}
	if s != nil {
		return c.running(r, s)
	}
	if r, err = c.dailyHere(r); err != nil {
		return r, err
	}
	r = r.with(Button{Label: c.say("quiz.startreview"), Line: c.typed("quiz", quizReview.in(c.words)), Style: Primary})
	if !c.may(asks) {
		return r, nil
	}
	r.Blocks = append(r.Blocks, Text{c.say("quiz.modes")})
	r = r.with(Button{Label: c.say("quiz.startrace"), Line: c.typed("quiz", quizRace.in(c.words))}).
		with(Button{Label: c.say("quiz.starthosted"), Line: c.typed("quiz", quizHosted.in(c.words))})
	if c.may(leads) {
		r = r.with(Button{Label: c.say("quiz.startexam"), Line: c.typed("quiz", quizExam.in(c.words))})
	}
	return r, nil
}

// running says what runs here, and what can be done about it.
func (c *call) running(r Reply, s *openQuiz) (Reply, error) {
	if c.mayLead(s) && s.Rules.Mode == quiz.Hosted {
		return c.panel(r, s)
	}
	r.Blocks = append(r.Blocks, Text{c.say("quiz.runs", with{"Mode": c.modeName(s.Rules.Mode), "State": c.quizState(s)})})
	switch {
	case s.Rules.Mode == quiz.Exam:
		var err error
		if r, err = c.handedIn(r, s); err != nil {
			return r, err
		}
		r = r.with(Button{Label: c.say("quiz.exam.go"), Line: c.typed("quiz", quizNext.in(c.words), s.ID), Style: Primary})
	case !c.mayLead(s):
	case s.Phase == quiz.Lobby:
		r = r.with(Button{Label: c.say("quiz.startnow"), Line: c.leadLine(s), Style: Primary})
	case s.Waits:
		r = r.with(Button{Label: c.say("quiz.resume"), Line: c.leadLine(s), Style: Primary})
	}
	r = r.with(Button{Label: c.say("quiz.startreview"), Line: c.typed("quiz", quizReview.in(c.words))})
	if c.mayLead(s) {
		r = r.with(Button{Label: c.say("quiz.stop"), Line: c.typed("quiz", quizEnd.in(c.words))})
	}
	return r, nil
}

// modeName is a mode's name in a sentence: une course.
func (c *call) modeName(m quiz.Mode) string {
	switch m {
	case quiz.Race:
		return c.say("quiz.race.name")
	case quiz.Hosted:
		return c.say("quiz.hosted.name")
	case quiz.Exam:
		return c.say("quiz.exam.name")
	}
	return c.say("quiz.daily.name")
}

// quizState is where a session stands, in a few words.
func (c *call) quizState(s *openQuiz) string {
	switch {
	case s.Phase == quiz.Over:
		return c.say("quiz.state.over")
	case s.Phase == quiz.Lobby:
		return c.say("quiz.state.lobby")
	case s.Rules.Mode == quiz.Exam:
		return c.say("quiz.state.exam", with{"Count": len(s.Items)})
	}
	return c.say("quiz.state.question", with{"Number": s.Question + 1, "Numbers": len(s.Items)})
}

func completeQuiz(c *call, words []string) []string {
	var out []string
	verb, _ := quizVerbOf(words[0])
	switch {
	case len(words) == 1:
		for _, v := range quizVerbs() {
			if v.name != quizAnswer && v.name != quizHint && v.name != quizShow {
				out = append(out, v.name.in(c.words))
			}
		}
	case verb.name == quizDaily && len(words) == 2:
		return []string{"09:00", quizEnd.in(c.words)}
	case verb.name == quizRace || verb.name == quizHosted || verb.name == quizExam:
		for _, o := range quizOptions() {
			switch {
			case o.flag != nil:
				out = append(out, o.name.in(c.words)+"="+wordYes.in(c.words), o.name.in(c.words)+"="+wordNo.in(c.words))
			default:
				out = append(out, o.name.in(c.words)+"=")
			}
		}
	}
	return out
}
