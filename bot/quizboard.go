package bot

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"timonier/bot/quiz"
)

// mostOnBoard is how many places the scoreboard of a class shows: nobody is shown last.
const mostOnBoard = 10

// showOver announces how a session ended: the scoreboard of a race, the class's result of an exam.
func (c *call) showOver(s *openQuiz) error {
	if s.Rules.Mode == quiz.Daily {
		return nil
	}
	board, records, err := c.board(s)
	if err != nil {
		return err
	}
	c.announceLast("", s.key()+"end", c.boardMessage(s, board, records))
	c.settle(s.key())
	return c.dropOld()
}

// board is the scoreboard of a session, and all its answers.
func (c *call) board(s *openQuiz) ([]quiz.Standing, []quiz.Record, error) {
	records, err := c.readAnswered(sessionAnswers(s.ID))
	if err != nil {
		return nil, nil, err
	}
	names, err := c.readNames(s.ID)
	if err != nil {
		return nil, nil, err
	}
	return s.Board(records, func(person string) string { return names[person] }), records, nil
}

// boardMessage is the scoreboard as all see it.
func (c *call) boardMessage(s *openQuiz, board []quiz.Standing, records []quiz.Record) Reply {
	r := Reply{Blocks: []Block{Title{c.say("quiz.board.title")}}}
	if s.Rules.Mode == quiz.Exam {
		r = Reply{Blocks: []Block{Title{c.say("quiz.board.exam")}}}
	}
	if len(board) == 0 {
		r.Blocks = append(r.Blocks, Text{c.say("quiz.board.empty")})
		return r.with(c.reviewButton())
	}
	if s.Rules.Mode != quiz.Exam {
		r.Blocks = append(r.Blocks, c.boardTable(board))
	}
	r.Blocks = append(r.Blocks, Text{c.say("quiz.board.class", with{"Count": len(board), "Share": c.percent(s.success(board, records))})})
	r = r.with(c.resultsButton(s))
	if s.Rules.Mode == quiz.Exam {
		return r
	}
	again := quizRace
	if s.Rules.Mode == quiz.Hosted {
		again = quizHosted
	}
	return r.with(Button{Label: c.say("quiz.board.again"), Line: c.typed("quiz", again.in(c.words))}).with(c.reviewButton())
}

func (c *call) resultsButton(s *openQuiz) Button {
	return Button{Label: c.say("quiz.board.mine"), Line: c.typed("quiz", quizResults.in(c.words), s.ID), Style: Primary}
}

// boardTable are the first places. Whoever has not agreed to be named is an apprentice of a number.
func (c *call) boardTable(board []quiz.Standing) Table {
	t := Table{Columns: []string{c.say("quiz.board.rank"), c.say("quiz.board.who"), c.say("quiz.board.points"), c.say("quiz.board.right")}}
	nameless := 0
	for i, st := range board {
		if i >= mostOnBoard {
			break
		}
		who := literal(st.Name)
		if st.Name == "" {
			nameless++
			who = c.say("quiz.board.nameless", with{"Number": nameless})
		}
		t.Rows = append(t.Rows, []string{strconv.Itoa(st.Rank), who, strconv.Itoa(st.Points), strconv.Itoa(st.Right)})
	}
	return t
}

// success is the share of all there was to win: in an exam, what was not answered counts too.
func (s *openQuiz) success(board []quiz.Standing, records []quiz.Record) float64 {
	sum, n := 0.0, 0
	for _, r := range records {
		if r.Given() {
			sum += r.Credit
			n++
		}
	}
	if s.Rules.Mode == quiz.Exam {
		n = len(board) * len(s.Items)
	}
	return sum / float64(max(1, n))
}

// percent is a share as it is said: 64 %.
func (c *call) percent(share float64) string {
	n := strconv.Itoa(int(share*100 + 0.5))
	if c.lang == "fr" {
		return n + "\u00a0%"
	}
	return n + "%"
}

// resultsAtOnce is how many questions a page of one's own results explains.
const resultsAtOnce = 4

