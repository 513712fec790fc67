package exchange

import "regexp"

// blank is where a word is to be typed: people draw it as long as they like.
var blank = regexp.MustCompile(`_{3,}`)

// check finds why a question cannot be put and graded: by the course's own rules for a
// question that is somebody's own. The first reason is told.
func (im *importer) check(d *draft) {
	for _, f := range im.o.Course.ItemFaults(&d.Item) {
		d.refusals = append(d.refusals, Problem{Code: Unfit, Fault: f})
	}
}
