package store

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strconv"

	"go.etcd.io/bbolt"

	"timonier/bot"
)

// Verify reads a file from its first page to its last and tells each finding as it comes: pages, the
// order of keys, what is used twice or lost, names, versions, records, replies and their ages.
// It changes nothing, and needs memory for one way down the tree and two bits a page. A file that
// another process has open is refused with ErrLocked, one that is no bbolt file with ErrForeign, one of
// a later layout with ErrNewer. bbolt's own check isn't asked: it follows damaged pages anywhere, in a goroutine of its
// own whose fault ends the program, and finds nothing that isn't looked for here.
func Verify(ctx context.Context, path string, o Options, tell func(Finding)) (Summary, error) {
	o = o.orDefault()
	f, db, err := openToVerify(path, o)
	if err != nil {
		return Summary{}, err
	}
	defer f.Close()
	if db != nil {
		defer db.Close()
	}
	_, m, _, _ := metas(f)
	if m == nil {
		tell(Finding{Kind: NoMeta})
		return Summary{Damages: 1}, nil
	}
	v := newVerifier(ctx, f, m, tell)
	if v.readSchema(o.layout.schema); v.sum.Schema > o.layout.schema {
		return v.sum, &Error{Path: path, Kind: ErrNewer, Detail: fmt.Sprintf("schema %d; this program knows %d", v.sum.Schema, o.layout.schema)}
	}
	err = v.run()
	return v.sum, err
}

// openToVerify opens the file that has the name, twice: to read its pages, and for bbolt's lock; db
// is nil where bbolt does not take it, so damaged is it.
func openToVerify(path string, o Options) (f *os.File, db *bbolt.DB, err error) {
	for range leastTries {
		f, m, err := openPages(path)
		if err != nil || m == nil {
			return f, nil, err
		}
		var opened, locked os.FileInfo
		if opened, err = f.Stat(); err == nil {
			err = guarded(path, func() (err error) {
				db, err = bbolt.Open(path, 0, &bbolt.Options{
					ReadOnly: true, Timeout: o.Wait, NoStatistics: true, OpenFile: noting(&locked, o.OpenFile)})
				return err
			})
		}
		switch {
		case err != nil && errors.Is(refusal(path, err), ErrLocked):
			return nil, nil, errors.Join(refusal(path, err), f.Close())
		case opened != nil && locked != nil && os.SameFile(opened, locked) && hasName(opened, path):
			if err != nil { // its pages are read all the same
				db = nil
			}
			return f, db, nil
		}
		if err = f.Close(); db != nil {
			err = errors.Join(err, db.Close())
		}
		if err != nil {
			return nil, nil, refusal(path, err)
		}
	}
	return nil, nil, errSwapped(path)
}

// openPages opens a file to read its pages; m is nil where no first page is whole.
func openPages(path string) (f *os.File, m *meta, err error) {
	if err := regular(path); err != nil {
		return nil, nil, err
	}
	if f, err = os.Open(path); err != nil {
		return nil, nil, refusal(path, err)
	}
	var ours, newer bool
	switch _, m, ours, newer = metas(f); {
	case newer:
		err = &Error{Path: path, Kind: ErrNewer, Detail: "bbolt's own format"}
	case !ours:
		err = &Error{Path: path, Kind: ErrForeign, Detail: "no bbolt file"}
	}
	if err != nil {
		f.Close()
		return nil, nil, refusal(path, err)
	}
	return f, m, nil
}

// metas is newest, and how many of the two meta pages are whole.
func metas(f *os.File) (whole int, best *meta, ours, newer bool) {
	best, ours, newer = newest(f)
	if best != nil {
		for i := range int64(2) {
			m := readMeta(f, i*int64(best.pageSize))
			if m != nil && m.whole && m.magic == boltMagic && m.pageSize == best.pageSize && m.header == [2]uint64{uint64(i), metaPage} {
				whole++
			}
		}
	}
	return whole, best, ours, newer
}

// verifier goes through a file.
type verifier struct {
	*book
	ctx   context.Context
	file  *os.File
	meta  *meta
	tell  func(Finding)
	sum   Summary
	where Where

	ages, tenants []byte // the values of these buckets
}

// mostMissing is how many pages after the end of a file are told of one by one, where something counts on them.
const mostMissing = 1 << 20

func newVerifier(ctx context.Context, f *os.File, m *meta, tell func(Finding)) *verifier {
	counted, there := m.pages, m.pages
	if info, err := f.Stat(); err == nil {
		there = uint64(info.Size()) / uint64(m.pageSize)
	}
	m.pages = min(counted, there+mostMissing) // of others nothing need be known
	v := &verifier{book: newBook(f, m), ctx: ctx, file: f, meta: m, tell: tell}
	v.book.damaged = func(page uint64, fault Fault, detail ...any) {
		v.note(Finding{Kind: Page, Page: page, Fault: fault, Detail: fmt.Sprint(detail...)})
	}
	if counted > there {
		v.note(Finding{Kind: Short, Page: there, Number: counted})
	}
	return v
}

