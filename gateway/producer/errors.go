package producer

import (
	"context"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"sluice/gateway/record"
)

// kind is what an error means for what comes after it.
type kind uint8

const (
	retriable      kind = iota + 1 // the client tries again, until delivery.timeout.ms or retries
	fatalForRecord                 // a record of the batch is at fault: its neighbours are sent again without it
	fatalForTopic                  // every record of the topic or the partition fails alike
	fatalForClient                 // the client does not work again and is replaced
	unforeseen                     // Kafka does not answer so to a produce request
)

func (k kind) String() string {
	return [...]string{"", "retriable", "fatal for the record", "fatal for the topic", "fatal for the client", "unforeseen"}[k]
}

// certainty is what an answer of the broker says of the batch that it is for.
type certainty uint8

const (
	notWritten  certainty = iota + 1 // the broker looked at the batch and did not append it
	notAppended                      // not written, unless the answer has an offset: the leader may go after it appended (DelayedProduce)
	anyoneKnows                      // it may be in the log or not
	isWritten                        // it is in the log
)

func (c certainty) String() string {
	return [...]string{"", "not written", "not written, if the answer has no offset", "unknown", "written"}[c]
}

// meaning is one row of the table of errors.
type meaning struct {
	err  error
	kind kind
	says certainty
	code record.Code // of a record that is certainly not in the log
	open record.Code // of one that may be
}

// answers is what every error code of Kafka means as the answer to a produce request, by code.
// Kafka's side of it: ReplicaManager.appendToLocalLog, DelayedProduce.tryComplete, KIP-360, KIP-467.
var answers = byCode([]meaning{ //nolint:gochecknoglobals // a table that is only read
	{kerr.RequestTimedOut, retriable, anyoneKnows, record.NotAvailable, record.Unknown},
	{kerr.NotEnoughReplicasAfterAppend, retriable, anyoneKnows, record.NotAvailable, record.Unknown},
	{kerr.KafkaStorageError, retriable, anyoneKnows, record.NotAvailable, record.Unknown},
	{kerr.NetworkException, retriable, anyoneKnows, record.NotAvailable, record.Unknown},
	{kerr.NotEnoughReplicas, retriable, notWritten, record.NotAvailable, record.Unknown},
	{kerr.ThrottlingQuotaExceeded, retriable, notWritten, record.NotAvailable, record.Unknown},
	{kerr.NotLeaderForPartition, retriable, notAppended, record.NotAvailable, record.Unknown},
	{kerr.LeaderNotAvailable, retriable, notAppended, record.NotAvailable, record.Unknown},
	{kerr.ReplicaNotAvailable, retriable, notAppended, record.NotAvailable, record.Unknown},
	{kerr.BrokerNotAvailable, retriable, notAppended, record.NotAvailable, record.Unknown},
	{kerr.FencedLeaderEpoch, retriable, notAppended, record.NotAvailable, record.Unknown},
	{kerr.UnknownLeaderEpoch, retriable, notAppended, record.NotAvailable, record.Unknown},
	{kerr.UnknownTopicID, retriable, notAppended, record.NotAvailable, record.Unknown},
	{kerr.InconsistentTopicID, retriable, notAppended, record.NotAvailable, record.Unknown},
	{kerr.UnknownTopicOrPartition, retriable, notAppended, record.UnknownTopic, record.Unknown},

	// The client takes a new epoch of its producer id and tries again.
	{kerr.OutOfOrderSequenceNumber, retriable, notWritten, record.NotAvailable, record.Unknown},
	{kerr.UnknownProducerID, retriable, notWritten, record.NotAvailable, record.Unknown},
	{kerr.InvalidProducerIDMapping, retriable, notWritten, record.NotAvailable, record.Unknown},
	{kerr.InvalidProducerEpoch, retriable, notWritten, record.Fenced, record.Unknown},
	{kerr.ConcurrentTransactions, retriable, notWritten, record.NotAvailable, record.Unknown},
	{kerr.DuplicateSequenceNumber, retriable, isWritten, record.Stored, record.Stored},

	{kerr.MessageTooLarge, fatalForRecord, notWritten, record.RecordTooLarge, record.Unknown},
	{kerr.RecordListTooLarge, fatalForRecord, notWritten, record.RecordTooLarge, record.Unknown},
	{kerr.InvalidTimestamp, fatalForRecord, notWritten, record.InvalidRecord, record.Unknown},
	{kerr.InvalidRecord, fatalForRecord, notWritten, record.InvalidRecord, record.Unknown},
	{kerr.CorruptMessage, fatalForRecord, notWritten, record.InvalidRecord, record.Unknown},
	{kerr.UnsupportedForMessageFormat, fatalForRecord, notWritten, record.InvalidRecord, record.Unknown},
	{kerr.PolicyViolation, fatalForRecord, notWritten, record.InvalidRecord, record.Unknown},

	{kerr.UnsupportedCompressionType, fatalForTopic, notWritten, record.InvalidRecord, record.Unknown},
	{kerr.InvalidTopicException, fatalForTopic, notWritten, record.Invalid, record.Unknown},
	{kerr.TopicAuthorizationFailed, fatalForTopic, notWritten, record.Unauthorized, record.Unknown},
	{kerr.InvalidRequiredAcks, fatalForTopic, notWritten, record.BrokerError, record.Unknown},
	{kerr.UnsupportedVersion, fatalForTopic, notWritten, record.BrokerError, record.Unknown},

	{kerr.ClusterAuthorizationFailed, fatalForClient, notWritten, record.Unauthorized, record.Unknown},
	{kerr.TransactionalIDAuthorizationFailed, fatalForClient, notWritten, record.Unauthorized, record.Unknown},
	{kerr.SaslAuthenticationFailed, fatalForTopic, notWritten, record.BrokerError, record.Unknown},
	{kerr.ProducerFenced, fatalForClient, notWritten, record.Fenced, record.Unknown},

	{kerr.UnknownServerError, unforeseen, anyoneKnows, record.BrokerError, record.Unknown},
}, others)

