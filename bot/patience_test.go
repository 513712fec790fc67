package bot

import (
	"runtime"
	"strings"
	"sync"
	"testing"

	"timonier/content"
)

// attempt is an exercise being done by somebody, as the tutor looks at it: after each line.
type attempt struct {
	t       *testing.T
	e       *content.Exercise
	stage   content.Stage
	since   uint64
	step    int
	ran     []string
	answers []string // to the lines since the last step that was reached
}

// attemptAt opens an exercise on a stage of its own, and reaches the steps before one by their solutions.
func attemptAt(t *testing.T, id string, step int) *attempt {
	t.Helper()
	e, ok := content.Default().Exercise(id)
	if !ok {
		t.Fatalf("no exercise %s", id)
	}
	stage, err := NewStage(content.Default(), e.Members)
	if err != nil {
		t.Fatal(err)
	}
	a := &attempt{t: t, e: e, stage: stage}
	for _, line := range e.Start {
		a.run(line.FR)
	}
	a.since, a.ran = stage.Cluster().Trace().Last(), nil
	for a.step < step {
		at := a.step
		for _, line := range e.Steps[at].Solution {
			a.type_(line.FR)
		}
		if a.step == at {
			t.Fatalf("%s: step %d is not reached by its solution: %s", id, at+1, a.missing())
		}
	}
	return a
}

func (a *attempt) run(line string) {
	answer, _, err := a.stage.Run(content.FR, line)
	if err != nil {
		a.t.Fatal(err)
	}
	a.answers = append(a.answers, "> "+line+"\n"+answer)
}

// type_ runs a line, and goes on to the first step that is not reached.
func (a *attempt) type_(line string) {
	a.run(line)
	a.ran = append(a.ran, line)
	for a.step < len(a.e.Steps) && len(a.unmet()) == 0 {
		a.step, a.ran, a.answers = a.step+1, nil, nil
	}
}

func (a *attempt) unmet() []content.Condition {
	unmet, err := a.e.Steps[a.step].Unmet(content.World{Cluster: a.stage.Cluster(), Since: a.since, Ran: a.ran})
	if err != nil {
		a.t.Fatal(err)
	}
	return unmet
}

func (a *attempt) missing() string {
	if a.step == len(a.e.Steps) {
		return "nothing"
	}
	var said []string
	for _, c := range a.unmet() {
		said = append(said, c.Missing.FR)
	}
	return strings.Join(said, " ") + "\n" + strings.Join(a.answers, "\n")
}

// TestExercisesWait takes twenty minutes before every line of every exercise: whoever thinks or goes for lunch loses nothing.
func TestExercisesWait(t *testing.T) {
	var wg sync.WaitGroup
	turns := make(chan struct{}, runtime.GOMAXPROCS(0))
	for n, e := range content.Default().Exercises {
		if !tried(n) {
			continue
		}
		wg.Go(func() {
			turns <- struct{}{}
			defer func() { <-turns }()
			a := attemptAt(t, e.ID, 0)
			for i, s := range e.Steps {
				if a.step > i { // reached while waiting
					continue
				}
				for _, line := range s.Solution {
					a.type_("/temps avance 20m")
					if a.step == i {
						a.type_(line.FR)
					}
				}
				if a.step == i {
					a.type_("/temps avance 20m")
				}
				if a.step == i {
					t.Errorf("%s: step %d is not reached by whoever waits: %s", e.ID, i+1, a.missing())
					return
				}
			}
		})
	}
	wg.Wait()
}

