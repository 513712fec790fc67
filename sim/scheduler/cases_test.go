package scheduler

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// solved is what comes of a text: for each answer its ID, outcome and best nodes, for each mistake its line.
func solved(text string) string {
	var b strings.Builder
	err := Cases(strings.NewReader(text), func(line int, k *Case) error {
		a, err := k.Solve(noon)
		if err != nil {
			return &CaseError{err}
		}
		fmt.Fprintf(&b, "%d:%s %s %v\n", line, a.ID, a.Outcome, a.Best)
		return nil
	}, func(line int, err error) { fmt.Fprintf(&b, "%d: %v\n", line, err) })
	if err != nil {
		b.WriteString(err.Error())
	}
	return b.String()
}

func TestCases(t *testing.T) {
	const small = `{"id":"a","nodes":[{"metadata":{"name":"n"},"status":{"capacity":{"cpu":"1"}}}],"pods":[],"pod":{"spec":{"containers":[{"name":"c"}]}}}`
	for _, c := range []struct{ name, text, want string }{
		{"nothing", "", ""},
		{"blank lines", "\n \n\n", ""},
		{"a line without an end", small, "1:a scheduled [n]\n"},
		{"lines, some blank, some with a carriage return", small + "\r\n\n" + small + "\n\n", "1:a scheduled [n]\n3:a scheduled [n]\n"},
		{"a mark of byte order", "\xef\xbb\xbf" + small + "\n", "1:a scheduled [n]\n"},
		{"a bad line between good ones", small + "\n{\"id\":\n" + small + "\n", "1:a scheduled [n]\n2: unexpected end of JSON input\n3:a scheduled [n]\n"},
		{"a line that is something else", small + "\nnode-1\n" + small, "1:a scheduled [n]\n2: invalid character 'o' in literal null (expecting 'u')\n3:a scheduled [n]\n"},
		{"a wrong type", `{"nodes":3}`, "1: json: cannot unmarshal number into Go struct field Case.nodes of type []*v1.Node\n"},
		{"no pod", `{"id":"x"}` + "\n" + small, "1: the case has no pod to place\n2:a scheduled [n]\n"},
		{"no name", `{"pod":{},"nodes":[{}]}`, "1: node 1 has no name\n"},
		{"a bad object", `{"id":"x","pod":{},"objects":[{"kind":"Service","spec":3}]}`,
			"1: read Service: json: cannot unmarshal number into Go struct field Service.spec of type v1.ServiceSpec\n"},
		{"over several lines", "{\n  \"id\": \"b\",\n  \"pod\": {}\n}\n{\n \"pod\": 3\n}\n" + small,
			"1:b unschedulable []\n5: json: cannot unmarshal number into Go struct field Case.pod of type v1.Pod\n8:a scheduled [n]\n"},
		{"YAML", "# by hand\nid: web\nnodes:\n- metadata: {name: node}\n  status: {allocatable: {cpu: 2}}\npod:\n  spec: {containers: [{name: c, resources: {limits: {cpu: 1}}}]}\n---\n\nid: z\npod: {}\n--- # end\nid: [\n",
			"1:web scheduled [node]\n10:z unschedulable []\n13: yaml: line 1: did not find expected node content\n"},
		{"what kubectl writes", `{"apiVersion":"v1","kind":"List","items":[{"kind":"Node","metadata":{"name":"n"},"status":{"allocatable":{"cpu":"1","pods":"1"}}},` +
			`{"kind":"Pod","metadata":{"name":"old"},"spec":{"nodeName":"n","containers":[]}},{"kind":"Pod","metadata":{"name":"new"},"spec":{"containers":[]}}]}`,
			"1: unschedulable []\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := solved(c.text); got != c.want {
				t.Errorf("got\n%swant\n%s", got, c.want)
			}
		})
	}
}

