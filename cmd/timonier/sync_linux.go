package main

import (
	"os"
	"syscall"
)

// syncFile has the disk keep what a file holds, as bbolt does it (bolt_linux.go).
func syncFile(f *os.File) error { return syscall.Fdatasync(int(f.Fd())) }
