package picture

// Tone is what a colour says. Where there is no colour, a sign says it.
type Tone int

// The tones.
const (
	Neutral Tone = iota
	Good         // up, ready, chosen
	Waiting      // on its way: pending, starting, going
	Doubt        // not known, or not well
	Bad          // down, lost, refused
	Old          // what is being replaced
	New          // and by what
)

// cell is the tone as a part of a bar made of characters.
func (t Tone) cell() rune { return []rune("▒█▒▓░▒█")[t] }

// sign is the tone before a name.
func (t Tone) sign() string { return []string{"·", "●", "◌", "◐", "✗", "○", "●"}[t] }
