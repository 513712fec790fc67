package exchange

import (
	"fmt"
	"io"

	"go.yaml.in/yaml/v3"

	"timonier/content"
)

// What a file of the course's bank is made of, in the order in which people read it.
type (
	yamlBank struct {
		Lesson string     `yaml:"lesson"`
		Items  []yamlItem `yaml:"items"`
	}
	yamlText struct {
		FR string `yaml:"fr,omitempty"`
		EN string `yaml:"en,omitempty"`
	}
	yamlWords struct {
		FR []string `yaml:"fr,omitempty,flow"`
		EN []string `yaml:"en,omitempty,flow"`
	}
	yamlItem struct {
		ID         string       `yaml:"id"`
		Kind       string       `yaml:"kind"`
		Difficulty int          `yaml:"difficulty,omitempty"`
		Objective  string       `yaml:"objective,omitempty"`
		Ask        yamlText     `yaml:"ask"`
		Hint       *yamlText    `yaml:"hint,omitempty"`
		Why        *yamlText    `yaml:"why,omitempty"`
		Options    []yamlOption `yaml:"options,omitempty"`
		Answer     *bool        `yaml:"answer,omitempty"`
		Wrong      *yamlWrong   `yaml:"wrong,omitempty"`
		Steps      []yamlText   `yaml:"steps,omitempty"`
		Pairs      []yamlPair   `yaml:"pairs,omitempty"`
		Extra      []yamlText   `yaml:"extra,omitempty"`
		Number     *float64     `yaml:"number,omitempty"`
		Tolerance  float64      `yaml:"tolerance,omitempty"`
		Unit       *yamlText    `yaml:"unit,omitempty"`
		Accept     *yamlWords   `yaml:"accept,omitempty"`
		Traps      []yamlTrap   `yaml:"traps,omitempty"`
	}
	yamlOption struct {
		Right bool      `yaml:"right,omitempty"`
		Text  yamlText  `yaml:"text"`
		Is    string    `yaml:"is,omitempty"`
		Why   *yamlText `yaml:"why,omitempty"`
	}
	yamlWrong struct {
		Is  string    `yaml:"is,omitempty"`
		Why *yamlText `yaml:"why,omitempty"`
	}
	yamlPair struct {
		Left  yamlText `yaml:"left"`
		Right yamlText `yaml:"right"`
	}
	yamlTrap struct {
		Number  *float64   `yaml:"number,omitempty"`
		Before  []int      `yaml:"before,omitempty,flow"`
		Pair    []int      `yaml:"pair,omitempty,flow"`
		Answers *yamlWords `yaml:"answers,omitempty"`
		Is      string     `yaml:"is,omitempty"`
		Why     *yamlText  `yaml:"why,omitempty"`
	}
)

// YAML writes questions of one lesson as a file of the course's bank. Texts are in the languages
// that the questions have: the course asks for both.
func YAML(w io.Writer, lesson string, items []*content.Item) error {
	bank := yamlBank{Lesson: lesson}
	for _, i := range items {
		bank.Items = append(bank.Items, yamlOf(i))
	}
	e := yaml.NewEncoder(w)
	e.SetIndent(2)
	if err := e.Encode(bank); err != nil {
		return fmt.Errorf("write questions: %w", err)
	}
	return nil
}

func maybe(t content.Text) *yamlText {
	if t == (content.Text{}) {
		return nil
	}
	return &yamlText{t.FR, t.EN}
}

func texts(list []content.Text) []yamlText {
	var out []yamlText
	for _, t := range list {
		out = append(out, yamlText{t.FR, t.EN})
	}
	return out
}

func yamlOf(i *content.Item) yamlItem {
	y := yamlItem{ID: i.ID, Kind: string(i.Kind), Difficulty: i.Difficulty, Objective: i.Objective, Ask: yamlText{i.Ask.FR, i.Ask.EN}, Hint: maybe(i.Hint), Why: maybe(i.Why),
		Steps: texts(i.Steps), Extra: texts(i.Extra), Tolerance: i.Tolerance, Unit: maybe(i.Unit)}
	switch i.Kind {
	case content.Number:
		y.Number = &i.Number
	case content.Fill:
		y.Accept = &yamlWords{i.Accept.FR, i.Accept.EN}
	}
	for n, o := range i.Options {
		if i.Kind != content.TrueFalse {
			y.Options = append(y.Options, yamlOption{o.Right, yamlText{o.Text.FR, o.Text.EN}, o.Is, maybe(o.Why)})
			continue
		}
		if right := o.Right; n == 0 {
			y.Answer = &right
		}
		if !o.Right {
			y.Wrong = &yamlWrong{o.Is, maybe(o.Why)}
		}
	}
	for _, p := range i.Pairs {
		y.Pairs = append(y.Pairs, yamlPair{yamlText{p.Left.FR, p.Left.EN}, yamlText{p.Right.FR, p.Right.EN}})
	}
	for _, t := range i.Traps {
		trap := yamlTrap{Number: t.Number, Is: t.Is, Why: maybe(t.Why)}
		if t.Before != [2]int{} {
			trap.Before = t.Before[:]
		}
		if t.Pair != [2]int{} {
			trap.Pair = t.Pair[:]
		}
		if len(t.Answers.FR)+len(t.Answers.EN) > 0 {
			trap.Answers = &yamlWords{t.Answers.FR, t.Answers.EN}
		}
		y.Traps = append(y.Traps, trap)
	}
	return y
}
