package bot

import (
	"runtime"
	"sync"
	"testing"

	"timonier/content"
)

// TestTheCourseKeepsItsPromises runs every command that the course shows, and every
// exercise's start and solution, in both languages, as a person would type them.
func TestTheCourseKeepsItsPromises(t *testing.T) {
	var wg sync.WaitGroup
	turns := make(chan struct{}, runtime.GOMAXPROCS(0))
	for _, p := range content.Proofs(content.Default(), func(members int) (content.Stage, error) { return NewStage(content.Default(), members) }) {
		wg.Go(func() {
			turns <- struct{}{}
			defer func() { <-turns }()
			for _, problem := range p.Run() {
				t.Errorf("%s: %v", p.Name, problem)
			}
		})
	}
	wg.Wait()
}
