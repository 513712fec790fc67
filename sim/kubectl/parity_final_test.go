package kubectl

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"timonier/sim"
)

// figured are the kinds of whose status a final state has the figures.
func figured() []string {
	return strings.Fields(`Deployment ReplicaSet StatefulSet DaemonSet Job CronJob PodDisruptionBudget ResourceQuota
		ReplicationController Namespace`)
}

// final is the state that a scenario leaves, as a recording has it: see the types' JSON.
func (p *stage) final(s *scenario, names normaliser) map[string]any {
	f := &finalState{names: names, ties: s.Ties}
	for _, n := range s.Nodes {
		f.nodes = append(f.nodes, n.Name)
	}
	for _, resource := range counted() {
		for _, o := range p.list(resource) {
			if !always(&o) {
				f.add(&o)
			}
		}
	}
	for _, o := range p.list("events") {
		f.addEvent(&o)
	}
	return f.parts()
}

// list reads a resource through the API as any client does.
func (p *stage) list(resource string) []unstructured.Unstructured {
	for _, r := range p.Server().Resources() {
		if r.Resource != resource || r.Group == "events.k8s.io" {
			continue
		}
		path := "/api/v1/" + resource
		if r.Group != "" {
			path = "/apis/" + r.Group + "/" + r.Version + "/" + resource
		}
		req, err := http.NewRequest(http.MethodGet, path, nil)
		if err != nil {
			p.t.Fatal(err)
		}
		resp := serve(p.Server().Handler(sim.Admin()), req)
		var list unstructured.UnstructuredList
		if err := json.NewDecoder(resp.Body).Decode(&list); err != nil {
			p.t.Fatal(err)
		}
		for i := range list.Items {
			if list.Items[i].GetKind() == "" {
				list.Items[i].SetKind(r.Kind)
			}
		}
		return list.Items
	}
	return nil // a kind that is not served
}

// always says of an object that it is in every cluster.
func always(o *unstructured.Unstructured) bool {
	namespace, name := o.GetNamespace(), o.GetName()
	switch o.GetKind() {
	case "Namespace":
		return name == "default" || strings.HasPrefix(name, "kube-")
	case "PriorityClass":
		return strings.HasPrefix(name, "system-")
	case "ServiceAccount":
		return name == "default" || strings.HasPrefix(namespace, "kube-")
	case "ConfigMap":
		return name == "kube-root-ca.crt" || strings.HasPrefix(namespace, "kube-")
	case "Service":
		return namespace == "default" && name == "kubernetes" || strings.HasPrefix(namespace, "kube-")
	}
	return strings.HasPrefix(namespace, "kube-")
}

// finalState is what a scenario leaves.
type finalState struct {
	names normaliser
	ties  bool
	nodes []string // the scenario's

	Nodes     []map[string]any `json:"nodes,omitempty"`
	Pods      []map[string]any `json:"pods,omitempty"`
	Spread    map[string][]int `json:"spread,omitempty"`
	Workloads []map[string]any `json:"workloads,omitempty"`
	Endpoints []map[string]any `json:"endpoints,omitempty"`
	Objects   []string         `json:"objects,omitempty"`
	Events    []map[string]any `json:"events,omitempty"`

	perNode map[string]map[string]int // owner, node: pods
}

// parts is the state as JSON has it, in the order in which recordings are.
func (f *finalState) parts() map[string]any {
	for owner, nodes := range f.perNode {
		if f.Spread == nil {
			f.Spread = map[string][]int{}
		}
		for _, n := range nodes {
			f.Spread[owner] = append(f.Spread[owner], n)
		}
		slices.Sort(f.Spread[owner])
	}
	slices.Sort(f.Objects)
	data, err := json.Marshal(f)
	if err != nil {
		panic(err) // of maps of strings and numbers it cannot fail
	}
	var parts map[string]any
	if err := json.Unmarshal(data, &parts); err != nil {
		panic(err)
	}
	return parts
}

// clean is a text with what varies, and in a scenario with ties the nodes, written in one way.
func (f *finalState) clean(text string) string {
	text = f.names.clean(text)
	return strings.Join(canonical(strings.Split(text, "\n")), "\n")
}

func (f *finalState) add(o *unstructured.Unstructured) {
	name := f.clean(o.GetName())
	if ns := o.GetNamespace(); ns != "" {
		name = ns + "/" + name
	}
	switch kind := o.GetKind(); {
	case kind == "Pod":
		f.addPod(o, name)
	case kind == "Node":
		f.Nodes = append(f.Nodes, trimmed(map[string]any{
			"name": o.GetName(), "ready": conditionOf(o, "Ready"), "unschedulable": at(o, "spec", "unschedulable"), "taints": taintsOf(o),
		}))
	case kind == "EndpointSlice":
		f.addEndpoints(o)
	case slices.Contains(figured(), kind):
		f.addWorkload(o, kind+"/"+name)
	case kind != "ControllerRevision":
		f.Objects = append(f.Objects, kind+"/"+name)
	}
}

