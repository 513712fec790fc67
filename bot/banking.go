package bot

import (
	"bytes"
	"cmp"
	"errors"
	"slices"
	"strings"

	"timonier/bot/quiz/exchange"
	"timonier/content"
)

// The words of /banque.
var (
	bankList     = name{"liste", "list"}
	bankAdd      = name{"ajoute", "add"}
	bankImport   = name{"importe", "import"}
	bankExport   = name{"exporte", "export"}
	bankWithdraw = name{"retire", "withdraw"}
	bankRestore  = name{"remets", "restore"}
	bankDelete   = name{"supprime", "delete"}
	bankFlagged  = name{"signalées", "flagged"}
)

// bankVerbs are the words, and what each does with what follows it.
func bankVerbs() []struct {
	name name
	run  func(*call, string) (Reply, error)
} {
	return []struct {
		name name
		run  func(*call, string) (Reply, error)
	}{
		{bankList, (*call).listBank}, {bankAdd, (*call).addToBank}, {bankImport, (*call).importBank}, {bankExport, (*call).exportBank},
		{bankWithdraw, (*call).withdrawItem}, {bankRestore, (*call).restoreItem}, {bankDelete, (*call).deleteItem}, {bankFlagged, (*call).flaggedItems},
	}
}

// What is listed and told at most.
const (
	mostListed   = 15
	mostToldOf   = 12   // problems of an import
	mostImported = 5000 // questions of a file in a chat
)

// bankCommand is /banque: the questions of the quizzes, for whoever teaches.
func bankCommand(c *call) (Reply, error) {
	// A conversation of one's own gives no say in what is everyone's, nor a look at the answers.
	if !c.teaches() {
		return c.forbidden(c.typed("bank")), nil
	}
	if c.house.shelf == nil {
		return c.mistake("bank.nohouse"), nil
	}
	word, rest, _ := strings.Cut(c.args, " ")
	if word == "" {
		return c.listBank("")
	}
	for _, v := range bankVerbs() {
		if v.name.is(word) {
			return v.run(c, strings.TrimSpace(rest))
		}
	}
	r := c.mistake("bank.unknown", with{"Words": shorten(c.args)})
	r.Blocks = append(r.Blocks, Text{c.say("bank.usage")})
	return r, nil
}

// bankManner: it is the teacher's own; what needs a text asks for it.
func bankManner(w words, args, text string, m *Manner) {
	m.Private = true
	word, rest, _ := strings.Cut(args, " ")
	if strings.TrimSpace(text) != "" {
		return
	}
	if bankAdd.is(word) {
		m.Prompt = w.askQuestion(questionTemplate(w))
	} else if f := exchange.Format(strings.ToLower(strings.TrimSpace(rest))); bankImport.is(word) && f.Known() {
		m.Prompt = w.askFile(f)
	}
}

// questionTemplate is what stands in the form at first: an example to write over, with its
// lesson and difficulty where Moodle has them too.
func questionTemplate(w words) string {
	return "// [tag:lesson:4.1] [tag:difficulty:2]\n" + w.say("bank.template")
}

// askQuestion is the form for one question, or a few.
func (w words) askQuestion(text string) *Prompt {
	return &Prompt{Title: w.say("bank.form"), Label: w.say("bank.formlabel"), Line: "/" + bankName.in(w) + " " + bankAdd.in(w), Button: w.say("bank.add"), Text: text}
}

// askFile is the form for a file's text.
func (w words) askFile(f exchange.Format) *Prompt {
	return &Prompt{Title: w.say("bank.importtitle"), Label: w.say("bank.importlabel", with{"Format": string(f)}), Line: "/" + bankName.in(w) + " " + bankImport.in(w) + " " + string(f), Button: w.say("bank.import")}
}

// bankName is the command's.
var bankName = name{"banque", "bank"}

// listBank is what there is, or one question with its answers.
func (c *call) listBank(arg string) (Reply, error) {
	b, err := c.bank()
	if err != nil {
		return Reply{}, err
	}
	flags, err := c.flags()
	if err != nil {
		return Reply{}, err
	}
	if arg != "" {
		return c.showItem(b, arg, flags), nil
	}
	r := Reply{Blocks: []Block{Title{c.say("bank.title")}, Text{c.say("bank.count", with{"Count": len(b.items), "Own": len(b.own), "Withdrawn": len(b.withdrawn), "Flagged": len(flags)})}}}
	own := b.ownItems()
	if len(own) > 0 {
		r.Blocks = append(r.Blocks, Text{c.say("bank.own")}, c.itemTable(b, own[:min(len(own), mostListed)], flags))
		if more := len(own) - mostListed; more > 0 {
			r.Blocks = append(r.Blocks, Text{c.say("bank.more", with{"Count": more})})
		}
	}
	r = r.with(Button{Label: c.say("bank.add"), Line: c.typed("bank", bankAdd.in(c.words)), Style: Primary})
	if len(flags) > 0 {
		r = r.with(Button{Label: c.say("bank.seeflagged"), Line: c.typed("bank", bankFlagged.in(c.words))})
	}
	return r.with(Button{Label: c.say("bank.export"), Line: c.typed("bank", bankExport.in(c.words), string(exchange.Moodle))}), nil
}

