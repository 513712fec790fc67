package exchange

import (
	"bytes"
	"reflect"

	"timonier/content"
)

// Same says that two questions are the same in a language, as a file would tell them.
func Same(a, b *content.Item, l content.Lang) bool {
	return a.HasIn(l) && b.HasIn(l) && bytes.Equal(written(a, l), written(b, l))
}

func written(i *content.Item, l content.Lang) []byte {
	ex := exporter{lang: l}
	copied := *i
	if copied.Kind == content.Predict {
		copied.Kind = content.One
	}
	ex.giftItem(&copied)
	return ex.out.Bytes()
}

// Merge is a question that was read in one language, with the other language's texts of an older
// one of the same ID, where the two are built alike; else it is the new one alone.
func Merge(old, read *content.Item, l content.Lang) *content.Item {
	other := content.FR
	if l == content.FR {
		other = content.EN
	}
	if !old.HasIn(other) || !reflect.DeepEqual(shape(old), shape(read)) {
		return read
	}
	out := *read
	mix := func(read, old content.Text) content.Text {
		if l == content.FR {
			return content.Text{FR: read.FR, EN: old.EN}
		}
		return content.Text{FR: old.FR, EN: read.EN}
	}
	words := func(read, old content.Spellings) content.Spellings {
		if l == content.FR {
			return content.Spellings{FR: read.FR, EN: old.EN}
		}
		return content.Spellings{FR: old.FR, EN: read.EN}
	}
	out.Ask, out.Hint, out.Why, out.Unit, out.Accept = mix(read.Ask, old.Ask), mix(read.Hint, old.Hint), mix(read.Why, old.Why), mix(read.Unit, old.Unit), words(read.Accept, old.Accept)
	out.Options, out.Steps, out.Pairs, out.Extra, out.Traps = nil, nil, nil, nil, nil
	for n, o := range read.Options {
		o.Text, o.Why = mix(o.Text, old.Options[n].Text), mix(o.Why, old.Options[n].Why)
		out.Options = append(out.Options, o)
	}
	for n, s := range read.Steps {
		out.Steps = append(out.Steps, mix(s, old.Steps[n]))
	}
	for n, p := range read.Pairs {
		out.Pairs = append(out.Pairs, content.Pair{Left: mix(p.Left, old.Pairs[n].Left), Right: mix(p.Right, old.Pairs[n].Right)})
	}
	for n, e := range read.Extra {
		out.Extra = append(out.Extra, mix(e, old.Extra[n]))
	}
	for n, t := range read.Traps {
		t.Answers, t.Why = words(t.Answers, old.Traps[n].Answers), mix(t.Why, old.Traps[n].Why)
		out.Traps = append(out.Traps, t)
	}
	return &out
}

// shape is what a question is but for its words: which texts there are, and what is right.
func shape(i *content.Item) []any {
	kind := i.Kind
	if kind == content.Predict {
		kind = content.One
	}
	empty := content.Text{}
	out := []any{kind, i.Number, i.Tolerance, i.Hint == empty, i.Why == empty, i.Unit == empty, len(i.Steps), len(i.Pairs), len(i.Extra)}
	for _, o := range i.Options {
		out = append(out, o.Right, o.Why == empty)
	}
	for _, t := range i.Traps {
		n := 0.0
		if t.Number != nil {
			n = *t.Number
		}
		out = append(out, n, t.Before, t.Pair, t.Why == empty)
	}
	return out
}
