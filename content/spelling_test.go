package content

import (
	"bytes"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"timonier/locales"
)

// TestFrenchSpelling holds every French text, the course's and the tutor's, against a dictionary.
// What the dictionary does not know and is right goes into locales/words.txt, in its place.
func TestFrenchSpelling(t *testing.T) {
	texts := map[string]string{} // text → where it is from
	for _, said := range load(Files()).texts {
		if !said.keywords {
			texts[said.FR] = said.file
		}
	}
	messages, err := locales.Messages("fr")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range messages {
		for _, text := range []string{m.One, m.Other} {
			texts[locales.Help(text)] = "locales/fr.toml (" + m.ID + ")"
		}
	}
	misspelt(t, "hunspell-fr", []string{"fr_CA", "fr_FR", "fr"}, "../locales/words.txt", texts)
}

// misspelt fails for every word that neither the first dictionary found nor the list knows. It is one
// process for all the words.
func misspelt(t *testing.T, pack string, dictionaries []string, list string, texts map[string]string) {
	t.Helper()
	dictionary := ""
	for _, d := range dictionaries {
		if exec.Command("hunspell", "-d", d, "-l", os.DevNull).Run() == nil {
			dictionary = d
			break
		}
	}
	if dictionary == "" {
		t.Skipf("no spelling was checked: apt-get install hunspell %s", pack)
	}
	known := knownWords(t, list)
	from := map[string]string{} // word → where it is from
	for _, text := range slices.Sorted(maps.Keys(texts)) {
		for _, w := range locales.Words(text) {
			if !known[w] && !known[strings.ToLower(w)] {
				from[w] = texts[text]
			}
		}
	}
	if len(texts) < 100 || len(from) < 100 {
		t.Fatalf("%d words of %d texts: is this all there is?", len(from), len(texts))
	}
	unknown := unknownWords(t, dictionary, slices.Sorted(maps.Keys(from)))
	var parts []string // of words with a hyphen: each may be right
	for _, w := range unknown {
		parts = append(parts, strings.Split(w, "-")...)
	}
	wrong := map[string]bool{}
	for _, w := range unknownWords(t, dictionary, parts) {
		wrong[w] = true
	}
	for _, w := range unknown {
		if slices.ContainsFunc(strings.Split(w, "-"), func(part string) bool { return wrong[part] && !known[part] && !known[strings.ToLower(part)] }) {
			t.Errorf("%s: %q is not in the dictionary %s: correct it, or add it to %s in its place", from[w], w, dictionary, strings.TrimPrefix(list, "../"))
		}
	}
}

func unknownWords(t *testing.T, dictionary string, words []string) []string {
	t.Helper()
	run := exec.Command("hunspell", "-i", "utf-8", "-d", dictionary, "-l")
	run.Stdin = strings.NewReader(strings.Join(words, "\n") + "\n")
	var stderr bytes.Buffer
	run.Stderr = &stderr
	out, err := run.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, &stderr)
	}
	return strings.Fields(string(out))
}

// knownWords reads the house's list: a word a line, in the order of its bytes, each once.
func knownWords(t *testing.T, file string) map[string]bool {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	words := strings.Fields(string(data))
	if !slices.IsSorted(words) {
		t.Errorf("%s is not sorted (LC_ALL=C sort)", file)
	}
	known := map[string]bool{}
	for _, w := range words {
		if known[w] {
			t.Errorf("%s has %q twice", file, w)
		}
		known[w] = true
	}
	return known
}
