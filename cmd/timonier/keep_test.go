package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"timonier/bot/store"
)

func TestKeep(t *testing.T) {
	dir := t.TempDir()
	data, copied, held, torn := filepath.Join(dir, "t.db"), filepath.Join(dir, "copy.db"), filepath.Join(dir, "held.db"), filepath.Join(dir, "torn.db")
	if got := program(t, nil, "/kubectl create configmap one\n", "--data", data); got.code != 0 {
		t.Fatalf("%+v", got)
	}
	whole, err := os.ReadFile(data)
	if err == nil {
		err = os.WriteFile(torn, whole[:len(whole)/4], 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	text, empty := filepath.Join(dir, "text.db"), filepath.Join(dir, "empty.db")
	write(t, text, strings.Repeat("a text\n", 4000))
	write(t, empty, "")
	busy, err := store.Open(t.Context(), held, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	for _, tt := range []struct {
		args string
		code int
		want string
	}{
		{"verify --data " + data, 0, "All is well: " + data},
		{"backup " + copied + " --data " + data, 0, "Copied and verified: " + copied},
		{"backup " + copied + " --data " + data, 1, "The file " + copied + " is there already"},
		{"backup " + copied + "2 --data " + held, 1, "The file " + held + " is open in another Timonier"},
		{"backup --data " + data, 2, "Usage: timonier backup FILE"},
		{"verify --data " + held, 1, "The file " + held + " is open in another Timonier"},
		{"verify --data " + torn, 1, "✗ The file is cut short: it should have "},
		{"verify --data " + torn, 1, "✗ Page "},
		{"verify --data " + torn, 1, "I could see no server"},
		{"compact --data " + empty, 1, "The file " + empty + " is empty"},
		{"verify --data " + torn, 1, "timonier restore COPY --data " + torn},
		{"verify more --data " + data, 2, "I don't know “more”"},
		{"verify --data " + dir + "/none", 1, "There is no file " + dir + "/none."},
		{"backup " + copied + "2 --data " + torn, 1, "The file " + torn + " is damaged"},
		{"backup " + dir + "/none/copy.db --data " + data, 1, "There is no directory " + dir + "/none."},
		{"restore " + torn + " --data " + data, 1, "The copy " + torn + " is damaged"},
		{"restore " + dir + "/none --data " + data, 1, "There is no file " + dir + "/none."},
		{"restore " + text + " --data " + data, 1, text + " is not a copy of a Timonier file"},
		{"restore " + copied + " --data " + dir, 1, dir + " is a directory: name the file, for instance with --data " + dir + "/timonier.db"},
		{"backup " + copied + "2 --data " + dir, 1, dir + " is a directory"},
		{"--data " + dir, 1, dir + " is a directory"},
		{"compact --data " + text, 1, text + " is not a Timonier file, or its beginning has been wiped out"},
		{"verify --data " + empty, 1, "The file " + empty + " is empty"},
		{"verify --data " + data, 0, " 1 server or workspace, 1 channel, 0 people, "},
		{"restore " + copied + " --data " + held, 1, "is open in another Timonier"},
		{"restore " + copied + " --data " + torn, 0, "Restored from " + copied},
		{"restore " + copied + " --data " + copied + "3", 0, "taken back since the copy are valid again"},
		{"verify --data " + torn, 0, "All is well"},
		{"compact --data " + data, 0, "KiB gained"},
		{"verify --lang en --help", 0, "Usage: timonier verify"},
	} {
		got := program(t, nil, "", append([]string{"--lang", "en"}, strings.Fields(tt.args)...)...)
		if got.code != tt.code || !strings.Contains(got.out+got.errors, tt.want) {
			t.Errorf("%s: no %q in %+v", tt.args, tt.want, got)
		}
	}
}

// Of a file of an earlier version it is not said that it holds nothing.
func TestKeepAnEarlierFile(t *testing.T) {
	dir := t.TempDir()
	old, err := os.ReadFile("../../bot/store/testdata/schema1.bolt")
	if err != nil {
		t.Fatal(err)
	}
	data, copied := filepath.Join(dir, "t.db"), filepath.Join(dir, "copy.db")
	write(t, data, string(old))
	for _, tt := range []struct{ args, want string }{
		{"verify --data " + data, "The pages of " + data + " are whole."},
		{"backup " + copied + " --data " + data, "Copied and verified: " + copied + ", "},
		{"restore " + copied + " --data " + data, "Restored from " + copied + " to " + data + ", of an earlier version"},
	} {
		got := program(t, nil, "", append(strings.Fields(tt.args), "--lang", "en")...)
		if got.code != exitOK || !strings.Contains(got.out, tt.want) || strings.Contains(got.out, " 0 ") {
			t.Errorf("%s: %+v", tt.args, got)
		}
	}
}

// Copies are made when they are due, also after a start; the oldest go once there is a new one; other
// files stay.
func TestBackupsRotate(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "timonier-mine.db"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		var fails atomic.Bool
		b := backups{dir: dir, every: 6 * time.Hour, keep: 3, logger: slog.New(slog.NewTextHandler(&log, nil)), copy: func(_ context.Context, path string) error {
			if fails.Load() {
				return errors.New("disk full")
			}
			return os.WriteFile(path, []byte("x"), 0o600)
		}}
		count := func() int { names, _ := b.names(); return len(names) }
		stop := b.follow(t.Context())
		synctest.Wait()
		if count() != 1 {
			t.Errorf("at the start: %d", count())
		}
		time.Sleep(5 * time.Hour) // the bubble's time
		stop()
		stop = b.follow(t.Context()) // started again: an hour is left
		time.Sleep(59 * time.Minute)
		synctest.Wait()
		before := count()
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if before != 1 || count() != 2 {
			t.Errorf("started again: %d, then %d", before, count())
		}
		time.Sleep(48 * time.Hour)
		synctest.Wait()
		if count() != 3 {
			t.Errorf("after two days: %d", count())
		}
		_, last := b.names()
		fails.Store(true)
		time.Sleep(48 * time.Hour)
		synctest.Wait()
		if _, now := b.names(); count() != 3 || now != last || !strings.Contains(log.String(), "could not be backed up") {
			t.Errorf("of failures: %d, %s", count(), log.String())
		}
		stop()
	})
	if _, err := os.Stat(filepath.Join(dir, "timonier-mine.db")); err != nil {
		t.Error(err)
	}
}

func TestBackupFlags(t *testing.T) {
	for _, args := range []string{"--backup-every 3", "--backup-every 1s", "--backup-keep 0"} {
		got := program(t, nil, "", append([]string{"serve", "--lang", "en", "--data", filepath.Join(t.TempDir(), "x.db")}, strings.Fields(args)...)...)
		if option := strings.Fields(args)[0]; got.code != exitUsage || !strings.HasPrefix(got.errors, fmt.Sprint(option, " can't be")) {
			t.Errorf("%s: %+v", args, got)
		}
	}
}

// A directory that does not exist, and an address given twice, are told as what they are.
func TestOptionsThatDoNotGoTogether(t *testing.T) {
	none := filepath.Join(t.TempDir(), "none")
	for args, want := range map[string]string{
		"--backup-dir " + none:                            "The directory " + none + " that --backup-dir names does not exist. Create it",
		"--kubectl 127.0.0.1:8080":                        "--kubectl and --listen have the same address, 127.0.0.1:8080",
		"--listen 127.0.0.1:9090 --admin 127.0.0.1:9090":  "--admin and --listen have the same address",
		"--admin 127.0.0.1:9090 --kubectl 127.0.0.1:9090": "--kubectl and --admin have the same address",
	} {
		got := program(t, nil, "", append([]string{"serve", "--lang", "en", "--data", filepath.Join(t.TempDir(), "x.db")}, strings.Fields(args)...)...)
		if got.code != exitUsage || !strings.HasPrefix(got.errors, want) {
			t.Errorf("%s: %+v", args, got)
		}
	}
}

// Each finding is told in words, in each language, of one and of several.
func TestFindingsAreTold(t *testing.T) {
	for _, lang := range []string{"fr", "en"} {
		say := newVoice(lang)
		for kind := store.OneMeta; kind <= store.Unfinished; kind++ {
			for n := range uint64(3) {
				got := tellFinding(say, store.Finding{Kind: kind, Page: n, Number: n, Fault: store.PageTwice, Detail: "detail"})
				if got == "" || strings.HasPrefix(got, "keep.") || strings.Contains(got, "no value") {
					t.Errorf("%s, %d, %d: %q", lang, kind, n, got)
				}
			}
		}
		told := map[string]bool{}
		for _, fault := range store.Faults() {
			got := tellFinding(say, store.Finding{Kind: store.Page, Page: 7, Fault: fault})
			if strings.Contains(got, "()") || strings.Contains(got, "keep.") || told[got] || lang == "fr" && strings.Contains(got, string(fault)) {
				t.Errorf("%s, %s: %q", lang, fault, got)
			}
			told[got] = true
		}
	}
	say := newVoice("fr")
	if got := counted(say, store.Summary{Tenants: 1, Channels: 2, Records: 1}); got["Tenants"] != "1 serveur ou espace de travail" || got["Channels"] != "2 salons" || got["People"] != "0 personne" || got["Records"] != "1 enregistrement" {
		t.Errorf("%v", got)
	}
	one, two := store.Finding{Kind: store.LostPages, Number: 1}, store.Finding{Kind: store.LostPages, Number: 2}
	if a, b := tellFinding(say, one), tellFinding(say, two); !strings.HasPrefix(a, "1 page ne sert") || !strings.HasPrefix(b, "2 pages ne servent") {
		t.Errorf("%q, %q", a, b)
	}
}