// others is the codes that Kafka has for other requests. As an answer to a produce request nothing can be said of them; the
// client tries those again that Kafka calls retriable.
var others = []error{ //nolint:gochecknoglobals // a table that is only read
	kerr.OffsetOutOfRange, kerr.InvalidFetchSize, kerr.StaleControllerEpoch, kerr.OffsetMetadataTooLarge, kerr.CoordinatorLoadInProgress,
	kerr.CoordinatorNotAvailable, kerr.NotCoordinator, kerr.IllegalGeneration, kerr.InconsistentGroupProtocol, kerr.InvalidGroupID,
	kerr.UnknownMemberID, kerr.InvalidSessionTimeout, kerr.RebalanceInProgress, kerr.InvalidCommitOffsetSize, kerr.GroupAuthorizationFailed,
	kerr.UnsupportedSaslMechanism, kerr.IllegalSaslState, kerr.TopicAlreadyExists, kerr.InvalidPartitions, kerr.InvalidReplicationFactor,
	kerr.InvalidReplicaAssignment, kerr.InvalidConfig, kerr.NotController, kerr.InvalidRequest, kerr.InvalidTxnState,
	kerr.InvalidTransactionTimeout, kerr.TransactionCoordinatorFenced, kerr.SecurityDisabled, kerr.OperationNotAttempted, kerr.LogDirNotFound,
	kerr.ReassignmentInProgress, kerr.DelegationTokenAuthDisabled, kerr.DelegationTokenNotFound, kerr.DelegationTokenOwnerMismatch,
	kerr.DelegationTokenRequestNotAllowed, kerr.DelegationTokenAuthorizationFailed, kerr.DelegationTokenExpired, kerr.InvalidPrincipalType,
	kerr.NonEmptyGroup, kerr.GroupIDNotFound, kerr.FetchSessionIDNotFound, kerr.InvalidFetchSessionEpoch, kerr.ListenerNotFound,
	kerr.TopicDeletionDisabled, kerr.StaleBrokerEpoch, kerr.OffsetNotAvailable, kerr.MemberIDRequired, kerr.PreferredLeaderNotAvailable,
	kerr.GroupMaxSizeReached, kerr.FencedInstanceID, kerr.EligibleLeadersNotAvailable, kerr.ElectionNotNeeded, kerr.NoReassignmentInProgress,
	kerr.GroupSubscribedToTopic, kerr.UnstableOffsetCommit, kerr.ResourceNotFound, kerr.DuplicateResource, kerr.UnacceptableCredential,
	kerr.InconsistentVoterSet, kerr.InvalidUpdateVersion, kerr.FeatureUpdateFailed, kerr.PrincipalDeserializationFailure, kerr.SnapshotNotFound,
	kerr.PositionOutOfRange, kerr.DuplicateBrokerRegistration, kerr.BrokerIDNotRegistered, kerr.InconsistentClusterID,
	kerr.TransactionalIDNotFound, kerr.FetchSessionTopicIDError, kerr.IneligibleReplica, kerr.NewLeaderElected, kerr.OffsetMovedToTieredStorage,
	kerr.FencedMemberEpoch, kerr.UnreleasedInstanceID, kerr.UnsupportedAssignor, kerr.StaleMemberEpoch, kerr.MismatchedEndpointType,
	kerr.UnsupportedEndpointType, kerr.UnknownControllerID, kerr.UnknownSubscriptionID, kerr.TelemetryTooLarge, kerr.InvalidRegistration,
	kerr.TransactionAbortable, kerr.InvalidRecordState, kerr.ShareSessionNotFound, kerr.InvalidShareSessionEpoch, kerr.FencedStateEpoch,
	kerr.InvalidVoterKey, kerr.DuplicateVoter, kerr.VoterNotFound, kerr.InvalidRegularExpression, kerr.RebootstrapRequired,
	kerr.StreamsInvalidTopology, kerr.StreamsInvalidTopologyEpoch, kerr.StreamsTopologyFenced, kerr.ShareSessionLimitReached,
	kerr.GroupDeletionFailed, kerr.StreamsTopologyDescriptionUpdateFailed, kerr.ControllerIDNotRegistered,
}

