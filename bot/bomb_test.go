package bot

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestBombs: a line that is small and means much work is answered in a moment, by a mistake or by what it asks for.
func TestBombs(t *testing.T) {
	aliases := "a0: &a0 [x,x,x,x,x,x,x,x,x]\n"
	for i := 1; i < 12; i++ {
		aliases += fmt.Sprintf("a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d,", i-1), 9), ","))
	}
	pod := "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
	for name, line := range map[string]string{
		"aliases":          "/kubectl apply -f -\n" + pod + aliases,
		"depth":            "/kubectl apply -f -\n" + pod + "data: " + strings.Repeat("[", 100_000),
		"depth of maps":    "/kubectl apply -f -\n" + strings.Repeat("{a: ", 50_000),
		"JSON":             "/kubectl apply -f -\n" + strings.Repeat(`{"a":`, 100_000),
		"documents":        "/kubectl apply -f -\n" + strings.Repeat("---\na: b\n", 20_000),
		"a template":       "/kubectl get nodes -o go-template='{{range 1000000000000}}{{end}}'",
		"a template again": "/kubectl get nodes -o go-template='{{define \"a\"}}{{template \"a\"}}{{end}}{{template \"a\"}}'",
		"a printed width":  "/kubectl get nodes -o go-template='{{printf \"%1000000000d\" 1}}'",
		"a path":           "/kubectl get nodes -o jsonpath='" + strings.Repeat("{..*}", 30) + "'",
		"selectors":        "/kubectl get pods -l '" + strings.Repeat("a=b,", 50_000) + "a=b'",
		"entities":         "/banque importe moodle\n<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY b \"bb\"><!ENTITY c \"&b;&b;\"><!ENTITY d SYSTEM \"file:///etc/passwd\">]><quiz>&c;&d;</quiz>",
		"elements":         "/banque importe moodle\n<quiz>" + strings.Repeat("<question>", 100_000),
		"GIFT":             "/banque importe gift\n" + strings.Repeat("{", 200_000),
		"CSV":              "/banque importe csv\n" + strings.Repeat("\"", 500_000),
		"Markdown":         "/banque ajoute\n::a:: " + strings.Repeat("[", 50_000) + strings.Repeat("*_", 50_000) + " {=b ~c}",
		"replicas":         "/kubectl create deployment a --image=nginx --replicas=2147483647",
		"words":            "/" + strings.Repeat("a ", 400_000),
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, "fr")
			s.leads = true
			began := time.Now()
			r := s.ask(line)
			if took := time.Since(began); took > 15*time.Second || r.Reference != "" {
				t.Errorf("%v, reference %q: %.200v", took, r.Reference, r.Blocks)
			}
			if err := s.tutor.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}
