package kubectl

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/kubectl/pkg/cmd/annotate"
	"k8s.io/kubectl/pkg/cmd/apiresources"
	"k8s.io/kubectl/pkg/cmd/apply"
	"k8s.io/kubectl/pkg/cmd/auth"
	"k8s.io/kubectl/pkg/cmd/autoscale"
	"k8s.io/kubectl/pkg/cmd/create"
	"k8s.io/kubectl/pkg/cmd/delete"
	"k8s.io/kubectl/pkg/cmd/describe"
	"k8s.io/kubectl/pkg/cmd/drain"
	"k8s.io/kubectl/pkg/cmd/events"
	"k8s.io/kubectl/pkg/cmd/explain"
	"k8s.io/kubectl/pkg/cmd/expose"
	"k8s.io/kubectl/pkg/cmd/get"
	"k8s.io/kubectl/pkg/cmd/label"
	"k8s.io/kubectl/pkg/cmd/logs"
	"k8s.io/kubectl/pkg/cmd/patch"
	"k8s.io/kubectl/pkg/cmd/replace"
	"k8s.io/kubectl/pkg/cmd/rollout"
	cmdrun "k8s.io/kubectl/pkg/cmd/run"
	"k8s.io/kubectl/pkg/cmd/scale"
	"k8s.io/kubectl/pkg/cmd/set"
	"k8s.io/kubectl/pkg/cmd/taint"
	"k8s.io/kubectl/pkg/cmd/top"
	"k8s.io/kubectl/pkg/cmd/version"
	"k8s.io/kubectl/pkg/cmd/wait"
)

// command is a row of the table of commands that exist here.
type command struct {
	name  string
	alias string
	make  func(*run) *cobra.Command
	// waits replace what cannot run here as it is, mostly as it would wait in real time, by the path of the
	// subcommand ("": the command itself).
	waits map[string]waiter
	start func(r *run, cmd *cobra.Command) // called when the flags are known; may be nil
	subs  []string                         // for completion
}

// waiter runs a command in place of its own code, which is inner.
type waiter func(r *run, cmd *cobra.Command, args []string, inner func(*cobra.Command, []string))

// ownAges is of commands that compute ages themselves.
func ownAges(r *run, _ *cobra.Command) { r.wire.ages = true }

// bareTables is of kubectl get: unless a flag wants more of the objects than their cells, they need not be sent.
func bareTables(r *run, cmd *cobra.Command) {
	more := []string{"all-namespaces", "label-columns", "show-labels", "sort-by", "watch", "watch-only"}
	output := cmd.Flag("output").Value.String()
	r.wire.bare = (output == "" || output == "wide") && !slices.ContainsFunc(more, cmd.Flags().Changed)
}

