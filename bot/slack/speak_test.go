package slack

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"timonier/bot"
	"timonier/bot/slack/slacktest"
)

func spokenText(text string) bot.Reply {
	return bot.Reply{Blocks: []bot.Block{bot.Text{Markdown: text}}, Final: true}
}

func inChannel(channel string) bot.To {
	return bot.To{Place: bot.Place{Platform: platform, Tenant: "T0TEST", Channel: channel}, Locale: "fr"}
}

func toPerson(id string) bot.To {
	return bot.To{Place: bot.Place{Platform: platform, Tenant: "T0TEST"}, Person: id, Locale: "fr"}
}

// speak speaks, and fails the test where that fails.
func (b *bench) speak(to bot.To, shown json.RawMessage, r bot.Reply) json.RawMessage {
	b.t.Helper()
	way, err := b.app.Speak(b.ctx, to, shown, r)
	if err != nil {
		b.t.Fatal(err)
	}
	if len(way) == 0 || len(way) > 1<<10 {
		b.t.Errorf("a way back of %d bytes", len(way))
	}
	return way
}

// words are those of the messages in a channel, of which deleted ones are left out.
func (b *bench) words(channel string) []string {
	var all []string
	for _, m := range b.slack.Messages(channel) {
		if !m.Deleted {
			all = append(all, m.Words())
		}
	}
	return all
}

func (b *bench) wantWords(channel string, want ...string) {
	b.t.Helper()
	if got := b.words(channel); !slices.Equal(got, want) {
		b.t.Errorf("in %s: %q, want %q", channel, got, want)
	}
}

func TestSpeaks(t *testing.T) {
	b := open(t)
	question := spokenText("Qui décide du nœud? <!channel>")
	question.Buttons = []bot.Button{{Label: "A", Line: "/quiz réponse 7f-1 A"}}
	way := b.speak(inChannel("C1"), nil, question)
	if got := b.words("C1"); len(got) != 1 || !strings.Contains(got[0], "Qui décide") || len(b.slack.Messages("C1")[0].Buttons()) != 1 {
		t.Fatalf("%q", got)
	}
	b.speak(inChannel("C1"), way, spokenText("Le planificateur."))
	b.wantWords("C1", "Le planificateur.")
	b.slack.DeleteMessage("C1", b.slack.Messages("C1")[0].TS)
	b.speak(inChannel("C1"), way, spokenText("Fin"))
	b.wantWords("C1", "Fin")
	thread := inChannel("C1:" + b.slack.Messages("C1")[1].TS)
	b.speak(thread, nil, spokenText("dans le fil"))
	if all := b.slack.Messages("C1"); all[2].Thread != all[1].TS {
		t.Errorf("not in the thread: %+v", all[2])
	}
	b.speak(inChannel("C1"), json.RawMessage(`"lost"`), spokenText("Une voie perdue"))
	b.wantWords("C1", "Fin", "dans le fil", "Une voie perdue")
}

func TestSpeaksPrivately(t *testing.T) {
	b := open(t)
	way := b.speak(toPerson("U1"), nil, spokenText("4 cartes"))
	b.speak(toPerson("U1"), way, spokenText("3 cartes"))
	b.wantWords("D1", "3 cartes")
	to := inChannel("C1") // what a channel's quiz tells one person
	to.Person = "U1"
	b.speak(to, nil, spokenText("votre résultat"))
	b.wantWords("D1", "3 cartes", "votre résultat")
	b.wantWords("C1")
}

func TestSpeaksWithPicture(t *testing.T) {
	for _, asks := range []int{0, 2, -1} { // how soon Slack has processed it: at once, soon, never
		b := open(t, func(_ *Config, s *slacktest.Config) { s.Asks = asks })
		bar := spokenText("Les réponses")
		bar.Blocks = append(bar.Blocks, bot.Picture{Name: "réponses.png", Alt: "A: 12, B: 3", PNG: []byte("\x89PNG\r\n\x1a\n and more")})
		bar.Files = []bot.File{{Name: "notes.csv", Type: "text/csv", Data: []byte("a,b\n")}}
		way := b.speak(inChannel("C1"), nil, spokenText("La question"))
		b.speak(inChannel("C1"), way, bar)
		all := b.slack.Messages("C1")
		if !strings.Contains(all[0].Words(), "Les réponses") {
			t.Errorf("asks %d: %q", asks, b.words("C1"))
		}
		if shown := strings.Contains(string(all[0].Blocks), "slack_file"); shown != (asks >= 0) {
			t.Errorf("asks %d: the picture is in the message: %v", asks, shown)
		}
		if n := len(all); n != map[int]int{0: 2, 2: 2, -1: 3}[asks] { // the file, and the picture that is none as a file
			t.Errorf("asks %d: %d messages: %q", asks, n, b.words("C1"))
		}
		b.end()
	}
}

// The picture fails when the words are said: they are not said again.
func TestSaidThoughThePictureFails(t *testing.T) {
	b := open(t)
	b.slack.Spoil("files.getUploadURLExternal", 100, slacktest.Trouble{Status: 503})
	bar := spokenText("Les réponses")
	bar.Blocks = append(bar.Blocks, bot.Picture{Name: "r.png", Alt: "A: 12", PNG: []byte("\x89PNG\r\n\x1a\n")})
	b.speak(inChannel("C1"), nil, bar)
	if n := len(b.slack.Messages("C1")); n != 1 {
		t.Errorf("%d messages", n)
	}
}