// results is /quiz résultats [SESSION [PAGE]]: one's own, once the session is over.
func (c *call) results(rest string) (Reply, error) {
	words := strings.Fields(rest)
	id := c.channel.quiz.Open
	if id == "" {
		id = c.channel.quiz.Last
	}
	page := 1
	if len(words) > 0 {
		id = words[0]
	}
	if len(words) > 1 {
		page, _ = strconv.Atoi(words[1])
	}
	s, err := c.session(id)
	switch {
	case err != nil:
		return Reply{}, err
	case s == nil:
		return c.quizGone(id)
	case s.Phase != quiz.Over:
		if err := c.catchUp(s); err != nil {
			return Reply{}, err
		}
		if s.Phase != quiz.Over {
			return Reply{Blocks: []Block{Text{c.say("quiz.board.later")}}}, nil
		}
	}
	return c.ownResults(s, max(1, min(page, len(s.Items))))
}

// ownResults is a page of a person's results: the place first, then each question with why.
func (c *call) ownResults(s *openQuiz, page int) (Reply, error) {
	board, records, err := c.board(s)
	if err != nil {
		return Reply{}, err
	}
	me := c.request.Who.ID
	at := slices.IndexFunc(board, func(st quiz.Standing) bool { return st.Person == me })
	if at < 0 {
		if c.teaches() {
			return c.withReport(Reply{Blocks: []Block{Text{c.say("quiz.board.teacher")}}}), nil
		}
		return Reply{Blocks: []Block{Text{c.say("quiz.board.notthere")}}}.with(c.reviewButton()), nil
	}
	mine := map[int]quiz.Record{}
	for _, r := range records {
		if r.Person == me && r.Given() {
			mine[r.Question] = r
		}
	}
	r := Reply{}
	if page == 1 {
		r.Blocks = append(r.Blocks, Title{c.say("quiz.board.minetitle")}, Text{c.standing(s, board[at], len(board))})
	}
	order := s.Sequence(me)
	first := (page - 1) * resultsAtOnce
	for i := first; i < min(first+resultsAtOnce, len(order)); i++ {
		r = c.ownResult(r, s, i, order[i], mine)
	}
	if first+resultsAtOnce < len(order) {
		r = r.with(Button{Label: c.say("quiz.board.more"), Line: c.typed("quiz", quizResults.in(c.words), s.ID, strconv.Itoa(page+1)), Style: Primary})
	}
	return r.with(c.reviewButton()), nil
}

// withReport leads whoever teaches to the report on the class.
func (c *call) withReport(r Reply) Reply {
	cmd, ok := c.tutor.command("report")
	if !ok || !c.may(leads) {
		return r
	}
	return r.with(Button{Label: c.say("quiz.board.report"), Line: c.slash(cmd), Style: Primary})
}

// standing is a person's place in a sentence.
func (c *call) standing(s *openQuiz, st quiz.Standing, of int) string {
	right := c.say("quiz.board.myright", with{"Right": st.Right, "Total": len(s.Items)})
	if s.Rules.Mode == quiz.Exam {
		return right + " " + c.say("quiz.board.myshare", with{"Share": c.percent(st.Credit / float64(len(s.Items)))})
	}
	text := c.say("quiz.board.myplace", with{"Rank": st.Rank, "Of": of, "Points": st.Points}) + " " + right
	if st.Longest > 1 {
		text += " " + c.say("quiz.board.streak", with{"Number": st.Longest})
	}
	return text
}

// ownResult is one question of a person's results. What was right is short, what was not is explained.
func (c *call) ownResult(r Reply, s *openQuiz, place, n int, mine map[int]quiz.Record) Reply {
	q, ok := c.put(s, n, c.request.Who.ID)
	if !ok {
		return r
	}
	head := fmt.Sprintf("%d. %s", place+1, strings.ReplaceAll(c.any(q.Item.Ask), "\n", " "))
	rec, given := mine[n]
	if !given {
		text := "– **" + head + "**\n" + c.say("quiz.board.unanswered") + " " + c.right(q)
		r.Blocks = append(r.Blocks, Text{text})
		return r
	}
	v := quiz.Grade(q.Item, rec.Answer)
	r.Blocks = append(r.Blocks, Text{mark(v) + " **" + head + "**"})
	text := c.say("quiz.yours", with{"Answer": c.spelled(q, rec.Answer)})
	if !v.Right {
		for _, n := range v.Notes {
			text += "\n\n" + c.note(q, n)
		}
		text += "\n\n" + c.right(q)
	}
	r.Blocks = append(r.Blocks, Text{text + "\n\n" + c.any(q.Item.Why)})
	return r
}

func mark(v quiz.Verdict) string {
	switch {
	case v.Right:
		return "✓"
	case v.Credit > 0:
		return "◐"
	}
	return "✗"
}
