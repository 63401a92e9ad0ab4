package producer

import (
	"fmt"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
)

// kgo fails records in flight with the error of a partition that has no leader any more, so such an error must not be
// told as "not stored".
func TestErrorsOfThePartitionLeaveTheOutcomeOpen(t *testing.T) {
	for _, err := range []error{
		kerr.LeaderNotAvailable, kerr.NotLeaderForPartition, kerr.NotEnoughReplicas, kerr.NetworkException, kerr.KafkaStorageError,
		fmt.Errorf("wrapped: %w", kerr.LeaderNotAvailable),
	} {
		if e := classify(err); !e.Code.OutcomeUnknown() || e.Code.Retriable() {
			t.Errorf("%v: %s", err, e.Code)
		}
	}
}
