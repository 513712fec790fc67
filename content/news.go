package content

import (
	"fmt"
	"slices"
)

// News is how far something that was asked for has come: what a live answer says under a command,
// besides the steps that it tells.
type News string

// Every lens has words for each of them. What they count stands in Facts: Desired, Actual, Count, and the
// pod they name in Name.
const (
	NewsPlaced    News = "placed"     // Desired pods were asked for, Actual have a node
	NewsWaiting   News = "waiting"    // Count pods have no node, Name the first of them
	NewsStuck     News = "stuck"      // the pod Name does not get on, for a Reason
	NewsPulling   News = "pulling"    // images are being pulled, containers started
	NewsProbing   News = "probing"    // containers run, and are not ready
	NewsOlder     News = "older"      // Count pods of the version before still serve
	NewsDone      News = "done"       // all Desired pods are ready
	NewsReady     News = "ready"      // beside a meter: Actual of Desired pods are ready
	NewsLeaving   News = "leaving"    // Count pods are on their way out
	NewsJob       News = "job"        // Count pods work on a Job
	NewsJobFailed News = "job-failed" // and Count have failed
	NewsJobDone   News = "job-done"   // beside a meter: Actual of Desired have succeeded
)

// allNews are all there are, as README.md lists them.
func allNews() []News {
	return []News{NewsPlaced, NewsWaiting, NewsStuck, NewsPulling, NewsProbing, NewsOlder, NewsDone, NewsReady,
		NewsLeaving, NewsJob, NewsJobFailed, NewsJobDone}
}

// News puts how far something has come into the lens's words, in Markdown.
func (l *Lens) News(lang Lang, n News, f Facts) string {
	f.Kind = "Pod"
	text, err := l.in(lang).execute(newsName(n), f)
	if err != nil { // the prover ran them all
		return fmt.Sprintf("%s: %d/%d", n, f.Actual, f.Desired)
	}
	return text
}

func newsName(n News) string { return "news " + string(n) }

// news compiles what a lens's file says about how far things have come.
func (l *loader) news(file string, f *lensFile, t *telling) {
	for n, text := range f.News {
		if !slices.Contains(allNews(), n) {
			l.fault(file, text.line, "news: there is no %s", n)
			continue
		}
		l.compile(t.templates, file, text.line, newsName(n), text.v.In(t.lang))
	}
}

// newsHold proves that a lens can say how far anything has come.
func (p *prover) newsHold(l *Lens) {
	for _, lang := range Langs() {
		t := l.in(lang)
		for _, n := range allNews() {
			if t.templates.Lookup(newsName(n)) == nil {
				if lang == FR {
					p.fault(l.file, p.keyLine(l.file, "news:"), "news: no words for %s", n)
				}
				continue
			}
			for _, f := range []Facts{{Kind: "Pod", Name: "web"}, fullFacts("")} {
				if _, err := t.execute(newsName(n), f); err != nil {
					p.fault(l.file, p.keyLine(l.file, "  "+string(n)+":"), "%s: %v", lang, err)
				}
			}
		}
	}
}
