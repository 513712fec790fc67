package bot

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"timonier/bot/quiz"
	"timonier/bot/quiz/exchange"
)

// classroom is a stage with people who have names, in several channels.
type classroom struct {
	*stage
	channel string
}

func newClassroom(t *testing.T) *classroom {
	s := newStage(t, "fr")
	s.course = smallCourse(t)
	s.tutor = s.newTutor()
	s.shared, s.tenant = true, "guild"
	s.listen()
	t.Cleanup(func() { s.tutor.Close() })
	return &classroom{s, "general"}
}

// does has a person type a line; the teacher is "teacher-1".
func (s *classroom) does(person, line string) Reply {
	s.t.Helper()
	s.now = s.now.Add(time.Second)
	s.person, s.leads = person, person == "teacher-1"
	r := s.request(line)
	r.Channel, r.Who = s.channel, Person{ID: person, Name: "N. " + person, Everywhere: true}
	reply := s.send(r)
	s.listen()
	return reply
}

// race has people answer the two questions on etcd: those before the bar right, the others wrong.
func (s *classroom) race(right []string, wrong ...string) {
	s.t.Helper()
	if r := s.does("teacher-1", "/quiz course modules=5 nombre=2 accueil=0s temps=600s"); r.Failed {
		s.t.Fatalf("no race: %s", plainText(r))
	}
	quiz := s.open()
	for n, item := range quiz.Items {
		answers := map[string][2]string{"5.2-losses": {"2", "3"}, "5.2-four": {"Aucune perte de plus", "Une perte de plus"}}[item]
		for i, people := range [][]string{right, wrong} {
			for _, p := range people {
				if r := s.does(p, "/quiz réponse "+questionID(quiz.ID, n)+" "+answers[i]); r.Failed {
					s.t.Fatalf("%s: %s", p, plainText(r))
				}
			}
		}
		s.does("teacher-1", "/quiz révèle")
		s.does("teacher-1", "/quiz suivante")
	}
}

// open is the session that runs in the channel.
func (s *classroom) open() openQuiz {
	s.t.Helper()
	place := Scope{Platform: "test", Tenant: s.tenant, Channel: s.channel}
	var here quizHere
	var q openQuiz
	s.record(place, channelQuiz, &here)
	s.record(place, keyQuiz+here.Open, &q)
	return q
}

func (s *classroom) record(scope Scope, key string, v any) {
	s.t.Helper()
	records, _, err := s.store.Read(context.Background(), scope, key)
	if err != nil || len(records) == 0 {
		s.t.Fatalf("no record %s in %v: %v", key, scope, err)
	}
	if err := json.Unmarshal(records[0].Value, v); err != nil {
		s.t.Fatal(err)
	}
}

// left is where a text stands in the store: in a scope that has records, in a key, in a value.
func (s *classroom) left(text string) (out []string) {
	s.tutor.agenda.settled()
	s.store.memory.mu.Lock()
	defer s.store.memory.mu.Unlock()
	for scope, k := range s.store.memory.scopes {
		for key, value := range k.records {
			if strings.Contains(fmt.Sprint(scope)+key, text) || bytes.Contains(value, []byte(text)) {
				out = append(out, fmt.Sprintf("%v %s: %s", scope, key, value))
			}
		}
	}
	slices.Sort(out)
	return out
}

