package bot

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	corev1 "k8s.io/api/core/v1"

	"timonier/sim"
	"timonier/sim/apiserver"
)

// A checkpoint is a channel's cluster as it was at a moment, under a name: its records,
// packed into one. To go back to it is to put that one record below the cluster's own, so
// that neither costs more writes the larger the cluster is.

// The bounds of what a channel keeps.
const (
	mostCheckpoints = 5
	mostPacked      = 1 << 20  // bytes of one: a request to the store carries 1.5 MiB
	mostUnpacked    = 64 << 20 // bytes of its records
	mostName        = 30       // characters
)

// checkpoint is what is said of one without reading it.
type checkpoint struct {
	Name  string    `json:"name,omitempty"` // none: the place is free
	Kept  time.Time `json:"kept,omitzero"`  // the wall's time
	At    time.Time `json:"at,omitzero"`    // the cluster's
	Nodes int       `json:"nodes,omitempty"`
	Pods  int       `json:"pods,omitempty"`
	Clock clock     `json:"clock,omitzero"`
	Last  last      `json:"last,omitzero"`
}

// checkpoints are a channel's; each has the record of its place.
type checkpoints struct {
	Places [mostCheckpoints]checkpoint `json:"places"`
}

func keyCheckpoint(place int) string { return keyKept + strconv.Itoa(place) }

// find is the place of a checkpoint, -1 where there is none of the name.
func (k *checkpoints) find(name string) int {
	return slices.IndexFunc(k.Places[:], func(p checkpoint) bool { return p.Name != "" && fold(p.Name) == fold(name) })
}

// free is a place without a checkpoint, -1 where there is none.
func (k *checkpoints) free() int {
	return slices.IndexFunc(k.Places[:], func(p checkpoint) bool { return p.Name == "" })
}

// all are those there are, the newest first.
func (k *checkpoints) all() []checkpoint {
	var out []checkpoint
	for _, p := range k.Places {
		if p.Name != "" {
			out = append(out, p)
		}
	}
	slices.SortStableFunc(out, func(a, b checkpoint) int { return b.Kept.Compare(a.Kept) })
	return out
}

// Errors of keepCluster.
var (
	errFull  = errors.New("no place for another checkpoint")
	errLarge = errors.New("the cluster is too large for a checkpoint")
)

// keepCluster keeps the cluster as it is under a name, in place of what had it.
func (c *call) keepCluster(cl *sim.Cluster, name string) (checkpoint, error) {
	ch := c.channel
	place := ch.kept.find(name)
	if place < 0 {
		if place = ch.kept.free(); place < 0 {
			return checkpoint{}, errFull
		}
	}
	kept, packed, err := c.packCluster(cl, name)
	if err != nil {
		return checkpoint{}, err
	}
	ch.kept.Places[place] = kept
	ch.set(keyCheckpoint(place), packed)
	return kept, nil
}

// packCluster is the cluster as it is, in one record, and what is said of it.
func (c *call) packCluster(cl *sim.Cluster, name string) (checkpoint, []byte, error) {
	ch := c.channel
	records, err := c.wholeCluster(cl)
	if err != nil {
		return checkpoint{}, nil, err
	}
	packed, err := pack(records)
	if err != nil {
		return checkpoint{}, nil, err
	}
	kept := checkpoint{Name: name, Kept: c.now, At: cl.Now(), Clock: ch.clock, Last: ch.last}
	kept.Clock.Used = time.Time{}
	for range apiserver.List[*corev1.Node](cl.Client(), "") {
		kept.Nodes++
	}
	for range apiserver.List[*corev1.Pod](cl.Client(), "") {
		kept.Pods++
	}
	return kept, packed, nil
}

// loadCheckpoint puts the cluster back that is kept at a place; the channel's clock and what
// /pourquoi tells come back with it.
func (c *call) loadCheckpoint(place int) (*sim.Cluster, error) {
	return c.loadKept(keyCheckpoint(place), c.channel.kept.Places[place])
}

