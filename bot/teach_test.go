package bot

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"timonier/content"
	"timonier/sim/kubelet"
)

// fresh is the built-in course once more, to be changed.
func fresh(t *testing.T) *content.Course {
	t.Helper()
	c, err := content.Load(content.Files())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// without is the course without a lesson.
func without(t *testing.T, lesson string) *content.Course {
	t.Helper()
	c := fresh(t)
	l, ok := c.Lesson(lesson)
	if !ok {
		t.Fatalf("no lesson %s", lesson)
	}
	l.Section.Lessons = slices.DeleteFunc(l.Section.Lessons, func(x *content.Lesson) bool { return x == l })
	return c
}

// titled is the course under another title.
func titled(t *testing.T, title string) *content.Course {
	c := fresh(t)
	c.Title = content.Text{FR: title, EN: title}
	return c
}

// A request sees one course from beginning to end, whatever is taught meanwhile; the next one sees the new.
func TestARequestSeesOneCourse(t *testing.T) {
	s := newStage(t, "fr")
	later := titled(t, "Un autre cours")
	teach := false
	s.tutor.cfg.Now = func() time.Time {
		if teach {
			s.tutor.Teach(later)
		}
		return s.now
	}
	teach = true
	if text := plainText(s.ask("/cours")); strings.Contains(text, "Un autre cours") {
		t.Errorf("a request that had begun is answered from another course:\n%s", text)
	}
	if text := plainText(s.ask("/cours")); !strings.HasPrefix(text, "# Un autre cours") {
		t.Errorf("the next request is not answered from the new course:\n%s", text)
	}
}

// A cluster knows the images of the course that is taught, the one in memory too.
func TestTheClusterKnowsTheNewCoursesImages(t *testing.T) {
	s := newStage(t, "fr")
	s.ask("/kubectl run before --image=nginx")
	s.ask("/temps avance 1m")
	bare := fresh(t)
	bare.Images = kubelet.Images{}
	s.tutor.Teach(bare)
	s.ask("/kubectl run after --image=nginx")
	s.ask("/temps avance 1m")
	text := plainText(s.ask("/kubectl get pods"))
	if !strings.Contains(text, "ImagePullBackOff") && !strings.Contains(text, "ErrImagePull") || !strings.Contains(text, "Running") {
		t.Errorf("pods:\n%s", text)
	}
}

// That a newer course is not taught is said to those who lead, and to nobody else, until one is.
func TestThoseWhoLeadAreToldOfARefusedCourse(t *testing.T) {
	const fault = "a link leads nowhere"
	s := newStage(t, "fr")
	s.shared, s.tenant = true, "collège"
	told := func(line string, leads bool) bool {
		s.leads = leads
		return strings.Contains(plainText(s.ask(line)), fault)
	}
	s.tutor.Refuse([]content.Problem{{File: "course.yaml", Line: 7, Text: fault}})
	for _, line := range []string{"/cours", "/aide"} {
		if !told(line, true) || told(line, false) {
			t.Errorf("%s: told to a teacher: %v, to a learner: %v", line, told(line, true), told(line, false))
		}
	}
	if told("/cours 1.1", true) {
		t.Error("a lesson speaks of faults")
	}
	s.tutor.Doubt([]content.Problem{{File: "course.yaml", Line: 7, Text: fault}})
	if s.leads = true; !strings.Contains(plainText(s.ask("/cours")), "Le cours enseigné a une faute") || !told("/aide", true) || told("/cours", false) {
		t.Error("the fault of the course that is taught is to be told to those who lead, and to them alone")
	}
	s.tutor.Teach(fresh(t))
	if told("/cours", true) {
		t.Error("a fault is told of after a course without has come")
	}
}

// Whoever was in a lesson that has left the course goes on from its place: to the lesson after it if that
// is open, else to the end of the one before, and from there as ever.
func TestAGoneLessonsReaderGoesOn(t *testing.T) {
	for _, tt := range []struct {
		opens, gone string
		line, next  string
		first       string // of the titles that then are shown
		second      string
	}{
		{"tout", "2.2", "/suite", "/suite", "3.1", "3.1"},
		{"3.3", "3.3", "/suite", "/cours retour", "3.2", "3.2"},
		{"tout", "2.2", "/cours reprendre", "/suite", "3.1", "3.1"},
		{"tout", "3.1", "/cours retour", "/suite", "2.2", "3.2"},
		{"tout", "10.3", "/suite", "/cours retour", "10.2", "10.2"},
		{"tout", "1.1", "/cours retour", "/suite", "1.2", "1.2"},
	} {
		s := newStage(t, "fr")
		s.leads = true
		s.ask("/cours déverrouille " + tt.opens)
		s.ask("/cours " + tt.gone)
		s.tutor.Teach(without(t, tt.gone))
		first, second := plainText(s.ask(tt.line)), plainText(s.ask(tt.next))
		if !strings.HasPrefix(first, "La leçon "+tt.gone+" n'est plus dans le cours") || !strings.Contains(first, " · "+tt.first+" ") {
			t.Errorf("%s gone, %s: not at %s:\n%s", tt.gone, tt.line, tt.first, first)
		}
		if title, _, _ := strings.Cut(second, "\n"); !strings.Contains(title, " · "+tt.second+" ") {
			t.Errorf("%s gone, %s, %s: not at %s:\n%s", tt.gone, tt.line, tt.next, tt.second, second)
		}
	}
}

func TestTeachWhileManyAsk(t *testing.T) {
	s := newStage(t, "fr")
	courses := []*content.Course{fresh(t), without(t, "1.1"), titled(t, "Un autre cours")}
	s.ask("/cours 1.1")
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 200 {
			s.tutor.Teach(courses[i%len(courses)])
			s.tutor.Refuse([]content.Problem{{File: "course.yaml", Text: "?"}})
		}
	}()
	for i := range 50 {
		r := s.request([]string{"/cours", "/suite", "/glossaire pod", "/aide"}[i%4])
		r.Teacher = true
		var last Reply
		if err := s.tutor.Handle(context.Background(), r, func(r Reply) { last = r }); err != nil || last.Reference != "" {
			t.Errorf("%s: %v %s", r.Line, err, plainText(last))
		}
	}
	<-done
}

// However many faults there are, and however long, what a teacher is shown stays short.
func TestFaultsAreListedBriefly(t *testing.T) {
	var many []content.Problem
	for range 50 {
		many = append(many, content.Problem{File: "course.yaml", Line: 3, Text: strings.Repeat("é", 1000)})
	}
	if n := len([]rune(listed(many))); n > 1000 {
		t.Errorf("%d characters", n)
	}
}
