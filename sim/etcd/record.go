package etcd

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"iter"
	"maps"
	"slices"
	"time"
)

// Record is one entry of the file in which a store survives: as in etcd's own,
// a revision leads to a key and its value. A nil Value means: remove the record.
//
//	key/  + 8 bytes revision, '_', 8 bytes place in it, 't' if a deletion → mvccpb.KeyValue, checksum
//	lease/ + 8 bytes ID → time to live in ns, expiry in Unix ns, checksum
//	meta                → compact revision, last lease ID given, checksum
//
// Numbers in keys are big endian, so that records sort by revision.
type Record struct{ Key, Value []byte }

const (
	keyBucket   = "key/"
	leaseBucket = "lease/"
	metaKey     = "meta"
)

// unsaved is what changed since the last Saved.
type unsaved struct {
	added  []*version         // in order of revision; those gone since are marked
	gone   [][]byte           // keys of records that compaction removed
	leases map[int64]struct{} // granted, kept alive or revoked
	meta   bool
	after  int64 // revision at the last Saved: records up to it are in the file
}

func newUnsaved() unsaved { return unsaved{leases: map[int64]struct{}{}} }

// forget takes a version that nothing can ask for any more out of the records.
func (s *Store) forget(v *version) {
	if v.gone {
		return
	}
	v.gone = true
	s.used -= v.size()
	if v.ModRev <= s.unsaved.after {
		s.unsaved.gone = append(s.unsaved.gone, v.recordKey())
	}
}

// Changes are the records that changed since Saved, each key once, in key order.
func (s *Store) Changes() []Record {
	var records []Record
	for _, key := range s.unsaved.gone {
		records = append(records, Record{Key: key})
	}
	for _, v := range s.unsaved.added {
		if !v.gone {
			records = append(records, Record{v.recordKey(), seal(v.marshal())})
		}
	}
	for _, id := range slices.Sorted(maps.Keys(s.unsaved.leases)) {
		r := Record{Key: binary.BigEndian.AppendUint64([]byte(leaseBucket), uint64(id))}
		if l := s.leases[id]; l != nil {
			b := binary.BigEndian.AppendUint64(nil, uint64(l.ttl))
			r.Value = seal(binary.BigEndian.AppendUint64(b, uint64(l.expiry.UnixNano())))
		}
		records = append(records, r)
	}
	if s.unsaved.meta {
		b := binary.BigEndian.AppendUint64(nil, uint64(s.compacted))
		records = append(records, Record{[]byte(metaKey), seal(binary.BigEndian.AppendUint64(b, uint64(s.lastLease)))})
	}
	if s.raft != nil {
		records = append(records, s.raft.records()...)
	}
	slices.SortFunc(records, func(a, b Record) int { return bytes.Compare(a.Key, b.Key) })
	return records
}

// Saved says that all changes so far are safe: Changes begins anew.
func (s *Store) Saved() {
	pack(s.unsaved.added)
	s.unsaved = newUnsaved()
	s.unsaved.after = s.rev
	if s.raft != nil {
		s.raft.saved()
	}
}

// Load makes a store of the records of a file, in any order. A record that is
// damaged, or does not fit the others, is an error that names it.
func Load(records iter.Seq2[[]byte, []byte]) (*Store, error) {
	s := New()
	var versions []*version
	var members []byte
	var entries []*entry
	for key, value := range records {
		if string(key) == raftKey || bytes.HasPrefix(key, []byte(logBucket)) {
			body, err := unseal(value)
			if err == nil && string(key) == raftKey {
				members = body
			} else if err == nil {
				var e *entry
				e, err = loadEntry(key, body)
				entries = append(entries, e)
			}
			if err != nil {
				return nil, fmt.Errorf("load record %q: %w", key, err)
			}
			continue
		}
		v, err := s.load(key, value)
		if err != nil {
			return nil, fmt.Errorf("load record %q: %w", key, err)
		}
		if v != nil {
			versions = append(versions, v)
		}
	}
	slices.SortFunc(versions, func(a, b *version) int { return bytes.Compare(a.recordKey(), b.recordKey()) })
	for _, v := range versions {
		if err := s.replay(v); err != nil {
			return nil, fmt.Errorf("load record %q: %w", v.recordKey(), err)
		}
	}
	if err := s.attachAll(); err != nil {
		return nil, err
	}
	if members != nil {
		if err := s.loadRaft(members, entries); err != nil {
			return nil, fmt.Errorf("load record %q: %w", raftKey, err)
		}
	}
	pack(versions)
	s.Saved()
	return s, nil
}

// attachAll gives the leases their keys.
func (s *Store) attachAll() (err error) {
	s.heads.Scan(func(_ string, v *version) bool {
		switch {
		case v.deleted || v.Lease == 0:
		case s.leases[v.Lease] == nil:
			err = fmt.Errorf("load record %q: lease %d is not there", v.recordKey(), v.Lease)
		default:
			s.attach(v)
		}
		return err == nil
	})
	return err
}

