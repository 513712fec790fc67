package etcdctl

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
)

func snapshotSave(r *run, _ *cobra.Command) func([]string) error {
	return func(args []string) error {
		if len(args) != 1 {
			return fail(exitBadArgs, "snapshot save expects one argument <filename>")
		}
		if err := r.snapshots.Save(args[0]); err != nil {
			return r.snapshotError(err)
		}
		fmt.Fprintf(&r.out, "Snapshot saved at %s\nServer version %s\n", args[0], Version)
		return nil
	}
}

func snapshotRestore(r *run, _ *cobra.Command) func([]string) error {
	return func(args []string) error {
		if len(args) != 1 {
			return fail(exitBadArgs, "snapshot restore requires exactly one argument")
		}
		if err := r.snapshots.Restore(args[0]); err != nil {
			return r.snapshotError(err)
		}
		r.result.Restored, r.result.Wrote = args[0], true
		return nil
	}
}

// snapshotError words what the learner did wrong; anything else is ours.
func (r *run) snapshotError(err error) error {
	switch {
	case errors.Is(err, ErrNoSnapshot), errors.Is(err, ErrRefused):
		return &failure{exitInterrupted, err}
	}
	r.broken = err
	return &failure{code: exitError}
}