// ownItems are the tenant's, the last added first.
func (b *bank) ownItems() []*content.Item {
	var out []*content.Item
	for id := range b.own {
		out = append(out, b.known[id])
	}
	slices.SortFunc(out, func(x, y *content.Item) int {
		return cmp.Or(strings.Compare(b.own[y.ID], b.own[x.ID]), strings.Compare(x.ID, y.ID))
	})
	return out
}

func (c *call) itemTable(b *bank, items []*content.Item, flags map[string]int) Table {
	t := Table{Columns: []string{c.say("bank.item"), c.say("bank.question"), c.say("bank.state")}}
	for _, i := range items {
		var state []string
		if b.withdrawn[i.ID] {
			state = append(state, c.say("bank.iswithdrawn"))
		}
		if n := flags[i.ID]; n > 0 {
			state = append(state, c.say("bank.isflagged", with{"Count": n}))
		}
		t.Rows = append(t.Rows, []string{"`" + i.ID + "`", shorten(PlainText(Inline(i.Ask.Any(c.course())))), strings.Join(state, ", ")})
	}
	return t
}

// itemOf finds the question that is named; the reply says that there is none.
func (c *call) itemOf(b *bank, id string) (*content.Item, Reply, bool) {
	i, ok := b.ever(strings.ToLower(strings.Trim(id, "` ")))
	if !ok {
		return nil, c.mistake("bank.noitem", with{"Item": shorten(inCode(id))}), false
	}
	return i, Reply{}, true
}

// showItem is a question as a teacher looks at it: with what is right.
func (c *call) showItem(b *bank, id string, flags map[string]int) Reply {
	i, r, ok := c.itemOf(b, id)
	if !ok {
		return r
	}
	var gift bytes.Buffer
	lang := c.course()
	if !i.HasIn(lang) {
		lang = otherLang(lang)
	}
	_, _ = exchange.Export(&gift, exchange.GIFT, []*content.Item{i}, exchange.Options{Lang: lang}) // into memory
	r = Reply{Blocks: []Block{c.itemTable(b, []*content.Item{i}, flags), Code{Language: "text", Text: strings.TrimSpace(gift.String())}}}
	r = r.with(c.withdrawal(b, i.ID))
	if b.own[i.ID] != "" {
		r = r.with(Button{Label: c.say("bank.delete"), Line: c.typed("bank", bankDelete.in(c.words), i.ID), Style: Danger})
	}
	return r
}

func otherLang(l content.Lang) content.Lang {
	if l == content.FR {
		return content.EN
	}
	return content.FR
}

// withdrawal is the button that takes a question out, or puts it back.
func (c *call) withdrawal(b *bank, id string) Button {
	if b.withdrawn[id] {
		return Button{Label: c.say("bank.restore"), Line: c.typed("bank", bankRestore.in(c.words), id)}
	}
	return Button{Label: c.say("bank.withdraw"), Line: c.typed("bank", bankWithdraw.in(c.words), id), Style: Danger}
}

func (c *call) withdrawItem(id string) (Reply, error) { return c.turnItem(id, true) }
func (c *call) restoreItem(id string) (Reply, error)  { return c.turnItem(id, false) }

// turnItem takes a question out of the bank, or puts it back. What was answered to it stays.
func (c *call) turnItem(id string, out bool) (Reply, error) {
	b, err := c.bank()
	if err != nil {
		return Reply{}, err
	}
	i, r, ok := c.itemOf(b, id)
	if !ok {
		return r, nil
	}
	if b.withdrawn[i.ID] != out {
		if err := c.setWithdrawn(b, []string{i.ID}, out); err != nil {
			return Reply{}, err
		}
	}
	if out {
		return Reply{Blocks: []Block{Text{c.say("bank.withdrew", with{"Item": i.ID})}}, Buttons: []Button{{Label: c.say("bank.restore"), Line: c.typed("bank", bankRestore.in(c.words), i.ID)}}}, nil
	}
	return Reply{Blocks: []Block{Text{c.say("bank.restored", with{"Item": i.ID})}}, Buttons: []Button{{Label: c.say("bank.withdraw"), Line: c.typed("bank", bankWithdraw.in(c.words), i.ID)}}}, nil
}

