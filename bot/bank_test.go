package bot

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"timonier/content"
)

func ownQuestion(n int) *content.Item {
	text := func(s string) content.Text { return content.Text{FR: fmt.Sprintf("%s %d", s, n)} }
	return &content.Item{ID: fmt.Sprintf("own-%05d", n), Lesson: "4.1", Kind: content.One, Own: true, Ask: text("Que se passe-t-il quand le planificateur ne trouve aucun nœud pour le pod"),
		Why:     text("Le pod attend, et le planificateur essaiera encore dès que quelque chose change"),
		Options: []content.Choice{{Text: text("Il attend"), Right: true}, {Text: text("Il disparaît"), Why: text("Rien ne supprime un pod en attente")}, {Text: text("Il démarre quand même"), Why: text("Sans nœud, aucun kubelet ne le voit")}}}
}

func ownQuestions(n int) []*content.Item {
	out := make([]*content.Item, n)
	for k := range out {
		out[k] = ownQuestion(k)
	}
	return out
}

// bankCallOf is a command's call in a tenant.
func bankCallOf(t testing.TB, tutor *Tutor) *call {
	c := &call{ctx: t.Context(), tutor: tutor, content: tutor.taught.Load(), request: Request{Platform: "p", Tenant: "t", Channel: "c"}, now: tutor.cfg.Now()}
	if err := c.readHouse(); err != nil {
		t.Fatal(err)
	}
	return c
}

func commitHouse(t testing.TB, c *call) {
	w, ok := c.house.write()
	if !ok {
		return
	}
	if n := len(w.Changes); n > 128 {
		t.Errorf("%d operations in a commit", n)
	}
	size := 0
	for _, r := range w.Changes {
		size += len(r.Value)
	}
	if size > 3<<19 {
		t.Errorf("%d bytes in a commit", size)
	}
	if err := c.tutor.cfg.Store.Commit(t.Context(), Commit{Writes: []Write{w}}); err != nil {
		t.Fatal(err)
	}
}

