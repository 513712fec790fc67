package bot

import (
	"net/http/httptest"
	"strings"
	"testing"
)

func TestEcho(t *testing.T) {
	tutor := New(Config{Store: newMemory(), Limits: Limits{Rates: Unlimited()}})
	for _, c := range []struct{ name, line, want string }{
		{"Ana", "/kubectl get pods", "**Ana** · `/kubectl get pods`"},
		{"", "/grappe", "`/grappe`"},
		{"*<@everyone>* [x](http://x)", "/grappe", "[b *<@everyone>* [x](http://x)] · [c /grappe]"},
		{"Ana", "/kubectl apply\nkind: Pod", "**Ana** · `/kubectl apply` …"},
		{"\u202eanA\u200b", "/kubectl get `x`", "**anA** · `/kubectl get 'x'`"},
		{"Ana", "/cours 3", ""},
		{"Ana", "/page x 2", ""},
	} {
		r := Request{Line: c.line, Live: true, Who: Person{Name: c.name}}
		reply := echo(r, tutor.Manner(r), Reply{Follow: &Follow{Blocks: 1}})
		got := ""
		if len(reply.Blocks) > 0 {
			got = spelled(reply.Blocks[0].(Text).Markdown)
		}
		if want := spelled(c.want); got != want && got != c.want+"\n" {
			t.Errorf("%s: %q, want %q", c.line, got, want)
		}
		if n := reply.Follow.Blocks; n != 1+len(reply.Blocks) {
			t.Errorf("%s: %d blocks stay", c.line, n)
		}
	}
	r := Request{Line: "/grappe", Live: true, Direct: true, Alone: true, Who: Person{Name: "Ana"}}
	if got := spelled(echo(r, tutor.Manner(r), Reply{}).Blocks[0].(Text).Markdown); got != "[c /grappe]\n" {
		t.Errorf("alone: %q", got)
	}
	r.Live = false
	if n := len(echo(r, tutor.Manner(r), Reply{}).Blocks); n != 0 {
		t.Error("a terminal shows what was typed")
	}
}

// TestWhatIsSaidBackIsHarmless: a mistake that quotes what was typed, or a cause that quotes what a program sent, links nowhere under
// words of its choice, and turns no text around.
func TestWhatIsSaidBackIsHarmless(t *testing.T) {
	d := newDoorway(t)
	_, config := d.enters("ana", "/kubeconfig")
	r := httptest.NewRequestWithContext(d.ctx, "POST", "https://timonier.example/api/v1/namespaces/default/con%0Afig%E2%80%AEmaps/%60%5Bx%5D(http:%2F%2Fevil)", strings.NewReader("{}"))
	r.Header.Set("Authorization", "Bearer "+config.BearerToken)
	r.Header.Set("User-Agent", "**bold** <@U1> [x](http://evil) \u202e/1")
	d.tutor.Outside().ServeHTTP(httptest.NewRecorder(), r)
	for _, command := range []string{"pourquoi", "kubeconfig", "grappe sauve", "enseignants ajoute", "panne noeud", "glossaire", "nothing", "kubectl", "kubectl get", "temps avance", "banque montre",
		"schéma", "etcdctl", "lentille", "exercice", "histoire", "analogie", "cours", "langue", "quiz", "aide", "réglages", "rapport", "progrès", "remise"} {
		for _, word := range []string{"", " **x**[a](http://evil)\u202e", " `[a](http://evil)\u200b"} {
			for _, b := range d.does("prof", "/"+command+word).Blocks {
				x, ok := b.(Text)
				if ok && (strings.Contains(x.Markdown, "](http") || strings.ContainsAny(x.Markdown, "\u202e\u200b")) {
					t.Errorf("/%s%q: %q", command, word, x.Markdown)
				}
			}
		}
	}
}
