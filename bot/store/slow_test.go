package store

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"timonier/bot"
)

// On a disk that takes its time an answer is not given before the disk has what it says. Whoever asks for nothing that is to be kept
// waits for nobody; who looks at a cluster, for a moment, and is told that nothing is kept meanwhile.
func TestSlowDisk(t *testing.T) {
	c := newClass(t)
	again := func(look time.Duration) { // another process
		if err := c.tutor.Close(); err != nil {
			t.Fatal(err)
		}
		c.look = look
		c.begin()
	}
	again(time.Millisecond)
	for _, channel := range []string{"a", "b"} {
		c.ask(c.request(channel, "prof", "/kubectl create deployment web --image=nginx"))
	}
	held, let := make(chan struct{}), make(chan struct{})
	var once sync.Once
	recorded(t, c.store.db, func(written) {
		once.Do(func() { // the first of its pages: none is on the disk yet
			close(held)
			<-let
		})
	})
	c.now = c.now.Add(time.Minute)
	var mu sync.Mutex
	var said []bot.Reply
	done, err := c.tutor.Accept(ctx, c.request("a", "prof", "/kubectl create configmap kept"), func(r bot.Reply) {
		mu.Lock()
		defer mu.Unlock()
		said = append(said, r)
	})
	if err != nil {
		t.Fatal(err)
	}
	<-held
	const unkept = "rien enregistrer"
	for i, line := range []string{"/kubectl get deployments", "/grappe", "/aide"} {
		r := c.ask(c.request("b", "ana", line))
		if text := fmt.Sprint(r.Blocks); r.Failed || strings.Contains(text, unkept) != (i == 0) {
			t.Errorf("meanwhile, %s: %s", line, text)
		}
	}
	select {
	case <-done:
		t.Error("it was answered before the disk had it")
	default:
	}
	mu.Lock()
	if len(said) > 0 {
		t.Errorf("said before the disk had it: %+v", said)
	}
	mu.Unlock()
	close(let)
	if err := <-done; err != nil {
		t.Error(err)
	}
	if text := fmt.Sprint(said); len(said) != 1 || !said[0].Final || said[0].Failed || !strings.Contains(text, "configmap/kept created") {
		t.Errorf("once the disk has it: %s", text)
	}
	again(time.Hour)
	for channel, want := range map[string]string{"a": "configmap/kept", "b": "configmap/kube-root-ca.crt"} {
		r := c.ask(c.request(channel, "ana", "/kubectl get configmaps -o name"))
		if text := fmt.Sprint(r.Blocks); !strings.Contains(text, want) || strings.Contains(text, unkept) {
			t.Errorf("after it, in %s: %s", channel, text)
		}
	}
}
