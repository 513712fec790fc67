package bot

import (
	"iter"
	"strconv"
	"strings"
	"time"

	"timonier/bot/quiz"
)

// A review is one person's own: private, at their own pace, one question after the other, as the
// cards of their deck become due.

// reviewing is the question of a review that is open, and where the review is.
type reviewing struct {
	Number int       `json:"number,omitempty"` // of the question: it names it in a line
	Item   string    `json:"item,omitempty"`
	Seed   uint64    `json:"seed,omitempty"`
	Asked  time.Time `json:"asked,omitzero"`
	Hint   bool      `json:"hint,omitempty"`
	Done   bool      `json:"done,omitempty"`   // it has been answered
	Fresh  bool      `json:"fresh,omitempty"`  // new questions were asked for
	Last   string    `json:"last,omitempty"`   // the lesson of the one before
	Module string    `json:"module,omitempty"` // the section or lesson that was asked for
	Live   bool      `json:"live,omitempty"`   // it was made of the channel's cluster: see quizlive.go
}

// reviewStays is how long an open question stays the next one.
const reviewStays = 12 * time.Hour

// reviewFresh is the word that asks for new questions.
var reviewFresh = name{"nouvelles", "new"}

// reviewID names a question of a review in a line: r12.
func reviewID(n int) string { return "r" + strconv.Itoa(n) }

// isReview says that an ID is reviewID's: a session's has a full stop in it.
func isReview(id string) bool {
	n, ok := strings.CutPrefix(id, "r")
	_, err := strconv.Atoi(n)
	return ok && err == nil
}

// review is /quiz révision: the next question that is due, or, with nouvelles, a new one; of a
// section or a lesson alone where one is named.
func (c *call) review(rest string) (Reply, error) {
	fresh, module, wrong := c.reviewWords(rest)
	if wrong != nil {
		return *wrong, nil
	}
	p := &c.learner.review
	deck, err := c.deck()
	if err != nil {
		return Reply{}, err
	}
	if i, ok := c.item(p.Item); ok && !c.sealed[i.ID] && !p.Done && !p.Live && c.now.Sub(p.Asked) < reviewStays && ofModule(i.Lesson, module) {
		return c.reviewPage(deck, true)
	}
	within := func(id string) (string, bool) {
		lesson, ok := c.lessonOf(id)
		return lesson, ok && ofModule(lesson, module)
	}
	need := quiz.Need{Now: c.now, Today: c.today(), Count: 1, After: p.Last, Lesson: within}
	next := deck.Next(need)
	if len(next) == 0 && fresh {
		need.Fresh, need.PerDay, need.Count = c.freshItems(module), 1<<20, freshAmong
		next = otherFirst(deck.Next(need), p.Last)
	}
	if len(next) == 0 {
		return c.nothingDue(deck, fresh, module), nil
	}
	*p = reviewing{Number: p.Number + 1, Item: next[0].Item, Seed: c.newSeed(), Asked: c.now.UTC().Round(0), Fresh: fresh, Last: p.Last, Module: module}
	return c.reviewPage(deck, false)
}

// reviewWords reads what follows /quiz révision: nouvelles, and a section or a lesson: 4, 4.1, modules=4.
func (c *call) reviewWords(rest string) (fresh bool, module string, wrong *Reply) {
	for _, word := range strings.Fields(rest) {
		key, value, is := strings.Cut(word, "=")
		if !is || !quizOptions()[0].name.is(key) {
			value = word
		}
		switch {
		case reviewFresh.is(word):
			fresh = true
		case c.isModule(value) && module == "":
			module = value
		default:
			r := c.mistake("quiz.review.unknown", with{"Word": shorten(word), "Command": c.typed("quiz", quizReview.in(c.words))})
			r = r.with(c.reviewButton())
			return false, "", &r
		}
	}
	return fresh, module, nil
}

// ofModule says that a lesson is a module, or is in it; without a module any lesson is.
func ofModule(lesson, module string) bool {
	return module == "" || lesson == module || strings.HasPrefix(lesson, module+".")
}

// freshAmong is among how many new questions one of another lesson than the last one's is looked for.
const freshAmong = 12

// otherFirst puts first what is of another lesson than the one before: mixed, practice keeps better.
func otherFirst(next []quiz.Due, last string) []quiz.Due {
	for i, d := range next {
		if d.Lesson != last {
			return next[i:]
		}
	}
	return next
}

