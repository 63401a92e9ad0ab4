//go:build !wasip1

package sluicetest

import (
	sluice "sluice/guest-sdk/go"
	"sluice/guest-sdk/go/internal/host"
)

// Batch is what one call of on_send or partition gets.
type Batch struct {
	Topic      string // of all records
	Partitions int32  // of that topic
	Now        int64  // what sluice.NowMS says, Unix milliseconds
	Records    []Record
}

// Record is one record. A nil Key or Value is null.
type Record struct {
	Key, Value []byte
	Headers    []sluice.Header
	Timestamp  int64
	Cookie     uint64
}

// Verdict is a record as a hook left it.
type Verdict struct {
	Record

	Partition int32  // as the partitioner chose, sluice.NotMine at first
	Route     string // "" stays in its topic
	Dropped   bool
	Failed    string // the reason, "" if the record did not fail
	Changed   uint32 // abi.Flag*: what the hook set
}

// Ack is what one call of on_ack gets for a record.
type Ack struct {
	Topic              string
	Partition          int32
	Offset, Timestamp  int64
	Error              int32
	Message            string
	KeySize, ValueSize int32
	Cookie             uint64
}

// Result is what came of a call.
type Result struct {
	Verdicts []Verdict // one per record, none for acknowledgements
	Lines    []Line    // of the log
	Counters map[string]int64
}

// Line is a line of the log.
type Line = host.Line
