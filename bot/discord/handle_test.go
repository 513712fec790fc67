package discord

import (
	"strings"
	"testing"

	"timonier/bot"
	"timonier/bot/discord/discordtest"
)

// flags of the first response of each kind.
func TestCommandsAndClicks(t *testing.T) {
	t.Parallel()
	c := newClass(t, setting{})
	e := c.Interact(c.ctx, kubectl("create deployment web --image=nginx --replicas=2"))
	if r := c.first(e); r.Type != discordtest.RespondDefer || r.Flags != 0 {
		t.Errorf("first response %+v", r)
	}
	c.answer(e, "deployment.apps/web created")

	e = c.Interact(c.ctx, discordtest.Slash("cours", discordtest.String("page", "1.1")))
	if r := c.first(e); r.Flags != discordtest.FlagEphemeral {
		t.Errorf("the course is not the person's alone: %+v", r)
	}
	page := c.answer(e, "")
	next, ok := page.Button("Suite")
	if !ok {
		t.Fatalf("no button in %+v", page)
	}
	turned := c.Interact(c.ctx, discordtest.Click(page, next.CustomID))
	if r := c.first(turned); r.Type != discordtest.RespondDeferUpdate {
		t.Errorf("the page is not turned in its place: %+v", r)
	}
	if _, err := turned.Next(c.ctx); err != nil {
		t.Fatal(err)
	}
	if after, _ := c.Find(page.ID); after.Text() == page.Text() || len(turned.FollowUps()) > 0 {
		t.Error("the page is still the same, or in another message")
	}

	// What a page for one person alone offers to try is for that person alone.
	lesson := c.answer(c.Interact(c.ctx, discordtest.Slash("cours", discordtest.String("page", "2.1"))), "")
	try, ok := lesson.Button("Voir les nœuds")
	if !ok {
		t.Fatalf("no button in %+v", lesson)
	}
	tried := c.Interact(c.ctx, discordtest.Click(lesson, try.CustomID))
	if r := c.first(tried); r.Type != discordtest.RespondDefer || r.Flags != discordtest.FlagEphemeral {
		t.Errorf("all see what one tries: %+v", r)
	}
	c.answer(tried, "node-1")
	c.calm()
}

// The front end's own words are in the language that the person has chosen last.
func TestFormInTheChosenLanguage(t *testing.T) {
	t.Parallel()
	c := newClass(t, setting{})
	for _, lang := range []struct{ name, label string }{{"en", "The manifest, in YAML"}, {"fr", "Le manifeste, en YAML"}} {
		c.answer(c.Interact(c.ctx, discordtest.Slash("langue", discordtest.String("langue", lang.name))), "")
		asked := c.Interact(c.ctx, kubectl("apply"))
		c.first(asked)
		if form, _ := asked.Modal(); len(form.Components) == 0 || form.Components[0].Label != lang.label {
			t.Errorf("%s: %+v", lang.name, form)
		}
	}
	c.calm()
}

func TestFormsAndFiles(t *testing.T) {
	t.Parallel()
	const manifest = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: réglages}\n"
	c := newClass(t, setting{})
	asked := c.Interact(c.ctx, kubectl("apply"))
	if r := c.first(asked); r.Type != discordtest.RespondModal {
		t.Fatalf("no form: %+v", r)
	}
	form, _ := asked.Modal()
	typed := c.Interact(c.ctx, discordtest.Submit(form, map[string]string{fieldText: strings.ReplaceAll(manifest, "réglages", "a")}))
	c.answer(typed, "configmap/a created")

	sent := discordtest.Submit(form, nil)
	sent.Files = map[string][]discordtest.File{fieldFile: {{Name: "b.yaml", Type: "text/yaml", Data: []byte(strings.ReplaceAll(manifest, "réglages", "b"))}}}
	c.answer(c.Interact(c.ctx, sent), "configmap/b created")

	option := discordtest.Slash("kubectl", discordtest.String("commande", "apply"),
		discordtest.Attach("fichier", discordtest.File{Name: "c.yaml", Data: []byte(strings.ReplaceAll(manifest, "réglages", "c"))}))
	e := c.Interact(c.ctx, option)
	if r := c.first(e); r.Type != discordtest.RespondDefer {
		t.Errorf("a form is opened though there is a file: %+v", r)
	}
	c.answer(e, "configmap/c created")
	c.calm()
}

