package main

import (
	"bufio"
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"timonier/bot/discord/discordtest"
	"timonier/bot/slack/slacktest"
)

// The load that TestLoad puts on the built program: little by default, so that it only proves that
// everything is answered once. The README's figures come from
//
//	go test ./cmd/timonier -run 'TestLoad|TestPresses' -v -load.time 60s -load.rate 100
var (
	loadTime = flag.Duration("load.time", 2*time.Second, "how long TestLoad sends commands")
	loadRate = flag.Int("load.rate", 25, "commands a second of TestLoad")
	loadLook = flag.Bool("load.look", false, "only look at the clusters: what grows then is not theirs")
)

const loadChannels = 200 // half of them on each platform

const loadPeople = 500 // on each platform

func loadPerson(n int) string { return fmt.Sprintf("U%03d", n%loadPeople) }

// rehearsal is the built program, served to a local Discord and a local Slack.
type rehearsal struct {
	t       testing.TB
	discord *discordtest.Server
	slack   *slacktest.Server
	program string
	env     []string
	data    string
	listen  string
	cmd     *exec.Cmd
	log     *bytes.Buffer
}

func rehearse(t testing.TB) *rehearsal {
	t.Helper()
	r := rehearsed(t)
	r.start()
	return r
}

// rehearsed is all of it but the program, which is not started yet.
func rehearsed(t testing.TB) *rehearsal {
	t.Helper()
	d, err := discordtest.Start(discordtest.Config{Unlimited: true, Strict: true})
	if err != nil {
		t.Fatal(err)
	}
	var channels []slacktest.Channel
	for i := range loadChannels / 2 {
		channels = append(channels, slacktest.Channel{ID: fmt.Sprintf("C%03d", i), Name: fmt.Sprint("classe-", i), Member: true})
	}
	var people []slacktest.User // as many as it takes for each to keep within what one person may ask
	for i := range loadPeople {
		people = append(people, slacktest.User{ID: loadPerson(i), Name: fmt.Sprint("personne-", i), Locale: "fr-FR", TZ: "Europe/Paris"})
	}
	s, err := slacktest.Start(slacktest.Config{Channels: channels, Users: people, Keep: 20})
	if err != nil {
		t.Fatal(err)
	}
	r := &rehearsal{t: t, discord: d, slack: s, program: buildProgram(t), data: filepath.Join(t.TempDir(), "timonier.db"), listen: freeAddress(t)}
	r.env = append(os.Environ(), "LANG=fr_CA.UTF-8",
		discordToken+"="+d.Token(), discordApp+"="+d.ApplicationID(), discordKey+"="+d.PublicKey(), discordURL+"="+d.URL(),
		slackBot+"="+s.Config().BotToken, slackApp+"="+s.Config().AppToken, slackSigning+"="+s.Config().SigningSecret, slackURL+"="+s.URL())
	t.Cleanup(func() {
		r.stop()
		if err := d.Close(); err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

func freeAddress(t testing.TB) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// start starts the program, and waits until both platforms see it.
func (r *rehearsal) start() {
	r.t.Helper()
	r.launch()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := r.discord.Connected(ctx, 1); err != nil {
		r.t.Fatalf("discord: %v\n%s", err, r.log)
	}
	if err := r.slack.Connected(ctx, 1); err != nil {
		r.t.Fatalf("slack: %v\n%s", err, r.log)
	}
}

func (r *rehearsal) launch() {
	r.t.Helper()
	r.log = &bytes.Buffer{}
	r.cmd = exec.Command(r.program, "serve", "--listen", r.listen, "--data", r.data)
	r.cmd.Env, r.cmd.Stderr = r.env, r.log
	if err := r.cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
}

// stop ends the program as a service manager does.
func (r *rehearsal) stop() {
	if r.cmd == nil {
		return
	}
	_ = r.cmd.Process.Signal(syscall.SIGTERM)
	if err := r.cmd.Wait(); err != nil {
		r.t.Errorf("stopped: %v\n%s", err, r.log)
	}
	r.cmd = nil
}

// figure is one of the program's own figures.
func (r *rehearsal) figure(name string) float64 {
	r.t.Helper()
	resp, err := http.Get("http://" + r.listen + "/metrics")
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		if value, ok := strings.CutPrefix(lines.Text(), name+" "); ok {
			f, err := strconv.ParseFloat(value, 64)
			if err != nil {
				r.t.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			return f
		}
	}
	r.t.Fatalf("no figure %s", name)
	return 0
}

// times are latencies of one sort.
type times struct {
	mu  sync.Mutex
	all []time.Duration
}

func (l *times) add(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, d)
}

func (l *times) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.all) == 0 {
		return "none"
	}
	slices.Sort(l.all)
	at := func(q float64) time.Duration {
		return l.all[min(len(l.all)-1, int(q*float64(len(l.all))))].Round(100 * time.Microsecond)
	}
	return fmt.Sprintf("%d: p50 %v, p99 %v, longest %v", len(l.all), at(.5), at(.99), at(1))
}

