package bot

import (
	"encoding/json"
	"fmt"
)

// A Reply is kept with its request, so that it can be given again. JSON knows no
// interfaces: each block says which it is.

type envelope struct {
	Kind  string          `json:"kind"`
	Block json.RawMessage `json:"block,omitempty"`
}

// kindOf names a block, and opens one by its name.
func kindOf(b Block) string {
	switch b.(type) {
	case Title:
		return "title"
	case Text:
		return "text"
	case Code:
		return "code"
	case Table:
		return "table"
	case Quote:
		return "quote"
	case Meter:
		return "meter"
	case Picture:
		return "picture"
	case Until:
		return "until"
	case Divider:
		return "divider"
	}
	return ""
}

func open(e envelope) (Block, error) {
	switch e.Kind {
	case "title":
		return decoded[Title](e)
	case "text":
		return decoded[Text](e)
	case "code":
		return decoded[Code](e)
	case "table":
		return decoded[Table](e)
	case "quote":
		return decoded[Quote](e)
	case "meter":
		return decoded[Meter](e)
	case "picture":
		return decoded[Picture](e)
	case "until":
		return decoded[Until](e)
	case "divider":
		return decoded[Divider](e)
	}
	return nil, fmt.Errorf("decode block: unknown kind %q", e.Kind)
}

func decoded[T Block](e envelope) (Block, error) {
	var b T
	if err := json.Unmarshal(e.Block, &b); err != nil {
		return nil, fmt.Errorf("decode block %s: %w", e.Kind, err)
	}
	return b, nil
}

// plainReply is Reply without its methods.
type plainReply Reply

// MarshalJSON writes a reply so that UnmarshalJSON gives the same back.
func (r Reply) MarshalJSON() ([]byte, error) {
	out := struct {
		plainReply
		Blocks []envelope
	}{plainReply: plainReply(r)}
	for _, b := range r.Blocks {
		data, err := json.Marshal(b)
		if err != nil {
			return nil, fmt.Errorf("encode block %s: %w", kindOf(b), err)
		}
		out.Blocks = append(out.Blocks, envelope{kindOf(b), data})
	}
	return json.Marshal(out)
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (r *Reply) UnmarshalJSON(data []byte) error {
	var in struct {
		plainReply
		Blocks []envelope
	}
	if err := json.Unmarshal(data, &in); err != nil {
		return fmt.Errorf("decode reply: %w", err)
	}
	*r = Reply(in.plainReply)
	r.Blocks = nil
	for _, e := range in.Blocks {
		b, err := open(e)
		if err != nil {
			return err
		}
		r.Blocks = append(r.Blocks, b)
	}
	return nil
}
