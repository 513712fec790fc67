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
		if !whole.contains(m.Area) {
			f.fault("%s is outside the drawing", m.name())
		}
		if m.Kind == markText {
			for _, r := range Missing(m.Words) {
				f.fault("no font has the character %q of %q", r, m.Words)
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
	switch m.Kind {
	case markText:
		return fmt.Sprintf("%q", m.Words)
	case markLine:
		return fmt.Sprintf("the line %.0f,%.0f … %.0f,%.0f", m.Points[0].X, m.Points[0].Y, m.Points[len(m.Points)-1].X, m.Points[len(m.Points)-1].Y)
	}
	return fmt.Sprintf("the %s %v", m.Kind, m.Area)
}

// clash says what is wrong between two things drawn one after the other; empty: nothing.
func clash(m, n mark) string {
	if m.Kind == markLine || n.Kind == markLine {
		line, other := m, n
		if n.Kind == markLine {
			line, other = n, m
		}
		return crossing(line, other)
	}
	if !m.Area.Inset(0.5, 0.5).overlaps(n.Area) {
		return ""
	}
	switch {
	case m.Kind == markText && n.Kind == markText:
		if m.Area.Inset(0.5, 1).overlaps(n.Area.Inset(0.5, 1)) {
			return fmt.Sprintf("%s and %s overlap", m.name(), n.name())
		}
	case m.Kind == markText && n.Kind == markBox, m.Kind == markText && n.Kind == markFrame && !m.Style.Over:
		return fmt.Sprintf("%s covers %s", n.name(), m.name())
	case m.Kind == markBox && n.Kind == markText:
		if inner := m.Area.Inset(-0.5, -0.5); !m.Shape.Loose && !inner.contains(n.Area) {
			return fmt.Sprintf("%s sticks out of %s", n.name(), m.name())
		}
	case m.Kind == markBox && (n.Kind == markBox || n.Kind == markFrame), m.Kind == markFrame && n.Kind == markBox:
		if !m.Shape.Loose && !n.Shape.Loose && !m.Area.contains(n.Area) {
			return fmt.Sprintf("%s and %s overlap", m.name(), n.name())
		}
	}
	return ""
}

// crossing says what a line runs through.
func crossing(line, other mark) string {
	room := other.Area
	switch {
	case other.Kind == markBox && !other.Shape.Loose && !room.contains(line.Area):
		room = room.Inset(1.5, 1.5)
	case other.Kind == markText && !other.Style.Over:
		room = room.Inset(0.5, 2)
	default:
		return ""
	}
	for i := range len(line.Points) - 1 {
		if _, _, ok := clipped(line.Points[i], line.Points[i+1], room); ok {
			return fmt.Sprintf("%s runs through %s", line.name(), other.name())
		}
	}
	return ""
}
