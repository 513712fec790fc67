package picture

import "fmt"

func (c *Canvas) fault(format string, args ...any) {
	c.faults = append(c.faults, fmt.Sprintf(format, args...))
}

// Faults are what a person would see to be wrong: words that do not fit or that no font can write,
// words over words, boxes that overlap without one holding the other, a line through a box or
// through words, anything outside the drawing.
func (c *Canvas) Faults() []string {
	f := &Canvas{faults: append([]string(nil), c.faults...)}
	whole := Rect{-0.5, -0.5, c.W + 1, c.H + 1}
	for i, m := range c.drawn {
		if !whole.contains(m.area) {
			f.fault("%s is outside the drawing", m.name())
		}
		if m.kind == markText {
			for _, r := range Missing(m.words) {
				f.fault("no font has the character %q of %q", r, m.words)
			}
		}
		for _, n := range c.drawn[i+1:] {
			if text := clash(m, n); text != "" {
				f.fault("%s", text)
			}
		}
	}
	return f.faults
}

func (m mark) name() string {
	switch m.kind {
	case markText:
		return fmt.Sprintf("%q", m.words)
	case markLine:
		return fmt.Sprintf("the line %.0f,%.0f … %.0f,%.0f", m.points[0].X, m.points[0].Y, m.points[len(m.points)-1].X, m.points[len(m.points)-1].Y)
	}
	return fmt.Sprintf("the %s %v", m.kind, m.area)
}

// clash says what is wrong between two things drawn one after the other; empty: nothing.
func clash(m, n mark) string {
	if m.kind == markLine || n.kind == markLine {
		line, other := m, n
		if n.kind == markLine {
			line, other = n, m
		}
		return crossing(line, other)
	}
	if !m.area.Inset(0.5, 0.5).overlaps(n.area) {
		return ""
	}
	switch {
	case m.kind == markText && n.kind == markText:
		if m.area.Inset(0.5, 1).overlaps(n.area.Inset(0.5, 1)) {
			return fmt.Sprintf("%s and %s overlap", m.name(), n.name())
		}
	case m.kind == markText && n.kind == markBox, m.kind == markText && n.kind == markFrame && !m.style.Over:
		return fmt.Sprintf("%s covers %s", n.name(), m.name())
	case m.kind == markBox && n.kind == markText:
		if inner := m.area.Inset(-0.5, -0.5); !m.shape.Loose && !inner.contains(n.area) {
			return fmt.Sprintf("%s sticks out of %s", n.name(), m.name())
		}
	case m.kind == markBox && (n.kind == markBox || n.kind == markFrame), m.kind == markFrame && n.kind == markBox:
		if !m.shape.Loose && !n.shape.Loose && !m.area.contains(n.area) {
			return fmt.Sprintf("%s and %s overlap", m.name(), n.name())
		}
	}
	return ""
}

// crossing says what a line runs through.
func crossing(line, other mark) string {
	room := other.area
	switch {
	case other.kind == markBox && !other.shape.Loose && !room.contains(line.area):
		room = room.Inset(1.5, 1.5)
	case other.kind == markText && !other.style.Over:
		room = room.Inset(0.5, 2)
	default:
		return ""
	}
	for i := range len(line.points) - 1 {
		if _, _, ok := clipped(line.points[i], line.points[i+1], room); ok {
			return fmt.Sprintf("%s runs through %s", line.name(), other.name())
		}
	}
	return ""
}
