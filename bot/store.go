package bot

import (
	"context"
	"errors"
	"time"
)

// Store keeps what must survive, as records of a scope, and knows nothing of
// what they mean. It is safe for concurrent use.
//
// The contract fits one bbolt file and etcd's transactions alike: a Commit is
// all or nothing, it is durable when it returns, and it compares before it writes.
type Store interface {
	// Read returns the scope's records whose keys begin with prefix, in the order
	// of their keys, and the scope's version: 0 where nothing was ever written.
	// The values are the caller's to keep.
	Read(ctx context.Context, s Scope, prefix string) ([]Record, uint64, error)

	// Commit writes everything in one durable transaction, or nothing. The error
	// is or wraps ErrConflict where a scope is no longer at the version it was
	// read at. Where the request of one of the Answers was answered before, nothing is
	// written and the error is or wraps ErrAnswered.
	Commit(ctx context.Context, c Commit) error

	// Answered returns the reply kept for a request of a tenant (Scope.Channel
	// and Scope.Person do not count), for 24 hours at least; found is false where
	// there is none.
	Answered(ctx context.Context, s Scope, request string) (reply []byte, found bool, err error)
}

// Errors of a Store that the tutor acts on. All others are failures.
var (
	ErrConflict = errors.New("scope has been written since it was read")
	ErrAnswered = errors.New("request has been answered already")

	// ErrFull: there is no room to write any more; what was written stays, and can be read.
	ErrFull = errors.New("the disk is full")
	// ErrReadOnly: nothing may be written any more; what was written can be read.
	ErrReadOnly = errors.New("the file may not be written")
	// ErrUnsure: the disk did not say that it has what it was given. Whether it was written is known
	// when the file is opened anew; until then every call fails with ErrStopped.
	ErrUnsure = errors.New("it is not known whether it was written")
	// ErrStopped: nothing is read or written until the file is opened anew.
	ErrStopped = errors.New("the disk has failed, and the file is to be opened anew")
	// ErrDamaged: what was written cannot be read. A Damage says whose it is.
	ErrDamaged = errors.New("the file is damaged")
)

// Damage is an ErrDamaged of a part of what is kept: the others can be read and written.
type Damage struct {
	Scope Scope
	Err   error
}

func (d *Damage) Error() string { return d.Scope.String() + ": " + d.Err.Error() }
func (d *Damage) Unwrap() error { return d.Err }

// Scope is whose records they are: a channel's where Channel is set, a person's
// where Person is, the tenant's own where neither is. Both are never set. The
// parts are any text, of any length a platform gives. A person's scope whose last record is
// deleted is as if nothing had ever been written in it: at version 0 again.
type Scope struct {
	Platform, Tenant, Channel, Person string
}

// String is for logs: slack/T1 channel C1.
func (s Scope) String() string {
	of := s.Platform + "/" + s.Tenant
	switch {
	case s.Channel != "":
		of += " channel " + s.Channel
	case s.Person != "":
		of += " person " + s.Person
	}
	return of
}

// Record is one key and its value. Keys are paths as a/b/c of bytes other than
// NUL. In a Write, a nil Value deletes the key; in what Read returns, it is never nil.
type Record struct {
	Key   string
	Value []byte
}

// Write is what a command changes in one scope.
type Write struct {
	Scope   Scope
	Base    uint64   // the version that was read; it is Base+1 afterwards
	Drop    []string // all keys with these prefixes are deleted before Changes are written
	Changes []Record // each key once, in the order of the keys
}

// Commit is all that one command changes, or several that share a turn.
type Commit struct {
	Writes  []Write  // each scope once
	Answers []Answer // each request once; none for work that no request asked for
}

// Answer is a reply kept so that a request delivered again gets the same one and
// has no second effect.
type Answer struct {
	Scope   Scope // only Platform and Tenant count
	Request string
	At      time.Time
	Reply   []byte
}

// Scope is the channel's.
func (p Place) Scope() Scope {
	return Scope{Platform: p.Platform, Tenant: p.Tenant, Channel: p.Channel}
}

// Place is where the request was made.
func (r Request) Place() Place {
	return Place{Platform: r.Platform, Tenant: r.Tenant, Channel: r.Channel}
}

// person is the scope of whoever made the request.
func (r Request) person() Scope {
	if r.Who.Everywhere {
		return Scope{Platform: r.Platform, Person: r.Who.ID}
	}
	return Scope{Platform: r.Platform, Tenant: r.Tenant, Person: r.Who.ID}
}
