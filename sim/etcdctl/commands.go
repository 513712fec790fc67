package etcdctl

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// command is a row of the table of commands.
type command struct {
	use, short, long string
	alias            string
	group            string
	make             func(r *run, flags *pflag.FlagSet) func(args []string) error // nil: only its subcommands do anything
	under            []command
}

// The groups of etcdctl's help.
const (
	groupKV      = "kv"
	groupCluster = "cluster maintenance"
	groupUtility = "utility"
)

// commands is what exists here, with etcdctl's own words (etcdctl/ctlv3/command). To add a command is to add a row.
func commands() []command {
	return []command{
		{use: "get [options] <key> [range_end]", short: "Gets the key or a range of keys", group: groupKV, make: getCommand},
		{use: "put [options] <key> <value> (<value> can also be given from stdin)", short: "Puts the given key into the store", group: groupKV, make: putCommand},
		{use: "del [options] <key> [range_end]", short: "Removes the specified key or range of keys [key, range_end)", group: groupKV, make: delCommand},
		{use: "watch [options] [key or prefix] [range_end] [--] [exec-command arg1 arg2 ...]", short: "Watches events stream on keys or prefixes", group: groupKV, make: watchCommand},
		{use: "compaction [options] <revision>", alias: "compact", short: "Compacts the event history in etcd", group: groupKV, make: compactionCommand},
		{use: "lease <subcommand>", short: "Lease related commands. Use `etcdctl lease --help` to see subcommands", long: "Lease related commands", group: groupKV, under: []command{
			{use: "list", short: "List all active leases", make: leaseList},
			{use: "timetolive <leaseID> [options]", short: "Get lease information", make: leaseTimeToLive},
		}},
		{use: "member <subcommand>", short: "Membership related commands. Use `etcdctl member --help` to see subcommands", long: "Membership related commands", group: groupCluster, under: []command{
			{use: "list", short: "Lists all members in the cluster", make: memberList},
		}},
		{use: "endpoint <subcommand>", short: "Endpoint related commands. Use `etcdctl endpoint --help` to see subcommands", long: "Endpoint related commands", group: groupCluster, under: []command{
			{use: "health", short: "Checks the healthiness of endpoints specified in `--endpoints` flag", make: endpointHealth},
			{use: "status", short: "Prints out the status of endpoints specified in `--endpoints` flag", make: endpointStatus},
			{use: "hashkv", short: "Prints the KV history hash for each endpoint in --endpoints", make: endpointHash},
		}},
		{use: "alarm <subcommand>", short: "Alarm related commands. Use `etcdctl alarm --help` to see subcommands", long: "Alarm related commands", group: groupCluster, under: []command{
			{use: "disarm", short: "Disarms all alarms", make: alarmDisarm},
			{use: "list", short: "Lists all alarms", make: alarmList},
		}},
		{use: "defrag", short: "Defragments the storage of the etcd members with given endpoints", group: groupCluster, make: defragCommand},
		// restore and status have moved to etcdutl since 3.6; whoever learned etcdctl before looks for them here.
		{use: "snapshot <subcommand>", short: "Manages etcd node snapshots", group: groupCluster, under: []command{
			{use: "save <filename>", short: "Stores an etcd node backend snapshot to a given file", make: snapshotSave},
			{use: "restore <filename>", short: "Restores an etcd member snapshot to an etcd directory", make: snapshotRestore},
			{use: "status <filename>", short: "Gets backend snapshot status of a given file", make: snapshotStatus},
		}},
		{use: "version", short: "Prints the version of etcdctl", group: groupUtility, make: versionCommand},
	}
}

// elsewhere are the commands of the real etcdctl that do not exist here, by their first words.
func elsewhere() []string {
	return []string{"txn", "move-leader", "downgrade", "lock", "elect", "auth", "user", "role", "check", "completion", "make-mirror", "options",
		"member add", "member remove", "member update", "member promote", "lease grant", "lease revoke", "lease keep-alive"}
}

// flagsElsewhere are the flags of the real etcdctl that do not exist here: there is one cluster, and it is reached.
func flagsElsewhere() []string {
	return []string{"debug", "dial-timeout", "keepalive-time", "keepalive-timeout", "max-request-bytes", "max-recv-bytes", "insecure-transport",
		"insecure-discovery", "insecure-skip-tls-verify", "cert", "key", "cacert", "auth-jwt-token", "user", "password", "discovery-srv",
		"discovery-srv-name", "interactive", "progress-notify", "stream", "lease", "ignore-value", "ignore-lease"}
}

