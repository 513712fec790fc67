package etcdctl

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// command is a row of the table of commands.
type command struct {
	use, short, long string
	group            string
	example          string
	make             func(r *run, c *cobra.Command) func(args []string) error // flags, and what to do; nil: only its subcommands do
	under            []command
}

// The groups of etcdctl's help.
const (
	groupKV      = "kv"
	groupCluster = "cluster maintenance"
	groupUtility = "utility"
)

// commands is what exists here, with etcdctl's own words. To add a command is to add a row.
func commands() []command {
	return []command{
		{use: "get [options] <key> [range_end]", short: "Gets the key or a range of keys", group: groupKV, make: getCommand},
		{use: "snapshot <subcommand>", short: "Manages etcd node snapshots", group: groupCluster, under: []command{
			{use: "save <filename>", short: "Stores an etcd node backend snapshot to a given file", make: snapshotSave},
			{use: "restore <filename>", short: "Restores an etcd member snapshot to an etcd directory", make: snapshotRestore},
		}},
		{use: "version", short: "Prints the version of etcdctl", group: groupUtility, make: versionCommand},
	}
}

// elsewhere are commands of the real etcdctl that do not exist here, by their first words.
func elsewhere() []string {
	return []string{"txn", "move-leader", "downgrade", "lock", "elect", "auth", "user", "role", "check", "completion", "make-mirror",
		"member add", "member remove", "member update", "member promote", "lease grant", "lease revoke", "lease keep-alive"}
}

// root is etcdctl's command line.
func (r *run) root() *cobra.Command {
	root := &cobra.Command{
		Use: "etcdctl", Short: "A simple command line client for etcd3.",
		SuggestionsMinimumDistance: 2,
		SilenceErrors:              true,
		SilenceUsage:               true,
		CompletionOptions:          cobra.CompletionOptions{DisableDefaultCmd: true},
	}
	flags := root.PersistentFlags()
	flags.StringSliceVar(&r.endpoints, "endpoints", nil, "gRPC endpoints")
	flags.StringVarP((*string)(&r.format), "write-out", "w", "simple", "set the output format (fields, json, protobuf, simple, table)")
	flags.BoolVar(&r.hex, "hex", false, "print byte strings as hex encoded strings")
	flags.DurationVar(&r.timeout, "command-timeout", 5*time.Second, "timeout for short running command (excluding dial timeout)")
	for _, name := range []string{"endpoints", "write-out", "hex", "command-timeout"} {
		_ = flags.MarkHidden(name) // as etcdctl hides its global flags
	}
	root.AddGroup(&cobra.Group{ID: groupKV, Title: "Key-value commands"}, &cobra.Group{ID: groupCluster, Title: "Cluster maintenance commands"},
		&cobra.Group{ID: groupUtility, Title: "Utility commands"})
	root.SetHelpCommandGroupID(groupUtility)
	for _, row := range commands() {
		root.AddCommand(r.command(row))
	}
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return &failure{exitError, err}
	})
	return root
}

// command makes a row's.
func (r *run) command(row command) *cobra.Command {
	c := &cobra.Command{Use: row.use, Short: row.short, Long: row.long, GroupID: row.group, Example: row.example, DisableFlagsInUseLine: false}
	if row.make != nil {
		do := row.make(r, c)
		c.Args = cobra.ArbitraryArgs
		c.RunE = func(_ *cobra.Command, args []string) error { return do(args) }
	}
	for _, u := range row.under {
		c.AddCommand(r.command(u))
	}
	return c
}

func versionCommand(r *run, _ *cobra.Command) func([]string) error {
	return func([]string) error {
		fmt.Fprintf(&r.out, "etcdctl version: %s\nAPI version: %s\n", Version, Version[:strings.LastIndexByte(Version, '.')])
		return nil
	}
}
