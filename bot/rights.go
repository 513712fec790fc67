package bot

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// level is what a command does, and so who may use it.
type level int

// The levels. Who may do what can be chosen for the tenant and for a channel, but for the
// first, which is everyone's, and the last, which is for who teaches.
const (
	anyone  level = iota
	changes       // changes the channel's cluster
	breaks        // breaks and mends it
	asks          // starts and ends quizzes
	resets        // replaces it by a new one
	leads         // decides for the channel or the tenant
)

// right is a row of what can be chosen.
type right struct {
	level   level
	name    name                    // as it is typed
	told    string                  // ID: what it is
	field   func(*Settings) *string // where the choice is
	initial string                  // where nothing is chosen
}

// Who may.
const (
	forEveryone = "everyone"
	forTeachers = "teachers"
)

func rights() []right {
	return []right{
		{changes, name{"changer", "change"}, "rights.change", func(s *Settings) *string { return &s.Change }, forEveryone},
		{breaks, name{"casser", "break"}, "rights.break", func(s *Settings) *string { return &s.Break }, forEveryone},
		{asks, name{"quiz", "quiz"}, "rights.quiz", func(s *Settings) *string { return &s.Quiz }, forEveryone},
		{resets, name{"remise", "reset"}, "rights.reset", func(s *Settings) *string { return &s.Reset }, forTeachers},
	}
}

// house is what a tenant has chosen: a server, a workspace.
type house struct {
	*shelf
	settings Settings
	teachers teachers
}

// teachers are the IDs of the people and of the roles that teach in a tenant, besides
// those of whom the platform says so; blanks between.
type teachers struct {
	IDs string `json:"ids,omitempty"`
}

func (t teachers) list() []string { return strings.Fields(t.IDs) }

// readHouse reads what the tenant and the thread's channel have chosen.
func (c *call) readHouse() error {
	if c.request.Tenant == "" {
		return nil // no house: whoever else has none is none of its people
	}
	store := c.tutor.cfg.Store
	sh, err := readShelf(c.ctx, store, Scope{Platform: c.request.Platform, Tenant: c.request.Tenant}, keyHouse)
	if err != nil {
		return err
	}
	c.house = house{shelf: sh}
	if err := sh.get(houseSettings, &c.house.settings); err != nil {
		return err
	}
	if err := sh.get(houseTeachers, &c.house.teachers); err != nil {
		return err
	}
	if c.request.Parent == "" {
		return nil
	}
	parent := c.request.Place()
	parent.Channel = c.request.Parent
	if sh, err = readShelf(c.ctx, store, parent.Scope(), keyChannel); err != nil {
		return err
	}
	return sh.get(channelSettings, &c.parent)
}

func (h house) put() error {
	if h.shelf == nil {
		return nil
	}
	if err := put(h.shelf, houseSettings, h.settings); err != nil {
		return err
	}
	return put(h.shelf, houseTeachers, h.teachers)
}

// teaches says that the person leads here: the platform says so, or the tenant's list.
func (c *call) teaches() bool {
	known := c.house.teachers.list()
	return c.request.Teacher || slices.Contains(known, c.request.Who.ID) ||
		slices.ContainsFunc(c.request.Who.Roles, func(r string) bool { return slices.Contains(known, r) })
}

// may says whether the person may use commands of a level.
func (c *call) may(l level) bool {
	if l == anyone || c.request.Direct || c.woken && l != leads || c.teaches() {
		return true
	}
	for _, r := range rights() {
		if r.level == l {
			return c.whoMay(r) == forEveryone
		}
	}
	return false
}

// denied is the refusal of what somebody has no right to: told to the person alone, whatever the command's manner. Nobody is
// shown up before a class.
func (c *call) denied(id string, data ...with) Reply {
	r := c.mistake(id, data...)
	r.Private = true
	return r
}

// forbidden is the refusal of a whole command.
func (c *call) forbidden(command string) Reply {
	return c.denied("line.forbidden", with{"Command": command})
}

// whoMay is the choice that holds here: the channel's, its parent's, the tenant's, the initial one.
func (c *call) whoMay(r right) string {
	for _, s := range []*Settings{&c.channel.settings, &c.parent, &c.house.settings} {
		if chosen := *r.field(s); chosen != "" {
			return chosen
		}
	}
	return r.initial
}

// The words of /réglages and /enseignants.
var (
	forTenant   = name{"serveur", "server"}
	whoEveryone = name{"tous", "everyone"}
	whoTeachers = name{"enseignants", "teachers"}
	teacherAdd  = name{"ajoute", "add"}
	teacherDrop = name{"retire", "remove"}
)

