package etcdctl

import (
	"errors"
	"net/url"
	"strings"
	"time"

	"timonier/sim/etcd"
)

// errDeadline is what etcdctl says, whatever it has waited for in vain.
var errDeadline = errors.New("context deadline exceeded")

// settle looks at the flags that all commands have. Without --endpoints those of all members are asked, as where
// ETCDCTL_ENDPOINTS names them.
func (r *run) settle() error {
	switch r.format = format(r.written); r.format {
	case simple, jsonFormat, fields, table:
	case "protobuf":
		return &Refusal{RefusedFlag, "-w protobuf"}
	default:
		return fail(exitBadFeature, "unsupported output format")
	}
	r.named = len(r.endpoints) > 0
	if !r.named {
		for _, m := range r.store().Members() {
			r.endpoints = append(r.endpoints, strings.TrimPrefix(m.ClientURL, "https://"))
		}
	}
	r.timeout = max(0, min(r.timeout, longestWait))
	return nil
}

// longestWait bounds --command-timeout.
const longestWait = time.Minute

func (r *run) store() *etcd.Store { return r.cluster.Store() }

// member is whom an endpoint reaches; false: nobody answers there.
func (r *run) member(endpoint string) (etcd.Member, bool) {
	host := endpoint
	if u, err := url.Parse(endpoint); err == nil && u.Host != "" {
		host = u.Host
	}
	name, port, _ := strings.Cut(host, ":")
	for i, m := range r.store().Members() {
		here := i == 0 && (name == "127.0.0.1" || name == "localhost") // etcdctl runs on the first member's machine
		if (name == m.Name || here) && port == "2379" && m.Role != etcd.Stopped {
			return m, true
		}
	}
	return etcd.Member{}, false
}

// all are the endpoints of a command that asks each: with --cluster, those that the members name.
func (r *run) all(cluster bool) ([]string, error) {
	if !cluster {
		return r.endpoints, nil
	}
	if _, err := r.dial(current); err != nil {
		return nil, fail(exitError, "failed to fetch endpoints from etcd cluster member list: %w", err)
	}
	var urls []string
	for _, m := range byID(r.store().Members()) {
		urls = append(urls, m.ClientURL)
	}
	return urls, nil
}

// need is what a command needs of the member that it asks.
type need int

const (
	anything need = iota // what it has
	current              // what all agree on: it waits until the member can be sure
	writing              // it waits for a leader, if the member knows of none
)

// dial finds a member that answers what is needed. What no one answers in time is errDeadline.
func (r *run) dial(what need) (etcd.Member, error) {
	found, ok := etcd.Member{}, false
	for _, e := range r.endpoints {
		if m, up := r.member(e); up && (!ok || found.Leader == 0 && m.Leader != 0) {
			found, ok = m, true
		}
	}
	if !ok {
		r.wait(func() bool { return false })
		return found, errDeadline
	}
	waits := what == current || what == writing && found.Leader == 0
	if waits && !r.wait(func() bool { return r.reaches(found.Name) }) {
		return found, errDeadline
	}
	found, ok = r.lookUp(found.Name)
	if !ok {
		return found, errDeadline
	}
	return found, nil
}

// reaches says whether a member answers for all.
func (r *run) reaches(name string) bool { return r.store().Answers(name) == nil }

// lookUp is a member as it is now; false: it does not run.
func (r *run) lookUp(name string) (etcd.Member, bool) {
	for _, m := range r.store().Members() {
		if m.Name == name {
			return m, m.Role != etcd.Stopped
		}
	}
	return etcd.Member{}, false
}

// wait lets the cluster's clock go on until done holds, for as long as a command may take in all.
func (r *run) wait(done func() bool) bool {
	left := r.timeout - r.cluster.Now().Sub(r.began)
	return done() || left > 0 && r.cluster.Until(left, done)
}

// propose has a member write, past the API server, which sees it by its watch.
func (r *run) propose(m etcd.Member, write func(*etcd.Store) error) error {
	var err error
	r.cluster.AtEtcd(func(s *etcd.Store) {
		before := s.Connect(m.Name)
		defer s.Connect(before)
		err = write(s)
	})
	switch {
	case errors.Is(err, etcd.ErrTimeout), errors.Is(err, etcd.ErrLost), errors.Is(err, etcd.ErrUnavailable):
		r.wait(func() bool { return false })
		return &failure{exitError, errDeadline}
	case err != nil:
		return &failure{exitError, err}
	}
	r.result.Wrote = true
	return nil
}

// header is what every response begins with.
type header struct {
	ClusterID uint64 `json:"cluster_id,omitempty"`
	MemberID  uint64 `json:"member_id,omitempty"`
	Revision  int64  `json:"revision,omitempty"`
	RaftTerm  uint64 `json:"raft_term,omitempty"`
}

// header is a member's as it is now; a response about members has no revision.
func (r *run) header(m etcd.Member, revision bool) header {
	if now, ok := r.lookUp(m.Name); ok {
		m = now
	}
	h := header{ClusterID: r.store().ClusterID(), MemberID: m.ID, RaftTerm: m.Term}
	if revision {
		h.Revision = m.Rev
	}
	return h
}
