package content

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// The bank's files besides those of the lessons.
const (
	objectivesName     = "bank/objectives.yaml"
	misconceptionsName = "bank/misconceptions.yaml"
)

// bankFile is bank/DIR/LESSON.yaml.
type bankFile struct {
	Lesson         string          `yaml:"lesson"`
	Misconceptions map[string]Text `yaml:"misconceptions"`
	Items          []itemFile      `yaml:"items"`
}

type itemFile struct {
	ID         string       `yaml:"id"`
	Kind       ItemKind     `yaml:"kind"`
	Difficulty int          `yaml:"difficulty"`
	Objective  string       `yaml:"objective"`
	Ask        Text         `yaml:"ask"`
	Hint       Text         `yaml:"hint"`
	Why        Text         `yaml:"why"`
	Options    []choiceFile `yaml:"options"`
	Answer     *bool        `yaml:"answer"`
	Wrong      *wrongFile   `yaml:"wrong"`
	Steps      []Text       `yaml:"steps"`
	Pairs      []pairFile   `yaml:"pairs"`
	Extra      []Text       `yaml:"extra"`
	Number     *float64     `yaml:"number"`
	Tolerance  float64      `yaml:"tolerance"`
	Unit       Text         `yaml:"unit"`
	Accept     Spellings    `yaml:"accept"`
	Traps      []trapFile   `yaml:"traps"`
	Members    int          `yaml:"members"`
	Start      []Line       `yaml:"start"`
	Run        []Line       `yaml:"run"`
}

type choiceFile struct {
	Text   Text        `yaml:"text"`
	Right  bool        `yaml:"right"`
	Is     string      `yaml:"is"`
	Why    Text        `yaml:"why"`
	Checks []Condition `yaml:"checks"`
}

type wrongFile struct {
	Is  string `yaml:"is"`
	Why Text   `yaml:"why"`
}

type pairFile struct {
	Left  Text `yaml:"left"`
	Right Text `yaml:"right"`
}

type trapFile struct {
	Number  *float64  `yaml:"number"`
	Before  [2]int    `yaml:"before"`
	Pair    [2]int    `yaml:"pair"`
	Answers Spellings `yaml:"answers"`
	Is      string    `yaml:"is"`
	Why     Text      `yaml:"why"`
}

// readBank reads the questions. That they hold is proved by bankHolds.
func (l *loader) readBank() {
	l.objectives()
	for _, file := range l.glob("bank/*/*.yaml") {
		var f bankFile
		if !l.yaml(file, &f) {
			continue
		}
		for id, name := range f.Misconceptions {
			l.bank.Misconceptions = append(l.bank.Misconceptions, &Misconception{ID: id, Lesson: f.Lesson, Name: name, file: file})
		}
		for _, i := range f.Items {
			l.bank.Items = append(l.bank.Items, i.item(file, f.Lesson))
		}
	}
	slices.SortStableFunc(l.bank.Items, func(a, b *Item) int { return strings.Compare(a.ID, b.ID) })
	slices.SortStableFunc(l.bank.Misconceptions, func(a, b *Misconception) int { return strings.Compare(a.ID, b.ID) })
}

func (l *loader) objectives() {
	if len(l.glob("bank/*")) == 0 {
		return // a course may have no bank
	}
	var objectives []struct {
		ID   string `yaml:"id"`
		Exam string `yaml:"exam"`
		Name Text   `yaml:"name"`
	}
	if l.yaml(objectivesName, &objectives) {
		for _, o := range objectives {
			l.bank.Objectives = append(l.bank.Objectives, &Objective{ID: o.ID, Exam: o.Exam, Name: o.Name})
		}
	}
	var common map[string]struct {
		Lesson string `yaml:"lesson"`
		FR     string `yaml:"fr"`
		EN     string `yaml:"en"`
	}
	if l.yaml(misconceptionsName, &common) {
		for id, m := range common {
			l.bank.Misconceptions = append(l.bank.Misconceptions, &Misconception{ID: id, Lesson: m.Lesson, Name: Text{m.FR, m.EN}, file: misconceptionsName})
		}
	}
}

// item is what the file says, in the course's own form.
func (f itemFile) item(file, lesson string) *Item {
	i := &Item{ID: f.ID, Lesson: lesson, Kind: f.Kind, Difficulty: f.Difficulty, Objective: f.Objective, Ask: f.Ask, Hint: f.Hint, Why: f.Why,
		Steps: f.Steps, Extra: f.Extra, Tolerance: f.Tolerance, Unit: f.Unit, Accept: f.Accept, Members: cmp.Or(f.Members, usualMembers),
		Start: f.Start, Run: f.Run, file: file}
	if f.Number != nil {
		i.Number = *f.Number
	}
	for _, o := range f.Options {
		i.Options = append(i.Options, Choice(o))
	}
	for _, p := range f.Pairs {
		i.Pairs = append(i.Pairs, Pair(p))
	}
	for _, t := range f.Traps {
		i.Traps = append(i.Traps, Trap(t))
	}
	if f.Kind == TrueFalse && f.Answer != nil && f.Wrong != nil {
		i.Options = trueAndFalse(*f.Answer, f.Wrong.Is, f.Wrong.Why)
	}
	return i
}

// trueAndFalse are the options of a kind TrueFalse.
func trueAndFalse(answer bool, is string, why Text) []Choice {
	options := []Choice{{Text: Text{"Vrai", "True"}, Right: answer}, {Text: Text{"Faux", "False"}, Right: !answer}}
	for i := range options {
		if !options[i].Right {
			options[i].Is, options[i].Why = is, why
		}
	}
	return options
}

// bankDir is the directory that a lesson's items belong in.
func bankDir(lesson *Lesson) string {
	return path.Join("bank", path.Base(path.Dir(lesson.file[FR])))
}

// itemLines finds the lines where the items of a file stand.
func (l *loader) itemLines(file string) map[string]outline {
	at := l.outline(file)
	lines := map[string]outline{}
	items := at.in("items")
	if items.Kind != yaml.SequenceNode {
		return lines
	}
	for n := range items.Content {
		item := items.in(n)
		lines[item.in("id").Value] = item
	}
	return lines
}
