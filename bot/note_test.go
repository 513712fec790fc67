package bot

import (
	"context"
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"
)

// A note is kept with the next request and at the end, never by itself; the newest counts; nil forgets it.
func TestNotes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemory()
		ctx := context.Background()
		noted := func(platform string, want map[string]string) {
			t.Helper()
			reader := class(t, store)
			defer reader.Close()
			got, err := reader.Noted(ctx, platform)
			if err != nil || len(got) != len(want) {
				t.Fatalf("%q, %v; want %q", got, err, want)
			}
			for key, text := range want {
				if string(got[key]) != text {
					t.Errorf("%s: %q, want %q", key, got[key], text)
				}
			}
		}
		tutor := class(t, store)
		tutor.Note("discord", "a/b", json.RawMessage(`1`))
		tutor.Note("discord", "a/b", json.RawMessage(`2`))
		tutor.Note("slack", "c", json.RawMessage(`3`))
		synctest.Wait()
		noted("discord", nil)
		r := asked("1", "ana", "/kubectl get nodes")
		r.Return = json.RawMessage(`{}`)
		tutor.begin(r)
		synctest.Wait()
		noted("discord", map[string]string{"a/b": "2"})
		noted("slack", map[string]string{"c": "3"})
		tutor.Note("discord", "a/b", nil)
		tutor.Note("discord", "d", json.RawMessage(`4`))
		tutor.Close()
		noted("discord", map[string]string{"d": "4"})
		if left, err := class(t, store).Interrupted(ctx, "discord"); err != nil || len(left) != 1 {
			t.Errorf("interrupted: %+v, %v", left, err)
		}
	})
}

// What is known of requests and cannot be written is not lost: it is written with what comes next, or at the end.
func TestWhatCannotBeKeptIsKeptLater(t *testing.T) {
	for _, next := range []string{"a request", "the end"} {
		synctest.Test(t, func(t *testing.T) {
			store := &failing{memory: newMemory()}
			tutor := New(Config{Store: store})
			answered := asked("1", "ana", "/aide")
			answered.Return, answered.Asked = json.RawMessage(`{}`), time.Now()
			tutor.begin(answered)
			synctest.Wait()
			store.fail = ErrFull
			tutor.Delivered(answered)
			synctest.Wait()
			store.fail = nil
			left := 0
			if next == "a request" {
				other := asked("2", "ana", "/aide")
				other.Return = json.RawMessage(`{}`)
				tutor.begin(other)
				synctest.Wait()
				left = 1
			} else {
				tutor.Close()
			}
			reader := New(Config{Store: store})
			defer reader.Close()
			if got, err := reader.Interrupted(context.Background(), "discord"); err != nil || len(got) != left || left > 0 && got[0].ID != "2" {
				t.Errorf("with %s: %+v, %v", next, got, err)
			}
			tutor.Close()
		})
	}
}
