package wasmhost

import "sluice/guest-sdk/abi"

// Batch is what one call of a guest sees. Its memory may be used again for the next batch.
type Batch struct {
	Topics  []Topic
	Records []Record
	Extra   []Extra              // the outcome: what a transform made beside Records, in the order of Of
	Now     int64                // Unix milliseconds, what now_ms says
	DryRun  bool                 // tells the guest that nothing of what it does is used
	Alloc   func(n int) []byte   // where what a guest changed is copied to
	Headers func(n int) []Header // room for the headers that a guest set
}

// Topic is a topic that records of a batch name by index.
type Topic struct {
	Name       string
	Partitions int32 // 0 when not known
}

// Header is one header of a record. A nil Value is null.
type Header struct {
	Key   string
	Value []byte
}

// Record is one record of a batch: what the guest gets, and after the call what it made of it.
type Record struct {
	Key, Value []byte // nil is null
	Headers    []Header
	Timestamp  int64
	Cookie     uint64
	Topic      uint32 // index into Batch.Topics
	Partition  int32  // -1 when nobody chose it

	// The outcome.
	Verdict Verdict
	Cause   Cause       // why the verdict is not Passed
	Changed uint32      // abi.Flag*: what differs now; only if the verdict is Passed
	Route   []byte      // where to, with abi.FlagRoute; valid until the next batch
	Reason  string      // in words, if the verdict is not Passed
	_       [0]struct{} // no conversion from other structs
}

// Extra is a record that a Redpanda transform made in addition to what it made of another. Keys, values and headers that
// are the same may share memory with that record as it was before the call.
type Extra struct {
	Of int32 // index in Batch.Records; its Verdict is Passed
	Record
}

// Dropped says that the guest wants the record to end here.
func (r *Record) Dropped() bool { return r.Changed&abi.FlagDrop != 0 }

// Ack is what a guest is told of one record.
type Ack struct {
	Cookie             uint64
	Topic              string
	Partition          int32
	Error              int32 // 0 = stored
	Offset, Timestamp  int64
	Message            string
	KeySize, ValueSize int32
}

// Verdict is what came of a record in a guest.
type Verdict uint8

// The verdicts. A record whose verdict is not Passed is as it was before.
const (
	Passed   Verdict = iota // the guest has seen it
	Failed                  // the guest failed it, or failed on it
	Bypassed                // no instance was to be had: the guest has not seen it
)

// Cause is why a record did not pass, or a call failed.
type Cause uint8

// The causes, each with a word that metrics and logs use.
const (
	NoCause          Cause = iota
	RecordError            // the guest called record_error
	ReturnCode             // the hook returned a negative number
	Trap                   // unreachable, division by zero, memory out of bounds, stack overflow, exit, ...
	OutOfFuel              // call.fuel.max and its kin
	OutOfTime              // call.timeout.ms
	OutOfMemory            // sluice_alloc said so
	BadOutput              // what the guest returned makes no sense
	OutputTooLarge         // output.max.bytes
	InvalidPartition       // a partition that the topic does not have
	RouteDenied            // to a topic that its binding does not allow
	InputTooLarge          // the record does not fit into the guest's memory
	BreakerOpen            // the guest failed too often
	NoInstance             // none was free within acquire.timeout.ms
	Closed                 // the guest was given up
	NumCauses
)

var causeNames = [NumCauses]string{ //nolint:gochecknoglobals // a table that is only read
	NoCause: "none", RecordError: "record_error", ReturnCode: "return_code", Trap: "trap", OutOfFuel: "out_of_fuel",
	OutOfTime: "out_of_time", OutOfMemory: "out_of_memory", BadOutput: "bad_output", OutputTooLarge: "output_too_large",
	InvalidPartition: "invalid_partition", RouteDenied: "route_denied", InputTooLarge: "input_too_large",
	BreakerOpen: "breaker_open", NoInstance: "no_instance", Closed: "closed",
}

func (c Cause) String() string { return causeNames[min(c, NumCauses-1)] }

// Hook is an entry point of a guest.
type Hook uint8

// The hooks.
const (
	Partition Hook = iota
	OnSend
	OnAck
	NumHooks
)

var hookNames = [NumHooks]string{Partition: "partition", OnSend: "on_send", OnAck: "on_ack"} //nolint:gochecknoglobals // a table that is only read

func (h Hook) String() string { return hookNames[h] }