func TestOwnQuestions(t *testing.T) {
	tutor := New(Config{Store: newMemory(), Limits: Limits{Rates: Unlimited()}})
	c := bankCallOf(t, tutor)
	b, err := c.bank()
	if err != nil || len(b.all()) != len(c.content.Bank().Items) || b != must(c.bank()) {
		t.Fatalf("the course's own: %v %d", err, len(b.all()))
	}
	if err := c.keepItems(ownQuestions(900)); err != nil {
		t.Fatal(err)
	}
	if i, ok := must(c.bank()).item("own-00000"); ok {
		t.Errorf("%s is there before it is written", i.ID)
	}
	commitHouse(t, c)
	c = bankCallOf(t, tutor)
	if b = must(c.bank()); len(b.own) != 900 || len(b.of(4)) < 900 || len(b.of(0)) != 0 {
		t.Fatalf("%d own", len(b.own))
	}
	// Nothing is read again while nothing has changed.
	if must(bankCallOf(t, tutor).bank()) != b {
		t.Error("it was read again")
	}
	// All of it again, changed: what was there before is deleted, and each is there once.
	changed := ownQuestions(900)
	for _, i := range changed {
		i.Ask.FR += " (corrigé)"
	}
	if err := c.keepItems(changed); err != nil {
		t.Fatal(err)
	}
	commitHouse(t, c)
	c = bankCallOf(t, tutor)
	before := len(b.bundles)
	if b = must(c.bank()); len(b.own) != 900 || len(b.bundles) != before {
		t.Errorf("%d own in %d bundles, of %d before", len(b.own), len(b.bundles), before)
	}
	if i, ok := b.item("own-00007"); !ok || !strings.HasSuffix(i.Ask.FR, "(corrigé)") {
		t.Errorf("%v", i)
	}
	// Withdrawn, and put back.
	if err := c.setWithdrawn(b, []string{"own-00007"}, true); err != nil {
		t.Fatal(err)
	}
	commitHouse(t, c)
	c = bankCallOf(t, tutor)
	b = must(c.bank())
	if _, ok := b.item("own-00007"); ok {
		t.Error("it is still put")
	}
	if _, ok := b.ever("own-00007"); !ok {
		t.Error("what was answered to it cannot be told any more")
	}
	if err := c.setWithdrawn(b, []string{"own-00007"}, false); err != nil {
		t.Fatal(err)
	}
	commitHouse(t, c)
	if _, ok := must(bankCallOf(t, tutor).bank()).item("own-00007"); !ok {
		t.Error("it is not back")
	}
	// Another tenant has none of it.
	other := bankCallOf(t, tutor)
	other.request.Tenant = "u"
	if err := other.readHouse(); err != nil {
		t.Fatal(err)
	}
	if len(must(other.bank()).own) != 0 {
		t.Error("another tenant has them too")
	}
	if err := other.keepItems(ownQuestions(4000)); !errors.Is(err, errTooMuch) {
		t.Errorf("too much for one commit: %v", err)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// Flags count people, and can be found again when somebody wants to be forgotten.
func TestFlags(t *testing.T) {
	tutor := New(Config{Store: newMemory(), Limits: Limits{Rates: Unlimited()}})
	item := tutor.taught.Load().Bank().Items[0].ID
	for _, who := range []string{"ana", "bob", "ana"} {
		c := bankCallOf(t, tutor)
		c.learner, c.words = &learner{shelf: &shelf{scope: Scope{Platform: "p", Tenant: "t", Person: who}, changed: map[string][]byte{}}}, tutor.words["fr"]
		if r, err := c.flagItem(item); err != nil || r.Failed {
			t.Fatal(err, r)
		}
		commitHouse(t, c)
	}
	c := bankCallOf(t, tutor)
	if n := must(c.flags())[item]; n != 2 {
		t.Errorf("%d flags", n)
	}
	flagsOf := func(who string) ([]string, error) {
		c.learner = &learner{shelf: &shelf{scope: Scope{Platform: "p", Tenant: "t", Person: who}}}
		return c.flagsIn(Scope{Platform: "p", Tenant: "t"})
	}
	if keys := must(flagsOf("ana")); len(keys) != 1 || strings.Contains(keys[0], "ana") {
		t.Errorf("%v", keys)
	}
	if keys := must(flagsOf("cy")); len(keys) != 0 {
		t.Errorf("%v", keys)
	}
}

// A bank of 10,000 questions of a tenant's own.
func BenchmarkBank10000(b *testing.B) {
	store := newMemory()
	if err := ImportQuestions(b.Context(), store, Scope{Platform: "p", Tenant: "t"}, ownQuestions(10_000)); err != nil {
		b.Fatal(err)
	}
	b.Run("start", func(b *testing.B) {
		for b.Loop() {
			New(Config{Store: store})
		}
	})
	b.Run("first use", func(b *testing.B) {
		for b.Loop() {
			if bank := must(bankCallOf(b, New(Config{Store: store})).bank()); len(bank.own) != 10_000 {
				b.Fatal(len(bank.own))
			}
		}
	})
	tutor := New(Config{Store: store, Limits: Limits{Rates: Unlimited()}})
	must(bankCallOf(b, tutor).bank())
	b.Run("next use", func(b *testing.B) {
		for b.Loop() {
			bank := must(bankCallOf(b, tutor).bank())
			list := bank.all()
			if _, ok := bank.item(list[rand.IntN(len(list))].ID); !ok {
				b.Fatal("it is not there")
			}
		}
	})
	b.Run("after a change", func(b *testing.B) {
		n := 0
		for b.Loop() {
			c := bankCallOf(b, tutor)
			n++
			if err := c.keepItems([]*content.Item{ownQuestion(n)}); err != nil {
				b.Fatal(err)
			}
			commitHouse(b, c)
			must(bankCallOf(b, tutor).bank())
		}
	})
}

// slowBank is a store in which the bank of one tenant takes its time.
type slowBank struct {
	Store
	tenant string
	asked  chan struct{}
	hold   chan struct{}
}

func (s *slowBank) Read(ctx context.Context, scope Scope, prefix string) ([]Record, uint64, error) {
	if scope.Tenant == s.tenant && prefix == keyBank {
		close(s.asked)
		<-s.hold
	}
	return s.Store.Read(ctx, scope, prefix)
}

// While one tenant's bank is read from a slow disk, the others' questions are put.
func TestOneTenantsBankHoldsUpNoOther(t *testing.T) {
	store := newMemory()
	for _, tenant := range []string{"t", "u"} {
		if err := ImportQuestions(t.Context(), store, Scope{Platform: "p", Tenant: tenant}, ownQuestions(3)); err != nil {
			t.Fatal(err)
		}
	}
	slow := &slowBank{store, "u", make(chan struct{}), make(chan struct{})}
	tutor := New(Config{Store: slow})
	read := func(tenant string) chan error {
		done := make(chan error, 1)
		c := bankCallOf(t, tutor)
		c.request.Tenant = tenant
		if err := c.readHouse(); err != nil {
			t.Fatal(err)
		}
		go func() {
			b, err := c.bank()
			if err == nil && len(b.own) != 3 {
				err = fmt.Errorf("%d of its own", len(b.own))
			}
			done <- err
		}()
		return done
	}
	first := read("u")
	<-slow.asked
	select {
	case err := <-read("t"):
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Error("one tenant waits for another's bank")
	}
	close(slow.hold)
	if err := <-first; err != nil {
		t.Error(err)
	}
}

// TestDeletedQuestion: a question of one's own is gone with all its versions, and nothing else is; one that stood in for the
// course's gives it its place again; another of the name is a new one.
func TestDeletedQuestion(t *testing.T) {
	tutor := New(Config{Store: newMemory(), Limits: Limits{Rates: Unlimited()}})
	does := func(f func(*call, *bank) error) *bank {
		t.Helper()
		c := bankCallOf(t, tutor)
		if err := f(c, must(c.bank())); err != nil {
			t.Fatal(err)
		}
		commitHouse(t, c)
		b := must(bankCallOf(t, tutor).bank())
		tutor.banks.houses = nil // and so it is when it is read anew
		if read := must(bankCallOf(t, tutor).bank()); len(read.items) != len(b.items) || len(read.bundles) != len(b.bundles) {
			t.Errorf("read anew: %d items in %d bundles, not %d in %d", len(read.items), len(read.bundles), len(b.items), len(b.bundles))
		}
		return b
	}
	course := New(Config{Store: newMemory()}).taught.Load().Bank().Items
	stand := ownQuestion(100)
	stand.ID = course[0].ID
	does(func(c *call, _ *bank) error { return c.keepItems(append(ownQuestions(20), stand)) })
	for _, version := range []string{" (2)", " (3)"} {
		does(func(c *call, _ *bank) error {
			i := ownQuestion(7)
			i.Ask.FR += version
			return c.keepItems([]*content.Item{i})
		})
	}
	does(func(c *call, b *bank) error { return c.setWithdrawn(b, []string{"own-00007", stand.ID}, true) })
	b := does(func(c *call, b *bank) error { return c.dropItem(b, "own-00007") })
	if i, ok := b.ever("own-00007"); ok {
		t.Errorf("still there: %q", i.Ask.FR)
	}
	if len(b.own) != 20 || b.own["own-00006"] == "" || b.own["own-00019"] == "" || b.withdrawn["own-00007"] {
		t.Errorf("%d own, withdrawn %v", len(b.own), b.withdrawn)
	}
	b = does(func(c *call, b *bank) error { return c.dropItem(b, stand.ID) })
	if i, ok := b.ever(stand.ID); !ok || i != course[0] && i.Ask != course[0].Ask || b.own[stand.ID] != "" || !b.withdrawn[stand.ID] {
		t.Errorf("the course's own: %v, withdrawn %v", i, b.withdrawn)
	}
	b = does(func(c *call, _ *bank) error { return c.keepItems([]*content.Item{ownQuestion(7)}) })
	if i, ok := b.item("own-00007"); !ok || strings.Contains(i.Ask.FR, "(") {
		t.Errorf("anew: %v", i)
	}
	for n := range 20 { // to the last one
		does(func(c *call, b *bank) error { return c.dropItem(b, fmt.Sprintf("own-%05d", n)) })
	}
	b = does(func(*call, *bank) error { return nil })
	if len(b.own) != 0 || len(b.bundles) != 0 || len(b.items) != len(course)-1 {
		t.Errorf("%d own in %d bundles, %d items of %d", len(b.own), len(b.bundles), len(b.items), len(course))
	}
}
