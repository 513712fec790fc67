package apiserver

import "regexp"

// overlong is a decimal number whose exponent has seven digits or more, as a whole word: 1e9999999.
var overlong = regexp.MustCompile(`(?:^|[^\w.+-])([+-]?(?:\d+\.?\d*|\.\d+)[eE][+-]?0*[1-9]\d{6,})(?:$|[^\w.-])`)

// OverlongNumber finds a number in a text whose exponent is a million or more; "" where there is none. A
// resource.Quantity of it is worked out digit by digit, which takes minutes: nothing with one may be parsed.
func OverlongNumber(text []byte) string {
	if !hasDigits(text, 7) { // nearly always: a hundred times as fast as the expression
		return ""
	}
	found := overlong.FindSubmatch(text)
	if found == nil {
		return ""
	}
	return string(found[1])
}

// hasDigits says that a text has so many digits one after the other.
func hasDigits(text []byte, most int) bool {
	run := 0
	for _, b := range text {
		if b < '0' || b > '9' {
			run = 0
			continue
		}
		if run++; run == most {
			return true
		}
	}
	return false
}
