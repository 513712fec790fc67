package bot

import (
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	"timonier/sim/apiserver"
	"timonier/sim/kubectl"
)

// completeKubectl completes kubectl's commands, their subcommands, kinds, and the
// names of objects.
func completeKubectl(c *call, words []string) []string {
	if len(words) == 1 {
		return kubectl.Words("")
	}
	verb, begun := words[0], words[len(words)-1]
	if strings.HasPrefix(begun, "-") {
		return flagWords(verb)
	}
	if words[len(words)-2] == "-n" || words[len(words)-2] == "--namespace" {
		return c.names("namespaces", "")
	}
	if len(words) == 2 {
		if subs := kubectl.Words(verb); len(subs) > 0 {
			return subs
		}
	}
	namespace := corev1.NamespaceDefault
	var plain []string // without flags and their values
	for i, w := range words[:len(words)-1] {
		switch {
		case i > 0 && (words[i-1] == "-n" || words[i-1] == "--namespace"):
			namespace = w
		case !strings.HasPrefix(w, "-"):
			plain = append(plain, w)
		}
	}
	if slices.Contains([]string{"cordon", "uncordon", "drain"}, verb) {
		return c.names("nodes", "")
	}
	if verb == "logs" {
		return c.names("pods", namespace)
	}
	if kind, _, ok := strings.Cut(begun, "/"); ok {
		var out []string
		for _, n := range c.names(kind, namespace) {
			out = append(out, kind+"/"+n)
		}
		return out
	}
	if takesKind(verb) && len(plain) == 1 {
		return c.kinds()
	}
	if takesKind(verb) && len(plain) == 2 {
		return c.names(plain[1], namespace)
	}
	return nil
}

func takesKind(verb string) bool {
	return slices.Contains([]string{"get", "describe", "delete", "scale", "label", "annotate", "patch", "explain", "expose", "taint", "wait"}, verb)
}

// flagWords are the flags most used with a command.
func flagWords(verb string) []string {
	flags := map[string][]string{
		"get":      {"-o wide", "-o yaml", "-A", "-w", "--show-labels", "-l "},
		"create":   {"--image=", "--replicas=", "--dry-run=client", "-o yaml"},
		"run":      {"--image=", "--restart=Never", "--labels="},
		"scale":    {"--replicas="},
		"apply":    {"-f -", "--server-side", "--dry-run=server"},
		"delete":   {"-f -", "--force", "--grace-period=0", "--all"},
		"drain":    {"--ignore-daemonsets", "--delete-emptydir-data", "--force"},
		"describe": {"-A", "-l "},
		"logs":     {"--previous", "--tail=", "-c "},
	}
	return append(flags[verb], "-n ")
}

// kinds are the resources that there are.
func (c *call) kinds() []string {
	cl := c.peek()
	if cl == nil {
		return nil
	}
	var out []string
	for _, r := range cl.Server().Resources() {
		out = append(out, r.Resource)
	}
	slices.Sort(out)
	return out
}

// names are those of the objects of a kind.
func (c *call) names(kind, namespace string) []string {
	cl := c.peek()
	if cl == nil {
		return nil
	}
	for _, r := range cl.Server().Resources() {
		if kind == r.Resource || kind == r.Singular || slices.Contains(r.ShortNames, kind) {
			if list, ok := listers[r.Resource]; ok {
				return list(cl.Client(), namespace)
			}
		}
	}
	return nil
}

// listers name the objects of the kinds that are typed most.
var listers = map[string]func(*apiserver.Client, string) []string{
	"pods":                   namesOf[*corev1.Pod],
	"deployments":            namesOf[*appsv1.Deployment],
	"replicasets":            namesOf[*appsv1.ReplicaSet],
	"statefulsets":           namesOf[*appsv1.StatefulSet],
	"daemonsets":             namesOf[*appsv1.DaemonSet],
	"jobs":                   namesOf[*batchv1.Job],
	"cronjobs":               namesOf[*batchv1.CronJob],
	"persistentvolumeclaims": namesOf[*corev1.PersistentVolumeClaim],
	"services":               namesOf[*corev1.Service],
	"configmaps":             namesOf[*corev1.ConfigMap],
	"secrets":                namesOf[*corev1.Secret],
	"nodes":                  func(c *apiserver.Client, _ string) []string { return namesOf[*corev1.Node](c, "") },
	"namespaces":             func(c *apiserver.Client, _ string) []string { return namesOf[*corev1.Namespace](c, "") },
}

func namesOf[T apiserver.Object](c *apiserver.Client, namespace string) []string {
	var out []string
	for o := range apiserver.List[T](c, namespace) {
		out = append(out, o.GetName())
	}
	return out
}
