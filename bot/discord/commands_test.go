package discord

import (
	"encoding/json"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"timonier/bot"
)

// The rules of PLATFORMS.md, for the tutor's real commands.
func TestTutorsCommandsKeepDiscordsLimits(t *testing.T) {
	validate := specification(t, "ApplicationCommandCreateRequest")
	name := regexp.MustCompile(`^[-_'\p{L}\p{N}\p{Devanagari}\p{Thai}]{1,32}$`)
	all := applicationCommands(speaker.Commands(), speaker.Say, true)
	if len(all) < 10 || len(all) > 100 {
		t.Fatalf("%d commands", len(all))
	}
	taken := map[string]bool{}
	for _, c := range all {
		validate(t, c)
		total := 0
		names := func(what, s string, localized map[string]string, slash bool) {
			seen := map[string]bool{}
			for _, s := range append([]string{s}, values(localized)...) {
				if slash && (!name.MatchString(s) || strings.ToLower(s) != s) || s == "" || utf8.RuneCountInString(s) > 32 {
					t.Errorf("%s name %q", what, s)
				}
				if key := what + s; !seen[s] && taken[key] {
					t.Errorf("%s is there twice", key)
				} else {
					taken[key] = true
				}
				seen[s] = true
				total += utf8.RuneCountInString(s)
			}
		}
		description := func(what, s string, localized map[string]string) {
			for _, s := range append([]string{s}, values(localized)...) {
				if n := utf8.RuneCountInString(s); n < 1 || n > 100 || strings.HasSuffix(s, "…") {
					t.Errorf("%s: description %q", what, s)
				}
				total += utf8.RuneCountInString(s)
			}
		}
		names("/", c.Name, c.NameLocalizations, c.Type == 1)
		if c.Type == 3 {
			if c.Description != "" || c.Options != nil {
				t.Errorf("%s says too much", c.Name)
			}
			continue
		}
		description(c.Name, c.Description, c.DescriptionLocalizations)
		if len(c.Options) > 25 {
			t.Errorf("%s has %d options", c.Name, len(c.Options))
		}
		optional := false
		for _, o := range c.Options {
			at := "/" + c.Name + " "
			names(at, o.Name, o.NameLocalizations, true)
			description(at+o.Name, o.Description, o.DescriptionLocalizations)
			if o.Required && optional || len(o.Choices) > 25 || o.Autocomplete && (len(o.Choices) > 0 || o.Type != 3) {
				t.Errorf("%s%s is not allowed", at, o.Name)
			}
			optional = optional || !o.Required
			for _, ch := range o.Choices {
				for _, s := range append([]string{ch.Name, ch.Value}, values(ch.NameLocalizations)...) {
					if n := utf8.RuneCountInString(s); n < 1 || n > 100 {
						t.Errorf("%s%s: choice %q", at, o.Name, s)
					}
					total += utf8.RuneCountInString(s)
				}
			}
		}
		if total > 8000 {
			t.Errorf("%s has %d characters", c.Name, total)
		}
	}
}

func values(m map[string]string) []string {
	var out []string
	for _, v := range m {
		out = append(out, v)
	}
	return out
}

func both(fr, en string) map[string]string { return map[string]string{"fr": fr, "en": en} }

var sample = []bot.CommandInfo{
	{Name: both("panne", "fault"), Help: both("provoque une `panne`", "makes a `fault`"), Options: []bot.OptionInfo{
		{Name: both("quoi", "what"), Help: both("quoi", "what"), Kind: bot.Pick, Choices: []bot.Choice{{Value: "noeud", Name: both("un noeud", "a node")}}},
		{Name: both("cible", "target"), Help: both("le nom", "its name"), Complete: true, Required: true},
		{Name: both("combien", "count"), Help: both("combien", "how many"), Kind: bot.Number},
		{Name: both("qui", "who"), Help: both("qui", "who"), Kind: bot.Someone},
		{Name: both("fichier", "file"), Help: both("un manifeste", "a manifest"), Kind: bot.Manifest},
	}},
	{Name: both("kubectl", "kubectl"), Help: both("kubectl", "kubectl")},
}

