package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"timonier/bot/discord/discordtest"
	"timonier/bot/slack/slacktest"
)

// TestNoRoom runs the built program where there is no room for its file to grow: what changes is refused in so many words, what only
// looks is answered, and its person told that nothing is kept; the file is whole. Where there is room again, all that was told is there,
// nothing that was refused is, and all goes on.
func TestNoRoom(t *testing.T) {
	t.Run("largest file", func(t *testing.T) {
		n := newNoRoom(t, filepath.Join(t.TempDir(), "t.db"))
		n.under = []string{"sh", "-c", `ulimit -f 2560 && exec "$0" "$@"`} // 1.25 MiB
		n.fill()
		n.under = nil
		n.again()
	})
	t.Run("disk", func(t *testing.T) {
		if testing.Short() {
			t.Skip("the other suffices")
		}
		dir := t.TempDir()
		if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=1280k"); err != nil {
			t.Skip("no disk of one's own without the right to mount one: ", err)
		}
		t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
		n := newNoRoom(t, filepath.Join(dir, "t.db"))
		n.fill()
		out, code := script(t, n.program, n.data, "", "doctor", "--lang", "fr")
		_, _ = n.written.Write([]byte(out))
		if want := regexp.MustCompile(`✗ Il ne reste que .* Libérez de la place`); code != exitFailed || !want.MatchString(out) {
			t.Errorf("doctor: code %d\n%s", code, out)
		}
		if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT, "size=64m"); err != nil {
			t.Fatal(err)
		}
		n.again()
	})
}

// noRoom is a program that runs out of it.
type noRoom struct {
	*stage
	told, refused []int // configmaps, each in a channel of its own
	asked         int
	warned        int // how often someone was told that nothing is kept
	rng           *rand.Rand
}

const mostRooms = 120

func newNoRoom(t *testing.T, data string) *noRoom {
	var channels []slacktest.Channel
	for i := range mostRooms {
		channels = append(channels, slacktest.Channel{ID: fmt.Sprintf("C%03d", i), Name: fmt.Sprint("classe-", i), Member: true})
	}
	var users []slacktest.User
	for i := range crashPeople {
		users = append(users, slacktest.User{ID: fmt.Sprintf("U%03d", i), Name: fmt.Sprint("ana-", i), Locale: "fr-FR", TZ: "America/Montreal"})
	}
	n := &noRoom{rng: rand.New(rand.NewPCG(1, 1)), stage: newStageOf(t, buildProgram(t), discordtest.Config{Unlimited: true}, slacktest.Config{Channels: channels, Users: users}, patient)}
	n.data = data
	return n
}

// ask has someone type a command in a channel, in Slack where its number is odd, and returns what of the answer is wanted.
func (n *noRoom) ask(channel int, words string, want *regexp.Regexp) string {
	n.t.Helper()
	n.asked++ // by one person after the other: nobody asks too often
	var found string
	var err error
	ctx, cancel := context.WithTimeout(n.ctx, patient/4)
	defer cancel()
	var shown []string
	if channel%2 == 1 {
		var x *slacktest.Exchange
		x, err = n.slack.Send(n.ctx, slacktest.Command{Name: "/kubectl", Text: words, User: fmt.Sprintf("U%03d", n.asked%crashPeople), Channel: fmt.Sprintf("C%03d", channel)})
		if err == nil {
			_, err = x.Until(ctx, func(c slacktest.Change) bool {
				shown = append(shown, c.Message.Words())
				found = want.FindString(c.Message.Words())
				return found != ""
			})
		}
	} else {
		i := kubectl(words).In(discordtest.Place{Channel: fmt.Sprint(700000 + channel)}).By(discordtest.Person{ID: fmt.Sprint(900000 + n.asked%crashPeople)})
		_, err = n.discord.Interact(n.ctx, i).Until(ctx, func(m discordtest.Message) bool {
			shown = append(shown, m.Text())
			found = want.FindString(m.Text())
			return found != ""
		})
	}
	if err != nil {
		n.t.Fatalf("channel %d: %.60s: no %s but %q: %v", channel, words, want, shown, err)
	}
	return found
}

