package bot

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/unicode/norm"

	"timonier/content"
	"timonier/locales"
)

// with is what a sentence's placeholders stand for. Count, where it is there,
// chooses the plural form.
type with map[string]any

// words speaks one language.
type words struct {
	lang      string // fr, en
	localizer *i18n.Localizer
}

// newWords has the words of every language. The sentences are part of the
// program: a test proves that they load and that each is there.
func newWords() (map[string]words, error) {
	bundle, err := locales.Bundle()
	if err != nil {
		return nil, err
	}
	all := map[string]words{}
	for _, lang := range locales.Languages() {
		all[lang] = words{lang, i18n.NewLocalizer(bundle, lang)}
	}
	return all, nil
}

// say is a sentence of locales, its placeholders filled in.
func (w words) say(id string, data ...with) string {
	cfg := &i18n.LocalizeConfig{MessageID: id}
	if len(data) > 0 {
		cfg.TemplateData = map[string]any(data[0])
		if n, ok := data[0]["Count"]; ok {
			cfg.PluralCount = n
		}
	}
	text, err := w.localizer.Localize(cfg)
	if text == "" && err != nil {
		return id // better than silence; a test keeps it from happening
	}
	return text
}

// course is the language as the course names it.
func (w words) course() content.Lang { return content.Lang(w.lang) }

// in is the text of the course in this language.
func (w words) in(t content.Text) string { return t.In(w.course()) }

// decimal writes the fraction's mark as the language does.
func (w words) decimal(s string) string {
	if w.lang == "fr" {
		return strings.ReplaceAll(s, ".", ",")
	}
	return s
}

// Fold is a word as it is compared with another: one that people typed with the name of a command.
func Fold(s string) string { return fold(s) }

var ligatures = strings.NewReplacer("œ", "oe", "Œ", "oe", "æ", "ae", "Æ", "ae")

// fold is text as it is compared: lower case, without accents or ligatures, so
// that répare, REPARE and repare are the same word.
func fold(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) {
		return strings.ToLower(s)
	}
	s = ligatures.Replace(s)
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFD.String(s))
}