// today is the beginning of the day where the channel is.
func (c *call) today() time.Time {
	t := c.now.In(c.zone())
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, t.Location())
}

// lessonOf is the lesson of an item that may be asked.
func (c *call) lessonOf(id string) (string, bool) {
	i, ok := c.questions.item(id)
	if !ok || c.sealed[id] {
		return "", false
	}
	return i.Lesson, true
}

// freshItems are the items that the person has not seen: of the lessons that they have read, in
// the order of the course, then of the others. Only of a module, where one is asked for.
func (c *call) freshItems(module string) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for _, read := range []bool{true, false} {
			for l := range c.content.Lessons() {
				if among(c.learner.progress.Read, l.ID) != read || !ofModule(l.ID, module) {
					continue
				}
				for _, i := range c.items() {
					if i.Lesson == l.ID && !c.sealed[i.ID] && !yield(i.ID, i.Lesson) {
						return
					}
				}
			}
		}
		for _, i := range c.items() { // a teacher's own, of no lesson
			if _, ok := c.content.Lesson(i.Lesson); !ok && ofModule(i.Lesson, module) && !c.sealed[i.ID] && !yield(i.ID, i.Lesson) {
				return
			}
		}
	}
}

// nothingDue says when the next question is due, and offers new ones.
func (c *call) nothingDue(deck *quiz.Deck, fresh bool, module string) Reply {
	if len(c.items()) == 0 {
		return c.mistake("quiz.none")
	}
	o := deck.Outlook(c.now, func(id string) bool {
		lesson, ok := c.lessonOf(id)
		return ok && ofModule(lesson, module)
	})
	text := c.say("quiz.review.first")
	switch {
	case o.Cards > 0 && fresh:
		text = c.say("quiz.review.allseen")
	case o.Cards > 0:
		text = c.say("quiz.review.nothing", with{"In": c.inDays(o.Next.Sub(c.now))})
	}
	r := Reply{Blocks: []Block{Text{text}}}
	if fresh {
		return r.with(Button{Label: c.say("button.course"), Line: c.typed("course"), Style: Primary})
	}
	return r.with(c.freshButton(module)).with(Button{Label: c.say("button.course"), Line: c.typed("course")})
}

func (c *call) freshButton(module string) Button {
	line := c.typed("quiz", quizReview.in(c.words), reviewFresh.in(c.words), module)
	return Button{Label: c.say("quiz.review.fresh"), Line: strings.TrimSpace(line), Style: Primary}
}

func (c *call) reviewButton() Button {
	return Button{Label: c.say("quiz.startreview"), Line: c.typed("quiz", quizReview.in(c.words))}
}

// reviewPage is the open question of a review, and why it is this one now.
func (c *call) reviewPage(deck *quiz.Deck, again bool) (Reply, error) {
	p := c.learner.review
	item, ok := c.onReview()
	if !ok {
		return c.mistake("quiz.lost"), nil
	}
	r := Reply{Blocks: []Block{Text{"*" + c.say("quiz.review.still") + "*"}}}
	switch {
	case p.Hint, p.Live:
		r.Blocks = nil
	case !again:
		r.Blocks = []Block{Text{"*" + c.whyNow(deck, p.Item, item.Lesson) + "*"}}
	}
	r = c.pose(r, posed{id: reviewID(p.Number), q: quiz.Put(item, p.Seed), hint: p.Hint, hints: true})
	return r.with(Button{Label: c.say("quiz.review.dontknow"), Line: c.answering(reviewID(p.Number), dontKnow)}), nil
}

// dontKnow is the answer of whoever does not know: an honest one, which costs no guess.
const dontKnow = "?"

// whyNow says why a card is reviewed now.
func (c *call) whyNow(deck *quiz.Deck, item, lesson string) string {
	card, seen := deck.Card(item)
	switch {
	case !seen && among(c.learner.progress.Read, lesson):
		return c.say("quiz.review.whyread", with{"Lesson": lesson})
	case !seen && lesson != "":
		return c.say("quiz.review.whynew", with{"Lesson": lesson})
	case !seen:
		return c.say("quiz.review.whyown")
	}
	last := c.days(c.now.Sub(card.Memory.LastReview))
	if !card.Wrong.IsZero() && !card.Wrong.Before(card.Memory.LastReview.Truncate(time.Second)) {
		return c.say("quiz.review.whywrong", with{"Span": last})
	}
	return c.say("quiz.review.whydue", with{"Span": last})
}

