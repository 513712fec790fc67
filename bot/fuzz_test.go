package bot

import (
	"bytes"
	"compress/flate"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// fuzzed is a tutor of which each execution has a conversation of its own.
type fuzzed struct {
	store *memory
	tutor *Tutor
	log   *bytes.Buffer
	now   time.Time
	run   int
}

func newFuzzed(f *testing.F) *fuzzed {
	x := &fuzzed{store: newMemory(), log: &bytes.Buffer{}, now: time.Date(2026, 9, 14, 13, 0, 0, 0, time.UTC)}
	x.tutor = New(Config{Store: x.store, Now: func() time.Time { return x.now }, Limits: Limits{Channels: 1},
		Logger: slog.New(slog.NewTextHandler(x.log, nil))})
	f.Cleanup(func() { x.tutor.Close() })
	return x
}

// begin forgets the conversation before.
func (x *fuzzed) begin() {
	x.run++
	x.log.Reset()
	x.store.mu.Lock()
	defer x.store.mu.Unlock()
	clear(x.store.scopes)
	clear(x.store.answers)
}

// slowest is how long one line may take, on a machine that is busy with other things.
const slowest = 15 * time.Second

func (x *fuzzed) ask(t *testing.T, n int, line string) (last Reply) {
	t.Helper()
	x.now = x.now.Add(time.Second)
	began := time.Now()
	err := x.tutor.Handle(context.Background(), Request{
		ID: fmt.Sprintf("%d-%d", x.run, n), Platform: "test", Tenant: "t", Channel: fmt.Sprint("c", x.run), Who: Person{ID: "ana"},
		Locale: "fr", Line: line, Teacher: true, Direct: true, Alone: true,
	}, func(r Reply) { last = r })
	if err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	if took := time.Since(began); took > slowest {
		t.Errorf("%q took %v", line, took)
	}
	return last
}

// befores are what a conversation was about before a line is typed: each opens other ways to read it.
var befores = [][]string{
	{}, {"/kubectl create deployment web --image=nginx"}, {"/quiz révision"}, {"/exercice 2.1"}, {"/histoire 1"},
	{"/réglages salon fuseau America/Toronto"}, {"/banque ajoute"}, {"/remise"}, {"/panne noeud node-2"}, {"/cours 2.1"},
}

// FuzzLine: whatever is typed, after whatever else, is answered: by no failure of ours, within a time, by a reply
// that is kept and given again as it was, with buttons that every platform carries and that can be pressed.
func FuzzLine(f *testing.F) {
	for _, line := range []string{
		"/aide", "/kubectl get pods -o jsonpath='{.items[*].metadata.name}'", "/kubectl apply -f -\napiVersion: v1\nkind: Pod\nmetadata: {name: a}",
		"/temps avance 6m", "/temps vitesse 60", "/temps avance 1e99h", "/quiz jour 09:00", "/quiz course modules=3,4 nombre=10 temps=30s retard=2s", "/quiz examen temps=99999999999999h",
		"/réglages salon fuseau ../../etc/passwd", "/réglages rappel 25:61", "/réglages serveur rétention -1", "/enseignants ajoute <@1>", "/enseignants ajoute @everyone",
		"/pourquoi web si cpu=1e400", "/pourquoi x si toleration=a=b:c", "/grappe sauve ../a", "/panne node node-2", "/lentille salon placement", "/analogie -1", "/cours 4.999999999999999999999",
		"/histoire 1 suite", "/schéma pod web", "/etcdctl get / --prefix --keys-only", "A", "1", "A,B", "3,5 Gi", "/banque ajoute\n::q:: a {=b ~c}", "/banque importe moodle\n<quiz/>",
		"/remise 5", "/remise confirme", "suite", "je ne sais pas", "/page 9223372036854775807", "/", "//", "/\u202eaide", "\ufeff/aide", "`/aide`", "/kubectl 'x", "\x00",
	} {
		for before := range befores {
			if before == 0 || strings.HasPrefix(line, "A") {
				f.Add(uint8(before), line)
			}
		}
	}
	x := newFuzzed(f)
	f.Fuzz(func(t *testing.T, before uint8, line string) {
		x.begin()
		n := 0
		for _, b := range befores[int(before)%len(befores)] {
			x.ask(t, n, b)
			n++
		}
		for _, typed := range []string{line, "1"} { // then whatever its first button does
			n++
			sound(t, typed, x.ask(t, n, typed))
		}
		if t.Failed() {
			t.Log(x.log)
		}
	})
}

// sound holds a final reply against what every front end counts on.
func sound(t *testing.T, line string, r Reply) {
	t.Helper()
	if r.Reference != "" || !r.Final || len(r.Blocks) == 0 {
		t.Errorf("%q: reference %q, final %v, %d blocks", line, r.Reference, r.Final, len(r.Blocks))
	}
	for _, b := range r.Buttons {
		if len(b.Line) > buttonLine || b.Line == "" || b.Label == "" || !utf8.ValidString(b.Line) {
			t.Errorf("%q offers %+v", line, b)
		}
	}
	stays(t, r)
}

// stays: a reply that was kept is the one that it was.
func stays(t *testing.T, r Reply) {
	t.Helper()
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var same Reply
	if err := json.Unmarshal(data, &same); err != nil {
		t.Fatal(err)
	}
	if data2, err := json.Marshal(same); err != nil || !bytes.Equal(data, data2) {
		t.Errorf("kept as\n%s\nread as\n%s %v", data, data2, err)
	}
}

// FuzzReply: a kept reply that is damaged is an error, or a reply like any other.
func FuzzReply(f *testing.F) {
	for _, r := range []Reply{
		{Blocks: []Block{Title{"a"}, Text{"b"}, Code{"yaml", "c"}, Table{[]string{"d"}, [][]string{{"e"}}}, Quote{"f"}, Meter{"g", 1, 2}, Picture{Name: "h"}, Until{}, Divider{}}},
		{Buttons: []Button{{"a", "/b", Danger}}, Menu: &Menu{Choices: []MenuChoice{{"A", "b"}}}, Files: []File{{Data: []byte("x")}}, Prompt: &Prompt{Short: true}, Follow: &Follow{Blocks: 1}},
	} {
		data, err := json.Marshal(r)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(`{"Blocks":[{"kind":"nothing"}]}`))
	f.Add([]byte(`{"Blocks":[{"kind":"picture","block":{"Drawn":{}}}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var r Reply
		if json.Unmarshal(data, &r) == nil {
			stays(t, r)
			if _, err := keep(r); err != nil {
				t.Error(err)
			}
		}
	})
}

// FuzzCheckpoint: what is kept of a cluster, damaged, is an error or records, and takes no more memory than a whole one.
func FuzzCheckpoint(f *testing.F) {
	whole, err := pack(map[string][]byte{"a": []byte("b"), "x": bytes.Repeat([]byte("y"), 300)})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	f.Add([]byte{})
	bomb := &bytes.Buffer{}
	w, _ := flate.NewWriter(bomb, flate.BestCompression)
	w.Write(make([]byte, 1<<20))
	w.Close()
	f.Add(bomb.Bytes())
	f.Fuzz(func(t *testing.T, packed []byte) {
		records, err := unpack(packed)
		size := 0
		for key, value := range records {
			size += len(key) + len(value)
		}
		if size > 2*mostUnpacked || err != nil && records != nil {
			t.Errorf("%d bytes, %v", size, err)
		}
	})
}

// FuzzPasted: what was pasted is tidied once, and words are what they are to a shell: quoted, they come back.
func FuzzPasted(f *testing.F) {
	for _, s := range []string{"kubectl get “pods” –n kube-system", "a 'b c' \"d\\\"e\" f\\ g", "```yaml\na:\u00a0«b»\n```", "apply -f - <<EOF", "--replicas=3 — x", "a | b; c && d > e", "\ufeffa\r\nb\u2028c"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
			return // no line of a person: it is refused before
		}
		tidyText(s)
		unheredoc(s, s)
		line := tidyCommand(tidyNewlines(s))
		if len(line) > 4*len(s) {
			t.Errorf("%q grows to %q", s, line)
		}
		words, err := split(line)
		if err != nil {
			return
		}
		quoted := ""
		for _, w := range words {
			quoted += " '" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
		if same, err := split(quoted); err != nil || strings.Join(same, "\x00") != strings.Join(words, "\x00") {
			t.Errorf("%q are read as %q: %v", words, same, err)
		}
	})
}

// FuzzRecords: a record of a channel, a person or a tenant that is damaged fails the request, and does no more.
func FuzzRecords(f *testing.F) {
	kinds := []struct {
		scope Scope
		key   string
	}{
		{Scope{Channel: "c"}, channelSettings}, {Scope{Channel: "c"}, channelClock}, {Scope{Channel: "c"}, channelLast}, {Scope{Channel: "c"}, channelLong},
		{Scope{Channel: "c"}, channelKept}, {Scope{Channel: "c"}, channelExercise}, {Scope{Channel: "c"}, channelStory}, {Scope{Channel: "c"}, channelVoice},
		{Scope{Channel: "c"}, channelQuiz}, {Scope{Person: "ana"}, personSettings}, {Scope{Person: "ana"}, personBookmark}, {Scope{Person: "ana"}, personProgress},
		{Scope{Person: "ana"}, personVoice}, {Scope{Person: "ana"}, personReview}, {Scope{Person: "ana"}, personReminder}, {Scope{}, houseSettings}, {Scope{}, houseTeachers},
	}
	x := newFuzzed(f)
	for _, line := range []string{"/kubectl create deployment web --image=nginx", "/grappe sauve a", "/quiz course", "/quiz révision", "/cours 1.1", "/réglages rappel 08:00", "/enseignants ajoute @bo"} {
		err := x.tutor.Handle(context.Background(), Request{Platform: "test", Tenant: "t", Channel: "c0", Who: Person{ID: "ana"}, Line: line, Teacher: true}, func(Reply) {})
		if err != nil {
			f.Fatal(err)
		}
	}
	for i, k := range kinds {
		f.Add(uint8(i), []byte(`{}`))
		s := k.scope
		s.Platform, s.Tenant = "test", "t"
		if s.Channel != "" {
			s.Channel = "c0"
		}
		if kept := x.store.scopes[s]; kept != nil && kept.records[k.key] != nil {
			f.Add(uint8(i), bytes.Clone(kept.records[k.key]))
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, value []byte) {
		x.begin()
		k := kinds[int(which)%len(kinds)]
		s := k.scope
		s.Platform, s.Tenant = "test", "t"
		if s.Channel != "" {
			s.Channel = fmt.Sprint("c", x.run)
		}
		x.store.scope(s).records[k.key] = value
		for n, line := range []string{"/réglages", "/kubectl get pods", "/cours", "/quiz", "/grappe liste", "/exercice", "suite"} {
			x.ask(t, n, line)
		}
		if strings.Contains(x.log.String(), "panic:") {
			t.Error(x.log)
		}
	})
}
