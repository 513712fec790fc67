package main

import (
	"bufio"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestRehearsal: the program as a person uses it: exports, the built bot, lines and what comes back.
func TestRehearsal(t *testing.T) {
	program := filepath.Join(t.TempDir(), "timonier.exe")
	if out, err := exec.Command("go", "build", "-o", program, "timonier/cmd/timonier").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	defer cancel()
	in, typed := io.Pipe()
	shown, out := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := run(ctx, in, out, 300*time.Millisecond)
		out.Close()
		ended <- err
	}()
	lines := bufio.NewReader(shown)
	until := func(text string) string {
		t.Helper()
		var got strings.Builder
		for !strings.Contains(got.String(), text) {
			line, err := lines.ReadString('\n')
			got.WriteString(line)
			if err != nil {
				t.Fatalf("no %q (%v) in:\n%s", text, err, got.String())
			}
		}
		return got.String()
	}
	var env []string
	for line := range strings.Lines(until("quit\n")) {
		if setting, ok := strings.CutPrefix(line, "export "); ok {
			env = append(env, strings.ReplaceAll(strings.TrimSpace(setting), "'", ""))
		}
	}
	if len(env) != 8 {
		t.Fatalf("exports: %q", env)
	}
	bot := exec.CommandContext(ctx, program, "serve", "--listen", "127.0.0.1:0", "--data", filepath.Join(t.TempDir(), "t.db"))
	bot.Env = env
	var log strings.Builder
	bot.Stderr = &log
	if err := bot.Start(); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct{ line, want string }{
		{"discord /kubectl create configmap here", "configmap/here created"},
		{"discord /aide", "[1 "},
		{"discord click 1", "--- discord"},
		{"discord click 99", "buttons to press"},
		{"discord /nothing", "no such command"},
		{"slack /kubectl create configmap there", "configmap/there created"},
		{"slack /timonier cours", "[1 "},
		{"slack click 1", "--- slack"},
		{"nowhere /aide", "begin with discord or slack"},
	} {
		if _, err := io.WriteString(typed, step.line+"\n"); err != nil {
			t.Fatal(err)
		}
		until(step.want)
	}
	go func() { _, _ = io.Copy(io.Discard, lines) }() // whatever else it shows
	if _, err := io.WriteString(typed, "quit\n"); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	err := bot.Process.Signal(os.Interrupt)
	if err == nil {
		err = bot.Wait()
	}
	if err != nil {
		t.Errorf("the bot: %v\n%s", err, log.String())
	}
}