// settingsCommand is /réglages: what is chosen here; /réglages salon casser enseignants
// chooses for the channel, /réglages serveur … for the tenant.
func settingsCommand(c *call) (Reply, error) {
	words := strings.Fields(c.args)
	if len(words) == 0 {
		return c.showSettings(), nil
	}
	if len(words) == 2 && forTheme.is(words[0]) && themeNamed(words[1]) != "" {
		c.learner.settings.Theme = themeNamed(words[1]) // a matter of one's own eyes
		return c.showSettings(), nil
	}
	if len(words) > 1 && forReminder.is(words[0]) {
		return c.setReminder(strings.Join(words[1:], "")), nil // one's own too
	}
	if r, ok, err := c.privacy(words); ok {
		return r, err // what is kept of oneself
	}
	settings, allowed := &c.channel.settings, c.may(leads)
	switch {
	case forTenant.is(words[0]):
		if c.request.Tenant == "" {
			return Reply{Blocks: []Block{Text{c.say("settings.own")}}}, nil
		}
		// A conversation of one's own gives no say in what holds for everyone's.
		settings, allowed = &c.house.settings, c.teaches()
		words = words[1:]
	case forChannel.is(words[0]):
		words = words[1:]
	}
	if !allowed {
		return c.forbidden(c.typed("settings", shorten(c.args))), nil
	}
	if len(words) == 2 {
		switch {
		case forZone.is(words[0]):
			return c.setZone(settings, words[1]), nil
		case forRetention.is(words[0]) && settings == &c.house.settings:
			return c.setRetention(words[1]), nil
		case name{"langue", "language"}.is(words[0]) && language(words[1]) != "":
			settings.Language = language(words[1])
			return c.showSettings(), nil
		case forTheme.is(words[0]) && themeNamed(words[1]) != "":
			settings.Theme = themeNamed(words[1])
			return c.showSettings(), nil
		case name{"lentille", "lens"}.is(words[0]):
			if l, ok := c.findLens(words[1]); ok {
				settings.Lens = l.ID
				return c.showSettings(), nil
			}
		}
		for _, r := range rights() {
			switch {
			case !r.name.is(words[0]):
			case whoEveryone.is(words[1]):
				*r.field(settings) = forEveryone
				return c.showSettings(), nil
			case whoTeachers.is(words[1]):
				*r.field(settings) = forTeachers
				return c.showSettings(), nil
			}
		}
	}
	r := c.mistake("settings.unknown", with{"Words": shorten(c.args)})
	r.Blocks = append(r.Blocks, Text{c.say("settings.usage")})
	return r, nil
}

// showSettings says what holds here, and offers to change it to who may.
func (c *call) showSettings() Reply {
	who := map[string]string{forEveryone: c.say("rights.everyone"), forTeachers: c.say("rights.teachers")}
	t := Table{Columns: []string{c.say("settings.what"), c.say("settings.now")}}
	t.Rows = append(t.Rows,
		[]string{c.say("settings.language"), c.say("language.name")},
		[]string{c.say("settings.lens"), c.in(c.lens().Title)},
		[]string{c.say("settings.zone"), c.zone().String()},
		[]string{c.say("settings.reminder"), c.reminderNow()},
		[]string{c.say("settings.name"), c.nameNow()})
	if c.house.shelf != nil {
		days := int(c.retention() / (24 * time.Hour))
		t.Rows = append(t.Rows, []string{c.say("settings.retention"), c.say("settings.days", with{"Count": days})})
	}
	r := Reply{Blocks: []Block{Title{c.say("settings.title")}}}
	if c.request.Pictures != "" {
		row, button := c.themeChoice()
		t.Rows, r = append(t.Rows, row), r.with(button)
	}
	for _, right := range rights() {
		if c.request.Direct {
			break // all is theirs
		}
		now := c.whoMay(right)
		t.Rows = append(t.Rows, []string{c.say(right.told), who[now]})
		if !c.may(leads) {
			continue
		}
		other, label := whoTeachers, "settings.toteachers"
		if now == forTeachers {
			other, label = whoEveryone, "settings.toeveryone"
		}
		r = r.with(Button{Label: c.say(label, with{"What": c.say(right.told)}),
			Line: c.typed("settings", forChannel.in(c.words), right.name.in(c.words), other.in(c.words))})
	}
	r.Blocks = append(r.Blocks, t)
	if c.request.Direct {
		r.Blocks = append(r.Blocks, Text{c.say("settings.own")})
	} else {
		r.Blocks = append(r.Blocks, Text{c.say("settings.usage")})
	}
	return r
}

