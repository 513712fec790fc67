package bot

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"timonier/content"
	"timonier/sim/kubectl"
)

// The words of /histoire, besides those that turn pages.
var (
	storyPredict = name{"prédit", "predict"}
	storyTechnic = name{"technique", "technical"}
	storyShow    = name{"montre", "show"}
	storyLook    = name{"kubectl", "kubectl"}
	storyAgain   = name{"rejoue", "replay"}
	storyLeave   = name{"quitte", "leave"}
)

// openStory is which story a channel is in.
type openStory struct {
	Number int `json:"number,omitempty"` // 0: none
}

// storyPlace is how far a channel has come in a story. That is all there is to keep: lived again from the beginning, the
// story's cluster is the same to the byte.
type storyPlace struct {
	Page   int  `json:"page,omitempty"`   // from 0
	Played bool `json:"played,omitempty"` // the blow has come, and the question is decided
}

// keyPlace is the record of a story's place.
func keyPlace(story int) string { return channelStory + "/" + strconv.Itoa(story) }

// keyPredictions are the records of a page's predictions: predictions/STORY/PAGE/PERSON, the option's index.
const keyPredictions = "predictions/"

func predictionsOf(story int) string { return keyPredictions + strconv.Itoa(story) + "/" }

// foretold are a page's predictions while its channel is in memory.
type foretold struct {
	page   string         // whose they are: keyPredictions/…
	chosen map[string]int // by person, the option's index
}

// storyCommand is /histoire: the stories, one of them, and what can be done in it.
func storyCommand(c *call) (Reply, error) {
	word, rest, _ := strings.Cut(c.args, " ")
	rest = strings.TrimSpace(rest)
	if word == "" {
		return c.stories(), nil
	}
	if n, err := strconv.Atoi(strings.TrimSuffix(word, ".")); err == nil {
		s, ok := c.content.Story(n)
		if !ok {
			r := c.stories()
			r.Blocks, r.Failed = append([]Block{Text{c.say("story.nonumber", with{"Number": n})}}, r.Blocks...), true
			return r, nil
		}
		return c.leading(s, c.openStory)
	}
	for _, row := range []struct {
		name  name
		leads bool // it is for who may run quizzes
		do    func(*content.Story) (Reply, error)
	}{
		{next, true, func(s *content.Story) (Reply, error) { return c.pressOn(s, rest) }},
		{resumes, false, c.storyPage},
		{storyPredict, false, func(s *content.Story) (Reply, error) { return c.predict(s, rest) }},
		{storyTechnic, false, c.technical},
		{storyShow, false, c.showStory},
		{storyLook, false, func(s *content.Story) (Reply, error) { return c.lookInto(s, rest) }},
		{storyAgain, true, c.replay},
		{storyLeave, true, c.leaveStory},
	} {
		if !row.name.is(word) {
			continue
		}
		s, ok := c.content.Story(c.channel.story.Number)
		if !ok {
			r := c.stories()
			r.Blocks, r.Failed = append([]Block{Text{c.say("story.none")}}, r.Blocks...), true
			return r, nil
		}
		if row.leads {
			return c.leading(s, row.do)
		}
		return row.do(s)
	}
	r := c.mistake("story.unknown", with{"Words": shorten(c.args)})
	r.Blocks = append(r.Blocks, Text{c.say("story.usage")})
	return r.with(Button{Label: c.say("story.button"), Line: c.typed("story"), Style: Primary}), nil
}

// leading does what moves the story of the whole channel, for who may.
func (c *call) leading(s *content.Story, do func(*content.Story) (Reply, error)) (Reply, error) {
	if !c.may(asks) {
		return c.forbidden(c.typed("story", shorten(c.args))), nil
	}
	return do(s)
}

