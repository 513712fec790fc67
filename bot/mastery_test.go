package bot

import (
	"strings"
	"testing"

	"timonier/content"
)

// Who may unlock, begin, show and end, where nothing is chosen and where the teacher has chosen.
func TestExerciseRights(t *testing.T) {
	tutor := New(Config{Store: newMemory(), Limits: Limits{Rates: Unlimited()}})
	say := func(who, line string) string {
		r := in("general", who, line)
		r.Teacher = who == "prof"
		return answerTo(t, tutor, r)
	}
	refused := func(text string) bool {
		return strings.Contains(text, "réservé") || strings.Contains(text, "qui enseigne le commence")
	}
	for _, c := range []struct {
		who, line string
		refused   bool
	}{
		{"ana", "/cours déverrouille 2", true}, {"ana", "/cours verrouille 2", true}, {"ana", "/cours unlock all", true},
		{"ana", "/exercice 2.1", true}, {"prof", "/exercice 2.1", false}, // whichever the teacher likes, read or not
		{"ana", "/exercice", false}, {"ana", "/exercice indice", false}, {"ana", "/exercice vérifie", false},
		{"ana", "/exercice recommence", true}, {"ana", "/exercice fin", true},
		{"ana", "/exercice solution", false},
		{"prof", "/réglages salon changer enseignants", false}, {"ana", "/exercice solution", true},
		{"prof", "/réglages salon remise tous", false}, {"ana", "/exercice recommence", false}, {"ana", "/exercice fin", false},
		{"prof", "/cours déverrouille 2", false}, {"ana", "/cours 2.2", false},
	} {
		if text := say(c.who, c.line); refused(text) != c.refused {
			t.Errorf("%s, %s:\n%s", c.who, c.line, text)
		}
	}
}

// A thread opens what its channel opens; a conversation of one's own opens nothing elsewhere.
func TestUnlockedInAChannelHoldsInItsThreads(t *testing.T) {
	tutor := New(Config{Store: newMemory(), Limits: Limits{Rates: Unlimited()}})
	teacher := in("general", "prof", "/cours déverrouille 4.1")
	teacher.Teacher = true
	answerTo(t, tutor, teacher)
	thread := in("thread", "ana", "/cours 4.1")
	thread.Parent = "general"
	locked := func(text string) bool { return strings.Contains(text, "s'appuie sur") }
	if text := answerTo(t, tutor, thread); locked(text) {
		t.Errorf("in the thread:\n%s", text)
	}
	own := in("own", "bob", "/cours déverrouille tout")
	own.Parent, own.Direct = "general", true
	if text := answerTo(t, tutor, own); !strings.Contains(text, "tout le cours") {
		t.Errorf("one's own teacher:\n%s", text)
	}
	if text := answerTo(t, tutor, in("general", "bob", "/cours 5.1")); !locked(text) {
		t.Errorf("in the channel, after one's own:\n%s", text)
	}
	teacher.Line = "/cours verrouille 4"
	answerTo(t, tutor, teacher)
	if text := answerTo(t, tutor, in("general", "bob", "/cours 4.1")); !locked(text) {
		t.Errorf("locked again:\n%s", text)
	}
	if text := answerTo(t, tutor, in("general", "ana", "/cours 4.1")); locked(text) {
		t.Errorf("ana has begun it:\n%s", text)
	}
}

// The next thing to do leads through the whole course: every lesson, then its exercises,
// and each opens in its turn.
func TestTheNextThingLeadsToTheEnd(t *testing.T) {
	course := content.Default()
	c := &call{content: course, channel: &channel{}, learner: &learner{}}
	done := map[string]bool{}
	for range 200 {
		next, ok := c.nextTodo()
		if !ok {
			break
		}
		if !c.isOpen(next.lesson) {
			t.Fatalf("%s is next, and locked", next.lesson.ID)
		}
		key := next.lesson.ID
		if next.exercise != nil {
			key = next.exercise.ID
			c.learner.progress.hasSolved(key, len(done)%2 == 0)
		} else {
			c.learner.bookmark.Lesson = key
			c.learner.progress.hasRead(key)
		}
		if done[key] {
			t.Fatalf("%s is next again", key)
		}
		done[key] = true
	}
	for l := range course.Lessons() {
		if l.Written() && c.masteryOf(l) != mastered {
			t.Errorf("%s is not mastered at the end", l.ID)
		}
	}
	for _, s := range course.Sections {
		if n, of := c.steps(s); n != of {
			t.Errorf("section %d: %d of %d", s.Number, n, of)
		}
	}
}

// Whoever turns back from a lesson has not read the one before it to its end.
func TestBackFromALessonReadsNothing(t *testing.T) {
	s := newStage(t, "fr")
	s.must("/cours déverrouille tout", "/cours 3.2", "/cours retour", "/cours retour")
	if text := plainText(s.ask("/progrès")); !strings.Contains(text, "0 leçon lue") {
		t.Errorf("after turning back:\n%s", text)
	}
	s.must("/cours suite")
	if text := plainText(s.ask("/progrès")); !strings.Contains(text, "1 leçon lue") {
		t.Errorf("after turning to the last page:\n%s", text)
	}
}
