package store

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"timonier/bot"
)

// schemaFile is a file as a schema has it, committed so that no later program can do without reading it. It
// was made on a machine with pages of 4096 bytes, little-endian, by
//
//	go test ./bot/store -run TestSchemas -schema
//
// which writes what keptThen says in three rounds and compacts the file. None is ever made again: once Schema is one more, a
// file of that one is put beside the others.
func schemaFile(schema int) string { return fmt.Sprintf("testdata/schema%d.bolt", schema) }

var makeSchema = flag.Bool("schema", false, "make the file of the present schema, where there is none yet")

// kept is what a scope holds.
type kept struct {
	scope   bot.Scope
	version uint64
	records []bot.Record // in the order of their keys
}

// keptThen is what the file of a schema holds: nothing here may ever change.
func keptThen(schema int) (scopes []kept, replies []bot.Answer) {
	long := strings.Repeat("très-long-", 30)
	scopes = []kept{
		{bot.Scope{Platform: "discord", Tenant: "100", Channel: "200"}, 3, records(
			"channel/settings", `{"lang":"fr"}`, "cluster/0/000", strings.Repeat("0123456789", 600), "cluster/0/001", "\x00\xff\x80",
			"cluster/0/empty", "", "cluster/1/000", "deuxième grappe")},
		{bot.Scope{Platform: "discord", Tenant: "100", Channel: long}, 3, records("channel/settings", `{"lang":"en"}`)},
		{bot.Scope{Platform: "discord", Tenant: "100", Person: "300"}, 3, records("person/progress", `{"lessons":["1.1"]}`, "person/settings", `{}`)},
		{bot.Scope{Platform: "discord", Tenant: "100", Person: long}, 3, records("person/settings", `{"lang":"en"}`)},
		{bot.Scope{Platform: "discord", Tenant: "100"}, 3, records("bank/1", "Qui choisit le nœud d'un pod?", "class/settings", `{}`)},
		{bot.Scope{Platform: "slack", Tenant: "T1", Channel: "C1"}, 3, records("cluster/0/000", "une autre école")},
		{bot.Scope{}, 3, records("program/kept", "outside of every tenant")},
	}
	at := time.Date(2026, 11, 27, 4, 0, 0, 0, time.UTC)
	for i, where := range []bot.Scope{{Platform: "discord", Tenant: "100"}, {Platform: "slack", Tenant: "T1"}, {Platform: "discord", Tenant: "100"}} {
		replies = append(replies, bot.Answer{Scope: where, Request: []string{"r1", "r1", long}[i], At: at.Add(time.Duration(i) * time.Second),
			Reply: []byte([]string{`{"blocks":[]}`, "", "réponse"}[i])})
	}
	if schema >= 2 { // values in pieces, also of the lengths between which there is one more
		k := kept{bot.Scope{Platform: "discord", Tenant: "100", Channel: "pieces"}, 3, records("a/first", "in one", "b", strings.Repeat("b", 40_000))}
		for _, n := range []int{894, 895, 1788, 1789} {
			k.records = append(k.records, bot.Record{Key: fmt.Sprintf("c/%04d", n), Value: bytes.Repeat([]byte{byte(n)}, n)})
		}
		scopes = append(scopes, k)
		replies = append(replies, bot.Answer{Scope: k.scope, Request: "long", At: at.Add(3 * time.Second), Reply: bytes.Repeat([]byte("long"), 2000)})
	}
	return scopes, replies
}

