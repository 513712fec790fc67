package etcdctl

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"timonier/sim"
)

// shelf keeps snapshots for a test: only their names.
type shelf struct {
	names []string
	err   error
}

func (s *shelf) Save(name string) error {
	s.names = append(s.names, name)
	return s.err
}
func (s *shelf) Restore(name string) error {
	for _, n := range s.names {
		if n == name {
			return s.err
		}
	}
	return ErrNoSnapshot
}
func (s *shelf) Open(string) (*sim.Cluster, error) { return nil, ErrNoSnapshot }
func (s *shelf) List() []string                    { return s.names }

func TestASnapshotTakesTheClustersPlace(t *testing.T) {
	c, err := sim.New(sim.Config{})
	if err != nil {
		t.Fatal(err)
	}
	kept := &shelf{}
	if r, err := Run(c, []string{"snapshot", "save", "before"}, "", kept); err != nil || r.Code != 0 || !strings.Contains(r.Stdout, "Snapshot saved at before") {
		t.Fatalf("save: %+v, %v", r, err)
	}
	if r, err := Run(c, []string{"snapshot", "restore", "after"}, "", kept); err != nil || r.Code != exitError || r.Restored != "" {
		t.Fatalf("restore of none: %+v, %v", r, err)
	}
	if r, err := Run(c, []string{"snapshot", "restore", "before"}, "", kept); err != nil || r.Code != 0 || r.Restored != "before" {
		t.Fatalf("restore: %+v, %v", r, err)
	}
	kept.err = errors.New("disk full")
	if _, err := Run(c, []string{"snapshot", "save", "x"}, "", kept); err == nil {
		t.Error("an error that is ours was shown as the learner's")
	}
}

// What the real etcdctl 3.7.0 printed of three members, width by width.
func TestATableIsDrawnAsTheRealOneIs(t *testing.T) {
	const real = `┌──────────────────┬─────────┬────────┬────────────────────────┬────────────────────────┬────────────┐
│        ID        │ STATUS  │  NAME  │       PEER ADDRS       │      CLIENT ADDRS      │ IS LEARNER │
├──────────────────┼─────────┼────────┼────────────────────────┼────────────────────────┼────────────┤
│ 5cae315174de75b1 │ started │ etcd-2 │ http://127.0.0.1:24802 │ http://127.0.0.1:23792 │      false │
│ 71a84c8821a8935d │ started │ etcd-3 │ http://127.0.0.1:24803 │ http://127.0.0.1:23793 │      false │
└──────────────────┴─────────┴────────┴────────────────────────┴────────────────────────┴────────────┘
`
	var out bytes.Buffer
	printTable(&out, []string{"ID", "Status", "Name", "Peer Addrs", "Client Addrs", "Is Learner"}, [][]string{
		{"5cae315174de75b1", "started", "etcd-2", "http://127.0.0.1:24802", "http://127.0.0.1:23792", "false"},
		{"71a84c8821a8935d", "started", "etcd-3", "http://127.0.0.1:24803", "http://127.0.0.1:23793", "false"},
	})
	if out.String() != real {
		t.Errorf("\n%s", out.String())
	}
}

func TestSizesAreWordedAsTheRealOnesAre(t *testing.T) {
	for bytes, want := range map[int64]string{0: "0 B", 9: "9 B", 999: "999 B", 16384: "16 kB", 28672: "29 kB", 32768: "33 kB",
		2957312: "3.0 MB", 4000000: "4.0 MB", 5689344: "5.7 MB", 2 << 30: "2.1 GB"} {
		if got := human(bytes); got != want {
			t.Errorf("%d: %s, not %s", bytes, got, want)
		}
	}
}

func TestTheScreenIsSafe(t *testing.T) {
	for in, want := range map[string]string{
		"k8s\x00\n\x0f\n\x02v1": "k8s\n\nv1", "\x1b[31mred": "[31mred", "a\xff\xfeb\tc": "a\ufffd\ufffdb\tc",
		"é\u202eabc\r\n": "éabc\n", "\u0085x": "x",
	} {
		if got := onScreen([]byte(in)); got != want {
			t.Errorf("%q: %q, not %q", in, got, want)
		}
	}
}

// A value is an object as the real store has it: protobuf after the letters k8s and a zero.
func TestAValueIsProtobuf(t *testing.T) {
	c, err := sim.New(sim.Config{})
	if err != nil {
		t.Fatal(err)
	}
	r, err := Run(c, []string{"get", "/registry/namespaces/default", "--hex", "--print-value-only"}, "", &shelf{})
	if err != nil || !strings.HasPrefix(r.Stdout, `\x6b\x38\x73\x00\x0a`) {
		t.Errorf("%+v, %v", r, err)
	}
}

// Whatever is typed, etcdctl answers: it does not panic, is bounded in time, and leaves a cluster that can be saved
// and loaded again.
func FuzzCommandLine(f *testing.F) {
	for _, line := range []string{"get / --prefix -w json", "put a b", "del / --prefix", "del \x00 --from-key", "watch a --rev 1", "compact 30",
		"endpoint status --cluster -w table", "member list --hex", "snapshot status x", "lease timetolive 0 --keys", "alarm disarm", "defrag",
		"get a b --sort-by value --order descend --limit -1", "--endpoints etcd-2:2379,x put a -- -b", "get --rev 99999999999999999999", "help get",
		"get / --prefix --command-timeout -1s", "-w", "watch a b c", "__complete get "} {
		f.Add(line, "stdin")
	}
	f.Fuzz(func(t *testing.T, line, stdin string) {
		c, err := sim.New(sim.Config{})
		if err != nil {
			t.Fatal(err)
		}
		began := c.Now()
		kept := &memory{now: c}
		r, err := Run(c, strings.Fields(line), stdin, kept)
		if err != nil {
			t.Fatal(err)
		}
		if strings.ContainsAny(r.Stdout+r.Stderr, "\x00\x1b\r") {
			t.Errorf("%q: %q", line, r.Stdout+r.Stderr)
		}
		if c.Now().Sub(began) > 5*longestWait {
			t.Errorf("%q: it took %v", line, c.Now().Sub(began))
		}
		if err := kept.Save("x"); err != nil {
			t.Fatal(err)
		}
		if _, err := kept.Open("x"); err != nil {
			t.Errorf("%q: what it left does not load: %v", line, err)
		}
	})
}

// What a line is of is what etcdctl would do, wherever its flags stand and whatever their values look like.
func TestWords(t *testing.T) {
	for line, want := range map[string]string{
		"get /registry --prefix":                  "get /registry",
		"-w get -w simple put /a b":               "put /a b",
		"--write-out=json --endpoints get del /a": "del /a",
		"compact 5":                                    "compaction 5",
		"snapshot -w simple restore before":            "snapshot restore before",
		"--command-timeout 1s snapshot restore before": "snapshot restore before",
		"put /a -- -b":                                 "put /a -b",
		"help get":                                     "help get",
		"--help":                                       "",
		"":                                             "",
		"user add -x me":                               "user add me",
	} {
		if got := strings.Join(Words(strings.Fields(line)), " "); got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}
