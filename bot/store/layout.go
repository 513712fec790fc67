package store

import (
	"crypto/sha256"
	"encoding/binary"
	"time"

	"go.etcd.io/bbolt"

	"timonier/bot"
)

// The file:
//
//	timonier/  schema                          how the rest is laid out, as decimal digits
//	ages/      moment, tenant, request         of each reply, oldest first; no values
//	tenants/   TENANT/  replies/ REQUEST       moment, then the reply
//	                    scopes/  SCOPE/  v     the scope's version
//	                                     rKEY  a record
//
// A record or a reply that is long is kept in pieces: see pieces.go.
// Moments are nanoseconds since 1970, 8 bytes, as are versions; big-endian.
var (
	ownBucket     = []byte("timonier")
	agesBucket    = []byte("ages")
	tenantsBucket = []byte("tenants")
	repliesBucket = []byte("replies")
	scopesBucket  = []byte("scopes")

	schemaKey  = []byte("schema")
	versionKey = []byte("v")
)

const recordTag = 'r'

// Schema is the layout that this program writes. A program reads its own and all
// before it.
const Schema = 2

// longest is the length up to which names are kept as they are; longer ones by their hash.
const longest = 200

// name is a text of any length, also none, as a key: different texts, different keys.
func name(parts ...string) []byte {
	key := []byte{0}
	for _, p := range parts {
		key = binary.AppendUvarint(key, uint64(len(p)))
		key = append(key, p...)
	}
	if len(key) <= longest {
		return key
	}
	sum := sha256.Sum256(key)
	return append([]byte{1}, sum[:]...)
}

func tenantName(s bot.Scope) []byte { return name(s.Platform, s.Tenant) }

func scopeName(s bot.Scope) []byte {
	switch {
	case s.Channel != "":
		return name("channel", s.Channel)
	case s.Person != "":
		return name("person", s.Person)
	}
	return name("tenant")
}

func tenantBucket(tx *bbolt.Tx, s bot.Scope) *bbolt.Bucket {
	return tx.Bucket(tenantsBucket).Bucket(tenantName(s))
}

// scopeBucket is nil where nothing was ever written.
func scopeBucket(tx *bbolt.Tx, s bot.Scope) *bbolt.Bucket {
	t := tenantBucket(tx, s)
	if t == nil {
		return nil
	}
	scopes := t.Bucket(scopesBucket)
	if scopes == nil {
		return nil
	}
	return scopes.Bucket(scopeName(s))
}

func makeTenant(tx *bbolt.Tx, s bot.Scope) (*bbolt.Bucket, error) {
	return tx.Bucket(tenantsBucket).CreateBucketIfNotExists(tenantName(s))
}

func makeScope(tx *bbolt.Tx, s bot.Scope) (*bbolt.Bucket, error) {
	t, err := makeTenant(tx, s)
	if err != nil {
		return nil, err
	}
	scopes, err := t.CreateBucketIfNotExists(scopesBucket)
	if err != nil {
		return nil, err
	}
	return scopes.CreateBucketIfNotExists(scopeName(s))
}

// fullPages is how full pages are made of what is written in bulk, and of what comes in the order of its keys (revisions, steps of the
// trace, pieces): the half of a page that bbolt would leave for keys in between stays empty. Of single records, which come anywhere
// between others, it is half: of a page made so full each second or third one would split off a page with next to nothing in it.
const fullPages = 0.9

// bulk is how many elements a commit puts in a scope that are written in bulk.
const bulk = 8

// fill is how full the pages are made of what a commit changes in a scope.
func fill(changes []bot.Record) float64 {
	n := 0
	for _, r := range changes {
		if n += 1 + len(r.Value)/pieceElement; n >= bulk {
			return fullPages
		}
	}
	return bbolt.DefaultFillPercent
}

func versionOf(b *bbolt.Bucket) uint64 {
	if v := b.Get(versionKey); len(v) == 8 {
		return binary.BigEndian.Uint64(v)
	}
	return 0
}

// moment is a time before 2262 and not before 1970 as a key that sorts.
func moment(t time.Time) []byte {
	return binary.BigEndian.AppendUint64(nil, uint64(max(0, t.UnixNano())))
}

func ageKey(at, tenant, request []byte) []byte {
	key := append([]byte{}, at...)
	key = append(key, byte(len(tenant)))
	key = append(key, tenant...)
	return append(key, request...)
}

func cutAgeKey(key []byte) (tenant, request []byte, ok bool) {
	if len(key) < 9 {
		return nil, nil, false
	}
	n := 9 + int(key[8])
	if len(key) < n {
		return nil, nil, false
	}
	return key[9:n], key[n:], true
}
