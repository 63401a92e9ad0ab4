package producer

import (
	"net"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// tap reads along on the connections of one client. kgo has no hook for a retried record, for a throttle time of zero or
// for a batch that is sent again, all of which Kafka's metrics count; and none for what was written, which the ledgers
// have to know.
type tap struct {
	meta  *metadata
	Stats WireStats
}

// WireStats is what one client sent and was answered. All counters only grow, but for InFlight.
type WireStats struct {
	Requests     atomic.Int64 // produce requests written
	Batches      atomic.Int64 // record batches in them, those sent again included
	Records      atomic.Int64
	BatchBytes   atomic.Int64 // of record batches as sent
	MaxBatch     atomic.Int64
	Retries      atomic.Int64 // records that have to be sent again
	InFlight     atomic.Int64 // requests without a response
	Responses    atomic.Int64
	LatencyNanos atomic.Int64 // request written until response read
	MaxLatency   atomic.Int64
	ThrottleMs   atomic.Int64
	MaxThrottle  atomic.Int64

	Uncompressed atomic.Int64 // bytes of acknowledged batches before
	Compressed   atomic.Int64 // and after compression
	Connections  atomic.Int64 // open now
}

func newTap(m *metadata) *tap { return &tap{meta: m} }

// OnProduceBatchWritten implements [kgo.HookProduceBatchWritten].
func (t *tap) OnProduceBatchWritten(_ kgo.BrokerMetadata, _ string, _ int32, m kgo.ProduceBatchMetrics) {
	t.Stats.Uncompressed.Add(int64(m.UncompressedBytes))
	t.Stats.Compressed.Add(int64(m.CompressedBytes))
}

// OnBrokerDisconnect implements [kgo.HookBrokerDisconnect]: a broker that went away may have lost its partitions.
func (t *tap) OnBrokerDisconnect(kgo.BrokerMetadata, net.Conn) {
	t.Stats.Connections.Add(-1)
	t.meta.suspect()
}

// OnBrokerConnect implements [kgo.HookBrokerConnect].
func (t *tap) OnBrokerConnect(_ kgo.BrokerMetadata, _ time.Duration, _ net.Conn, err error) {
	if err == nil {
		t.Stats.Connections.Add(1)
	} else {
		t.meta.suspect()
	}
}
