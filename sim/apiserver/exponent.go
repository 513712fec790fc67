package apiserver

import "regexp"

// overlong is a decimal number whose exponent has seven digits or more, as a whole word: 1e9999999.
var overlong = regexp.MustCompile(`(?:^|[^\w.+-])([+-]?(?:\d+\.?\d*|\.\d+)[eE][+-]?0*[1-9]\d{6,})(?:$|[^\w.-])`)

// OverlongNumber finds a number in a text whose exponent is a million or more; "" where there is none. A
// resource.Quantity of it is worked out digit by digit, which takes minutes: nothing with one may be parsed.
func OverlongNumber(text []byte) string {
	found := overlong.FindSubmatch(text)
	if found == nil {
		return ""
	}
	return string(found[1])
}
