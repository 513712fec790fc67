package apiserver

import "testing"

func TestOverlongNumber(t *testing.T) {
	for text, want := range map[string]string{
		`{"cpu":"1e2000000000"}`:     "1e2000000000",
		`{"cpu":1E+9999999}`:         "1E+9999999",
		"cpu: -2.5e-1000000\n":       "-2.5e-1000000",
		"cpu=.5e0001234567,memory=1": ".5e0001234567",
		"1e999999":                   "",
		"100m 1e3 2Gi 0.5":           "",
		"commit: a1e2000000000":      "",
		"1e2000000000f3":             "",
		"nginx:1.2e3456789-alpine":   "",
	} {
		if got := OverlongNumber([]byte(text)); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}
