package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"timonier/bot/store"
)

// outcome is what a run of the program gave.
type outcome struct {
	code        int
	out, errors string
}

// program runs the program in this process.
func program(t *testing.T, env []string, script string, args ...string) outcome {
	t.Helper()
	var out, errors bytes.Buffer
	code := run(t.Context(), args, env, strings.NewReader(script), &out, &errors)
	return outcome{code, out.String(), errors.String()}
}

func TestFlags(t *testing.T) {
	home := "HOME=" + t.TempDir()
	tests := []struct {
		name string
		env  []string
		args []string
		code int
		out  string // in the standard output
		err  string // in the standard error
	}{
		{"help", nil, []string{"--help"}, 0, "Usage\u00a0: timonier", ""},
		{"help in English", []string{"LANG=en_CA.UTF-8"}, []string{"-h"}, 0, "Usage: timonier", ""},
		{"version", nil, []string{"--version"}, 0, "timonier ", ""},
		{"unknown option", nil, []string{"--lang", "en", "--colour"}, 2, "", "--colour"},
		{"option without its value", nil, []string{"--data"}, 2, "", "--data"},
		{"a word", nil, []string{"cours"}, 2, "", "cours"},
		{"a language that is none", []string{"LANG=en_US"}, []string{"--lang", "klingon"}, 2, "", "I speak fr and en, not “klingon”"},
		{"no home", []string{"LANG=en"}, nil, 1, "", "I can't find your data directory"},
		{"a home", []string{home}, nil, 0, "", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := program(t, test.env, "", test.args...)
			if got.code != test.code || !strings.Contains(got.out, test.out) || !strings.Contains(got.errors, test.err) {
				t.Errorf("got %+v", got)
			}
			if (got.errors == "") != (test.err == "") {
				t.Errorf("standard error: %q", got.errors)
			}
			if test.code == 2 && !strings.Contains(got.errors, "--lang fr|en") {
				t.Errorf("no usage: %q", got.errors)
			}
		})
	}
}