// loadKept puts the cluster back that a record holds.
func (c *call) loadKept(key string, kept checkpoint) (*sim.Cluster, error) {
	ch := c.channel
	records, packed, err := c.readKept(key)
	if err != nil {
		return nil, err
	}
	cl, err := c.openCluster(records)
	if err != nil {
		return nil, err
	}
	ch.simulated, c.used = simulated{cluster: cl, base: keysOf(records)}, true
	ch.drop = []string{keyCluster}
	ch.set(keyBase, packed)
	ch.clock, ch.last = kept.Clock, kept.Last
	ch.clock.Used = c.now
	return cl, nil
}

// readCheckpoint gives the records of what is kept at a place, and the same as they are kept.
func (c *call) readCheckpoint(place int) (records map[string][]byte, packed []byte, err error) {
	return c.readKept(keyCheckpoint(place))
}

func (c *call) readKept(key string) (records map[string][]byte, packed []byte, err error) {
	kept, version, err := c.tutor.cfg.Store.Read(c.ctx, c.channel.scope, key)
	if err != nil {
		return nil, nil, fmt.Errorf("read checkpoint: %w", err)
	}
	if version != c.channel.version {
		return nil, nil, ErrConflict
	}
	if len(kept) != 1 {
		return nil, nil, fmt.Errorf("read checkpoint: %d records, not one", len(kept))
	}
	records, err = unpack(kept[0].Value)
	if err != nil {
		return nil, nil, fmt.Errorf("read checkpoint: %w", err)
	}
	return records, kept[0].Value, nil
}

// forget frees a place.
func (c *call) forget(place int) {
	c.channel.kept.Places[place] = checkpoint{}
	c.channel.set(keyCheckpoint(place), nil)
}

// pack makes one value of records; the same of the same.
func pack(records map[string][]byte) ([]byte, error) {
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, flate.DefaultCompression)
	if err != nil {
		return nil, fmt.Errorf("pack records: %w", err)
	}
	size := 0
	for _, key := range slices.Sorted(maps.Keys(records)) {
		for _, part := range [][]byte{[]byte(key), records[key]} {
			size += len(part)
			if _, err := w.Write(append(binary.AppendUvarint(nil, uint64(len(part))), part...)); err != nil {
				return nil, fmt.Errorf("pack records: %w", err)
			}
		}
		if size > mostUnpacked || out.Len() > mostPacked {
			return nil, errLarge
		}
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("pack records: %w", err)
	}
	if out.Len() > mostPacked {
		return nil, errLarge
	}
	return out.Bytes(), nil
}

// unpack gives the records that pack was given.
func unpack(packed []byte) (map[string][]byte, error) {
	data, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(packed)), 2*mostUnpacked))
	if err != nil {
		return nil, fmt.Errorf("unpack records: %w", err)
	}
	records := map[string][]byte{}
	for len(data) > 0 {
		var parts [2][]byte
		for i := range parts {
			n, width := binary.Uvarint(data)
			if width <= 0 || n > uint64(len(data)-width) {
				return nil, errors.New("unpack records: cut short")
			}
			parts[i], data = data[width:width+int(n)], data[width+int(n):]
		}
		records[string(parts[0])] = parts[1]
	}
	return records, nil
}

// The words of /grappe.
var (
	clusterShow   = name{"montre", "show"}
	clusterSave   = name{"sauve", "save"}
	clusterLoad   = name{"charge", "load"}
	clusterList   = name{"liste", "list"}
	clusterForget = name{"oublie", "forget"}
	clusterOver   = name{"remplace", "replace"}
	confirmed     = name{"confirme", "confirm"}
)

// clusterCommand is /grappe, and what keeps and brings back the whole of it.
func clusterCommand(c *call) (Reply, error) {
	words := strings.Fields(c.args)
	if len(words) == 0 || clusterShow.is(words[0]) {
		return c.overview()
	}
	for _, row := range []struct {
		name    name
		aliases []string
		run     func(*call, []string) (Reply, error)
	}{
		{clusterSave, []string{"sauver", "sauvegarde", "sauvegarder", "garde"}, (*call).saveCommand},
		{clusterLoad, []string{"charger", "restore"}, (*call).loadCommand},
		{clusterList, []string{"ls"}, (*call).listCommand},
		{clusterForget, []string{"oublier", "efface", "delete"}, (*call).forgetCommand},
	} {
		if row.name.is(words[0]) || slices.Contains(row.aliases, fold(words[0])) {
			return row.run(c, words[1:])
		}
	}
	return c.mistake("cluster.unknown", with{"Word": shorten(words[0])}).with(Button{Label: c.say("button.help"), Line: c.typed("help", c.clusterName())}), nil
}