// loadLine is what the n-th command is, and the channel that it is in: what a class does, most of it
// looking. Each channel goes through all of it again and again, and ends each time with what it began with.
func loadLine(n int) (channel int, command, rest string) {
	const channels = loadChannels / 2
	channel = n % channels
	step := (n/channels + channel) % 10
	if *loadLook && step != 3 && step != 4 {
		step = 9
	}
	switch step {
	case 0:
		return channel, "kubectl", "create deployment web --image=nginx --replicas=3"
	case 1:
		return channel, "pourquoi", ""
	case 2:
		return channel, "kubectl", "create configmap c --from-literal=a=b"
	case 3:
		return channel, "grappe", ""
	case 4, 5:
		return channel, "cours", "2.1"
	case 6:
		return channel, "kubectl", "delete deployment web"
	case 7:
		return channel, "kubectl", "delete configmap c"
	}
	return channel, "kubectl", "get pods"
}

// TestLoad sends commands at a steady rate, whatever the answers take, to both platforms; each is
// answered, and no request breaks a platform's rule.
func TestLoad(t *testing.T) {
	r := rehearse(t)
	ctx, cancel := context.WithTimeout(context.Background(), *loadTime+time.Minute)
	defer cancel()
	var acks, answers [2]times
	var sending sync.WaitGroup
	total := int(loadTime.Seconds() * float64(*loadRate))
	every := time.NewTicker(time.Second / time.Duration(*loadRate))
	defer every.Stop()
	for n := range total + 1 {
		<-every.C
		if n%max(1, total/10) == 0 && n > 0 {
			t.Logf("after %6d commands: %3.0f MB resident, %3.0f MB of heap, %.0f goroutines", n,
				r.figure("process_resident_memory_bytes")/1e6, r.figure("go_memstats_heap_alloc_bytes")/1e6, r.figure("go_goroutines"))
		}
		if n == total {
			break
		}
		sending.Go(func() {
			var ack, answer time.Duration
			var err error
			if n%2 == 0 {
				ack, answer, err = r.onDiscord(ctx, n/2)
			} else {
				ack, answer, err = r.onSlack(ctx, n/2)
			}
			if err != nil {
				t.Errorf("command %d: %v", n, err)
				return
			}
			acks[n%2].add(ack)
			answers[n%2].add(answer)
		})
	}
	sending.Wait()
	for i, platform := range []string{"discord", "slack"} {
		t.Logf("%-7s acknowledged %v", platform, &acks[i])
		t.Logf("%-7s answered     %v", platform, &answers[i])
	}
	for _, fault := range append(r.discord.Faults(), r.slack.Faults()...) {
		t.Errorf("a rule is broken: %s", fault)
	}
}

// onDiscord sends a command and waits for its first whole answer. A live answer goes on after that.
func (r *rehearsal) onDiscord(ctx context.Context, n int) (ack, answer time.Duration, err error) {
	channel, command, rest := loadLine(n)
	i := discordtest.Slash(command)
	if rest != "" {
		option := map[string]string{"kubectl": "commande", "cours": "page"}[command]
		i = discordtest.Slash(command, discordtest.String(option, rest))
	}
	i = i.In(discordtest.Place{Channel: strconv.Itoa(700000 + channel)}).By(discordtest.Person{ID: strconv.Itoa(900000 + n%loadPeople)})
	began := time.Now()
	x := r.discord.Interact(ctx, i)
	first, err := x.First(ctx)
	if err != nil {
		return 0, 0, err
	}
	m, err := x.Until(ctx, func(m discordtest.Message) bool { return m.Text() != "" && !m.Loading() })
	if err != nil {
		return 0, 0, err
	}
	answer = time.Since(began)
	if strings.HasPrefix(rest, "create") && !strings.Contains(m.Text(), "created") {
		return 0, 0, fmt.Errorf("answer to %s: %s", rest, m.Text())
	}
	x.Forget()
	return first.Latency, answer, nil
}

