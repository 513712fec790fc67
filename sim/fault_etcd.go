package sim

import (
	"slices"
	"strings"
)

// The faults of etcd.
const (
	// EtcdStopped: a member does not run. While a majority does, the others go on without it: if it led, after an
	// election, about a timeout (1 s) later. Without a majority nothing is written, and nothing that has to be current
	// is read; pods that run go on. Back, it gets what it missed. The target is a member.
	EtcdStopped = "etcd-stopped"
	// EtcdPartitioned: members and the others do not hear each other, though clients reach both. The side that is a
	// majority elects a leader if it has none; a leader on the other side takes requests for a moment longer, and what
	// it takes is never acknowledged, and lost. The target is a member, or several with commas between them.
	EtcdPartitioned = "etcd-partitioned"
	// EtcdFull: the members' quota is no more than what they hold and a little: after a few more writes there is no
	// space, and nothing more is written, whatever is deleted, until history is compacted, the files are defragmented
	// and the alarm is disarmed. Mended, the quota is etcd's own 2 GiB again; an alarm stays until it is disarmed.
	// The target is etcd.
	EtcdFull = "etcd-full"
)

// etcdName is the target of EtcdFull.
const etcdName = "etcd"

// littleRoom is what EtcdFull leaves: some tens of objects' worth.
const littleRoom = 64 << 10

func etcdFaults() []faultKind {
	return []faultKind{
		{EtcdStopped, func(c *Cluster) []string { return append(c.memberNames(), All) }, func(c *Cluster, member string, broken bool) error {
			c.store.Stop(member, broken, c.Now())
			return c.shaken()
		}},
		{EtcdPartitioned, (*Cluster).memberGroups, func(c *Cluster, group string, broken bool) error {
			if members := strings.Split(group, ","); broken {
				c.store.Cut(members, c.Now())
			} else {
				c.store.Join(members, c.Now())
			}
			return c.shaken()
		}},
		{EtcdFull, func(*Cluster) []string { return []string{etcdName} }, func(c *Cluster, _ string, broken bool) error {
			quota := int64(0)
			if broken {
				quota = c.store.Size() + littleRoom
			}
			c.store.SetQuota(quota)
			return nil
		}},
	}
}

// shaken tells what came at once of a change among the members, and plans the rest.
func (c *Cluster) shaken() error {
	c.tellMembers()
	c.tend()
	return nil
}

func (c *Cluster) memberNames() []string {
	var names []string
	for _, m := range c.store.Members() {
		names = append(names, m.Name)
	}
	return names
}

// memberGroups are all sets of members that may be parted from the rest: half of them at most, the smaller side.
func (c *Cluster) memberGroups() []string {
	names := c.memberNames()
	var groups []string
	for size := 1; size <= len(names)/2; size++ {
		var choose func(from int, chosen []string)
		choose = func(from int, chosen []string) {
			if len(chosen) == size {
				groups = append(groups, strings.Join(chosen, ","))
				return
			}
			for i := from; i < len(names); i++ {
				choose(i+1, append(slices.Clone(chosen), names[i]))
			}
		}
		choose(0, nil)
	}
	return groups
}