func TestUnreachable(t *testing.T) {
	b := open(t)
	b.slack.SetChannel(slacktest.Channel{ID: "C8", Name: "archive", Member: true, Archived: true})
	for _, to := range []bot.To{inChannel("C3"), inChannel("C8"), inChannel("C404"), inChannel(""), toPerson("U404")} {
		if _, err := b.app.Speak(b.ctx, to, nil, spokenText("x")); !errors.Is(err, bot.ErrUnreachable) {
			t.Errorf("%+v: %v", to, err)
		}
	}
	way := b.speak(inChannel("C1"), nil, spokenText("avant"))
	b.slack.RemoveChannel("C1")
	if _, err := b.app.Speak(b.ctx, inChannel("C1"), way, spokenText("après")); !errors.Is(err, bot.ErrUnreachable) {
		t.Errorf("the channel is gone: %v", err)
	}
	for word, want := range map[string]error{"invalid_auth": nil, "internal_error": nil, "ratelimited": nil, "something_new": bot.ErrRefused, "cannot_dm_bot": bot.ErrUnreachable} {
		b.slack.Spoil("chat.postMessage", 1, slacktest.Trouble{Error: word})
		_, err := b.app.Speak(b.ctx, inChannel("C2"), nil, spokenText("x"))
		if err == nil || want != nil && !errors.Is(err, want) || want == nil && (errors.Is(err, bot.ErrUnreachable) || errors.Is(err, bot.ErrRefused)) {
			t.Errorf("%s: %v, want %v", word, err, want)
		}
	}
}

func TestProbe(t *testing.T) {
	b := open(t)
	for channel, want := range map[string]error{"C1": nil, "C3": bot.ErrUnreachable, "C404": bot.ErrUnreachable, "D1": nil, "C1:1.2": nil} {
		if err := b.app.Probe(b.ctx, inChannel(channel)); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", channel, err, want)
		}
	}
	b.slack.Spoil("conversations.info", 1, slacktest.Trouble{Error: "missing_scope"})
	if err := b.app.Probe(b.ctx, inChannel("C3")); err != nil {
		t.Errorf("where the app may not ask: %v", err)
	}
}

// Slack takes about one message a second and channel, and says when it is too much.
func TestSpeaksWithinTheRate(t *testing.T) {
	b := open(t)
	b.slack.Spoil("chat.postMessage", 1, slacktest.Trouble{Status: 429, RetryAfter: 2 * time.Second})
	var want []string
	for i := range 12 {
		text := fmt.Sprint("numéro ", i)
		b.speak(inChannel("C1"), nil, spokenText(text))
		want = append(want, text)
	}
	b.wantWords("C1", want...)
	paced := 0
	for _, d := range b.clock.waits() {
		if d > 500*time.Millisecond {
			paced++
		}
	}
	if paced < 12-burst {
		t.Errorf("%d waits for 12 messages: %v", paced, b.clock.waits())
	}
}

// listen has the tutor say what is due by the stand-in's clock.
func (b *bench) listen() {
	b.t.Helper()
	if _, err := b.tutor.SpeakNow(b.ctx, platform, b.app); err != nil {
		b.t.Fatal(err)
	}
}

// TestARaceIsRun: the questions come by themselves when their time is up, each in a message that
// then shows its answer; a restart in the middle of a question loses nothing and repeats nothing.
func TestARaceIsRun(t *testing.T) {
	b := open(t, withTeacher)
	cfg := b.app.cfg
	b.listen() // from here on the tutor knows that it can speak
	b.says(b.send(inClass("UPROF", "/quiz course nombre=2 temps=20s pause=10s")), "2 questions")
	b.listen()
	before := len(b.slack.Messages("C1"))
	b.slack.Advance(16 * time.Second)
	b.listen()
	all := b.slack.Messages("C1")
	if len(all) != before+1 || !strings.Contains(all[before].Words(), "question 1 sur 2") || len(all[before].Buttons()) == 0 {
		t.Fatalf("%d messages, the first question: %q", len(all)-before, all[len(all)-1].Words())
	}
	first := all[before]
	b.end() // in the middle of the question
	b.start(cfg)
	b.listen()
	if m := b.says(b.press("U1", first, first.Buttons()[0].Label), "").Message; m.For != "U1" {
		t.Errorf("all see the answer: %q", m.Words())
	}
	b.slack.Advance(30 * time.Second)
	b.listen()
	for range 6 {
		b.slack.Advance(10 * time.Second)
		b.listen()
	}
	all = b.slack.Messages("C1")[before:]
	var said []string
	for _, m := range all {
		if m.For == "" {
			said = append(said, m.Words())
		}
	}
	if len(said) != 3 || !tellsRight(said[0]) || !strings.Contains(said[1], "question 2 sur 2") || !tellsRight(said[1]) {
		t.Errorf("said: %q", said)
	}
}

// Where the app was not invited no race begins, and the teacher is told what to do.
func TestNoRaceUninvited(t *testing.T) {
	b := open(t, withTeacher)
	b.listen()
	race := inClass("UPROF", "/quiz course nombre=2 temps=20s")
	race.Channel = "C3"
	b.says(b.send(race), b.sentence("quiz.uninvited", nil))
	b.slack.Advance(time.Minute)
	b.listen()
	if n := len(b.slack.Calls("chat.postMessage")); n > 1 { // the answer's own try
		t.Errorf("%d tries to post", n)
	}
}
