package ingest

import (
	"sync/atomic"

	"sluice/gateway/record"
)

// budget is receive.memory: the bytes that all requests together hold and no topic has taken over yet.
type budget struct {
	limit int64
	used  atomic.Int64
}

// admits says whether a request may begin. The last eighth is for those that have begun: under pressure they come to their end,
// and others are refused before they have sent anything.
func (b *budget) admits() *record.Error {
	if b.used.Load() > b.limit-b.limit/8 {
		return record.Errorf(record.Overloaded, "receive.memory = %d bytes is in use by requests being received, but for what they may still need", b.limit)
	}
	return nil
}

func (b *budget) take(n int) *record.Error {
	if b.used.Add(int64(n)) > b.limit {
		b.used.Add(-int64(n))
		return record.Errorf(record.Overloaded, "receive.memory = %d bytes is in use by requests being received", b.limit)
	}
	return nil
}

func (b *budget) give(n int) { b.used.Add(-int64(n)) }

// scratch is memory to read into before it is known what becomes of the bytes. It is charged to the budget.
type scratch struct {
	pool   *record.Pool
	budget *budget
	mem    record.Scratch
}

// grow makes the memory at least n bytes, of which the first keep stay, and returns all of it.
func (s *scratch) grow(keep, n int) ([]byte, *record.Error) {
	old := s.mem
	if len(old.Bytes()) >= n {
		return old.Bytes(), nil
	}
	if err := s.budget.take(record.SlabSize(n)); err != nil {
		return nil, err
	}
	s.mem = s.pool.Scratch(n)
	copy(s.mem.Bytes(), old.Bytes()[:keep])
	s.budget.give(len(old.Bytes()))
	old.Free()
	return s.mem.Bytes(), nil
}

func (s *scratch) free() {
	s.budget.give(len(s.mem.Bytes()))
	s.mem.Free()
}
