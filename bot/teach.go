package bot

import (
	"slices"
	"strconv"
	"strings"

	"timonier/content"
)

// Teach makes a course the one that is taught. A request that has begun keeps to the
// course it began with; the next one has the new. Where someone has read to is kept by
// the lessons' numbers: see bookmark. It is safe for concurrent use.
func (t *Tutor) Teach(course *content.Course) {
	t.taught.Store(course)
	t.refused.Store(nil)
	t.company.dismiss()
}

// Refusal is a course that is not taught, for its faults: the one before still is. Or it is Taught, as
// it was at the start, before anybody knew.
type Refusal struct {
	Faults []content.Problem
	Taught bool
}

// Refuse tells those who lead that a newer course is not taught, and why. The next
// Teach takes it back.
func (t *Tutor) Refuse(faults []content.Problem) { t.refused.Store(&Refusal{Faults: faults}) }

// Doubt tells those who lead of what is wrong with the course that is taught. The next Teach or
// Refuse takes it back.
func (t *Tutor) Doubt(faults []content.Problem) {
	t.refused.Store(&Refusal{Faults: faults, Taught: true})
}

// refusal adds, for those who lead, that a newer course is there and is not taught, or that this one has faults.
func (c *call) refusal(r Reply) Reply {
	refused := c.tutor.refused.Load()
	if refused == nil || !c.teaches() {
		return r
	}
	said := c.say("teach.refused", with{"Count": len(refused.Faults)})
	if refused.Taught {
		said = c.say("teach.doubted", with{"Count": len(refused.Faults)})
	}
	r.Blocks = append(r.Blocks, Divider{}, Text{"⚠️ " + said}, Code{Text: listed(refused.Faults)})
	return r
}

// gone goes on from where the lesson with the bookmark was, which has left the course since: at the lesson
// that follows, or, behind or where that one is not open yet, at the end of the one before.
func (c *call) gone(by int) Reply {
	was := c.learner.bookmark.Lesson
	c.learner.bookmark = bookmark{}
	var before, after *content.Lesson
	for l := range c.content.Lessons() {
		switch {
		case !l.Written():
		case slices.Compare(numbers(l.ID), numbers(was)) < 0:
			before = l
		case after == nil:
			after = l
		}
	}
	var r Reply
	switch {
	case after != nil && (before == nil || by >= 0 && c.isOpen(after)):
		r = c.open(after, 0)
	case before != nil:
		r = c.show(before, len(before.Messages(c.course()))-1) // whoever comes from behind has not read it
	default:
		r = c.contents()
	}
	r.Blocks = append([]Block{Text{c.say("teach.gone", with{"Lesson": was})}}, r.Blocks...)
	return r
}

// numbers are those of a lesson's ID, to compare: 10.1 comes after 9.3.
func numbers(id string) []int {
	var all []int
	for part := range strings.SplitSeq(id, ".") {
		n, _ := strconv.Atoi(part)
		all = append(all, n)
	}
	return all
}

// listed are the first faults, one a line, short enough for any platform.
func listed(faults []content.Problem) string {
	const most, long = 5, 160
	var text string
	for i, f := range faults {
		if i == most {
			return text + "…"
		}
		line := []rune(f.String())
		if len(line) > long {
			line = append(line[:long:long], '…')
		}
		text += string(line) + "\n"
	}
	return text
}
