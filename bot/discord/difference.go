package discord

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// change is what there is to do so that Discord has the commands we want.
type change struct {
	Verb    verb
	Command command  // as wanted, or as it is of a deletion; with Discord's ID, but of a creation
	Fields  []string // of an update: what differs, in the words of Discord's API
}

// verb is what a change does.
type verb string

// The verbs.
const (
	creates verb = "create"
	updates verb = "update"
	deletes verb = "delete"
)

// key is what no two commands of a server, or of everywhere, share.
type key struct {
	kind int
	name string
}

func keyOf(c command) key { return key{max(c.Type, commandSlash), c.Name} }

// difference compares the commands we want with those that Discord has, in what we set:
// what Discord adds of its own counts for nothing. Deletions come first, so that names
// are free and a hundred are never passed.
func difference(want, have []command) []change {
	there := map[key]command{}
	for _, c := range have {
		there[keyOf(c)] = c
	}
	wanted := map[key]bool{}
	var changes []change
	for _, c := range want {
		wanted[keyOf(c)] = true
		old, ok := there[keyOf(c)]
		if !ok {
			changes = append(changes, change{Verb: creates, Command: c})
			continue
		}
		if fields := differing(c, old); len(fields) > 0 {
			c.ID = old.ID
			changes = append(changes, change{Verb: updates, Command: c, Fields: fields})
		}
	}
	var gone []change
	for _, c := range have {
		if !wanted[keyOf(c)] {
			gone = append(gone, change{Verb: deletes, Command: c})
		}
	}
	return append(gone, changes...)
}

// differing names the fields in which a command is not as it should be.
func differing(want, have command) []string {
	var d fields
	d.add("name_localizations", same(want.NameLocalizations, have.NameLocalizations))
	d.add("description", want.Description == have.Description)
	d.add("description_localizations", same(want.DescriptionLocalizations, have.DescriptionLocalizations))
	d.add("contexts", want.Contexts == nil || sameSet(want.Contexts, have.Contexts))
	d.add("integration_types", want.IntegrationTypes == nil || sameSet(want.IntegrationTypes, have.IntegrationTypes))
	d.options(want.Options, have.Options)
	return d
}

// fields are the names of those that differ.
type fields []string

func (d *fields) add(name string, same bool) {
	if !same {
		*d = append(*d, name)
	}
}

func (d *fields) options(want, have []option) {
	if !slices.EqualFunc(want, have, func(a, b option) bool { return a.Name == b.Name }) {
		d.add("options", false)
		return
	}
	for i, w := range want {
		h, at := have[i], "options."+w.Name+"."
		d.add(at+"type", w.Type == h.Type)
		d.add(at+"name_localizations", same(w.NameLocalizations, h.NameLocalizations))
		d.add(at+"description", w.Description == h.Description)
		d.add(at+"description_localizations", same(w.DescriptionLocalizations, h.DescriptionLocalizations))
		d.add(at+"required", w.Required == h.Required)
		d.add(at+"autocomplete", w.Autocomplete == h.Autocomplete)
		d.add(at+"choices", slices.EqualFunc(w.Choices, h.Choices, func(a, b choice) bool {
			return a.Name == b.Name && a.Value == b.Value && same(a.NameLocalizations, b.NameLocalizations)
		}))
	}
}

// same compares localisations; none, null and {} are the same.
func same(a, b map[string]string) bool { return maps.Equal(a, b) }

func sameSet(a, b []int) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// String is a change as it is printed: + /kubectl, ~ /cours (description), - /vieux.
func (c change) String() string {
	mark := map[verb]string{creates: "+", updates: "~", deletes: "-"}[c.Verb]
	name := "/" + c.Command.Name
	if c.Command.Type == commandMessage {
		name = "“" + c.Command.Name + "”"
	}
	if len(c.Fields) == 0 {
		return mark + " " + name
	}
	return fmt.Sprintf("%s %s (%s)", mark, name, strings.Join(c.Fields, ", "))
}
