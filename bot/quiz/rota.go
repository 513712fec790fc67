package quiz

import (
	"math"
	"time"
)

// Rota is where a place is in the bank with its question of the day: every item is asked once
// before any is asked again, in an order that the seed decides. Items may come and go meanwhile:
// what comes where the round has passed already is asked in the next.
type Rota struct {
	Seed  uint64 `json:"seed"`
	Round int    `json:"round,omitempty"`
	At    uint64 `json:"at,omitempty"`   // how far in this round's order
	Last  string `json:"last,omitempty"` // the item asked last
	Wait  string `json:"wait,omitempty"` // the item that comes at the end of this round, since the round before ended with it
}

// Next is the next day's item among IDs (in any order), and the rota to keep; "" of none.
func (r Rota) Next(ids []string) (string, Rota) {
	id, at := r.first(ids)
	if id == "" {
		r.Round, r.At, r.Wait = r.Round+1, 0, ""
		if id, at = r.first(ids); id == r.Last && len(ids) > 1 {
			r.Wait = id
			id, at = r.first(ids)
		}
	}
	if id == "" {
		return "", r
	}
	r.At, r.Last = at, id
	return id, r
}

// first is the first of what is left of the round, and where in its order it stands.
func (r Rota) first(ids []string) (best string, at uint64) {
	for _, id := range ids {
		place := mix(r.Seed, uint64(r.Round), hash(id))
		if id == r.Wait {
			place = math.MaxUint64
		}
		if place > r.At && (best == "" || place < at) {
			best, at = id, place
		}
	}
	return best, at
}

// NextDaily is the first time after now at which clocks in a zone show an hour and a minute; on
// a day that passes over that minute (as when summer time begins), as much later.
func NextDaily(now time.Time, hour, minute int, zone *time.Location) time.Time {
	now = now.In(zone)
	for day := 0; ; day++ {
		if t := time.Date(now.Year(), now.Month(), now.Day()+day, hour, minute, 0, 0, zone); t.After(now) {
			return t
		}
	}
}
