package etcdctl

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"timonier/sim/etcd"
)

// byID are members as etcd lists them.
func byID(members []etcd.Member) []etcd.Member {
	return slices.SortedFunc(slices.Values(members), func(a, b etcd.Member) int { return cmp.Compare(a.ID, b.ID) })
}

func memberList(r *run, flags *pflag.FlagSet) func([]string) error {
	consistency := flags.String("consistency", "l", "Linearizable(l) or Serializable(s)")
	return func([]string) error {
		needs, err := consistencyOf(*consistency)
		if err != nil {
			return err
		}
		m, err := r.dial(needs)
		if err != nil {
			return &failure{exitError, err}
		}
		return r.printMembers(r.header(m, false), byID(r.store().Members()))
	}
}

func (r *run) printMembers(h header, members []etcd.Member) error {
	var rows [][]string
	for _, m := range members {
		rows = append(rows, []string{fmt.Sprintf("%x", m.ID), "started", m.Name, m.PeerURL, m.ClientURL, "false"})
	}
	return r.print(answer{
		simple: lines(rows),
		json:   r.membersJSON(h, members),
		fields: func(out *bytes.Buffer) {
			r.head(out, h)
			for _, m := range members {
				fmt.Fprintf(out, "\"ID\" : %s\n\"Name\" : %q\n\"PeerURL\" : %q\n\"ClientURL\" : %q\n\"IsLearner\" : false\n\n", r.id(m.ID), m.Name, m.PeerURL, m.ClientURL)
			}
		},
		table: func() ([]string, [][]string) {
			return []string{"ID", "Status", "Name", "Peer Addrs", "Client Addrs", "Is Learner"}, rows
		},
	})
}

// membersJSON has IDs as numbers, or with --hex as text.
func (r *run) membersJSON(h header, members []etcd.Member) any {
	type member struct {
		ID         any      `json:"ID"`
		Name       string   `json:"name"`
		PeerURLs   []string `json:"peerURLs"`
		ClientURLs []string `json:"clientURLs"`
	}
	type list struct {
		Header  any      `json:"header"`
		Members []member `json:"members"`
	}
	said := list{Header: h}
	if r.hex {
		said.Header = struct {
			ClusterID string `json:"cluster_id"`
			MemberID  string `json:"member_id"`
			RaftTerm  uint64 `json:"raft_term,omitempty"`
		}{r.id(h.ClusterID), r.id(h.MemberID), h.RaftTerm}
	}
	for _, m := range members {
		one := member{ID: m.ID, Name: m.Name, PeerURLs: []string{m.PeerURL}, ClientURLs: []string{m.ClientURL}}
		if r.hex {
			one.ID = r.id(m.ID)
		}
		said.Members = append(said.Members, one)
	}
	return said
}

// status is what one endpoint says of itself.
type status struct {
	Header           header   `json:"header"`
	Version          string   `json:"version"`
	DBSize           int64    `json:"dbSize"`
	Leader           uint64   `json:"leader,omitempty"`
	RaftIndex        uint64   `json:"raftIndex"`
	RaftTerm         uint64   `json:"raftTerm"`
	RaftAppliedIndex uint64   `json:"raftAppliedIndex"`
	Errors           []string `json:"errors,omitempty"`
	DBSizeInUse      int64    `json:"dbSizeInUse"`
	StorageVersion   string   `json:"storageVersion"`
	DBSizeQuota      int64    `json:"dbSizeQuota"`
	Downgrade        struct{} `json:"downgradeInfo"`
}

type endpointStatusOf struct {
	Endpoint string
	Status   status
}

func (r *run) statusOf(m etcd.Member) status {
	s := status{Header: r.header(m, true), Version: Version, DBSize: m.Size, Leader: m.Leader, RaftIndex: m.Index, RaftTerm: m.Term,
		RaftAppliedIndex: m.Applied, DBSizeInUse: m.InUse, StorageVersion: Version, DBSizeQuota: r.store().Quota()}
	if m.Leader == 0 {
		s.Errors = append(s.Errors, "etcdserver: no leader")
	}
	if id, on := r.store().Alarm(); on {
		s.Errors = append(s.Errors, alarmText(id))
	}
	return s
}

func alarmText(id uint64) string { return fmt.Sprintf("memberID:%d alarm:NOSPACE", id) }

func endpointStatus(r *run, flags *pflag.FlagSet) func([]string) error {
	cluster := flags.Bool("cluster", false, "use all endpoints from the cluster member list")
	return func([]string) error {
		endpoints, err := r.all(*cluster)
		if err != nil {
			return err
		}
		var all []endpointStatusOf
		failed := false
		for _, e := range endpoints {
			m, ok := r.member(e)
			if !ok {
				r.began = r.cluster.Now() // each has its own timeout
				r.wait(func() bool { return false })
				fmt.Fprintf(&r.err, "Failed to get the status of endpoint %s (%v)\n", e, errDeadline)
				failed = true
				continue
			}
			all = append(all, endpointStatusOf{e, r.statusOf(m)})
		}
		if err := r.printStatus(all); err != nil {
			return err
		}
		if failed {
			return &failure{code: exitError}
		}
		return nil
	}
}

