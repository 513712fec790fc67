package scheduler

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// lines reads a compressed file of testdata, line by line.
func lines(t testing.TB, name string) [][]byte {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var list [][]byte
	in := bufio.NewScanner(z)
	in.Buffer(nil, 16<<20)
	for in.Scan() {
		list = append(list, append([]byte(nil), in.Bytes()...))
	}
	if err := in.Err(); err != nil {
		t.Fatal(err)
	}
	return list
}

func golden(t testing.TB) (cases []*Case, answers []*Answer) {
	t.Helper()
	for _, line := range lines(t, "cases.jsonl.gz") {
		k := &Case{}
		if err := json.Unmarshal(line, k); err != nil {
			t.Fatal(err)
		}
		cases = append(cases, k)
	}
	for _, line := range lines(t, "answers.jsonl.gz") {
		a := &Answer{}
		if err := json.Unmarshal(line, a); err != nil {
			t.Fatal(err)
		}
		for _, scores := range a.Scores { // 0 throughout, and of no concern here
			delete(scores, "VolumeBinding")
			delete(scores, "DynamicResources")
		}
		answers = append(answers, a)
	}
	return cases, answers
}

var noon = time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)

// TestGolden gives the answers that kube-scheduler 1.37.2 has given, in every field.
func TestGolden(t *testing.T) {
	cases, answers := golden(t)
	if len(cases) != 1500 || len(answers) != len(cases) {
		t.Fatalf("%d cases and %d answers, want 1500 of each", len(cases), len(answers))
	}
	equal := 0
	for i, k := range cases {
		got, err := k.Solve(noon)
		if err != nil {
			t.Fatal(err)
		}
		if same(t, k, answers[i], got) {
			equal++
		}
	}
	t.Logf("%d of %d equal", equal, len(cases))
}

// TestSolveAll reads and writes lines; what it writes says the same as what the real one has written, in the same order.
func TestSolveAll(t *testing.T) {
	var in, out bytes.Buffer
	for _, line := range lines(t, "cases.jsonl.gz") {
		in.Write(append(line, '\n'))
	}
	if err := SolveAll(&in, &out, SolveOptions{Now: noon}); err != nil {
		t.Fatal(err)
	}
	_, answers := golden(t)
	written := bytes.Split(bytes.TrimSpace(out.Bytes()), []byte("\n"))
	if len(written) != len(answers) {
		t.Fatalf("%d lines, want %d", len(written), len(answers))
	}
	for i, line := range written {
		got := &Answer{}
		if err := json.Unmarshal(line, got); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, answers[i]) {
			t.Errorf("%s is written as %s", answers[i].ID, line)
		}
	}
}

// same compares field by field, so that a difference is shown where it is.
func same(t *testing.T, k *Case, want, got *Answer) bool {
	t.Helper()
	ok := true
	w, g := reflect.ValueOf(*want), reflect.ValueOf(*got)
	for i := range w.NumField() {
		a, b := w.Field(i).Interface(), g.Field(i).Interface()
		if !reflect.DeepEqual(a, b) {
			ok = false
			x, _ := json.Marshal(a)
			y, _ := json.Marshal(b)
			t.Errorf("%s %v %s\n want %s\n got  %s", k.ID, k.Areas, w.Type().Field(i).Name, x, y)
		}
	}
	return ok
}

// TestOrder gives the same verdict, to the byte, in whatever order the objects come.
func TestOrder(t *testing.T) {
	cases, _ := golden(t)
	r := rand.New(rand.NewPCG(1, 2))
	for _, k := range cases[:300] {
		before := verdictOf(t, k)
		r.Shuffle(len(k.Nodes), func(i, j int) { k.Nodes[i], k.Nodes[j] = k.Nodes[j], k.Nodes[i] })
		r.Shuffle(len(k.Pods), func(i, j int) { k.Pods[i], k.Pods[j] = k.Pods[j], k.Pods[i] })
		if after := verdictOf(t, k); after != before {
			t.Errorf("%s: in another order\n%s\nwas\n%s", k.ID, after, before)
		}
	}
}

func verdictOf(t *testing.T, k *Case) string {
	t.Helper()
	data, err := json.Marshal(k.snapshot(t).Decide(k.Pod, noon))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// snapshot is the cluster of a case, fed in another order than Solve does: pods before their nodes.
func (k *Case) snapshot(t testing.TB) *Snapshot {
	t.Helper()
	s := NewSnapshot()
	for _, p := range k.Pods {
		s.Put(p)
	}
	for _, n := range k.Nodes {
		s.Put(n)
	}
	for _, raw := range k.Objects {
		if o, err := decodeObject(raw); err != nil {
			t.Fatal(err)
		} else if o != nil {
			s.Put(o)
		}
	}
	return s
}

func quantities(pairs ...string) v1.ResourceList {
	list := v1.ResourceList{}
	for i := 0; i < len(pairs); i += 2 {
		list[v1.ResourceName(pairs[i])] = resource.MustParse(pairs[i+1])
	}
	return list
}
