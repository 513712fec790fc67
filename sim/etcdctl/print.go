package etcdctl

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"timonier/sim/etcd"
)

// format is a format of output.
type format string

// The formats.
const (
	simple     format = "simple"
	jsonFormat format = "json"
	fields     format = "fields"
	table      format = "table"
)

// answer is what a command has to say, in each format that it has: nil where etcdctl has none.
type answer struct {
	simple func(*bytes.Buffer)
	json   any
	fields func(*bytes.Buffer)
	table  func() (head []string, rows [][]string)
}

// print writes an answer in the format asked for.
func (r *run) print(a answer) error {
	switch {
	case r.format == simple && a.simple != nil:
		a.simple(&r.out)
	case r.format == jsonFormat && a.json != nil:
		b, err := json.Marshal(a.json)
		if err != nil {
			return &failure{exitError, err}
		}
		r.out.Write(append(b, '\n'))
	case r.format == fields && a.fields != nil:
		a.fields(&r.out)
	case r.format == table && a.table != nil:
		head, rows := a.table()
		printTable(&r.out, head, rows)
	default:
		return fail(exitBadFeature, "%s not supported as output format", r.format)
	}
	return nil
}

// printTable draws a table as etcdctl's library does: headings in capitals and centred, cells to the right.
func printTable(out *bytes.Buffer, head []string, rows [][]string) {
	widths := make([]int, len(head))
	for i, h := range head {
		widths[i] = utf8.RuneCountInString(h)
		for _, row := range rows {
			widths[i] = max(widths[i], utf8.RuneCountInString(row[i]))
		}
	}
	rule := func(left, middle, right string) {
		for i, w := range widths {
			if out.WriteString(left); i > 0 {
				out.Truncate(out.Len() - len(left))
				out.WriteString(middle)
			}
			out.WriteString(strings.Repeat("─", w+2))
		}
		out.WriteString(right + "\n")
	}
	line := func(cells []string, left func(room int) int) {
		for i, c := range cells {
			room := widths[i] - utf8.RuneCountInString(c)
			before := left(room)
			fmt.Fprintf(out, "│ %s%s%s ", strings.Repeat(" ", before), c, strings.Repeat(" ", room-before))
		}
		out.WriteString("│\n")
	}
	rule("┌", "┬", "┐")
	capitals := make([]string, len(head))
	for i, h := range head {
		capitals[i] = strings.ToUpper(strings.ReplaceAll(h, "_", " "))
	}
	line(capitals, func(room int) int { return room / 2 })
	rule("├", "┼", "┤")
	for _, row := range rows {
		line(row, func(room int) int { return room })
	}
	rule("└", "┴", "┘")
}

// lines is the simple format of what the table format has as rows.
func lines(rows [][]string) func(*bytes.Buffer) {
	return func(out *bytes.Buffer) {
		for _, row := range rows {
			out.WriteString(strings.Join(row, ", ") + "\n")
		}
	}
}

// head writes a header's fields.
func (r *run) head(out *bytes.Buffer, h header) {
	fmt.Fprintf(out, "\"ClusterID\" : %s\n\"MemberID\" : %s\n", r.id(h.ClusterID), r.id(h.MemberID))
	if h.Revision > 0 {
		fmt.Fprintf(out, "\"Revision\" : %d\n", h.Revision)
	}
	fmt.Fprintf(out, "\"RaftTerm\" : %d\n", h.RaftTerm)
}

func (r *run) id(id uint64) string {
	if r.hex {
		return fmt.Sprintf("%x", id)
	}
	return fmt.Sprint(id)
}

// keyValue is a key with its value, as JSON has it.
type keyValue struct {
	Key            []byte `json:"key,omitempty"`
	CreateRevision int64  `json:"create_revision,omitempty"`
	ModRevision    int64  `json:"mod_revision,omitempty"`
	Version        int64  `json:"version,omitempty"`
	Value          []byte `json:"value,omitempty"`
	Lease          int64  `json:"lease,omitempty"`
}

func keyValueOf(kv etcd.KV) *keyValue {
	return &keyValue{[]byte(kv.Key), kv.CreateRev, kv.ModRev, kv.Version, kv.Value, kv.Lease}
}

func keyValues(kvs []etcd.KV) []*keyValue {
	var all []*keyValue
	for _, kv := range kvs {
		all = append(all, keyValueOf(kv))
	}
	return all
}

// kvLines is a key and its value on a line each.
func (r *run) kvLines(out *bytes.Buffer, kv etcd.KV, valueOnly bool) {
	key, value := kv.Key, string(kv.Value)
	if r.hex {
		key, value = hexed(key), hexed(value)
	}
	if !valueOnly {
		out.WriteString(key + "\n")
	}
	out.WriteString(value + "\n")
}

func hexed(s string) string {
	var b strings.Builder
	for i := range len(s) {
		fmt.Fprintf(&b, "\\x%02x", s[i])
	}
	return b.String()
}

// kvFields is a key and its value as fields; prefix is Prev for what was before.
func (r *run) kvFields(out *bytes.Buffer, kv etcd.KV, prefix string) {
	lease := fmt.Sprint(kv.Lease)
	if r.hex {
		lease = fmt.Sprintf("%016x", kv.Lease)
	}
	fmt.Fprintf(out, "\"%[1]sKey\" : %[2]q\n\"%[1]sCreateRevision\" : %[3]d\n\"%[1]sModRevision\" : %[4]d\n\"%[1]sVersion\" : %[5]d\n\"%[1]sValue\" : %[6]q\n\"%[1]sLease\" : %[7]s\n",
		prefix, kv.Key, kv.CreateRev, kv.ModRev, kv.Version, kv.Value, lease)
}

// human is a size as go-humanize words it: 33 kB, 2.1 GB.
func human(bytes int64) string {
	if bytes < 10 {
		return fmt.Sprintf("%d B", bytes)
	}
	value, unit := float64(bytes), 0
	for value >= 1000 && unit < 4 {
		value /= 1000
		unit++
	}
	value = float64(int64(value*10+0.5)) / 10
	if value < 10 {
		return fmt.Sprintf("%.1f %s", value, [5]string{"B", "kB", "MB", "GB", "TB"}[unit])
	}
	return fmt.Sprintf("%.0f %s", value, [5]string{"B", "kB", "MB", "GB", "TB"}[unit])
}