func (r *run) printStatus(all []endpointStatusOf) error {
	var rows [][]string
	for _, e := range all {
		s := e.Status
		rows = append(rows, []string{e.Endpoint, fmt.Sprintf("%x", s.Header.MemberID), s.Version, s.StorageVersion, human(s.DBSize), human(s.DBSizeInUse),
			fmt.Sprintf("%d%%", 100-s.DBSizeInUse*100/s.DBSize), human(s.DBSizeQuota), strconv.FormatBool(s.Leader == s.Header.MemberID), "false",
			fmt.Sprint(s.RaftTerm), fmt.Sprint(s.RaftIndex), fmt.Sprint(s.RaftAppliedIndex), strings.Join(s.Errors, ", "), "", "false"})
	}
	return r.print(answer{
		simple: lines(rows),
		json:   all,
		fields: func(out *bytes.Buffer) {
			for _, e := range all {
				s := e.Status
				r.head(out, s.Header)
				fmt.Fprintf(out, "\"Version\" : %q\n\"StorageVersion\" : %q\n\"DBSize\" : %d\n\"DBSizeInUse\" : %d\n\"DBSizeQuota\" : %d\n\"Leader\" : %d\n\"IsLearner\" : false\n"+
					"\"RaftIndex\" : %d\n\"RaftTerm\" : %d\n\"RaftAppliedIndex\" : %d\n\"Errors\" : %v\n\"Endpoint\" : %q\n\"DowngradeTargetVersion\" : \"\"\n\"DowngradeEnabled\" : false\n\n",
					s.Version, s.StorageVersion, s.DBSize, s.DBSizeInUse, s.DBSizeQuota, s.Leader, s.RaftIndex, s.RaftTerm, s.RaftAppliedIndex, s.Errors, e.Endpoint)
			}
		},
		table: func() ([]string, [][]string) {
			return []string{"endpoint", "ID", "version", "storage version", "db size", "in use", "percentage not in use", "quota", "is leader", "is learner",
				"raft term", "raft index", "raft applied index", "errors", "downgrade target version", "downgrade enabled"}, rows
		},
	})
}

// health is what one endpoint answers to a read that has to be current.
type health struct {
	Endpoint string `json:"endpoint"`
	Health   bool   `json:"health"`
	Took     string `json:"took"`
	Error    string `json:"error,omitempty"`
}

const (
	answers      = 3 * time.Millisecond  // what a healthy member takes
	defragmented = 15 * time.Millisecond // … to write its file anew
)

func endpointHealth(r *run, flags *pflag.FlagSet) func([]string) error {
	cluster := flags.Bool("cluster", false, "use all endpoints from the cluster member list")
	return func([]string) error {
		endpoints, err := r.all(*cluster)
		if err != nil {
			return err
		}
		r.began = r.cluster.Now()
		r.wait(func() bool { return !slices.ContainsFunc(endpoints, func(e string) bool { return !r.healthy(e) }) })
		var all []health
		sick := false
		for _, e := range endpoints {
			h := health{Endpoint: e, Health: true, Took: answers.String()}
			if _, alarm := r.store().Alarm(); !r.healthy(e) {
				h.Health, h.Took, h.Error = false, r.timeout.String(), errDeadline.Error()
			} else if alarm {
				h.Health, h.Error = false, "Active Alarm(s): NOSPACE "
			}
			sick = sick || !h.Health
			all = append(all, h)
		}
		if err := r.printHealth(all); err != nil || !sick {
			return err
		}
		return fail(exitError, "unhealthy cluster")
	}
}

func (r *run) healthy(endpoint string) bool {
	m, ok := r.member(endpoint)
	return ok && m.Leader != 0 && r.reaches(m.Name)
}

func (r *run) printHealth(all []health) error {
	var rows [][]string
	for _, h := range all {
		rows = append(rows, []string{h.Endpoint, strconv.FormatBool(h.Health), h.Took, h.Error})
	}
	return r.print(answer{
		simple: func(out *bytes.Buffer) {
			for _, h := range all {
				if h.Error == "" {
					fmt.Fprintf(out, "%s is healthy: successfully committed proposal: took = %s\n", h.Endpoint, h.Took)
				} else {
					fmt.Fprintf(&r.err, "%s is unhealthy: failed to commit proposal: %s\n", h.Endpoint, h.Error)
				}
			}
		},
		json: all,
		fields: func(out *bytes.Buffer) {
			for _, h := range all {
				fmt.Fprintf(out, "\"Endpoint\" : %q\n\"Health\" : %v\n\"Took\" : %s\n\"Error\" : %s\n\n", h.Endpoint, h.Health, h.Took, h.Error)
			}
		},
		table: func() ([]string, [][]string) { return []string{"endpoint", "health", "took", "error"}, rows },
	})
}

