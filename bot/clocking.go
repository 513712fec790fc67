package bot

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
	"time"

	"timonier/sim"
)

// The words of /temps.
var (
	timeShow   = name{"montre", "show"}
	timeOn     = name{"avance", "advance"}
	timePause  = name{"pause", "pause"}
	timeResume = name{"reprend", "resume"}
	timeSpeed  = name{"vitesse", "speed"}
)

// Bounds of /temps.
const (
	mostAdvance = 24 * time.Hour
	leastSpeed  = 0.1
	mostSpeed   = 60.0
	mostTyping  = 15 * time.Second // of the cluster's time between two commands: what happens then is told with the second
)

// timeCommand is /temps: show the cluster's time, let it go on, stop it, speed it up.
func timeCommand(c *call) (Reply, error) {
	word, arg, _ := strings.Cut(c.args, " ")
	arg = strings.TrimSpace(arg)
	cl, err := c.cluster()
	if err != nil {
		return Reply{}, err
	}
	k := &c.channel.clock
	switch {
	case word == "" || timeShow.is(word):
		return c.timeReply(Text{c.clockText(cl)}), nil
	case timeOn.is(word) || fold(word) == "avancer" || fold(word) == "forward":
		return c.advanceCommand(cl, arg)
	case timeStep.is(word):
		return c.stepCommand(cl, arg)
	case timePause.is(word):
		k.Paused = true
		return c.timeReply(Text{c.say("time.paused", with{"Resume": c.typed("time", timeResume.in(c.words))})}), nil
	case timeResume.is(word) || fold(word) == "reprendre" || fold(word) == "continue":
		k.Paused = false
		return c.timeReply(Text{c.clockText(cl)}), nil
	case timeSpeed.is(word):
		speed, err := strconv.ParseFloat(strings.Replace(strings.TrimLeft(fold(arg), "x×"), ",", ".", 1), 64)
		if err != nil || !(speed >= leastSpeed && speed <= mostSpeed) {
			return c.mistake("time.badspeed", with{"Word": shorten(arg)}), nil
		}
		k.Speed, k.Paused = speed, false
		return c.timeReply(Text{c.clockText(cl)}), nil
	}
	if _, ok := duration(c.args); ok { // /temps 6m: what else could it mean
		return c.advanceCommand(cl, c.args)
	}
	return c.mistake("time.unknown", with{"Word": shorten(word)}).with(Button{Label: c.say("button.help"), Line: c.typed("help", "temps")}), nil
}

func (c *call) timeReply(blocks ...Block) Reply {
	r := Reply{Blocks: blocks}
	for _, d := range []time.Duration{time.Minute, 6 * time.Minute} {
		r = r.with(Button{Label: c.say("time.on", with{"Span": c.span(d)}), Line: c.forward(d)})
	}
	r = r.with(Button{Label: c.say("step.begin"), Line: c.stepLine()})
	if c.channel.clock.Paused {
		return r.with(Button{Label: c.say("time.resume"), Line: c.typed("time", timeResume.in(c.words))})
	}
	return r.with(Button{Label: c.say("time.pause"), Line: c.typed("time", timePause.in(c.words))})
}

// clockText says what time it is in the cluster, and how it goes.
func (c *call) clockText(cl *sim.Cluster) string {
	now := cl.Now()
	data := with{"Clock": c.hour(now), "Date": now.Format(time.DateOnly), "Speed": c.decimal(strconv.FormatFloat(c.channel.clock.rate(), 'f', -1, 64)),
		"Idle": c.span(idleAfter)}
	if c.channel.clock.Paused {
		return c.say("time.stopped", data)
	}
	if c.channel.clock.rate() != 1 {
		return c.say("time.fast", data)
	}
	return c.say("time.now", data)
}

// forward is the line that lets the time go on.
func (c *call) forward(d time.Duration) string {
	return c.typed("time", timeOn.in(c.words), strings.ReplaceAll(strings.ReplaceAll(d.String(), "m0s", "m"), "h0m", "h"))
}

// advanceCommand lets the time go on, and tells what happened meanwhile.
func (c *call) advanceCommand(cl *sim.Cluster, arg string) (Reply, error) {
	d, ok := duration(arg)
	if arg == "" {
		return c.timeReply(Text{c.say("time.howlong", with{"Line": c.forward(6 * time.Minute)})}), nil
	}
	if !ok || d <= 0 {
		return c.mistake("time.badspan", with{"Word": shorten(arg)}), nil
	}
	if d > mostAdvance {
		return c.mistake("time.toolong", with{"Most": c.span(mostAdvance)}), nil
	}
	began, from := cl.Now(), cl.Trace().Last()
	if since := began.Sub(c.before.at); since <= mostTyping { // the learner saw nothing of it yet
		began, from = c.before.at, c.before.step
	}
	start := cl.Now()
	err := c.advance(cl, d)
	late := errors.Is(err, sim.ErrTooMuch)
	if err != nil && !late {
		return Reply{}, err
	}
	r := Reply{Blocks: []Block{Text{c.say("time.passed", with{"Span": c.span(cl.Now().Sub(start)), "Clock": c.hour(cl.Now())})}}}
	if late {
		r.Blocks = append(r.Blocks, Text{c.say("time.toomuch")})
		r.Failed = true
	}
	r.Blocks = append(r.Blocks, c.meanwhile(cl, began, from)...)
	r.Buttons = []Button{
		{Label: c.say("button.cluster"), Line: c.typed("cluster"), Style: Primary},
		{Label: "kubectl get pods -o wide", Line: "/kubectl get pods -o wide"},
		{Label: c.say("time.on", with{"Span": c.span(time.Minute)}), Line: c.forward(time.Minute)},
	}
	return r, nil
}

func completeTime(c *call, words []string) []string {
	if len(words) > 1 {
		if timeOn.is(words[0]) {
			return []string{"10s", "1m", "6m", "1h"}
		}
		return nil
	}
	var out []string
	for _, n := range []name{timeShow, timeOn, timeStep, timePause, timeResume, timeSpeed} {
		out = append(out, n.in(c.words))
	}
	return out
}

// spans finds the parts of a duration as people write it: 6m, 6 min, 1 h 30, 90 secondes.
var spans = regexp.MustCompile(`^(\d+(?:[.,]\d+)?)\s*(jours?|days?|j|d|heures?|hours?|h|minutes?|mins?|m|secondes?|seconds?|secs?|s)?\s*(?:et\s+|and\s+)?`)

// duration reads a span of time. A number alone is minutes, or after hours minutes, after minutes seconds.
func duration(s string) (time.Duration, bool) {
	s = fold(strings.TrimSpace(tidyBlanks(s)))
	unit, total := time.Minute, time.Duration(0)
	if s == "" {
		return 0, false
	}
	for s != "" {
		m := spans.FindStringSubmatch(s)
		if m == nil {
			return 0, false
		}
		n, err := strconv.ParseFloat(strings.Replace(m[1], ",", ".", 1), 64)
		if err != nil || n > 1e6 {
			return 0, false
		}
		after := time.Second
		switch {
		case m[2] == "":
		case m[2][0] == 'j' || m[2][0] == 'd':
			unit, after = 24*time.Hour, time.Hour
		case m[2][0] == 'h':
			unit, after = time.Hour, time.Minute
		case m[2][0] == 'm':
			unit = time.Minute
		default:
			unit = time.Second
		}
		total += time.Duration(n * float64(unit))
		unit, s = after, s[len(m[0]):]
	}
	return total, true
}

// showsTime says that /temps only tells the time.
func showsTime(args string) bool { return args == "" || timeShow.is(args) }
