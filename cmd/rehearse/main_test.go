package main

import (
	"bufio"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
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
	manifest, err := exec.Command(program, "manifest", "slack").Output()
	if err != nil {
		t.Fatal(err)
	}
	var commands []string
	for line := range strings.Lines(string(manifest)) {
		if _, name, ok := strings.Cut(strings.TrimSpace(line), "- command: "); ok {
			commands = append(commands, name)
		}
	}
	if !slices.Equal(commands, slashCommands) {
		t.Errorf("the manifest's commands are %q", commands)
	}
	var env []string
	for line := range strings.Lines(until("#   quit\n")) {
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
	for _, step := range []struct {
		line, want string
		not        string // must not come before
	}{
		{line: "discord /kubectl create configmap here", want: "configmap/here created"},
		{line: "discord /panne noeud node-2", want: "/panne noeud node-2`"},
		{line: "discord /langue langue:klingon", want: "the options are pour (salon), langue (fr, en)"},
		{line: "discord /aide", want: "[1 "},
		{line: "discord click 1", want: "--- discord"},
		{line: "discord click 99", want: "buttons to press"},
		{line: "discord /nothing", want: "no such command"},
		{line: "discord /kubectl get nodes -o yaml", want: "*1 de "},
		{line: "discord click 1", want: "*2 de ", not: "*1 de "},
		{line: "discord click 1", want: "(updated)"},
		{line: "slack /kubectl create configmap there", want: "configmap/there created"},
		{line: "slack /timonier cours", want: "[1 "},
		{line: "slack click 1", want: "--- slack"},
		{line: "slack /kubectl apply", want: "(form)"},
		{line: `slack submit apiVersion: v1\nkind: ConfigMap\nmetadata: {name: typed}`, want: "configmap/typed created", not: "(form)"},
		{line: "slack /cours 3", want: "/cours is not a valid command"},
		{line: "discord submit x", want: "no form is open"},
		{line: "discord /kubectl apply", want: "(form)"},
		{line: `discord submit apiVersion: v1\nkind: ConfigMap\nmetadata: {name: typed}`, want: "configmap/typed created", not: "(form)"},
		{line: "as Bob", want: "now Bob, a student, in the class's channel"},
		{line: "discord /réglages salle pannes enseignants", want: "--- discord"},
		{line: "as teacher", want: "now prof, the teacher"},
		{line: "slack /timonier aide", want: "--- slack (for you alone)"},
		{line: "locale en-US", want: "in en-US"},
		{line: "discord /progrès", want: "lessons read"},
		{line: "locale fr", want: "in fr"},
		{line: "discord /quiz course nombre=1 temps=20s accueil=1s modules=2.1", want: "question 1 sur 1"},
		{line: "discord click 1", want: "--- discord (for you alone)"},
		{line: "discord /quiz fin", want: "Classement"},
		{line: "slack /quiz course nombre=1 temps=20s accueil=1s modules=2.1", want: "question 1 sur 1"},
		{line: "slack /quiz fin", want: "Classement"},
		{line: "locale en-US", want: "in en-US"},
		{line: "dm", want: "now prof, the teacher, alone with the bot"},
		{line: "discord click 1", want: "buttons to press: 0"},
		{line: "slack /kubectl get configmap there", want: "not found"},
		{line: "discord /kubectl get configmap here", want: "not found"},
		{line: "as", want: "as teacher, or as NAME"},
		{line: "locale xx", want: "locale fr, en-US"},
		{line: "nowhere /aide", want: "begin with discord or slack"},
	} {
		if _, err := io.WriteString(typed, step.line+"\n"); err != nil {
			t.Fatal(err)
		}
		if got := until(step.want); step.not != "" && strings.Contains(got, step.not) {
			t.Errorf("%s: %q in:\n%s", step.line, step.not, got)
		}
	}
	go func() { _, _ = io.Copy(io.Discard, lines) }() // whatever else it shows
	if _, err := io.WriteString(typed, "quit\n"); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	err = bot.Process.Signal(os.Interrupt)
	if err == nil {
		err = bot.Wait()
	}
	if err != nil {
		t.Errorf("the bot: %v\n%s", err, log.String())
	}
}
