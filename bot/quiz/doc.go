// Package quiz is what there is to a quiz besides the chat: it puts items, reads and grades
// answers, runs a session by its rules, chooses items, schedules reviews, keeps scores, and
// reports on a class.
//
// Everything in it is a value and a function of values: it does no I/O, reads no clock, starts
// no goroutine, and the order of a map never shows. Time and seeds are inputs: the same input
// gives the same output, in every process. It has no sentence for learners: what it has to
// say is a code with data, which the tutor words.
//
// One answer, from what was typed to the score:
//
//	q := quiz.Put(item, session.Seed(question, person)) // options in their order, letters on them
//	a, err := q.Read("ca", content.FR)                  // in the item's own numbering; *Unread if it cannot be read
//	r, refusal := session.Take(question, item, a, before, now) // graded, timed: the record to keep
//	board := session.Board(records, name)
//
// An answer is kept in the item's own numbering, never in the letters under which it was given,
// so that the answers of people who saw the options in different orders add up.
package quiz
