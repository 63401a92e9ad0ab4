package dlt

import "time"

// letterJSON is a letter for programs. Bytes are in base64; null is Kafka's null.
type letterJSON struct {
	Topic     string       `json:"topic"` // the dead-letter topic
	Partition int32        `json:"partition"`
	Offset    int64        `json:"offset"`
	Timestamp time.Time    `json:"timestamp"`
	ID        string       `json:"id"`
	Replayed  *string      `json:"replayed"` // topic-partition@offset
	Original  originalJSON `json:"original"`
	Cause     string       `json:"cause,omitempty"`
	Code      string       `json:"code,omitempty"`
	Module    string       `json:"module,omitempty"`
	Outcome   string       `json:"outcome"`
	Exception string       `json:"exception,omitempty"`
	Message   string       `json:"message,omitempty"`
	Key       []byte       `json:"key_base64"`
	Value     []byte       `json:"value_base64"`
	Headers   []headerJSON `json:"headers"` // all of them, as they are stored
}

// originalJSON is what is known of the record that became a letter.
type originalJSON struct {
	Topic     string    `json:"topic"`
	Partition *int32    `json:"partition"` // null if none was chosen
	Offset    *int64    `json:"offset"`    // null if it never had one
	Timestamp time.Time `json:"timestamp"`
}

type headerJSON struct {
	Name  string `json:"name"`
	Value []byte `json:"value_base64"`
}

func jsonOf(l *Letter) letterJSON {
	j := letterJSON{
		Topic: l.Record.Topic, Partition: l.Record.Partition, Offset: l.Record.Offset, Timestamp: l.Record.Timestamp.UTC(), ID: l.ID,
		Original: originalJSON{Topic: l.Topic, Timestamp: l.sentAt().UTC()},
		Cause:    l.Cause, Code: l.Code, Module: l.Module, Outcome: outcome(l), Exception: l.Exception, Message: l.Message,
		Key: l.Record.Key, Value: l.Record.Value, Headers: make([]headerJSON, 0, len(l.Record.Headers)),
	}
	if l.Replayed != "" {
		j.Replayed = &l.Replayed
	}
	if l.Partition >= 0 {
		j.Original.Partition = &l.Partition
	}
	if l.Offset >= 0 {
		j.Original.Offset = &l.Offset
	}
	for _, h := range l.Record.Headers {
		j.Headers = append(j.Headers, headerJSON{h.Key, h.Value})
	}
	return j
}
