package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// built is the program, built as anyone would, once for all tests.
var built = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "timonier-test-")
	if err != nil {
		return "", err
	}
	builtIn = dir
	path := filepath.Join(dir, "timonier.exe") // a name that runs everywhere
	if out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		return path, fmt.Errorf("build: %w\n%s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	if os.Getenv(asKubectl) != "" {
		runKubectl(os.Args[1:])
		return
	}
	code := m.Run()
	if builtIn != "" {
		_ = os.RemoveAll(builtIn)
	}
	os.Exit(code)
}

// builtIn is the directory of what was built; empty: nothing was.
var builtIn string

// buildProgram is the program, built once. Tests of it are skipped where they are to be short, as with the race
// detector, which sees nothing of another process.
func buildProgram(t testing.TB) string {
	t.Helper()
	if testing.Short() {
		t.Skip("short: the built program is tried by go test without -short")
	}
	path, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// process is the program at the other end of two pipes.
type process struct {
	t      testing.TB
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Reader
	errors *strings.Builder
}

func start(t testing.TB, program, data string, args ...string) *process {
	t.Helper()
	p := &process{t: t, cmd: exec.CommandContext(t.Context(), program, append([]string{"--data", data}, args...)...), errors: &strings.Builder{}}
	in, err := p.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.in, p.out, p.cmd.Stderr = in, bufio.NewReader(out), p.errors
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return p
}

// ask sends a line and reads answers until one has the text; it returns what came.
func (p *process) ask(line, text string) string {
	p.t.Helper()
	if _, err := io.WriteString(p.in, line+"\n"); err != nil {
		p.t.Fatal(err)
	}
	var got strings.Builder
	for !strings.Contains(got.String(), text) {
		part, err := p.out.ReadString('\n')
		got.WriteString(part)
		if err != nil {
			p.t.Fatalf("%s: no %q in the answer (%v):\n%s%s", line, text, err, got.String(), p.errors.String())
		}
	}
	return got.String()
}

// kill ends the program as a power cut would: nothing of it runs any more.
func (p *process) kill() {
	p.t.Helper()
	if err := p.cmd.Process.Kill(); err != nil {
		p.t.Fatal(err)
	}
	_ = p.cmd.Wait() // killed, it says
}

// end closes the input; the program ends by itself.
func (p *process) end() (code int) {
	p.t.Helper()
	p.in.Close()
	if _, err := io.Copy(io.Discard, p.out); err != nil {
		p.t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := p.cmd.Wait(); err != nil && !errors.As(err, &exit) {
		p.t.Fatal(err)
	}
	return p.cmd.ProcessState.ExitCode()
}

// script runs the program on lines, to its end.
func script(t testing.TB, program, data, lines string, args ...string) (out string, code int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, append([]string{"--data", data}, args...)...)
	cmd.Stdin = strings.NewReader(lines)
	all, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return string(all), cmd.ProcessState.ExitCode()
}

// TestProgram tests the program as it is built, from outside.
func TestProgram(t *testing.T) {
	program := buildProgram(t)
	tests := map[string]func(*testing.T, string){
		"scripts through a pipe":    scriptsThroughAPipe,
		"stop and start":            stopAndStart,
		"killed after an answer":    killedAfterAnAnswer,
		"two processes on one file": twoProcessesOnOneFile,
		"told to stop":              toldToStop,
		"served on both platforms":  servesBoth,
		"served after a kill":       servedAfterAKill,
		"served to the end":         servedToTheEnd,
		"served to kubectl":         servesKubectl,
		"kubectl's own commands":    obeysKubectl,
		"refused by both platforms": refusedByBoth,
		"registers":                 registers,
	}
	maps.Copy(tests, onScreen())
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { test(t, program) })
	}
}

const deployment = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 3
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      containers:
      - name: web
        image: nginx
        resources:
          requests: {cpu: 100m, memory: 64Mi}
