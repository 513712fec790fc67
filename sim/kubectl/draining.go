package kubectl

import (
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	cmddrain "k8s.io/kubectl/pkg/cmd/drain"
	cmdutil "k8s.io/kubectl/pkg/cmd/util"
	"k8s.io/kubectl/pkg/drain"
)

// retryEviction is how long kubectl waits after an eviction that a budget forbids.
const retryEviction = 5 * time.Second

// drainNodes is kubectl drain. The real one evicts from as many goroutines as there are pods; here all pods are
// asked to go in their order, and then waited for.
func drainNodes(r *run, cmd *cobra.Command, args []string, _ func(*cobra.Command, []string)) {
	if len(args) == 0 && !cmd.Flags().Changed("selector") {
		cmdutil.CheckErr(cmdutil.UsageErrorf(cmd, "USAGE: %s [flags]", cmd.Use))
	}
	helper, err := r.drainHelper(cmd)
	cmdutil.CheckErr(err)
	r.cordon(cmd, args)
	nodes, err := r.nodeNames(cmd, args)
	cmdutil.CheckErr(err)
	var failed []error
	var pending []string
	for _, node := range nodes {
		if err := r.drainNode(helper, node); err != nil {
			fmt.Fprintf(r.streams.ErrOut, "error: unable to drain node %q due to error: %s, continuing command...\n", node, err)
			failed, pending = append(failed, err), append(pending, node)
			continue
		}
		fmt.Fprintf(r.streams.Out, "node/%s drained%s\n", node, dryRunSuffix(helper.DryRunStrategy))
	}
	if len(pending) > 0 {
		fmt.Fprintln(r.streams.ErrOut, "There are pending nodes to be drained:")
		for _, node := range pending {
			fmt.Fprintf(r.streams.ErrOut, " %s\n", node)
		}
	}
	cmdutil.CheckErr(utilerrors.NewAggregate(failed))
}

func dryRunSuffix(s cmdutil.DryRunStrategy) string {
	switch s {
	case cmdutil.DryRunClient:
		return " (dry run)"
	case cmdutil.DryRunServer:
		return " (server dry run)"
	}
	return ""
}

// drainHelper is kubectl's own, which decides what may be deleted, with the command's flags.
func (r *run) drainHelper(cmd *cobra.Command) (*drain.Helper, error) {
	flags := cmd.Flags()
	h := &drain.Helper{Ctx: r.wire.ctx, Out: r.streams.Out, ErrOut: r.streams.ErrOut, ChunkSize: cmdutil.DefaultChunkSize}
	var errs []error
	try := func(err error) { errs = append(errs, err) }
	get := func(to *bool, name string) { v, err := flags.GetBool(name); *to = v; try(err) }
	get(&h.Force, "force")
	get(&h.IgnoreAllDaemonSets, "ignore-daemonsets")
	get(&h.DeleteEmptyDirData, "delete-emptydir-data")
	get(&h.DisableEviction, "disable-eviction")
	grace, err := flags.GetInt("grace-period")
	h.GracePeriodSeconds = grace
	try(err)
	h.SkipWaitForDeleteTimeoutSeconds, err = flags.GetInt("skip-wait-for-delete-timeout")
	try(err)
	h.Timeout, err = flags.GetDuration("timeout")
	try(err)
	h.PodSelector, err = flags.GetString("pod-selector")
	try(err)
	h.DryRunStrategy, err = cmdutil.GetDryRunStrategy(cmd)
	try(err)
	h.Client, err = r.factory.KubernetesClientSet()
	try(err)
	return h, utilerrors.NewAggregate(errs)
}

// cordon runs the real kubectl cordon on the nodes.
func (r *run) cordon(cmd *cobra.Command, args []string) {
	c := cmddrain.NewCmdCordon(r.factory, r.streams)
	line := append([]string{}, args...)
	if s := cmd.Flag("selector").Value.String(); s != "" {
		line = append(line, "--selector", s)
	}
	if s := cmd.Flag("dry-run").Value.String(); s != "none" {
		line = append(line, "--dry-run="+s)
	}
	c.SetArgs(line)
	c.SilenceErrors, c.SilenceUsage = true, true
	cmdutil.CheckErr(c.ExecuteContext(r.wire.ctx))
}

