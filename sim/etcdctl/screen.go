package etcdctl

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// onScreen is what a terminal shows of bytes: what is no text is the replacement character, and what only steers a
// terminal is nothing. Values in etcd are protobuf, and whoever types etcdctl get sees that.
func onScreen(b []byte) string {
	var s strings.Builder
	s.Grow(len(b))
	for len(b) > 0 {
		c, size := utf8.DecodeRune(b)
		b = b[size:]
		switch {
		case c == '\n', c == '\t':
			s.WriteRune(c)
		case unicode.IsControl(c), unicode.Is(unicode.Cf, c):
		default:
			s.WriteRune(c)
		}
	}
	return s.String()
}
