package picture

import (
	"math"
	"slices"
)

// Paths are points; a closed one does not repeat its first. All run clockwise on the screen, so
// that those that overlap add up.

func corners(r Rect) []Point {
	return []Point{{r.X, r.Y}, {r.Right(), r.Y}, {r.Right(), r.Bottom()}, {r.X, r.Bottom()}}
}

func backwards(path []Point) []Point {
	path = slices.Clone(path)
	slices.Reverse(path)
	return path
}

// clockwise turns a closed path round if need be.
func clockwise(path []Point) []Point {
	area := 0.0
	for i, p := range path {
		q := path[(i+1)%len(path)]
		area += p.X*q.Y - q.X*p.Y
	}
	if area < 0 {
		return backwards(path)
	}
	return path
}

// rounded is a rectangle with round corners.
func rounded(r Rect, radius float64) []Point {
	if radius <= 0 {
		return corners(r)
	}
	const steps = 8
	centers := [4]Point{{r.X + radius, r.Y + radius}, {r.Right() - radius, r.Y + radius}, {r.Right() - radius, r.Bottom() - radius}, {r.X + radius, r.Bottom() - radius}}
	var out []Point
	for corner, c := range centers {
		for i := range steps + 1 {
			angle := math.Pi + float64(corner)*math.Pi/2 + float64(i)/steps*math.Pi/2
			out = append(out, Point{c.X + radius*math.Cos(angle), c.Y + radius*math.Sin(angle)})
		}
	}
	return out
}

func circle(c Point, radius float64) []Point {
	if radius <= 0 {
		return nil
	}
	return rounded(Rect{c.X - radius, c.Y - radius, 2 * radius, 2 * radius}, radius)
}

// segment is a straight stroke as an area.
func segment(p, q Point, width float64) []Point {
	dx, dy, length := towards(p, q)
	if length == 0 {
		return nil
	}
	nx, ny := -dy*width/2, dx*width/2
	return []Point{{p.X - nx, p.Y - ny}, {q.X - nx, q.Y - ny}, {q.X + nx, q.Y + ny}, {p.X + nx, p.Y + ny}}
}

// towards is the direction from one point to another, and how far it is.
func towards(p, q Point) (dx, dy, length float64) {
	length = math.Hypot(q.X-p.X, q.Y-p.Y)
	if length == 0 {
		return 0, 0, 0
	}
	return (q.X - p.X) / length, (q.Y - p.Y) / length, length
}

// stroked is a polyline as areas.
func stroked(path []Point, width float64) (out [][]Point) {
	for i := range len(path) - 1 {
		out = append(out, segment(path[i], path[i+1], width))
		if i > 0 {
			out = append(out, circle(path[i], width/2))
		}
	}
	return out
}

// dashes is a polyline as dashes.
func dashes(path []Point, width, on, off float64) (out [][]Point) {
	left, drawing := on, true
	for i := range len(path) - 1 {
		p, q := path[i], path[i+1]
		dx, dy, length := towards(p, q)
		for at := 0.0; at < length; {
			step := min(left, length-at)
			if drawing {
				out = append(out, segment(Point{p.X + dx*at, p.Y + dy*at}, Point{p.X + dx*(at+step), p.Y + dy*(at+step)}, width))
			}
			at += step
			if left -= step; left <= 0 {
				drawing = !drawing
				left = off
				if drawing {
					left = on
				}
			}
		}
	}
	return out
}

// bent rounds a polyline's bends.
func bent(points []Point, radius float64) []Point {
	out := []Point{points[0]}
	for i := 1; i < len(points)-1; i++ {
		p, b, q := points[i-1], points[i], points[i+1]
		ax, ay, before := towards(b, p)
		cx, cy, after := towards(b, q)
		r := min(radius, before/2, after/2)
		from, to := Point{b.X + ax*r, b.Y + ay*r}, Point{b.X + cx*r, b.Y + cy*r}
		const steps = 6
		for s := range steps + 1 {
			t := float64(s) / steps
			u := 1 - t
			out = append(out, Point{u*u*from.X + 2*u*t*b.X + t*t*to.X, u*u*from.Y + 2*u*t*b.Y + t*t*to.Y})
		}
	}
	return append(out, points[len(points)-1])
}

// headed adds an arrow's head at the end of a path, and shortens the path by it.
func headed(heads [][]Point, path []Point, width float64) ([][]Point, []Point) {
	length, half := 5+2*width, 2.5+width
	path = slices.Clone(path)
	tip := path[len(path)-1]
	from := path[0]
	for i := len(path) - 2; i >= 0; i-- { // the direction is that of the last stretch as long as the head
		from = path[i]
		if math.Hypot(tip.X-from.X, tip.Y-from.Y) >= length {
			break
		}
	}
	dx, dy, _ := towards(from, tip)
	base := Point{tip.X - dx*length, tip.Y - dy*length}
	heads = append(heads, clockwise([]Point{tip, {base.X - dy*half, base.Y + dx*half}, {base.X + dy*half, base.Y - dx*half}}))
	for len(path) > 2 && math.Hypot(tip.X-path[len(path)-2].X, tip.Y-path[len(path)-2].Y) < length {
		path = slices.Delete(path, len(path)-2, len(path)-1)
	}
	path[len(path)-1] = Point{tip.X - dx*(length-1), tip.Y - dy*(length-1)}
	return heads, path
}

// clipped is the part of a stretch that lies in an area (Liang and Barsky).
func clipped(p, q Point, r Rect) (Point, Point, bool) {
	from, to := 0.0, 1.0
	dx, dy := q.X-p.X, q.Y-p.Y
	for _, side := range [4][2]float64{{-dx, p.X - r.X}, {dx, r.Right() - p.X}, {-dy, p.Y - r.Y}, {dy, r.Bottom() - p.Y}} {
		switch d, room := side[0], side[1]; {
		case d == 0 && room < 0:
			return p, q, false
		case d < 0:
			from = max(from, room/d)
		case d > 0:
			to = min(to, room/d)
		}
	}
	if from >= to {
		return p, q, false
	}
	return Point{p.X + from*dx, p.Y + from*dy}, Point{p.X + to*dx, p.Y + to*dy}, true
}
