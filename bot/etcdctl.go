package bot

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"timonier/sim"
	"timonier/sim/etcdctl"
)

// etcdctlCommand is /etcdctl: what the real one would print of the channel's etcd.
func etcdctlCommand(c *call) (Reply, error) {
	args, err := split(tidyCommand(c.args))
	if errors.Is(err, errQuote) {
		return c.mistake("kubectl.quote"), nil
	} else if err != nil {
		return c.mistake("kubectl.shell"), nil
	}
	if len(args) > 0 && args[0] == "etcdctl" {
		args = args[1:]
	}
	if len(args) == 0 {
		return c.etcdctlExamples(), nil
	}
	if !c.may(etcdctlLevel(args)) {
		return c.forbidden("/etcdctl " + shorten(strings.Join(args, " "))), nil
	}
	c.looked = etcdctlLevel(args) == anyone
	args, sure := confirmedLast(args)
	cl, err := c.cluster()
	if err != nil {
		return Reply{}, err
	}
	if name, ok := restores(args); ok && !sure {
		if place := c.channel.kept.find(path.Base(name)); place >= 0 {
			return c.sureOf(c.channel.kept.Places[place], c.typed("etcdctl", strings.Join(args, " "), confirmed.in(c.words))), nil
		}
	}
	from := cl.Trace().Last()
	result, err := etcdctl.Run(cl, args, tidyText(c.stdin), snapshots{c, cl})
	if err != nil {
		return Reply{}, err
	}
	c.looked = c.looked && result.Waited == 0
	if result.Refused != nil {
		return c.etcdctlRefused(result.Refused), nil
	}
	if result.Restored == "" && result.Wrote {
		c.remember(cl, from)
	}
	r := c.etcdctlOutput(args, result)
	if len(r.Blocks) == 0 { // a failure without a word
		return c.etcdctlRefused(&etcdctl.Refusal{What: etcdctl.RefusedCommand, Word: strings.Join(etcdctl.Words(args), " ")}), nil
	}
	return r, nil
}

// etcdctlOutput is what etcdctl printed, and what there is to know about it.
func (c *call) etcdctlOutput(args []string, result etcdctl.Result) Reply {
	r := Reply{Failed: result.Code != 0}
	for _, text := range []string{result.Stdout, result.Stderr} {
		if text = strings.Trim(text, "\n"); text != "" {
			r = c.code(r, text)
		}
	}
	switch {
	case result.Restored != "":
		r.Blocks = append(r.Blocks, Text{c.say("kept.loaded", with{"Name": result.Restored})}, Text{c.clockText(c.channel.cluster)})
		return r.with(Button{Label: c.say("button.cluster"), Line: c.typed("cluster"), Style: Primary})
	case len(r.Blocks) == 0 && !r.Failed:
		r.Blocks = []Block{Text{c.say("etcdctl.silent")}}
	case strings.ContainsRune(result.Stdout, utf8.RuneError):
		r.Blocks = append(r.Blocks, Text{c.say("etcdctl.binary")})
	}
	if result.Waited >= time.Second {
		r.Blocks = append(r.Blocks, Text{c.say("etcdctl.waited", with{"Span": c.span(result.Waited)})})
	}
	if result.Watched {
		r.Blocks = append(r.Blocks, Text{c.say("etcdctl.watched")})
	}
	if words := etcdctl.Words(args); result.Wrote && (words[0] == "put" || words[0] == "del") {
		r.Blocks = append(r.Blocks, Text{c.say("etcdctl.wrote")})
		r = r.with(Button{Label: c.say("button.why"), Line: c.typed("why")})
	}
	return r
}

func (c *call) etcdctlExamples() Reply {
	r := Reply{Blocks: []Block{Text{c.say("etcdctl.usage")}}}
	for _, line := range []string{"get /registry --prefix --keys-only", "endpoint status --cluster", "member list -w table"} {
		r = r.with(Button{Label: "etcdctl " + line, Line: "/etcdctl " + line})
	}
	return r
}

// etcdctlRefused says what does not exist here, though etcdctl has it elsewhere.
func (c *call) etcdctlRefused(r *etcdctl.Refusal) Reply {
	id := map[etcdctl.Refused]string{
		etcdctl.RefusedCommand: "etcdctl.nocommand",
		etcdctl.RefusedFlag:    "etcdctl.noflag",
		etcdctl.RefusedKey:     "etcdctl.nokey",
	}[r.What]
	return c.mistake(id, with{"Word": shorten(r.Word)})
}

// etcdctlLooks are the commands that change nothing, by their first words.
func etcdctlLooks() []string {
	return []string{"get", "watch", "version", "help", "member list", "endpoint", "alarm list", "snapshot status", "lease list", "lease timetolive"}
}