func (c *call) clusterName() string { return name{"grappe", "cluster"}.in(c.words) }

// saveCommand is /grappe sauve NOM.
func (c *call) saveCommand(words []string) (Reply, error) {
	over := len(words) == 2 && clusterOver.is(words[1])
	if over {
		words = words[:1]
	}
	switch {
	case !c.may(changes):
		return c.forbidden(c.typed("cluster", clusterSave.in(c.words))), nil
	case len(words) == 0:
		return c.mistake("kept.which").with(c.saveButton(c.say("kept.example"))), nil
	case !goodName(strings.Join(words, " ")):
		r := c.mistake("kept.badname", with{"Most": mostName})
		if tidy := tidyName(strings.Join(words, "-")); tidy != "" {
			r = r.with(c.saveButton(tidy))
		}
		return r, nil
	}
	if place := c.channel.kept.find(words[0]); place >= 0 && (!over || !c.may(resets)) {
		old := c.channel.kept.Places[place]
		if !c.may(resets) {
			return c.denied("kept.taken", with{"Name": old.Name}), nil
		}
		r := Reply{Blocks: []Block{Text{c.say("kept.over", with{"Name": old.Name, "What": c.keptWhat(old)})}}}
		return r.with(Button{Label: c.say("kept.overyes"), Line: c.typed("cluster", clusterSave.in(c.words), words[0], clusterOver.in(c.words)), Style: Danger}), nil
	}
	cl, err := c.cluster()
	if err != nil {
		return Reply{}, err
	}
	kept, err := c.keepCluster(cl, words[0])
	switch {
	case errors.Is(err, errFull):
		r, _ := c.listCommand(nil)
		r.Blocks = append([]Block{Text{c.say("kept.full", with{"Most": mostCheckpoints})}}, r.Blocks...)
		r.Failed = true
		return r, nil
	case errors.Is(err, errLarge):
		return c.mistake("kept.large"), nil
	case err != nil:
		return Reply{}, err
	}
	load := c.loadButton(kept)
	r := Reply{Blocks: []Block{Text{c.say("kept.saved", with{"Name": kept.Name, "What": c.keptWhat(kept), "Load": load.Line})}}}
	return r.with(load).with(Button{Label: c.say("button.cluster"), Line: c.typed("cluster")}), nil
}

func (c *call) saveButton(name string) Button {
	return Button{Label: c.say("kept.saveas", with{"Name": name}), Line: c.typed("cluster", clusterSave.in(c.words), name)}
}

func (c *call) loadButton(k checkpoint) Button {
	return Button{Label: c.say("kept.back", with{"Name": k.Name}), Line: c.typed("cluster", clusterLoad.in(c.words), k.Name)}
}

// loadCommand is /grappe charge NOM, once more with confirme.
func (c *call) loadCommand(words []string) (Reply, error) {
	if !c.may(resets) {
		return c.forbidden(c.typed("cluster", clusterLoad.in(c.words))), nil
	}
	place, r := c.keptPlace(words, (*call).loadButton)
	if place < 0 {
		return r, nil
	}
	kept := c.channel.kept.Places[place]
	if len(words) < 2 || !confirmed.is(words[1]) {
		r := c.sureOf(kept, c.typed("cluster", clusterLoad.in(c.words), kept.Name, confirmed.in(c.words)))
		r.Failed = len(words) > 1
		return r, nil
	}
	cl, err := c.loadCheckpoint(place)
	if err != nil {
		return Reply{}, err
	}
	r = Reply{Blocks: []Block{Text{c.say("kept.loaded", with{"Name": kept.Name})}, Text{c.clockText(cl)}}}
	if kept.Kept.Before(c.channel.exercise.Aside.Kept) { // what was kept since is the exercise's
		r = c.dropExercise(r)
	}
	return r.with(Button{Label: c.say("button.cluster"), Line: c.typed("cluster"), Style: Primary}).
		with(Button{Label: c.say("button.why"), Line: c.typed("why")}), nil
}

