//go:build !linux

package main

import "testing"

// onScreen are the tests that need a terminal, which each system makes in its own way.
func onScreen() map[string]func(*testing.T, string) { return nil }
