package picture

// Tone is what a colour says; those of the canvas's themes. This file goes when they come.
type Tone int

// The tones.
const (
	Plain   Tone = iota
	Accent       // what a picture is about
	Second       // what it is about, too
	Good         // ready, reached
	Waiting      // on its way
	Bad          // failed, lost
	Quiet        // there, but of no matter now
)
