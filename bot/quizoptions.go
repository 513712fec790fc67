package bot

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"timonier/bot/quiz"
	"timonier/content"
)

// quizOption is a row of what can be set when a quiz begins: modules=3,4 nombre=10 temps=20s.
type quizOption struct {
	name   name
	option quiz.Option
	timed  bool                    // a span of time, else a number
	flag   func(*quiz.Rules) *bool // yes or no; nil: a value
}

func quizOptions() []quizOption {
	return []quizOption{
		{name{"modules", "modules"}, quiz.OptModules, false, nil},
		{name{"nombre", "number"}, quiz.OptCount, false, nil},
		{name{"temps", "time"}, quiz.OptTime, true, nil},
		{name{"retard", "late"}, quiz.OptLate, true, nil},
		{name{"pause", "pause"}, quiz.OptPause, true, nil},
		{name{"accueil", "lobby"}, quiz.OptLobby, true, nil},
		{name{"changement", "change"}, quiz.OptChange, false, func(r *quiz.Rules) *bool { return &r.Change }},
		{name{"indices", "hints"}, quiz.OptHints, false, func(r *quiz.Rules) *bool { return &r.Hints }},
		{name{"direct", "live"}, quiz.OptLive, false, func(r *quiz.Rules) *bool { return &r.Live }},
	}
}

// The words of yes and no.
var (
	wordYes = name{"oui", "yes"}
	wordNo  = name{"non", "no"}
)

// rulesOf reads the options of a quiz. What is wrong with them is a mistake, with the bounds.
func (c *call) rulesOf(mode quiz.Mode, typed string) (quiz.Rules, *Reply) {
	rules := quiz.Usual(mode)
	if c.request.Alone && mode == quiz.Race {
		rules.Change = false // the answers are shown as soon as one is given
	}
	for _, word := range strings.Fields(typed) {
		key, value, ok := strings.Cut(word, "=")
		if !ok {
			return rules, c.badOption("quiz.option.bare", with{"Word": shorten(word)})
		}
		i := slices.IndexFunc(quizOptions(), func(o quizOption) bool { return o.name.is(key) })
		if i < 0 {
			return rules, c.badOption("quiz.option.unknown", with{"Word": shorten(key)})
		}
		if wrong := c.setOption(&rules, quizOptions()[i], value); wrong != nil {
			return rules, wrong
		}
	}
	return rules, nil
}

// badOption is a mistake in an option, with what can be set.
func (c *call) badOption(id string, data with) *Reply {
	r := c.mistake(id, data)
	r.Blocks = append(r.Blocks, Text{c.say("quiz.option.usage")})
	return &r
}

func (c *call) setOption(rules *quiz.Rules, o quizOption, value string) *Reply {
	called := o.name.in(c.words)
	switch {
	case o.option == quiz.OptModules:
		return c.setModules(rules, value)
	case o.flag != nil && wordYes.is(value):
		*o.flag(rules) = true
		return nil
	case o.flag != nil && wordNo.is(value):
		*o.flag(rules) = false
		return nil
	case o.flag != nil:
		return c.badOption("quiz.option.flag", with{"Option": called, "Word": shorten(value)})
	}
	n, ok := wholeNumber(value)
	if o.timed {
		n, ok = seconds(value)
	}
	if !ok {
		if b, has := rules.Mode.Bound(o.option); has {
			return c.outOfBounds(o, &quiz.OutOfBounds{Mode: rules.Mode, Bound: b})
		}
		return c.outOfBounds(o, &quiz.OutOfBounds{Mode: rules.Mode, None: true})
	}
	var out *quiz.OutOfBounds
	if err := rules.Set(o.option, n); errors.As(err, &out) {
		return c.outOfBounds(o, out)
	}
	return nil
}

// outOfBounds says between what an option may be.
func (c *call) outOfBounds(o quizOption, out *quiz.OutOfBounds) *Reply {
	called := o.name.in(c.words)
	if out.None {
		return c.badOption("quiz.option.none", with{"Option": called, "Mode": c.modeName(out.Mode)})
	}
	least, most := strconv.Itoa(out.Bound.Least), strconv.Itoa(out.Bound.Most)
	if o.timed {
		least, most = spanTyped(out.Bound.Least), spanTyped(out.Bound.Most)
	}
	return c.badOption("quiz.option.bounds", with{"Option": called, "Least": least, "Most": most})
}

// spanTyped is a number of seconds as it is typed: 20s, 5m, 1h30m.
func spanTyped(n int) string {
	s := (time.Duration(n) * time.Second).String() // 1h0m0s
	if whole, ok := strings.CutSuffix(s, "m0s"); ok {
		s = whole + "m"
	}
	if whole, ok := strings.CutSuffix(s, "h0m"); ok {
		s = whole + "h"
	}
	return s
}

// setModules reads sections and lessons: 3,4 or 3.1,3.2.
func (c *call) setModules(rules *quiz.Rules, value string) *Reply {
	rules.Modules = nil
	for _, m := range strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ';' }) {
		if !c.isModule(m) {
			return c.badOption("quiz.option.module", with{"Word": shorten(m)})
		}
		rules.Modules = append(rules.Modules, m)
	}
	if len(rules.Modules) == 0 {
		return c.badOption("quiz.option.module", with{"Word": shorten(value)})
	}
	return nil
}

func (c *call) isModule(m string) bool {
	if _, ok := c.content.Lesson(m); ok {
		return true
	}
	return slices.ContainsFunc(c.content.Sections, func(s *content.Section) bool { return strconv.Itoa(s.Number) == m })
}

func wholeNumber(s string) (int, bool) {
	n, err := strconv.Atoi(s)
	return n, err == nil && n >= 0 && n < 1_000_000
}

// seconds reads 20, 20s, 5m, 1h30m.
func seconds(s string) (int, bool) {
	if n, ok := wholeNumber(s); ok {
		return n, true
	}
	d, err := time.ParseDuration(strings.ToLower(strings.ReplaceAll(s, "min", "m")))
	if err != nil || d < 0 || d > 365*24*time.Hour {
		return 0, false
	}
	return int(d / time.Second), true
}
