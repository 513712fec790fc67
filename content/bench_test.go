package content

import "testing"

func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		if _, err := Load(Files()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkTell(b *testing.B) {
	lens, _ := Default().Lens("formation")
	steps := samples()
	for i := 0; b.Loop(); i++ {
		lens.Tell(FR, steps[i%len(steps)])
	}
}
