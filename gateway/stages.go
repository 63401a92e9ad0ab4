package gateway

import "sluice/gateway/record"

// Interceptor is step 1 and step 7 of the way of a record: it sees every batch before it is sent, and again when all its
// records have their Ack. Its semantics are Kafka's ProducerInterceptor, a batch at a time.
type Interceptor interface {
	Name() string
	// OnSend may change records in place, route them to another topic, or end them with Batch.Fail. It skips records that
	// are Done. It runs on the goroutine of the request.
	OnSend(b *record.Batch)
	// OnAck sees the Acks, and of keys and values only the sizes, as Kafka's onAcknowledgement does. It runs on a worker of
	// the topic and may take its time.
	OnAck(b *record.Batch)
}

// Serializer is step 2: it turns what the sender sent into what is written. It ends records that do not fit.
type Serializer interface {
	Serialize(b *record.Batch)
}

// Partitioner is step 3: it sets the partition of the records of b that go to p.Topic, are not Done, not Explicit and have
// none. It leaves a record without one that is not its own.
type Partitioner interface {
	Partition(b *record.Batch, p *record.Partitions)
}

// Destination is step 4: the topic in Kafka.
type Destination interface {
	// PartitionsAtLeast is what is known of the topic, after a forced refresh if it has fewer than n partitions.
	PartitionsAtLeast(n int32) (*record.Partitions, *record.Error)
	// Append gives every record of b that goes to the topic and is not Done exactly one Ack, now or later. It is false, and
	// nothing has happened, if the topic was retired.
	Append(b *record.Batch) bool
	// Refuse gives them the Ack of err; none was appended.
	Refuse(b *record.Batch, err *record.Error)
}
