package dlt

import (
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"sluice/gateway/deadletter"
	"sluice/gateway/record"
)

// Letter is a dead letter as it stands in its topic.
type Letter struct {
	deadletter.Letter             // with an ID also if Spring Kafka wrote it
	Record            *kgo.Record // as it is stored, with all headers
	Replayed          string      // where to; "" if it was not
}

// letterOf reads a record of a dead-letter topic; nil if it is none.
func letterOf(r *kgo.Record) *Letter {
	about, ok := deadletter.Parse(headersOf(r))
	if !ok {
		return nil
	}
	if about.ID == "" {
		about.ID = deadletter.Place(r.Topic, r.Partition, r.Offset)
	}
	return &Letter{Letter: about, Record: r}
}

// markOf reads a mark: the letter it is about, and where that was replayed to.
func markOf(r *kgo.Record) (id, to string, ok bool) {
	if r.Key != nil || r.Value != nil {
		return "", "", false
	}
	return deadletter.ParseMark(headersOf(r))
}

func headersOf(r *kgo.Record) []record.Header {
	all := make([]record.Header, len(r.Headers))
	for i, h := range r.Headers {
		all[i] = record.Header(h)
	}
	return all
}

// own is the headers that the record was sent with.
func (l *Letter) own() []kgo.RecordHeader {
	var own []kgo.RecordHeader
	for _, h := range l.Record.Headers {
		if !deadletter.IsOurs(h.Key) {
			own = append(own, h)
		}
	}
	return own
}

// sentAt is the timestamp that the record was sent with, as well as that is known.
func (l *Letter) sentAt() time.Time {
	if l.Timestamp < 0 {
		return l.Record.Timestamp
	}
	return time.UnixMilli(l.Timestamp)
}

// at says where the letter is in its topic.
func (l *Letter) at() Position { return Position{l.Record.Partition, l.Record.Offset} }

// again is the record as it was sent, to a topic; its partition if that is kept, else -1.
func (l *Letter) again(topic string, keepPartition bool) *kgo.Record {
	r := &kgo.Record{
		Topic: topic, Key: l.Record.Key, Value: l.Record.Value, Headers: l.own(), Timestamp: l.sentAt(), Partition: record.NoPartition,
	}
	if keepPartition {
		r.Partition = max(l.Partition, record.NoPartition)
	}
	return r
}

// size is about how many bytes the letter has.
func (l *Letter) size() int {
	n := len(l.Record.Key) + len(l.Record.Value)
	for _, h := range l.Record.Headers {
		n += len(h.Key) + len(h.Value)
	}
	return n
}
