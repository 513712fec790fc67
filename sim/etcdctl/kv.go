package etcdctl

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"timonier/sim/etcd"
)

// keyRange is which keys a command is about.
type keyRange struct{ prefix, fromKey *bool }

const fromHereOn = "\x00" // as the end of a range: every key from its start on

// of is the range of a command's arguments.
func (k keyRange) of(args []string) (key, end string, err error) {
	key = args[0]
	if *k.prefix && *k.fromKey {
		return "", "", fail(exitBadArgs, "`--prefix` and `--from-key` cannot be set at the same time, choose one")
	}
	if len(args) > 1 {
		if *k.prefix || *k.fromKey {
			return "", "", fail(exitBadArgs, "too many arguments, only accept one argument when `--prefix` or `--from-key` is set")
		}
		return key, args[1], nil
	}
	switch {
	case (*k.prefix || *k.fromKey) && key == "":
		return fromHereOn, fromHereOn, nil
	case *k.prefix:
		return key, etcd.PrefixEnd(key), nil
	case *k.fromKey:
		return key, fromHereOn, nil
	}
	return key, "", nil
}

// getFlags are those of get.
type getFlags struct {
	keyRange
	consistency, order, sortBy              *string
	limit, rev                              *int64
	keysOnly, countOnly, valueOnly          *bool
	minCreate, maxCreate, minMod, maxModRev *int64
}

func getCommand(r *run, flags *pflag.FlagSet) func([]string) error {
	f := getFlags{
		keyRange: keyRange{
			prefix:  flags.Bool("prefix", false, "Get keys with matching prefix"),
			fromKey: flags.Bool("from-key", false, "Get keys that are greater than or equal to the given key using byte compare"),
		},
		consistency: flags.String("consistency", "l", "Linearizable(l) or Serializable(s)"),
		order:       flags.String("order", "", "Order of results; ASCEND or DESCEND (ASCEND by default)"),
		sortBy:      flags.String("sort-by", "", "Sort target; CREATE, KEY, MODIFY, VALUE, or VERSION"),
		limit:       flags.Int64("limit", 0, "Maximum number of results"),
		rev:         flags.Int64("rev", 0, "Specify the kv revision"),
		keysOnly:    flags.Bool("keys-only", false, "Get only the keys"),
		countOnly:   flags.Bool("count-only", false, "Get only the count"),
		valueOnly:   flags.Bool("print-value-only", false, `Only write values when using the "simple" output format`),
		minCreate:   flags.Int64("min-create-rev", 0, "Minimum create revision"),
		maxCreate:   flags.Int64("max-create-rev", 0, "Maximum create revision"),
		minMod:      flags.Int64("min-mod-rev", 0, "Minimum modification revision"),
		maxModRev:   flags.Int64("max-mod-rev", 0, "Maximum modification revision"),
	}
	return func(args []string) error { return r.get(f, args) }
}

func (r *run) get(f getFlags, args []string) error {
	if len(args) == 0 {
		return fail(exitBadArgs, "get command needs one argument as key and an optional argument as range_end")
	}
	if *f.keysOnly && *f.countOnly && !(*f.prefix && *f.fromKey) {
		return fail(exitBadArgs, "`--keys-only` and `--count-only` cannot be set at the same time, choose one")
	}
	needs, err := consistencyOf(*f.consistency)
	if err != nil {
		return err
	}
	key, end, err := f.of(args)
	if err != nil {
		return err
	}
	less, err := ordering(*f.sortBy, *f.order)
	if err != nil {
		return err
	}
	m, err := r.dial(needs)
	if err != nil {
		return &failure{exitError, err}
	}
	got, err := r.rangeOf(f, key, end, m)
	if err != nil {
		return &failure{exitError, err}
	}
	if *f.countOnly && r.format != fields {
		return fail(exitBadArgs, "--count-only is only for `--write-out=fields`")
	}
	if *f.valueOnly && r.format != simple {
		return fail(exitBadArgs, "print-value-only is only for `--write-out=simple`")
	}
	if less != nil {
		slices.SortStableFunc(got.KVs, less)
	}
	if n := int(*f.limit); n > 0 && len(got.KVs) > n {
		got.KVs, got.More = got.KVs[:n], true
	}
	return r.printRange(r.header(m, true), got, *f.valueOnly)
}

