package store

import (
	"bytes"
	"encoding/binary"
	"errors"

	"go.etcd.io/bbolt"
)

// A long value is kept in pieces: the first under the key itself, the others under the key, a NUL and their
// number from 1 on, four bytes. No key has a NUL, so they stand right behind it, and before any other
// that begins as it does.
//
// bbolt keeps at least two elements in a page, up to four where they are longer than it, and
// gives a page that overflows as many pages as it needs, which have to lie side by side: one record
// of 130 kB made of its neighbour of ten bytes 32 pages to write, for which there was no place between the others'
// but the end of the file. Four pieces fill a page as full as it is made (fullPages), so that a transaction takes single
// pages, of which any that is free will do.
const (
	pieceElement = 916 // bytes of a piece in its page, with its key
	leastPiece   = 256 // bytes of a piece, whatever its key
	numberSize   = 5   // of a piece behind the key
)

// pieceOf is how long the pieces of a value are, but for the last.
func pieceOf(key []byte) int {
	return max(leastPiece, pieceElement-elementSize-len(key)-numberSize)
}

// pieceKey is the key of the nth piece.
func pieceKey(key []byte, n int) []byte {
	return binary.BigEndian.AppendUint32(append(append(make([]byte, 0, len(key)+numberSize), key...), 0), uint32(n))
}

// isPiece says that a key is that of a further piece of the value of another.
func isPiece(key, of []byte) bool {
	return len(key) == len(of)+numberSize && key[len(of)] == 0 && bytes.HasPrefix(key, of)
}

// putValue writes a value, and leaves nothing of one that was there. Pieces that are as they were aren't written.
func putValue(b *bbolt.Bucket, key, value []byte) error {
	size := pieceOf(key)
	n := 1
	first := value[:min(len(value), size)]
	if len(value) <= size || !bytes.Equal(b.Get(key), first) {
		if err := b.Put(key, first); err != nil {
			return err
		}
	}
	for rest := value[len(first):]; len(rest) > 0; n++ {
		piece := rest[:min(len(rest), size)]
		rest = rest[len(piece):]
		k := pieceKey(key, n)
		if bytes.Equal(b.Get(k), piece) {
			continue
		}
		if err := b.Put(k, piece); err != nil {
			return err
		}
	}
	return deletePieces(b, key, n)
}

// deleteValue deletes a value with all its pieces.
func deleteValue(b *bbolt.Bucket, key []byte) error {
	return errors.Join(b.Delete(key), deletePieces(b, key, 1))
}

// deletePieces deletes the pieces of a value from the nth on.
func deletePieces(b *bbolt.Bucket, of []byte, n int) error {
	var old [][]byte
	c := b.Cursor()
	for k, _ := c.Seek(pieceKey(of, n)); isPiece(k, of); k, _ = c.Next() {
		old = append(old, bytes.Clone(k))
	}
	for _, k := range old {
		if err := b.Delete(k); err != nil {
			return err
		}
	}
	return nil
}

// wholeValue is a value at which a cursor stands, all pieces of it, and the caller's to keep; next is where the cursor stands then.
func wholeValue(c *bbolt.Cursor, key, first []byte) (value, next, after []byte) {
	value = append([]byte{}, first...)
	for next, after = c.Next(); isPiece(next, key); next, after = c.Next() {
		value = append(value, after...)
	}
	return value, next, after
}

// pieces checks that what comes after a value's first piece, in the order of the keys, are its others.
type pieces struct {
	key  []byte // of the value
	n    int    // pieces so far
	full bool   // the last one is as long as all but the last are
}

// begin is a value's first piece.
func (p *pieces) begin(key, value []byte) {
	p.key, p.n, p.full = append(p.key[:0], key...), 1, len(value) == pieceOf(key)
}

// next says whether an element is a further piece, and whether it is the one that is due, behind a full one, and has something in it.
func (p *pieces) next(key, value []byte) (piece, right bool) {
	if p.n == 0 || !isPiece(key, p.key) {
		return false, false
	}
	n, size := int(binary.BigEndian.Uint32(key[len(p.key)+1:])), pieceOf(p.key)
	right = n == p.n && p.full && len(value) > 0 && len(value) <= size
	p.n, p.full = n+1, len(value) == size
	return true, right
}

// cutAtOnce is how many bytes of records a transaction of cutRecords writes, about.
const cutAtOnce = 4 << 20

// cutRecords is the migration to schema 2: it has each scope's long records in pieces. It stops before a scope.
func cutRecords(tx *bbolt.Tx, after []byte) (next []byte, err error) {
	tenants, done := tx.Bucket(tenantsBucket), 0
	var from []byte // of the first tenant: the scope to begin with
	c := tenants.Cursor()
	tenant, _ := c.First()
	if after != nil {
		n := int(after[0])
		tenant, _ = c.Seek(after[1 : 1+n])
		from = after[1+n:]
	}
	for ; tenant != nil; tenant, _ = c.Next() {
		scopes := tenants.Bucket(tenant).Bucket(scopesBucket)
		if scopes == nil {
			continue
		}
		each := scopes.Cursor()
		for scope, _ := each.Seek(from); scope != nil; scope, _ = each.Next() {
			if done >= cutAtOnce {
				return append(append([]byte{byte(len(tenant))}, tenant...), scope...), nil
			}
			n, err := cutBucket(scopes.Bucket(scope))
			if err != nil {
				return nil, err
			}
			done += n
		}
		from = nil
	}
	return nil, nil
}

// cutBucket writes the long records of a scope in pieces, and says how many bytes they are.
func cutBucket(b *bbolt.Bucket) (n int, err error) {
	b.FillPercent = fullPages
	long := map[string][]byte{}
	c := b.Cursor()
	for k, v := c.First(); k != nil; k, v = c.Next() {
		if len(v) > pieceOf(k) && bytes.IndexByte(k, 0) < 0 {
			long[string(k)] = bytes.Clone(v)
			n += len(v)
		}
	}
	for k, v := range long {
		if err := putValue(b, []byte(k), v); err != nil {
			return n, err
		}
	}
	return n, nil
}