func TestManifestOfAMessage(t *testing.T) {
	t.Parallel()
	c := newClass(t, setting{})
	const apply = "Appliquer le manifeste"
	block := c.Plant(discordtest.Message{Content: "Essayez ceci :\n```yaml\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: d}\n```"})
	c.answer(c.Interact(c.ctx, discordtest.OnMessage(apply, block)), "configmap/d created")
	none := c.Interact(c.ctx, discordtest.OnMessage(apply, c.Plant(discordtest.Message{Content: "bonjour"})))
	if r := c.first(none); r.Flags&discordtest.FlagEphemeral == 0 || !strings.Contains(r.Message.Text(), "rien à appliquer") {
		t.Errorf("%+v", r)
	}
	c.calm()
}

func TestFilesThatCannotBeRead(t *testing.T) {
	t.Parallel()
	c := newClass(t, setting{})
	for _, f := range []struct {
		file discordtest.File
		want string
	}{
		{discordtest.File{Name: "a.yaml", Data: []byte("kind: \xff\xfe")}, "UTF-8"},
		{discordtest.File{Name: "b.yaml", Data: []byte("kind: \x00")}, "UTF-8"},
		{discordtest.File{Name: "c.yaml", Data: make([]byte, mostManifest+1)}, "trop gros"},
	} {
		// Even with a line that would do something without the file.
		e := c.Interact(c.ctx, discordtest.Slash("kubectl", discordtest.String("commande", "create namespace x"), discordtest.Attach("fichier", f.file)))
		c.answer(e, f.want)
	}
	e := c.Interact(c.ctx, kubectl("get namespaces"))
	if m := c.answer(e, "kube-system"); strings.Contains(m.Text(), "x   ") {
		t.Error("something was done:", m.Text())
	}
	c.calm()
}

func TestDirectAndThread(t *testing.T) {
	t.Parallel()
	c := newClass(t, setting{})
	e := c.Interact(c.ctx, kubectl("create namespace chez-moi").In(discordtest.Place{Direct: true}))
	c.answer(e, "namespace/chez-moi created")
	// In a thread of one's own the cluster is one's own, and may be reset; in another's it may not.
	own := discordtest.Place{Channel: "500000000000000001", Type: 11, Parent: "500000000000000002", Owner: "500000000000000003"}
	me := discordtest.Person{ID: own.Owner}
	c.answer(c.Interact(c.ctx, discordtest.Slash("remise").In(own).By(me)), "Vraiment")
	foreign := c.Interact(c.ctx, discordtest.Slash("remise").In(own).By(discordtest.Person{ID: "500000000000000004"}))
	c.refused(foreign, "réservé")
	c.calm()
}

func TestTeachers(t *testing.T) {
	t.Parallel()
	c := newClass(t, setting{bot: func(cfg *Config) { cfg.TeacherRoles = []string{"77"} }})
	for _, who := range []struct {
		person discordtest.Person
		want   string
	}{
		{discordtest.Person{}, "réservé"},
		{discordtest.Person{Permissions: discordtest.ManageGuild}, "Vraiment"},
		{discordtest.Person{Permissions: discordtest.Administrator}, "Vraiment"},
		{discordtest.Person{Roles: []string{"76", "77"}}, "Vraiment"},
		{discordtest.Person{Roles: []string{"76"}}, "réservé"},
	} {
		e := c.Interact(c.ctx, discordtest.Slash("remise").By(who.person))
		if who.want == "réservé" {
			c.refused(e, who.want)
		} else {
			c.answer(e, who.want)
		}
	}
	c.calm()
}

