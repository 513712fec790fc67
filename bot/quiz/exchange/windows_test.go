package exchange

import (
	"strings"
	"testing"
)

// A spreadsheet that says nothing of its encoding is read as it was written, and that is told.
func TestUndeclaredWindows(t *testing.T) {
	r, err := Import(strings.NewReader("type;question;r\xe9ponse\r\nvrai ou faux;Un n\x9cud re\xe7oit \xab\xa0l'\xc9t\xe9\xa0\xbb?;vrai\r\n"), CSV, Options{Lang: "fr"})
	if err != nil || len(r.Taken) != 1 || r.Fault != nil {
		t.Fatalf("%+v, %v", r, err)
	}
	if got := r.Taken[0].Item.Ask.In("fr"); got != "Un nœud reçoit «\u00a0l'Été\u00a0»?" {
		t.Errorf("read: %q", got)
	}
	if notes := r.Taken[0].Notes; len(notes) == 0 || notes[0].Code != Guessed || notes[0].Line != 1 {
		t.Errorf("notes: %v", notes)
	}
	if id := r.Taken[0].Item.ID; !strings.Contains(id, "noeud") {
		t.Errorf("ID: %q", id)
	}
}
