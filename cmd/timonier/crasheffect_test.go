package main

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"timonier/bot/discord/discordtest"
)

// roll is a Role whose list of names gets one more with each command: it shows what was done, in
// which order and how often. Each is answered with its name and the revision that it was written at.
type roll struct{ kept []string }

func (j *roll) role(c *crash) string { return fmt.Sprint("j-", c.round) }

func (j *roll) begin(c *crash, w *work) {
	c.ask(w, "kubectl create role "+j.role(c)+" --verb=get --resource=pods --resource-name=start", j.role(c)+" created")
}

func (j *roll) order(c *crash, w *work, n int) *order {
	id := fmt.Sprintf("r%d-%d", c.round, n)
	return &order{id: id, by: c.chance(tonguePerson), want: regexp.MustCompile(id + `@\d+`),
		command: `kubectl patch role ` + j.role(c) + ` --type=json -p '[{"op":"add","path":"/rules/0/resourceNames/-","value":"` + id +
			`"}]' -o jsonpath={.rules[0].resourceNames[-1:]}@{.metadata.resourceVersion}`}
}

func (j *roll) read(c *crash, w *work, role string) []string {
	const begin, end = "from:", ":to"
	said := c.ask(w, "kubectl get role "+role+" -o jsonpath="+begin+"{.rules[0].resourceNames[*]}"+end, begin+"start[^:{]*"+end)
	return strings.Fields(strings.TrimSuffix(strings.TrimPrefix(said, begin), end))[1:]
}

func (j *roll) check(c *crash, w *work, all bool) {
	done := j.read(c, w, j.role(c))
	counts := map[string]int{}
	for _, id := range done {
		counts[id]++
	}
	last := 0
	orders := slices.Clone(w.orders)
	slices.SortFunc(orders, func(a, b *order) int { return slices.Index(done, a.id) - slices.Index(done, b.id) })
	for _, o := range orders {
		n := counts[o.id]
		delete(counts, o.id)
		switch {
		case n > 1:
			c.t.Errorf("%s: %s was done %d times", w.place, o.id, n)
		case n == 0 && (o.answer != "" || all):
			c.t.Errorf("%s: %s is lost; it was answered %q", w.place, o.id, o.answer)
		}
		if _, text, ok := strings.Cut(o.answer, "@"); ok {
			revision, _ := strconv.Atoi(text)
			if revision <= last {
				c.t.Errorf("%s: %s was written at revision %d, after %d", w.place, o.id, revision, last)
			}
			last = revision
		}
	}
	if len(counts) > 0 {
		c.t.Errorf("%s: nobody asked for %v", w.place, counts)
	}
	if all {
		j.kept = append(j.kept, strings.Join(done, " "))
		for _, o := range w.orders {
			o.forget()
		}
	}
}

// lookBack checks that all rounds are as they were.
func (j *roll) lookBack(c *crash, w *work) {
	for i, kept := range j.kept {
		if now := strings.Join(j.read(c, w, fmt.Sprint("j-", i+1)), " "); now != kept {
			c.t.Errorf("%s: round %d was %q and is %q", w.place, i+1, kept, now)
		}
	}
}

// hours is the cluster's clock, put forward an hour with each command.
type hours struct{ from time.Time }

func (h *hours) now(c *crash, w *work) time.Time {
	said := c.ask(w, "kubectl create configmap now --dry-run=server -o jsonpath=at-{.metadata.creationTimestamp}", `at-\d[^ \n]*Z`)
	at, err := time.Parse(time.RFC3339, strings.TrimPrefix(said, "at-"))
	if err != nil {
		c.t.Fatal(err)
	}
	return at
}

func (h *hours) begin(c *crash, w *work) { h.from = h.now(c, w) }

// Each has seconds of its own, by which its answer is known from those of others.
func (h *hours) order(c *crash, _ *work, n int) *order {
	return &order{by: c.chance(tonguePerson), command: fmt.Sprintf("temps avance 1h%ds", n+1), want: regexp.MustCompile(fmt.Sprintf("\\b1.h.%d.s plus tard", n+1))}
}

func (h *hours) check(c *crash, w *work, all bool) {
	told := 0
	for _, o := range w.orders {
		if o.answer != "" {
			told++
		}
	}
	passed := int(h.now(c, w).Sub(h.from) / time.Hour)
	if passed < told || passed > len(w.orders) || all && passed != len(w.orders) {
		c.t.Errorf("%s: %d hours have passed; %d were asked for, %d answered", w.place, passed, len(w.orders), told)
	}
}

// tongue is a person's language, which is another with each command. (Of one that changes nothing no answer
// is kept: delivered again to another process, it is done then.)
type tongue struct{ before string }

func (l *tongue) begin(c *crash, w *work) { l.before = l.now(c, w) }

// person is one of their own, so that the others keep their language.
const tonguePerson = crashPeople - 2

func (l *tongue) now(c *crash, w *work) string {
	o := &order{command: "langue", by: tonguePerson, want: regexp.MustCompile(`(?i)je parle français|I speak English`)}
	c.send(c.ctx, w, o)
	c.await(w, o)
	o.forget()
	return map[bool]string{true: "en", false: "fr"}[strings.Contains(o.answer, "English")]
}

func (l *tongue) order(_ *crash, _ *work, n int) *order {
	if l.before == "en" {
		n++
	}
	to := []string{"en", "fr"}[n%2]
	return &order{id: to, by: tonguePerson, command: "langue " + to, want: regexp.MustCompile(map[string]string{"en": "I speak English", "fr": "(?i)je parle français"}[to])}
}

func (l *tongue) check(c *crash, w *work, all bool) {
	now := l.now(c, w)
	may := []string{l.before}
	for _, o := range w.orders {
		if o.answer != "" {
			may = nil
		}
		may = append(may, o.id)
	}
	if all {
		may = may[len(may)-1:]
	}
	if !slices.Contains(may, now) {
		c.t.Errorf("%s: the language is %s, and may be %v", w.place, now, may)
	}
}

// votes are answers to a question put to a class, each by another person.
type votes struct {
	question discordtest.Message
	letters  []discordtest.Component
	given    []int // by letter
}

var crashTeacher = discordtest.Person{ID: "4242", Permissions: discordtest.ManageGuild}

func (v *votes) begin(c *crash, _ *work) {
	v.question, v.letters = c.quiz.question(c.ctx, crashTeacher)
	v.given = make([]int, len(v.letters))
}

func (v *votes) order(c *crash, _ *work, n int) *order {
	letter := c.chance(len(v.letters))
	v.given[letter]++
	press := discordtest.Click(v.question, v.letters[letter].CustomID).By(discordtest.Person{ID: strconv.Itoa(100000 + 1000*c.round + n)})
	return &order{command: fmt.Sprint("press ", n), click: &press, want: regexp.MustCompile(`Noté`)}
}

func (v *votes) check(c *crash, _ *work, all bool) {
	if !all {
		return // it is shown when the question is closed
	}
	c.discord.Interact(c.ctx, discordtest.Slash("quiz", discordtest.String("action", "fin")).By(crashTeacher))
	shown := c.quiz.sent(c.ctx, func(m discordtest.Message) bool { return m.ID == v.question.ID && len(m.Attachments) > 0 })
	for n, given := range v.given {
		if want := fmt.Sprintf("%c\u00a0: %d", 'A'+n, given); !regexp.MustCompile(regexp.QuoteMeta(want) + `\b`).MatchString(shown.Attachments[0].Description) {
			c.t.Errorf("%s is not among what is shown: %s", want, shown.Attachments[0].Description)
		}
	}
}