// etcdctlLevel is who may: a line that is not known to look only counts as a change.
func etcdctlLevel(args []string) level {
	words := etcdctl.Words(args)
	if _, ok := restores(args); ok {
		return resets
	}
	for _, look := range etcdctlLooks() {
		if line := strings.Join(words, " "); line == look || strings.HasPrefix(line, look+" ") {
			return anyone
		}
	}
	if len(words) == 0 { // flags alone: --help
		return anyone
	}
	return changes
}

// restores finds the name in snapshot restore NAME.
func restores(args []string) (name string, ok bool) {
	words := etcdctl.Words(args)
	if len(words) < 3 || words[0] != "snapshot" || words[1] != "restore" {
		return "", false
	}
	return words[2], true
}

// confirmedLast takes the word of whoever is sure from the end of a snapshot restore.
func confirmedLast(args []string) ([]string, bool) {
	words := etcdctl.Words(args)
	if _, ok := restores(args); ok && len(words) > 3 && words[len(words)-1] == args[len(args)-1] && confirmed.is(args[len(args)-1]) {
		return args[:len(args)-1], true
	}
	return args, false
}

// snapshots are the channel's checkpoints, as etcdctl sees them: files by name.
type snapshots struct {
	c  *call
	cl *sim.Cluster
}

// refusedName is an error of the learner's, in their language.
type refusedName string

func (e refusedName) Error() string { return PlainText(Inline(string(e))) }
func (e refusedName) Unwrap() error { return etcdctl.ErrRefused }

// Save keeps the cluster.
func (s snapshots) Save(file string) error {
	c, name := s.c, path.Base(file)
	switch {
	case !goodName(name):
		return refusedName(c.say("kept.badname", with{"Most": mostName}))
	case c.channel.kept.find(name) >= 0 && !c.may(resets):
		return refusedName(c.say("kept.taken", with{"Name": name}))
	}
	switch _, err := c.keepCluster(s.cl, name); {
	case errors.Is(err, errFull):
		return refusedName(c.say("kept.full", with{"Most": mostCheckpoints}))
	case errors.Is(err, errLarge):
		return refusedName(c.say("kept.large"))
	default:
		return err
	}
}

// Restore puts a checkpoint in the cluster's place.
func (s snapshots) Restore(file string) error {
	place := s.c.channel.kept.find(path.Base(file))
	if place < 0 {
		return fmt.Errorf("%s: %w", file, etcdctl.ErrNoSnapshot)
	}
	_, err := s.c.loadCheckpoint(place)
	return err
}

// Open reads a checkpoint beside the cluster.
func (s snapshots) Open(file string) (*sim.Cluster, error) {
	place := s.c.channel.kept.find(path.Base(file))
	if place < 0 {
		return nil, fmt.Errorf("%s: %w", file, etcdctl.ErrNoSnapshot)
	}
	records, _, err := s.c.readCheckpoint(place)
	if err != nil {
		return nil, err
	}
	return s.c.openCluster(records)
}

// List are the names.
func (s snapshots) List() []string {
	var names []string
	for _, k := range s.c.channel.kept.all() {
		names = append(names, k.Name)
	}
	slices.Sort(names)
	return names
}

func completeEtcdctl(c *call, words []string) []string {
	under := map[string][]string{
		"member": {"list"}, "endpoint": {"status", "health", "hashkv"}, "snapshot": {"save", "restore", "status"}, "alarm": {"list", "disarm"},
	}
	begun := words[len(words)-1]
	switch {
	case len(words) == 1:
		return []string{"get", "watch", "member", "endpoint", "snapshot", "alarm", "compaction", "defrag", "put", "del", "version"}
	case strings.HasPrefix(begun, "-"):
		return []string{"--prefix", "--keys-only", "--rev=", "--limit=", "--count-only", "--write-out=table", "--write-out=json", "--cluster"}
	case len(words) == 2 && under[words[0]] != nil:
		return under[words[0]]
	case len(words) == 3 && words[0] == "snapshot":
		return snapshots{c: c}.List()
	case len(words) == 2 && slices.Contains([]string{"get", "watch", "del"}, words[0]):
		return c.prefixes()
	}
	return nil
}

// prefixes are the keys' beginnings, a kind each.
func (c *call) prefixes() []string {
	cl := c.peek()
	if cl == nil {
		return nil
	}
	out := []string{"/registry/"}
	for _, r := range cl.Server().Resources() {
		out = append(out, r.KeyPrefix+"/")
	}
	slices.Sort(out)
	return slices.Compact(out)
}
