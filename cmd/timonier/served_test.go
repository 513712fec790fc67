package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"timonier/bot/discord/discordtest"
	"timonier/bot/slack/slacktest"
)

// stage is a local Discord and a local Slack for the built program.
type stage struct {
	t       *testing.T
	ctx     context.Context
	program string
	data    string
	discord *discordtest.Server
	slack   *slacktest.Server
	secrets []string
	options []string   // more of the command line's
	under   []string   // a command that runs the program
	refused bool       // tokens are bad on purpose
	written syncBuffer // all that every process of the test wrote
}

// patient bounds a test that waits for a program on a busy machine.
const patient = 90 * time.Second

func newStage(t *testing.T, program string) *stage {
	t.Helper()
	return newStageOf(t, program, discordtest.Config{}, slacktest.Config{}, patient)
}

// newStageOf is for a Discord and a Slack of one's own, and for a test that takes as long as it does.
func newStageOf(t *testing.T, program string, d discordtest.Config, sl slacktest.Config, bound time.Duration) *stage {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("no SIGTERM")
	}
	ctx, cancel := context.WithTimeout(t.Context(), bound)
	t.Cleanup(cancel)
	s := &stage{t: t, ctx: ctx, program: program, data: filepath.Join(t.TempDir(), "t.db")}
	var err error
	if s.discord, err = discordtest.Start(d); err != nil {
		t.Fatal(err)
	}
	if s.slack, err = slacktest.Start(sl); err != nil {
		t.Fatal(err)
	}
	slack := s.slack.Config()
	s.secrets = []string{s.discord.Token(), slack.BotToken, slack.AppToken, slack.SigningSecret}
	t.Cleanup(func() {
		for _, fault := range slices.Concat(s.discord.Faults(), s.slack.Faults(), s.slack.Pings()) {
			if !s.refused || !strings.Contains(fault, "invalid_auth") {
				t.Error("fault:", fault)
			}
		}
		if err := errors.Join(s.discord.Close(), s.slack.Close()); err != nil {
			t.Error(err)
		}
		for _, secret := range s.secrets {
			if strings.Contains(s.written.String(), secret) {
				t.Errorf("a secret was written:\n%s", s.written.String())
			}
		}
		if t.Failed() {
			t.Logf("written:\n%s", s.written.String())
		}
	})
	return s
}

// env is what a person would export.
func (s *stage) env() []string {
	slack := s.slack.Config()
	return []string{
		discordToken + "=" + s.discord.Token(), discordApp + "=" + s.discord.ApplicationID(), discordKey + "=" + s.discord.PublicKey(),
		discordURL + "=" + s.discord.URL(),
		slackBot + "=" + slack.BotToken, slackApp + "=" + slack.AppToken, slackSigning + "=" + slack.SigningSecret, slackURL + "=" + s.slack.URL(),
	}
}

// served is one process of timonier serve.
type served struct {
	*stage
	cmd     *exec.Cmd
	address string
	said    chan string   // where it answers, once it says so
	drained chan struct{} // closed when its standard error has ended
	stops   chan struct{} // closed when it says that it stops
}

var addressInLog = regexp.MustCompile(`msg=serving .*address=(\S+)`)

// serve starts the program and returns when it says where it answers.
func (s *stage) serve() *served {
	s.t.Helper()
	p := s.launch()
	select {
	case p.address = <-p.said:
	case <-p.drained:
		s.t.Fatalf("the program ended:\n%s", s.written.String())
	}
	return p
}

// launch starts the program, and waits for nothing.
func (s *stage) launch() *served {
	s.t.Helper()
	p := &served{stage: s, said: make(chan string, 1), drained: make(chan struct{}), stops: make(chan struct{})}
	line := slices.Concat(s.under, []string{s.program, "serve", "--listen", "127.0.0.1:0", "--data", s.data, "--log-level", "debug"}, s.options)
	p.cmd = exec.CommandContext(s.ctx, line[0], line[1:]...)
	p.cmd.Env, p.cmd.Stdout = s.env(), &s.written
	out, err := p.cmd.StderrPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	go func() {
		defer close(p.drained)
		lines := bufio.NewReader(io.TeeReader(out, &s.written))
		for {
			line, err := lines.ReadString('\n')
			if found := addressInLog.FindStringSubmatch(line); found != nil {
				p.said <- found[1]
			}
			if strings.Contains(line, `msg="stopping: `) {
				close(p.stops)
			}
			if err != nil {
				return
			}
		}
	}()
	return p
}

// end sends a signal and returns the exit code, -1 where it was killed.
func (p *served) end(signal syscall.Signal) int {
	p.t.Helper()
	if err := p.cmd.Process.Signal(signal); err != nil {
		p.t.Fatal(err)
	}
	return p.wait()
}

