package content

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"unicode/utf8"

	"timonier/sim/apiserver"
)

// mostFile is how many bytes a file of the course may have, and mostPicture a picture.
const (
	mostFile    = 1 << 20
	mostPicture = 1 << 20
)

// Why a file is not read, in words for whoever wrote it.
var (
	errNoFile  = errors.New("is not a file")
	errTooLong = errors.New("has more than 1 MiB")
	errBinary  = errors.New("is not text in UTF-8: save it again in that encoding")
	errNumber  = errors.New("has a number whose exponent is a million or more")
)

// read reads a file of text: never more than a course can need, never what blocks.
func (l *loader) read(file string) ([]byte, error) {
	data, err := readFile(l.files, file, mostFile)
	if err == nil && (!utf8.Valid(data) || bytes.IndexByte(data, 0) >= 0) {
		err = errBinary
	}
	if err == nil && apiserver.OverlongNumber(data) != "" {
		err = errNumber
	}
	if err == nil { // an editor of Windows begins with a mark of the byte order
		data = bytes.TrimPrefix(data, []byte("\ufeff"))
	}
	return data, err
}

// readFile reads a file if it is one, and not larger than most.
func readFile(files fs.FS, file string, most int64) ([]byte, error) {
	info, err := fs.Stat(files, file)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errNoFile
	}
	f, err := files.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(data)) > most {
		err = errTooLong
	}
	return data, err
}
