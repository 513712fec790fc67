package bot

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"timonier/content"
)

// question is the one that is put to a channel: which image of an analogy is a concept's.
// It is open until someone ends it; each person's first answer counts.
type question struct {
	ID      string `json:"id,omitempty"`
	Analogy int    `json:"analogy,omitempty"` // its number
	Options string `json:"options,omitempty"` // IDs of the concepts whose images are offered, in order; blanks between
	Right   int    `json:"right,omitempty"`   // index in Options
	Closed  bool   `json:"closed,omitempty"`
}

const optionCount = 4

// The words of /quiz.
var (
	quizAnswer = name{"réponse", "answer"}
	quizEnd    = name{"fin", "end"}
)

// quizCommand is /quiz: a question to the channel; /quiz fin ends it and shows the answers.
func quizCommand(c *call) (Reply, error) {
	words := strings.Fields(c.args)
	switch {
	case len(words) == 0:
		if !c.may(asks) {
			return c.mistake("line.forbidden", with{"Command": c.typed("quiz")}), nil
		}
		return c.ask()
	case quizEnd.is(words[0]):
		if !c.may(asks) {
			return c.mistake("line.forbidden", with{"Command": c.typed("quiz", quizEnd.in(c.words))}), nil
		}
		return c.endQuestion()
	case quizAnswer.is(words[0]) && len(words) == 3:
		return c.answerQuestion(words[1], words[2])
	}
	r := c.mistake("quiz.unknown", with{"Words": shorten(c.args)})
	r.Blocks = append(r.Blocks, Text{c.say("quiz.usage")})
	return r, nil
}

func quizManner(_ words, args, _ string, m *Manner) {
	word, _, _ := strings.Cut(args, " ")
	m.Private = quizAnswer.is(word)
}

// ask puts a new question. One that was open is closed.
func (c *call) ask() (Reply, error) {
	q, ok := c.newQuestion()
	if !ok {
		return c.mistake("quiz.none"), nil
	}
	if c.channel.question.ID != "" { // the answers to the one before have had their time
		c.channel.drop = append(c.channel.drop, keyAnswer)
	}
	c.channel.question, c.channel.answers = q, map[string]int{}
	return c.showQuestion()
}

// newQuestion draws a question from the course's analogies.
func (c *call) newQuestion() (question, bool) {
	h := fnv.New64a()
	fmt.Fprintf(h, "%q %q %q %q %d", c.request.Platform, c.request.Tenant, c.request.Channel, c.channel.question.ID, c.now.UnixNano())
	seed := h.Sum64()
	dice := rand.New(rand.NewPCG(seed, binary.BigEndian.Uint64([]byte("question"))))
	var all []*content.Analogy
	for _, a := range c.content.Analogies {
		if len(a.Rows) >= optionCount {
			all = append(all, a)
		}
	}
	if len(all) == 0 {
		return question{}, false
	}
	a := all[dice.IntN(len(all))]
	var options, fit []string
	for _, i := range dice.Perm(len(a.Rows))[:optionCount] {
		options = append(options, a.Rows[i].Concept)
		if c.tells(a.Rows[i]) {
			fit = append(fit, a.Rows[i].Concept)
		}
	}
	if len(fit) == 0 { // four images that all give themselves away: no course has them
		return question{}, false
	}
	right := slices.Index(options, fit[dice.IntN(len(fit))])
	return question{ID: strconv.FormatUint(seed, 36), Analogy: a.Number, Options: strings.Join(options, " "), Right: right}, true
}

// tells says that an image does not give its concept away by having its name in it: a
// client is like a client.
func (c *call) tells(r content.Row) bool {
	t, ok := c.content.Term(r.Concept)
	if !ok {
		return false
	}
	for _, lang := range content.Langs() {
		if strings.Contains(fold(r.Image.In(lang)), fold(t.Name.In(lang))) {
			return false
		}
	}
	return true
}

// letter is how an option is called: A, B, C, D.
func letter(i int) string { return string(rune('A' + i)) }

// images are the options' images, in the order of their letters.
func (c *call) images(q question) (concepts []string, images []content.Row) {
	a, ok := c.content.Analogy(q.Analogy)
	if !ok {
		return nil, nil
	}
	for _, id := range strings.Fields(q.Options) {
		row, ok := a.Row(id)
		if !ok {
			return nil, nil
		}
		concepts, images = append(concepts, id), append(images, row)
	}
	return concepts, images
}

// termName is a concept's name.
func (c *call) termName(id string) string {
	if t, ok := c.content.Term(id); ok {
		return c.in(t.Name)
	}
	return id
}

