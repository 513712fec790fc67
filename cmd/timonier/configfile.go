package main

import (
	"errors"
	"regexp"
	"slices"
	"strings"
)

var keyForm = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// readConfig reads a configuration file: a line KEY=VALUE for each setting, as in the files
// that set a container's environment. Blank lines and those that begin with # are left out,
// a value may stand in quotes, and keys that are not ours are somebody else's. An error is one
// line for the person, which holds nothing of the file but an unknown key.
func readConfig(say voice, path string) (source, error) {
	data, err := readSmall(path)
	if err != nil {
		return nil, errors.New(say.sentence("setting.nofile", map[string]any{"Path": path, "Error": reason(err)}))
	}
	var known []string
	for _, v := range variables() {
		known = append(known, v.names()...)
	}
	got := source{}
	number := 0
	for line := range strings.Lines(strings.TrimPrefix(string(data), "\ufeff")) {
		number++
		at := map[string]any{"Path": path, "Line": number}
		key, value, ok := readLine(line)
		switch {
		case !ok:
			return nil, errors.New(say.sentence("setting.badline", at))
		case !strings.HasPrefix(key, "TIMONIER_"):
			continue
		case !slices.Contains(known, key):
			at["Name"], at["Nearest"] = key, nearest(key, known)
			return nil, errors.New(say.sentence("setting.unknown", at))
		}
		if _, there := got[key]; there {
			at["Name"] = key
			return nil, errors.New(say.sentence("setting.again", at))
		}
		got[key] = value
	}
	return got, nil
}

// readLine reads one line; the key is empty where it holds no setting.
func readLine(line string) (key, value string, ok bool) {
	line = strings.TrimSpace(line)
	if line == "" || line[0] == '#' {
		return "", "", true
	}
	if rest, exported := strings.CutPrefix(line, "export "); exported {
		line = strings.TrimSpace(rest)
	}
	key, value, ok = strings.Cut(line, "=")
	if key = strings.TrimSpace(key); !ok || !keyForm.MatchString(key) {
		return "", "", false
	}
	value = strings.TrimSpace(value)
	if value == "" || value[0] != '"' && value[0] != '\'' {
		return key, withoutComment(value), true
	}
	value, rest, ok := strings.Cut(value[1:], value[:1])
	rest = strings.TrimSpace(rest)
	return key, value, ok && (rest == "" || rest[0] == '#')
}

// withoutComment cuts what follows a # that a blank precedes.
func withoutComment(value string) string {
	for i, r := range value {
		if r == '#' && (i == 0 || value[i-1] == ' ' || value[i-1] == '\t') {
			return strings.TrimSpace(value[:i])
		}
	}
	return value
}

// nearest is the name that takes the fewest letters to change into.
func nearest(word string, names []string) string {
	return slices.MinFunc(names, func(a, b string) int { return changes(word, a) - changes(word, b) })
}

// changes is the number of letters to add, leave out or replace to make one word of another.
func changes(from, to string) int {
	row := make([]int, len(to)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(from) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(to) {
			replaced := diagonal
			if from[i] != to[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, diagonal+1, row[j]+1)
		}
	}
	return row[len(to)]
}
