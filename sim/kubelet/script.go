package kubelet

import (
	"errors"
	"slices"
	"strings"
)

// A script is what `sh -c` is given, as far as examples and exercises go: simple
// commands joined by ; && || | &, loops, if, and redirections to files. Nothing
// runs: shell.go works out how long it takes, what it prints, which files it
// makes and how it ends.

// word is one word of a script. Quoted in single quotes, its dollars mean nothing.
type word struct {
	text string
	raw  bool // single quotes
	op   bool // an operator
}

// node is a command and what joins it to the next one.
type node struct {
	words  []word // of a simple command
	output string // file that its output goes to

	kind string // "", while, until, for, if
	name string // of for's variable
	cond []node // of while, until, if
	body []node
	rest []node // else

	join string // what follows: ; && || | & or nothing
}

// maxScript bounds what is read at all, in bytes: by far more than any example.
const maxScript = 32 << 10

var errScript = errors.New("not understood")

// lex cuts a script into words and operators.
func lex(script string) ([]word, error) {
	var words []word
	var cur strings.Builder
	has, raw := false, false
	flush := func() {
		if has {
			words = append(words, word{text: cur.String(), raw: raw})
		}
		cur.Reset()
		has, raw = false, false
	}
	for i := 0; i < len(script); i++ {
		c := script[i]
		switch {
		case c == ' ' || c == '\t' || c == '\r':
			flush()
		case c == '#' && !has:
			for i+1 < len(script) && script[i+1] != '\n' {
				i++
			}
		case c == '\\' && i+1 < len(script):
			i++
			if script[i] != '\n' {
				cur.WriteByte(script[i])
				has = true
			}
		case c == '\'':
			end := strings.IndexByte(script[i+1:], '\'')
			if end < 0 {
				return nil, errScript
			}
			cur.WriteString(script[i+1 : i+1+end])
			has, raw = true, true
			i += end + 1
		case c == '"':
			end := quoted(script[i+1:])
			if end < 0 {
				return nil, errScript
			}
			cur.WriteString(strings.ReplaceAll(script[i+1:i+1+end], `\"`, `"`))
			has = true
			i += end + 1
		case c == '$' && i+1 < len(script) && script[i+1] == '(':
			end := strings.IndexByte(script[i:], ')')
			if end < 0 {
				return nil, errScript
			}
			cur.WriteString(script[i : i+end+1])
			has = true
			i += end
		case strings.IndexByte(";&|<>\n", c) >= 0:
			flush()
			op := string(c)
			if c == '\n' {
				op = ";"
			} else if i+1 < len(script) && script[i+1] == c && c != ';' {
				op += op
				i++
			}
			words = append(words, word{text: op, op: true})
		default:
			cur.WriteByte(c)
			has = true
		}
	}
	flush()
	return words, nil
}

// quoted is where a string in double quotes ends, given what follows the first one.
func quoted(s string) int {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return -1
}

// parser reads words into nodes.
type parser struct {
	words []word
	depth int
}

func parseScript(script string) ([]node, error) {
	if len(script) > maxScript {
		return nil, errScript
	}
	words, err := lex(script)
	if err != nil {
		return nil, err
	}
	p := &parser{words: words}
	list, err := p.list()
	if err == nil && len(p.words) > 0 {
		err = errScript
	}
	return list, err
}

// list reads commands up to the end or to one of the words given, which stays.
func (p *parser) list(until ...string) ([]node, error) {
	if p.depth++; p.depth > 20 {
		return nil, errScript
	}
	defer func() { p.depth-- }()
	var list []node
	for {
		for len(p.words) > 0 && p.words[0].op && p.words[0].text == ";" {
			p.words = p.words[1:]
		}
		if len(p.words) == 0 {
			if len(until) > 0 {
				return nil, errScript
			}
			return list, nil
		}
		if slices.Contains(until, p.words[0].text) {
			return list, nil
		}
		n, err := p.node()
		if err != nil {
			return nil, err
		}
		list = append(list, n)
	}
}

func (p *parser) node() (n node, err error) {
	switch first := p.next(); {
	case first.op || first.text == "(" || first.text == "case" || strings.HasSuffix(first.text, "()"):
		return n, errScript
	case first.text == "while" || first.text == "until":
		n.kind = first.text
		if n.cond, err = p.list("do"); err == nil {
			n.body, err = p.block("done")
		}
	case first.text == "for":
		n.kind, n.name = "for", p.next().text
		if p.next().text != "in" {
			return n, errScript
		}
		for len(p.words) > 0 && !p.words[0].op {
			n.words = append(n.words, p.next())
		}
		for len(p.words) > 0 && p.words[0].op {
			p.next()
		}
		if len(p.words) == 0 || p.words[0].text != "do" {
			return n, errScript
		}
		n.body, err = p.block("done")
	case first.text == "if":
		n.kind = "if"
		if n.cond, err = p.list("then"); err != nil {
			return n, err
		}
		p.next()
		if n.body, err = p.list("else", "fi"); err == nil && p.next().text == "else" {
			if n.rest, err = p.list("fi"); err == nil {
				p.next()
			}
		}
	default:
		n.words = append(n.words, first)
		for len(p.words) > 0 && !p.words[0].op {
			n.words = append(n.words, p.next())
		}
	}
	if err == nil {
		err = p.tail(&n)
	}
	return n, err
}

// tail reads redirections and what joins a command to the next.
func (p *parser) tail(n *node) error {
	for len(p.words) > 0 {
		if !p.words[0].op {
			if n.kind != "" {
				return errScript
			}
			n.words = append(n.words, p.next())
			continue
		}
		switch op := p.next().text; op {
		case ">", ">>", "<":
			if len(p.words) > 0 && p.words[0].op { // 2>&1
				p.next()
			}
			if k := len(n.words); k > 1 && (n.words[k-1].text == "1" || n.words[k-1].text == "2") {
				n.words = n.words[:k-1]
			}
			if target := p.next().text; op != "<" && target != "1" && target != "2" {
				n.output = target
			}
		default:
			n.join = op
			return nil
		}
	}
	return nil
}

// block reads do … done.
func (p *parser) block(end string) ([]node, error) {
	p.next()
	list, err := p.list(end)
	if err == nil {
		p.next()
	}
	return list, err
}

func (p *parser) next() word {
	if len(p.words) == 0 {
		return word{}
	}
	w := p.words[0]
	p.words = p.words[1:]
	return w
}
