package deadletter

import (
	"encoding/binary"
	"strconv"
	"strings"

	"sluice/gateway/config"
	"sluice/gateway/record"
)

// Spring Kafka's headers (org.springframework.kafka.support.KafkaHeaders). Numbers are big-endian, as ByteBuffer writes them.
const (
	OriginalTopic         = "kafka_dlt-original-topic"
	OriginalPartition     = "kafka_dlt-original-partition"      // int32; -1: none was chosen
	OriginalOffset        = "kafka_dlt-original-offset"         // int64; always -1: the record never had one
	OriginalTimestamp     = "kafka_dlt-original-timestamp"      // int64, milliseconds
	OriginalTimestampType = "kafka_dlt-original-timestamp-type" // CreateTime
	ExceptionFqcn         = "kafka_dlt-exception-fqcn"
	ExceptionMessage      = "kafka_dlt-exception-message"
	ExceptionStacktrace   = "kafka_dlt-exception-stacktrace"
)

// Headers of our own.
const (
	ID      = "sluice_dlt-id"      // unique; a replay is marked with it
	Cause   = "sluice_dlt-cause"   // see the Cause constants
	Code    = "sluice_dlt-code"    // record.Code in words
	Module  = "sluice_dlt-module"  // with CauseInterceptor
	Outcome = "sluice_dlt-outcome" // not_stored, or unknown: then the record may be in its topic too
)

// The causes: those of dead_letter.causes, and interceptors with on_error = "dlq".
const (
	CauseInterceptor = "interceptor"
	CauseBroker      = config.CauseBroker
	CauseSchema      = config.CauseSchema
	CauseUndelivered = config.CauseUndelivered
)

// The outcomes.
const (
	NotStored      = "not_stored"
	OutcomeUnknown = "unknown"
)

// prefixes are what a record that was a dead letter before loses.
const (
	springPrefix = "kafka_dlt-"
	ownPrefix    = "sluice_dlt-"
)

// Letter is what the headers of a dead letter say. Fields that they do not have are empty, or -1.
type Letter struct {
	ID        string
	Topic     string // that the record was sent to
	Partition int32
	Offset    int64
	Timestamp int64
	Cause     string
	Code      string
	Module    string
	Exception string // a class of Java, or of ours
	Message   string
	Unknown   bool // the record may be in its topic too
}

// AppendHeaders appends the headers of a dead letter behind those that the record had.
func (l *Letter) AppendHeaders(to, had []record.Header) []record.Header {
	for _, h := range had {
		if !IsOurs(h.Key) {
			to = append(to, h)
		}
	}
	text := func(key, value string) {
		if value != "" {
			to = append(to, record.Header{Key: key, Value: []byte(value)})
		}
	}
	text(OriginalTopic, l.Topic)
	to = append(to,
		record.Header{Key: OriginalPartition, Value: binary.BigEndian.AppendUint32(nil, uint32(l.Partition))},
		record.Header{Key: OriginalOffset, Value: binary.BigEndian.AppendUint64(nil, uint64(l.Offset))},
		record.Header{Key: OriginalTimestamp, Value: binary.BigEndian.AppendUint64(nil, uint64(l.Timestamp))},
	)
	text(OriginalTimestampType, "CreateTime")
	text(ExceptionFqcn, l.Exception)
	text(ExceptionMessage, l.Message)
	text(ExceptionStacktrace, l.Exception+": "+l.Message)
	text(ID, l.ID)
	text(Cause, l.Cause)
	text(Code, l.Code)
	text(Module, l.Module)
	outcome := NotStored
	if l.Unknown {
		outcome = OutcomeUnknown
	}
	text(Outcome, outcome)
	return to
}

// IsOurs says whether a header is one that AppendHeaders writes, or Spring: the record is sent without it when it is replayed.
func IsOurs(key string) bool {
	return strings.HasPrefix(key, springPrefix) || strings.HasPrefix(key, ownPrefix)
}

// Parse reads the headers of a dead letter, ours or Spring's. It is false if they do not say which topic the record was for.
// Of headers that are there twice the last counts, as with Spring.
func Parse(headers []record.Header) (Letter, bool) {
	l := Letter{Partition: record.NoPartition, Offset: record.NoOffset, Timestamp: record.NoTimestamp}
	for _, h := range headers {
		switch h.Key {
		case OriginalTopic:
			l.Topic = string(h.Value)
		case OriginalPartition:
			l.Partition = int32(number(h.Value))
		case OriginalOffset:
			l.Offset = number(h.Value)
		case OriginalTimestamp:
			l.Timestamp = number(h.Value)
		case ExceptionFqcn:
			l.Exception = string(h.Value)
		case ExceptionMessage:
			l.Message = string(h.Value)
		case ID:
			l.ID = string(h.Value)
		case Cause:
			l.Cause = string(h.Value)
		case Code:
			l.Code = string(h.Value)
		case Module:
			l.Module = string(h.Value)
		case Outcome:
			l.Unknown = string(h.Value) == OutcomeUnknown
		}
	}
	return l, l.Topic != ""
}

// number reads a big-endian number of 4 or 8 bytes, or one in digits; -1 if it is neither.
func number(p []byte) int64 {
	switch len(p) {
	case 4:
		return int64(int32(binary.BigEndian.Uint32(p)))
	case 8:
		return int64(binary.BigEndian.Uint64(p))
	}
	n, err := strconv.ParseInt(string(p), 10, 64)
	if err != nil {
		return -1
	}
	return n
}
