package slack

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"timonier/bot"
)

// incoming is one thing that Slack tells of, acknowledged already.
type incoming struct {
	kind     string // an envelope's: slash_commands, interactive, events_api
	envelope string // its ID; empty over HTTP
	payload  json.RawMessage
	at       time.Time
	acked    time.Duration
}

// way is how an answer finds its person: a request's Return, as JSON.
type way struct {
	User     string    `json:"u"`
	Channel  string    `json:"c,omitempty"` // Slack's: without the thread; empty: the person's private messages
	Thread   string    `json:"t,omitempty"` // thread_ts
	Own      bool      `json:"o,omitempty"` // the conversation is the person's own
	Response string    `json:"r,omitempty"` // response URL: a secret
	At       time.Time `json:"a,omitzero"`  // when it was given
	Source   string    `json:"s,omitempty"` // ts of the message whose button was pressed
	Hidden   bool      `json:"h,omitempty"` // that message is ephemeral
	Click    bool      `json:"k,omitempty"` // the response URL's original is that message
	Where    string    `json:"w,omitempty"` // channel of the message that shows the answer so far, where there is one
	Shown    string    `json:"m,omitempty"` // its ts
}

// ask is a request on its way to the tutor.
type ask struct {
	request bot.Request
	way     way
	manner  bot.Manner
	at      time.Time
	trigger string // opens a form, within 3 s
	files   []string
	vacated sync.Once                                // its place among the Most
	join    func(line string, texts []string) string // puts the files' text to the line
}

// take does what an event asks for, once. Nothing in it waits; what takes time goes on in a job.
func (a *App) take(in incoming) {
	a.order.Lock()
	defer a.order.Unlock()
	defer func() {
		if p := recover(); p != nil {
			a.log.Error("event failed", "reference", reference(in.envelope, in.at), "kind", in.kind, "error", fmt.Sprint(p), "stack", string(debug.Stack()))
			a.cfg.Metrics.Failed(platform, "event")
		}
	}()
	if in.envelope != "" && !a.seen.First("envelope "+in.envelope) {
		return
	}
	var err error
	switch in.kind {
	case "slash_commands":
		var c typedCommand
		if err = json.Unmarshal(in.payload, &c); err == nil {
			a.slash(in, c)
		}
	case "interactive":
		var i interaction
		if err = json.Unmarshal(in.payload, &i); err == nil {
			a.interact(in, i)
		}
	case "events_api":
		var n notice
		if err = json.Unmarshal(in.payload, &n); err == nil {
			a.note(in, n)
		}
	}
	if err != nil {
		a.unreadable(in, err)
	}
}

// slash takes a slash command.
func (a *App) slash(in incoming, c typedCommand) {
	if c.User == "" || c.Channel == "" || c.Command == "" {
		a.unreadable(in, errLacks)
		return
	}
	a.begin(in, &ask{
		request: bot.Request{
			ID: digest("slash", cmp.Or(c.Trigger, c.ResponseURL, in.envelope)), Tenant: cmp.Or(c.Team, c.Enterprise),
			Who: bot.Person{ID: c.User, Name: c.UserName}, Line: commandLine(c.Command, c.Text),
		},
		way:     way{User: c.User, Channel: c.Channel, Own: private(c.Channel), Response: c.ResponseURL, At: in.at},
		trigger: c.Trigger,
	})
}

// interact takes a click, a form or a shortcut.
func (a *App) interact(in incoming, i interaction) {
	k := &ask{
		request: bot.Request{Tenant: cmp.Or(i.Team.ID, i.User.Team, i.Enterprise.ID), Who: bot.Person{ID: i.User.ID, Name: cmp.Or(i.User.UserName, i.User.Name)}},
		way:     way{User: i.User.ID, Channel: cmp.Or(i.Container.Channel, i.Channel.ID), Response: i.ResponseURL, At: in.at},
		trigger: i.Trigger,
	}
	if i.User.ID == "" {
		a.unreadable(in, errLacks)
		return
	}
	switch i.Type {
	case "block_actions":
		a.pressed(in, i, k)
	case "view_submission":
		a.formSent(in, i, k)
	case "message_action":
		if i.Callback == shortcutManifest {
			a.shortcut(in, i, k)
		}
	}
}

