package bot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"timonier/sim"
)

// with more commands than a learner has: one that counts, and ones that fail.
func failingStage(t *testing.T) *stage {
	s := newStage(t, "fr")
	s.tutor.commands = append(s.tutor.commands,
		&command{name: name{"compte", "count"}, help: "help.help", usage: "help.usage", run: func(c *call) (Reply, error) {
			c.channel.last.From++
			return Reply{Blocks: []Block{Text{fmt.Sprint(c.channel.last.From)}}}, nil
		}},
		&command{name: name{"panique", "panic"}, help: "help.help", usage: "help.usage", run: func(c *call) (Reply, error) {
			c.channel.last.From = 100
			c.learner.bookmark.Lesson = "9.9"
			panic("a bug")
		}},
		&command{name: name{"erreur", "error"}, help: "help.help", usage: "help.usage", run: func(c *call) (Reply, error) {
			c.channel.last.From = 100
			return Reply{}, errors.New("a failure")
		}},
		&command{name: name{"lente", "slow"}, help: "help.help", usage: "help.usage", run: func(c *call) (Reply, error) {
			c.channel.last.From = 100
			<-c.ctx.Done()
			return Reply{Blocks: []Block{Text{"too late"}}}, nil
		}})
	return s
}

func TestRedeliveredRequestHasNoSecondEffect(t *testing.T) {
	s := failingStage(t)
	first := s.request("/compte")
	if got := plainText(s.send(first)); got != "1" {
		t.Fatalf("first: %s", got)
	}
	if got := plainText(s.ask("/compte")); got != "2" {
		t.Fatalf("another: %s", got)
	}
	if got := plainText(s.send(first)); got != "1" {
		t.Errorf("again: %s, want the first reply", got)
	}
	s.tutor = s.newTutor() // another process on the same store
	if got := plainText(s.send(first)); got != "1" {
		t.Errorf("after a restart: %s, want the first reply", got)
	}
	if s.store.commits != 2 {
		t.Errorf("%d commits, want 2", s.store.commits)
	}
}

func TestFailureChangesNothing(t *testing.T) {
	reference := regexp.MustCompile("[2-9A-Z]{4}-[1-9]")
	for _, line := range []string{"/panique", "/erreur", "/lente"} {
		s := failingStage(t)
		s.tutor.cfg.Limits.Command = 20e6 // 20 ms
		s.ask("/compte")
		before, _ := json.Marshal(s.store.scopes[Scope{Platform: "test", Channel: "general"}].records)
		r := s.ask(line)
		if text := plainText(r); !r.Failed || !reference.MatchString(text) || !strings.Contains(text, "rien n'a été changé") {
			t.Errorf("%s: %s", line, text)
		}
		after, _ := json.Marshal(s.store.scopes[Scope{Platform: "test", Channel: "general"}].records)
		if string(before) != string(after) {
			t.Errorf("%s changed the store", line)
		}
		s.tutor.cfg.Limits.Command = 20e9
		if got := plainText(s.ask("/compte")); got != "2" {
			t.Errorf("after %s the count is %s, want 2: memory kept what failed", line, got)
		}
	}
}

func TestStoreThatFails(t *testing.T) {
	s := failingStage(t)
	s.store.fail = errors.New("disk full")
	if r := s.ask("/compte"); !r.Failed || !strings.Contains(plainText(r), "rien n'a été changé") {
		t.Errorf("disk full: %s", plainText(r))
	}
	s.store.fail = nil
	if got := plainText(s.ask("/compte")); got != "1" {
		t.Errorf("after the disk has room: %s, want 1", got)
	}
}

// What a store says of itself is told to the learner, with whose it is and what has to be done, and is in the
// log.
func TestStoreIsDamagedOrFull(t *testing.T) {
	of := func(s Scope) error {
		return fmt.Errorf("commit: %w", &Damage{Scope: s, Err: fmt.Errorf("page 7: %w", ErrDamaged)})
	}
	for _, tt := range []struct {
		fail          error
		lang, want    string
		inLog, advice string
	}{
		{of(Scope{"slack", "T1", "C1", ""}), "fr", "abîmées dans le salon C1 de slack/T1~: ", `part="slack/T1 channel C1"`, "timonier restore"},
		{of(Scope{"slack", "T1", "C1", ""}), "en", "damaged in channel C1 of slack/T1: ", `part="slack/T1 channel C1"`, "timonier restore"},
		{of(Scope{"slack", "T1", "", "U1"}), "fr", "abîmées dans ce qui est gardé pour U1 de slack/T1~: ", `part="slack/T1 person U1"`, "timonier verify"},
		{of(Scope{"slack", "T1", "", ""}), "en", "damaged in what belongs to slack/T1: ", `part=slack/T1 `, "timonier verify"},
		{fmt.Errorf("commit: %w", ErrDamaged), "en", "My data file is damaged: I can no longer answer anyone", "part=all", "timonier restore"},
		{fmt.Errorf("commit: %w", ErrFull), "fr", "plus de place pour écrire~: rien n'a été changé, rien n'est perdu", "the disk is full", "refaites la commande"},
	} {
		s := failingStage(t)
		var log strings.Builder
		s.tutor.cfg.Logger = slog.New(slog.NewTextHandler(&log, nil))
		s.store.fail = tt.fail
		r := s.request("/compte")
		r.Locale = tt.lang
		reply := s.send(r)
		if got := plainText(reply); !strings.Contains(got, tt.want) || !strings.Contains(got, tt.advice) || !strings.Contains(got, reply.Reference) || reply.Reference == "" {
			t.Errorf("%v: %s", tt.fail, got)
		}
		if !strings.Contains(log.String(), tt.inLog) || !strings.Contains(log.String(), reply.Reference) {
			t.Errorf("%v: log %s", tt.fail, log.String())
		}
	}
}

