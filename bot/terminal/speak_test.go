package terminal

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"timonier/bot"
)

// fakeVoice says what it is given, the first of it before each line.
type fakeVoice struct {
	said  [][]bot.Reply
	shown json.RawMessage
}

func (f *fakeVoice) SpeakNow(ctx context.Context, platform string, s bot.Speaker) (time.Time, error) {
	if len(f.said) == 0 {
		return time.Time{}, nil
	}
	now := f.said[0]
	f.said = f.said[1:]
	for _, r := range now {
		var err error
		if f.shown, err = s.Speak(ctx, bot.To{Place: bot.Place{Platform: platform}}, f.shown, r); err != nil {
			return time.Time{}, err
		}
	}
	return time.Time{}, nil
}

func (f *fakeVoice) Speak(ctx context.Context, platform string, s bot.Speaker) error {
	for len(f.said) > 0 {
		if _, err := f.SpeakNow(ctx, platform, s); err != nil {
			return nil
		}
	}
	<-ctx.Done()
	return nil
}

func question(text string) bot.Reply {
	return bot.Reply{Blocks: []bot.Block{bot.Code{Text: text}}, Buttons: []bot.Button{{Label: "A", Line: "/answer A"}}, Final: true}
}

func TestScriptSaysWhatIsDueBeforeEachLine(t *testing.T) {
	tutor := &fakeTutor{}
	s := newSession(tutor)
	s.Voice = &fakeVoice{said: [][]bot.Reply{{question("due at the start")}, nil, {question("Q1"), question("Q1"), question("Q1, changed")}}}
	var out bytes.Buffer
	if _, err := s.Script(t.Context(), strings.NewReader("/one\n/two\n"), &out); err != nil {
		t.Fatal(err)
	}
	const want = "due at the start\n\n[1 A]\n\nsaid /one\n\nsaid /two\n\nQ1\n\n[1 A]\n\nQ1, changed\n\n[1 A]\n\n"
	if got := out.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestLinesOfferWhatIsSaid(t *testing.T) {
	tutor := &fakeTutor{}
	s := newSession(tutor)
	s.Voice = &fakeVoice{said: [][]bot.Reply{nil, {question("Q1")}}}
	var out bytes.Buffer
	if err := s.Lines(t.Context(), strings.NewReader("/one\n1\n"), &out); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(tutor.lines, " "); got != "/one /answer A" {
		t.Errorf("the tutor got %q", got)
	}
}

// What nobody asked for stands between the lines; what was being typed stays, and its buttons can be named.
func TestChatSaysBetweenLines(t *testing.T) {
	d := newDesk(t, &fakeTutor{})
	select {
	case <-d.chat.greeted:
	default:
		t.Fatal("nothing may be said though it has greeted")
	}
	d.enter("/one")
	d.typed("half a li")
	said := saidMsg{question("Q1"), make(chan struct{})}
	d.update(said)
	select {
	case <-said.shown:
	default:
		t.Error("it is not said to be shown")
	}
	d.wantInput("half a li")
	if got := d.screen(); !strings.HasSuffix(got, "said /one\n\nQ1\n\n[1 A]\n") {
		t.Errorf("got\n%s", got)
	}
	d.ctrl('c')
	d.enter("a")
	d.wantLines("/one", "/answer A")

	d.held = true
	d.enter("/two")
	d.update(saidMsg{question("Q2"), make(chan struct{})}) // while an answer is coming
	d.let()
	if got := d.screen(); !strings.Contains(got, "Q2") || !strings.Contains(got, "said /two") {
		t.Errorf("got\n%s", got)
	}
	d.ctrl('d')
	late := saidMsg{question("Q3"), make(chan struct{})}
	d.update(late)
	select {
	case <-late.shown:
		t.Error("what comes after the good-bye is said to be shown")
	default:
	}
}
