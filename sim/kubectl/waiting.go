package kubectl

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/cli-runtime/pkg/printers"
	"k8s.io/cli-runtime/pkg/resource"
	cmdutil "k8s.io/kubectl/pkg/cmd/util"
	"k8s.io/kubectl/pkg/polymorphichelpers"
	"k8s.io/kubectl/pkg/scheme"
)

// The commands below wait. The real ones watch, poll and sleep in several goroutines; here the cluster's clock goes
// on from one event to the next between two looks, so that the same command on the same cluster ends at the same
// moment. What they print is still kubectl's own.

// until lets the clock go on until done holds, for the timeout given (0: as long as a command may wait here).
func (r *run) until(timeout time.Duration, done func() bool) bool {
	longest := longestWait
	if r.wire.looks {
		longest = 0
	}
	limit := timeout
	if limit <= 0 || limit > longest {
		limit = longest
	}
	late := false // the wall's time for this command is up
	met := r.cluster.Until(limit, func() bool {
		late = r.wire.ctx.Err() != nil
		return late || done()
	})
	if met && !late {
		return true
	}
	r.result.GaveUp = late || timeout != limit
	return false
}

func duration(cmd *cobra.Command, flag string) time.Duration {
	d, err := cmd.Flags().GetDuration(flag)
	cmdutil.CheckErr(err)
	return d
}

// waitForDeletion is kubectl delete: it deletes, then waits for all to be gone.
func waitForDeletion(r *run, cmd *cobra.Command, args []string, inner func(*cobra.Command, []string)) {
	waits, err := cmd.Flags().GetBool("wait")
	cmdutil.CheckErr(err)
	timeout := duration(cmd, "timeout")
	cmdutil.CheckErr(cmd.Flags().Set("wait", "false"))
	inner(cmd, args)
	if !waits {
		return
	}
	for _, path := range r.wire.deleted {
		if r.until(timeout, func() bool { return r.wire.gone(path) }) {
			continue
		}
		if timeout > 0 {
			cmdutil.CheckErr(fmt.Errorf("timed out waiting for the condition on %s", nameIn(path)))
		}
		return
	}
}

// nameIn is an API path's resource and name: pods/web.
func nameIn(path string) string {
	parts := strings.Split(path, "/")
	return strings.Join(parts[max(0, len(parts)-2):], "/")
}

// waitForCondition is kubectl wait: it looks once, again and again.
func waitForCondition(r *run, cmd *cobra.Command, args []string, inner func(*cobra.Command, []string)) {
	timeout := duration(cmd, "timeout")
	cmdutil.CheckErr(cmd.Flags().Set("timeout", "0s"))
	const notYet, tooLate = "condition not met for ", "timed out waiting for the condition"
	leaving, before := r.leaving(cmd, args), r.out.Len()
	var failed *exit
	look := func() bool {
		out, errs := r.out.Len(), r.err.Len()
		failed = r.attempt(func() { inner(cmd, args) })
		if failed == nil {
			return true
		}
		if !strings.Contains(failed.message, notYet) && !strings.Contains(failed.message, tooLate) {
			return true // it will not become better
		}
		if timeout != 0 {
			r.out.Truncate(out)
			r.err.Truncate(errs)
		}
		return false
	}
	if timeout == 0 {
		look()
	} else if !r.until(timeout, look) && failed != nil {
		failed.message = strings.Replace(failed.message, notYet, tooLate+" on ", 1)
	}
	if failed != nil {
		panic(*failed)
	}
	// Looked at once more when all is gone, kubectl has nothing to say: it would have seen them go.
	if printer := (&printers.NamePrinter{Operation: "condition met"}); r.out.Len() == before {
		for _, o := range leaving {
			cmdutil.CheckErr(printer.PrintObj(o, r.streams.Out))
		}
	}
}