// rangeOf is what a member has of a range. One that has fallen behind gives what it has.
func (r *run) rangeOf(f getFlags, key, end string, m etcd.Member) (etcd.RangeResponse, error) {
	if key == "" {
		return etcd.RangeResponse{}, etcd.ErrEmptyKey
	}
	s := r.store()
	o := etcd.RangeOptions{Rev: max(0, *f.rev), KeysOnly: *f.keysOnly, CountOnly: *f.countOnly}
	switch {
	case o.Rev > m.Rev:
		return etcd.RangeResponse{}, etcd.ErrFutureRev
	case o.Rev == 0 && m.Rev < s.Rev():
		o.Rev = max(m.Rev, s.CompactRev())
	}
	got, err := s.Range(key, end, o)
	got.KVs = slices.DeleteFunc(got.KVs, func(kv etcd.KV) bool {
		return kv.CreateRev < *f.minCreate || kv.ModRev < *f.minMod ||
			*f.maxCreate > 0 && kv.CreateRev > *f.maxCreate || *f.maxModRev > 0 && kv.ModRev > *f.maxModRev
	})
	return got, err
}

func (r *run) printRange(h header, got etcd.RangeResponse, valueOnly bool) error {
	return r.print(answer{
		simple: func(out *bytes.Buffer) {
			for _, kv := range got.KVs {
				r.kvLines(out, kv, valueOnly)
			}
		},
		json: struct {
			Header header      `json:"header"`
			KVs    []*keyValue `json:"kvs,omitempty"`
			More   bool        `json:"more,omitempty"`
			Count  int         `json:"count,omitempty"`
		}{h, keyValues(got.KVs), got.More, got.Count},
		fields: func(out *bytes.Buffer) {
			r.head(out, h)
			for _, kv := range got.KVs {
				r.kvFields(out, kv, "")
			}
			fmt.Fprintf(out, "\"More\" : %v\n\"Count\" : %d\n", got.More, got.Count)
		},
	})
}

func consistencyOf(word string) (need, error) {
	switch word {
	case "l":
		return current, nil
	case "s":
		return anything, nil
	}
	return 0, fail(exitBadFeature, "unknown consistency flag %q", word)
}

// ordering compares keys as asked; nil: as they come, by key.
func ordering(by, order string) (func(a, b etcd.KV) int, error) {
	targets := map[string]func(a, b etcd.KV) int{
		"":        nil,
		"KEY":     func(a, b etcd.KV) int { return cmp.Compare(a.Key, b.Key) },
		"CREATE":  func(a, b etcd.KV) int { return cmp.Compare(a.CreateRev, b.CreateRev) },
		"MODIFY":  func(a, b etcd.KV) int { return cmp.Compare(a.ModRev, b.ModRev) },
		"VERSION": func(a, b etcd.KV) int { return cmp.Compare(a.Version, b.Version) },
		"VALUE":   func(a, b etcd.KV) int { return bytes.Compare(a.Value, b.Value) },
	}
	descend := false
	switch strings.ToUpper(order) {
	case "", "ASCEND":
	case "DESCEND":
		descend = true
	default:
		return nil, fail(exitBadFeature, "bad sort order %v", order)
	}
	less, ok := targets[strings.ToUpper(by)]
	switch {
	case !ok:
		return nil, fail(exitBadFeature, "bad sort target %v", by)
	case !descend:
		return less, nil
	case less == nil:
		less = targets["KEY"]
	}
	return func(a, b etcd.KV) int { return less(b, a) }, nil
}

// registry is where the API server keeps its objects.
const registry = "/registry/"

// mostOwn is how many keys of their own a class may put beside the API server's.
const mostOwn = 1000

