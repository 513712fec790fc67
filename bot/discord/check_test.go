package discord

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

var (
	plainName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)
	opening   = regexp.MustCompile("^```[a-z0-9]*$")
	diceWord  = regexp.MustCompile(`mot\d+q`)
)

// checkMessage checks the table of PLATFORMS.md on the JSON that is sent, knowing nothing
// of how it was made. It returns all text that a person can read in it.
func checkMessage(t *testing.T, m message, files []upload) string {
	t.Helper()
	data, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	var wire struct {
		Flags       int
		Content     *string
		Embeds      []any
		Components  []map[string]any
		Mentions    map[string][]any `json:"allowed_mentions"`
		Attachments []struct{ ID, Filename, Description string }
	}
	if err := json.Unmarshal(data, &wire); err != nil {
		t.Fatal(err)
	}
	if wire.Flags != 32768 || wire.Content != nil || wire.Embeds != nil {
		t.Errorf("flags %d, content %v", wire.Flags, wire.Content)
	}
	if parse, ok := wire.Mentions["parse"]; !ok || parse == nil || len(parse) > 0 || len(wire.Mentions) != 1 {
		t.Errorf("allowed mentions %v", wire.Mentions)
	}
	if len(wire.Attachments) != len(files) || len(files) > 10 {
		t.Errorf("%d attachments, %d files", len(wire.Attachments), len(files))
	}
	unreferenced, total := map[string]bool{}, 0
	for i, a := range wire.Attachments {
		if a.ID != fmt.Sprint(i) || a.Filename != files[i].Name || unreferenced[a.Filename] || !plainName.MatchString(a.Filename) || utf8.RuneCountInString(a.Description) > 1024 {
			t.Errorf("attachment %d is %+v", i, a)
		}
		unreferenced[a.Filename] = true
		if total += len(files[i].Data); len(files[i].Data) > 10<<20 || total > 25<<20 {
			t.Errorf("file %s is too large", a.Filename)
		}
	}
	use := func(v any) {
		name, ok := strings.CutPrefix(v.(map[string]any)["url"].(string), "attachment://")
		if !ok || !unreferenced[name] {
			t.Errorf("%v is no file of its own", v)
		}
		delete(unreferenced, name)
	}
	var text strings.Builder
	count, characters, rows := 0, 0, 0
	ids := map[string]bool{}
	for _, c := range wire.Components {
		count++
		switch c["type"].(float64) {
		case 10:
			s := c["content"].(string)
			text.WriteString(s + "\n")
			if characters += utf8.RuneCountInString(s); strings.TrimSpace(s) == "" {
				t.Error("an empty text")
			}
			checkFences(t, s)
		case 12:
			items := c["items"].([]any)
			if len(items) < 1 || len(items) > 10 {
				t.Errorf("a gallery of %d", len(items))
			}
			for _, it := range items {
				use(it.(map[string]any)["media"])
				if d, ok := it.(map[string]any)["description"].(string); ok {
					text.WriteString(d + "\n")
				}
			}
		case 13:
			use(c["file"])
		case 14:
		case 1:
			buttons := c["components"].([]any)
			if rows++; len(buttons) < 1 || len(buttons) > 5 || rows > 5 {
				t.Errorf("row %d has %d buttons", rows, len(buttons))
			}
			for _, b := range buttons {
				count++
				b := b.(map[string]any)
				if id := b["custom_id"].(string); b["type"].(float64) == 3 {
					if text.WriteString(checkMenu(t, b)); ids[id] || utf8.RuneCountInString(id) > 100 || len(buttons) > 1 {
						t.Errorf("menu %q", id)
					}
					ids[id] = true
					continue
				}
				id, label := b["custom_id"].(string), b["label"].(string)
				if n := utf8.RuneCountInString(id); n < 1 || n > 100 || ids[id] {
					t.Errorf("custom ID %q", id)
				}
				if n := utf8.RuneCountInString(label); n < 1 || n > 80 || strings.TrimSpace(label) == "" {
					t.Errorf("label %q", label)
				}
				ids[id] = true
				text.WriteString(label + "\n")
			}
		default:
			t.Errorf("component %v", c)
		}
	}
	if count < 1 || count > 40 {
		t.Errorf("%d components", count)
	}
	if characters > 4000 {
		t.Errorf("%d characters", characters)
	}
	for name := range unreferenced {
		t.Errorf("%s is not shown", name)
	}
	return text.String()
}

// checkMenu checks a select, and returns what can be read in it.
func checkMenu(t *testing.T, menu map[string]any) string {
	t.Helper()
	all := menu["options"].([]any)
	least, most := menu["min_values"].(float64), menu["max_values"].(float64)
	if len(all) < 1 || len(all) > 25 || least < 1 || least > most || most > float64(len(all)) {
		t.Errorf("%v to %v of %d", least, most, len(all))
	}
	placeholder, _ := menu["placeholder"].(string)
	if utf8.RuneCountInString(placeholder) > 150 {
		t.Errorf("placeholder %q", placeholder)
	}
	text, values := placeholder+"\n", map[any]bool{}
	for _, v := range all {
		o := v.(map[string]any)
		for _, key := range []string{"label", "value", "description"} {
			s, ok := o[key].(string)
			if n := utf8.RuneCountInString(s); n > 100 || strings.TrimSpace(s) == "" && (ok || key != "description") {
				t.Errorf("%s %q", key, s)
			}
			text += s + "\n"
		}
		if values[o["value"]] {
			t.Errorf("%v twice", o["value"])
		}
		values[o["value"]] = true
	}
	return text
}

// checkFences: every block of code begins and ends on a line of its own.
func checkFences(t *testing.T, s string) {
	t.Helper()
	open := false
	for line := range strings.SplitSeq(s, "\n") {
		line = strings.TrimPrefix(line, "> ")
		switch {
		case !strings.Contains(line, "```"):
		case !open && opening.MatchString(line), open && line == "```":
			open = !open
		default:
			t.Errorf("fence within %q", line)
		}
	}
	if open {
		t.Errorf("fence without an end in %q", s)
	}
}