// load takes in one record; a version comes back, to be replayed in order.
func (s *Store) load(key, value []byte) (*version, error) {
	body, err := unseal(value)
	if err != nil {
		return nil, err
	}
	switch {
	case string(key) == metaKey && len(body) == 16:
		s.compacted = int64(binary.BigEndian.Uint64(body))
		s.lastLease = int64(binary.BigEndian.Uint64(body[8:]))
		s.rev = max(s.rev, s.compacted)
		return nil, nil
	case bytes.HasPrefix(key, []byte(leaseBucket)) && len(key) == len(leaseBucket)+8 && len(body) == 16:
		s.addLease(&lease{
			id:     int64(binary.BigEndian.Uint64(key[len(leaseBucket):])),
			ttl:    time.Duration(binary.BigEndian.Uint64(body)),
			expiry: time.Unix(0, int64(binary.BigEndian.Uint64(body[8:]))).UTC(),
		})
		return nil, nil
	case bytes.HasPrefix(key, []byte(keyBucket)):
		v := &version{}
		if err := v.unmarshal(body); err != nil {
			return nil, err
		}
		if sub := key[len(keyBucket):]; len(sub) >= 17 {
			v.sub = int32(binary.BigEndian.Uint64(sub[9:]))
			v.deleted = len(sub) > 17
		}
		if !bytes.Equal(key, v.recordKey()) {
			return nil, errors.New("the key and the value disagree")
		}
		return v, nil
	}
	return nil, errors.New("not a record of this store")
}

// replay puts a version after all earlier ones.
func (s *Store) replay(v *version) error {
	old, _ := s.heads.Set(v.Key, v)
	if old != nil {
		v.prev, v.Key = old, old.Key
		if !v.deleted && !old.deleted && (v.Version != old.Version+1 || v.CreateRev != old.CreateRev) {
			return fmt.Errorf("version %d follows version %d", v.Version, old.Version)
		}
	}
	s.used += v.size()
	if v.ModRev >= s.compacted {
		s.log = append(s.log, v)
	}
	s.rev = max(s.rev, v.ModRev)
	return nil
}

func (v *version) recordKey() []byte {
	b := make([]byte, 0, len(keyBucket)+18)
	b = append(b, keyBucket...)
	b = binary.BigEndian.AppendUint64(b, uint64(v.ModRev))
	b = append(b, '_')
	b = binary.BigEndian.AppendUint64(b, uint64(v.sub))
	if v.deleted {
		b = append(b, 't')
	}
	return b
}

// The fields of etcd's mvccpb.KeyValue: number and wire type.
const (
	fieldKey       = 1<<3 | 2
	fieldCreateRev = 2 << 3
	fieldModRev    = 3 << 3
	fieldVersion   = 4 << 3
	fieldValue     = 5<<3 | 2
	fieldLease     = 6 << 3
)

func (v *version) marshal() []byte {
	value := v.value()
	b := make([]byte, 0, len(v.Key)+len(value)+36)
	b = appendBytes(b, fieldKey, v.Key)
	for _, f := range []struct {
		field byte
		n     int64
	}{{fieldCreateRev, v.CreateRev}, {fieldModRev, v.ModRev}, {fieldVersion, v.Version}} {
		if f.n != 0 {
			b = binary.AppendUvarint(append(b, f.field), uint64(f.n))
		}
	}
	if len(value) > 0 {
		b = appendBytes(b, fieldValue, value)
	}
	if v.Lease != 0 {
		b = binary.AppendUvarint(append(b, fieldLease), uint64(v.Lease))
	}
	return b
}

func appendBytes[T string | []byte](b []byte, field byte, x T) []byte {
	return append(binary.AppendUvarint(append(b, field), uint64(len(x))), x...)
}

func (v *version) unmarshal(b []byte) error {
	numbers := map[byte]*int64{fieldCreateRev: &v.CreateRev, fieldModRev: &v.ModRev, fieldVersion: &v.Version, fieldLease: &v.Lease}
	for len(b) > 0 {
		field := b[0]
		n, size := binary.Uvarint(b[1:])
		if size <= 0 {
			return errDamaged
		}
		b = b[1+size:]
		if p := numbers[field]; p != nil {
			*p = int64(n)
			continue
		}
		if n > uint64(len(b)) {
			return errDamaged
		}
		switch field {
		case fieldKey:
			v.Key = string(b[:n])
		case fieldValue:
			v.Value = bytes.Clone(b[:n])
		default:
			return errDamaged
		}
		b = b[n:]
	}
	if v.Key == "" || v.ModRev <= 0 {
		return errDamaged
	}
	return nil
}

var (
	errDamaged = errors.New("damaged")
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
)

// seal adds a checksum, without which a flipped bit of a value would go unseen.
func seal(b []byte) []byte { return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli)) }

func unseal(b []byte) ([]byte, error) {
	if len(b) < 4 {
		return nil, errDamaged
	}
	body := b[:len(b)-4]
	if binary.BigEndian.Uint32(b[len(b)-4:]) != crc32.Checksum(body, castagnoli) {
		return nil, errDamaged
	}
	return body, nil
}