func TestLanguages(t *testing.T) {
	tests := []struct {
		env  []string
		lang string
		want string
	}{
		{nil, "", "fr"},
		{[]string{"LANG=C"}, "", "fr"},
		{[]string{"LANG=de_CH.UTF-8"}, "", "fr"},
		{[]string{"LANG=en_CA.UTF-8"}, "", "en"},
		{[]string{"LANG=EN"}, "", "en"},
		{[]string{"LANG=enm_GB"}, "", "fr"}, // Middle English
		{[]string{"LANG=fr_CA.UTF-8"}, "", "fr"},
		{[]string{"LC_ALL=en_US.UTF-8", "LANG=fr_CA.UTF-8"}, "", "en"},
		{[]string{"LC_ALL=", "LC_MESSAGES=en_US", "LANG=fr_CA"}, "", "en"},
		{[]string{"LC_ALL=C.UTF-8", "LANG=en_US"}, "", "fr"},
		{[]string{"LANG=fr_CA.UTF-8"}, "en", "en"},
		{[]string{"LANG=en_US.UTF-8"}, "fr-CA", "fr"},
		{nil, "EN", "en"},
	}
	titles := map[string]string{"fr": "/aide", "en": "/help"}
	for _, test := range tests {
		t.Run(fmt.Sprint(test.env, test.lang), func(t *testing.T) {
			args := []string{"--data", filepath.Join(t.TempDir(), "t.db")}
			if test.lang != "" {
				args = append(args, "--lang", test.lang)
			}
			got := program(t, test.env, "/aide\n", args...)
			if got.code != 0 || !strings.Contains(got.out, "`"+titles[test.want]+"`") {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestDataFile(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "deep", "er", "t.db")
	if got := program(t, nil, "/kubectl create namespace kept\n", "--data", file); got.code != 0 {
		t.Fatalf("got %+v", got)
	}
	if got := program(t, nil, "/kubectl get namespace kept\n", "--data", file); got.code != 0 || !strings.Contains(got.out, "kept") {
		t.Errorf("another run: %+v", got)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
	for _, env := range [][]string{{"XDG_DATA_HOME=" + dir}, {"HOME=" + dir}, {"HOME=" + dir, "XDG_DATA_HOME=relative"}} {
		path, err := dataFile(env)
		if err != nil || !strings.HasPrefix(path, dir) || filepath.Base(path) != "timonier.db" {
			t.Errorf("%v: %s %v", env, path, err)
		}
	}
}

func TestExitCodes(t *testing.T) {
	for script, code := range map[string]int{
		"/kubectl get nodes\n":                          0,
		"/kubectl get pod nobody\n":                     1,
		"/kubectl get pod nobody\n/kubectl get nodes\n": 1, // a later success does not hide it
		"/frobnicate\n":                                 1,
		"bonjour\n":                                     1,
		"":                                              0,
		"# nothing\n":                                   0,
		"/quitter\n/frobnicate\n":                       0,
		"/kubectl apply -f -\n: not yaml\n.\n":          1,
		"\x00\xff\n":                                    1,
		"/kubectl get pods \"\n":                        1,
		"/" + strings.Repeat("x", 2<<20) + "\n":         1,
		"/kubectl apply -f -\nkind: ConfigMap\napiVersion: v1": 1, // cut short
	} {
		got := program(t, nil, script, "--data", filepath.Join(t.TempDir(), "t.db"))
		if got.code != code || got.errors != "" {
			t.Errorf("%.60q: code %d, %q\n%.300s", script, got.code, got.errors, got.out)
		}
	}
}

// TestRefusedFiles: each file that cannot be used is refused in a sentence in the person's
// language, with exit code 1, and left as it is.
func TestRefusedFiles(t *testing.T) {
	tests := []struct {
		name   string
		make   func(t *testing.T, path string)
		fr, en string
	}{
		{"locked", func(t *testing.T, path string) {
			s, err := store.Open(t.Context(), path, store.Options{})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { s.Close() })
		}, "est déjà ouvert par un autre Timonier", "is already open in another Timonier"},
		{"newer", func(t *testing.T, path string) {
			rewrite(t, path, func(data []byte) []byte {
				size := binary.NativeEndian.Uint32(data[16+8:]) // of a page; behind its header the magic, the version, the size
				for _, page := range []uint32{0, size} {
					binary.NativeEndian.PutUint32(data[page+16+4:], 99)
				}
				return data
			})
		}, "vient d'une version plus récente", "comes from a newer version"},
		{"truncated", func(t *testing.T, path string) {
			rewrite(t, path, func(data []byte) []byte { return data[:len(data)/2] })
		}, "est abîmé ou tronqué", "is damaged or cut short"},
		{"foreign", func(t *testing.T, path string) {
			if err := os.WriteFile(path, []byte("my thesis\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, "n'est pas un fichier de Timonier", "is not a Timonier file"},
		{"a directory", func(t *testing.T, path string) {
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
		}, "est un dossier", "is a directory"},
		{"read-only", func(t *testing.T, path string) {
			if os.Geteuid() == 0 {
				t.Skip("root may write everything")
			}
			rewrite(t, path, func(data []byte) []byte { return data })
			if err := os.Chmod(path, 0o400); err != nil {
				t.Fatal(err)
			}
		}, "Je ne peux pas écrire dans", "I can't write to"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "t.db")
			test.make(t, path)
			before, _ := os.ReadFile(path)
			for lang, sentence := range map[string]string{"fr": test.fr, "en": test.en} {
				got := program(t, nil, "/kubectl get nodes\n", "--data", path, "--lang", lang)
				if got.code != 1 || got.out != "" || !strings.Contains(got.errors, sentence) || !strings.Contains(got.errors, path) {
					t.Errorf("got %+v", got)
				}
			}
			if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
				t.Error("the file was changed")
			}
		})
	}
}

// rewrite makes a file that a run has left, then changes its bytes.
func rewrite(t *testing.T, path string, change func([]byte) []byte) {
	t.Helper()
	if got := program(t, nil, "/kubectl get nodes\n", "--data", path); got.code != 0 {
		t.Fatalf("got %+v", got)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, change(data), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestRefusals: every reason that the store knows has a sentence of its own in each language.
func TestRefusals(t *testing.T) {
	for _, lang := range []string{"fr", "en"} {
		seen := map[string]error{}
		for _, kind := range []error{store.ErrLocked, store.ErrNewer, store.ErrDamaged, store.ErrForeign, store.ErrReadOnly, os.ErrInvalid} {
			text := refusal(newVoice(lang), "/x/t.db", fmt.Errorf("open: %w", &store.Error{Path: "/x/t.db", Kind: kind}))
			if other := seen[text]; other != nil || !strings.Contains(text, "/x/t.db") || !strings.Contains(text, "--data") || strings.Contains(text, "<no value>") {
				t.Errorf("%s, %v (%v): %s", lang, kind, other, text)
			}
			seen[text] = kind
		}
	}
}