`

func scriptsThroughAPipe(t *testing.T, program string) {
	tests := []struct {
		lang  string
		lines string
		want  []string // in this order
	}{
		{"fr", "/aide\n/kubectl apply -f -\n" + deployment + ".\n/kubectl rollout status deployment/web\n/panne noeud node-2\n/temps avance 6m\n/kubectl get pods -o wide\n/pourquoi\n/cours 2\n",
			[]string{"/cours", "deployment.apps/web created", "successfully rolled out", "node-2", "6\u00a0min", "Terminating", "[1 "}},
		{"en", "/help\n/kubectl apply -f -\n" + deployment + ".\n/kubectl rollout status deployment/web\n/fault node node-2\n/time advance 6m\n/kubectl get pods -o wide\n/why\n/course 2\n",
			[]string{"/course", "deployment.apps/web created", "successfully rolled out", "node-2", "6\u00a0min", "Terminating", "[1 "}},
	}
	for _, test := range tests {
		t.Run(test.lang, func(t *testing.T) {
			out, code := script(t, program, filepath.Join(t.TempDir(), "t.db"), test.lines, "--lang", test.lang)
			if code != 0 {
				t.Errorf("exit code %d", code)
			}
			rest := out
			for _, want := range test.want {
				_, after, found := strings.Cut(rest, want)
				if !found {
					t.Fatalf("no %q (in its order) in:\n%s", want, out)
				}
				rest = after
			}
			if strings.Contains(out, "\x1b") {
				t.Error("commands to a terminal, where there is none")
			}
		})
	}
}

// stopAndStart: the cluster, its clock, the settings and the lesson's place are where they were.
func stopAndStart(t *testing.T, program string) {
	data := filepath.Join(t.TempDir(), "t.db")
	out, code := script(t, program, data, "/kubectl apply -f -\n"+deployment+".\n/temps avance 3h\n/cours 3\n/cours suite\n/lentille formation\n")
	if code != 0 {
		t.Fatalf("exit code %d:\n%s", code, out)
	}
	pods, _ := script(t, program, data, "/kubectl get pods -o name\n")
	out, code = script(t, program, data, "/kubectl get pods\n/cours\n/lentille\n")
	if code != 0 || strings.Count(pods, "pod/web-") != 3 {
		t.Fatalf("exit code %d:\n%s%s", code, pods, out)
	}
	for name := range strings.FieldsSeq(pods) {
		if !strings.Contains(out, strings.TrimPrefix(name, "pod/")) {
			t.Errorf("%s is gone:\n%s", name, out)
		}
	}
	for _, want := range []string{"3h", "Running", "3.", "ormation"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in:\n%s", want, out)
		}
	}
}

// killedAfterAnAnswer: what was answered is there after SIGKILL, once, and nothing is in the way of
// starting again.
func killedAfterAnAnswer(t *testing.T, program string) {
	data := filepath.Join(t.TempDir(), "t.db")
	generation := "/kubectl get deployment web -o jsonpath={.metadata.generation}/{.spec.replicas}"
	steps := []struct{ line, answer, check, want string }{
		{"/kubectl create configmap one", "configmap/one created", "/kubectl get configmaps -o name", "configmap/one\n"},
		{"/kubectl create deployment web --image=nginx --replicas=2", "deployment.apps/web created", generation, "1/2"},
		{"/kubectl scale deployment web --replicas=3", "deployment.apps/web scaled", generation, "2/3"},
		{"/kubectl scale deployment web --replicas=5", "deployment.apps/web scaled", generation, "3/5"},
		{"/kubectl set image deployment/web nginx=nginx:1.29", "image updated", generation, "4/5"},
		{"/kubectl cordon node-3", "node/node-3 cordoned", "/kubectl get node node-3", "Ready,SchedulingDisabled"},
		{"/temps avance 5h", "5\u00a0h", "/kubectl get node node-1", "5h"},
		{"/kubectl delete configmap one", `configmap "one" deleted`, "/kubectl get configmaps -o name", "kube-root-ca.crt"},
		{"/cours 6", "6.", "/cours", "6."},
		{"/langue en", "English", "/help", "/course"},
		{"/kubectl create configmap two", "configmap/two created", "/kubectl get configmaps -o name", "configmap/two\n"},
	}
	for _, step := range steps {
		p := start(t, program, data)
		p.ask(step.line, step.answer)
		p.kill()
		p = start(t, program, data)
		p.ask(step.check, step.want)
		if code := p.end(); code != 0 {
			t.Errorf("%s: exit code %d", step.line, code)
		}
	}
	out, _ := script(t, program, data, "/kubectl get configmaps -o name\n/kubectl get deployments -o name\n")
	if strings.Count(out, "configmap/two") != 1 || strings.Contains(out, "configmap/one") || strings.Count(out, "deployment.apps/web") != 1 {
		t.Errorf("got\n%s", out)
	}
}

func twoProcessesOnOneFile(t *testing.T, program string) {
	data := filepath.Join(t.TempDir(), "t.db")
	first := start(t, program, data)
	first.ask("/kubectl create configmap one", "configmap/one created")
	for lang, sentence := range map[string]string{"fr": "est déjà ouvert par un autre Timonier", "en": "is already open in another Timonier"} {
		if out, code := script(t, program, data, "/kubectl create configmap two\n", "--lang", lang); code != 1 || !strings.Contains(out, sentence) {
			t.Errorf("exit code %d:\n%s", code, out)
		}
	}
	got := first.ask("/kubectl get configmaps -o name", "configmap/one")
	if strings.Contains(got, "two") || first.end() != 0 {
		t.Errorf("the first is disturbed:\n%s", got)
	}
	if out, code := script(t, program, data, "/kubectl get configmap one\n"); code != 0 {
		t.Errorf("exit code %d:\n%s", code, out)
	}
}

// toldToStop: SIGTERM ends a script that waits for its next line, and loses nothing.
func toldToStop(t *testing.T, program string) {
	if runtime.GOOS == "windows" {
		t.Skip("no SIGTERM")
	}
	data := filepath.Join(t.TempDir(), "t.db")
	p := start(t, program, data)
	p.ask("/kubectl create configmap one", "configmap/one created")
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Wait(); err == nil || p.cmd.ProcessState.ExitCode() != 1 {
		t.Errorf("%v", p.cmd.ProcessState)
	}
	if out, code := script(t, program, data, "/kubectl get configmap one\n"); code != 0 {
		t.Errorf("exit code %d:\n%s", code, out)
	}
}
