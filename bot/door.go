package bot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"timonier/bot/quiz"
	"timonier/content"
)

// channel is a channel's data while it is in memory.
type channel struct {
	*shelf
	settings Settings
	clock    clock
	last     last
	quiz     quizHere
	quizzes  quizzes
	long     long
	kept     checkpoints
	exercise exercise
	simulated
	story    openStory
	foretold foretold
	voice    voice
	outbox   outbox
}

// learner is a person's data, read anew with each request: the same person may be
// in several channels at once.
type learner struct {
	*shelf
	settings Settings
	bookmark bookmark
	progress progress
	review   reviewing
	reminder reminder
	voice    voice
	outbox   outbox
}

// call is one request on its way through a command.
type call struct {
	words
	ctx     context.Context
	pass    *pass // nil: it needs none
	tutor   *Tutor
	request Request
	content *content.Course // what is taught while the request lasts
	now     time.Time       // the wall's
	lane    *lane
	channel *channel
	learner *learner
	house   house    // the tenant's
	parent  Settings // of the channel that a thread belongs to
	emit    func(Reply)

	args      string // what follows the command's name on the first line
	stdin     string // the lines after the first
	used      bool   // the cluster is at the present: it is to be saved
	looked    bool   // the command only looks: see unkept.go
	ran       string // the first line of the command that was run, with its own name: /kubectl, not /k
	sets      bool   // it makes the start of an exercise
	questions *bank  // those of a quiz; nil: none has been asked for
	woken     bool   // by an alarm: nobody has asked
	forgotten bool   // all that was kept of the person is deleted

	cards  *quiz.Deck      // the person's; nil: not read yet
	sealed map[string]bool // the items, known with them, whose verdict is to come: see quizcards.go

	others []Write  // in the same commit, to scopes that are nobody's here: see indexToken
	cut    []string // hashes of tokens that hold no more once it is committed

	onstage *content.Performance // the story's that is looked at, taken from the company; nil: none

	// Where the cluster was before it was brought there.
	before struct {
		at   time.Time
		step uint64
	}
}

// answered finds the reply of a request that was delivered before.
func (t *Tutor) answered(ctx context.Context, r Request) (Reply, bool, error) {
	var reply Reply
	if r.ID == "" {
		return reply, false, nil
	}
	data, found, err := t.cfg.Store.Answered(ctx, r.Place().Scope(), r.ID)
	if err != nil || !found {
		return reply, false, err
	}
	return reply, true, json.Unmarshal(data, &reply)
}

// newCall reads what a command needs to know of the channel and the person.
func (t *Tutor) newCall(ctx context.Context, ln *lane, r Request, emit func(Reply)) (*call, error) {
	c := &call{ctx: ctx, pass: passOf(ctx), tutor: t, request: r, content: t.taught.Load(), now: t.cfg.Now(), lane: ln, emit: emit}
	if ln.taught != c.content { // the cluster in memory knows the images of another course
		ln.loaded, ln.taught = nil, c.content
	}
	if ln.loaded == nil {
		ch, err := t.load(ctx, r.Place())
		if err != nil {
			return nil, err
		}
		ln.loaded = ch
	}
	c.channel = ln.loaded
	if err := c.readHouse(); err != nil {
		return nil, err
	}
	sh, err := readShelf(ctx, t.cfg.Store, r.person(), keyPerson)
	if err != nil {
		return nil, err
	}
	c.learner = &learner{shelf: sh}
	if err := errors.Join(sh.get(personSettings, &c.learner.settings), sh.get(personBookmark, &c.learner.bookmark), sh.get(personProgress, &c.learner.progress), sh.get(personVoice, &c.learner.voice), sh.get(personReview, &c.learner.review), sh.get(personReminder, &c.learner.reminder)); err != nil {
		return nil, err
	}
	if among(c.house.teachers.IDs, c.request.Who.ID) {
		if err := c.noteHouse(); err != nil {
			return nil, err
		}
	}
	c.tongue()
	return c, nil
}

// tongue has the call speak the language that was chosen: by the person, for the channel, for the
// tenant; else the platform's.
func (c *call) tongue() {
	c.words = c.tutor.wordsOf(c.learner.settings.Language, c.channel.settings.Language, c.parent.Language, c.house.settings.Language, c.request.Locale)
}

func (t *Tutor) load(ctx context.Context, p Place) (*channel, error) {
	sh, err := readShelf(ctx, t.cfg.Store, p.Scope(), keyChannel)
	if err != nil {
		return nil, err
	}
	ch := &channel{shelf: sh}
	return ch, errors.Join(sh.get(channelSettings, &ch.settings), sh.get(channelClock, &ch.clock), sh.get(channelLast, &ch.last),
		sh.get(channelQuiz, &ch.quiz), sh.get(channelLong, &ch.long), sh.get(channelKept, &ch.kept), sh.get(channelExercise, &ch.exercise),
		sh.get(channelStory, &ch.story), sh.get(channelVoice, &ch.voice))
}

// wordsOf speaks the first language given that there is; French where none is.
func (t *Tutor) wordsOf(langs ...string) words {
	for _, lang := range langs {
		if len(lang) >= 2 {
			if w, ok := t.words[fold(lang[:2])]; ok {
				return w
			}
		}
	}
	return t.words["fr"]
}

// How long a kept reply may be, and a block of code in it where the whole is longer, in bytes.
const (
	mostKept     = 256 << 10
	mostKeptCode = 64 << 10
)

// keep is a reply as it is kept with its request. One too long is kept without its
// files and with the beginning of its code: whoever has it twice has those once.
func keep(r Reply) ([]byte, error) { return keepWithin(r, mostKept, mostKeptCode) }

