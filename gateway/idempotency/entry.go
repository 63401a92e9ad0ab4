package idempotency

import "time"

// Answer is what a request was answered with, and which request that was.
type Answer struct {
	Fingerprint Fingerprint
	Status      int
	ContentType string
	Body        []byte
}

// Entry is one key that is in use. What it holds is its Table's, Answer aside.
type Entry struct {
	id       id
	answer   Answer
	answered bool
	expires  time.Time
	charged  int64

	waiting int           // requests that wait for the first
	turn    chan struct{} // made by the first that waits; holds a token for one of them to be the first, closed for the answer

	older, newer *Entry // among the answered ones
}

// id is a key within its scope: the same key in another scope is another one.
type id struct{ scope, key string }

// Answer is the answer to the key. It may be asked for once the entry is Answered, and must not be changed.
func (e *Entry) Answer() *Answer { return &e.answer }

// size is what the entry costs beside its answer's body.
func (i *id) size() int64 { return entryOverhead + int64(len(i.scope)+len(i.key)) }

// bodySize is what a body of n bytes costs: memory comes in sizes of up to an eighth more.
func bodySize(n int) int64 { return int64(n + n/8) }