// ways are other ways through a step than the written one, from the step's beginning; wrong: they only look right.
var ways = []struct {
	exercise string
	step     int
	wrong    bool
	lines    []string
}{
	{"1.2-accueil", 1, false, []string{"/kubectl delete pods --all", "/temps avance 1m"}},
	{"1.2-accueil", 1, false, []string{"/kubectl delete pods -l app=accueil --force --grace-period=0", "/temps avance 1m"}},
	{"1.2-accueil", 1, true, []string{"/kubectl scale deployment accueil --replicas=0", "/temps avance 1m", "/kubectl scale deployment accueil --replicas=2", "/temps avance 1m"}},
	{"1.2-trois-puis-une", 0, false, []string{"/kubectl create deployment vitrine --image=nginx", "/kubectl scale deploy/vitrine --replicas=3", "/temps avance 1m"}},
	{"1.2-trois-puis-une", 1, false, []string{`/kubectl patch deployment vitrine -p '{"spec":{"replicas":1}}'`, "/temps avance 1m"}},
	{"1.2-premier-pod", 2, false, []string{"/kubectl delete pod/bonjour --now", "/temps avance 1m"}},
	{"2.1-ecart", 0, false, []string{`/kubectl patch deployment boutique -p '{"spec":{"replicas":4}}'`, "/temps avance 1m"}},
	{"2.1-ecart", 1, false, []string{"/kubectl delete pods --all", "/temps avance 1m"}},
	{"2.1-ecart", 1, false, []string{"/kubectl delete pods -l app=boutique --force --grace-period=0", "/temps avance 1m"}},
	{"2.1-ecart", 1, true, []string{"/kubectl scale deployment boutique --replicas=0", "/temps avance 1m", "/kubectl scale deployment boutique --replicas=4", "/temps avance 1m"}},
	{"2.2-absent", 0, false, []string{"/kubectl get all"}},
	{"2.2-absent", 0, false, []string{"/kubectl get deployments,rs,pods"}},
	{"2.2-absent", 0, false, []string{"/kubectl describe rs"}},
	{"2.2-absent", 0, false, []string{"/kubectl -n default get rs"}},
	{"2.2-absent", 0, true, []string{"/kubectl get roles"}},
	{"2.2-absent", 1, false, []string{"/répare tout", "/temps avance 1m"}},
	{"2.2-sans-planificateur", 1, false, []string{"/répare tout", "/temps avance 1m"}},
	{"2.2-sans-planificateur", 1, true, []string{"/répare tout", "/kubectl delete pod attente", "/kubectl run attente --image=nginx", "/temps avance 1m"}},
	{"3.3-stagiaire", 1, false, []string{"/kubectl apply -f -\napiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: lecture}\nrules:\n- {apiGroups: [''], resources: [pods], verbs: [list, watch, get]}",
		"/kubectl create rolebinding lecture-stagiaire --role=lecture --serviceaccount=default:stagiaire"}},
	{"3.3-stagiaire", 1, true, []string{"/kubectl create role lecture --verb=get,list,delete --resource=pods", "/kubectl create rolebinding lecture-stagiaire --role=lecture --serviceaccount=default:stagiaire"}},
	{"3.3-stagiaire", 1, true, []string{"/kubectl create role lecture --verb=get,list,watch --resource=pods", "/kubectl create rolebinding lecture-stagiaire --role=lecture --user=stagiaire"}},
	{"3.3-stagiaire", 2, false, []string{"/kubectl --as=system:serviceaccount:default:stagiaire auth can-i delete pods", "/kubectl --as=system:serviceaccount:default:stagiaire delete pod/temoin"}},
	{"3.3-stagiaire", 2, true, []string{"/kubectl auth can-i delete pods", "/kubectl delete pod temoin --as=system:serviceaccount:default:stagiaire"}},
	{"4.3-kiosque", 2, false, []string{`/kubectl patch node node-3 -p '{"spec":{"unschedulable":true}}'`, "/kubectl scale deployment kiosque --replicas=4", "/temps avance 1m"}},
	{"4.3-marquage", 0, true, []string{`/kubectl patch deployment labo -p '{"spec":{"template":{"spec":{"nodeName":"node-3"}}}}'`, "/temps avance 1m"}},
	{"4.3-marquage", 1, false, []string{"/kubectl taint node node-1 reserve:NoSchedule-", "/temps avance 1m"}},
	{"4.3-place", 1, false, []string{`/kubectl patch deployment caisse -p '{"spec":{"template":{"spec":{"containers":[{"name":"web","resources":{"requests":{"cpu":"2000m"}}}]}}}}'`, "/temps avance 1m"}},
	{"4.3-place", 2, true, []string{"/kubectl delete deployment inventaire", "/temps avance 2m"}},
	{"5.3-cle", 0, false, []string{"/etcdctl get --prefix --keys-only /registry/configmaps"}},
	{"5.3-cle", 1, false, []string{"/etcdctl get -w fields /registry/configmaps/default/horaire"}},
	{"5.3-cle", 2, false, []string{"/kubectl patch cm horaire --type=merge -p '{\"data\":{\"ouverture\":\"8h\"}}'", "/etcdctl get -w json /registry/configmaps/default/horaire"}},
	{"5.3-cle", 3, false, []string{"/etcdctl get --rev=1 /registry/configmaps/default/horaire"}},
	{"5.3-cle", 3, false, []string{"/etcdctl get /registry/configmaps/default/horaire --rev 1"}},
	{"5.3-cle", 3, false, []string{"/etcdctl get /registry/configmaps/default/horaire --rev=1 -w fields"}},
	{"5.3-cinq", 1, false, []string{"/panne etcd etcd-3", "/temps avance 5s", "/etcdctl get --consistency s /registry/configmaps/default/preuve"}},
	{"5.3-cinq", 1, true, []string{"/panne etcd etcd-3", "/temps avance 5s", "/etcdctl get --consistency=l /registry/configmaps/default/preuve"}},
	{"5.3-majorite", 2, false, []string{"/panne etcd etcd-2", `/kubectl patch deployment site -p '{"spec":{"replicas":4}}'`}},
	{"5.3-majorite", 2, true, []string{"/panne etcd etcd-2", "/kubectl get pods"}},
	{"6.2-laboratoire", 0, true, []string{"/kubectl taint nodes node-2 usage=autre:NoSchedule"}},
	{"6.2-laboratoire", 2, true, []string{`/kubectl run chimie --image=nginx --overrides='{"spec":{"nodeName":"node-2"}}'`, "/temps avance 1m"}},
	{"6.2-laboratoire", 2, false, []string{`/kubectl run chimie --image=nginx --overrides='{"spec":{"tolerations":[{"key":"usage","operator":"Exists"}],"nodeSelector":{"kubernetes.io/hostname":"node-2"}}}'`, "/temps avance 1m"}},
	{"7.1-firmes", 1, false, []string{`/kubectl patch deployment portail -p '{"spec":{"template":{"spec":{"affinity":{"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[{"matchExpressions":[{"key":"firme","operator":"In","values":["b"]}]}]}}}}}}}'`, "/temps avance 1m"}},
	{"7.1-firmes", 1, true, []string{"/kubectl cordon node-1", "/kubectl cordon node-2", "/kubectl rollout restart deployment portail", "/temps avance 1m"}},
	{"7.2-depart", 2, false, []string{"/kubectl delete pods --all", "/temps avance 1m"}},
	{"7.2-depart", 2, true, []string{"/kubectl rollout restart deployment donnees", "/temps avance 1m"}},
	{"7.3-projet", 2, false, []string{"/kubectl cordon node-1", "/kubectl delete pods --field-selector spec.nodeName=node-1", "/temps avance 1m"}},
	{"7.3-projet", 2, false, []string{"/kubectl taint nodes node-1 entretien=oui:NoExecute", "/temps avance 1m"}},
	{"7.3-projet", 2, true, []string{"/kubectl label nodes node-1 competence-", "/kubectl cordon node-2", "/temps avance 1m"}},
	{"8.1-jean", 0, false, []string{"/kubectl get events"}},
	{"8.1-jean", 0, false, []string{"/pourquoi"}},
	{"8.1-jean", 1, false, []string{`/kubectl patch deployment jean --type=json -p '[{"op":"remove","path":"/spec/template/spec/nodeSelector"}]'`, "/temps avance 1m"}},
	{"8.1-jean", 1, true, []string{"/répare tout", "/temps avance 1m"}},
	{"8.2-panier", 1, false, []string{"/kubectl create pdb b --selector=app=boutique --max-unavailable=1"}},
	{"8.2-panier", 1, true, []string{"/kubectl create pdb b --selector=app=autre --min-available=2"}},
	{"8.2-panier", 2, false, []string{"/kubectl cordon node-2", "/kubectl delete pods --field-selector spec.nodeName=node-2", "/temps avance 1m"}},
	{"8.2-panier", 2, false, []string{"/kubectl taint nodes node-2 entretien=oui:NoExecute", "/temps avance 1m"}},
	{"9.1-releve", 0, false, []string{"/kubectl get all"}},
	{"9.1-releve", 0, false, []string{"/kubectl describe pods"}},
	{"9.1-releve", 0, false, []string{"/kubectl get deploy,pods"}},
	{"9.1-releve", 2, false, []string{"/kubectl delete pods --all", "/temps avance 1m"}},
	{"9.1-releve", 2, true, []string{"/kubectl rollout restart deployment mobile", "/temps avance 1m"}},
	{"9.2-lea", 1, false, []string{"/kubectl apply -f -\napiVersion: batch/v1\nkind: Job\nmetadata: {name: lea}\nspec:\n  template:\n    spec:\n      restartPolicy: Never\n      affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: specialite, operator: In, values: [paiement]}]}]}}}\n      containers:\n      - {name: module, image: busybox, command: [sh, -c, 'sleep 20; exit 0']}", "/temps avance 2m"}},
	{"9.3-livraison", 0, false, []string{"/kubectl set image deployment/app web=nginx:1.27", "/temps avance 1m"}},
	{"9.3-livraison", 0, true, []string{"/kubectl scale deployment app --replicas=1", "/temps avance 1m"}},
	{"10.1-symptomes", 0, false, []string{"/kubectl -n default get pods"}},
	{"10.1-symptomes", 2, true, []string{`/kubectl patch deployment entrepot -p '{"spec":{"template":{"spec":{"nodeSelector":null}}}}'`, "/temps avance 1m"}},
	{"10.1-symptomes", 2, true, []string{"/kubectl label node node-1 disque=rapide", "/temps avance 1m"}},
	{"10.2-entretien", 0, false, []string{"/kubectl cordon node-1", "/kubectl delete pods --field-selector spec.nodeName=node-1", "/temps avance 1m"}},
	{"10.2-entretien", 1, false, []string{`/kubectl patch node node-1 -p '{"spec":{"unschedulable":false}}'`}},
	{"10.2-entretien", 2, false, []string{"/kubectl set env deployment/guichet RELANCE=1", "/temps avance 2m"}},
	{"10.2-entretien", 2, true, []string{"/kubectl delete pods --all", "/temps avance 2m"}},
	{"10.3-grappe-malade", 2, false, []string{"/kubectl delete service boutique", "/kubectl expose deployment boutique --port=80", "/temps avance 10s"}},
	{"10.3-grappe-malade", 3, false, []string{"/répare tout", "/temps avance 1m", "/kubectl delete pods -l app=boutique", "/temps avance 1m"}},
	{"10.3-grappe-malade", 3, true, []string{"/répare tout", "/temps avance 1m"}},
}

// TestExercisesTakeOtherWays takes every right way, and no other.
func TestExercisesTakeOtherWays(t *testing.T) {
	for n, w := range ways {
		if !tried(n) {
			continue
		}
		a := attemptAt(t, w.exercise, w.step)
		for _, line := range w.lines {
			if a.step == w.step {
				a.type_(line)
			}
		}
		switch reached := a.step > w.step; {
		case reached && w.wrong:
			t.Errorf("%s: step %d takes %q, which is wrong", w.exercise, w.step+1, w.lines)
		case !reached && !w.wrong:
			t.Errorf("%s: step %d does not take %q: %s", w.exercise, w.step+1, w.lines, a.missing())
		}
	}
}