// TestNothingIsLeftOfWhoWantsToBeForgotten: no byte of the ID or the name is in any record, in any
// key, in the name of any scope, of any channel.
func TestNothingIsLeftOfWhoWantsToBeForgotten(t *testing.T) {
	s := newClassroom(t)
	const me = "U4711X"
	s.does(me, "/réglages nom oui")
	s.does(me, "/réglages rappel 08:00")
	s.does("teacher-1", "/enseignants ajoute "+me)
	for _, channel := range []string{"general", "other", "third"} {
		s.channel = channel
		s.race([]string{me, "bea"}, "cid")
	}
	s.channel = "other"
	s.does(me, "/quiz signale 5.2-four")
	s.does(me, "/histoire 1")
	for range 20 {
		if r := s.does(me, "/histoire prédit A"); !r.Failed {
			break
		}
		s.does(me, "/histoire suite")
	}
	s.does(me, "/quiz course modules=5 nombre=1 accueil=0s temps=600s") // hosts one that goes on
	s.does(me, "/quiz révision")
	s.tenant, s.channel = "abroad", "lobby" // no answer here
	s.does(me, "/quiz signale 5.2-four")
	s.tenant = "faraway"
	s.does("teacher-1", "/enseignants ajoute "+me)
	s.does(me, "/aide")
	s.tenant, s.channel = "guild", "general"

	before := s.left(me)
	kinds := map[string]bool{}
	for _, b := range before {
		for _, kind := range []string{keyAnswer, keyNames, keyPredictions, keyTook, keyCards, keyVoted, `"host"`, "agenda/", personReminder, personSettings, houseTeachers} {
			kinds[kind] = kinds[kind] || strings.Contains(b, kind)
		}
	}
	if len(kinds) != 11 || slices.Contains(mapValues(kinds), false) {
		t.Fatalf("not all there is to forget is there: %v\n%s", kinds, strings.Join(before, "\n"))
	}
	bea, flags := len(s.left("bea")), len(s.left(keyFlag))
	s.tenant = "elsewhere" // where the person is on no list
	if r := s.does(me, "/réglages oublie-moi"); !strings.Contains(plainText(r), "ni ici ni ailleurs") {
		t.Errorf("asked in another server: %s", plainText(r))
	}
	s.tenant = "guild"
	if r := s.does(me, "/réglages oublie-moi"); !slices.Equal(s.left(me), before) || len(r.Buttons) == 0 {
		t.Fatalf("something was deleted before it was confirmed: %s", plainText(r))
	}
	if r := s.does(me, "/réglages oublie-moi confirme"); r.Failed {
		t.Fatalf("not forgotten: %s", plainText(r))
	}
	if left := s.left(me); len(left) > 0 {
		t.Errorf("left:\n%s", strings.Join(left, "\n"))
	}
	if len(s.left("bea")) != bea {
		t.Errorf("somebody else's records went: %d of %d", len(s.left("bea")), bea)
	}
	if flags != 2 || len(s.left(keyFlag)) != 0 {
		t.Errorf("flags: %d before, %d after", flags, len(s.left(keyFlag)))
	}
	for _, channel := range []string{"other", "general", "third"} { // they go on, without the person
		s.channel = channel
		if r := s.does("teacher-1", "/rapport"); r.Failed || !strings.Contains(plainText(r), "2 personnes · 4 réponses") {
			t.Errorf("%s afterwards: %s", channel, plainText(r))
		}
	}
	if r := s.does(me, "/progrès"); r.Failed {
		t.Errorf("the person comes back: %s", plainText(r))
	}
}

func mapValues(m map[string]bool) (out []bool) {
	for _, v := range m {
		out = append(out, v)
	}
	return out
}

// TestAllThatIsKeptIsGiven: the file has the answers of every channel, the cards, the settings.
func TestAllThatIsKeptIsGiven(t *testing.T) {
	s := newClassroom(t)
	s.does("ana", "/réglages nom oui")
	s.race([]string{"ana", "bea"})
	s.channel = "other"
	s.race(nil, "ana", "bea")
	s.does("ana", "/quiz signale 5.2-four")
	s.tenant = "abroad"
	s.does("ana", "/quiz signale 5.2-losses")
	s.tenant = "guild"
	r := s.does("ana", "/réglages mes-données")
	if len(r.Files) != 1 || !r.Private {
		t.Fatalf("reply %s", plainText(r))
	}
	var all everything
	if err := json.Unmarshal(r.Files[0].Data, &all); err != nil {
		t.Fatal(err)
	}
	if all.ID != "ana" || !all.ShowName || len(all.Answers) != 4 || len(all.Cards) != 2 || !slices.Equal(all.Flags, []string{"5.2-four", "5.2-losses"}) {
		t.Errorf("%s", r.Files[0].Data)
	}
	channels := map[string]int{}
	for _, a := range all.Answers {
		channels[a.Channel]++
		if a.Words == "" || a.At.IsZero() || a.Name != "N. ana" || a.Tenant != "guild" {
			t.Errorf("answer %+v", a)
		}
	}
	if channels["general"] != 2 || channels["other"] != 2 {
		t.Errorf("answers by channel: %v", channels)
	}
	if _, ok := all.Records[personProgress]; !ok || strings.Contains(string(r.Files[0].Data), "bea") {
		t.Errorf("%s", r.Files[0].Data)
	}
}

