package slack

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"timonier/bot/slack/slacktest"
)

// files are given once a class has raced: those of a report, of the bank and of one's own data come whole to whoever asked for
// them, in their private messages by way of Slack's upload; the class sees none, and who does not teach gets none of a report.
func (b *bench) files() {
	t := b.t
	t.Helper()
	const upload = "files.getUploadURLExternal"
	began := len(b.slack.Calls(upload))
	mark := []byte("\uFEFF")
	for _, f := range []struct {
		user, line, says, name string
		whole                  func(data []byte) bool
	}{
		{"UPROF", "/timonier rapport réponses", "20 réponses", "réponses.csv", func(data []byte) bool {
			return bytes.HasPrefix(data, mark) && bytes.Count(data, []byte("\r\n")) == 21 && bytes.Count(data, []byte(";UCLASS3;")) == 2
		}},
		{"UPROF", "/timonier rapport notes", "10 personnes", "notes.csv", func(data []byte) bool {
			return bytes.HasPrefix(data, mark) && bytes.Count(data, []byte("\r\n")) == 11
		}},
		{"UPROF", "/timonier banque exporte gift", "Voici la banque", "questions.gift.txt", func(data []byte) bool {
			return bytes.Count(data, []byte("::[markdown]")) > 40
		}},
		{"UCLASS3", "/timonier réglages mes-données", "tout ce que je garde", "mes-données.json", func(data []byte) bool {
			return json.Valid(data) && bytes.Contains(data, []byte(`"UCLASS3"`)) && !bytes.Contains(data, []byte("UCLASS4"))
		}},
	} {
		direct := "D" + strings.TrimPrefix(f.user, "U")
		before, asked := len(b.slack.Messages(direct)), len(b.slack.Calls(upload))
		b.says(b.send(inClass(f.user, f.line)), f.says)
		b.idle()
		var got []slacktest.File
		for _, m := range b.slack.Messages(direct)[before:] {
			got = append(got, m.Files...)
		}
		if len(got) != 1 || got[0].Name != f.name || !f.whole(got[0].Data) || !slices.Equal(got[0].Channels, []string{direct}) {
			t.Errorf("%s: %+v", f.line, got)
		}
		if n := len(b.slack.Calls(upload)) - asked; n != 1 {
			t.Errorf("%s: %d uploads", f.line, n)
		}
	}
	b.says(b.send(inClass("U1", "/timonier rapport réponses")), "réservé")
	b.idle()
	for _, m := range b.slack.Messages("C1") {
		if len(m.Files) > 0 {
			t.Errorf("the class is given %s", m.Files[0].Name)
		}
	}
	if n := len(b.slack.Calls(upload)) - began; n != 4 {
		t.Errorf("%d uploads in all", n)
	}
}
