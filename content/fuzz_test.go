package content

import (
	"io/fs"
	"testing"
	"testing/fstest"
)

// FuzzCheck shows that no file makes reading and proving a course panic, or last. A course of that file alone lacks
// much, and all that is in it is looked at.
func FuzzCheck(f *testing.F) {
	kinds := []string{
		"course.yaml", "glossary.yaml", "images.yaml", "lessons/02-technique/2.1-fonctions.fr.md", "exercises/02-technique/2.1-ecart.yaml",
		"exercises/05-etcd/5.3-majorite.yaml", "stories/1-jean.yaml", "diagrams/reconciliation.yaml", "diagrams/reconciliation.technique.fr.txt",
		"lenses/formation.yaml", "analogies/1-formation.yaml",
	}
	for i, name := range kinds {
		data, err := fs.ReadFile(Files(), name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(uint8(i), data)
	}
	const contents = "title: {fr: a, en: a}\nsections: [{number: 2, dir: 02-technique, title: {fr: a, en: a}, lessons: [{id: '2.1', slug: fonctions, title: {fr: a, en: a}}]}]"
	f.Fuzz(func(t *testing.T, kind uint8, data []byte) {
		Check(fstest.MapFS{contentsName: {Data: []byte(contents)}, kinds[int(kind)%len(kinds)]: {Data: data}})
	})
}
