package discordtest

import "testing"

func TestWhatAMessageSays(t *testing.T) {
	r := start(t, Config{Strict: true})
	e := r.pressed(Slash("x"))
	r.answer(e, `{"type":4,"data":{"content":"a","embeds":[{"title":"b","description":"c","fields":[{"name":"d","value":"e"}],"footer":{"text":"f"}}],`+quiet+`,`+rows(btn("go"))+`}}`, 204)
	m := e.Message()
	if got := m.Text(); got != "a\nb\nc\nd\ne\nf" {
		t.Errorf("%q", got)
	}
	if b, ok := m.Button("a"); !ok || b.CustomID != "go" || b.ID == 0 {
		t.Error(b)
	}
	if _, ok := m.Button("b"); ok || len(m.Buttons()) != 1 {
		t.Error(m.Buttons())
	}
	e = r.pressed(Slash("x"))
	r.answer(e, `{"type":4,"data":{`+v2(`{"type":17,"components":[{"type":9,"components":[{"type":10,"content":"a"}],"accessory":`+btn("go")+`}]},{"type":10,"content":"b"}`)+`}}`, 204)
	if m = e.Message(); m.Text() != "a\nb" || len(m.Buttons()) != 1 {
		t.Errorf("%q %v", m.Text(), m.Buttons())
	}
	r.calm()
}

func TestCompletingANumber(t *testing.T) {
	r := start(t, Config{})
	command := `[{"name":"x","description":"d","options":[{"type":4,"name":"n","description":"d","autocomplete":true}]}]`
	if a := r.call("PUT", "/applications/"+r.ApplicationID()+"/commands", command); a.status != 200 {
		t.Fatal(a.raw)
	}
	typed := Focused("n", "1")
	typed.Type = 4
	for value, status := range map[string]int{`1`: 204, `"1"`: 400, `1.5`: 400} {
		r.answer(r.pressed(Complete("x", typed)), `{"type":8,"data":{"choices":[{"name":"n","value":`+value+`}]}}`, status)
	}
}
