package bot

import (
	"fmt"
	"strings"

	"timonier/sim/scheduler"
)

// figures are a score's, by name and by what they are of.
type figures []scheduler.Figure

func (f figures) of(name, of string) scheduler.Figure {
	for _, x := range f {
		if x.Name == name && x.Of == of {
			return x
		}
	}
	return scheduler.Figure{}
}

func (f figures) whole(name string) int64 { return f.of(name, "").Value }

// subjects are what the figures of a name are of, in their order.
func (f figures) subjects(name string) []string {
	var out []string
	for _, x := range f {
		if x.Name == name {
			out = append(out, x.Of)
		}
	}
	return out
}

// formula is a score's formula with its figures put in: the lines of a column of
// sums, the same in every language but for the decimal mark. scheduler.Figure says
// where each comes from. A score whose figures were not kept has none.
func (c *call) formula(s scheduler.Score) []string {
	f := figures(s.Figures.All())
	if len(f) == 0 {
		return nil
	}
	lines := map[string]func(*call, scheduler.Score, figures) []string{
		"NodeResourcesFit":                (*call).formulaFit,
		"NodeResourcesBalancedAllocation": (*call).formulaBalanced,
		"TaintToleration":                 (*call).formulaTaints,
		"NodeAffinity":                    (*call).formulaNodeAffinity,
		"PodTopologySpread":               (*call).formulaSpread,
		"InterPodAffinity":                (*call).formulaPodAffinity,
		"ImageLocality":                   (*call).formulaImages,
	}
	if write, ok := lines[s.Plugin]; ok {
		return write(c, s, f)
	}
	return nil
}

// in a formula cpu is in millicores, bytes are in Mi.
func unit(resource string, n int64) string {
	switch resource {
	case "memory", "ephemeral-storage":
		return fmt.Sprintf("%dMi", n>>20)
	case "cpu":
		return fmt.Sprintf("%dm", n)
	}
	return fmt.Sprint(n)
}

func (c *call) formulaFit(s scheduler.Score, f figures) []string {
	var out, results []string
	for _, r := range f.subjects("capacity") {
		capacity, result := f.of("capacity", r).Value, f.of("result", r).Value
		out = append(out, fmt.Sprintf("%-8s (%s − %s) × 100 / %s = %d", r, unit(r, capacity), unit(r, f.of("requested", r).Value), unit(r, capacity), result))
		results = append(results, fmt.Sprint(result))
	}
	if len(results) < 2 {
		return out
	}
	return append(out, fmt.Sprintf("(%s) / %d = %d", strings.Join(results, " + "), len(results), s.Raw))
}

func (c *call) formulaBalanced(s scheduler.Score, f figures) []string {
	var out, before, after []string
	for _, r := range f.subjects("capacity") {
		was, is := c.ratio(f.of("fraction-before", r).Ratio), c.ratio(f.of("fraction", r).Ratio)
		out = append(out, fmt.Sprintf("%-8s %s / %s = %s → %s / %s = %s", r, unit(r, f.of("before", r).Value), unit(r, f.of("capacity", r).Value), was,
			unit(r, f.of("requested", r).Value), unit(r, f.of("capacity", r).Value), is))
		before, after = append(before, was), append(after, is)
	}
	if len(before) == 2 {
		out = append(out,
			fmt.Sprintf("100 × (1 − |%s − %s| / 2) = %d", before[0], before[1], f.whole("score-before")),
			fmt.Sprintf("100 × (1 − |%s − %s| / 2) = %d", after[0], after[1], f.whole("score-after")))
	}
	return append(out, fmt.Sprintf("50 + (50 + %d − %d) / 2 = %d", f.whole("score-after"), f.whole("score-before"), s.Raw))
}

func (c *call) formulaTaints(s scheduler.Score, f figures) []string {
	if f.whole("max") == 0 {
		return []string{c.say("formula.notaint")}
	}
	return append(f.subjects("taint"), fmt.Sprintf("100 − 100 × %d / %d = %d", f.whole("count"), f.whole("max"), s.Score))
}

func (c *call) formulaNodeAffinity(s scheduler.Score, f figures) []string {
	var out []string
	for _, p := range f.subjects("preference") {
		out = append(out, fmt.Sprintf("%s  +%d", p, f.of("preference", p).Value))
	}
	if f.whole("max") == 0 {
		return out
	}
	return append(out, fmt.Sprintf("100 × %d / %d = %d", f.whole("sum"), f.whole("max"), s.Score))
}

func (c *call) formulaSpread(s scheduler.Score, f figures) []string {
	if f.whole("ignored") == 1 {
		return []string{c.say("formula.nokeys")}
	}
	var out []string
	for _, k := range f.subjects("domains") {
		out = append(out, fmt.Sprintf("%s  %d × ln(%d + 2) + (%d − 1) = %s", k, f.of("matching", k).Value, f.of("domains", k).Value,
			f.of("max-skew", k).Value, c.ratio(f.of("result", k).Ratio)))
	}
	if f.whole("max") == 0 {
		return out
	}
	return append(out, fmt.Sprintf("100 × (%d + %d − %d) / %d = %d", f.whole("max"), f.whole("min"), f.whole("sum"), f.whole("max"), s.Score))
}

func (c *call) formulaPodAffinity(s scheduler.Score, f figures) []string {
	var out []string
	for _, p := range f.subjects("points") {
		out = append(out, fmt.Sprintf("%s  %+d", p, f.of("points", p).Value))
	}
	least, most := f.whole("min"), f.whole("max")
	if least == most {
		return out
	}
	return append(out, fmt.Sprintf("100 × (%d − %d) / (%d − %d) = %d", f.whole("sum"), least, most, least, s.Score))
}

func (c *call) formulaImages(s scheduler.Score, f figures) []string {
	const mega = 1_000_000
	var out []string
	for _, i := range f.subjects("size") {
		out = append(out, fmt.Sprintf("%s  %d MB × %d / %d = %d MB", i, f.of("size", i).Value/mega, f.of("nodes", i).Value,
			f.of("all-nodes", i).Value, f.of("result", i).Value/mega))
	}
	least, most := f.whole("min"), f.whole("max")
	if most <= least {
		return out
	}
	sum := min(max(f.whole("sum"), least), most)
	return append(out, fmt.Sprintf("100 × (%d − %d) / (%d − %d) = %d", sum/mega, least/mega, most/mega, least/mega, s.Raw))
}

// ratio is a figure that is not whole.
func (c *call) ratio(x float64) string { return c.decimal(fmt.Sprintf("%.3f", x)) }