// What people leave out is filled in as an API server and a kubelet would.
func TestComplete(t *testing.T) {
	var answer *Answer
	text := `
nodes:
- {metadata: {name: a}, status: {capacity: {cpu: 1}}}
- {metadata: {name: b}, status: {allocatable: {cpu: 1}}}
pods:
- {metadata: {name: x}, spec: {nodeName: a, containers: [{name: c, resources: {limits: {cpu: 900m}}}]}}
- {metadata: {name: why}, spec: {nodeName: b, containers: [{name: c, resources: {requests: {cpu: 900m}}}]}}
- {metadata: {name: z}, spec: {nodeName: b, priorityClassName: system-node-critical, containers: []}}
objects:
- {kind: PriorityClass, metadata: {name: high}, value: 100}
pod: {spec: {priorityClassName: high, containers: [{name: c, resources: {limits: {cpu: 500m}}}]}}
`
	if err := Cases(strings.NewReader(text), func(_ int, k *Case) (err error) {
		answer, err = k.Solve(noon)
		return err
	}, nil); err != nil {
		t.Fatal(err)
	}
	const want = "0/2 nodes are available: 2 Insufficient cpu. preemption: found a potential placement for pod on node a, preempting 1 victims"
	if answer.Message != want || answer.Preemption.Victims[0] != "default/x" {
		t.Errorf("%s\nwant %s", answer.Message, want)
	}
}

// A case without an end must not be told twice, nor an error of the reader be lost.
type broken struct{ text *strings.Reader }

func (b broken) Read(p []byte) (int, error) {
	if n, err := b.text.Read(p); err == nil {
		return n, nil
	}
	return 0, errors.New("the pipe broke")
}

func TestSolveAllKeepsWhatIsAnswered(t *testing.T) {
	var out bytes.Buffer
	err := SolveAll(broken{strings.NewReader("{\"id\":\"a\",\"pod\":{}}\n{\"id\":")}, &out, SolveOptions{Now: noon})
	if err == nil || err.Error() != "read cases: the pipe broke" {
		t.Errorf("error %v", err)
	}
	if !strings.HasPrefix(out.String(), `{"id":"a","outcome":"unschedulable"`) {
		t.Errorf("written: %s", out.String())
	}
	if err := SolveAll(strings.NewReader("{"), &out, SolveOptions{Now: noon}); err == nil || err.Error() != "line 1: unexpected end of JSON input" {
		t.Errorf("without bad: %v", err)
	}
}

func FuzzCases(f *testing.F) {
	f.Add([]byte("{}\n{\n}\n"))
	f.Add([]byte("a: 1\n---\nb: 2"))
	f.Add([]byte(`{"pod":{},"nodes":[{"metadata":{"name":"n"}}],"pods":[{"spec":{"nodeName":"n"}}],"objects":[{"kind":"List","items":[{}]}]}`))
	f.Fuzz(func(t *testing.T, data []byte) { solved(string(data)) })
}

// Of a large cluster all nodes are in the answer, though the scheduler itself looks at some.
func TestSolveLooksAtAllNodes(t *testing.T) {
	k := &Case{Pod: somePod("web", "", "1")}
	for i := range 300 {
		k.Nodes = append(k.Nodes, benchNode(i))
	}
	k.Nodes[7].Spec.Unschedulable = true
	a, err := k.Solve(noon)
	if err != nil {
		t.Fatal(err)
	}
	if len(a.Feasible) != 299 || len(a.Totals) != 299 || len(a.Rejected) != 1 || len(a.Best) != 299 {
		t.Errorf("%d feasible, %d scored, %d rejected, %d best", len(a.Feasible), len(a.Totals), len(a.Rejected), len(a.Best))
	}
	s, err := k.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	if v := newCycle(s).decide(newPodInfo(k.Pod), noon); v.Feasible != 144 || v.Total != 300 { // 300·(50 − ⌊300/125⌋) %
		t.Errorf("the scheduler finds %d of %d", v.Feasible, v.Total)
	}
}