// putCommand writes. What the API server keeps is left to it: an object is protobuf that nobody types, and one that
// nobody can read would keep the API server from starting.
func putCommand(r *run, flags *pflag.FlagSet) func([]string) error {
	prev := flags.Bool("prev-kv", false, "return the previous key-value pair before modification")
	return func(args []string) error {
		if len(args) == 0 || len(args) > 2 || len(args) == 1 && r.stdin == "" {
			return fail(exitBadArgs, "put command needs 1 argument and input from stdin or 2 arguments")
		}
		key, value := args[0], r.stdin
		if len(args) == 2 {
			value = args[1]
		}
		if strings.HasPrefix(key, registry) || r.store().Len()-r.objects() >= mostOwn {
			return &Refusal{RefusedKey, key}
		}
		m, err := r.dial(writing)
		if err != nil {
			return &failure{exitError, err}
		}
		old, had := r.store().Get(key)
		if err := r.propose(m, func(s *etcd.Store) error {
			_, err := s.Put(key, []byte(value), 0)
			return err
		}); err != nil {
			return err
		}
		h := r.header(m, true)
		said := struct {
			Header header    `json:"header"`
			Prev   *keyValue `json:"prev_kv,omitempty"`
		}{Header: h}
		if had && *prev {
			said.Prev = keyValueOf(old)
		}
		return r.print(answer{
			simple: func(out *bytes.Buffer) {
				if out.WriteString("OK\n"); said.Prev != nil {
					r.kvLines(out, old, false)
				}
			},
			json: said,
			fields: func(out *bytes.Buffer) {
				if r.head(out, h); said.Prev != nil {
					r.kvFields(out, old, "Prev")
				}
			},
		})
	}
}

// objects is how many keys are the API server's.
func (r *run) objects() int {
	got, err := r.store().Range(registry, etcd.PrefixEnd(registry), etcd.RangeOptions{CountOnly: true})
	if err != nil { // never: it asks for the present
		return 0
	}
	return got.Count
}

// delCommand deletes, whosever it is: that is a lesson.
func delCommand(r *run, flags *pflag.FlagSet) func([]string) error {
	k := keyRange{
		prefix:  flags.Bool("prefix", false, "delete keys with matching prefix"),
		fromKey: flags.Bool("from-key", false, "delete keys that are greater than or equal to the given key using byte compare"),
	}
	prev := flags.Bool("prev-kv", false, "return deleted key-value pairs")
	whole := flags.Bool("range", false, "delete range of keys")
	return func(args []string) error {
		if len(args) == 0 || len(args) > 2 {
			return fail(exitBadArgs, "del command needs one argument as key and an optional argument as range_end")
		}
		key, end, err := k.of(args)
		if err != nil {
			return err
		}
		if len(args) > 1 && !*whole {
			fmt.Fprintf(&r.err, "Warning: Keys between %q and %q will be deleted. Please interrupt the command within next 2 seconds to cancel. "+
				"You can provide `--range` flag to avoid the delay.\n", args[0], args[1])
		}
		m, err := r.dial(writing)
		if err != nil {
			return &failure{exitError, err}
		}
		if key == "" {
			return &failure{exitError, etcd.ErrEmptyKey}
		}
		var deleted []etcd.KV
		if err := r.propose(m, func(s *etcd.Store) (err error) {
			_, deleted, err = s.Delete(key, end)
			return err
		}); err != nil {
			return err
		}
		return r.printDeleted(r.header(m, true), deleted, *prev)
	}
}

func (r *run) printDeleted(h header, deleted []etcd.KV, prev bool) error {
	n := len(deleted)
	if !prev {
		deleted = nil
	}
	return r.print(answer{
		simple: func(out *bytes.Buffer) {
			fmt.Fprintln(out, n)
			for _, kv := range deleted {
				r.kvLines(out, kv, false)
			}
		},
		json: struct {
			Header  header      `json:"header"`
			Deleted int         `json:"deleted,omitempty"`
			Prev    []*keyValue `json:"prev_kvs,omitempty"`
		}{h, n, keyValues(deleted)},
		fields: func(out *bytes.Buffer) {
			r.head(out, h)
			fmt.Fprintf(out, "\"Deleted\" : %d\n", n)
			for _, kv := range deleted {
				r.kvFields(out, kv, "Prev")
			}
		},
	})
}