// fill asks for more and more until both platforms have refused.
func (n *noRoom) fill() {
	n.t.Helper()
	p := n.serve()
	n.connected()
	either := regexp.MustCompile(`configmap/kept created|plus de place pour écrire`)
	by := map[int]bool{}
	for i := 0; len(by) < 2; i++ {
		if i == mostRooms {
			info, _ := os.Stat(n.data)
			n.t.Fatalf("%d were told that it is done, %d that it is not: %d bytes", len(n.told), len(n.refused), info.Size())
		}
		if n.ask(i, "create configmap kept --from-literal=big="+n.big(), either) == "configmap/kept created" {
			n.told = append(n.told, i)
		} else {
			n.refused = append(n.refused, i)
			by[i%2] = true
		}
	}
	if len(n.told) < 3 {
		n.t.Errorf("only %d were told that it is done", len(n.told))
	}
	n.looks("configmap/kept", n.told)
	n.looks(`configmaps "kept" not found`, n.refused)
	if n.warned == 0 { // of a look some find room for the clock; a cluster that is new has none
		n.t.Error("nobody was told that nothing is kept")
	}
	if status, body := fetch(n.t, p.address, "/readyz"); status != 503 || !strings.Contains(body, `"down":["store"]`) {
		n.t.Errorf("/readyz: %d %s", status, body)
	}
	if status, body := fetch(n.t, p.address, "/healthz"); status != 200 {
		n.t.Errorf("/healthz: %d %s", status, body)
	}
	if !strings.Contains(n.written.String(), "the disk is full: make room") {
		n.t.Error("the log does not say it")
	}
	n.ends(p)
}

// big is a text that no packing makes much smaller.
func (n *noRoom) big() string {
	b := make([]byte, 2000)
	for i := range b {
		b[i] = 'a' + byte(n.rng.IntN(26))
	}
	return string(b)
}

// looks has someone look in each of some channels, who is answered.
func (n *noRoom) looks(want string, channels []int) {
	n.t.Helper()
	answer := regexp.MustCompile("(?s)" + want + "(.*rien enregistrer)?")
	for _, i := range channels {
		if found := n.ask(i, "get configmap kept -o name", answer); strings.HasSuffix(found, "rien enregistrer") {
			n.warned++
		}
	}
}

// ends stops the program, and verifies its file.
func (n *noRoom) ends(p *served) {
	n.t.Helper()
	if code := p.end(syscall.SIGTERM); code != 0 {
		n.t.Errorf("code %d", code)
	}
	if out, code := script(n.t, n.program, n.data, "", "verify", "--lang", "fr"); code != 0 || strings.Contains(out, string(ill)) {
		n.t.Errorf("the file is not whole: code %d\n%s", code, out)
	}
}

// again starts the program where there is room.
func (n *noRoom) again() {
	n.t.Helper()
	before, err := os.Stat(n.data)
	if err != nil {
		n.t.Fatal(err)
	}
	p := n.serve()
	n.connected()
	warned := n.warned
	n.warned = 0
	n.looks("configmap/kept", n.told)
	n.looks(`configmaps "kept" not found`, n.refused)
	if n.warned > 0 {
		n.t.Error("with room, somebody was told that nothing is kept")
	}
	for _, i := range n.refused {
		n.ask(i, "create configmap kept", regexp.MustCompile("configmap/kept created"))
	}
	if status, body := fetch(n.t, p.address, "/readyz"); status != 200 {
		n.t.Errorf("/readyz: %d %s", status, body)
	}
	n.ends(p)
	n.t.Logf("a file of %d bytes: %d told, %d refused; %d of these looks were answered and not kept", before.Size(), len(n.told), len(n.refused), warned)
}