func (r *rehearsal) onSlack(ctx context.Context, n int) (ack, answer time.Duration, err error) {
	channel, command, rest := loadLine(n)
	c := slacktest.Command{Name: "/timonier", Text: strings.TrimSpace(command + " " + rest), User: loadPerson(n), Channel: fmt.Sprintf("C%03d", channel)}
	began := time.Now()
	x, err := r.slack.Send(ctx, c)
	if err != nil {
		return 0, 0, err
	}
	defer x.End()
	first, err := x.Acked(ctx)
	if err != nil {
		return 0, 0, err
	}
	_, err = x.Until(ctx, answersInSlack)
	return first.Latency, time.Since(began), err
}

// answersInSlack says that a change shows an answer, and not that one is being worked on.
func answersInSlack(c slacktest.Change) bool {
	return (c.Kind == slacktest.Posted || c.Kind == slacktest.Updated) && !strings.HasPrefix(c.Message.Text, "Un instant, j'y travaille")
}

// TestPresses: a class of 300 presses its answers in one channel within two seconds. Each counts, once.
func TestPresses(t *testing.T) {
	r := rehearse(t)
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	teacher := discordtest.Person{ID: "4242", Permissions: discordtest.ManageGuild}
	question, letters := r.question(ctx, teacher)
	const people = 300
	var answers times
	var pressing sync.WaitGroup
	every := time.NewTicker(2 * time.Second / people)
	defer every.Stop()
	for n := range people {
		<-every.C
		pressing.Go(func() {
			began := time.Now()
			press := discordtest.Click(question, letters[n%len(letters)].CustomID).By(discordtest.Person{ID: strconv.Itoa(100000 + n)})
			x := r.discord.Interact(ctx, press)
			if _, err := x.Until(ctx, func(m discordtest.Message) bool { return strings.Contains(m.Text(), "Noté") }); err != nil {
				t.Errorf("press %d: %v", n, err)
				return
			}
			answers.add(time.Since(began))
		})
	}
	pressing.Wait()
	t.Logf("answered %v", &answers)
	r.discord.Interact(ctx, discordtest.Slash("quiz", discordtest.String("action", "fin")).By(teacher))
	shown := r.sent(ctx, func(m discordtest.Message) bool { return m.ID == question.ID && len(m.Attachments) > 0 })
	counts := shown.Attachments[0].Description
	for n := range letters {
		if want := fmt.Sprintf("%c\u00a0: %d", 'A'+n, (people-n+len(letters)-1)/len(letters)); !strings.Contains(counts, want) {
			t.Errorf("%s is not among what is shown: %s", want, counts)
		}
	}
	for _, fault := range r.discord.Faults() {
		t.Errorf("a rule is broken: %s", fault)
	}
}

// question begins races until one asks what is answered by one letter of several, and gives its message.
func (r *rehearsal) question(ctx context.Context, teacher discordtest.Person) (discordtest.Message, []discordtest.Component) {
	r.t.Helper()
	seen := map[string]bool{}
	for _, m := range r.discord.Sent(classroom) { // of the questions before
		seen[m.ID] = true
	}
	for {
		r.discord.Interact(ctx, discordtest.Slash("quiz", discordtest.String("action", "course"),
			discordtest.String("précisions", "nombre=1 temps=10m accueil=0s changement=non")).By(teacher))
		m := r.sent(ctx, func(m discordtest.Message) bool { return strings.Contains(m.Text(), "question 1 sur 1") && !seen[m.ID] })
		seen[m.ID] = true
		letters := slices.DeleteFunc(m.Buttons(), func(b discordtest.Component) bool { return len(b.Label) != 1 })
		if len(letters) > 2 && !strings.Contains(m.Text(), "Dans l'ordre") && !strings.Contains(m.Text(), "va avec") {
			return m, letters
		}
		r.discord.Interact(ctx, discordtest.Slash("quiz", discordtest.String("action", "fin")).By(teacher))
		id := m.ID
		r.sent(ctx, func(m discordtest.Message) bool { return m.ID == id && !canAnswer(m) })
	}
}

// canAnswer says that a question is open still.
func canAnswer(m discordtest.Message) bool {
	return slices.ContainsFunc(m.Buttons(), func(b discordtest.Component) bool { return strings.Contains(b.CustomID, "/quiz réponse") })
}

// classroom is the channel in which Discord's people are who are nowhere else.
const classroom = "2000000000000000001"

// sent waits for a message in the class's channel.
func (r *rehearsal) sent(ctx context.Context, such func(discordtest.Message) bool) discordtest.Message {
	r.t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		for _, m := range slices.Backward(r.discord.Sent(classroom)) {
			if such(m) {
				return m
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			r.t.Fatal("no such message")
		}
	}
}
