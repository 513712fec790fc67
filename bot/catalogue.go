package bot

import (
	"slices"

	"timonier/locales"
)

// CommandInfo describes a command to a platform that shows a menu of them.
type CommandInfo struct {
	Name    map[string]string // by language (fr, en): lower case letters, without the slash
	Aliases []string          // other names that are understood, in no language in particular
	Help    map[string]string // by language: a short sentence, without a full stop
	Options []OptionInfo      // in the order in which their values are typed
}

// OptionInfo describes one part of a command's line. The line is the command's name and
// the values given, in order, with a blank between.
type OptionInfo struct {
	Name     map[string]string
	Help     map[string]string
	Kind     OptionKind
	Required bool
	Choices  []Choice // of a Pick: all there are
	Complete bool     // Complete knows what may stand here
}

// OptionKind is what may be given for an option.
type OptionKind int

// The kinds of options.
const (
	Words    OptionKind = iota // one word or several, as they are typed
	Pick                       // one of the choices
	Number                     // a whole number
	Someone                    // a person or a role; typed as the platform writes a mention: <@42>, <@&42>
	Manifest                   // a file of text, which becomes the lines after the first
)

// Choice is one of an option's values.
type Choice struct {
	Value string            // what is typed
	Name  map[string]string // by language
}

// option is a row of a command's options.
type option struct {
	name     name
	help     string // ID
	kind     OptionKind
	required bool
	choices  []pick
	complete bool
}

// pick is a value and the ID of its name; where there is none the value is its own name.
type pick struct {
	value name
	named string
}

// Commands are those that a platform shows, in the order in which help lists them.
func (t *Tutor) Commands() []CommandInfo {
	var out []CommandInfo
	for _, cmd := range t.commands {
		if cmd.hidden {
			continue
		}
		info := CommandInfo{Name: bothNames(cmd.name), Aliases: slices.Clone(cmd.aliases), Help: t.inAll(cmd.help)}
		for _, o := range cmd.options {
			oi := OptionInfo{Name: bothNames(o.name), Help: t.inAll(o.help), Kind: o.kind, Required: o.required, Complete: o.complete}
			for _, p := range o.choices {
				c := Choice{Value: p.value.fr, Name: bothNames(p.value)}
				if p.named != "" {
					c.Name = t.inAll(p.named)
				}
				oi.Choices = append(oi.Choices, c)
			}
			info.Options = append(info.Options, oi)
		}
		out = append(out, info)
	}
	return out
}

func bothNames(n name) map[string]string { return map[string]string{"fr": n.fr, "en": n.en} }

// inAll is a sentence in every language.
func (t *Tutor) inAll(id string) map[string]string {
	out := map[string]string{}
	for _, lang := range locales.Languages() {
		out[lang] = t.words[lang].say(id)
	}
	return out
}
