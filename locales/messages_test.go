package locales

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/template"
	"text/template/parse"

	"github.com/nicksnyder/go-i18n/v2/i18n"
)

// forms are a message's plural forms that are there, by name.
func forms(m *i18n.Message) map[string]string {
	all := map[string]string{"zero": m.Zero, "one": m.One, "two": m.Two, "few": m.Few, "many": m.Many, "other": m.Other}
	maps.DeleteFunc(all, func(_, text string) bool { return text == "" })
	return all
}

// placeholders are the names of what a message's forms fill in.
func placeholders(t *testing.T, m *i18n.Message) []string {
	names := map[string]bool{}
	for _, text := range forms(m) {
		tree, err := template.New(m.ID).Parse(text)
		if err != nil {
			t.Errorf("%s: %v", m.ID, err)
			continue
		}
		for _, n := range tree.Root.Nodes {
			if action, ok := n.(*parse.ActionNode); ok {
				names[strings.TrimPrefix(action.Pipe.String(), ".")] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(names))
}

func load(t *testing.T) map[string]map[string]*i18n.Message {
	all := map[string]map[string]*i18n.Message{}
	for _, lang := range Languages() {
		messages, err := Messages(lang)
		if err != nil {
			t.Fatal(err)
		}
		all[lang] = map[string]*i18n.Message{}
		for _, m := range messages {
			all[lang][m.ID] = m
		}
	}
	return all
}

func TestLanguagesSayTheSame(t *testing.T) {
	all := load(t)
	if len(all["fr"]) == 0 {
		t.Fatal("no messages")
	}
	for id, fr := range all["fr"] {
		en, ok := all["en"][id]
		if !ok {
			t.Errorf("%s is not in en.toml", id)
			continue
		}
		if a, b := placeholders(t, fr), placeholders(t, en); !slices.Equal(a, b) {
			t.Errorf("%s: placeholders %v in French, %v in English", id, a, b)
		}
		if a, b := slices.Sorted(maps.Keys(forms(fr))), slices.Sorted(maps.Keys(forms(en))); !slices.Equal(a, b) {
			t.Errorf("%s: forms %v in French, %v in English", id, a, b)
		}
	}
	for id := range all["en"] {
		if all["fr"][id] == nil {
			t.Errorf("%s is not in fr.toml", id)
		}
	}
}

func TestFrenchTypography(t *testing.T) {
	for id, m := range load(t)["fr"] {
		for form, text := range forms(m) {
			for _, p := range append(CheckFrench(text), CheckFrenchWords(Help(text))...) {
				t.Errorf("%s (%s): %v", id, form, p)
			}
		}
	}
}

// use is an ID in the code, and the placeholders given with it; nil where that is not written there.
type use struct {
	at   token.Position
	id   string
	with []string
}

// An ID is written in full wherever it is used, never put together.
func TestIDsOfTheCode(t *testing.T) {
	all := load(t)["fr"]
	tables := map[string]bool{}
	for id := range all {
		table, _, _ := strings.Cut(id, ".")
		tables[table] = true
	}
	used := map[string]bool{}
	for _, u := range uses(t, tables) {
		m := all[u.id]
		if m == nil {
			t.Errorf("%s: %s is not in fr.toml", u.at, u.id)
			continue
		}
		used[u.id] = true
		if u.with == nil {
			continue
		}
		for _, name := range placeholders(t, m) {
			if !slices.Contains(u.with, name) {
				t.Errorf("%s: %s needs %s", u.at, u.id, name)
			}
		}
		if counted := m.One != ""; counted && !slices.Contains(u.with, "Count") {
			t.Errorf("%s: %s has plural forms, and no Count is given", u.at, u.id)
		}
	}
	if len(used) == 0 {
		t.Fatal("no uses found")
	}
	for id := range all {
		if !used[id] {
			t.Errorf("%s is used nowhere", id)
		}
	}
}

var looksLikeID = regexp.MustCompile(`^[a-z]+(\.[a-z0-9]+)+$`)

// uses finds the IDs in the program's sources.
func uses(t *testing.T, tables map[string]bool) []use {
	var found []use
	for _, dir := range []string{"../bot", "../cmd"} {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return nil // a directory that is not there holds no uses
			}
			files := token.NewFileSet()
			file, err := parser.ParseFile(files, path, nil, 0)
			if err != nil {
				return err
			}
			seen := map[*ast.BasicLit]bool{}
			ast.Inspect(file, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.CallExpr:
					if lit, id := literal(n.Args); lit != nil && says(n.Fun) {
						seen[lit] = true
						found = append(found, use{files.Position(lit.Pos()), id, given(n.Args[1:])})
					}
				case *ast.BasicLit:
					text, _ := strconv.Unquote(n.Value)
					table, _, _ := strings.Cut(text, ".")
					if n.Kind == token.STRING && !seen[n] && looksLikeID.MatchString(text) && tables[table] {
						found = append(found, use{files.Position(n.Pos()), text, nil})
					}
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return found
}

func literal(args []ast.Expr) (*ast.BasicLit, string) {
	if len(args) == 0 {
		return nil, ""
	}
	lit, ok := args[0].(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return nil, ""
	}
	text, _ := strconv.Unquote(lit.Value)
	return lit, text
}

// says tells whether a call puts a message into words.
func says(fun ast.Expr) bool {
	s, ok := fun.(*ast.SelectorExpr)
	return ok && (s.Sel.Name == "say" || s.Sel.Name == "mistake")
}

// given are the keys of a with{…}; nil where the argument is something else.
func given(args []ast.Expr) []string {
	keys := []string{}
	if len(args) == 0 {
		return keys
	}
	lit, ok := args[0].(*ast.CompositeLit)
	if !ok {
		return nil
	}
	for _, e := range lit.Elts {
		if kv, ok := e.(*ast.KeyValueExpr); ok {
			if key, ok := kv.Key.(*ast.BasicLit); ok {
				text, _ := strconv.Unquote(key.Value)
				keys = append(keys, text)
			}
		}
	}
	return keys
}