// deleteItem deletes a question of the tenant's own for good, once that is confirmed.
func (c *call) deleteItem(rest string) (Reply, error) {
	id, word, _ := strings.Cut(rest, " ")
	b, err := c.bank()
	if err != nil {
		return Reply{}, err
	}
	i, r, ok := c.itemOf(b, id)
	switch {
	case !ok:
		return r, nil
	case b.own[i.ID] == "":
		return c.mistake("bank.notown", with{"Item": i.ID}).with(c.withdrawal(b, i.ID)), nil
	case !confirmed.is(strings.TrimSpace(word)):
		r = Reply{Blocks: []Block{Text{c.say("bank.sure", with{"Item": i.ID})}, Quote{i.Ask.Any(c.course())}}}
		r = r.with(Button{Label: c.say("bank.delete"), Line: c.typed("bank", bankDelete.in(c.words), i.ID, confirmed.in(c.words)), Style: Danger})
		if !b.withdrawn[i.ID] {
			r = r.with(c.withdrawal(b, i.ID))
		}
		return r, nil
	}
	if err := c.dropItem(b, i.ID); err != nil {
		return Reply{}, err
	}
	said := c.say("bank.deleted", with{"Item": i.ID})
	if _, ofCourse := c.content.Item(i.ID); ofCourse {
		said += " " + c.say("bank.again")
	}
	return Reply{Blocks: []Block{Text{said}}}.with(Button{Label: c.say("bank.title"), Line: c.typed("bank")}), nil
}

// flaggedItems are the questions that learners have flagged, the most flagged first.
func (c *call) flaggedItems(string) (Reply, error) {
	b, err := c.bank()
	if err != nil {
		return Reply{}, err
	}
	flags, err := c.flags()
	if err != nil {
		return Reply{}, err
	}
	var items []*content.Item
	for id := range flags {
		if i, ok := b.ever(id); ok {
			items = append(items, i)
		}
	}
	if len(items) == 0 {
		return Reply{Blocks: []Block{Text{c.say("bank.noneflagged")}}}, nil
	}
	slices.SortFunc(items, func(x, y *content.Item) int {
		return cmp.Or(flags[y.ID]-flags[x.ID], strings.Compare(x.ID, y.ID))
	})
	items = items[:min(len(items), mostListed)]
	r := Reply{Blocks: []Block{Title{c.say("bank.flaggedtitle")}, c.itemTable(b, items, flags)}}
	for _, i := range items[:min(len(items), 5)] {
		r = r.with(Button{Label: c.say("bank.see", with{"Item": i.ID}), Line: c.typed("bank", bankList.in(c.words), i.ID)})
	}
	return r, nil
}

// addToBank is a form of one question, or a few, in GIFT.
func (c *call) addToBank(string) (Reply, error) {
	text := strings.Join(unwrap(strings.Split(c.stdin, "\n")), "\n")
	if strings.TrimSpace(text) == "" {
		return Reply{Blocks: []Block{Text{c.say("bank.howtoadd")}}, Prompt: c.words.askQuestion(questionTemplate(c.words))}, nil
	}
	r, taken, err := c.takeQuestions(text, exchange.GIFT)
	if err != nil || taken > 0 {
		return r, err
	}
	r.Prompt = c.words.askQuestion(text) // nothing of what was typed is lost
	return r, nil
}

// importBank reads a file of questions.
func (c *call) importBank(arg string) (Reply, error) {
	f := exchange.Format(strings.ToLower(arg))
	if !f.Known() {
		return c.mistake("bank.format", with{"Word": shorten(arg)}), nil
	}
	text := strings.Join(unwrap(strings.Split(c.stdin, "\n")), "\n")
	if strings.TrimSpace(text) == "" {
		return Reply{Blocks: []Block{Text{c.say("bank.howtoimport")}}, Prompt: c.words.askFile(f)}, nil
	}
	r, _, err := c.takeQuestions(text, f)
	return r, err
}

// takeQuestions adds the questions of a text, and tells what became of each.
func (c *call) takeQuestions(text string, f exchange.Format) (Reply, int, error) {
	b, err := c.bank()
	if err != nil {
		return Reply{}, 0, err
	}
	lang := c.course()
	report, err := exchange.Import(strings.NewReader(text), f, exchange.Options{Lang: lang, Course: c.content, Items: mostImported})
	if err != nil {
		return Reply{}, 0, err
	}
	var items []*content.Item
	same := 0
	for _, i := range report.Items() {
		if old, ok := b.ever(i.ID); ok {
			if exchange.Same(old, i, lang) {
				same++
				continue
			}
			i = exchange.Merge(old, i, lang)
		}
		items = append(items, i)
	}
	if len(b.own)+len(items) > mostOwn {
		return c.mistake("bank.full", with{"Most": mostOwn}), 0, nil
	}
	if most := c.tutor.cfg.Limits.Bank; !b.hasRoom(items, most) {
		return c.mistake("bank.heavy", with{"Most": most >> 10, "Items": strings.Join(b.heaviest(3), ", ")}), 0, nil
	}
	if len(items) > 0 {
		if err := c.keepItems(items); errors.Is(err, errTooMuch) {
			return c.mistake("bank.toomuch"), 0, nil
		} else if err != nil {
			return Reply{}, 0, err
		}
	}
	return c.tookItems(report, items, same), len(report.Taken), nil
}