func TestLocale(t *testing.T) {
	t.Parallel()
	c := newClass(t, setting{})
	c.answer(c.Interact(c.ctx, discordtest.Slash("aide").Speaking("en-US", "fr")), "commands")
	c.calm()
}

func TestCompletion(t *testing.T) {
	t.Parallel()
	c := newClass(t, setting{})
	e := c.Interact(c.ctx, discordtest.Complete("kubectl", discordtest.Focused("commande", "get po")))
	c.first(e)
	found := false
	for _, choice := range e.Choices() {
		found = found || choice.Value == "get pods"
		if s, _ := choice.Value.(string); strings.HasPrefix(s, "/") {
			t.Errorf("%q is a line, not an option", s)
		}
	}
	if !found {
		t.Errorf("get pods is not among %v", e.Choices())
	}
	c.calm()
}

// What Discord would not send, or only of another version.
func TestOddInteractions(t *testing.T) {
	t.Parallel()
	c := newClass(t, setting{})
	stale := c.Plant(discordtest.Message{Components: []discordtest.Component{{Type: 1, Components: []discordtest.Component{
		{Type: 2, Style: 1, Label: "Suite", CustomID: "0:/cours suite"}, {Type: 2, Style: 1, Label: "x", CustomID: "sans version"}}}}})
	for _, b := range stale.Buttons() {
		e := c.Interact(c.ctx, discordtest.Click(stale, b.CustomID))
		if r := c.first(e); r.Type != discordtest.RespondMessage || r.Flags&discordtest.FlagEphemeral == 0 || !strings.Contains(r.Message.Text(), "version précédente") {
			t.Errorf("%s: %+v", b.CustomID, r)
		}
	}
	menu := c.Plant(discordtest.Message{Components: []discordtest.Component{{Type: 1, Components: []discordtest.Component{
		{Type: 3, CustomID: "0:/aide", Options: []discordtest.SelectOption{{Label: "a", Value: "a"}}}}}}})
	e := c.Interact(c.ctx, discordtest.Choose(menu, "0:/aide", "a"))
	if r := c.first(e); !strings.Contains(r.Message.Text(), "version précédente") {
		t.Errorf("%+v", r)
	}
	c.calm()
}

// What is chosen in a menu is a line, as a button's is.
func TestMenu(t *testing.T) {
	t.Parallel()
	c := newClass(t, setting{})
	m := bot.Menu{Label: "Choisir", Line: "/aide", Choices: []bot.MenuChoice{{Value: "kubectl", Label: "kubectl"}, {Value: "temps", Label: "le temps"}}}
	made, ok := menuOf(m)
	if !ok {
		t.Fatal("no menu")
	}
	var options []discordtest.SelectOption
	for _, o := range made.Options {
		options = append(options, discordtest.SelectOption{Label: o.Label, Value: o.Value})
	}
	shown := c.Plant(discordtest.Message{Components: []discordtest.Component{{Type: 1, Components: []discordtest.Component{
		{Type: made.Type, CustomID: made.CustomID, MinValues: made.MinValues, MaxValues: made.MaxValues, Options: options}}}}})
	c.answer(c.Interact(c.ctx, discordtest.Choose(shown, made.CustomID, "temps")), "/temps avance")
	c.calm()
}

func TestMentionsPingNobody(t *testing.T) {
	t.Parallel()
	c := newClass(t, setting{})
	e := c.Interact(c.ctx, discordtest.Slash("aide", discordtest.String("commande", "@everyone <@1> <@&2> **x** \u202e\u200b")))
	c.first(e)
	if _, err := e.Next(c.ctx); err != nil {
		t.Fatal(err)
	}
	c.calm() // allowed_mentions is checked there
}