// ends is what the errors of the client itself mean, from top to bottom. A record that the client gives up has the error of its
// whole partition; whether it may be in the log is not in the error, but in the ledger.
var ends = []meaning{ //nolint:gochecknoglobals // a table that is only read
	{context.DeadlineExceeded, retriable, anyoneKnows, record.NotAvailable, record.DeliveryTimeout},
	{kgo.ErrRecordTimeout, retriable, anyoneKnows, record.NotAvailable, record.DeliveryTimeout},
	{kgo.ErrRecordRetries, retriable, anyoneKnows, record.NotAvailable, record.Unknown},
	{kgo.ErrClientClosed, retriable, anyoneKnows, record.NotAvailable, record.Unknown},
	{kgo.ErrAborting, retriable, anyoneKnows, record.NotAvailable, record.Unknown},
	{errBehind, retriable, anyoneKnows, record.NotAvailable, record.Unknown},
	{errForgotten, fatalForRecord, anyoneKnows, record.NotAvailable, record.Unknown},
	{kgo.ErrMaxBuffered, retriable, anyoneKnows, record.BufferFull, record.Unknown},
}

// texts is errors of the client that are no values, by a part of their text.
var texts = []struct { //nolint:gochecknoglobals // a table that is only read
	text string
	meaning
}{
	{"invalid record partitioning choice", meaning{nil, fatalForRecord, anyoneKnows, record.UnknownPartition, record.Unknown}},
	{"no usable partitions", meaning{nil, retriable, anyoneKnows, record.NotAvailable, record.Unknown}},
	{"purged while buffered", meaning{nil, retriable, anyoneKnows, record.NotAvailable, record.Unknown}},
	{"missing a partition", meaning{nil, retriable, anyoneKnows, record.NotAvailable, record.Unknown}},
	{"unknown broker", meaning{nil, retriable, anyoneKnows, record.NotAvailable, record.Unknown}},
}
