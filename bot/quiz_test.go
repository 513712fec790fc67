package bot

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"timonier/content"
)

// smallCourse is the built-in course with the few questions of testdata/quiz in place of its own,
// which grow and change.
func smallCourse(t *testing.T) *content.Course {
	t.Helper()
	c, err := readSmall()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var readSmall = sync.OnceValues(func() (*content.Course, error) { return courseAsking("testdata/quiz/*.yaml") })

// courseAsking is the built-in course with the questions of some files in place of its own.
func courseAsking(pattern string) (*content.Course, error) {
	files := fstest.MapFS{}
	err := fs.WalkDir(content.Files(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(name, "bank/") && strings.Count(name, "/") > 1 {
			return err
		}
		data, err := fs.ReadFile(content.Files(), name)
		files[name] = &fstest.MapFile{Data: data}
		return err
	})
	if err != nil {
		return nil, err
	}
	items, err := filepath.Glob(pattern)
	for _, item := range items {
		data, err := os.ReadFile(item)
		if err != nil {
			return nil, err
		}
		files[path.Join("bank/small", filepath.Base(item))] = &fstest.MapFile{Data: data}
	}
	if err != nil {
		return nil, err
	}
	return content.Load(files)
}

// A class of 300 presses in one channel at once, each twice: every one counts once, is a record of
// its own, and survives a restart.
func TestEveryPressCountsOnce(t *testing.T) {
	s := newStage(t, "fr")
	s.course = smallCourse(t)
	s.tutor = New(Config{Content: s.course, Store: s.store, Now: func() time.Time { return s.now }, Limits: Limits{Queue: 1000, Rates: Unlimited()}})
	s.shared, s.leads, s.person = true, true, "prof"
	s.listen()
	s.ask("/quiz animée nombre=1 modules=5.2 changement=non")
	text, _ := s.listen()
	for !strings.Contains(text, "gagne-t-on") { // the other question of the lesson is typed
		s.ask("/quiz fin")
		s.ask("/quiz animée nombre=1 modules=5.2 changement=non")
		s.ask("/quiz suivante")
		text, _ = s.listen()
	}
	id := text[strings.Index(text, "/quiz réponse ")+len("/quiz réponse "):]
	id, _, _ = strings.Cut(id, " ")
	const people = 300
	var wait sync.WaitGroup
	var counted, twice atomic.Int64
	for i := range people {
		for press := range 2 {
			r := Request{ID: fmt.Sprint("p", i, "-", press), Platform: "test", Channel: "general", Who: Person{ID: fmt.Sprint("student", i)}, Locale: "fr",
				Line: fmt.Sprintf("/quiz réponse %s %s", id, letter((i+press)%3))}
			wait.Go(func() {
				err := s.tutor.Handle(context.Background(), r, func(r Reply) {
					switch text := plainText(r); {
					case !r.Private:
						t.Error("not private")
					case strings.Contains(text, "Noté"):
						counted.Add(1)
					case strings.Contains(text, "Vous avez déjà répondu"):
						twice.Add(1)
					default:
						t.Error(text)
					}
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
	}
	wait.Wait()
	if counted.Load() != people || twice.Load() != people {
		t.Errorf("%d counted, %d told that they had answered", counted.Load(), twice.Load())
	}
	s.tutor.Close()
	s.tutor = s.newTutor()
	s.ask("/quiz révèle")
	if text, _ := s.listen(); !strings.Contains(text, "300 réponses") {
		t.Errorf("after a restart:\n%s", text)
	}
	records, _, err := s.store.Read(context.Background(), Scope{Platform: "test", Channel: "general"}, keyAnswer)
	if err != nil || len(records) != people {
		t.Errorf("%d records, %v", len(records), err)
	}
	s.tutor.Close()
}