// root is etcdctl's command line.
func (r *run) root() *cobra.Command {
	root := &cobra.Command{
		Use: "etcdctl", Short: "A simple command line client for etcd3.",
		SuggestionsMinimumDistance: 2,
		CompletionOptions:          cobra.CompletionOptions{DisableDefaultCmd: true},
	}
	flags := root.PersistentFlags()
	flags.StringSliceVar(&r.endpoints, "endpoints", nil, "gRPC endpoints")
	flags.StringVarP(&r.written, "write-out", "w", string(simple), "set the output format (fields, json, protobuf, simple, table)")
	flags.BoolVar(&r.hex, "hex", false, "print byte strings as hex encoded strings")
	flags.DurationVar(&r.timeout, "command-timeout", 5*time.Second, "timeout for short running command (excluding dial timeout)")
	flags.VisitAll(func(f *pflag.Flag) { f.Hidden = true }) // as etcdctl hides its global flags
	root.AddGroup(&cobra.Group{ID: groupKV, Title: "Key-value commands"}, &cobra.Group{ID: groupCluster, Title: "Cluster maintenance commands"},
		&cobra.Group{ID: groupUtility, Title: "Utility commands"})
	root.SetHelpCommandGroupID(groupUtility)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return flagError(err) })
	for _, row := range commands() {
		root.AddCommand(r.command(root, row))
	}
	return root
}

// command makes a row's.
func (r *run) command(root *cobra.Command, row command) *cobra.Command {
	c := &cobra.Command{Use: row.use, Short: row.short, Long: row.long, GroupID: row.group}
	if row.alias != "" {
		c.Aliases = []string{row.alias}
	}
	if row.make != nil {
		do := row.make(r, c.Flags())
		c.Args = cobra.ArbitraryArgs
		c.RunE = func(_ *cobra.Command, args []string) error {
			root.SilenceErrors, root.SilenceUsage = true, true // from here on etcdctl words its own errors
			if err := r.settle(); err != nil {
				return err
			}
			return do(args)
		}
	}
	for _, u := range row.under {
		c.AddCommand(r.command(root, u))
	}
	return c
}

// Words are what a line says but for its flags and their values, as etcdctl itself reads it: the command, by its own
// name, and its arguments. Who decides whether a line may be run decides by them: put is a put behind "-w get" too.
func Words(args []string) []string {
	root := (&run{}).root()
	root.InitDefaultHelpCmd()
	c, rest, err := root.Find(args)
	if err != nil { // it will not run; what is told of it
		return slices.DeleteFunc(slices.Clone(args), func(a string) bool { return strings.HasPrefix(a, "-") })
	}
	words := strings.Fields(c.CommandPath())[1:]
	if c.ParseFlags(rest) != nil { // neither will this one
		return words
	}
	return append(words, c.Flags().Args()...)
}

// flagError tells a flag that the real etcdctl has from one that nobody has.
func flagError(err error) error {
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) && slices.Contains(flagsElsewhere(), unknown.GetSpecifiedName()) {
		return &Refusal{RefusedFlag, "--" + unknown.GetSpecifiedName()}
	}
	return err
}

// notHere refuses what only the real etcdctl has.
func notHere(args []string) *Refusal {
	var words []string
	for i := 0; i < len(args) && len(words) < 2; i++ {
		switch a := args[i]; {
		case a == "--":
			i = len(args)
		case a == "-w", a == "--write-out", a == "--endpoints", a == "--command-timeout":
			i++
		case !strings.HasPrefix(a, "-"):
			words = append(words, a)
		}
	}
	for n := 1; n <= len(words); n++ {
		if said := strings.Join(words[:n], " "); slices.Contains(elsewhere(), said) {
			return &Refusal{RefusedCommand, said}
		}
	}
	return nil
}

func versionCommand(r *run, _ *pflag.FlagSet) func([]string) error {
	return func([]string) error {
		fmt.Fprintf(&r.out, "etcdctl version: %s\nAPI version: %s\n", Version, Version[:strings.LastIndexByte(Version, '.')])
		return nil
	}
}