type endpointHashOf struct {
	Endpoint string
	HashKV   struct {
		Header          header `json:"header"`
		Hash            uint32 `json:"hash"`
		CompactRevision int64  `json:"compact_revision,omitempty"`
		HashRevision    int64  `json:"hash_revision"`
	}
}

// endpointHash tells whether members have the same. The number is the model's own, not that of the real file.
func endpointHash(r *run, flags *pflag.FlagSet) func([]string) error {
	cluster := flags.Bool("cluster", false, "use all endpoints from the cluster member list")
	return func([]string) error {
		endpoints, err := r.all(*cluster)
		if err != nil {
			return err
		}
		var all []endpointHashOf
		var rows [][]string
		failed := false
		for _, e := range endpoints {
			m, ok := r.member(e)
			if !ok {
				r.began = r.cluster.Now()
				r.wait(func() bool { return false })
				fmt.Fprintf(&r.err, "Failed to get the hash of endpoint %s (%v)\n", e, errDeadline)
				failed = true
				continue
			}
			one := endpointHashOf{Endpoint: e}
			one.HashKV.Header, one.HashKV.Hash = r.header(m, true), uint32(m.Hash^m.Hash>>32)
			one.HashKV.CompactRevision, one.HashKV.HashRevision = r.store().CompactRev(), m.Rev
			all = append(all, one)
			rows = append(rows, []string{e, fmt.Sprint(one.HashKV.Hash), fmt.Sprint(m.Rev)})
		}
		err = r.print(answer{simple: lines(rows), json: all,
			fields: func(out *bytes.Buffer) {
				for _, one := range all {
					r.head(out, one.HashKV.Header)
					fmt.Fprintf(out, "\"Endpoint\" : %q\n\"Hash\" : %d\n\"HashRevision\" : %d\n\n", one.Endpoint, one.HashKV.Hash, one.HashKV.HashRevision)
				}
			},
			table: func() ([]string, [][]string) { return []string{"endpoint", "hash", "hash_revision"}, rows }})
		switch {
		case err != nil:
			return err
		case failed:
			return &failure{exitError, errDeadline}
		}
		return nil
	}
}

func defragCommand(r *run, flags *pflag.FlagSet) func([]string) error {
	cluster := flags.Bool("cluster", false, "use all endpoints from the cluster member list")
	return func([]string) error {
		endpoints, err := r.all(*cluster)
		if err != nil {
			return err
		}
		failed := false
		for _, e := range endpoints {
			if m, ok := r.member(e); ok && r.store().Defragment(m.Name) {
				r.result.Wrote = true
				fmt.Fprintf(&r.out, "Finished defragmenting etcd member[%s]. took %s\n", e, defragmented)
				continue
			}
			r.began = r.cluster.Now()
			r.wait(func() bool { return false })
			fmt.Fprintf(&r.err, "Failed to defragment etcd member[%s]. took %s. (%v)\n", e, r.timeout, errDeadline)
			failed = true
		}
		if failed {
			return &failure{code: exitError}
		}
		return nil
	}
}

func alarmList(r *run, _ *pflag.FlagSet) func([]string) error {
	return func(args []string) error {
		if len(args) > 0 {
			return fail(exitBadArgs, "alarm list command accepts no arguments")
		}
		m, err := r.dial(current)
		if err != nil {
			return &failure{exitError, err}
		}
		id, on := r.store().Alarm()
		return r.printAlarms(r.header(m, true), id, on)
	}
}

func alarmDisarm(r *run, _ *pflag.FlagSet) func([]string) error {
	return func(args []string) error {
		if len(args) > 0 {
			return fail(exitBadArgs, "alarm disarm command accepts no arguments")
		}
		m, err := r.dial(writing)
		if err != nil {
			return &failure{exitError, err}
		}
		id, on := r.store().Alarm()
		if on {
			if err := r.propose(m, (*etcd.Store).Disarm); err != nil {
				return err
			}
		}
		return r.printAlarms(r.header(m, true), id, on)
	}
}

func (r *run) printAlarms(h header, id uint64, on bool) error {
	type alarm struct {
		MemberID uint64 `json:"memberID"`
		Alarm    int    `json:"alarm"`
	}
	said := struct {
		Header header  `json:"header"`
		Alarms []alarm `json:"alarms,omitempty"`
	}{Header: h}
	if on {
		said.Alarms = []alarm{{id, 1}}
	}
	return r.print(answer{
		simple: func(out *bytes.Buffer) {
			if on {
				out.WriteString(alarmText(id) + "\n")
			}
		},
		json: said,
		fields: func(out *bytes.Buffer) {
			if r.head(out, h); on {
				fmt.Fprintf(out, "\"MemberID\" : %d\n\"AlarmType\" : NOSPACE\n\n", id)
			}
		},
	})
}
