package kubectl

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"timonier/sim"
	"timonier/sim/controller"
	"timonier/sim/etcdctl"
	"timonier/sim/trace"
)

// conformance are the sessions that together leave a step of every kind, and take every decision that a controller
// may take. To add a kind or a decision is to add a session, or a few lines to one.
//
// Lines are commands of kubectl and etcdctl, with what follows them indented as standard input, and:
//
//	wait 1m            the cluster's clock goes on
//	break FAULT TARGET, mend FAULT TARGET
var conformance = map[string]string{
	"a Deployment's life": `
kubectl apply -f -
	apiVersion: v1
	kind: Service
	metadata: {name: web}
	spec: {selector: {app: web}, ports: [{port: 80}]}
	---
	apiVersion: apps/v1
	kind: Deployment
	metadata: {name: web}
	spec:
	  replicas: 3
	  revisionHistoryLimit: 0
	  selector: {matchLabels: {app: web}}
	  template:
	    metadata: {labels: {app: web}}
	    spec: {containers: [{name: c, image: nginx:1.29, readinessProbe: {httpGet: {port: 80}}}]}
wait 30s
kubectl scale deployment web --replicas=5
wait 10s
kubectl set image deployment web c=nginx:1.28
wait 1m
kubectl label pods -l app=web app=other --overwrite
wait 10s
kubectl label pods -l app=other app=web --overwrite
wait 10s
kubectl delete rs -l app=web --cascade=orphan
wait 1m
kubectl delete deployment web --cascade=foreground
wait 1m
kubectl get pods
kubectl create -f -
	{}
kubectl create -f -
	{apiVersion: v1, kind: Pod, metadata: {name: "-"}, spec: {containers: []}}
`,
	"two owners": `
kubectl create configmap a
kubectl create configmap b
kubectl get configmap a -o jsonpath={.metadata.uid}
kubectl get configmap b -o jsonpath={.metadata.uid}
kubectl create -f -
	apiVersion: v1
	kind: ConfigMap
	metadata:
	  name: owned
	  ownerReferences: [{apiVersion: v1, kind: ConfigMap, name: a, uid: UID1}, {apiVersion: v1, kind: ConfigMap, name: b, uid: UID2}]
kubectl delete configmap a
wait 1m
`,
	"scheduling": `
kubectl create priorityclass high --value=1000
kubectl create -f -
	apiVersion: v1
	kind: Pod
	metadata: {name: low-1}
	spec: {containers: [{name: c, image: nginx, resources: {requests: {cpu: 3500m}}}]}
	---
	apiVersion: v1
	kind: Pod
	metadata: {name: low-2}
	spec: {containers: [{name: c, image: nginx, resources: {requests: {cpu: 3500m}}}]}
	---
	apiVersion: v1
	kind: Pod
	metadata: {name: low-3}
	spec: {containers: [{name: c, image: nginx, resources: {requests: {cpu: 3500m}}}]}
	---
	apiVersion: v1
	kind: Pod
	metadata: {name: huge}
	spec: {containers: [{name: c, image: nginx, resources: {requests: {cpu: "64"}}}]}
wait 30s
kubectl create -f -
	apiVersion: v1
	kind: Pod
	metadata: {name: high}
	spec: {priorityClassName: high, containers: [{name: c, image: nginx, resources: {requests: {cpu: 3500m}}}]}
wait 1m
`,
	"images": `
kubectl run p --image=nginx:1.29
wait 30s
break image-crash nginx
wait 2m
break registry-down docker.io
kubectl run q --image=redis:7
wait 1m
mend image-crash nginx
mend registry-down docker.io
wait 5m
`,
	"nodes": `
kubectl create deployment web --image=nginx --replicas=3
wait 30s
break node-silent node-2
wait 7m
mend node-silent node-2
wait 1m
break node-off node-1
wait 10s
mend node-off node-1
wait 1m
break node-disk-full node-1
wait 1m
mend node-disk-full node-1
wait 6m
kubectl delete node node-3
wait 2m
`,
	"namespaces": `
kubectl create namespace n
wait 10s
kubectl -n n create configmap c
kubectl delete namespace n
wait 1m
`,
	"programs": `
break scheduler-down active
wait 20s
mend scheduler-down all
break apiserver-down all
wait 1m
mend apiserver-down all
wait 1m
`,
	"etcd": `
kubectl run p --image=nginx
wait 20s
break etcd-stopped etcd-3
kubectl run q --image=nginx
wait 10s
mend etcd-stopped etcd-3
wait 10s
break etcd-partitioned etcd-1
wait 10s
mend etcd-partitioned etcd-1
wait 10s
break etcd-partitioned etcd-2
wait 10s
mend etcd-partitioned etcd-2
wait 10s
break etcd-partitioned etcd-3
wait 10s
mend etcd-partitioned etcd-3
wait 10s
break etcd-stopped etcd-1
wait 10s
break etcd-stopped etcd-2
wait 20s
mend etcd-stopped all
wait 20s
etcdctl get /registry/pods/default/p --keys-only
etcdctl del /registry/pods/default/p
wait 10s
break etcd-full etcd
FILL
wait 10s
mend etcd-full etcd
etcdctl compact REV
etcdctl defrag
etcdctl alarm disarm
wait 10m
`,
	"a StatefulSet": `
kubectl create -f -
	apiVersion: apps/v1
	kind: StatefulSet
	metadata: {name: db}
	spec:
	  replicas: 2
	  revisionHistoryLimit: 0
	  serviceName: db
	  persistentVolumeClaimRetentionPolicy: {whenScaled: Delete, whenDeleted: Delete}
	  selector: {matchLabels: {app: db}}
	  template:
	    metadata: {labels: {app: db}}
	    spec: {containers: [{name: c, image: redis:7}]}
	  volumeClaimTemplates:
	  - metadata: {name: data}
	    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
wait 1m
kubectl scale statefulset db --replicas=1
wait 1m
kubectl set image statefulset db c=redis:6
wait 2m
kubectl set image statefulset db c=redis:7
wait 2m
kubectl label pod db-0 statefulset.kubernetes.io/pod-name-
kubectl label pod db-0 apps.kubernetes.io/pod-index-
wait 10s
kubectl annotate pod db-0 timonier/outcome=fail
break node-disk-full all
wait 1m
mend node-disk-full all
wait 7m
kubectl delete statefulset db
wait 1m
`,
	"an old template is the present one again": `
kubectl create -f -
	apiVersion: apps/v1
	kind: StatefulSet
	metadata: {name: db}
	spec:
	  replicas: 1
	  serviceName: db
	  selector: {matchLabels: {app: db}}
	  template:
	    metadata: {labels: {app: db}}
	    spec: {containers: [{name: c, image: redis:7}]}
wait 30s
kubectl set image statefulset db c=redis:6
wait 1m
kubectl rollout undo statefulset db
wait 1m
`,
	"a DaemonSet": `
kubectl create -f -
	apiVersion: apps/v1
	kind: DaemonSet
	metadata: {name: agent}
	spec:
	  updateStrategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}
	  selector: {matchLabels: {app: agent}}
	  template:
	    metadata: {labels: {app: agent}}
	    spec: {containers: [{name: c, image: nginx}]}
wait 30s
kubectl set image daemonset agent c=nginx:1.28
wait 2m
kubectl patch daemonset agent -p {"spec":{"template":{"spec":{"nodeSelector":{"kubernetes.io/hostname":"node-1"}}}}}
wait 2m
`,
	"Jobs": `
kubectl create -f -
	apiVersion: batch/v1
	kind: Job
	metadata: {name: good}
	spec:
	  ttlSecondsAfterFinished: 10
	  template: {spec: {restartPolicy: Never, containers: [{name: c, image: busybox, command: [sleep, 1s]}]}}
	---
	apiVersion: batch/v1
	kind: Job
	metadata: {name: bad}
	spec:
	  backoffLimit: 0
	  template: {spec: {restartPolicy: Never, containers: [{name: c, image: busybox, command: [sh, -c, exit 3]}]}}
wait 1m
`,
	"CronJobs": `
kubectl create -f -
	apiVersion: batch/v1
	kind: CronJob
	metadata: {name: often}
	spec:
	  schedule: "* * * * *"
	  successfulJobsHistoryLimit: 1
	  jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: busybox, command: [sleep, 1s]}]}}}}
	---
	apiVersion: batch/v1
	kind: CronJob
	metadata: {name: never-two}
	spec:
	  schedule: "* * * * *"
	  concurrencyPolicy: Forbid
	  jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: busybox, command: [sleep, 5m]}]}}}}
	---
	apiVersion: batch/v1
	kind: CronJob
	metadata: {name: the-last}
	spec:
	  schedule: "* * * * *"
	  concurrencyPolicy: Replace
	  jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: busybox, command: [sleep, 5m]}]}}}}
wait 6m
`,
	"budgets and quotas": `
kubectl create deployment web --image=nginx --replicas=3
kubectl create poddisruptionbudget web --selector=app=web --min-available=2
kubectl create quota q --hard=pods=10
wait 1m
kubectl scale deployment web --replicas=4
wait 1m
`,
	"volumes": `
kubectl create -f -
	apiVersion: v1
	kind: PersistentVolumeClaim
	metadata: {name: data}
	spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
	---
	apiVersion: v1
	kind: Pod
	metadata: {name: p}
	spec:
	  containers: [{name: c, image: nginx}]
	  volumes: [{name: d, persistentVolumeClaim: {claimName: data}}]
wait 1m
kubectl delete pod p
kubectl delete pvc data
wait 1m
`,
}

