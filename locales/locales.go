// Package locales holds the tutor's own sentences, in French and in English, and
// the check of Québec's typography that all French text passes. The course's
// texts are content's; Kubernetes' own messages are never translated.
package locales

import (
	"embed"
	"fmt"

	"github.com/BurntSushi/toml"
	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"
)

//go:embed fr.toml en.toml
var files embed.FS

// Languages are those that every sentence exists in, the default first.
func Languages() []string { return []string{"fr", "en"} }

// Bundle loads all sentences. An error means that the program was built wrong.
func Bundle() (*i18n.Bundle, error) {
	b := i18n.NewBundle(language.French)
	b.RegisterUnmarshalFunc("toml", toml.Unmarshal)
	for _, lang := range Languages() {
		if _, err := b.LoadMessageFileFS(files, lang+".toml"); err != nil {
			return nil, fmt.Errorf("load sentences %s: %w", lang, err)
		}
	}
	return b, nil
}

// Messages are one language's sentences as they stand in its file, for checks.
func Messages(lang string) ([]*i18n.Message, error) {
	data, err := files.ReadFile(lang + ".toml")
	if err != nil {
		return nil, fmt.Errorf("read sentences %s: %w", lang, err)
	}
	return i18n.ParseMessageBytes(data, toml.Unmarshal)
}