// TestANameStandsOnlyWhereItsOwnerWants, and goes where they change their mind.
func TestANameStandsOnlyWhereItsOwnerWants(t *testing.T) {
	s := newClassroom(t)
	s.does("ana", "/réglages nom oui")
	s.race([]string{"ana"}, "bea")
	s.channel = "other"
	s.race([]string{"ana"}, "bea")
	if s.left("N. bea") != nil || len(s.left("N. ana")) < 2 {
		t.Fatalf("names kept: %v, %v", s.left("N. bea"), s.left("N. ana"))
	}
	rows := s.csv("/rapport notes")
	if !slices.Equal(rows[1][:2], []string{"ana", "N. ana"}) || !slices.Equal(rows[2][:2], []string{"bea", ""}) {
		t.Errorf("grades %q", rows)
	}
	s.does("ana", "/réglages nom non")
	for _, left := range s.left("N. ana") {
		if strings.Contains(left, keyNames) {
			t.Errorf("the name is still there: %s", left)
		}
	}
	if rows := s.csv("/rapport notes"); rows[1][1] != "" {
		t.Errorf("grades %q", rows)
	}
}

// csv is the file that a teacher's line gives, taken apart as a French spreadsheet would.
func (s *classroom) csv(line string) [][]string {
	s.t.Helper()
	r := s.does("teacher-1", line)
	if len(r.Files) != 1 {
		s.t.Fatalf("%s: %s", line, plainText(r))
	}
	data, ok := bytes.CutPrefix(r.Files[0].Data, []byte("\uFEFF"))
	if !ok || !bytes.Contains(data, []byte("\r\n")) {
		s.t.Errorf("a spreadsheet does not know that it is UTF-8: %q", data[:10])
	}
	read := csv.NewReader(bytes.NewReader(data))
	read.Comma = ';'
	rows, err := read.ReadAll()
	if err != nil {
		s.t.Fatal(err)
	}
	return rows
}

func TestTheFilesOfAReport(t *testing.T) {
	s := newClassroom(t)
	s.race([]string{"ana"}, "bea")
	s.race([]string{"=1+1"}, "bea")
	rows := s.csv("/rapport réponses")
	if len(rows) != 9 {
		t.Fatalf("%d rows: %q", len(rows), rows)
	}
	at := func(title string) int { return slices.Index(rows[0], title) }
	seen := map[string]bool{}
	for _, row := range rows[1:] {
		seen[row[at("identifiant")]] = true
		right := row[at("juste")] == "oui"
		if right == (row[at("identifiant")] == "bea") || right != (row[at("part des points")] == "1") || right == (row[at("idée fausse")] != "") {
			t.Errorf("row %q", row)
		}
		if row[at("question")] == "5.2-four" && right && row[at("réponse")] != "Aucune perte de plus" {
			t.Errorf("the answer %q is a letter", row[at("réponse")])
		}
	}
	if !seen["'=1+1"] || !seen["ana"] || len(seen) != 3 {
		t.Errorf("people %v", seen)
	}
	grades := s.csv("/rapport notes")
	if len(grades) != 4 || len(grades[0]) != 8 || !slices.Equal(grades[2], []string{"ana", "", "1", "2", "2", "100", "100", ""}) || !slices.Equal(grades[3], []string{"bea", "", "2", "4", "0", "0", "0", "0"}) {
		t.Errorf("grades %q", grades)
	}
	if last := s.csv("/rapport notes dernier"); len(last) != 3 || len(last[0]) != 7 {
		t.Errorf("of the last quiz %q", last)
	}
}

