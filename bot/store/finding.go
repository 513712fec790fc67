package store

import (
	"slices"

	"timonier/bot"
)

// Kind is what is wrong with a file, or odd.
type Kind int

// What Verify finds. The first two and the last three are no damage.
const (
	OneMeta    Kind = iota // one of the two first pages is not whole: the other counts, as after a cut of power
	LostPages              // Number pages are neither used nor free
	NoMeta                 // neither first page is whole: nothing can be read
	Short                  // the file ends at page Page, and counts on Number
	Page                   // a page is damaged; Fault says how
	NoBucket               // a bucket of the file's own is missing; Detail is its name
	BadSchema              // no layout is named
	BadName                // a name that no text gives
	BadValue               // a version, a record, a reply of a shape that this program does not write
	BadPiece               // a long record, a piece of which is missing, cut or too long; Detail is its key and the piece
	NoAge                  // a reply that would be kept for ever
	NoReply                // a reply's age without its reply
	Stranger               // a bucket that is none of this program's; Detail is its name
	OldSchema              // Number is an earlier layout's: only its pages are checked
	Unfinished             // a migration to layout Number has begun and is not done: only its pages are checked
)

// Fault is what is wrong with a page, in words for a log.
type Fault string

// The faults of a page.
const (
	PageBeyond    Fault = "it is beyond the end"
	PageUnread    Fault = "it cannot be read"
	PageMisplaced Fault = "its header names another page"
	PageKind      Fault = "its kind is unknown"
	PageLong      Fault = "its length is impossible"
	PageTwice     Fault = "it is used twice"
	PageFree      Fault = "it is used, and in the list of free ones"
	PageDeep      Fault = "the tree above it is too deep"
	PageEmpty     Fault = "it is a branch of nothing"
	PageContents  Fault = "its contents are not in it"
	PageOrder     Fault = "its keys are out of order"
	PageBucket    Fault = "a bucket in it is impossible"
	PageFreeList  Fault = "the list of free pages is impossible"
)

// Faults are all of them.
func Faults() []Fault {
	return []Fault{PageBeyond, PageUnread, PageMisplaced, PageKind, PageLong, PageTwice, PageFree, PageDeep, PageEmpty, PageContents, PageOrder, PageBucket, PageFreeList}
}

// Finding is one thing that is wrong with a file, and whose it is.
type Finding struct {
	Kind   Kind
	Where  Where
	Page   uint64 // of Page, Short
	Number uint64 // of LostPages, Short, OldSchema, Unfinished
	Fault  Fault  // of Page
	Detail string // for whoever looks closer: names and numbers, in no language
}

// Damage says that what was written may not be there any more.
func (f Finding) Damage() bool {
	return !slices.Contains([]Kind{OneMeta, LostPages, Stranger, OldSchema, Unfinished}, f.Kind)
}

// Where is a part of a file. Names that are too long to be kept are "#" and their hash.
type Where struct {
	Part Part
	bot.Scope
}

// Part is which part of a file.
type Part int

// The parts of a file.
const (
	Whole       Part = iota // the file, or which page belongs to what
	Ages                    // the replies' ages
	TenantList              // which tenants there are
	ScopeList               // which channels and people a tenant has
	Replies                 // the replies of a tenant
	ScopeRecord             // the records of a channel, a person or a tenant itself
)

// Summary is what a file holds. The damaged are among those that are known at all.
type Summary struct {
	Schema                    int
	Bytes                     int64
	Pages                     uint64
	Tenants, Channels, People int
	DamagedTenants, Damaged   int // of Tenants; of Channels and People and the tenants' own records
	Records, Replies          int
	PagesOnly                 bool // of another layout: its pages are followed, and no more is known
	Damages, Oddities         int  // findings

	tx uint64 // the last transaction
}