// pressed takes a click on a button, in a message or in the home tab, or a choice in a menu. Of
// the menus in which several are chosen, Slack tells at every change: their button is waited for.
func (a *App) pressed(in incoming, i interaction, k *ask) {
	if len(i.Actions) == 0 {
		a.unreadable(in, errLacks)
		return
	}
	act := i.Actions[0]
	value := cmp.Or(act.Value, act.Selected.Value)
	if value == "" {
		return // a link, or an input
	}
	var v shown
	if len(i.View) > 0 && json.Unmarshal(i.View, &v) == nil && v.Type == "home" {
		k.way.Channel, k.way.Own = v.Metadata, true // the person's private messages, where they are known
	} else {
		k.way.Source, k.way.Hidden, k.way.Click = cmp.Or(i.Container.TS, i.Message.TS), i.Container.Ephemeral, true
		k.thread(cmp.Or(i.Container.Thread, i.Message.Thread), k.way.Source, i.Message.Parent)
	}
	k.request.ID = digest("click", cmp.Or(act.At, i.Trigger, in.envelope), i.User.ID, act.Block, act.ID, k.way.Source, v.ID)
	line, ok := bot.Pressed(value)
	if !ok {
		if a.first(k) {
			a.tell(k, "button.stale", nil)
		}
		return
	}
	if act.ID == menuSend {
		if line, ok = bot.Picked(line, chosenIn(i.State, line)); !ok {
			if a.first(k) {
				a.tell(k, "slack.menu.none", nil)
			}
			return
		}
	}
	k.request.Line, k.request.Aside = line, k.way.Hidden
	a.begin(in, k)
}

// formSent takes a form.
func (a *App) formSent(in incoming, i interaction, k *ask) {
	var v shown
	_ = json.Unmarshal(i.View, &v) // without an ID the envelope's is taken
	k.request.ID = digest("form", cmp.Or(v.ID, i.Trigger, in.envelope), v.Hash)
	f, ok := submitted(i.View)
	var back way
	if !ok || json.Unmarshal(f.Back, &back) != nil || back.User != i.User.ID {
		k.way.Channel = ""
		if a.first(k) {
			a.tell(k, "button.stale", nil)
		}
		return
	}
	back.Response, back.At = "", time.Time{} // it is not given to forms
	k.way, k.trigger, k.files = back, "", f.Files
	k.request.Line = f.Line + "\n" + f.Text
	k.join = func(_ string, texts []string) string {
		if strings.TrimSpace(f.Text) != "" {
			texts = append([]string{f.Text}, texts...)
		}
		return f.Line + "\n" + together(texts)
	}
	a.begin(in, k)
}

// shortcut applies the manifest that is in a message.
func (a *App) shortcut(in incoming, i interaction, k *ask) {
	k.way.Own = private(k.way.Channel)
	k.thread(i.Message.Thread, i.Message.TS, i.Message.Parent)
	k.request.ID = digest("shortcut", cmp.Or(i.Trigger, i.At, in.envelope), i.User.ID, i.Message.TS)
	outside, blocks := unfenced(typed(i.Message.Text))
	if len(blocks) == 0 && strings.Contains(outside, "apiVersion") {
		blocks = []string{outside}
	}
	k.files = manifestsOf(i.Message.Files)
	if len(blocks)+len(k.files) == 0 {
		if a.first(k) {
			a.tell(k, "slack.nomanifest", nil)
		}
		return
	}
	k.request.Line = applied(together(blocks))
	k.join = func(_ string, texts []string) string { return applied(together(append(blocks, texts...))) }
	a.begin(in, k)
}

// note takes an event: the home tab was opened, the bot was written to or named.
func (a *App) note(in incoming, n notice) {
	if n.Type == rateLimited {
		a.log.Warn("Slack holds events back: too many in an hour")
		a.cfg.Metrics.Limited(platform)
		return
	}
	e := n.Event
	if e.User == "" || e.User == a.self || e.Bot != "" || e.Subtype != "" && e.Subtype != "file_share" {
		return
	}
	k := &ask{
		request: bot.Request{Tenant: cmp.Or(n.Team, n.Enterprise), Who: bot.Person{ID: e.User}},
		way:     way{User: e.User, Channel: e.Channel, Own: private(e.Channel) || e.Kind == "im"},
	}
	switch {
	case e.Type == "app_home_opened":
		k.request.ID, k.way.Own = digest("home", cmp.Or(n.ID, in.envelope)), true
		if e.Tab != "messages" && a.first(k) {
			a.openHome(in, k)
		}
		return
	case e.Type == "app_mention", e.Type == "message" && e.Kind == "im":
	default:
		return
	}
	if n.ID != "" && !a.seen.First("event "+n.ID) {
		return
	}
	// The same message may come as two events.
	k.request.ID = digest("message", cmp.Or(e.TS, n.ID, in.envelope), e.Channel)
	k.thread(e.Thread, e.TS, e.Parent)
	a.written(in, k, e.post)
}

