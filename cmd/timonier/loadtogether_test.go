package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"timonier/bot/discord/discordtest"
	"timonier/bot/slack/slacktest"
)

// The load of TestLoadTogether, little by default. The README's figures come from
//
//	go test ./cmd/timonier -run TestLoadTogether -v -load.channels 64 -load.each 10s
var (
	loadTogether = flag.Int("load.channels", 16, "channels of TestLoadTogether that send commands at once, 200 at most")
	loadEach     = flag.Duration("load.each", time.Second, "how long each of TestLoadTogether's runs takes")
)

// TestLoadTogether: channels of both platforms each send a command that changes their cluster, wait for the
// answer and send the next. Every one is answered. Where it is to be measured (-load.each), it is done twice,
// on the disk and in memory (/dev/shm), and the disk's own rate is measured around it.
func TestLoadTogether(t *testing.T) {
	disk := togetherIn(t, t.TempDir())
	t.Logf("%d channels, on the disk: %s", *loadTogether, disk)
	const memory = "/dev/shm"
	if info, err := os.Stat(memory); *loadEach < 2*time.Second || err != nil || !info.IsDir() {
		return
	}
	dir, err := os.MkdirTemp(memory, "timonier-load-*")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	free := togetherIn(t, dir)
	t.Logf("%d channels, in memory:   %s", *loadTogether, free)
	row := loadRow{channels: *loadTogether, rate: disk.rate, syncs: disk.syncs, undisked: free.rate}
	t.Logf("limit: the smaller of %.0f without a disk and %.0f of the disk alone; share %.0f %%", row.undisked, row.diskLimit(), 100*row.share())
}

// together is what one run came to.
type together struct {
	rate, syncs float64
	answers     [2]times
}

func (r *together) String() string {
	return fmt.Sprintf("%.0f commands/s, %.0f fsync/s; discord %v; slack %v", r.rate, r.syncs, &r.answers[0], &r.answers[1])
}

func togetherIn(t *testing.T, dir string) *together {
	t.Helper()
	r := rehearsed(t)
	r.data = filepath.Join(dir, "timonier.db")
	r.start()
	ctx, cancel := context.WithTimeout(t.Context(), *loadEach+2*time.Minute)
	defer cancel()
	out := &together{}
	syncs := func() {
		n, err := measureSyncs(ctx, dir, min(time.Second, *loadEach/2))
		if err != nil {
			t.Fatal(err)
		}
		out.syncs += n / 2
	}
	each := func(work func(channel int)) {
		var working sync.WaitGroup
		for channel := range min(*loadTogether, loadChannels) {
			working.Go(func() { work(channel) })
		}
		working.Wait()
	}
	each(func(channel int) { // their clusters are made
		if _, err := r.send(ctx, channel, 0, "/kubectl create namespace load"); err != nil {
			t.Error(err)
		}
	})
	syncs()
	lines := loadLines()
	began := time.Now()
	each(func(channel int) {
		for n := 0; n == 0 || time.Since(began) < *loadEach; n++ {
			took, err := r.send(ctx, channel, n+1, lines[n%len(lines)])
			if err != nil {
				t.Errorf("channel %d, command %d: %v", channel, n, err)
				return
			}
			out.answers[channel%2].add(took)
		}
	})
	all := len(out.answers[0].all) + len(out.answers[1].all)
	out.rate = float64(all) / time.Since(began).Seconds()
	syncs()
	r.stop()
	for _, fault := range append(r.discord.Faults(), r.slack.Faults()...) {
		t.Errorf("a rule is broken: %s", fault)
	}
	return out
}

// kubectlSays is what kubectl says of each of the lines that are sent.
func kubectlSays(line string) string {
	return map[string]string{
		"/kubectl create namespace load":                            "namespace/load created",
		"/kubectl create deployment web --image=nginx --replicas=3": "deployment.apps/web created",
		"/kubectl create configmap note --from-literal=a=1":         "configmap/note created",
		"/kubectl scale deployment web --replicas=4":                "deployment.apps/web scaled",
		"/kubectl label configmap note week=2":                      "configmap/note labeled",
		"/kubectl delete configmap note":                            `configmap "note" deleted`,
		"/kubectl delete deployment web":                            `deployment.apps "web" deleted`,
	}[line]
}

// send sends a line to a channel, the even ones in Discord and the odd ones in Slack, by somebody other each time,
// and waits for the first answer that has what kubectl says of it: what is shown meanwhile may be how an earlier
// one goes on.
func (r *rehearsal) send(ctx context.Context, channel, n int, line string) (took time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	command, rest, _ := strings.Cut(strings.TrimPrefix(line, "/"), " ")
	began := time.Now()
	if channel%2 == 0 {
		i := discordtest.Slash(command, discordtest.String("commande", rest)).
			In(discordtest.Place{Channel: strconv.Itoa(700000 + channel)}).By(discordtest.Person{ID: strconv.Itoa(900000 + (5*channel+n)%loadPeople)})
		x := r.discord.Interact(ctx, i)
		_, err = x.Until(ctx, func(m discordtest.Message) bool { return strings.Contains(m.Text(), kubectlSays(line)) })
		took = time.Since(began)
		x.Forget()
	} else {
		c := slacktest.Command{Name: "/timonier", Text: command + " " + rest, User: loadPerson(5*channel + n), Channel: fmt.Sprintf("C%03d", channel/2)}
		var x *slacktest.Exchange
		if x, err = r.slack.Send(ctx, c); err != nil {
			return 0, err
		}
		defer x.End()
		_, err = x.Until(ctx, func(c slacktest.Change) bool { return strings.Contains(c.Message.Text, kubectlSays(line)) })
		took = time.Since(began)
	}
	if err != nil {
		return 0, fmt.Errorf("answer to %s: %w", line, err)
	}
	return took, nil
}