func (r *run) nodeNames(cmd *cobra.Command, args []string) ([]string, error) {
	b := r.factory.NewBuilder().Unstructured().ResourceNames("nodes", args...).SingleResourceType().Flatten()
	if s := cmd.Flag("selector").Value.String(); s != "" {
		b = b.LabelSelectorParam(s).ResourceTypes("nodes")
	}
	infos, err := b.Do().Infos()
	var names []string
	for _, info := range infos {
		names = append(names, info.Name)
	}
	return names, err
}

func (r *run) drainNode(h *drain.Helper, node string) error {
	list, errs := h.GetPodsForDeletion(node)
	if errs != nil {
		return utilerrors.NewAggregate(errs)
	}
	if w := list.Warnings(); w != "" {
		fmt.Fprintf(r.streams.ErrOut, "Warning: %s\n", w)
	}
	pods := list.Pods()
	if h.DryRunStrategy != cmdutil.DryRunNone {
		for _, p := range pods {
			fmt.Fprintf(r.streams.Out, "evicting pod %s/%s%s\n", p.Namespace, p.Name, dryRunSuffix(h.DryRunStrategy))
		}
		return nil
	}
	end := time.Time{}
	if h.Timeout > 0 {
		end = r.cluster.Now().Add(h.Timeout)
	}
	going, err := r.evictAll(h, pods, end)
	if err != nil {
		return err
	}
	for _, p := range going {
		if !r.until(left(r.cluster.Now(), end), func() bool { return r.departed(p) }) {
			return fmt.Errorf("error when waiting for pod %q in namespace %q to terminate: global timeout reached: %v", p.Name, p.Namespace, h.Timeout)
		}
		r.sayDeparted(h, p)
	}
	return nil
}

func (r *run) departed(p corev1.Pod) bool {
	return r.wire.gone(fmt.Sprintf("/api/v1/namespaces/%s/pods/%s", p.Namespace, p.Name))
}

func (r *run) sayDeparted(h *drain.Helper, p corev1.Pod) {
	verb := "evicted"
	if h.DisableEviction {
		verb = "deleted"
	}
	fmt.Fprintf(r.streams.Out, "pod/%s %s\n", p.Name, verb)
}

// left is the time until an end; a zero end is none.
func left(now, end time.Time) time.Duration {
	if end.IsZero() {
		return 0
	}
	return max(time.Nanosecond, end.Sub(now))
}

// evictAll asks all pods to go, and those again and again that a budget keeps: one that stays does not hold up the
// others. It returns those that may go and are still there.
func (r *run) evictAll(h *drain.Helper, pods []corev1.Pod, end time.Time) (going []corev1.Pod, err error) {
	began := r.cluster.Now()
	for {
		var kept []corev1.Pod
		for _, p := range pods {
			again, err := r.evict(h, p)
			switch {
			case err != nil:
				return nil, err
			case again:
				kept = append(kept, p)
			default:
				going = append(going, p)
			}
		}
		if len(kept) == 0 {
			return going, nil
		}
		next := r.cluster.Now().Add(retryEviction)
		if !end.IsZero() && next.After(end) || next.Sub(began) > longestWait {
			r.result.GaveUp = end.IsZero()
			return nil, fmt.Errorf("error when evicting pods/%q -n %q: global timeout reached: %v", kept[0].Name, kept[0].Namespace, h.Timeout)
		}
		if err := r.cluster.AdvanceTo(next); err != nil {
			return nil, err
		}
		going = slices.DeleteFunc(going, func(p corev1.Pod) bool {
			gone := r.departed(p)
			if gone {
				r.sayDeparted(h, p)
			}
			return gone
		})
		pods = kept
	}
}

// evict asks for one pod to go; again says that a budget forbids it for now.
func (r *run) evict(h *drain.Helper, p corev1.Pod) (again bool, err error) {
	if h.DisableEviction {
		return false, h.DeletePod(p)
	}
	fmt.Fprintf(r.streams.Out, "evicting pod %s/%s\n", p.Namespace, p.Name)
	switch err := h.EvictPod(p, schema.GroupVersion{Group: "policy", Version: "v1"}); {
	case err == nil || apierrors.IsNotFound(err):
		return false, nil
	case !apierrors.IsTooManyRequests(err):
		return false, fmt.Errorf("error when evicting pods/%q -n %q: %w", p.Name, p.Namespace, err)
	default:
		fmt.Fprintf(r.streams.ErrOut, "error when evicting pods/%q -n %q (will retry after %v): %v\n", p.Name, p.Namespace, retryEviction, err)
		return true, nil
	}
}