// wait returns the exit code of a program that ends, -1 where it was killed.
func (p *served) wait() int {
	p.t.Helper()
	<-p.drained
	var exit *exec.ExitError
	if err := p.cmd.Wait(); err != nil && !errors.As(err, &exit) {
		p.t.Fatal(err)
	}
	return p.cmd.ProcessState.ExitCode()
}

func (s *stage) onDiscord(i discordtest.Interaction, want string) discordtest.Message {
	s.t.Helper()
	m, err := s.discord.Interact(s.ctx, i).Until(s.ctx, func(m discordtest.Message) bool {
		return strings.Contains(m.Text(), want)
	})
	if err != nil {
		s.t.Fatalf("no %q on Discord: %v", want, err)
	}
	return m
}

func kubectl(words string) discordtest.Interaction {
	return discordtest.Slash("kubectl", discordtest.String("commande", words))
}

// answered waits until a change in Slack has the text.
func (s *stage) answered(x *slacktest.Exchange, err error, want string) {
	s.t.Helper()
	if err == nil {
		_, err = x.Until(s.ctx, func(c slacktest.Change) bool { return strings.Contains(c.Message.Words(), want) })
	}
	if err != nil {
		s.t.Fatalf("no %q in Slack: %v", want, err)
	}
}

func (s *stage) connected() {
	s.t.Helper()
	if err := errors.Join(s.discord.Connected(s.ctx, 1), s.slack.Connected(s.ctx, 1)); err != nil {
		s.t.Fatal(err)
	}
}

// servesBoth: both platforms in every way on one data file, health, and an end within 10 s.
func servesBoth(t *testing.T, program string) {
	s := newStage(t, program)
	p := s.serve()
	s.connected()
	slackCommand := slacktest.Command{Name: "/kubectl", Text: "create configmap over-socket", User: "U1", Channel: "C1"}
	s.onDiscord(kubectl("create configmap over-gateway"), "configmap/over-gateway created")
	x, err := s.slack.Send(s.ctx, slackCommand)
	s.answered(x, err, "configmap/over-socket created")
	if status, body := fetch(t, p.address, "/readyz"); status != 200 || !strings.Contains(body, `{"ready":true}`) {
		t.Errorf("/readyz: %d %s", status, body)
	}

	endpoint := "http://" + p.address + "/discord/interactions"
	if err := s.discord.Probe(s.ctx, endpoint); err != nil {
		t.Errorf("Discord would refuse the endpoint: %v", err)
	}
	if err := s.slack.VerifyURL(s.ctx, "http://"+p.address+"/slack/events"); err != nil {
		t.Errorf("Slack would refuse the endpoint: %v", err)
	}
	s.discord.DeliverTo(endpoint)
	s.onDiscord(kubectl("get configmaps"), "over-gateway")
	slackCommand.Text = "get configmaps"
	for _, path := range []string{"/slack", "/slack/commands"} {
		x, err = s.slack.Post(s.ctx, "http://"+p.address+path, slackCommand)
		s.answered(x, err, "over-socket")
	}

	// The last answers may be counted a moment after they are seen.
	if _, body := fetch(t, p.address, "/metrics"); !strings.Contains(body, `timonier_answers_total{command="kubectl",outcome="ok",platform="discord"} `) ||
		!strings.Contains(body, `timonier_answers_total{command="kubectl",outcome="ok",platform="slack"} `) {
		t.Errorf("/metrics: %s", body)
	}
	http.DefaultClient.CloseIdleConnections()
	began := time.Now()
	if code := p.end(syscall.SIGTERM); code != 0 || time.Since(began) > grace {
		t.Errorf("told to stop: code %d after %v", code, time.Since(began))
	}
	if out, code := script(t, program, s.data, ""); code != 0 { // the file is free, and whole
		t.Errorf("code %d: %s", code, out)
	}
}

// servedAfterAKill: what was answered when the program was killed reaches the person after the next start, once.
func servedAfterAKill(t *testing.T, program string) {
	s := newStage(t, program)
	p := s.serve()
	s.connected()
	gone, arrived := make(chan struct{}), make(chan struct{}, 1)
	s.discord.Inject(discordtest.Trouble{Match: "PATCH", Lose: true, Hold: gone, Arrived: arrived})
	inDiscord := s.discord.Interact(s.ctx, kubectl("create configmap kept"))
	<-arrived
	release := s.slack.Hold("chat.postMessage")
	s.slack.Spoil("chat.postMessage", 1, slacktest.Trouble{Status: http.StatusInternalServerError})
	inSlack, err := s.slack.Send(s.ctx, slacktest.Command{Name: "/kubectl", Text: "create configmap kept", User: "U1", Channel: "C1"})
	if err == nil {
		err = s.slack.Called(s.ctx, "chat.postMessage", 1)
	}
	if err != nil {
		t.Fatal(err)
	}
	if code := p.end(syscall.SIGKILL); code != -1 {
		t.Errorf("killed: code %d", code)
	}
	close(gone)
	release()

	p = s.serve()
	_, err = inDiscord.Until(s.ctx, func(m discordtest.Message) bool { return strings.Contains(m.Text(), "configmap/kept created") })
	if err != nil {
		t.Errorf("Discord: %v", err)
	}
	s.answered(inSlack, nil, "configmap/kept created")
	if code := p.end(syscall.SIGTERM); code != 0 {
		t.Errorf("code %d", code)
	}
}