// Once a tenant has had much kept, its replies longer than mostBrief are kept so, with mostBriefCode of their code.
const (
	mostBrief     = 4 << 10
	mostBriefCode = 512
)

// keepOf is keep, of a request in a place.
func (t *Tutor) keepOf(p Place, r Reply) ([]byte, error) {
	data, err := keep(r)
	if err != nil || len(data) <= mostBrief || t.limits.keeps(p.house(), len(data)) {
		return data, err
	}
	return keepWithin(r, mostBrief, mostBriefCode)
}

func keepWithin(r Reply, most, mostCode int) ([]byte, error) {
	if r.Later != nil {
		r.Blocks, r.Files = r.Later, nil
	}
	data, err := json.Marshal(r)
	if err != nil || len(data) <= most {
		return data, err
	}
	r.Files, r.Blocks = nil, slices.Clone(r.Blocks)
	for i, b := range r.Blocks {
		if code, ok := b.(Code); ok && len(code.Text) > mostCode {
			code.Text = strings.ToValidUTF8(code.Text[:mostCode], "") + "\n…"
			r.Blocks[i] = code
		}
	}
	return json.Marshal(r)
}

// apology logs what went wrong and gives the learner the reference to it.
func (t *Tutor) apology(ctx context.Context, r Request, w words, err error) Reply {
	ref := reference(r, t.cfg.Now())
	log := t.cfg.Logger.With("reference", ref, "platform", r.Platform, "tenant", r.Tenant, "channel", r.Channel)
	t.cfg.Metrics.Failed(r.Platform, "command")
	text, part := "", new(Damage)
	switch {
	case errors.As(err, &part):
		log.ErrorContext(ctx, "the data file is damaged: verify says where, restore puts a copy in its place", "part", part.Scope, "error", err)
		text = w.say("failure.damaged", with{"Where": w.whose(part.Scope), "Reference": ref})
	case errors.Is(err, ErrDamaged):
		log.ErrorContext(ctx, "the data file is damaged: verify says where, restore puts a copy in its place", "part", "all", "error", err)
		text = w.say("failure.broken", with{"Reference": ref})
	case errors.Is(err, ErrFull):
		log.ErrorContext(ctx, "the disk is full: make room, nothing is kept until then", "error", err)
		text = w.say("failure.full", with{"Reference": ref})
	case errors.Is(err, ErrReadOnly):
		log.ErrorContext(ctx, "the data file may not be written: mount its disk for writing, or give it back to whoever runs the program", "error", err)
		text = w.say("failure.readonly", with{"Reference": ref})
	case errors.Is(err, ErrUnsure):
		log.ErrorContext(ctx, "the disk did not keep what it was given: look after it, start the program again, then verify and compact the file", "error", err)
		text = w.say("failure.unsure", with{"Reference": ref})
	case errors.Is(err, ErrStopped):
		log.ErrorContext(ctx, "nothing is answered since the disk has failed: look after it, and start the program again", "error", err)
		text = w.say("failure.stopped", with{"Reference": ref})
	case errors.Is(err, context.DeadlineExceeded):
		log.ErrorContext(ctx, "command took too long", "line", loggable(r.Line), "error", err)
		text = w.say("failure.late", with{"Reference": ref})
	default:
		log.ErrorContext(ctx, "command failed", "line", loggable(r.Line), "error", err)
		text = w.say("failure.ours", with{"Reference": ref})
	}
	return Reply{Blocks: []Block{Text{text}}, Final: true, Failed: true, Reference: ref}
}

// whose says in which part of what is kept something is damaged, as verify does.
func (w words) whose(s Scope) string {
	data := with{"Platform": s.Platform, "Tenant": s.Tenant, "Channel": s.Channel, "Person": s.Person}
	switch {
	case s.Channel != "":
		return w.say("keep.inchannel", data)
	case s.Person != "":
		return w.say("keep.inperson", data)
	}
	return w.say("keep.intenant", data)
}

// tooLate says that a command was not done before the last process ended, and that it is
// not done now: the person decides.
func (c *call) tooLate() Reply {
	line := firstLine(c.request.Line)
	r := c.mistake("failure.interrupted", with{"Line": shorten(line)})
	if line == c.request.Line && len(line) <= buttonLine {
		r.Buttons = []Button{{Label: c.say("button.again"), Line: line, Style: Primary}}
	}
	return r
}

// reference names a failure: 7F3K-2. Four characters that are not mistaken for
// each other, and a check digit.
func reference(r Request, now time.Time) string {
	h := fnv.New32a()
	fmt.Fprintf(h, "%s\x00%s\x00%s\x00%s\x00%d", r.Platform, r.Tenant, r.Channel, r.ID, now.UnixNano())
	const letters = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
	n := h.Sum32()
	ref := make([]byte, 0, 6)
	for i := range 4 {
		ref = append(ref, letters[n>>(5*i)&31])
	}
	return fmt.Sprintf("%s-%d", ref, n%9+1)
}

// offer is what a person may name by a label, a number or letters alone.
type offer struct {
	buttons []Button
	menu    *Menu
	prompt  *Prompt
}

// offer remembers what a person was shown last, so that labels, numbers, letters and the answer
// to a prompt for one line may be typed.
func (ln *lane) offer(person string, r Reply) {
	const people = 500
	if len(ln.offered) >= people {
		clear(ln.offered)
	}
	ln.offered[person] = offer{r.Buttons, r.Menu, r.Prompt}
}

// loggable is what may be logged of a line: the command, and no value of a Secret.
func loggable(line string) string {
	words := strings.Fields(firstLine(line))
	return strings.Join(words[:min(3, len(words))], " ")
}

// firstLine is a command without the text that follows it.
func firstLine(line string) string {
	for i, r := range line {
		if r == '\n' || r == utf8.RuneError || i > 200 {
			return line[:i]
		}
	}
	return line
}
