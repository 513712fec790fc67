package bot

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// kubeconfig is what is kept of one that was given away: who it speaks for, and not what they may do, which is decided
// at each request. Of what the platform says of people only with their requests, it holds what was so when it was made.
type kubeconfig struct {
	Number     int       `json:"-"`    // in its channel; the record's key has it, and no other gets it
	Hash       string    `json:"hash"` // of its token
	Who        string    `json:"who"`
	Name       string    `json:"name,omitempty"`
	Roles      []string  `json:"roles,omitempty"`
	Everywhere bool      `json:"everywhere,omitempty"`
	Teacher    bool      `json:"teacher,omitempty"`
	Direct     bool      `json:"direct,omitempty"`
	Alone      bool      `json:"alone,omitempty"`
	Parent     string    `json:"parent,omitempty"`
	Made       time.Time `json:"made"`
	Expires    time.Time `json:"expires"`
	Used       time.Time `json:"used,omitzero"` // to a few minutes
}

// A kubeconfig is two records: its own, among the small ones of its channel, and one in a scope of its own that says of the hash
// which channel that is, so that a request is brought to its channel by one Read. The first is what counts: both are written, and
// deleted, in one commit.
const (
	keyKubeconfig    = keyChannel + "kubeconfig/" // and its number
	channelNumbering = keyChannel + "kubeconfigs" // how many there have been
	keyToken         = "token/"                   // and the hash
)

// tokenScope is where the hash's channel is found: one of 256 scopes, so that channels that give away kubeconfigs at the same time
// seldom write to the same.
func tokenScope(hash string) Scope { return Scope{Platform: "kubectl", Channel: hash[:2]} }

// tokenMark begins a token, so that one that has come into the wrong hands can be told by what searches texts for secrets.
const tokenMark = "timonier-"

// TokenPattern is what every token of a kubeconfig looks like.
const TokenPattern = tokenMark + `[0-9A-Za-z_-]{43}`

// newToken makes a token of 256 random bits, which nobody has but who gets it, and its hash, which is kept.
func newToken() (token, hash string, err error) {
	var bits [32]byte
	if _, err := rand.Read(bits[:]); err != nil {
		return "", "", fmt.Errorf("make token: %w", err)
	}
	token = tokenMark + base64.RawURLEncoding.EncodeToString(bits[:])
	return token, tokenHash(token), nil
}

// tokenHash is SHA-256, once and without salt: what makes a password's hash slow and salted is that passwords can be guessed. Of
// 2^256 tokens nobody guesses one, by a fast hash either, and no two are the same. The hash can be looked up in an index in the
// ordinary way: how long that takes tells something of the hash of what was sent, and from there leads no way to a token.
func tokenHash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// placeOf is the channel that a token is for; false where there is none.
func (t *Tutor) placeOf(ctx context.Context, hash string) (p Place, found bool, err error) {
	records, _, err := t.cfg.Store.Read(ctx, tokenScope(hash), keyToken+hash)
	if err != nil || len(records) == 0 {
		return p, false, err
	}
	if err := json.Unmarshal(records[0].Value, &p); err != nil {
		return p, false, fmt.Errorf("decode record %s: %w", records[0].Key, err)
	}
	return p, true, nil
}

// kubeconfigs are the channel's, by their numbers; those that have expired are deleted.
func (c *call) kubeconfigs() ([]*kubeconfig, error) {
	all, err := kubeconfigsIn(c.channel.records)
	if err != nil {
		return nil, err
	}
	kept := all[:0]
	for _, k := range all {
		if k.Expires.After(c.now) {
			kept = append(kept, k)
		} else if err := c.dropKubeconfig(k); err != nil {
			return nil, err
		}
	}
	return kept, nil
}

