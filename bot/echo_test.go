package bot

import "testing"

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