func (v *verifier) note(f Finding) {
	if f.Where = v.where; f.Damage() {
		v.sum.Damages++
	} else {
		v.sum.Oddities++
	}
	v.tell(f)
}

func (v *verifier) wrong(kind Kind, detail string) { v.note(Finding{Kind: kind, Detail: detail}) }

// readSchema finds the schema before all else, for what the rest means hangs on it. What it cannot read, run will
// find damaged.
func (v *verifier) readSchema(known int) {
	damaged := v.book.damaged
	v.book.damaged = func(uint64, Fault, ...any) {}
	root := binary.NativeEndian.AppendUint64(nil, v.meta.root)
	own, _ := v.get(append(root, make([]byte, 8)...), ownBucket)
	schema, _ := v.get(own.value, schemaKey)
	stopped, _ := v.get(own.value, unfinishedKey)
	v.book.damaged = damaged
	v.sum.Schema, _ = strconv.Atoi(string(schema.value))
	switch n := v.sum.Schema; {
	case n < 1 || n > known:
	case len(stopped.value) > 0:
		v.sum.PagesOnly = true
		v.note(Finding{Kind: Unfinished, Number: uint64(n)})
	case n < known:
		v.sum.PagesOnly = true
		v.note(Finding{Kind: OldSchema, Number: uint64(n)})
	}
}

func (v *verifier) run() error {
	v.sum.Pages, v.sum.tx = v.meta.pages, v.meta.tx
	if info, err := v.file.Stat(); err == nil {
		v.sum.Bytes = info.Size()
	}
	if whole, _, _, _ := metas(v.file); whole < 2 {
		v.wrong(OneMeta, "")
	}
	listed := v.readFree(v.meta.freelist)
	found := map[string]bool{}
	v.walk(v.meta.root, nil, nil, 0, func(e element) {
		found[string(e.key)] = v.top(e)
	})
	if err := v.ctx.Err(); err != nil {
		return err
	}
	if v.sum.Damages == 0 && !v.sum.PagesOnly { // else a bucket may be there that could not be seen
		for _, name := range [][]byte{ownBucket, agesBucket, tenantsBucket} {
			if !found[string(name)] {
				v.wrong(NoBucket, string(name))
			}
		}
	}
	if v.sum.Damages == 0 && !v.sum.PagesOnly {
		v.match()
	}
	if n := v.lost(); n > 0 && listed && v.sum.Damages == 0 {
		v.note(Finding{Kind: LostPages, Number: n})
	}
	return v.ctx.Err()
}

// top goes through one of the file's buckets; false: it is none of them.
func (v *verifier) top(e element) bool {
	defer func(before Where) { v.where = before }(v.where)
	switch {
	case v.sum.PagesOnly:
		v.strange(e)
	case !e.bucket:
		v.wrong(Stranger, printable(e.key))
		return false
	case bytes.Equal(e.key, ownBucket):
		v.own(e)
	case bytes.Equal(e.key, agesBucket):
		v.where.Part, v.ages = Ages, bytes.Clone(e.value)
		v.bucket(e.value, func(e element) {
			if _, _, ok := cutAgeKey(e.key); !ok || len(e.value) > 0 {
				v.wrong(BadValue, hex.EncodeToString(e.key))
			}
		})
	case bytes.Equal(e.key, tenantsBucket):
		v.where.Part, v.tenants = TenantList, bytes.Clone(e.value)
		v.bucket(e.value, v.tenant)
	default:
		v.wrong(Stranger, printable(e.key))
		v.bucket(e.value, v.strange)
	}
	return true
}

// strange follows what is not this program's, so that its pages are known to be used.
func (v *verifier) strange(e element) {
	if e.bucket {
		v.bucket(e.value, v.strange)
	}
}

func (v *verifier) own(e element) {
	var err error = strconv.ErrSyntax
	v.bucket(e.value, func(e element) {
		if bytes.Equal(e.key, schemaKey) {
			v.sum.Schema, err = strconv.Atoi(string(e.value))
		}
	})
	if err != nil || v.sum.Schema < 1 {
		v.wrong(BadSchema, "")
	}
}

func (v *verifier) tenant(e element) {
	if v.ctx.Err() != nil {
		return
	}
	defer func(before Where, damages int) {
		if v.where = before; v.sum.Damages > damages {
			v.sum.DamagedTenants++
		}
	}(v.where, v.sum.Damages)
	v.sum.Tenants++
	parts, ok := cutName(e.key, 2)
	if !ok || !e.bucket {
		v.wrong(BadName, printable(e.key))
		return
	}
	v.where.Scope = bot.Scope{Platform: parts[0], Tenant: parts[1]}
	v.where.Part = ScopeList
	v.bucket(e.value, func(e element) {
		switch {
		case e.bucket && bytes.Equal(e.key, scopesBucket):
			v.bucket(e.value, v.scope)
		case e.bucket && bytes.Equal(e.key, repliesBucket):
			v.where.Part = Replies
			var last pieces
			v.bucket(e.value, func(e element) { v.reply(e, &last) })
			v.where.Part = ScopeList
		default:
			v.wrong(Stranger, printable(e.key))
		}
	})
}

