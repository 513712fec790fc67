package main

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
)

// journal is the log beside the data file: timonier.db has timonier.log. It is there for the references of failures,
// so that it is made at the first one, readable by its owner alone, and begun anew where it has become long.
type journal struct {
	path string
	file *os.File
}

// longestJournal is the size in bytes past which a journal is begun anew.
const longestJournal = 4 << 20

func newJournal(data string) *journal {
	return &journal{path: strings.TrimSuffix(data, filepath.Ext(data)) + ".log"}
}

func (j *journal) logger() *slog.Logger { return slog.New(slog.NewTextHandler(j, nil)) }

// Write is called by one logger, one record at a time.
func (j *journal) Write(p []byte) (int, error) {
	if j.file == nil {
		flags := os.O_CREATE | os.O_WRONLY | os.O_APPEND
		if info, err := os.Stat(j.path); err == nil && info.Size() > longestJournal {
			flags |= os.O_TRUNC
		}
		f, err := os.OpenFile(j.path, flags, 0o600)
		if err != nil {
			return 0, err
		}
		j.file = f
	}
	return j.file.Write(p)
}

func (j *journal) Close() error {
	if j.file == nil {
		return nil
	}
	return j.file.Close()
}