// Every kind of step occurs in the life of some cluster, and every decision is taken.
func TestEveryKindOfStepAndEveryDecisionOccurs(t *testing.T) {
	steps, decisions := map[trace.Kind]bool{}, map[string]bool{}
	for name, script := range conformance {
		t.Run(name, func(t *testing.T) {
			c := cluster(t)
			c.Trace().Limit = 1 << 20
			perform(t, c, script)
			for _, s := range c.Trace().Steps() {
				steps[s.Kind] = true
				if d, ok := s.Detail.(trace.Decision); ok {
					decisions[d.What] = true
				}
			}
		})
	}
	for _, k := range trace.Kinds() {
		if !steps[k] {
			t.Errorf("no session leaves a step of the kind %s: extend one", k)
		}
	}
	for _, d := range controller.Decisions() {
		if !decisions[d] {
			t.Errorf("no session has a controller decide %s: extend one", d)
		}
	}
	for d := range decisions {
		if !slices.Contains(controller.Decisions(), d) {
			t.Errorf("%s is decided, but is not in the list of decisions", d)
		}
	}
}

// perform plays a session.
func perform(t *testing.T, c *sim.Cluster, script string) {
	t.Helper()
	var uids []string
	lines := strings.Split(strings.Trim(script, "\n"), "\n")
	for i := 0; i < len(lines); i++ {
		line, stdin := lines[i], ""
		for i+1 < len(lines) && strings.HasPrefix(lines[i+1], "\t") {
			i++
			stdin += lines[i][1:] + "\n"
		}
		for n, uid := range uids {
			stdin = strings.ReplaceAll(stdin, fmt.Sprintf("UID%d", n+1), uid)
		}
		words := strings.Fields(strings.ReplaceAll(line, "REV", fmt.Sprint(c.Store().Rev())))
		var err error
		switch words[0] {
		case "kubectl":
			r := Run(context.Background(), c, words[1:], stdin)
			if strings.Contains(line, "metadata.uid") {
				uids = append(uids, r.Stdout)
			}
			t.Logf("%s\n%s%s", line, r.Stdout, r.Stderr)
		case "etcdctl":
			var r etcdctl.Result
			r, err = etcdctl.Run(c, words[1:], stdin, nil)
			t.Logf("%s\n%s%s", line, r.Stdout, r.Stderr)
		case "FILL": // until etcd takes no more
			for n := range 400 {
				r := Run(context.Background(), c, []string{"create", "configmap", fmt.Sprintf("c%d", n), "--from-literal=x=" + strings.Repeat("y", 8000)}, "")
				if r.Code != 0 {
					t.Logf("%d: %s", n, r.Stderr)
					break
				}
			}
		case "wait":
			var d time.Duration
			if d, err = time.ParseDuration(words[1]); err == nil {
				err = c.AdvanceTo(c.Now().Add(d))
			}
		case "break":
			err = c.Break(words[1], words[2])
		case "mend":
			err = c.Mend(words[1], words[2])
		default:
			err = fmt.Errorf("not a line of a session")
		}
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
	}
}
