package record

// NoPartition is the partition of a record whose partition nobody has chosen yet.
const NoPartition int32 = -1

// NoTimestamp is the timestamp of a record that takes the time at which it is handed to the producer.
const NoTimestamp int64 = -1

// NoOffset is the offset of a record that was not stored, or whose offset the broker did not tell (acks=0, or it was restarted).
const NoOffset int64 = -1

// Header is one Kafka record header. A nil Value is Kafka's null. Key and Value may point into the batch's arena.
type Header struct {
	Key   string
	Value []byte
}

// Record is one Kafka record. A nil Key or Value is Kafka's null; an empty one is empty.
// Its bytes belong to the arena of its Batch and must not be changed or kept after the batch has ended.
type Record struct {
	Topic     string // the topic it goes to; an interceptor may route it elsewhere. It must not lie in the batch's arena
	Key       []byte
	Value     []byte
	Headers   []Header
	Timestamp int64 // milliseconds since the Unix epoch, or NoTimestamp
	Partition int32 // NoPartition until somebody chooses it
	// KeySize and ValueSize are set by Batch.Forget, in bytes; -1 for null.
	KeySize, ValueSize int32
	// Explicit says that the sender of the record chose the partition; no partitioner may change it (Kafka's rule).
	Explicit bool
	done     bool
}

// Done says whether the record already has its Ack; later steps of the way skip such a record.
func (r *Record) Done() bool { return r.done }

// Size is the number of bytes of key, value and headers.
func (r *Record) Size() int {
	n := len(r.Key) + len(r.Value)
	for i := range r.Headers {
		n += len(r.Headers[i].Key) + len(r.Headers[i].Value)
	}
	return n
}

// Ack is the outcome of one record. Code is Stored on success; Detail then is empty.
type Ack struct {
	Offset    int64 // NoOffset if not stored, or not known
	Timestamp int64 // milliseconds since the Unix epoch, NoTimestamp if not stored
	Partition int32 // NoPartition if never chosen
	Code      Code
	Detail    *Error // why, when Code is not Stored; may be shared between records
}

// OK says whether the record is stored (or, with acks=0, handed to the broker's socket).
func (a *Ack) OK() bool { return a.Code == Stored }

// accepted says that nothing went wrong so far.
func (a *Ack) accepted() bool { return a.Code == Stored || a.Code == Spooled }