// reminderNow is the hour of the person's reminder, or that there is none.
func (c *call) reminderNow() string {
	rem := c.learner.reminder
	if !rem.On {
		return c.say("settings.none")
	}
	return c.hour(rem.next(c.now)) + " (" + rem.Zone + ")"
}

// nameNow is whether the person's name is shown.
func (c *call) nameNow() string {
	if c.learner.settings.ShowName {
		return c.say("settings.shown")
	}
	return c.say("settings.hidden")
}

func completeSettings(c *call, words []string) []string {
	var out []string
	switch {
	case len(words) == 1:
		return []string{forChannel.in(c.words), forTenant.in(c.words), forTheme.in(c.words), forName.in(c.words), forReminder.in(c.words), myData.in(c.words), forgetMe.in(c.words)}
	case len(words) == 2 && forReminder.is(words[0]):
		return []string{"08:00", wordNo.in(c.words)}
	case len(words) == 3 && forZone.is(words[1]):
		return []string{usualZone, "America/Vancouver", "America/Halifax", "Europe/Paris"}
	case len(words) == 2 && forName.is(words[0]):
		return []string{wordYes.in(c.words), wordNo.in(c.words)}
	case len(words) == 2 && (myData.is(words[0]) || forgetMe.is(words[0])):
		return nil
	case len(words) == 2 && forTheme.is(words[0]), len(words) == 3 && forTheme.is(words[1]):
		for _, t := range themes() {
			out = append(out, t.name.in(c.words))
		}
		return out
	case len(words) == 2:
		for _, r := range rights() {
			out = append(out, r.name.in(c.words))
		}
		return append(out, name{"langue", "language"}.in(c.words), name{"lentille", "lens"}.in(c.words), forTheme.in(c.words), forZone.in(c.words))
	case len(words) > 3:
	case name{"langue", "language"}.is(words[1]):
		return completeLanguage(c, words[2:])
	case name{"lentille", "lens"}.is(words[1]):
		return completeLens(c, words[2:])
	default:
		return []string{whoEveryone.in(c.words), whoTeachers.in(c.words)}
	}
	return nil
}

// teachersCommand is /enseignants: who teaches here; /enseignants ajoute @someone.
func teachersCommand(c *call) (Reply, error) {
	word, who, _ := strings.Cut(c.args, " ")
	if c.request.Direct || c.request.Tenant == "" {
		return Reply{Blocks: []Block{Text{c.say("teachers.direct")}}}, nil
	}
	known := c.house.teachers.list()
	if word == "" {
		return c.showTeachers(known), nil
	}
	if !c.may(leads) {
		return c.forbidden(c.typed("teachers", shorten(c.args))), nil
	}
	id := mentioned(who)
	const most = 200
	switch {
	case id == "" || !teacherAdd.is(word) && !teacherDrop.is(word):
		return c.mistake("teachers.usage"), nil
	case teacherAdd.is(word) && len(known) >= most:
		return c.mistake("teachers.full", with{"Most": most}), nil
	case teacherAdd.is(word) && !slices.Contains(known, id):
		known = append(known, id)
	case teacherDrop.is(word):
		known = slices.DeleteFunc(known, func(k string) bool { return k == id })
	}
	c.house.teachers.IDs = strings.Join(known, " ")
	return c.showTeachers(known), nil
}

func (c *call) showTeachers(known []string) Reply {
	var b strings.Builder
	for _, id := range known {
		fmt.Fprintf(&b, "- `%s`\n", id)
	}
	text := c.say("teachers.platform")
	if len(known) > 0 {
		text = c.say("teachers.list", with{"Count": len(known)}) + "\n\n" + b.String() + "\n" + text
	}
	return Reply{Blocks: []Block{Title{c.say("teachers.title")}, Text{text + "\n\n" + c.say("teachers.usage")}}}
}

// mentioned is the ID of the person or the role that a platform's mention names, or that
// is typed as such: <@42>, <@!42>, <@&42>, <@U1|ana>, 42.
func mentioned(text string) string {
	text = strings.TrimSpace(text)
	if inner, ok := strings.CutPrefix(text, "<@"); ok {
		text, _, _ = strings.Cut(strings.TrimSuffix(strings.TrimLeft(inner, "!&"), ">"), "|")
	}
	for _, r := range text {
		if !(r >= '0' && r <= '9' || r >= 'A' && r <= 'Z') {
			return ""
		}
	}
	if len(text) > 32 {
		return ""
	}
	return text
}
