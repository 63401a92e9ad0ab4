package check

import "hash/fnv"

// NoAnswer and Unreachable are the Code of records without an answer: the connection broke after the request was under
// way, or there was none.
const (
	NoAnswer    = "no_answer"
	Unreachable = "unreachable"
)

// Entry is one record of the history: what was asked and what was answered. Times are microseconds since the Unix epoch.
type Entry struct {
	ID      string `json:"id"`      // unique, and part of the record's value
	Client  int    `json:"client"`  // who sends one request after the other
	Request int64  `json:"request"` // of this client; records of one request share it
	Seq     int64  `json:"seq"`     // of this client, in the order of sending
	Topic   string `json:"topic"`
	Key     string `json:"key,omitempty"` // "" is none
	Queued  bool   `json:"queued,omitempty"`
	Spooled bool   `json:"spooled,omitempty"` // queued, for a topic with a spool
	Tx      bool   `json:"tx,omitempty"`      // all records of the request are one transaction
	Sum     uint64 `json:"sum"`               // of the bytes sent, see Sum

	Status    int    `json:"status"` // of the answer to the request; 0 is none
	Code      string `json:"code,omitempty"`
	Partition int32  `json:"partition"`           // -1 if the answer names none
	Offset    int64  `json:"offset"`              // -1 if the answer names none
	Letter    *Place `json:"letter,omitempty"`    // of the dead letter, if the answer says that the record became one
	NoLetter  bool   `json:"no_letter,omitempty"` // the answer says that it could not even become a dead letter
	Sent      int64  `json:"sent"`
	Answered  int64  `json:"answered"`
}

// Place is where something is. Offset is -1 if the answer names none.
type Place struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	Offset    int64  `json:"offset"`
}

// Outcome is what an answer promises.
type Outcome string

// The outcomes.
const (
	Stored       Outcome = "stored"
	Accepted     Outcome = "accepted"
	DeadLettered Outcome = "dead-lettered"
	Refused      Outcome = "refused"
	Unknown      Outcome = "unknown"
)

// Outcome reads the answer. The status of the request says it; only among mixed results (207) does the code.
func (e *Entry) Outcome() Outcome {
	switch {
	case e.Letter != nil:
		return DeadLettered
	case e.Status == 0 && e.Code == Unreachable:
		return Refused
	case e.Status == 0:
		return Unknown
	case e.Status == 207 && e.Code == "", e.Status == 200:
		return Stored
	case e.Status == 207 && unknownCode(e.Code):
		return Unknown
	case e.Status == 207:
		return Refused
	case e.Status == 202:
		return Accepted
	case e.Status >= 400 && e.Status < 500, e.Status == 502, e.Status == 503:
		return Refused
	default:
		return Unknown
	}
}

// unknownCode says whether a record with this error may be in the log.
func unknownCode(code string) bool {
	switch code {
	case "delivery_timeout", "outcome_unknown", "internal_error", "pending":
		return true
	default:
		return false
	}
}

// mayHaveLetter says whether a dead letter of the record may be there.
func (e *Entry) mayHaveLetter() bool {
	switch e.Outcome() {
	case DeadLettered, Accepted, Unknown:
		return true
	case Refused: // what became of its dead letter may be unknown, unless the answer is that of the letter
		return e.NoLetter && !tryAgain(e.Code)
	case Stored:
	}
	return false
}

// tryAgain says whether a code means that nothing was written anywhere.
func tryAgain(code string) bool {
	switch code {
	case "buffer_full", "draining", "overloaded", "rate_limited", "not_available":
		return true
	default:
		return false
	}
}

// Sum is a checksum of what a record consists of, each part with its length.
func Sum(parts ...[]byte) uint64 {
	h := fnv.New64a()
	for _, p := range parts {
		n := len(p)
		_, _ = h.Write([]byte{byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24)}) // never fails
		_, _ = h.Write(p)
	}
	return h.Sum64()
}
