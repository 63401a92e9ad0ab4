package dlt

import (
	"errors"

	"github.com/twmb/franz-go/pkg/kerr"
)

// isKafka says that a broker answered with an error.
func isKafka(err error) bool {
	_, ok := errors.AsType[*kerr.Error](err)
	return ok
}

// isFenced says that another producer with the same transactional id has begun.
func isFenced(err error) bool {
	return errors.Is(err, kerr.ProducerFenced) || errors.Is(err, kerr.InvalidProducerEpoch)
}

// aboutTopic says that a broker takes no record for the topic.
func aboutTopic(err error) bool {
	for _, e := range []error{kerr.UnknownTopicOrPartition, kerr.UnknownTopicID, kerr.TopicAuthorizationFailed, kerr.InvalidTopicException} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// aboutRecord says that a broker does not take a record as it is, or one that it was sent together with.
func aboutRecord(err error) bool {
	for _, e := range []error{
		kerr.MessageTooLarge, kerr.RecordListTooLarge, kerr.InvalidRecord, kerr.InvalidTimestamp, kerr.CorruptMessage,
		kerr.UnsupportedForMessageFormat, kerr.PolicyViolation,
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