// writeThen writes the file: what it holds in the end comes in three rounds, of which the second also has
// records that the third drops.
func writeThen(t *testing.T, path string) {
	if _, err := os.Stat(path); err == nil {
		t.Fatalf("there is %s already", path)
	}
	scopes, replies := keptThen(Schema)
	fresh := filepath.Join(t.TempDir(), "fresh.db")
	s := open(t, fresh)
	for round := range uint64(3) {
		c := bot.Commit{Answers: replies[round : round+1]}
		if round == 2 {
			c.Answers = replies[round:]
		}
		for _, k := range scopes {
			w := bot.Write{Scope: k.scope, Base: round, Changes: k.records[:1]}
			switch round {
			case 1:
				w.Changes = records("dropped/a", "x", "dropped/b", "y", "deleted", "z")
			case 2:
				w.Drop, w.Changes = []string{"dropped/"}, append(slices.Clone(k.records[1:]), bot.Record{Key: "deleted"})
			}
			c.Writes = append(c.Writes, w)
		}
		if err := s.Commit(ctx, c); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, _, _, err := Compact(ctx, fresh, Options{}, start); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(fresh)
	if err == nil {
		err = os.WriteFile(path, whole, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// A file of each schema is whole, and holds what it was given, record by record and reply by reply; so does what this
// program brings it to, and it can be written to.
func TestSchemas(t *testing.T) {
	if *makeSchema {
		writeThen(t, schemaFile(Schema))
	}
	for schema := 1; schema <= Schema; schema++ {
		t.Run(fmt.Sprint(schema), func(t *testing.T) { opensOf(t, schema) })
	}
}

func opensOf(t *testing.T, schema int) {
	old, err := os.ReadFile(schemaFile(schema))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "t.db")
	if err := os.WriteFile(path, old, 0o600); err != nil {
		t.Fatal(err)
	}
	odd, sum := verify(t, path)
	for _, f := range odd {
		if f.Kind != OldSchema || schema == Schema {
			t.Errorf("before it is opened: %+v", f)
		}
	}
	if sum.Schema != schema {
		t.Errorf("schema %d", sum.Schema)
	}
	s := open(t, path)
	holdsThen(t, s, schema)
	inPieces(t, s)
	scopes, replies := keptThen(schema)
	channels := 2              // a name too long for a key does not say whose it is: it counts as a channel's
	for _, k := range scopes { // and goes on
		put(t, s, k.scope, k.version, "later", "1")
		if k.scope.Channel != "" {
			channels++
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if odd, sum := verify(t, path); len(odd) > 0 || sum.Schema != Schema || sum.Tenants != 3 || sum.Channels != channels-1 || sum.People != 1 || sum.Replies != len(replies) {
		t.Errorf("%+v, %+v", sum, odd)
	}
	for _, name := range files(t, path) { // what a migration keeps is the file as it was
		aside := open(t, filepath.Join(filepath.Dir(path), name))
		if name != filepath.Base(path) {
			holdsThen(t, aside, schema)
		}
		aside.Close()
	}
	if now, err := os.ReadFile(schemaFile(schema)); err != nil || !bytes.Equal(now, old) {
		t.Errorf("the committed file was changed: %v", err)
	}
}

// holdsThen checks that a store holds what the file of a schema does, and no more.
func holdsThen(t *testing.T, s *Store, schema int) {
	t.Helper()
	scopes, replies := keptThen(schema)
	for _, k := range scopes {
		got, version, err := s.Read(ctx, k.scope, "")
		if err != nil || version != k.version || len(got) != len(k.records) {
			t.Errorf("%+v: version %d, %d records of %d, %v", k.scope, version, len(got), len(k.records), err)
			continue
		}
		for i, r := range got {
			if want := k.records[i]; r.Key != want.Key || !bytes.Equal(r.Value, want.Value) {
				t.Errorf("%+v: %q is %q, not %q of %q", k.scope, r.Key, r.Value, want.Value, want.Key)
			}
		}
	}
	for _, a := range replies {
		if got, found, err := s.Answered(ctx, a.Scope, a.Request); err != nil || !found || !bytes.Equal(got, a.Reply) {
			t.Errorf("%+v, %s: %q, %t, %v", a.Scope, a.Request, got, found, err)
		}
	}
	if _, found, err := s.Answered(ctx, bot.Scope{Platform: "slack", Tenant: "T1"}, "r2"); err != nil || found {
		t.Errorf("a request that nobody made: %t, %v", found, err)
	}
}
