package store

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"
)

var growthDays = flag.Int("growth.days", 3, "simulated days of a busy channel, in TestGrowth")

// A class's day: what is done in the order in which it is done, a line every few minutes; N is the day's number.
var classDay = strings.Split(strings.TrimSpace(`
/kubectl create deployment web-N --image=nginx --replicas=3
/kubectl get pods
/pourquoi
/kubectl scale deployment web-N --replicas=8
/grappe
/kubectl set image deployment/web-N nginx=nginx:1.27
/kubectl rollout status deployment/web-N
/kubectl rollout undo deployment/web-N
/kubectl apply -f -|apiVersion: apps/v1|kind: Deployment|metadata:|  name: apply-N|spec:|  replicas: 4|  selector: {matchLabels: {app: apply}}|  template:|    metadata: {labels: {app: apply}}|    spec:|      containers:|      - {name: c, image: nginx, resources: {requests: {cpu: 100m}}}
/kubectl describe deployment apply-N
/kubectl expose deployment web-N --port=80
/kubectl get endpoints
/kubectl create configmap conf-N --from-literal=a=b
/panne noeud node-2
/temps avance 1m
/temps avance 6m
/kubectl get pods -o wide
/pourquoi
/répare tout
/kubectl create job once-N --image=busybox -- true
/kubectl create cronjob often-N --image=busybox --schedule=*/5 * * * * -- true
/temps avance 20m
/kubectl get jobs
/panne image-plante nginx
/temps avance 2m
/kubectl get pods
/répare tout
/kubectl delete cronjob often-N
/kubectl delete job once-N
/grappe sauve midi remplace
/kubectl create namespace ns-N
/kubectl create deployment other --image=httpd --replicas=5 -n ns-N
/kubectl delete namespace ns-N
/cours
/cours 4.1
/schéma grappe
/exercice 2.1
/kubectl get pods
/exercice indice
/exercice fin
/histoire 1
/histoire suite
/histoire prédit 1.1 B
/histoire suite
/histoire quitte
/grappe charge midi confirme
/kubectl get nodes
/etcdctl get /registry --prefix --keys-only
/panne etcd etcd-1
/kubectl scale deployment web-N --replicas=2
/répare tout
/temps pas
/kubectl cordon node-3
/kubectl drain node-3 --ignore-daemonsets
/kubectl uncordon node-3
/kubectl autoscale deployment web-N --max=5
/kubectl delete hpa web-N
/pourquoi
/kubectl delete configmap conf-N
/kubectl delete service web-N
/kubectl delete deployment apply-N
/kubectl delete deployment web-N
/glossaire pod
/progrès
`), "\n")

// day has the class live one: some hundred commands by ten people, a quiz, everyone's review; then the night.
func (c *class) day(channel string, r *rand.Rand, n int) {
	c.t.Helper()
	morning := c.now
	person := func() string { return fmt.Sprint("p", r.IntN(10)) }
	for _, line := range classDay {
		line = strings.ReplaceAll(strings.ReplaceAll(line, "|", "\n"), "N", fmt.Sprint(n))
		line = strings.ReplaceAll(line, fmt.Sprint(n, "ode"), "Node")
		c.now = c.now.Add(time.Duration(60+r.IntN(240)) * time.Second)
		c.ask(c.request(channel, "prof", line))
		c.speak()
	}
	for i := range 10 {
		c.review(channel, fmt.Sprint("p", i), r)
	}
	c.quiz(channel, r, person)
	c.now = morning.Add(24 * time.Hour)
	c.speak()
}

func (c *class) speak() {
	c.t.Helper()
	if _, err := c.tutor.SpeakNow(ctx, "test", c.board); err != nil {
		c.t.Fatal(err)
	}
}

// review is what a person does of their cards in a day: a few questions.
func (c *class) review(channel, person string, r *rand.Rand) {
	last := c.ask(c.request(channel, person, "/quiz révision"))
	for range 3 {
		c.now = c.now.Add(20 * time.Second)
		if len(last.Buttons) == 0 {
			return
		}
		last = c.ask(c.request(channel, person, last.Buttons[r.IntN(len(last.Buttons))].Line))
	}
}

