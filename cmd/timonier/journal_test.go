package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestJournalIsMadeAtTheFirstFailure(t *testing.T) {
	data := filepath.Join(t.TempDir(), "timonier.db")
	path := filepath.Join(filepath.Dir(data), "timonier.log")
	j := newJournal(data)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Fatalf("there is a journal though nothing failed: %v", err)
	}
	j.logger().Error("command failed", "reference", "7F3K-2")
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(text), "reference=7F3K-2") {
		t.Fatalf("%s %v", text, err)
	}
	if info, _ := os.Stat(path); info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	if err := os.WriteFile(path, bytes.Repeat([]byte("old\n"), longestJournal/4+1), 0o600); err != nil {
		t.Fatal(err)
	}
	again := newJournal(data)
	again.logger().Error("command failed", "reference", "AAAA-1")
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
	if text, _ := os.ReadFile(path); strings.Contains(string(text), "old") || !strings.Contains(string(text), "AAAA-1") {
		t.Errorf("a long journal was not begun anew: %d bytes", len(text))
	}
}