// leaving are the objects that kubectl wait --for=delete is about; nil with any other condition.
func (r *run) leaving(cmd *cobra.Command, args []string) (found []runtime.Object) {
	conditions, err := cmd.Flags().GetStringArray("for")
	if cmdutil.CheckErr(err); len(conditions) != 1 || !strings.EqualFold(conditions[0], "delete") {
		return nil
	}
	flag := func(name string) bool {
		on, err := cmd.Flags().GetBool(name)
		cmdutil.CheckErr(err)
		return on
	}
	namespace, enforce, err := r.getter.ToRawKubeConfigLoader().Namespace()
	cmdutil.CheckErr(err)
	files := resource.FilenameOptions{}
	if f := cmd.Flag("filename"); f != nil && f.Changed {
		return nil // standard input can be read once
	}
	_ = r.factory.NewBuilder().Unstructured().ContinueOnError().
		NamespaceParam(namespace).DefaultNamespace().AllNamespaces(flag("all-namespaces")).
		FilenameParam(enforce, &files).
		LabelSelectorParam(cmd.Flag("selector").Value.String()).FieldSelectorParam(cmd.Flag("field-selector").Value.String()).
		ResourceTypeOrNameArgs(flag("all"), args...).Latest().Flatten().Do().
		Visit(func(info *resource.Info, err error) error {
			if err == nil {
				found = append(found, info.Object)
			}
			return nil // what is wrong with the command it says itself
		})
	return found
}

// watchRollout is kubectl rollout status: it says how far a rollout is, each time that changes, until it is done.
func watchRollout(r *run, cmd *cobra.Command, args []string, _ func(*cobra.Command, []string)) {
	watch, err := cmd.Flags().GetBool("watch")
	cmdutil.CheckErr(err)
	revision, err := cmd.Flags().GetInt64("revision")
	cmdutil.CheckErr(err)
	selector := cmd.Flag("selector").Value.String()
	files := resource.FilenameOptions{}
	if f := cmd.Flag("filename"); f.Changed {
		files.Filenames = []string{"-"}
	}
	if len(args) == 0 && len(files.Filenames) == 0 {
		cmdutil.CheckErr(errors.New("required resource not specified"))
	}
	namespace, enforce, err := r.getter.ToRawKubeConfigLoader().Namespace()
	cmdutil.CheckErr(err)
	found := r.factory.NewBuilder().
		WithScheme(scheme.Scheme, scheme.Scheme.PrioritizedVersionsAllGroups()...).
		NamespaceParam(namespace).DefaultNamespace().
		LabelSelectorParam(selector).
		FilenameParam(enforce, &files).
		ResourceTypeOrNameArgs(true, args...).
		ContinueOnError().Latest().Flatten().Do()
	cmdutil.CheckErr(found.Err())
	any := false
	cmdutil.CheckErr(found.Visit(func(info *resource.Info, err error) error {
		if err != nil {
			return err
		}
		any = true
		return r.followRollout(info, watch, revision, duration(cmd, "timeout"))
	}))
	if !any {
		fmt.Fprintf(r.streams.ErrOut, "No resources found in %s namespace.\n", namespace)
	}
}

func (r *run) followRollout(info *resource.Info, watch bool, revision int64, timeout time.Duration) error {
	viewer, err := polymorphichelpers.StatusViewerFn(info.Mapping)
	if err != nil {
		return err
	}
	said, version := "", ""
	var failed error
	done := r.until(timeout, func() bool {
		if err := info.Get(); err != nil {
			failed = errors.New("object has been deleted")
			return true
		}
		if info.ResourceVersion == version {
			return false
		}
		version = info.ResourceVersion
		status, done, err := viewer.Status(asUnstructured(info.Object), revision)
		if err != nil {
			failed = err
			return true
		}
		if status != said {
			fmt.Fprint(r.streams.Out, status)
			said = status
		}
		return done || !watch
	})
	if !done && timeout > 0 {
		return errors.New("timed out waiting for the condition")
	}
	return failed
}

func asUnstructured(o runtime.Object) runtime.Unstructured {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
	cmdutil.CheckErr(err)
	return &unstructured.Unstructured{Object: content}
}
