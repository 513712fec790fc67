package picture

// Sign is a small drawing that says a state without colour.
type Sign int

// The signs.
const (
	NoSign Sign = iota
	Check       // it is so
	Cross       // it is not
	Bang        // look here
	Clock       // it takes its time
	Dash        // nothing
	Ring        // empty still
	Disc        // there
	Play        // it begins
	Pause       // it stands still
	Lock        // none may
	Star        // chosen
	signs
)

func (s Sign) String() string {
	return [...]string{"", "check", "cross", "bang", "clock", "dash", "ring", "disc", "play", "pause", "lock", "star"}[s]
}

// strokes are a sign's lines and areas in a square of 10 by 10.
type strokes struct {
	lines  [][]Point
	filled [][]Point
	rings  []float64 // radii about the middle
	discs  []float64
}

func (s Sign) strokes() strokes {
	switch s {
	case Check:
		return strokes{lines: [][]Point{{{1.2, 5.4}, {3.9, 8.2}, {8.8, 1.8}}}}
	case Cross:
		return strokes{lines: [][]Point{{{1.6, 1.6}, {8.4, 8.4}}, {{8.4, 1.6}, {1.6, 8.4}}}}
	case Bang:
		return strokes{lines: [][]Point{{{5, 0.5}, {5, 6}}, {{5, 8.1}, {5, 9.6}}}}
	case Clock:
		return strokes{rings: []float64{4.4}, lines: [][]Point{{{5, 2.4}, {5, 5.2}, {7.1, 6.2}}}}
	case Dash:
		return strokes{lines: [][]Point{{{1.5, 5}, {8.5, 5}}}}
	case Ring:
		return strokes{rings: []float64{4}}
	case Disc:
		return strokes{discs: []float64{4}}
	case Play:
		return strokes{filled: [][]Point{{{2, 0.8}, {9, 5}, {2, 9.2}}}}
	case Pause:
		return strokes{filled: [][]Point{{{1.6, 1}, {4, 1}, {4, 9}, {1.6, 9}}, {{6, 1}, {8.4, 1}, {8.4, 9}, {6, 9}}}}
	case Lock:
		return strokes{filled: [][]Point{{{1.4, 4.6}, {8.6, 4.6}, {8.6, 9.6}, {1.4, 9.6}}},
			lines: [][]Point{{{3, 4.6}, {3, 2.4}, {4, 1}, {6, 1}, {7, 2.4}, {7, 4.6}}}}
	case Star:
		return strokes{filled: [][]Point{{{5, 0.2}, {6.4, 3.6}, {9.9, 3.8}, {7.2, 6.1}, {8.1, 9.6}, {5, 7.6}, {1.9, 9.6}, {2.8, 6.1}, {0.1, 3.8}, {3.6, 3.6}}}}
	}
	return strokes{}
}