// commands is the table, in the order in which kubectl's own help would teach them.
func commands() []command {
	return []command{
		{name: "get", make: func(r *run) *cobra.Command { return get.NewCmdGet("kubectl", r.factory, r.streams) }, start: bareTables},
		{name: "describe", make: func(r *run) *cobra.Command { return describe.NewCmdDescribe("kubectl", r.factory, r.streams) }, start: ownAges,
			waits: map[string]waiter{"": describeInOrder}},
		{name: "apply", make: func(r *run) *cobra.Command { return apply.NewCmdApply("kubectl", r.factory, r.streams) }},
		{name: "create", make: func(r *run) *cobra.Command { return create.NewCmdCreate(r.factory, r.streams) },
			subs: []string{"clusterrole", "clusterrolebinding", "configmap", "cronjob", "deployment", "ingress", "job", "namespace", "poddisruptionbudget",
				"priorityclass", "quota", "role", "rolebinding", "secret", "service", "serviceaccount"}},
		{name: "delete", make: func(r *run) *cobra.Command { return delete.NewCmdDelete(r.factory, r.streams) },
			waits: map[string]waiter{"": waitForDeletion}},
		{name: "scale", make: func(r *run) *cobra.Command { return scale.NewCmdScale(r.factory, r.streams) }},
		{name: "autoscale", make: func(r *run) *cobra.Command { return autoscale.NewCmdAutoscale(r.factory, r.streams) }},
		{name: "set", make: func(r *run) *cobra.Command { return set.NewCmdSet(r.factory, r.streams) },
			subs: []string{"env", "image", "resources", "selector", "serviceaccount"}},
		{name: "rollout", make: func(r *run) *cobra.Command { return rollout.NewCmdRollout("kubectl", r.factory, r.streams) },
			waits: map[string]waiter{"status": watchRollout},
			subs:  []string{"history", "pause", "restart", "resume", "status", "undo"}},
		{name: "run", make: func(r *run) *cobra.Command { return cmdrun.NewCmdRun(r.factory, r.streams) }},
		{name: "expose", make: func(r *run) *cobra.Command { return expose.NewCmdExposeService(r.factory, r.streams) }},
		{name: "logs", make: func(r *run) *cobra.Command { return logs.NewCmdLogs(r.factory, r.streams) }},
		{name: "events", make: func(r *run) *cobra.Command { return events.NewCmdEvents(r.factory, r.streams) }, start: ownAges},
		{name: "explain", make: func(r *run) *cobra.Command { return explain.NewCmdExplain("kubectl", r.factory, r.streams) }},
		{name: "top", make: func(r *run) *cobra.Command { return top.NewCmdTop(r.factory, r.streams) }, start: ownAges, subs: []string{"node", "pod"}},
		{name: "label", make: func(r *run) *cobra.Command { return label.NewCmdLabel(r.factory, r.streams) }},
		{name: "annotate", make: func(r *run) *cobra.Command { return annotate.NewCmdAnnotate("kubectl", r.factory, r.streams) }},
		{name: "patch", make: func(r *run) *cobra.Command { return patch.NewCmdPatch(r.factory, r.streams) }},
		{name: "replace", make: func(r *run) *cobra.Command { return replace.NewCmdReplace(r.factory, r.streams) }},
		{name: "wait", make: func(r *run) *cobra.Command { return wait.NewCmdWait(r.getter, r.streams) },
			waits: map[string]waiter{"": waitForCondition}},
		{name: "cordon", make: func(r *run) *cobra.Command { return drain.NewCmdCordon(r.factory, r.streams) }},
		{name: "uncordon", make: func(r *run) *cobra.Command { return drain.NewCmdUncordon(r.factory, r.streams) }},
		{name: "drain", make: func(r *run) *cobra.Command { return drain.NewCmdDrain(r.factory, r.streams) },
			waits: map[string]waiter{"": drainNodes}},
		{name: "taint", make: func(r *run) *cobra.Command { return taint.NewCmdTaint(r.factory, r.streams) }},
		{name: "auth", make: func(r *run) *cobra.Command { return auth.NewCmdAuth(r.factory, r.streams) },
			waits: map[string]waiter{"can-i": canI}, subs: []string{"can-i", "whoami"}},
		{name: "api-resources", make: func(r *run) *cobra.Command { return apiresources.NewCmdAPIResources(r.getter, r.streams) }},
		{name: "api-versions", make: func(r *run) *cobra.Command { return apiresources.NewCmdAPIVersions(r.getter, r.streams) }},
		{name: "version", make: func(r *run) *cobra.Command { return version.NewCmdVersion(r.factory, r.streams) },
			waits: map[string]waiter{"": printVersion}},
	}
}

// Words are the commands that exist here, and after one its subcommands, for completion.
func Words(name string) []string {
	var words []string
	for _, c := range commands() {
		if c.name == name {
			return c.subs
		}
		words = append(words, c.name)
	}
	if name == "" {
		return words
	}
	return nil
}

// elsewhere says whether the real kubectl has a command that does not exist here.
func elsewhere(word string) bool {
	return slices.Contains([]string{"alpha", "attach", "certificate", "cluster-info", "completion", "config",
		"cp", "debug", "diff", "edit", "exec", "kuberc", "kustomize", "options", "plugin", "port-forward", "proxy"}, word)
}

// allowedFlags are the flags that exist here, in whatever command has them. None of them reads or writes a file,
// opens an address, starts a program, or waits in real time.
func allowedFlags() []string {
	return strings.Fields(`
		all all-containers all-namespaces all-pods allow-missing-template-keys annotations api-group api-version
		cached cascade categories chunk-size class clusterip cluster-ip command concrete container containers
		cpu cpu-percent current-replicas delete-emptydir-data description disable-eviction docker-email
		docker-password docker-server docker-username dry-run env expose external-ip external-name
		field-manager field-selector filename fixed-client for force force-conflicts from from-literal
		global-default grace-period help ignore-daemonsets ignore-errors ignore-not-found image image-pull-policy keys
		label-columns labels limit-bytes limits list load-balancer-ip local max max-log-requests max-unavailable memory min min-available name namespace
		namespaced no-headers node-port now output output-watch-events override-type overrides overwrite patch
		plaintext-openapiv2 pod-selector port preemption-policy prefix previous privileged protocol record recursive
		remove-all replicas requests resource resource-version resources restart revision save-config schedule selector
		serviceaccount server-print server-side session-affinity show-capacity show-events show-kind show-labels
		show-managed-fields show-swap since since-time skip-wait-for-delete-timeout sort-by subresource sum tail target-port tcp
		timeout timestamps to-revision type types use-protocol-buffers validate value verbs wait watch watch-only with-secrets
		aggregation-rule annotation as as-group clusterrole default-backend group hard non-resource-url quiet resource-name role rule
		scopes user verb`)
}

// refusedHere are flags that are allowed elsewhere but in these commands would wait in real time, write a file, or
// read folders.
func refusedHere(cmd *cobra.Command, flag string) bool {
	switch cmd.Name() {
	case "scale":
		return flag == "timeout"
	case "replace":
		return flag == "timeout" || flag == "force"
	case "apply":
		return flag == "recursive" || flag == "force" // which deletes and makes anew, and polls in between
	case "explain":
		return false
	}
	return flag == "recursive"
}
