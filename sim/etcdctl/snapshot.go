package etcdctl

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/spf13/pflag"

	"timonier/sim/etcd"
)

func snapshotSave(r *run, _ *pflag.FlagSet) func([]string) error {
	return func(args []string) error {
		if len(args) != 1 {
			return fail(exitBadArgs, "snapshot save expects one argument <filename>")
		}
		if r.named && len(r.endpoints) > 1 {
			return fail(exitInterrupted, "snapshot must be requested to one selected node, not multiple %v", r.endpoints)
		}
		if _, err := r.dial(anything); err != nil {
			return &failure{exitInterrupted, err}
		}
		if err := r.snapshots.Save(args[0]); err != nil {
			return r.snapshotError(args[0], err)
		}
		fmt.Fprintf(&r.out, "Snapshot saved at %s\nServer version %s\n", args[0], Version)
		return nil
	}
}

func snapshotRestore(r *run, _ *pflag.FlagSet) func([]string) error {
	return func(args []string) error {
		if len(args) != 1 {
			return fail(exitBadArgs, "snapshot restore requires exactly one argument")
		}
		if err := r.snapshots.Restore(args[0]); err != nil {
			return r.snapshotError(args[0], err)
		}
		r.result.Restored, r.result.Wrote = args[0], true
		return nil
	}
}

// snapshotStatus is what etcdutl says of a file (etcdutl/etcdutl/printer.go).
func snapshotStatus(r *run, _ *pflag.FlagSet) func([]string) error {
	return func(args []string) error {
		if len(args) != 1 {
			return fail(exitBadArgs, "snapshot status requires exactly one argument")
		}
		kept, err := r.snapshots.Open(args[0])
		if err != nil {
			return r.snapshotError(args[0], err)
		}
		s := kept.Store()
		said := struct {
			Hash      uint32 `json:"hash"`
			Revision  int64  `json:"revision"`
			TotalKey  int    `json:"totalKey"`
			TotalSize int64  `json:"totalSize"`
			Version   string `json:"version"`
		}{Revision: s.Rev(), TotalKey: s.Len(), TotalSize: s.Size(), Version: Version}
		if m := latest(s.Members()); m.Hash != 0 {
			said.Hash = uint32(m.Hash ^ m.Hash>>32)
		}
		rows := [][]string{{fmt.Sprintf("%x", said.Hash), fmt.Sprint(said.Revision), fmt.Sprint(said.TotalKey), human(said.TotalSize), said.Version}}
		return r.print(answer{simple: lines(rows), json: said,
			fields: func(out *bytes.Buffer) {
				fmt.Fprintf(out, "\"Hash\" : %d\n\"Revision\" : %d\n\"Keys\" : %d\n\"Size\" : %d\n\"Version\" : %s\n",
					said.Hash, said.Revision, said.TotalKey, said.TotalSize, said.Version)
			},
			table: func() ([]string, [][]string) {
				return []string{"hash", "revision", "total keys", "total size", "version"}, rows
			}})
	}
}

// latest is the member that has applied most.
func latest(members []etcd.Member) (found etcd.Member) {
	for _, m := range members {
		if m.Applied > found.Applied {
			found = m
		}
	}
	return found
}

// snapshotError words what the learner did wrong; anything else is ours.
func (r *run) snapshotError(name string, err error) error {
	switch {
	case errors.Is(err, ErrNoSnapshot):
		return fail(exitError, "stat %s: no such file or directory", name)
	case errors.Is(err, ErrRefused):
		return &failure{exitInterrupted, err}
	}
	r.broken = err
	return &failure{code: exitError}
}