// stories lists them, and where the channel is in each.
func (c *call) stories() Reply {
	r := Reply{Blocks: []Block{Title{c.say("story.title")}}}
	var b strings.Builder
	for _, s := range c.content.Stories {
		state, label := "", c.say("story.begin", with{"Number": s.Number})
		if p, begun, err := c.placeIn(s); err == nil && begun {
			state = " · *" + c.say("story.moment", with{"Page": p.Page + 1, "Pages": len(s.Pages())}) + "*"
			label = c.say("story.resume", with{"Number": s.Number})
		}
		fmt.Fprintf(&b, "- **%d** · %s%s\n", s.Number, c.in(s.Title), state)
		r = r.with(Button{Label: label, Line: c.typed("story", strconv.Itoa(s.Number)), Style: Primary})
	}
	r.Blocks = append(r.Blocks, Text{b.String() + "\n" + c.say("story.about")})
	return r
}

// offerStory offers the story that belongs to a lesson, if there is one.
func (c *call) offerStory(r Reply, lesson string) Reply {
	for _, s := range c.content.Stories {
		if s.Lesson == lesson {
			r = r.with(Button{Label: c.say("story.begin", with{"Number": s.Number}), Line: c.typed("story", strconv.Itoa(s.Number))})
		}
	}
	return r
}

// placeIn is how far the channel has come in a story.
func (c *call) placeIn(s *content.Story) (p storyPlace, begun bool, err error) {
	_, begun = c.channel.records[keyPlace(s.Number)]
	if err := c.channel.get(keyPlace(s.Number), &p); err != nil {
		return p, false, err
	}
	p.Page = min(max(p.Page, 0), len(s.Pages())-1) // the course may have changed
	return p, begun, nil
}

// setPlace keeps it. The first page has a record too: the story is begun.
func (c *call) setPlace(s *content.Story, p storyPlace) error {
	key := keyPlace(s.Number)
	if _, ok := c.channel.records[key]; !ok {
		c.channel.records[key] = nil // so that an empty record is written
	}
	return put(c.channel.shelf, key, p)
}

// openStory begins a story, or goes on with it where it was left.
func (c *call) openStory(s *content.Story) (Reply, error) {
	p, begun, err := c.placeIn(s)
	if err != nil {
		return Reply{}, err
	}
	if c.channel.story.Number != s.Number {
		c.channel.story.Number, c.channel.foretold = s.Number, foretold{}
	}
	r, err := c.storyPage(s)
	if err != nil || begun {
		return r, err
	}
	r.Blocks = append([]Block{Title{c.storyTitle(s)}, Text{c.links(c.in(s.Intro))}, Divider{}}, r.Blocks[1:]...)
	return r, c.setPlace(s, p)
}

// storyPage is the page where the story stands.
func (c *call) storyPage(s *content.Story) (Reply, error) {
	p, _, err := c.placeIn(s)
	if err != nil {
		return Reply{}, err
	}
	if p.Played {
		return c.answered(s, p.Page)
	}
	return c.asked(s, p.Page)
}

// nextOfStory strikes the blow, or turns the page.
func (c *call) nextOfStory(s *content.Story) (Reply, error) {
	p, _, err := c.placeIn(s)
	switch {
	case err != nil:
		return Reply{}, err
	case !p.Played:
		p.Played = true
	case p.Page+1 < len(s.Pages()):
		p = storyPlace{Page: p.Page + 1}
	default:
		return c.storyPage(s) // the end stays the end
	}
	if err := c.setPlace(s, p); err != nil {
		return Reply{}, err
	}
	return c.storyPage(s)
}

// pressOn is /histoire suite. A button names the moment that it leads to, so that two people who press it
// at once, or one who presses an old one, move the story once.
func (c *call) pressOn(s *content.Story, moment string) (Reply, error) {
	p, _, err := c.placeIn(s)
	if err != nil {
		return Reply{}, err
	}
	if moment != "" && moment != ahead(s, p) {
		return c.movedOn(c.say("story.moved")), nil
	}
	return c.nextOfStory(s)
}

// onward is the button that goes on from where the story stands.
func (c *call) onward(s *content.Story) Button {
	line := c.typed("story", next.in(c.words))
	if p, _, err := c.placeIn(s); err == nil {
		line += " " + ahead(s, p)
	}
	return Button{Label: c.say("button.next"), Line: line, Style: Primary}
}

