//go:build unix

package sim

import (
	"syscall"
	"time"
)

// cpuTime is the processor time that this process has used, that of the garbage collector included.
func cpuTime() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
