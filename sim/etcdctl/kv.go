package etcdctl

import (
	"fmt"

	"github.com/spf13/cobra"

	"timonier/sim/etcd"
)

func getCommand(r *run, c *cobra.Command) func([]string) error {
	prefix := c.Flags().Bool("prefix", false, "Get keys with matching prefix")
	keysOnly := c.Flags().Bool("keys-only", false, "Get only the keys")
	return func(args []string) error {
		if len(args) == 0 {
			return fail(exitBadArgs, "get command needs one argument as key and an optional argument as range_end")
		}
		end := ""
		if *prefix {
			end = etcd.PrefixEnd(args[0])
		} else if len(args) > 1 {
			end = args[1]
		}
		got, err := r.cluster.Store().Range(args[0], end, etcd.RangeOptions{KeysOnly: *keysOnly})
		if err != nil {
			return &failure{exitError, err}
		}
		for _, kv := range got.KVs {
			fmt.Fprintf(&r.out, "%s\n%s\n", kv.Key, kv.Value)
		}
		return nil
	}
}