// Two processes on one store: what the other wrote is read before anything is written.
func TestConflictRunsAgain(t *testing.T) {
	s := failingStage(t)
	other := failingStage(t)
	other.store = s.store
	other.tutor.cfg.Store = s.store
	s.ask("/compte")
	other.asked = 100
	if got := plainText(other.ask("/compte")); got != "2" {
		t.Fatalf("the other: %s", got)
	}
	if got := plainText(s.ask("/compte")); got != "3" {
		t.Errorf("after the other wrote: %s, want 3", got)
	}
}

func TestOrderInAChannel(t *testing.T) {
	s := failingStage(t)
	const n = 50
	var mu sync.Mutex
	got := map[string][]string{}
	var waits []<-chan error
	for i := range n {
		for _, channel := range []string{"a", "b"} {
			r := s.request("/compte")
			r.Channel = channel
			done, err := s.tutor.Accept(context.Background(), r, func(r Reply) {
				mu.Lock()
				got[channel] = append(got[channel], plainText(r))
				mu.Unlock()
			})
			if err != nil {
				t.Fatal(i, err)
			}
			waits = append(waits, done)
		}
	}
	for _, done := range waits {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	for channel, texts := range got {
		for i, text := range texts {
			if text != fmt.Sprint(i+1) {
				t.Fatalf("channel %s: answer %d is %s", channel, i, text)
			}
		}
		if len(texts) != n {
			t.Errorf("channel %s: %d answers", channel, len(texts))
		}
	}
}

func TestBusyChannelSaysSo(t *testing.T) {
	s := failingStage(t)
	s.tutor.cfg.Limits.Queue = 2
	release := make(chan struct{})
	s.tutor.commands = append(s.tutor.commands, &command{name: name{"attend", "await"}, help: "help.help", usage: "help.usage", run: func(c *call) (Reply, error) {
		<-release
		return Reply{}, nil
	}})
	var waits []<-chan error
	busy := 0
	for range 10 {
		done, err := s.tutor.Accept(context.Background(), s.request("/attend"), func(r Reply) {
			if strings.Contains(plainText(r), "attendent") {
				busy++ // said before Accept returns
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		waits = append(waits, done)
	}
	close(release)
	for _, done := range waits {
		<-done
	}
	if busy < 7 || busy > 8 { // one or none is being answered, two wait
		t.Errorf("%d told that the channel is busy", busy)
	}
}

func TestCloseWaits(t *testing.T) {
	s := failingStage(t)
	answered := false
	done, err := s.tutor.Accept(context.Background(), s.request("/compte"), func(Reply) { answered = true })
	if err != nil {
		t.Fatal(err)
	}
	if err := s.tutor.Close(); err != nil || !answered {
		t.Errorf("closed with %v before the answer", err)
	}
	<-done
	if err := s.tutor.Handle(context.Background(), s.request("/aide"), func(Reply) {}); !errors.Is(err, ErrClosed) {
		t.Errorf("a closed tutor answers %v", err)
	}
}

func TestChannelsLeaveMemory(t *testing.T) {
	s := failingStage(t)
	s.tutor.cfg.Limits.Channels = 3
	for i := range 20 {
		r := s.request("/compte")
		r.Channel = fmt.Sprint("c", i%5)
		if got, want := plainText(s.send(r)), fmt.Sprint(i/5+1); got != want {
			t.Fatalf("request %d: %s, want %s", i, got, want)
		}
	}
	s.tutor.Close()
	if n := len(s.tutor.lanes); n > 3 {
		t.Errorf("%d channels in memory", n)
	}
}

func TestBadInput(t *testing.T) {
	s := newStage(t, "fr")
	for line, want := range map[string]string{
		"":                                         "Je réponds aux commandes",
		"   \n\n  ":                                "Je réponds aux commandes",
		"/":                                        "Je réponds aux commandes",
		"/\x00":                                    "autre chose que du texte",
		"/kubectl get \xff\xfe":                    "autre chose que du texte",
		"/" + strings.Repeat("é", 99):              "Je ne connais pas",
		strings.Repeat("x", 1<<20+1):               "1024\u00a0Kio; j'en prends",
		strings.Repeat("x", 1<<20):                 "Je réponds aux commandes",
		"/cours " + strings.Repeat("9", 1000):      "n'a pas de section",
		"/" + strings.Repeat("/", 5000):            "Je ne connais pas",
		"\u202e/aide":                              "Les commandes",
		"/aide\u200b":                              "Les commandes",
		"\u00a0/aide":                              "Les commandes",
		"/langue `<!channel>` @everyone":           "Voici celles que je parle",
		"/kubectl get pods\r\n":                    "No resources",
		"/pourquoi p si cpu=1e2000000000":          "démesuré",
		"/kubectl apply -f -\ncpu: -1E+9999999":    "démesuré",
		"/kubectl create -f - --x='":               "guillemet",
		"/temps avance " + strings.Repeat("9", 99): "durée",
		"/temps avance -5m":                        "durée",
		"/temps avance 400j":                       "au plus",
		"/temps vitesse NaN":                       "vitesse",
		"/temps vitesse 1e9":                       "vitesse",
		"/panne noeud":                             "Quel nœud",
		"/panne noeud node-99":                     "pas de nœud",
		"/panne noeud ../../etc":                   "pas de nœud",
	} {
		r := s.ask(line)
		if got := plainText(r); !strings.Contains(got, strings.ReplaceAll(want, "\u00a0", "~")) {
			t.Errorf("%.60q:\n%.300s\nwant %s", line, got, want)
		}
	}
}

func TestReplySurvivesJSON(t *testing.T) {
	want := Reply{
		Blocks: []Block{Title{"t"}, Text{"*m*"}, Code{"yaml", "a: 1"}, Table{[]string{"a"}, [][]string{{"b"}}}, Quote{"q"},
			Meter{"m", 1, 2}, Picture{Name: "p.png", PNG: []byte{1, 2}, Alt: "alt", Text: "text"},
			Until{Label: "u", At: time.Date(2026, 9, 14, 13, 0, 20, 0, time.UTC), Clock: "v", In: "w"}, Divider{}},
		Buttons: []Button{{"l", "/aide", Danger}},
		Menu:    &Menu{Label: "l", Line: "/quiz réponse 7-3", Choices: []MenuChoice{{"A", "un"}, {"B", "deux"}}, Min: 1, Max: 2},
		Files:   []File{{"f", "text/plain", []byte("x")}},
		Prompt:  &Prompt{Title: "t", Label: "l", Line: "/x", Button: "b", Short: true, Text: "x"},
		Private: true, Final: true, Failed: true,
	}
	data, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got Reply
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
	if err := json.Unmarshal([]byte(`{"Blocks":[{"kind":"hologram"}]}`), &got); err == nil {
		t.Error("an unknown block was read")
	}
}

func TestPermissions(t *testing.T) {
	s := newStage(t, "fr")
	r := s.request("/langue salon en")
	r.Direct = false
	if got := s.send(r); !got.Failed || !strings.Contains(plainText(got), "réservé") {
		t.Errorf("a learner in a class: %s", plainText(got))
	}
	r = s.request("/langue salon en")
	r.Direct, r.Teacher = false, true
	if got := s.send(r); got.Failed {
		t.Errorf("a teacher: %s", plainText(got))
	}
}

// A person's choice comes before the channel's, the channel's before the platform's.
// A language that could not be kept is not spoken, neither in the apology nor later.
func TestLanguageThatIsNotKept(t *testing.T) {
	s := failingStage(t)
	s.ask("/langue fr")
	s.store.fail = ErrFull
	r := s.request("/langue en")
	if got := plainText(s.send(r)); !strings.Contains(got, "rien n'a été changé") {
		t.Errorf("the apology: %s", got)
	}
	if lang := s.tutor.spoken.of(r); lang != "fr" {
		t.Errorf("spoken from now on: %s", lang)
	}
	s.store.fail = nil
	s.ask("/langue en")
	if lang := s.tutor.spoken.of(r); lang != "en" {
		t.Errorf("once it is kept: %s", lang)
	}
}

func TestLanguageOfAnAnswer(t *testing.T) {
	const fr, en = "Les commandes", "Commands"
	s := newStage(t, "")
	steps := []struct{ line, locale, want string }{
		{"/aide", "", fr},
		{"/aide", "de", fr},
		{"/aide", "en-US", en},
		{"/aide", "fr-CA", fr},
		{"/langue salon en", "fr-CA", ""},
		{"/aide", "fr-CA", en},
		{"/langue fr", "en-US", ""},
		{"/aide", "en-US", fr},
	}
	for i, step := range steps {
		s.locale = step.locale
		if got := plainText(s.ask(step.line)); !strings.Contains(got, step.want) {
			t.Errorf("step %d, %s with locale %q: %.60s, want %s", i+1, step.line, step.locale, got, step.want)
		}
	}
}

// TestNamesakes: a pod of the same name elsewhere has its own reasons to be where it is.
func TestNamesakes(t *testing.T) {
	s := newStage(t, "en")
	s.ask("/kubectl cordon node-2 node-3")
	s.ask("/kubectl run web --image=nginx")
	before := plainText(s.ask("/why web"))
	if !strings.Contains(before, "node-1") {
		t.Fatalf("alone: %s", before)
	}
	s.ask("/kubectl uncordon node-2 node-3")
	s.ask("/kubectl cordon node-1")
	s.ask("/kubectl create namespace other")
	s.ask("/kubectl run web --image=nginx -n other")
	if after := plainText(s.ask("/why web")); after != before {
		t.Errorf("beside its namesake: %s\nalone: %s", after, before)
	}
}

// TestLongRepliesAreKeptShort: what is kept of each request for a day does not fill the file.
func TestLongRepliesAreKeptShort(t *testing.T) {
	r := Reply{Blocks: []Block{Text{"before"}, Code{Text: strings.Repeat("é", 1<<20)}, Text{"after"}}, Files: []File{{Name: "f", Data: make([]byte, 1<<20)}}}
	data, err := keep(r)
	if err != nil || len(data) > mostKept {
		t.Fatalf("%d bytes kept, error %v", len(data), err)
	}
	var kept Reply
	if err := json.Unmarshal(data, &kept); err != nil {
		t.Fatal(err)
	}
	code, ok := kept.Blocks[1].(Code)
	if len(kept.Blocks) != 3 || !ok || !strings.HasPrefix(code.Text, "éé") || strings.ContainsRune(code.Text, '\uFFFD') {
		t.Errorf("kept: %d blocks, %T", len(kept.Blocks), kept.Blocks[1])
	}
	if len(r.Blocks[1].(Code).Text) != 2<<20 || len(r.Files) != 1 {
		t.Error("the reply that is shown was cut too")
	}
}

// Who asks for long answers without end does not fill the disk with them: each tenant has so much kept whole in a day.
func TestATenantsRepliesAreKeptShort(t *testing.T) {
	tutor, now := New(Config{}), time.Now()
	tutor.limits.now = func() time.Time { return now }
	long := Reply{Blocks: []Block{Code{Text: strings.Repeat("x", 100<<10)}}, Files: []File{{Name: "f", Data: make([]byte, 10<<10)}}}
	size := func(p Place, r Reply) int {
		data, err := tutor.keepOf(p, r)
		if err != nil {
			t.Fatal(err)
		}
		return len(data)
	}
	here, beside, elsewhere := inTenant("a", 1), inTenant("a", 2), inTenant("b", 1)
	if size(here, long) < 100<<10 {
		t.Error("it is cut at once")
	}
	if tutor.limits.keeps(here.house(), dayOfReplies-200<<10); size(here, long) > mostBrief || size(beside, long) > mostBrief {
		t.Error("it is kept whole for ever")
	}
	if size(here, Reply{Blocks: []Block{Text{strings.Repeat("x", 2000)}}}) < 2000 {
		t.Error("what is short is cut, too")
	}
	if size(elsewhere, long) < 100<<10 {
		t.Error("others are cut, too")
	}
	if now = now.Add(24 * time.Hour); size(here, long) < 100<<10 {
		t.Error("it is cut on the next day")
	}
}

// TestAdvanceLeavesTimeToAnswer: what was done until then is kept, and not lost to the deadline.
func TestAdvanceLeavesTimeToAnswer(t *testing.T) {
	s := newStage(t, "fr")
	cl, err := sim.New(sim.Config{})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		left time.Duration
		want error
	}{{time.Hour, nil}, {s.tutor.cfg.Limits.Command / 8, sim.ErrTooMuch}, {-time.Second, context.DeadlineExceeded}} {
		ctx, cancel := context.WithTimeout(context.Background(), tt.left)
		c := &call{ctx: ctx, tutor: s.tutor}
		if err := c.advance(cl, time.Hour); !errors.Is(err, tt.want) {
			t.Errorf("%v left: %v, want %v", tt.left, err, tt.want)
		}
		cancel()
	}
}

func TestLogsHoldNoSecrets(t *testing.T) {
	for line, want := range map[string]string{
		"/kubectl create secret generic a --from-literal=key=s3cret": "/kubectl create secret",
		"/kubectl apply -f -\nkind: Secret":                          "/kubectl apply -f",
		"":                                                           "",
	} {
		if got := loggable(line); got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}
