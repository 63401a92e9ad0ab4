package record

import (
	"fmt"
	"sync/atomic"
	"time"
)

// Code says what happened to a record or a request, in a stable word that clients may decide on.
// It is as wide as an atomic can be small, because the Code of an Ack is what publishes the Ack.
type Code uint32

func (c *Code) load() Code   { return Code(atomic.LoadUint32((*uint32)(c))) }
func (c *Code) store(v Code) { atomic.StoreUint32((*uint32)(c), uint32(v)) }

// The codes. Pending is the zero value: no outcome yet.
const (
	Pending Code = iota
	Spooled      // in the topic's spool, and sent later; no outcome, which on_ack is told of when there is one
	Stored

	// Refused before anything was sent, and sending the same again gives the same answer.
	Invalid          // the request cannot be parsed, or names something impossible
	UnsupportedType  // content type or content encoding
	BodyTooLarge     // the request body, or what it inflates to
	RecordTooLarge   // the record is larger than max.request.size, buffer.memory or the topic's max.message.bytes
	TooManyRecords   // more records than one request may carry
	HeadersTooLarge  // too many record headers, or too many bytes in them
	TopicNotAllowed  // no [topics.*] table of the configuration matches
	TransactionsOff  // a transaction was asked for, and transactional.id.prefix is not set
	UnknownTopic     // the cluster does not have the topic
	UnknownPartition // the topic does not have the partition
	Rejected         // an interceptor refused it
	Unauthorized     // the cluster does not let the gateway write there
	TooSlow          // the client did not send its request in time
	KeyReused        // its Idempotency-Key was used for another request
	InvalidRecord    // the broker refused the record itself
	Dropped          // an interceptor ended its way, as it was asked to: nothing went wrong, and nothing was stored
	DeadLettered     // it could not be stored, and is in the dead-letter topic instead
	SchemaMismatch   // its key or value does not fit what the topic's serializer writes
	SchemaRefused    // the registry has no schema for it that can be used, or refused to register one

	// Not sent, and may be sent again.
	RateLimited       // more than rate.limit.records or rate.limit.bytes
	BufferFull        // the topic's buffer.memory or buffer.records is exhausted (at once, or after max.block.ms)
	SpoolFull         // the topic's spool.max.bytes, or the disk that it is on
	Draining          // the gateway is shutting down
	Overloaded        // a limit of the gateway itself (receive memory, connections) is exhausted
	KeyInUse          // a request with its Idempotency-Key is still in progress
	Aborted           // its transaction was aborted, for no fault of the record
	SchemaUnavailable // its schema is not known here, and the registry cannot be asked
	NotAvailable      // the cluster cannot be reached, or no leader or too few replicas: not written

	// Not sent, and not to be sent again by this gateway.
	Fenced // the producer was fenced by a newer one

	// The outcome is not known: the record may or may not be in the log.
	DeliveryTimeout // delivery.timeout.ms passed before an answer
	Unknown         // the connection or the client ended before an answer

	// Ours.
	BrokerError // the broker answered with an error nobody foresaw: not written
	Internal    // a bug

	numCodes
)

var codeNames = [numCodes]string{ //nolint:gochecknoglobals // a table that is only read
	Pending:           "pending",
	Spooled:           "spooled",
	Stored:            "stored",
	Invalid:           "invalid_request",
	UnsupportedType:   "unsupported_media_type",
	BodyTooLarge:      "body_too_large",
	RecordTooLarge:    "record_too_large",
	TooManyRecords:    "too_many_records",
	HeadersTooLarge:   "headers_too_large",
	TopicNotAllowed:   "topic_not_configured",
	TransactionsOff:   "transactions_not_configured",
	UnknownTopic:      "unknown_topic",
	UnknownPartition:  "unknown_partition",
	Rejected:          "rejected",
	Unauthorized:      "topic_authorization_failed",
	TooSlow:           "request_timeout",
	KeyReused:         "idempotency_key_reused",
	InvalidRecord:     "invalid_record",
	Dropped:           "dropped",
	DeadLettered:      "dead_lettered",
	SchemaMismatch:    "schema_mismatch",
	SchemaRefused:     "schema_refused",
	RateLimited:       "rate_limited",
	BufferFull:        "buffer_full",
	SpoolFull:         "spool_full",
	Draining:          "draining",
	Overloaded:        "overloaded",
	KeyInUse:          "idempotency_key_in_use",
	Aborted:           "transaction_aborted",
	SchemaUnavailable: "schema_registry_unavailable",
	NotAvailable:      "not_available",
	Fenced:            "producer_fenced",
	DeliveryTimeout:   "delivery_timeout",
	Unknown:           "outcome_unknown",
	BrokerError:       "broker_error",
	Internal:          "internal_error",
}

// String returns the stable word of the code.
func (c Code) String() string {
	if int(c) < len(codeNames) {
		return codeNames[c]
	}
	return fmt.Sprintf("code_%d", uint32(c))
}

// Codes returns every code that can be an outcome, in order.
func Codes() []Code {
	all := make([]Code, 0, numCodes-1)
	for c := Stored; c < numCodes; c++ {
		all = append(all, c)
	}
	return all
}

// Retriable says that nothing was written and that the same request may succeed later.
func (c Code) Retriable() bool { return c >= RateLimited && c <= NotAvailable }

// OutcomeUnknown says that the record may or may not be in the log.
func (c Code) OutcomeUnknown() bool { return c == DeliveryTimeout || c == Unknown }

// Error is a Code with the reason in words. It may be shared by the records that failed together.
type Error struct {
	Code       Code
	Message    string
	RetryAfter time.Duration // when to try again, for codes that are Retriable; 0 lets the answer choose
	Err        error         // the cause, may be nil

	Module string  // the interceptor whose policy (on_error = "dlq") asks for a dead letter, else ""
	Letter *Letter // of DeadLettered

	Mismatch *Mismatch // of SchemaMismatch
}

// Mismatch says where a key or value does not fit, and what was expected there.
type Mismatch struct {
	Part     string // key or value
	Path     string // JSON Pointer; "" is the whole of it
	Expected string
	Found    string
	Subject  string // of the schema; "" without one
	SchemaID int    // 0 without one
}

func (m *Mismatch) String() string {
	at := m.Part
	if m.Path != "" {
		at += " at " + m.Path
	}
	text := at + ": expected " + m.Expected + ", found " + m.Found
	switch {
	case m.SchemaID != 0 && m.Subject != "":
		text += fmt.Sprintf(" (subject %q, schema id %d)", m.Subject, m.SchemaID)
	case m.SchemaID != 0:
		text += fmt.Sprintf(" (schema id %d)", m.SchemaID)
	}
	return text
}

// Letter is where a dead letter is, and for what it was written.
type Letter struct {
	Topic     string
	Partition int32
	Offset    int64
	Code      Code // that the record would have ended with
}

// Errorf makes an Error of the given code.
func Errorf(c Code, format string, args ...any) *Error {
	return &Error{Code: c, Message: fmt.Sprintf(format, args...)}
}

func (e *Error) Error() string {
	if e.Err != nil {
		return e.Message + ": " + e.Err.Error()
	}
	return e.Message
}

func (e *Error) Unwrap() error { return e.Err }

// Failed is the Ack of a record that was not stored.
func (e *Error) Failed(partition int32) Ack {
	return Ack{Offset: NoOffset, Timestamp: NoTimestamp, Partition: partition, Code: e.Code, Detail: e}
}