// sureOf asks whether to go back to a checkpoint; the line does it.
func (c *call) sureOf(kept checkpoint, line string) Reply {
	r := Reply{Blocks: []Block{Text{c.say("kept.sure", with{"Name": kept.Name, "What": c.keptWhat(kept)})}}}
	return r.with(Button{Label: c.say("kept.yes"), Line: line, Style: Danger}).
		with(Button{Label: c.say("button.cluster"), Line: c.typed("cluster")})
}

// forgetCommand is /grappe oublie NOM.
func (c *call) forgetCommand(words []string) (Reply, error) {
	if !c.may(resets) {
		return c.forbidden(c.typed("cluster", clusterForget.in(c.words))), nil
	}
	place, r := c.keptPlace(words, func(c *call, k checkpoint) Button {
		return Button{Label: k.Name, Line: c.typed("cluster", clusterForget.in(c.words), k.Name), Style: Danger}
	})
	if place < 0 {
		return r, nil
	}
	name := c.channel.kept.Places[place].Name
	c.forget(place)
	return Reply{Blocks: []Block{Text{c.say("kept.forgot", with{"Name": name})}}}, nil
}

// keptPlace finds the checkpoint that is named, or says which there are, each with its button.
func (c *call) keptPlace(words []string, button func(*call, checkpoint) Button) (int, Reply) {
	id, word := "kept.name", ""
	if len(words) > 0 {
		id, word = "kept.unknown", words[0]
		if place := c.channel.kept.find(word); place >= 0 {
			return place, Reply{}
		}
	}
	all := c.channel.kept.all()
	if len(all) == 0 {
		id = "kept.none"
	}
	r := c.mistake(id, with{"Word": shorten(word)})
	for _, k := range all {
		r = r.with(button(c, k))
	}
	return -1, r
}

// listCommand is /grappe liste.
func (c *call) listCommand([]string) (Reply, error) {
	all := c.channel.kept.all()
	if len(all) == 0 {
		return Reply{Blocks: []Block{Text{c.say("kept.none")}}}.with(c.saveButton(c.say("kept.example"))), nil
	}
	var b strings.Builder
	r := Reply{}
	for _, k := range all {
		fmt.Fprintf(&b, "- **%s**%s%s\n", k.Name, c.say("help.sep"), c.keptWhat(k))
		r = r.with(c.loadButton(k))
	}
	r.Blocks = []Block{Title{c.say("kept.title")}, Text{b.String()}}
	return r, nil
}

// keptWhat says in a few words what a checkpoint holds.
func (c *call) keptWhat(k checkpoint) string {
	return c.say("kept.what", with{"Clock": c.hour(k.At), "Date": k.At.Format(time.DateOnly),
		"Nodes": c.say("kept.nodes", with{"Count": k.Nodes}), "Pods": c.say("kept.pods", with{"Count": k.Pods})})
}

func goodName(name string) bool {
	return name != "" && len([]rune(name)) <= mostName && tidyName(name) == name
}

// tidyName makes a name of what was typed: letters, digits, dashes, dots.
func tidyName(s string) string {
	s = strings.Trim(strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("-_.", r) {
			return r
		}
		return '-'
	}, s), "-")
	if runes := []rune(s); len(runes) > mostName {
		s = strings.Trim(string(runes[:mostName]), "-")
	}
	return s
}

func completeCluster(c *call, words []string) []string {
	if len(words) == 1 {
		var out []string
		for _, n := range []name{clusterSave, clusterLoad, clusterList, clusterForget} {
			out = append(out, n.in(c.words))
		}
		return out
	}
	if len(words) > 2 || clusterList.is(words[0]) {
		return nil
	}
	var out []string
	for _, k := range c.channel.kept.all() {
		out = append(out, k.Name)
	}
	return out
}
