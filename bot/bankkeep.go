package bot

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"timonier/content"
)

// How much of its own a tenant may keep, and how much is written at once: an import in a chat is
// one commit, which has to fit any store.
const (
	mostOwn    = 20_000     // questions
	mostBundle = 64 << 10   // bytes of a bundle
	mostAtOnce = 1200 << 10 // bytes of bundles in a commit
	mostDead   = 40         // bundles deleted in a commit
)

// errTooMuch says that questions do not fit into one commit.
var errTooMuch = errors.New("too many questions for one commit")

// bundled are questions as bundles, beginning with the one that is next.
func bundled(items []*content.Item, head bankHead) ([]Record, bankHead, error) {
	var records []Record
	var bundle []json.RawMessage
	size, total := 0, 0
	end := func() error {
		if len(bundle) == 0 {
			return nil
		}
		value, err := json.Marshal(bundle)
		records = append(records, Record{fmt.Sprintf("%s%08d", keyBundle, head.Next), value})
		head.Next++
		bundle, size = nil, 0
		return err
	}
	for _, i := range items {
		data, err := json.Marshal(i)
		if err != nil {
			return nil, head, fmt.Errorf("encode question %s: %w", i.ID, err)
		}
		if size+len(data) > mostBundle {
			if err := end(); err != nil {
				return nil, head, err
			}
		}
		bundle, size, total = append(bundle, data), size+len(data), total+len(data)
	}
	if err := end(); err != nil {
		return nil, head, err
	}
	if total > mostAtOnce {
		return nil, head, errTooMuch
	}
	head.Revision++
	return records, head, nil
}

// dead are the bundles of which every question is in a later one, or among those that are added.
func (b *bank) dead(added []*content.Item) []string {
	replaced := map[string]bool{}
	for _, i := range added {
		replaced[i.ID] = true
	}
	var out []string
	for key, items := range b.bundles {
		if !slices.ContainsFunc(items, func(i *content.Item) bool { return b.own[i.ID] == key && !replaced[i.ID] }) {
			out = append(out, key)
		}
	}
	slices.Sort(out)
	return out[:min(len(out), mostDead)]
}

// survivors are the questions of a bundle that is half dead, or more so, once some are added: written again with
// those, they let it go. One bundle at a time, so that a commit carries little more than what was asked for.
func (b *bank) survivors(added []*content.Item) []*content.Item {
	replaced := map[string]bool{}
	for _, i := range added {
		replaced[i.ID] = true
	}
	for _, key := range slices.Sorted(maps.Keys(b.bundles)) {
		var live []*content.Item
		for _, i := range b.bundles[key] {
			if b.own[i.ID] == key && !replaced[i.ID] {
				live = append(live, i)
			}
		}
		if len(live) > 0 && 2*len(live) <= len(b.bundles[key]) {
			return live
		}
	}
	return nil
}

// hasRoom says that the bank takes no more than it may when questions are added. Those that take less room
// than what they replace are always welcome.
func (b *bank) hasRoom(items []*content.Item, most int) bool {
	added, replaced := 0, 0
	for _, i := range items {
		added += weightOf(i)
		if b.own[i.ID] != "" {
			replaced += weightOf(b.known[i.ID])
		}
	}
	return added <= replaced || b.bytes+added <= most
}

// heaviest are the IDs of the tenant's largest questions.
func (b *bank) heaviest(n int) []string {
	weight := map[string]int{}
	for id := range b.own {
		weight[id] = weightOf(b.known[id])
	}
	ids := slices.SortedFunc(maps.Keys(b.own), func(x, y string) int {
		return cmp.Or(cmp.Compare(weight[y], weight[x]), strings.Compare(x, y))
	})
	ids = ids[:min(n, len(ids))]
	for k := range ids {
		ids[k] = "`" + ids[k] + "`"
	}
	return ids
}

// weightOf is how many bytes a question takes in a bundle.
func weightOf(i *content.Item) int {
	data, _ := json.Marshal(i) // what cannot be written is told where it is written
	return len(data) + 1
}

// keepItems adds questions to the tenant's own, with the command. One that is there already is replaced.
func (c *call) keepItems(items []*content.Item) error {
	b, err := c.bank()
	if err != nil {
		return err
	}
	head, err := c.bankHead()
	if err != nil {
		return err
	}
	all := append(slices.Clip(items), b.survivors(items)...)
	records, next, err := bundled(all, head)
	if errors.Is(err, errTooMuch) {
		all = items
		records, next, err = bundled(all, head)
	}
	if err != nil {
		return err
	}
	for _, key := range b.dead(all) {
		c.house.set(key, nil)
	}
	for _, r := range records {
		c.house.set(r.Key, r.Value)
	}
	return put(c.house.shelf, houseBank, next)
}

// dropItem deletes a question of the tenant's own, all its versions, and what was flagged of it. What shares a bundle with one of
// them is written again.
func (c *call) dropItem(b *bank, id string) error {
	head, err := c.bankHead()
	if err != nil {
		return err
	}
	var left []*content.Item
	for _, key := range slices.Sorted(maps.Keys(b.bundles)) {
		if !slices.ContainsFunc(b.bundles[key], func(i *content.Item) bool { return i.ID == id }) {
			continue
		}
		for _, i := range b.bundles[key] {
			if i.ID != id && b.own[i.ID] == key {
				left = append(left, i)
			}
		}
		c.house.set(key, nil)
	}
	records, head, err := bundled(left, head)
	if err != nil {
		return fmt.Errorf("write what is left of the bank: %w", err)
	}
	for _, r := range records {
		c.house.set(r.Key, r.Value)
	}
	if _, ofCourse := c.content.Item(id); !ofCourse && b.withdrawn[id] { // another of the name would be withdrawn from the start
		withdrawn := maps.Clone(b.withdrawn)
		delete(withdrawn, id)
		if err := c.house.setJSON(bankWithdrawn, append([]string{}, slices.Sorted(maps.Keys(withdrawn))...)); err != nil {
			return err
		}
	}
	c.house.drop = append(c.house.drop, keyFlag+id+"/")
	return put(c.house.shelf, houseBank, head)
}

