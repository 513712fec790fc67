package exchange

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"timonier/content"
)

// tags are what a format has no place for, in the words that the package's doc lists. An answer
// is numbered as the file has it.
func tags(i *content.Item, kind bool) []string {
	var out []string
	add := func(name, value string) {
		if value != "" {
			out = append(out, name+":"+value)
		}
	}
	add("lesson", i.Lesson)
	if i.Difficulty > 0 {
		add("difficulty", strconv.Itoa(i.Difficulty))
	}
	add("objective", i.Objective)
	if kind {
		add("kind", string(i.Kind))
	}
	for n, o := range i.Options {
		if o.Is != "" {
			out = append(out, fmt.Sprintf("is:%d:%s", n+1, o.Is))
		}
	}
	for n, t := range i.Traps {
		switch i.Kind {
		case content.Order, content.Match:
			out = append(out, fmt.Sprintf("trap:%d:%s:%s", n+1, trapPlaces(i.Kind, t), t.Is))
		default:
			if t.Is != "" {
				out = append(out, fmt.Sprintf("trap:%d:%s", n+1, t.Is))
			}
		}
	}
	return out
}

// trapPlaces are a trap's two numbers: 3-1.
func trapPlaces(k content.ItemKind, t content.Trap) string {
	p := t.Before
	if k == content.Match {
		p = t.Pair
	}
	return fmt.Sprintf("%d-%d", p[0], p[1])
}

// placed is a trap of an Order or a Match in a tag; named is the misconception of one of a Number or a Fill.
var (
	placed = regexp.MustCompile(`^(\d{1,2}):(\d{1,2})-(\d{1,2}):(.*)$`)
	named  = regexp.MustCompile(`^(\d{1,2}):(.+)$`)
)

// carried is what tags told of a question.
type carried struct {
	kind  content.ItemKind
	traps map[int]content.Trap // by their number
}

// untag reads tags. Those that are not ours are passed over.
func (d *draft) untag(tags []string) carried {
	c := carried{traps: map[int]content.Trap{}}
	for _, tag := range tags {
		name, value, _ := strings.Cut(strings.TrimSpace(tag), ":")
		switch name {
		case "lesson":
			d.Lesson = value
		case "difficulty":
			d.Difficulty, _ = strconv.Atoi(value)
		case "objective":
			d.Objective = value
		case "kind":
			c.kind = content.ItemKind(value)
		case "is":
			if m := named.FindStringSubmatch(value); m != nil {
				n, _ := strconv.Atoi(m[1])
				d.is[n] = m[2]
			}
		case "trap":
			if m := placed.FindStringSubmatch(value); m != nil {
				n, _ := strconv.Atoi(m[1])
				a, _ := strconv.Atoi(m[2])
				b, _ := strconv.Atoi(m[3])
				c.traps[n] = content.Trap{Before: [2]int{a, b}, Pair: [2]int{a, b}, Is: m[4]}
			} else if m := named.FindStringSubmatch(value); m != nil {
				n, _ := strconv.Atoi(m[1])
				c.traps[n] = content.Trap{Is: m[2]}
			}
		}
	}
	return c
}

// trap gives an Order or a Match the traps that its tags carry, with their explanations.
func (d *draft) trap(c carried, whys []content.Text) {
	for n := 1; ; n++ {
		t, ok := c.traps[n]
		if !ok {
			break
		}
		if d.Kind == content.Order {
			t.Pair = [2]int{}
		} else {
			t.Before = [2]int{}
		}
		if len(whys) == len(c.traps) {
			t.Why = whys[n-1]
		}
		d.Traps = append(d.Traps, t)
	}
	if len(whys) > 0 && len(whys) != len(c.traps) {
		d.note(FeedbackLost, whys[0].Any(d.lang))
	}
}
