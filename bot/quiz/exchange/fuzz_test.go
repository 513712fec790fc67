package exchange

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"timonier/content"
)

// fuzz: nothing panics; what is taken holds, and is the same after it was written and read again.
func fuzz(f *testing.F, format Format, seeds ...string) {
	for _, s := range seeds {
		f.Add(s)
	}
	var out bytes.Buffer
	if _, err := Export(&out, format, samples(), Options{Lang: content.FR}); err != nil {
		f.Fatal(err)
	}
	f.Add(out.String())
	o := Options{Lang: content.FR, Bytes: 1 << 18, Items: 100}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := Import(strings.NewReader(text), format, o)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range r.Items() {
			if faults := content.Default().ItemFaults(i); len(faults) > 0 {
				t.Fatalf("%s was taken: %s", i.ID, faults[0].Error())
			}
		}
		var again bytes.Buffer
		problems, err := Export(&again, format, r.Items(), o)
		if err != nil {
			t.Fatal(err)
		}
		if len(problems) > 0 {
			return
		}
		r2, err := Import(&again, format, o)
		if err != nil || len(r.Taken) > 0 && !reflect.DeepEqual(r2.Items(), r.Items()) {
			t.Fatalf("not the same again:\n%s\n%s", told(r), told(r2))
		}
	})
}

func seed(f *testing.F, name string) string {
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		f.Fatal(err)
	}
	return string(data)
}

func FuzzMoodle(f *testing.F) { fuzz(f, Moodle, seed(f, "moodle.xml")) }
func FuzzGIFT(f *testing.F)   { fuzz(f, GIFT, seed(f, "teacher.gift")) }
func FuzzCSV(f *testing.F)    { fuzz(f, CSV, seed(f, "excel.csv")) }

// many are so many questions, made of the samples.
func many(n int) []*content.Item {
	list := samples()
	out := make([]*content.Item, n)
	for k := range out {
		i := *list[k%len(list)]
		i.ID = Slug(i.ID + "-" + decimal(float64(k)))
		out[k] = &i
	}
	return out
}

func BenchmarkImport10000(b *testing.B) {
	for _, f := range Formats() {
		var out bytes.Buffer
		if _, err := Export(&out, f, many(10_000), Options{Lang: content.FR}); err != nil {
			b.Fatal(err)
		}
		b.Run(string(f), func(b *testing.B) {
			b.SetBytes(int64(out.Len()))
			for b.Loop() {
				r, err := Import(bytes.NewReader(out.Bytes()), f, Options{Lang: content.FR})
				if err != nil || len(r.Taken) != 10_000 {
					b.Fatal(err, len(r.Taken), r.Refused[0])
				}
			}
		})
	}
}