func (c *call) bankHead() (bankHead, error) {
	var head bankHead
	if c.house.shelf == nil {
		return head, nil
	}
	return head, c.house.get(houseBank, &head)
}

// setWithdrawn takes questions out of the bank, or puts them back, with the command.
func (c *call) setWithdrawn(b *bank, ids []string, out bool) error {
	head, err := c.bankHead()
	if err != nil {
		return err
	}
	all := map[string]bool{}
	for id := range b.withdrawn {
		all[id] = true
	}
	for _, id := range ids {
		all[id] = out
	}
	list := []string{}
	for id, is := range all {
		if is {
			list = append(list, id)
		}
	}
	slices.Sort(list)
	if err := c.house.setJSON(bankWithdrawn, list); err != nil {
		return err
	}
	head.Revision++
	return put(c.house.shelf, houseBank, head)
}

// flagged is a learner's flag on a question.
type flagged struct {
	At time.Time `json:"at"`
}

// flagOf is the record of a person's flag on a question. Who it is cannot be read in it: it only
// keeps one person from counting twice, and lets the flag be deleted with what else is theirs.
func flagOf(item string, person Scope) string {
	sum := sha256.Sum256([]byte(person.Platform + "\x00" + person.Person + "\x00" + item))
	return keyFlag + item + "/" + hex.EncodeToString(sum[:8])
}

// flagItem notes that the person finds something wrong with a question: once, however often they say so.
func (c *call) flagItem(id string) (Reply, error) {
	if c.house.shelf == nil {
		return c.mistake("bank.nohouse"), nil
	}
	b, err := c.bank()
	if err != nil {
		return Reply{}, err
	}
	i, ok := b.ever(strings.TrimSpace(id))
	if !ok {
		return c.mistake("bank.noitem", with{"Item": shorten(id)}), nil
	}
	if err := c.house.setJSON(flagOf(i.ID, c.learner.scope), flagged{c.now}); err != nil {
		return Reply{}, err
	}
	if err := c.noteHouse(); err != nil {
		return Reply{}, err
	}
	return Reply{Blocks: []Block{Text{c.say("bank.flagged", with{"Item": i.ID})}}}, nil
}

// flags are how many people have flagged each question of the tenant.
func (c *call) flags() (map[string]int, error) {
	out := map[string]int{}
	if c.house.shelf == nil {
		return out, nil
	}
	records, _, err := c.tutor.cfg.Store.Read(c.ctx, c.house.scope, keyFlag)
	if err != nil {
		return nil, fmt.Errorf("read flags: %w", err)
	}
	for _, r := range records {
		out[flaggedItem(r.Key)]++
	}
	return out, nil
}

// flagsIn are the records of the person's flags in a tenant.
func (c *call) flagsIn(h Scope) ([]string, error) {
	records, _, err := c.tutor.cfg.Store.Read(c.ctx, h, keyFlag)
	if err != nil {
		return nil, fmt.Errorf("read flags: %w", err)
	}
	var keys []string
	for _, rec := range records {
		if rec.Key == flagOf(flaggedItem(rec.Key), c.learner.scope) {
			keys = append(keys, rec.Key)
		}
	}
	return keys, nil
}

// flaggedItem is the question that the record of a flag is about.
func flaggedItem(key string) string {
	item, _, _ := strings.Cut(strings.TrimPrefix(key, keyFlag), "/")
	return item
}

// ImportQuestions adds questions to a tenant's own in a store that no tutor is using, in as many
// commits as it takes. What was committed before an error stays.
func ImportQuestions(ctx context.Context, store Store, tenant Scope, items []*content.Item) error {
	const step = 200
	for len(items) > 0 {
		n := min(step, len(items))
		if err := importSome(ctx, store, tenant, items[:n]); err != nil {
			return err
		}
		items = items[n:]
	}
	return nil
}

func importSome(ctx context.Context, store Store, tenant Scope, items []*content.Item) error {
	sh, err := readShelf(ctx, store, Scope{Platform: tenant.Platform, Tenant: tenant.Tenant}, keyHouse)
	if err != nil {
		return err
	}
	var head bankHead
	if err := sh.get(houseBank, &head); err != nil {
		return err
	}
	records, head, err := bundled(items, head)
	if errors.Is(err, errTooMuch) && len(items) > 1 {
		half := len(items) / 2
		return errors.Join(importSome(ctx, store, tenant, items[:half]), importSome(ctx, store, tenant, items[half:]))
	}
	if err != nil {
		return err
	}
	for _, r := range records {
		sh.set(r.Key, r.Value)
	}
	if err := put(sh, houseBank, head); err != nil {
		return err
	}
	w, _ := sh.write()
	if err := store.Commit(ctx, Commit{Writes: []Write{w}}); err != nil {
		return fmt.Errorf("commit questions: %w", err)
	}
	return nil
}