// answerReview is an answer to the question of a review: the verdict, and when it is due again.
func (c *call) answerReview(id, typed string) (Reply, error) {
	p := &c.learner.review
	deck, err := c.deck()
	if err != nil {
		return Reply{}, err
	}
	item, ok := c.onReview()
	switch {
	case id != reviewID(p.Number) || !ok || c.sealed[item.ID]:
		return c.mistake("quiz.review.stale").with(c.nextReview(p)), nil
	case p.Done:
		return c.mistake("quiz.review.done").with(c.nextReview(p)), nil
	}
	q := quiz.Put(item, p.Seed)
	var a quiz.Answer
	unknown := strings.TrimSpace(typed) == dontKnow
	if !unknown {
		var wrong *Reply
		if a, wrong = c.readAnswer(posed{id: id, q: q, hint: p.Hint, hints: true}, strings.TrimSpace(typed)); wrong != nil {
			return *wrong, nil
		}
	}
	var v quiz.Verdict
	if !unknown {
		v = quiz.Grade(item, a)
	}
	c.learner.progress.Asked++
	if v.Right {
		c.learner.progress.Right++
	}
	p.Done, p.Last = true, item.Lesson
	c.learner.reminder.Since = time.Time{}
	r := c.reviewVerdict(q, a, v, unknown)
	if p.Live { // it is not asked again: the cluster will be another
		return r, nil
	}
	done := deck.Review(item.ID, quiz.Outcome{Right: v.Right, Credit: v.Credit, Hint: p.Hint, Slow: quiz.Slow(item.Kind, c.now.Sub(p.Asked))}, c.now)
	c.learner.set(shardRecord(done.Shard), deck.Pack(done.Shard))
	left := ""
	if o := deck.Outlook(c.now, c.mayAsk); o.Due > 0 {
		left = " " + c.say("quiz.review.left", with{"Count": o.Due})
	}
	r.Blocks = append(r.Blocks, Text{"*" + c.say("quiz.review.again", with{"In": c.inDays(done.Due.Sub(c.now))}) + left + "*"})
	return r, nil
}

// reviewVerdict is what an answer is worth, or, to whoever does not know, the right one.
func (c *call) reviewVerdict(q quiz.Question, a quiz.Answer, v quiz.Verdict, unknown bool) Reply {
	r := Reply{Blocks: []Block{Text{bold(c.any(q.Item.Ask))}}}.with(c.nextReview(&c.learner.review))
	if !unknown {
		return c.judge(r, q, a, v)
	}
	r.Blocks = append(r.Blocks, Text{c.right(q) + " " + c.any(q.Item.Why)})
	return c.withLesson(r, q.Item)
}

// nextReview is the button that goes on with a review.
func (c *call) nextReview(p *reviewing) Button {
	line := c.typed("quiz", quizReview.in(c.words))
	if p.Live {
		return Button{Label: c.say("quiz.live.again"), Line: c.typed("quiz", quizLive.in(c.words)), Style: Primary}
	}
	if p.Fresh {
		line += " " + reviewFresh.in(c.words)
	}
	if p.Module != "" {
		line += " " + p.Module
	}
	return Button{Label: c.say("quiz.next"), Line: line, Style: Primary}
}

// hintReview is the hint of the open question of a review; without an ID too.
func (c *call) hintReview(id string) (Reply, error) {
	p := &c.learner.review
	item, ok := c.onReview()
	switch {
	case !ok || p.Done || id != "" && id != reviewID(p.Number):
		return c.mistake("quiz.review.stale").with(c.nextReview(p)), nil
	case c.any(item.Hint) == "":
		return c.mistake("quiz.nohint"), nil
	}
	p.Hint = true
	deck, err := c.deck()
	if err != nil {
		return Reply{}, err
	}
	return c.reviewPage(deck, true)
}

// dueHere says how much is due for the person.
func (c *call) dueHere(r Reply) (Reply, error) {
	deck, err := c.deck()
	if err != nil {
		return r, err
	}
	return c.dueText(r, deck), nil
}

func (c *call) dueText(r Reply, deck *quiz.Deck) Reply {
	o := deck.Outlook(c.now, c.mayAsk)
	text := c.say("quiz.review.due", with{"Count": o.Due})
	switch {
	case o.Cards == 0:
		text = c.say("quiz.review.none")
	case o.Due == 0:
		text = c.say("quiz.review.nothing", with{"In": c.inDays(o.Next.Sub(c.now))})
	}
	r.Blocks = append(r.Blocks, Text{text})
	return r
}
