package etcdctl

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"timonier/sim/etcd"
)

func leaseList(r *run, _ *pflag.FlagSet) func([]string) error {
	return func([]string) error {
		m, err := r.dial(anything)
		if err != nil {
			return &failure{exitBadConnection, err}
		}
		type lease struct {
			ID int64 `json:"id"`
		}
		said := struct {
			header
			Leases []lease `json:"leases"`
		}{header: r.header(m, true)}
		for _, l := range r.store().Leases() {
			said.Leases = append(said.Leases, lease{l.ID})
		}
		return r.print(answer{
			simple: func(out *bytes.Buffer) {
				fmt.Fprintf(out, "found %d leases\n", len(said.Leases))
				for _, l := range said.Leases {
					fmt.Fprintf(out, "%016x\n", l.ID)
				}
			},
			json: said,
			fields: func(out *bytes.Buffer) {
				r.head(out, said.header)
				for _, l := range said.Leases {
					fmt.Fprintf(out, "\"ID\" : %s\n", r.leaseID(l.ID))
				}
			},
		})
	}
}

func (r *run) leaseID(id int64) string {
	if r.hex {
		return fmt.Sprintf("%016x", id)
	}
	return fmt.Sprint(id)
}

// lifetime is what is left of a lease; a lease that is not there has a TTL of -1.
type lifetime struct {
	header
	ID      int64    `json:"id"`
	TTL     int64    `json:"ttl"`         // seconds left
	Granted int64    `json:"granted-ttl"` // … of so many
	Keys    [][]byte `json:"keys"`
}

func leaseTimeToLive(r *run, flags *pflag.FlagSet) func([]string) error {
	keys := flags.Bool("keys", false, "Get keys attached to this lease")
	return func(args []string) error {
		if len(args) != 1 {
			return fail(exitBadArgs, "lease timetolive command needs lease ID as argument")
		}
		id, err := strconv.ParseInt(args[0], 16, 64)
		if err != nil {
			return fail(exitBadArgs, "bad lease ID arg (%w), expecting ID in Hex", err)
		}
		m, err := r.dial(current)
		if err != nil {
			return &failure{exitBadConnection, err}
		}
		said := r.lifetime(m, id, *keys)
		return r.print(answer{
			simple: func(out *bytes.Buffer) { said.simple(out, *keys) },
			json:   said,
			fields: func(out *bytes.Buffer) {
				r.head(out, said.header)
				fmt.Fprintf(out, "\"ID\" : %s\n\"TTL\" : %d\n\"GrantedTTL\" : %d\n", r.leaseID(id), said.TTL, said.Granted)
				for _, k := range said.Keys {
					fmt.Fprintf(out, "\"Key\" : %q\n", k)
				}
			},
		})
	}
}

func (r *run) lifetime(m etcd.Member, id int64, keys bool) lifetime {
	said := lifetime{header: r.header(m, true), ID: id, TTL: -1}
	for _, l := range r.store().Leases() {
		if l.ID != id {
			continue
		}
		said.TTL, said.Granted = int64(l.Expiry.Sub(r.cluster.Now())/time.Second), int64(l.TTL/time.Second)
		for _, k := range l.Keys {
			if keys {
				said.Keys = append(said.Keys, []byte(k))
			}
		}
	}
	return said
}

func (l lifetime) simple(out *bytes.Buffer, keys bool) {
	if l.Granted == 0 && l.TTL == -1 {
		fmt.Fprintf(out, "lease %016x already expired\n", l.ID)
		return
	}
	fmt.Fprintf(out, "lease %016x granted with TTL(%ds), remaining(%ds)", l.ID, l.Granted, l.TTL)
	if keys {
		var names []string
		for _, k := range l.Keys {
			names = append(names, string(k))
		}
		fmt.Fprintf(out, ", attached keys([%s])", strings.Join(names, " "))
	}
	out.WriteString("\n")
}