func (f *finalState) addPod(o *unstructured.Unstructured, name string) {
	pod := map[string]any{
		"name": name, "node": at(o, "spec", "nodeName"), "phase": at(o, "status", "phase"), "reason": at(o, "status", "reason"),
		"nominated": at(o, "status", "nominatedNodeName"), "ready": conditionOf(o, "Ready") == "True",
		"terminating": o.GetDeletionTimestamp() != nil,
	}
	if owner := metav1.GetControllerOf(o); owner != nil {
		pod["owner"] = owner.Kind + "/" + f.clean(owner.Name)
	}
	for _, c := range conditionsOf(o) {
		if c["type"] == "PodScheduled" && c["status"] == "False" {
			pod["unscheduled"] = f.clean(fmt.Sprint(c["message"]))
		}
	}
	if node, _ := pod["node"].(string); f.ties && node != "" {
		owner, _ := pod["owner"].(string)
		if f.perNode == nil {
			f.perNode = map[string]map[string]int{}
		}
		if f.perNode[owner] == nil {
			f.perNode[owner] = map[string]int{}
		}
		f.perNode[owner][node]++
		pod["node"] = "<node>"
	}
	pod = trimmed(pod)
	for _, p := range f.Pods {
		count := p["count"].(int)
		delete(p, "count")
		same := oneLine(p) == oneLine(pod)
		p["count"] = count
		if same {
			p["count"] = count + 1
			return
		}
	}
	pod["count"] = 1
	f.Pods = append(f.Pods, pod)
}

func (f *finalState) addWorkload(o *unstructured.Unstructured, name string) {
	w := map[string]any{"name": name, "desired": at(o, "spec", "replicas")}
	if n := at(o, "spec", "completions"); n != nil {
		w["desired"] = n
	}
	status := map[string]any{}
	all, _, _ := unstructured.NestedMap(o.Object, "status")
	for field, value := range all {
		switch value := value.(type) {
		case int64, bool:
			status[field] = value
		case string:
			status[field] = f.clean(value)
		case map[string]any:
			if field == "used" || field == "hard" {
				status[field] = value
			}
		}
	}
	if len(status) > 0 {
		w["status"] = status
	}
	var conditions []string
	for _, c := range conditionsOf(o) {
		text := fmt.Sprintf("%v=%v", c["type"], c["status"])
		if reason, _ := c["reason"].(string); reason != "" {
			text += " " + reason
		}
		if message, _ := c["message"].(string); message != "" {
			text += ": " + f.clean(message)
		}
		conditions = append(conditions, text)
	}
	slices.Sort(conditions)
	if conditions != nil {
		w["conditions"] = conditions
	}
	if w["desired"] == nil {
		delete(w, "desired")
	}
	f.Workloads = append(f.Workloads, w)
}

func (f *finalState) addEndpoints(o *unstructured.Unstructured) {
	e := map[string]any{"service": o.GetLabels()["kubernetes.io/service-name"]}
	var ports []string
	for _, p := range mapsIn(o, "ports") {
		ports = append(ports, fmt.Sprintf("%v:%v/%v", p["name"], p["port"], p["protocol"]))
	}
	if ports != nil {
		e["ports"] = ports
	}
	ready, not := 0, 0
	for _, p := range mapsIn(o, "endpoints") {
		if ok, _, _ := unstructured.NestedBool(p, "conditions", "ready"); ok {
			ready++
		} else {
			not++
		}
	}
	if e["ready"] = ready; not > 0 {
		e["notReady"] = not
	}
	f.Endpoints = append(f.Endpoints, e)
}

func (f *finalState) addEvent(o *unstructured.Unstructured) {
	about, _, _ := unstructured.NestedStringMap(o.Object, "involvedObject")
	if strings.HasPrefix(about["namespace"], "kube-") {
		return
	}
	message, _, _ := unstructured.NestedString(o.Object, "message")
	e := map[string]any{"object": about["kind"] + "/" + f.clean(about["name"]), "type": at(o, "type"), "reason": at(o, "reason"), "message": f.clean(message)}
	if !slices.ContainsFunc(f.Events, func(other map[string]any) bool { return oneLine(other) == oneLine(e) }) {
		f.Events = append(f.Events, e)
	}
}

// at is a field; nil: it is not there.
func at(o *unstructured.Unstructured, path ...string) any {
	v, _, _ := unstructured.NestedFieldNoCopy(o.Object, path...)
	return v
}

func mapsIn(o *unstructured.Unstructured, path ...string) (all []map[string]any) {
	list, _, _ := unstructured.NestedSlice(o.Object, path...)
	for _, e := range list {
		if m, ok := e.(map[string]any); ok {
			all = append(all, m)
		}
	}
	return all
}

func conditionsOf(o *unstructured.Unstructured) []map[string]any {
	return mapsIn(o, "status", "conditions")
}

func conditionOf(o *unstructured.Unstructured, kind string) string {
	for _, c := range conditionsOf(o) {
		if c["type"] == kind {
			return fmt.Sprint(c["status"])
		}
	}
	return ""
}

func taintsOf(o *unstructured.Unstructured) (all []string) {
	for _, t := range mapsIn(o, "spec", "taints") {
		value, _ := t["value"].(string)
		all = append(all, fmt.Sprintf("%v=%s:%v", t["key"], value, t["effect"]))
	}
	slices.Sort(all)
	return all
}

// trimmed drops the fields that say nothing.
func trimmed(m map[string]any) map[string]any {
	for k, v := range m {
		switch v := v.(type) {
		case nil:
			delete(m, k)
		case bool:
			if !v {
				delete(m, k)
			}
		case string:
			if v == "" && k != "name" && k != "ready" && k != "phase" {
				delete(m, k)
			}
		case []string:
			if v == nil {
				delete(m, k)
			}
		}
	}
	return m
}
