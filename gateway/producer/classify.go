package producer

import (
	"context"
	"errors"
	"net"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"sluice/gateway/record"
)

// verdict is what an error of Kafka or kgo means for a record.
type verdict struct {
	err  error
	code record.Code
}

// verdicts is searched from top to bottom with errors.Is; see reference: Kafka's Errors.java and KIP-360.
var verdicts = []verdict{ //nolint:gochecknoglobals // a table that is only read
	{context.DeadlineExceeded, record.DeliveryTimeout},
	{kgo.ErrRecordTimeout, record.DeliveryTimeout},
	{kerr.RequestTimedOut, record.Unknown},
	{kerr.NotEnoughReplicasAfterAppend, record.Unknown},
	{kgo.ErrClientClosed, record.Unknown},
	{kgo.ErrAborting, record.Unknown},

	{kerr.MessageTooLarge, record.RecordTooLarge},
	{kerr.RecordListTooLarge, record.RecordTooLarge},
	{kerr.InvalidTopicException, record.Invalid},
	{kerr.InvalidTimestamp, record.InvalidRecord},
	{kerr.InvalidRecord, record.InvalidRecord},
	{kerr.CorruptMessage, record.InvalidRecord},
	{kerr.UnsupportedForMessageFormat, record.InvalidRecord},
	{kerr.UnsupportedCompressionType, record.InvalidRecord},
	{kerr.PolicyViolation, record.InvalidRecord},

	{kerr.UnknownTopicOrPartition, record.UnknownTopic},
	{kerr.UnknownTopicID, record.NotAvailable},
	{kerr.TopicAuthorizationFailed, record.Unauthorized},
	{kerr.ClusterAuthorizationFailed, record.Unauthorized},
	{kerr.TransactionalIDAuthorizationFailed, record.Unauthorized},
	{kerr.SaslAuthenticationFailed, record.BrokerError},

	{kerr.ProducerFenced, record.Fenced},
	{kerr.InvalidProducerEpoch, record.Fenced},
	{kerr.UnknownServerError, record.BrokerError},
}

// classify says what err means for the record that it failed. The reason is kept in the Error's text.
func classify(err error) *record.Error {
	for i := range verdicts {
		if errors.Is(err, verdicts[i].err) {
			return &record.Error{Code: verdicts[i].code, Message: reason(verdicts[i].code), Err: err}
		}
	}
	code := record.BrokerError
	var dial *net.OpError
	switch {
	case kerr.IsRetriable(err):
		// When kgo gives up, it fails all records of a partition, those in flight too, with the error that the partition
		// has by then: "no leader" says nothing of what the leader took before it was gone.
		code = record.Unknown
	case errors.Is(err, kgo.ErrRecordRetries), errors.As(err, &dial):
		code = record.Unknown
	case strings.Contains(err.Error(), "invalid record partitioning choice"): // kgo has no value for it
		code = record.UnknownPartition
	case strings.Contains(err.Error(), "purged while buffered"): // nor for this
		code = record.Unknown
	}
	return &record.Error{Code: code, Message: reason(code), Err: err}
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
		return "the broker refused the record, or one that was batched with it"
	case record.NotAvailable:
		return "the partition is not available now; the record was not stored"
	case record.Unauthorized:
		return "the cluster does not let this gateway write to the topic"
	case record.UnknownTopic:
		return "the cluster does not have this topic or partition"
	default:
		return "Kafka answered with an error"
	}
}

// fatalForClient says that a client that saw err will not work again and must be replaced.
func fatalForClient(err error) bool {
	return errors.Is(err, kerr.ClusterAuthorizationFailed) ||
		errors.Is(err, kerr.ProducerFenced) ||
		errors.Is(err, kerr.InvalidProducerEpoch) ||
		errors.Is(err, kerr.OutOfOrderSequenceNumber) ||
		errors.Is(err, kerr.UnknownProducerID)
}
