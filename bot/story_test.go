package bot

import (
	"bytes"
	"strings"
	"testing"

	"timonier/content"
)

// TestAStoryIsTheSameAfterARestart plays the first story twice, once with the tutor ending before each line: whoever
// comes back finds the same cluster, and is told the same.
func TestAStoryIsTheSameAfterARestart(t *testing.T) {
	lines := []string{"/histoire 1", "/histoire prédit A", "/histoire montre", "/histoire technique"}
	for range 4 {
		lines = append(lines, "/histoire suite", "/histoire prédit A", "/histoire montre", "/histoire kubectl get pods,nodes,endpointslices -o yaml")
	}
	play := func(restarts bool) (told []string) {
		s := newStage(t, "fr")
		for _, line := range lines {
			if restarts {
				if err := s.tutor.Close(); err != nil {
					t.Fatal(err)
				}
				s.tutor = s.newTutor()
			}
			told = append(told, plainText(s.ask(line)))
		}
		return told
	}
	once, again := play(false), play(true)
	for i, line := range lines {
		if once[i] != again[i] {
			t.Errorf("%s: %s", line, firstDifference(again[i], once[i]))
		}
	}
}

// TestAPredictionCountsOnce sends a prediction twice, as a platform does that has had no answer.
func TestAPredictionCountsOnce(t *testing.T) {
	s := newStage(t, "fr")
	s.shared, s.tenant = true, "collège"
	s.ask("/histoire 1")
	r := s.request("/histoire prédit B")
	first := plainText(s.send(r))
	if again := plainText(s.send(r)); again != first {
		t.Errorf("delivered again, it is answered otherwise: %s", firstDifference(again, first))
	}
	if got := plainText(s.ask("/progrès")); !strings.Contains(got, "1 prédiction juste sur 1") {
		t.Errorf("the prediction is not counted once:\n%s", got)
	}
	if got := plainText(s.ask("/histoire suite")); !strings.Contains(got, "{1/1 B ✓") {
		t.Errorf("the answers do not hold it once:\n%s", got)
	}
}

// TestReplayForgetsPredictions begins a story again: what was predicted the first time is gone.
func TestReplayForgetsPredictions(t *testing.T) {
	s := newStage(t, "fr")
	s.shared, s.tenant = true, "collège"
	for _, line := range []string{"/histoire 1", "/histoire prédit A", "/histoire suite", "/histoire rejoue"} {
		s.ask(line)
	}
	if got := plainText(s.ask("/histoire prédit B")); strings.Contains(got, "déjà") {
		t.Errorf("a prediction of before is kept:\n%s", got)
	}
	s.tutor.Close()
	s.tutor = s.newTutor()
	if got := plainText(s.ask("/histoire suite")); !strings.Contains(got, "{1/1 B ✓") {
		t.Errorf("the answers are not those of this time:\n%s", got)
	}
}

// TestStoriesKeepTheChannelsCluster: a story has a cluster of its own, whatever happens in it.
func TestStoriesKeepTheChannelsCluster(t *testing.T) {
	s := newStage(t, "fr")
	s.ask("/kubectl create deployment web --image=nginx")
	s.ask("/temps pause")
	before := plainText(s.ask("/kubectl get pods,nodes -o wide"))
	s.ask("/histoire 1")
	for range 6 {
		s.ask("/histoire suite")
	}
	if after := plainText(s.ask("/kubectl get pods,nodes -o wide")); after != before {
		t.Errorf("the channel's cluster has changed: %s", firstDifference(after, before))
	}
	if got := plainText(s.ask("/pourquoi")); strings.Contains(got, "boutique") {
		t.Errorf("the channel's last command is the story's:\n%s", got)
	}
}

// TestStoriesFitAPhone plays every story to its end in both languages: each drawing keeps to the width, each button's
// line to what platforms carry, and none gives an answer away.
func TestStoriesFitAPhone(t *testing.T) {
	for _, lang := range []string{"fr", "en"} {
		for _, story := range content.Default().Stories {
			s := newStage(t, lang)
			s.ask(map[string]string{"fr": "/histoire ", "en": "/story "}[lang] + map[int]string{1: "1", 2: "2"}[story.Number])
			for range 2*len(story.Pages()) - 1 {
				r := s.ask(map[string]string{"fr": "/histoire suite", "en": "/story next"}[lang])
				if r.Failed {
					t.Fatalf("story %d: %s", story.Number, plainText(r))
				}
				for _, b := range r.Buttons {
					if len(b.Line) > buttonLine {
						t.Errorf("story %d: a button's line has %d bytes: %s", story.Number, len(b.Line), b.Line)
					}
				}
				for _, b := range r.Blocks {
					p, ok := b.(Picture)
					if !ok {
						continue
					}
					if p.Alt == "" || p.Text == "" {
						t.Errorf("story %d: a picture says nothing in words", story.Number)
					}
					for line := range strings.SplitSeq(p.Text, "\n") {
						if n := len([]rune(line)); n > content.DiagramWidth {
							t.Errorf("story %d: %d columns: %s", story.Number, n, line)
						}
					}
				}
			}
			if got := plainText(s.ask(map[string]string{"fr": "/histoire reprendre", "en": "/story resume"}[lang])); !strings.Contains(got, "(picture story-"+story.ID) {
				t.Errorf("story %d does not end with its picture:\n%s", story.Number, got)
			}
		}
	}
}

// TestAStoryEndsWithItsPicture: where the platform shows pictures, the timeline is one.
func TestAStoryEndsWithItsPicture(t *testing.T) {
	s := newStage(t, "fr")
	s.ask("/histoire 2")
	var last Reply
	story, _ := content.Default().Story(2)
	for range 2*len(story.Pages()) - 1 {
		r := s.request("/histoire suite")
		r.Pictures = ThemeDark
		last = s.send(r)
	}
	for _, b := range last.Blocks {
		if p, ok := b.(Picture); ok && bytes.HasPrefix(p.PNG, []byte("\x89PNG")) {
			return
		}
	}
	t.Errorf("no picture at the end:\n%s", plainText(last))
}
