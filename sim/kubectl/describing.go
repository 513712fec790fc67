package kubectl

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// describeInOrder puts the rows of limit ranges in order, which kubectl takes out of a map as they come: the same
// question has the same answer here.
func describeInOrder(r *run, cmd *cobra.Command, args []string, inner func(*cobra.Command, []string)) {
	defer func() { // also when a fatal error ends the command
		text := orderLimits(r.out.String())
		r.out.Reset()
		r.out.WriteString(text)
	}()
	inner(cmd, args)
}

// orderLimits sorts the rows below each header of limits that are of one type.
func orderLimits(text string) string {
	lines := strings.SplitAfter(text, "\n")
	for i := 0; i < len(lines); i++ {
		if f := strings.Fields(lines[i]); len(f) < 4 || f[0] != "Type" || f[1] != "Resource" || f[2] != "Min" || f[3] != "Max" {
			continue
		}
		for i += 2; i < len(lines); { // past the header and its line of dashes
			f := strings.Fields(lines[i])
			if len(f) < 7 {
				break
			}
			n := i + 1
			for n < len(lines) && strings.HasPrefix(strings.TrimLeft(lines[n], " "), f[0]+" ") {
				n++
			}
			slices.Sort(lines[i:n])
			i = n
		}
	}
	return strings.Join(lines, "")
}
