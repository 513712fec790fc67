//go:build !linux

package main

import "os"

// syncFile has the disk keep what a file holds, as bbolt does it (boltsync_unix.go, bolt_windows.go).
func syncFile(f *os.File) error { return f.Sync() }
