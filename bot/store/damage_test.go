package store

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"timonier/bot"
)

// A channel whose page is damaged is refused; every other one reads and writes, also those that share
// its transaction, before a start and after one.
func TestOthersGoOn(t *testing.T) {
	path := school(t)
	bad := bot.Scope{Platform: "slack", Tenant: "school-1", Channel: "11"}
	tear(t, path, bad)
	s := open(t, path)
	damaged := func(err error) bool {
		var part *bot.Damage
		return errors.Is(err, ErrDamaged) && errors.As(err, &part) && part.Scope == bad
	}
	for round := range uint64(3) {
		if _, _, err := s.Read(ctx, bad, ""); !damaged(err) {
			t.Errorf("read the damaged one: %v", err)
		}
		var all sync.WaitGroup
		all.Go(func() {
			if err := s.Commit(ctx, bot.Commit{Writes: []bot.Write{{Scope: bad, Base: 1, Changes: records("k", "1")}}}); !damaged(err) {
				t.Errorf("write the damaged one: %v", err)
			}
		})
		for c := range 60 {
			if c == 11 {
				continue
			}
			all.Go(func() {
				scope := bot.Scope{Platform: "slack", Tenant: fmt.Sprint("school-", c%10), Channel: fmt.Sprint(c)}
				err := s.Commit(ctx, bot.Commit{Writes: []bot.Write{{Scope: scope, Base: round + 1, Changes: records("k", fmt.Sprint(round))}},
					Answers: []bot.Answer{{Scope: scope, Request: fmt.Sprint(c, "/", round), At: start, Reply: []byte("ok")}}})
				if got := show(t, s, scope, "k"); err != nil || got != fmt.Sprintf("%d: k=%d", round+2, round) {
					t.Errorf("channel %d: %s, %v", c, got, err)
				}
			})
		}
		all.Wait()
		if round == 1 {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			s = open(t, path)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	all, sum := verify(t, path)
	if sum.Damaged != 1 || sum.DamagedTenants != 1 || sum.Channels != 70 {
		t.Errorf("%+v, %+v", sum, all)
	}
	for _, f := range all {
		if f.Where.Scope != bad {
			t.Errorf("%+v", f)
		}
	}
}
