package scheduler

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// fitMessage folds reasons into one line, counted over the nodes and sorted as
// texts: "0/3 nodes are available: 1 Insufficient cpu, 2 Too many pods."
// (Kubernetes 1.37 pkg/scheduler/framework/types.go, FitError.Error).
func fitMessage(nodes int, reasons map[string]int) string {
	text := fitPrefix(nodes)
	if len(reasons) == 0 {
		return text
	}
	parts := make([]string, 0, len(reasons))
	for _, reason := range slices.Sorted(maps.Keys(reasons)) {
		parts = append(parts, fmt.Sprintf("%d %s", reasons[reason], reason))
	}
	slices.Sort(parts)
	return text + " " + strings.Join(parts, ", ") + "."
}

func fitPrefix(nodes int) string { return fmt.Sprintf("0/%d nodes are available:", nodes) }

// noteLimit is how long the note of an event may be, in bytes
// (k8s.io/api/events/v1; pkg/apis/core/validation, NoteLengthLimit).
const noteLimit = 1024

// eventNote cuts a message to what an event may hold.
func eventNote(message string) string {
	const more = " ..."
	if len(message) <= noteLimit {
		return message
	}
	return message[:noteLimit-len(more)] + more
}

func compareText(a, b string) int { return cmp.Compare(a, b) }
