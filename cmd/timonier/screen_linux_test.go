package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/charmbracelet/x/ansi"
)

// screen is the program in a terminal of its own.
type screen struct {
	t        testing.TB
	cmd      *exec.Cmd
	keyboard *os.File
	seen     bytes.Buffer
}

// openScreen starts the program in a new pseudo-terminal of a size.
func openScreen(t testing.TB, columns, rows uint16, program string, args ...string) *screen {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	t.Cleanup(func() { master.Close() })
	control := func(request uintptr, argument unsafe.Pointer) {
		if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, master.Fd(), request, uintptr(argument)); errno != 0 {
			t.Fatal(errno)
		}
	}
	var unlock, number int32
	size := [4]uint16{rows, columns}
	control(syscall.TIOCSPTLCK, unsafe.Pointer(&unlock))
	control(syscall.TIOCGPTN, unsafe.Pointer(&number))
	control(syscall.TIOCSWINSZ, unsafe.Pointer(&size))
	tty, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer tty.Close()
	s := &screen{t: t, keyboard: master, cmd: exec.CommandContext(t.Context(), program, args...)}
	s.cmd.Env = append(os.Environ(), "TERM=xterm-256color", "NO_COLOR=")
	s.cmd.Stdin, s.cmd.Stdout, s.cmd.Stderr = tty, tty, tty
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return s
}

// until reads what the program shows up to a text, and returns all that came since the last call.
func (s *screen) until(text string) string {
	s.t.Helper()
	s.seen.Reset()
	part := make([]byte, 4096)
	for !strings.Contains(ansi.Strip(s.seen.String()), text) {
		n, err := s.keyboard.Read(part)
		s.seen.Write(part[:n])
		if err != nil {
			s.t.Fatalf("no %q (%v) in %q", text, err, s.seen.String())
		}
	}
	return ansi.Strip(s.seen.String())
}

func (s *screen) typed(keys string) {
	s.t.Helper()
	if _, err := s.keyboard.WriteString(keys); err != nil {
		s.t.Fatal(err)
	}
}

// onScreen are the tests that need a terminal.
func onScreen() map[string]func(*testing.T, string) {
	return map[string]func(*testing.T, string){"a chat on a screen": chatOnAScreen}
}

// chatOnAScreen: the chat in a real terminal, from its greeting to its good-bye.
func chatOnAScreen(t *testing.T, program string) {
	data := filepath.Join(t.TempDir(), "t.db")
	s := openScreen(t, 60, 20, program, "--data", data, "--lang", "fr")
	s.until("/quitter pour sortir.")
	s.typed("2\r")
	s.until("node-3")
	s.typed("/kubectl apply -f -\x1b[200~" + strings.ReplaceAll(deployment, "\n", "\r") + "\x1b[201~")
	s.until("deployment.apps/web created")
	s.typed("/kubectl apply -f -\r" + "apiVersion: v1\rkind: Namespace\rmetadata: {name: typed}\r.\r")
	s.until("namespace/typed created")
	s.typed("/kubectl explain pod.spec\r")
	got := s.until("https://kubernetes.io/docs/concepts/storage/volumes")
	if !strings.Contains(got, "FIELDS:") || !strings.Contains(got, "activeDeadlineSeconds") {
		t.Error("the beginning of a long answer is lost")
	}
	s.typed("/quitter\r")
	s.until("Tout est gardé.")
	if err := s.cmd.Wait(); err != nil {
		t.Error(err)
	}
	if out, code := script(t, program, data, "/kubectl get deployment web\n/kubectl get namespace typed\n"); code != 0 {
		t.Errorf("not kept:\n%s", out)
	}
}

// BenchmarkPrompt is the time from starting the program to its first prompt in a terminal, with
// 1,000 channels in the file. Bar: 300 ms. It writes prompt-ms, the mean.
func BenchmarkPrompt(b *testing.B) {
	program, data := buildProgram(b), filepath.Join(b.TempDir(), "t.db")
	fill(b, data, 1000)
	b.ResetTimer()
	var ready time.Duration
	for b.Loop() {
		began := time.Now()
		s := openScreen(b, 80, 24, program, "--data", data, "--lang", "fr")
		s.until("/quitter pour sortir.") // the line under the greeting; the prompt is there already
		ready += time.Since(began)
		b.StopTimer()
		s.typed("/quitter\r")
		s.until("Tout est gardé.")
		if err := s.cmd.Wait(); err != nil {
			b.Error(err)
		}
		b.StartTimer()
	}
	b.ReportMetric(float64(ready.Milliseconds())/float64(b.N), "prompt-ms")
}
