package quiz

import "math/rand/v2"

// hash is FNV-1a of a text, 64 bits.
func hash(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}

// mix folds numbers into one whose every bit depends on each of theirs (splitmix64's finish).
func mix(numbers ...uint64) uint64 {
	var h uint64
	for _, n := range numbers {
		h ^= n
		h += 0x9e3779b97f4a7c15
		h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
		h = (h ^ h>>27) * 0x94d049bb133111eb
		h ^= h >> 31
	}
	return h
}

// shuffle puts a slice in an order that the seed decides.
func shuffle[T any](s []T, seed uint64) {
	dice(seed).Shuffle(len(s), func(i, j int) { s[i], s[j] = s[j], s[i] })
}

func dice(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, mix(seed))) }