// servedToTheEnd: told to stop in the middle of an answer, the program finishes it; told twice, it does not wait.
func servedToTheEnd(t *testing.T, program string) {
	s := newStage(t, program)
	for _, twice := range []bool{false, true} {
		p := s.serve()
		s.connected()
		release, arrived := make(chan struct{}), make(chan struct{}, 1)
		s.discord.Inject(discordtest.Trouble{Match: "PATCH", Hold: release, Arrived: arrived, Lose: twice})
		x := s.discord.Interact(s.ctx, kubectl("get nodes"))
		<-arrived
		if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		<-p.stops
		if twice {
			began := time.Now()
			if code := p.end(syscall.SIGTERM); code != -1 || time.Since(began) > grace/2 {
				t.Errorf("told twice: code %d after %v", code, time.Since(began))
			}
			if !strings.Contains(s.written.String(), "Arrêt immédiat, demandé deux fois") {
				t.Error("it does not say why")
			}
			close(release)
			continue
		}
		close(release)
		if _, err := x.Until(s.ctx, func(m discordtest.Message) bool { return strings.Contains(m.Text(), "node-2") }); err != nil {
			t.Errorf("the answer was not finished: %v", err)
		}
		if code := p.wait(); code != 0 {
			t.Errorf("code %d", code)
		}
	}
}

// refusedByBoth: bad tokens end the program with a clear line; one alone does not.
func refusedByBoth(t *testing.T, program string) {
	s := newStage(t, program)
	s.refused = true
	run := func(env ...string) (string, int) {
		cmd := exec.CommandContext(s.ctx, program, "serve", "--lang", "en", "--listen", "127.0.0.1:0", "--data", s.data)
		cmd.Env = append(s.env(), env...)
		out, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		hush(t, string(out))
		return string(out), cmd.ProcessState.ExitCode()
	}
	bad := []string{discordToken + "=" + someToken, slackBot + "=" + someBot}
	out, code := run(bad...)
	if code != exitFailed || !strings.Contains(out, "No platform works any more.") || !strings.Contains(out, "others go on") {
		t.Errorf("code %d: %s", code, out)
	}
	if out, code = run(discordKey + "=abc"); code != exitUsage || strings.Count(out, "\n") != 1 || !strings.Contains(out, discordKey) {
		t.Errorf("code %d: %s", code, out)
	}
}

// registers: the commands are shown, registered, and then the same.
func registers(t *testing.T, program string) {
	s := newStage(t, program)
	for _, step := range []struct {
		args  []string
		want  string
		count int // of commands that Discord then has
	}{
		{[]string{"--dry-run"}, "Nothing has been registered.", 0},
		{nil, "Registered.", 1},
		{[]string{"--dry-run"}, "the same already", 1},
		{[]string{"--guild", s.discord.Guild(0)}, "Registered.", 1},
	} {
		cmd := exec.CommandContext(s.ctx, program, append([]string{"register", "--lang", "en"}, step.args...)...)
		cmd.Env = s.env()
		out, err := cmd.CombinedOutput()
		_, _ = s.written.Write(out)
		if err != nil || !strings.Contains(string(out), step.want) {
			t.Errorf("%v: %v\n%s", step.args, err, out)
		}
		if strings.Contains(step.want, "egistered.") && !strings.Contains(string(out), "kubectl") {
			t.Errorf("%v: no difference is shown:\n%s", step.args, out)
		}
		if got := len(s.discord.Commands("")); (got > 0) != (step.count > 0) {
			t.Errorf("%v: %d commands", step.args, got)
		}
	}
	if len(s.discord.Commands(s.discord.Guild(0))) == 0 {
		t.Error("no commands in the server")
	}
	out, err := exec.CommandContext(s.ctx, program, "manifest", "slack").Output()
	if problems := slacktest.CheckManifest(out); err != nil || len(problems) > 0 {
		t.Errorf("%v %q", err, problems)
	}
	out, err = exec.CommandContext(s.ctx, program, "manifest", "slack", "--url", "https://timonier.example.com").Output()
	if problems := slacktest.CheckManifest(out); err != nil || len(problems) > 0 || !strings.Contains(string(out), "https://timonier.example.com/slack/commands") {
		t.Errorf("%v %q", err, problems)
	}
}
