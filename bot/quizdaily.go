package bot

import (
	"strconv"
	"strings"
	"time"

	"timonier/bot/quiz"
)

// dailyPlan is the question of the day of a channel: at which hour of its time zone it is asked,
// and which one is open.
type dailyPlan struct {
	On      bool      `json:"on,omitempty"`
	Hour    int       `json:"hour,omitempty"`
	Minute  int       `json:"minute,omitempty"`
	Session string    `json:"session,omitempty"` // of the last question that was asked
	Rota    quiz.Rota `json:"rota,omitzero"`
	Silent  int       `json:"silent,omitempty"` // days in a row that nobody answered
}

// next is when the question is asked next, after a time.
func (p dailyPlan) next(after time.Time, zone *time.Location) time.Time {
	return quiz.NextDaily(after, p.Hour, p.Minute, zone)
}

// daily is /quiz jour 09:00, and /quiz jour fin; alone it says what there is.
func (c *call) daily(rest string) (Reply, error) {
	if rest == "" {
		r, err := c.dailyHere(Reply{})
		if err == nil && len(r.Blocks) == 0 {
			r = Reply{Blocks: []Block{Text{c.say("quiz.daily.none")}, Text{c.say("quiz.daily.usage")}}}
		}
		return r, err
	}
	if !c.may(leads) {
		return c.forbidden(c.typed("quiz", quizDaily.in(c.words))), nil
	}
	plan := &c.channel.quiz.Daily
	if quizEnd.is(rest) {
		return c.endDaily(plan)
	}
	hour, minute, ok := clockTime(rest)
	if !ok {
		r := c.mistake("quiz.daily.unclear", with{"Word": shorten(rest)})
		r.Blocks = append(r.Blocks, Text{c.say("quiz.daily.usage")})
		return r, nil
	}
	if len(c.items()) == 0 {
		return c.mistake("quiz.none"), nil
	}
	if mute := c.mute(); mute != nil {
		return *mute, nil
	}
	if plan.Rota.Seed == 0 {
		plan.Rota.Seed = c.newSeed()
	}
	plan.On, plan.Hour, plan.Minute, plan.Silent = true, hour, minute, 0
	next := plan.next(c.now, c.zone())
	c.wakeDailyAt(next)
	r := Reply{Blocks: []Block{Text{c.say("quiz.daily.set", with{"Time": c.hour(next.In(c.zone())), "Zone": c.zone().String()})},
		c.until(c.say("quiz.daily.first"), next)}}
	return r.with(Button{Label: c.say("quiz.daily.stop"), Line: c.typed("quiz", quizDaily.in(c.words), quizEnd.in(c.words))}), nil
}

// dailyHere says that there is a question of the day, and when the next one is.
func (c *call) dailyHere(r Reply) (Reply, error) {
	plan := c.channel.quiz.Daily
	if !plan.On {
		return r, nil
	}
	next := plan.next(c.now, c.zone())
	r.Blocks = append(r.Blocks, Text{c.say("quiz.daily.here", with{"Time": c.hour(next.In(c.zone())), "Zone": c.zone().String()})})
	return r, nil
}

// endDaily asks no question of the day any more, and shows the answers to the last one.
func (c *call) endDaily(plan *dailyPlan) (Reply, error) {
	if !plan.On {
		return c.mistake("quiz.daily.none"), nil
	}
	if _, err := c.closeDaily(plan); err != nil {
		return Reply{}, err
	}
	plan.On = false
	c.wakeDailyAt(time.Time{})
	return Reply{Blocks: []Block{Text{c.say("quiz.daily.ended")}}}, nil
}

// mostSilentDays is how many days in a row nobody may answer before the channel is left in peace.
const mostSilentDays = 14

