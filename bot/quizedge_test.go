package bot

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"timonier/bot/quiz"
)

// quizStage is a class that is taught the few questions of testdata/quiz; prof types.
func quizStage(t *testing.T) *stage {
	s := newStage(t, "fr")
	s.course = smallCourse(t)
	s.tutor = s.newTutor()
	s.shared, s.leads, s.person = true, true, "prof"
	s.listen()
	return s
}

// later is what is said unasked in the meantime.
func (s *stage) later(d time.Duration) string {
	s.t.Helper()
	var all []string
	for end := s.now.Add(d); s.now.Before(end); {
		s.now = s.now.Add(time.Second)
		if text, _ := s.listen(); text != "" {
			all = append(all, text)
		}
	}
	return strings.Join(all, "\n\n")
}

// answering is the line, without an answer, that answers what was asked in a text.
func answeringIn(t *testing.T, text string) string {
	t.Helper()
	_, line, ok := strings.Cut(text, "→ /quiz réponse ")
	if !ok {
		t.Fatalf("nothing is asked:\n%s", text)
	}
	id, _, _ := strings.Cut(line, " ")
	return "/quiz réponse " + strings.TrimSuffix(id, "]") + " "
}

// A course that is taught in the middle of a quiz and has its questions no more does not hold it up.
func TestQuizWhoseQuestionsAreGone(t *testing.T) {
	s := quizStage(t)
	s.ask("/quiz course nombre=2 modules=2.1 temps=20s")
	line := answeringIn(t, s.later(20*time.Second))
	s.ask(line + "A")
	none, err := courseAsking("testdata/quiz/none")
	if err != nil {
		t.Fatal(err)
	}
	s.tutor.Teach(none)
	text := s.later(2 * time.Minute)
	if !strings.Contains(text, "n'est plus dans le cours") || !strings.Contains(text, "# Classement") {
		t.Errorf("the quiz goes on:\n%s", text)
	}
	if text := plainText(s.ask("/quiz")); strings.Contains(text, "En ce moment ici") {
		t.Errorf("it runs still:\n%s", text)
	}
}

// Whoever goes on by hand at the moment when a quiz ends by itself has it end for good.
func TestQuizThatEndsWhileItIsLed(t *testing.T) {
	s := quizStage(t)
	s.ask("/quiz course nombre=1 modules=2.1 temps=20s pause=10s")
	if text := s.later(45 * time.Second); !strings.Contains(text, "Personne") {
		t.Fatalf("not revealed:\n%s", text)
	}
	s.now = s.now.Add(time.Minute) // the alarm is due, and has not rung
	s.ask("/quiz suivante")
	s.listen()
	if err := s.tutor.Close(); err != nil {
		t.Fatal(err)
	}
	s.tutor = s.newTutor()
	if text, _ := s.listen(); text != "" {
		t.Errorf("said once more:\n%s", text)
	}
	if text := plainText(s.ask("/quiz")); strings.Contains(text, "En ce moment ici") {
		t.Errorf("it runs still:\n%s", text)
	}
}

