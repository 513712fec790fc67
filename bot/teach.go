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
}

// Refusal is a course that is not taught, for its faults: the one before still is.
type Refusal struct {
	Faults []content.Problem
}

// Refuse tells those who lead that a newer course is not taught, and why. The next
// Teach takes it back.
func (t *Tutor) Refuse(faults []content.Problem) { t.refused.Store(&Refusal{faults}) }

// refusal adds, for those who lead, that a newer course is there and is not taught.
func (c *call) refusal(r Reply) Reply {
	refused := c.tutor.refused.Load()
	if refused == nil || !c.teaches() {
		return r
	}
	r.Blocks = append(r.Blocks, Divider{}, Text{"⚠️ " + c.say("teach.refused", with{"Count": len(refused.Faults)})}, Code{Text: listed(refused.Faults)})
	return r
}

// gone says that the lesson with the bookmark has left the course since, and offers the one before it.
func (c *call) gone() Reply {
	was := c.learner.bookmark.Lesson
	c.learner.bookmark = bookmark{}
	r := Reply{Blocks: []Block{Text{c.say("teach.gone", with{"Lesson": was})}}}
	near := c.written(nil, +1)
	for l := range c.content.Lessons() {
		if l.Written() && slices.Compare(numbers(l.ID), numbers(was)) < 0 {
			near = l
		}
	}
	if near != nil {
		r = r.with(Button{Label: near.ID + " " + c.in(near.Title), Line: c.typed("course", near.ID), Style: Primary})
	}
	return r.with(Button{Label: c.say("button.contents"), Line: c.typed("course")})
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