// wakeDaily asks the question of the day, and shows the answers to that of the day before.
func (c *call) wakeDaily() error {
	plan := &c.channel.quiz.Daily
	if !plan.On {
		return nil
	}
	if err := c.readBank(); err != nil {
		return err
	}
	yesterday, err := c.closeDaily(plan)
	if err != nil {
		return err
	}
	if err := c.dropOld(); err != nil { // where nothing else is played, nothing else would
		return err
	}
	if plan.Silent >= mostSilentDays {
		plan.On = false
		c.announce("quiz/daily/rest", Reply{Blocks: []Block{Text{c.say("quiz.daily.rests")}}})
		return nil
	}
	next := plan.next(c.now, c.zone())
	c.wakeDailyAt(next)
	var ids []string
	for _, i := range c.items() {
		ids = append(ids, i.ID)
	}
	item, rota := plan.Rota.Next(ids)
	if item == "" {
		return nil
	}
	plan.Rota = rota
	seed := c.newSeed()
	s := &openQuiz{Session: *quiz.Begin(sessionID(seed), quiz.Usual(quiz.Daily), seed, []string{item}, c.now), Lang: c.lang}
	s.Advance(c.now)
	s.Closes = quiz.MomentOf(next)
	plan.Session = s.ID
	r := Reply{Blocks: []Block{Title{c.say("quiz.daily.title")}}}
	if yesterday != "" {
		r.Blocks = append(r.Blocks, Text{yesterday}, Divider{})
	}
	q, _ := c.put(s, 0, "")
	r = c.pose(r, posed{id: questionID(s.ID, 0), q: q})
	r.Blocks = append(r.Blocks, Text{"*" + c.say("quiz.daily.how") + "*"})
	c.announce(s.questionKey(0), r)
	return c.saveQuiz(s)
}

// closeDaily shows the answers to the question that is open in its stead, and sums them up.
func (c *call) closeDaily(plan *dailyPlan) (sum string, err error) {
	s, err := c.session(plan.Session)
	if err != nil || s == nil || s.Phase == quiz.Over {
		return "", err
	}
	given, err := c.givenTo(s, 0)
	if err != nil {
		return "", err
	}
	s.Do(quiz.Stop, c.now)
	plan.Silent++
	if len(given) > 0 {
		plan.Silent = 0
	}
	q, ok := c.put(s, 0, "")
	if !ok {
		return "", c.saveQuiz(s)
	}
	r := Reply{Blocks: []Block{Text{"*" + c.say("quiz.daily.title") + "*"}, Text{bold(c.any(q.Item.Ask))}}}
	right := 0
	var answers []quiz.Answer
	for _, rec := range given {
		answers = append(answers, rec.Answer)
		if rec.Right {
			right++
		}
	}
	c.announceLast("", s.questionKey(0), c.reveal(r, q, answers))
	if len(given) > 0 {
		sum = c.say("quiz.daily.yesterday", with{"Count": right, "Total": len(given), "Answer": c.rightWords(q)})
	}
	return sum, c.saveQuiz(s)
}

// lostDaily asks no question of the day any more in a channel where nobody sees it.
func (c *call) lostDaily(person string) error {
	if person == "" {
		c.channel.quiz.Daily.On = false
		c.wakeDailyAt(time.Time{})
	}
	return nil
}

// clockTime reads an hour of the day: 09:00, 9:00, 9h, 9 h 30, 21h05.
func clockTime(s string) (hour, minute int, ok bool) {
	s = strings.ToLower(strings.NewReplacer(" ", "", "\u00a0", "", "h", ":").Replace(fold(s)))
	h, m, colon := strings.Cut(s, ":")
	if !colon {
		return 0, 0, false
	}
	hour, err := strconv.Atoi(h)
	if m == "" {
		m = "00"
	}
	minute, err2 := strconv.Atoi(m)
	if err != nil || err2 != nil || strings.ContainsAny(s, "+-") || len(h) > 2 || len(m) != 2 || hour < 0 || hour > 23 || minute < 0 || minute > 59 {
		return 0, 0, false
	}
	return hour, minute, true
}
