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
	for n, p := range content.Proofs(content.Default(), func(members int) (content.Stage, error) { return NewStage(content.Default(), members) }) {
		if !tried(n) {
			continue
		}
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

// tried is whether the nth case is tried: all are, and one in five where the run is to be short, as with the race
// detector, which looks for other things than what each of them says.
func tried(n int) bool { return !testing.Short() || n%5 == 0 }
