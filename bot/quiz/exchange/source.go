package exchange

import (
	"bytes"
	"encoding/binary"
	"io"
	"regexp"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// source reads a file, no more than so many bytes of it, and gives its text in UTF-8 without a
// byte order mark, its lines ended by \n. Where guess is set, a text that is in no encoding that it
// names is taken for what spreadsheets write in this part of the world, and the fault is Guessed.
func source(r io.Reader, most int64, guess bool) (text string, fault *Problem, err error) {
	data, err := io.ReadAll(io.LimitReader(r, most+1))
	if err != nil {
		return "", nil, err
	}
	if int64(len(data)) > most {
		return "", &Problem{Code: TooBig, Number: int(most)}, nil
	}
	if bytes.HasPrefix(data, []byte("PK\x03\x04")) || bytes.HasPrefix(data, []byte("\x1f\x8b")) {
		return "", &Problem{Code: Archive}, nil
	}
	text, ok := decode(data)
	if !ok || strings.ContainsRune(text, 0) {
		fault = &Problem{Code: Encoding, Line: firstBad(data)}
		if text, ok = windows(data); !ok || !guess {
			return "", fault, nil
		}
		fault.Code = Guessed
	}
	return strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n"), fault, nil
}

// windows is the text of bytes in Windows-1252; not ok: they cannot be, or are no text.
func windows(data []byte) (string, bool) {
	for _, b := range data {
		if b < ' ' && b != '\t' && b != '\n' && b != '\r' || bytes.IndexByte([]byte("\x7f\x81\x8d\x8f\x90\x9d"), b) >= 0 {
			return "", false
		}
	}
	if bytes.HasPrefix(data, []byte("\xef\xbb\xbf")) { // it says that it is UTF-8
		return "", false
	}
	text, err := charmap.Windows1252.NewDecoder().Bytes(data)
	return string(text), err == nil
}

// charmaps are the encodings of one byte a character that a file may say it is in.
func charmaps() map[string]*charmap.Charmap {
	return map[string]*charmap.Charmap{
		"windows-1252": charmap.Windows1252, "cp1252": charmap.Windows1252,
		"iso-8859-1": charmap.ISO8859_1, "latin1": charmap.ISO8859_1, "iso-8859-15": charmap.ISO8859_15,
	}
}

// declared is the encoding that the first line of an XML file names.
var declared = regexp.MustCompile(`^\s*<\?xml[^>]*\bencoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']`)

// decode is the text of bytes: in the encoding of their byte order mark, else in the one that
// they declare, else in UTF-8.
func decode(data []byte) (string, bool) {
	switch {
	case bytes.HasPrefix(data, []byte("\xef\xbb\xbf")):
		data = data[3:]
		return string(data), utf8.Valid(data)
	case bytes.HasPrefix(data, []byte("\xff\xfe")):
		return decode16(data[2:], binary.LittleEndian)
	case bytes.HasPrefix(data, []byte("\xfe\xff")):
		return decode16(data[2:], binary.BigEndian)
	case bytes.HasPrefix(data, []byte("<\x00?\x00")):
		return decode16(data, binary.LittleEndian)
	case bytes.HasPrefix(data, []byte("\x00<\x00?")):
		return decode16(data, binary.BigEndian)
	}
	if m := declared.FindSubmatch(data[:min(len(data), 200)]); m != nil {
		name := strings.ToLower(string(m[1]))
		if cm, ok := charmaps()[name]; ok {
			text, err := cm.NewDecoder().Bytes(data)
			return string(text), err == nil
		}
		if name != "utf-8" && name != "utf8" && name != "us-ascii" {
			return "", false
		}
	}
	return string(data), utf8.Valid(data)
}

func decode16(data []byte, order binary.ByteOrder) (string, bool) {
	if len(data)%2 != 0 {
		return "", false
	}
	units := make([]uint16, len(data)/2)
	for i := range units {
		units[i] = order.Uint16(data[2*i:])
	}
	text := string(utf16.Decode(units))
	return text, !strings.ContainsRune(text, utf8.RuneError)
}

// firstBad is the line of the first byte that is not UTF-8; 0 where it cannot be told.
func firstBad(data []byte) int {
	if bytes.IndexByte(data, 0) >= 0 {
		return 0
	}
	line := 1
	for len(data) > 0 {
		r, size := utf8.DecodeRune(data)
		if r == utf8.RuneError && size == 1 {
			return line
		}
		if r == '\n' {
			line++
		}
		data = data[size:]
	}
	return 0
}