// ahead is the moment that what follows belongs to: the blow to the same, the page's turn to the next.
func ahead(s *content.Story, p storyPlace) string {
	if p.Played {
		return pageName(s, p.Page+1)
	}
	return pageName(s, p.Page)
}

// movedOn says kindly that a moment is past, and leads to where the story is.
func (c *call) movedOn(said string) Reply {
	return Reply{Blocks: []Block{Text{said}}, Failed: true}.with(Button{Label: c.say("story.here"), Line: c.typed("story", resumes.in(c.words)), Style: Primary})
}

// replay begins the story again.
func (c *call) replay(s *content.Story) (Reply, error) {
	c.channel.drop = append(c.channel.drop, predictionsOf(s.Number))
	c.channel.foretold = foretold{}
	if err := c.setPlace(s, storyPlace{}); err != nil {
		return Reply{}, err
	}
	return c.storyPage(s)
}

// leaveStory leaves it where it is.
func (c *call) leaveStory(s *content.Story) (Reply, error) {
	c.channel.story, c.channel.foretold = openStory{}, foretold{}
	line := c.typed("story", strconv.Itoa(s.Number))
	r := Reply{Blocks: []Block{Text{c.say("story.left", with{"Line": line})}}}
	return r.with(Button{Label: c.say("story.resume", with{"Number": s.Number}), Line: line}).
		with(Button{Label: c.say("button.course"), Line: c.typed("course")}), nil
}

// predict counts a person's first prediction of the page. Whoever is alone sees at once what comes of it.
func (c *call) predict(s *content.Story, args string) (Reply, error) {
	p, _, err := c.placeIn(s)
	if err != nil {
		return Reply{}, err
	}
	words := strings.Fields(args)
	if len(words) == 2 && words[0] != pageName(s, p.Page) || p.Played {
		return c.movedOn(c.say("story.over")), nil
	}
	b := s.Pages()[p.Page]
	if len(words) == 0 {
		return c.mistake("story.which", with{"Last": letter(len(b.Options) - 1), "Line": c.typed("story", storyPredict.in(c.words), "B")}), nil
	}
	option := -1
	if len(words) < 3 && len(words[len(words)-1]) == 1 {
		option = strings.Index("ABCD"[:len(b.Options)], strings.ToUpper(words[len(words)-1]))
	}
	if option < 0 {
		return c.mistake("story.nooption", with{"Word": shorten(args), "Last": letter(len(b.Options) - 1)}), nil
	}
	chosen, err := c.predictions(s, p.Page)
	if err != nil {
		return Reply{}, err
	}
	r := Reply{Blocks: []Block{Text{c.say("story.noted", with{"Letter": letter(option)})}}}
	if given, ok := chosen[c.request.Who.ID]; ok {
		r.Blocks = []Block{Text{c.say("story.already", with{"Letter": letter(given)})}}
	} else {
		right, err := s.Right()
		if err != nil {
			return Reply{}, err
		}
		chosen[c.request.Who.ID] = option
		c.channel.set(c.channel.foretold.page+c.request.Who.ID, []byte(strconv.Itoa(option)))
		if err := c.noteVoted(); err != nil {
			return Reply{}, err
		}
		c.learner.progress.Foretold++
		if right[p.Page] == option {
			c.learner.progress.Foreseen++
		}
	}
	if c.request.Alone {
		return c.nextOfStory(s)
	}
	if c.may(asks) {
		r = r.with(c.onward(s))
	}
	return r, nil
}

// pageName names a page in a button, so that one that is past does nothing to another.
func pageName(s *content.Story, page int) string { return fmt.Sprintf("%d.%d", s.Number, page+1) }

// predictions are a page's, by person.
func (c *call) predictions(s *content.Story, page int) (map[string]int, error) {
	l := &c.channel.foretold
	prefix := predictionsOf(s.Number) + strconv.Itoa(page+1) + "/"
	if l.page == prefix {
		return l.chosen, nil
	}
	chosen := map[string]int{}
	records, _, err := c.tutor.cfg.Store.Read(c.ctx, c.channel.scope, prefix)
	if err != nil {
		return nil, fmt.Errorf("read predictions: %w", err)
	}
	for _, rec := range records {
		if i, err := strconv.Atoi(string(rec.Value)); err == nil {
			chosen[rec.Key[len(prefix):]] = i
		}
	}
	l.page, l.chosen = prefix, chosen
	return chosen, nil
}