// written takes a message: its text is the line, its blocks of code and its files are manifests.
func (a *App) written(in incoming, k *ask, m post) {
	text := m.Text
	if a.self != "" {
		text = strings.ReplaceAll(text, "<@"+a.self+">", "")
	}
	text = strings.TrimSpace(typed(text))
	line, blocks := unfenced(text)
	k.files = manifestsOf(m.Files)
	wants := line == ""
	if !wants {
		first, _, _ := strings.Cut(line, "\n")
		k.request.Line = first
		if wants = a.cfg.Tutor.Manner(k.full(a)).Prompt != nil; wants {
			line = first
		}
	}
	switch {
	case !wants:
		k.request.Line, k.files = text, nil
	case len(blocks)+len(k.files) == 0:
		k.request.Line = cmp.Or(text, "/aide")
	default:
		k.join = func(_ string, texts []string) string {
			all := together(append(slices.Clone(blocks), texts...))
			if line == "" {
				return applied(all)
			}
			return line + "\n" + all
		}
		k.request.Line = k.join("", nil)
	}
	a.begin(in, k)
}

// thread says that the request was made in a thread: a place of its own within the channel,
// and the person's own where they began it.
func (k *ask) thread(thread, ts, parent string) {
	k.way.Own = k.way.Own || private(k.way.Channel)
	if thread == "" || thread == ts {
		return
	}
	k.way.Thread = thread
	k.way.Own = k.way.Own || parent != "" && parent == k.way.User
}

// full is the request with all that is known at once.
func (k *ask) full(a *App) bot.Request {
	r := k.request
	r.Platform, r.Live, r.Pictures, r.Asked, r.Fill = platform, true, bot.ThemeLight, k.at, a.people.fill
	r.Tenant = cmp.Or(r.Tenant, a.team)
	r.Channel, r.Direct, r.Alone = cmp.Or(k.way.Channel, k.way.User), k.way.Own, private(k.way.Channel)
	if k.way.Thread != "" {
		r.Channel, r.Parent = r.Channel+":"+k.way.Thread, r.Channel
	}
	a.people.known(&r)
	return r
}

// first says that a request comes for the first time.
func (a *App) first(k *ask) bool { return a.seen.First(k.request.ID) }

func bounded(s string) string { return cut(oneLine(s), 40) }

// private says by its ID that a conversation is between two.
func private(channel string) bool { return strings.HasPrefix(channel, "D") }

func manifestsOf(files []fileRef) (ids []string) {
	for _, f := range files {
		if f.ID != "" && isManifest(f.Name) {
			ids = append(ids, f.ID)
		}
	}
	return ids
}

// digest is an ID made of what tells an event from others, which may be a secret.
func digest(kind string, parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return kind + "-" + hex.EncodeToString(sum[:16])
}

// reference names a failure as the tutor's references do: four characters that are not
// mistaken for each other, and a digit.
func reference(of string, at time.Time) string {
	const letters = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
	sum := sha256.Sum256([]byte(of + at.String()))
	ref := make([]byte, 4)
	for i := range ref {
		ref[i] = letters[sum[i]&31]
	}
	return fmt.Sprintf("%s-%d", ref, sum[4]%9+1)
}

// openHome shows the person how far they have come.
func (a *App) openHome(in incoming, k *ask) {
	work, ok := a.admit()
	if !ok {
		return
	}
	a.cfg.Metrics.Acknowledged(platform, "home", in.acked)
	k.at = in.at
	k.request = k.full(a)
	if a.cfg.Tutor.Admit(&k.request) != nil { // the home tab stays as it was
		a.leave(k)
		return
	}
	go func() {
		defer a.leave(k)
		defer a.recovered(k)
		ctx, cancel := context.WithTimeout(work, 30*time.Second)
		defer cancel()
		reply := a.cfg.Tutor.Home(ctx, k.request)
		v := home(a.dialect.reply(reply), a.sayer(k))
		v.PrivateMetadata = k.way.Channel
		body := map[string]any{"user_id": k.way.User, "view": v}
		if err := a.wire.call(ctx, "views.publish", body, nil); err != nil {
			a.log.WarnContext(ctx, "home tab not shown", "error", harmless(err))
			a.cfg.Metrics.Failed(platform, "delivery")
		}
	}()
}