func TestCellsAreNoFormulas(t *testing.T) {
	for cell, want := range map[string]string{"": "", "abc": "abc", "3,5": "3,5", "=1": "'=1", "+1": "'+1", "-1": "'-1", "@x": "'@x", "\tx": "'\tx", " =1": "' =1", "'=1": "''=1", "＝1": "'＝1", "a=1": "a=1"} {
		if got := exchange.Harmless(cell); got != want {
			t.Errorf("%q: %q, want %q", cell, got, want)
		}
	}
}

// TestAnswersAreDeletedAfterTheirTime: when a report is read, and when another quiz ends.
func TestAnswersAreDeletedAfterTheirTime(t *testing.T) {
	s := newClassroom(t)
	s.does("teacher-1", "/réglages serveur rétention 30")
	s.race([]string{"ana"}, "bea")
	s.now = s.now.Add(29 * 24 * time.Hour)
	if r := s.does("teacher-1", "/rapport"); !strings.Contains(plainText(r), "4 réponses") {
		t.Errorf("before their time: %s", plainText(r))
	}
	old := s.left("answers/")
	s.now = s.now.Add(2 * 24 * time.Hour)
	s.race([]string{"cid"})
	for _, left := range s.left("answers/") {
		if slices.Contains(old, left) {
			t.Errorf("after their time: %s", left)
		}
	}
	if r := s.does("bea", "/réglages serveur rétention 99"); !r.Failed {
		t.Errorf("a learner decides: %s", plainText(r))
	}
}

// TestForgettingWhileAClassAnswers: another channel's answers come in meanwhile; they all count, and
// nothing is left of the person.
func TestForgettingWhileAClassAnswers(t *testing.T) {
	s := newClassroom(t)
	s.channel = "other"
	s.race([]string{"U4711X"}, "bea")
	if r := s.does("teacher-1", "/quiz course modules=5 nombre=1 accueil=0s temps=600s"); r.Failed {
		t.Fatal(plainText(r))
	}
	q := s.open()
	s.does("U4711X", "/quiz réponse "+questionID(q.ID, 0)+" A")
	const people = 60
	done := make([]<-chan error, 0, people)
	ask := func(channel, person, line string) <-chan error {
		r := s.request(line)
		r.Channel, r.Who = channel, Person{ID: person, Everywhere: true}
		wait, err := s.tutor.Accept(context.Background(), r, func(Reply) {})
		if err != nil {
			t.Fatal(err)
		}
		return wait
	}
	answer := map[string]string{"5.2-losses": "2", "5.2-four": "A"}[q.Items[0]]
	for i := range people {
		if i == people/3 {
			done = append(done, ask("general", "U4711X", "/réglages oublie-moi confirme"))
		}
		done = append(done, ask("other", fmt.Sprint("w", i), "/quiz réponse "+questionID(q.ID, 0)+" "+answer))
	}
	for _, wait := range done {
		if err := <-wait; err != nil {
			t.Fatal(err)
		}
	}
	if left := s.left("U4711X"); len(left) > 0 {
		t.Errorf("left:\n%s", strings.Join(left, "\n"))
	}
	if n := len(s.left("answers/" + q.ID + "/1/w")); n != people {
		t.Errorf("%d answers of %d", n, people)
	}
}

// readMeddler has something happen before a scope's records are read for the first time.
type readMeddler struct {
	Store
	scope  Scope
	prefix string
	meddle func()
}

func (m *readMeddler) Read(ctx context.Context, s Scope, prefix string) ([]Record, uint64, error) {
	if f := m.meddle; f != nil && s == m.scope && prefix == m.prefix {
		m.meddle = nil
		f()
	}
	return m.Store.Read(ctx, s, prefix)
}

