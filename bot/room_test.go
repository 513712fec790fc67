package bot

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"timonier/sim/apiserver"
)

// Who is told that a cluster is full is told what takes the room, and what is said to free it does.
func TestFullClusterSaysWhatTakesTheRoom(t *testing.T) {
	tutor := New(Config{Store: newMemory(), Limits: Limits{Rates: Unlimited()}, Cluster: apiserver.Limits{Bytes: 2 << 20}})
	asked := 0
	ask := func(line string) Reply {
		t.Helper()
		var last Reply
		asked++
		r := Request{ID: fmt.Sprint(asked), Platform: "test", Channel: "c", Who: Person{ID: "ana"}, Locale: "fr", Line: line}
		if err := tutor.Handle(context.Background(), r, func(r Reply) { last = r }); err != nil {
			t.Fatal(err)
		}
		return last
	}
	make := func(name string, size int) Reply {
		return ask(fmt.Sprintf("/kubectl apply -f -\n{apiVersion: v1, kind: ConfigMap, metadata: {name: %s}, data: {a: %s}}", name, strings.Repeat("x", size)))
	}
	var r Reply
	n := 0
	for ; n < 40 && !r.Failed; n++ {
		r = make(fmt.Sprint("c", n), 80<<10+n<<10)
	}
	got := plainText(r)
	line := fmt.Sprintf("/kubectl delete configmaps c%d -n default", n-2)
	for _, want := range []string{"etcdserver: mvcc: database space exceeded", "Cette grappe est pleine", "`configmaps` (1,", line, "/temps avance 10m"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if r := ask(line); r.Failed {
		t.Fatal(plainText(r))
	}
	ask("/temps avance 10m")
	if r := make("again", 80<<10); r.Failed {
		t.Errorf("there is no room yet: %s", plainText(r))
	}
}

// A tenant's own questions take no more than their share: what is too much is refused before it is kept, with the longest
// of those that are there, and shorter versions of them are taken, which free the room.
func TestOwnQuestionsHaveRoomForSoManyBytes(t *testing.T) {
	tutor := New(Config{Store: newMemory(), Limits: Limits{Rates: Unlimited(), Bank: 64 << 10}})
	items := ownQuestions(40)
	for n, i := range items {
		i.Ask.FR += strings.Repeat("x", 1000+n)
	}
	take := func() *call {
		c := bankCallOf(t, tutor)
		c.words = tutor.words["fr"]
		return c
	}
	c := take()
	if err := c.keepItems(items); err != nil {
		t.Fatal(err)
	}
	commitHouse(t, c)
	b := must(take().bank())
	if b.bytes < 40_000 || len(b.bundles) == 0 {
		t.Fatalf("%d bytes in %d bundles", b.bytes, len(b.bundles))
	}
	full := b.bytes
	gift := "::une-de-plus:: " + strings.Repeat("y", 900) + " {TRUE}"
	tutor.cfg.Limits.Bank = full + 500
	c = take()
	r, taken, err := c.takeQuestions(gift, "gift")
	if err != nil || taken != 0 || !r.Failed || !strings.Contains(plainText(r), "own-00039") || !strings.Contains(plainText(r), "plus courte") {
		t.Errorf("%v, %d: %s", err, taken, plainText(r))
	}
	if _, changed := c.house.write(); changed {
		t.Error("something is kept of what was refused")
	}
	// Most of them again, shorter: the rest of their bundle moves with them, and the bundle goes.
	shorter := ownQuestions(30)
	if !b.hasRoom(shorter, 0) {
		t.Error("shorter ones have no room")
	}
	c = take()
	if err := c.keepItems(shorter); err != nil {
		t.Fatal(err)
	}
	commitHouse(t, c)
	b = must(take().bank())
	if len(b.own) != 40 || b.bytes > full*2/3 {
		t.Errorf("%d questions, %d bytes, of %d before", len(b.own), b.bytes, full)
	}
	if i, ok := b.item("own-00039"); !ok || !strings.HasSuffix(i.Ask.FR, "xxx") {
		t.Error("one that was not replaced is not as it was")
	}
	if r, taken, err := take().takeQuestions(gift, "gift"); err != nil || taken != 1 {
		t.Errorf("%v, %d: %s", err, taken, plainText(r))
	}
}