// showQuestion is the question as the channel sees it: with how many have answered while
// it is open, with the answers and the right one once it is closed.
func (c *call) showQuestion() (Reply, error) {
	q := c.channel.question
	concepts, rows := c.images(q)
	if len(rows) <= q.Right {
		return c.mistake("quiz.none"), nil // the course has changed since
	}
	a, _ := c.content.Analogy(q.Analogy)
	counts, total, err := c.counts()
	if err != nil {
		return Reply{}, err
	}
	r := Reply{Blocks: []Block{Text{c.say("quiz.question", with{"Analogy": c.in(a.Title), "Concept": c.termName(concepts[q.Right])})}}}
	var b strings.Builder
	for i, row := range rows {
		fmt.Fprintf(&b, "- **%s** · %s\n", letter(i), c.in(row.Image))
	}
	r.Blocks = append(r.Blocks, Text{b.String()})
	if !q.Closed {
		r.Blocks = append(r.Blocks, Text{c.say("quiz.count", with{"Count": total})})
		for i := range rows {
			r = r.with(Button{Label: letter(i), Line: c.typed("quiz", quizAnswer.in(c.words), q.ID, letter(i))})
		}
		r.Follow = &Follow{Question: q.ID}
		return r.with(Button{Label: c.say("quiz.end"), Line: c.typed("quiz", quizEnd.in(c.words)), Style: Primary}), nil
	}
	for i := range rows {
		mark := ""
		if i == q.Right {
			mark = " ✓"
		}
		r.Blocks = append(r.Blocks, Meter{Label: c.say("quiz.bar", with{"Letter": letter(i) + mark, "Number": counts[i]}), Done: counts[i], Total: max(1, total)})
	}
	r.Blocks = append(r.Blocks, Text{c.explain(q, q.Right)})
	return r.with(Button{Label: c.say("quiz.next"), Line: c.typed("quiz"), Style: Primary}), nil
}

// explain says why an option is the right one, or what its image stands for instead.
func (c *call) explain(q question, option int) string {
	concepts, rows := c.images(q)
	right := rows[q.Right]
	why := c.say("quiz.why", with{"Letter": letter(q.Right), "Concept": c.termName(concepts[q.Right]), "Image": c.in(right.Image), "Like": c.in(right.Like)})
	if option != q.Right {
		why = c.say("quiz.wrong", with{"Letter": letter(option), "Image": c.in(rows[option].Image), "Concept": c.termName(concepts[option])}) + " " + why
	}
	if breaks := c.in(right.Breaks); breaks != "" {
		why += "\n\n⚠️ *" + c.say("analogy.breaks") + ".* " + breaks
	}
	return why
}

// counts are the answers to the question, by option.
func (c *call) counts() (counts []int, total int, err error) {
	if err := c.readAnswers(); err != nil {
		return nil, 0, err
	}
	counts = make([]int, optionCount)
	for _, i := range c.channel.answers {
		if i >= 0 && i < len(counts) {
			counts[i]++
		}
	}
	return counts, len(c.channel.answers), nil
}

// readAnswers reads the answers to the channel's question, unless they are in memory.
func (c *call) readAnswers() error {
	ch := c.channel
	if ch.answers != nil {
		return nil
	}
	ch.answers = map[string]int{}
	if ch.question.ID == "" {
		return nil
	}
	prefix := keyAnswer + ch.question.ID + "/"
	records, _, err := c.tutor.cfg.Store.Read(c.ctx, ch.scope, prefix)
	if err != nil {
		return fmt.Errorf("read answers: %w", err)
	}
	for _, rec := range records {
		if i, err := strconv.Atoi(string(rec.Value)); err == nil {
			ch.answers[rec.Key[len(prefix):]] = i
		}
	}
	return nil
}

// answerQuestion counts a person's first answer, and says at once what there is to say about it.
func (c *call) answerQuestion(id, word string) (Reply, error) {
	q := c.channel.question
	option := strings.Index("ABCD", strings.ToUpper(word))
	_, rows := c.images(q)
	switch {
	case q.ID != id || len(rows) <= q.Right:
		return c.mistake("quiz.over"), nil
	case option < 0 || len(word) != 1:
		return c.mistake("quiz.unknown", with{"Words": shorten(word)}), nil
	}
	if err := c.readAnswers(); err != nil {
		return Reply{}, err
	}
	if given, ok := c.channel.answers[c.request.Who.ID]; ok {
		return Reply{Blocks: []Block{Text{c.say("quiz.already", with{"Letter": letter(given)})}}}, nil
	}
	if q.Closed {
		return c.mistake("quiz.over"), nil
	}
	c.channel.answers[c.request.Who.ID] = option
	c.channel.set(keyAnswer+q.ID+"/"+c.request.Who.ID, []byte(strconv.Itoa(option)))
	p := &c.learner.progress
	p.Asked++
	verdict := "quiz.no"
	if option == q.Right {
		p.Right++
		verdict = "quiz.yes"
	}
	return Reply{Blocks: []Block{Text{c.say("quiz.noted", with{"Letter": letter(option)}) + " " + c.say(verdict) + "\n\n" + c.explain(q, option)}}}, nil
}

// endQuestion closes the question, and shows the answers.
func (c *call) endQuestion() (Reply, error) {
	q := &c.channel.question
	if q.ID == "" || q.Closed {
		r := c.mistake("quiz.nothing")
		return r.with(Button{Label: c.say("quiz.next"), Line: c.typed("quiz"), Style: Primary}), nil
	}
	q.Closed = true
	return c.showQuestion()
}

// goOnQuestion is the message with the question, kept up to date.
func (c *call) goOnQuestion(shown Reply) (Reply, bool, error) {
	if c.channel.question.ID != shown.Follow.Question {
		return shown, false, nil // another has been asked since: this one stays as it is
	}
	r, err := c.showQuestion()
	if err != nil {
		return shown, false, err
	}
	before := shown.Blocks[:shown.Follow.Blocks:shown.Follow.Blocks]
	r.Private, r.Blocks = shown.Private, append(before, r.Blocks...)
	if r.Follow == nil {
		r.Buttons = nil // the reply to /quiz fin has them
		return r, false, nil
	}
	r.Follow.Blocks = len(before)
	return r, true, nil
}

func completeQuiz(c *call, words []string) []string {
	if len(words) > 1 {
		return nil
	}
	return []string{quizEnd.in(c.words)}
}
