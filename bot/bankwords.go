package bot

import (
	"strconv"
	"strings"

	"timonier/bot/quiz/exchange"
	"timonier/content"
)

// problemWords are the IDs of the sentences for what is wrong with a file of questions.
var problemWords = map[exchange.Code]string{
	exchange.TooBig: "exchange.toobig", exchange.TooMany: "exchange.toomany", exchange.Archive: "exchange.archive", exchange.Encoding: "exchange.encoding",
	exchange.Empty: "exchange.empty", exchange.NotFormat: "exchange.notformat", exchange.Entities: "exchange.entities", exchange.NoColumn: "exchange.nocolumn",
	exchange.Malformed: "exchange.malformed", exchange.UnknownKind: "exchange.unknownkind", exchange.NoRight: "exchange.noright",
	exchange.SeveralRight: "exchange.severalright", exchange.Many: "exchange.manyanswers", exchange.TooLong: "exchange.toolong", exchange.BadNumber: "exchange.badnumber",
	exchange.BadTrap: "exchange.badtrap", exchange.Script: "exchange.script", exchange.Twice: "exchange.twice",
	exchange.ImageLost: "exchange.imagelost", exchange.LinkLost: "exchange.linklost", exchange.HandlerLost: "exchange.handlerlost", exchange.TableFlat: "exchange.tableflat",
	exchange.PartialCredit: "exchange.partialcredit", exchange.CatchAll: "exchange.catchall", exchange.Wildcard: "exchange.wildcard", exchange.FeedbackLost: "exchange.feedbacklost",
	exchange.UnknownLesson: "exchange.unknownlesson", exchange.UnknownObjective: "exchange.unknownobjective", exchange.UnknownBelief: "exchange.unknownbelief",
	exchange.Guessed: "exchange.guessed", exchange.PredictionIsOne: "exchange.predictionisone", exchange.OrderIsMatching: "exchange.orderismatching",
	exchange.NotInLanguage: "exchange.notinlanguage", exchange.Arrow: "exchange.arrow",
}

// unfitWords are the IDs of the sentences for what is wrong with a question by the course's rules.
var unfitWords = map[content.ItemFaultCode]string{
	content.ItemBadID: "exchange.unfit.badid", content.ItemBadKind: "exchange.unfit.kind", content.ItemNoText: "exchange.unfit.empty", content.ItemLong: "exchange.unfit.long",
	content.ItemMarkup: "exchange.unfit.markup", content.ItemCount: "exchange.unfit.count", content.ItemNoRight: "exchange.noright", content.ItemManyRight: "exchange.severalright",
	content.ItemAllRight: "exchange.unfit.allright", content.ItemTwice: "exchange.unfit.twice", content.ItemNoBlank: "exchange.unfit.noblank", content.ItemNumber: "exchange.unfit.number",
	content.ItemTrap: "exchange.unfit.trap", content.ItemNoTrap: "exchange.unfit.notrap", content.ItemUnexplained: "exchange.unfit.unexplained",
	content.ItemUnnamed: "exchange.unfit.unnamed", content.ItemNoLesson: "exchange.unknownlesson", content.ItemNoObjective: "exchange.unknownobjective",
	content.ItemNoDifficulty: "exchange.unfit.difficulty", content.ItemForeign: "exchange.unfit.foreign",
}

// partWords are the IDs of the names of a question's parts, as content calls them.
var partWords = map[string]string{
	"ask": "exchange.part.ask", "hint": "exchange.part.hint", "why": "exchange.part.why", "unit": "exchange.part.unit", "accept": "exchange.part.accept",
	"option": "exchange.part.option", "trap": "exchange.part.trap", "step": "exchange.part.step", "left": "exchange.part.left", "right": "exchange.part.right",
	"number": "exchange.part.number", "tolerance": "exchange.part.tolerance", "extra": "exchange.part.right", "start": "exchange.part.start",
	"options": "exchange.part.options", "traps": "exchange.part.traps", "steps": "exchange.part.steps", "lefts": "exchange.part.pairs", "rights": "exchange.part.rights", "pairs": "exchange.part.pairs",
}

// TellProblem says what is wrong with a file of questions, or with a question of it; say makes a
// sentence of its ID and what it fills in.
func TellProblem(say func(id string, data map[string]any) string, p exchange.Problem) string {
	text := say("exchange.unknown", nil)
	if id, ok := problemWords[p.Code]; ok {
		text = say(id, map[string]any{"Word": inCode(p.Word), "Number": p.Number, "Size": sizeOf(p.Number)})
	} else if id, ok := unfitWords[p.Fault.Code]; ok {
		f := p.Fault
		text = say(id, map[string]any{"Word": inCode(f.Text), "At": part(say, f.At), "Number": f.N, "Least": f.Least, "Most": f.Most})
	}
	switch {
	case p.Line > 0 && p.Name != "":
		return say("exchange.at", map[string]any{"Line": p.Line, "Name": inCode(p.Name), "Text": text})
	case p.Line > 0:
		return say("exchange.line", map[string]any{"Line": p.Line, "Text": text})
	case p.Name != "":
		return say("exchange.named", map[string]any{"Name": inCode(p.Name), "Text": text})
	}
	return text
}

// part names a part of a question: "option 2 why" is the explanation of option 2.
func part(say func(id string, data map[string]any) string, at string) string {
	words := strings.Fields(at)
	if len(words) == 0 {
		return ""
	}
	name := at
	if id, ok := partWords[words[0]]; ok {
		name = say(id, nil)
	}
	if len(words) > 1 {
		name += " " + words[1]
	}
	if len(words) > 2 {
		name = say("exchange.part.whyof", map[string]any{"Part": name})
	}
	return name
}

// inCode keeps a word of a file from being read as Markdown.
func inCode(s string) string { return strings.ReplaceAll(s, "`", "'") }

// problem is TellProblem in these words.
func (w words) problem(p exchange.Problem) string {
	return TellProblem(func(id string, data map[string]any) string { return w.say(id, with(data)) }, p)
}

// sizeOf is a number of bytes as people say it.
func sizeOf(bytes int) string {
	if bytes >= 1<<20 {
		return strconv.Itoa(bytes>>20) + "\u00a0Mio"
	}
	return strconv.Itoa(bytes>>10) + "\u00a0Kio"
}
