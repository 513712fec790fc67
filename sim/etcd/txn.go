package etcd

import (
	"bytes"
	"cmp"
)

// Target is what a comparison looks at.
type Target int

// What may be compared. A key that is not there has Version, CreateRev, ModRev
// and Lease 0, and no value: comparing its Value fails whatever the relation.
const (
	Version Target = iota
	CreateRev
	ModRev
	Lease
	Value
)

// Relation is how a comparison's two sides must stand.
type Relation int

// The relations.
const (
	Equal Relation = iota
	NotEqual
	Less
	Greater
)

// Cmp is one condition of a transaction: the key's Target stands in Relation to
// Int, or to Bytes where the target is the Value.
type Cmp struct {
	Key      string
	Target   Target
	Relation Relation
	Int      int64
	Bytes    []byte
}

// OpType says what an operation does.
type OpType int

// The operations.
const (
	RangeOp OpType = iota
	PutOp
	DeleteOp
)

// Op is one operation of a transaction. OpRange, OpPut and OpDelete make them.
type Op struct {
	Type    OpType
	Key     string
	End     string       // of a range or a deletion
	Options RangeOptions // of a range
	Value   []byte       // of a put
	Lease   int64        // of a put
}

// OpRange reads as Store.Range, and sees what the transaction wrote before it.
func OpRange(key, end string, o RangeOptions) Op {
	return Op{Type: RangeOp, Key: key, End: end, Options: o}
}

// OpPut writes as Store.Put.
func OpPut(key string, value []byte, lease int64) Op {
	return Op{Type: PutOp, Key: key, Value: value, Lease: lease}
}

// OpDelete removes as Store.Delete.
func OpDelete(key, end string) Op { return Op{Type: DeleteOp, Key: key, End: end} }

// Txn does Then if all conditions of If hold, Else otherwise; all or nothing,
// and all writes under one revision.
type Txn struct {
	If         []Cmp
	Then, Else []Op
}

// Response is an operation's: Range of a range, Deleted of a deletion.
type Response struct {
	Range   RangeResponse
	Deleted []KV
}

// TxnResponse is a transaction's: one Response for each operation done.
type TxnResponse struct {
	Succeeded bool // all conditions held
	Rev       int64
	Responses []Response
}

// Txn carries out a transaction. Where it returns an error nothing was done:
// ErrTooManyOps, ErrTooLarge, ErrDuplicateKey (two writes to one key),
// ErrEmptyKey, ErrLeaseNotFound, ErrCompacted, ErrFutureRev, and what members refuse.
func (s *Store) Txn(t Txn) (TxnResponse, error) {
	if err := checkTxn(t); err != nil {
		return TxnResponse{Rev: s.rev}, err
	}
	if size := putSize(t.Then) + putSize(t.Else); size > 0 {
		if err := s.room(size); err != nil {
			return TxnResponse{Rev: s.rev}, err
		}
	}
	res := s.propose(op{Kind: opTxn, Txn: t})
	res.txn.Rev = res.rev
	return res.txn, res.err
}

// putSize is what a branch's puts would take.
func putSize(ops []Op) (size int) {
	for i := range ops {
		if ops[i].Type == PutOp {
			size += len(ops[i].Key) + len(ops[i].Value)
		}
	}
	return size
}

func (s *Store) txn(t Txn) (TxnResponse, error) {
	r := TxnResponse{Succeeded: s.holds(t.If)}
	ops := t.Else
	if r.Succeeded {
		ops = t.Then
	}
	if err := s.doable(ops); err != nil {
		return TxnResponse{Rev: s.rev}, err
	}
	w := s.begin()
	r.Responses = make([]Response, len(ops))
	for i, op := range ops {
		switch op.Type {
		case PutOp:
			w.put(op.Key, op.Value, op.Lease)
		case DeleteOp:
			r.Responses[i].Deleted = w.delete(op.Key, op.End)
		default:
			r.Responses[i].Range, _ = s.Range(op.Key, op.End, op.Options) // doable has seen to it
		}
	}
	r.Rev = w.end()
	return r, nil
}

// checkTxn refuses what etcd refuses before it looks at any key: both branches count.
func checkTxn(t Txn) error {
	if len(t.If) > MaxTxnOps || len(t.Then) > MaxTxnOps || len(t.Else) > MaxTxnOps {
		return ErrTooManyOps
	}
	size := 0
	for _, c := range t.If {
		if c.Key == "" {
			return ErrEmptyKey
		}
		size += len(c.Key) + len(c.Bytes)
	}
	for _, ops := range [][]Op{t.Then, t.Else} {
		for _, op := range ops {
			size += len(op.Key) + len(op.End) + len(op.Value)
		}
		if err := checkDuplicates(ops); err != nil {
			return err
		}
	}
	if size > MaxRequestBytes {
		return ErrTooLarge
	}
	return nil
}

// checkDuplicates refuses two puts of one key, and a put of a key that is deleted as well.
func checkDuplicates(ops []Op) error {
	for i, op := range ops {
		if op.Key == "" && op.End == "" {
			return ErrEmptyKey
		}
		if op.Type != PutOp {
			continue
		}
		for j, other := range ops {
			switch {
			case other.Type == PutOp && i != j && op.Key == other.Key,
				other.Type == DeleteOp && covers(other.Key, other.End, op.Key):
				return ErrDuplicateKey
			}
		}
	}
	return nil
}

// covers tells whether a key lies in a range.
func covers(start, end, key string) bool {
	if end == "" {
		return key == start
	}
	return key >= start && inRange(key, end)
}

func (s *Store) doable(ops []Op) error {
	for _, op := range ops {
		var err error
		switch op.Type {
		case PutOp:
			err = s.putable(op.Key, op.Lease)
		case RangeOp:
			err = s.readable(op.Options.Rev)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) holds(conditions []Cmp) bool {
	for _, c := range conditions {
		kv, ok := s.Get(c.Key)
		if !c.holds(kv, ok) {
			return false
		}
	}
	return true
}

func (c Cmp) holds(kv KV, found bool) bool {
	var order int
	switch c.Target {
	case Version:
		order = cmp.Compare(kv.Version, c.Int)
	case CreateRev:
		order = cmp.Compare(kv.CreateRev, c.Int)
	case ModRev:
		order = cmp.Compare(kv.ModRev, c.Int)
	case Lease:
		order = cmp.Compare(kv.Lease, c.Int)
	case Value:
		if !found {
			return false
		}
		order = bytes.Compare(kv.Value, c.Bytes)
	}
	switch c.Relation {
	case NotEqual:
		return order != 0
	case Less:
		return order < 0
	case Greater:
		return order > 0
	}
	return order == 0
}
