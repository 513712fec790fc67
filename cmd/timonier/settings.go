package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/nicksnyder/go-i18n/v2/i18n"

	"timonier/locales"
)

// settings are what flags and environment say.
type settings struct {
	lang string // fr, en; empty: the tutor's default
	data string // the file in which everything survives
	// content is the directory of the course; empty: the built-in one
	content string
}

// parse reads the command line. ok is false where the program is to end with the code.
func parse(args, env []string, stdout, stderr io.Writer) (cfg settings, say voice, code int, ok bool) {
	flags := flag.NewFlagSet("timonier", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // its own words are English
	lang := flags.String("lang", "", "")
	data := flags.String("data", "", "")
	flags.StringVar(&cfg.content, "content", "", "")
	version := flags.Bool("version", false, "")
	err := flags.Parse(args)
	cfg.lang = ours(*lang)
	if cfg.lang == "" || err != nil || flags.NArg() > 0 { // where reading ended, the language may follow
		cfg.lang = langOfWords(args, env)
	}
	if err == nil && flags.NArg() == 1 && flags.Arg(0) == "help" {
		err = flag.ErrHelp
	}
	say = newVoice(cfg.lang)
	usage := func(id string, data map[string]any) (settings, voice, int, bool) {
		fmt.Fprintf(stderr, "%s\n\n%s\n", say.sentence(id, data), say.word("program.usage"))
		return cfg, say, exitUsage, false
	}
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprintln(stdout, say.word("program.usage"))
		return cfg, say, exitOK, false
	case err != nil:
		// What it says is English; the option is the one before those that it did not come to.
		return usage("program.badflag", map[string]any{"Option": args[len(args)-flags.NArg()-1]})
	case *version:
		fmt.Fprintln(stdout, versionLine())
		return cfg, say, exitOK, false
	case flags.NArg() > 0:
		return usage("program.badword", map[string]any{"Word": flags.Arg(0)})
	case *lang != "" && ours(*lang) == "":
		return usage("program.badlang", map[string]any{"Lang": *lang})
	}
	if cfg.data = *data; cfg.data == "" {
		if cfg.data, err = dataFile(env); err != nil {
			fmt.Fprintln(stderr, say.word("program.nodata"))
			return cfg, say, exitFailed, false
		}
	}
	return cfg, say, exitOK, true
}

// langOf is the language that the locale asks for, where it is one of ours.
func langOf(env []string) string {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if value := lookup(env, name); value != "" {
			return ours(value)
		}
	}
	return "" // the tutor's default, as for C, POSIX and every other language
}

// ours is the one of our languages that a name means, as fr, fr-CA and fr_CA.UTF-8 do; "" for another.
func ours(name string) string {
	lang, _, _ := strings.Cut(strings.NewReplacer("_", "-", ".", "-").Replace(strings.ToLower(name)), "-")
	if slices.Contains(locales.Languages(), lang) {
		return lang
	}
	return ""
}

func lookup(env []string, name string) string {
	for _, e := range env {
		if k, v, _ := strings.Cut(e, "="); k == name || runtime.GOOS == "windows" && strings.EqualFold(k, name) {
			return v
		}
	}
	return ""
}

// errNoHome is an environment that does not say where a person's data is.
var errNoHome = errors.New("no home directory")

// dataFile is where what must survive is kept unless --data says otherwise: in the user's data
// directory, as each system has it.
func dataFile(env []string) (string, error) {
	base, under := "HOME", []string{".local", "share"}
	switch {
	case filepath.IsAbs(lookup(env, "XDG_DATA_HOME")):
		base, under = "XDG_DATA_HOME", nil
	case runtime.GOOS == "windows":
		base, under = "LocalAppData", nil // data that stays on this machine
	case runtime.GOOS == "darwin":
		under = []string{"Library", "Application Support"}
	}
	dir := lookup(env, base)
	if !filepath.IsAbs(dir) {
		return "", errNoHome
	}
	return filepath.Join(dir, filepath.Join(under...), "timonier", "timonier.db"), nil
}

// voice says the program's own few sentences.
type voice struct{ localizer *i18n.Localizer }

func newVoice(lang string) voice {
	bundle, err := locales.Bundle()
	if err != nil {
		return voice{} // then sentences are their IDs; a test keeps it from happening
	}
	return voice{i18n.NewLocalizer(bundle, lang, locales.Languages()[0])}
}

func (v voice) word(id string) string { return v.sentence(id, nil) }

func (v voice) sentence(id string, data map[string]any) string {
	if v.localizer == nil {
		return id
	}
	text, err := v.localizer.Localize(&i18n.LocalizeConfig{MessageID: id, TemplateData: data, PluralCount: data["Count"]})
	if text == "" && err != nil {
		return id
	}
	return strings.TrimRight(text, "\n")
}