func compactionCommand(r *run, flags *pflag.FlagSet) func([]string) error {
	flags.Bool("physical", false, "'true' to wait for compaction to physically remove all old revisions")
	return func(args []string) error {
		if len(args) != 1 {
			return fail(exitBadArgs, "compaction command needs 1 argument")
		}
		rev, err := strconv.ParseInt(args[0], 10, 64)
		if err != nil {
			return &failure{exitError, err}
		}
		m, err := r.dial(writing)
		if err != nil {
			return &failure{exitError, err}
		}
		if err := r.propose(m, func(s *etcd.Store) error { return s.Compact(rev) }); err != nil {
			return err
		}
		fmt.Fprintf(&r.out, "compacted revision %d\n", rev)
		return nil
	}
}

// watchCommand shows what there has been since a revision, and ends: the real one would go on.
func watchCommand(r *run, flags *pflag.FlagSet) func([]string) error {
	prefix := flags.Bool("prefix", false, "Watch on a prefix if prefix is set")
	rev := flags.Int64("rev", 0, "Revision to start watching")
	prev := flags.Bool("prev-kv", false, "get the previous key-value pair before the event happens")
	return func(args []string) error {
		if len(args) == 0 {
			return fail(exitBadArgs, "bad number of arguments")
		}
		key, end := args[0], ""
		switch {
		case len(args) == 2 && *prefix:
			return fail(exitBadArgs, "`range_end` and `--prefix` are mutually exclusive")
		case len(args) > 2:
			return &Refusal{RefusedCommand, "watch … -- " + args[2]}
		case len(args) == 2:
			end = args[1]
		case *prefix && key == "":
			key, end = fromHereOn, fromHereOn
		case *prefix:
			end = etcd.PrefixEnd(key)
		}
		m, err := r.dial(anything)
		if err != nil {
			return &failure{exitError, err}
		}
		if m.Leader == 0 {
			return r.canceled(errors.New("etcdserver: no leader"))
		}
		w, err := r.store().Watch(key, end, *rev)
		if err != nil {
			return r.canceled(err)
		}
		events, err := w.Next(0)
		if err != nil {
			return r.canceled(err)
		}
		events = slices.DeleteFunc(events, func(e etcd.Event) bool { return e.KV.ModRev > m.Rev })
		if !*prev {
			for i := range events {
				events[i].Prev = nil
			}
		}
		r.result.Watched = true
		if len(events) == 0 {
			return nil
		}
		return r.printEvents(r.header(m, true), events)
	}
}

// canceled is how a watch ends that the server ends.
func (r *run) canceled(why error) error {
	fmt.Fprintf(&r.err, "watch was canceled (%v)\n", why)
	return fail(exitInterrupted, "watch is canceled by the server")
}

func (r *run) printEvents(h header, events []etcd.Event) error {
	type event struct {
		Type int       `json:"type,omitempty"`
		KV   *keyValue `json:"kv,omitempty"`
		Prev *keyValue `json:"prev_kv,omitempty"`
	}
	said := struct {
		Header          header
		Events          []event
		CompactRevision int64
		Canceled        bool
		Created         bool
	}{Header: h}
	for _, e := range events {
		one := event{Type: int(e.Type), KV: keyValueOf(e.KV)}
		if e.Prev != nil {
			one.Prev = keyValueOf(*e.Prev)
		}
		said.Events = append(said.Events, one)
	}
	return r.print(answer{
		simple: func(out *bytes.Buffer) {
			for _, e := range events {
				fmt.Fprintln(out, e.Type)
				if e.Prev != nil {
					r.kvLines(out, *e.Prev, false)
				}
				r.kvLines(out, e.KV, false)
			}
		},
		json: said,
		fields: func(out *bytes.Buffer) {
			r.head(out, h)
			for _, e := range events {
				fmt.Fprintf(out, "\"Type\" : %v\n", e.Type)
				if e.Prev != nil {
					r.kvFields(out, *e.Prev, "Prev")
				}
				r.kvFields(out, e.KV, "")
			}
		},
	})
}
