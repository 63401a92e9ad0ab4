package deadletter

import (
	"fmt"

	"sluice/gateway/record"
)

// Headers of a mark: a record without key and value that says that a dead letter was replayed. It is in the letter's partition
// and behind it, so that no retention takes it away before the letter.
const (
	Replayed   = "sluice_dlt-replayed"    // the ID of the letter
	ReplayedTo = "sluice_dlt-replayed-to" // where the record is now, as Place writes it
)

// Mark is the headers of the mark of the letter id.
func Mark(id, to string) []record.Header {
	return []record.Header{{Key: Replayed, Value: []byte(id)}, {Key: ReplayedTo, Value: []byte(to)}}
}

// ParseMark reads the headers of a mark. It is false if they are not those of one; a mark also has neither key nor value.
func ParseMark(headers []record.Header) (id, to string, ok bool) {
	for _, h := range headers {
		switch h.Key {
		case Replayed:
			id = string(h.Value)
		case ReplayedTo:
			to = string(h.Value)
		case OriginalTopic: // a letter whose record had such a header
			return "", "", false
		}
	}
	return id, to, id != ""
}

// Place is where a record is, in words: topic-partition@offset. It is also the ID of a dead letter that has none. An offset
// that is not known (acks=0) is left out.
func Place(topic string, partition int32, offset int64) string {
	if offset < 0 {
		return fmt.Sprintf("%s-%d", topic, partition)
	}
	return fmt.Sprintf("%s-%d@%d", topic, partition, offset)
}
