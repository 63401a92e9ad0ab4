package producer

import (
	"errors"
	"net"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"sluice/gateway/record"
)

// byCode makes the table of answers: the rows, and one for each of the others.
func byCode(rows []meaning, others []error) map[int16]meaning {
	all := make(map[int16]meaning, len(rows)+len(others))
	for _, m := range rows {
		all[m.err.(*kerr.Error).Code] = m //nolint:errorlint,forcetypeassert // the table holds nothing else
	}
	for _, err := range others {
		e := err.(*kerr.Error) //nolint:errorlint,forcetypeassert // the table holds nothing else
		m := meaning{e, unforeseen, anyoneKnows, record.BrokerError, record.Unknown}
		if e.Retriable {
			m = meaning{e, retriable, anyoneKnows, record.NotAvailable, record.Unknown}
		}
		all[e.Code] = m
	}
	return all
}

// answerOf is what an error code in a produce response means.
func answerOf(code int16) meaning {
	if m, ok := answers[code]; ok {
		return m
	}
	return answers[kerr.UnknownServerError.Code]
}

// meaningOf is what the error that a record failed with means.
func meaningOf(err error) meaning {
	for _, m := range ends {
		if errors.Is(err, m.err) {
			return m
		}
	}
	if answer, ok := errors.AsType[*kerr.Error](err); ok {
		return answerOf(answer.Code)
	}
	for _, t := range texts {
		if strings.Contains(err.Error(), t.text) {
			return t.meaning
		}
	}
	if _, ok := errors.AsType[*net.OpError](err); ok || kgo.IsRetryableBrokerErr(err) {
		return meaning{err, retriable, anyoneKnows, record.NotAvailable, record.Unknown}
	}
	return answers[kerr.UnknownServerError.Code]
}

// classify says what err means for the record that it failed: whether the record may be in the log is known from elsewhere.
func classify(err error, maybeWritten bool) *record.Error {
	m := meaningOf(err)
	code := m.code
	if maybeWritten {
		code = m.open
	}
	e := &record.Error{Code: code, Message: reason(code), Err: err}
	if answer, ok := errors.AsType[*kerr.Error](err); ok {
		e.Message += " (" + answer.Message + ")"
	}
	return e
}

func reason(c record.Code) string {
	switch c {
	case record.DeliveryTimeout:
		return "no acknowledgement within delivery.timeout.ms; the record may or may not be stored"
	case record.Unknown:
		return "the outcome is unknown; the record may or may not be stored"
	case record.RecordTooLarge:
		return "the broker refused the record as too large (the topic's max.message.bytes)"
	case record.InvalidRecord:
		return "the broker refused the record"
	case record.NotAvailable:
		return "the partition is not available now; the record was not stored"
	case record.Unauthorized:
		return "the cluster does not let this gateway write to the topic"
	case record.BrokerError:
		return "Kafka answered with an error; the record was not stored"
	case record.UnknownTopic:
		return "the cluster does not have this topic or partition"
	default:
		return "Kafka answered with an error"
	}
}

// renumbers says whether kgo sends a batch again with another epoch and another sequence number after an answer with this code,
// by which the broker cannot tell that it has the batch already.
func renumbers(code int16) bool {
	switch code {
	case kerr.OutOfOrderSequenceNumber.Code, kerr.UnknownProducerID.Code, kerr.InvalidProducerIDMapping.Code, kerr.InvalidProducerEpoch.Code:
		return true
	}
	return false
}

// fatalFor says that a client that saw err will not work again and must be replaced. That delivery.timeout.ms has passed is no such
// sign, whatever the broker answered last: kgo goes on with the next epoch, by which the broker refuses what arrives late of the
// one before. A new client has another producer id, and what arrives late would be stored behind its records.
func fatalFor(err error) bool {
	answer, ok := errors.AsType[*kerr.Error](err)
	if _, late := errors.AsType[*expired](err); late || !ok {
		return false
	}
	switch answerOf(answer.Code).kind {
	case fatalForClient:
		return true
	case retriable: // the client should have recovered by itself from a lost sequence, and did not
		return errors.Is(err, kerr.OutOfOrderSequenceNumber) || errors.Is(err, kerr.UnknownProducerID) || errors.Is(err, kerr.InvalidProducerEpoch)
	case fatalForRecord, fatalForTopic, unforeseen:
	}
	return false
}
