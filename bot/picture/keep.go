package picture

import (
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
)

// A drawing is kept as what was drawn, which takes a tenth of its pixels' room and less.

// mostKept is how large a kept drawing may be, unpacked, in bytes.
const mostKept = 4 << 20

type keptCanvas struct {
	W, H  float64
	Theme Theme   `json:",omitempty"`
	Scale float64 `json:",omitempty"`
	Drawn []mark
}

// MarshalJSON writes a drawing so that UnmarshalJSON gives one back that looks the same.
func (c *Canvas) MarshalJSON() ([]byte, error) {
	plain, err := json.Marshal(keptCanvas{c.W, c.H, c.Theme, c.Scale, c.drawn})
	if err != nil {
		return nil, fmt.Errorf("keep drawing: %w", err)
	}
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestSpeed)
	if err != nil {
		return nil, fmt.Errorf("keep drawing: %w", err)
	}
	if _, err := w.Write(plain); err != nil {
		return nil, fmt.Errorf("keep drawing: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("keep drawing: %w", err)
	}
	return json.Marshal(b.Bytes())
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (c *Canvas) UnmarshalJSON(data []byte) error {
	var packed []byte
	if err := json.Unmarshal(data, &packed); err != nil {
		return fmt.Errorf("read drawing: %w", err)
	}
	plain, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(packed)), mostKept))
	if err != nil {
		return fmt.Errorf("read drawing: %w", err)
	}
	var k keptCanvas
	if err := json.Unmarshal(plain, &k); err != nil {
		return fmt.Errorf("read drawing: %w", err)
	}
	*c = Canvas{W: k.W, H: k.H, Theme: k.Theme, Scale: k.Scale, drawn: k.Drawn}
	return nil
}

// Key says what a drawing looks like: two with the same key have the same pixels.
func (c *Canvas) Key() ([sha256.Size]byte, error) {
	plain, err := json.Marshal(keptCanvas{c.W, c.H, c.Theme, c.Scale, c.drawn})
	if err != nil {
		return [sha256.Size]byte{}, fmt.Errorf("name drawing: %w", err)
	}
	return sha256.Sum256(plain), nil
}