func TestCommandsAreWritten(t *testing.T) {
	golden(t, filepath.Join("testdata", "render", "commands.json"), applicationCommands(sample, speaker.Say, true))
	golden(t, filepath.Join("testdata", "render", "guildcommands.json"), applicationCommands(sample[1:], speaker.Say, false))
}

func TestLineOf(t *testing.T) {
	role := func(id string) bool { return id == "7" }
	for _, c := range []struct {
		name string
		args []argument
		want string
	}{
		{"panne", nil, "/panne"},
		{"panne", []argument{{Name: "cible", Value: " node-2\n"}, {Name: "quoi", Value: "noeud"}}, "/panne noeud node-2"},
		{"fault", []argument{{Name: "target", Value: "node-2"}, {Name: "count", Value: float64(3)}}, "/fault node-2 3"},
		{"panne", []argument{{Name: "qui", Value: "7"}}, "/panne <@&7>"},
		{"panne", []argument{{Name: "qui", Value: "8"}}, "/panne <@8>"},
		{"panne", []argument{{Name: "fichier", Value: "9"}, {Name: "autre", Value: "x"}}, "/panne"},
		{"panne", []argument{{Name: "cible", Value: map[string]any{}}, {Name: "quoi", Value: true}}, "/panne true"},
		{"inconnue", []argument{{Name: "cible", Value: "x"}}, "/inconnue"},
	} {
		if got := lineOf(sample, c.name, c.args, role); got != c.want {
			t.Errorf("%s %v is %q, want %q", c.name, c.args, got, c.want)
		}
	}
}

// asDiscordHas is commands as Discord lists them: with what it adds.
func asDiscordHas(t *testing.T, all []command) []command {
	t.Helper()
	data, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	var wire []map[string]any
	if err := json.Unmarshal(data, &wire); err != nil {
		t.Fatal(err)
	}
	for _, c := range wire {
		c["id"], c["version"], c["application_id"], c["nsfw"], c["default_member_permissions"] = "5", "6", "7", false, nil
		if c["description_localizations"] == nil {
			c["description_localizations"] = map[string]any{}
		}
		if c["contexts"] == nil {
			c["contexts"], c["integration_types"] = nil, []int{0}
		} else {
			c["integration_types"] = []int{1, 0}
		}
		if c["description"] == nil {
			c["description"] = ""
		}
		options, _ := c["options"].([]any)
		if len(options) == 0 {
			delete(c, "options")
		}
		for _, o := range options {
			if o := o.(map[string]any); o["required"] == nil {
				o["required"], o["choices_localized"] = false, nil
			}
		}
	}
	if data, err = json.Marshal(wire); err != nil {
		t.Fatal(err)
	}
	var have []command
	if err := json.Unmarshal(data, &have); err != nil {
		t.Fatal(err)
	}
	return have
}

func TestDifference(t *testing.T) {
	for _, global := range []bool{true, false} {
		want := applicationCommands(sample, speaker.Say, global)
		if d := difference(want, asDiscordHas(t, want)); len(d) > 0 {
			t.Errorf("what is there differs: %v", d)
		}
	}
	want := applicationCommands(sample, speaker.Say, true)
	have := asDiscordHas(t, want)
	have[0].Description = "autre"
	have[0].Options[1].Choices = nil
	have[0].Options[0].Required = false
	have[0].Contexts = []int{0}
	have[1].Name = "ancienne"
	var got []string
	changes := difference(want, have)
	for _, c := range changes {
		got = append(got, c.String())
	}
	if expected := []string{
		"- /ancienne",
		"~ /panne (description, contexts, options.cible.required, options.quoi.choices)",
		"+ /kubectl",
	}; !slices.Equal(got, expected) {
		t.Errorf("%q", got)
	}
	if changes[0].Command.ID != "5" || changes[1].Command.ID != "5" || changes[2].Command.ID != "" {
		t.Errorf("IDs %+v", changes)
	}
	if !reflect.DeepEqual(changes[2].Command, want[1]) {
		t.Errorf("%+v", changes[2].Command)
	}
	have = asDiscordHas(t, want)
	have[0].Options = have[0].Options[1:]
	have[2].NameLocalizations = nil
	if got := difference(want, have); len(got) != 2 || got[0].String() != "~ /panne (options)" || got[1].String() != "~ “Appliquer le manifeste” (name_localizations)" {
		t.Errorf("%v", got)
	}
}
