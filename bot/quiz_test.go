package bot

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"timonier/content"
)

// smallCourse is the built-in course with the few questions of testdata/quiz in place of its own,
// which grow and change.
func smallCourse(t *testing.T) *content.Course {
	t.Helper()
	c, err := readSmall()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var readSmall = sync.OnceValues(func() (*content.Course, error) {
	files := fstest.MapFS{}
	err := fs.WalkDir(content.Files(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(name, "bank/") && strings.Count(name, "/") > 1 {
			return err
		}
		data, err := fs.ReadFile(content.Files(), name)
		files[name] = &fstest.MapFile{Data: data}
		return err
	})
	if err != nil {
		return nil, err
	}
	items, err := filepath.Glob("testdata/quiz/*.yaml")
	for _, item := range items {
		data, err := os.ReadFile(item)
		if err != nil {
			return nil, err
		}
		files[path.Join("bank/small", filepath.Base(item))] = &fstest.MapFile{Data: data}
	}
	if err != nil {
		return nil, err
	}
	return content.Load(files)
})
