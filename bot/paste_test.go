package bot

import (
	"errors"
	"slices"
	"testing"
	"time"
)

func TestSplit(t *testing.T) {
	tests := []struct {
		line string
		want []string
		err  error
	}{
		{`get pods -o wide`, []string{"get", "pods", "-o", "wide"}, nil},
		{`  get   pods  `, []string{"get", "pods"}, nil},
		{`label pod web "a b=c d"`, []string{"label", "pod", "web", "a b=c d"}, nil},
		{`patch x -p '{"spec":{"replicas":2}}'`, []string{"patch", "x", "-p", `{"spec":{"replicas":2}}`}, nil},
		{`a "b\"c" 'd\e' f\ g`, []string{"a", `b"c`, `d\e`, "f g"}, nil},
		{`a ""`, []string{"a", ""}, nil},
		{`a"b"c`, []string{"abc"}, nil},
		{``, nil, nil},
		{`a "b`, nil, errQuote},
		{`a 'b`, nil, errQuote},
		{`get pods | grep x`, nil, errShell},
		{`get pods|grep x`, []string{"get", "pods|grep", "x"}, nil},
		{`get pods > out`, nil, errShell},
		{`get pods; get nodes`, nil, errShell},
		{`get pods && get nodes`, nil, errShell},
		{`get pods '|' x`, []string{"get", "pods", "|", "x"}, nil},
		{`get $(whoami)`, nil, errShell},
		{`get -o jsonpath={.items[?(@.a<3)]}`, []string{"get", "-o", "jsonpath={.items[?(@.a<3)]}"}, nil},
	}
	for _, test := range tests {
		got, err := split(test.line)
		if !slices.Equal(got, test.want) || !errors.Is(err, test.err) {
			t.Errorf("%s: %q, %v; want %q, %v", test.line, got, err, test.want, test.err)
		}
	}
}

func TestTidyCommand(t *testing.T) {
	for line, want := range map[string]string{
		"scale deployment web –replicas=3":  "scale deployment web --replicas=3",
		"scale deployment web —replicas=3":  "scale deployment web --replicas=3",
		"get pods –n kube-system –o wide":   "get pods -n kube-system -o wide",
		"get\u00a0pods\u202f-o\u2009wide":   "get pods -o wide",
		"label pod web “a=b c”":             `label pod web "a=b c"`,
		"label pod web «\u00a0a=b c\u00a0»": `label pod web "a=b c"`,
		"patch x -p ‘{}’":                   "patch x -p '{}'",
		"get pods\u200b":                    "get pods",
		"get pod web-7c5d--x --show-labels": "get pod web-7c5d--x --show-labels",
		"run a --image=nginx -- sleep 1":    "run a --image=nginx -- sleep 1",
		"get pods -l a=b-c,d-e":             "get pods -l a=b-c,d-e",
		"annotate pod web note=avant–après": "annotate pod web note=avant–après",
		"get pods \u2212n x":                "get pods -n x",
		"get pods --selector=“app=web”":     `get pods --selector="app=web"`,
	} {
		if got := tidyCommand(line); got != want {
			t.Errorf("%s:\n got %s\nwant %s", line, got, want)
		}
	}
}

func TestTidyText(t *testing.T) {
	for text, want := range map[string]string{
		"a: 1\r\nb: 2\r\n":                  "a: 1\nb: 2\n",
		"```yaml\na: 1\n```":                "a: 1\n",
		"\u00a0\u00a0a: 1":                  "  a: 1\n",
		"a:\u00a01":                         "a: 1\n",
		"a: “x y”":                          "a: \"x y\"\n",
		"- « x »":                           "- \"x\"\n",
		"a: \"l’image, «\u00a0oui\u00a0»\"": "a: \"l’image, «\u00a0oui\u00a0»\"\n",
		"  \n":                              "",
		"":                                  "",
		"\ufeffapiVersion: v1":              "apiVersion: v1\n",
	} {
		if got := tidyText(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestUnheredoc(t *testing.T) {
	line, text := unheredoc("apply -f - <<'EOF'", "a: 1\nb: 2\nEOF\nls")
	if line != "apply -f -" || text != "a: 1\nb: 2" {
		t.Errorf("%q %q", line, text)
	}
}

func TestDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"6m": 6 * time.Minute, "6 min": 6 * time.Minute, "90s": 90 * time.Second, "6": 6 * time.Minute,
		"1h30": 90 * time.Minute, "1 h 30 min": 90 * time.Minute, "2 minutes et 5 secondes": 125 * time.Second,
		"1,5 h": 90 * time.Minute, "1 jour": 24 * time.Hour, "5m30": 330 * time.Second, "45\u00a0secondes": 45 * time.Second,
		"1h30m10s": 5410 * time.Second,
	} {
		if got, ok := duration(text); !ok || got != want {
			t.Errorf("%s: %v %v, want %v", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "x", "-5m", "5 ans", "m", "1e9s"} {
		if got, ok := duration(text); ok {
			t.Errorf("%s: %v", text, got)
		}
	}
}

func TestDistance(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want int
	}{{"aide", "adie", 1}, {"kubctl", "kubectl", 1}, {"", "abc", 3}, {"temps", "temps", 0}, {"why", "whi", 1}, {"cours", "course", 1}} {
		if got := distance(test.a, test.b); got != test.want {
			t.Errorf("%s, %s: %d, want %d", test.a, test.b, got, test.want)
		}
	}
}
