package bot

import (
	"slices"
	"strconv"
	"strings"

	"timonier/content"
	"timonier/locales"
)

// forChannel is the word that makes a setting the channel's.
var forChannel = name{"salon", "channel"}

// languageCommand is /langue fr|en: for the person, or for the channel.
func languageCommand(c *call) (Reply, error) {
	settings, arg, ok := c.whose(c.args)
	if !ok {
		return c.forbidden(c.typed("language", forChannel.in(c.words))), nil
	}
	wanted := language(arg)
	if wanted == "" {
		r := Reply{Blocks: []Block{Text{c.say("language.now")}}}
		if arg != "" {
			r = c.mistake("language.unknown", with{"Word": shorten(arg)})
		}
		for _, lang := range locales.Languages() {
			r.Buttons = append(r.Buttons, Button{Label: c.tutor.words[lang].say("language.name"), Line: c.typed("language", lang)})
		}
		return r, nil
	}
	settings.Language = wanted
	c.words = c.tutor.words[wanted]
	return Reply{Blocks: []Block{Text{c.say("language.set")}}}, nil
}

// language is the one that a word names: fr, français, French.
func language(word string) string {
	for lang, names := range map[string][]string{
		"fr": {"fr", "francais", "french", "fr-ca"},
		"en": {"en", "anglais", "english", "en-ca", "en-us"},
	} {
		if slices.Contains(names, fold(word)) {
			return lang
		}
	}
	return ""
}

// whose is the settings that a command changes, and the rest of its arguments;
// false where the person may not change them.
func (c *call) whose(args string) (*Settings, string, bool) {
	word, rest, _ := strings.Cut(args, " ")
	if !forChannel.is(word) {
		return &c.learner.settings, args, true
	}
	return &c.channel.settings, strings.TrimSpace(rest), c.may(leads)
}

func completeLanguage(_ *call, words []string) []string {
	if len(words) > 1 {
		return nil
	}
	return locales.Languages()
}

// lens is the one in whose words things are told: the person's, else the channel's,
// else the plain one.
func (c *call) lens() *content.Lens {
	for _, id := range []string{c.learner.settings.Lens, c.channel.settings.Lens, c.parent.Lens, c.house.settings.Lens} {
		if l, ok := c.content.Lens(id); ok {
			return l
		}
	}
	return c.content.Lenses[0]
}

// lensCommand is /lentille formation: for the person, or for the channel.
func lensCommand(c *call) (Reply, error) {
	settings, arg, ok := c.whose(c.args)
	if !ok {
		return c.forbidden(c.typed("lens", forChannel.in(c.words))), nil
	}
	wanted, found := c.findLens(arg)
	if !found {
		r := Reply{Blocks: []Block{Text{c.say("lens.now", with{"Lens": c.in(c.lens().Title)})}}, Failed: arg != ""}
		for _, l := range c.content.Lenses {
			r.Buttons = append(r.Buttons, Button{Label: c.in(l.Title), Line: c.typed("lens", l.ID)})
		}
		return r, nil
	}
	settings.Lens = wanted.ID
	text := c.say("lens.set", with{"Lens": c.in(wanted.Title), "Why": c.typed("why")})
	if settings == &c.channel.settings {
		text = c.say("lens.setchannel", with{"Lens": c.in(wanted.Title)})
		if c.lens() != wanted { // the person has one of their own
			text += " " + c.say("lens.own", with{"Lens": c.in(c.lens().Title), "Line": c.typed("lens", wanted.ID)})
		}
	}
	return Reply{
		Blocks:  []Block{Text{text}},
		Buttons: []Button{{Label: c.say("button.why"), Line: c.typed("why"), Style: Primary}},
	}, nil
}

// findLens finds a lens by its ID, its name, or the number of its analogy.
func (c *call) findLens(word string) (*content.Lens, bool) {
	if word == "" {
		return nil, false
	}
	for _, l := range c.content.Lenses {
		if fold(word) == fold(l.ID) || fold(word) == fold(l.Title.FR) || fold(word) == fold(l.Title.EN) ||
			l.Analogy > 0 && word == strconv.Itoa(l.Analogy) || l.ID == content.Technique && fold(word) == "technical" {
			return l, true
		}
	}
	return nil, false
}

func completeLens(c *call, words []string) []string {
	if len(words) > 1 {
		return nil
	}
	var ids []string
	for _, l := range c.content.Lenses {
		ids = append(ids, l.ID)
	}
	return ids
}