// A quiz that goes on in another channel while its host is being forgotten is not put back.
func TestForgettingTheHostOfAQuizThatGoesOn(t *testing.T) {
	s := newClassroom(t)
	s.channel = "other"
	s.does("teacher-1", "/quiz course modules=5 nombre=2 accueil=0s temps=600s")
	s.does("teacher-1", "/quiz réponse "+questionID(s.open().ID, 0)+" 2")
	s.does("teacher-1", "/quiz réponse "+questionID(s.open().ID, 0)+" Aucune perte de plus")
	other := Scope{Platform: "test", Tenant: s.tenant, Channel: "other"}
	m := &readMeddler{Store: s.store, scope: other, prefix: keyPredictions, meddle: func() {
		r := s.request("/quiz révèle")
		r.Channel, r.Who, r.Teacher = "other", Person{ID: "teacher-2", Everywhere: true}, true
		if r := s.send(r); r.Failed {
			t.Errorf("not revealed: %s", plainText(r))
		}
	}}
	s.tutor.cfg.Store = m
	s.channel = "general"
	if r := s.does("teacher-1", "/réglages oublie-moi confirmé"); r.Failed {
		t.Fatal(plainText(r))
	}
	s.channel = "other"
	if q := s.open(); m.meddle != nil || q.Host != "" || q.Phase != quiz.Revealed {
		t.Errorf("host %q, phase %s", q.Host, q.Phase)
	}
}

// What one is given of an exam that goes on says nothing of whether an answer is right.
func TestOwnDataTellsNothingOfAnOpenExam(t *testing.T) {
	s := newClassroom(t)
	s.does("teacher-1", "/quiz examen modules=5 nombre=2 temps=1h")
	q := s.open()
	s.does("bea", "/quiz suivante")
	if text := plainText(s.does("teacher-1", "/quiz")); !strings.Contains(text, "Copies remises~: 0 sur 1.") || strings.Contains(text, "vous pouvez terminer") {
		t.Errorf("nobody is done: %s", text)
	}
	for n := range q.Items {
		s.does("bea", "/quiz réponse "+questionID(q.ID, n)+" "+map[string]string{"5.2-losses": "3", "5.2-four": "Une perte de plus"}[q.Items[n]])
		answer := map[string]string{"5.2-losses": "2", "5.2-four": "Aucune perte de plus"}[q.Items[n]]
		if r := s.does("ana", "/quiz réponse "+questionID(q.ID, n)+" "+answer); r.Failed {
			t.Fatal(plainText(r))
		}
	}
	given := func() (all everything) {
		if err := json.Unmarshal(s.does("ana", "/réglages mes-données").Files[0].Data, &all); err != nil {
			t.Fatal(err)
		}
		return all
	}
	if text := plainText(s.does("teacher-1", "/quiz")); !strings.Contains(text, "2 sur 2. Tout le monde") {
		t.Errorf("all are done: %s", text)
	}
	if text := plainText(s.does("ana", "/quiz")); strings.Contains(text, "Copies remises") {
		t.Errorf("a learner is told: %s", text)
	}
	during := given()
	for _, a := range during.Answers {
		if a.Kept.Right || a.Kept.Credit != 0 || !a.Pending || a.Words == "" {
			t.Errorf("during: %+v", a)
		}
	}
	if len(during.Cards) != 0 || strings.Contains(string(during.Records[personProgress]), `"right"`) {
		t.Errorf("during: cards %+v, progress %s", during.Cards, during.Records[personProgress])
	}
	s.does("teacher-1", "/quiz fin")
	s.does("ana", "/quiz résultats")
	s.does("ana", "/quiz résultats") // counts once
	after := given()
	for _, a := range after.Answers {
		if !a.Kept.Right || a.Pending {
			t.Errorf("after: %+v", a)
		}
	}
	if len(after.Answers) != 2 || len(after.Cards) != 2 || after.Cards[0].Reviews != 1 || !strings.Contains(string(after.Records[personProgress]), `"right": 2`) {
		t.Errorf("after: %+v, progress %s", after.Cards, after.Records[personProgress])
	}
}
