package guest

import (
	"time"

	"sluice/gateway/record"
	"sluice/wasmhost"
)

// OnAck implements gateway.Interceptor: it tells the guests that saw records of b what became of them.
func (m *Bound) OnAck(b *record.Batch) {
	n, ok := b.Note(m.Place).(*note)
	if !ok || len(n.seen) == 0 {
		return
	}
	now := time.Now().UnixMilli()
	acks := make([]wasmhost.Ack, 0, len(n.seen))
	for g := range n.guests {
		acks = acks[:0]
		for _, s := range n.seen {
			if int(s.guest) == g && b.Acks[s.record].Code != record.Spooled { // who replays the spool tells the outcome
				acks = append(acks, ackOf(b, s))
			}
		}
		n.guests[g].OnAck(acks, now)
	}
}

func ackOf(b *record.Batch, s sight) wasmhost.Ack {
	r, a := &b.Records[s.record], &b.Acks[s.record]
	code := a.Code
	if a.Detail != nil && a.Detail.Letter != nil {
		code = a.Detail.Letter.Code // it is not stored in its topic, wherever else it is
	}
	ack := wasmhost.Ack{
		Cookie: s.cookie, Topic: r.Topic, Partition: a.Partition, Error: kafkaError(code), Offset: a.Offset, Timestamp: a.Timestamp,
		KeySize: r.KeySize, ValueSize: r.ValueSize,
	}
	if a.Detail != nil {
		ack.Message = a.Detail.Message
	}
	return ack
}

// Kafka's error codes (org.apache.kafka.common.protocol.Errors).
const (
	kafkaNone                    = 0
	kafkaUnknown                 = -1
	kafkaUnknownTopicOrPartition = 3
	kafkaNotLeader               = 6
	kafkaTimedOut                = 7
	kafkaMessageTooLarge         = 10
	kafkaTopicAuthorization      = 29
	kafkaInvalidRecord           = 87
	kafkaProducerFenced          = 90
)

// kafkaError is the code of Kafka that comes nearest, for guests that know those.
func kafkaError(c record.Code) int32 {
	switch c {
	case record.Stored:
		return kafkaNone
	case record.UnknownTopic, record.UnknownPartition, record.TopicNotAllowed:
		return kafkaUnknownTopicOrPartition
	case record.NotAvailable:
		return kafkaNotLeader
	case record.DeliveryTimeout:
		return kafkaTimedOut
	case record.RecordTooLarge:
		return kafkaMessageTooLarge
	case record.Unauthorized:
		return kafkaTopicAuthorization
	case record.InvalidRecord:
		return kafkaInvalidRecord
	case record.Fenced:
		return kafkaProducerFenced
	default:
		return kafkaUnknown
	}
}