// kubeconfigsIn are those among a channel's records.
func kubeconfigsIn(records map[string][]byte) (all []*kubeconfig, err error) {
	for key, value := range records {
		number, is := strings.CutPrefix(key, keyKubeconfig)
		if !is {
			continue
		}
		k := &kubeconfig{}
		if err := json.Unmarshal(value, k); err != nil {
			return nil, fmt.Errorf("decode record %s: %w", key, err)
		}
		if k.Number, err = strconv.Atoi(number); err != nil {
			return nil, fmt.Errorf("decode key %s: %w", key, err)
		}
		all = append(all, k)
	}
	slices.SortFunc(all, func(a, b *kubeconfig) int { return a.Number - b.Number })
	return all, nil
}

func (k *kubeconfig) key() string { return keyKubeconfig + strconv.Itoa(k.Number) }

// put keeps a kubeconfig in its channel.
func (k *kubeconfig) put(sh *shelf) error {
	data, err := json.Marshal(k)
	if err != nil {
		return fmt.Errorf("encode record %s: %w", k.key(), err)
	}
	sh.records[k.key()], sh.changed[k.key()] = data, data
	return nil
}

// addKubeconfig numbers and keeps a new one, and notes with the person that the channel has something of theirs.
func (c *call) addKubeconfig(k *kubeconfig) error {
	count := 0
	sh := c.channel.shelf
	if err := sh.get(channelNumbering, &count); err != nil {
		return err
	}
	k.Number = count + 1
	if err := put(sh, channelNumbering, k.Number); err != nil {
		return err
	}
	place, err := json.Marshal(c.request.Place())
	if err != nil {
		return fmt.Errorf("encode place: %w", err)
	}
	if err := c.indexToken(k.Hash, place); err != nil {
		return err
	}
	here := c.channel.scope
	if err := c.learner.setJSON(keyAdmitted+hashOf(here), took{Tenant: here.Tenant, Channel: here.Channel, At: c.now.UTC().Round(0)}); err != nil {
		return err
	}
	return k.put(sh)
}

// dropKubeconfig takes one back.
func (c *call) dropKubeconfig(k *kubeconfig) error {
	delete(c.channel.records, k.key())
	c.channel.set(k.key(), nil)
	c.cut = append(c.cut, k.Hash)
	return c.indexToken(k.Hash, nil)
}

// indexToken has the call's commit write in which channel a token's hash is; nil: in none.
func (c *call) indexToken(hash string, place []byte) error {
	s := tokenScope(hash)
	i := slices.IndexFunc(c.others, func(w Write) bool { return w.Scope == s })
	if i < 0 {
		_, version, err := c.tutor.cfg.Store.Read(c.ctx, s, keyToken+hash)
		if err != nil {
			return fmt.Errorf("read version: %w", err)
		}
		i, c.others = len(c.others), append(c.others, Write{Scope: s, Base: version})
	}
	w := &c.others[i]
	w.Changes = slices.DeleteFunc(w.Changes, func(r Record) bool { return r.Key == keyToken+hash })
	w.Changes = append(w.Changes, Record{keyToken + hash, place})
	slices.SortFunc(w.Changes, func(a, b Record) int { return strings.Compare(a.Key, b.Key) })
	return nil
}

// ownKubeconfigs are the person's in a channel, any channel.
func (c *call) ownKubeconfigs(s Scope) ([]*kubeconfig, error) {
	records, _, err := c.tutor.cfg.Store.Read(c.ctx, s, keyKubeconfig)
	if err != nil {
		return nil, fmt.Errorf("read kubeconfigs: %w", err)
	}
	found := map[string][]byte{}
	for _, r := range records {
		found[r.Key] = r.Value
	}
	all, err := kubeconfigsIn(found)
	return slices.DeleteFunc(all, func(k *kubeconfig) bool { return k.Who != c.request.Who.ID }), err
}

// forgetKubeconfigs has the person's tokens for a channel lead nowhere any more. The records in the channel go as all that it has
// of the person does.
func (c *call) forgetKubeconfigs(s Scope) error {
	own, err := c.ownKubeconfigs(s)
	if err != nil {
		return err
	}
	for _, k := range own {
		c.cut = append(c.cut, k.Hash)
		if err := c.indexToken(k.Hash, nil); err != nil {
			return err
		}
	}
	return nil
}