// performance is the story's own cluster, lived so far that so many beats have been played.
func (c *call) performance(s *content.Story, beats int) (*content.Performance, error) {
	p := c.onstage
	c.onstage = nil // until it is whole again
	if p == nil || p.Story != s || p.Played() > beats {
		p = c.tutor.company.take(s, beats)
	}
	if p == nil {
		var err error
		if p, err = s.Perform(s.Runs[0].ID); err != nil {
			return nil, err
		}
	}
	for p.Played() < min(beats, len(s.Beats)) {
		c.pass.pace(c.ctx)
		if err := c.ctx.Err(); err != nil {
			return nil, err
		}
		if _, err := p.Next(); err != nil {
			return nil, err
		}
	}
	c.onstage = p
	return p, nil
}

// lookInto is /histoire kubectl get pods: the real one, on the story's cluster, to look only.
func (c *call) lookInto(s *content.Story, line string) (Reply, error) {
	args, _, err := kubectlWords(line, "")
	switch {
	case errors.Is(err, errQuote):
		return c.mistake("kubectl.quote"), nil
	case errors.Is(err, errShell):
		return c.mistake("kubectl.shell"), nil
	case len(args) == 0:
		args = []string{"get", "pods"}
	}
	p, err := c.current(s)
	if err != nil {
		return Reply{}, err
	}
	result := kubectl.Look(c.ctx, p.Cluster(), args, "")
	switch {
	case result.Refused != nil:
		return c.refused(result.Refused), nil
	case result.Denied:
		return c.mistake("story.lookonly"), nil
	}
	r := c.output(result)
	r.Failed = result.Code != 0
	return r.with(c.onward(s)).
		with(Button{Label: c.say("story.here"), Line: c.typed("story", resumes.in(c.words))}), nil
}

// inStory is what suite, or a letter, means where a story is open and no button says so.
func (c *call) inStory(text string) (string, bool) {
	s, open := c.content.Story(c.channel.story.Number)
	switch {
	case !open:
	case next.is(text):
		return c.typed("story", next.in(c.words)), true
	case len(text) == 1:
		p, _, err := c.placeIn(s)
		return c.typed("story", storyPredict.in(c.words), strings.ToUpper(text)),
			err == nil && !p.Played && strings.Contains("ABCD"[:len(s.Pages()[p.Page].Options)], strings.ToUpper(text))
	}
	return "", false
}

// current is the performance as far as the channel has come.
func (c *call) current(s *content.Story) (*content.Performance, error) {
	p, _, err := c.placeIn(s)
	if err != nil {
		return nil, err
	}
	beats := p.Page
	if p.Played {
		beats++
	}
	return c.performance(s, beats)
}

// storyManner: what a person predicts is for nobody else.
func storyManner(_ words, args, _ string, m *Manner) {
	word, _, _ := strings.Cut(args, " ")
	m.Private = storyPredict.is(word)
}

func completeStory(c *call, words []string) []string {
	s, open := c.content.Story(c.channel.story.Number)
	switch {
	case len(words) == 1:
		var out []string
		for _, s := range c.content.Stories {
			out = append(out, strconv.Itoa(s.Number))
		}
		if open {
			for _, n := range []name{next, storyPredict, storyTechnic, storyShow, storyLook, storyAgain, storyLeave} {
				out = append(out, n.in(c.words))
			}
		}
		return out
	case !open || len(words) > 2:
	case storyPredict.is(words[0]):
		p, _, err := c.placeIn(s)
		if err != nil {
			return nil
		}
		var out []string
		for i := range s.Pages()[p.Page].Options {
			out = append(out, letter(i))
		}
		return out
	case storyLook.is(words[0]):
		return kubectlVerbs()
	}
	return nil
}