// quiz has ten people answer what is asked of them, as far as it takes a button.
func (c *class) quiz(channel string, r *rand.Rand, person func() string) {
	c.ask(c.request(channel, "prof", "/quiz course nombre=5 temps=30s"))
	for range 12 {
		c.speak()
		c.board.mu.Lock()
		buttons := c.board.last.Buttons
		c.board.mu.Unlock()
		for range 10 {
			if len(buttons) > 0 {
				c.ask(c.request(channel, person(), buttons[r.IntN(len(buttons))].Line))
			}
		}
		c.now = c.now.Add(20 * time.Second)
	}
	c.ask(c.request(channel, "prof", "/quiz fin"))
	c.speak()
}

// growth is what a file takes: in all, in pages that hold something, and by what it is for.
type growth struct {
	file    int // the file's size
	reached int // up to where it was ever written
	used    int // pages that hold something
	parts   map[string]int
}

func (c *class) growth(path string) growth {
	c.t.Helper()
	g := growth{parts: map[string]int{}}
	info, err := os.Stat(path)
	if err != nil {
		c.t.Fatal(err)
	}
	g.file = int(info.Size())
	err = c.store.db.View(func(tx *bbolt.Tx) error {
		g.reached = int(tx.Size())
		return tx.ForEach(func(name []byte, b *bbolt.Bucket) error {
			stats := b.Stats()
			g.used += stats.BranchAlloc + stats.LeafAlloc
			return g.walk(b, string(name))
		})
	})
	if err != nil {
		c.t.Fatal(err)
	}
	return g
}

// walk adds what a bucket's records take, by the beginning of their keys.
func (g *growth) walk(b *bbolt.Bucket, of string) error {
	return b.ForEach(func(k, v []byte) error {
		if v == nil {
			in := of
			if of == "tenants" || strings.HasSuffix(of, "scopes") || bytes.Equal(k, repliesBucket) || bytes.Equal(k, scopesBucket) {
				in = strings.TrimPrefix(fmt.Sprintf("%s/%.12q", of, bytes.TrimLeft(k, "\x00")), "tenants/")
			}
			if bytes.Equal(k, scopesBucket) {
				in = "scopes"
			}
			return g.walk(b.Bucket(k), in)
		}
		key := string(k)
		if parts := strings.SplitN(key, "/", 4); len(parts) > 1 {
			key = strings.Join(parts[:len(parts)-1], "/")
		}
		if of == "ages" || strings.Contains(of, "replies") {
			key = ""
		}
		g.parts[fmt.Sprintf("%s %.24q", of, key)] += len(k) + len(v)
		return nil
	})
}

// The file of a channel that a class uses every day grows by less than it may in a month: what its cluster does is forgotten, as are
// answers to requests after a day, and leaves pages that what comes next can take; of the class's learning little more is kept each day.
// -growth.days 30 for the month.
func TestGrowth(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	const most = 1_000_000 // bytes, from the first day to the last: of the file as it lies on the disk, and in use
	c := newClass(t)
	c.store.db.NoSync = true // nothing is to survive this
	r := rand.New(rand.NewPCG(7, 7))
	var first, last growth
	for day := range *growthDays {
		asked := c.asked.Load()
		c.day("busy", r, day)
		last = c.growth(c.store.path)
		if day == 0 {
			first = last
		}
		t.Logf("day %2d: %d commands; file %d kB, written up to %d kB, in use %d kB", day+1, c.asked.Load()-asked, last.file/1000, last.reached/1000, last.used/1000)
	}
	if first.used < 200_000 {
		t.Errorf("a day of which %d bytes are kept was none", first.used)
	}
	if last.file-first.file > most || last.used-first.used > most {
		t.Errorf("the file grew by %d bytes, of which %d hold something", last.file-first.file, last.used-first.used)
		for k, n := range last.parts {
			t.Logf("%8d (%+d) %s", n, n-first.parts[k], k)
		}
	}
	inPieces(t, c.store.Store)
}
