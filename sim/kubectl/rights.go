package kubectl

import (
	"github.com/spf13/cobra"
	"k8s.io/kubectl/pkg/cmd/auth"
	cmdutil "k8s.io/kubectl/pkg/cmd/util"
)

// canI is auth can-i. kubectl's own ends the whole program when the answer is no.
func canI(r *run, cmd *cobra.Command, args []string, _ func(*cobra.Command, []string)) {
	o := &auth.CanIOptions{
		IOStreams:     r.streams,
		List:          cmdutil.GetFlagBool(cmd, "list"),
		Quiet:         cmdutil.GetFlagBool(cmd, "quiet"),
		NoHeaders:     cmdutil.GetFlagBool(cmd, "no-headers"),
		AllNamespaces: cmdutil.GetFlagBool(cmd, "all-namespaces"),
		Subresource:   cmdutil.GetFlagString(cmd, "subresource"),
	}
	cmdutil.CheckErr(o.Complete(r.factory, args))
	cmdutil.CheckErr(o.Validate())
	if o.List {
		cmdutil.CheckErr(o.RunAccessList())
		return
	}
	allowed, err := o.RunAccessCheck()
	cmdutil.CheckErr(err)
	if !allowed {
		panic(exit{code: 1})
	}
}