// tookItems tells what was taken, what was refused, and why.
func (c *call) tookItems(report *exchange.Report, items []*content.Item, same int) Reply {
	r := Reply{Failed: len(report.Taken) == 0}
	switch {
	case len(items) == 1:
		r.Blocks = append(r.Blocks, Text{c.say("bank.tookone", with{"Item": items[0].ID})})
	case len(items) > 0 || len(report.Refused) > 0:
		r.Blocks = append(r.Blocks, Text{c.say("bank.took", with{"Count": len(items)})})
	}
	if same > 0 {
		r.Blocks = append(r.Blocks, Text{c.say("bank.same", with{"Count": same})})
	}
	var told []string
	for _, p := range report.Refused {
		told = append(told, c.say("bank.refused", with{"Text": c.problem(p)}))
	}
	if report.Fault != nil {
		told = append(told, c.say("bank.fault", with{"Text": c.problem(*report.Fault)}))
	}
	for _, t := range report.Taken {
		for _, n := range t.Notes {
			told = append(told, c.say("bank.note", with{"Text": c.problem(n)}))
		}
	}
	if more := len(told) - mostToldOf; more > 0 {
		told = append(told[:mostToldOf], c.say("bank.moreproblems", with{"Count": more}))
	}
	if len(told) > 0 {
		r.Blocks = append(r.Blocks, Text{"- " + strings.Join(told, "\n- ")})
	}
	if len(items) == 1 {
		r = r.with(Button{Label: c.say("bank.see", with{"Item": items[0].ID}), Line: c.typed("bank", bankList.in(c.words), items[0].ID)})
	}
	return r.with(Button{Label: c.say("bank.title"), Line: c.typed("bank")})
}

// exportBank is a file of all questions that may be put.
func (c *call) exportBank(arg string) (Reply, error) {
	f := exchange.Format(strings.ToLower(arg))
	if !f.Known() {
		return c.mistake("bank.format", with{"Word": shorten(arg)}), nil
	}
	b, err := c.bank()
	if err != nil {
		return Reply{}, err
	}
	o := exchange.Options{Lang: c.course()}
	if f == exchange.CSV && c.lang == "fr" {
		o.Separator = ';' // as spreadsheets in Québec read it
	}
	var out bytes.Buffer
	problems, err := exchange.Export(&out, f, b.items, o)
	if err != nil {
		return Reply{}, err
	}
	missing := map[string]bool{}
	var told []string
	for _, p := range problems {
		if p.Code == exchange.NotInLanguage || p.Code == exchange.Arrow {
			missing[p.Name] = true
			told = append(told, c.problem(p))
		}
	}
	r := Reply{Blocks: []Block{Text{c.say("bank.exported", with{"Count": len(b.items) - len(missing)})}},
		Files: []File{{Name: c.say("bank.file") + f.Extension(), Type: f.Type(), Data: out.Bytes()}}}
	if len(told) > mostToldOf {
		told = append(told[:mostToldOf], c.say("bank.moreproblems", with{"Count": len(told) - mostToldOf}))
	}
	if len(told) > 0 {
		r.Blocks = append(r.Blocks, Text{c.say("bank.leftout")}, Text{"- " + strings.Join(told, "\n- ")})
	}
	return r, nil
}

func completeBank(c *call, words []string) []string {
	var out []string
	switch {
	case len(words) <= 1:
		for _, v := range bankVerbs() {
			out = append(out, v.name.in(c.words))
		}
	case len(words) == 2 && (bankImport.is(words[0]) || bankExport.is(words[0])):
		for _, f := range exchange.Formats() {
			out = append(out, string(f))
		}
	case len(words) == 2 && (bankWithdraw.is(words[0]) || bankRestore.is(words[0]) || bankDelete.is(words[0]) || bankList.is(words[0])):
		b, err := c.bank()
		if err != nil || !c.teaches() {
			return nil
		}
		for id := range b.known {
			offered := b.withdrawn[id] == bankRestore.is(words[0])
			if bankDelete.is(words[0]) {
				offered = b.own[id] != ""
			}
			if offered && strings.HasPrefix(id, words[1]) {
				out = append(out, id)
			}
		}
		slices.Sort(out)
		out = out[:min(len(out), 25)]
	}
	return out
}

// bankPicks are the verbs, for a platform's menu.
func bankPicks() []pick {
	var out []pick
	for _, v := range bankVerbs() {
		out = append(out, pick{v.name, ""})
	}
	return out
}