// An answer stays readable where the question has fewer pairs by now, and so does a page that is none.
func TestResultsOfAnotherCourse(t *testing.T) {
	s := quizStage(t)
	var id string
	for id == "" {
		s.ask("/quiz animée nombre=2 modules=4.1")
		s.listen()
		s.ask("/quiz suivante")
		text, _ := s.listen()
		if id = answeringIn(t, text); !strings.Contains(text, "le département") {
			s.ask("/quiz fin")
			id = ""
		}
	}
	s.ask(id + "ABC")
	s.ask("/quiz fin")
	changed, err := courseAsking("testdata/quiz/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	item, ok := changed.Item("4.1-analogy")
	if !ok {
		t.Fatal("no question")
	}
	item.Pairs, item.Traps = item.Pairs[:2], nil
	s.tutor.Teach(changed)
	if r := s.ask("/quiz résultats"); r.Failed || !strings.Contains(plainText(r), "Vos résultats") {
		t.Errorf("results:\n%s", plainText(r))
	}
	session, _, _ := strings.Cut(strings.Fields(id)[2], ".")
	for _, page := range []int{-1, 0, 2, 1 << 62, 1<<63 - 1} {
		if r := s.ask("/quiz résultats " + session + " " + strconv.Itoa(page)); r.Failed {
			t.Errorf("page %d:\n%s", page, plainText(r))
		}
	}
}

// How long an exam had been open, or since when the question of the day had been there, says
// nothing of how well an answer was known.
func TestOnlyTimedQuestionsAreSlow(t *testing.T) {
	s := quizStage(t)
	s.ask("/quiz examen nombre=1 modules=2.1 temps=1h")
	s.later(2 * time.Minute)
	var text string
	for _, answer := range []string{"Un contrôleur", "faux"} {
		if text = plainText(s.ask("/quiz suivante")); strings.Contains(text, "réponse") {
			s.ask(answeringIn(t, text) + answer)
		}
	}
	s.ask("/quiz fin")
	s.ask("/progrès")
	records, _, err := s.store.Read(context.Background(), Scope{Platform: "test", Person: "prof"}, keyCards)
	if err != nil {
		t.Fatal(err)
	}
	deck := &quiz.Deck{}
	for _, rec := range records {
		if n, err := strconv.Atoi(rec.Key[len(keyCards):]); err == nil {
			if err := deck.Load(n, rec.Value); err != nil {
				t.Fatal(err)
			}
		}
	}
	want := (&quiz.Deck{}).Review("x", quiz.Outcome{Right: true, Credit: 1}, s.now)
	seen := 0
	for card := range deck.Cards() {
		if seen++; card.Memory.Stability != want.After.Memory.Stability {
			t.Errorf("%s is held to last %v days, want %v:\n%s", card.Item, card.Memory.Stability, want.After.Memory.Stability, text)
		}
	}
	if seen != 1 {
		t.Errorf("%d cards:\n%s", seen, text)
	}
}

// TestVerdictsDoNotLeak: while the verdict on an answer is out for nobody, nothing that a person can look at tells whether it
// was right: not how many answers count, nor the cards, nor what is due, nor their own data, here or in another channel. Once it
// is, it counts, once, as it was last given.
func TestVerdictsDoNotLeak(t *testing.T) {
	right := map[string]string{"2.1-reconciliation": "Un contrôleur", "2.1-alone": "faux"}
	wrong := map[string]string{"2.1-reconciliation": "etcd", "2.1-alone": "vrai"}
	for mode, reveal := range map[string]string{"animée": "/quiz révèle", "course": "/quiz révèle", "examen": "/quiz fin"} {
		t.Run(mode, func(t *testing.T) {
			s := newClassroom(t)
			options := map[string]string{"animée": "changement=oui", "course": "changement=oui temps=10m", "examen": "temps=1h"}[mode]
			s.does("teacher-1", "/quiz "+mode+" nombre=1 modules=2.1 "+options)
			if mode != "examen" {
				s.does("teacher-1", "/quiz suivante")
			}
			q := s.open()
			looks := func(who, channel string) string {
				s.channel = channel
				defer func() { s.channel = "general" }()
				home := plainText(s.tutor.Home(context.Background(), Request{Platform: "test", Tenant: s.tenant, Channel: channel, Who: Person{ID: who, Everywhere: true}, Locale: "fr"}))
				data := s.does(who, "/réglages mes-données")
				var all everything
				if err := json.Unmarshal(data.Files[0].Data, &all); err != nil {
					t.Fatal(err)
				}
				return plainText(s.does(who, "/progrès")) + home + plainText(s.does(who, "/quiz")) + plainText(s.does(who, "/quiz révision")) +
					string(all.Records[personProgress]) + fmt.Sprint(len(all.Cards))
			}
			before := looks("ana", "other")
			answer := func(who, what string) {
				if r := s.does(who, "/quiz réponse "+questionID(q.ID, 0)+" "+what); r.Failed {
					t.Fatal(plainText(r))
				}
			}
			answer("ana", right[q.Items[0]])
			answer("bea", right[q.Items[0]])
			answer("bea", wrong[q.Items[0]]) // it is changed
			if now := looks("ana", "other"); now != before {
				t.Errorf("who was right is told\n%s\nand before\n%s", now, before)
			}
			for _, channel := range []string{"other", "general"} {
				if a, b := looks("ana", channel), looks("bea", channel); a != b {
					t.Errorf("who was right is told\n%s\nand who was not\n%s", a, b)
				}
			}
			item, _ := s.course.Item(q.Items[0])
			for _, channel := range []string{"other", "general"} { // nor can one put it to oneself
				for range 3 {
					s.channel = channel
					asked := plainText(s.does("ana", "/quiz révision nouvelles 2.1"))
					if strings.Contains(asked, item.Ask.FR) {
						t.Fatalf("a review in %s asks it:\n%s", channel, asked)
					}
					if strings.Contains(asked, "/quiz réponse r") {
						s.does("ana", strings.Join(strings.Fields(answeringIn(t, asked)), " ")+" ?")
					}
				}
			}
			s.channel = "general"
			s.does("teacher-1", reveal)
			for who, want := range map[string]string{"ana": "1 question réussie sur 2", "bea": "0 question réussie sur 1"} {
				for _, channel := range []string{"other", "general", "other"} { // it counts once
					if now := looks(who, channel); !strings.Contains(now, want) {
						t.Errorf("%s, in %s, is not told %q:\n%s", who, channel, want, now)
					}
				}
			}
		})
	}
}
