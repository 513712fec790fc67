package bot

import (
	"context"
	"strings"
	"testing"
)

// answerTo asks one thing and gives the answer as text.
func answerTo(t *testing.T, tutor *Tutor, r Request) string {
	t.Helper()
	var last Reply
	if err := tutor.Handle(context.Background(), r, func(r Reply) { last = r }); err != nil {
		t.Fatal(err)
	}
	return plainText(last)
}

func in(channel, person, line string) Request {
	return Request{Platform: "discord", Tenant: "college", Channel: channel, Who: Person{ID: person}, Locale: "fr", Line: line}
}

// A conversation of one's own gives no say in what holds for everyone.
func TestOwnConversationDecidesNothingForOthers(t *testing.T) {
	tutor := New(Config{Store: newMemory(), Limits: Limits{Rates: Unlimited()}})
	teacher := in("general", "prof", "/réglages serveur changer enseignants")
	teacher.Teacher = true
	answerTo(t, tutor, teacher)
	thread := in("thread", "ana", "/réglages serveur changer tous")
	thread.Parent, thread.Direct = "general", true
	if text := answerTo(t, tutor, thread); !strings.Contains(text, "réservé") {
		t.Errorf("in a thread of one's own: %s", text)
	}
	if text := answerTo(t, tutor, in("general", "ana", "/kubectl create ns a")); !strings.Contains(text, "réservé") {
		t.Errorf("in the channel: %s", text)
	}
	own := in("thread", "ana", "/kubectl create ns a")
	own.Parent, own.Direct = "general", true
	if text := answerTo(t, tutor, own); !strings.Contains(text, "namespace/a created") {
		t.Errorf("in the thread: %s", text)
	}
	alone := Request{Platform: "discord", Channel: "dm1", Who: Person{ID: "ana", Everywhere: true}, Locale: "fr", Direct: true, Line: "/réglages serveur langue en"}
	answerTo(t, tutor, alone)
	other := Request{Platform: "discord", Channel: "dm2", Who: Person{ID: "bob", Everywhere: true}, Locale: "fr", Direct: true, Line: "/temps"}
	if text := answerTo(t, tutor, other); !strings.Contains(text, "dans la grappe") {
		t.Errorf("another's private conversation: %s", text)
	}
}

// What etcdctl would do decides who may have it do so, and not how its line begins.
func TestEtcdctlWritesByRightWhereverItsFlagsStand(t *testing.T) {
	tutor := New(Config{Store: newMemory(), Limits: Limits{Rates: Unlimited()}})
	teacher := in("general", "prof", "/réglages serveur changer enseignants")
	teacher.Teacher = true
	answerTo(t, tutor, teacher)
	for _, line := range []string{"put a b", "-w get -w simple put a b", "--endpoints get del a", "snapshot -w simple restore x", "-w get snapshot save x"} {
		if text := answerTo(t, tutor, in("general", "ana", "/etcdctl "+line)); !strings.Contains(text, "réservé") {
			t.Errorf("%s: %s", line, text)
		}
	}
	for _, line := range []string{"get a", "-w json get a", "--endpoints put get a"} {
		if text := answerTo(t, tutor, in("general", "ana", "/etcdctl "+line)); strings.Contains(text, "réservé") {
			t.Errorf("%s: %s", line, text)
		}
	}
}

// A person's choice goes before the channel's, that before the thread's channel's, that before the server's.
func TestChoicesInTheirOrder(t *testing.T) {
	tutor := New(Config{Store: newMemory(), Limits: Limits{Rates: Unlimited()}})
	choose := func(channel, line string) {
		r := in(channel, "prof", line)
		r.Teacher = true
		answerTo(t, tutor, r)
	}
	see := func(who string) string {
		r := in("thread", who, "/réglages")
		r.Parent = "general"
		return answerTo(t, tutor, r)
	}
	choose("general", "/réglages serveur lentille formation")
	choose("general", "/réglages serveur langue en")
	if text := see("ana"); !strings.Contains(text, "Language | English") || !strings.Contains(text, "continuing") {
		t.Errorf("the server's:\n%s", text)
	}
	choose("general", "/réglages salon langue fr")
	choose("general", "/réglages salon lentille technique")
	if text := see("ana"); !strings.Contains(text, "Langue | Français") || !strings.Contains(text, "Lentille | Technique") {
		t.Errorf("the channel's:\n%s", text)
	}
	answerTo(t, tutor, in("general", "ana", "/langue en"))
	answerTo(t, tutor, in("general", "ana", "/lens formation"))
	if text := see("ana"); !strings.Contains(text, "Language | English") || !strings.Contains(text, "continuing") {
		t.Errorf("the person's:\n%s", text)
	}
	if text := see("bob"); !strings.Contains(text, "Langue | Français") {
		t.Errorf("another person's:\n%s", text)
	}
}

// Who may not change the cluster may look at it, however the command is written, and moves nothing.
func TestLookingIsForEveryone(t *testing.T) {
	tutor := New(Config{Store: newMemory(), Limits: Limits{Rates: Unlimited()}})
	teacher := in("general", "prof", "/réglages salon changer enseignants")
	teacher.Teacher = true
	answerTo(t, tutor, teacher)
	for line, allowed := range map[string]bool{
		"/kubectl -n kube-system get pods":                     true,
		"/kubectl get pods -w":                                 true,
		"/kubectl create ns a --dry-run=client -o yaml":        true,
		"/kubectl create ns a":                                 false,
		"/kubectl create ns a --dry-run=client --dry-run=none": false,
		"/temps": true, "/temps avance 1h": false, "/grappe": true,
	} {
		if text := answerTo(t, tutor, in("general", "ana", line)); strings.Contains(text, "réservé") == allowed {
			t.Errorf("%s: %s", line, text)
		}
	}
}
