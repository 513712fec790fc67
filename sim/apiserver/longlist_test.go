package apiserver

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/scheme"
)

// items are that many of a list in JSON, # being their number.
func items(n int, form string) string {
	all := make([]string, n)
	for i := range all {
		all[i] = strings.ReplaceAll(form, "#", fmt.Sprint(i))
	}
	return strings.Join(all, ",")
}

func TestLongestList(t *testing.T) {
	const many = MaxItems + 1
	for text, want := range map[string]int{
		"":                                     0,
		"[1]":                                  0, // too short to matter
		`{"a":[` + items(many, `"b,b"`) + `]}`: many,
		`{"a":{"b":[[],{},[` + items(many, `{"c":"\"],[","d":2}`) + `]]}}`:       many,
		`{"a":[` + items(100, `[`+items(100, `1`)+`]`) + `]}`:                    100,
		"{" + items(many, `"k#":1`) + "}":                                        0,
		"a:\n" + strings.Repeat("- b\n", many):                                   many,
		"a: b\n---\na: [" + items(many, "c#") + "]\n---\nb: c\n":                 many,
		"{a: [" + items(many, "c#") + "]}":                                       many,
		"a: [" + items(many, "c#"):                                               0, // it is nothing
		"a: |\n" + strings.Repeat("  - b\n", many):                               0,
		strings.Repeat("a=b,", many):                                             0,
		strings.Repeat("[", 100_000):                                             0,
		`"` + strings.Repeat("[1,", many) + `"`:                                  0,
		strings.Repeat("x", 1<<20):                                               0,
		`{"a":[` + items(many, "1") + `]}` + "\n---\n" + `{"a":[` + "1,2" + `]}`: many,
	} {
		if got := LongestList([]byte(text)); got != want {
			t.Errorf("%.60q…: %d, want %d", text, got, want)
		}
	}
}

// FuzzLongestList: of valid JSON, it is what decoding it says; of anything, it is a number.
func FuzzLongestList(f *testing.F) {
	for _, s := range []string{`[[1,2],"],[",{"a":[3]}]`, `{"a\"":"[","b":[]}`, "null", `"\\"`, "- a\n---\n- b", "]"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		_ = LongestList([]byte(text + strings.Repeat(" ", shortest)))
		var v any
		if !json.Valid([]byte(text)) || json.Unmarshal([]byte(text), &v) != nil {
			return
		}
		var longest func(any) int
		longest = func(v any) (n int) {
			switch v := v.(type) {
			case []any:
				if len(v) > 1 { // a comma is what tells
					n = len(v)
				}
				for _, x := range v {
					n = max(n, longest(x))
				}
			case map[string]any:
				for _, x := range v {
					n = max(n, longest(x))
				}
			}
			return n
		}
		if got, want := longestIn([]byte(text), 0), longest(v); got != want && !doubleKeys([]byte(text)) {
			t.Errorf("%s: %d, want %d", text, got, want)
		}
	})
}

// doubleKeys says that decoding drops something.
func doubleKeys(data []byte) bool {
	d := json.NewDecoder(strings.NewReader(string(data)))
	type level struct {
		keys map[string]bool
		key  bool // comes next
	}
	var open []level
	for {
		token, err := d.Token()
		if err != nil {
			return false
		}
		top := len(open) - 1
		switch x := token.(type) {
		case json.Delim:
			switch x {
			case '{':
				if top >= 0 {
					open[top].key = open[top].keys != nil
				}
				open = append(open, level{map[string]bool{}, true})
			case '[':
				if top >= 0 {
					open[top].key = open[top].keys != nil
				}
				open = append(open, level{})
			default:
				open = open[:top]
			}
		case string:
			if top >= 0 && open[top].key {
				if open[top].keys[x] {
					return true
				}
				open[top].keys[x], open[top].key = true, false
				continue
			}
			if top >= 0 {
				open[top].key = open[top].keys != nil
			}
		default:
			if top >= 0 {
				open[top].key = open[top].keys != nil
			}
		}
	}
}

// A list that would take long to merge, compare or validate is refused first, in whatever format and by whatever verb.
func TestLongListsAreRefused(t *testing.T) {
	const many = 60_000
	container := items(many, `{"name":"c#","image":"i"}`)
	web := `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"},"spec":{"template":{"spec":{"containers":[` + container + `]}}}}`
	pod := corev1.Pod{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"}, ObjectMeta: metav1.ObjectMeta{Name: "long"}}
	for i := range many {
		pod.Spec.Containers = append(pod.Spec.Containers, corev1.Container{Name: fmt.Sprint("c", i), Image: "i"})
	}
	info := scheme.Codecs.SupportedMediaTypes()[2]
	var binary strings.Builder
	if err := info.Serializer.Encode(&pod, &binary); err != nil || info.MediaType != "application/vnd.kubernetes.protobuf" {
		t.Fatal(info.MediaType, err)
	}
	w := furnished(t)
	began := time.Now()
	for name, c := range map[string][]string{
		"create":              {"POST " + deployments, strings.Replace(web, `"web"`, `"long"`, 1)},
		"create by YAML":      {"POST " + deployments, yamlBody, "metadata: {name: long}\nspec:\n  template:\n    spec:\n      containers:\n" + strings.Repeat("      - {name: c}\n", many)},
		"create by protobuf":  {"POST " + pods, "Content-Type: " + info.MediaType, binary.String()},
		"update":              {"PUT " + deployments + "/web", web},
		"strategic patch":     {"PATCH " + deployments + "/web", strategic, web},
		"order":               {"PATCH " + deployments + "/web", strategic, `{"spec":{"template":{"spec":{"$setElementOrder/containers":[` + container + `]}}}}`},
		"merge patch":         {"PATCH " + deployments + "/web", mergePatch, web},
		"apply":               {"PATCH " + deployments + "/web?fieldManager=me", apply, web},
		"JSON patch":          {"PATCH " + deployments + "/web", jsonPatch, `[{"op":"add","path":"/spec/template/spec/containers","value":[` + container + `]}]`},
		"JSON patch of steps": {"PATCH " + deployments + "/web", jsonPatch, `[` + items(MaxItems+10, `{"op":"add","path":"/spec/template/spec/containers/0","value":{"name":"c#"}}`) + `]`},
		"owners":              {"POST " + configMaps, `{"metadata":{"name":"x","ownerReferences":[` + items(MaxItems+1, `{"uid":"#"}`) + `]}}`},
	} {
		a := w.call(c[0], c[1:]...)
		if a.code != 413 || !strings.Contains(a.message(t), "Request entity too large: a list has ") {
			t.Errorf("%s: %d %.200s", name, a.code, a.body)
		}
	}
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("it took %v", took)
	}
	if n := longestOf(reflect.ValueOf(&pod)); n != many {
		t.Error(n)
	}
}