func (v *verifier) reply(e element, last *pieces) {
	if v.piece(e, last) {
		return
	}
	v.sum.Replies++
	if _, ok := cutName(e.key, 1); !ok {
		v.wrong(BadName, printable(e.key))
	}
	if e.bucket || len(e.value) < 8 {
		v.wrong(BadValue, printable(e.key))
	}
}

// piece says whether an element is a further piece of the value before it, and notes what is wrong with it.
func (v *verifier) piece(e element, last *pieces) bool {
	piece, right := last.next(e.key, e.value)
	switch {
	case e.bucket:
		return false
	case !piece:
		last.begin(e.key, e.value)
	case !right:
		v.wrong(BadPiece, fmt.Sprintf("%q, %d", last.key, last.n-1))
	}
	return piece
}

func (v *verifier) scope(e element) {
	defer func(before Where, damages int) {
		if v.where = before; v.sum.Damages > damages {
			v.sum.Damaged++
		}
	}(v.where, v.sum.Damages)
	kind, of := "", ""
	if parts, ok := cutName(e.key, 2); ok && parts[0][0] != '#' {
		kind, of = parts[0], parts[1]
	} else if ok { // which of both, its hash does not say; the names of channels are rarely so long
		kind, of = "channel", parts[0]
	} else if parts, ok := cutName(e.key, 1); ok {
		kind = parts[0]
	}
	switch {
	case kind == "channel" && of != "":
		v.sum.Channels, v.where.Channel = v.sum.Channels+1, of
	case kind == "person" && of != "":
		v.sum.People, v.where.Person = v.sum.People+1, of
	case kind != "tenant" || of != "":
		v.wrong(BadName, printable(e.key))
	}
	if v.where.Part = ScopeRecord; !e.bucket {
		v.wrong(BadValue, printable(e.key))
		return
	}
	version := uint64(0)
	before := v.sum.Damages
	var last pieces
	v.bucket(e.value, func(e element) {
		switch {
		case v.piece(e, &last):
		case bytes.Equal(e.key, versionKey) && len(e.value) == 8 && !e.bucket:
			version = binary.BigEndian.Uint64(e.value)
		case len(e.key) > 0 && e.key[0] == recordTag && !e.bucket && bytes.IndexByte(e.key, 0) < 0:
			v.sum.Records++
		default:
			v.wrong(BadValue, printable(e.key))
		}
	})
	if version == 0 && v.sum.Damages == before {
		v.wrong(BadValue, "version")
	}
}

// match finds replies without an age, which would be kept for ever, and ages without a reply.
func (v *verifier) match() {
	defer func(used bits) { v.used = used }(v.used)
	v.used = make(bits, len(v.used)) // the pages are read a second time
	v.where.Part = Ages
	v.again(v.ages, func(e element) {
		tenant, request, ok := cutAgeKey(e.key)
		t, found := v.get(v.tenants, tenant)
		r, has := v.get(t.value, repliesBucket)
		reply, kept := v.get(r.value, request)
		if !ok || !found || !has || !kept || !bytes.Equal(reply.value[:8], e.key[:8]) {
			v.wrong(NoReply, hex.EncodeToString(e.key))
		}
	})
	v.again(v.tenants, func(t element) {
		parts, _ := cutName(t.key, 2)
		v.where = Where{Replies, bot.Scope{Platform: parts[0], Tenant: parts[1]}}
		r, _ := v.get(t.value, repliesBucket)
		var last pieces
		v.again(r.value, func(e element) {
			if v.piece(e, &last) {
				return
			}
			if _, found := v.get(v.ages, ageKey(e.value[:8], t.key, e.key)); !found {
				v.wrong(NoAge, printable(e.key))
			}
		})
	})
	v.where = Where{}
}

// again visits a bucket that has been found whole; nothing where it is not there.
func (v *verifier) again(bucket []byte, visit func(element)) {
	if len(bucket) > 0 {
		v.book.bucket(bucket, visit)
	}
}

// cutName takes a name apart that name has made of so many parts; of a hash there is one, "#" and its first digits.
func cutName(key []byte, parts int) (all []string, ok bool) {
	if len(key) == 33 && key[0] == 1 {
		short := "#" + hex.EncodeToString(key[1:9])
		for range parts {
			all = append(all, short)
		}
		return all, true
	}
	if len(key) == 0 || key[0] != 0 {
		return nil, false
	}
	for key = key[1:]; len(key) > 0; {
		n, size := binary.Uvarint(key)
		if size <= 0 || n > uint64(len(key)-size) {
			return nil, false
		}
		all, key = append(all, string(key[size:size+int(n)])), key[size+int(n):]
	}
	return all, len(all) == parts
}

func printable(b []byte) string { return fmt.Sprintf("%q", b) }
