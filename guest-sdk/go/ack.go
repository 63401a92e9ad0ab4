package sluice

// Ack is what came of one record. It is valid during the call of the hook that it was given to. Every record that went
// through on_send gets one, also those that failed before they were sent.
type Ack struct {
	raw *ack
}

// Topic is the topic that the record was sent to.
func (a *Ack) Topic() string { return str(a.raw.topic, a.raw.topicLen) }

// Partition is the partition, -1 if none was chosen.
func (a *Ack) Partition() int32 { return a.raw.partition }

// Offset is the record's offset, -1 if it is not stored or its offset not known.
func (a *Ack) Offset() int64 { return a.raw.offset }

// Timestamp is the stored record's timestamp in Unix milliseconds, -1 if it is not stored.
func (a *Ack) Timestamp() int64 { return a.raw.timestamp }

// Error is 0 if the record is stored, otherwise Kafka's error code, or -1 if Kafka has no code for what went wrong.
func (a *Ack) Error() int32 { return a.raw.error }

// Message is what went wrong, in words.
func (a *Ack) Message() string { return str(a.raw.message, a.raw.messageLen) }

// KeySize is the size of the key in bytes, -1 if it was null.
func (a *Ack) KeySize() int { return int(a.raw.keySize) }

// ValueSize is the size of the value in bytes, -1 if it was null.
func (a *Ack) ValueSize() int { return int(a.raw.valueSize) }

// Cookie is what the module set in on_send, maybe in another instance; 0 if it set nothing.
func (a *Ack) Cookie() uint64 { return a.raw.cookie }
