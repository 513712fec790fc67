package scheduler

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"sigs.k8s.io/yaml"
)

// Cases reads cases from r, whatever their number, and gives each to do. Two forms are read, told apart by the first byte:
//
//   - JSON: a case begins with a line that begins with "{". So one a line, or spread over several of which the following are
//     indented or begin with "}".
//   - YAML: cases are separated by lines "---".
//
// What cannot be read, and each CaseError of do, is given to bad with the number of the line on which the case begins, and the
// next case is read; if bad is nil it ends the reading. The error is that of r, or of do, or what bad would have been given.
func Cases(r io.Reader, do func(line int, k *Case) error, bad func(line int, err error)) error {
	d := &documents{in: bufio.NewReaderSize(r, 1<<16)}
	for {
		text, line, err := d.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read cases: %w", err)
		}
		k, err := readCase(text, d.yaml)
		if err == nil {
			if err = do(line, k); err == nil {
				continue
			}
			if wrong := (*CaseError)(nil); !errors.As(err, &wrong) {
				return err
			}
		}
		if bad == nil {
			return fmt.Errorf("line %d: %w", line, err)
		}
		bad(line, err)
	}
}

// CaseError is an error for which a case is to blame, and not the work on it.
type CaseError struct{ Err error }

func (e *CaseError) Error() string { return e.Err.Error() }

// Unwrap is what is wrong.
func (e *CaseError) Unwrap() error { return e.Err }

func readCase(text []byte, isYAML bool) (*Case, error) {
	if isYAML {
		data, err := yaml.YAMLToJSON(text)
		if err != nil {
			return nil, err
		}
		text = data
	}
	k := &Case{}
	if err := json.Unmarshal(text, k); err != nil {
		return nil, err
	}
	return k, k.complete()
}

// ErrNoPodToPlace is of a case that has nothing to decide.
var ErrNoPodToPlace = errors.New("the case has no pod to place")

// documents cuts a stream into cases.
type documents struct {
	in      *bufio.Reader
	line    int    // that was read last
	ahead   []byte // a line that begins the next document
	aheadAt int
	begun   bool
	yaml    bool
	ended   bool
}

// next is the text of the next document that is not blank, and the line on which it begins.
func (d *documents) next() (text []byte, line int, err error) {
	for {
		if len(d.ahead) > 0 {
			text, line, d.ahead = d.ahead, d.aheadAt, nil
			if json.Valid(text) {
				return text, line, nil
			}
		}
		if d.ended {
			if text == nil {
				return nil, 0, io.EOF
			}
			return text, line, nil
		}
		read, err := d.in.ReadBytes('\n')
		d.ended = errors.Is(err, io.EOF)
		if err != nil && !d.ended {
			return nil, 0, err
		}
		d.line++
		blank := len(bytes.TrimSpace(read)) == 0
		if !d.begun && !blank {
			d.begun = true
			read = bytes.TrimPrefix(read, []byte("\xef\xbb\xbf"))
			d.yaml = !bytes.HasPrefix(bytes.TrimLeft(read, " \t"), []byte("{"))
		}
		switch {
		case text == nil && (blank || d.yaml && separates(read)):
			continue
		case text == nil:
			line = d.line
		case d.yaml && separates(read):
			return text, line, nil
		case !d.yaml && bytes.HasPrefix(read, []byte("{")):
			d.ahead, d.aheadAt = read, d.line
			return text, line, nil
		}
		text = append(text, read...)
		if !d.yaml && json.Valid(text) {
			return text, line, nil // at once: whoever writes may wait for the answer before writing on
		}
	}
}

func separates(line []byte) bool {
	text := strings.TrimRight(string(line), " \t\r\n")
	return text == "---" || strings.HasPrefix(text, "--- #")
}
